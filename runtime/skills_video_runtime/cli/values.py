"""`--set` and `--payload`: what stands on the command line as the payload that it means."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TextIO, cast

from skills_video_runtime.errors import PayloadError, Violation
from skills_video_runtime.json_values import shown
from skills_video_runtime.payloads.checks import PLANS, attempt
from skills_video_runtime.payloads.constraints import UNSET
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.violations import Problems, named, written

from .output import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.violations import Problem

PART = re.compile(r"(?:(?P<name>[^.\[\]=]+)|\[(?P<index>\d{1,4})\])(?:\.(?=.))?", re.DOTALL)
DEEPEST = 32  # names and indices that lead to a value: our choice
ABSENT: Any = object()
PROMPT = "prompt"
LONGEST_NAME = 80  # characters of a value that a hint repeats
MISSPELT = 0.8  # likeness from which on a name counts as a misspelt field: our choice


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set`: what is set, the names and indices that this may stand for, and the text of the value."""

    name: str
    path: tuple[str | int, ...]
    text: str

    @classmethod
    def read(cls, given: str) -> Setting:
        """Read `name=value`, `name[0].x=value`.

        Raises:
            UsageProblem: it is neither.
        """
        left, equals, text = given.partition("=")
        path: list[str | int] = []
        place = 0
        while found := PART.match(left, place):
            path.append(found["name"] or int(found["index"]))
            place = found.end()
        if not equals or not 0 < len(path) <= DEEPEST or place < len(left) or not isinstance(path[0], str):
            raise UsageProblem(f"--set {given!r:.80} is not name=value")
        try:
            given.encode()
        except UnicodeEncodeError as error:
            raise UsageProblem(f"--set {left!r:.80} is not UTF-8 text") from error
        return cls(left, tuple(path), text)

    def candidates(self) -> list[Any]:
        """Give the values that the text may mean, the likeliest one first.

        Raises:
            UsageProblem: it names a file that is not there.
        """
        text = self.text
        if text.startswith("@@"):
            text = text[1:]
        elif text.startswith("@"):
            try:
                return [File(Path(text[1:]).expanduser())]
            except (OSError, ValueError, RuntimeError) as error:  # of no home, too
                raise UsageProblem(f"--set {self.name}: {error}; @@ begins a text with @") from error
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        if isinstance(value, str):
            return [text, value]
        return [value, text]


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
        value: object = json.loads(text, object_pairs_hook=partial(_members, where))
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise UsageProblem(f"{where} is no JSON: {error}") from error
    except UnicodeEncodeError as error:
        raise UsageProblem(f"{where} holds half a character, which cannot be sent") from error
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"{where} is no JSON that can be read: it holds too much") from error
    if not isinstance(value, dict):
        raise UsageProblem(f"{where} is no JSON object, which begins with {{")
    return cast("dict[str, Any]", value)


