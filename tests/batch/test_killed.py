"""A batch that is killed at any moment goes on with the same command: nothing is paid twice, nothing lost.

BATCH_ROWS=1000 BATCH_KILLS=20 is the full form, which takes some minutes.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.batches import killed_when, lines, lost, paid_twice, row, written
from tests.support.processes import call

ROWS, KILLS = int(os.environ.get("BATCH_ROWS", "16")), int(os.environ.get("BATCH_KILLS", "2"))
LIMIT = min(90, ROWS)
PATIENCE = 120 + ROWS


@pytest.fixture
def slow():
    """A sandbox in which a video takes as long as one takes at least, so that running lists show it."""
    with Sandbox(speed=1.2, credits=1e9) as sandbox:
        yield sandbox


def test_a_killed_batch_pays_for_nothing_twice_and_loses_nothing(slow, tmp_path):
    file, out = written(tmp_path / "jobs.jsonl", [row(number) for number in range(ROWS)]), tmp_path / "out"
    arguments = ("batch", "run", file, "--out", out, "--limit", LIMIT, "--poll-interval", "0.5")
    chance = random.Random(17)
    kills = 0
    for number in range(KILLS):
        due = (number + chance.random()) * ROWS / (KILLS + 1)
        kills += killed_when(lambda due=due: slow.made() > due, *arguments, sandbox=slow, seconds=PATIENCE)
    assert kills  # a few rows may all be made or uncertain before the next is due
    done = call(*arguments, sandbox=slow, seconds=PATIENCE)
    told = lines(out)
    states = Counter(line["status"] for line in told)
    assert (paid_twice(slow), lost(slow, out)) == ([], []), (states, done.stderr)
    assert Counter(line["key"] for line in told) == Counter(f"row-{number}" for number in range(ROWS))
    assert set(states) <= {"COMPLETED", "UNCERTAIN"}
    assert states["COMPLETED"] == slow.made()
    for line in told:
        assert [(out / name).stat().st_size > 0 for name in line["files"]] == [True] * (line["status"] == "COMPLETED")
    audited = call("batch", "audit", out, "--json", sandbox=slow)
    print(f"{ROWS} rows, {kills} kills: {dict(states)}, {slow.made()} made")  # noqa: T201  # for the full form
    assert audited.returncode == (states["UNCERTAIN"] > 0)
