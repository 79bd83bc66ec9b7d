"""Union, intersection, whether types exclude each other, whether a value fits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import is_array, is_object, json_key

from . import types
from .patterns import matches
from .types import followed, is_exclusive, key_of, options_of
from .uris import ABSOLUTE_URI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .types import Shape

MOST_OPTIONS: Final = 1_000
"""How many options a union may have once `allOf` and `anyOf` are multiplied out. The limit is ours."""

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