def _members(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise UsageProblem(f"{where} has {name!r:.80} twice in one object")
        members[name] = value
    return members


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
    data = _as_fields_have_it(variants, data)
    if len(variants) == 1:
        constants = {wire: field.constant for wire, field in PLANS[variants[0]].by_wire.items()}
        data = {name: value for name, value in constants.items() if value is not UNSET} | data
    lists: set[str] = set()
    read: list[Setting] = []
    refused: list[Violation] = []
    for given in settings:
        try:
            setting = Setting.read(given)
            read.append(setting)
            _put(variants, data, lists, setting)
        except UsageProblem as problem:
            refused.append(Violation("", "usage", given, None, str(problem)))
    misspelt = [violation for setting in read for violation in _misspelt(setting, variants)]
    known = {name: value for name, value in data.items() if all(name != violation.path for violation in misspelt)}
    payload, problems = attempt(known, variants)
    violations = [*misspelt, *map(spoken, problems)]
    if refused:
        meant = {part for setting in read for part in (setting.name, setting.path[0])}
        violations = [item for item in violations if item.rule != "required" or item.path not in meant]
    if violations:
        raise PayloadError(named(variants), [*refused, *violations])
    if refused:
        raise UsageProblem("\n  ".join(map(str, refused)))
    return cast("BasePayload", payload)


def _as_fields_have_it(variants: Sequence[type[BasePayload]], data: dict[str, Any]) -> dict[str, Any]:
    """Read texts of the data that are refused where they stand as settings of the same place are read."""
    result = dict(data)
    for name, value in data.items():
        for problem in _problems(variants, name, value, ()):
            path = (name, *problem.path)
            if isinstance(problem.value, str) and not problem.value.startswith("@") and None not in path:
                setting = Setting(written(path), cast("tuple[str | int, ...]", path), problem.value)
                _put(variants, result, set(), setting)
    return result


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


def _put(variants: Sequence[type[BasePayload]], data: dict[str, Any], lists: set[str], setting: Setting) -> None:
    """Put a setting into the data, as what its field has; `lists` are the fields that a setting has made a list."""
    is_field = any(setting.name in PLANS[variant].by_wire for variant in variants)
    path = setting.path
    if is_field:
        path = (setting.name,)
    name, *rest = cast("tuple[str, ...]", path)
    values = setting.candidates()
    tries: list[Any] = [_placed(data.get(name, ABSENT), rest, value, setting) for value in values]
    if name in lists and not rest:
        tries = [*([*data[name], value] for value in values), *(value for value in values if isinstance(value, list))]
    elif not rest:
        tries += [[value] for value in values]
    judged = [(value, _problems(variants, name, value, rest)) for value in tries]
    for value, problems in judged:
        if not problems:
            data[name] = value
            if not rest and is_field and isinstance(value, list):
                lists.add(name)
            return
    hinted = (value for value, problems in judged if any(item.nearest() is not None for item in problems))
    data[name] = next(hinted, tries[0])


def _misspelt(setting: Setting, variants: Sequence[type[BasePayload]]) -> list[Violation]:
    """Refuse a name that an open schema would take, where a field is so close that it must be meant."""
    plans = [PLANS[variant] for variant in variants]
    wires = [name for plan in plans for name in plan.by_wire]
    if setting.name in wires or setting.path[0] in wires or not all(plan.extra for plan in plans):
        return []
    from difflib import get_close_matches  # noqa: PLC0415  # only a name that is not known needs it

    near = get_close_matches(setting.name[:200], wires, n=1, cutoff=MISSPELT)
    if not near:
        return []
    message = f"is no field; nearest: {near[0]!r}; a name that the schema does not have can be sent with --payload"
    return [Violation(setting.name, "additionalProperties", setting.text, near[0], message)]


def _placed(current: Any, path: Sequence[str | int], value: Any, setting: Setting) -> Any:
    """Give a copy of a value in which `value` stands at the path."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, int):
        if current is ABSENT:
            current = []
        if not isinstance(current, list):
            raise UsageProblem(f"--set {setting.name}: there is no list to put it into")
        items = cast("Sequence[Any]", current)
        if key > len(items):
            raise UsageProblem(f"--set {setting.name}: item {len(items)} comes first")
        placed = _placed([*items, ABSENT][key], rest, value, setting)
        return [*items[:key], placed, *items[key + 1 :]]
    if current is ABSENT:
        current = {}
    if not isinstance(current, dict):
        raise UsageProblem(f"--set {setting.name}: there is no object to put it into")
    members = cast("dict[str, Any]", current)
    return {**members, key: _placed(members.get(key, ABSENT), rest, value, setting)}


def _problems(
    variants: Sequence[type[BasePayload]], name: str, value: Any, inner: Sequence[str | int]
) -> list[Problem]:
    """Give what is wrong with the value at a path, by the variant that finds least wrong with it."""
    found: list[list[Problem]] = []
    for variant in variants:
        plan = PLANS[variant]
        if name in plan.by_wire:
            problems = Problems({})
            plan.by_wire[name].check(value, (), problems)
            found.append([item for item in problems if item.path[: len(inner)] == (*inner,)])
        elif plan.extra is not None:
            problems = Problems({})
            rest_of = plan.extra
            rest_of({name: value}, (), problems)
            found.append(problems)
    return min(found or [[]], key=len)
