"""Headers of the caller's own, the library's name, and a key that a function gives, in what really is sent."""

from __future__ import annotations

import logging
import traceback
from functools import partial
from typing import Any

import httpx
import pytest

from skills_video_runtime import __version__, errors
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.generations.retry import RetryPolicy
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, RESULT, RUNNING, STREAM, Drop, Scripted, answer, events, state

OURS = f"skills-video/{__version__}"
AGENT = "user-agent"


def make(client: Any) -> Any:
    return client.generate(Payload())


def sent(server: Scripted, name: str) -> list[str | None]:
    return [request.headers.get(name) for request in server.requests]


def test_every_request_tells_the_library_and_the_callers_headers(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"))).on(RESULT, answer(200, state("COMPLETED")))
    use(mode, server.base, make, headers={"X-Team": "films", "traceparent": "00-1-2-01"})
    assert sent(server, AGENT) == [OURS, OURS]
    assert sent(server, "x-team") == ["films", "films"]
    assert sent(server, "traceparent") == ["00-1-2-01"] * 2
    assert sent(server, "authorization") == [f"Bearer {KEY}"] * 2


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [({}, None, OURS), ({"User-Agent": "films/1"}, None, "films/1"), ({"User-Agent": "a"}, {"user-agent": "b"}, "b")],
)
def test_an_http_client_of_ones_own_keeps_the_name_that_its_owner_gave_it(
    server: Scripted, theirs: dict[str, str], ours: dict[str, str] | None, told: str
) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    with httpx.Client(headers=theirs, auth=("somebody", "else")) as mine:
        use("sync", server.base, make, http_client=mine, headers=ours)
    assert (sent(server, AGENT), sent(server, "authorization")) == ([told], [f"Bearer {KEY}"])


def test_who_is_asked_for_a_file_is_told_the_name_alone(mode: str, server: Scripted, tmp_path: Any) -> None:
    server.on("GET /v.mp4", answer(200, b"video", kind="video/mp4"))
    from skills_video_runtime.generations.states import MediaFile  # noqa: PLC0415

    media = MediaFile(f"{server.base.removesuffix('/api')}/v.mp4")
    use(mode, server.base, lambda client: client.download(media, tmp_path), headers={"X-Team": "films"})
    assert (sent(server, AGENT), sent(server, "x-team"), sent(server, "authorization")) == ([OURS], [None], [None])


@pytest.mark.parametrize(
    ("headers", "kind", "named"),
    [
        (["X-Team"], TypeError, "mapping"),
        ("X-Team: films", TypeError, "mapping"),
        ({"X-Team": 1}, TypeError, "X-Team"),
        ({b"X-Team": "films"}, TypeError, "X-Team"),
        ({"": "films"}, ValueError, "name"),
        ({"X Team": "films"}, ValueError, "X Team"),
        ({"X-Team:": "films"}, ValueError, "X-Team:"),
        ({"X-Tëam": "films"}, ValueError, "X-T"),
        ({"X-Team": "secret\r\nX-Other: 1"}, ValueError, "X-Team"),
        ({"X-Team": "secret\n"}, ValueError, "X-Team"),
        ({"X-Team": "secret\x00"}, ValueError, "X-Team"),
        ({"X-Team": " secret"}, ValueError, "X-Team"),
        ({"X-Team": "secret\u0142"}, ValueError, "X-Team"),
        ({"X-Team": "a", "x-team": "b"}, ValueError, "twice"),
        *(
            ({name: "secret"}, ValueError, name)
            for name in ("Authorization", "HOST", "content-length", "Last-Event-ID")
        ),
    ],
)
@pytest.mark.parametrize("kind_of_client", [Client, AsyncClient])
def test_what_can_be_no_header_or_is_the_clients_own_is_refused_at_once(
    kind_of_client: Any, headers: Any, kind: type[Exception], named: str
) -> None:
    with pytest.raises(kind, match="headers") as caught:
        kind_of_client(KEY, "https://platform.example", headers=headers)
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)


def rotating(mode: str, keys: list[str]) -> Any:
    given = iter(keys)

    async def ask() -> str:
        return next(given)

    return given.__next__ if mode == "sync" else ask


def test_a_function_is_asked_for_the_key_once_for_each_request(mode: str, server: Scripted) -> None:
    keys = ["first-key-of-all", "second-key-of-all"]
    server.on(STREAM, events(state("IN_QUEUE"))).on(RESULT, answer(200, state("COMPLETED")))
    use(mode, server.base, make, api_key=rotating(mode, keys))
    assert sent(server, "authorization") == [f"Bearer {key}" for key in keys]


