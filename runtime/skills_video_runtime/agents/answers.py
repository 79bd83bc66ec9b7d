"""What a tool answers: a state or an error, and what to do next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent

from skills_video_runtime.cli.output import UsageProblem, serialisable, without_key
from skills_video_runtime.errors import (
    GenerationTimeout,
    JournalUnavailable,
    PayloadError,
    SkillsVideoError,
    SubmissionUncertain,
    visible,
)
from skills_video_runtime.generations.states import Status

from .tools import ToolCall

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from skills_video_runtime.generations.states import Generation

ADDRESS = re.compile(r"https?://[!-~]{1,4000}")  # of a file, as it is shown; no `data:`, which is all of it
NEVER_AGAIN = "Call get_generation with this id; never call generate again for it, as that may pay twice."
WHAT_NEXT = {
    SubmissionUncertain: "Do not call generate again. See with account what is under way, follow it with "
    "get_generation, and ask the person before you pay again with again: true.",
    GenerationTimeout: NEVER_AGAIN,
    JournalUnavailable: "Nothing was sent. Tell the person: the file that --journal names cannot be used.",
}
"""What to do about an error, where a Python program would do something else."""


class Refusal(Exception):  # noqa: N818  # it is an answer
    """What is not done; the text says why, and what to do instead."""


EXPECTED = (SkillsVideoError, UsageProblem, Refusal, OSError, ValueError)


async def answered(work: Awaitable[CallToolResult]) -> CallToolResult:
    """Give an answer, or what is to be done about an error."""
    try:
        return await work
    except EXPECTED as error:
        return of_error(error)


def told(
    text: str, data: dict[str, Any], links: Iterable[tuple[str, str]] = (), *, is_error: bool = False
) -> CallToolResult:
    """Give a text for the model, the same as data, and name and address of files, without the key."""
    content: list[ContentBlock] = [TextContent(text=without_key(text))]
    content += [ResourceLink(name=without_key(name), uri=without_key(address)) for name, address in links]
    return CallToolResult(content=content, structured_content=serialisable(data), is_error=is_error)


def text_of(answer: CallToolResult) -> str:
    """Give the text of an answer."""
    return "".join(part.text for part in answer.content if isinstance(part, TextContent))


def of_state(state: Generation, remark: str) -> CallToolResult:
    """Tell a state; a remark says that the generation is one of before."""
    files = [media for media in state.videos if ADDRESS.fullmatch(media.url)]
    data: dict[str, Any] = {
        "id": state.id,
        "status": str(state.status),
        "finished": state.is_finished,
        "credits": state.usage.total,
        "files": [{"url": media.url, "content_type": media.content_type} for media in files],
    }
    lines = [f"{visible(state.id)}: {visible(state.status)}", remark]
    if remark:
        data["repeated"] = True
    if state.status == Status.COMPLETED:
        lines += [media.url for media in files]
        lines.append("download saves the files.")
    elif state.is_finished:
        data |= {"code": state.code, "message": state.message}
        lines.append(f"{visible(state.code or '')} {visible(state.message or '')}".strip())
        lines.append("Making it again is a new generation, which may be paid again: generate with again: true.")
    else:
        lines.append(f"Not finished. {NEVER_AGAIN}")
    links = [(visible(media.file_name or state.id), media.url) for media in files]
    is_error = state.is_finished and state.status != Status.COMPLETED
    return told("\n".join(filter(None, lines)), data, links, is_error=is_error)


def of_error(error: Exception) -> CallToolResult:
    """Tell an error, with violations as data."""
    if isinstance(error, PayloadError):
        text = "\n".join(["Wrong, and nothing was sent. Correct this:", *map(str, error.violations)])
        return told(text, ToolCall(None, error.violations).to_dict(), is_error=True)
    if not isinstance(error, SkillsVideoError):
        return told(str(error), {"category": "usage"}, is_error=True)
    next_step = next((text for kind, text in WHAT_NEXT.items() if isinstance(error, kind)), error.guidance)
    return told(f"{error.what} {next_step}".strip(), {**error.to_dict(), "id": error.generation_id}, is_error=True)
