"""The `__cause__` of an error is the fault of the library that led to it, and shows the key to nobody."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from skills_video_runtime import errors
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import MediaFile
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, RESULT, RUNNING, STREAM, Drop, Reset, Scripted, answer, stream_head

if TYPE_CHECKING:
    from pathlib import Path

ONCE = RetryPolicy(attempts=1)


def caught_of(mode: str, base: str, work: Any = None, **options: Any) -> errors.SkillsVideoError:
    work = work or (lambda client: client.generate(Payload()))
    with pytest.raises(errors.SkillsVideoError) as caught:
        use(mode, base, work, retry=ONCE, **options)
    return caught.value


def test_what_could_not_be_reached_tells_why(mode: str) -> None:
    error = caught_of(mode, "http://127.0.0.1:9")
    assert (type(error), type(error.__cause__)) == (errors.ConnectionFailed, httpx.ConnectError)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [([Drop], httpx.RemoteProtocolError), ([Reset], httpx.ReadError),
     ([stream_head(), b"5\r\nab", Drop], httpx.RemoteProtocolError)],
    ids=["dropped", "reset", "stream cut off"],
)  # fmt: skip
def test_what_is_uncertain_tells_what_broke(reply: Any, kind: type, mode: str, server: Scripted) -> None:
    server.on(STREAM, reply).on(RUNNING, answer(200, []))
    error = caught_of(mode, server.base)
    assert (type(error), type(error.__cause__)) == (errors.SubmissionUncertain, kind)
    assert error.__cause__.__traceback__ is None


def test_an_answer_that_breaks_off_and_a_file_tell_what_broke(mode: str, server: Scripted, tmp_path: Path) -> None:
    cut = [b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nno", Drop]
    server.on(CREATE, cut).on("GET /api/v.mp4", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Drop])
    error = caught_of(mode, server.base, lambda client: client.submit(Payload()))
    assert (type(error), type(error.__cause__)) == (errors.InvalidRequest, httpx.RemoteProtocolError)
    media = MediaFile(f"{server.base}/v.mp4")
    error = caught_of(mode, server.base, lambda client: client.download(media, tmp_path))
    assert (type(error), type(error.__cause__)) == (errors.DownloadFailed, httpx.RemoteProtocolError)


def test_a_look_that_fails_tells_why(mode: str, server: Scripted) -> None:
    server.on(RESULT, [Drop])
    error = caught_of(mode, server.base, lambda client: client.get("gen_1"))
    assert (type(error), type(error.__cause__)) == (errors.ConnectionFailed, httpx.RemoteProtocolError)


def test_an_answer_that_was_read_has_no_cause(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(422, {"message": "no"}))
    assert caught_of(mode, server.base).__cause__ is None


def test_certificates_that_cannot_be_read_tell_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Scripted
) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    error = caught_of("sync", server.base)
    assert isinstance(error.__cause__.__cause__, ssl.SSLError)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_cause_holds_no_request_and_no_key(library: Any, server: Scripted) -> None:
    def fail(request: Any) -> Any:
        raise library.ReadError(f"no answer to {texts.pop()}", request=request)

    texts = [f"Bearer {KEY}", "it"]
    with library.Client(transport=library.MockTransport(fail)) as mine:
        credits_of = lambda client: client.credits()  # noqa: E731
        told = caught_of("sync", server.base, credits_of, http_client=mine)
        untold = caught_of("sync", server.base, credits_of, http_client=mine)
    assert isinstance(told.__cause__, library.ReadError)
    with pytest.raises(RuntimeError, match="request"):
        _ = told.__cause__.request
    assert untold.__cause__ is None
    assert KEY not in str(untold)
