"""What a stream may look like on the wire, cut anywhere."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.errors import SubmissionUncertain
from skills_video_runtime.http.events import MAX_EVENT
from skills_video_runtime.testing import fast_time, forget_generations
from tests.support.callers import Payload, use
from tests.support.scripted import (
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
    frame,
    state,
    stream_head,
)

DONE = answer(200, state("COMPLETED"))
PRETTY = json.dumps(state("COMPLETED", note="ä ☂"), indent=1, ensure_ascii=False).encode()
WHOLE = b"".join(
    [
        b"\xef\xbb\xbfdata: " + json.dumps(state("IN_QUEUE")).encode() + b"\r\nid: 1\r\n\r\n",
        b": keep-alive\r\n\r\n",
        b"\r\n",
        b"retry: 10\r\n\r\n",
        b"data: not json\r\rdata: [1]\r\r",
        frame(state("IN_PROGRESS")),
        b"".join(b"data: " + line + b"\n" for line in PRETTY.splitlines()) + b"\n",
    ]
)


def words(states: Any) -> list[str]:
    return [state.status for state in states]


def test_frames_are_read_wherever_they_are_cut(server: Scripted) -> None:
    cuts = range(1, len(WHOLE))
    server.on(STREAM, *([stream_head(), chunk(WHOLE[:cut]), chunk(WHOLE[cut:]), b"0\r\n\r\n"] for cut in cuts))
    with Client(KEY, server.base) as client:
        for cut in cuts:
            forget_generations(client)
            states = list(client.stream(Payload()))
            assert words(states) == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"], cut
            assert states[-1].raw["note"] == "ä ☂", cut
    assert server.count(RESULT) == 0


def test_frames_are_read_byte_by_byte(mode: str, server: Scripted) -> None:
    server.on(STREAM, [stream_head(), *(chunk(bytes([byte])) for byte in WHOLE), b"0\r\n\r\n"])
    assert words(use(mode, server.base, lambda client: client.stream(Payload()))) == [
        "IN_QUEUE",
        "IN_PROGRESS",
        "COMPLETED",
    ]


def test_an_answer_cut_at_any_byte_ends_in_the_video_or_in_an_error_and_is_posted_once(server: Scripted) -> None:
    whole = stream_head() + b"".join(chunk(frame(state(word))) for word in ("IN_QUEUE", "COMPLETED")) + b"0\r\n\r\n"
    first = len(stream_head() + chunk(frame(state("IN_QUEUE")))) - 2
    server.on(STREAM, *([whole[:cut], Drop] for cut in range(len(whole))))
    server.on(RESULT, DONE).on(RUNNING, answer(200, []))
    with Client(KEY, server.base) as client:
        fast_time(client)
        for cut in range(len(whole)):
            forget_generations(client)
            before = server.count(STREAM)
            if cut < first:
                with pytest.raises(SubmissionUncertain):
                    client.generate(Payload())
            else:
                assert client.generate(Payload()).status == "COMPLETED", cut
            assert server.count(STREAM) == before + 1


def test_an_unfinished_last_event_is_dropped(mode: str, server: Scripted) -> None:
    last = b"data: " + json.dumps(state("COMPLETED")).encode() + b"\n"
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE")) + last), b"0\r\n\r\n"]).on(RESULT, DONE)
    use(mode, server.base, lambda client: client.generate(Payload()))
    assert server.count(RESULT) == 1


def test_an_event_beyond_the_bound_is_refused_and_the_generation_polled(mode: str, server: Scripted) -> None:
    def flood(_: Request) -> Any:
        yield stream_head() + chunk(frame(state("IN_QUEUE")) + b"data: ")
        for _ in range(MAX_EVENT // 2**20 + 2):
            yield chunk(b"x" * 2**20)

    server.on(STREAM, flood).on(RESULT, DONE)
    assert use(mode, server.base, lambda client: client.generate(Payload())).status == "COMPLETED"
    assert server.count(RESULT) == 1


def test_a_stream_in_another_charset_is_read_as_utf_8(server: Scripted) -> None:
    server.on(STREAM, [stream_head("text/event-stream; charset=latin-1"), chunk(WHOLE), b"0\r\n\r\n"])
    assert use("sync", server.base, lambda client: client.generate(Payload())).raw["note"] == "ä ☂"


def test_the_id_may_come_with_a_later_event(mode: str, server: Scripted) -> None:
    server.on(STREAM, events({"status": "IN_QUEUE"}, {"hello": 1}, state("IN_PROGRESS"), state("COMPLETED")))
    assert use(mode, server.base, lambda client: client.generate(Payload())).id == "gen_1"


def test_what_a_stream_said_before_it_broke_is_told(mode: str, server: Scripted) -> None:
    server.on(STREAM, events({"code": "SOME_CODE", "message": "no luck"}, end=Drop)).on(RUNNING, answer(200, []))
    with pytest.raises(SubmissionUncertain, match="it said SOME_CODE no luck"):
        use(mode, server.base, lambda client: client.generate(Payload()))


def test_events_of_another_generation_are_not_ours(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), state("COMPLETED", "gen_2"), end=Drop)).on(RESULT, DONE)
    assert use(mode, server.base, lambda client: client.generate(Payload())).id == "gen_1"
    assert server.count(RESULT) == 1


def test_a_stream_that_talks_on_after_the_end_is_left(mode: str, server: Scripted) -> None:
    def talk(_: Request) -> Any:
        yield stream_head() + chunk(frame(state("COMPLETED")))
        while True:
            time.sleep(0.005)
            yield chunk(b": more\n\n")

    server.on(STREAM, talk)
    begun = time.monotonic()
    use(mode, server.base, lambda client: client.generate(Payload()))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("data", ["[1]", "5", "null", "{", "[" * 100_000, "9" * 10_000])
def test_what_is_no_object_is_skipped(mode: str, data: str, server: Scripted) -> None:
    odd = chunk(b"data: " + data.encode() + b"\n\n")
    server.on(STREAM, [stream_head(), odd, chunk(frame(state("COMPLETED"))), b"0\r\n\r\n"])
    assert use(mode, server.base, lambda client: client.generate(Payload())).status == "COMPLETED"
    assert server.count(RESULT) == 0


def test_json_that_is_called_a_stream_is_read_as_what_it_is(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(200, state("IN_QUEUE"), kind="text/event-stream")).on(RESULT, DONE)
    assert use(mode, server.base, lambda client: client.generate(Payload())).status == "COMPLETED"
    assert server.count(RUNNING) == 0


@pytest.mark.parametrize(("size", "looks"), [(MAX_EVENT, 0), (MAX_EVENT + 1, 1)])
def test_the_bound_of_an_event_is_exact(size: int, looks: int, server: Scripted) -> None:
    begin, end = json.dumps(state("COMPLETED", note="")).encode().rsplit(b'""', 1)
    event = begin + b'"' + b"x" * (size - len(begin) - len(end) - 2) + b'"' + end
    assert len(event) == size
    whole = frame(state("IN_QUEUE")) + b"data: " + event + b"\n\n"
    server.on(STREAM, [stream_head(), chunk(whole), b"0\r\n\r\n"]).on(RESULT, DONE)
    assert use("sync", server.base, lambda client: client.generate(Payload())).status == "COMPLETED"
    assert server.count(RESULT) == looks


def test_an_id_within_an_event_that_broke_off_is_told(mode: str, server: Scripted) -> None:
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE"))[:-9]), Drop]).on(RUNNING, answer(200, []))
    with pytest.raises(SubmissionUncertain) as caught:
        use(mode, server.base, lambda client: client.generate(Payload()), on_lost_submission="resubmit")
    assert caught.value.generation_id == "gen_1"
    assert server.count(STREAM) == 1
