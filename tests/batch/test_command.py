"""`skills-video batch` as a process: what it tells, and how it ends."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.batches import ended_when, lines, lost, paid_twice, row, written
from tests.support.processes import call, command, environment, strict
from tests.support.warm import started


@pytest.fixture
def sandbox():
    with Sandbox(speed=500) as sandbox:
        yield sandbox


@pytest.fixture
def jobs(tmp_path):
    return written(tmp_path / "jobs.jsonl", [row(number) for number in range(6)])


def test_check_sends_nothing_and_tells_all(sandbox, tmp_path):
    file = written(tmp_path / "jobs.jsonl", [row(0), row(1, duration=7), row(0, duraton=8)])
    done = call("batch", "check", file, sandbox=sandbox)
    assert done.returncode == 22
    assert "line 2: key row-1: duration: 7 is not one of 4, 6, 8; nearest allowed: 6" in done.stdout
    assert "line 3: key row-0: duraton: is no field of Payload; nearest allowed: 'duration'" in done.stdout
    assert "line 3: key row-0: key: 'row-0' is that of line 1 as well" in done.stdout
    assert "google/veo-3.1: 1 rows, credits unknown" in done.stdout
    told = strict(call("batch", "check", file, "--json", sandbox=sandbox).stdout)
    assert (told["rows"], told["models"], told["credits_expected"]) == (1, {"google/veo-3.1": 1}, None)
    assert [(item["line"], item["path"], item["nearest"]) for item in told["mistakes"]] == [
        (2, "duration", 6),
        (3, "duraton", "duration"),
        (3, "key", None),
    ]
    assert sandbox.requests.total() == 0
    done = call("batch", "check", written(file, [row(1, duration=7)]), sandbox=sandbox)
    assert done.stdout.endswith("0 rows are right, 1 mistakes; credits expected: unknown; nothing was sent\n")


def test_a_batch_from_its_check_to_its_audit(sandbox, jobs, tmp_path):
    out = tmp_path / "out"
    done = call("batch", "run", jobs, "--out", out, "--limit", 3, "--rate", "50/s", sandbox=sandbox)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"6 rows: 6 COMPLETED; 96 credits; {out / 'results.jsonl'}"
    again = strict(call("batch", "run", jobs, "--out", out, "--json", sandbox=sandbox).stdout)
    assert (again["statuses"], again["left"], again["problems"], again["stopped"]) == ({"COMPLETED": 6}, 0, [], None)
    standing = strict(call("batch", "status", out, "--json").stdout)
    assert (standing["rows"], standing["statuses"], standing["run_by"]) == (6, {"COMPLETED": 6}, None)
    audited = call("batch", "audit", out, sandbox=sandbox)
    assert (audited.returncode, audited.stdout.splitlines()) == (
        0,
        [
            "6 rows, 6 generations, 96 credits charged",
            "it adds up: each credit has a generation, each generation a row",
        ],
    )
    checked = call("batch", "check", jobs, "--journal", out / "journal.db")
    assert "credits expected: about 96" in checked.stdout
    assert sandbox.made() == 6


def test_the_exit_code_is_that_of_what_went_wrong(sandbox, jobs, tmp_path):
    sandbox.plan("failed")
    done = call("batch", "run", jobs, "--out", tmp_path / "out", sandbox=sandbox)
    assert (done.returncode, done.stdout.splitlines()[-1].startswith("6 rows: ")) == (10, True)
    assert "FAILED gen_" in done.stderr
    again = call("batch", "run", jobs, "--out", tmp_path / "out", sandbox=sandbox)
    assert (again.returncode, "of an earlier run" in again.stderr) == (10, True)
    done = call("batch", "run", jobs, "--out", tmp_path / "budget", "--max-credits", 32, "--limit", 1, sandbox=sandbox)
    assert (done.returncode, "2 COMPLETED, 4 left" in done.stdout) == (25, True)
    assert "higher --max-credits" in done.stderr
    done = call("batch", "run", jobs, "--out", tmp_path / "out", sandbox=sandbox)
    assert (done.returncode, "1 FAILED" in done.stdout) == (10, True)
    wrong = written(tmp_path / "wrong.jsonl", [row(0, duration=7)])
    done = call("batch", "run", wrong, "--out", tmp_path / "wrong", sandbox=sandbox)
    assert (done.returncode, done.stdout, (tmp_path / "wrong").exists()) == (22, "", False)
    assert f"{wrong}: line 1: key row-0: duration" in done.stderr


def test_rows_that_are_gone_from_the_file_when_they_are_due_are_left(tmp_path):
    """Each is longer than what is read of a file at once."""
    rows, out = [row(number, negative_prompt="x" * 2**18) for number in range(3)], tmp_path / "out"
    file = written(tmp_path / "jobs.jsonl", rows)
    run = ["batch", "run", str(file), "--out", str(out), "--limit", "1", "--poll-interval", "0.05"]
    with Sandbox(speed=0) as still:
        with started(command(*run), env=environment(still)) as process:
            while still.made() == 0 and process.poll() is None:
                threading.Event().wait(0.01)
            written(file, rows[:1])
            still.advance(100)
            stdout, stderr = process.communicate()
        assert (process.returncode, "1 COMPLETED, 2 left" in stdout, "rows are left" in stderr) == (25, True, True)
    with Sandbox(speed=500) as sandbox:
        run[run.index(str(out))] = str(tmp_path / "two")
        for count in (3, 1):
            written(file, rows[:count])
            assert call(*run, sandbox=sandbox).returncode == 0
        told = call("batch", "status", tmp_path / "two").stdout.splitlines()
        assert [line.split()[-1] for line in told if line.startswith(("rows", "left "))] == ["1", "0"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "nowhere.jsonl"), "there is no file"),
        (("run", "jobs.jsonl", "--out", "out", "--limit", 100), "limit is from 1 to 99"),
        (("run", "jobs.jsonl", "--out", "out", "--rate", "often"), "no rate such as 60/min"),
        (("run", "jobs.jsonl", "--out", "out", "--model", "nothing like it"), "there is no model"),
        (("run", "jobs.jsonl", "--out", "out", "--files", "nowhere"), "is no directory"),
        (("run", "jobs.jsonl", "--out", "jobs.jsonl"), "jobs.jsonl' can be no folder, as a file is in the way"),
        (("run", "jobs.jsonl", "--out", "jobs.jsonl/out"), "out' can be no folder, as a file is in the way"),
        (("run", "jobs.jsonl", "--out", "out", "--lease", 60), "--lease needs --database URL"),
        (("status", "."), "is no directory of a batch"),
        (("audit", "."), "is no directory of a batch"),
    ],
)
def test_what_cannot_be_done_as_it_was_asked(arguments, says, sandbox, jobs, tmp_path):
    done = call("batch", *arguments, sandbox=sandbox, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_leaves_what_the_same_command_goes_on_with(tmp_path):
    out = tmp_path / "out"
    arguments = ["batch", "run", str(written(tmp_path / "jobs.jsonl", [row(number) for number in range(4)]))]
    arguments += ["--out", str(out), "--poll-interval", "0.05"]
    with Sandbox(speed=0) as still:
        still.plan(*["end-early"] * 4)

        def polled():
            return {request.path for request in still.seen if "/generation/gen_" in request.path}

        with started(command(*arguments), env=environment(still)) as process:
            while len(polled()) < 4 and process.poll() is None:
                threading.Event().wait(0.01)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate()
        assert process.returncode == 130
        assert "The same command goes on" in stderr
        assert "Traceback" not in stderr
        still.advance(100)
        assert call(*arguments, sandbox=still).returncode == 0
        assert (still.made(), paid_twice(still), lost(still, out)) == (4, [], [])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_gets_the_ids_of_what_it_has_posted_first(by, sandbox, jobs, tmp_path):
    sandbox.plan(*["delay-after:1,slow:100000"] * 4)
    arguments = ("batch", "run", jobs, "--out", tmp_path / "out", "--limit", 4, "--poll-interval", "0.05")
    assert ended_when(lambda: sandbox.made() == 4, *arguments, sandbox=sandbox, seconds=30, by=by) == 128 + by
    sandbox.arm("running-500:99")  # so that nothing is found that has no id
    sandbox.advance(100_000)
    done = call(*arguments, sandbox=sandbox)
    assert done.stdout.splitlines()[-1].startswith("6 rows: 6 COMPLETED"), done.stderr
    assert sandbox.made() == 6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("again", [False, True])
def test_an_id_is_not_waited_for_long_and_a_second_ctrl_c_ends_at_once(again, sandbox, jobs, tmp_path):
    sandbox.plan("delay-after:100")
    arguments = ["batch", "run", str(jobs), "--out", str(tmp_path / "out"), "--limit", "1"]
    with started(command(*arguments), env=environment(sandbox)) as process:
        while not sandbox.made() and process.poll() is None:
            threading.Event().wait(0.01)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        while again and process.poll() is None:
            threading.Event().wait(0.1)
            process.send_signal(signal.SIGINT)
        process.communicate()
    if again:
        assert process.returncode == -signal.SIGINT
    else:
        assert (process.returncode, time.monotonic() - began < 20) == (130, True)
    assert sandbox.made() == 1


def test_a_killed_run_leaves_no_lock(sandbox, jobs, tmp_path):
    arguments = ("batch", "run", jobs, "--out", tmp_path / "out", "--limit", 1)
    ended_when(lambda: sandbox.made() > 1, *arguments, sandbox=sandbox, seconds=30)
    assert json.loads(call("batch", "status", tmp_path / "out", "--json").stdout)["run_by"] is None
    call(*arguments, sandbox=sandbox)
    assert paid_twice(sandbox) == []
    assert len(lines(tmp_path / "out")) == 6
