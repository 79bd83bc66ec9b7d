"""What is believed of answers, hooks and headers, and what is recorded of how a call ended."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import Client
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.http.events import seconds_of
from skills_video_runtime.testing import IOProxy, fast_time, replace_io
from tests.support.callers import Payload, use
from tests.support.scripted import (
    CREATE,
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Drop,
    Request,
    Scripted,
    answer,
    chunk,
    events,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path


def generate(client: Any) -> Any:
    return client.generate(Payload())


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as file, file:
        return file.execute("SELECT id, state FROM submission").fetchall()


def ours(name: str) -> dict[str, Any]:
    return {"id": name, "status": "IN_QUEUE", "input": Payload().to_dict()}


@pytest.mark.parametrize("word", ["error", "failed", "COMPLETED"])
def test_an_error_does_not_tell_that_a_generation_is_over(mode: str, word: str, server: Scripted) -> None:
    server.on(STREAM, answer(500, {"id": "req_8", "status": word})).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert caught.value.generation_id == "req_8"
    assert (server.count(STREAM), server.count(RUNNING)) == (1, 2)


def test_a_failure_of_nothing_named_is_in_doubt(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(200, {"status": "failed"})).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)
    assert server.count(STREAM) == 1


def test_an_id_that_was_told_goes_before_an_equal_generation_of_the_list(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(500, {"id": "gen_5", "status": "odd"})).on(RUNNING, answer(200, [ours("gen_4")]))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert caught.value.generation_id == "gen_5"
    assert set(caught.value.candidates) == {"gen_4", "gen_5"}


def test_the_only_candidate_of_a_list_is_not_told_as_the_id(mode: str, server: Scripted) -> None:
    theirs = {"id": "gen_9", "status": "IN_QUEUE", "input": {"prompt": "another"}}
    server.on(STREAM, answer(500, {})).on(RUNNING, answer(200, [theirs]))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert (caught.value.candidates, caught.value.generation_id) == (("gen_9",), None)
    assert server.count(STREAM) == 1


def test_a_hook_that_takes_the_trace_away_takes_no_safety_away(server: Scripted) -> None:
    def untraced(request: httpx.Request) -> None:
        request.extensions.pop("trace")

    server.on(STREAM, [Drop]).on(RUNNING, answer(200, []))
    with (
        httpx.Client(event_hooks={"request": [untraced]}) as mine,
        Client(KEY, server.base, http_client=mine) as client,
    ):
        fast_time(client)
        with pytest.raises(errors.SubmissionUncertain):
            client.generate(Payload())
    assert server.count(STREAM) == 1


def test_no_look_may_be_answered_from_a_cache(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Drop]).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)
    looks = [request for request in server.requests if request.method == "GET"]
    assert [request.headers.get("cache-control") for request in looks] == ["no-cache"] * 2


def test_a_refusal_that_names_an_id_keeps_it(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, answer(409, {"id": "gen_1", "message": "exists"}))
    with pytest.raises(errors.InvalidRequest) as caught:
        use(mode, server.base, lambda client: client.submit(Payload(), journal=tmp_path / "j"))
    assert caught.value.generation_id == "gen_1"
    assert rows(tmp_path / "j") == [("gen_1", "submitted")]


def test_an_id_that_the_platform_has_forgotten_is_told_once(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE", "gen_lost")))
    use(mode, server.base, lambda client: client.submit(Payload(), journal=tmp_path / "j"))
    (found,) = use(mode, server.base, lambda client: client.recover(tmp_path / "j"))
    assert isinstance(found.error, errors.NotFound)
    assert use(mode, server.base, lambda client: client.recover(tmp_path / "j")) == []


UNDER_WAY = {"id": "gen_1", "status": "IN_QUEUE", "input": {"task_id": "no id"}}
ENVELOPES = [
    {"success": True, "data": UNDER_WAY},
    {"id": "req_1", "status": "success", "data": UNDER_WAY},
    {"prediction": {"id": "gen_1", "state": "queued"}, "input": {"generation_id": "no id"}},
    {"task": {"task_id": "gen_1", "queueState": "IN_QUEUE"}},
    {"generation": {"id": "gen_1"}, "id": None},
    {"status": "queued", "data": {"id": "gen_1"}},
    {"generation_id": "gen_1", "id": "req_1", "status": "ok", "state": "starting"},
    {"predictionStatus": "processing", "prediction_id": "gen_1"},
]


@pytest.mark.parametrize("body", ENVELOPES)
def test_a_generation_is_found_in_an_envelope_and_under_other_names(
    mode: str, body: dict[str, Any], server: Scripted
) -> None:
    done = {"request_id": "req_2", "success": True, "data": state("COMPLETED")}
    server.on(STREAM, answer(200, body)).on(RESULT, answer(200, body), answer(200, done))
    result = use(mode, server.base, generate)
    assert (result.id, result.status, result.videos[0].file_name) == ("gen_1", "COMPLETED", "v.mp4")
    assert server.count(STREAM) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"input": {"id": "gen_1", "status": "IN_QUEUE"}},
        {"data": {"input": {"id": "gen_1", "status": "IN_QUEUE"}}},
        {"more": {"id_of": "gen_1"}},
    ],
)
def test_nothing_is_taken_from_the_input(mode: str, body: dict[str, Any], server: Scripted) -> None:
    server.on(STREAM, answer(200, body)).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert (caught.value.generation_id, caught.value.candidates) == (None, ())


@pytest.mark.parametrize(
    "body",
    [
        {"status": "COMPLETED", "data": {"id": "file_1", "status": "ready", "url": "https://cdn.example/v.mp4"}},
        {"id": "gen_1", "status": "COMPLETED", "data": {"id": "gen_2", "status": "COMPLETED", "videos": []}},
    ],
)
def test_the_result_of_a_finished_generation_is_no_envelope(mode: str, body: dict[str, Any], server: Scripted) -> None:
    server.on(RESULT, answer(200, body))
    assert use(mode, server.base, lambda client: client.wait("gen_1")).raw == body


def test_events_in_envelopes_are_told_apart_by_the_word_that_counts(mode: str, server: Scripted) -> None:
    words = ("queued", "running", "running", "succeeded")
    frames = [{"status": "ok", "state": word, "id": "gen_1", "data": state("COMPLETED")["data"]} for word in words]
    server.on(STREAM, events(*frames))
    told = use(mode, server.base, lambda client: client.stream(Payload()))
    assert [state.status for state in told] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


def test_an_id_that_is_none_leaves_all_ids_that_were_told(mode: str, server: Scripted) -> None:
    frames = [state("IN_QUEUE", "task_9"), state("IN_PROGRESS", "gen_1"), state("COMPLETED", "gen_1")]
    server.on(STREAM, events(*frames)).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert (caught.value.generation_id, caught.value.candidates) == ("task_9", ("task_9", "gen_1"))
    assert (server.count(STREAM), server.count(RUNNING)) == (1, 2)


def test_an_id_that_is_none_is_replaced_by_what_the_list_shows(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, events(state("IN_QUEUE", "task_9"))).on(RUNNING, answer(200, [ours("gen_1")]))
    server.on(RESULT, answer(200, state("COMPLETED")))
    assert use(mode, server.base, generate, journal=tmp_path / "j").id == "gen_1"
    assert rows(tmp_path / "j") == [("gen_1", "finished")]


def test_a_generation_without_data_is_asked_for_again_before_it_is_handed_over(mode: str, server: Scripted) -> None:
    empty = answer(200, {"id": "gen_1", "status": "COMPLETED", "data": None})
    server.on(RESULT, empty, empty, answer(200, state("COMPLETED")))
    assert use(mode, server.base, lambda client: client.wait("gen_1")).videos
    server.replace(RESULT, empty)
    server.rewind()
    assert use(mode, server.base, lambda client: client.wait("gen_1")).videos == ()
    assert server.count(RESULT) == 3 + 4


@pytest.mark.parametrize("status", [303, 409, 425])
def test_the_list_is_asked_whether_a_conflict_has_made_something(mode: str, status: int, server: Scripted) -> None:
    server.on(STREAM, answer(status, {})).on(RUNNING, answer(200, []))
    with pytest.raises(errors.InvalidRequest):
        use(mode, server.base, generate)
    server.replace(RUNNING, answer(200, [{"id": "gen_2", "status": "IN_QUEUE"}])).rewind()
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert caught.value.candidates == ("gen_2",)
    server.replace(RUNNING, answer(200, [ours("gen_1")])).on(RESULT, answer(200, state("COMPLETED"))).rewind()
    assert use(mode, server.base, generate).id == "gen_1"
    assert server.count(STREAM) == 3


@pytest.mark.parametrize(
    ("status", "place"), [(303, "/api/generation/gen_7"), (202, "https://x.example/tasks/gen_7?a")]
)
def test_a_location_names_a_candidate(mode: str, status: int, place: str, server: Scripted) -> None:
    server.on(STREAM, answer(status, {}, Location=place)).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, generate)
    assert (caught.value.generation_id, caught.value.candidates) == ("gen_7", ("gen_7",))


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_code_that_refuses_is_believed_in_a_success(mode: str, server: Scripted, *, is_stream: bool) -> None:
    body = {"code": "VIDEO_GENERATION_INSUFFICIENT_CREDITS", "message": "no"}
    server.on(STREAM, events(body) if is_stream else answer(200, body))
    with pytest.raises(errors.InsufficientCredits):
        use(mode, server.base, generate)
    assert [request.path for request in server.requests] == ["/api/generation/sse/acme/one"]


@pytest.mark.parametrize("told", ["bad prompt: please top up my glass", "please top up my glass is too long", "x"])
def test_words_of_the_caller_tell_nothing_of_the_platform(mode: str, told: str, server: Scripted) -> None:
    server.on(STREAM, answer(422, {"message": told}))
    with pytest.raises(errors.ValidationFailed):
        use(mode, server.base, lambda client: client.generate(Payload(prompt="please top up my glass")))


class Interrupted(IOProxy):
    """Ctrl-C at the second question."""

    asked = 0

    async def get(self, *given: Any) -> Any:
        self.asked += 1
        if self.asked == 2:
            raise KeyboardInterrupt
        return await self.io.get(*given)


def test_what_was_not_handed_over_is_recovered_again(server: Scripted, tmp_path: Path) -> None:
    names = ("gen_1", "gen_2")
    server.on(CREATE, *(answer(200, state("IN_QUEUE", name)) for name in names))
    for name in names:
        server.on(f"GET /api/generation/{name}", answer(200, state("COMPLETED", name)))
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        for _ in names:
            client.submit(Payload())
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        replace_io(client, Interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.recover()
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        assert [item.generation and item.generation.id for item in client.recover()] == list(names)
        assert client.recover() == []


def test_what_cannot_succeed_is_not_tried_again() -> None:
    tried: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.path)
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")

    with (
        httpx.Client(transport=httpx.MockTransport(refuse)) as mine,
        Client(KEY, "https://platform.example", http_client=mine) as client,
    ):
        fast_time(client)
        with pytest.raises(errors.ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED"):
            client.credits()
    assert len(tried) == 1


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has its time zone elsewhere")
def test_a_date_without_a_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "PST8PDT")
    time.tzset()
    dates = ("Tue, 21 Oct 2098 07:28:00", "Tue, 21 Oct 2098 07:28:00 GMT", "Tue, 21 Oct 2098 07:28:00 -0000")
    waits = [seconds_of(date) or 0.0 for date in dates]
    monkeypatch.undo()
    time.tzset()
    assert max(waits) - min(waits) < 5


def test_a_download_that_gets_more_than_was_told_ends(server: Scripted, tmp_path: Path) -> None:
    head = b'HTTP/1.1 206 Partial Content\r\nContent-Type: video/mp4\r\nETag: "a"\r\n'

    def reply(request: Request) -> Any:
        if "range" not in request.headers:
            whole = b'HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nETag: "a"\r\nContent-Length: 100\r\n\r\n'
            return [whole + bytes(50), Drop]
        ranged = head + b"Content-Range: bytes 50-99/100\r\nTransfer-Encoding: chunked\r\n\r\n"
        return [ranged, chunk(bytes(500)), b"0\r\n\r\n"]

    server.on("GET /api/v.mp4", reply)
    with Client(KEY, server.base) as client:
        fast_time(client)
        with pytest.raises(errors.DownloadFailed, match="more came than the 100 bytes"):
            client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path)
    assert server.count("GET /api/v.mp4") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_journal_cannot_lead_the_key_to_another_server(server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE")))
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        client.submit(Payload())
    with closing(sqlite3.connect(tmp_path / "j")) as file, file:
        file.execute("UPDATE submission SET result = ?", (f":{server.port}/x/{{id}}",))
        file.execute("DELETE FROM origin")  # as of a release that did not record it
    with Client(KEY, server.base.removesuffix("/api").rpartition(":")[0], journal=tmp_path / "j") as client:
        (found,) = client.recover()
    assert isinstance(found.error, errors.ConnectionFailed)
    assert server.count(RESULT) == 0
    assert all("/x/" not in request.path for request in server.requests)


ARRAYS: dict[str, Any] = {"bare": lambda event: event, "in an array": lambda event: [event]}
ARRAYS |= {"in an envelope": lambda event: {"data": event}, "in both": lambda event: [{"data": event}]}


@pytest.mark.parametrize("shape", ARRAYS)
@pytest.mark.parametrize("way", ["streamed", "answered", "polled"])
def test_a_generation_is_read_in_an_array_as_it_is_bare(mode: str, shape: str, way: str, server: Scripted) -> None:
    begun, done = state("IN_QUEUE"), state("COMPLETED")
    if way == "streamed":
        server.on(STREAM, events(*map(ARRAYS[shape], (begun, begun, done))))
    else:
        told = begun if way == "polled" else done
        server.on(STREAM, answer(200, ARRAYS[shape](told))).on(RESULT, answer(200, ARRAYS[shape](done)))
    generation = use(mode, server.base, lambda client: client.generate(Payload()))
    assert (generation.id, generation.status, len(generation.videos)) == ("gen_1", "COMPLETED", 1)
    assert [request.method for request in server.requests].count("POST") == 1


@pytest.mark.parametrize(
    "event", [[{"id": "gen_1"}, {"id": "gen_2"}], {"result": {"id": "gen_1"}}, [[{"task_id": "gen_1"}]]], ids=str
)
@pytest.mark.parametrize("way", ["streamed", "answered"])
def test_an_id_that_stands_elsewhere_is_told_of_what_is_uncertain(
    mode: str, event: Any, way: str, server: Scripted
) -> None:
    server.on(STREAM, events({"message": "welcome"}, event) if way == "streamed" else answer(200, event))
    server.on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, lambda client: client.generate(Payload()))
    assert caught.value.generation_id == "gen_1"


SENTENCE = {"code": "WHO_KNOWS", "message": "The model is asleep."}
SENTENCES: dict[str, dict[str, Any]] = {
    "a stream that ends": {STREAM: events(SENTENCE), RUNNING: answer(200, [])},
    "a refused list": {STREAM: answer(500, SENTENCE), RUNNING: answer(403, SENTENCE)},
    "a failure": {STREAM: events(state("FAILED", **SENTENCE))},
    "a look that is not in time": {STREAM: answer(200, state("IN_QUEUE")), RESULT: answer(500, SENTENCE)},
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_sentence_of_the_platform_within_one_of_ours_has_no_end_of_its_own(case: str, server: Scripted) -> None:
    for route, reply in SENTENCES[case].items():
        server.on(route, reply)
    with pytest.raises(errors.SkillsVideoError, match="The model is asleep") as caught:
        use("sync", server.base, generate, timeout=30)
    assert re.search(r"\.[.;:)]|  ", str(caught.value)) is None


@pytest.mark.parametrize(("timeout", "looks"), [(0.4, 2), (2, 2), (3, 2), (3.5, 2), (7, 3), (10, 4)])
def test_a_generation_is_looked_at_shortly_before_the_deadline(
    timeout: float, looks: int, mode: str, server: Scripted
) -> None:
    server.on(RESULT, answer(200, state("IN_QUEUE")))
    with pytest.raises(errors.GenerationTimeout, match="At the last look: it was IN_QUEUE"):
        use(mode, server.base, lambda client: client.wait("gen_1", timeout=timeout))
    assert server.count(RESULT) == looks
    server.replace(RESULT, *[answer(200, state("IN_QUEUE"))] * (looks - 1), answer(200, state("COMPLETED"))).rewind()
    assert use(mode, server.base, lambda client: client.wait("gen_1", timeout=timeout)).status == "COMPLETED"


def test_no_last_look_comes_before_the_platform_allows_one(mode: str, server: Scripted) -> None:
    server.on(RESULT, answer(429, {}, Retry_After="20"))
    with pytest.raises(errors.GenerationTimeout):
        use(mode, server.base, lambda client: client.wait("gen_1", timeout=10))
    assert server.count(RESULT) == 1
