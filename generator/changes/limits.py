"""Changes of limits: what has no fields of its own, from the side of a caller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from generator.json_values import json_key
from generator.output.words import Bound, bounds, counted, listed, plain, plural
from generator.schema.subset import is_multiple
from generator.schema.types import ABSENT, Choice, Number, Text

from .change import Change
from .prose import REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.schema.types import Shape

    from .change import Kind
    from .prose import Side
    from .witness import Proof, Witness

Count: TypeAlias = tuple[int, int | None]
"""How many there must be of something, and how many there may be."""

Bounds: TypeAlias = tuple[Bound | None, Bound | None]

COUNTED: Final = {"character": "length", "item": "items", "field": "fields"}
"""What a count of something is called in the rule of a change."""

STATES: Final = frozenset((
    "IN_QUEUE", "IN_PROGRESS", "STARTING", "PROCESSING", "QUEUED", "RUNNING",
    "COMPLETED", "SUCCEEDED", "FAILED", "CANCELED", "CANCELLED",
))  # fmt: skip
"""The states of a generation that the runtime knows, in the three vocabularies of the platform."""


def differing(old: Iterable[Any], new: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Give what was added, and what was removed."""
    before, after = list(old), list(new)
    return [item for item in after if item not in before], [item for item in before if item not in after]


