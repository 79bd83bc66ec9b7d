"""Annotation → check: what a value must be, compiled once and applied many times.

A check takes a value and a list of problems; it returns the value as the payload keeps it (`5.0` as `5` where an
integer is asked, a list as a tuple, a mapping as its class) and appends what is wrong. Paths cost nothing as long as
nothing is wrong: whoever holds a part prefixes the problems that the part has added.
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Never,
    Protocol,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf

from .constraints import (
    URI,
    AnyJson,
    ExactlyOne,
    Format,
    OneOf,
    Pattern,
    UniqueItems,
    Unset,
    is_array,
    is_mapping,
    is_unique,
    json_key,
)
from .errors import Violation
from .file import File

if TYPE_CHECKING:
    from fractions import Fraction

Metadata: TypeAlias = list[Any]
Check: TypeAlias = "Callable[[Any, list[Problem]], Any]"


class Checked(Protocol):
    """A class of objects that can be built from plain data."""

    @classmethod
    def convert(cls, value: object, problems: list[Problem]) -> Any:
        """Give the instance that the value is or describes; append what is wrong."""


class Problem:
    """A violation that still learns its path."""

    __slots__ = ("expected", "keys", "message", "nearest", "rule", "value")

    def __init__(
        self,
        rule: str,
        value: object,
        message: str,
        nearest: object = None,
        *,
        key: str | None = None,
        expected: str = "",
    ) -> None:
        self.keys: list[str | int] = [] if key is None else [key]
        self.rule = rule
        self.value = value
        self.message = message
        self.nearest = nearest
        self.expected = expected

    def violation(self) -> Violation:
        """Give it as callers see it."""
        path = ""
        for key in reversed(self.keys):
            if isinstance(key, int):
                path += f"[{key}]"
            elif re.fullmatch(r"[\w-]+", key):
                path += f".{key}" if path else key
            else:
                path += f"[{key!r}]"
        return Violation(path, self.rule, self.value, self.nearest, self.message)


def part(check: Check, value: object, key: str | int, problems: list[Problem]) -> Any:
    """Apply a check to the part of a value that stands at `key`."""
    before = len(problems)
    result = check(value, problems)
    for problem in problems[before:]:
        problem.keys.append(key)
    return result


def compile_check(annotation: Any, *, takes_file: bool = False) -> Check:
    """Compile what an annotation asks of a value; `takes_file` tells whether a file may stand there as well.

    Raises:
        TypeError: no payload has such an annotation.
    """
    metadata: Metadata = []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if AnyJson() in metadata:
        check: Check = _json
    elif origin in (Union, UnionType) or annotation is Unset:
        arguments = arguments or (Unset,)
        check = _union([option for option in arguments if option is not Unset], exactly_one=ExactlyOne() in metadata)
    elif origin is Literal:
        check = _literal(arguments)
    elif origin is list:
        check = _array(compile_check(arguments[0]), metadata)
    elif origin is Mapping:
        check = _map(compile_check(arguments[1]), metadata)
    elif annotation is str:
        check = _string(metadata, takes_file=takes_file)
    elif annotation in (int, float):
        check = _number(metadata, integer=annotation is int)
    elif annotation in _SIMPLE:
        check = _SIMPLE[annotation]
    elif isinstance(annotation, type) and hasattr(annotation, "convert"):
        checked: type[Checked] = annotation
        check = checked.convert
    else:
        raise TypeError(f"{annotation!r} is no annotation of a payload")
    choice = next((item for item in metadata if isinstance(item, OneOf)), None)
    return check if choice is None else _among(check, choice)


def kind_of(value: object) -> str:
    """Name the JSON type of a value as a reader of an error knows it."""
    kinds: tuple[tuple[Any, str], ...] = (
        (NoneType, "null"),
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        ((list, tuple), "array"),
        (Mapping, "object"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), type(value).__name__)


def shown(value: object) -> str:
    """Show a value on one line, cut short where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or what holds itself
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def mismatch(expected: str, value: object, nearest: object = None) -> Problem:
    """Say that a value is of the wrong JSON type."""
    hint = "" if nearest is None else f"; nearest allowed: {shown(nearest)}"
    return Problem(
        "type", value, f"{shown(value)} is {kind_of(value)}, not {expected}{hint}", nearest, expected=expected
    )


