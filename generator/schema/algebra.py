"""Union, intersection, whether types exclude each other, whether a value fits."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from generator.json_values import is_array, is_object, json_key

from .types import (
    ABSENT,
    Anything,
    Array,
    Boolean,
    Choice,
    Never,
    Null,
    Number,
    Object,
    Property,
    Reference,
    Text,
    Union,
    options_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .types import Shape

MOST_OPTIONS: Final = 1_000
"""How many options a union may have once `allOf` and `anyOf` are multiplied out. The limit is ours."""

LONGEST_MATCHED: Final = 20
"""Characters of the longest value of a description that is put to a pattern of it: some patterns take time that doubles
with each further character."""


class UnfinishedReferenceError(ValueError):
    """What a reference leads to is needed while it is still being read."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(reference.pointer)
        self.reference = reference


class TooManyOptionsError(ValueError):
    """Alternatives inside alternatives that multiply beyond `MOST_OPTIONS`."""


def choice(values: Iterable[Any]) -> Shape:
    """Give the shape of some values, each once."""
    unique = {json_key(value): value for value in reversed(list(values))}
    return Choice(tuple(reversed(unique.values()))) if unique else Never()


def union(options: Iterable[Shape], *, exclusive: bool = False) -> Shape:
    """Give the simplest shape for some options: flat, each once, choices together, exclusive only where it matters."""
    flat: list[Shape] = []
    for option in options:
        if isinstance(option, Union) and not (exclusive or option.exclusive):
            flat += option.options
        elif not (isinstance(option, Never) or (isinstance(option, Object) and option.is_impossible)):
            flat.append(option)
    if exclusive and not all(disjoint(a, b) for index, a in enumerate(flat) for b in flat[index + 1 :]):
        return Union(tuple(flat), exclusive=True)
    if exclusive:
        return union(flat)
    if any(isinstance(option, Anything) for option in flat):
        return Anything()
    merged: list[Shape] = []
    for option in flat:
        values = [part for part in flat if isinstance(part, Choice)]
        simple = choice(value for part in values for value in part.values) if isinstance(option, Choice) else option
        if all(repr(simple) != repr(other) for other in merged):
            merged.append(simple)
    if Null() in merged:
        merged = [_without_null(option) for option in merged if option != Choice((None,))]
    if len(merged) > 1:
        return Union(tuple(merged))
    return merged[0] if merged else Never()


def _without_null(shape: Shape) -> Shape:
    if not isinstance(shape, Choice):
        return shape
    return Choice(tuple(value for value in shape.values if value is not None))


def intersect(left: Shape, right: Shape, known: Mapping[str, Shape]) -> Shape:  # noqa: C901, PLR0911  # a case a pair
    """Give what fits both. `known` holds the shapes that references lead to.

    Raises:
        TooManyOptionsError: alternatives multiply beyond `MOST_OPTIONS`.
        UnfinishedReferenceError: `known` does not hold what a reference leads to.
    """
    if isinstance(left, Anything) or repr(left) == repr(right):
        return right
    if isinstance(right, Anything):
        return left
    if isinstance(left, Reference) or isinstance(right, Reference):
        for side in (left, right):
            if isinstance(side, Reference) and side.pointer not in known:
                raise UnfinishedReferenceError(side)
        return intersect(known.get(left.pointer, Anything()) if isinstance(left, Reference) else left,
                         known.get(right.pointer, Anything()) if isinstance(right, Reference) else right,
                         known)  # fmt: skip
    if isinstance(left, Union) or isinstance(right, Union):
        return _intersect_unions(left, right, known)
    if isinstance(left, Choice):
        return choice(value for value in left.values if fits(right, value, known))
    if isinstance(right, Choice):
        return intersect(right, left, known)
    if isinstance(left, Text) and isinstance(right, Text):
        return Text(
            max(left.min_length, right.min_length),
            _least(left.max_length, right.max_length),
            _together(left.patterns, right.patterns),
            _together(left.formats, right.formats),
        )
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(
            left.integer or right.integer,
            _most(left.minimum, right.minimum),
            _least(left.maximum, right.maximum),
            _most(left.exclusive_minimum, right.exclusive_minimum),
            _least(left.exclusive_maximum, right.exclusive_maximum),
            _together(left.multiples, right.multiples),
        )
    if isinstance(left, Array) and isinstance(right, Array):
        return Array(
            intersect(left.items, right.items, known),
            max(left.min_items, right.min_items),
            _least(left.max_items, right.max_items),
            left.unique or right.unique,
        )
    if isinstance(left, Object) and isinstance(right, Object):
        return _intersect_objects(left, right, known)
    return Never()


def _intersect_unions(left: Shape, right: Shape, known: Mapping[str, Shape]) -> Shape:
    """Multiply options out. Those of an exclusive union stay apart: each holds what it shares with a plain one."""
    if len(options_of(left)) * len(options_of(right)) > MOST_OPTIONS:
        raise TooManyOptionsError
    rows = [[intersect(a, b, known) for b in options_of(right)] for a in options_of(left)]
    left_exclusive, right_exclusive = (isinstance(side, Union) and side.exclusive for side in (left, right))
    if left_exclusive == right_exclusive:
        return union((shape for row in rows for shape in row), exclusive=left_exclusive)
    if right_exclusive:
        rows = [list(column) for column in zip(*rows, strict=True)]
    return union(map(union, rows), exclusive=True)


