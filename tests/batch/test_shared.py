"""A batch that machines share: whoever dies, sleeps or loses the database, nothing is paid twice and nothing lost."""

from __future__ import annotations

import os
import pickle
import re
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from skills_video import Batch, BudgetExceeded, Client, File, Row, SharedBatch, google_veo_3_1, kling_v2_6
from skills_video_runtime import errors
from skills_video_runtime.batch import RowsRefused
from skills_video_runtime.batch.queue import Queue, RowTaken
from skills_video_runtime.http.addresses import platform_of
from skills_video_runtime.http.key import Key
from skills_video_runtime.sandbox import Sandbox
from tests.support.batches import lines, lost, paid_twice, row, written
from tests.support.children import finished, started
from tests.support.processes import call, command, environment, strict

ROWS = int(os.environ.get("BATCH_SHARED_ROWS", "12"))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def sandbox():
    with Sandbox(speed=100) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.1) as client:
        yield client


def made_of(count):
    return [Row(f"row-{number}", google_veo_3_1.Payload(prompt=f"rain {number}")) for number in range(count)]


def when(is_due, *, seconds=60):
    until = time.monotonic() + seconds
    while not is_due():
        assert time.monotonic() < until, "it did not come to that"
        threading.Event().wait(0.01)


@contextmanager
def process(sandbox, postgres, *arguments):
    """A worker, or a run, that looks often and is soon taken for dead."""
    words = ("batch", *arguments, "--database", postgres.url, "--poll-interval", "0.2", "--lease", "1")
    with started(command(*map(str, words)), env=environment(sandbox), seconds=120 + 3 * ROWS) as process:
        yield process


def asked(postgres, sql):
    with import_module("psycopg").connect(postgres.url, autocommit=True) as database:
        database.execute("SET search_path TO skills_video")
        found = database.execute(sql)
        return found.fetchall() if found.description else []


