"""The records of a journal: whose they are, what is wrong with one, and how their owner settles and reads them."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import Client
from skills_video_runtime.payloads.file import File
from skills_video_runtime.testing import fast_time
from tests.support.callers import Payload, use
from tests.support.scripted import (
    CREATE,
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Drop,
    Hold,
    Scripted,
    answer,
    chunk,
    events,
    frame,
    state,
    stream_head,
)

if TYPE_CHECKING:
    from pathlib import Path

OTHER_KEY = "sk-another-0123456789abcdef"
FIRST_LAYOUT = """
PRAGMA user_version = 1397446145;
CREATE TABLE submission (
    key INTEGER PRIMARY KEY, model TEXT NOT NULL, stream TEXT, "create" TEXT NOT NULL, result TEXT NOT NULL,
    payload TEXT NOT NULL, files INTEGER NOT NULL, id TEXT,
    state TEXT NOT NULL CHECK (state IN ('intended', 'submitted', 'refused', 'finished'))
)
"""


def journal_of_the_first_layout(path: Path, *records: tuple[Any, ...]) -> Path:
    """Write a journal as the first release did; a record is its key, payload, id and state."""
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(FIRST_LAYOUT)
        rows = [
            (key, "acme/one", None, "/generation/acme/one", "/generation/{id}", payload, 0, name, state)
            for key, payload, name, state in records
        ]
        file.executemany("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return path


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as file, file:
        return file.execute("SELECT id, state FROM submission ORDER BY key").fetchall()


def lose(server: Scripted, path: Path, key: str = KEY) -> None:
    """Leave a record without an id."""
    server.replace(CREATE, [Drop]).replace(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use("sync", server.base, lambda client: client.submit(Payload()), api_key=key, journal=path)


@pytest.mark.parametrize("on_lost", ["raise", "resubmit"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("foreign", ["key", "platform"])
def test_what_belongs_elsewhere_is_left_alone_and_told(
    foreign: str, on_lost: str, known: bool, server: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    if known:
        server.on(CREATE, answer(200, state("IN_QUEUE")))
        use("sync", server.base, lambda client: client.submit(Payload()), journal=path)
    else:
        lose(server, path)
    before = rows(path)
    with Scripted() as other:
        other.on(RUNNING, answer(200, [])).on(CREATE, answer(200, state("IN_QUEUE")))
        other.on(RESULT, answer(200, state("COMPLETED")))
        base, key = other.base, KEY
        if foreign == "key":
            base, key = server.base, OTHER_KEY
        server.requests.clear()
        (found,) = use(
            "sync", base, lambda client: client.recover(), api_key=key, journal=path, on_lost_submission=on_lost
        )
        assert isinstance(found.error, errors.RecordUnusable)
        assert "belongs to another key or platform, localhost:" in str(found.error)
        assert (found.input["prompt"], found.error.generation_id) == ("neon rain", "gen_1" if known else None)
        assert other.requests == server.requests == []
    assert rows(path) == before


def test_another_spelling_of_the_address_is_the_same_platform(server: Scripted, tmp_path: Path) -> None:
    lose(server, tmp_path / "journal")
    base = server.base.replace("http://127.0.0.1", "HTTP://localhost") + "/"
    (found,) = use("sync", base, lambda client: client.recover(), journal=tmp_path / "journal")
    assert isinstance(found.error, errors.SubmissionUncertain)


def test_a_journal_of_the_first_layout_is_taken_up(mode: str, server: Scripted, tmp_path: Path) -> None:
    path = journal_of_the_first_layout(
        tmp_path / "journal", (7, '{"prompt": "a"}', "gen_1", "submitted"), (9, '{"prompt": "b"}', "gen_2", "finished")
    )
    server.on(RESULT, answer(200, state("COMPLETED")))
    (found,) = use(mode, server.base, lambda client: client.recover(), journal=path)
    assert (found.generation.id, found.key) == ("gen_1", 7)
    done = use(mode, server.base, lambda client: client.history(), journal=path)
    assert [(item.key, item.id, item.status, item.ended) for item in done] == [
        (7, "gen_1", None, None),
        (9, "gen_2", None, None),
    ]


DEEP = '{"prompt": ' + "[" * 300 + "]" * 300 + "}"
BROKEN = {
    "no JSON": "payload = '{'",
    "an array": "payload = '[]'",
    "no text": "payload = x'ff00'",
    "deep JSON": f"payload = '{DEEP}'",
    "very deep JSON": f"payload = '{'[' * 100_000}'",
    "a long number": f"payload = '{{\"a\": {'9' * 5000}}}'",
    "dots for an id": "id = '..', state = 'submitted'",
    "a number for an id": "id = x'07', state = 'submitted'",
    "text that is none": "id = CAST(x'ff' AS TEXT) || char(7), state = 'submitted'",
    "a blob for a path": "\"create\" = x'2f'",
    "a blob for a model": "model = x'2f'",
    "the API key for an id": f"id = '{KEY}', state = 'submitted'",
    "the API key, escaped, for an id": f"id = '{quote(KEY).replace('s', '%73')}', state = 'submitted'",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_record_that_cannot_be_used_keeps_no_other_from_being_recovered(
    name: str, server: Scripted, tmp_path: Path
) -> None:
    path = journal_of_the_first_layout(
        tmp_path / "journal",
        (1, '{"prompt": "a"}', None, "intended"),
        (2, '{"prompt": "b"}', None, "intended"),
        (3, '{"prompt": "c"}', "gen_1", "submitted"),
    )
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"UPDATE submission SET {BROKEN[name]} WHERE key = 1")
    server.on(RUNNING, answer(200, [])).on(RESULT, answer(200, state("COMPLETED")))
    found = use("sync", server.base, lambda client: client.recover(), journal=path)
    assert [type(item.error) for item in found] == [errors.RecordUnusable, errors.SubmissionUncertain, type(None)]
    assert KEY not in "".join([str(found), str(found[0].error), str(pickle.dumps(found[0].error))])
    with Client(KEY, server.base, journal=path) as client:
        fast_time(client)
        client.settle(1)
        assert [item.key for item in client.recover()] == [2]


def test_the_largest_key_stops_nobody(server: Scripted, tmp_path: Path) -> None:
    path = journal_of_the_first_layout(tmp_path / "journal", (2**63 - 1, "{}", "gen_1", "submitted"))
    server.on(CREATE, answer(200, state("IN_QUEUE", "gen_2")))
    with Client(KEY, server.base, journal=path) as client:
        assert client.submit(Payload()).id == "gen_2"
    assert sorted(rows(path)) == [("gen_1", "submitted"), ("gen_2", "submitted")]


def test_a_record_is_settled_by_its_owner(mode: str, server: Scripted, tmp_path: Path) -> None:
    lose(server, tmp_path / "journal")
    lose(server, tmp_path / "journal")
    server.on(RESULT, answer(200, state("COMPLETED")))
    run = lambda work: use(mode, server.base, work, journal=tmp_path / "journal")  # noqa: E731
    dropped, known = (item.key for item in run(lambda client: client.recover()))
    server.requests.clear()
    run(lambda client: client.settle(dropped))
    run(lambda client: client.settle(known, "gen_1"))
    assert server.requests == []
    (found,) = run(lambda client: client.recover())
    assert (found.key, found.generation.id) == (known, "gen_1")
    assert run(lambda client: client.recover()) == []


def test_a_generation_that_was_settled_is_not_taken_for_another_submission(server: Scripted, tmp_path: Path) -> None:
    lose(server, tmp_path / "journal")
    server.replace(RUNNING, answer(200, [{"id": "gen_1", "status": "IN_QUEUE", "input": Payload().to_dict()}]))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        client.settle(1, "gen_1")
        with pytest.raises(errors.SubmissionUncertain) as caught:
            client.submit(Payload())
    assert caught.value.candidates == ()


def test_a_record_of_another_key_is_settled_too(server: Scripted, tmp_path: Path) -> None:
    lose(server, tmp_path / "journal", OTHER_KEY)
    server.on(RESULT, answer(200, state("COMPLETED")))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        client.settle(1, "gen_1")
        assert [item.generation.id for item in client.recover() if item.generation] == ["gen_1"]


WRONG: dict[str, tuple[tuple[Any, ...], type[Exception], str]] = {
    "a key as bytes": ((b"1",), TypeError, "key"),
    "a number as a key of one's own": (("1",), ValueError, "'1'"),
    "a truth value": ((True,), TypeError, "key"),
    "a key that is not there": ((4,), ValueError, "4"),
    "a key beyond all": ((2**70,), ValueError, "key"),
    "a key of what is over": ((2,), ValueError, "2"),
    "the API key as a key": ((KEY,), ValueError, "API key"),
    "half a surrogate pair": (("\ud800",), ValueError, "printable"),
    "an empty id": ((1, ""), ValueError, "id"),
    "dots": ((1, ".."), ValueError, "id"),
    "a number as id": ((1, 5), ValueError, "id"),
    "the API key": ((1, KEY), ValueError, "API key"),
    "an id of another record": ((1, "gen_3"), ValueError, "gen_3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_settled_is_refused_and_named(mode: str, name: str, server: Scripted, tmp_path: Path) -> None:
    path = journal_of_the_first_layout(
        tmp_path / "journal",
        (1, "{}", None, "intended"),
        (2, "{}", "gen_2", "finished"),
        (3, "{}", "gen_3", "submitted"),
    )
    given, kind, told = WRONG[name]
    with pytest.raises(kind, match=told) as caught:
        use(mode, server.base, lambda client: client.settle(*given), journal=path)
    assert KEY not in str(caught.value)
    assert server.requests == []
    assert rows(path) == [(None, "intended"), ("gen_2", "finished"), ("gen_3", "submitted")]


def test_settling_and_reading_need_a_journal() -> None:
    for work in (Client.history, Client.prune, lambda client: client.settle(1)):
        with Client(KEY) as client, pytest.raises(ValueError, match="needs a journal"):
            work(client)


def test_what_is_over_is_told_and_pruned(mode: str, server: Scripted, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    server.on(CREATE, answer(200, state("IN_QUEUE")), answer(422, {}), answer(200, state("IN_QUEUE", "gen_2")))
    server.on(RESULT, answer(200, state("FAILED")))
    run = lambda work: use(mode, server.base, work, journal=tmp_path / "journal")  # noqa: E731
    with pytest.raises(errors.GenerationFailed):
        run(lambda client: client.generate(Payload(image=File(b"x", name="x.png"))))
    with pytest.raises(errors.ValidationFailed):
        run(lambda client: client.submit(Payload()))
    run(lambda client: client.submit(Payload(prompt="secret words")))
    failed, refused = run(lambda client: client.history())
    assert (failed.key, failed.model, failed.id, failed.status) == (1, "acme/one", "gen_1", "FAILED")
    assert (refused.key, refused.id, refused.status) == (2, None, "REFUSED")
    assert before <= failed.begun <= failed.ended <= refused.ended <= datetime.now(UTC)
    assert run(lambda client: client.prune(3600)) == 0
    assert run(lambda client: client.prune()) == 2
    assert run(lambda client: client.history()) == []
    assert rows(tmp_path / "journal") == [("gen_2", "submitted")]
    for wrong in (-1, "1", True, float("nan"), None):
        with pytest.raises(ValueError, match="older_than"):
            run(lambda client, wrong=wrong: client.prune(wrong))


def test_what_was_pruned_is_gone_from_the_file(server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        client.generate(Payload(prompt="secret words"))
        assert b"secret words" in (tmp_path / "journal").read_bytes()
        assert client.prune() == 1
    assert b"secret words" not in (tmp_path / "journal").read_bytes()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def deleted(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no file that is open")
@pytest.mark.parametrize("change", [moved, deleted, replaced])
def test_a_journal_that_is_no_longer_in_its_place_is_noticed_before_a_post(
    change: Any, server: Scripted, tmp_path: Path
) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE")))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        assert client.recover() == []
        change(tmp_path / "journal")
        with pytest.raises(errors.JournalUnavailable):
            client.submit(Payload())
    assert server.requests == []


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no file that is open")
def test_an_id_for_a_journal_that_is_gone_is_logged(
    server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def create(_: object) -> Any:
        (tmp_path / "journal").unlink()
        return answer(200, state("IN_QUEUE"))

    server.on(CREATE, create)
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        assert client.submit(Payload()).id == "gen_1"
    assert "must be a journal or new. Not in it: record 1 is of generation gen_1" in caplog.text


def test_one_id_told_to_two_posts_is_the_first_ones(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), state("COMPLETED"))).on(CREATE, answer(200, state("IN_QUEUE")))
    server.on(RUNNING, answer(200, [])).on(RESULT, answer(200, state("COMPLETED")))
    assert use(mode, server.base, lambda client: client.generate(Payload())).id == "gen_1"
    for post in (lambda client: client.generate(Payload()), lambda client: client.submit(Payload(prompt="another"))):
        with pytest.raises(errors.SubmissionUncertain, match="gen_1 was told, which another post has made"):
            use(mode, server.base, post, journal=tmp_path / "journal")
    assert rows(tmp_path / "journal") == [(None, "intended")] * 2


def test_what_a_call_follows_is_not_recovered_beside_it(server: Scripted, tmp_path: Path) -> None:
    hold, done = Hold(), chunk(frame(state("COMPLETED")))
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE"))), hold, done, b"0\r\n\r\n"])
    server.on(RESULT, answer(200, state("COMPLETED")))
    given: list[Any] = []
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        thread = threading.Thread(target=lambda: given.append(client.generate(Payload())))
        thread.start()
        hold.reached.wait()
        assert client.recover() == []
        with pytest.raises(ValueError, match="under way"):
            client.settle(1)
        hold.go.set()
        thread.join()
        assert client.recover() == []
        assert [item.id for item in client.history()] == ["gen_1"]
    assert [item.id for item in given] == ["gen_1"]


def test_a_process_that_made_thousands_takes_none_of_them_for_new(server: Scripted) -> None:
    numbers = iter(range(1, 10_000))
    mine = {"id": "gen_1", "status": "IN_PROGRESS", "input": Payload().to_dict()}
    server.on(CREATE, lambda _: answer(200, state("IN_QUEUE", f"gen_{next(numbers)}"))).on(RUNNING, answer(200, [mine]))
    with Client(KEY, server.base) as client:
        fast_time(client)
        for _ in range(2100):
            client.submit(Payload())
        server.requests.clear()
        server.replace(CREATE, [Drop])
        with pytest.raises(errors.SubmissionUncertain) as caught:
            client.submit(Payload())
    assert caught.value.candidates == ("gen_1",)


ECHOES = [KEY, quote(KEY, safe="").replace("-", "%2D"), f"gen_{KEY}", json.dumps(KEY)[1:-1].replace("s", "\\u0073")]


@pytest.mark.parametrize("name", ECHOES)
def test_an_id_that_holds_the_key_is_none(
    mode: str, name: str, server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.on(STREAM, events({"id": name, "status": "IN_QUEUE"})).on(CREATE, answer(200, {"id": name, "status": "x"}))
    server.on(RUNNING, answer(200, [{"id": name, "status": "IN_QUEUE", "input": Payload().to_dict()}]))
    for post in (lambda client: client.generate(Payload()), lambda client: client.submit(Payload())):
        with pytest.raises(errors.SubmissionUncertain) as caught:
            use(mode, server.base, post, journal=tmp_path / "journal")
        assert (caught.value.generation_id, caught.value.candidates) == (None, ())
        shown = f"{caught.value}{pickle.dumps(caught.value)!r}{caplog.text}"
        assert KEY not in shown
        assert name not in shown
    assert rows(tmp_path / "journal") == [(None, "intended")] * 2


def test_what_recover_posts_anew_counts_for_the_budget(mode: str, server: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    for _ in range(3):
        lose(server, path)
    ids = iter(["gen_8", "gen_9"])
    server.replace(CREATE, lambda _: answer(200, state("COMPLETED", next(ids), usage={"total": 20})))
    found = use(
        mode, server.base, lambda client: client.recover(), journal=path, on_lost_submission="resubmit", max_credits=25
    )
    assert [type(item.error or item.generation).__name__ for item in found] == [
        "Generation", "Generation", "BudgetExceeded",
    ]  # fmt: skip
    assert [state for _, state in rows(path)] == ["finished", "finished", "intended"]
