"""docs.json: the ordered operations of the Videos group (Mintlify, "Navigation" and "OpenAPI setup")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from generator.diagnostics import GeneratorError
from generator.json_values import array_of, escape, is_array, is_object, object_of, text_of

from .description import METHODS
from .paths import route

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.diagnostics import Diagnostics

    from .description import Description, Operation

GROUP = "videos"
NAMES = ("product", "language", "version", "tab", "dropdown", "anchor", "group", "item")
CHILDREN = ("root", "pages", "groups", "tabs", "products", "languages", "versions", "dropdowns", "anchors", "menu",
            "global")  # fmt: skip
_OPERATION = re.compile(rf"(?:(?P<file>\S.*?)\s+)?(?P<method>{'|'.join(METHODS)})\s+(?P<path>/\S*)", re.IGNORECASE)
_WEBHOOK = re.compile(r"(?:\S.*?\s+)?webhook\s+\S.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation that the navigation lists under Videos: where, and what it was found to be."""

    pointer: str
    page: str
    method: str
    path: str
    explicit: bool = True
    """False where a list was made from a whole description, which names what is no model as well."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What the navigation lists and no module is made for: no operation could be told, or it makes no video."""

    page: str
    reason: str


def video_operations(
    document: dict[str, Any], file: str, descriptions: Sequence[Description], diagnostics: Diagnostics
) -> list[Listed | PassedOver]:
    """Give the operations of every Videos group in order, each once.

    A page that may stand for an operation and cannot be resolved is reported, prose is noted.

    Raises:
        GeneratorError: there is no such group.
    """
    reader = _Reader(file, descriptions, diagnostics)
    navigation = document.get("navigation")
    if is_object(navigation) and "openapi" not in navigation:
        source = document.get("openapi", object_of(document.get("api")).get("openapi"))
        navigation = {**navigation, "openapi": source}
    unique: dict[object, Listed | PassedOver] = {}
    for found in reader.walk(navigation, "/navigation", inside=False, directory=""):
        key: object = found.page
        if isinstance(found, Listed):
            key = (found.method, route(found.path))
        unique.setdefault(key, found)
    if not reader.groups:
        message = "has no group named 'Videos', so no model is selected; add one, or correct its name"
        raise GeneratorError(f"{file}#/navigation: {message}")
    return list(unique.values())


def tagged_operations(descriptions: Sequence[Description]) -> list[Listed]:
    """Give the operations whose tag is Videos, in the order of the descriptions.

    Raises:
        GeneratorError: there is none.
    """
    found = [_listed(operation) for description in descriptions for operation in _tagged(description)]
    if not found:
        raise GeneratorError(
            f"{descriptions[0].file}: there is no docs.json, and no operation has the tag 'Videos', so nothing says "
            "which models are videos; name a docs.json with --docs, or tag the operations"
        )
    return found


