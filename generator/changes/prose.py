"""What a shape takes, in the words of a reviewer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generator.schema.subset import lower, upper
from generator.schema.types import (
    ABSENT,
    Anything,
    Array,
    Binary,
    Boolean,
    Choice,
    Never,
    Null,
    Number,
    Object,
    Reference,
    Shape,
    Text,
    Union,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PLAIN: dict[type[Any], str] = {
    Anything: "any value",
    Binary: "a file",
    Boolean: "true or false",
    Never: "nothing",
    Null: "null",
}


def describe(shape: Shape, name_of: Callable[[Object], str], depth: int = 0) -> str:
    """Say what a shape takes; `name_of` gives what an object is called, empty where it has no name."""
    match shape:
        case Text():
            return _text(shape)
        case Number():
            return _number(shape)
        case Choice(values):
            return ("one of " if len(values) > 1 else "") + listed(values)
        case Array(items, least, most, unique=unique):
            details = [*_size(least, most, "items"), *(["all different"] if unique else [])]
            of = f" of ({describe(items, name_of, depth + 1)})" if depth < 3 else ""
            return ", ".join([f"a list{of}", *details])
        case Object(is_map=True, extra=extra):
            what = describe(extra or Anything(), name_of, depth + 1) if depth < 3 else "any value"
            return f"an object of any names with ({what})"
        case Object():
            return name_of(shape) or "an object"
        case Union(options, exclusive):
            texts = list(dict.fromkeys(describe(option, name_of, depth + 1) for option in options))
            return ("exactly one of: " if exclusive else "") + " or ".join(texts)
        case Reference(pointer):
            return pointer.rpartition("/")[2]
        case _:
            return PLAIN[type(shape)]


def plain(value: Any) -> str:
    """Write a JSON value as JSON does."""
    return "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def listed(values: Sequence[Any]) -> str:
    """Write values one after another."""
    return ", ".join(map(plain, values))


def between(low: float | None, high: float | None) -> str:
    """Say two limits of which either may be missing."""
    if low is None:
        return "" if high is None else f"at most {plain(high)}"
    if high is None:
        return f"at least {plain(low)}"
    return plain(low) if low == high else f"{plain(low)} to {plain(high)}"


def _size(least: int, most: int | None, unit: str) -> list[str]:
    unit = unit.removesuffix("s") if (least if most is None else most) == 1 else unit
    return [f"{between(least or None, most)} {unit}"] if least or most is not None else []


def _text(shape: Text) -> str:
    word = "an address" if "uri" in shape.formats else "a string"
    details = _size(shape.min_length, shape.max_length, "characters")
    details += [f"in the format {name}" for name in shape.formats if name != "uri"]
    details += [f"matching {plain(pattern)}" for pattern in shape.patterns]
    return ", ".join([word, *details])


def _number(shape: Number) -> str:
    low, high = lower(shape), upper(shape)
    details = [
        between(None if low[1] else _limit(low[0]), None if high[1] else _limit(high[0])),
        f"above {plain(_limit(low[0]))}" if low[1] else "",
        f"below {plain(_limit(high[0]))}" if high[1] else "",
        *(f"a multiple of {plain(step)}" for step in shape.multiples),
    ]
    return ", ".join(["an integer" if shape.integer else "a number", *filter(None, details)])


def _limit(value: float) -> float | None:
    return None if value in (float("inf"), float("-inf")) else value
