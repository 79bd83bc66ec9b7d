"""Class → JSON Schema (Draft 2020-12), read from the annotations of the class, and so that pydantic can use it.

What the schema allows is what `parse` takes of JSON. A `File` is no JSON: where one may stand, only the other forms are
described, and a field that takes files alone takes no JSON at all.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Never, TypeAlias, Union, get_args, get_origin

from .checks import PLANS, bodies_of, hints_of, rivals_of
from .constraints import AnyJson, Constraint, Default, Deprecated, ExactlyOne, Format, OneOf, Unset, uri_pattern
from .file import File

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema: TypeAlias = dict[str, Any]

NOTHING: Final[Schema] = {"not": {}}
TYPES: Final[dict[Any, str]] = {NoneType: "null", bool: "boolean", int: "integer", float: "number", str: "string"}
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
        plan, hints = PLANS[cls], hints_of(cls)
        others: Any = False
        if plan.extra is not None:
            others = self._value(hints["extra"])["additionalProperties"]
        schema: Schema = {
            "type": "object",
            "properties": {
                wire: {**self._value(hints[member.name]), **facts_of(hints[member.name])}
                for wire, member in plan.by_wire.items()
            },
            "required": [wire for wire, member in plan.by_wire.items() if member.required],
            "additionalProperties": others,
        }
        for name, required in (rule.operands for rule in cls.rules if rule.keyword == "dependentRequired"):
            schema.setdefault("dependentRequired", {}).setdefault(name, []).extend(required)
        sizes = [rule for rule in cls.rules if rule.keyword != "dependentRequired"]
        return _limited(schema, sizes, Mapping)

    def _value(self, annotation: Any) -> Schema:
        metadata: list[Any] = []
        if get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
        origin, arguments = get_origin(annotation) or annotation or NoneType, get_args(annotation)
        if AnyJson() in metadata:
            return {}
        if origin in (Union, UnionType):
            options = [self._value(option) for option in arguments if option not in (Unset, File)]
            if len(options) < 2:
                return next(iter(options), NOTHING)
            return {"oneOf" if ExactlyOne() in metadata else "anyOf": options}
        if origin in (Never, Unset, File):
            return dict(NOTHING)
        if is_dataclass(origin):
            return self.refer(origin)
        choice = next((item for item in metadata if isinstance(item, OneOf)), None)
        if origin is Literal:
            choice = OneOf(*arguments)
        schema: Schema = {}
        if choice is not None:
            schema = {"enum": list(choice.values)}
        elif origin is list:
            schema = {"type": "array", "items": self._value(arguments[0])}
        elif origin is Mapping:
            schema = {"type": "object", "additionalProperties": self._value(arguments[1])}
        elif Format("uri") in metadata:
            schema = dict(self.uri)
        else:
            schema = {"type": TYPES[origin]}
        return _limited(schema, metadata, origin)


def facts_of(hint: Any) -> Schema:
    """Give what the annotation of a field tells and does not ask: its default, and whether it is deprecated."""
    facts: Schema = {}
    for item in (part for option in (hint, *get_args(hint)) for part in getattr(option, "__metadata__", ())):
        if isinstance(item, Default):
            facts["default"] = item.value
        elif isinstance(item, Deprecated) and not item.operands:
            facts["deprecated"] = True
    return facts


def _limited(schema: Schema, metadata: Iterable[Any], kind: Any) -> Schema:
    """Add limits to a schema; of a second one with the same keyword, a schema of its own."""
    for item in metadata:
        if not isinstance(item, Constraint) or isinstance(item, OneOf) or item == Format("uri"):
            continue
        keyword = item.keyword_for(kind)
        if keyword and keyword in schema:
            schema.setdefault("allOf", []).append({keyword: item.operands[0]})
        elif keyword:
            schema[keyword] = next(iter(item.operands), True)
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