@dataclass(slots=True)
class _Reader:
    file: str
    descriptions: Sequence[Description]
    diagnostics: Diagnostics
    groups: int = 0

    def walk(self, entry: Any, pointer: str, *, inside: bool, directory: str) -> Iterator[Listed | PassedOver]:
        """Give the operations of an entry and of all below it. An entry that is a mere link (`href`) has none."""
        if is_array(entry):
            for index, child in enumerate(entry):
                yield from self.walk(child, f"{pointer}/{index}", inside=inside, directory=directory)
        elif isinstance(entry, str):
            if inside:
                yield from self._page(entry, pointer, directory)
        elif is_object(entry):
            sources, own_directory = _sources(entry.get("openapi"))
            children = [name for name in CHILDREN if entry.get(name)]
            if isinstance(entry.get("href"), str) and not (children or sources):
                return
            if any(isinstance(entry.get(name), str) and entry[name].strip().lower() == GROUP for name in NAMES):
                inside = True
                self.groups += 1
            for name in children:
                place = f"{pointer}/{escape(name)}"
                yield from self.walk(entry[name], place, inside=inside, directory=own_directory or directory)
            if set(children) <= {"root"}:
                if inside and not children and not sources:
                    self.diagnostics.warn(self.file, pointer, "lists no page; list some, or name their 'openapi'")
                yield from self._whole(sources, pointer, inside=inside)
        elif inside:
            self.diagnostics.warn(self.file, pointer, f"{entry!r} is no page; name an operation, or remove it")

    def _whole(self, sources: tuple[str, ...], pointer: str, *, inside: bool) -> Iterator[Listed]:
        for source in sources:
            description = _named(source, self.descriptions)
            if description is None:
                if inside:
                    message = f"lists all of {source!r}, which is not among the descriptions; add it with --openapi"
                    self.diagnostics.warn(self.file, f"{pointer}/openapi", message)
                continue
            operations = [operation for operation in description.operations.values() if operation.listed]
            if not inside:
                operations = _tagged(description)
                self.groups += bool(operations)
            yield from (_listed(operation, pointer) for operation in operations)

    def _page(self, page: str, pointer: str, directory: str) -> Iterator[Listed | PassedOver]:
        text = page.strip()
        if _WEBHOOK.fullmatch(text):
            return
        if match := _OPERATION.fullmatch(text):
            yield Listed(pointer, page, match["method"].lower(), match["path"])
            return
        slug = text.strip("/")
        found = self._behind(slug)
        if len(found) == 1:
            yield Listed(pointer, page, found[0].method, found[0].path)
            return
        parent = PurePosixPath(slug).parent.as_posix()
        report = self.diagnostics.warn
        if found:
            paths = ", ".join(f"{operation.method.upper()} {operation.path}" for operation in found)
            reason = f"it may be any of {paths}; name one of them"
        elif "api-reference" in parent.split("/") or (directory and parent == directory.strip("/")):
            reason = "no operation of the descriptions has a summary that reads like it; name the operation"
        else:
            reason = "it is taken for prose"
            report = self.diagnostics.note
        report(self.file, pointer, f"{page!r} is passed over: {reason}")
        yield PassedOver(page, reason)

    def _behind(self, slug: str) -> list[Operation]:
        last = slug.rpartition("/")[2]
        operations = [operation for description in self.descriptions for operation in description.operations.values()]
        found = [operation for operation in operations if operation.href and operation.href.strip("/") == slug]
        if not found:
            named = [operation for operation in operations if operation.summary and not operation.href]
            found = [operation for operation in named if slug_of(operation.summary) == last]
        plain = [operation for operation in found if not route(operation.path).startswith("/generation/sse/")]
        return list({(operation.method, route(operation.path)): operation for operation in plain or found}.values())


def slug_of(summary: str) -> str:
    """Give the last segment of the page that Mintlify makes for an operation of this summary."""
    text = re.sub(r"\s", "-", summary.strip().lower())
    return re.sub(r"-{2,}", "-", re.sub(r"[{}(),.'/]", "", text))


def _listed(operation: Operation, pointer: str | None = None) -> Listed:
    page = f"{operation.method.upper()} {operation.path}"
    return Listed(pointer or operation.pointer, page, operation.method, operation.path, explicit=False)


def _tagged(description: Description) -> list[Operation]:
    listed = [operation for operation in description.operations.values() if operation.listed]
    return [operation for operation in listed if GROUP in (tag.strip().lower() for tag in operation.tags)]


def _sources(value: Any) -> tuple[tuple[str, ...], str]:
    """Read the forms of `openapi`: a string, an array of strings, or `{source, directory}`."""
    if isinstance(value, str):
        return (value,), ""
    if is_object(value):
        return _sources(value.get("source"))[0], text_of(value.get("directory"))
    return tuple(item for item in array_of(value) if isinstance(item, str)), ""


def _named(source: str, descriptions: Sequence[Description]) -> Description | None:
    """Find the description that a navigation means by a file name or address, as far as the name tells."""
    if len(descriptions) == 1:
        return descriptions[0]
    path = PurePosixPath(source.strip("/"))
    exact = [description for description in descriptions if PurePosixPath(description.file).match(str(path))]
    same = [description for description in descriptions if PurePosixPath(description.file).name == path.name]
    return next(iter(exact or same), None)
