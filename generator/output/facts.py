"""What an editor drops of an annotation, limits and default, in the words that end the text of a field."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from generator.schema import types

from .words import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.schema.types import Property, Shape

LONGEST = 60
"""Characters of a pattern or default that is said in words; a longer one is seen in the annotation alone."""


def facts_of(prop: Property, *, is_default_right: bool) -> Iterator[str]:
    """Give the limits of a field and its default in words."""
    if prop.deprecated:
        yield "deprecated"
    if prop.deprecated_values:
        yield f"deprecated values: {', '.join(map(_said, prop.deprecated_values))}"
    yield from _limits(prop.shape)
    if prop.default is not types.ABSENT and is_default_right and len(_said(prop.default)) <= LONGEST:
        yield f"default {_said(prop.default)}"


@cache
def with_facts(text: str, facts: tuple[str, ...]) -> str:
    """End a text with facts, but for those that it tells by itself."""
    untold = [fact for fact in facts if not _says(text, fact)]
    text = text.strip()
    if not untold:
        return text
    sentence = f"{'; '.join(untold)}."
    sentence = sentence[0].upper() + sentence[1:]
    if not text:
        return sentence
    last = text.rpartition("\n")[2]
    if re.match(r"\s*(?:[-*+•|>#`~]|\d+[.)])", last):
        return f"{text}\n\n{sentence}"
    if text[-1] not in ".!?:;…)\"'":
        text += "."
    return f"{text} {sentence}"


def _says(text: str, fact: str) -> bool:
    if fact.lower() not in text.lower():
        return False
    return re.search(rf"(?<![\w.]){re.escape(fact)}(?!\w|[.]\d)", text, re.IGNORECASE) is not None


def _said(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _limits(shape: Shape) -> Iterator[str]:
    match shape:
        case types.Number():
            yield from _range(shape)
            yield from (f"a multiple of {step}" for step in shape.multiples)
        case types.Text():
            yield from size(shape.min_length, shape.max_length, "character")
            yield from (f"matches `{pattern}`" for pattern in shape.patterns if len(pattern) <= LONGEST)
            yield from (f"format {name}" for name in shape.formats if name != "uri")
        case types.Array(items, least, most, unique):
            yield from size(least, most, "item")
            if unique:
                yield "no item twice"
            yield from (f"each {limit}" for limit in _limits(items))
        case types.Object(min_properties=least, max_properties=most) if shape.is_map:
            yield from size(least, most, "member")
            yield from (f"each {limit}" for limit in _limits(shape.members))
        case types.Union(options):
            limits = [", ".join(_limits(option)) for option in options]
            if any(limits):
                yield " or ".join(dict.fromkeys(filter(None, limits)))
        case types.Choice(values) if any(isinstance(value, float) and not value.is_integer() for value in values):
            yield f"one of {', '.join(map(_said, values))}"
        case _:
            pass


def _range(shape: types.Number) -> Iterator[str]:
    if shape.minimum is not None and shape.maximum is not None:
        yield f"{shape.minimum} to {shape.maximum}"
        return
    limits = (
        ("at least", shape.minimum),
        ("more than", shape.exclusive_minimum),
        ("at most", shape.maximum),
        ("less than", shape.exclusive_maximum),
    )
    yield from (f"{words} {limit}" for words, limit in limits if limit is not None)
