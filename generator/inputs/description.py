"""openapi.json: load, check, resolve references, look up operations."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import NOTHING, array_of, escape, is_object, object_of, text_of, value_at

from .paths import route, without_slash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LARGEST = 64 * 1024 * 1024
"""Bytes of the largest input that is read. The platform's description has about one million; the limit is ours."""

DEEPEST = 200
"""How deep an input may be nested. The platform's description has about 20 levels; the limit is ours."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a description (OpenAPI, "Operation Object")."""

    method: str
    path: str
    pointer: str
    summary: str
    text: str
    tags: tuple[str, ...]
    deprecated: bool
    listed: bool
    """False where `x-hidden` or `x-excluded` keeps it out of lists that are made by themselves."""
    href: str
    """Where the documentation shows it, if `x-mint.href` says so."""


@dataclass(frozen=True)
class Description:
    """An OpenAPI description, as it was read from `file`."""

    file: str
    document: dict[str, Any]
    digest: str

    @property
    def is_3_0(self) -> bool:
        """Whether the rules of OpenAPI 3.0 hold, in which `$ref` has no siblings."""
        return str(self.document["openapi"]).startswith("3.0")

    def resolve(self, reference: str, pointer: str) -> tuple[str, Any]:
        """Follow a reference within the document and give the pointer it leads to and what stands there.

        Raises:
            GeneratorError: it leads out of the document or to nothing.
        """
        seen: list[str] = []
        while True:
            if not reference.startswith("#"):
                self.fail(pointer, f"the reference {reference!r} leads out of the file; bring what it names into it")
            target = unquote(reference[1:])
            value = self.at(target)
            if value is NOTHING or not target.startswith("/"):
                self.fail(pointer, f"the reference {reference!r} leads to nothing; correct it or add what it names")
            if not (is_object(value) and isinstance(value.get("$ref"), str) and len(value) == 1):
                return target, value
            if target in seen:
                self.fail(pointer, f"the reference {reference!r} leads back to itself")
            seen.append(target)
            reference = value["$ref"]

    def follow(self, value: Any, pointer: str) -> tuple[str, Any]:
        """Give what stands at a place and its pointer, following a reference if one stands there."""
        if is_object(value) and isinstance(value.get("$ref"), str):
            return self.resolve(value["$ref"], f"{pointer}/$ref")
        return pointer, value

    def at(self, pointer: str) -> Any:
        """Give what stands at a JSON pointer, `NOTHING` if nothing does."""
        return value_at(self.document, pointer)

    def fail(self, pointer: str, message: str) -> NoReturn:
        """Raise the error that names this file and a pointer."""
        raise GeneratorError(f"{self.file}#{pointer}: {message}")

    @cached_property
    def operations(self) -> dict[tuple[str, str], Operation]:
        """Every operation by method, in lower case, and path."""
        found: dict[tuple[str, str], Operation] = {}
        for path, item in self.document["paths"].items():
            pointer, resolved = self.follow(item, f"/paths/{escape(path)}")
            for method in METHODS:
                raw = object_of(resolved).get(method)
                if is_object(raw):
                    found[method, path] = Operation(
                        method=method,
                        path=path,
                        pointer=f"{pointer}/{method}",
                        summary=text_of(raw.get("summary")),
                        text=text_of(raw.get("description")),
                        tags=tuple(tag for tag in array_of(raw.get("tags")) if isinstance(tag, str)),
                        deprecated=raw.get("deprecated") is True,
                        listed=not (raw.get("x-hidden") or raw.get("x-excluded")),
                        href=text_of(object_of(raw.get("x-mint")).get("href")),
                    )
        return found

    @cached_property
    def _by_route(self) -> dict[tuple[str, str], Operation]:
        routes: dict[tuple[str, str], Operation] = {}
        for rule in (without_slash, route):
            for (method, path), operation in self.operations.items():
                routes.setdefault((method, rule(path)), operation)
        return routes

    def operation(self, method: str, path: str) -> Operation | None:
        """Look up an operation: by the exact path, else without a trailing slash, else without `/v1` or `/api/v1`."""
        key = method.lower()
        return (
            self.operations.get((key, path))
            or self._by_route.get((key, without_slash(path)))
            or self._by_route.get((key, route(path)))
        )


def bytes_of(path: Path, name: str, most: int) -> bytes:
    """Read a file of at most so many bytes; messages call it by a name.

    Raises:
        GeneratorError: the file cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GeneratorError(f"{name}: cannot be read: {reason}; name another file") from error
    if len(data) > most:
        raise GeneratorError(f"{name}: is larger than {most} bytes, the most that is read")
    return data


def load_json(path: Path, diagnostics: Diagnostics) -> tuple[dict[str, Any], str]:
    """Read a JSON object from a file and give it with the SHA-256 of its bytes.

    Raises:
        GeneratorError: as `bytes_of`, and if the file is no JSON, or holds no object.
    """
    file = path.as_posix()
    data = bytes_of(path, file, LARGEST)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            twice = sorted(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
            diagnostics.warn(file, "", f"{', '.join(twice)} stands twice in one object; the last one counts")
        return result

    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant, parse_float=_finite)
        _check_depth(document)
    except (RecursionError, ValueError) as error:
        reason = str(error)
        if isinstance(error, RecursionError):
            reason = "it is nested too deeply"
        raise GeneratorError(f"{file}: is not JSON: {reason}; correct the file") from error
    if not is_object(document):
        raise GeneratorError(f"{file}: holds no JSON object, as it should; correct the file")
    return document, hashlib.sha256(data).hexdigest()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a number can hold")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def description_of(document: dict[str, Any], digest: str, file: str) -> Description:
    """Take a document for an OpenAPI 3.x description.

    Raises:
        GeneratorError: it is none, or has no paths.
    """
    version = document.get("openapi")
    if not isinstance(version, str) or not re.fullmatch(r"3\.\d+(\.\d+)?\S*", version):
        said = f"says {version!r}"
        if version is None:
            said = "says nothing of its version"
        raise GeneratorError(f'{file}#/openapi: {said}; an OpenAPI 3.x description says "3.1.0" or the like')
    if not is_object(document.get("paths")):
        raise GeneratorError(f"{file}#/paths: is no object, so the description has no operation to read")
    return Description(file, document, digest)


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [child for value in level for child in _children(value) if isinstance(child, (dict, list))]
        if not level:
            return
    raise RecursionError


def _children(value: Any) -> Iterable[Any]:
    if is_object(value):
        return value.values()
    return array_of(value)
