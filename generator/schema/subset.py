"""Whether every value that one shape takes is taken by another: what a caller may go on sending."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from generator.json_values import json_key

from . import types
from .algebra import disjoint, fits
from .patterns import is_unchecked
from .types import followed, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Number, Object, Shape, Union

MOST_COUNTED = 1_000
"""How many integers a range may hold to be counted out. The limit is ours."""


@dataclass(slots=True)
class Subset:
    """Compares the shapes of two descriptions. What it cannot tell for certain, it denies."""

    left_known: Mapping[str, Shape]
    right_known: Mapping[str, Shape]
    assumed: frozenset[tuple[str, str]] = frozenset()
    """Pairs of objects that are being compared: what leads back to them holds if the rest does."""
    told: dict[Any, tuple[bool, Shape, Shape]] = field(default_factory=dict[Any, tuple[bool, "Shape", "Shape"]])
    """What was told of two shapes, by their ids, with the shapes, since an id lives no longer than what has it."""
    back: Subset | None = None
    """The same the other way round."""

    def holds(self, left: Shape, right: Shape) -> bool:
        """Tell whether it is certain that all that fits `left` fits `right`."""
        left, right = followed(left, self.left_known), followed(right, self.right_known)
        key = (id(left), id(right), self.assumed)
        if key not in self.told:
            self.told[key] = (self._holds(left, right), left, right)
        return self.told[key][0]

    def _holds(self, left: Shape, right: Shape) -> bool:
        if isinstance(right, types.Anything) or isinstance(left, types.Never):
            return True
        values = finite(left)
        if values is not None and isinstance(right, types.Choice):
            return set(map(json_key, values)) <= set(map(json_key, right.values))
        if values is not None:
            return all(fits(right, value, self.right_known) for value in values) and not _is_unsure(values, right)
        match left, right:
            case types.Union(exclusive=True), types.Union(exclusive=True):
                return self._exclusive(left, right)
            case types.Union(exclusive=True), types.Union() if self._in_union(left, right):
                return True
            case types.Union(options), _:
                return all(self.holds(option, right) for option in options)
            case _, types.Union():
                return self._in_union(left, right)
            case _:
                return self._alike(left, right)

    def _in_union(self, left: Shape, right: Union) -> bool:
        """Tell whether an option takes all, and no other of them any, if one alone is allowed."""
        for option in right.options:
            if self.holds(left, option):
                others = [other for other in right.options if other is not option]
                if not right.exclusive or all(disjoint(left, other) for other in others):
                    return True
        return False

    def _exclusive(self, left: Union, right: Union) -> bool:
        """Tell whether two exclusive unions have the same options; less cannot be told of them."""
        back = self.back = self.back or Subset(self.right_known, self.left_known, back=self)
        return len(left.options) == len(right.options) and all(
            any(self.holds(a, b) and back.holds(b, a) for b in right.options) for a in left.options
        )

    def _alike(self, left: Shape, right: Shape) -> bool:
        match left, right:
            case types.Text(), types.Text():
                return (
                    left.min_length >= right.min_length
                    and _at_most(left.max_length, right.max_length)
                    and set(right.patterns) <= set(left.patterns)
                    and set(right.formats) <= set(left.formats)
                )
            case types.Number(), types.Number():
                return _numbers(left, right)
            case types.Array(), types.Array():
                return (
                    left.min_items >= right.min_items
                    and _at_most(left.max_items, right.max_items)
                    and (left.unique or not right.unique or _at_most(left.max_items, 1))
                    and (left.max_items == 0 or self.holds(left.items, right.items))
                )
            case types.Object(), types.Object():
                return self._objects(left, right)
            case _:
                return isinstance(left, types.Binary) and isinstance(right, types.Binary)

    def _objects(self, left: Object, right: Object) -> bool:
        pair = (left.pointer, right.pointer)
        if pair in self.assumed:
            return True
        outside, self.assumed = self.assumed, self.assumed | {pair}
        names = {prop.name for prop in (*left.properties, *right.properties)} | {*left.required, *right.required}
        found = (
            set(right.required) <= set(left.required)
            and all(self.holds(left.allowed(name), right.allowed(name)) for name in names)
            and self.holds(left.members, right.members)
            and right.min_properties <= max(left.min_properties, len(left.required))
            and _at_most(_most(left), right.max_properties)
            and all(depends(left, name, others) for name, others in right.dependent)
        )
        self.assumed = outside
        return found


def depends(shape: Object, name: str, others: tuple[str, ...]) -> bool:
    """Tell whether an object that has a member of a name certainly has the others as well."""
    own = {other for key, names in shape.dependent if key == name for other in names}
    return isinstance(shape.allowed(name), types.Never) or set(others) <= {*shape.required, *own, name}


def finite(shape: Shape) -> list[Any] | None:
    """Give all values of a shape, None where they cannot be counted out."""
    match shape:
        case types.Null():
            return [None]
        case types.Boolean():
            return [False, True]
        case types.Choice(values):
            return list(values)
        case types.Number(integer=True):
            (low, _), (high, _) = shape.limits
            if -math.inf < low and high < math.inf and high - low < MOST_COUNTED:
                return [value for value in range(int(low), int(high) + 1) if fits(shape, value, {})]
        case types.Union(options, exclusive=False):
            parts = [part for option in options if (part := finite(option)) is not None]
            if len(parts) == len(options):
                return [value for part in parts for value in part]
        case _:
            pass
    return None


def is_multiple(shape: Number, step: float) -> bool:
    """Tell whether all numbers of a shape are multiples of a step."""
    own = list(shape.multiples)
    if shape.integer:
        own.append(1)
    return any(Fraction(str(multiple)) % Fraction(str(step)) == 0 for multiple in own)


def _is_unsure(values: list[Any], shape: Shape) -> bool:
    """Tell whether a pattern was not put to one of the values."""
    patterns = [
        pattern for option in options_of(shape) if isinstance(option, types.Text) for pattern in option.patterns
    ]
    texts = [value for value in values if isinstance(value, str)]
    return any(is_unchecked(pattern, text) for pattern in patterns for text in texts)


def _numbers(left: Number, right: Number) -> bool:
    (low, high), (least, most) = left.limits, right.limits
    return (
        (not right.integer or left.integer or is_multiple(left, 1))
        and low >= least
        and high <= most
        and all(is_multiple(left, step) for step in right.multiples)
    )


def _at_most(left: int | None, right: int | None) -> bool:
    return right is None or (left is not None and left <= right)


def _most(shape: Object) -> int | None:
    if not isinstance(shape.members, types.Never):
        return shape.max_properties
    named = {*(prop.name for prop in shape.properties if not isinstance(prop.shape, types.Never)), *shape.required}
    if shape.max_properties is None:
        return len(named)
    return min(shape.max_properties, len(named))
