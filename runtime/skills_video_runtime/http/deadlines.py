"""Every wait of a connection obeys the call that it is for.

httpx settles the time-outs of a request as its head and its body begin, so that a peer that drips a byte at a time
outlasts any of them. Here each read and write asks the exchange at work, which a context variable tells. The place to
hook in is the trace of httpcore, which tells of each connection as it is made, and of each head as it is begun.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exchange import Exchange

current: ContextVar[Exchange | None] = ContextVar("skills_video_exchange", default=None)


def trace(name: str, info: dict[str, Any]) -> None:
    """Take note of a phase of a request. httpcore calls this as each begins and ends."""
    exchange = current.get()
    if name.endswith("send_request_headers.started"):
        if exchange is not None and info["request"].method != b"CONNECT":
            shortened(None)  # what is too late now is not begun
            exchange.begin_post()
        return
    if name.startswith("http"):
        return
    if "timeout" in info and exchange is not None:
        try:
            info["timeout"] = shortened(info["timeout"])
        except TimeoutError as error:
            raise exchange.connections.library.ConnectTimeout(str(error)) from error
    made: Any = info.get("return_value")
    if hasattr(made, "start_tls"):
        obey(made)


async def trace_async(name: str, info: dict[str, Any]) -> None:
    """As `trace`, for an asynchronous client."""
    trace(name, info)


def obey(stream: Any) -> None:
    """Make the reads and writes of a connection obey."""
    read, write = stream.read, stream.write

    def read_in_time(max_bytes: int, timeout: float | None = None) -> Any:
        exchange = current.get()
        if exchange is not None:
            exchange.stream = stream
        return read(max_bytes, shortened(timeout))

    def write_in_time(buffer: bytes, timeout: float | None = None) -> Any:
        return write(buffer, shortened(timeout))

    stream.read, stream.write = read_in_time, write_in_time


def shortened(timeout: float | None) -> float | None:
    """Give the seconds for which the exchange at work may wait, or raise TimeoutError where it may not."""
    exchange = current.get()
    if exchange is None:
        return timeout
    left = exchange.until - exchange.now()
    if exchange.is_over():
        raise TimeoutError("the client is closed")
    if left <= 0:
        raise TimeoutError("time ran out")
    if timeout is None:
        return left
    return min(left, timeout)
