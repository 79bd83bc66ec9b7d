"""Union, intersection, whether types exclude each other, whether a value fits."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import is_array, is_object, json_key

from . import types
from .types import followed, is_exclusive, options_of
from .uris import ABSOLUTE_URI

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

    def __init__(self, reference: types.Reference) -> None:
        super().__init__(reference.pointer)
        self.reference = reference


class TooManyOptionsError(ValueError):
    """Alternatives inside alternatives that multiply beyond `MOST_OPTIONS`."""


def choice(values: Iterable[Any]) -> Shape:
    """Give the shape of some values, each once."""
    unique = {json_key(value): value for value in reversed(list(values))}
    if not unique:
        return types.Never()
    return types.Choice(tuple(reversed(unique.values())))


def union(options: Iterable[Shape], *, exclusive: bool = False) -> Shape:
    """Give the simplest shape for some options: flat, each once, choices together, exclusive only where it matters."""
    flat: list[Shape] = []
    for option in options:
        if isinstance(option, types.Union) and not (exclusive or option.exclusive):
            flat += option.options
        elif not (isinstance(option, types.Never) or (isinstance(option, types.Object) and option.is_impossible)):
            flat.append(option)
    if not exclusive:
        return _simplest(flat)
    if all(disjoint(a, b) for index, a in enumerate(flat) for b in flat[index + 1 :]):
        return union(flat)
    return types.Union(tuple(flat), exclusive=True)


def _simplest(options: list[Shape]) -> Shape:
    if len(options) == 1:
        return options[0]
    if any(isinstance(option, types.Anything) for option in options):
        return types.Anything()
    choices = choice(value for option in options if isinstance(option, types.Choice) for value in option.values)
    merged: dict[str, Shape] = {}
    for option in options:
        shape = option
        if isinstance(option, types.Choice):
            shape = choices
        merged.setdefault(repr(shape), shape)
    if types.Null() in options and isinstance(choices, types.Choice):
        merged[repr(choices)] = choice(value for value in choices.values if value is not None)
    found = [shape for shape in merged.values() if not isinstance(shape, types.Never)]
    if not found:
        return types.Never()
    if len(found) == 1:
        return found[0]
    return types.Union(tuple(found))


def intersect(left: Shape, right: Shape, known: Mapping[str, Shape]) -> Shape:
    """Give what fits both. `known` holds the shapes that references lead to.

    Raises:
        TooManyOptionsError: alternatives multiply beyond `MOST_OPTIONS`.
        UnfinishedReferenceError: `known` does not hold what a reference leads to.
    """
    if isinstance(left, types.Anything) or repr(left) == repr(right):
        return right
    match left, right:
        case _, types.Anything():
            return left
        case (types.Reference(), _) | (_, types.Reference()):
            return intersect(_finished(left, known), _finished(right, known), known)
        case (types.Union(), _) | (_, types.Union()):
            return _intersect_unions(left, right, known)
        case types.Choice(values), other:
            return choice(value for value in values if fits(other, value, known))
        case other, types.Choice(values):
            return choice(value for value in values if fits(other, value, known))
        case types.Object(), types.Object():
            return _intersect_objects(left, right, known)
        case _:
            return _intersect_limits(left, right, known)


def _finished(shape: Shape, known: Mapping[str, Shape]) -> Shape:
    if isinstance(shape, types.Reference) and shape.pointer not in known:
        raise UnfinishedReferenceError(shape)
    return followed(shape, known)


def _intersect_limits(left: Shape, right: Shape, known: Mapping[str, Shape]) -> Shape:
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
                intersect(left.items, right.items, known),
                max(left.min_items, right.min_items),
                _least(left.max_items, right.max_items),
                left.unique or right.unique,
            )
        case _:
            return types.Never()


def _intersect_unions(left: Shape, right: Shape, known: Mapping[str, Shape]) -> Shape:
    """Multiply options out. Those of an exclusive union stay apart: each holds what it shares with a plain one."""
    if len(options_of(left)) * len(options_of(right)) > MOST_OPTIONS:
        raise TooManyOptionsError
    rows = [[intersect(a, b, known) for b in options_of(right)] for a in options_of(left)]
    if is_exclusive(left) == is_exclusive(right):
        return union((shape for row in rows for shape in row), exclusive=is_exclusive(left))
    if is_exclusive(right):
        rows = [list(column) for column in zip(*rows, strict=True)]
    return union(map(union, rows), exclusive=True)


def _intersect_objects(left: types.Object, right: types.Object, known: Mapping[str, Shape]) -> Shape:
    """Give the object that fits both; `Never` where it requires a member that can have no value."""
    names = dict.fromkeys(prop.name for prop in (*left.properties, *right.properties))
    extra = left.extra or right.extra
    if left.extra is not None and right.extra is not None:
        extra = intersect(left.extra, right.extra, known)
    both = replace(
        left,
        pointer=f"{left.pointer}+{right.pointer}",
        properties=tuple(_intersect_members(left, right, name, known) for name in names),
        required=_together(left.required, right.required),
        extra=extra,
        min_properties=max(left.min_properties, right.min_properties),
        max_properties=_least(left.max_properties, right.max_properties),
        dependent=_together(left.dependent, right.dependent),
        title=left.title or right.title,
        hint=left.hint or right.hint,
        text=left.text or right.text,
        deprecated=left.deprecated or right.deprecated,
    )
    if both.is_impossible:
        return types.Never()
    return both


def _intersect_members(
    left: types.Object, right: types.Object, name: str, known: Mapping[str, Shape]
) -> types.Property:
    shape = intersect(left.asked_of(name), right.asked_of(name), known)
    found = [prop for prop in (left.get(name), right.get(name)) if prop is not None]
    default = next((prop.default for prop in found if prop.default is not types.ABSENT), types.ABSENT)
    text = next((prop.text for prop in found if prop.text), "")
    values = tuple(value for prop in found for value in prop.deprecated_values)
    return types.Property(name, shape, default, text, any(prop.deprecated for prop in found), values)


def _together(left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*left, *right)))


def _most(left: Any, right: Any) -> Any:
    return max((value for value in (left, right) if value is not None), default=None)


def _least(left: Any, right: Any) -> Any:
    return min((value for value in (left, right) if value is not None), default=None)


def fits(shape: Shape, value: Any, known: Mapping[str, Shape]) -> bool:  # noqa: PLR0911  # one for each shape
    """Tell whether a JSON value fits a shape."""
    match shape:
        case types.Anything():
            return True
        case types.Null():
            return value is None
        case types.Boolean():
            return isinstance(value, bool)
        case types.Choice(values):
            return json_key(value) in {json_key(allowed) for allowed in values}
        case types.Text():
            return isinstance(value, str) and _text_fits(shape, value)
        case types.Number():
            return isinstance(value, (int, float)) and not isinstance(value, bool) and _number_fits(shape, value)
        case types.Array():
            return is_array(value) and _array_fits(shape, value, known)
        case types.Object():
            return is_object(value) and _object_fits(shape, value, known)
        case types.Union(options, exclusive):
            count = sum(fits(option, value, known) for option in options)
            return count == 1 or (count > 1 and not exclusive)
        case types.Reference():
            return fits(followed(shape, known), value, known)
        case _:
            return False


def _text_fits(shape: types.Text, value: str) -> bool:
    return (
        _between(shape.min_length, len(value), shape.max_length)
        and (len(value) > LONGEST_MATCHED or all(re.search(pattern, value) for pattern in shape.patterns))
        and ("uri" not in shape.formats or ABSOLUTE_URI.fullmatch(value) is not None)
    )


def _between(least: float | None, value: float, most: float | None) -> bool:
    return (least is None or least <= value) and (most is None or value <= most)


def _number_fits(shape: types.Number, value: float) -> bool:
    exact = Fraction(str(value))
    return (
        (not shape.integer or exact.denominator == 1)
        and _between(shape.minimum, value, shape.maximum)
        and (shape.exclusive_minimum is None or value > shape.exclusive_minimum)
        and (shape.exclusive_maximum is None or value < shape.exclusive_maximum)
        and all(exact % Fraction(str(step)) == 0 for step in shape.multiples)
    )


def _array_fits(shape: types.Array, value: list[Any], known: Mapping[str, Shape]) -> bool:
    return (
        _between(shape.min_items, len(value), shape.max_items)
        and (not shape.unique or len({json_key(item) for item in value}) == len(value))
        and all(fits(shape.items, item, known) for item in value)
    )


def _object_fits(shape: types.Object, value: dict[str, Any], known: Mapping[str, Shape]) -> bool:
    return (
        value.keys() >= set(shape.required)
        and _between(shape.min_properties, len(value), shape.max_properties)
        and all(name not in value or value.keys() >= set(others) for name, others in shape.dependent)
        and all(fits(shape.allowed(name), item, known) for name, item in value.items())
    )


def disjoint(left: Shape, right: Shape) -> bool:
    """Tell whether it is certain that no value fits both."""
    match left, right:
        case (types.Never(), _) | (_, types.Never()):
            return True
        case (types.Anything() | types.Reference(), _) | (_, types.Anything() | types.Reference()):
            return False
        case (types.Union(options), other) | (other, types.Union(options)):
            return all(disjoint(option, other) for option in options)
        case (types.Choice(values), other) | (other, types.Choice(values)):
            return not any(fits(other, value, {}) for value in values)
        case types.Object(), types.Object():
            return _exclude(left, right) or _exclude(right, left)
        case _:
            return type(left) is not type(right)


def _exclude(left: types.Object, right: types.Object) -> bool:
    """Tell whether a member that `left` requires cannot be in `right`."""
    return any(disjoint(left.asked_of(name), right.allowed(name)) for name in left.required)
