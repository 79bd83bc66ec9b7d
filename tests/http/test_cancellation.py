"""A cancelled task, a broken-off loop and a closed client leave no socket behind."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
import types
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio

from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.errors import ConnectionFailed, JournalUnavailable
from skills_video_runtime.testing import IOProxy, fast_time, forget_generations, is_idle, replace_io
from tests.support.callers import Payload, use
from tests.support.children import PATIENCE
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
    from collections.abc import Callable, Coroutine, Generator
    from pathlib import Path

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
            idle = int(place.startswith("while"))  # that of the post, whose answer was read whole
            assert await anyio.to_thread.run_sync(server.wait_closed, idle)
            assert is_idle(client)

    run(main) if run is trio.run else run(main())
    assert server.wait_closed()


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

    async def note() -> None:
        await asyncio.sleep(0)

    with Client(KEY, server.base) as client, pytest.raises(RuntimeError, match="cannot await"):
        client.generate(Payload(), on_state=lambda _: note())


def whole_life(server: Scripted) -> None:
    """Let a generation go through everything but an end in doubt."""
    server.rewind()
    if not server.requests:
        server.on(STREAM, answer(429, {}), answer(500, {}), events(state("IN_QUEUE"), end=Drop))
        server.on(RUNNING, answer(200, []))
        server.on(RESULT, answer(200, state("IN_PROGRESS")), answer(503, {}), answer(200, state("COMPLETED")))


@types.coroutine
def cut(work: Coroutine[Any, Any, Any], left: int, cancel: Callable[[], object]) -> Generator[Any, Any, bool]:
    """Await work, cancelled as it waits for the given time; tell whether it came to its end."""
    resume: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            trap = resume()
        except StopIteration:
            return True
        left -= 1
        if left == 0:
            cancel()
        try:
            resume = partial(work.send, (yield trap))
        except BaseException as error:  # noqa: BLE001  # it is the work's
            resume = partial(work.throw, error)


@pytest.mark.parametrize("run", BACKENDS, ids=["asyncio", "trio"])
def test_a_task_may_be_cancelled_wherever_it_waits(run: Any, server: Scripted) -> None:
    async def main() -> int:
        for waits in range(1, 1000):
            whole_life(server)
            async with AsyncClient(KEY, server.base) as client:
                fast_time(client)
                forget_generations(client)
                with anyio.CancelScope() as scope:
                    if await cut(client.generate(Payload()), waits, scope.cancel):
                        return waits
                assert is_idle(client), waits
            assert await anyio.to_thread.run_sync(server.wait_closed), waits
        raise AssertionError

    waits: int = run(main) if run is trio.run else run(main())
    assert waits > 20


class Interrupted(IOProxy):
    """Ctrl-C at one of the looks at the clock."""

    def __init__(self, io: Any, at: int) -> None:
        super().__init__(io)
        self.left = at

    def now(self) -> float:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return float(self.io.now())


def test_ctrl_c_at_any_look_at_the_clock_leaves_nothing_behind(server: Scripted) -> None:
    done = looks = 0
    while not done:
        whole_life(server)
        looks += 1
        with Client(KEY, server.base) as client:
            fast_time(client)
            forget_generations(client)
            replace_io(client, partial(Interrupted, at=looks))
            with suppress(KeyboardInterrupt):
                client.generate(Payload())
                done = True
            assert is_idle(client), looks
    assert looks > 20
    assert server.wait_closed()


def test_on_state_may_use_the_client_and_close_it(server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), end=Hold())).on(RESULT, answer(200, state("IN_PROGRESS")))
    client, seen = Client(KEY, server.base), []

    def interfere(_: object) -> None:
        seen.append(client.get("gen_1").status)
        client.close()
        client.close()

    with pytest.raises(ConnectionFailed, match="closed") as caught:
        client.generate(Payload(), on_state=interfere)
    assert (seen, caught.value.generation_id) == (["IN_PROGRESS"], "gen_1")
    assert is_idle(client)
    assert server.wait_closed()


def test_a_generation_is_given_whose_client_was_closed_with_its_journal(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), state("COMPLETED")))
    journal = tmp_path / "j"

    def work(client: Any) -> Any:
        return client.generate(Payload(), on_state=lambda told: told.is_finished and client.close())

    assert use(mode, server.base, work, journal=journal).id == "gen_1"
    assert server.wait_closed()
    with Client(KEY, server.base, journal=journal) as again:
        server.on(RESULT, answer(200, state("COMPLETED")))
        assert [item.generation and item.generation.id for item in again.recover()] == ["gen_1"]


def test_a_closed_client_opens_no_journal(server: Scripted, tmp_path: Path) -> None:
    client = Client(KEY, server.base, journal=tmp_path / "j")
    client.close()
    with pytest.raises(ConnectionFailed, match=r"the client is closed\. Make a new client\.$"):
        client.submit(Payload())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")  # the server has threads
def test_a_forked_child_shares_no_connection_with_its_parent(server: Scripted, tmp_path: Path) -> None:
    server.on(RESULT, answer(200, state("COMPLETED"))).on(CREATE, answer(200, state("IN_QUEUE")))
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        assert client.recover() == []
        client.get("gen_1")
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE)
            status = 1
            try:
                client.get("gen_1")
                with pytest.raises(JournalUnavailable):
                    client.submit(Payload())
                status = 0
            except BaseException:  # noqa: BLE001  # a child has no other way to tell
                traceback.print_exc()
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.get("gen_1")
    assert server.accepted == 2
    assert server.wait_closed()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")  # the server has threads
def test_a_forked_child_that_closes_its_copy_leaves_the_parent_alone(server: Scripted) -> None:
    hold = Hold()
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE"))), hold, chunk(frame(state("COMPLETED")))])
    with Client(KEY, server.base) as client:
        states = client.stream(Payload())
        assert next(states).status == "IN_QUEUE"
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE)
            client.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        hold.go.set()
        assert [state.status for state in states] == ["COMPLETED"]
    assert server.count(RESULT) == 0
