"""What fits two shapes at once (`allOf`, siblings of a reference): limits narrowed, options multiplied out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import json_key

from . import types
from .algebra import MOST_OPTIONS, TooManyOptionsError, choice, fits, union
from .types import followed, is_exclusive, key_of, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Shape

MOST_MERGED: Final = 300_000
"""How many members of objects `allOf` may merge in one body. The limit is ours."""

MOST_MERGED_IN_ALL: Final = 4 * MOST_MERGED
"""As above, in one description: one body that goes too far leaves room for the others."""

LONGEST_POINTER: Final = 500
"""Characters with which merged places are named in full."""


class UnfinishedReferenceError(ValueError):
    """What a reference leads to is needed while it is still being read."""

    def __init__(self, reference: types.Reference) -> None:
        super().__init__(reference.pointer)
        self.reference = reference


@dataclass(slots=True)
class Intersection:
    """Gives what fits two shapes. `known` holds the shapes that references lead to, and is added to."""

    known: dict[str, Shape]
    told: dict[tuple[str, str], Shape] = field(default_factory=dict[tuple[str, str], "Shape"])
    """What was told of two objects, by their pointers: the same two may meet in many places."""
    merged: int = 0
    """How many members of objects were looked at."""
    most: int = MOST_MERGED
    """How many may be looked at before the body is refused that is being read."""

    def begin(self) -> None:
        """Begin with another body."""
        self.most = min(self.merged + MOST_MERGED, MOST_MERGED_IN_ALL)

    def of(self, left: Shape, right: Shape) -> Shape:  # noqa: PLR0911  # one for each pair of shapes
        """Give what fits both.

        Raises:
            TooManyOptionsError: alternatives multiply beyond `MOST_OPTIONS`, or members beyond `most`.
            UnfinishedReferenceError: `known` does not hold what a reference leads to.
        """
        if isinstance(left, types.Anything) or (type(left) is type(right) and key_of(left) == key_of(right)):
            return right
        match left, right:
            case _, types.Anything():
                return left
            case (types.Never(), _):
                return left
            case (_, types.Never()):
                return right
            case (types.Reference(), _) | (_, types.Reference()):
                return self.of(_finished(left, self.known), _finished(right, self.known))
            case (types.Union(), _) | (_, types.Union()):
                return self._unions(left, right)
            case types.Object(conditional=True), other if not isinstance(other, types.Object):
                return other
            case other, types.Object(conditional=True) if not isinstance(other, types.Object):
                return other
            case types.Choice(values), types.Choice(others):
                keys = set(map(json_key, others))
                return choice(value for value in values if json_key(value) in keys)
            case (types.Choice(values), other) | (other, types.Choice(values)):
                return choice(value for value in values if fits(other, value, self.known))
            case types.Object(), types.Object():
                return self._objects(left, right)
            case _:
                return self._limits(left, right)

    def _limits(self, left: Shape, right: Shape) -> Shape:
        """Give what keeps the limits of both; nothing does where they are of two kinds."""
        match left, right:
            case types.Text(), types.Text():
                return types.Text(
                    max(left.min_length, right.min_length),
                    _least(left.max_length, right.max_length),
                    _together(left.patterns, right.patterns),
                    _together(left.formats, right.formats),
                )
            case types.Number(), types.Number():
                return types.Number(
                    left.integer or right.integer,
                    _most(left.minimum, right.minimum),
                    _least(left.maximum, right.maximum),
                    _most(left.exclusive_minimum, right.exclusive_minimum),
                    _least(left.exclusive_maximum, right.exclusive_maximum),
                    _together(left.multiples, right.multiples),
                )
            case types.Array(), types.Array():
                return types.Array(
                    self.of(left.items, right.items),
                    max(left.min_items, right.min_items),
                    _least(left.max_items, right.max_items),
                    left.unique or right.unique,
                )
            case _:
                return types.Never()

    def _unions(self, left: Shape, right: Shape) -> Shape:
        """Multiply options out. Those of an exclusive union stay apart: each holds what it shares with a plain one."""
        if len(options_of(left)) * len(options_of(right)) > MOST_OPTIONS:
            raise TooManyOptionsError
        rows = [[self.of(a, b) for b in options_of(right)] for a in options_of(left)]
        if is_exclusive(left) == is_exclusive(right):
            return union((shape for row in rows for shape in row), exclusive=is_exclusive(left))
        if is_exclusive(right):
            rows = [list(column) for column in zip(*rows, strict=True)]
        return union(map(union, rows), exclusive=True)

    def _objects(self, left: types.Object, right: types.Object) -> Shape:
        """Give the object that fits both; `Never` where it requires a member that can have no value."""
        pair = (left.pointer, right.pointer)
        if pair in self.told:
            return self.told[pair]
        pointer = _pointer_of_both(*pair)
        self.told[pair] = types.Reference(pointer)  # to those who meet the same two again inside of them
        names = dict.fromkeys(prop.name for prop in (*left.properties, *right.properties))
        self.merged += 1 + len(names)
        if self.merged > self.most:
            raise TooManyOptionsError
        extra = left.extra or right.extra
        if left.extra is not None and right.extra is not None:
            extra = self.of(left.extra, right.extra)
        both = replace(
            left,
            pointer=pointer,
            properties=tuple(prop for name in names if (prop := self._member(left, right, name))),
            required=_together(left.required, right.required),
            extra=extra,
            min_properties=max(left.min_properties, right.min_properties),
            max_properties=_least(left.max_properties, right.max_properties),
            dependent=_together(left.dependent, right.dependent),
            title=left.title or right.title,
            hint=left.hint or right.hint,
            text=left.text or right.text,
            deprecated=left.deprecated or right.deprecated,
            conditional=left.conditional and right.conditional,
            unasked=_together(left.unasked, right.unasked),
        )
        both = asked_of_callers(both)
        self.told[pair] = self.known[pointer] = both.obstacle or both
        return self.told[pair]

    def _member(self, left: types.Object, right: types.Object, name: str) -> types.Property | None:
        """Give the member of a name. What names it under a condition alone counts only where nothing else does."""
        ours, theirs = left.get(name), right.get(name)
        if ours is None or theirs is None:
            extra = left.extra
            if theirs is None:
                extra = right.extra
            return self._alone(ours or theirs, extra)
        if ours.conditional and theirs.conditional:
            return replace(ours, shape=union((ours.shape, theirs.shape)))
        if ours.conditional:
            return self._widened(theirs, ours)
        if theirs.conditional:
            return self._widened(ours, theirs)
        default = ours.default
        if default is types.ABSENT:
            default = theirs.default
        shape = self.of(ours.shape, theirs.shape)
        if isinstance(shape, types.Never) and not shape.reason:
            reason = f"nothing fits both #{ours.pointer} and #{theirs.pointer}"
            shape = types.Never(theirs.pointer, reason, theirs.pointer)
        return replace(
            ours,
            shape=shape,
            default=default,
            text=ours.text or theirs.text,
            deprecated=ours.deprecated or theirs.deprecated,
            deprecated_values=ours.deprecated_values + theirs.deprecated_values,
            read_only=ours.read_only or theirs.read_only,
        )

    def _alone(self, prop: types.Property | None, extra: Shape | None) -> types.Property | None:
        """Give a member that one object names, where the other says so much of members of any name."""
        if prop is None or extra is None:
            return prop
        if prop.conditional:
            return None
        shape = self.of(prop.shape, extra)
        if isinstance(shape, types.Never) and isinstance(extra, types.Never):
            shape = types.Never(prop.pointer, f"#{extra.pointer} excludes it", extra.pointer)
        elif isinstance(shape, types.Never) and not shape.reason:
            shape = types.Never(prop.pointer, "what holds for members of any name excludes it", prop.pointer)
        return replace(prop, shape=shape)

    def _widened(self, prop: types.Property, other: types.Property) -> types.Property:
        """Add to the object that a member is the members that it has under a condition alone."""
        if not isinstance(prop.shape, types.Object) or not isinstance(other.shape, types.Object):
            return prop
        if prop.shape.is_map:
            return prop
        names = tuple(replace(inner, conditional=True) for inner in other.shape.properties)
        added = types.Object(f"{other.shape.pointer}?", names, conditional=True)
        return replace(prop, shape=self._objects(prop.shape, added))


def _pointer_of_both(left: str, right: str) -> str:
    """Name two places as one: in full, or by a digest where many are merged into one."""
    pointer = f"{left}+{right}"
    if len(pointer) < LONGEST_POINTER:
        return pointer
    return f"{left.partition('+')[0]}+{hashlib.sha256(pointer.encode('utf-8', 'replace')).hexdigest()}"


def asked_of_callers(shape: types.Object) -> types.Object:
    """Ask nobody for what the platform sets: give an object that requires none of it, and has it last."""
    read_only = {prop.name for prop in shape.properties if prop.read_only}
    if not read_only:
        return shape
    asked = [(name, tuple(other for other in others if other not in read_only)) for name, others in shape.dependent]
    return replace(
        shape,
        dependent=tuple((name, others) for name, others in asked if others),
        properties=tuple(sorted(shape.properties, key=lambda prop: prop.read_only)),
        required=tuple(name for name in shape.required if name not in read_only),
        unasked=_together(shape.unasked, tuple(name for name in shape.required if name in read_only)),
    )


def _finished(shape: Shape, known: Mapping[str, Shape]) -> Shape:
    if isinstance(shape, types.Reference) and shape.pointer not in known:
        raise UnfinishedReferenceError(shape)
    return followed(shape, known)


def _together(left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*left, *right)))


def _most(left: Any, right: Any) -> Any:
    return max((value for value in (left, right) if value is not None), default=None)


def _least(left: Any, right: Any) -> Any:
    return min((value for value in (left, right) if value is not None), default=None)
