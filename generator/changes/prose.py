"""The sentences of a review that differ with who gives the values, and how its lines are written."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

OLD: Final = 0
NEW: Final = 1
"""The two ages that are compared, in pairs of what belongs to them."""


class Side(NamedTuple):
    """Who gives the values that are compared: what breaks whom, and the sentences that differ with that."""

    name: str
    breaks: Literal["tightened", "wider"]
    """Whether fewer values break somebody, or more."""
    broken: Literal[0, 1]
    """The age whose values show that."""
    forms: tuple[Literal["payload", "old answer"], Literal["payload", "answer"]]
    """What a value is that only the old body takes or holds, and one that only the new one does."""
    added: str
    removed: str
    replaced: str
    required: str
    optional: str


REQUEST = Side(
    "request", "tightened", OLD, ("payload", "payload"),
    "takes {} too", "no longer takes {}", "takes {} now, not {}", "is required now", "may be left out now",
)  # fmt: skip
ANSWER = Side(
    "answer", "wider", NEW, ("old answer", "answer"),
    "may be {} too", "is no longer {}", "is {} now, not {}", "is always there now", "may be missing now",
)  # fmt: skip


def one_line(text: str) -> str:
    """Write a text with single spaces: how it is wrapped is no wording."""
    return " ".join(text.split())
