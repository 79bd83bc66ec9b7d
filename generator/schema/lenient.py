"""Keywords of JSON Schema that are not checked, and what shapes let pass since the platform alone checks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import escape, is_array, is_object, object_of

from .algebra import union
from .types import Anything, Array, Never, Object, Property, Shape, options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[Any, str, str], Shape]
    """Reads a schema: it, its pointer, and what an object in it may be called."""

UNCHECKED: Final = ("not", "if", "then", "else", "patternProperties", "propertyNames", "contains", "minContains",
                    "maxContains", "prefixItems", "dependentSchemas", "dependencies", "unevaluatedItems",
                    "$dynamicRef", "$recursiveRef")  # fmt: skip

_NAMING: Final = {"properties", "allOf", "anyOf", "oneOf", "$ref", "if", "dependentSchemas"}
"""Keywords of which one at least stands in a schema that names properties."""


def conditions(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the schemas that count under a condition and may name properties, each by its pointer below the schema."""
    parts = [(keyword, schema.get(keyword)) for keyword in ("then", "else")]
    for keyword in ("dependentSchemas", "dependencies"):
        members = object_of(schema.get(keyword))
        parts += [(f"{keyword}/{escape(name)}", part) for name, part in members.items()]
    for place, part in parts:
        if not _NAMING.isdisjoint(object_of(part)):
            yield place, object_of(part)


def conditional_properties(schema: dict[str, Any], pointer: str, read: Read) -> Iterator[Property]:
    """Give the properties that a schema names under conditions, with any of the shapes that they may have then."""
    found: dict[str, list[Property]] = {}
    for place, part in conditions(schema):
        for option in options_of(read(part, f"{pointer}/{place}", "")):
            if isinstance(option, Object):
                for prop in option.properties:
                    found.setdefault(prop.name, []).append(prop)
    for name in object_of(object_of(schema.get("if")).get("properties")):
        found.setdefault(name, [Property(name, Anything())])
    for props in found.values():
        shape = union(prop.shape for prop in props)
        if not isinstance(shape, Never):
            yield replace(props[0], shape=shape, conditional=True)


def with_patterns(schema: dict[str, Any], extra: Shape | None, pointer: str, read: Read) -> Shape | None:
    """Give the shape of members that are not named, where `patternProperties` says more of some of them."""
    patterns = schema.get("patternProperties")
    if not is_object(patterns) or (extra is None and not schema.get("properties")):
        return extra
    shapes = [read(part, f"{pointer}/patternProperties/{escape(name)}", "") for name, part in patterns.items()]
    return union([*shapes, extra or Never()])


def with_prefix(schema: dict[str, Any], array: Array, pointer: str, read: Read) -> Array:
    """Give an array whose first items have shapes of their own (`prefixItems`): each item may have any of them."""
    prefix = schema.get("prefixItems")
    if not is_array(prefix):
        return array
    shapes = [read(part, f"{pointer}/prefixItems/{index}", "") for index, part in enumerate(prefix)]
    most = array.max_items
    if isinstance(array.items, Never) and (most is None or most > len(shapes)):
        most = len(shapes)
    if most is None or most > len(shapes):
        shapes.append(array.items)
    return Array(union(shapes), array.min_items, most, array.unique)
