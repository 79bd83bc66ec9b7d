"""What an answer says, piece by piece: bounded, unpacked where need be, and read as events by httpx-sse."""

from __future__ import annotations

import re
import zlib
from codecs import getincrementaldecoder
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar

from httpx_sse import EventSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MAX_EVENT = 16 * 2**20  # bytes
TOO_LARGE = f"an event is larger than {MAX_EVENT} bytes"
PIECE = 2**16  # bytes that are unpacked at once
SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
Decoder = getincrementaldecoder("utf-8-sig")  # loaded now: where files run out, an answer must still be readable


class Body:
    """The body of an answer; httpx-sse takes it for a response.

    No packed answer is asked for. One that comes even so is unpacked as far as it is read, in pieces of a bounded size.
    """

    headers: ClassVar = {"content-type": "text/event-stream"}

    def __init__(self, chunks: Any, packed: str) -> None:
        self.chunks = chunks
        self.packed = packed not in {"", "identity"}
        self.size = 0
        """Bytes since the last event."""
        self.before: str | None = ""
        """What was said before the first event, or None after it."""
        self.decode = Decoder("replace").decode
        self.unpack = zlib.decompressobj(wbits=47)

    def events(self, *, asynchronous: bool) -> Any:
        """Read it as a stream of events."""
        source: Any = EventSource(self)  # type: ignore[arg-type]  # all that it uses of a response
        return source.aiter_sse() if asynchronous else source.iter_sse()

    def take(self, event: Any) -> str:
        """Give the data of an event, and begin to count anew; OSError if it is too large."""
        self.size, self.before = 0, None
        data: str = event.data
        if len(data) > MAX_EVENT // 4 and len(data.encode()) > MAX_EVENT:
            raise OSError(TOO_LARGE)
        return data

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Give what a chunk holds; OSError if it cannot be unpacked."""
        if not self.packed:
            yield chunk
            return
        while chunk:
            try:
                yield self.unpack.decompress(chunk, PIECE)
            except zlib.error as error:
                raise OSError(f"an answer in an encoding that was not asked for: {error}") from error
            chunk = self.unpack.unconsumed_tail

    def text(self, piece: bytes) -> str:
        """Read a piece of an event stream, which is UTF-8 whatever the head says, while no event is too large."""
        self.size += len(piece)
        if self.size > MAX_EVENT + 2 * PIECE:
            raise OSError(TOO_LARGE)
        text = self.decode(piece)
        if self.before is not None and len(self.before) < PIECE:
            self.before += text
        return text

    def iter_text(self) -> Iterator[str]:
        """Give the text as it comes."""
        for chunk in self.chunks:
            for piece in self.pieces(chunk):
                yield self.text(piece)

    async def aiter_text(self) -> AsyncIterator[str]:
        """As `iter_text`."""
        async for chunk in self.chunks:
            for piece in self.pieces(chunk):
                yield self.text(piece)


def seconds_of(retry_after: str, date: str = "") -> float | None:
    """Read `Retry-After`: seconds, or a moment, which is measured by the `Date` of its answer where that has one.

    So a clock that is wrong here does no harm. A moment without a zone is UTC (RFC 9110, section 5.6.7).
    """
    if SECONDS.fullmatch(retry_after):
        return float(retry_after)
    until = _moment(retry_after)
    if until is None:
        return None
    now = _moment(date) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
