"""The sentences of a review that differ with who gives the values, and how its lines are written."""

from __future__ import annotations

from typing import NamedTuple


class Side(NamedTuple):
    """Who gives the values that are compared: the sentences that differ with that."""

    name: str
    added: str
    removed: str
    replaced: str
    required: str
    optional: str


REQUEST = Side(
    "request", "takes {} too", "no longer takes {}", "takes {} now, not {}", "is required now", "may be left out now"
)
ANSWER = Side(
    "answer", "may be {} too", "is no longer {}", "is {} now, not {}", "is always there now", "may be missing now"
)


def one_line(text: str) -> str:
    """Write a text with single spaces: how it is wrapped is no wording."""
    return " ".join(text.split())


def plural(number: float, noun: str) -> str:
    """Give a noun as it is after a number."""
    if number == 1:
        return noun
    return f"{noun}s"
