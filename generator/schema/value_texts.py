"""What a description tells of single values: names and texts beside an `enum`, and alternatives that are constants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import array_of, object_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_BESIDE: Final = ("x-enum-varnames", "x-enumNames", "x-enum-descriptions", "x-enumDescriptions")
"""Keywords that generators know: names and texts of the values, in their order or by the value."""


def with_value_texts(text: str, *schemas: dict[str, Any]) -> str:
    """Add a list of what schemas tell of their values to a text, as far as it does not tell that already."""
    told: dict[str, list[str]] = {}
    for schema in schemas:
        for value, said in (*_beside(schema), *_among(schema)):
            if said and said != value and said not in text:
                told.setdefault(json.dumps(value, ensure_ascii=False), []).append(" ".join(said.split()))
    lines = [f"- `{value}`: {', '.join(dict.fromkeys(said))}" for value, said in told.items()]
    if not lines:
        return text
    return "\n".join(filter(None, (text.rstrip(), *lines)))


def _beside(schema: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    values = array_of(schema.get("enum"))
    for keyword in filter(schema.__contains__, _BESIDE):
        by_value = object_of(schema.get(keyword))
        yield from ((value, text_of(by_value.get(str(value)))) for value in values)
        in_order = array_of(schema.get(keyword))
        yield from ((value, text_of(text)) for value, text in zip(values, in_order, strict=False))


def _among(schema: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    for values, option in _constants(schema):
        if len(values) == 1:
            yield values[0], text_of(option.get("title"))
            yield values[0], text_of(option.get("description"))


def deprecated_values(*schemas: dict[str, Any]) -> Iterator[Any]:
    """Give the constants among the alternatives of schemas that say that they are deprecated."""
    for values, option in (found for schema in schemas for found in _constants(schema)):
        if option.get("deprecated") is True:
            yield from values


def _constants(schema: dict[str, Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    for option in map(object_of, (*array_of(schema.get("oneOf")), *array_of(schema.get("anyOf")))):
        values = array_of(option.get("enum"))
        if "const" in option:
            values = [option["const"]]
        yield values, option
