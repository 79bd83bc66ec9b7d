"""Judge request bodies by the description's JSON Schemas, and fill in the defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from skills_video_runtime.sandbox.description import DescriptionError, escaped, followed, members_at
from skills_video_runtime.sandbox.form import Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from skills_video_runtime.sandbox.description import Description

_DESCRIPTION: Final = "urn:skills-video:description"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f<>\"{}|\\^`]+")
_DATA: Final = frozenset({"const", "enum", "default", "example", "examples"})
_formats: Final = FormatChecker(formats=())


@_formats.checks("uri")
def _is_uri(value: object) -> bool:
    """RFC 3986 as far as it matters here: a scheme, something after it, and a host where the scheme is http."""
    if isinstance(value, Upload):
        return False
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(_SCHEME.fullmatch(value)) and (parts.scheme not in {"http", "https"} or bool(parts.netloc))


@_formats.checks("binary")
def _is_file(value: object) -> bool:
    """OpenAPI's `binary`: a file part of a form."""
    return isinstance(value, Upload) or not isinstance(value, str)


def _type(validator: Any, types: Any, instance: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """JSON Schema's `type`, for which a file is a value of `format: binary` and of nothing else."""
    if isinstance(instance, Upload) and schema.get("format") != "binary":
        yield ValidationError(f"a file is not of type {types!r}")
    else:
        yield from cast(
            "Iterable[ValidationError]", Draft202012Validator.VALIDATORS["type"](validator, types, instance, schema)
        )


_Validator: Final[Any] = cast("Any", validators).extend(Draft202012Validator, {"type": _type})


class Judge:
    """The schemas of a description, each made ready when it is first asked for."""

    def __init__(self, description: Description) -> None:
        resource: Resource[Any] = Resource.from_contents(description.document, default_specification=DRAFT202012)
        empty: Registry[Any] = Registry()
        self._document = description.document
        self._registry = empty.with_resource(_DESCRIPTION, resource)
        self._validators: dict[str, Any] = {}

    def _validator(self, pointer: str) -> Any:
        if pointer not in self._validators:
            schema = {"$ref": f"{_DESCRIPTION}#{quote(pointer)}"}
            self._validators[pointer] = _Validator(schema, registry=self._registry, format_checker=_formats)
        return self._validators[pointer]

    def check(self, pointers: Iterable[str]) -> None:
        """See that the schemas at these JSON Pointers can judge, and all that they refer to.

        Raises:
            DescriptionError: One is no JSON Schema, or refers to what is not in the description.
        """
        todo, seen = list(pointers), set[str]()
        while todo:
            if (pointer := todo.pop()) in seen:
                continue
            seen.add(pointer)
            try:
                schema = self._registry.resolver().lookup(f"{_DESCRIPTION}#{quote(pointer)}").contents
                Draft202012Validator.check_schema(schema)
            except Unresolvable as error:
                raise DescriptionError(f"#{pointer}: there is no such schema") from error
            except SchemaError as error:
                raise DescriptionError(f"#{pointer}: {error.message}") from error
            for reference in _references(schema):
                if not reference.startswith("#/"):
                    raise DescriptionError(f"#{pointer}: refers to {reference}, which is not in the description")
                todo.append(unquote(reference[1:]))

    def errors(self, pointer: str, body: object) -> list[str]:
        """All that is wrong with a body, as `path: reason`; empty when it is valid.

        Args:
            pointer: JSON Pointer of the schema in the description.
            body: JSON value; files of a form are `Upload`.
        """
        found: Iterable[ValidationError] = self._validator(pointer).iter_errors(body)
        return [line for error in found for line in _lines(error)]

    def accepts(self, pointer: str, value: object) -> bool:
        """Whether a value is valid under the schema at a JSON Pointer."""
        return bool(self._validator(pointer).is_valid(value))

    def variants(self, pointer: str) -> list[tuple[str, dict[str, Any]]]:
        """The schema at a JSON Pointer, taken apart where it is a union."""
        place = followed(self._document, pointer)
        schema = members_at(self._document, place)
        parts = [
            variant
            for keyword in ("anyOf", "oneOf", "allOf")
            for index in range(len(schema.get(keyword, ())))
            for variant in self.variants(f"{place}/{keyword}/{index}")
        ]
        if "properties" in schema or not parts:
            parts.insert(0, (place, schema))
        return parts

    def normalised(self, pointer: str, body: dict[str, Any]) -> dict[str, Any]:
        """A valid body with the defaults of the first variant that accepts it added, at every depth of objects."""
        filled = dict(body)
        for place, schema in self.variants(pointer):
            if not self.accepts(place, body):
                continue
            for name, member in cast("dict[str, Any]", schema.get("properties", {})).items():
                member_pointer = f"{place}/properties/{escaped(name)}"
                if isinstance(filled.get(name), dict):
                    filled[name] = self.normalised(member_pointer, filled[name])
                elif name not in filled and isinstance(member, dict) and "default" in member:
                    filled[name] = member["default"]
            break
        return filled


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        found = cast("dict[str, Any]", schema)
        if isinstance(found.get("$ref"), str):
            yield found["$ref"]
        schema = [value for name, value in found.items() if name not in _DATA]
    if isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from _references(part)


def _lines(error: ValidationError) -> Iterator[str]:
    """An error as lines; of a union, what is wrong with the variant that comes nearest."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    constants = [inner.validator_value for inner in error.context or () if inner.validator == "const"]
    if len(branches) == 1 or len(constants) < len(branches) or any(inner.path for inner in error.context or ()):
        constants = []
    if constants:
        yield f"{_path(error)}{error.instance!r} is not one of {constants!r}"
    elif branches:
        for inner in min(branches.values(), key=lambda errors: (sum(map(_tells_apart, errors)), len(errors))):
            yield from _lines(inner)
    else:
        yield _path(error) + error.message


def _path(error: ValidationError) -> str:
    """Where the error is, as `brushes[0].x: `; empty for the body itself."""
    if not error.absolute_path:
        return ""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{path.lstrip('.')}: "


def _tells_apart(error: ValidationError) -> bool:
    """Whether an error says that another variant was meant: a constant or a type that does not fit."""
    return error.validator in {"const", "type"}
