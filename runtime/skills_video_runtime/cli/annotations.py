"""What an annotation of a payload allows, in the words of JSON Schema and in those of a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Literal, Never, Union, get_args, get_origin

from skills_video_runtime.payloads.base import BaseObject
from skills_video_runtime.payloads.constraints import (
    SIZES,
    AnyJson,
    Constraint,
    Format,
    Ge,
    Gt,
    Le,
    Lt,
    MaxLen,
    MinLen,
    MultipleOf,
    OneOf,
    Pattern,
    UniqueItems,
    Unset,
)
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.violations import KINDS, kind_of

NAMES: dict[Any, str] = {kind: known.name for kind, known in KINDS.items()} | {
    None: "null",
    File: "file",
    Never: "nothing",
}
LIMITS = (Ge, Gt, Le, Lt, MultipleOf, Pattern, Format, UniqueItems)
LENGTHS = {
    f"{limit.keyword}{size}": f"{limit.words} {unit}" for limit in (MinLen, MaxLen) for size, unit in SIZES.values()
}
WORDS = {limit.keyword: limit.words for limit in LIMITS} | LENGTHS


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
    if origin is Literal:
        return Allowed(_kinds(arguments), {"enum": list(arguments), **_limits(more, type(arguments[0]))})
    limits = _limits(more, origin or annotation)
    if origin is list:
        items = allowed(arguments[0])
        inside = {"items": items.limits} if items.limits else {}
        return Allowed(f"array of {items.kind}", limits | inside, items.objects)
    if origin is Mapping:
        members = allowed(arguments[1])
        inside = {"additionalProperties": members.limits} if members.limits else {}
        return Allowed(f"object of {members.kind}", limits | inside, members.objects)
    if isinstance(annotation, type) and issubclass(annotation, BaseObject):
        return Allowed(annotation.__name__, limits, (annotation,))
    if limits.get("format") == "uri" and annotation is str:
        return Allowed("uri", {name: value for name, value in limits.items() if name != "format"})
    return Allowed(NAMES.get(annotation, "value"), limits)


def in_words(limits: dict[str, Any]) -> str:
    """Write limits on one line."""
    texts: list[str] = []
    for name, value in limits.items():
        if name == "enum":
            texts.append(" | ".join(str(item) if isinstance(item, str) else repr(item) for item in value))
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


def _limits(metadata: tuple[Any, ...], kind: Any) -> dict[str, Any]:
    stated: dict[str, list[Any]] = {}
    for item in metadata:
        if isinstance(item, OneOf):
            stated["enum"] = [list(item.values)]
        elif isinstance(item, UniqueItems):
            stated["uniqueItems"] = [True]
        elif isinstance(item, Constraint) and item.words:
            stated.setdefault(item.keyword_for(kind), []).append(item.operands[0])
    return {keyword: values[0] if len(values) == 1 else values for keyword, values in stated.items()}


def _kinds(values: tuple[Any, ...]) -> str:
    return " or ".join(dict.fromkeys(kind_of(value) for value in values))
