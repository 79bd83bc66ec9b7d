"""A server that drips, stalls, packs or repeats outlasts no deadline and fills no memory."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.generations.states import Generation
from skills_video_runtime.http.exchange import MAX_ANSWER
from skills_video_runtime.payloads.file import File
from skills_video_runtime.testing import IOProxy, replace_io
from tests.support.callers import Payload, use
from tests.support.children import started
from tests.support.scripted import (
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Hold,
    Request,
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

    from skills_video_runtime.testing import FastTime

ROOT = Path(__file__).parents[2]
PATIENCE = 0.3


def dripping(begin: bytes, drop: bytes) -> Callable[[Request], Any]:
    def drip(_: Request) -> Any:
        yield begin
        while True:
            time.sleep(0.01)
            yield drop

    return drip


DRIPS = {
    "a head": dripping(b"HTTP/1.1 200 OK\r\n", b"X-Filler: 1\r\n"),
    "a line of a head": dripping(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"1"),
    "interim answers": dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nContent-Type: application/json\r\n\r\n", b" "),
}


@pytest.mark.parametrize("name", DRIPS)
def test_what_drips_is_cut_by_the_deadline(mode: str, name: str, server: Scripted) -> None:
    server.on(RESULT, DRIPS[name])
    begun = time.monotonic()
    with pytest.raises(errors.GenerationTimeout) as caught:
        use(mode, server.base, lambda client: client.wait("gen_1", timeout=PATIENCE))
    assert caught.value.generation_id == "gen_1"
    assert time.monotonic() - begun < PATIENCE + 1
    assert server.wait_closed()


@pytest.mark.parametrize("name", DRIPS)
def test_a_post_whose_answer_drips_ends_in_doubt_and_in_time(mode: str, name: str, server: Scripted) -> None:
    server.on(STREAM, DRIPS[name]).on(RUNNING, answer(200, []))
    begun = time.monotonic()
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, lambda client: client.generate(Payload(), timeout=PATIENCE))
    assert time.monotonic() - begun < PATIENCE + 1
    assert server.count(STREAM) == 1


def test_an_event_that_drips_is_left_in_time_to_poll(mode: str, server: Scripted) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + frame(state("IN_QUEUE")) + b"data: "
    server.on(STREAM, dripping(head, b"x")).on(RESULT, answer(200, state("COMPLETED")))
    assert use(mode, server.base, lambda client: client.generate(Payload(), timeout=3)).status == "COMPLETED"


FLOODS: dict[str, Callable[[int], Any]] = {
    "new states": lambda number: state(f"STEP_{number}"),
    "no states": lambda number: {"id": "gen_1", "number": number},
    "states of other generations": lambda number: state("IN_QUEUE", f"gen_{number}"),
    "no ids": lambda number: {"number": number},
}


def flooded(mode: str, server: Scripted, first: object, name: str, **options: Any) -> Any:
    """Generate in two minutes where a thousand events have come, each of which takes a second to be read."""
    server.on(STREAM, events(first, *map(FLOODS[name], range(2, 1000))), events(state("COMPLETED")))
    flights: list[FastTime] = []

    class Slow(IOProxy):
        async def next_event(self, *given: Any) -> Any:
            flights[0].ahead += 1
            return await self.io.next_event(*given)

    def work(client: Any) -> Any:
        replace_io(client, Slow)
        return client.generate(Payload(), timeout=120)

    try:
        return use(mode, server.base, work, flights, **options)
    finally:
        assert flights[0].ahead < 120


@pytest.mark.parametrize("name", FLOODS)
def test_a_stream_that_never_pauses_is_left_in_time_to_poll(mode: str, name: str, server: Scripted) -> None:
    server.on(RESULT, answer(200, state("COMPLETED")))
    assert flooded(mode, server, state("IN_QUEUE"), name).status == "COMPLETED"


def test_a_stream_that_never_pauses_and_tells_no_id_ends_in_doubt_and_in_time(mode: str, server: Scripted) -> None:
    server.on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain):
        flooded(mode, server, {"number": 1}, "no ids")


def test_what_is_posted_again_after_a_stream_that_never_pauses_is_read(mode: str, server: Scripted) -> None:
    server.on(RUNNING, answer(200, []))
    assert flooded(mode, server, {"number": 1}, "no ids", on_lost_submission="resubmit").status == "COMPLETED"


def test_states_without_number_are_not_kept(server: Scripted) -> None:
    states = [state(f"NUMBER_{number}") for number in range(500)]
    server.on(STREAM, events(state("IN_QUEUE"), *states, state("COMPLETED")))
    kept: list[int] = []

    def count_kept(told: Generation) -> None:
        if told.is_finished:
            held = [item for item in gc.get_objects() if isinstance(item, Generation)]
            kept.append(sum(item.status.startswith("NUMBER_") for item in held))

    with Client(KEY, server.base) as client:
        client.generate(Payload(), on_state=count_kept)
    assert kept[0] < 100


def test_ids_without_number_are_not_kept(server: Scripted) -> None:
    others = [state("IN_PROGRESS", f"gen_{number}") for number in range(2, 5000)]
    server.on(STREAM, events(state("IN_QUEUE"), *others)).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain, match="gen_1, and then knew of none") as caught:
        use("sync", server.base, lambda client: client.generate(Payload()))
    assert {"gen_1", "gen_4999"} <= set(caught.value.candidates)
    assert len(caught.value.candidates) < 2100


def test_the_end_that_has_come_while_a_hook_took_all_the_time_is_given(mode: str, server: Scripted) -> None:
    server.on(STREAM, [stream_head(), chunk(frame(state("IN_QUEUE")) + frame(state("COMPLETED"))), b"0\r\n\r\n"])
    flights: list[FastTime] = []

    def work(client: Any) -> Any:
        def dawdle(_: object) -> None:
            flights[0].ahead += 1000

        return client.generate(Payload(), on_state=dawdle)

    assert use(mode, server.base, work, flights).status == "COMPLETED"


def test_an_upload_to_a_server_that_hardly_reads_is_cut_by_the_deadline(mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        done = threading.Event()

        def sip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not done.wait(0.02):
                    connection.recv(512)

        thread = threading.Thread(target=sip)
        thread.start()
        payload = Payload(image=File(b"x" * 30_000_000, name="cat.png"))
        begun = time.monotonic()
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with pytest.raises(errors.SubmissionUncertain):
                use(mode, base, lambda client: client.generate(payload, timeout=PATIENCE))
            assert time.monotonic() - begun < PATIENCE + 1
        finally:
            done.set()
            thread.join()


PACKED = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_packed_although_nobody_asked_is_read_even_so(mode: str, encoding: str, server: Scripted) -> None:
    pack = PACKED[encoding]
    head = {"Content_Encoding": encoding}
    opened = answer(200, pack(frame(state("IN_QUEUE"))), kind="text/event-stream", **head)
    server.on(STREAM, opened).on(RESULT, answer(200, pack(json.dumps(state("COMPLETED")).encode()), **head))
    assert use(mode, server.base, lambda client: client.generate(Payload())).status == "COMPLETED"
    assert all(request.headers["accept-encoding"] == "identity" for request in server.requests)


def test_an_encoding_that_cannot_be_read_leaves_a_post_in_doubt(mode: str, server: Scripted) -> None:
    server.on(STREAM, answer(200, b"\x0b\x02\x80", Content_Encoding="br")).on(RUNNING, answer(200, []))
    with pytest.raises(errors.SubmissionUncertain, match="not asked for"):
        use(mode, server.base, lambda client: client.generate(Payload()))
    assert server.count(STREAM) == 1


@cache
def bomb() -> bytes:
    return gzip.compress(b" " * 2**28, 1)


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_an_answer_that_unpacks_without_end_fills_no_memory(mode: str, kind: str, server: Scripted) -> None:
    server.on(STREAM, answer(200, bomb(), kind=kind, Content_Encoding="gzip")).on(RUNNING, answer(200, []))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(errors.SubmissionUncertain):
        use(mode, server.base, lambda client: client.generate(Payload()))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 12 * MAX_ANSWER < 2**28


WAITS: dict[str, Callable[[Hold], dict[str, Any]]] = {
    "for the head": lambda hold: {STREAM: [hold]},
    "for an event": lambda hold: {STREAM: events(state("IN_QUEUE"), end=hold)},
    "for a look": lambda hold: {STREAM: answer(200, state("IN_QUEUE")), RESULT: [hold]},
}


@pytest.mark.parametrize("place", WAITS)
def test_closing_a_client_ends_its_calls_at_once_and_tells_the_id(place: str, server: Scripted) -> None:
    hold, seen, ended = Hold(), threading.Event(), []
    for route, reply in WAITS[place](hold).items():
        server.on(route, reply)
    client = Client(KEY, server.base)

    def generate() -> None:
        try:
            client.generate(Payload(), on_state=lambda _: seen.set())
        except errors.SkillsVideoError as error:
            ended.append(error)

    thread = threading.Thread(target=generate)
    thread.start()
    hold.reached.wait()
    assert place == "for the head" or seen.wait(5)
    client.close()
    thread.join(5)
    assert not thread.is_alive()
    assert "closed" in str(ended[0])
    if place == "for the head":
        assert isinstance(ended[0], errors.SubmissionUncertain)
    else:
        assert ended[0].generation_id == "gen_1"
    with pytest.raises(errors.ConnectionFailed, match="the client is closed"):
        client.get("gen_1")


def test_closing_a_client_wakes_a_call_that_waits_between_two_looks(server: Scripted) -> None:
    server.on(RESULT, answer(200, state("IN_QUEUE")))
    client, seen, ended = Client(KEY, server.base, poll_interval=600), threading.Event(), []

    def wait() -> None:
        try:
            client.wait("gen_1", on_state=lambda _: seen.set())
        except errors.SkillsVideoError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    seen.wait()
    client.close()
    thread.join(5)
    assert not thread.is_alive()
    assert ended[0].generation_id == "gen_1"


@pytest.mark.parametrize("place", WAITS)
def test_closing_an_asynchronous_client_ends_its_calls_and_tells_the_id(place: str, server: Scripted) -> None:
    hold = Hold()
    for route, reply in WAITS[place](hold).items():
        server.on(route, reply)

    async def main() -> BaseException | None:
        client, seen = AsyncClient(KEY, server.base), asyncio.Event()
        task = asyncio.create_task(client.generate(Payload(), on_state=lambda _: seen.set()))
        await asyncio.to_thread(hold.reached.wait)
        if place != "for the head":
            await seen.wait()
        await client.close()
        await asyncio.wait([task], timeout=5)
        return task.exception()

    error = asyncio.run(main())
    assert isinstance(error, errors.SkillsVideoError)
    assert "closed" in str(error).lower()
    assert place == "for the head" or error.generation_id == "gen_1"


CHILD = """
import sys
from skills_video_runtime import Client, Generation
base, folder = sys.argv[1:]
files = [f"{base}/{number}" for number in range(6)]
with Client("key", base) as client:
    try:
        client.download(Generation("g", "COMPLETED", {"data": {"videos": files}}), folder)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_ends_a_download_of_several_files_at_once_and_leaves_nothing(server: Scripted, tmp_path: Path) -> None:
    holds = [Hold() for _ in range(4)]
    for number, hold in enumerate(holds):
        begin = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000\r\n\r\nbegin"
        server.on(f"GET /api/{number}", [begin, hold])
    server.on("GET /api/4", answer(503)).on("GET /api/5", answer(503))
    arguments = [sys.executable, "-c", CHILD, server.base, str(tmp_path)]
    with started(arguments, cwd=ROOT, stderr=None) as child:
        for hold in holds:
            assert hold.reached.wait(30)
        os.kill(child.pid, signal.SIGINT)
        begun = time.monotonic()
        told, _ = child.communicate()
    assert told == "interrupted\n"
    assert time.monotonic() - begun < 20
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [(KEY, "http://example.com"), (f"{KEY}\n{KEY}",), (KEY, None)])
def test_a_constructor_that_fails_shows_no_key_in_its_frames(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, errors.MissingAPIKey)) as caught:
        Client(*arguments, timeout=-1)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame.locals for frame in shown.stack if "tests" not in Path(frame.filename).parts]
    assert frames
    assert KEY not in str(frames)
