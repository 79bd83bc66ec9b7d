"""Many streams at once in one asyncio process.

Tells the seconds until all have their first state, the memory that each takes then (KiB), and the CPU seconds from
before the first is opened until all have ended, with a while of silence between.
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

import httpx
from httpx_sse import EventSource

from skills_video import AsyncClient, kling_v2_6

WHO, ADDRESS, COUNT, SILENCE = sys.argv[1:]
STREAMS = int(COUNT)
PATIENCE = 150.0  # seconds
URL = f"{ADDRESS}/idle"
payload = kling_v2_6.TextImageToVideo(prompt="neon rain")


class Opened:
    """Counts the streams that have their first state."""

    def __init__(self) -> None:
        self.count = 0
        self.all = asyncio.Event()

    def one_more(self) -> None:
        """Count one."""
        self.count += 1
        if self.count == STREAMS:
            self.all.set()


async def ours(client: AsyncClient, opened: Opened) -> None:
    """Follow a generation."""
    first = True

    def told(_: object) -> None:
        nonlocal first
        if first:
            first = False
            opened.one_more()

    result = await client.generate(payload, on_state=told)
    assert result.status == "COMPLETED"


async def bare(client: httpx.AsyncClient, opened: Opened) -> None:
    """Do the same with httpx and httpx-sse alone."""
    first = True
    async with client.stream("POST", f"{URL}/generation/sse/kling-ai/kling-v2.6", json=payload.to_dict()) as response:
        async for event in EventSource(response).aiter_sse():
            state = json.loads(event.data)
            if first:
                first = False
                opened.one_more()
    assert state["status"] == "COMPLETED"


def resident() -> int:
    """Give the resident set in bytes (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def main() -> None:
    """Open all, be silent, and end all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < STREAMS + 50:
        sys.exit(f"{STREAMS} streams need more open files than the {hard} that are allowed here")
    if WHO == "ours":
        client = AsyncClient("a-key", URL, timeout=PATIENCE * 4)
        follow = ours
    else:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        headers = {"Authorization": "Bearer a-key"}
        client = httpx.AsyncClient(limits=limits, timeout=PATIENCE, headers=headers)
        follow = bare
    async with client, httpx.AsyncClient() as other:
        await other.post(f"{ADDRESS}/release/")
        await client.get("gen_1" if WHO == "ours" else f"{URL}/generation/gen_1")
        memory, cpu, wall = resident(), time.process_time(), time.perf_counter()
        opened = Opened()
        tasks = [asyncio.create_task(follow(client, opened)) for _ in range(STREAMS)]
        waiting = asyncio.create_task(opened.all.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        wall = time.perf_counter() - wall
        if opened.count < STREAMS:
            sys.exit(f"only {opened.count} streams of {STREAMS} were open after {wall:.0f} s")
        if not float(SILENCE):
            print(json.dumps({"opening": wall}), flush=True)
            os._exit(0)  # ending so many one by one takes as long again
        await asyncio.sleep(float(SILENCE))
        memory = resident() - memory
        await other.post(f"{ADDRESS}/release/")
        await asyncio.gather(*tasks)
    cpu = time.process_time() - cpu
    print(json.dumps({"opening": wall, "memory": memory / STREAMS / 1024, "cpu": cpu}))


asyncio.run(main())