def allowed(check: Check, value: Any) -> Any:
    """Give a value that may be proposed, None if it is not allowed either."""
    problems: list[Problem] = []
    check(value, problems)
    return None if problems else value


def closest(text: str, names: Sequence[str]) -> str | None:
    """Give the name that reads most like the text, None if there are no names."""
    from difflib import SequenceMatcher  # noqa: PLC0415  # only errors need it, and an import counts

    matcher = SequenceMatcher(b=text.lower()[:200])

    def likeness(name: str) -> float:
        matcher.set_seq1(name.lower()[:200])
        return matcher.ratio()

    return max(names, key=likeness, default=None)


def _among(check: Check, choice: OneOf) -> Check:
    def among(value: Any, problems: list[Problem]) -> Any:
        before = len(problems)
        result = check(value, problems)
        if len(problems) == before and not choice.holds(result):
            problems.append(_not_among(value, choice.values))
        return result

    return among


def _not_among(value: object, allowed: Sequence[Any]) -> Problem:
    nearest: object = None
    if isinstance(value, str):
        nearest = closest(value, [item for item in allowed if isinstance(item, str)])
        if nearest is None:
            nearest = next((item for item in allowed if str(item) == value), None)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        numbers = [item for item in allowed if isinstance(item, (int, float)) and not isinstance(item, bool)]
        nearest = min(numbers, key=lambda item: abs(item - value), default=None)
        if nearest is None:
            nearest = next((item for item in allowed if item == str(value)), None)
    if nearest is None and len(allowed) == 1:
        nearest = allowed[0]
    choices = ", ".join(map(repr, allowed))
    if len(allowed) == 1:
        return Problem("const", value, f"{shown(value)} is not {choices}, the only value allowed", nearest)
    hint = "" if nearest is None else f"; nearest allowed: {nearest!r}"
    return Problem("enum", value, f"{shown(value)} is not one of {choices}{hint}", nearest)


def _literal(values: tuple[Any, ...]) -> Check:
    allowed = {json_key(value): value for value in values}
    strings = frozenset(value for value in values if isinstance(value, str))

    def check(value: Any, problems: list[Problem]) -> Any:
        if type(value) is str and value in strings:
            return value
        key = json_key(value)
        if key in allowed:
            return allowed[key]
        problems.append(_not_among(value, values))
        return value

    return check


def _null(value: Any, problems: list[Problem]) -> None:
    if value is not None:
        problems.append(mismatch("null", value))


def _never(value: Any, problems: list[Problem]) -> Any:
    problems.append(Problem("not", value, "no value is allowed here"))
    return value


def _boolean(value: Any, problems: list[Problem]) -> Any:
    if not isinstance(value, bool):
        nearest = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None
        problems.append(mismatch("boolean", value, nearest))
    return value


def _file(value: Any, problems: list[Problem]) -> Any:
    if not isinstance(value, File):
        problems.append(mismatch("a file: pass File(pathlib.Path(…))", value))
    return value


def _sizes(metadata: Metadata, rules: str, unit: str) -> Callable[[Any, list[Problem], Check], None] | None:
    """Check the limits of a size, which `rules` and `unit` name; the last argument judges what may be proposed."""
    least = max((item.min_length for item in metadata if isinstance(item, MinLen)), default=0)
    most = min((item.max_length for item in metadata if isinstance(item, MaxLen)), default=None)

    def check(value: Any, problems: list[Problem], whole: Check) -> None:
        size = len(value)
        if size < least:
            problems.append(Problem(f"min{rules}", value, f"has {size} {unit}; at least {least} are asked"))
        if most is not None and size > most:
            nearest = None if is_mapping(value) else allowed(whole, value[:most])
            problems.append(Problem(f"max{rules}", value, f"has {size} {unit}; at most {most} are allowed", nearest))

    return None if not least and most is None else check


def _string(metadata: Metadata, *, takes_file: bool) -> Check:
    sizes = _sizes(metadata, "Length", "characters")
    patterns = [re.compile(item.regex) for item in metadata if isinstance(item, Pattern)]
    uri = Format("uri") in metadata
    plain = not (sizes or patterns or uri)

    def check(value: Any, problems: list[Problem]) -> Any:
        if not isinstance(value, str):
            problems.append(mismatch("string", value, allowed(check, shown(value)) if _is_number(value) else None))
            return value
        if plain:
            return value
        if sizes:
            sizes(value, problems, check)
        problems.extend(
            Problem("pattern", value, f"{shown(value)} does not match {pattern.pattern!r}")
            for pattern in patterns
            if not pattern.search(value)
        )
        if uri and not URI.fullmatch(value):
            problems.append(_no_uri(value, takes_file=takes_file))
        return value

    return check


