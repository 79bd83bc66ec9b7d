"""Batches of a program: what each row comes to, what the directory holds, and what another run does."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from unicodedata import normalize

import anyio
import pytest

from skills_video import AsyncClient, Client, File, SharedBatch, google_veo_3_1, google_veo_3_1_fast, kling_v2_6
from skills_video.catalog import MODELS, read_rows
from skills_video_runtime import BudgetExceeded, SubmissionUncertain
from skills_video_runtime.batch import AsyncBatch, Batch, Row, Rows, RowsRefused
from skills_video_runtime.batch.audit import Standing, audit
from skills_video_runtime.errors import JournalUnavailable, RecordUnusable
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time
from tests.support.batches import lines, lost, paid_twice, row, written

DISTURBED = int(os.environ.get("BATCH_ROWS", "20"))  # rows: 1000 is the full form
IS_FULL = DISTURBED > 20
PRICE = 16  # credits of the sandbox


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


def payload(number):
    return google_veo_3_1.Payload(prompt=f"rain {number}")


def rows(count):
    return [Row(f"row-{number}", payload(number)) for number in range(count)]


@pytest.fixture
def run(sandbox, tmp_path):
    def run(given, **choices):
        with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            if not IS_FULL:  # where the waits of a hundred calls would age each other's generations
                fast_time(client)
            return Batch(client, tmp_path / "out", **choices).run(given)

    return run


def audited(sandbox, tmp_path):
    with Client(sandbox.api_key, sandbox.url) as client:
        return audit(client, tmp_path / "out")


def test_each_row_is_made_once_and_has_its_line_and_its_file(sandbox, run, tmp_path):
    report = run(rows(12), limit=4)
    assert (report.statuses, report.problems, report.stopped) == ({"COMPLETED": 12}, [], None)
    assert report.credits == sandbox.credits_charged
    told = {line["key"]: line for line in lines(tmp_path / "out")}
    assert sorted(told) == sorted(f"row-{number}" for number in range(12))
    line = told["row-3"]
    assert (line["model"], line["status"], line["files"]) == ("google/veo-3.1", "COMPLETED", ["row-3-0.mp4"])
    assert (line["error"], line["input"]) == (None, {"prompt": "rain 3"})
    assert (tmp_path / "out" / "row-3-0.mp4").stat().st_size > 0
    again = run(rows(12))
    assert (again.statuses, sandbox.made()) == ({"COMPLETED": 12}, 12)
    assert lost(sandbox, tmp_path / "out") == []


def test_the_directory_is_a_data_set_of_videos(run, tmp_path):
    run(rows(3))
    text = (tmp_path / "out" / "metadata.jsonl").read_text("utf-8")
    about = {item["key"]: item for item in map(json.loads, text.splitlines())}
    assert about["row-1"]["file_name"] == "row-1-0.mp4"
    assert about["row-1"]["prompt"] == "rain 1"
    assert {tuple(item) for item in about.values()} == {
        ("file_name", "key", "model", "id", "credits", "prompt", "seed", "input")
    }
    hidden = [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    assert hidden == []


def test_tasks_do_the_same(sandbox, tmp_path):
    async def work():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            fast_time(client)
            ended = []
            batch = AsyncBatch(client, tmp_path / "out", limit=4, rate=60_000)
            report = await batch.run(iter(rows(9)), lambda outcome, _: ended.append(outcome.key))
            return report, ended, await batch.run(rows(9))

    report, ended, again = asyncio.run(work())
    assert report.statuses == again.statuses == {"COMPLETED": 9}
    assert sorted(ended) == sorted(item.key for item in rows(9))
    assert sandbox.made() == len(lines(tmp_path / "out")) == 9


def test_a_program_that_goes_elsewhere_meanwhile_keeps_its_directory_and_its_rows(sandbox, tmp_path, monkeypatch):
    (tmp_path / "elsewhere" / "out").mkdir(parents=True)
    written(tmp_path / "jobs.jsonl", [row(0), row(1), {**row(0), "key": "as-row-0"}])
    written(tmp_path / "elsewhere" / "jobs.jsonl", [row(7)])
    monkeypatch.chdir(tmp_path)
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
        fast_time(client)
        batch, given = Batch(client, "out", limit=1, reuse=True), read_rows("jobs.jsonl")
        report = batch.run(given, lambda *_: os.chdir(tmp_path / "elsewhere"))
        assert batch.run(given).statuses == report.statuses == {"COMPLETED": 3}
    assert (sandbox.made(), len(lines(tmp_path / "out"))) == (2, 3)
    assert list((tmp_path / "elsewhere" / "out").iterdir()) == []


def test_tasks_await_what_they_call_with_each_row_and_threads_refuse_it(sandbox, tmp_path):
    ended = []

    async def on_outcome(outcome, report):
        await asyncio.sleep(0)
        ended.append((outcome.key, report.rows))

    def disguised(*told):
        return on_outcome(*told)

    async def work():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            fast_time(client)
            return await AsyncBatch(client, tmp_path / "tasks").run(rows(3), on_outcome)

    assert asyncio.run(work()).statuses == {"COMPLETED": 3}
    assert sorted(ended) == [(f"row-{number}", 3) for number in range(3)]
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
        batch = Batch(client, tmp_path / "out")
        with pytest.raises(TypeError, match="on_outcome is called here, and not awaited"):
            batch.run(rows(3), on_outcome)
        assert (sandbox.made(), (tmp_path / "out").exists()) == (3, False)
        with pytest.raises(RuntimeError, match="cannot await"):
            batch.run(rows(1), disguised)
        assert batch.run(rows(1)).statuses == {"COMPLETED": 1}
    assert sandbox.made() == 4


def test_what_goes_wrong_is_the_end_of_its_row_alone(sandbox, run, tmp_path):
    sandbox.plan("failed:VIDEO_GENERATION_FAILED:no", "redirect:https://example.org/", "429:0", "503-before", "json")
    report = run(rows(8), limit=1)
    assert report.statuses == {"COMPLETED": 6, "FAILED": 1, "REFUSED": 1}
    told = {line["key"]: line for line in lines(tmp_path / "out")}
    assert told["row-0"]["error"]["category"] == "failed"
    assert told["row-1"]["error"]["category"] == "invalid_request"
    assert run(rows(8)).statuses == report.statuses
    assert sandbox.made() == 7
    again = run(rows(8), retry_failed=True)
    assert (again.statuses, sandbox.made()) == ({"COMPLETED": 8}, 9)
    assert again.credits == sandbox.credits_charged
    assert len(lines(tmp_path / "out")) == 8
    assert audited(sandbox, tmp_path).discrepancies == []


def test_a_row_that_failed_may_be_corrected_and_one_that_was_made_may_not(sandbox, run):
    sandbox.plan("failed")
    run(rows(2), limit=1)
    corrected = [Row("row-0", payload(70)), rows(2)[1]]
    assert run(corrected).statuses == {"FAILED": 1, "COMPLETED": 1}
    assert run(corrected, retry_failed=True).statuses == {"COMPLETED": 2}
    with pytest.raises(RowsRefused, match="key row-1: the row is another one") as caught:
        run([corrected[0], Row("row-1", payload(71))])
    assert len(caught.value.mistakes) == 1
    assert sandbox.made() == 3


def test_another_row_under_a_key_that_was_begun_is_refused(sandbox, run):
    sandbox.plan("slow:100000")
    assert run(rows(1), timeout=3).statuses == {"OPEN": 1}
    with pytest.raises(RowsRefused, match="another one"):
        run([Row("row-0", payload(7))])
    sandbox.advance(100_000)
    assert run(rows(1)).statuses == {"COMPLETED": 1}
    assert sandbox.made() == 1


@pytest.mark.parametrize(
    "keys", [("a", "a"), ("a", "A"), ("a/b", "a_b"), ("../a", "b"), ("a~2", "b"), (None, "b"), (7, "b"), ("", "b")]
)
@pytest.mark.parametrize("reuse", [False, True])
def test_keys_of_a_program_are_checked_before_anything_is_sent(keys, reuse, sandbox, run, tmp_path):
    with pytest.raises(RowsRefused, match="key"):
        run([Row(key, payload(0)) for key in keys], reuse=reuse)
    assert sandbox.requests.total() == 0
    assert list(tmp_path.rglob("*")) == []


def test_a_row_of_another_model_under_a_key_that_was_begun_is_refused(sandbox, run):
    sandbox.plan("slow:1000000")
    assert run(rows(1), timeout=2).statuses == {"OPEN": 1}
    other = [Row("row-0", google_veo_3_1_fast.Payload(prompt="rain 0"))]
    with pytest.raises(RowsRefused, match="line 1: key row-0: the row is another one"):
        run(other)
    assert sandbox.made() == 1


def test_files_are_told_apart_by_their_content(sandbox, run, tmp_path):
    pictures = [tmp_path / str(number) / "cat.png" for number in range(2)]
    for number, picture in enumerate(pictures):
        picture.parent.mkdir()
        picture.write_bytes(b"\x89PNG\r\n\x1a\n%d" % number)
    video = "https://example.org/v.mp4"
    given = [
        Row(path.parent.name, kling_v2_6.MotionControl(image_url=File(path), video_url=video)) for path in pictures
    ]
    assert run(given, reuse=True).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 2
    pictures[0].write_bytes(b"\x89PNG\r\n\x1a\n7")
    with pytest.raises(RowsRefused, match="key 0: the row is another one"):
        run(given)


def test_uncertain_rows_are_left_alone_until_they_are_settled(sandbox, run, tmp_path):
    sandbox.plan("drop-after")
    sandbox.arm("running-500:99")
    report = run(rows(2), limit=1)
    [problem] = report.problems
    assert (problem.key, problem.status, type(problem.error)) == ("row-0", "UNCERTAIN", SubmissionUncertain)
    again = run(rows(2), retry_failed=True)
    assert ([item.key for item in again.problems], again.statuses["UNCERTAIN"]) == (["row-0"], 1)
    assert Standing.of(tmp_path / "out").uncertain == ["row-0"]
    assert [item.key for item in audited(sandbox, tmp_path).discrepancies] == ["row-0"]
    with Client(sandbox.api_key, sandbox.url, journal=tmp_path / "out" / "journal.db") as client:
        client.settle("row-0", sandbox.generations()[0].id)
    assert run(rows(2)).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 2
    assert audited(sandbox, tmp_path).discrepancies == []


def test_an_uncertain_row_whose_record_is_dropped_is_made(sandbox, run, tmp_path):
    sandbox.plan("drop-before")
    run(rows(1))
    with Client(sandbox.api_key, sandbox.url, journal=tmp_path / "out" / "journal.db") as client:
        client.settle("row-0")
    assert run(rows(1)).statuses == {"COMPLETED": 1}
    assert sandbox.made() == 1


def test_a_budget_ends_a_batch_and_counts_what_earlier_runs_took(sandbox, run):
    price = 16
    for most, made in ((5 * price, 5), (5 * price, 5), (7 * price, 7)):
        report = run(rows(30), limit=1, max_credits=most)
        assert isinstance(report.stopped, BudgetExceeded)
        assert (sandbox.made(), report.credits) == (made, made * price)
    report = run(rows(30), limit=4, max_credits=12 * price)
    assert 12 <= sandbox.made() < 12 + 4
    assert run(rows(30)).statuses == {"COMPLETED": 30}


def test_what_was_begun_counts_before_more_is_posted(sandbox, run):
    sandbox.plan(*["slow:100000"] * 4)
    run(rows(4), limit=4, timeout=3)
    sandbox.advance(100_000)
    report = run(rows(30), limit=4, max_credits=4 * 16)
    assert (sandbox.made(), report.statuses) == (4, {"COMPLETED": 4})


@pytest.mark.parametrize(("most", "other"), [(5, 2), (2, 5), (3, None), (None, 3)])
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_each_of_two_batches_of_a_client_keeps_its_own_budget(kind, most, other, sandbox, tmp_path):
    budgets = [number and number * PRICE for number in (most, other)]
    options = {"api_key": sandbox.api_key, "base_url": sandbox.url, "poll_interval": 0.05}
    if kind == "threads":
        reports = in_two_threads(options, tmp_path, budgets)
    else:
        reports = asyncio.run(in_two_tasks(options, tmp_path, budgets))
    assert [report.statuses["COMPLETED"] for report in reports] == [number or 9 for number in (most, other)]
    assert [report.credits for report in reports] == [PRICE * (number or 9) for number in (most, other)]
    assert [type(report.stopped) for report in reports] == [
        type(None) if number is None else BudgetExceeded for number in (most, other)
    ]


def in_two_threads(options, place, budgets):
    """Run a whole batch after the first row of another one."""
    reports = [None, None]
    with Client(**options) as client:
        fast_time(client)

        def second(*_):
            if reports[1] is None:
                reports[1] = Batch(client, place / "second", limit=1, max_credits=budgets[1]).run(rows(9))

        reports[0] = Batch(client, place / "first", limit=1, max_credits=budgets[0]).run(rows(9), second)
    return reports


async def in_two_tasks(options, place, budgets):
    async with AsyncClient(**options) as client:
        fast_time(client)
        batches = [AsyncBatch(client, place / str(most), limit=1, max_credits=most) for most in budgets]
        return await asyncio.gather(*[batch.run(rows(9)) for batch in batches])


def test_without_credits_no_more_is_posted(run, tmp_path):
    with Sandbox(speed=1000, credits=40) as poor, Client(poor.api_key, poor.url, poll_interval=0.05) as client:
        fast_time(client)
        report = Batch(client, tmp_path / "poor", limit=1).run(rows(9))
    assert (report.statuses, type(report.stopped).__name__) == ({"COMPLETED": 2}, "InsufficientCredits")
    assert poor.requests["POST /api/v1/generation/sse/google/veo-3.1"] == 3


def test_a_platform_in_trouble_ends_a_batch_and_the_next_run_goes_on(sandbox, run):
    sandbox.plan("", *["503-before"] * 30)
    report = run(rows(20), limit=1)
    assert report.stopped is not None
    assert report.statuses["COMPLETED"] == 1
    sandbox.clear_faults()
    assert run(rows(20)).statuses == {"COMPLETED": 20}
    assert sandbox.made() == 20


def test_fresh_makes_all_anew_and_keeps_what_was_made(sandbox, run, tmp_path):
    run(rows(3))
    assert run(rows(3), fresh=True).statuses == {"COMPLETED": 3}
    assert sandbox.made() == 6
    names = {path.name for path in (tmp_path / "out").glob("row-0*")}
    assert names == {"row-0-0.mp4", "row-0~2-0.mp4"}
    assert run(rows(3)).statuses == {"COMPLETED": 3}
    assert sandbox.made() == 6
    found = audited(sandbox, tmp_path)
    assert (found.generations, found.discrepancies, found.charged) == (6, [], sandbox.credits_charged)


def test_fresh_goes_on_with_what_it_has_begun(sandbox, run):
    run(rows(4))
    run(rows(4), fresh=True, limit=1, max_credits=6 * 16)
    assert sandbox.made() == 6
    assert run(rows(4), fresh=True).statuses == {"COMPLETED": 4}
    assert sandbox.made() == 8
    run(rows(4), fresh=True)
    assert sandbox.made() == 12


def test_the_same_payload_is_made_once_where_that_is_asked_for(sandbox, run, tmp_path):
    twins = [Row("a", payload(1)), Row("b", payload(1)), Row("c", payload(2))]
    assert run(twins, reuse=True).statuses == {"COMPLETED": 3}
    assert sandbox.made() == 2
    assert (tmp_path / "out" / "a-0.mp4").read_bytes() == (tmp_path / "out" / "b-0.mp4").read_bytes()
    assert audited(sandbox, tmp_path).discrepancies == []
    run([*twins, Row("d", payload(1))])
    assert sandbox.made() == 3


def test_a_file_that_is_gone_or_empty_is_fetched_again(sandbox, run, tmp_path):
    run(rows(3))
    (tmp_path / "out" / "row-0-0.mp4").unlink()
    (tmp_path / "out" / "row-1-0.mp4").write_bytes(b"")
    assert run(rows(3)).statuses == {"COMPLETED": 3}
    assert all((tmp_path / "out" / f"row-{number}-0.mp4").stat().st_size for number in range(3))
    assert sandbox.made() == 3


def test_a_file_that_no_system_can_have_is_fetched_again(sandbox, run, tmp_path):
    run(rows(1))
    path = tmp_path / "out" / "results.jsonl"
    path.write_text(path.read_text("utf-8").replace("row-0-0.mp4", "row-0\\u0000.mp4"), "utf-8")
    assert run(rows(1)).statuses == {"COMPLETED": 1}
    assert [line["files"] for line in lines(tmp_path / "out")] == [["row-0-0.mp4"]]
    assert sandbox.made() == 1


def test_files_are_not_fetched_where_none_are_wanted(run, tmp_path):
    run([Row("a", payload(1), download=False)])
    assert [line["files"] for line in lines(tmp_path / "out")] == [[]]
    assert list((tmp_path / "out").glob("*.mp4")) == []


def test_a_download_that_fails_is_done_by_the_next_run(sandbox, run):
    sandbox.plan("download-type:text/html")
    report = run(rows(1))
    assert [(item.status, item.id is not None) for item in report.problems] == [("OPEN", True)]
    sandbox.plan("")
    assert sandbox.made() == 1


@pytest.mark.parametrize("torn", [b'{"key": "row-1", "stat', b"\0" * 50, b"[]\n", b'{"key": 3}\n'])
def test_a_torn_line_is_no_line(torn, sandbox, run, tmp_path):
    run(rows(2))
    path = tmp_path / "out" / "results.jsonl"
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first + torn)
    assert run(rows(2)).statuses == {"COMPLETED": 2}
    assert sorted(line["key"] for line in lines(tmp_path / "out")) == ["row-0", "row-1"]
    assert sandbox.made() == 2


def test_lost_results_are_written_again_and_a_lost_journal_is_told(sandbox, run, tmp_path):
    run(rows(2))
    (tmp_path / "out" / "results.jsonl").unlink()
    assert run(rows(2)).statuses == {"COMPLETED": 2}
    (tmp_path / "out" / "journal.db").unlink()
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="empty or gone"):
            run(rows(3))
        (tmp_path / "out" / "results.jsonl").unlink(missing_ok=True)
    assert sandbox.made() == 2


@pytest.mark.parametrize("state", ['{"round": "x"}', '{"round": 0}', '{"round": 1, "rows": null}'])
def test_a_state_that_no_batch_has_written_is_told_and_nothing_is_sent(state, sandbox, run, tmp_path):
    run(rows(1))
    (tmp_path / "out" / "batch.json").write_text(state, "utf-8")
    with pytest.raises(JournalUnavailable, match=r"batch\.json"):
        run(rows(2))
    (tmp_path / "out" / "batch.json").unlink()
    assert run(rows(2)).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 2


def test_an_id_that_only_the_results_have_is_told_to_the_journal(sandbox, run, tmp_path):
    run(rows(2))
    with closing(sqlite3.connect(tmp_path / "out" / "journal.db")) as journal, journal:  # as a full disk leaves it
        journal.execute("UPDATE submission SET id = NULL, state = 'intended'")
        journal.execute("DELETE FROM cost")
    again = run(rows(2))
    assert (again.statuses, again.credits) == ({"COMPLETED": 2}, sandbox.credits_charged)
    assert audited(sandbox, tmp_path).discrepancies == []
    assert sandbox.made() == 2


@pytest.mark.parametrize("given", [[("k", payload(1))], [Row("k", {"prompt": "x"})], [payload(1)], "jobs.jsonl"])
def test_what_is_no_row_is_told_what_one_is(given, sandbox, run):
    with pytest.raises(TypeError, match=r"a row is Row\(key, payload\)"):
        run(given)
    assert sandbox.requests.total() == 0


def test_a_batch_takes_a_client_of_its_kind(sandbox, tmp_path):
    with Client(sandbox.api_key, sandbox.url) as client, pytest.raises(TypeError, match="AsyncBatch an AsyncClient"):
        AsyncBatch(client, tmp_path)
    for batch in (Batch, partial(SharedBatch, database="postgresql://nowhere")):
        with pytest.raises(TypeError, match="take a Client"):
            batch(client=AsyncClient(sandbox.api_key, sandbox.url), directory=tmp_path)


class Growing:
    """Rows that are others from the second time on."""

    def __init__(self, first, then):
        self.first, self.then, self.times = first, then, 0

    def __iter__(self):
        self.times += 1
        yield from self.first if self.times == 1 else self.then


def test_a_row_that_comes_a_second_time_is_a_problem_of_its_own(sandbox, run):
    report = run(Growing(rows(3), rows(2) + rows(3)), limit=1)
    assert (report.statuses, report.stopped, sandbox.made()) == ({"COMPLETED": 3}, None, 3)
    assert [item.key for item in report.problems] == ["row-0", "row-1"]
    assert "'row-0' came a second time" in str(report.problems[0].error)


CHANGES = ["list", "file", "gone", "written anew", "begun", "duplicate"]


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("kind", CHANGES)
def test_a_row_that_changes_after_it_was_checked_is_left_open(kind, reuse, sandbox, run, tmp_path):
    cat = tmp_path / "cat.png"
    cat.write_bytes(b"cat")
    jobs = written(tmp_path / "jobs.jsonl", [row(number) for number in range(3)])
    first = read_rows(jobs)
    if kind in {"list", "begun", "duplicate"}:
        then = rows(3)
        then[1] = Row("row-1", payload(7))
        if kind == "duplicate":
            then.append(Row("row-1", payload(1)))
        given = Growing(rows(3), then)
    if kind == "begun":
        sandbox.plan(*["slow:100000"] * 3)
        run(rows(3), timeout=2)
        sandbox.advance(100_000)
    if kind in {"file", "gone"}:
        given = [*rows(1), Row("row-1", kling_v2_6.MotionControl(image_url=File(cat), video_url=File(cat))), rows(3)[2]]
        given = Changing(given, partial(cat.write_bytes, b"dog") if kind == "file" else cat.unlink)
    if kind == "written anew":
        given = Changing(first, partial(written, jobs, [row(0), row(1, prompt="snow"), row(2)]))
    report = run(given, limit=1, reuse=reuse)
    assert report.statuses == {"COMPLETED": 2, "OPEN": 1}
    assert {item.key for item in report.problems} == {"row-1"}
    assert "has changed since it was checked" in str(report.problems[0].error)
    assert sandbox.made() == 2 + (kind == "begun")
    assert {line["key"] for line in lines(tmp_path / "out")} == {"row-0", "row-2"}


class Changing:
    """Rows before which something happens from the second time on."""

    def __init__(self, rows, change):
        self.rows, self.change, self.times = rows, change, 0

    def __iter__(self):
        self.times += 1
        if self.times == 2:
            self.change()
        yield from self.rows


def test_a_journal_that_is_none_is_not_said_to_be_of_another_run(sandbox, run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "journal.db").write_bytes(b"no journal" * 500)
    (tmp_path / "out" / ".run.json").write_text('{"process": 1, "machine": "gone"}', "utf-8")  # of a killed run
    with pytest.raises(JournalUnavailable) as caught:
        run(rows(1))
    assert "not a database" in str(caught.value)
    assert not re.search("runs it|has it", str(caught.value))


def test_what_is_of_another_key_is_a_problem_of_its_row_alone(sandbox, run, tmp_path):
    sandbox.plan("slow:100000")
    run(rows(1), timeout=3)
    with closing(sqlite3.connect(tmp_path / "out" / "journal.db")) as journal:
        journal.execute("UPDATE origin SET owner = 'another'")
        journal.commit()
    told = []
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
        report = Batch(client, tmp_path / "out").run(rows(3), lambda outcome, _: told.append(outcome.key))
    assert (report.statuses, sorted(told)) == ({"COMPLETED": 2, "OPEN": 1}, ["row-0", "row-1", "row-2"])
    assert [(item.key, type(item.error)) for item in report.problems] == [("row-0", RecordUnusable)]
    assert run(rows(3)[1:]).statuses == {"COMPLETED": 2}
    assert sandbox.made() == 3


@pytest.mark.parametrize("place", [0, 2])
def test_a_note_among_the_lines_of_results_stays_what_it_is(place, sandbox, run, tmp_path):
    run(rows(2))
    path = tmp_path / "out" / "results.jsonl"
    told = path.read_text("utf-8").splitlines(keepends=True)
    told.insert(place, '{"key": "note", "status": "seen"}\n')
    path.write_text("".join(told), "utf-8")
    assert run(rows(2)).statuses == Standing.of(tmp_path / "out").statuses == {"COMPLETED": 2}
    assert sorted(line["key"] for line in lines(tmp_path / "out")) == ["note", "row-0", "row-1"]
    assert [item.name for item in (tmp_path / "out").glob("results*")] == ["results.jsonl"]
    assert audited(sandbox, tmp_path).discrepancies == []
    assert sandbox.made() == 2


@pytest.mark.parametrize("broken", [{"fingerprint": None}, {"attempt": "1"}, {"credits": "16"}, {"status": None}])
def test_a_line_of_results_that_no_batch_writes_is_told(broken, sandbox, run, tmp_path):
    run(rows(2))
    written(tmp_path / "out" / "results.jsonl", [{**line, **broken} for line in lines(tmp_path / "out")])
    standing, checked = partial(Standing.of, tmp_path / "out"), partial(audited, sandbox, tmp_path)
    for look in (partial(run, rows(2)), standing, checked):
        with pytest.raises(
            JournalUnavailable, match=r"results\.jsonl: the line of 'row-\d' is not as a batch writes it"
        ):
            look()
    (tmp_path / "out" / "results.jsonl").unlink()
    assert (run(rows(2)).statuses, sandbox.made()) == ({"COMPLETED": 2}, 2)


def test_a_second_run_is_told_who_runs_the_batch(sandbox, tmp_path):
    sandbox.plan("slow:100000")
    with (
        Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client,
        Client(sandbox.api_key, sandbox.url) as other,
    ):
        first = threading.Thread(target=Batch(client, tmp_path / "out").run, args=[rows(1)])
        first.start()
        while not sandbox.made():
            threading.Event().wait(0.01)
        program = "import sys, skills_video\nfrom skills_video_runtime.batch import Batch\nBatch(skills_video.Client("
        program += f"{sandbox.api_key!r}, {sandbox.url!r}), sys.argv[1]).run([])"
        told = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "out"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "JournalUnavailable" in told.stderr
        assert f"process {os.getpid()} on " in told.stderr
        assert Standing.of(tmp_path / "out").run_by is not None
        sandbox.advance(100_000)
        first.join()
        other.credits()
    assert sandbox.made() == 1


@pytest.mark.parametrize("kind", ["threads", "asyncio", "asyncio task", "trio"])
def test_what_a_program_has_posted_gets_its_id_before_it_leaves(kind, sandbox, run, tmp_path):
    sandbox.plan(*["delay-after:0.3", "delay:0.3", ""] * 20)
    sandbox.arm("running-500:99")  # so that nothing is found that has no id
    out, due = tmp_path / "out", [0]

    def wait():
        while sandbox.made() < due[0]:
            threading.Event().wait(0.002)

    def interrupted(*_):
        if sandbox.made() >= due[0]:
            raise KeyboardInterrupt

    async def batch():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            await AsyncBatch(client, out, limit=8).run(rows(60))

    async def in_scope():
        async with anyio.create_task_group() as group:
            group.start_soon(batch)
            await anyio.to_thread.run_sync(wait)
            group.cancel_scope.cancel()

    async def in_task():
        task = asyncio.create_task(batch())
        await asyncio.to_thread(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for number in (1, 9, 14, 22, 27):
        due[0] = number
        if kind == "threads":
            with pytest.raises(KeyboardInterrupt), Client(sandbox.api_key, sandbox.url) as client:
                Batch(client, out, limit=8).run(rows(60), interrupted)
        elif kind == "asyncio task":
            asyncio.run(in_task())
        else:
            anyio.run(in_scope, backend=kind)
    assert 27 <= sandbox.made() < 60
    assert run(rows(60)).statuses == {"COMPLETED": 60}
    assert sandbox.made() == 60


@pytest.mark.parametrize("instead", ["nothing", "another directory", "a copy"])
def test_a_directory_that_is_moved_ends_a_batch_and_no_id_is_lost(instead, sandbox, tmp_path):
    out, moved = tmp_path / "out", tmp_path / "moved"
    left = []

    def move(*_):
        if moved.exists():
            return
        out.rename(moved)
        if instead == "another directory":
            out.mkdir()
        if instead == "a copy":
            shutil.copytree(moved, out, ignore=shutil.ignore_patterns(".*"))  # which go at any time
        left.extend(files(out))

    def work(place, on_outcome=None):
        with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            fast_time(client)
            return Batch(client, place, limit=4).run(rows(20), on_outcome)

    def files(place):
        return sorted((path.name, path.read_bytes()) for path in place.glob("[!.]*") if path.suffix != ".mp4")

    report = work(out, move)
    assert "moved, deleted or replaced" in str(report.stopped)
    made = sandbox.made()
    assert made < 20
    assert out.exists() == (instead != "nothing")
    assert files(out) == left
    assert {problem.id for problem in report.problems} <= {item.id for item in sandbox.generations()}
    sandbox.arm("running-500:99")  # so that nothing is found that has no id
    assert work(moved).statuses == {"COMPLETED": 20}
    assert sandbox.made() == 20
    assert lost(sandbox, moved) == []


def test_a_directory_that_is_deleted_ends_a_batch_and_its_ids_are_told(sandbox, tmp_path):
    def delete(*_):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)

    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
        fast_time(client)
        report = Batch(client, tmp_path / "out", limit=4).run(rows(20), delete)
    assert "moved, deleted or replaced" in str(report.stopped)
    assert not (tmp_path / "out").exists()
    told = {problem.id for problem in report.problems}
    assert len(told) == sandbox.made() - report.statuses["COMPLETED"]


@pytest.mark.parametrize("kind", ["empty", "full", "link"])
def test_a_directory_in_the_place_of_a_video_is_a_problem_of_its_row_alone(kind, sandbox, run, tmp_path):
    run(rows(1))
    for number in (1, 2, 3, 4):
        place = tmp_path / "out" / f"row-{number}-0.mp4"
        place.mkdir()
        if kind != "empty":
            (place / "cat.png").write_bytes(b"cat")
        if kind == "link":
            place.rename(tmp_path / "elsewhere")
            place.symlink_to(tmp_path / "elsewhere")
            break
    report = run(rows(9))
    bad = {"empty": 4, "full": 4, "link": 0}[kind]  # a link is replaced, as a file is
    assert (report.statuses["COMPLETED"], report.statuses["OPEN"], report.stopped) == (9 - bad, bad, None)
    assert sorted(item.key for item in report.problems) == [f"row-{number}" for number in range(1, bad + 1)]
    assert all(item.id and str(item.error).endswith(f"{item.key}-0.mp4'") for item in report.problems)
    for path in (tmp_path / "out").glob("*.mp4"):
        if path.is_dir():
            path.rename(tmp_path / path.name)
    assert run(rows(9)).statuses == {"COMPLETED": 9}
    assert sandbox.made() == 9


@pytest.mark.parametrize("name", ["results.jsonl", "metadata.jsonl", "batch.json", "journal.db"])
def test_a_directory_in_the_place_of_a_file_of_a_batch_is_told_and_nothing_is_sent(name, sandbox, run, tmp_path):
    (tmp_path / "out" / name).mkdir(parents=True)
    with pytest.raises((OSError, JournalUnavailable), match=name.replace(".", r"\.")):
        run(rows(2))
    assert sandbox.requests.total() == 0
    (tmp_path / "out" / name).rmdir()
    assert run(rows(2)).statuses == {"COMPLETED": 2}


@pytest.mark.parametrize("kind", ["one client", "two clients", "another name", "tasks"])
def test_a_second_run_in_the_same_process_is_refused_and_the_first_goes_on(kind, sandbox, tmp_path):
    out, other = tmp_path / "out", tmp_path / "out"
    if kind == "another name":
        other = tmp_path / "link"
        other.symlink_to(out)
    options = {"api_key": sandbox.api_key, "base_url": sandbox.url, "poll_interval": 0.05}
    with Client(**options) as client, Client(**options) as another:
        second = client
        if kind == "two clients":
            second = another
        if kind == "tasks":
            report, refused = asyncio.run(two_tasks(options, out))
        else:
            refused = []

            def again(*_):
                for given in (Batch(second, other, max_credits=1), Batch(second, other, retry_failed=True)):
                    with pytest.raises(JournalUnavailable) as caught:
                        given.run(rows(3))
                    refused.append(str(caught.value))
                with pytest.raises(JournalUnavailable):
                    audit(second, other)

            report = Batch(client, out, limit=2).run(rows(9), again)
        assert report.statuses == {"COMPLETED": 9}
        assert refused
        assert all(f"process {os.getpid()} on " in text for text in refused)
        assert Batch(client, out, max_credits=10_000).run(rows(10)).statuses == {"COMPLETED": 10}
    assert (sandbox.made(), audited(sandbox, tmp_path).discrepancies) == (10, [])


async def two_tasks(options, out):
    begun = asyncio.Event()

    def note(*_):
        begun.set()

    async with AsyncClient(**options) as client:
        first = asyncio.create_task(AsyncBatch(client, out, limit=2).run(rows(9), note))
        await begun.wait()
        with pytest.raises(JournalUnavailable) as caught:
            await AsyncBatch(client, out).run(rows(9))
        return await first, [str(caught.value)]


def test_wrong_rows_leave_nothing_behind(sandbox, run, tmp_path):
    file = written(tmp_path / "jobs.jsonl", [row(0), row(1, duration=7), row(0)])
    with pytest.raises(RowsRefused) as caught:
        run(Rows(file, MODELS, "skills_video"))
    assert [mistake.line for mistake in caught.value.mistakes] == [2, 3]
    assert not (tmp_path / "out").exists()
    assert sandbox.requests.total() == 0


ALIKE = [
    ("a/b", "a_b"), ("a:b", "a_b"), ("a\\b", "b"), ("../b", "b"), ("*a", "_a"), ("A", "a"), ("stra\u00dfe", "STRASSE"),
    ("e\u0301", "\u00e9"), ("\u212a", "k"), ("a\u00a0b", "a b"), ("a\u200db", "ab"), ("a  b", "a b"), (".a", "a"),
    ("con.a", "_con.a"), ("a~2", "a"), ("x" * 101, "x" * 100), ("a.mp4", "a.MP4"), ("a<API key>", "a_key_"),
    ("<API key in base64>", "_key_"),
]  # fmt: skip
UNLIKE = ["a", "a.", "a ", "a.mp4", "a-0", "a-0-0", "a~b", "con", "_con", "a_", "\u00e9", "e", "x" * 100, "x" * 99]


def test_two_rows_whose_files_could_have_one_name_are_refused(sandbox, run, tmp_path):
    encoded = base64.b64encode(sandbox.api_key.encode()).decode()
    for keys in ALIKE:
        for one, other in (keys, keys[::-1]):
            told = [
                key.replace("<API key>", sandbox.api_key).replace("<API key in base64>", encoded)
                for key in (one, other)
            ]
            with pytest.raises(RowsRefused) as caught:
                run([Row(key, payload(number)) for number, key in enumerate(told)])
            assert sandbox.api_key not in str(caught.value)
            assert encoded not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert sandbox.requests.total() == 0


def test_keys_that_look_alike_name_files_of_their_own(sandbox, run, tmp_path):
    given = [Row(key, payload(number)) for number, key in enumerate(UNLIKE)]
    assert run(given).statuses == {"COMPLETED": len(UNLIKE)}
    assert run(given, fresh=True).statuses == {"COMPLETED": len(UNLIKE)}
    names = [normalize("NFC", path.name.casefold()) for path in (tmp_path / "out").glob("*.mp4")]
    assert (len(names), len(set(names))) == (2 * len(UNLIKE), 2 * len(UNLIKE))
    told = {name: line["key"] for line in lines(tmp_path / "out") for name in line["files"]}
    assert sorted(told.values()) == sorted(UNLIKE)


@pytest.mark.parametrize("choices", [{"limit": 0}, {"limit": 100}, {"rate": 0}, {"max_credits": -1}, {"timeout": 0}])
def test_choices_outside_their_range_are_refused(choices, sandbox, run, tmp_path):
    with pytest.raises(ValueError, match=f"{next(iter(choices))} "):
        run(rows(1), **choices)
    assert not (tmp_path / "out").exists()


def test_a_rate_is_kept(sandbox, tmp_path):
    began = time.monotonic()
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
        Batch(client, tmp_path / "out", limit=8, rate=600).run(rows(6))
    assert time.monotonic() - began >= 0.5


def test_an_audit_tells_what_does_not_add_up(sandbox, run, tmp_path):
    run(rows(4))
    path = tmp_path / "out" / "results.jsonl"
    told = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    told[0]["credits"] = 3
    told[1]["id"] = "gen_999999"
    told[2]["id"] = told[3]["id"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in told), "utf-8")
    problems = {(item.key, item.problem.partition(",")[0]) for item in audited(sandbox, tmp_path).discrepancies}
    assert (told[0]["key"], "it took 16 credits") in problems
    assert (told[1]["key"], "the journal knows nothing of it") in problems
    assert (told[1]["key"], "the platform knows no such generation") in problems
    assert (told[2]["key"], "it is over") in problems
    assert any(problem.startswith("it is that of row") for _, problem in problems)


def test_an_audit_tells_of_files_whose_row_is_in_the_results_no_more(sandbox, run, tmp_path):
    run([Row("a", payload(1)), Row("b", payload(1))], reuse=True)
    path = tmp_path / "out" / "results.jsonl"
    told = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    [twin] = [line for line in told if "reused" in line]
    path.write_text(f"{json.dumps({**twin, 'id': 'gen_999999'})}\n", "utf-8")
    problems = [(item.key, item.problem) for item in audited(sandbox, tmp_path).discrepancies]
    assert (twin["key"], "the platform knows no such generation") in problems


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "cut:10", "500-after,slow:5000"])
def test_every_tenth_answer_lost(fault, sandbox, run, tmp_path):
    sandbox.plan(f"every 10 {fault}")
    run(rows(DISTURBED), limit=8, timeout=60)
    sandbox.clear_faults()
    report = run(rows(DISTURBED), limit=8)
    uncertain = [line for line in lines(tmp_path / "out") if line["status"] == "UNCERTAIN"]
    assert report.statuses["COMPLETED"] + len(uncertain) == DISTURBED
    assert len(uncertain) <= DISTURBED // 10
    assert paid_twice(sandbox) == []
    assert len(lost(sandbox, tmp_path / "out")) <= len(uncertain)


EVERY = ["429:0", "503-before", "no-stream", "json", "older", "drop-after-id", "end-early", "pieces:7"]


@pytest.mark.parametrize("fault", [*EVERY, "framing:crlf+comments+garbage", "unknown-status", "download-cut:100"])
def test_every_tenth_answer_disturbed(fault, sandbox, run, tmp_path):
    sandbox.plan(f"every 10 {fault}")
    assert run(rows(DISTURBED), limit=8).statuses == {"COMPLETED": DISTURBED}
    assert (sandbox.made(), paid_twice(sandbox), lost(sandbox, tmp_path / "out")) == (DISTURBED, [], [])


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_stops_new_posts_and_loses_no_id(sandbox, small_disk):
    out = small_disk / "out"

    def work(**choices):
        with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            fast_time(client)
            return Batch(client, out, **choices).run(rows(400))

    filler = small_disk / "filler"
    filler.write_bytes(b"\0" * 500_000)
    report = work(limit=4)
    assert report.stopped is not None
    assert sandbox.made() < 400
    made = sandbox.made()
    filler.unlink()
    ids = {line["id"] for line in lines(out)}
    with Client(sandbox.api_key, sandbox.url, journal=out / "journal.db") as client:
        ids |= {record.id for record in client.history()}
        ids |= {entry.generation.id for entry in client.recover() if entry.generation is not None}
    assert {item.id for item in sandbox.generations()} <= ids
    assert sandbox.made() == made
