"""What is said of a value that breaks a rule, once somebody is to read it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import NoneType
from typing import Any, NamedTuple, TypeAlias

from skills_video_runtime.errors import PayloadError, Violation
from skills_video_runtime.json_values import is_number, json_key, shown

from .constraints import Constraint, OneOf, Test
from .file import File
from .nearest import alike

Path: TypeAlias = tuple[str | int | None, ...]
"""The keys that lead to a value; at None stand members that have no place of their own."""

Take: TypeAlias = Callable[[Any, Path, "Problems"], Any]
"""See `checks.Check`."""

WRONG: Any = object()
"""What a kind reads from a value that is not of it."""


class OfType(Constraint):
    """A value is of one of these types, by the names that JSON has for them."""

    keyword = "type"

    def __init__(self, *operands: str) -> None:
        super().__init__(*operands)
        if KINDS[File].name in operands:
            self.hint = "a local file is File(pathlib.Path(…))"

    def says(self, value: Any) -> str:
        """Say of which type it is instead."""
        return f"{shown(value)} is {kind_of(value)}, not {' or '.join(self.operands)}"


class Stated(Constraint):
    """A rule that no annotation says."""

    def __init__(self, keyword: str, message: str, *operands: Any) -> None:
        super().__init__(*operands)
        self.keyword, self.message = keyword, message


def no_nearest() -> None:
    """Name no value that is allowed instead."""


@dataclass(slots=True)
class Problem:
    """A value that breaks a rule, and where it stands."""

    rule: Constraint
    value: object
    path: Path
    nearest: Callable[[], Any] = no_nearest
    """Gives the nearest allowed value, or None."""

    @property
    def keyword(self) -> str:
        """The keyword of the rule."""
        return self.rule.keyword_for(type(self.value))

    def violation(self, hint: str | None = None) -> Violation:
        """Say it as callers see it; a `hint` stands in place of the rule's own."""
        message, nearest = self.rule.says(self.value), None
        if hint is None and self.rule.hint:
            hint = self.rule.hint.format(shown(self.value))
        if hint:
            message += f"; {hint}"
        with suppress(RecursionError):
            nearest = self.nearest()
        if nearest is not None and self.keyword != "const":
            message += f"; nearest allowed: {shown(nearest)}"
        return Violation(written(self.path), self.keyword, self.value, nearest, message)


class Problems(list[Problem]):
    """What was found wrong so far, and what was told of objects: by class and path, what was built and found wrong."""

    __slots__ = ("told",)

    def __init__(self, told: dict[tuple[type, Path], tuple[Any, Problems]]) -> None:
        super().__init__()
        self.told = told


def refusal(problems: Iterable[Problem], *classes: type) -> PayloadError:
    """Say what is wrong with a payload."""
    return PayloadError(named(classes), [problem.violation() for problem in problems])


def named(classes: Iterable[type]) -> str:
    """Name classes with their module, as many modules have a `Payload`."""
    return " or ".join(f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}" for cls in classes)


def written(path: Path) -> str:
    """Write a path as `brushes[0].x`."""
    text = ""
    for key in path:
        if isinstance(key, str) and re.fullmatch(r"[\w-]+", key):
            text += f".{key}"
        elif key is not None:
            text += f"[{key!r}]"
    return text.removeprefix(".")


class Kind(NamedTuple):
    """A kind of values: its name in JSON, and how one is read."""

    name: str
    read: Callable[[Any], Any]
    exact: Mapping[type, tuple[Test, ...]]
    """The exact types whose values are kept as they are, each with what such a value must pass to be of the kind."""


def kind_of(value: object) -> str:
    """Name the JSON type of a value as a reader of an error knows it, or the Python type if it has none."""
    if isinstance(value, float) and not is_number(value):
        return "no number in JSON"
    return next((kind.name for kind in KINDS.values() if kind.read(value) is not WRONG), type(value).__name__)


def _read(types: type | tuple[type, ...], value: Any) -> Any:
    if isinstance(value, types):
        return value
    return WRONG


def _read_number(value: Any) -> Any:
    if is_number(value):
        return value
    return WRONG


def _read_integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return WRONG


KINDS: dict[Any, Kind] = {
    NoneType: Kind("null", partial(_read, NoneType), {NoneType: ()}),
    bool: Kind("boolean", partial(_read, bool), {bool: ()}),
    int: Kind("integer", _read_integer, {int: ()}),
    float: Kind("number", _read_number, {int: (), float: (math.isfinite,)}),
    str: Kind("string", partial(_read, str), {str: ()}),
    list: Kind("array", partial(_read, (list, tuple)), {}),
    Mapping: Kind("object", partial(_read, (dict, Mapping)), {}),
    File: Kind("file", partial(_read, File), {File: ()}),
}


def likeliest(failed: Sequence[Sequence[Problem]], depth: int) -> Sequence[Problem]:
    """Of several ways in which a value fits none of its forms, choose the one that its author most likely meant.

    Forms that are out of the question to the same degree are taken together: what all of them find wrong. `depth` is
    the length of the path to the value.
    """
    doubts = [max(_doubt(problem, depth) for problem in problems) for problems in failed]
    likely = [problems for problems, doubt in zip(failed, doubts, strict=True) if doubt == min(doubts)]
    if min(doubts) == 0:
        return min(likely, key=len)
    places = [
        {(problem.keyword.replace("const", "enum"), problem.path): problem for problem in problems}
        for problems in likely
    ]
    shared = [[place[key] for place in places] for key in places[0] if all(key in place for place in places)]
    return [_merged(problems) for problems in shared] or likely[0]


def _doubt(problem: Problem, depth: int) -> int:
    """Tell how much a problem speaks against a form: it has the wrong type (2), the wrong constant (1), or neither."""
    keyword, inside = problem.keyword, len(problem.path) - depth
    if keyword == "type" and inside == 0:
        return 2
    return int((keyword == "const" and inside <= 1) or (keyword == "enum" and inside == 0))


def _merged(problems: Sequence[Problem]) -> Problem:
    """Say as one what several forms find wrong at one place."""
    rule = problems[0].rule
    if not isinstance(rule, (OfType, OneOf)):
        return problems[0]
    operands = {json_key(operand): operand for problem in problems for operand in problem.rule.operands}.values()
    return replace(problems[0], rule=type(rule)(*operands), nearest=partial(_nearest_of, problems))


def _nearest_of(problems: Sequence[Problem]) -> Any:
    found = [nearest for problem in problems if (nearest := problem.nearest()) is not None]
    if isinstance(problems[0].rule, OneOf):
        return next(alike(found, problems[0].value), None)
    return next(iter(found), None)
