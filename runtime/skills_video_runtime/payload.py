"""Payloads: frozen objects that hold what a schema allows, and nothing else."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .checks import choose, fits
from .constraints import UNSET, ObjectRule  # annotations are read when a class is first used
from .endpoint import Endpoint  # noqa: TC001  # as above
from .errors import PayloadError
from .file import File
from .json_values import is_array, is_mapping
from .plans import PLANS
from .rules import Problem, RefusedError, plain_rule, type_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class BaseObject:
    """An object inside a payload. Its class is a frozen dataclass whose annotations are its schema."""

    __slots__ = ()

    rules: ClassVar[tuple[ObjectRule, ...]] = ()
    """What the schema asks of the object as a whole."""

    one_of: ClassVar[tuple[str, ...]] = ()
    """The classes of the module of which this object may fit one alone (`oneOf`)."""

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            PayloadError: with all that is wrong.
        """
        try:
            _fill(self)
            _check_whole(self)
        except (RefusedError, RecursionError) as error:
            raise _payload_error(error, type(self)) from None

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set as plain JSON values, by the platform's own names; a `File` stays a `File`."""
        result: dict[str, Any] = {}
        for key, name, _, _ in PLANS[type(self)].from_data:
            value = getattr(self, name)
            if value is UNSET:
                continue
            if type(value) not in _ATOMS:
                value = _mapped(BaseObject.to_dict, value)
            if key is None:
                result.update(value)
            else:
                result[key] = value
        return result

    def with_defaults(self) -> Self:
        """Give a copy in which every field that is not set holds the default of the description.

        A default that its own schema refuses is left out, and so is one that cannot stand beside those before it.
        """
        changes: dict[str, Any] = {}
        for member in PLANS[type(self)].by_wire.values():
            value = getattr(self, member.name)
            if value is not UNSET:
                changes[member.name] = _mapped(BaseObject.with_defaults, value)
            elif fits(member.check, member.default):
                changes[member.name] = member.default
        with suppress(PayloadError):
            return self._with(changes)
        result = self
        for name, value in changes.items():  # each may be used, and not all of them together
            with suppress(PayloadError):
                result = result._with({name: value})
        return result

    def _with(self, changes: dict[str, Any]) -> Self:
        return replace(self, **changes)  # type: ignore[type-var]  # each is a dataclass

    @classmethod
    def template(cls) -> dict[str, Any]:
        """Give the start of a request: required and defaulted fields, constants filled in.

        A required field without a default is None, to be replaced: sent as it is, it is refused.
        """
        result: dict[str, Any] = {}
        for wire, member in PLANS[cls].by_wire.items():
            if member.constant is not UNSET:
                result[wire] = member.constant
            elif fits(member.check, member.default):
                result[wire] = _mapped(BaseObject.to_dict, member.default)
            elif member.required:
                result[wire] = None
        return result

    @classmethod
    def convert(cls, value: object) -> Any:
        """Give the instance that a value is, or that plain data describes, or raise what is wrong with it."""
        if isinstance(value, cls):
            return value
        instance = _built(cls, value)
        _check_whole(instance)
        return instance


class BasePayload(BaseObject):
    """What is posted to create a generation with one model.

    Raises:
        PayloadError: a value that the schema does not allow. All violations are reported at once.
    """

    __slots__ = ()

    endpoint: ClassVar[Endpoint]
    """Where the payload is posted."""

    def has_files(self) -> bool:
        """Tell whether a `File` is part of the payload, which makes it go as `multipart/form-data`."""
        return _holds_file(self.to_dict())

    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
        """Give the parts of a form: texts and files, each with the name of its field.

        An array repeats the name (the platform's API reference); an object goes as JSON text, which is our choice.

        Raises:
            PayloadError: a field is null, a file stands inside an object, or a value cannot be written as text, which
                no form is known to say.
        """
        texts: list[tuple[str, str]] = []
        files: list[tuple[str, File]] = []
        found: list[Problem] = []
        given = self.to_dict()
        for name, value in given.items():
            for item in value if is_array(value) else [value]:
                if isinstance(item, File):
                    files.append((name, item))
                elif item is None and _holds_file(given):
                    found.append(Problem(_NO_NULL, None, keys=[name]))
                elif _holds_file(item):
                    found.append(Problem(_NO_FILE_INSIDE, item, keys=[name]))
                elif (text := _form_text(name, item)) is None:
                    found.append(Problem(_NO_TEXT, item, keys=[name]))
                else:
                    texts.append((name, text))
        if found:
            raise _payload_error(RefusedError(*found), type(self))
        return texts, files


def parse_payload(data: Mapping[str, object], *variants: type[BasePayload]) -> Any:
    """Build the payload that plain data describes, an instance of one of the variants: what is absent stays absent.

    Raises:
        PayloadError: the data fits none of the variants; the violations are those of the likeliest one.
    """
    try:
        return choose([variant.convert for variant in variants], data)
    except (RefusedError, RecursionError) as error:
        raise _payload_error(error, *variants) from None


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
        if not issubclass(cls, rival) and fits(partial(_built, rival), given):
            message = f"the fields fit {rival.__name__} as well, where exactly one form is allowed"
            found.append(Problem(plain_rule("oneOf", message), given))
    if found:
        raise RefusedError(*found)


def _unknown(cls: type[BaseObject], name: object, value: object) -> Problem:
    rule = plain_rule("additionalProperties", f"is no field of {cls.__name__}")

    def nearest(_: Any) -> str | None:
        from .repairs import closest  # noqa: PLC0415  # only errors need it, and an import counts

        return closest(str(name), PLANS[cls].by_wire)

    return Problem(rule, value, nearest, [str(name)])


def _payload_error(error: Exception, *classes: type[BaseObject]) -> PayloadError:
    """Say what is wrong with a payload; classes are named with their module, as many modules have a `Payload`."""
    problems = error.problems if isinstance(error, RefusedError) else [Problem(_TOO_DEEP, None)]
    name = " or ".join(f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}" for cls in classes)
    return PayloadError(name, [problem.violation() for problem in problems])


def _mapped(change: Callable[[BaseObject], Any], value: Any) -> Any:
    """Change the objects inside a value, and give its arrays and maps as plain ones."""
    if isinstance(value, BaseObject):
        return change(value)
    if is_array(value):
        return [_mapped(change, item) for item in value]
    if is_mapping(value):
        return {name: _mapped(change, item) for name, item in value.items()}
    return value


def _form_text(name: str, value: Any) -> str | None:
    """Give a value as a form carries it, None if it cannot."""
    with suppress(ValueError):
        text = value if isinstance(value, str) else json.dumps(value)
        (name + text).encode()
        return text
    return None


def _holds_file(value: Any) -> bool:
    if is_mapping(value):
        value = list(value.values())
    return isinstance(value, File) or (is_array(value) and any(map(_holds_file, value)))


_set = object.__setattr__
_ATOMS = frozenset({str, int, float, bool, type(None), File})
_REQUIRED = plain_rule("required", "is required")
_TOO_DEEP = plain_rule("type", "is nested too deeply, or holds itself")
_NO_NULL = plain_rule("type", "a payload with a file goes as a form, and a form has no null: leave the field out")
_NO_FILE_INSIDE = plain_rule("format", "a form has no place for a file inside an object")
_NO_TEXT = plain_rule("format", "a form has no text for half a surrogate pair or a number of thousands of digits")
