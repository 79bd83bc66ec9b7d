"""What a shape of a payload allows, in the words of JSON Schema and in those of a reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Never, Union

from skills_video_runtime.payloads.base import BaseObject
from skills_video_runtime.payloads.constraints import (
    SIZES,
    Format,
    Ge,
    Gt,
    Le,
    Lt,
    MaxLen,
    MinLen,
    MultipleOf,
    Pattern,
    UniqueItems,
    Unset,
)
from skills_video_runtime.payloads.json_schema import INSIDE
from skills_video_runtime.payloads.violations import KINDS, kind_of

if TYPE_CHECKING:
    from skills_video_runtime.payloads.shapes import Shape

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


def allowed(shape: Shape) -> Allowed:
    """Read a shape."""
    kind, parts = shape.kind, list(map(allowed, shape.parts))
    if kind is Any:
        return Allowed("any JSON value")
    if kind in (Never, Unset):
        return Allowed("nothing")
    if kind is Union:
        return _union(parts)
    limits = {keyword: stated[0] if len(stated) == 1 else stated for keyword, stated in shape.limits().items()}
    if shape.choice is not None:
        values = list(shape.choice.values)
        return Allowed(" or ".join(dict.fromkeys(map(kind_of, values))), {"enum": values, **limits})
    if parts:
        if parts[0].limits:
            limits[INSIDE[kind]] = parts[0].limits
        return Allowed(f"{KINDS[kind].name} of {parts[0].kind}", limits, parts[0].objects)
    if issubclass(kind, BaseObject):
        return Allowed(kind.__name__, limits, (kind,))
    if limits.get("format") == "uri":
        del limits["format"]
        return Allowed("uri", limits)
    return Allowed(KINDS[kind].name, limits)


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
    limits: dict[str, Any] = {}
    for option in options:
        limits = limits or option.limits
    if limits and sum(option.kind not in {"null", "file"} for option in options) > 1:
        limits = {"anyOf": [{"type": option.kind, "limits": option.limits} for option in options]}
    return Allowed(kinds, limits, tuple(cls for option in options for cls in option.objects))
