"""How an error is told: to a reader on standard error, to a program as the last line of `--json-lines`."""

from __future__ import annotations

from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import (
    DASHBOARD,
    DownloadFailed,
    GenerationTimeout,
    MissingAPIKey,
    PayloadError,
    RecordUnusable,
    SkillsVideoError,
    SubmissionUncertain,
)
from skills_video_runtime.payloads.file import File

from .exits import BAD_USAGE, OTHER, POLLING_REFUSED, TIMED_OUT
from .output import OutputLost, complain, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON, JSON_LINES = "--json", "--json-lines"
SPOKEN = {
    MissingAPIKey.guidance: f"Create a key at {DASHBOARD}/developer and put it into the environment variable "
    "SKILLS_VIDEO_API_KEY.\nTo see what else is needed: skills-video doctor",
    SubmissionUncertain.guidance: f"Making it again may pay twice: first look at {DASHBOARD}.\n"
    "To see what is under way: skills-video running\nTo wait for what is yours: skills-video wait ID",
    GenerationTimeout.guidance: "Do not make it again.",
    DownloadFailed.guidance: "Each `skills-video wait` has fresh addresses; how long one is valid is not published.",
    RecordUnusable.guidance: "Recover it with the key and address that made it.",
}
"""What to do about an error, where a Python program would do something else."""


def tell(
    error: BaseException,
    code: int,
    arguments: Sequence[str] = (),
    *,
    json_lines: bool = False,
    generation_id: str | None = None,
) -> int:
    """Tell an error and how to go on, and give its exit code back; `arguments` tell how it is asked for."""
    known = getattr(error, "generation_id", None) or generation_id
    asked = list(arguments)
    if "--" in asked:
        asked = asked[: asked.index("--")]
    with suppress(OutputLost):
        if json_lines or JSON_LINES in asked:
            say_json(error_event(error, code, known), indent=None)
        elif JSON in asked:
            say_json(error_event(error, code, known))
    category = getattr(error, "category", "")
    if category == "interrupted":
        complain(str(error))
    else:
        complain(f"error: {in_words(error)}")
    if isinstance(error, PayloadError) and any(isinstance(item.value, File) for item in error.violations):
        complain("A file can be sent where `skills-video show MODEL` says so; elsewhere the field asks for an address.")
    if known and (category == "download" or isinstance(error, OSError)):
        complain(f"To go on: {resume(known, ' --download DIR')}")
    elif known and code in {TIMED_OUT, POLLING_REFUSED}:
        complain(f"To go on: {resume(known)}")
    return code


def in_words(error: BaseException | None) -> str:
    """Say an error as the command line has it."""
    if isinstance(error, SkillsVideoError) and error.guidance in SPOKEN:
        return f"{error.what} {SPOKEN[error.guidance]}".strip()
    return str(error)


def lost(error: OutputLost) -> int:
    """Tell that the output is lost, unless its reader has left, and give the exit code."""
    if error.exit_code == OTHER:
        complain(f"error: {error}")
    return error.exit_code


def error_event(error: BaseException, code: int, generation_id: str | None = None) -> dict[str, Any]:
    """Give an error as the object that ends `--json-lines`; `status` is that of HTTP."""
    event: dict[str, Any] = {
        "event": "error",
        "category": getattr(error, "category", "usage" if code == BAD_USAGE else "error"),
        "message": in_words(error),
        "code": None,
        "status": None,
        "generation_id": generation_id,
        "try_again": False,
        "exit_code": code,
    }
    if isinstance(error, SkillsVideoError):
        event |= error.to_dict()
    if isinstance(error, PayloadError):
        event["violations"] = [{**item.to_dict(), "value": item.value} for item in error.violations]
    return event


def resume(generation_id: str, options: str = "") -> str:
    """Give the command that goes on waiting for a generation; `options` begin with a space."""
    if generation_id.startswith("-"):
        return f"skills-video wait{options} -- {quote(generation_id)}"
    return f"skills-video wait {quote(generation_id)}{options}"
