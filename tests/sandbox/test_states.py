"""The life of a generation, told by a clock that only the test moves."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.sandbox_callers import BODY, STREAM, Caller

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_generation_is_queued_then_works_then_is_done(still: Caller) -> None:
    made = still.create().json()["id"]
    told = []
    for seconds in (0, 0.9, 0.2, 19.8, 0.2, 1000):
        still.sandbox.advance(seconds)
        answer = still.http.get(f"/generation/{made}").json()
        assert answer["status"] == still.sandbox.status(made)
        assert (answer["data"] is not None) == (answer["status"] == "COMPLETED")
        told.append(answer["status"])
    assert told == ["IN_QUEUE", "IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED", "COMPLETED"]


def test_a_result_echoes_the_input_and_tells_the_charge(still: Caller) -> None:
    created = still.create().json()
    result = still.http.get(f"/generation/{created['id']}").json()
    assert list(result) == ["id", "status", "input", "data", "usage"]
    assert (result["input"], result["usage"]) == (created["input"], created["usage"])


def test_a_stream_moves_with_the_clock(still: Caller) -> None:
    with still.http.stream("POST", STREAM, json=BODY) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert '"IN_QUEUE"' in next(lines)
        still.sandbox.advance(1)
        assert '"IN_PROGRESS"' in next(lines)
        still.sandbox.advance(20)
        assert '"COMPLETED"' in next(lines)
        assert next(lines, None) is None


def test_a_generation_goes_on_when_its_stream_is_left(still: Caller) -> None:
    with still.http.stream("POST", STREAM, json=BODY) as answer:
        next(answer.iter_lines())
    still.sandbox.advance(21)
    assert still.http.get("/generation/gen_000001").json()["status"] == "COMPLETED"


def test_the_running_list_has_what_is_not_finished_newest_first(still: Caller) -> None:
    first = still.create().json()
    still.sandbox.advance(5)
    second = still.create().json()
    listed = still.http.get("/generations/running").json()
    assert [item["id"] for item in listed] == [second["id"], first["id"]]
    assert listed == [second, {**first, "status": "IN_PROGRESS"}]
    still.sandbox.advance(16)
    assert [item["id"] for item in still.http.get("/generations/running").json()] == [second["id"]]


def test_the_running_list_obeys_its_limit(still: Caller) -> None:
    for _ in range(60):
        still.create()
    lengths = {query: len(still.http.get(f"/generations/running{query}").json()) for query in ("", "?limit=3")}
    assert lengths == {"": 50, "?limit=3": 3}
    assert len(still.http.get("/generations/running?limit=100").json()) == 60


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5"])
def test_a_limit_out_of_range_is_refused(still: Caller, limit: str) -> None:
    assert still.http.get(f"/generations/running?limit={limit}").status_code == 400


def test_another_workspace_is_empty(still: Caller) -> None:
    still.create()
    assert still.http.get("/generations/running?workspace=other").json() == []
    assert len(still.http.get("/generations/running?workspace=default").json()) == 1


@pytest.mark.parametrize(
    ("faults", "status", "more"),
    [
        ("failed", "FAILED", {"code": "VIDEO_GENERATION_FAILED", "message": "The upstream generation failed"}),
        ("failed:CODE:a%2C b", "FAILED", {"code": "CODE", "message": "a, b"}),
        ("canceled", "CANCELED", {}),
        ("canceled:CANCELLED", "CANCELLED", {}),
    ],
)
def test_a_generation_can_end_badly(still: Caller, faults: str, status: str, more: dict[str, str]) -> None:
    made = still.made(faults)
    still.sandbox.advance(21)
    result = still.http.get(f"/generation/{made}").json()
    assert (result["status"], result["data"]) == (status, None)
    assert {key: result[key] for key in ("code", "message") if key in result} == more
    assert still.http.get("/generations/running").json() == []


def test_an_unknown_word_stands_between_the_known_ones(still: Caller) -> None:
    made = still.made("unknown-status:THAWING")
    still.sandbox.advance(1)
    assert still.http.get(f"/generation/{made}").json()["status"] == "THAWING"
    still.sandbox.advance(10)
    assert still.http.get(f"/generation/{made}").json()["status"] == "IN_PROGRESS"


def test_slow_work_takes_as_long_as_was_asked(still: Caller) -> None:
    made = still.made("slow:500")
    still.sandbox.advance(500.9)
    assert still.sandbox.status(made) == "IN_PROGRESS"
    still.sandbox.advance(0.2)
    assert still.sandbox.status(made) == "COMPLETED"


def test_the_older_platform_has_other_words_and_no_echo(still: Caller) -> None:
    created = still.create("older").json()
    assert created == {"id": "gen_000001", "status": "starting", "usage": created["usage"]}
    assert still.http.get("/generations/running").json() == [created]
    still.sandbox.advance(1)
    assert still.http.get("/generation/gen_000001").json()["status"] == "processing"
    still.sandbox.advance(20)
    result = still.http.get("/generation/gen_000001").json()
    assert (result["status"], "input" in result) == ("succeeded", False)
    assert set(still.create("older", body={}).json()) == {"message"}


def test_a_run_can_mix_both_vocabularies(fast: Caller) -> None:
    assert set(fast.create("older:mixed").json()) == {"id", "status", "usage"}
    assert '"IN_QUEUE"' in fast.stream("older:mixed").text


@pytest.mark.parametrize("speed", [-1, float("inf"), float("nan")])
def test_a_clock_runs_forwards_at_a_finite_speed(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be 0 or more"):
        Sandbox(speed=speed)


def test_counts_can_be_read_while_requests_come(call_with: Callable[..., Caller]) -> None:
    caller = call_with(Sandbox(speed=0))
    done = threading.Event()
    wrong: list[str] = []

    def watch() -> None:
        while not done.is_set():
            made, charged = caller.sandbox.made(), caller.sandbox.credits_charged
            if charged < made * 10:
                wrong.append(f"{made} made, {charged} charged")

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        caller.create()
    done.set()
    watcher.join()
    assert wrong == []
    assert caller.sandbox.made() == 20


def test_a_sandbox_ends_with_its_block_though_streams_are_open() -> None:
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        with Sandbox(speed=0) as sandbox:
            http = stack.enter_context(httpx.Client(headers={"Authorization": f"Bearer {sandbox.api_key}"}))
            begun = time.monotonic()
            answer = stack.enter_context(http.stream("POST", sandbox.url + STREAM, json=BODY))
            lines = answer.iter_lines()
            next(lines)
        assert time.monotonic() - begun < 20
        assert threading.active_count() == before
        with pytest.raises(httpx.TransportError):
            list(lines)


def test_a_sandbox_runs_once() -> None:
    sandbox = Sandbox()
    with sandbox:
        pass
    with pytest.raises(RuntimeError, match="make another"):
        sandbox.__enter__()