def _intersect_objects(left: Object, right: Object, known: Mapping[str, Shape]) -> Shape:
    """Give the object that fits both; `Never` where it requires a member that can have no value."""
    properties: list[Property] = []
    names = [*(prop.name for prop in left.properties), *(prop.name for prop in right.properties)]
    for name in dict.fromkeys(names):
        a, b = left.get(name), right.get(name)
        first, second = a or b, b or a
        if first is None or second is None:
            continue
        shape = intersect(left.asked_of(name), right.asked_of(name), known)
        default = first.default if first.default is not ABSENT else second.default
        properties.append(Property(name, shape, default, first.text or second.text))
    extra = left.extra if right.extra is None else right.extra
    if left.extra is not None and right.extra is not None:
        extra = intersect(left.extra, right.extra, known)
    both = replace(
        left,
        pointer=f"{left.pointer}+{right.pointer}",
        properties=tuple(properties),
        required=_together(left.required, right.required),
        extra=extra,
        min_properties=max(left.min_properties, right.min_properties),
        max_properties=_least(left.max_properties, right.max_properties),
        dependent=_together(left.dependent, right.dependent),
        title=left.title or right.title,
        hint=left.hint or right.hint,
        text=left.text or right.text,
    )
    return Never() if both.is_impossible else both


def _together(left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*left, *right)))


def _most(left: Any, right: Any) -> Any:
    return max((value for value in (left, right) if value is not None), default=None)


def _least(left: Any, right: Any) -> Any:
    return min((value for value in (left, right) if value is not None), default=None)


def fits(shape: Shape, value: Any, known: Mapping[str, Shape]) -> bool:  # noqa: PLR0911  # one for each shape
    """Tell whether a JSON value fits a shape."""
    match shape:
        case Anything():
            return True
        case Null():
            return value is None
        case Boolean():
            return isinstance(value, bool)
        case Choice(values):
            return json_key(value) in {json_key(allowed) for allowed in values}
        case Text():
            return isinstance(value, str) and _text_fits(shape, value)
        case Number():
            return isinstance(value, (int, float)) and not isinstance(value, bool) and _number_fits(shape, value)
        case Array(items, min_items, max_items, unique):
            return (
                is_array(value)
                and min_items <= len(value)
                and (max_items is None or len(value) <= max_items)
                and (not unique or len({json_key(item) for item in value}) == len(value))
                and all(fits(items, item, known) for item in value)
            )
        case Object():
            return is_object(value) and _object_fits(shape, value, known)
        case Union(options, exclusive):
            count = sum(fits(option, value, known) for option in options)
            return count == 1 if exclusive else count > 0
        case Reference(pointer):
            return fits(known.get(pointer, Anything()), value, known)
        case _:
            return False


def _text_fits(shape: Text, value: str) -> bool:
    return (
        shape.min_length <= len(value)
        and (shape.max_length is None or len(value) <= shape.max_length)
        and (len(value) > LONGEST_MATCHED or all(re.search(pattern, value) for pattern in shape.patterns))
        and ("uri" not in shape.formats or _is_uri(value))
    )


def _is_uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) and not re.search(r"[^!-~]", value)


def _number_fits(shape: Number, value: float) -> bool:
    exact = Fraction(value) if isinstance(value, int) else Fraction(str(value))
    return (
        (not shape.integer or exact.denominator == 1)
        and (shape.minimum is None or value >= shape.minimum)
        and (shape.maximum is None or value <= shape.maximum)
        and (shape.exclusive_minimum is None or value > shape.exclusive_minimum)
        and (shape.exclusive_maximum is None or value < shape.exclusive_maximum)
        and all(exact % Fraction(str(step)) == 0 for step in shape.multiples)
    )


def _object_fits(shape: Object, value: dict[str, Any], known: Mapping[str, Shape]) -> bool:
    return (
        all(name in value for name in shape.required)
        and shape.min_properties <= len(value)
        and (shape.max_properties is None or len(value) <= shape.max_properties)
        and all(name not in value or all(other in value for other in others) for name, others in shape.dependent)
        and all(
            fits(
                shape.members if shape.get(name) is None and name not in shape.required else shape.asked_of(name),
                item,
                known,
            )
            for name, item in value.items()
        )
    )


def disjoint(left: Shape, right: Shape) -> bool:
    """Tell whether it is certain that no value fits both."""
    if isinstance(left, Never) or isinstance(right, Never):
        return True
    if isinstance(left, (Anything, Reference)) or isinstance(right, (Anything, Reference)):
        return False
    if isinstance(left, Union):
        return all(disjoint(option, right) for option in left.options)
    if isinstance(right, Union):
        return disjoint(right, left)
    if isinstance(left, Choice):
        return not any(fits(right, value, {}) for value in left.values)
    if isinstance(right, Choice):
        return disjoint(right, left)
    if isinstance(left, Object) and isinstance(right, Object):
        return any(_excludes(a, b, name) for a, b in ((left, right), (right, left)) for name in a.required)
    return type(left) is not type(right)


def _excludes(left: Object, right: Object, name: str) -> bool:
    """Tell whether the member that `left` requires cannot be in `right`."""
    there = right.asked_of(name) if right.get(name) or name in right.required else right.members
    return disjoint(left.asked_of(name), there)
