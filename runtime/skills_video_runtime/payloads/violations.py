"""What a schema can ask of one value, and what is said of a value that breaks it.

Paths and messages are put together when somebody is to read them: a value is often tried as several forms, and one of
them fits.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import partial
from types import NoneType
from typing import Any, TypeAlias

from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import is_number, shown

from .constraints import Constraint, DependentRequired
from .file import File

Check: TypeAlias = Callable[[Any], Any]
Key: TypeAlias = str | int | None

WRONG: Any = object()
"""What a reader gives for a value of the wrong type."""


@dataclass(slots=True)
class Rule:
    """A rule of a schema: its keyword, what is said of a value that breaks it, and whether a value keeps it."""

    keyword: str
    says: Callable[[Any], str]
    holds: Callable[[Any], object] = bool
    operands: tuple[Any, ...] = ()
    """The types, the values or the limit that the keyword names."""


@dataclass(slots=True)
class Problem:
    """A value that breaks a rule. It learns its path, last key first, from those who hold the value."""

    rule: Rule
    value: Any
    nearest: Check = lambda _: None
    keys: list[Key] = field(default_factory=list[Key])

    def violation(self) -> Violation:
        """Say it as callers see it."""
        path = ""
        for key in reversed(self.keys):
            if isinstance(key, int):
                path += f"[{key}]"
            elif key is not None and re.fullmatch(r"[\w-]+", key):
                path += f".{key}" if path else key
            elif key is not None:
                path += f"[{key!r}]"
        nearest = None
        with suppress(RecursionError):
            nearest = self.nearest(self.value)
        hint = "" if nearest is None or self.rule.keyword == "const" else f"; nearest allowed: {shown(nearest)}"
        return Violation(path, self.rule.keyword, self.value, nearest, self.rule.says(self.value) + hint)


class RefusedError(Exception):
    """What a check raises: all that is wrong with a value."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems

    def at(self, key: Key) -> Sequence[Problem]:
        """Give the problems of what stands at a key; at None stand members that have no place of their own."""
        for problem in self.problems:
            problem.keys.append(key)
        return self.problems


def plain_rule(keyword: str, message: str) -> Rule:
    """Give a rule of which the same is said whatever the value."""
    return Rule(keyword, lambda _: message)


def type_rule(*expected: str) -> Rule:
    """Give the rule of what is of none of these types."""
    words = f"not {' or '.join(expected)}"
    return Rule("type", lambda value: f"{shown(value)} is {kind_of(value)}, {words}", operands=expected)


def choice_rule(*values: Any) -> Rule:
    """Give the rule of what equals none of these values."""
    choices = ", ".join(map(repr, values))
    if len(values) == 1:
        return Rule("const", lambda value: f"{shown(value)} is not {choices}, the only value allowed", operands=values)
    return Rule("enum", lambda value: f"{shown(value)} is not one of {choices}", operands=values)


def rules_of(metadata: Iterable[Any], kind: str, *, takes_file: bool = False) -> list[Rule]:
    """Give the rules that metadata mean for values of a JSON type."""
    size, unit = _SIZES.get(kind, ("", ""))
    rules: list[Rule] = []
    for item in metadata:
        if isinstance(item, DependentRequired):
            rules += [_dependent(item.name, name) for name in item.required]
        elif (name := type(item).__name__) in _RULES:
            keyword, words, holds = _RULES[name]
            ours = isinstance(item, Constraint)
            limits = item.operands if ours else [getattr(item, part.name) for part in fields(item)]
            limit = next(iter(limits), None)
            test = item.test() if ours else partial(holds, limit) if holds else None
            says = partial(_say, words.replace("{unit}", unit).replace("{advice}", _ADVICE[takes_file]), limit)
            rules += [Rule(keyword.format(size), says, test, (limit,))] if test else []
    return rules


@dataclass(slots=True)
class Kind:
    """A kind of values: its name in JSON, and how one is read: as it is if of an exact type and plain, else slowly."""

    name: str
    exact: Collection[type]
    read: Check
    plain: Check | None = None


def kind_of(value: object) -> str:
    """Name the JSON type of a value as a reader of an error knows it, or the Python type if it has none."""
    if isinstance(value, float) and not is_number(value):
        return "no number in JSON"
    return next((kind.name for kind in KINDS.values() if kind.read(value) is not WRONG), type(value).__name__)


def _say(words: str, limit: Any, value: Any) -> str:
    return words.format(value=shown(value), limit=limit, size=len(value) if "{size}" in words else None)


def _dependent(name: str, other: str) -> Rule:
    message = f"{other!r} must be given along with {name!r}"
    return Rule("dependentRequired", lambda _: message, lambda given: name not in given or other in given)


def _divides(step: float, value: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    from .nearest import exact  # noqa: PLC0415  # as above

    return exact(value) % exact(step) == 0


def _read_integer(value: Any) -> Any:
    if not is_number(value) or (isinstance(value, float) and not value.is_integer()):
        return WRONG
    return int(value) if isinstance(value, float) else value


def _of(*types: type) -> Check:
    return lambda value: value if isinstance(value, types) else WRONG


KINDS: dict[Any, Kind] = {
    NoneType: Kind("null", (NoneType,), _of(NoneType)),
    bool: Kind("boolean", (bool,), _of(bool)),
    int: Kind("integer", (int,), _read_integer),
    float: Kind("number", (int, float), lambda value: value if is_number(value) else WRONG, is_number),
    str: Kind("string", (str,), _of(str)),
    list: Kind("array", (), _of(list, tuple)),
    Mapping: Kind("object", (), _of(dict, Mapping)),
    File: Kind("File(pathlib.Path(…))", (File,), _of(File)),
}
_ADVICE = {
    True: "to send a local file, pass File(pathlib.Path({value}))",
    False: "this field takes no file: put the file where the platform can fetch it, and pass that address",
}
_SIZES = {"string": ("Length", "characters"), "array": ("Items", "items"), "object": ("Properties", "members")}
_RULES: dict[str, tuple[str, str, Callable[[Any, Any], object] | None]] = {
    "Ge": ("minimum", "{value} is not at least {limit}", operator.le),
    "Gt": ("exclusiveMinimum", "{value} is not more than {limit}", operator.lt),
    "Le": ("maximum", "{value} is not at most {limit}", operator.ge),
    "Lt": ("exclusiveMaximum", "{value} is not less than {limit}", operator.gt),
    "MultipleOf": ("multipleOf", "{value} is not a multiple of {limit}", _divides),
    "MinLen": ("min{}", "has {size} {unit}; at least {limit} are asked", lambda least, value: len(value) >= least),
    "MaxLen": ("max{}", "has {size} {unit}; at most {limit} are allowed", lambda most, value: len(value) <= most),
    "Pattern": ("pattern", "{value} does not match {limit!r}", None),
    "UniqueItems": ("uniqueItems", "an item is given twice", None),
    "Format": ("format", "{value} is not an absolute URI (https://…); {advice}", None),
}
"""By the name of the metadata, as annotated-types is imported by who uses it: the keyword, what is said, and how the
operand bears on a value where the metadata does not tell it."""
