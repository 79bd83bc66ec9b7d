"""A batch that is ended at any moment goes on with the same command: nothing is paid twice, nothing lost.

Killed, it may leave rows that are uncertain; interrupted, none. BATCH_ROWS=1000 BATCH_KILLS=20 is the full form, which
takes some minutes.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.batches import ended_when, lines, lost, paid_twice, row, written
from tests.support.processes import call

ROWS, KILLS = int(os.environ.get("BATCH_ROWS", "16")), int(os.environ.get("BATCH_KILLS", "2"))
LIMIT = min(90, ROWS)
PATIENCE = 120 + ROWS


@pytest.mark.parametrize(
    ("by", "speed"),
    [
        ("SIGKILL", 1.2),  # at which a video takes as long as one takes at least, so that running lists show it
        pytest.param("SIGINT", 100, marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such")),
    ],
)
def test_a_batch_that_is_ended_pays_for_nothing_twice_and_loses_nothing(by, speed, tmp_path):
    with Sandbox(speed=speed, credits=1e9) as sandbox:
        ended(getattr(signal, by), sandbox, tmp_path)


def ended(number, sandbox, tmp_path):
    file, out = written(tmp_path / "jobs.jsonl", [row(number) for number in range(ROWS)]), tmp_path / "out"
    arguments = ("batch", "run", file, "--out", out, "--limit", LIMIT, "--poll-interval", "0.5")
    chance = random.Random(17)
    kills = 0
    for left in range(KILLS, 0, -1):
        due = sandbox.made() + chance.random() * 2 * (ROWS - 1 - sandbox.made()) / (left + 1)
        code = ended_when(
            lambda due=due: sandbox.made() > due, *arguments, sandbox=sandbox, seconds=PATIENCE, by=number
        )
        kills += code in {-number, 128 + number}
    assert kills  # a few rows may all be made or uncertain before the next is due
    done = call(*arguments, sandbox=sandbox, seconds=PATIENCE)
    told = lines(out)
    states = Counter(line["status"] for line in told)
    assert (paid_twice(sandbox), lost(sandbox, out)) == ([], []), (states, done.stderr)
    assert Counter(line["key"] for line in told) == Counter(f"row-{number}" for number in range(ROWS))
    assert set(states) <= {"COMPLETED", "UNCERTAIN"}
    assert number == signal.SIGKILL or not states["UNCERTAIN"]
    assert states["COMPLETED"] == sandbox.made()
    for line in told:
        assert [(out / name).stat().st_size > 0 for name in line["files"]] == [True] * (line["status"] == "COMPLETED")
    audited = call("batch", "audit", out, "--json", sandbox=sandbox)
    print(f"{ROWS} rows, {kills} times {number.name}: {dict(states)}, {sandbox.made()} made")  # noqa: T201  # for the full form
    assert audited.returncode == (states["UNCERTAIN"] > 0)
