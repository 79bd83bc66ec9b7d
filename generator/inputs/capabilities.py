"""What a platform may offer beside the generations of its models, and how a description says so."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

RUNTIME: Final = "runtime/skills_video_runtime"

_GENERATIONS: Final = r"/(generation|prediction|task)s?"
_ONE: Final = rf"{_GENERATIONS}/\{{\w+\}}"
"""The path of one generation. What else has an id, such as an invoice, is none of ours to cancel."""


class Capability(NamedTuple):
    """Something that may be offered: in words, how it is known, and the file of the runtime that it is for."""

    words: str
    pattern: str
    file: str
    is_used: bool = False
    """Whether the runtime makes use of it as soon as `generate` has run."""


REPEATED: Final = Capability(
    "a post can be repeated safely", r"header ([a-z0-9]+-)*idempoten(cy|ce|t)(-key|-token|-id)?", "generations/call.py",
    is_used=True,
)  # fmt: skip
CANCELED: Final = Capability(
    "a generation can be canceled",
    rf"(POST|PUT|PATCH|DELETE) {_ONE}/cancel|(POST|PUT) {_GENERATIONS}/cancel/\{{\w+\}}|DELETE {_ONE}",
    "generations/cancel.py",
    is_used=True,
)  # fmt: skip
RESUMED: Final = Capability(
    "the stream of a generation can be taken up again",
    rf"GET {_ONE}/(subscribe|stream|events|sse)|GET {_GENERATIONS}/(sse|subscribe|stream|events)/\{{\w+\}}",
    "generations/call.py",
    is_used=True,
)  # fmt: skip
RESUMED_AFTER: Final = Capability(
    "a stream that is taken up can begin after an event", r"header last-event-id", "generations/call.py", is_used=True
)
CAPABILITIES: Final = (
    REPEATED,
    CANCELED,
    RESUMED,
    RESUMED_AFTER,
    Capability("files can be uploaded beforehand", r"(POST|PUT) /(?!generation/).*(uploads?|files?)\b.*",
               "payloads/form.py"),
    Capability("the models can be listed", r"GET /(.*/)?models", "catalog.py"),
    Capability("prices can be asked", r"\w+ /(?!generation/).*(price|pricing|estimate|cost).*", "client.py"),
    Capability("generations can be listed", r"GET /generations?", "generations/uncertain.py"),
    Capability("it says when to try again", r"answer retry-after", "http/events.py", is_used=True),
    Capability("it says how much may still be asked", r"answer (x-)?ratelimit.*", "generations/retry.py"),
    Capability("the running list has pages", r"query (cursor|page|offset|after|before)", "generations/uncertain.py"),
    Capability("the running list can be narrowed", r"query (model|since|created.*)", "generations/uncertain.py"),
    Capability("the bodies of webhooks are known", r"webhook .*", "webhooks.py"),
)  # fmt: skip
"""Each pattern is put to the whole of: `header NAME` and `query NAME` of a parameter, `answer NAME` of a header of an
answer, `webhook NAME`, METHOD and path of an operation."""


@cache
def capability(said: str) -> Capability | None:
    """Give what it means that a description says this."""
    return next((row for row in CAPABILITIES if re.fullmatch(row.pattern, said)), None)
