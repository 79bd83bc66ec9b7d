"""What an annotation of a payload allows, in the words of JSON Schema and in those of a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Never, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf

from skills_video_runtime.payloads.base import BaseObject
from skills_video_runtime.payloads.constraints import AnyJson, Format, OneOf, Pattern, UniqueItems, Unset
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.violations import kind_of

NAMES: dict[Any, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", None: "null", NoneType: "null", File: "file",
    Never: "nothing",
}  # fmt: skip
LIMITS: tuple[tuple[type, str, str], ...] = (
    (Ge, "ge", "minimum"),
    (Gt, "gt", "exclusiveMinimum"),
    (Le, "le", "maximum"),
    (Lt, "lt", "exclusiveMaximum"),
    (MultipleOf, "multiple_of", "multipleOf"),
    (Pattern, "regex", "pattern"),
    (Format, "name", "format"),
)
WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "pattern": "matches {}",
    "format": "{}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} members",
    "maxProperties": "at most {} members",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may stand in one place: the types, the limits by their keyword, and the classes of objects."""

    kind: str
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    objects: tuple[type[BaseObject], ...] = ()


def allowed(annotation: Any, more: tuple[Any, ...] = ()) -> Allowed:
    """Read an annotation; `more` are metadata that stand around it."""
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        return allowed(annotation, (*metadata, *more))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if any(isinstance(item, AnyJson) for item in more):
        return Allowed("any JSON value")
    if origin in (Union, UnionType) or annotation is Unset:
        options = [option for option in arguments if option is not Unset]
        return _union([allowed(option) for option in options])
    limits = _limits(more)
    if origin is Literal:
        return Allowed(_kinds(arguments), {"enum": list(arguments), **limits})
    if origin is list:
        items = allowed(arguments[0])
        inside = {"items": items.limits} if items.limits else {}
        return Allowed(f"array of {items.kind}", {**_sizes(more, "Items"), **limits, **inside}, items.objects)
    if origin is Mapping:
        members = allowed(arguments[1])
        inside = {"additionalProperties": members.limits} if members.limits else {}
        limits = {**_sizes(more, "Properties"), **limits, **inside}
        return Allowed(f"object of {members.kind}", limits, members.objects)
    if isinstance(annotation, type) and issubclass(annotation, BaseObject):
        return Allowed(annotation.__name__, limits, (annotation,))
    sizes = _sizes(more, "Length") if annotation is str else {}
    if limits.get("format") == "uri" and annotation is str:
        return Allowed("uri", {**sizes, **{name: value for name, value in limits.items() if name != "format"}})
    return Allowed(NAMES.get(annotation, "value"), {**sizes, **limits})


def in_words(limits: dict[str, Any]) -> str:
    """Write limits on one line."""
    texts: list[str] = []
    for name, value in limits.items():
        if name == "enum":
            texts.append(" | ".join(str(item) if isinstance(item, str) else repr(item) for item in value))
        elif name == "uniqueItems":
            texts.append("no item twice")
        elif name in {"items", "additionalProperties"}:
            texts.append(f"each {in_words(value)}")
        elif name == "anyOf":
            texts.append(" or ".join(f"{part['type']} {in_words(part['limits'])}".strip() for part in value))
        else:
            texts.append(WORDS[name].format(value))
    return ", ".join(texts)


def _union(options: list[Allowed]) -> Allowed:
    kinds = " or ".join(dict.fromkeys(option.kind for option in options)) or "nothing"
    limited = [option for option in options if option.limits]
    if len(limited) < 2:
        limits = limited[0].limits if limited else {}
    else:
        limits = {"anyOf": [{"type": option.kind, "limits": option.limits} for option in options]}
    return Allowed(kinds, limits, tuple(cls for option in options for cls in option.objects))


def _limits(metadata: tuple[Any, ...]) -> dict[str, Any]:
    stated: dict[str, list[Any]] = {}
    for item in metadata:
        for kind, name, word in LIMITS:
            if isinstance(item, kind):
                stated.setdefault(word, []).append(getattr(item, name))
    found: dict[str, Any] = {word: values[0] if len(values) == 1 else values for word, values in stated.items()}
    for item in metadata:
        if isinstance(item, OneOf):
            found["enum"] = list(item.values)
        elif isinstance(item, UniqueItems):
            found["uniqueItems"] = True
    return found


def _sizes(metadata: tuple[Any, ...], unit: str) -> dict[str, Any]:
    least = {f"min{unit}": item.min_length for item in metadata if isinstance(item, MinLen)}
    return least | {f"max{unit}": item.max_length for item in metadata if isinstance(item, MaxLen)}


def _kinds(values: tuple[Any, ...]) -> str:
    return " or ".join(dict.fromkeys(kind_of(value) for value in values))
