"""Changes of limits: what has no fields of its own, from the side of a caller."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import json_key
from generator.output.words import bounds, counted, listed, plain
from generator.schema.subset import is_multiple
from generator.schema.types import ABSENT, Array, Choice, Number, Object, Text

from .change import Change
from .prose import REQUEST, plural
from .witness import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.output.words import Bound
    from generator.schema.types import Shape

    from .change import Kind
    from .prose import Side
    from .witness import Witness


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
    proof: Proof = field(default_factory=Proof, kw_only=True)
    """What finds a witness for each change that breaks."""

    @property
    def is_request(self) -> bool:
        """Whether callers send these values, and do not read them."""
        return self.side is REQUEST

    def texts(self, old: Text, new: Text, place: str) -> None:
        """Compare the limits of strings."""
        self.counts(place, "character", (old.min_length, old.max_length), (new.min_length, new.max_length))
        self._names(place, "pattern", old.patterns, new.patterns)
        self._names(place, "format", old.formats, new.formats)

    def _names(self, place: str, label: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        added, removed = differing(old, new)
        only = Text(patterns=tuple(added))
        if label == "format":
            only = Text(formats=tuple(added))
        now, was = ", ".join(added), ", ".join(removed)
        sides = list(old), list(new)
        if added and removed:
            self.tightened(label, place, sides, f"must have the {label} {{}} now, not {{}}", now, was, only=only)
        elif added == ["uri"]:
            self.tightened(label, place, sides, "must be an address now", only=only)
        elif added:
            self.tightened(label, place, sides, f"must have the {label} {{}} now", now, only=only)
        elif removed == ["uri"]:
            self.loosened(label, place, sides, "need not be an address any more")
        elif removed:
            self.loosened(label, place, sides, f"need not have the {label} {{}} any more", was)

    def numbers(self, old: Number, new: Number, place: str) -> None:
        """Compare the limits of numbers."""
        if new.integer and not old.integer:
            self.tightened(
                "type", place, ("a number", "an integer"), "must be an integer now", only=Number(integer=True)
            )
        if old.integer and not new.integer:
            self.wider("type", place, ("an integer", "a number"), "may be a fraction now")
        for was, now in zip(bounds(old), bounds(new), strict=True):
            self._limit(place, was, now)
        steps = list(old.multiples), list(new.multiples)
        for step in old.multiples:
            if not is_multiple(new, step):
                self.loosened("step", place, steps, "need not be a multiple of {} any more", plain(step))
        for step in new.multiples:
            if not is_multiple(old, step):
                self.tightened(
                    "step", place, steps, "must be a multiple of {} now", plain(step), only=Number(multiples=(step,))
                )

    def choices(self, old: Choice, new: Choice, place: str) -> None:
        """Compare the values that are listed; null is compared as an alternative of its own."""
        before = {json_key(value): value for value in old.values if value is not None}
        after = {json_key(value): value for value in new.values if value is not None}
        added, removed = differing(before, after)
        lists = list(before.values()), list(after.values())
        news = [after[key] for key in added]
        if before and after and not before.keys() & after.keys():
            self._other_values(place, lists)
            return
        if removed:
            self.tightened("value", place, lists, self.side.removed, listed(before[key] for key in removed),
                           only=Choice(tuple(lists[1])))  # fmt: skip
        if added and self._are_known(place, news):
            self.loosened("value", place, lists, self.side.added, listed(news))
        elif added:
            self.wider("value", place, lists, self.side.added, listed(news), only=Choice(tuple(lists[0])))
        if self.is_request and [key for key in before if key in after] != [key for key in after if key in before]:
            self.add("reordered", "values", place, lists, "lists its values in another order: {}", listed(lists[1]))

    def _other_values(self, place: str, lists: tuple[list[Any], list[Any]]) -> None:
        """Say that all values are others."""
        was, now = map(listed, lists)
        witness = None
        if self.is_request:
            witness = self.proof.refused()
        elif not self._are_known(place, lists[1]):
            witness = self.proof.come()
        breaking = self.is_request or not self._are_known(place, lists[1])
        self.add("changed", "value", place, lists, self.side.replaced, now, was, breaking=breaking, witness=witness)

    def _are_known(self, place: str, values: list[Any]) -> bool:
        """Tell whether values of an answer are states that the runtime knows already."""
        is_state = place.rpartition(".")[2].lower().endswith(("status", "state"))
        return not self.is_request and is_state and {str(value).upper() for value in values} <= STATES

    def counts(self, place: str, noun: str, old: tuple[int, int | None], new: tuple[int, int | None]) -> None:
        """Compare how many there must be of something, and how many there may be."""
        for was, now in zip(counted(*old), counted(*new), strict=True):
            self._limit(place, was, now, noun)

    def _limit(self, place: str, old: Bound | None, new: Bound | None, noun: str = "") -> None:
        about = COUNTED.get(noun, "range")
        only = _only(new, noun)
        match old, new:
            case (words, limit), None:
                sentence = f"need not {_limited(words, limit, noun)} any more"
                self.loosened(about, place, (limit, None), sentence, plain(limit))
            case None, (words, limit):
                self.tightened(
                    about, place, (None, limit), f"must {_limited(words, limit, noun)} now", plain(limit), only=only
                )
            case (was, before), (words, limit) if old != new:
                sentence = f"{_limited(words, limit, noun)} now, not {{}}"
                if was != words:
                    sentence = f"{_limited(words, limit, noun)} now, not {was} {{}}"
                if _is_tighter(limit, before, words):
                    self.tightened(
                        about, place, (before, limit), f"must {sentence}", plain(limit), plain(before), only=only
                    )
                else:
                    self.loosened(about, place, (before, limit), f"may {sentence}", plain(limit), plain(before))
            case _:
                pass

    def tightened(
        self,
        about: str,
        place: str,
        sides: tuple[Any, Any],
        sentence: str,
        *values: str,
        only: Shape | None = None,
        among: Shape | None = None,
        shows: Any = ABSENT,
    ) -> None:
        """Add that fewer values are possible, which breaks who sends them.

        What shows it is given, or looked for `among` what is gone and does not fit what the new rule `only` takes.
        """
        witness = None
        if self.is_request and shows is not ABSENT:
            witness = self.proof.lost([shows])
        elif self.is_request:
            witness = self.proof.refused(only, among)
        self.add("tightened", about, place, sides, sentence, *values, breaking=self.is_request, witness=witness)

    def loosened(self, about: str, place: str, sides: tuple[Any, Any], sentence: str, *values: str) -> None:
        """Add that a limit is wider or gone, which breaks nobody."""
        self.add("loosened", about, place, sides, sentence, *values)

    def wider(
        self,
        about: str,
        place: str,
        sides: tuple[Any, Any],
        sentence: str,
        *values: str,
        only: Shape | None = None,
        among: Shape | None = None,
        shows: Any = ABSENT,
    ) -> None:
        """Add that there may be what could not be, which breaks who tells all answers apart."""
        witness = None
        if not self.is_request and shows is not ABSENT:
            witness = self.proof.gained([shows])
        elif not self.is_request:
            witness = self.proof.come(only, among)
        self.add("loosened", about, place, sides, sentence, *values, breaking=not self.is_request, witness=witness)

    def add(
        self,
        kind: Kind,
        about: str,
        place: str,
        sides: tuple[Any, Any],
        sentence: str,
        *values: str,
        breaking: bool = False,
        witness: Witness | None = None,
    ) -> None:
        """Add a change; `sides` are what it was and what it is."""
        old, new = sides
        name = f"{self.side.name}-{about}"
        change = Change(kind, name, sentence, values, self.scope, place, old, new, breaking)
        self.changes.append(replace(change, pointer=self.pointer(), witness=witness))

    def pointer(self) -> str:
        """Give the place in the new description of what is being compared."""
        raise NotImplementedError


def _only(limit: Bound | None, noun: str) -> Shape | None:
    """Give the shape that a limit alone makes."""
    if limit is None:
        return None
    words, number = limit
    match noun, words:
        case "", "at least":
            return Number(minimum=number)
        case "", "above":
            return Number(exclusive_minimum=number)
        case "", "at most":
            return Number(maximum=number)
        case "", _:
            return Number(exclusive_maximum=number)
        case _:
            return _counting(noun, int(number), is_least=words == "at least")


def _counting(noun: str, number: int, *, is_least: bool) -> Shape:
    least, most = 0, None
    if is_least:
        least = number
    else:
        most = number
    if noun == "character":
        return Text(least, most)
    if noun == "item":
        return Array(min_items=least, max_items=most)
    return Object("", min_properties=least, max_properties=most)


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
