"""`explain-error`: what an answer of the platform means, in the words and with the code that a command would have."""

from __future__ import annotations

import json

from skills_video_runtime.classify import api_error

from .describe import error_facts
from .exits import exit_code
from .output import UsageProblem, say, say_json, yes_or_no

AFTER_CREATE = (
    "After a create request a generation may have been made: see `skills-video running` before sending it again."
)


def explain(status: int, body: str, *, as_json: bool) -> int:
    """Tell category, meaning, what to do and whether to try again; the exit code is that of the category."""
    if not 300 <= status <= 599:
        raise UsageProblem(f"--status {status} is no error of HTTP: from 300 to 599")
    parsed: object = {}
    try:
        if body.strip():
            parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    error = api_error(status, parsed, body, where="another address")
    facts = error_facts(type(error), error.code)
    if status >= 500:
        facts["what_to_do"] += f" {AFTER_CREATE}"
    code = exit_code(error)
    if as_json:
        say_json({"status": status, "code": error.code, **facts, "message": error.what, "exit_code": code})
        return code
    say(error.what)
    say(f"category   {facts['category']}")
    say(f"meaning    {facts['meaning']}")
    say(f"what to do {facts['what_to_do']}")
    say(f"try again  {yes_or_no(facts['try_again'])}")
    return code
