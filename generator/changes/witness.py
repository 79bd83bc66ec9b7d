"""One case that shows a break: how it is found, and how it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from generator.json_values import is_array, is_object
from generator.schema.algebra import fits
from generator.schema.examples import around, completed, filled, parted, shortest, smallest
from generator.schema.types import ABSENT, Array, Never, Number, Object, Shape, Text

from .prose import OLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .prose import Side

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

    Of whatever comes in pairs, the first belongs to the old revision. A witness fits the body of one age, and not that
    of the other.
    """

    known: tuple[Mapping[str, Shape], Mapping[str, Shape]]
    side: Side
    whole: Sides = (Never(), Never())
    here: Sides = (Never(), Never())
    steps: list[tuple[Holder, Holder, str]] = field(default_factory=list[tuple[Holder, Holder, str]])
    """What holds what is compared, from the outermost on, with the name of the member; empty in a list."""

    def parted(self, age: Literal[0, 1], only: Shape | None = None, among: Shape | None = None) -> Witness | None:
        """Show a value of one age, `among` what the other lacks, that does not fit what the rule `only` takes."""
        mine, other = among or self.here[age], only or self.here[1 - age]
        values = parted(mine, other, self.known[age], self.known[1 - age])
        return self.shown(age, (value for value in values if _is_of_kind(value, only)))

    def shown(self, age: Literal[0, 1], values: Iterable[Any]) -> Witness | None:
        """Show by one of some values that the body of one age takes, or holds, what that of the other does not."""
        for value in values:
            whole = value
            for *holders, name in reversed(self.steps):
                whole = _inside(holders[age], name, whole, self.known[age])
            if whole is ABSENT or not fits(self.whole[age], whole, self.known[age]):
                continue
            if not fits(self.whole[1 - age], whole, self.known[1 - age]):
                return Witness(self.side.forms[age], whole)
        return None

    def made_otherwise(self, old: Named, new: Named) -> tuple[Any, str, str] | None:
        """Give a value of which another class is made now, with that class and the old one."""
        known = self.known[OLD]
        for value in shortest(value for _, shape in old for value in around(shape, known)):
            was, now = ([name for name, shape in named if fits(shape, value, known)] for named in (old, new))
            if was and now and was[0] != now[0]:
                return value, now[0], was[0]
        return None

    def holding(self, old: Object, *names: str) -> Any:
        """Give a small object of the old revision that has these members, `ABSENT` where none is found."""
        given = {name: smallest(old.allowed(name), self.known[OLD]) for name in names}
        return completed(old, given, self.known[OLD])


def _inside(holder: Holder, name: str, value: Any, known: Mapping[str, Shape]) -> Any:
    if value is ABSENT:
        return ABSENT
    if isinstance(holder, Array):
        return filled(holder, [value], holder.min_items, known)
    return completed(holder, {name: value}, known)


def _is_of_kind(value: Any, rule: Shape | None) -> bool:
    """Tell whether a rule is about a value: a limit of numbers says nothing of null."""
    match rule:
        case Number() | Text() | Array():
            return fits(type(rule)(), value, {})
        case Object():
            return is_object(value)
        case _:
            return True
