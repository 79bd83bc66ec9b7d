"""What a shape takes, in words."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from generator.schema import types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from generator.schema.types import Number, Object, Shape, Text

DEEPEST: Final = 3
"""How many lists and maps inside each other are described."""

Bound: TypeAlias = tuple[str, float]
"""A limit, behind the words for it: `("at least", 1)`."""

BOUNDS: Final = ("at least", "at most", "above", "below")
"""The words for limits, in the order in which they are said."""

PLAIN: dict[type[Any], str] = {
    types.Anything: "any value",
    types.Binary: "a file",
    types.Boolean: "true or false",
    types.Never: "nothing",
    types.Null: "null",
}


def describe(  # noqa: PLR0911  # one for each shape
    shape: Shape, name_of: Callable[[Object], str], known: Mapping[str, Shape], depth: int = 0
) -> str:
    """Say what a shape takes; `name_of` gives what an object is called, empty where it has no name.

    A reference that is not among the `known` ones has the name of what it leads to.
    """
    match shape:
        case types.Text():
            return _text(shape)
        case types.Number():
            return _number(shape)
        case types.Choice(values):
            return f"one of {listed(values)}" if len(values) > 1 else listed(values)
        case types.Array():
            inside = _inside("of", shape.items, name_of, known, depth)
            details = [f"a list{inside}", *size(shape.min_items, shape.max_items, "item")]
            if shape.unique:
                details.append("all different")
            return ", ".join(details)
        case types.Object(is_map=True):
            inside = _inside("with", shape.members, name_of, known, depth)
            counts = size(shape.min_properties, shape.max_properties, "member")
            return ", ".join([f"an object of any names{inside}", *counts])
        case types.Object():
            return name_of(shape) or "an object"
        case types.Union(options, exclusive):
            text = " or ".join(dict.fromkeys(describe(option, name_of, known, depth + 1) for option in options))
            return f"exactly one of: {text}" if exclusive else text
        case types.Reference(pointer) if known and depth <= DEEPEST:
            return describe(known.get(pointer, types.Anything()), name_of, known, depth)
        case types.Reference(pointer):
            return pointer.rpartition("/")[2]
        case _:
            return PLAIN[type(shape)]


def _inside(word: str, shape: Shape, name_of: Callable[[Object], str], known: Mapping[str, Shape], depth: int) -> str:
    """Say what is in a list or map, unless that is too deep."""
    if depth >= DEEPEST:
        return ""
    return f" {word} ({describe(shape, name_of, known, depth + 1)})"


def plain(value: Any, indent: int | None = None) -> str:
    """Write a JSON value as JSON does, with escapes where it holds what would not be shown."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.replace("\n", "").isprintable():
        return text
    return json.dumps(value, indent=indent)


def listed(values: Iterable[Any]) -> str:
    """Write values one after another."""
    return ", ".join(map(plain, values))


def bounds(shape: Number) -> tuple[Bound | None, Bound | None]:
    """Give the lower and the upper limit of a number."""
    (low, is_excluded), (high, is_included) = shape.limits
    least, greatest = "at least", "at most"
    if is_excluded:
        least = "above"
    if not is_included:
        greatest = "below"
    return _bound(least, low), _bound(greatest, high)


def counted(least: int, most: int | None) -> tuple[Bound | None, Bound | None]:
    """Give the lower and the upper limit of a count. That nothing need be there is none."""
    return _bound("at least", least or None), _bound("at most", most)


def size(least: int, most: int | None, unit: str) -> list[str]:
    """Say how many there may be of something; nothing where any number may be."""
    return [f"{said} {plural(most or least, unit)}" for said in _said(counted(least, most))]


def plural(number: float, noun: str) -> str:
    """Give a noun as it is after a number."""
    if number == 1:
        return noun
    return f"{noun}s"


def _bound(words: str, limit: float | None) -> Bound | None:
    if limit is None or math.isinf(limit):
        return None
    return words, limit


def _said(limits: Iterable[Bound | None]) -> list[str]:
    """Say limits, those that are excluded last."""
    found = dict(filter(None, limits))
    match found:
        case {"at least": low, "at most": high} if low == high:
            return [plain(low)]
        case {"at least": low, "at most": high}:
            return [f"{plain(low)} to {plain(high)}"]
        case _:
            return [f"{words} {plain(found[words])}" for words in BOUNDS if words in found]


def _text(shape: Text) -> str:
    details = ["a string"]
    if "uri" in shape.formats:
        details = ["an address"]
    details += size(shape.min_length, shape.max_length, "character")
    details += [f"in the format {name}" for name in shape.formats if name != "uri"]
    details += [f"matching {plain(pattern)}" for pattern in shape.patterns]
    return ", ".join(details)


def _number(shape: Number) -> str:
    kind = "a number"
    if shape.integer:
        kind = "an integer"
    steps = [f"a multiple of {plain(step)}" for step in shape.multiples]
    return ", ".join([kind, *_said(bounds(shape)), *steps])