def test_an_asynchronous_client_takes_a_plain_function_too(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    use("asyncio", server.base, make, api_key=lambda: KEY)
    assert sent(server, "authorization") == [f"Bearer {KEY}"]


def test_no_key_of_a_function_is_shown_be_it_an_earlier_one(
    mode: str, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "skills_video")
    keys = ["first-key-of-all", "second-key-of-all"]
    server.on(STREAM, events(state("IN_QUEUE"))).on(RESULT, answer(400, {"message": f"no {keys[0]}, no {keys[1]}"}))
    with pytest.raises(errors.InvalidRequest) as caught:
        use(mode, server.base, make, api_key=rotating(mode, keys))
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(caught.value))
    assert "no <key>, no <key>" in shown
    assert not any(key in shown for key in keys)


def broken() -> str:
    raise RuntimeError("the vault is shut")


GIVERS: dict[str, Any] = {
    "raises": broken,
    "none": lambda: None,
    "bytes": lambda: b"sk-secret",
    "empty": lambda: " ",
    "two lines": lambda: "sk-secret\r\nX-Other: 1",
    "no ASCII": lambda: "sk-ключ-0123",
}


@pytest.mark.parametrize("name", GIVERS)
def test_nothing_is_sent_where_a_function_gives_no_key(mode: str, name: str, server: Scripted, tmp_path: Any) -> None:
    journal = tmp_path / "jobs.db"
    with pytest.raises(errors.MissingAPIKey, match="api_key") as caught:
        use(mode, server.base, make, api_key=GIVERS[name], journal=journal)
    assert (server.requests, caught.value.retryable) == ([], False)
    assert "sk-" not in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError if name == "raises" else type(None))
    assert use(mode, server.base, lambda client: client.recover(), journal=journal) == []


@pytest.mark.parametrize("text", ["the vault is shut", f"no key after {KEY}"])
def test_what_a_function_raises_shows_no_key_that_it_gave(mode: str, text: str, server: Scripted) -> None:
    def ask() -> str:
        held = KEY  # as frames hold it
        if server.requests:
            raise RuntimeError(text) from ValueError(f"locked, {len(held)}")
        return held

    server.on(STREAM, events(state("IN_QUEUE")))
    with pytest.raises(errors.MissingAPIKey) as caught:
        use(mode, server.base, make, api_key=ask)
    cause = caught.value.__cause__
    told = [] if cause is None else [(str(link), link.__traceback__) for link in (cause, cause.__cause__)]
    assert told == ([] if KEY in text else [(text, None), (f"locked, {len(KEY)}", None)])
    assert caught.value.generation_id == "gen_1"


def test_a_key_that_fails_later_leaves_the_id(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE")))
    with pytest.raises(errors.MissingAPIKey) as caught:
        use(mode, server.base, make, api_key=rotating(mode, [KEY]))
    assert (caught.value.generation_id, len(server.requests)) == ("gen_1", 1)


def test_a_lost_post_is_uncertain_where_the_key_fails_after_it(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Drop])
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, make, api_key=rotating(mode, [KEY]))
    assert server.count(STREAM) == 1


def test_a_synchronous_client_refuses_what_it_would_have_to_await(server: Scripted) -> None:
    async def ask() -> str:
        return KEY

    async def ask_of(vault: str) -> str:
        return vault

    for function in (ask, partial(ask_of, "secret")):
        with pytest.raises(TypeError, match="api_key") as caught:
            Client(function, server.base)
        assert "secret" not in str(caught.value)
    with pytest.raises(errors.MissingAPIKey, match="api_key"):
        use("sync", server.base, make, api_key=lambda: ask())  # noqa: PLW0108  # which is no asynchronous function
    assert server.requests == []


def test_a_journal_takes_the_keys_of_a_function_for_one(mode: str, server: Scripted, tmp_path: Any) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE"))).on(RESULT, answer(200, state("COMPLETED")))
    server.on(RUNNING, answer(200, []))
    journal = tmp_path / "jobs.db"
    use(mode, server.base, lambda client: client.submit(Payload()), api_key=lambda: "first-key", journal=journal)
    [other] = use(mode, server.base, lambda client: client.recover(), journal=journal)
    assert isinstance(other.error, errors.RecordUnusable)  # a single key is another one
    [same] = use(mode, server.base, lambda client: client.recover(), api_key=lambda: "second-key", journal=journal)
    assert same.generation is not None
    assert b"first-key" not in journal.read_bytes()


def test_a_function_is_asked_again_for_a_repeated_request(server: Scripted) -> None:
    server.on(STREAM, answer(429, {}), events(state("COMPLETED")))
    keys = rotating("sync", ["first-key-of-all", "second-key-of-all"])
    use("sync", server.base, make, api_key=keys, retry=RetryPolicy())
    assert sent(server, "authorization") == ["Bearer first-key-of-all", "Bearer second-key-of-all"]
