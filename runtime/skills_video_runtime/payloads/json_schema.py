"""Class → JSON Schema (Draft 2020-12), which allows what `parse` takes of JSON; a `File` is none."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise
from typing import Any, Final, Never, TypeAlias, Union

from .checks import PLANS, bodies_of, rivals_of
from .constraints import DependentRequired, ExactlyOne, Format, Unset, uri_pattern
from .file import File
from .shapes import Shape
from .violations import KINDS

Schema: TypeAlias = dict[str, Any]

NOTHING: Final[Schema] = {"not": {}}
INSIDE: Final[dict[Any, str]] = {list: "items", Mapping: "additionalProperties"}
WHOLE_URI: Final = rf"^{uri_pattern('')}(?![\s\S])"
"""What an absolute URI matches in the dialect of JSON Schema, whether or not a validator heeds `format`."""


def json_schema(cls: type[Any]) -> Schema:
    """See `BaseObject.json_schema`."""
    classes: list[type[Any]] = [cls]

    def refer(other: type[Any]) -> Schema:
        if other not in classes:
            classes.append(other)
        return {"$ref": f"#/$defs/{other.__name__}"}

    writer = Writer(refer, {"$ref": "#/$defs/Uri"})
    definitions: Schema = {"Uri": {"type": "string", "format": "uri", "pattern": WHOLE_URI}}
    for item in classes:  # grows by the classes that are referred to
        definitions[item.__name__] = writer.whole(item)
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "$ref": f"#/$defs/{cls.__name__}", "$defs": definitions}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes schemas; `refer` gives the schema that leads to the schema of a class, `uri` that of an absolute URI."""

    refer: Callable[[type[Any]], Schema]
    uri: Schema

    def whole(self, cls: type[Any]) -> Schema:
        """Write all that a class asks, with the texts of its module."""
        text = cleandoc(cls.__doc__ or "").partition("\n\nArgs:\n")[0]
        schema: Schema = {"title": cls.__name__, "description": text, **self._object(cls)}
        texts = texts_of(cls.__module__).get(cls.__name__, {})
        for wire, member in PLANS[cls].by_wire.items():
            if member.name in texts:
                schema["properties"][wire]["description"] = texts[member.name]
        rivals = [self._object(rival) for rival in rivals_of(cls)]
        if rivals:
            schema["not"] = {"anyOf": rivals}
        if cls.bodies:
            json, form, own = bodies_of(cls)
            schema["if"] = {"anyOf": [*({"required": [name]} for name in own), NOTHING]}
            schema["then"], schema["else"] = self._object(form.cls), self._object(json.cls)
        return schema

    def _object(self, cls: type[Any]) -> Schema:
        plan = PLANS[cls]
        others: Any = False
        if plan.extra is not None:
            others = self._value(plan.extra.shape)["additionalProperties"]
        schema: Schema = {
            "type": "object",
            "properties": {wire: self._value(member.shape) | member.facts for wire, member in plan.by_wire.items()},
            "required": [wire for wire, member in plan.by_wire.items() if member.required],
            "additionalProperties": others,
        }
        needed = [rule for rule in cls.rules if isinstance(rule, DependentRequired)]
        for rule in needed:
            schema.setdefault("dependentRequired", {}).setdefault(rule.name, []).extend(rule.required)
        sizes = [rule for rule in cls.rules if rule not in needed]
        return _limited(schema, Shape(Mapping, sizes).limits())

    def _value(self, shape: Shape) -> Schema:
        kind, limits = shape.kind, shape.limits()
        if kind is Any:
            return {}
        if kind is Union:
            forms = [self._value(form) for form in shape.parts if form.kind is not File]
            if len(forms) < 2:
                return next(iter(forms), NOTHING)
            return {"oneOf" if ExactlyOne() in shape.rules else "anyOf": forms}
        if kind in (Never, Unset, File):
            return dict(NOTHING)
        if shape.choice is not None:
            return _limited({"enum": list(shape.choice.values)}, limits)
        if is_dataclass(kind):
            return self.refer(shape.kind)
        if Format("uri") in shape.rules:
            del limits["format"]
            return _limited(dict(self.uri), limits)
        schema: Schema = {"type": KINDS[kind].name}
        if shape.parts:
            schema[INSIDE[kind]] = self._value(shape.parts[0])
        return _limited(schema, limits)


def _limited(schema: Schema, limits: Mapping[str, list[Any]]) -> Schema:
    """Add limits to a schema; of a second one with the same keyword, a schema of its own."""
    for keyword, (first, *others) in limits.items():
        schema[keyword] = first
        for other in others:
            schema.setdefault("allOf", []).append({keyword: other})
    return schema


@cache
def texts_of(module: str) -> dict[str, dict[str, str]]:
    """Read the texts of fields from the source of a module, by class and name; empty where there is no source."""
    try:
        tree = ast.parse(getsource(sys.modules[module]))
    except (OSError, TypeError, SyntaxError):
        return {}
    found: dict[str, dict[str, str]] = {}
    for item in tree.body:
        if isinstance(item, ast.ClassDef):
            for pair in pairwise(item.body):
                match pair:
                    case ast.AnnAssign(ast.Name(field)), ast.Expr(ast.Constant(text)):
                        found.setdefault(item.name, {})[field] = cleandoc(str(text))
                    case _:
                        pass
    return found
