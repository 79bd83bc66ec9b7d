"""Keywords that say all that they say by themselves: types, limits, patterns, names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.json_values import array_of, is_array, text_of

from . import types
from .lenient import conditions
from .patterns import judged

if TYPE_CHECKING:
    from generator.diagnostics import Diagnostics
    from generator.inputs.description import Description

    from .types import Shape

_KEYWORDS = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties", "dependentRequired"),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format", "contentMediaType"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")

MOST_PATTERNS = 5_000
"""How many patterns a description may have, as it takes milliseconds to judge one. The limit is ours."""

LONGEST_SHOWN = 200
"""Characters of a value that a message shows."""


@dataclass(slots=True)
class Keywords:
    """Reads single keywords of the schemas of one description."""

    description: Description
    diagnostics: Diagnostics
    is_form: bool = False
    patterns: set[str] = field(default_factory=set[str])

    def _warn(self, pointer: str, message: str) -> None:
        self.diagnostics.warn(self.description.file, pointer, message)

    def _types(self, schema: dict[str, Any], pointer: str) -> list[str]:
        """Give the types that a schema allows: those it names, else all, if it limits one of them."""
        given = schema.get("type")
        names = array_of(given)
        if isinstance(given, str):
            names = [given]
        if any(name not in _TYPES for name in names) or (given is not None and not names):
            allowed = ", ".join(_TYPES)
            self.description.fail(f"{pointer}/type", f"{given!r} is no type of JSON Schema; one of {allowed} is")
        if not names:
            names = limited_types(schema)
        if not names and "enum" not in schema and "const" not in schema and any(conditions(schema)):
            names = ["object"]
        if names and schema.get("nullable") is True and "null" not in names:
            names = [*names, "null"]
        return names

    def _string(self, schema: dict[str, Any], pointer: str) -> Shape:
        form = schema.get("format")
        if form == "binary" or (self.is_form and "contentMediaType" in schema and "contentEncoding" not in schema):
            return types.Binary()
        patterns: tuple[str, ...] = ()
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            patterns = (pattern,)
            if pattern not in self.patterns and len(self.patterns) == MOST_PATTERNS:
                self.description.fail(pointer, f"is one of more than {MOST_PATTERNS:,} that have a pattern")
            self.patterns.add(pattern)
            if reason := judged(pattern).reason:
                message = f"{shortened(pattern)} is shown, and checked by the platform alone: {reason}"
                self._warn(f"{pointer}/pattern", message)
        elif pattern is not None:
            self._warn(f"{pointer}/pattern", f"{shortened(pattern)} is no regular expression; ignored")
        formats = tuple(filter(None, [text_of(form)]))
        longest = self._count(schema, "maxLength", pointer)
        return types.Text(self._count(schema, "minLength", pointer) or 0, longest, patterns, formats)

    def _number(self, schema: dict[str, Any], pointer: str, *, integer: bool) -> Shape:
        low, above = self._bounds(schema, "minimum", "exclusiveMinimum", pointer)
        high, below = self._bounds(schema, "maximum", "exclusiveMaximum", pointer)
        step = self._limit(schema, "multipleOf", pointer)
        multiples: tuple[float, ...] = ()
        if step is not None and step <= 0:
            self._warn(f"{pointer}/multipleOf", f"{step} is not above 0; ignored")
        elif step is not None:
            multiples = (step,)
        return types.Number(integer, low, high, above, below, multiples)

    def _bounds(
        self, schema: dict[str, Any], plain: str, exclusive: str, pointer: str
    ) -> tuple[float | None, float | None]:
        """Give a limit and an exclusive one. In OpenAPI 3.0 `true` makes the one that is there exclusive."""
        limit = self._limit(schema, plain, pointer)
        match schema.get(exclusive):
            case True:
                return None, limit
            case False:
                return limit, None
            case _:
                return limit, self._limit(schema, exclusive, pointer)

    def _list(self, schema: dict[str, Any], keyword: str, pointer: str) -> list[Any]:
        value = schema.get(keyword, [])
        if not is_array(value) or (keyword in schema and not value):
            self.description.fail(f"{pointer}/{keyword}", "is no array with at least one item")
        return value

    def _names(self, value: Any, pointer: str) -> tuple[str, ...]:
        if value is None or isinstance(value, bool):
            return ()
        if not is_array(value) or not all(isinstance(name, str) for name in value):
            self.description.fail(pointer, "is no array of names")
        return tuple(dict.fromkeys(value))

    def _limit(self, schema: dict[str, Any], keyword: str, pointer: str) -> float | None:
        value = schema.get(keyword)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            self.description.fail(f"{pointer}/{keyword}", f"{value!r} is no number")
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def _count(self, schema: dict[str, Any], keyword: str, pointer: str) -> int | None:
        value = self._limit(schema, keyword, pointer)
        if value is not None and (isinstance(value, float) or value < 0):
            self.description.fail(f"{pointer}/{keyword}", f"{value!r} is no count")
        return value


def limited_types(schema: dict[str, Any]) -> list[str]:
    """Give the types of which a schema that names none can tell some values from others; all, if that is one."""
    limited = [name for name, keywords in _KEYWORDS.items() if any(keyword in schema for keyword in keywords)]
    if limited in ([], ["object"]) or schema.get("format") == "binary":
        return limited
    return [name for name in _TYPES if name != "integer"]


def shortened(value: Any) -> str:
    """Write a value for a message, at most 200 characters of it."""
    text = repr(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:LONGEST_SHOWN]}…"
