"""Changes of limits: what has no fields of its own, from the side of a caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from generator.schema.subset import is_multiple, lower, upper
from generator.schema.types import json_key

from .change import Change, Kind
from .prose import listed, plain

if TYPE_CHECKING:
    from generator.schema.types import Choice, Number, Text


@dataclass(slots=True)
class Limits:
    """Gathers changes of one request, or of one answer; `scope` says which."""

    side: Literal["request", "answer"]
    scope: str
    changes: list[Change] = field(default_factory=list[Change], kw_only=True)

    def texts(self, old: Text, new: Text, place: str) -> None:
        """Compare the limits of strings."""
        self.limit(place, ("at least {} characters", old.min_length or None, new.min_length or None), low=True)
        self.limit(place, ("at most {} characters", old.max_length, new.max_length), low=False)
        for label, before, after in (("pattern", old.patterns, new.patterns), ("format", old.formats, new.formats)):
            lost, gained = [x for x in before if x not in after], [x for x in after if x not in before]
            lists = list(before), list(after)
            if gained:
                words = f"must have the {label} {{}} now" + (", not {}" if lost else "")
                words = "must be an address now" if gained == ["uri"] and not lost else words
                values = (", ".join(gained), ", ".join(lost))[: words.count("{}")]
                self.narrowed(place, words, *lists, narrower=True, values=values)
            elif lost:
                words = (
                    "need not be an address any more" if lost == ["uri"] else f"need not have the {label} {{}} any more"
                )
                values = () if lost == ["uri"] else (", ".join(lost),)
                self.narrowed(place, words, *lists, narrower=False, values=values)

    def numbers(self, old: Number, new: Number, place: str) -> None:
        """Compare the limits of numbers."""
        if old.integer != new.integer:
            words = "must be an integer now" if new.integer else "may be a fraction now"
            kinds = ("an integer", "a number")[:: 1 if old.integer else -1]
            self.narrowed(place, words, *kinds, narrower=new.integer, matters=True)
        for limit, low in ((lower, True), (upper, False)):
            before, after = _shown(limit(old)), _shown(limit(new))
            if before != after:
                narrower = _tighter(before, after, low=low)
                was, now = (_bound(side[1], low=low) for side in (before, after))
                words = f"{'must' if narrower else 'may'} be {now} {{}} now, not {{}}"
                words = words if now == was else words.replace("not {}", f"not {was} {{}}")
                words = words if before[0] is not None else f"must be {now} {{}} now"
                words = words if after[0] is not None else f"need not be {was} {{}} any more"
                values = tuple(plain(side[0]) for side in (after, before) if side[0] is not None)
                self.narrowed(place, words, before[0], after[0], narrower=narrower, values=values)
        for shape, other, narrower in ((old, new, False), (new, old, True)):
            for step in shape.multiples:
                if not is_multiple(other, step):
                    words = "must be a multiple of {} now" if narrower else "need not be a multiple of {} any more"
                    steps = list(old.multiples), list(new.multiples)
                    self.narrowed(place, words, *steps, narrower=narrower, values=(plain(step),))

    def choices(self, old: Choice, new: Choice, place: str) -> None:
        """Compare the values that are listed; null is compared as an alternative of its own."""
        before = {json_key(value): value for value in old.values if value is not None}
        after = {json_key(value): value for value in new.values if value is not None}
        lost = [value for key, value in before.items() if key not in after]
        gained = [value for key, value in after.items() if key not in before]
        request = self.side == "request"
        lists = list(before.values()), list(after.values())
        if lost:
            words = "no longer takes {}" if request else "is no longer {}"
            self.add("tightened", place, words, (listed(lost),), *lists, breaking=request)
        if gained:
            words = "takes {} too" if request else "may be {} too"
            self.add("loosened", place, words, (listed(gained),), *lists, breaking=not request)
        if request and [key for key in before if key in after] != [key for key in after if key in before]:
            self.add("reordered", place, "lists its values in another order: {}", (listed(lists[1]),), *lists)

    def limit(self, place: str, limit: tuple[str, Any, Any], *, low: bool) -> None:
        """Compare a limit of a count: its words, with `{}` for the count, and its two ages; `low` tells a lower one."""
        words, old, new = limit
        if old == new:
            return
        narrower = new is not None and (old is None or (new > old) is low)
        words = words.removesuffix("s") if (old if new is None else new) == 1 else words
        values = tuple(plain(side) for side in (new, old) if side is not None)
        words = (
            f"need not have {words} any more" if new is None else f"{'must' if narrower else 'may'} have {words} now"
        )
        words = f"{words}, not {{}}" if len(values) == 2 else words
        self.narrowed(place, words, old, new, narrower=narrower, values=values)

    def narrowed(
        self, place: str, words: str, old: Any, new: Any, *, narrower: bool, matters: bool = False,
        values: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Add a line of a limit. `matters` tells that an answer that is wider breaks too."""
        breaking = narrower if self.side == "request" else matters and not narrower
        kind: Kind = "tightened" if narrower else "loosened"
        self.add(kind, place, words, values, old, new, breaking=breaking)

    def add(
        self, kind: Kind, place: str, words: str, values: tuple[str, ...], old: Any, new: Any, *, breaking: bool = False
    ) -> None:
        """Add a change."""
        self.changes.append(Change(kind, self.scope, place, words, values, old, new, breaking))


def _shown(limit: tuple[float, bool]) -> tuple[float | None, bool]:
    return (None, False) if limit[0] in (float("inf"), float("-inf")) else limit


def _bound(excluded: bool, *, low: bool) -> str:  # noqa: FBT001  # the second half of a limit
    if excluded:
        return "above" if low else "below"
    return "at least" if low else "at most"


def _tighter(before: tuple[float | None, bool], after: tuple[float | None, bool], *, low: bool) -> bool:
    if before[0] is None or after[0] is None:
        return before[0] is None
    if before[0] == after[0]:
        return after[1]
    return (after[0] > before[0]) is low
