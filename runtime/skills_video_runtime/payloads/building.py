"""What makes a payload of what it is given: its fields checked, then the object as a whole.

Imported with the first payload that is made, so that a module with payloads is imported quickly.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import PayloadError
from skills_video_runtime.json_values import holds, is_array, is_mapping

from .checks import choose, fits
from .constraints import UNSET
from .file import File
from .plans import PLANS
from .violations import Problem, RefusedError, plain_rule, type_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import BaseObject, BasePayload


def check(instance: BaseObject) -> None:
    """Check an instance whose fields hold what they were given.

    Raises:
        PayloadError: with all that is wrong.
    """
    try:
        _fill(instance)
        _check_whole(instance)
    except (RefusedError, RecursionError) as error:
        raise _payload_error(error, type(instance)) from None


def convert(cls: type[BaseObject], value: object) -> BaseObject:
    """Give the instance that a value is, or that plain data describes, or raise what is wrong with it."""
    if isinstance(value, cls):
        return value
    instance = _built(cls, value)
    _check_whole(instance)
    return instance


def parse(data: Mapping[str, object], variants: tuple[type[BasePayload], ...]) -> Any:
    """See `payload.parse_payload`."""
    try:
        return choose([variant.convert for variant in variants], data)
    except (RefusedError, RecursionError) as error:
        raise _payload_error(error, *variants) from None


def as_form(payload: BasePayload) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
    """See `BasePayload.to_multipart`."""
    texts: list[tuple[str, str]] = []
    files: list[tuple[str, File]] = []
    found: list[Problem] = []
    given = payload.to_dict()
    for name, value in given.items():
        for item in value if is_array(value) else [value]:
            if isinstance(item, File):
                files.append((name, item))
            elif item is None and holds(File, given):
                found.append(Problem(_NO_NULL, None, keys=[name]))
            elif holds(File, item):
                found.append(Problem(_NO_FILE_INSIDE, item, keys=[name]))
            elif (text := _form_text(name, item)) is None:
                found.append(Problem(_NO_TEXT, item, keys=[name]))
            else:
                texts.append((name, text))
    if found:
        raise _payload_error(RefusedError(*found), type(payload))
    return texts, files


def _built(cls: type[BaseObject], data: object) -> BaseObject:
    """Build an instance from plain data, its fields checked."""
    if not is_mapping(data):
        raise RefusedError(Problem(type_rule("object"), data))
    names = PLANS[cls].by_wire
    unknown = {} if data.keys() <= names.keys() else {name: data[name] for name in data if name not in names}
    instance = object.__new__(cls)
    _fill(instance, data, unknown)
    return instance


def _fill(
    instance: BaseObject, data: Mapping[Any, Any] | None = None, unknown: Mapping[Any, Any] | None = None
) -> None:
    """Set the fields of an instance to what their checks make of plain data, or of what the fields hold already.

    Raises:
        RefusedError: with all that is wrong, `unknown` included, which is the data that has no field.
    """
    plan = PLANS[type(instance)]
    found: list[Problem] = []
    if unknown and plan.extra is not None:
        data, unknown = {**(data or {}), None: unknown}, None
    steps, get = (plan.from_fields, partial(getattr, instance)) if data is None else (plan.from_data, data.get)
    for key, name, check, required in steps:
        value = get(key, UNSET)
        if value is not UNSET:
            try:
                value = check(value)
            except RefusedError as refused:
                found += refused.at(key)
        elif required:
            found.append(Problem(_REQUIRED, None, keys=[key]))
        elif data is None:
            continue
        _set(instance, name, value)
    if unknown:
        found += [_unknown(type(instance), *item) for item in unknown.items()]
    if found:
        raise RefusedError(*found)


def _check_whole(instance: BaseObject) -> None:
    """Raise what is wrong with an object as a whole, its fields being right."""
    cls = type(instance)
    if not (cls.rules or cls.one_of):
        return
    given = instance.to_dict()
    found = [Problem(rule, given) for rule in PLANS[cls].rules if not rule.holds(given)]
    home = next(base.__module__ for base in cls.__mro__ if "one_of" in vars(base))
    for rival in (getattr(sys.modules[home], name) for name in cls.one_of):
        rules = PLANS[rival].rules
        if not issubclass(cls, rival) and fits(partial(_built, rival), given) and all(r.holds(given) for r in rules):
            message = f"the fields fit {rival.__name__} as well, where exactly one form is allowed"
            found.append(Problem(plain_rule("oneOf", message), given))
    if found:
        raise RefusedError(*found)


def _unknown(cls: type[BaseObject], name: object, value: object) -> Problem:
    rule = plain_rule("additionalProperties", f"is no field of {cls.__name__}")

    def nearest(_: Any) -> str | None:
        from .nearest import closest  # noqa: PLC0415  # only errors need it, and an import counts

        return closest(str(name), PLANS[cls].by_wire)

    return Problem(rule, value, nearest, [str(name)])


def _payload_error(error: Exception, *classes: type[BaseObject]) -> PayloadError:
    """Say what is wrong with a payload; classes are named with their module, as many modules have a `Payload`."""
    problems = error.problems if isinstance(error, RefusedError) else [Problem(_TOO_DEEP, None)]
    name = " or ".join(f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}" for cls in classes)
    return PayloadError(name, [problem.violation() for problem in problems])


def _form_text(name: str, value: Any) -> str | None:
    """Give a value as a form carries it, None if it cannot."""
    with suppress(ValueError):
        text = value if isinstance(value, str) else json.dumps(value)
        (name + text).encode()
        return text
    return None


_set = object.__setattr__
_REQUIRED = plain_rule("required", "is required")
_TOO_DEEP = plain_rule("type", "is nested too deeply, or holds itself")
_NO_NULL = plain_rule("type", "a payload with a file goes as a form, and a form has no null: leave the field out")
_NO_FILE_INSIDE = plain_rule("format", "a form has no place for a file inside an object")
_NO_TEXT = plain_rule("format", "a form has no text for half a surrogate pair or a number of thousands of digits")
