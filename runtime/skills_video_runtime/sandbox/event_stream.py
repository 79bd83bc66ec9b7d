"""The event stream of one generation, with the faults that happen on it."""

from __future__ import annotations

import asyncio
import itertools
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from skills_video_runtime.sandbox import answers
from skills_video_runtime.sandbox.responses import hang_up, until_gone

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from starlette.types import Receive, Scope, Send

    from skills_video_runtime.sandbox.faults import Faults
    from skills_video_runtime.sandbox.ledger import Generation
    from skills_video_runtime.sandbox.service import Service

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _HangUpError(Exception):
    """The stream has reached the place at which its connection is to close, or to be reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class EventStream(Response):
    """The states of a generation as they come, each as one frame; it ends after the final one.

    Args:
        generation: Whose states.
        service: Tells what they are, and when the next one comes.
        media: Origin of its files.
        faults: What happens on it.
        told: How many of the states were told before.
    """

    media_type = "text/event-stream"

    def __init__(self, generation: Generation, service: Service, media: str, faults: Faults, told: int = 0) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._generation = generation
        self._service = service
        self._media = media
        self._faults = faults
        self._told = told
        self._sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(until_gone(receive))
        try:
            await self._frames(send, gone)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except _HangUpError as error:
            if not gone.done():
                gone.cancel()
                await hang_up(scope, receive, reset=error.reset)
        finally:
            gone.cancel()

    async def _frames(self, send: Send, gone: asyncio.Task[None]) -> None:
        """Send frame after frame until the end, or until the client has left.

        Raises:
            _HangUpError: The connection is to end here.
        """
        faults, ledger = self._faults, self._service.ledger
        styles = frozenset(faults.text("framing").split("+"))
        if "silence" in faults and faults.number("silence", 1) == 0:
            await gone
        for count in itertools.count(1):
            number = self._told + count
            if number > len(ledger.phases(self._generation.id)):
                return
            await self._service.clock.until(partial(ledger.since, self._generation.id, number - 1), gone)
            if gone.done():
                return
            generation = ledger.get(self._generation.id) or self._generation  # which may be canceled by now
            event = answers.event(generation, generation.phases[number - 1], self._media)
            if count == 1 and "huge" in faults:
                event["padding"] = "x" * int(faults.number("huge"))
            frame = _frame(event, styles, first=count == 1)
            if self._service.description.numbers_events:
                frame = f"id: {number}\n".encode() + frame
            await self._write(send, frame)
            if count == 1 and "drop-after-id" in faults:
                raise _HangUpError(reset=faults.text("drop-after-id") == "reset")
            if "end-early" in faults and count >= faults.number("end-early", 1):
                return
            if "silence" in faults and count >= faults.number("silence", 1):
                await gone

    async def _write(self, send: Send, data: bytes) -> None:
        """Send some of the body, in pieces and up to a byte where faults ask for that.

        Raises:
            _HangUpError: The byte of the cut was reached.
        """
        faults = self._faults
        size = len(data)
        if "cut" in faults:
            data = data[: int(faults.number("cut")) - self._sent]
        if "pieces" in faults:
            size = int(faults.number("pieces", 1))
        for start in range(0, len(data), size):
            await send({"type": "http.response.body", "body": data[start : start + size], "more_body": True})
        self._sent += len(data)
        if "cut" in faults and self._sent >= faults.number("cut"):
            raise _HangUpError(reset=False)


def _frame(event: dict[str, Any], styles: AbstractSet[str], *, first: bool) -> bytes:
    """One event as server-sent text, in the platform's way or in the styles of the fault `framing`."""
    indent = 1 if "multiline" in styles else None
    lines = [f"data: {line}" for line in json.dumps(event, indent=indent).split("\n")]
    if "fields" in styles:
        lines = ["retry: 3000", "id: 1", "", *lines, "event: message", "id"]
    if "comments" in styles:
        lines = [": keep-alive", "", *lines, ":"]
    if "garbage" in styles:
        lines = ['data: {"id": ', "", *lines]
    text = "".join(f"{line}\n" for line in [*lines, ""])
    if "crlf" in styles:
        text = text.replace("\n", "\r\n")
    if first and "bom" in styles:
        return _BYTE_ORDER_MARK + text.encode()
    return text.encode()
