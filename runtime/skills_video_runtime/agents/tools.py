"""Tool schemas for models that call functions, one tool a payload class; and what such a model asks for.

A schema helps a model to hit upon what is allowed. What decides is `parse`, whose violations go back to the model.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union

from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import is_array, is_mapping
from skills_video_runtime.payloads.checks import PLANS, attempt
from skills_video_runtime.payloads.constraints import UNSET
from skills_video_runtime.payloads.shapes import Shape
from skills_video_runtime.payloads.texts import misspelt, placed, read_object, with_constant
from skills_video_runtime.payloads.violations import KINDS

from .dialects import KEYWORDS, Dialect, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from skills_video_runtime.catalog import ModelInfo, Models
    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.file import File
    from skills_video_runtime.payloads.violations import Problem

LONGEST_NAME = 63  # characters of the name of a tool: Gemini's limit; the others have 64
LONGEST_TEXT = 1024  # characters of the text of a tool: OpenAI's limit


@dataclass(frozen=True)
class ToolCall:
    """What a model asks for: a payload that can be posted, or what is wrong with its arguments."""

    payload: BasePayload | None
    violations: tuple[Violation, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data that can go back to the model."""
        if self.payload is not None:
            names = {"model": self.payload.endpoint.model, "variant": type(self.payload).__name__}
            unknown = [name for name in self.payload.to_dict() if name not in self.payload.known_fields()]
            return {"ok": True, **names, "not_in_schema": unknown}
        told = [violation.to_dict() for violation in self.violations]
        return {"ok": False, "what_to_do": "Correct these; nothing was sent.", "violations": told}


def tools_of(models: Models, package: str, names: Iterable[str] | None, dialect: Dialect) -> list[dict[str, Any]]:
    """See `skills_video.catalog.tools`, which hands over the models and their package."""
    if dialect not in KEYWORDS:
        raise ValueError(f"dialect is one of {', '.join(KEYWORDS)}, not {dialect!r:.80}")
    if isinstance(names, str):
        names = [names]
    chosen: Iterable[ModelInfo] = models
    if names is not None:
        chosen = [models[name] for name in names]
    return [_tool(info, variant, package, dialect) for info in chosen for variant in info.variants]


def called(models: Models, package: str, tool_name: str, arguments: Mapping[str, object] | str) -> ToolCall:
    """See `skills_video.catalog.call`, which hands over the models and their package."""
    known = {name_of(info, variant): (info, variant) for info in models for variant in info.variants}
    if tool_name not in known:
        near = get_close_matches(str(tool_name)[:200], known, n=3, cutoff=0.0)
        return _refused("tool", near[0], f"there is no tool {tool_name!r:.80}; the nearest are {', '.join(near)}")
    read: object = arguments
    if isinstance(arguments, str):
        try:
            read = read_object(arguments)
        except ValueError as error:
            return _refused("json", None, f"the text of the arguments {error}")
    if not is_mapping(read):
        return _refused("type", None, "the arguments are no JSON object")
    return checked([class_of(package, *known[tool_name])], read)


def checked(
    variants: Sequence[type[BasePayload]], arguments: Mapping[str, Any], file_of: Callable[[str], File] | None = None
) -> ToolCall:
    """Build the payload of what a model gave, as one of the variants.

    A text where an object or array belongs is read as its JSON, and where a file may stand as what `file_of` gives. A
    name that the schema does not have is refused where it is nearly one that it has, even if others are let pass.
    """
    data: Any = _given(variants, arguments)
    payload, problems = attempt(data, variants)
    for problem in problems:
        meant = _meant(problem, variants, file_of)
        if meant is not problem.value:
            data = placed(data, problem.path, meant)
    if problems:
        payload, problems = attempt(data, variants)
    violations = [_said(problem, can_be_file=file_of is not None) for problem in problems]
    told = {violation.path for violation in violations}
    wrong = filter(None, (misspelt(variants, name, value) for name, value in data.items()))
    violations += [violation for violation in wrong if violation.path not in told]
    if violations:
        return ToolCall(None, tuple(violations))
    return ToolCall(payload)


def name_of(info: ModelInfo, variant: str) -> str:
    """Name the tool of a payload class: a function of the two alone, so that no other model changes it."""
    whole = f"{info.module}-{variant}"
    name = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    if name != whole or len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 9]}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
    return name


def class_of(package: str, info: ModelInfo, variant: str) -> type[BasePayload]:
    """Give a payload class."""
    cls: type[BasePayload] = getattr(import_module(f"{package}.{info.module}"), variant)
    return cls


def _tool(info: ModelInfo, variant: str, package: str, dialect: Dialect) -> dict[str, Any]:
    definitions = class_of(package, info, variant).json_schema()["$defs"]
    writer = Writer(dialect, definitions)
    schema = writer.object(definitions[variant], (variant,))
    own = schema.pop("description", "")
    remarks = "".join(f" {remark}." for remark in dict.fromkeys(writer.remarks))
    text = f"Makes a video with {info.title}. {own}{remarks}"
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    tool: dict[str, Any] = {"name": name_of(info, variant), "description": text}
    if dialect == "anthropic":
        return {**tool, "input_schema": schema}
    tool["parameters"] = schema
    if dialect == "gemini":
        return tool
    if dialect == "openai-strict":
        tool["strict"] = True
    return {"type": "function", "function": tool}


def _refused(rule: str, nearest: object, message: str) -> ToolCall:
    return ToolCall(None, (Violation("", rule, None, nearest, message),))


def _given(variants: Sequence[type[BasePayload]], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what the choice of a variant says; leave out null where that may be: a strict schema says it so."""
    plans = [PLANS[variant].by_wire for variant in variants]
    optional = {name for plan in plans for name, member in plan.items() if not member.required}
    given = {name: value for name, value in arguments.items() if value is not None or name not in optional}
    return with_constant(variants, given)


def _meant(problem: Problem, variants: Sequence[type[BasePayload]], file_of: Callable[[str], File] | None) -> object:
    """Give what a text must mean that stands where none can, and what null does."""
    value = problem.value
    if value is None and any(_is_optional(Shape(variant), problem.path) for variant in variants):
        return UNSET
    if not isinstance(value, str) or None in problem.path:
        return value
    if file_of is not None and problem.rule.hint and value.startswith("@"):
        return file_of(value[1:])
    with suppress(ValueError, RecursionError):
        read: object = json.loads(value)
        if problem.keyword == "type" and (is_mapping(read) or is_array(read)):
            return read
    return value


def _is_optional(shape: Shape, path: Sequence[str | int | None]) -> bool:
    """Tell whether a path leads to a field that may be left out."""
    kind = shape.kind
    if kind is Union:
        return any(_is_optional(form, path) for form in shape.parts)
    name, *rest = path or (None,)
    if kind not in KINDS and is_dataclass(kind):
        member = PLANS[shape.kind].by_wire.get(str(name))
        if member is None or not rest:
            return member is not None and not member.required
        return _is_optional(member.shape, rest)
    return bool(rest and shape.parts) and _is_optional(shape.parts[0], rest)


def _said(problem: Problem, *, can_be_file: bool) -> Violation:
    """Say what is wrong, and how a local file is given, if it can be."""
    hint = ""
    if can_be_file and problem.rule.hint:
        hint = "a local file is '@' and its path"
    return problem.violation(hint)
