"""Many generations at once: as many as the limit allows, each result as it ends, and nothing lost by leaving."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from contextlib import aclosing, suppress

import anyio
import pytest

from skills_video import AsyncClient, Client, google_veo_3_1
from skills_video_runtime import errors
from skills_video_runtime.sandbox import Sandbox
from tests.support.callers import Payload
from tests.support.children import finished
from tests.support.interruptions import ForeignEnd, interrupt_as_a_thread_starts
from tests.support.scripted import KEY, STREAM, Hold, events, state

KINDS = ["threads", "asyncio", "trio"]


def payloads(count):
    for number in range(count):
        yield google_veo_3_1.Payload(prompt=f"neon rain {number}")


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


def results_of(kind, sandbox, given, *, at_most=None, journal=None, **options):
    """Give the results of one call, leaving after so many."""
    found = []
    if kind == "threads":
        with Client(sandbox.api_key, sandbox.url, poll_interval=0.05, journal=journal) as client:
            results = client.generate_many(given, **options)
            for result in results:
                found.append(result)
                if len(found) == at_most:
                    results.close()
        return found

    async def main():
        async with (
            AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05, journal=journal) as client,
            aclosing(client.generate_many(given, **options)) as results,
        ):
            async for result in results:
                found.append(result)
                if len(found) == at_most:
                    break

    anyio.run(main, backend=kind)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_payload_has_its_result(kind, sandbox):
    found = results_of(kind, sandbox, payloads(20), limit=4)
    assert sorted(result.index for result in found) == list(range(20))
    sent = {made.id: made.sent["prompt"] for made in sandbox.generations()}
    for result in found:
        assert sent[result.unwrap().id] == result.payload.prompt == f"neon rain {result.index}"
    assert sandbox.made() == 20


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_the_limit_is_under_way(kind, sandbox):
    most = []

    def watched():
        for payload in payloads(12):
            most.append(len([made for made in sandbox.generations() if sandbox.status(made.id) != "COMPLETED"]))
            yield payload

    assert len(results_of(kind, sandbox, watched(), limit=3)) == 12
    assert max(most) <= 3


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_results(kind, sandbox):
    sandbox.plan("", "failed:X:no", "redirect:https://example.org/")
    found = results_of(kind, sandbox, [*payloads(3), "no payload"], limit=1)
    assert [type(result.error) for result in found] == [
        type(None),
        errors.GenerationFailed,
        errors.InvalidRequest,
        TypeError,
    ]
    with pytest.raises(errors.GenerationFailed):
        found[1].unwrap()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_iterable_raises_comes_after_what_is_under_way(kind, sandbox):
    def broken():
        yield from payloads(3)
        raise OSError("row 4 cannot be read")

    seen = []

    def told():
        for number, payload in enumerate(broken()):
            seen.append(number)
            yield payload

    with pytest.raises(OSError, match="row 4"):
        results_of(kind, sandbox, told(), limit=8)
    assert sandbox.made() == len(seen) == 3
    assert {sandbox.status(made.id) for made in sandbox.generations()} == {"COMPLETED"}


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_leaves_early_finds_the_rest_in_the_journal(kind, sandbox, tmp_path):
    sandbox.plan("", *["slow:100000"] * 3)
    journal = tmp_path / "jobs.db"
    [first] = results_of(kind, sandbox, payloads(20), at_most=1, limit=4, journal=journal)
    made = sandbox.made()
    assert made <= 8
    sandbox.advance(100_000)
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.05, journal=journal) as client:
        recovered = {entry.generation.id for entry in client.recover()}
    assert recovered == {item.id for item in sandbox.generations()} - {first.generation.id}
    assert sandbox.made() == made


def test_interrupted_threads_end_at_once_and_are_told(sandbox):
    sandbox.plan(*["slow:100000"] * 3)

    def interrupted():
        yield from payloads(3)
        while sandbox.made() < 3:
            threading.Event().wait(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        results_of("threads", sandbox, interrupted(), limit=8)
    notes = caught.value.__notes__
    assert len(notes) == sandbox.made() == 3
    assert all("gen_" in note or "not known whether" in note for note in notes)


def test_interrupted_as_a_thread_starts_its_id_is_told(server, monkeypatch):
    slow = Hold()
    server.on(STREAM, [slow, *events(state("IN_QUEUE"))])
    interrupt_as_a_thread_starts(monkeypatch, slow)
    with Client(KEY, server.base) as client, pytest.raises(KeyboardInterrupt) as caught:
        list(client.generate_many([Payload()]))
    assert caught.value.__notes__ == ["Generation gen_1 may go on: client.wait('gen_1') takes it up."]


async def cancelled(results, all_made):
    async with anyio.create_task_group() as group:
        group.start_soon(consumed, results)
        await all_made()
        group.cancel_scope.cancel()


async def cancelled_task(results, all_made):
    task = asyncio.create_task(consumed(results))
    await all_made()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert len(caught.value.__notes__) == 3


async def consumed(results):
    async for _ in results:
        pass


async def left_by_an_error(results, all_made):
    with suppress(ZeroDivisionError):
        async with aclosing(results):
            async for _ in results:
                await all_made()
                raise ZeroDivisionError


async def abandoned(results, all_made):
    async for _ in results:
        await all_made()
        break
    del results
    gc.collect()


LEAVINGS = [
    pytest.param(kind, leaving, id=f"{leaving.__name__} {kind}")
    for kind in ("asyncio", "trio")
    for leaving in (cancelled, cancelled_task, left_by_an_error, abandoned)
    if leaving is not cancelled_task or kind == "asyncio"
]


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # of trio, for who abandons one
@pytest.mark.parametrize(("kind", "leaving"), LEAVINGS)
def test_whoever_leaves_tasks_is_told_of_each_that_goes_on(kind, leaving, sandbox, caplog):
    if leaving in {left_by_an_error, abandoned}:
        sandbox.plan("")  # for which the loop is entered
    sandbox.plan(*["slow:100000"] * 3)

    def come(things, count):
        while len(things()) < count:
            threading.Event().wait(0.002)

    async def all_made():
        await anyio.to_thread.run_sync(come, sandbox.generations, 3)

    async def main():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
            await leaving(client.generate_many(payloads(3)), all_made)
            await anyio.to_thread.run_sync(come, lambda: caplog.messages, 2)

    anyio.run(main, backend=kind)
    going_on = {made.id for made in sandbox.generations() if sandbox.status(made.id) != "COMPLETED"}
    expected = sorted(f"Generation {name} may go on: client.wait({name!r}) takes it up." for name in going_on)
    assert len(expected) >= 2
    assert sorted(caplog.messages) == expected


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_an_id_that_comes_as_tasks_are_left_is_told(kind, server, caplog):
    slow = Hold()
    server.on(STREAM, [slow, *events(state("IN_QUEUE"))])

    async def main():
        async with AsyncClient(KEY, server.base) as client, anyio.create_task_group() as group:
            group.start_soon(consumed, client.generate_many([Payload()]))
            await anyio.to_thread.run_sync(slow.reached.wait)
            group.cancel_scope.cancel()
            slow.go.set()

    anyio.run(main, backend=kind)
    assert caplog.messages == ["Generation gen_1 may go on: client.wait('gen_1') takes it up."]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_hook_ends_all_by_is_raised_as_it_is(kind, sandbox, caplog):
    sandbox.plan(*["slow:100000"] * 3)

    def hook(event):
        if event.index == 1:
            raise ForeignEnd

    with pytest.raises(ForeignEnd) as caught:
        results_of(kind, sandbox, payloads(3), limit=3, on_event=hook)
    ids = {made.id for made in sandbox.generations()}
    told = caught.value.__notes__
    assert len(told) == len(ids) == len(caplog.messages) + 1  # its own is in the error alone
    assert all(any(f"client.wait('{name}')" in note for note in told) for name in ids)


def test_ids_are_waited_for_however_often_a_task_of_asyncio_is_cancelled(server, caplog):
    slow = Hold()
    server.on(STREAM, [slow, *events(state("IN_QUEUE"))])

    async def main():
        async with AsyncClient(KEY, server.base) as client:
            task = asyncio.create_task(consumed(client.generate_many([Payload()])))
            await anyio.to_thread.run_sync(slow.reached.wait)
            for _ in range(20):
                task.cancel()
                await asyncio.sleep(0)
            slow.go.set()
            with pytest.raises(asyncio.CancelledError):
                await task

    anyio.run(main)
    assert caplog.messages == ["Generation gen_1 may go on: client.wait('gen_1') takes it up."]


def test_ctrl_c_ends_the_caller_and_no_task_that_has_posted(sandbox, caplog):
    sandbox.plan("slow:100000")
    hit = []

    pressed = iter([signal.SIGINT])

    def hook(_):
        try:
            for number in pressed:  # once, as a second one ends the wait for ids
                signal.raise_signal(number)
        except KeyboardInterrupt:
            hit.append("the task")
            raise

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            results_of("trio", sandbox, payloads(1), on_event=hook)
    finally:
        signal.signal(signal.SIGINT, before)
    assert hit == []
    assert caplog.messages == ["Generation gen_000001 may go on: client.wait('gen_000001') takes it up."]


LATE = """
import asyncio, sys
from skills_video import AsyncClient, google_veo_3_1

