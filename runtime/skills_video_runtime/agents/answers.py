"""What a tool answers: a state or an error, and what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Answer:
    """What a tool answers: a text for the model, the same as data, and the files that it tells of."""

    text: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    links: tuple[tuple[str, str], ...] = ()
    """Name and address of each file."""
    is_error: bool = False


class Refusal(Exception):  # noqa: N818  # it is an answer
    """What is not done; the text says why, and what to do instead."""


def of_state(state: Generation, remark: str) -> Answer:
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
    links = tuple((visible(media.file_name or state.id), media.url) for media in files)
    is_error = state.is_finished and state.status != Status.COMPLETED
    return Answer("\n".join(filter(None, lines)), data, links, is_error)


def of_error(error: Exception) -> Answer:
    """Tell an error, with violations as data."""
    if isinstance(error, PayloadError):
        text = "\n".join(["Wrong, and nothing was sent. Correct this:", *map(str, error.violations)])
        return Answer(text, ToolCall(None, error.violations).to_dict(), is_error=True)
    if not isinstance(error, SkillsVideoError):
        return Answer(str(error), {"category": "usage"}, is_error=True)
    next_step = next((text for kind, text in WHAT_NEXT.items() if isinstance(error, kind)), error.guidance)
    return Answer(f"{error.what} {next_step}".strip(), {**error.to_dict(), "id": error.generation_id}, is_error=True)
