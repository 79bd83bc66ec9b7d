"""The key reaches the API's own origin, and nothing else."""

from __future__ import annotations

import base64
import html
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import AsyncClient, AsyncModelClient, Client, ModelClient
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.http.key import Key
from skills_video_runtime.testing import fast_time
from tests.support.callers import Payload, use
from tests.support.scripted import KEY, RESULT, RUNNING, STREAM, Drop, Scripted, answer, events, state

ECHO = {"message": f"bad header: Bearer {KEY}", "code": KEY, "error": {"message": KEY}}
SCRIPTS: dict[str, Any] = {
    "refusal": answer(400, ECHO),
    "page": answer(403, f"<html>{KEY}".encode(), kind="text/html"),
    "server error": answer(500, ECHO),
    "lost": [Drop],
    "garbled": [b"HTTP/1.1 2xx " + KEY.encode() + b"\r\n\r\n"],
    "redirect": answer(302, b"", Location=f"https://{KEY}.example/{KEY}"),
    "failed": events(state("FAILED", code=KEY, message=KEY)),
    "silent about the id": events(ECHO, end=Drop),
}


def dump(error: BaseException) -> str:
    """Show an error in every way that a program may, but for the locals of the tests, which know the key."""
    assert error.__context__ is None
    for cause in causes(error):
        assert cause.__traceback__ is None
        assert not {"_request", "request", "_response", "response"} & {
            name for name, fact in vars(cause).items() if fact
        }
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in shown.stack if "tests" not in Path(frame.filename).parts]
    assert frames
    return (
        str([frame.locals for frame in frames])
        + "".join(shown.format_exception_only())
        + repr(error)
        + str(error)
        + repr(vars(error))
        + repr(pickle.dumps(error))
        + "".join(repr(cause) + str(cause) + repr(cause.args) + repr(vars(cause)) for cause in causes(error))
    )


def causes(error: BaseException) -> list[BaseException]:
    """Give all that led to an error."""
    found = [cause for cause in (error.__cause__, error.__context__) if cause is not None]
    return found + [above for cause in found for above in causes(cause)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_error_holds_the_key_however_it_is_shown(
    mode: str, name: str, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(STREAM, SCRIPTS[name]).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SkillsVideoError) as caught:
        use(mode, server.base, lambda client: client.generate(Payload()))
    assert KEY not in dump(caught.value)
    ours = [record.getMessage() for record in caplog.records if record.name == "skills_video"]
    assert ours
    assert KEY not in str(ours)
    if name not in {"garbled", "redirect"}:  # httpcore logs the heads of answers as they came
        assert KEY not in caplog.text
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.status) == (type(caught.value), str(caught.value), caught.value.status)


