"""An OpenAPI description: check it, resolve references, look up operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import unquote

from generator.diagnostics import GeneratorError
from generator.json_values import NOTHING, array_of, escape, is_object, object_of, text_of, value_at

from .paths import route, without_slash

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


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
    broken: dict[str, str] = field(default_factory=dict[str, str])
    """What is wrong with path items that cannot be read, by pointer; known once `operations` is."""
    places: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)
    """What stands at the pointers that were asked for: most are asked for again."""

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
        if pointer not in self.places:
            self.places[pointer] = value_at(self.document, pointer)
        return self.places[pointer]

    def fail(self, pointer: str, message: str) -> NoReturn:
        """Raise the error that names this file and a pointer."""
        raise GeneratorError(f"{self.file}#{pointer}: {message}")

    @cached_property
    def operations(self) -> dict[tuple[str, str], Operation]:
        """Every operation by method, in lower case, and path."""
        found: dict[tuple[str, str], Operation] = {}
        for path, item in self.document["paths"].items():
            place = f"/paths/{escape(path)}"
            try:
                pointer, resolved = self.follow(item, place)
            except GeneratorError as error:
                self.broken[place] = str(error)
                continue
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


def description_of(document: dict[str, Any], file: str) -> Description:
    """Take a document for an OpenAPI 3.x description.

    Raises:
        GeneratorError: it is none, or has no paths.
    """
    version = document.get("openapi")
    if not isinstance(version, str) or not re.fullmatch(r"3\.\d+(\.\d+)?\S*", version):
        said = f"says {version!r}"
        if "swagger" in document:
            said = f'says "swagger": {document["swagger"]!r}, which is an older form; convert it to OpenAPI 3'
        elif version is None:
            said = "says nothing of its version"
        raise GeneratorError(f'{file}#/openapi: {said}; an OpenAPI 3.x description says "3.1.0" or the like')
    if not is_object(document.get("paths")):
        raise GeneratorError(f"{file}#/paths: is no object, so the description has no operation to read")
    return Description(file, document)
