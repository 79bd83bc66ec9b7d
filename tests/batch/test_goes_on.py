"""The same batch again: after trouble, with rows or files that changed, with another journal, another platform."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit

import anyio
import pytest

from skills_video import AsyncClient, Client, File, google_veo_3_1, kling_v2_6
from skills_video_runtime import SubmissionUncertain
from skills_video_runtime.batch import AsyncBatch, Batch, Row, RowsRefused
from skills_video_runtime.batch.audit import Standing, audit
from skills_video_runtime.errors import ConnectionFailed, InsufficientCredits, JournalUnavailable
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time
from tests.support.batches import lines, paid_twice
from tests.support.scripted import deserted

EACH = 16  # credits that one of these videos takes


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run(sandbox, out):
    def run(given, on_outcome=None, at=sandbox, patience=None, **choices):
        with Client(at.api_key, at.url, poll_interval=0.05) as client:
            if patience is None:
                fast_time(client)
            return Batch(client, out, timeout=patience, **choices).run(given, on_outcome)

    return run


def rows(*numbers):
    return [Row(f"row-{number}", google_veo_3_1.Payload(prompt=f"rain {number}")) for number in numbers]


def twins(count):
    return [Row(f"twin-{number}", google_veo_3_1.Payload(prompt="rain")) for number in range(count)]


def killed(work):
    """Do something in a process that ends at once when `end` is called, as by a kill."""
    child = os.fork()
    if child == 0:
        try:
            work(lambda: os._exit(9))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def after(count, end):
    """Give what is told of each outcome, and calls `end` at one of them."""
    told = []

    def on_outcome(outcome, report):
        told.append((outcome, report))
        if len(told) == count:
            end()

    return on_outcome


def test_rows_that_end_uncertain_one_after_the_other_stop_the_batch(sandbox, run, out):
    sandbox.plan("every 1 drop-before")
    report = run(rows(*range(20)), limit=2)
    assert isinstance(report.stopped, SubmissionUncertain)
    assert report.statuses["UNCERTAIN"] == len(lines(out)) <= 5
    sandbox.clear_faults()
    assert run(rows(*range(20)), limit=2).statuses["COMPLETED"] == 20 - report.statuses["UNCERTAIN"]


def test_a_journal_older_than_the_results_is_refused(sandbox, run, out):
    run(rows(0, 1))
    shutil.copy(out / "journal.db", out / "older.db")
    run(rows(0, 1, 2))
    (out / "older.db").replace(out / "journal.db")
    with pytest.raises(JournalUnavailable, match=r"older than the results: it lacks 'row-2'\. .*journal\.db-wal"):
        run(rows(0, 1, 2, 3))
    assert sandbox.made() == 3


def test_what_was_pruned_is_fetched_and_not_posted_again(sandbox, run, out):
    run(rows(0, 1))
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        sandbox.plan("slow:1000000")
        run(rows(0, 1, 2), patience=4)  # which leaves a record
        assert client.prune() == 2
    sandbox.advance(2_000_000)
    (out / "row-0-0.mp4").unlink()
    assert run(rows(0, 1, 2)).statuses == {"COMPLETED": 3}
    assert (sandbox.made(), paid_twice(sandbox)) == (3, [])
    assert (out / "row-0-0.mp4").stat().st_size > 0


def test_a_journal_that_was_pruned_is_none_that_is_older(sandbox, run, out):
    run(rows(0))
    sandbox.plan("slow:1000000")
    run(rows(0, 1), patience=4)  # which leaves a record
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        assert client.prune() == 1
    sandbox.advance(2_000_000)
    run(rows(0, 1))
    (out / "row-0-0.mp4").unlink()
    run(rows(0, 1))
    assert [line["key"] for line in lines(out)] == ["row-1", "row-0"]
    assert run(rows(0, 1, 2)).statuses == {"COMPLETED": 3}


def test_an_id_that_stands_in_a_line_alone_outlives_a_kill(sandbox, run, out):
    run(rows(0, 1))
    sandbox.plan("slow:1000000")
    run(rows(0, 1, 2), patience=4)  # which leaves a record
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        assert client.prune() == 2
    sandbox.advance(2_000_000)
    for path in out.glob("*.mp4"):
        path.unlink()
    killed(lambda end: run(rows(0, 1, 2), after(2, end), limit=1))
    assert Standing.of(out).statuses == {"COMPLETED": 3}  # two of before the kill, and one that was kept
    assert run(rows(0, 1, 2)).statuses == {"COMPLETED": 3}
    assert (sandbox.made(), len(lines(out)), paid_twice(sandbox)) == (3, 3, [])


def test_what_is_not_over_in_time_counts_in_the_budget(sandbox, run):
    sandbox.plan("every 1 slow:1000000")
    for _ in range(2):
        report = run(rows(*range(6)), patience=1.5, limit=1, max_credits=2 * EACH)
        assert (report.statuses["OPEN"], sandbox.credits_charged) == (2, 2 * EACH)


def test_files_that_were_not_wanted_are_fetched_once_they_are(sandbox, run, out):
    run([row._replace(download=False) for row in rows(0)])
    assert lines(out)[0]["files"] == []
    run(rows(0))
    assert (lines(out)[0]["files"], sandbox.made()) == (["row-0-0.mp4"], 1)


def test_a_row_without_files_is_none_that_others_can_use(run, out):
    run([twins(1)[0]._replace(download=False), *twins(3)[1:]], reuse=True)
    assert {path.name for path in out.glob("*.mp4")} == {"twin-1-0.mp4", "twin-2-0.mp4"}


def test_a_row_whose_files_are_gone_is_none_that_others_can_use(sandbox, run, out):
    run(twins(1))
    (out / "twin-0-0.mp4").unlink()
    given = [twins(1)[0]._replace(download=False), *twins(2)[1:]]
    assert (run(given, reuse=True).statuses, sandbox.made()) == ({"COMPLETED": 2}, 2)


@pytest.mark.skipif(os.name == "nt", reason="not every user of Windows may make links")
def test_a_copy_takes_the_place_of_a_link_and_is_not_written_through_it(run, out, tmp_path):
    run(twins(1))
    (tmp_path / "mine").write_text("mine")
    (out / "twin-1-0.mp4").symlink_to(tmp_path / "mine")
    assert run(twins(2), reuse=True).statuses == {"COMPLETED": 2}
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (out / "twin-1-0.mp4").is_symlink()
    assert (out / "twin-1-0.mp4").read_bytes() == (out / "twin-0-0.mp4").read_bytes()


def test_a_failed_row_is_recorded_before_it_is_tried_again(sandbox, run, out):
    sandbox.plan("failed:VIDEO_GENERATION_FAILED:no")
    killed(lambda end: run(rows(0, 1, 2), after(2, end), limit=1))
    told = [(item.key, item.status, item.error) for item in run(rows(0, 1, 2)).problems]
    assert told == [("row-0", "FAILED", None)]
    report = run(rows(0, 1, 2), retry_failed=True)
    assert (report.statuses, report.credits) == ({"COMPLETED": 3}, sandbox.credits_charged)
    with Client(sandbox.api_key, sandbox.url) as client:
        assert [item.problem for item in audit(client, out).discrepancies] == []


def test_the_standing_tells_the_credits_of_all_that_was_made(sandbox, run, out):
    """Of failed attempts, of rows that were made anew, and of those that others use; also while it runs, and killed."""
    told = []

    def look(_, report):
        told.append((Standing.of(out).credits, report.credits, sandbox.credits_charged))

    def ran(*numbers, **choices):
        report = run([*rows(*numbers), Row("twin", rows(0)[0].payload)], look, limit=1, **choices)
        told.append((Standing.of(out).credits, report.credits, sandbox.credits_charged))
        return report.statuses

    sandbox.plan("", "failed:VIDEO_GENERATION_FAILED:no", "redirect:https://example.org/")
    assert ran(0, 1, 2, reuse=True)["COMPLETED"] == 2
    assert ran(0, 1, 2, retry_failed=True, reuse=True) == {"COMPLETED": 4}
    assert ran(0, 1, 2, fresh=True) == {"COMPLETED": 4}
    killed(lambda end: run(rows(0, 1, 2, 3, 4), after(1, end), limit=1))
    assert ran(0, 1, 2, 3, 4) == {"COMPLETED": 6}
    assert ran(0, 1, 2, 3, 4) == {"COMPLETED": 6}
    assert len({charged for _, _, charged in told}) > 8
    assert [standing for standing, *_ in told] == [report for _, report, _ in told] == [paid for *_, paid in told]


@pytest.mark.parametrize("then", ["the row is gone", "fresh"])
def test_what_was_paid_for_a_row_that_is_open_counts_ever_after(then, sandbox, run, out):
    """Its video cannot be fetched, so that it has no line, and its record is not over."""
    sandbox.plan("download-type:text/html")
    assert run(rows(0, 1)).statuses == {"COMPLETED": 1, "OPEN": 1}
    told = []
    report = run(
        rows(1, 2),
        lambda _, report: told.append(Standing.of(out).credits == report.credits),
        limit=1,
        fresh=then == "fresh",
        max_credits=3 * EACH,
    )
    assert all(told)
    for _ in range(2):
        assert (report.credits, sandbox.credits_charged, sandbox.made()) == (3 * EACH, 3 * EACH, 3)
        assert Standing.of(out).credits == 3 * EACH
        report = run(rows(1, 2), limit=1, max_credits=3 * EACH)
    told.clear()
    report = run(rows(0, 1, 2), lambda _, report: told.append(Standing.of(out).credits == report.credits), limit=1)
    assert all(told)
    assert report.credits == Standing.of(out).credits == sandbox.credits_charged


def checked(sandbox, out):
    with Client(sandbox.api_key, sandbox.url) as client:
        return sorted((item.key, item.problem) for item in audit(client, out).discrepancies)


@pytest.mark.parametrize("fault", ["slow:100000", "slow:100000,failed:NSFW:no", "download-type:text/html"])
def test_what_fresh_gives_up_is_followed_to_its_end(fault, sandbox, run, out):
    """Its row is made anew, also where it was changed, and its price is known from then on."""
    sandbox.plan(fault, fault)
    run(rows(0, 1, 2), patience=4)
    assert checked(sandbox, out) != []
    sandbox.advance(100_000)
    changed = Row("row-0", google_veo_3_1.Payload(prompt="snow"))
    report = run([changed, *rows(1, 2)], fresh=True)
    assert (report.statuses, sandbox.made()) == ({"COMPLETED": 3}, 6)
    assert report.credits == Standing.of(out).credits == sandbox.credits_charged
    assert checked(sandbox, out) == []


def test_what_fresh_gives_up_counts_in_the_budget(sandbox, run, out):
    sandbox.plan("slow:100000")
    run(rows(0, 1), patience=4)
    sandbox.advance(100_000)
    report = run(rows(0, 1), fresh=True, limit=1, max_credits=3 * EACH)
    assert (report.statuses, report.credits, sandbox.made()) == ({"COMPLETED": 1}, 3 * EACH, 3)


def test_what_fresh_gives_up_and_is_not_over_is_looked_at_again(sandbox, run, out):
    sandbox.plan("slow:100000", "slow:100000")
    run(rows(0, 1), patience=4)
    assert run(rows(0, 1), patience=2, fresh=True).statuses == {"COMPLETED": 2}
    begun = "it is begun and not over: run the batch again"
    assert checked(sandbox, out) == [("row-0", begun), ("row-1", begun)]
    sandbox.advance(100_000)
    run(rows(0, 1))
    assert (checked(sandbox, out), sandbox.made()) == ([], 4)


def test_what_fresh_gives_up_holds_up_the_rows_once(sandbox, run):
    """Not each for itself, where none comes to its end."""
    sandbox.plan(*["slow:100000"] * 12)
    run(rows(*range(12)), patience=2)
    began = time.monotonic()
    assert run(rows(*range(12)), patience=3, fresh=True).statuses == {"COMPLETED": 12}
    assert time.monotonic() - began < 24


def test_what_fresh_gives_up_is_left_where_the_platform_does_not_answer(run, out):
    with Sandbox(speed=1000) as gone:
        gone.plan("slow:100000", "slow:100000")
        run(rows(0, 1), at=gone, patience=4)
        key, url = gone.api_key, gone.url
    began = time.monotonic()
    with deserted(urlsplit(url).port), Client(key, url, retry=RetryPolicy(attempts=1)) as client:
        report = Batch(client, out, fresh=True, timeout=20).run(rows(0, 1))
    assert [type(item.error) for item in report.problems] == [ConnectionFailed, ConnectionFailed]
    assert time.monotonic() - began < 15


def test_what_fresh_gives_up_without_an_id_is_settled_by_its_owner(sandbox, run, out):
    sandbox.plan("drop-after,running-hidden:99")
    assert run(rows(0)).statuses == {"UNCERTAIN": 1}
    run(rows(0), fresh=True)
    assert checked(sandbox, out)[0] == ("row-0", "a generation may have been made, and its id is not known")
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        client.settle("row-0", sandbox.generations()[0].id)
    run(rows(0))
    assert (checked(sandbox, out), sandbox.made()) == ([], 2)


def test_tasks_follow_what_fresh_gives_up(sandbox, run, out):
    sandbox.plan("slow:100000")
    run(rows(0), patience=4)
    sandbox.advance(100_000)

    async def anew():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            return await AsyncBatch(client, out, fresh=True).run(rows(0))

    assert anyio.run(anew).credits == sandbox.credits_charged == 2 * EACH
    assert checked(sandbox, out) == []


def test_what_was_made_before_a_fresh_start_counts_in_the_budget(sandbox, run):
    killed(lambda end: run(rows(*range(6)), after(4, end), limit=1))
    made = sandbox.made()
    report = run(rows(*range(6)), fresh=True, limit=1, max_credits=(made + 2) * EACH)
    assert (sandbox.made(), report.credits) == (made + 2, (made + 2) * EACH)


def test_files_that_are_fetched_again_cost_nothing(sandbox, run, out):
    run(rows(0, 1, 2))
    for path in out.glob("*.mp4"):
        path.unlink()
    report = run(rows(0, 1, 2, 3), max_credits=4 * EACH, limit=1)
    assert (report.statuses, report.credits, sandbox.made()) == ({"COMPLETED": 4}, 4 * EACH, 4)
    (out / "results.jsonl").unlink()
    assert run(rows(0, 1, 2, 3)).credits == 4 * EACH


def test_a_line_stays_where_its_files_cannot_be_fetched_again(sandbox, run, out):
    sandbox.plan("result-404:9999")
    run(rows(0, 1), limit=1)
    before = lines(out)
    (out / "row-0-0.mp4").unlink()
    assert run(rows(0, 1)).statuses == {"COMPLETED": 1, "OPEN": 1}
    assert sorted(lines(out), key=str) == sorted(before, key=str)


@pytest.mark.parametrize("address", ["http://[", "http://a:b"])
def test_a_platform_that_is_no_address_is_not_this_one(address, sandbox, run, out):
    run(rows(0))
    state = json.loads((out / "batch.json").read_text("utf-8"))
    (out / "batch.json").write_text(json.dumps({**state, "platform": address}), "utf-8")
    with pytest.raises(JournalUnavailable, match="is of http"):
        run(rows(0, 1))
    assert sandbox.made() == 1


def test_a_directory_is_of_one_platform(sandbox, run, out):
    run(rows(0))
    with Sandbox(speed=1000) as other:
        with pytest.raises(JournalUnavailable, match=f"is of {sandbox.url}.*: name another directory"):
            run(rows(0, 1), at=other)
        assert other.made() == 0


@pytest.mark.parametrize(("first", "then"), [("Clip", "clip"), ("caf\u00e9", "cafe\u0301")])
def test_a_key_that_names_the_same_files_as_one_of_before_is_refused(first, then, sandbox, run):
    payload = google_veo_3_1.Payload(prompt="rain")
    run([Row(first, payload)])
    with pytest.raises(RowsRefused) as refused:
        run([Row(then, payload)])
    assert (len(refused.value.mistakes), sandbox.made()) == (1, 1)


def test_a_twin_of_what_failed_is_made_once(sandbox, run):
    sandbox.plan("failed:VIDEO_GENERATION_FAILED:no")
    report = run(twins(8), reuse=True, limit=4)
    assert (report.statuses, sandbox.made()) == ({"FAILED": 1, "COMPLETED": 7}, 2)


def test_a_file_that_goes_while_its_video_is_made_is_needed_no_more(sandbox, run, tmp_path):
    image = tmp_path / "cat.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    sandbox.plan("slow:1000000")

    def go_on():
        while sandbox.made() == 0:
            threading.Event().wait(0.005)
        image.unlink()
        sandbox.advance(2_000_000)

    thread = threading.Thread(target=go_on)
    thread.start()
    row = Row("cat", kling_v2_6.TextImageToVideo(prompt="a cat", image_url=File(image)))
    report = run([row], patience=60)
    thread.join()
    assert (report.statuses, report.stopped) == ({"COMPLETED": 1}, None)


def test_a_batch_that_stops_waits_for_no_turn(out):
    with Sandbox(speed=1000, credits=1) as sandbox, Client(sandbox.api_key, sandbox.url) as client:
        report = Batch(client, out, limit=4, rate=1).run(rows(*range(5)))
    assert isinstance(report.stopped, InsufficientCredits)


@pytest.mark.parametrize("rate", [True, float("inf"), float("nan"), -1, 0, "60"])
def test_a_rate_is_a_number_above_zero(rate, sandbox, run):
    with pytest.raises(ValueError, match="rate is a number of posts in a minute"):
        run(rows(0), rate=rate)
    assert sandbox.made() == 0


def test_a_file_that_no_batch_has_made_is_not_replaced(sandbox, run, out):
    out.mkdir()
    (out / "Row-1-0.mp4").write_bytes(b"of somebody")
    with pytest.raises(RowsRefused, match=r"'Row-1-0\.mp4' stands in .*, and no journal tells of it"):
        run(rows(0, 1))
    assert (sandbox.made(), sorted(path.name for path in out.iterdir())) == (0, ["Row-1-0.mp4"])


def test_a_batch_whose_journal_and_results_are_gone_is_not_paid_for_again(sandbox, run, out):
    run(rows(0, 1))
    for name in ("journal.db", "results.jsonl", "metadata.jsonl", "batch.json"):
        (out / name).unlink()
    with pytest.raises(RowsRefused, match="take another directory"):
        run(rows(0, 1))
    assert sandbox.made() == 2


def test_a_row_whose_generation_is_known_no_more_can_be_settled(sandbox, run, out):
    sandbox.plan("slow:1000000,result-404:999999")
    assert run(rows(0), patience=4).statuses == {"OPEN": 1}
    assert run(rows(0)).statuses == {"OPEN": 1}
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        client.settle("row-0")
    assert run(rows(0)).statuses == {"COMPLETED": 1}


def test_a_round_is_over_though_a_file_of_it_was_fetched_again(sandbox, run, out):
    run(rows(0, 1))
    run(rows(0, 1), fresh=True, max_credits=3 * EACH, limit=1)
    (out / "row-0~2-0.mp4").unlink()
    run(rows(0, 1))
    run(rows(0, 1), fresh=True)
    assert sandbox.made() == 6
    assert Standing.of(out).credits == 6 * EACH


def test_a_journal_in_which_all_was_settled_is_not_removed(sandbox, run, out):
    sandbox.plan("drop-before", "drop-before")
    run(rows(0, 1), limit=1)
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        for number in (0, 1):
            client.settle(f"row-{number}")
    with pytest.raises(RowsRefused):
        run([*rows(0, 1), Row("a/b", rows(2)[0].payload)])
    assert Standing.of(out).statuses == {"UNCERTAIN": 2}


def test_a_row_that_is_begun_is_followed_though_it_holds_the_api_key(sandbox, run, out):
    sandbox.plan("slow:100000", "slow:100000")
    run(rows(0, 1), patience=4)
    sandbox.advance(100_000)
    with closing(sqlite3.connect(out / "journal.db")) as journal, journal:  # as no release writes one any more
        journal.execute("UPDATE submission SET payload = replace(payload, 'rain 0', ?)", [f"rain {sandbox.api_key}"])
    held = Row("row-0", google_veo_3_1.Payload(prompt=f"rain {sandbox.api_key}"))
    assert run([held, *rows(1)]).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 2
    with pytest.raises(RowsRefused, match="row-2: prompt: holds the API key"):
        run([held, *rows(1), held._replace(key="row-2")])


def test_a_row_that_changes_while_it_waits_for_its_turn_is_left_open(run, sandbox, tmp_path):
    cat = tmp_path / "cat.png"
    cat.write_bytes(b"cat")
    upload = Row("upload", kling_v2_6.MotionControl(image_url=File(cat), video_url="https://example.com/a.mp4"))
    report = run([*rows(0), upload], lambda *_: cat.write_bytes(b"another cat"), rate=20, patience=60)
    assert (report.statuses, sandbox.made()) == ({"COMPLETED": 1, "OPEN": 1}, 1)
    assert "has changed since it was checked" in str(report.problems[0].error)


def test_a_twin_that_is_begun_is_followed_and_not_given_the_files_of_the_other(sandbox, run, out):
    sandbox.plan("", "slow:100000")
    run(twins(2), limit=1, patience=4)
    sandbox.advance(100_000)
    report = run(twins(2), reuse=True)
    assert (report.statuses, report.credits) == ({"COMPLETED": 2}, 2 * EACH)
    assert {line["id"] for line in lines(out)} == {made.id for made in sandbox.generations()}


class Stop(BaseException):
    """What a function for the key raises."""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_ends_all_tasks_is_raised_and_not_what_it_ends_others_with(backend, sandbox, out):
    began, raised = threading.Event(), threading.Event()

    def key():
        if began.is_set():
            raised.set()
            raise Stop
        return sandbox.api_key

    async def on_outcome(*_):
        began.set()
        await anyio.to_thread.run_sync(raised.wait)
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    async def main():
        async with AsyncClient(key, sandbox.url, poll_interval=0.05) as client:
            await AsyncBatch(client, out, rate=60).run(rows(*range(8)), on_outcome)

    with pytest.raises(Stop):
        anyio.run(main, backend=backend)
