"""The HTTP server itself: it listens, says when it has started, and ends at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

_BACKLOG: Final = 4096
_CLEANUP: Final = 1.0


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 takes a free one.

    Raises:
        OSError: The address is taken, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, which hands its transport to the application so that it can close the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where requests find it, and send every frame at once."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class HTTPServer(Server):
    """uvicorn's server, which says when it has started and ends at once, from any thread.

    uvicorn's own looks for the end every tenth of a second and then waits for connections to end by themselves, which
    a silent stream never does.
    """

    def __init__(self, app: ASGIApp, on_start: Callable[[], None]) -> None:
        super().__init__(
            Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=60,
            )
        )
        self._on_start = on_start
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End the server; safe in any thread and in a signal handler."""
        if self._loop is None:
            self._stop.set()
        else:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """End at SIGINT and SIGTERM, which uvicorn listens for in the main thread."""
        self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._on_start()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's
        """Close all connections, and give requests a moment to notice before they are cancelled."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := set(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=0.05)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_CLEANUP)