def _no_uri(value: str, *, takes_file: bool) -> Problem:
    if takes_file:
        advice = f"to send a local file, pass File(pathlib.Path({shown(value)}))"
    else:
        advice = "this field takes no file: put the file where the platform can fetch it, and pass that address"
    return Problem("format", value, f"{shown(value)} is not an absolute URI (https://…); {advice}")


class _Rule(NamedTuple):
    keyword: str
    limit: Any
    words: str
    holds: Callable[[Any, Any], bool]


def _number(metadata: Metadata, *, integer: bool) -> Check:
    rules = [
        _Rule(keyword, getattr(item, name), words, holds)
        for item in metadata
        for kind, name, keyword, words, holds in _LIMITS
        if isinstance(item, kind)
    ]
    expected = "integer" if integer else "number"

    def check(value: Any, problems: list[Problem]) -> Any:
        if not (type(value) is int or _is_number(value)):
            problems.append(mismatch(expected, value, _read_number(value, rules, integer=integer)))
            return value
        if integer and isinstance(value, float):
            if not value.is_integer():
                problems.append(mismatch(expected, value, _nearest_number(value, rules, integer=True)))
                return value
            value = int(value)
        for rule in rules:
            if not rule.holds(value, rule.limit):
                nearest = _nearest_number(value, rules, integer=integer)
                hint = "" if nearest is None else f"; nearest allowed: {nearest}"
                message = f"{shown(value)} is not {rule.words} {rule.limit}{hint}"
                problems.append(Problem(rule.keyword, value, message, nearest))
        return value

    return check


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _exact(number: float) -> Fraction:
    """Give the decimal that JSON shows, not its binary neighbour: 0.3 is a multiple of 0.1."""
    from fractions import Fraction  # noqa: PLC0415  # only multiples and errors need it, and an import counts

    return Fraction(number) if isinstance(number, int) else Fraction(str(number))


def _is_multiple(value: Any, step: Any) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    return _exact(value) % _exact(step) == 0


def _nearest_number(value: float, rules: Sequence[_Rule], *, integer: bool) -> float | None:
    exact = _exact(value)
    bounds = [exact, *(_exact(rule.limit) for rule in rules if rule.keyword != "multipleOf")]
    steps = [_exact(rule.limit) for rule in rules if rule.keyword == "multipleOf"]
    if integer or any(rule.keyword.startswith("exclusive") for rule in rules):
        steps.append(_exact(1))
    candidates = [(bound // step + move) * step for bound in bounds for step in steps for move in (-1, 0, 1)]
    for candidate in sorted([*bounds, *candidates], key=lambda candidate: abs(candidate - exact)):
        whole = candidate.denominator == 1
        try:
            plain = int(candidate) if whole and (integer or isinstance(value, int)) else float(candidate)
        except OverflowError:
            continue
        if (whole or not integer) and all(rule.holds(plain, rule.limit) for rule in rules):
            return plain
    return None


def _read_number(value: object, rules: Sequence[_Rule], *, integer: bool) -> float | None:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value, re.ASCII):
        return None
    return _nearest_number(float(value) if "." in value else int(value), rules, integer=integer)


def _array(item: Check, metadata: Metadata) -> Check:
    sizes = _sizes(metadata, "Items", "items")
    unique = UniqueItems() in metadata

    def check(value: Any, problems: list[Problem]) -> Any:
        if not is_array(value):
            wrapped = isinstance(value, (str, int, float)) and not isinstance(value, bool)
            problems.append(mismatch("array", value, allowed(check, [value]) if wrapped else None))
            return value
        if sizes:
            sizes(value, problems, check)
        items = tuple([part(item, element, index, problems) for index, element in enumerate(value)])
        if unique and not is_unique(items):
            nearest = allowed(check, list({json_key(element): element for element in items}.values()))
            problems.append(Problem("uniqueItems", value, "an item is given twice", nearest))
        return items

    return check


def _map(member: Check, metadata: Metadata) -> Check:
    sizes = _sizes(metadata, "Properties", "members")

    def check(value: Any, problems: list[Problem]) -> Any:
        if not is_mapping(value):
            problems.append(mismatch("object", value))
            return value
        if sizes:
            sizes(value, problems, check)
        problems.extend(mismatch("string, as a name is", name) for name in value if not isinstance(name, str))
        return {name: part(member, item, name, problems) for name, item in value.items() if isinstance(name, str)}

    return check


def _json(value: Any, problems: list[Problem]) -> Any:
    """Take any JSON value."""
    if value is None or isinstance(value, (str, bool)) or _is_number(value):
        return value
    if is_array(value):
        return _any_array(value, problems)
    if is_mapping(value):
        return _any_map(value, problems)
    problems.append(mismatch("a JSON value", value))
    return value


_any_array, _any_map = _array(_json, []), _map(_json, [])


def _union(options: list[Any], *, exactly_one: bool) -> Check:
    checks = [compile_check(option, takes_file=File in options) for option in options] or [_never]
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, problems: list[Problem]) -> Any:
        return choose(value, checks, problems, exactly_one=exactly_one)

    return check


