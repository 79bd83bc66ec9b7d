"""A cancelled task, a broken-off loop and a closed client leave no socket behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import anyio
import pytest
import trio

from skills_video_runtime.client import AsyncClient, Client
from tests.runtime.callers import Payload
from tests.runtime.scripted import (
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Hold,
    Scripted,
    answer,
    chunk,
    events,
    frame,
    state,
    stream_head,
)

BACKENDS = (asyncio.run, trio.run)
PLACES: dict[str, Any] = {
    "before the head": lambda hold: {STREAM: [hold]},
    "within the head": lambda hold: {STREAM: [stream_head()[:20], hold]},
    "within the stream": lambda hold: {STREAM: events(state("IN_QUEUE"), end=hold)},
    "within an event": lambda hold: {STREAM: [stream_head(), chunk(frame(state("IN_QUEUE"))[:9]), hold]},
    "within a body": lambda hold: {STREAM: [answer(200, state("IN_QUEUE"))[0][:-5], hold]},
    "while polling": lambda hold: {STREAM: answer(200, state("IN_QUEUE")), RESULT: [hold]},
    "while reconciling": lambda hold: {STREAM: answer(500, {}), RUNNING: [hold]},
}


@pytest.mark.parametrize("run", BACKENDS, ids=["asyncio", "trio"])
@pytest.mark.parametrize("place", PLACES)
def test_a_cancelled_task_leaves_no_socket_behind(run: Any, place: str, server: Scripted) -> None:
    hold = Hold()
    for route, reply in PLACES[place](hold).items():
        server.on(route, reply)

    async def main() -> None:
        async with AsyncClient(KEY, server.base) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.generate, Payload())
                await anyio.to_thread.run_sync(hold.reached.wait)
                group.cancel_scope.cancel()
            assert await anyio.to_thread.run_sync(server.wait_closed)
            assert not client._core.ledger._open

    run(main) if run is trio.run else run(main())


@pytest.mark.parametrize("run", BACKENDS, ids=["asyncio", "trio"])
def test_a_sleep_between_polls_is_cut_by_cancellation(run: Any, server: Scripted) -> None:
    server.on(RESULT, answer(200, state("IN_QUEUE")))

    async def main() -> None:
        async with AsyncClient(KEY, server.base, poll_interval=600) as client:
            with anyio.move_on_after(0.1) as scope:
                await client.wait("gen_1")
            assert scope.cancelled_caught

    run(main) if run is trio.run else run(main())


@pytest.mark.parametrize("run", BACKENDS, ids=["asyncio", "trio"])
def test_leaving_an_asynchronous_stream_closes_its_connection(run: Any, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), end=Hold()))

    async def main() -> None:
        async with AsyncClient(KEY, server.base) as client:
            async with aclosing(client.stream(Payload())) as states:
                async for _ in states:
                    break
            assert await anyio.to_thread.run_sync(server.wait_closed)

    run(main) if run is trio.run else run(main())


def test_leaving_a_stream_closes_its_connection(server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), end=Hold()))
    with Client(KEY, server.base) as client:
        for _ in client.stream(Payload()):
            break
        assert server.wait_closed()


def test_an_exception_of_on_state_ends_the_call_and_closes_its_connection(server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), end=Hold()))

    def refuse(_: object) -> None:
        raise KeyError

    with Client(KEY, server.base) as client:
        with pytest.raises(KeyError):
            client.generate(Payload(), on_state=refuse)
        assert server.wait_closed()


def test_a_closed_client_has_no_connections(server: Scripted) -> None:
    server.on(RESULT, answer(200, state("COMPLETED")))
    with Client(KEY, server.base) as client:
        client.get("gen_1")
        assert server.open
    assert server.wait_closed()


def test_an_asynchronous_on_state_is_awaited(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    seen: list[str] = []

    async def main() -> None:
        async def note(generation: Any) -> None:
            await asyncio.sleep(0)
            seen.append(generation.status)

        async with AsyncClient(KEY, server.base) as client:
            await client.generate(Payload(), on_state=note)

    asyncio.run(main())
    assert seen == ["COMPLETED"]


def test_a_synchronous_client_refuses_what_it_would_have_to_await(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))

    async def note(_: object) -> None:
        await asyncio.sleep(0)

    with Client(KEY, server.base) as client, pytest.raises(RuntimeError, match="cannot await"):
        client.generate(Payload(), on_state=note)