PUNCTUATED = "sk-se+cret/<0123>&456789"
FORMS = {
    "percent": quote(PUNCTUATED, safe=""),
    "percent, lower case": quote(PUNCTUATED, safe="").lower(),
    "percent, each character": "".join(f"%{ord(item):02X}" for item in PUNCTUATED),
    "percent, here and there": PUNCTUATED.replace("s", "%73", 1).replace("8", "%38"),
    "percent, twice": quote(quote(PUNCTUATED, safe=""), safe=""),
    "JSON": PUNCTUATED.replace("/", "\\/").replace("<", "\\u003c"),
    "JSON, each character": "".join(f"\\u00{ord(item):02X}" for item in PUNCTUATED),
    "JSON in JSON": json.dumps(json.dumps(PUNCTUATED.replace("/", "\\/"))),
    "HTML": html.escape(PUNCTUATED),
    "HTML, by name": PUNCTUATED.replace("+", "&plus;").replace("/", "&sol;"),
    "HTML, by number": "".join(f"&#{ord(item)};" for item in PUNCTUATED),
    "HTML, by hexadecimal number": "".join(f"&#X00{ord(item):x};" for item in PUNCTUATED),
    "HTML in HTML": html.escape(html.escape(PUNCTUATED)),
    "an address in JSON in HTML": html.escape(json.dumps(quote(PUNCTUATED, safe=""))),
    "another case": PUNCTUATED.upper(),
    "base64": base64.b64encode(PUNCTUATED.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Bearer {PUNCTUATED}".encode()).decode(),
    "base64 of a login": base64.urlsafe_b64encode(f"key:{PUNCTUATED}\n".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_key_is_found_in_all_its_forms(form: str, server: Scripted) -> None:
    held = FORMS[form]
    for body in (f"bad {held}!".encode(), json.dumps({"message": f"bad {held}!", "code": held, held: [held]}).encode()):
        server.replace(RESULT, answer(401, body))
        with pytest.raises(errors.AuthenticationError) as caught:
            use("sync", server.base, lambda client: client.get("gen_1"), api_key=PUNCTUATED)
        shown = dump(caught.value)
        assert "bad" in shown
        assert held[4:-4] not in shown
        assert PUNCTUATED[4:-4] not in shown


def test_a_text_that_only_looks_like_a_key_is_left_as_it_came(server: Scripted) -> None:
    message = "50%25 of %41 &amp; \\u0041 c2stc2VjcmV0 \\\\ &copy; &#65; %zz"
    server.on(RESULT, answer(401, {"message": message}))
    with pytest.raises(errors.AuthenticationError) as caught:
        use("sync", server.base, lambda client: client.get("gen_1"))
    assert message in str(caught.value)


@pytest.mark.parametrize("field", ["id", "generation_id"])
@pytest.mark.parametrize("held", [KEY, f"gen_{KEY}", quote(KEY).replace("s", "%73"), KEY.replace("s", "\\u0073")])
def test_an_id_that_holds_the_key_is_none(
    mode: str, field: str, held: str, server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(STREAM, answer(200, {field: held, "status": "IN_QUEUE"})).on(
        RUNNING, answer(200, [state("IN_QUEUE", held)])
    )
    with pytest.raises(errors.SubmissionUncertain) as caught:
        use(mode, server.base, lambda client: client.generate(Payload()), journal=tmp_path / "journal")
    assert (caught.value.generation_id, caught.value.candidates) == (None, ())
    assert KEY not in dump(caught.value)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert KEY not in caplog.text


def test_the_key_in_place_of_an_id_is_refused_without_showing_it(mode: str, server: Scripted) -> None:
    asked = (
        lambda client: client.get(KEY),
        lambda client: client.wait(f"x{quote(KEY)}"),
        lambda client: client.running(workspace=KEY),
    )
    for ask in asked:
        with pytest.raises(ValueError, match="the API key was given") as caught:
            use(mode, server.base, ask)
        assert KEY not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_an_error_pickles_however_deep_the_answer_is(opening: str, closing: str, mode: str, server: Scripted) -> None:
    for depth in (90, 450, 800):
        body = f'{{"id":"gen_1","status":"FAILED","data":{opening * depth}1{closing * depth}}}'.encode()
        server.replace(RESULT, answer(200, body))
        with pytest.raises(errors.GenerationFailed) as caught:
            use(mode, server.base, lambda client: client.wait("gen_1"))
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert json.dumps(again.generation.raw) == json.dumps(caught.value.generation.raw)


def test_no_result_and_no_client_shows_the_key(server: Scripted) -> None:
    server.on(RESULT, answer(200, state("COMPLETED", note=KEY)))
    with Client(KEY, server.base) as client:
        assert KEY not in repr(client.get("gen_1").raw)
        for thing in (client, Key(KEY), ModelClient[Payload](client)):
            assert KEY not in repr(thing)
        with pytest.raises(TypeError):
            pickle.dumps(Key(KEY))


def test_no_part_of_a_result_shows_the_key(server: Scripted) -> None:
    data = {"videos": [{"url": f"https://cdn.example/{KEY}/v.mp4", "file_name": f"{KEY}.mp4"}]}
    server.on(RESULT, answer(200, {**state("COMPLETED"), "data": data, "input": {"prompt": f"my key is {KEY}"}}))
    with Client(KEY, server.base) as client:
        found = client.get("gen_1")
    assert KEY not in repr((found, found.raw, found.videos, found.input))
    assert found.input == {"prompt": "my key is <key>"}


def test_a_key_that_looks_like_data_does_not_change_the_data(mode: str, server: Scripted) -> None:
    video = {"videos": [{"url": "https://cdn.example/test/v.mp4"}]}
    for key, name in (("test", "gen_test_1"), ("e", "gen_test_2")):
        told = {"id": name, "status": "COMPLETED", "data": video, "input": {"prompt": "test"}}
        server.replace(STREAM, events(told))
        found = use(mode, server.base, lambda client: client.generate(Payload(prompt="test")), api_key=key)
        assert (found.id, found.videos[0].url) == (name, "https://cdn.example/test/v.mp4")
        assert found.input == {"prompt": "test"}


def test_a_key_given_as_the_address_is_not_shown() -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        Client("https://skills.video", KEY)
    assert KEY not in str(caught.value)


def test_an_abandoned_call_shows_no_key_in_its_traceback(server: Scripted) -> None:
    def refuse(_: object) -> None:
        raise KeyError

    server.on(STREAM, events(state("IN_QUEUE"), end=Drop))
    with Client(KEY, server.base) as client, pytest.raises(KeyError) as caught:
        client.generate(Payload(), on_state=refuse)
    assert KEY not in dump(caught.value)


def test_a_download_carries_neither_key_nor_cookies(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(RESULT, answer(200, state("COMPLETED"), Set_Cookie="session=abc; Path=/"))
    server.on("GET /api/v.mp4", answer(302, b"", Location="/api/w.mp4", Set_Cookie="other=abc; Path=/"))
    server.on("GET /api/w.mp4", answer(200, b"video", kind="video/mp4"))

    async def both(client: AsyncClient) -> None:
        await client.get("gen_1")
        await client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path)

    def work(client: Any) -> Any:
        if mode != "sync":
            return both(client)
        client.get("gen_1")
        return client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path)

    use(mode, server.base, work)
    for request in server.requests[1:]:
        assert not {"authorization", "cookie"} & set(request.headers)
        assert KEY not in str(request)


def test_a_download_with_the_users_own_client_takes_nothing_of_it_along(server: Scripted, tmp_path: Path) -> None:
    server.on("GET /api/v.mp4", answer(200, b"video", kind="video/mp4"))
    with httpx.Client(auth=("a", "b"), cookies={"c": "d"}, headers={"authorization": "e"}) as mine:
        use("sync", server.base, lambda c: c.download(MediaFile(f"{server.base}/v.mp4"), tmp_path), http_client=mine)
    assert not {"authorization", "cookie"} & set(server.requests[0].headers)


@pytest.mark.parametrize("kind", [Client, AsyncClient, ModelClient, AsyncModelClient])
def test_without_a_key_there_is_no_client(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKILLS_VIDEO_API_KEY", raising=False)
    with pytest.raises(errors.MissingAPIKey, match=r"https://skills\.video/dashboard/developer"):
        kind()


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(errors.MissingAPIKey) as caught:
        Client(key)
    assert key.strip() == "" or key not in str(caught.value)


def test_key_and_address_come_from_the_environment(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILLS_VIDEO_API_KEY", f" {KEY}\n")
    monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", server.base + "/")
    server.on(RESULT, answer(200, state("COMPLETED")))
    with ModelClient[Payload]() as client:
        fast_time(client)  # type: ignore[arg-type]
        client.get("gen_1")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


ADDRESSES = [
    "http://open.skills.video/api",
    "http://127.0.0.1@evil.example/",
    "http://127.0.0.1\\@evil.example/",
    "https://user:secret@skills.video",
    "ftp://127.0.0.1/",
    "https://",
    "https://skills.video/?a=b",
    "http://localhost.evil.example",
    "http://[::1",
    "https://skills.video:port",
    "https://skills video",
    "https://skills.video/a b",
    "https://skills.video/\x7f",
    "https://\ud800.video",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_address_is_https_or_this_machine(address: str) -> None:
    with pytest.raises(ValueError, match="base_url must be https"):
        Client(KEY, address)


@pytest.mark.parametrize(
    "address", ["https://skills.video/api", "http://localhost:1/", "http://127.0.0.7", "http://[::1]:8/x"]
)
def test_https_and_loopback_are_taken(address: str) -> None:
    assert repr(Client(KEY, address)) == f"Client({address.rstrip('/')!r})"


@pytest.mark.parametrize("key", [KEY.encode(), 5, ["x"]])
def test_a_key_that_is_no_text_is_refused_without_showing_it(key: Any) -> None:
    with pytest.raises(errors.MissingAPIKey) as caught:
        Client(key)
    assert KEY not in dump(caught.value)


def test_a_status_that_echoes_the_key_is_not_told(server: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(STREAM, answer(200, state(KEY))).on(RESULT, answer(200, state(KEY)))
    with pytest.raises(errors.GenerationTimeout) as caught:
        use("sync", server.base, lambda client: client.generate(Payload(), timeout=5))
    assert KEY not in dump(caught.value)
    assert KEY not in caplog.text


def test_a_key_that_is_a_word_of_the_platform_changes_no_status(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    assert use("sync", server.base, lambda client: client.generate(Payload()), api_key="COMPLETED").id == "gen_1"
