"""Small JSON values that fit a shape, or almost do: what shows that one shape takes what another does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import json_key
from generator.schema import types
from generator.schema.algebra import fits
from generator.schema.types import ABSENT, followed, options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.schema.types import Array, Number, Object, Shape, Text

MOST: Final = 20_000
"""How many characters or items an example has at most."""

DEEPEST: Final = 6
"""How many objects and lists inside each other are filled in."""

OTHER: Final = "other"
"""A member that no schema names."""

ADDRESS: Final = "https://a.example/"

WORDS: Final = ("", "a", "A", "0", "a1", "1:1", "16:9", "720p", "#000000", "2027-01-01", "a@a.example", "en-US")
"""Strings that are put to patterns."""

LONGEST_TEXT = 20
"""Characters of the longest of them."""


def smallest(shape: Shape, known: Mapping[str, Shape], depth: int = 0) -> Any:
    """Give a small value that fits, `ABSENT` where none is found."""
    if depth > DEEPEST:
        return ABSENT
    shape = followed(shape, known)
    if isinstance(shape, types.Object):
        return completed(shape, {}, known, depth)
    return next((value for value in around(shape, known, depth) if fits(shape, value, known)), ABSENT)


def completed(shape: Object, given: dict[str, Any], known: Mapping[str, Shape], depth: int = 0) -> Any:
    """Give an object with these members and no more than must stand beside them, `ABSENT` where none is found."""
    names = dict.fromkeys((*shape.required, *given))
    for name in list(names):
        names.update(dict.fromkeys(other for key, others in shape.dependent if key == name for other in others))
    for prop in shape.properties:
        if len(names) < shape.min_properties and not isinstance(prop.shape, types.Never):
            names.setdefault(prop.name)
    value = {name: given[name] if name in given else smallest(shape.allowed(name), known, depth + 1) for name in names}
    if any(item is ABSENT for item in value.values()):
        return ABSENT
    return value


def filled(shape: Array, given: list[Any], count: int, known: Mapping[str, Shape], depth: int = 0) -> list[Any]:
    """Give a list that begins with these items, and has as many if that can be."""
    items = list(given)
    if len(items) < count <= MOST and not shape.unique:
        item = smallest(shape.items, known, depth + 1)
        if item is not ABSENT:
            items += [item] * (count - len(items))
    for item in around(shape.items, known, depth + 1):
        is_new = json_key(item) not in map(json_key, items)
        if len(items) < count and is_new and fits(shape.items, item, known):
            items.append(item)
    return items


def around(shape: Shape, known: Mapping[str, Shape], depth: int = 0) -> Iterator[Any]:
    """Give values at and around the limits of a shape, those that fit and those that just do not."""
    if depth > DEEPEST:
        return
    shape = followed(shape, known)
    match shape:
        case types.Anything():
            yield from (None, True, 0, 0.5, "", "a", [], {})
        case types.Null():
            yield None
        case types.Boolean():
            yield from (True, False)
        case types.Choice(values):
            yield from values
        case types.Text():
            yield from _texts(shape)
        case types.Number():
            yield from _numbers(shape)
        case types.Array():
            yield from _arrays(shape, known, depth)
        case types.Object():
            yield from _objects(shape, known, depth)
        case types.Union(options):
            for option in options:
                yield from around(option, known, depth + 1)
        case _:
            return


def _texts(shape: Text) -> Iterator[str]:
    if shape.patterns:
        yield from WORDS
    longest = shape.max_length or 0
    lengths = dict.fromkeys((1, 0, shape.min_length - 1, shape.min_length, longest, longest + 1))
    most = MOST
    if shape.patterns:
        most = LONGEST_TEXT
    for length in lengths:
        if 0 <= length <= most:
            yield "a" * length
        if "uri" in shape.formats and 0 <= length <= most:
            yield ADDRESS.ljust(length, "a")


def _numbers(shape: Number) -> Iterator[float]:
    (low, _), (high, _) = shape.limits
    found: list[float] = [0, 1, -1, 0.5]
    for limit in (low, high):
        if abs(limit) < 2**63:
            found += [limit, limit - 1, limit + 1, limit + 0.5]
    for step in shape.multiples:
        found += [step, 2 * step, step / 2]
    for number in sorted(found, key=abs):
        if isinstance(number, float) and number.is_integer():
            yield int(number)
        else:
            yield number


def _arrays(shape: Array, known: Mapping[str, Shape], depth: int) -> Iterator[list[Any]]:
    most = shape.max_items or 0
    for count in sorted({0, 1, 2, shape.min_items - 1, shape.min_items, most, most + 1}):
        if count >= 0:
            yield filled(shape, [], count, known, depth)
    for item in around(shape.items, known, depth + 1):
        yield filled(shape, [item], shape.min_items, known, depth)
        yield [item, item]


def _objects(shape: Object, known: Mapping[str, Shape], depth: int) -> Iterator[dict[str, Any]]:
    base = completed(shape, {}, known, depth)
    if base is ABSENT:
        return
    yield base
    for prop in shape.properties:
        value = smallest(prop.shape, known, depth + 1)
        if value is not ABSENT:
            yield {**base, prop.name: value}
            yield {name: item for name, item in base.items() if name != prop.name}
    yield {**base, OTHER: 0}


def shortest(values: Iterable[Any]) -> list[Any]:
    """Give values, those first that take the fewest letters."""
    return sorted(values, key=lambda value: len(json.dumps(value)))


def parted(old: Shape, new: Shape, known: Mapping[str, Shape], other: Mapping[str, Shape]) -> list[Any]:
    """Give values that fit one shape and not the other, the shortest first; each has its own references."""
    texts = [option for shape in (old, new) for option in options_of(shape) if isinstance(option, types.Text)]
    most = MOST
    if any(text.patterns for text in texts):
        most = LONGEST_TEXT
    found = [*around(old, known), *around(new, other)]
    found = [value for value in found if not isinstance(value, str) or len(value) <= most]
    return shortest(value for value in found if fits(old, value, known) and not fits(new, value, other))
