"""Payloads: frozen objects that hold what a schema allows, and nothing else."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields, replace
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from .checks import Check, Problem, choose, closest, compile_check, mismatch, part
from .constraints import (
    UNSET,
    Default,
    DependentRequired,
    MaxProperties,
    MinProperties,
    ObjectRule,
    Unset,
    is_array,
    is_mapping,
)
from .endpoint import Endpoint  # noqa: TC001  # annotations are read when a class is first used
from .errors import PayloadError
from .file import File

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_DEFAULT: Any = object()


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """What is known of one field once its annotation has been read."""

    name: str
    wire: str
    required: bool
    check: Check
    default: Any
    constant: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of a class in order, and the check of what its schema leaves open, if it does."""

    fields: tuple[FieldPlan, ...]
    names: tuple[str, ...]
    by_wire: dict[str, FieldPlan]
    extra: Check | None


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
        problems: list[Problem] = []
        try:
            self._check_fields(problems)
        except RecursionError:
            problems = [Problem("type", None, "is nested too deeply, or holds itself")]
        if problems:
            raise PayloadError(_called(type(self)), [problem.violation() for problem in problems])

    def _check_fields(self, problems: list[Problem]) -> None:
        plan = plan_of(type(self))
        for field in plan.fields:
            value = getattr(self, field.name)
            if value is UNSET and not field.required:
                continue
            kept = part(field.check, value, field.name, problems)
            if kept is not value:
                object.__setattr__(self, field.name, kept)
        if plan.extra is not None:
            self._check_extra(plan, problems)
        if not problems:
            self.check_whole(problems)

    def _check_extra(self, plan: Plan, problems: list[Problem]) -> None:
        extra = getattr(self, "extra", UNSET)
        if extra is UNSET or plan.extra is None:
            return
        kept = part(plan.extra, extra, "extra", problems)
        object.__setattr__(self, "extra", kept)
        for name in kept if is_mapping(kept) else ():
            if name in plan.by_wire:
                message = f"{name!r} is a field of its own: pass {plan.by_wire[name].name}=…"
                problems.append(Problem("additionalProperties", name, message, key="extra"))

    def check_whole(self, problems: list[Problem]) -> None:
        """Append what is wrong with the object as a whole, its fields being right."""
        cls = type(self)
        if not (cls.rules or cls.one_of):
            return
        given = self.to_dict()
        problems.extend(problem for rule in cls.rules if (problem := _broken(rule, given)))
        module = vars(sys.modules[cls.__module__])
        for other in (module[name] for name in cls.one_of if name != cls.__name__):
            found: list[Problem] = []
            build(other, given, found, alone=True)
            if not found:
                message = f"the fields fit {other.__name__} as well, where exactly one form is allowed"
                problems.append(Problem("oneOf", given, message))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set as plain JSON values, by the platform's own names; a `File` stays a `File`."""
        result: dict[str, Any] = {}
        for field in plan_of(type(self)).fields:
            value = getattr(self, field.name)
            if value is not UNSET:
                result[field.wire] = _plain(value)
        extra = getattr(self, "extra", UNSET) if plan_of(type(self)).extra is not None else UNSET
        if extra is not UNSET:
            result.update(_plain(extra))
        return result

    def with_defaults(self) -> Self:
        """Give a copy in which every field that is not set holds the default of the description.

        A default that its own schema refuses is left out, and so is one that cannot stand beside those before it.
        """
        changes: dict[str, Any] = {}
        for field in plan_of(type(self)).fields:
            value = getattr(self, field.name)
            pinned = field.default if value is UNSET and _obeys(field) else _pinned(value)
            if pinned is not value:
                changes[field.name] = pinned
        try:
            return self._with(changes)
        except PayloadError:  # each may be used, and not all of them together
            result = self
            for name, value in changes.items():
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
        for field in plan_of(cls).fields:
            if field.constant is not NO_DEFAULT:
                result[field.wire] = field.constant
            elif _obeys(field):
                result[field.wire] = _plain(field.default)
            elif field.required:
                result[field.wire] = None
        return result

    @classmethod
    def convert(cls, value: object, problems: list[Problem]) -> Any:
        """Give the instance that a value is, or that plain data describes; append what is wrong."""
        if isinstance(value, cls):
            return value
        return build(cls, value, problems)


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
        return _holds_file(self)

    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
        """Give the parts of a form: texts and files, each with the name of its field.

        An array repeats the name (the platform's API reference); an object goes as JSON text, which is our choice.

        Raises:
            PayloadError: a field is null, or a file stands inside an object, which no form is known to say.
        """
        texts: list[tuple[str, str]] = []
        files: list[tuple[str, File]] = []
        problems: list[Problem] = []
        for name, value in self.to_dict().items():
            for item in value if is_array(value) else [value]:
                if isinstance(item, File):
                    files.append((name, item))
                elif item is None and self.has_files():
                    message = "a payload with a file goes as a form, and a form has no null: leave the field out"
                    problems.append(Problem("type", None, message, key=name))
                elif _holds_file(item):
                    problems.append(
                        Problem("format", item, "a form has no place for a file inside an object", key=name)
                    )
                else:
                    texts.append((name, item if isinstance(item, str) else json.dumps(item)))
        if problems:
            raise PayloadError(_called(type(self)), [problem.violation() for problem in problems])
        return texts, files


