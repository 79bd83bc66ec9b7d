"""Tool schemas for models that call functions, one tool a payload class; and what such a model asks for.

A schema helps a model to hit upon what is allowed. What decides is `parse`, whose violations go back to the model.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import is_array, is_mapping
from skills_video_runtime.payloads.checks import PLANS, attempt
from skills_video_runtime.payloads.constraints import UNSET

from .dialects import KEYWORDS, Dialect, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skills_video_runtime.catalog import ModelInfo, Models
    from skills_video_runtime.payloads.base import BasePayload
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
        return {"ok": False, "what_to_do": "Correct these; nothing was sent.", "violations": as_data(self.violations)}


def as_data(violations: Iterable[Violation]) -> list[dict[str, Any]]:
    """Give violations as JSON; the value itself, which the model knows, is left out."""
    names = ("path", "rule", "nearest", "message")
    return [{name: getattr(violation, name) for name in names} for violation in violations]


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
            read = json.loads(arguments)
        except (ValueError, RecursionError) as error:
            return _refused("json", None, f"the arguments are no JSON that can be read: {error}")
    if not is_mapping(read):
        return _refused("type", None, "the arguments are no JSON object")
    cls = class_of(package, *known[tool_name])
    data: Any = _given(cls, read)
    payload, problems = attempt(data, [cls])
    if problems:
        for problem in problems:
            data = _read(data, problem)
        payload, problems = attempt(data, [cls])
    if problems:
        return ToolCall(None, tuple(problem.violation() for problem in problems))
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


def _given(cls: type[BasePayload], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what the choice of the tool says, and leave out what is null and may be: a strict schema says it so."""
    fields = PLANS[cls].by_wire
    optional = {name for name, member in fields.items() if not member.required}
    constants = {name: member.constant for name, member in fields.items() if member.constant is not UNSET}
    given = {name: value for name, value in arguments.items() if value is not None or name not in optional}
    return {**constants, **given}


def _read(data: Any, problem: Problem) -> Any:
    """Read a text that stands where an object or an array must as the JSON that it is."""
    if problem.keyword != "type" or not isinstance(problem.value, str):
        return data
    try:
        value: object = json.loads(problem.value)
    except (ValueError, RecursionError):
        return data
    if is_mapping(value) or is_array(value):
        return _placed(data, problem.path, value)
    return data


def _placed(data: Any, path: tuple[str | int | None, ...], value: object) -> Any:
    """Give a copy of data in which a value stands at a path, if that leads anywhere."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, str) and is_mapping(data):
        return {**data, first: _placed(data.get(first), rest, value)}
    if isinstance(first, int) and is_array(data):
        return [*data[:first], _placed(data[first], rest, value), *data[first + 1 :]]
    return data
