"""Changes of limits: what has no fields of its own, from the side of a caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.json_values import json_key
from generator.schema.subset import is_multiple, lower, upper

from .change import Change
from .prose import REQUEST, known, listed, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.schema.types import Choice, Number, Text

    from .change import Kind
    from .prose import Side


class _Limit(NamedTuple):
    """A least or greatest number, or count of something; its value is None where there is none."""

    value: float | None
    bound: str
    noun: str = ""

    @property
    def words(self) -> str:
        """The limit, with `{}` for its value."""
        if self.noun:
            return f"have {self.bound} {{}} {plural(self.value, self.noun)}"
        return f"be {self.bound} {{}}"


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
        now, was = ", ".join(added), ", ".join(removed)
        sides = list(old), list(new)
        if added and removed:
            self.tightened(place, sides, f"must have the {label} {{}} now, not {{}}", now, was)
        elif added == ["uri"]:
            self.tightened(place, sides, "must be an address now")
        elif added:
            self.tightened(place, sides, f"must have the {label} {{}} now", now)
        elif removed == ["uri"]:
            self.loosened(place, sides, "need not be an address any more")
        elif removed:
            self.loosened(place, sides, f"need not have the {label} {{}} any more", was)

    def numbers(self, old: Number, new: Number, place: str) -> None:
        """Compare the limits of numbers."""
        if new.integer and not old.integer:
            self.tightened(place, ("a number", "an integer"), "must be an integer now")
        if old.integer and not new.integer:
            self.wider(place, ("an integer", "a number"), "may be a fraction now")
        for before, after in zip(_limits_of(old), _limits_of(new), strict=True):
            self._limit(place, before, after)
        steps = list(old.multiples), list(new.multiples)
        for step in old.multiples:
            if not is_multiple(new, step):
                self.loosened(place, steps, "need not be a multiple of {} any more", plain(step))
        for step in new.multiples:
            if not is_multiple(old, step):
                self.tightened(place, steps, "must be a multiple of {} now", plain(step))

    def choices(self, old: Choice, new: Choice, place: str) -> None:
        """Compare the values that are listed; null is compared as an alternative of its own."""
        before = {json_key(value): value for value in old.values if value is not None}
        after = {json_key(value): value for value in new.values if value is not None}
        added, removed = differing(before, after)
        lists = list(before.values()), list(after.values())
        if removed:
            self.tightened(place, lists, self.side.removed, listed(before[key] for key in removed))
        if added:
            self.wider(place, lists, self.side.added, listed(after[key] for key in added))
        if self.is_request and [key for key in before if key in after] != [key for key in after if key in before]:
            self.add("reordered", place, lists, "lists its values in another order: {}", listed(lists[1]))

    def counts(self, place: str, noun: str, old: tuple[int, int | None], new: tuple[int, int | None]) -> None:
        """Compare how many there must be of something, and how many there may be."""
        self._limit(place, _Limit(old[0] or None, "at least", noun), _Limit(new[0] or None, "at least", noun))
        self._limit(place, _Limit(old[1], "at most", noun), _Limit(new[1], "at most", noun))

    def _limit(self, place: str, old: _Limit, new: _Limit) -> None:
        sides = old.value, new.value
        if old == new:
            return
        if new.value is None:
            self.loosened(place, sides, f"need not {old.words} any more", plain(old.value))
        elif old.value is None:
            self.tightened(place, sides, f"must {new.words} now", plain(new.value))
        else:
            words, values = f"{new.words} now, not {{}}", (plain(new.value), plain(old.value))
            if old.bound != new.bound:
                words = f"{new.words} now, not {old.bound} {{}}"
            if _is_tighter(new.value, old.value, new.bound):
                self.tightened(place, sides, f"must {words}", *values)
            else:
                self.loosened(place, sides, f"may {words}", *values)

    def tightened(self, place: str, sides: tuple[Any, Any], sentence: str, *values: str) -> None:
        """Add that fewer values are possible, which breaks who sends them."""
        self.add("tightened", place, sides, sentence, *values, breaking=self.is_request)

    def loosened(self, place: str, sides: tuple[Any, Any], sentence: str, *values: str) -> None:
        """Add that a limit is wider or gone, which breaks nobody."""
        self.add("loosened", place, sides, sentence, *values)

    def wider(self, place: str, sides: tuple[Any, Any], sentence: str, *values: str) -> None:
        """Add that there may be what could not be, which breaks who tells all answers apart."""
        self.add("loosened", place, sides, sentence, *values, breaking=not self.is_request)

    def add(
        self, kind: Kind, place: str, sides: tuple[Any, Any], sentence: str, *values: str, breaking: bool = False
    ) -> None:
        """Add a change; `sides` are what it was and what it is."""
        old, new = sides
        self.changes.append(Change(kind, sentence, values, self.scope, place, old, new, breaking))


def _is_tighter(new: float, old: float, bound: str) -> bool:
    """Tell whether a limit lets fewer values pass than before. Where its value is the same, its bound is not."""
    if new == old:
        return bound in ("above", "below")
    if bound in ("at least", "above"):
        return new > old
    return new < old


def _limits_of(shape: Number) -> tuple[_Limit, _Limit]:
    (low, is_excluded), (high, is_included) = lower(shape), upper(shape)
    least, greatest = _Limit(known(low), "at least"), _Limit(known(high), "at most")
    if is_excluded:
        least = _Limit(low, "above")
    if not is_included:
        greatest = _Limit(high, "below")
    return least, greatest
