"""Annotation → check: what a value must be, compiled once and applied many times.

A check gives the value as the payload keeps it (`5.0` as `5` where an integer is asked, a list as a tuple, a mapping as
its class), or raises all that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Never, Union, get_args, get_origin

from skills_video_runtime.json_values import FrozenMap, is_array, is_mapping, is_number, json_key, shown

from .constraints import AnyJson, ExactlyOne, OneOf, Unset
from .file import File
from .violations import (
    KINDS,
    WRONG,
    Check,
    Kind,
    Problem,
    RefusedError,
    Rule,
    choice_rule,
    plain_rule,
    rules_of,
    type_rule,
)


def compile_check(annotation: Any, *, takes_file: bool = False) -> Check:
    """Compile what an annotation asks of a value; `takes_file` tells whether a file may stand there as well.

    Raises:
        TypeError: no payload has such an annotation.
    """
    metadata: list[Any] = []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if AnyJson() in metadata:
        return _json
    if origin in (Union, UnionType):
        checks = [compile_check(option, takes_file=File in arguments) for option in arguments if option is not Unset]
        return checks[0] if len(checks) == 1 else partial(choose, checks, exactly_one=ExactlyOne() in metadata)
    if origin in (Never, Unset):
        return _never
    if hasattr(origin, "convert"):
        check: Check = origin.convert
        return check
    kind = KINDS.get(NoneType if origin is None else origin)
    rules = rules_of(metadata, kind.name if kind else "", takes_file=takes_file)
    values = arguments if origin is Literal else next((item.values for item in metadata if isinstance(item, OneOf)), ())
    if values:
        kept = {json_key(value): _json(value) for value in values}
        among = Kind("", (str, int), lambda value: kept.get(json_key(value), WRONG), kept.__contains__)
        return _check(choice_rule(*values), among, rules)
    if kind is None:
        raise TypeError(f"{annotation!r} is no annotation of a payload")
    parts: Check | None = None
    if origin is list:
        parts = partial(_items, compile_check(arguments[0]))
    elif origin is Mapping:
        parts = partial(_members, compile_check(arguments[1]))
    return _check(type_rule(kind.name), kind, rules, parts)


def _check(first: Rule, kind: Kind, rules: Sequence[Rule], parts: Check | None = None) -> Check:
    """Put a check together. Of the candidates for a refused value, the first that fits is the nearest allowed one."""
    tests = (*([kind.plain] if kind.plain else []), *(rule.holds for rule in rules))
    exact = frozenset(kind.exact)

    def nearest(value: Any) -> Any:
        from .nearest import candidates  # noqa: PLC0415  # only errors need it, and an import counts

        return next((repair for repair in candidates((first, *rules), value) if fits(check, repair)), None)

    def check(value: Any) -> Any:
        if type(value) in exact:
            for test in tests:
                if not test(value):
                    break
            else:
                return value
        kept = kind.read(value)
        if kept is WRONG:
            raise RefusedError(Problem(first, value, nearest))
        found = [Problem(rule, value, nearest) for rule in rules if not rule.holds(kept)]
        if parts is not None:
            try:
                kept = parts(kept)
            except RefusedError as refused:
                found += refused.problems
        if found:
            raise RefusedError(*found)
        return kept

    return check


def _items(check: Check, value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_parts(check, enumerate(value)).values())


def _members(check: Check, value: Mapping[Any, Any]) -> FrozenMap:
    nameless = [Problem(type_rule("string, as a name is"), name) for name in value if not isinstance(name, str)]
    if nameless:
        raise RefusedError(*nameless)
    return FrozenMap(_parts(check, value.items()))


def _parts(check: Check, parts: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    kept: dict[Any, Any] = {}
    found: list[Problem] = []
    for key, part in parts:
        try:
            kept[key] = check(part)
        except RefusedError as refused:
            found += refused.at(key)
    if found:
        raise RefusedError(*found)
    return kept


def _json(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)) or is_number(value):
        return value
    if is_array(value):
        return _items(_json, value)
    if is_mapping(value):
        return _members(_json, value)
    raise RefusedError(Problem(type_rule("a JSON value"), value))


def _never(value: Any) -> Any:
    raise RefusedError(Problem(plain_rule("not", "no value is allowed here"), value))


def choose(checks: Sequence[Check], value: Any, *, exactly_one: bool = False) -> Any:
    """Give the value as the first check that fits takes it; where none fits, say what the likeliest one finds wrong."""
    kept: list[Any] = []
    failed: list[Sequence[Problem]] = []
    if exactly_one and hasattr(value, "to_dict"):
        value = value.to_dict()
    for check in checks:
        try:
            result = check(value)
        except RefusedError as refused:
            failed.append(refused.problems)
            continue
        if not exactly_one:
            return result
        kept.append(result)
    if not kept:
        raise RefusedError(*_likeliest(failed))
    if len(kept) > 1:
        message = f"{shown(value)} fits {len(kept)} forms of the schema, where exactly one is allowed"
        raise RefusedError(Problem(plain_rule("oneOf", message), value))
    return kept[0]


def _likeliest(failed: Sequence[Sequence[Problem]]) -> Sequence[Problem]:
    """Of several ways in which a value fits none of its forms, choose the one that its author most likely meant.

    Forms that are out of the question to the same degree are taken together: what all of them find wrong.
    """
    doubts = [max(map(_doubt, problems)) for problems in failed]
    likely = [problems for problems, doubt in zip(failed, doubts, strict=True) if doubt == min(doubts)]
    if min(doubts) == 0:
        return min(likely, key=len)
    places = [
        {(problem.rule.keyword.replace("const", "enum"), *problem.keys): problem for problem in problems}
        for problems in likely
    ]
    shared = [[place[key] for place in places] for key in places[0] if all(key in place for place in places)]
    return [_merged(problems) for problems in shared] or likely[0]


def _doubt(problem: Problem) -> int:
    """Tell how much a problem speaks against a form: it has the wrong type (2), the wrong constant (1), or neither."""
    keyword, depth = problem.rule.keyword, len(problem.keys)
    if keyword == "type" and depth == 0:
        return 2
    return int((keyword == "const" and depth <= 1) or (keyword == "enum" and depth == 0))


def _merged(problems: Sequence[Problem]) -> Problem:
    """Say as one what several forms find wrong at one place."""
    rule = problems[0].rule
    make = {"type": type_rule, "const": choice_rule, "enum": choice_rule}.get(rule.keyword)
    if make is None:
        return problems[0]
    operands = {json_key(operand): operand for problem in problems for operand in problem.rule.operands}.values()

    def nearest(value: Any) -> Any:
        from .nearest import alike  # noqa: PLC0415  # as above

        found = [near for problem in problems if (near := problem.nearest(value)) is not None]
        return next(iter(found) if make is type_rule else alike(found, value), None)

    return replace(problems[0], rule=make(*operands), nearest=nearest)


def fits(check: Check, value: object) -> bool:
    """Tell whether a check takes a value."""
    try:
        check(value)
    except RefusedError:
        return False
    return True