@dataclass(slots=True)
class Limits:
    """Gathers changes of one request, or of one answer; `scope` says which."""

    side: Side
    scope: str
    changes: list[Change] = field(default_factory=list[Change], kw_only=True)
    proof: Proof = field(init=False)
    """What finds a witness for each change that breaks."""

    @property
    def is_request(self) -> bool:
        """Whether callers send these values, and do not read them."""
        return self.side is REQUEST

    def texts(self, old: Text, new: Text, place: str) -> None:
        """Compare the limits of strings."""
        onlys = Text(new.min_length), Text(max_length=new.max_length)
        self.counts(place, "character", (old.min_length, old.max_length), (new.min_length, new.max_length), onlys)
        self._names(place, "pattern", old.patterns, new.patterns, Text(patterns=new.patterns))
        self._names(place, "format", old.formats, new.formats, Text(formats=new.formats))

    def _names(self, place: str, label: str, old: tuple[str, ...], new: tuple[str, ...], only: Text) -> None:
        added, removed = differing(old, new)
        now, was = ", ".join(added), ", ".join(removed)
        sides = list(old), list(new)
        if added and removed:
            sentence = f"must have the {label} {{}} now, not {{}}"
            self.add("tightened", label, place, sides, sentence, now, was, only=only)
        elif added == ["uri"]:
            self.add("tightened", label, place, sides, "must be an address now", only=only)
        elif added:
            self.add("tightened", label, place, sides, f"must have the {label} {{}} now", now, only=only)
        elif removed == ["uri"]:
            self.add("loosened", label, place, sides, "need not be an address any more")
        elif removed:
            self.add("loosened", label, place, sides, f"need not have the {label} {{}} any more", was)

    def numbers(self, old: Number, new: Number, place: str) -> None:
        """Compare the limits of numbers."""
        whole, any_number = "an integer", "a number"
        if new.integer and not old.integer:
            only = Number(integer=True)
            self.add("tightened", "type", place, (any_number, whole), "must be an integer now", only=only)
        if old.integer and not new.integer:
            self.add("wider", "type", place, (whole, any_number), "may be a fraction now")
        onlys = (
            Number(minimum=new.minimum, exclusive_minimum=new.exclusive_minimum),
            Number(maximum=new.maximum, exclusive_maximum=new.exclusive_maximum),
        )
        self._limits(place, "", bounds(old), bounds(new), onlys)
        steps = list(old.multiples), list(new.multiples)
        for step in old.multiples:
            if not is_multiple(new, step):
                self.add("loosened", "step", place, steps, "need not be a multiple of {} any more", plain(step))
        for step in new.multiples:
            if not is_multiple(old, step):
                only = Number(multiples=(step,))
                self.add("tightened", "step", place, steps, "must be a multiple of {} now", plain(step), only=only)

    def choices(self, old: Choice, new: Choice, place: str) -> None:
        """Compare the values that are listed; null is compared as an alternative of its own."""
        before = {json_key(value): value for value in old.values if value is not None}
        after = {json_key(value): value for value in new.values if value is not None}
        added, removed = differing(before, after)
        lists = list(before.values()), list(after.values())
        news = listed(after[key] for key in added)
        is_known = self._are_known(place, [after[key] for key in added])
        if before and after and not before.keys() & after.keys():
            witness = None
            if not is_known:
                witness = self.proof.parted(self.side.broken)
            values = map(listed, reversed(lists))
            self.add("changed", "value", place, lists, self.side.replaced, *values, witness=witness,
                     breaking=not is_known)  # fmt: skip
            return
        if removed:
            only = Choice(tuple(lists[1]))
            gone = listed(before[key] for key in removed)
            self.add("tightened", "value", place, lists, self.side.removed, gone, only=only)
        if added and is_known:
            self.add("loosened", "value", place, lists, self.side.added, news)
        elif added:
            self.add("wider", "value", place, lists, self.side.added, news, only=Choice(tuple(lists[0])))
        if self.is_request and [key for key in before if key in after] != [key for key in after if key in before]:
            self.add("reordered", "values", place, lists, "lists its values in another order: {}", listed(lists[1]))

    def _are_known(self, place: str, values: list[Any]) -> bool:
        """Tell whether values of an answer are states that the runtime knows already."""
        is_state = place.rpartition(".")[2].lower().endswith(("status", "state"))
        return not self.is_request and is_state and {str(value).upper() for value in values} <= STATES

    def counts(self, place: str, noun: str, old: Count, new: Count, onlys: tuple[Shape, Shape]) -> None:
        """Compare how many there must be of something, and how many there may be; `onlys` are the two rules alone."""
        self._limits(place, noun, counted(*old), counted(*new), onlys)

    def _limits(self, place: str, noun: str, old: Bounds, new: Bounds, onlys: tuple[Shape, Shape]) -> None:
        about = COUNTED.get(noun, "range")
        for mine, other, only in zip(old, new, onlys, strict=True):
            match mine, other:
                case (words, limit), None:
                    sentence = f"need not {_limited(words, limit, noun)} any more"
                    self.add("loosened", about, place, (limit, None), sentence, plain(limit))
                case None, (words, limit):
                    sentence = f"must {_limited(words, limit, noun)} now"
                    self.add("tightened", about, place, (None, limit), sentence, plain(limit), only=only)
                case (was, before), (words, limit) if mine != other:
                    kind: Kind = "loosened"
                    verb = "may"
                    if _is_tighter(limit, before, words):
                        kind, verb = "tightened", "must"
                    sentence = f"{verb} {_limited(words, limit, noun)} now, not {{}}"
                    if was != words:
                        sentence = f"{verb} {_limited(words, limit, noun)} now, not {was} {{}}"
                    self.add(kind, about, place, (before, limit), sentence, plain(limit), plain(before), only=only)
                case _:
                    pass

    def add(  # noqa: PLR0913  # what a change says, and what finds its witness
        self,
        kind: Kind | Literal["wider"],
        about: str,
        place: str,
        sides: tuple[Any, Any],
        sentence: str,
        *values: str,
        breaking: bool = False,
        witness: Witness | None = None,
        only: Shape | None = None,
        among: Shape | None = None,
        shows: Any = ABSENT,
    ) -> None:
        """Add a change; `sides` are what it was and what it is.

        That fewer values are possible (`tightened`) breaks who sends them, that there may be what could not be
        (`wider`) breaks who tells all answers apart. What shows it is given, or looked for `among` what is gone or
        came, and does not fit what the new or old rule `only` takes.
        """
        if kind == self.side.breaks and shows is not ABSENT:
            breaking, witness = True, self.proof.shown(self.side.broken, [shows])
        elif kind == self.side.breaks:
            breaking, witness = True, witness or self.proof.parted(self.side.broken, only, among)
        if kind == "wider":
            kind = "loosened"
        change = Change(kind, f"{self.side.name}-{about}", sentence, values, place, *sides, breaking, witness)
        self.changes.append(replace(change, scope=self.scope, pointer=self.pointer()))

    def pointer(self) -> str:
        """Give the place in the new description of what is being compared."""
        raise NotImplementedError


def _limited(words: str, limit: float, noun: str) -> str:
    """Say what a limit asks, with `{}` for its value."""
    if noun:
        return f"have {words} {{}} {plural(limit, noun)}"
    return f"be {words} {{}}"


def _is_tighter(new: float, old: float, words: str) -> bool:
    """Tell whether a limit lets fewer values pass than before. Where its value is the same, its words are not."""
    if new == old:
        return words in ("above", "below")
    if words in ("at least", "above"):
        return new > old
    return new < old
