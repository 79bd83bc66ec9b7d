"""Read a form as the JSON value that its schema describes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Self

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from skills_video_runtime.payloads.violations import kind_of
from skills_video_runtime.sandbox import strict_json
from skills_video_runtime.sandbox.description import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from skills_video_runtime.sandbox.validation import Judge

_CHUNK: Final = 1 << 20


class FormError(ValueError):
    """A body that is not a form."""


class Upload(str):
    """A file part: the URL that stands for it in the echoed input, with what came.

    The URL is made up and answers 404; what the platform echoes for a file is unknown.
    """

    __slots__ = ("content_type", "field", "file_name", "sha256", "size")

    field: str
    """Name of the form field."""
    file_name: str
    """File name as it was sent."""
    content_type: str
    """Content type as it was sent; empty where there was none."""
    size: int
    """Bytes."""
    sha256: str
    """Digest of the content, in hexadecimal."""

    @classmethod
    async def read(cls, field: str, file: UploadFile, base: str) -> Self:
        """Read a file part to its end."""
        digest, size = hashlib.sha256(), 0
        while chunk := await file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        upload = cls(f"{base}/uploads/{digest.hexdigest()}")
        upload.field = field
        upload.file_name = file.filename or ""
        upload.content_type = file.content_type or ""
        upload.size = size
        upload.sha256 = digest.hexdigest()
        return upload


async def read_form(
    request: Request, judge: Judge, pointer: str, base: str
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """Turn a form into a JSON value: texts by their schema, repeated names into arrays, files into `Upload`.

    Args:
        request: The request; its body is read.
        judge: The schemas.
        pointer: JSON Pointer of the form's schema.
        base: Origin of the URLs that stand for files.

    Returns:
        The value, which may still break its schema, and its files.

    Raises:
        FormError: The body is not a form.
    """
    parts: dict[str, list[str]] = {}
    uploads: list[Upload] = []
    try:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    uploads.append(await Upload.read(name, value, base))
                    parts.setdefault(name, []).append(uploads[-1])
                else:
                    parts.setdefault(name, []).append(value)
    except HTTPException as error:
        raise FormError(error.detail) from error
    except FormParserError as error:
        raise FormError(str(error)) from error
    body = {name: _value(judge, _members(judge, pointer, name), values) for name, values in parts.items()}
    return body, tuple(uploads)


def _members(judge: Judge, pointer: str, name: str) -> list[str]:
    """Pointers of all schemas that the variants of a body give to one of its fields."""
    return [
        f"{place}/properties/{escaped(name)}"
        for place, schema in judge.variants(pointer)
        if name in schema.get("properties", {})
    ]


def _value(judge: Judge, members: list[str], values: list[str]) -> object:
    """The first reading of a field's parts that one of its schemas accepts, else the most telling one."""
    if not members:
        return values[0] if len(values) == 1 else values
    readings = [reading for member in members for reading in _readings(judge, member, values)]
    accepted = (reading for reading in readings if any(judge.accepts(member, reading) for member in members))
    return next(accepted, readings[-1])


def _readings(judge: Judge, member: str, values: list[str]) -> Iterator[object]:
    kinds = judge.variants(member)
    types = {kind for _, schema in kinds for kind in _types(schema)}
    arrays = [(place, schema) for place, schema in kinds if "array" in _types(schema)]
    if len(values) == 1:
        yield from _texts(values[0], types)
    for place, schema in arrays:
        if len(values) == 1:
            yield from _texts(values[0], {"array"})
        items = [f"{place}/items"] if "items" in schema else []
        yield [_value(judge, items, [value]) for value in values]
    if len(values) > 1 and not arrays:
        yield values


def _types(schema: dict[str, Any]) -> list[str]:
    """The types that a schema names or, without any, those of its constants."""
    stated: Any = schema.get("type", [])
    if isinstance(stated, str):
        return [stated]
    constants: list[Any] = list(schema.get("enum", []))
    if "const" in schema:
        constants.append(schema["const"])
    return stated or list(map(kind_of, constants))


def _texts(text: str, types: set[str]) -> Iterator[object]:
    """Readings of one part, the text itself first, the one most likely meant last."""
    yield text
    if isinstance(text, Upload) or not types - {"string"}:
        return
    try:
        parsed: Any = strict_json.loads(text)
    except ValueError:
        return
    kind = kind_of(parsed)
    if kind in types or (kind == "integer" and "number" in types):
        yield parsed
