"""The faults of a network and of a platform, over real sockets, for each kind of client."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import Client
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.payloads.file import File
from skills_video_runtime.testing import FastTime, IOProxy, fast_time, replace_io
from tests.support.callers import Payload, use
from tests.support.scripted import (
    CREATE,
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Drop,
    Hold,
    Request,
    Reset,
    Scripted,
    answer,
    chunk,
    deserted,
    events,
    frame,
    state,
    stream_head,
)

if TYPE_CHECKING:
    from pathlib import Path

DONE = answer(200, state("COMPLETED"))
OURS = {"prompt": "neon rain", "image": "https://cdn.example/a.png"}
STATES = [state("IN_QUEUE"), state("IN_PROGRESS"), state("COMPLETED")]


def generate(client: Any) -> Any:
    return client.generate(Payload())


def words(states: Any) -> list[str]:
    return [state.status for state in states]


def test_each_state_is_given_once_whether_streamed_or_polled(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("starting"), state("IN_QUEUE"), state("IN_PROGRESS"), end=Drop))
    server.on(RESULT, answer(200, state("processing")), DONE)
    assert words(use(mode, server.base, lambda client: client.stream(Payload()))) == [
        "IN_QUEUE",
        "IN_PROGRESS",
        "COMPLETED",
    ]


def test_a_whole_stream_needs_one_request(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(*STATES))
    seen: list[Any] = []
    result = use(mode, server.base, lambda client: client.generate(Payload(), on_state=seen.append))
    assert seen[-1] is result
    assert words(seen) == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert len(server.requests) == 1
    assert server.requests[0].json()["prompt"] == "neon rain"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("end", [Drop, Reset, b"0\r\n\r\n", b"zz\r\n"])
def test_a_stream_that_ends_early_is_followed_by_polling_at_once(mode: str, server: Scripted, end: Any) -> None:
    server.on(STREAM, events(state("IN_PROGRESS"), end=end)).on(RESULT, DONE)
    flights: list[FastTime] = []
    assert use(mode, server.base, generate, flights).status == "COMPLETED"
    assert flights[0].slept == []
    assert server.count(STREAM) == 1


def test_a_silent_stream_is_left_for_polling(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_PROGRESS"), end=Hold())).on(RESULT, DONE)
    assert use(mode, server.base, generate, stream_idle_timeout=0.1).status == "COMPLETED"
    assert server.wait_closed()


def test_a_silent_stream_is_left_while_there_is_time_to_poll(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_PROGRESS"), end=Hold())).on(RESULT, DONE)
    assert use(mode, server.base, lambda client: client.generate(Payload(), timeout=3)).status == "COMPLETED"


def test_a_stream_of_comments_alone_is_left_before_the_deadline(mode: str, server: Scripted) -> None:
    def trickle(_: Request) -> Any:
        yield stream_head() + chunk(frame(state("IN_PROGRESS")))
        while True:
            time.sleep(0.01)
            yield chunk(b": still here\n\n")

    server.on(STREAM, trickle).on(RESULT, DONE)
    begun = time.monotonic()
    assert use(mode, server.base, generate, timeout=3, stream_idle_timeout=0.2).status == "COMPLETED"
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("status", [200, 202])
def test_json_instead_of_a_stream_is_polled(mode: str, server: Scripted, status: int) -> None:
    server.on(STREAM, answer(status, {"id": "gen_1", "status": "starting"})).on(RESULT, DONE)
    assert use(mode, server.base, generate).id == "gen_1"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_missing_stream_endpoint_falls_back_to_create(mode: str, server: Scripted, status: int) -> None:
    server.on(STREAM, answer(status, {"message": "no"})).on(CREATE, answer(200, state("IN_QUEUE"))).on(RESULT, DONE)
    assert use(mode, server.base, generate).status == "COMPLETED"
    assert (server.count(STREAM), server.count(CREATE)) == (1, 1)


def test_a_dropped_post_is_not_repeated(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Drop]).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)
    assert (server.count(STREAM), server.count(RUNNING)) == (1, 2)


def test_a_dropped_post_that_made_something_is_found(mode: str, server: Scripted) -> None:
    theirs = {"id": "gen_9", "status": "IN_QUEUE", "input": {**OURS, "prompt": "another"}}
    server.on(STREAM, [Drop]).on(RUNNING, answer(200, [theirs, {"id": "gen_1", "status": "starting", "input": OURS}]))
    server.on(RESULT, DONE)
    assert use(mode, server.base, generate).id == "gen_1"
    assert server.count(STREAM) == 1


def test_a_dropped_post_is_repeated_if_asked_for(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Drop], events(*STATES)).on(RUNNING, answer(200, []))
    assert use(mode, server.base, generate, on_lost_submission="resubmit").status == "COMPLETED"
    assert (server.count(STREAM), server.count(RUNNING)) == (2, 2)


@pytest.mark.parametrize("reply", [answer(500, {"message": "no"}), answer(502, b"<html>bad gateway", kind="text/html")])
def test_a_5xx_is_repeated_after_two_looks(mode: str, server: Scripted, reply: Any) -> None:
    server.on(STREAM, reply, events(*STATES)).on(RUNNING, answer(200, []))
    assert use(mode, server.base, generate).status == "COMPLETED"
    assert (server.count(STREAM), server.count(RUNNING)) == (2, 2)


@pytest.mark.parametrize(
    "reply", [answer(200, {"status": "starting"}), answer(200, b"<html>", kind="text/html"), answer(204, b"")]
)
def test_success_without_an_id_is_not_repeated(mode: str, server: Scripted, reply: Any) -> None:
    server.on(STREAM, reply).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)
    assert server.count(STREAM) == 1


def test_a_body_that_breaks_off_is_not_repeated(mode: str, server: Scripted) -> None:
    server.on(STREAM, [answer(200, state("IN_QUEUE"))[0][:-9], Drop]).on(RUNNING, answer(200, []))  # type: ignore[index]
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)
    assert server.count(STREAM) == 1


def test_retry_after_is_honoured(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(429, {"error": "slow down"}, Retry_After="7"), events(*STATES))
    flights: list[FastTime] = []
    use(mode, server.base, generate, flights)
    assert flights[0].slept == [7.0]


def test_backoff_doubles_and_is_bounded(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(429, {}))
    flights: list[FastTime] = []
    with pytest.raises(errors.RateLimited):
        use(mode, server.base, generate, flights, retry=RetryPolicy(jitter=0), timeout=120)
    assert flights[0].slept[:8] == [1, 2, 4, 8, 16, 16, 16, 16]
    assert 118 < sum(flights[0].slept) < 120


@pytest.mark.parametrize("retry", [RetryPolicy(attempts=1), RetryPolicy(2, 0, 0)])
def test_a_policy_without_repeats_or_waits_outlasts_no_429(mode: str, retry: RetryPolicy, server: Scripted) -> None:
    server.on(STREAM, answer(429, {}))
    flights: list[FastTime] = []
    with pytest.raises(errors.RateLimited):
        use(mode, server.base, generate, flights, retry=retry)
    assert flights[0].slept == [0] * (retry.attempts - 1)


def test_a_moment_in_retry_after_is_measured_by_the_date_of_the_answer(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    moments = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry_After": "Wed, 21 Oct 2015 07:28:07"}
    server.on(STREAM, answer(429, {}, **moments), events(*STATES))
    server.on("GET /api/v.mp4", answer(503, {}, **moments), answer(200, b"video", kind="video/mp4"))
    flights: list[FastTime] = []
    use(mode, server.base, generate, flights)
    video = MediaFile(server.base + "/v.mp4")
    use(mode, server.base, lambda client: client.download(video, tmp_path), flights)
    assert [flight.slept for flight in flights] == [[7.0], [7.0]]


def test_a_refused_connection_is_tried_again_and_then_told(mode: str) -> None:
    with deserted() as base:
        flights: list[FastTime] = []
        with pytest.raises(errors.ConnectionFailed) as caught:
            use(mode, base, generate, flights)
    assert len(flights[0].slept) == 5
    assert caught.value.retryable


KINDS = [
    (400, {"code": "VIDEO_GENERATION_INVALID_INPUT", "message": "no"}, errors.InvalidRequest),
    (401, {"message": "no"}, errors.AuthenticationError),
    (402, {"message": "no"}, errors.InsufficientCredits),
    (400, {"error": {"message": "Not enough credits"}}, errors.InsufficientCredits),
    (403, {"error": "INSUFFICIENT_CREDITS", "message": "no"}, errors.InsufficientCredits),
    (403, "nope", errors.PermissionDenied),
    (422, {"code": "VIDEO_GENERATION_CONTENT_REJECTED"}, errors.ContentRejected),
    (422, {"message": "rejected by moderation"}, errors.ContentRejected),
    (422, {"message": "prompt: too long"}, errors.ValidationFailed),
    (409, [1, 2], errors.InvalidRequest),
    (425, None, errors.InvalidRequest),
]


@pytest.mark.parametrize(("status", "body", "kind"), KINDS)
def test_a_refusal_is_told_apart_and_never_repeated(
    mode: str, server: Scripted, status: int, body: Any, kind: type[errors.APIError]
) -> None:
    server.on(STREAM, answer(status, body))
    with pytest.raises(errors.APIError) as caught:
        use(mode, server.base, generate)
    assert type(caught.value) is kind
    assert caught.value.status == status
    looks = int(status in {409, 425})  # which may stand for what another request has made
    assert (server.count(STREAM), server.count(RUNNING), len(server.requests)) == (1, looks, 1 + looks)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_post_is_an_error_and_the_key_stays(mode: str, server: Scripted, status: int) -> None:
    with Scripted() as other:
        server.on(STREAM, answer(status, b"", Location=f"{other.base}/elsewhere?{KEY}"))
        with pytest.raises(errors.APIError, match=r"redirect to http://127\.0\.0\.1:[0-9]+, which is not followed"):
            use(mode, server.base, generate)
        assert other.requests == []


def test_a_redirect_of_a_question_is_an_error_too(mode: str, server: Scripted) -> None:
    with Scripted() as other, httpx.Client(follow_redirects=True) as mine:
        server.on(RESULT, answer(302, b"", Location=other.base))
        options = {"http_client": mine} if mode == "sync" else {}
        with pytest.raises(errors.APIError, match="not followed") as caught:
            use(mode, server.base, lambda client: client.wait("gen_1"), **options)
        assert caught.value.generation_id == "gen_1"
        assert other.requests == []


def test_a_strange_location_of_a_success_loses_nothing(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(201, state("IN_QUEUE"), Location="http://[::1", Retry_After="\xff")).on(RESULT, DONE)
    assert use(mode, server.base, generate).id == "gen_1"


def test_a_failed_generation_raises_what_it_failed_of(mode: str, server: Scripted) -> None:
    failed = state("FAILED", code="VIDEO_GENERATION_CONTENT_REJECTED", message="no\x1b[31m")
    server.on(STREAM, events(state("IN_QUEUE"), failed))
    seen: list[Any] = []
    with pytest.raises(errors.GenerationFailed, match=r"no\\x1b\[31m") as caught:
        use(mode, server.base, lambda client: client.generate(Payload(), on_state=seen.append))
    assert caught.value.generation.raw == failed
    assert caught.value.code == "VIDEO_GENERATION_CONTENT_REJECTED"
    assert words(seen) == ["IN_QUEUE", "FAILED"]


def test_out_of_time_is_told_with_the_id(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(200, state("IN_QUEUE"))).on(RESULT, answer(200, state("Paused")))
    flights: list[FastTime] = []
    with pytest.raises(errors.GenerationTimeout, match="it was Paused") as caught:
        use(mode, server.base, lambda client: client.generate(Payload(), timeout=10), flights)
    assert caught.value.generation_id == "gen_1"
    assert sum(flights[0].slept) <= 10


def test_an_answer_that_never_comes_is_cut_by_the_deadline(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Hold()]).on(RUNNING, answer(200, []))
    begun = time.monotonic()
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, lambda client: client.generate(Payload(), timeout=0.2))
    assert time.monotonic() - begun < 1.5


def test_an_answer_that_drips_is_cut_by_the_deadline(mode: str, server: Scripted) -> None:
    def drip(_: Request) -> Any:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n"
        for _ in range(1000):
            time.sleep(0.02)
            yield b" "

    server.on(RESULT, drip)
    begun = time.monotonic()
    with pytest.raises(errors.GenerationTimeout):
        use(mode, server.base, lambda client: client.wait("gen_1", timeout=0.2))
    assert time.monotonic() - begun < 1.5


def test_submit_returns_with_the_id_and_wait_goes_on_elsewhere(mode: str, server: Scripted) -> None:
    server.on(CREATE, answer(202, {"id": "gen_1", "status": "starting"})).on(
        RESULT, answer(200, state("running")), DONE
    )
    submitted = use(mode, server.base, lambda client: client.submit(Payload()))
    assert (submitted.id, submitted.status) == ("gen_1", "IN_QUEUE")
    assert use(mode, server.base, lambda client: client.wait(submitted.id)).status == "COMPLETED"


def test_questions_are_asked_again_until_they_are_answered(mode: str, server: Scripted) -> None:
    server.on(RESULT, answer(503, {}), [Drop], answer(200, b"<html>"), answer(429, {}), answer(200, state("FAILED")))
    assert use(mode, server.base, lambda client: client.get("gen_1")).status == "FAILED"
    server.on(RUNNING, answer(200, [state("IN_QUEUE"), 5, {"id": 7, "status": None}]))
    found = use(mode, server.base, lambda client: client.running(7, workspace="w & w"))
    assert [(item.id, item.status) for item in found] == [("gen_1", "IN_QUEUE"), ("7", "")]
    assert server.requests[-1].target.endswith("?limit=7&workspace=w+%26+w")
    server.on("GET /api/credits", answer(200, {"total": 5, "permanent": "x"}))
    balance = use(mode, server.base, lambda client: client.credits())
    assert (balance.total, balance.subscription, balance.permanent) == (5, None, None)


def test_a_generation_that_is_not_there_is_not_found(mode: str, server: Scripted) -> None:
    with pytest.raises(errors.NotFound):
        use(mode, server.base, lambda client: client.get("gen_none"))
    with pytest.raises(errors.NotFound):
        use(mode, server.base, lambda client: client.wait("gen_none"))
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", ["", ".", "..", " ", "a\nb", "x" * 600])
def test_what_cannot_be_an_id_is_refused(mode: str, server: Scripted, name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        use(mode, server.base, lambda client: client.get(name))
    assert server.requests == []


def test_an_id_stays_one_segment_of_the_path(mode: str, server: Scripted) -> None:
    with pytest.raises(errors.NotFound):
        use(mode, server.base, lambda client: client.get("../credits?x=ä#y"))
    assert server.requests[0].target == "/api/generation/..%2Fcredits%3Fx%3D%C3%A4%23y"


@pytest.mark.parametrize("given", ["..", "", 5.5, None, ["x"], "a\x00b"])
def test_an_answer_with_an_impossible_id_counts_as_one_without(mode: str, server: Scripted, given: Any) -> None:
    server.on(STREAM, answer(200, {"id": given, "status": ["x"]})).on(RUNNING, answer(200, [{"id": given}]))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, generate)


def test_files_go_as_multipart_to_the_create_endpoint_and_whole_again_after_429(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(b"CAT" * 100_000)
    payload = Payload(image=File(tmp_path / "cat.png"), images=[File(b"DOG", name="dog.png"), "https://x/y.png"])
    server.on(CREATE, answer(429, {}), answer(200, state("IN_QUEUE"))).on(RESULT, DONE)
    assert use(mode, server.base, lambda client: client.generate(payload)).status == "COMPLETED"
    for request in server.requests[:2]:
        assert request.headers["content-type"].startswith("multipart/form-data")
        assert request.body.count(b'name="images"') == 2
        assert b'name="image"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n' + b"CAT" * 100_000 in request.body
    assert server.count(STREAM) == 0


def test_a_dropped_upload_is_not_repeated(mode: str, server: Scripted) -> None:
    payload = Payload(image=File(b"CAT", name="cat.png"))
    server.on(CREATE, [Drop]).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, lambda client: client.generate(payload))
    assert server.count(CREATE) == 1


def test_an_endless_error_is_read_to_a_bound(mode: str, server: Scripted) -> None:
    def endless(_: Request) -> Any:
        yield b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield chunk(b"\x07no " * 1000)

    server.on(STREAM, endless)
    with pytest.raises(errors.InvalidRequest) as caught:
        use(mode, server.base, generate)
    assert len(str(caught.value)) < 2500
    assert "\x07" not in str(caught.value)
    assert server.wait_closed()


def test_a_users_own_http_client_is_used_and_not_closed(server: Scripted) -> None:
    server.on(RESULT, DONE)
    with httpx.Client(headers={"x-mine": "yes"}) as mine:
        use("sync", server.base, lambda client: client.get("gen_1"), http_client=mine)
        assert not mine.is_closed
    assert server.requests[0].headers["x-mine"] == "yes"


def test_deeply_nested_json_is_no_answer(mode: str, server: Scripted) -> None:
    server.on(RESULT, answer(200, b"[" * 200_000), DONE)
    assert use(mode, server.base, lambda client: client.get("gen_1")).status == "COMPLETED"


def test_a_bare_completed_is_asked_for_again(mode: str, server: Scripted) -> None:
    server.on(STREAM, events({"id": "gen_1", "status": "COMPLETED", "data": None})).on(RESULT, DONE)
    assert use(mode, server.base, generate).videos[0].file_name == "v.mp4"


def test_what_is_sent_is_the_payload_as_json(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(*STATES))
    use(mode, server.base, lambda client: client.generate(Payload(prompt='ä "\ud83d"')))
    assert json.loads(server.requests[0].body)["prompt"] == 'ä "\ud83d"'


def test_a_question_that_timed_out_at_the_platform_is_asked_again(mode: str, server: Scripted) -> None:
    server.on("GET /api/credits", answer(408, {"message": "slow"}), answer(200, {"total": 5}))
    assert use(mode, server.base, lambda client: client.credits()).total == 5


@pytest.mark.parametrize(
    ("given", "slept"),
    [
        ("0", 1),
        ("-5", 1),
        ("soon", 1),
        ("1e3", 1),
        ("5; 6", 1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Wed, 99 Oct 9999 07:28:00", 1),
        ("2.5", 2.5),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ],
)
def test_whatever_retry_after_says_is_taken_with_sense(server: Scripted, given: str, slept: float | None) -> None:
    server.on(STREAM, answer(429, {}, Retry_After=given), events(*STATES))
    flights: list[FastTime] = []
    if slept is None:
        with pytest.raises(errors.RateLimited):
            use("sync", server.base, generate, flights, retry=RetryPolicy(jitter=0))
        assert flights[0].slept == []
    else:
        use("sync", server.base, generate, flights, retry=RetryPolicy(jitter=0))
        assert flights[0].slept == [slept]


class TooLate(IOProxy):
    """The time for a post is over as it begins."""

    async def post(self, post: Any, patience: float, silence: float) -> Any:
        return await self.io.post(post, patience - 2000, silence)


def test_a_connection_that_is_made_too_late_has_sent_nothing(server: Scripted) -> None:
    with Client(KEY, server.base) as client:
        fast_time(client)
        replace_io(client, TooLate)
        with pytest.raises(errors.ConnectionFailed):
            client.generate(Payload())
    assert server.requests == []


def test_each_post_takes_a_new_connection(mode: str, server: Scripted) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE")), answer(200, state("IN_QUEUE", "gen_2")))

    async def twice(client: Any) -> None:
        await client.submit(Payload())
        await client.submit(Payload())

    def twice_at_once(client: Any) -> None:
        client.submit(Payload())
        client.submit(Payload())

    use(mode, server.base, twice_at_once if mode == "sync" else twice)
    assert server.accepted == 2


def test_looks_keep_their_connection_for_longer(mode: str, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: later() + 3.5 * server.count(RESULT))
    server.on(RESULT, answer(200, state("IN_QUEUE")), answer(200, state("IN_PROGRESS")), DONE)
    use(mode, server.base, lambda client: client.wait("gen_1"))
    assert (server.count(RESULT), server.accepted) == (3, 1)
