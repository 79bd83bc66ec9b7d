"""How pydantic reads, writes and describes payloads. Imported by pydantic's own call, never by ours."""

from __future__ import annotations

from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from skills_video_runtime.errors import PayloadError

from .checks import parse
from .json_schema import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema

_being_described: list[type[Any]] = []


def core_schema_of(cls: type[Any], metadata: dict[str, Any] | None = None) -> CoreSchema:
    """Give the schema by which pydantic takes instances and plain data, and writes plain data."""
    return core_schema.no_info_plain_validator_function(
        partial(_taken, cls),
        ref=_name(cls),
        metadata=metadata,
        serialization=core_schema.plain_serializer_function_ser_schema(methodcaller("to_dict")),
    )


def json_schema_of(cls: type[Any], describe: Callable[[CoreSchema], dict[str, Any]]) -> dict[str, Any]:
    """Give the JSON Schema of a class as a part of pydantic's; `describe` is what describes the classes inside."""

    def refer(other: type[Any]) -> dict[str, Any]:
        if other in _being_described:
            return describe(core_schema.definition_reference_schema(_name(other)))
        known = core_schema_of(other, {"pydantic_js_functions": [partial(_described, other)]})
        array = describe(core_schema.list_schema(known))  # of what it is handed itself it heeds no metadata
        described: dict[str, Any] = array["items"]
        return described

    _being_described.append(cls)
    try:
        return Writer(refer, {"type": "string", "format": "uri"}).whole(cls)
    finally:
        _being_described.remove(cls)


def _described(cls: type[Any], _schema: CoreSchema, describe: Any) -> dict[str, Any]:
    return json_schema_of(cls, describe)


def _name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"


def _taken(cls: type[Any], value: Any) -> Any:
    if isinstance(value, cls):
        return value
    try:
        return parse(value, [cls])
    except PayloadError as error:
        details = [
            InitErrorDetails(
                type=PydanticCustomError(cast("Any", violation.rule), "{message}", {"message": violation.message}),
                loc=(violation.path,) if violation.path else (),
                input=violation.value,
            )
            for violation in error.violations
        ]
        raise ValidationError.from_exception_data(cls.__name__, details) from error