async def main():
    async def late():
        async for _ in client.generate_many([google_veo_3_1.Payload(prompt="rain")]):
            pass

    client = AsyncClient("key-0123456789", "http://127.0.0.1:1")
    task = asyncio.create_task(late())
    await asyncio.sleep(0)
    if sys.argv[1] == "all":
        for other in asyncio.all_tasks() - {asyncio.current_task()}:
            other.cancel()
        await asyncio.wait([task])

asyncio.run(main())
"""


@pytest.mark.parametrize("ends", ["loop", "all"])
def test_a_loop_that_ends_as_many_are_begun_ends(ends):
    done = finished([sys.executable, "-c", LATE, ends], encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_each_generation_is_told_where_hooks_end_several_threads(sandbox, caplog):
    together = threading.Barrier(3)

    def hook(event):
        if event.status == "COMPLETED":
            together.wait()
            raise SystemExit(event.generation.id)

    with pytest.raises(SystemExit) as caught:
        results_of("threads", sandbox, payloads(3), limit=3, on_event=hook)
    told = f"{caught.value} {caught.value.__notes__}"
    assert all(f"client.wait('{made.id}')" in told for made in sandbox.generations())
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_leaves_is_told_of_no_more_than_was_sent(kind, sandbox, caplog):
    results_of(kind, sandbox, payloads(2), at_most=1, limit=1)
    assert [line for line in caplog.messages if "gen_" not in line] == []


@pytest.mark.parametrize("limit", [0, -1, 100, 1.5, True, "8", None])
@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_is_none(kind, limit, sandbox):
    with pytest.raises(ValueError, match="limit is from 1 to 99"):
        results_of(kind, sandbox, payloads(1), limit=limit)
    assert sandbox.made() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_iterable(kind, sandbox):
    with pytest.raises(TypeError, match="payloads"):
        results_of(kind, sandbox, google_veo_3_1.Payload(prompt="x"))
    assert sandbox.made() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_journal_that_another_client_holds_is_told_in_each_result(kind, sandbox, tmp_path):
    journal = tmp_path / "jobs.db"
    with Client(sandbox.api_key, sandbox.url, journal=journal) as holder:
        holder.history()
        found = results_of(kind, sandbox, payloads(3), journal=journal)
    assert [type(result.error) for result in found] == [errors.JournalUnavailable] * 3
    assert sandbox.made() == 0


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "8"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_time_that_is_none(kind, timeout, sandbox):
    with pytest.raises(ValueError, match="timeout must be"):
        results_of(kind, sandbox, payloads(1), timeout=timeout)
    assert sandbox.made() == 0
