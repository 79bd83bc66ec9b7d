"""A payload as a reader can use it: a program, a command, a request, a row of many, a call of a tool.

The builder writes examples with it, and the form in the page asks the same code, run in the browser.
"""

from __future__ import annotations

import json
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, cast

from skills_video.catalog import MODELS
from skills_video_runtime.agents.tools import name_of
from skills_video_runtime.cli.output import UsageProblem
from skills_video_runtime.cli.values import build
from skills_video_runtime.errors import PayloadError
from skills_video_runtime.json_values import holds, is_array, is_mapping
from skills_video_runtime.payloads.base import BaseObject
from skills_video_runtime.payloads.constraints import UNSET
from skills_video_runtime.payloads.file import File

if TYPE_CHECKING:
    from os import PathLike

    from skills_video_runtime import BasePayload

ADDRESS: Final = "${SKILLS_VIDEO_BASE_URL:-https://open.skills.video/api/v1}"
WIDEST: Final = 84
"""Characters up to which a call stands on one line."""

NO_FILE: Final = "A file of yours cannot be given here; an address can."


def texts_of(payload: BasePayload) -> dict[str, str]:
    """Give a payload in each way, by what the way is called."""
    return {
        "Python": python(payload),
        "Command line": command(payload),
        "curl": curl(payload),
        "JSONL row": row(payload),
        "Tool call": tool_call(payload),
    }


def python(payload: BasePayload) -> str:
    """Give a program that makes the video and fetches it."""
    module = MODELS[payload.endpoint.model].module
    names = ["Client", module]
    lines: list[str] = []
    if holds(File, payload.to_dict()):
        names = ["Client", "File", module]
        lines += ["from pathlib import Path", ""]
    made = _expression(payload, module, len("    payload = "))
    lines += [
        f"from skills_video import {', '.join(names)}",
        "",
        "with Client() as client:",
        f"    payload = {made}",
        "    result = client.generate(payload)",
        '    print(client.download(result, "out"))',
    ]
    return "\n".join(lines)


def _expression(value: Any, module: str, indent: int) -> str:
    if isinstance(value, File):
        return f"File(Path({_path_of(value)!r}))"
    if isinstance(value, BaseObject):
        own = {item.name: (getattr(value, item.name), item.default) for item in fields(cast("Any", value))}
        parts = [f"{name}={_expression(given, module, 8)}" for name, (given, default) in own.items()
                 if given is not UNSET and given != default]  # fmt: skip
        return _call(f"{module}.{type(value).__name__}", parts, indent)
    if is_mapping(value):
        return f"{{{', '.join(f'{name!r}: {_expression(item, module, 8)}' for name, item in value.items())}}}"
    if is_array(value):
        return f"[{', '.join(_expression(item, module, 8) for item in value)}]"
    return repr(value)


def _call(name: str, parts: list[str], indent: int) -> str:
    line = f"{name}({', '.join(parts)})"
    if indent + len(line) <= WIDEST or not parts or indent == len("        "):
        return line
    return "\n".join([f"{name}(", *(f"        {part}," for part in parts), "    )"])


def command(payload: BasePayload) -> str:
    """Give the command that makes the video and fetches it."""
    info = MODELS[payload.endpoint.model]
    module = import_module(f"skills_video.{info.module}")
    variants = [cast("type[BasePayload]", getattr(module, name)) for name in info.variants]
    settings = [f"{name}={text}" for name, value in payload.to_dict().items() for text in _settings(value)]
    begin = f"skills-video run {info.module}"
    try:
        is_same = build(variants, {}, settings) == payload
    except (PayloadError, UsageProblem):
        is_same = False
    if is_same:
        given = [f"--set {quote(setting)}" for setting in settings]
    elif holds(File, payload.to_dict()):
        return "# A list with a file of yours inside cannot be given on the command line."
    else:
        given = [f"--payload {quote(json.dumps(payload.to_dict()))}"]
    return " \\\n  ".join([begin, *given, "--download out"])


def _settings(value: Any) -> list[str]:
    """Give the texts that set a field: one, or one for each item of a list with files."""
    if isinstance(value, File):
        return [f"@{_path_of(value)}"]
    if is_array(value) and holds(File, value):
        return [text for item in value for text in _settings(item)]
    if isinstance(value, str):
        return [f"@{value}" if value.startswith("@") else value]
    return [json.dumps(value, ensure_ascii=False)]


def curl(payload: BasePayload) -> str:
    """Give the request to the create endpoint, whose answer has the id."""
    parts = [f'curl "{ADDRESS}"{quote(payload.endpoint.create)}', '-H "Authorization: Bearer $SKILLS_VIDEO_API_KEY"']
    if payload.goes_as_form():
        texts, files = payload.to_multipart()
        parts += [f"--form-string {quote(f'{name}={text}')}" for name, text in texts]
        parts += [f"-F {quote(f'{name}=@{_path_of(file)}')}" for name, file in files]
    else:
        body = json.dumps(payload.to_dict(), ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"-d {quote(body)}"]
    return " \\\n  ".join(parts)


def row(payload: BasePayload) -> str:
    """Give the row of a file for `skills-video batch`; a file of yours is a path after `@`."""
    told = {"key": "row-1", "model": payload.endpoint.model, "payload": _plain(payload.to_dict())}
    return json.dumps(told, ensure_ascii=False)


def tool_call(payload: BasePayload) -> str:
    """Give what an agent calls, as `skills_video.call` takes it."""
    if holds(File, payload.to_dict()):
        return NO_FILE
    name = name_of(MODELS[payload.endpoint.model], type(payload).__name__)
    return json.dumps({"name": name, "arguments": payload.to_dict()}, ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, File):
        return f"@{_path_of(value)}"
    if is_mapping(value):
        return {name: _plain(item) for name, item in value.items()}
    if is_array(value):
        return [_plain(item) for item in value]
    return value


def _path_of(file: File) -> str:
    """Give the path of a file as it was typed, if that was a relative one."""
    path, here = Path(cast("PathLike[str]", file.source)), Path.cwd()
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return str(path)
