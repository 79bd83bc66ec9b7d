"""`--set` and `--payload`: what stands on the command line as the payload that it means."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TextIO, cast

from skills_video_runtime.errors import PayloadError, Violation
from skills_video_runtime.json_values import shown
from skills_video_runtime.payloads.checks import PLANS, attempt
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.texts import Setting, as_fields_have_it, misspelt, put, read_object, with_constant
from skills_video_runtime.payloads.violations import named, written

from .output import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.violations import Problem

PROMPT = "prompt"
LONGEST_NAME = 80  # characters of a value that a hint repeats


def read_payload(given: str | None) -> dict[str, Any]:
    """Read the object that `--payload` names: a file, `-` for standard input, or the JSON itself; empty without it.

    Raises:
        UsageProblem: it cannot be read, or is no JSON object.
    """
    if given is None:
        return {}
    text, where = given, "--payload"
    try:
        if given == "-":
            where = "standard input"
            text = _standard_input().decode("utf-8-sig")
        elif given.strip() and not given.lstrip().startswith(("{", "[", '"')):
            where = f"the payload {given!r:.200}"
            text = Path(given).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageProblem(f"{where} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageProblem(f"{where} is not UTF-8 text") from error
    try:
        return read_object(text)
    except ValueError as error:
        raise UsageProblem(f"{where} {error}") from error


def _standard_input() -> bytes:
    stream: TextIO | None = sys.stdin  # None where the process has none
    if stream is None:
        raise OSError("it is closed")
    return stream.buffer.read()


def read_prompt(variants: Sequence[type[BasePayload]], texts: Sequence[str], prompt: str | None) -> dict[str, str]:
    """Give the prompt that stands bare on the command line, or after --prompt, as the field that it is.

    Raises:
        UsageProblem: It is empty or given twice, looks like another field, or the model takes none.
    """
    wires = dict.fromkeys(name for variant in variants for name in PLANS[variant].by_wire)
    if len(texts) > 1:
        raise UsageProblem(f"a prompt of several words stands in quotes: {quote(' '.join(texts))}")
    for text in texts:
        left = text.partition("=")[0].strip()
        if "=" in text and re.split(r"[.\[]", left)[0] in wires:
            raise UsageProblem(f"{left} is set by --set {quote(text)}; a prompt that begins so, by --prompt")
    given = [*texts, *([] if prompt is None else [prompt])]
    if not given:
        return {}
    if len(given) > 1:
        raise UsageProblem("the prompt is given twice, bare and by --prompt")
    if PROMPT not in wires:
        raise UsageProblem(f"the model takes no {PROMPT}; its fields, for --set, are {', '.join(wires)}")
    if not given[0].strip():
        raise UsageProblem("the prompt is empty")
    return {PROMPT: given[0]}


def build(variants: Sequence[type[BasePayload]], data: dict[str, Any], settings: Sequence[str]) -> BasePayload:
    """Build the payload of the data with the settings on top, of the only variant or of the one that the data tells.

    A value is read as the field has it: JSON or text. Where a list is asked, one item alone is a list of one, and one
    that is set again is added to it. So is a text of the data that its field does not take, such as a number in a CSV
    file; but only a setting names a file, as data may be anybody's.

    Raises:
        PayloadError: The schema does not allow it; with all that is wrong, in settings too.
        UsageProblem: Nothing else is wrong than a setting that is none, names a file that is not there, or a place that
            another setting has taken.
    """
    data = with_constant(variants, as_fields_have_it(variants, data))
    lists: set[str] = set()
    read: list[Setting] = []
    refused: list[Violation] = []
    for given in settings:
        try:
            setting = Setting.read(given)
            read.append(setting)
            put(variants, data, lists, setting)
        except ValueError as problem:
            refused.append(Violation("", "usage", given, None, f"--set {problem}"))
    meaningless = list(filter(None, (_misspelt(setting, variants) for setting in read)))
    known = {name: value for name, value in data.items() if all(name != violation.path for violation in meaningless)}
    payload, problems = attempt(known, variants)
    violations = [*meaningless, *map(spoken, problems)]
    if refused:
        meant = {part for setting in read for part in (setting.name, setting.path[0])}
        violations = [item for item in violations if item.rule != "required" or item.path not in meant]
    if violations:
        raise PayloadError(named(variants), [*refused, *violations])
    if refused:
        raise UsageProblem("\n  ".join(map(str, refused)))
    return cast("BasePayload", payload)


def spoken(problem: Problem) -> Violation:
    """Say what is wrong with a value as the command line has it, where no `File` is made."""
    value, hint = problem.value, ""
    if problem.rule.hint:
        name = "cat.png"
        if isinstance(value, str) and value.strip("@") and len(value) <= LONGEST_NAME and ":" not in value:
            name = value.lstrip("@")
        hint = f"a local file is sent by --set {quote(f'{written(problem.path)}=@{name}')}"
    violation = problem.violation(hint)
    if isinstance(value, File):
        return replace(violation, message=violation.message.replace(shown(value), f"@{value.name}"))
    return violation


def _misspelt(setting: Setting, variants: Sequence[type[BasePayload]]) -> Violation | None:
    """Refuse a name that is nearly that of a field, as the command line has it; a place inside a field is none."""
    if misspelt(variants, str(setting.path[0])) is None:
        return None
    hint = "; a name that the schema does not have can be sent with --payload"
    return misspelt(variants, setting.name, setting.text, hint)
