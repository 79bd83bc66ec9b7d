"""A thousand streams at once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.sandbox_callers import STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_callers import Caller

resource = pytest.importorskip("resource")
COUNT = 1000


@pytest.fixture
def many_files() -> None:
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * COUNT + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_streams_are_open_at_once(call_with: Callable[..., Caller]) -> None:
    sandbox = call_with(Sandbox(speed=0)).sandbox
    port = int(sandbox.origin.rpartition(":")[2])

    async def one(number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        body = json.dumps({"prompt": str(number)}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /api/v1{STREAM} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {sandbox.api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        await reader.readuntil(b'"IN_QUEUE"')
        return reader, writer

    async def all_at_once() -> list[bytes]:
        streams = await asyncio.gather(*map(one, range(COUNT)))
        assert len(sandbox.generations()) == COUNT
        assert {sandbox.status(generation.id) for generation in sandbox.generations()} == {"IN_QUEUE"}
        sandbox.advance(1)
        await asyncio.gather(*(reader.readuntil(b'"IN_PROGRESS"') for reader, _ in streams))
        sandbox.advance(20)
        rest = await asyncio.gather(*(reader.read() for reader, _ in streams))
        for _, writer in streams:
            writer.close()
        return rest

    rest = asyncio.run(all_at_once())
    assert all(b'"COMPLETED"' in end and end.endswith(b"\r\n0\r\n\r\n") for end in rest)
    prompts = {generation.sent["prompt"] for generation in sandbox.generations()}
    assert (len(prompts), sandbox.credits_charged) == (COUNT, 10 * COUNT)