def parse_payload(data: Mapping[str, object], *variants: type[BasePayload]) -> Any:
    """Build the payload that plain data describes, an instance of one of the variants: what is absent stays absent.

    Raises:
        PayloadError: the data fits none of the variants; the violations are those of the likeliest one.
    """
    problems: list[Problem] = []
    checks = [variant.convert for variant in variants]
    result: Any = None
    try:
        result = choose(data, checks, problems) if len(checks) > 1 else checks[0](data, problems)
    except RecursionError:
        problems = [Problem("type", None, "is nested too deeply, or holds itself")]
    if problems:
        name = " or ".join(map(_called, variants))
        raise PayloadError(name, [problem.violation() for problem in problems])
    return result


def _called(cls: type[BaseObject]) -> str:
    """Name a class with its module, as many modules have a `Payload`."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def build(cls: type[BaseObject], data: object, problems: list[Problem], *, alone: bool = False) -> BaseObject | None:
    """Build an instance from plain data, or append what is wrong; `alone` leaves its rivals of a `oneOf` unasked."""
    if not is_mapping(data):
        problems.append(mismatch("object", data))
        return None
    plan = plan_of(cls)
    before = len(problems)
    values: dict[str, Any] = {}
    for field in plan.fields:
        if field.wire in data:
            values[field.name] = part(field.check, data[field.wire], field.wire, problems)
        elif field.required:
            problems.append(Problem("required", None, "is required", key=field.wire))
    unknown = {name: value for name, value in data.items() if name not in plan.by_wire}
    if unknown and plan.extra is not None:
        values["extra"] = plan.extra(unknown, problems)  # noqa: S610  # no query of Django's
    elif unknown:
        problems.extend(_unknown(cls, name, value, plan) for name, value in unknown.items())
    if len(problems) > before:
        return None
    instance = object.__new__(cls)
    for name in plan.names:
        object.__setattr__(instance, name, values.get(name, UNSET))
    if not alone:
        instance.check_whole(problems)
    return instance


def _broken(rule: ObjectRule, given: dict[str, Any]) -> Problem | None:
    count = len(given)
    if isinstance(rule, MinProperties) and count < rule.count:
        return Problem("minProperties", given, f"{count} fields are given; at least {rule.count} are asked")
    if isinstance(rule, MaxProperties) and count > rule.count:
        return Problem("maxProperties", given, f"{count} fields are given; at most {rule.count} are allowed")
    if isinstance(rule, DependentRequired) and rule.name in given:
        missing = [name for name in rule.required if name not in given]
        if missing:
            message = f"{', '.join(map(repr, missing))} must be given along with {rule.name!r}"
            return Problem("dependentRequired", given, message)
    return None


def _unknown(cls: type[BaseObject], name: object, value: object, plan: Plan) -> Problem:
    nearest = closest(str(name), list(plan.by_wire))
    hint = "" if nearest is None else f"; nearest: {nearest!r}"
    return Problem("additionalProperties", value, f"is no field of {cls.__name__}{hint}", nearest, key=str(name))


_PLANS: dict[type[BaseObject], Plan] = {}


def plan_of(cls: type[BaseObject]) -> Plan:
    """Read the annotations of a class, once."""
    if cls in _PLANS:
        return _PLANS[cls]
    module = vars(sys.modules[cls.__module__])
    hints = get_type_hints(cls, {**globals(), **module}, {}, include_extras=True)
    known = [_field_plan(field, hints[field.name]) for field in fields(cls) if field.name != "extra"]  # type: ignore[arg-type]
    extra = compile_check(hints["extra"]) if "extra" in hints else None
    plan = _PLANS[cls] = Plan(
        fields=tuple(known),
        names=(*(field.name for field in known), *(["extra"] if extra else [])),
        by_wire={field.wire: field for field in known},
        extra=extra,
    )
    return plan


def _field_plan(field: Field[Any], hint: Any) -> FieldPlan:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    defaults = [
        item.value
        for option in options
        if get_origin(option) is Annotated
        for item in get_args(option)[1:]
        if isinstance(item, Default)
    ]
    return FieldPlan(
        name=field.name,
        wire=field.metadata.get("wire", field.name),
        required=Unset not in options,
        check=compile_check(hint),
        default=defaults[0] if defaults else NO_DEFAULT,
        constant=NO_DEFAULT if field.default in (MISSING, UNSET) else field.default,
    )


def _obeys(field: FieldPlan) -> bool:
    problems: list[Problem] = []
    if field.default is not NO_DEFAULT:
        field.check(field.default, problems)
    return field.default is not NO_DEFAULT and not problems


def _plain(value: Any) -> Any:
    if isinstance(value, BaseObject):
        return value.to_dict()
    if is_array(value):
        return [_plain(item) for item in value]
    if is_mapping(value):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _pinned(value: Any) -> Any:
    if isinstance(value, BaseObject):
        return value.with_defaults()
    if is_array(value):
        return tuple(_pinned(item) for item in value)
    if is_mapping(value):
        return {name: _pinned(item) for name, item in value.items()}
    return value


def _holds_file(value: Any) -> bool:
    if isinstance(value, BaseObject):
        return any(_holds_file(getattr(value, name)) for name in plan_of(type(value)).names)
    if is_mapping(value):
        value = tuple(value.values())
    return isinstance(value, File) or (is_array(value) and any(map(_holds_file, value)))
