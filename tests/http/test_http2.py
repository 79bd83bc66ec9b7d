"""HTTP clients of the user's own that speak HTTP/2: calls share a connection, and none ends another's stream."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from skills_video_runtime.client import AsyncClient, Client
from tests.support.callers import Payload
from tests.support.scripted import KEY, frame, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skills_video_runtime.generations.states import Generation

EVENTS = [(b"content-type", b"text/event-stream")]
JSON = [(b"content-type", b"application/json")]


class Platform:
    """Speaks HTTP/2 alone. The end of a stream comes well after its last event, as others are under way."""

    def __init__(self) -> None:
        self.made = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}/api"
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.ready = threading.Event()

    async def serve(self) -> None:
        config = Config()
        config.bind, config.loglevel = [f"fd://{self.listener.fileno()}"], "ERROR"
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        await serve(self, config, shutdown_trigger=self.over.wait)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            self.ready.set()
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        while (await receive()).get("more_body"):
            pass
        if scope["method"] == "GET":
            body = json.dumps(state("COMPLETED", scope["path"].rpartition("/")[2])).encode()
            await send({"type": "http.response.start", "status": 200, "headers": JSON})
            await send({"type": "http.response.body", "body": body})
            return
        self.made += 1
        name = f"gen_{self.made}"
        await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        for word in ("IN_QUEUE", "COMPLETED"):
            await send({"type": "http.response.body", "body": frame(state(word, name)), "more_body": True})
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    made.thread.start()
    assert made.ready.wait(10)
    yield made
    made.loop.call_soon_threadsafe(made.over.set)
    made.thread.join(10)
    made.listener.detach()  # which hypercorn has closed


def test_a_stream_that_ends_does_no_harm_to_those_beside_it(platform: Platform) -> None:
    ends: list[Generation] = []
    with httpx.Client(http1=False, http2=True) as mine, Client(KEY, platform.base, http_client=mine) as client:
        for first in range(0, 48, 8):
            streams = [client.stream(Payload(prompt=f"number {number}")) for number in range(first, first + 8)]
            assert [next(stream).status for stream in streams] == ["IN_QUEUE"] * 8
            ends += [[*stream][-1] for stream in streams]
    assert {end.status for end in ends} == {"COMPLETED"}
    assert len({end.id for end in ends}) == platform.made == 48


def test_the_asynchronous_client_shares_a_connection_too(platform: Platform) -> None:
    async def main() -> set[str]:
        async with (
            httpx.AsyncClient(http1=False, http2=True) as mine,
            AsyncClient(KEY, platform.base, http_client=mine) as client,
        ):
            calls = (client.generate(Payload(prompt=f"number {number}")) for number in range(48))
            return {result.id for result in await asyncio.gather(*calls)}

    assert len(asyncio.run(main())) == platform.made == 48
