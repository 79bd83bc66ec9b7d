"""One change between two revisions of a description, and how its sentence is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from .witness import Witness

Kind: TypeAlias = Literal[
    "removed", "moved", "tightened", "capability", "added", "loosened", "changed", "deprecated", "warning",
    "reordered", "reworded",
]  # fmt: skip
"""`warning` is what `generate` says of the description. `capability` is what is on offer now and the runtime could use.

`changed` is what is neither more nor less: a default, a path of an endpoint."""

VERDICTS: Final = ("any", "breaking", "breaks", "may-break", *get_args(Kind))
"""What `--fail-on` takes: `breaking` is what `breaks`, by a witness, and what `may-break`."""

COSMETIC: Final = ("reordered", "reworded")
"""Kinds that are order and wording alone, and never break."""

SHARED: Final = "*"
"""The model of a change that is about all of them."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one place, seen by a caller."""

    kind: Kind
    about: str
    """What of a caller's it is about, in words that stay: `request-length`, `answer-field`, `model`."""
    sentence: str
    """What happened there, with `{}` for each of the values, which are text of the description."""
    values: tuple[str, ...] = ()
    place: str = ""
    """The field: `images[].url`; empty for the whole."""
    old: Any = None
    new: Any = None
    """JSON values."""
    breaking: bool = False
    """Whether a caller may break."""
    witness: Witness | None = None
    """What shows that it breaks."""

    scope: str = ""
    """What the place is in: a payload class, an answer, or nothing where a model has one payload class."""
    model: str = ""
    pointer: str = ""
    """The JSON pointer of the place in the new description; of what is gone, of what it was in."""
    file: str = ""
    """The input that the pointer is in: `openapi.json`, `models/x.json`."""

    models: int = 0
    """How many models both revisions have."""
    accepted: str = ""
    """Why somebody accepts it, if one does: then no run fails by it."""

    @property
    def fails(self) -> bool:
        """Whether it breaks, or may break, and nobody accepts that."""
        return self.breaking and not self.accepted

    @property
    def verdict(self) -> Literal["", "may break", "breaks"]:
        """What it does to callers: it breaks them only where a witness shows that."""
        if not self.breaking:
            return ""
        if self.witness is None:
            return "may break"
        return "breaks"

    @property
    def rule(self) -> str:
        """What happened to what, as a name that programs may keep: `request-length-tightened`."""
        return f"{self.about}-{self.kind}"

    @property
    def path(self) -> str:
        """The place within the model."""
        return ".".join(filter(None, (self.scope, self.place)))

    @property
    def said(self) -> tuple[str, str, str]:
        """What is told of it within its scope: of two that tell the same, one is told."""
        return self.rule, self.place, self.text()

    def counts_as(self, verdict: str) -> bool:
        """Tell whether it is what one of `VERDICTS` names."""
        if self.accepted:
            return False
        own = ["any", self.kind, self.verdict.replace(" ", "-")]
        if self.breaking:
            own.append("breaking")
        return verdict in own

    def text(self, quote: Callable[[str], str] = str) -> str:
        """Say what happened, without the path; `quote` is given whatever is not our own text."""
        first, *parts = self.sentence.split("{}")
        return first + "".join(quote(value) + part for value, part in zip(self.values, parts, strict=True))
