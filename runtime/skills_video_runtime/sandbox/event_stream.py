"""The event stream of one generation, with the faults that happen on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skills_video_runtime.sandbox import answers
from skills_video_runtime.sandbox.responses import Ending, EventStream

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Set as AbstractSet

    from skills_video_runtime.sandbox.clock import Clock
    from skills_video_runtime.sandbox.ledger import Generation
    from skills_video_runtime.sandbox.responses import Writer

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def event_stream(generation: Generation, clock: Clock, media: str) -> EventStream:
    """Stream the states of a generation as they come, each as one frame, and end after the final one."""
    faults = generation.faults
    styles = frozenset(faults.text("framing").split("+"))

    async def script(writer: Writer, gone: asyncio.Task[None]) -> Ending:
        if "silence" in faults and faults.number("silence", 1) == 0:
            await gone
        for index, phase in enumerate(generation.phases):
            await clock.until(phase.since, gone)
            if gone.done():
                break
            event = answers.event(generation, phase.status, media)
            if index == 0 and "huge" in faults:
                event["padding"] = "x" * int(faults.number("huge"))
            await writer.write(frame(event, styles, first=index == 0))
            if index == 0 and "drop-after-id" in faults:
                return Ending.RESET if faults.text("drop-after-id") == "reset" else Ending.CLOSED
            if "end-early" in faults and index + 1 >= faults.number("end-early", 1):
                break
            if "silence" in faults and index + 1 >= faults.number("silence", 1):
                await gone
        return Ending.FINISHED

    return EventStream(
        script,
        cut=int(faults.number("cut")) if "cut" in faults else None,
        piece=int(faults.number("pieces", 1)) if "pieces" in faults else None,
    )


def frame(event: dict[str, Any], styles: AbstractSet[str] = frozenset(), *, first: bool = False) -> bytes:
    """One event as server-sent text.

    Args:
        event: The data.
        styles: Other ways of writing it, as in the fault `framing`; none for the platform's.
        first: Whether it opens the stream.
    """
    lines = [f"data: {line}" for line in json.dumps(event, indent=1 if "multiline" in styles else None).split("\n")]
    if "fields" in styles:
        lines = ["retry: 3000", "id: 1", "", *lines, "event: message", "id"]
    if "comments" in styles:
        lines = [": keep-alive", "", *lines, ":"]
    if "garbage" in styles:
        lines = ['data: {"id": ', "", *lines]
    text = "".join(f"{line}\n" for line in [*lines, ""])
    if "crlf" in styles:
        text = text.replace("\n", "\r\n")
    return (_BYTE_ORDER_MARK if first and "bom" in styles else b"") + text.encode()
