"""A loopback platform that does next to nothing: it answers clients and bare peers alike, in bytes made beforehand.

Its first path segment says how it answers: `/now/…` gives the three states of a stream one after the other at once,
`/paced/…` a few milliseconds apart, `/late/…` the same and leaves the stream open for a while after the last one,
`/idle/…` the first state, and the others to all streams at once after `POST /release`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import resource
import time
from itertools import count
from typing import ClassVar, cast

PACE = 0.005  # seconds between two states of a paced stream
OPEN = 0.1  # seconds for which a late stream stays open
FILE = {"url": "https://cdn.example.com/clip.mp4", "file_name": "clip.mp4", "content_type": "video/mp4"}
INPUT = {"prompt": "neon rain, slow dolly", "duration": 10, "aspect_ratio": "16:9"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
NO_ID = b"gen_00000000"
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def generation(status: str, **more: object) -> dict[str, object]:
    """Give a generation as the platform shows it."""
    done = status == "COMPLETED"
    data = {"type": "video", "n": 1, "videos": [FILE], "video": FILE} if done else None
    usage = {"total": 20, "subscription": 20, "permanent": 0}
    return {"id": "gen_1", "status": status, "input": INPUT, "data": data, "usage": usage, **more}


def event(status: str, **more: object) -> bytes:
    """Give an event as one chunk of a body, of a generation whose id is yet to be told."""
    data = b"data: " + json.dumps(generation(status, **more) | {"id": NO_ID.decode()}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


QUEUED, RUNNING, DONE = event("IN_QUEUE"), event("IN_PROGRESS"), event("COMPLETED")


class Platform(asyncio.Protocol):
    """One connection."""

    idle: ClassVar[set[Platform]] = set()
    numbers: ClassVar[count[int]] = count(1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self.data = b""
        self.name = NO_ID
        self.began = 0.0

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        self.idle.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer each request once it is there as a whole."""
        if not self.data:
            self.began = time.monotonic()
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self.data, 0, end)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self.data) < size:
                return
            path = self.data[: self.data.find(b" HTTP/")].split(b" ")[1]
            self.data = self.data[size:]
            self.answer(path)

    def answer(self, path: bytes) -> None:
        """Answer a request for a path."""
        _, mode, *_ = path.split(b"/")
        if b"/generation/sse/" not in path:
            if mode == b"release":
                for stream in self.idle:
                    stream.tell(RUNNING + DONE + END)
                self.idle.clear()
            body = json.dumps(generation("COMPLETED", received=self.began)).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self.transport.write(head + body)
            return
        loop = asyncio.get_running_loop()
        write = self.tell
        self.name = b"gen_%08d" % next(self.numbers)
        write(HEAD)
        if mode == b"now":
            for data in (QUEUED, RUNNING, DONE, END):
                loop.call_soon(write, data)
        elif mode == b"idle":
            self.idle.add(self)
            write(QUEUED)
        else:
            write(QUEUED)
            loop.call_later(PACE, write, RUNNING)
            loop.call_later(2 * PACE, self.finish, OPEN if mode == b"late" else 0.0)

    def tell(self, data: bytes) -> None:
        """Write what is told of the generation of this stream."""
        self.transport.write(data.replace(NO_ID, self.name))

    def finish(self, seconds: float) -> None:
        """Write the last state, which tells when that was, and then the end of the stream."""
        data = event("COMPLETED", written=time.monotonic())
        self.tell(data)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self.transport.write, END)
        else:
            self.transport.write(END)


async def main() -> None:
    """Serve on a free port, which is printed, until the end of the process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()
    server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", 0, backlog=8192)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