@POSIX
def test_workers_that_are_killed_and_paused_and_a_database_that_is_restarted(postgres, tmp_path):
    file, out = written(tmp_path / "jobs.jsonl", [row(number) for number in range(ROWS)]), tmp_path / "out"
    run = ("run", file, "--out", out, "--limit", max(6, ROWS // 4))
    with Sandbox(speed=3, credits=1e9) as slow:
        with (
            process(slow, postgres, *run) as first,
            process(slow, postgres, "run", file, "--out", tmp_path / "two", "--limit", max(6, ROWS // 4)) as killed,
        ):
            when(lambda: slow.made() > 0)
            with process(slow, postgres, "worker", "--limit", 3) as paused:
                when(lambda: len(asked(postgres, "SELECT 1 FROM batch_worker")) == 3)
                when(lambda: slow.made() >= ROWS // 3)
                killed.kill()
                paused.send_signal(signal.SIGSTOP)
                postgres.restart()
                when(lambda: slow.made() >= ROWS * 2 // 3 or first.poll() is not None)
                paused.send_signal(signal.SIGCONT)
                told = [each.communicate() for each in (first, paused)]
        again = call("batch", *run, "--database", postgres.url, "--lease", "1", "--json", sandbox=slow, seconds=120)
        states = Counter(line["status"] for line in lines(out))
        print(f"{ROWS} rows: {slow.made()} made, {dict(states)}")  # noqa: T201  # for the full form
        assert (paid_twice(slow), lost(slow, out)) == ([], []), (told, again.stderr)
        assert Counter(line["key"] for line in lines(out)) == Counter(f"row-{number}" for number in range(ROWS))
        assert set(states) <= {"COMPLETED", "UNCERTAIN"}, told
        assert states["COMPLETED"] == slow.made()
        for line in lines(out):
            files = [(out / name).stat().st_size > 0 for name in line["files"]]
            assert files == [True] * (line["status"] == "COMPLETED")
        audited = call("batch", "audit", "--database", postgres.url, "--json", sandbox=slow)
        assert strict(audited.stdout)["charged"] == slow.credits_charged
        assert audited.returncode == (states["UNCERTAIN"] > 0), audited.stdout


@POSIX
def test_a_worker_that_is_paused_while_it_has_nothing_to_do_ends_with_the_others(postgres, tmp_path):
    workers = "SELECT 1 FROM batch_worker WHERE until > clock_timestamp()"
    with Sandbox(speed=0) as still:
        with process(still, postgres, "run", written(tmp_path / "jobs.jsonl", [row(0)]), "--out", tmp_path) as first:
            when(lambda: still.made() == 1)
            with process(still, postgres, "worker") as idle:
                when(lambda: len(asked(postgres, workers)) == 2)
                idle.send_signal(signal.SIGSTOP)
                when(lambda: len(asked(postgres, workers)) == 1)
                idle.send_signal(signal.SIGCONT)
                while first.poll() is None:
                    still.advance(10)
                    threading.Event().wait(0.1)
                _, stderr = idle.communicate()
        assert (first.returncode, idle.returncode) == (0, 0), stderr


@POSIX
def test_an_id_that_a_sleeper_is_told_is_not_lost(postgres, tmp_path):
    """It is paused between its post and the answer; who takes the row over cannot find what was made."""
    file, out = written(tmp_path / "jobs.jsonl", [row(0)]), tmp_path / "out"
    with Sandbox(speed=100) as sandbox:
        sandbox.plan("delay-after:1")
        sandbox.arm("running-500:99")
        with process(sandbox, postgres, "run", file, "--out", out) as sleeper:
            when(lambda: sandbox.made() == 1)
            sleeper.send_signal(signal.SIGSTOP)
            with process(sandbox, postgres, "worker", "--timeout", "2") as other:
                _, stderr = other.communicate()
                assert (other.returncode, "row-0: UNCERTAIN" in stderr) == (3, True), stderr
            told = strict(call("batch", "status", "--database", postgres.url, "--json", sandbox=sandbox).stdout)
            assert (told["statuses"], told["uncertain"]) == ({"UNCERTAIN": 1}, ["row-0"])
            sleeper.send_signal(signal.SIGCONT)
            _, stderr = sleeper.communicate()
        assert sleeper.returncode == 0, stderr
        [line] = lines(out)
        assert (line["status"], line["id"], sandbox.made()) == ("COMPLETED", sandbox.generations()[0].id, 1)


@POSIX
def test_who_is_interrupted_gives_back_what_it_has(postgres, tmp_path):
    file, out = written(tmp_path / "jobs.jsonl", [row(number) for number in range(3)]), tmp_path / "out"
    with Sandbox(speed=0) as still:
        with process(still, postgres, "run", file, "--out", out, "--limit", 2) as first:
            when(lambda: still.made() == 2)
            first.send_signal(signal.SIGINT)
            _, stderr = first.communicate()
        assert (first.returncode, "The same command goes on" in stderr, lines(out)) == (130, True, []), stderr
        assert asked(postgres, "SELECT count(worker) FROM batch_row") == [(0,)]
        with process(still, postgres, "run", file, "--out", out, "--limit", 2) as second:
            when(lambda: asked(postgres, "SELECT count(worker) FROM batch_row") == [(2,)])
            while second.poll() is None:
                still.advance(10)
                threading.Event().wait(0.1)
        assert (second.returncode, still.made(), lost(still, out)) == (0, 3, [])


def queue_of(sandbox, postgres, lease):
    queue = Queue(postgres.url, platform_of(sandbox.url), Key(sandbox.api_key), lease)
    queue.join()
    return queue


def test_who_was_taken_over_can_post_nothing_more(sandbox, client, postgres, tmp_path):
    rows = made_of(1)
    with closing(Queue(postgres.url, platform_of(sandbox.url), Key(sandbox.api_key), 30)) as queue:
        queue.put([(rows[0], "row-0", 1)], queue.state(), SharedBatch(client, postgres.url, tmp_path))
    with closing(queue_of(sandbox, postgres, 0.2)) as sleeper, closing(queue_of(sandbox, postgres, 30)) as other:
        [(taken, _)] = sleeper.take(1, [], []).rows
        assert (taken.payload, other.take(1, [], []).rows) == (rows[0].payload, [])
        when(lambda: other.take(1, [], []).rows)
        with pytest.raises(RowTaken):
            sleeper.intend(sleeper.new_key(), taken.payload, "row-0")
        sleeper.beat()
        with pytest.raises(RowTaken):
            sleeper.end("row-0", {"key": "row-0", "status": "REFUSED", "id": None, "credits": None})
        other.intend(other.new_key(), taken.payload, "row-0")


ONLY_LOCKED = """
CREATE FUNCTION skills_video.is_locked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT xmax::text FROM skills_video.batch) <> (pg_current_xact_id()::text::bigint % 4294967296)::text THEN
        RAISE 'another worker may take the row meanwhile';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_locked BEFORE INSERT ON skills_video.submission FOR EACH ROW EXECUTE FUNCTION skills_video.is_locked()
"""


def test_what_is_written_beside_a_write_that_fails_is_fenced_as_well(sandbox, client, postgres, tmp_path):
    rows = made_of(4)
    refused = {"key": "row-9", "status": "REFUSED", "id": None, "credits": None}
    with closing(Queue(postgres.url, platform_of(sandbox.url), Key(sandbox.api_key), 30)) as queue:
        queue.put([(each, each.key, 1) for each in rows], queue.state(), SharedBatch(client, postgres.url, tmp_path))
    with (
        closing(queue_of(sandbox, postgres, 30)) as worker,
        import_module("psycopg").connect(postgres.url, autocommit=True) as database,
        ThreadPoolExecutor(8) as pool,
    ):
        assert len(worker.take(4, [], []).rows) == 4
        database.execute(ONLY_LOCKED)
        ready = threading.Barrier(9)

        def begin(item):
            ready.wait(10)
            worker.intend(worker.new_key(), item.payload, item.key)

        def fail(_):
            ready.wait(10)
            with pytest.raises(RowTaken):
                worker.end("row-9", refused)

        with database.transaction():
            database.execute("SELECT 1 FROM skills_video.batch FOR UPDATE")
            begun = [pool.submit(each, item) for item in rows for each in (fail, begin)]
            ready.wait(10)
        for each in begun:
            each.result(30)
        assert len(worker.unfinished()) == 4


def test_limit_and_budget_hold_for_all_workers(postgres, tmp_path):
    file, out = written(tmp_path / "jobs.jsonl", [row(number) for number in range(10)]), tmp_path / "out"
    run = ("run", file, "--out", out, "--limit", 3)
    with Sandbox(speed=20) as sandbox:
        most = 0
        with (
            process(sandbox, postgres, *run, "--max-credits", 100) as one,
            process(sandbox, postgres, *run, "--max-credits", 100) as two,
        ):
            while one.poll() is None or two.poll() is None:
                active = [item for item in sandbox.generations() if sandbox.status(item.id) != "COMPLETED"]
                most = max(most, len(active))
                threading.Event().wait(0.02)
            told = [each.communicate() for each in (one, two)]
        assert (one.returncode, two.returncode) == (25, 25), told
        assert "of 100 credits are spent" in told[0][1]
        assert 2 <= most <= 3
        assert 100 <= sandbox.credits_charged < 100 + 3 * 16
        with process(sandbox, postgres, *run) as last:
            told = last.communicate()
        assert (last.returncode, sandbox.made(), paid_twice(sandbox)) == (0, 10, []), told


def test_runs_that_end_at_the_same_time_write_the_same_directory(sandbox, client, postgres, tmp_path):
    run = partial(SharedBatch(client, postgres.url, tmp_path, lease=30).run, made_of(3))
    run()
    with ThreadPoolExecutor(6) as pool:
        reports = [done.result() for done in [pool.submit(run) for _ in range(24)]]
    assert [report.statuses for report in reports] == [{"COMPLETED": 3}] * 24
    assert [line["key"] for line in lines(tmp_path)] == ["row-0", "row-1", "row-2"]
    assert list(tmp_path.glob(".results*")) == []


def test_the_rate_holds_for_all_workers_and_one_tells_what_all_came_to(sandbox, client, postgres, tmp_path):
    sandbox.plan("every 1 failed:NSFW:no")
    shared = partial(SharedBatch, database=postgres.url, lease=3)
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.1) as other, ThreadPoolExecutor() as pool:
        run = pool.submit(shared(client, directory=tmp_path, limit=8, rate=180).run, made_of(8))
        when(lambda: sandbox.made() == 1)
        pool.submit(shared(other).work).result()
        report = run.result()
    assert (report.statuses, len(report.problems)) == ({"FAILED": 8}, 8)
    assert {(item.error.category, item.error.generation_id) for item in report.problems} == {
        ("failed", item.id) for item in sandbox.generations()
    }
    posts = [item.phases[0].since / 100 for item in sandbox.generations()]
    assert posts[-1] - posts[1] > 6 * 60 / 180 * 0.8  # the first one has to connect


def test_what_an_answer_says_of_credits_counts_at_once(postgres, client, sandbox, tmp_path):
    """Of one that is not over yet: with the next one more would be spent than that."""
    sandbox.plan("every 1 no-stream")
    report = SharedBatch(client, postgres.url, tmp_path, limit=3, rate=60, max_credits=16).run(made_of(3))
    assert (report.statuses, sandbox.made()) == ({"COMPLETED": 1}, 1)
    assert isinstance(report.stopped, BudgetExceeded)


def test_another_machine_goes_on_and_has_all_files(sandbox, client, postgres, tmp_path):
    """The first one made rows without a directory, and is gone; files that rows send were put in with them."""
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    rows = [
        *made_of(2),
        Row(
            "cat", kling_v2_6.MotionControl(image_url=File(tmp_path / "cat.png"), video_url="https://example.com/1.mp4")
        ),
    ]
    one = SharedBatch(client, postgres.url, tmp_path / "one", limit=3)
    one.run(rows[:2])
    one.run(rows)
    (tmp_path / "cat.png").unlink()
    assert SharedBatch(client, postgres.url).work().statuses == {"COMPLETED": 3}
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.1) as other:
        report = SharedBatch(other, postgres.url, tmp_path / "two").run(rows[:2])
    assert (report.rows, report.statuses, report.credits) == (3, {"COMPLETED": 3}, sandbox.credits_charged)
    assert sorted(path.name for path in (tmp_path / "two").glob("*.mp4")) == ["row-0-0.mp4", "row-1-0.mp4"]
    assert {line["key"] for line in lines(tmp_path / "two")} == {"row-0", "row-1", "cat"}
    assert sandbox.made() == 3


def test_what_failed_elsewhere_is_told_and_made_again(sandbox, client, postgres, tmp_path):
    sandbox.plan("failed:NSFW:no", "redirect:https://example.org/")
    batch = SharedBatch(client, postgres.url, tmp_path, limit=1)
    report = batch.run(made_of(3))
    assert report.statuses == {"FAILED": 1, "REFUSED": 1, "COMPLETED": 1}
    report = SharedBatch(client, postgres.url, tmp_path, limit=1, retry_failed=True).run(made_of(3))
    assert report.statuses == {"COMPLETED": 3}
    assert sandbox.made() == 4
    assert batch.audit().discrepancies == []
    SharedBatch(client, postgres.url, tmp_path, fresh=True).run(made_of(3))
    assert sandbox.made() == 7
    assert batch.audit().discrepancies == []


def test_errors_that_other_workers_met_can_be_sent_on(sandbox, client, postgres, tmp_path):
    sandbox.plan(*["failed:NSFW:no"] * 6)
    batch = SharedBatch(client, postgres.url, tmp_path, limit=1)
    elsewhere = []

    def have_the_others_made_elsewhere(*_):
        if not elsewhere:
            elsewhere.append(batch.work())

    report = batch.run(made_of(6), have_the_others_made_elsewhere)
    assert len(elsewhere[0].problems) == 5
    problems = pickle.loads(pickle.dumps(report.problems))
    assert [(item.error.category, item.error.code) for item in problems] == [("failed", "NSFW")] * 6


class Changing:
    """Rows that are others at one time that they are read."""

    def __init__(self, rows, then, when):
        self.rows, self.then, self.when, self.times = rows, then, when, 0

    def __iter__(self):
        self.times += 1
        yield from self.then if self.times == self.when else self.rows


def test_a_database_that_breaks_off_while_rows_are_put_in_is_told_and_nothing_is_sent(
    client, sandbox, postgres, tmp_path
):
    class Breaking(Changing):
        def __iter__(self):
            yield from super().__iter__()
            if self.times == self.when:
                asked(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    rows = made_of(3)
    with pytest.raises(errors.JournalUnavailable):
        SharedBatch(client, postgres.url, tmp_path).run(Breaking(rows, rows, 2))
    assert sandbox.made() == 0
    assert SharedBatch(client, postgres.url, tmp_path).run(rows).statuses == {"COMPLETED": 3}


def test_a_row_that_changes_after_it_was_checked_is_not_put_in(client, sandbox, postgres, tmp_path):
    then = [made_of(1)[0], Row("row-1", google_veo_3_1.Payload(prompt="snow")), made_of(3)[2]]
    batch = SharedBatch(client, postgres.url, tmp_path)
    report = batch.run(Changing(made_of(3), then, 2))
    told = [(item.key, item.status, str(item.error).partition(";")[0]) for item in report.problems]
    assert told == [("row-1", "OPEN", "row 'row-1' has changed since it was checked")]
    assert (report.statuses, sandbox.made()) == ({"COMPLETED": 2}, 2)
    assert batch.run(made_of(3)).statuses == {"COMPLETED": 3}


@pytest.mark.parametrize("kind", ["changed", "not fetched"])
def test_a_file_that_is_not_brought_from_elsewhere_is_a_problem_of_its_row(kind, client, sandbox, postgres, tmp_path):
    rows, batch = made_of(2), SharedBatch(client, postgres.url, tmp_path)
    if kind == "changed":
        rows = Changing(rows, [rows[0], Row("row-1", google_veo_3_1.Payload(prompt="snow"))], 3)
    else:
        sandbox.plan("", "download-type:text/html")
    for given in made_of(2):
        assert batch.run([given._replace(download=False)]).problems == []
    report = batch.run(rows)
    assert [(item.key, item.status) for item in report.problems] == [("row-1", "OPEN")]
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["row-0-0.mp4"]
    assert {line["key"]: line["input"]["prompt"] for line in lines(tmp_path)} == {"row-0": "rain 0", "row-1": "rain 1"}
    assert sandbox.made() == 2


def test_a_key_like_that_of_a_row_that_waits_in_the_queue_is_refused(client, sandbox, postgres, tmp_path):
    batch = SharedBatch(client, postgres.url, tmp_path, limit=1, max_credits=1)
    assert batch.run(made_of(2)).statuses == {"COMPLETED": 1}
    with pytest.raises(RowsRefused, match="'ROW-1' differs in case alone from 'row-1', a row of before"):
        batch.run([Row("ROW-1", made_of(2)[1].payload)])
    assert SharedBatch(client, postgres.url, tmp_path).run(made_of(2)).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 2


@pytest.mark.parametrize("kind", ["queue", "directory"])
def test_rows_whose_payload_holds_the_api_key_are_refused_and_kept_nowhere(kind, client, sandbox, postgres, tmp_path):
    batch = Batch(client, tmp_path / "out")
    if kind == "queue":
        batch = SharedBatch(client, postgres.url, tmp_path / "out")
    payload = google_veo_3_1.Payload(prompt=f"as {sandbox.api_key} said")
    with pytest.raises(
        RowsRefused, match="2 mistakes in the rows:\nline 2: key row-1: prompt: holds the API key"
    ) as caught:
        batch.run([*made_of(1), Row("row-1", payload), Row("row-2", payload)])
    assert sandbox.api_key not in str(caught.value)
    assert (sandbox.requests.total(), (tmp_path / "out").exists()) == (0, False)
    if kind == "queue":
        assert asked(postgres, "SELECT payload FROM batch_row") == []


def test_what_was_paid_for_a_row_that_is_open_counts_after_a_fresh_start(client, sandbox, postgres, tmp_path):
    sandbox.plan("download-type:text/html")
    assert SharedBatch(client, postgres.url, tmp_path).run(made_of(2)).statuses == {"COMPLETED": 1}
    batch = SharedBatch(client, postgres.url, tmp_path, fresh=True)
    assert batch.run(made_of(2)).credits == batch.standing().credits == sandbox.credits_charged == 4 * 16


def test_what_fresh_gives_up_is_followed_to_its_end(client, sandbox, postgres, tmp_path):
    sandbox.plan("slow:100000", "slow:100000")
    SharedBatch(client, postgres.url, tmp_path, timeout=2).run(made_of(3))
    sandbox.advance(100_000)
    batch = SharedBatch(client, postgres.url, tmp_path, fresh=True)
    assert batch.run(made_of(3)).credits == batch.standing().credits == sandbox.credits_charged == 6 * 16
    assert batch.audit().discrepancies == []


def test_what_other_programs_have_begun_is_not_given_up(client, sandbox, postgres, tmp_path):
    """They have the same database for a journal, and are yet to be given it."""
    sandbox.plan("slow:100000")
    with Client(sandbox.api_key, sandbox.url, journal=postgres.url) as other:
        begun = other.submit(google_veo_3_1.Payload(prompt="snow"), key="theirs").id
    SharedBatch(client, postgres.url, tmp_path).run(made_of(2))
    sandbox.advance(100_000)
    SharedBatch(client, postgres.url, tmp_path, fresh=True).run(made_of(2))
    with Client(sandbox.api_key, sandbox.url, journal=postgres.url) as other:
        assert [(item.key, item.generation.id) for item in other.recover()] == [("theirs", begun)]


def test_a_video_of_nobody_is_not_replaced(client, sandbox, postgres, tmp_path):
    (tmp_path / "row-1-0.mp4").write_bytes(b"of somebody")
    batch = SharedBatch(client, postgres.url, tmp_path)
    with pytest.raises(RowsRefused, match=r"'row-1-0\.mp4' stands in "):
        batch.run(made_of(2))
    assert ((tmp_path / "row-1-0.mp4").read_bytes(), sandbox.requests.total()) == (b"of somebody", 0)
    (tmp_path / "row-1-0.mp4").unlink()
    assert batch.run(made_of(2)).statuses == {"COMPLETED": 2}


def test_the_program_of_the_guide(sandbox, postgres, tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "batch.md").read_text("utf-8")
    [program] = [text for text in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "SharedBatch" in text]
    program = program.replace("postgresql://user@host/jobs", postgres.url)
    done = finished([sys.executable, "-c", program], cwd=tmp_path, env=environment(sandbox))
    assert (done.stdout, sandbox.made()) == ("{'COMPLETED': 3} []\n", 3), done.stderr


@pytest.mark.parametrize("is_made", [True, False])
def test_what_its_owner_has_settled_is_gone_on_with(is_made, sandbox, client, postgres, tmp_path):
    sandbox.plan("drop-after")
    sandbox.arm("running-500:99")
    report = SharedBatch(client, postgres.url, tmp_path, timeout=2).run(made_of(1))
    assert [item.status for item in report.problems] == ["UNCERTAIN"]
    sandbox.clear_faults()
    with Client(sandbox.api_key, sandbox.url, journal=postgres.url) as owner:
        owner.settle("row-0", sandbox.generations()[0].id if is_made else None)
    assert SharedBatch(client, postgres.url).work().statuses == {"COMPLETED": 1}
    assert sandbox.made() == 2 - is_made


def test_a_database_without_a_batch_is_told(sandbox, client, postgres):
    batch = SharedBatch(client, postgres.url)
    for use in (batch.work, batch.standing, batch.audit):
        with pytest.raises(errors.JournalUnavailable, match="holds no batch yet"):
            use()


def test_a_changed_row_is_refused(sandbox, client, postgres, tmp_path):
    SharedBatch(client, postgres.url, tmp_path).run(made_of(1))
    with pytest.raises(errors.SkillsVideoError, match="another one than that which was begun"):
        SharedBatch(client, postgres.url, tmp_path).run([Row("row-0", google_veo_3_1.Payload(prompt="snow"))])
    assert sandbox.made() == 1


@pytest.mark.parametrize("change", ["version = '0.0.1'", "layout = 99"])
def test_releases_that_differ_do_not_share_a_queue(change, sandbox, client, postgres, tmp_path):
    batch = SharedBatch(client, postgres.url, tmp_path / "out")
    batch.run(made_of(1))
    asked(postgres, f"UPDATE batch SET {change}")
    asked(postgres, "UPDATE batch_row SET status = NULL")
    before = sandbox.requests.total()
    for use in (partial(batch.run, made_of(1)), batch.work, batch.standing, batch.audit):
        with pytest.raises(errors.JournalUnavailable, match="have one release on all machines"):
            use()
    assert sandbox.requests.total() == before
    asked(postgres, "UPDATE batch_row SET status = 'COMPLETED'")
    if "version" in change:
        assert batch.standing().rows == 1


def test_a_release_that_comes_while_a_worker_is_at_work_is_noticed(sandbox, postgres):
    with closing(queue_of(sandbox, postgres, 30)) as queue:
        asked(
            postgres,
            "INSERT INTO batch_row VALUES (1, 'a', 'a', 1, 'm', 'v', '{}', TRUE); UPDATE batch SET version = '9'",
        )
        with pytest.raises(errors.JournalUnavailable, match="is of skills-video 9"):
            queue.take(1, [], [])


def test_a_batch_of_another_key_is_refused(sandbox, client, postgres, tmp_path):
    SharedBatch(client, postgres.url, tmp_path).run(made_of(1))
    with Client("another-key", sandbox.url) as other, pytest.raises(errors.JournalUnavailable, match="platform or key"):
        SharedBatch(other, postgres.url).work()
    assert sandbox.made() == 1


@pytest.mark.parametrize(
    ("command", "address", "says"),
    [
        ("run", "postgresql://user:hush@127.0.0.1:9/jobs", "127.0.0.1/jobs"),
        ("worker", "postgresql://user:hu/sh@127.0.0.1:9/jobs", "@ as %40"),
        ("status", "mysql://user:hush@127.0.0.1:9/jobs", "database is the address of a Postgres"),
    ],
)
def test_the_password_of_a_database_is_not_shown(command, address, says, sandbox, tmp_path):
    file = written(tmp_path / "jobs.jsonl", [row(0)])
    arguments = {"run": (file, "--out", tmp_path / "out")}.get(command, ())
    done = call("batch", command, *arguments, "--database", address, sandbox=sandbox)
    assert done.returncode != 0
    assert (says in done.stderr, "hu" in done.stderr + done.stdout) == (True, False), done.stderr
    assert sandbox.requests.total() == 0
    assert not (tmp_path / "out").exists()


def test_what_would_have_to_be_awaited_is_refused(client, postgres, tmp_path):
    async def on_outcome(outcome, report):
        """It is never called."""

    batch = SharedBatch(client, postgres.url, tmp_path / "out")
    for make in (partial(batch.run, made_of(1)), batch.work):
        with pytest.raises(TypeError, match="not awaited"):
            make(on_outcome=on_outcome)
    assert asked(postgres, "SELECT 1 FROM pg_tables WHERE schemaname = 'skills_video'") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")  # the server has threads
@pytest.mark.parametrize("form", ["queue", "directory", "journal"])
def test_a_forked_child_goes_on_with_what_its_parent_had(form, sandbox, postgres, tmp_path):
    """By a journal that is handed to a session open, by a file, and by an address."""
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.1, journal=postgres.url) as client:

        def made(rows):
            if form == "queue":
                return SharedBatch(client, postgres.url, tmp_path / "out").run(rows).statuses
            if form == "directory":
                return Batch(client, tmp_path / "out").run(rows).statuses
            return Counter(str(client.generate(row.payload, key=row.key).status) for row in rows)

        assert made(made_of(1)) == {"COMPLETED": 1}
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            status = 1
            try:
                assert made(made_of(2)) == {"COMPLETED": 2}
                status = 0
            except BaseException:  # noqa: BLE001  # a child has no other way to tell
                traceback.print_exc()
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert made(made_of(2)) == {"COMPLETED": 2}
    assert sandbox.made() == 2