def choose(value: Any, checks: Sequence[Check], problems: list[Problem], *, exactly_one: bool = False) -> Any:
    """Give the value as the first check that fits takes it; where none fits, say what the likeliest one finds wrong."""
    fitting: list[Any] = []
    failed: list[list[Problem]] = []
    plain = value.to_dict() if exactly_one and hasattr(value, "to_dict") else value
    for check in checks:
        found: list[Problem] = []
        result = check(plain, found)
        if found:
            failed.append(found)
        elif exactly_one:
            fitting.append(result)
        else:
            return result
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        message = f"{shown(value)} fits {len(fitting)} forms of the schema, where exactly one is allowed"
        problems.append(Problem("oneOf", value, message))
    else:
        problems.extend(_likeliest(value, failed))
    return value


def _likeliest(value: object, failed: list[list[Problem]]) -> list[Problem]:
    """Of several ways in which a value fits none of its forms, choose the one that its author most likely meant."""
    inside = [found for found in failed if not any(problem.rule == "type" and not problem.keys for problem in found)]
    if not inside:
        expected = " or ".join(dict.fromkeys(found[0].expected for found in failed))
        nearest = next((found[0].nearest for found in failed if found[0].nearest is not None), None)
        return [mismatch(expected, value, nearest)]
    choices = [
        found for found in inside if len(found) == 1 and found[0].rule in {"enum", "const"} and not found[0].keys
    ]
    if len(choices) > 1 and len(choices) == len(inside):
        nearest = next((found[0].nearest for found in choices if found[0].nearest is not None), None)
        message = " and ".join(found[0].message for found in choices)
        return [Problem("enum", value, message, nearest)]
    meant = [found for found in inside if not any(_is_tag(problem) for problem in found)]
    return min(meant, key=len) if meant else _with_likeliest_tag(inside)


def _is_tag(problem: Problem) -> bool:
    return problem.rule == "const" and len(problem.keys) == 1 and isinstance(problem.keys[0], str)


def _with_likeliest_tag(failed: list[list[Problem]]) -> list[Problem]:
    """Name the constants of all forms, and what is wrong with the value whichever of them was meant."""
    tags = [next(problem for problem in found if _is_tag(problem)) for found in failed]
    among = _not_among(tags[0].value, [tag.nearest for tag in tags])
    among.keys = tags[0].keys
    index = next((index for index, tag in enumerate(tags) if tag.nearest == among.nearest), 0)
    shared = Counter((problem.rule, *problem.keys) for found in failed for problem in found)
    others = [problem for problem in failed[index] if shared[problem.rule, *problem.keys] >= len(failed)]
    return [among, *(problem for problem in others if problem is not tags[index])]


_SIMPLE: dict[Any, Check] = {None: _null, NoneType: _null, bool: _boolean, File: _file, Never: _never}
_LIMITS: tuple[tuple[type, str, str, str, Callable[[Any, Any], bool]], ...] = (
    (Ge, "ge", "minimum", "at least", operator.ge),
    (Gt, "gt", "exclusiveMinimum", "more than", operator.gt),
    (Le, "le", "maximum", "at most", operator.le),
    (Lt, "lt", "exclusiveMaximum", "less than", operator.lt),
    (MultipleOf, "multiple_of", "multipleOf", "a multiple of", _is_multiple),
)
