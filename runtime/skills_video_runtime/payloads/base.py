"""Payloads: frozen objects that hold what a schema allows, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from skills_video_runtime.catalog import Endpoint  # noqa: TC001  # as above
from skills_video_runtime.json_values import holds, is_array, is_mapping

from .constraints import UNSET, ObjectRule  # annotations are read when a class is first used
from .file import File

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .checks import Plan


class BaseObject:
    """An object inside a payload. Its class is a frozen dataclass whose annotations are its schema."""

    __slots__ = ()

    rules: ClassVar[tuple[ObjectRule, ...]] = ()
    """What the schema asks of the object as a whole."""

    one_of: ClassVar[tuple[str, ...]] = ()
    """The classes of the module of which this object may fit one alone (`oneOf`)."""

    as_form: ClassVar[bool] = False
    """Whether it goes as a form, with files or without."""

    bodies: ClassVar[tuple[str, ...]] = ()
    """The classes of the module that say what it must be as JSON and as a form, where these differ."""

    def __post_init__(self) -> None:
        """Check every field; PayloadError tells all that is wrong."""
        _plans()[type(self)].check(self)

    def __repr__(self) -> str:
        """Show the fields that are set, as they can be written again."""
        given = ((item.name, getattr(self, item.name)) for item in fields(self))  # type: ignore[arg-type]  # as below
        told = ", ".join(f"{name}={value!r}" for name, value in given if value is not UNSET)
        return f"{type(self).__qualname__}({told})"

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set as plain JSON values, by the platform's own names; a `File` stays a `File`."""
        result: dict[str, Any] = {}
        for wire, member in _plans()[type(self)].by_wire.items():
            value = getattr(self, member.name)
            if type(value) in _ATOMS:
                result[wire] = value
            elif value is not UNSET:
                result[wire] = _mapped(BaseObject.to_dict, value)
        extra = getattr(self, "extra", UNSET)
        if extra is not UNSET:
            result |= _mapped(BaseObject.to_dict, extra)
        return result

    def _body(self) -> Plan:
        if not self.bodies:
            return _plans()[type(self)]
        from .checks import body_of  # noqa: PLC0415  # a module with payloads is imported quickly without

        return body_of(type(self), self.to_dict())

    def with_defaults(self) -> Self:
        """Give a copy in which every field that is not set holds the default of the description.

        A default that its own schema refuses is left out, and so is one that cannot stand beside those before it.
        """
        from skills_video_runtime.errors import PayloadError  # noqa: PLC0415  # a payload is imported quickly without

        changes: dict[str, Any] = {}
        posted = self._body().by_wire
        for wire, member in _plans()[type(self)].by_wire.items():
            value, default = getattr(self, member.name), member.facts.get("default", UNSET)
            if value is not UNSET:
                changes[member.name] = _mapped(BaseObject.with_defaults, value)
            elif wire in posted and posted[wire].check.fits(default):
                changes[member.name] = default
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
        for wire, member in _plans()[cls].by_wire.items():
            default = member.facts.get("default", UNSET)
            if member.constant is not UNSET:
                result[wire] = member.constant
            elif member.check.fits(default):
                result[wire] = _mapped(BaseObject.to_dict, default)
            elif member.required:
                result[wire] = None
        return result

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Give the JSON Schema (Draft 2020-12) of what the class takes as JSON.

        Each field has its text. Where a `File` may stand, only what JSON can say is described, such as an address.
        """
        from .json_schema import json_schema  # noqa: PLC0415  # who asks for a schema can wait for it

        return json_schema(cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Tell pydantic how to take and write an object, so that it can stand in models and requests."""
        from .pydantic_schema import core_schema_of  # noqa: PLC0415  # pydantic itself calls this

        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, handler: Any) -> dict[str, Any]:
        """Tell pydantic the JSON Schema of an object."""
        from .pydantic_schema import json_schema_of  # noqa: PLC0415  # as above

        return json_schema_of(cls, handler)


class BasePayload(BaseObject):
    """What is posted to create a generation with one model.

    Raises:
        PayloadError: a value that the schema does not allow. All violations are reported at once.
    """

    __slots__ = ()

    endpoint: ClassVar[Endpoint]
    """Where the payload is posted."""

    urlencoded: ClassVar[bool] = False
    """Whether its form is `application/x-www-form-urlencoded`, as no other is described."""

    def known_fields(self) -> dict[str, Any]:
        """Give the names that the schema has for fields, each with the platform's default, or None."""
        return {name: member.facts.get("default") for name, member in self._body().by_wire.items()}

    def goes_as_form(self) -> bool:
        """Tell whether it goes as a form: with a `File`, with a field that only the form has, or for want of JSON."""
        return self._body().cls.as_form or holds(File, self.to_dict())

    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
        """Give the parts of a form: texts and files, each with the name of its field.

        An array repeats the name (the platform's API reference); an object goes as JSON text, which is our choice.

        Raises:
            PayloadError: a field is null, a file stands inside an object, or a value cannot be written as text, which
                no form is known to say.
        """
        from .form import as_form  # noqa: PLC0415  # only files need it

        return as_form(self)


def parse_payload(data: Mapping[str, object], *variants: type[BasePayload]) -> Any:
    """Build the payload that plain data describes, an instance of one of the variants: what is absent stays absent.

    Raises:
        PayloadError: the data fits none of the variants; the violations are those of the likeliest one.
    """
    from .checks import parse  # noqa: PLC0415  # on first use

    return parse(data, variants)


@cache
def _plans() -> Mapping[type[BaseObject], Plan]:
    from .checks import PLANS  # noqa: PLC0415  # a module with payloads is imported quickly without

    return PLANS


def _mapped(change: Callable[[BaseObject], Any], value: Any) -> Any:
    """Change the objects inside a value, and give its arrays and maps as plain ones."""
    if type(value) in _ATOMS:
        return value
    if isinstance(value, BaseObject):
        return change(value)
    if is_array(value):
        return [_mapped(change, item) for item in value]
    if is_mapping(value):
        return {name: _mapped(change, item) for name, item in value.items()}
    return value


_ATOMS = frozenset({str, int, float, bool, type(None), File})
