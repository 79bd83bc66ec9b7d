"""Answers on the level of the connection: streams, silence, bodies cut short, connections that just close."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from enum import Enum
from typing import TYPE_CHECKING, Final, cast

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

_RESET: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, which hands its transport to the application so that it can close the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where requests find it, and send every frame at once."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


async def until_gone(receive: Receive) -> None:
    """Return when the client has left or the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def watching(receive: Receive) -> AsyncGenerator[asyncio.Task[None]]:
    """A task that is done when the client has left; it ends with the block."""
    gone = asyncio.create_task(until_gone(receive))
    try:
        yield gone
    finally:
        gone.cancel()


async def hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close the connection without finishing the answer: what was sent arrives, then TCP's FIN, or RST."""
    transport = cast("asyncio.Transport", scope["state"]["transport"])
    if reset:
        peer = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    else:
        transport.close()
    await until_gone(receive)


class HangUp(Response):
    """No answer at all: the connection closes."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Close."""
        await hang_up(scope, receive, reset=self._reset)


class Silence(Response):
    """No answer ever: the connection stays open until the client leaves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Wait."""
        await until_gone(receive)


class CutError(Exception):
    """The answer has reached the byte at which it is cut."""


class Writer:
    """Writes the body of an answer, in pieces and up to a byte where that is asked for.

    Args:
        send: ASGI's.
        cut: Bytes after which `CutError` is raised; None for no end.
        piece: Bytes in one piece; None for as much as there is.
    """

    def __init__(self, send: Send, *, cut: int | None = None, piece: int | None = None) -> None:
        self._send = send
        self._left = cut
        self._piece = piece

    async def write(self, data: bytes) -> None:
        """Send some of the body.

        Raises:
            CutError: The byte of the cut was reached.
        """
        whole = data if self._left is None else data[: self._left]
        step = self._piece or max(len(whole), 1)
        for start in range(0, len(whole), step):
            piece = whole[start : start + step]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._left is not None:
            self._left -= len(whole)
            if self._left <= 0:
                raise CutError


class CutShort(Response):
    """An ordinary answer whose body ends too early, with the connection.

    Args:
        whole: The answer; its length is stated as if it were sent in full.
        at: Bytes of its body that are sent.
        reset: Whether the connection ends by RST.
    """

    def __init__(self, whole: Response, at: int, *, reset: bool = False) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))
        self._at = at
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the first bytes and close."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with contextlib.suppress(CutError):
            await Writer(send, cut=self._at).write(bytes(self.body))
        await hang_up(scope, receive, reset=self._reset)


class Ending(Enum):
    """How a stream ends."""

    FINISHED = "the last chunk is sent, as HTTP wants it"
    CLOSED = "the connection closes in the middle"
    RESET = "the connection is reset"


class EventStream(Response):
    """A stream of events.

    Args:
        script: Writes the stream, given a writer and a task that is done when the client has left.
        cut: Bytes of the body after which the connection is closed; None for none.
        piece: Bytes in one piece; None for whole frames.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        script: Callable[[Writer, asyncio.Task[None]], Awaitable[Ending]],
        *,
        cut: int | None = None,
        piece: int | None = None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._script = script
        self._cut = cut
        self._piece = piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with watching(receive) as gone:
            try:
                ending = await self._script(Writer(send, cut=self._cut, piece=self._piece), gone)
            except CutError:
                ending = Ending.CLOSED
            if gone.done():
                return
        if ending is Ending.FINISHED:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await hang_up(scope, receive, reset=ending is Ending.RESET)
