"""Whether every value that one shape takes is taken by another: what a caller may go on sending."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .types import (
    LONGEST_MATCHED,
    Anything,
    Array,
    Binary,
    Boolean,
    Choice,
    Never,
    Null,
    Number,
    Object,
    Shape,
    Text,
    Union,
    disjoint,
    fits,
    followed,
    json_key,
    options_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_COUNTED = 1_000
"""How many integers a range may hold to be counted out. The limit is ours."""


@dataclass(slots=True)
class Subset:
    """Compares the shapes of two descriptions. What it cannot tell for certain, it denies."""

    left_known: Mapping[str, Shape]
    right_known: Mapping[str, Shape]
    assumed: frozenset[tuple[str, str]] = frozenset()
    """Pairs of objects that are being compared: what leads back to them holds if the rest does."""
    told: dict[tuple[int, int, frozenset[tuple[str, str]]], tuple[bool, Shape, Shape]] = field(
        default_factory=dict[tuple[int, int, frozenset[tuple[str, str]]], tuple[bool, Shape, Shape]]
    )
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
        if isinstance(right, Anything) or isinstance(left, Never):
            return True
        values = finite(left)
        if values is not None and isinstance(right, Choice):
            return set(map(json_key, values)) <= set(map(json_key, right.values))
        if values is not None:
            return all(fits(right, value, self.right_known) for value in values) and not _is_unsure(values, right)
        if isinstance(left, Union):
            if left.exclusive and isinstance(right, Union) and right.exclusive:
                return self._exclusive(left, right)
            if left.exclusive and isinstance(right, Union) and self._in_union(left, right):
                return True
            return all(self.holds(option, right) for option in left.options)
        if isinstance(right, Union):
            return self._in_union(left, right)
        return self._alike(left, right)

    def _in_union(self, left: Shape, right: Union) -> bool:
        for option in right.options:
            others = [other for other in right.options if other is not option]
            if self.holds(left, option) and not (
                right.exclusive and any(not disjoint(left, other) for other in others)
            ):
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
            case Text(), Text():
                return (
                    left.min_length >= right.min_length
                    and _below(left.max_length, right.max_length)
                    and set(right.patterns) <= set(left.patterns)
                    and set(right.formats) <= set(left.formats)
                )
            case Number(), Number():
                return _numbers(left, right)
            case Array(), Array():
                return (
                    left.min_items >= right.min_items
                    and _below(left.max_items, right.max_items)
                    and (left.unique or not right.unique or (left.max_items is not None and left.max_items < 2))
                    and (left.max_items == 0 or self.holds(left.items, right.items))
                )
            case Object(), Object():
                return self._objects(left, right)
            case Binary(), Binary():
                return True
            case _:
                return False

    def _objects(self, left: Object, right: Object) -> bool:
        pair = (left.pointer, right.pointer)
        if pair in self.assumed:
            return True
        outside, self.assumed = self.assumed, self.assumed | {pair}
        names = dict.fromkeys(prop.name for prop in (*left.properties, *right.properties))
        found = (
            set(right.required) <= set(left.required)
            and all(self.holds(member_of(left, name), member_of(right, name)) for name in names)
            and self.holds(left.members, right.members)
            and right.min_properties <= max(left.min_properties, len(left.required))
            and (right.max_properties is None or _most(left) <= right.max_properties)
            and all(depends(left, name, others) for name, others in right.dependent)
        )
        self.assumed = outside
        return found


def member_of(shape: Object, name: str) -> Shape:
    """Give what an object takes under a name."""
    prop = shape.get(name)
    return shape.members if prop is None else prop.shape


def depends(shape: Object, name: str, others: tuple[str, ...]) -> bool:
    """Tell whether an object that has a member of a name certainly has the others as well."""
    own = {other for key, names in shape.dependent if key == name for other in names}
    return isinstance(member_of(shape, name), Never) or set(others) <= {*shape.required, *own, name}


def finite(shape: Shape) -> list[Any] | None:
    """Give all values of a shape, None where they cannot be counted out."""
    match shape:
        case Null():
            return [None]
        case Boolean():
            return [False, True]
        case Choice(values):
            return list(values)
        case Number(integer=True):
            low, high = lower(shape), upper(shape)
            if -math.inf < low[0] and high[0] < math.inf and high[0] - low[0] < MOST_COUNTED:
                count = range(int(low[0]), int(high[0]) + 1)
                return [value for value in count if fits(shape, value, {})]
        case Union(options, exclusive=False):
            parts = [finite(option) for option in options]
            known = [part for part in parts if part is not None]
            return [value for part in known for value in part] if len(known) == len(parts) else None
        case _:
            pass
    return None


def lower(shape: Number) -> tuple[float, bool]:
    """Give the lower limit of a number, and whether it is excluded; of an integer, the least one."""
    low = -math.inf if shape.minimum is None else shape.minimum
    above = -math.inf if shape.exclusive_minimum is None else shape.exclusive_minimum
    limit = (above, True) if above > -math.inf and above >= low else (low, False)
    if not shape.integer or limit[0] == -math.inf:
        return limit
    return (math.floor(limit[0]) + 1 if limit[1] else math.ceil(limit[0]), False)


def upper(shape: Number) -> tuple[float, bool]:
    """Give the upper limit of a number, and whether it is excluded; of an integer, the greatest one."""
    high = math.inf if shape.maximum is None else shape.maximum
    below = math.inf if shape.exclusive_maximum is None else shape.exclusive_maximum
    limit = (below, True) if below < math.inf and below <= high else (high, False)
    if not shape.integer or limit[0] == math.inf:
        return limit
    return (math.ceil(limit[0]) - 1 if limit[1] else math.floor(limit[0]), False)


def is_multiple(shape: Number, step: float) -> bool:
    """Tell whether all numbers of a shape are multiples of a step."""
    own = [Fraction(str(multiple)) for multiple in shape.multiples] + ([Fraction(1)] if shape.integer else [])
    return any(multiple % Fraction(str(step)) == 0 for multiple in own)


def _is_unsure(values: list[Any], shape: Shape) -> bool:
    """Tell whether a pattern was not put to one of the values, since that is too long for it."""
    patterns = any(isinstance(option, Text) and option.patterns for option in options_of(shape))
    return patterns and any(isinstance(value, str) and len(value) > LONGEST_MATCHED for value in values)


def _numbers(left: Number, right: Number) -> bool:
    low, high, least, most = lower(left), upper(left), lower(right), upper(right)
    return (
        (not right.integer or left.integer or is_multiple(left, 1))
        and (low[0] > least[0] or (low[0] == least[0] and (low[1] or not least[1])))
        and (high[0] < most[0] or (high[0] == most[0] and (high[1] or not most[1])))
        and all(is_multiple(left, step) for step in right.multiples)
    )


def _below(left: int | None, right: int | None) -> bool:
    return right is None or (left is not None and left <= right)


def _most(shape: Object) -> float:
    """Give how many members an object can have at most."""
    named = len({*(prop.name for prop in shape.properties if not isinstance(prop.shape, Never)), *shape.required})
    own = math.inf if shape.max_properties is None else shape.max_properties
    return min(own, named) if isinstance(shape.members, Never) else own
