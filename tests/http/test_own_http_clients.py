"""An HTTP client of the user's own, whatever it brings along: transports without sockets, event hooks, proxies."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.testing import fast_time, forget_generations
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
    from collections.abc import Callable

BASE = "https://platform.example/api"
STATES = [state("IN_QUEUE"), state("IN_PROGRESS"), state("COMPLETED")]
EVENTS = {"content-type": "text/event-stream"}


def own(mode: str, server: Scripted, work: Callable[[Any], Any], **options: Any) -> Any:
    """Do work with a client over one of the user's own, which is closed afterwards."""
    if mode == "sync":
        with httpx.Client(**options) as mine:
            return use(mode, server.base, work, http_client=mine)
    hooks = options.pop("event_hooks", {})

    def awaitable(hook: Callable[[Any], Any]) -> Any:
        async def call(response: Any) -> None:
            await response.aread() if hook is read else hook(response)

        return call

    hooks = {name: [awaitable(hook) for hook in given] for name, given in hooks.items()}

    async def main() -> Any:
        async with (
            httpx.AsyncClient(event_hooks=hooks, **options) as mine,
            AsyncClient(KEY, server.base, http_client=mine) as client,
        ):
            fast_time(client)
            return await work(client)

    return anyio.run(main, backend=mode)


def read(response: httpx.Response) -> None:
    response.read()


def refuse(response: httpx.Response) -> None:
    response.raise_for_status()


def platform(request: httpx.Request) -> httpx.Response:
    if request.method == "POST":
        return httpx.Response(200, headers=EVENTS, content=b"".join(frame(state) for state in STATES))
    return httpx.Response(200, json=[] if request.url.path.endswith("/running") else state("COMPLETED"))


def test_a_transport_that_has_read_its_answers_is_read_again() -> None:
    with httpx.Client(transport=httpx.MockTransport(platform)) as mine, Client(KEY, BASE, http_client=mine) as client:
        assert [state.status for state in client.stream(Payload())] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
        assert client.get("gen_1").status == "COMPLETED"
        assert client.running() == []


async def application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    status = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
    await send(status)
    for each in STATES:
        await send({"type": "http.response.body", "body": frame(each), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("transport", [httpx.MockTransport(platform), httpx.ASGITransport(application)])
def test_an_asynchronous_transport_without_sockets_is_as_good(backend: str, transport: Any) -> None:
    async def main() -> Any:
        async with httpx.AsyncClient(transport=transport) as mine, AsyncClient(KEY, BASE, http_client=mine) as client:
            forget_generations(client)
            return await client.generate(Payload())

    assert anyio.run(main, backend=backend).status == "COMPLETED"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_transport_that_knows_no_time_outs_outlasts_no_deadline(backend: str) -> None:
    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep_forever()

    async def main() -> Any:
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(hang)) as mine,
            AsyncClient(KEY, BASE, http_client=mine) as client,
        ):
            await client.generate(Payload(), timeout=0.2)

    begun = time.monotonic()
    with pytest.raises(errors.SubmissionUncertain):
        anyio.run(main, backend=backend)
    assert time.monotonic() - begun < 2


def test_an_event_hook_may_read_the_answers(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(*STATES)).on(RESULT, answer(200, state("COMPLETED")))
    done = own(mode, server, lambda client: client.generate(Payload()), event_hooks={"response": [read]})
    assert done.status == "COMPLETED"


@pytest.mark.parametrize("hooks", [[refuse], [read, refuse]])
def test_an_event_hook_that_raises_for_a_status_takes_no_status_away(mode: str, server: Scripted, hooks: Any) -> None:
    server.on(STREAM, answer(429, {"message": "slow"}, Retry_After="3"), answer(404, {})).on(CREATE, answer(402, {}))
    with pytest.raises(errors.InsufficientCredits):
        own(mode, server, lambda client: client.generate(Payload()), event_hooks={"response": hooks})
    assert (server.count(STREAM), server.count(CREATE), server.count(RUNNING)) == (2, 1, 0)


def test_what_a_client_adds_to_its_requests_does_no_harm(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(*STATES))
    options = {"base_url": "https://elsewhere.example/v9", "auth": ("a", "b"), "cookies": {"c": "d"}}
    own(mode, server, lambda client: client.generate(Payload()), follow_redirects=True, **options)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_that_refuses_has_let_nothing_through() -> None:
    with Scripted() as proxy:
        proxy.on("CONNECT platform.example:443", answer(403, b"no"))
        with (
            httpx.Client(proxy=f"http://127.0.0.1:{proxy.port}") as mine,
            Client(KEY, BASE, http_client=mine, retry=RetryPolicy(2, 0, 0)) as client,
            pytest.raises(errors.ConnectionFailed),
        ):
            client.generate(Payload())
        assert len(proxy.requests) == 2
        assert KEY not in str(proxy.requests)


def test_a_closed_client_has_sent_nothing() -> None:
    mine = httpx.Client()
    mine.close()
    with Client(KEY, BASE, http_client=mine) as client, pytest.raises(errors.ConnectionFailed, match="closed"):
        client.generate(Payload())


def test_a_dropped_connection_of_such_a_client_is_in_doubt_too(mode: str, server: Scripted) -> None:
    server.on(STREAM, [Drop]).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        own(mode, server, lambda client: client.generate(Payload()))
    assert server.count(STREAM) == 1


def test_closing_an_asynchronous_client_wakes_a_call_that_waits_between_two_looks(server: Scripted) -> None:
    server.on(RESULT, answer(200, state("IN_QUEUE")))

    async def main() -> None:
        client, seen = AsyncClient(KEY, server.base, poll_interval=600), asyncio.Event()
        task = asyncio.create_task(client.wait("gen_1", on_state=lambda _: seen.set()))
        await seen.wait()
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(errors.ConnectionFailed) as caught:
            await asyncio.wait_for(task, 5)
        assert caught.value.generation_id == "gen_1"

    asyncio.run(main())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("lent", [False, True])
@pytest.mark.parametrize("place", ["for the head", "within a stream", "for a look"])
def test_closing_an_asynchronous_client_ends_its_calls_at_once(
    backend: str, place: str, server: Scripted, *, lent: bool
) -> None:
    hold = Hold()
    begun = [stream_head(), chunk(frame(state("IN_QUEUE"))), hold]
    server.on(STREAM, {"for the head": [hold], "within a stream": begun}.get(place, answer(200, state("IN_QUEUE"))))
    server.on(RESULT, [hold])
    ended: list[errors.SkillsVideoError] = []

    async def main() -> None:
        async with httpx.AsyncClient() as mine, anyio.create_task_group() as group:
            client, over = AsyncClient(KEY, server.base, http_client=mine if lent else None), anyio.Event()

            async def call() -> None:
                try:
                    await client.generate(Payload())
                except errors.SkillsVideoError as error:
                    ended.append(error)
                over.set()

            group.start_soon(call)
            await anyio.to_thread.run_sync(hold.reached.wait)
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(5):
                await client.close()
                await over.wait()

    anyio.run(main, backend=backend)
    if place == "for the head":
        assert isinstance(ended[0], errors.SubmissionUncertain)
    else:
        assert ended[0].generation_id == "gen_1"
    assert "closed" in str(ended[0])
