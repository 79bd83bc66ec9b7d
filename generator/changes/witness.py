"""One case that shows a break: how it is found, and how it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from generator.json_values import is_array, is_object
from generator.schema.algebra import fits
from generator.schema.examples import around, completed, filled, parted, shortest, smallest
from generator.schema.types import ABSENT, Array, Never, Number, Object, Shape, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Holder: TypeAlias = Array | Object
"""What something may stand in."""

Named: TypeAlias = list[tuple[str, Object]]
"""Classes in their order, by name."""

Sides: TypeAlias = tuple[Shape, Shape]
"""The old shape of a place, and the new one."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One case that shows a break."""

    form: Literal["payload", "call", "request", "answer", "old answer"]
    value: Any
    """A payload or an answer is a JSON value, a call is Python, a request is in words."""

    def text(self, quote: Callable[[str], str] = str) -> str:
        """Say what it shows, long values shortened."""
        shown = self.value
        if self.form not in ("call", "request"):
            shown = json.dumps(_shortened(self.value), ensure_ascii=False)
        return SHOWN[self.form].replace("{}", quote(shown))


SHOWN: Final = {
    "payload": "{} was taken, and is refused",
    "call": "{} worked, and fails",
    "request": "{} worked, and fails",
    "answer": "{} may come now",
    "old answer": "{} comes no more",
}
LONGEST: Final = 40
"""Characters that are shown of a string, and items of a list."""


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:8]}… ({len(value)} characters)"
    if is_array(value) and len(value) > LONGEST:
        return [*map(_shortened, value[:2]), f"… ({len(value)} items)"]
    if is_array(value):
        return list(map(_shortened, value))
    if is_object(value):
        return {name: _shortened(item) for name, item in value.items()}
    return value


@dataclass(slots=True)
class Proof:
    """Finds witnesses while two revisions of a body are compared: it knows what is compared, and what that stands in.

    A witness of a request was taken by the old body and is refused by the new one. One of an answer fits the new body
    and not the old one; where something is gone, the other way round.
    """

    old_known: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    new_known: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    is_request: bool = True
    whole: Sides = (Never(), Never())
    here: Sides = (Never(), Never())
    steps: list[tuple[Holder, Holder, str]] = field(default_factory=list[tuple[Holder, Holder, str]])
    """What holds what is compared, from the outermost on, with the name of the member; empty in a list."""

    def enter(self, old: Shape, new: Shape) -> Sides:
        """Say what is compared from here on, and give what was compared until now."""
        outside = self.here
        self.here = old, new
        if not self.steps:
            self.whole = outside = self.here
        return outside

    def leave(self, outside: Sides) -> None:
        """Go back to what was compared before; the whole stays."""
        self.here = outside

    def refused(self, only: Shape | None = None, among: Shape | None = None) -> Witness | None:
        """Show a value that was taken, `among` what is gone, and does not fit what the new rule `only` takes."""
        old, new = self.here
        values = parted(among or old, only or new, self.old_known, self.new_known)
        return self.lost(value for value in values if _is_of_kind(value, only))

    def come(self, only: Shape | None = None, among: Shape | None = None) -> Witness | None:
        """Show a value that may come now, `among` what is new, and did not fit what the old rule `only` held."""
        old, new = self.here
        values = parted(among or new, only or old, self.new_known, self.old_known)
        return self.gained(value for value in values if _is_of_kind(value, only))

    def lost(self, values: Iterable[Any]) -> Witness | None:
        """Show by one of some values that the old body took, or held, what the new one does not."""
        for value in values:
            whole = value
            for old, _, name in reversed(self.steps):
                whole = _inside(old, name, whole, self.old_known)
            if self._fits_old(whole) and not self._fits_new(whole):
                return Witness("payload" if self.is_request else "old answer", whole)
        return None

    def gained(self, values: Iterable[Any]) -> Witness | None:
        """Show by one of some values that the new body may hold what the old one did not."""
        for value in values:
            whole = value
            for _, new, name in reversed(self.steps):
                whole = _inside(new, name, whole, self.new_known)
            if self._fits_new(whole) and not self._fits_old(whole):
                return Witness("answer", whole)
        return None

    def made_otherwise(self, old: Named, new: Named) -> tuple[Any, str, str] | None:
        """Give a value of which another class is made now, with that class and the old one."""
        for value in shortest(value for _, shape in old for value in around(shape, self.old_known)):
            was = [name for name, shape in old if fits(shape, value, self.old_known)]
            now = [name for name, shape in new if fits(shape, value, self.new_known)]
            if was and now and was[0] != now[0]:
                return value, now[0], was[0]
        return None

    def holding(self, old: Object, *names: str) -> Any:
        """Give a small object of the old revision that has these members, `ABSENT` where none is found."""
        given = {name: smallest(old.allowed(name), self.old_known) for name in names}
        return completed(old, given, self.old_known)

    def _fits_old(self, value: Any) -> bool:
        return value is not ABSENT and fits(self.whole[0], value, self.old_known)

    def _fits_new(self, value: Any) -> bool:
        return value is not ABSENT and fits(self.whole[1], value, self.new_known)


def _inside(holder: Holder, name: str, value: Any, known: Mapping[str, Shape]) -> Any:
    if value is ABSENT:
        return ABSENT
    if isinstance(holder, Array):
        return filled(holder, [value], holder.min_items, known)
    return completed(holder, {name: value}, known)


def _is_of_kind(value: Any, rule: Shape | None) -> bool:
    """Tell whether a rule is about a value: a limit of numbers says nothing of null."""
    match rule:
        case Number():
            return fits(Number(), value, {})
        case Text():
            return isinstance(value, str)
        case Array():
            return is_array(value)
        case Object():
            return is_object(value)
        case _:
            return True
