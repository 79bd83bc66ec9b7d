"""Union, whether shapes exclude each other, whether a value fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import is_array, is_object, json_key

from . import types
from .patterns import matches
from .types import followed, key_of
from .uris import ABSOLUTE_URI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .types import Shape

MOST_OPTIONS: Final = 1_000
"""How many options a union may have once `allOf` and `anyOf` are multiplied out. The limit is ours."""


class TooManyOptionsError(ValueError):
    """Alternatives inside alternatives that multiply beyond `MOST_OPTIONS`."""


def choice(values: Iterable[Any]) -> Shape:
    """Give the shape of some values, each once."""
    unique = {json_key(value): value for value in reversed(list(values))}
    if not unique:
        return types.Never()
    return types.Choice(tuple(reversed(unique.values())))


def union(options: Iterable[Shape], *, exclusive: bool = False) -> Shape:
    """Give the simplest shape for some options: flat, each once, choices together, exclusive only where it matters.

    Raises:
        TooManyOptionsError: more than `MOST_OPTIONS` would have to be compared with each other.
    """
    flat: list[Shape] = []
    nevers: list[Shape] = []
    for option in options:
        if isinstance(option, types.Union) and not (exclusive or option.exclusive):
            flat += option.options
        elif isinstance(option, types.Object) and (obstacle := option.obstacle):
            nevers.append(obstacle)
        elif isinstance(option, types.Never):
            nevers.append(option)
        else:
            flat.append(option)
    if not flat:
        return next(iter(nevers), types.Never())
    if not exclusive:
        return _simplest(flat)
    flat = _with_choices_together(flat)
    if len(flat) > MOST_OPTIONS:
        raise TooManyOptionsError
    compared = Disjoint()
    if all(compared.holds(a, b) for index, a in enumerate(flat) for b in flat[index + 1 :]):
        return union(flat)
    return types.Union(tuple(flat), exclusive=True)


def _with_choices_together(options: list[Shape]) -> list[Shape]:
    """Make one option of all choices, if no value is in two of them."""
    choices = [option for option in options if isinstance(option, types.Choice)]
    values = [value for option in choices for value in option.values]
    if not choices or len(set(map(json_key, values))) < len(values):
        return options
    rest: list[Shape] = [option for option in options if not isinstance(option, types.Choice)]
    rest.insert(options.index(choices[0]), types.Choice(tuple(values)))
    return rest


def _simplest(options: list[Shape]) -> Shape:
    if len(options) == 1:
        return options[0]
    if any(isinstance(option, types.Anything) for option in options):
        return types.Anything()
    choices = choice(value for option in options if isinstance(option, types.Choice) for value in option.values)
    if types.Null() in options and isinstance(choices, types.Choice):
        choices = choice(value for value in choices.values if value is not None)
    merged: dict[str, Shape] = {}
    for option in options:
        shape = option
        if isinstance(option, types.Choice):
            shape = choices
        if not isinstance(shape, types.Never):
            merged.setdefault(key_of(shape), shape)
    if len(merged) == 1:
        return next(iter(merged.values()))
    return types.Union(tuple(merged.values()))


def fits(shape: Shape, value: Any, known: Mapping[str, Shape]) -> bool:
    """Tell whether a JSON value fits a shape."""
    return _Fitting(known).holds(shape, value)


@dataclass(slots=True)
class _Fitting:
    """Tells whether values fit shapes, each pair once: alternatives that hold each other meet the same value again."""

    known: Mapping[str, Shape]
    told: dict[tuple[int, int], bool] = field(default_factory=dict[tuple[int, int], bool])

    def holds(self, shape: Shape, value: Any) -> bool:
        pair = (id(shape), id(value))
        if not isinstance(shape, (types.Object, types.Union)) or not (is_object(value) or is_array(value)):
            return self._holds(shape, value)
        if pair not in self.told:
            self.told[pair] = self._holds(shape, value)
        return self.told[pair]

    def _holds(self, shape: Shape, value: Any) -> bool:  # noqa: PLR0911  # one for each shape
        match shape:
            case types.Anything():
                return True
            case types.Null():
                return value is None
            case types.Boolean():
                return isinstance(value, bool)
            case types.Choice(values):
                return json_key(value) in map(json_key, values)
            case types.Text():
                return isinstance(value, str) and _text_fits(shape, value)
            case types.Number():
                return isinstance(value, (int, float)) and not isinstance(value, bool) and _number_fits(shape, value)
            case types.Array():
                return is_array(value) and self._array(shape, value)
            case types.Object():
                return is_object(value) and self._object(shape, value)
            case types.Union(options, exclusive):
                count = sum(self.holds(option, value) for option in options)
                return count == 1 or (count > 1 and not exclusive)
            case types.Reference():
                return self.holds(followed(shape, self.known), value)
            case _:
                return False

    def _array(self, shape: types.Array, value: list[Any]) -> bool:
        return (
            _between(shape.min_items, len(value), shape.max_items)
            and (not shape.unique or len({json_key(item) for item in value}) == len(value))
            and all(self.holds(shape.items, item) for item in value)
        )

    def _object(self, shape: types.Object, value: dict[str, Any]) -> bool:
        return (
            value.keys() >= set(shape.required)
            and _between(shape.min_properties, len(value), shape.max_properties)
            and all(name not in value or value.keys() >= set(others) for name, others in shape.dependent)
            and all(self.holds(shape.allowed(name), item) for name, item in value.items())
        )


def _text_fits(shape: types.Text, value: str) -> bool:
    return (
        _between(shape.min_length, len(value), shape.max_length)
        and all(matches(pattern, value) for pattern in shape.patterns)
        and ("uri" not in shape.formats or ABSOLUTE_URI.fullmatch(value) is not None)
    )


def _between(least: float | None, value: float, most: float | None) -> bool:
    return (least is None or least <= value) and (most is None or value <= most)


def _number_fits(shape: types.Number, value: float) -> bool:
    return (
        (not shape.integer or isinstance(value, int) or value.is_integer())
        and _between(shape.minimum, value, shape.maximum)
        and (shape.exclusive_minimum is None or value > shape.exclusive_minimum)
        and (shape.exclusive_maximum is None or value < shape.exclusive_maximum)
        and all(Fraction(str(value)) % Fraction(str(step)) == 0 for step in shape.multiples)
    )


def disjoint(left: Shape, right: Shape) -> bool:
    """Tell whether it is certain that no value fits both."""
    return Disjoint().holds(left, right)


@dataclass(slots=True)
class Disjoint:
    """Tells whether it is certain that no value fits two shapes, of the same two objects once."""

    told: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])

    def holds(self, left: Shape, right: Shape) -> bool:
        """Tell whether it is certain that no value fits both."""
        match left, right:
            case (types.Never(), _) | (_, types.Never()):
                return True
            case (types.Anything() | types.Reference(), _) | (_, types.Anything() | types.Reference()):
                return False
            case types.Union(), types.Union() if len(left.options) * len(right.options) > MOST_OPTIONS:
                return False
            case (types.Union(options), other) | (other, types.Union(options)):
                return all(self.holds(option, other) for option in options)
            case types.Choice(values), types.Choice(others):
                return set(map(json_key, values)).isdisjoint(map(json_key, others))
            case (types.Choice(values), other) | (other, types.Choice(values)):
                return not any(fits(other, value, {}) for value in values)
            case types.Object(), types.Object():
                return self._objects(left, right)
            case _:
                return type(left) is not type(right)

    def _objects(self, left: types.Object, right: types.Object) -> bool:
        pair = (left.pointer, right.pointer)
        if pair not in self.told:
            self.told[pair] = self._exclude(left, right) or self._exclude(right, left)
        return self.told[pair]

    def _exclude(self, left: types.Object, right: types.Object) -> bool:
        return any(self.holds(left.asked_of(name), right.allowed(name)) for name in left.required)
