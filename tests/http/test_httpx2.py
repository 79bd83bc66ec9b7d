"""An HTTP client of httpx2 that is handed in does what one of httpx does, and its faults are told in the same words."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from skills_video_runtime import __version__, errors
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.testing import fast_time
from tests.support.callers import Payload, use
from tests.support.children import finished
from tests.support.scripted import (
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Drop,
    Hold,
    Reset,
    Scripted,
    answer,
    chunk,
    events,
    frame,
    state,
    stream_head,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIBRARIES = (httpx, httpx2)
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(params=["sync", "asyncio"])
def mode(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def over(library: Any, mode: str, base: str, work: Callable[[Any], Any], **options: Any) -> Any:
    """Do work with a client over one of a library."""
    theirs = options.pop("theirs", {})
    if mode == "sync":
        with library.Client(**theirs) as mine:
            return use(mode, base, work, http_client=mine, **options)

    async def main() -> Any:
        async with library.AsyncClient(**theirs) as mine, AsyncClient(KEY, base, http_client=mine, **options) as client:
            fast_time(client)
            return await work(client)

    return asyncio.run(main())


def make(client: Any) -> Any:
    return client.generate(Payload())


def test_a_generation_is_streamed_polled_and_saved_over_httpx2(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE"))), Drop]).on(
        RESULT, answer(200, state("COMPLETED"))
    )
    server.on("GET /v.mp4", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: video/mp4\r\n\r\nabc", Drop],
              answer(200, b"abcdefghi", kind="video/mp4"))  # fmt: skip
    assert over(httpx2, mode, server.base, make).status == "COMPLETED"
    media = MediaFile(f"{server.base.removesuffix('/api')}/v.mp4")
    retry = RetryPolicy(initial=0.01, maximum=0.01)
    [path] = over(httpx2, mode, server.base, lambda client: client.download(media, tmp_path), retry=retry)
    assert path.read_bytes() == b"abcdefghi"
    assert [request.headers.get("authorization") for request in server.requests] == [f"Bearer {KEY}"] * 2 + [None] * 2
    assert {request.headers["user-agent"] for request in server.requests} == {f"skills-video/{__version__}"}


FAULTS: dict[str, Any] = {
    "dropped": [Drop],
    "reset": [Reset],
    "no HTTP": [b"SSH-2.0-OpenSSH\r\n\r\n", Drop],
    "cut in the head": [b"HTTP/1.1 200 OK\r\nContent-", Drop],
    "cut in the body": [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{", Drop],
    "chunks that are none": [stream_head(), b"zz\r\n", Drop],
    "stream that ends": [stream_head(), b"0\r\n\r\n"],
    "refused": answer(422, {"code": "X", "message": "no"}),
    "busy": answer(429, {}, Retry_After="0"),
    "page": answer(502, b"<html>", kind="text/html"),
    "redirect": answer(307, b"", Location="https://elsewhere.example/"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_means_and_says_the_same_in_both(name: str, mode: str, server: Scripted) -> None:
    server.on(STREAM, FAULTS[name]).on(RUNNING, answer(200, []))
    told = []
    for library in LIBRARIES:
        with pytest.raises(errors.SkillsVideoError) as caught:
            over(library, mode, server.base, make, retry=ONCE, poll_interval=0.01)
        error = caught.value
        told.append((type(error), str(error), error.category, error.retryable, error.status, error.code))
    assert told[0] == told[1]


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_what_was_not_sent_is_told_as_that_in_both(base: str, mode: str, tmp_path: Path) -> None:
    for library in LIBRARIES:
        with pytest.raises(errors.ConnectionFailed, match="ConnectError"):
            over(library, mode, base, make, retry=ONCE, journal=tmp_path / "jobs.db")
        assert use("sync", base, lambda client: client.recover(), journal=tmp_path / "jobs.db") == []


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_the_call_may_take(
    mode: str, server: Scripted
) -> None:
    server.on(STREAM, [Hold()])
    with pytest.raises(errors.SubmissionUncertain):
        over(httpx2, mode, server.base, make, retry=ONCE, timeout=0.3)


def test_an_event_hook_of_httpx2_that_raises_its_status_error_is_an_answer(server: Scripted) -> None:
    server.on(STREAM, answer(422, {"message": "no"}))
    for library in LIBRARIES:
        theirs = {"event_hooks": {"response": [lambda response: response.raise_for_status()]}}
        with pytest.raises(errors.ValidationFailed, match="no"):
            over(library, "sync", server.base, make, theirs=theirs)


def test_a_transport_of_httpx2_without_sockets_is_used() -> None:
    def reply(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        return httpx2.Response(200, json={"total": 7})

    theirs = {"transport": httpx2.MockTransport(reply)}
    assert over(httpx2, "sync", "https://platform.example", lambda client: client.credits(), theirs=theirs).total == 7


class Mine(httpx2.Client):
    """A class of the user's own."""


def test_a_class_that_derives_from_one_of_httpx2_is_taken(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    with Mine() as mine:
        assert use("sync", server.base, make, http_client=mine).status == "COMPLETED"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [(Client, httpx2.AsyncClient), (AsyncClient, httpx2.Client), (Client, httpx.AsyncClient), (Client, object)],
)
def test_the_wrong_kind_is_refused(kind: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"http_client is an httpx.{kind.__name__} here"):
        kind(KEY, "https://platform.example", http_client=wrong())


def test_the_log_of_httpx2_tells_no_signature(
    server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.on("GET /api/v.mp4", answer(200, b"video", kind="video/mp4"))
    media = MediaFile(f"{server.base}/v.mp4?signature=secret")
    over(httpx2, "sync", server.base, lambda client: client.download(media, tmp_path))
    assert re.search(r"GET \S+/v\.mp4 ", caplog.text)
    assert "secret" not in caplog.text


def test_httpx2_is_not_needed_and_not_loaded_where_none_is_handed_in(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    program = (
        "import sys; sys.modules['httpx2'] = None\n"
        "from skills_video_runtime.client import Client\n"
        "from tests.support.callers import Payload\n"
        f"with Client('{KEY}', '{server.base}') as client: print(client.generate(Payload()).status)\n"
    )
    done = finished([sys.executable, "-c", program])
    assert (done.stdout, done.stderr) == ("COMPLETED\n", "")
