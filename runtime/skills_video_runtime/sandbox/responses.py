"""Responses that misbehave on the level of the connection: no answer, a body cut short, a connection that closes."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final, cast

from starlette.responses import Response

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

_RESET: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def until_gone(receive: Receive) -> None:
    """Return when the client has left or the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
        await send({"type": "http.response.body", "body": bytes(self.body)[: self._at], "more_body": True})
        await hang_up(scope, receive, reset=self._reset)
