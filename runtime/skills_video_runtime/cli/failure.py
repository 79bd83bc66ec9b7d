"""How an error is told: to a reader on standard error, to a program as the last line of `--json-lines`."""

from __future__ import annotations

from shlex import quote
from typing import Any

from skills_video_runtime.errors import PayloadError, SkillsVideoError, SubmissionUncertain
from skills_video_runtime.file import File

from .output import complain, say_json

HINTS = {
    "uncertain": "To see what is under way: skills-video running",
    "missing_key": "To see what else is needed: skills-video doctor",
}


def tell(error: Exception, code: int, *, json_lines: bool = False, generation_id: str | None = None) -> int:
    """Tell an error and how to go on, and give its exit code back."""
    told = getattr(error, "generation_id", None) or generation_id
    if json_lines:
        say_json(error_event(error, code, told), indent=None)
    complain(f"error: {error}")
    category = getattr(error, "category", "")
    if isinstance(error, PayloadError) and any(isinstance(item.value, File) for item in error.violations):
        complain("A file can be sent where `skills-video show MODEL` says so; elsewhere the field asks for an address.")
    if told and (code in {11, 12} or category == "download"):
        complain(f"To go on: {resume(told, ' --download DIR' if category == 'download' else '')}")
    elif category in HINTS:
        complain(HINTS[category])
    return code


def error_event(error: Exception, code: int, generation_id: str | None = None) -> dict[str, Any]:
    """Give an error as the object that ends `--json-lines`; `status` is that of HTTP."""
    known = error if isinstance(error, SkillsVideoError) else None
    event: dict[str, Any] = {
        "event": "error",
        "category": getattr(error, "category", "usage" if code == 1 else "error"),
        "message": str(error),
        "code": known.code if known else None,
        "status": known.status if known else None,
        "generation_id": generation_id,
        "try_again": known is not None and known.retryable,
        "exit_code": code,
    }
    if isinstance(error, PayloadError):
        event["violations"] = [
            {
                "path": item.path,
                "rule": item.rule,
                "value": item.value,
                "nearest": item.nearest,
                "message": item.message,
            }
            for item in error.violations
        ]
    if isinstance(error, SubmissionUncertain):
        event["candidates"] = list(error.candidates)
    return event


def resume(generation_id: str, options: str = "") -> str:
    """Give the command that goes on waiting for a generation; `options` begin with a space."""
    if generation_id.startswith("-"):
        return f"skills-video wait{options} -- {quote(generation_id)}"
    return f"skills-video wait {quote(generation_id)}{options}"
