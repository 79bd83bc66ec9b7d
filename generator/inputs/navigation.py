"""docs.json: the ordered operations of the groups that are chosen (Mintlify, "Navigation" and "OpenAPI setup")."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from generator.diagnostics import GeneratorError
from generator.json_values import array_of, escape, is_array, is_object, object_of, text_of

from .description import METHODS
from .paths import route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from generator.diagnostics import Diagnostics
    from generator.settings import Choices

    from .description import Description, Operation

NAMES = ("product", "language", "version", "tab", "dropdown", "anchor", "group", "item")
CHILDREN = ("root", "pages", "groups", "tabs", "products", "languages", "versions", "dropdowns", "anchors", "menu",
            "global")  # fmt: skip
_OPERATION = re.compile(rf"(?:(?P<file>\S.*?)\s+)?(?P<method>{'|'.join(METHODS)})\s+(?P<path>/\S*)", re.IGNORECASE)
_WEBHOOK = re.compile(r"(?:\S.*?\s+)?webhook\s+\S.*", re.IGNORECASE)

MOST_NAMES = 30
"""How many groups an error lists."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation that the navigation lists in a group that is chosen: where, and what it was found to be."""

    pointer: str
    page: str
    method: str
    path: str
    explicit: bool = True
    """False where a list was made from a whole description, which names what is no model as well."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What is described or listed and no module is made for, and why."""

    page: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed: the entries of the groups that are chosen, and the operations of all others."""

    file: str
    entries: tuple[Listed | PassedOver, ...]
    elsewhere: frozenset[tuple[str, str]] | None = None
    """By method and path without `/v1`; None where no navigation says what is listed."""


def read_navigation(
    document: dict[str, Any],
    file: str,
    descriptions: Sequence[Description],
    diagnostics: Diagnostics,
    choices: Choices,
    page: Callable[[str], str | None],
) -> Listing:
    """Give the operations of every group that is chosen in order, each once.

    A page that may stand for an operation and cannot be resolved is reported, prose is noted. `page` gives what the
    front matter of a page names as its operation, None where the page is not at hand.

    Raises:
        GeneratorError: there is no such group.
    """
    reader = _Reader(file, descriptions, diagnostics, choices, page, Slugs(descriptions))
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
        message = f"has no group named {choices.said}, so no model is selected; {_existing(reader.names, choices)}"
        raise GeneratorError(f"{file}#/navigation: {message}")
    return Listing(file, tuple(unique.values()), frozenset(reader.elsewhere))


def tagged_operations(descriptions: Sequence[Description], choices: Choices) -> Listing:
    """Give the operations that have the tag of a group that is chosen, in the order of the descriptions.

    Raises:
        GeneratorError: there is none.
    """
    file = descriptions[0].file
    found = [_listed(operation) for description in descriptions for operation in tagged(description, choices)]
    if not found:
        tags = {
            tag: operation.pointer
            for description in descriptions
            for operation in description.operations.values()
            for tag in operation.tags
        }
        raise GeneratorError(
            f"{file}: there is no docs.json, and no operation has the tag {choices.said}, so nothing says which models "
            f"are meant; name a docs.json with --docs, or tag the operations; {_existing(tags, choices)}"
        )
    return Listing(file, tuple(found))


def _existing(names: dict[str, str], choices: Choices) -> str:
    if not names:
        return "it has no groups"
    close = [name for name in names if any(_is_close(name, group) for group in choices.groups)]
    shown = ", ".join(map(repr, list(names)[:MOST_NAMES]))
    if len(names) > MOST_NAMES:
        shown += f" and {len(names) - MOST_NAMES} more"
    said = f"the groups there are: {shown}"
    if close:
        places = ", ".join(f"{name!r} (#{names[name]})" for name in close[:MOST_NAMES])
        said += f"; may be meant: {places}"
    return f"{said}; set group in [tool.generator] of pyproject.toml to the one that is meant"


def _is_close(name: str, group: str) -> bool:
    """Tell whether a name may be another spelling of a group: it holds its word, or nearly reads like it."""
    name, group = name.strip().lower(), group.strip().lower()
    return group.removesuffix("s") in name or bool(difflib.get_close_matches(group, [name], cutoff=0.7))


@dataclass(slots=True)
class _Reader:
    file: str
    descriptions: Sequence[Description]
    diagnostics: Diagnostics
    choices: Choices
    page: Callable[[str], str | None]
    slugs: Slugs
    groups: int = 0
    names: dict[str, str] = field(default_factory=dict[str, str])
    """The groups that there are, each with a pointer to it."""
    elsewhere: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """What other groups list."""

    def walk(self, entry: Any, pointer: str, *, inside: bool, directory: str) -> Iterator[Listed | PassedOver]:
        """Give the operations of an entry and of all below it. An entry that is a mere link (`href`) has none."""
        if is_array(entry):
            for index, child in enumerate(entry):
                yield from self.walk(child, f"{pointer}/{index}", inside=inside, directory=directory)
        elif isinstance(entry, str) and inside:
            yield from self._page(entry, pointer, directory)
        elif isinstance(entry, str):
            self._know(self._operations(entry.strip(), pointer))
        elif is_object(entry):
            yield from self._entry(entry, pointer, inside=inside, directory=directory)
        elif inside:
            self.diagnostics.warn(self.file, pointer, f"{entry!r} is no page; name an operation, or remove it")

    def _entry(
        self, entry: dict[str, Any], pointer: str, *, inside: bool, directory: str
    ) -> Iterator[Listed | PassedOver]:
        sources, own_directory = _sources(entry.get("openapi"))
        children = [name for name in CHILDREN if entry.get(name)]
        if isinstance(entry.get("href"), str) and not (children or sources):
            return
        names = [entry[name] for name in NAMES if isinstance(entry.get(name), str)]
        for name in names:
            self.names.setdefault(name, pointer)
        if any(map(self.choices.has, names)):
            inside = True
            self.groups += 1
        for name in children:
            place = f"{pointer}/{escape(name)}"
            yield from self.walk(entry[name], place, inside=inside, directory=own_directory or directory)
        if set(children) <= {"root"}:
            if inside and not children and not sources:
                self.diagnostics.warn(self.file, pointer, "lists no page; list some, or name their 'openapi'")
            yield from self._whole(sources, pointer, inside=inside)

    def _know(self, operations: Iterable[Listed | Operation]) -> None:
        self.elsewhere.update((operation.method, route(operation.path)) for operation in operations)

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
                self.names = {tag: item.pointer for item in operations for tag in item.tags} | self.names
                self._know(operations)
                operations = tagged(description, self.choices)
                self.groups += bool(operations)
            yield from (_listed(operation, pointer) for operation in operations)

    def _page(self, page: str, pointer: str, directory: str) -> Iterator[Listed | PassedOver]:
        text = page.strip()
        if _WEBHOOK.fullmatch(text):
            return
        found = self._operations(text, pointer)
        if len(found) == 1:
            yield Listed(pointer, page, found[0].method, found[0].path)
            return
        slug = text.strip("/")
        parent = PurePosixPath(slug).parent.as_posix()
        report = self.diagnostics.warn
        if found:
            paths = ", ".join(f"{operation.method.upper()} {operation.path}" for operation in found)
            reason = f"it may be any of {paths}; name one of them"
        elif self.page(slug) is not None:
            reason = "it is prose: its front matter names no operation"
            report = self.diagnostics.note
        elif "api-reference" in parent.split("/") or (directory and parent == directory.strip("/")):
            reason = "no operation of the descriptions has a summary that reads like it; name the operation"
        else:
            reason = "it is taken for prose"
            report = self.diagnostics.note
        report(self.file, pointer, f"{page!r} is passed over: {reason}")
        yield PassedOver(page, reason)

    def _operations(self, text: str, pointer: str) -> list[Listed]:
        """Give the operations that a page may be: what it says itself, its front matter, or its name."""
        slug = text.strip("/")
        match = _OPERATION.fullmatch(text) or _OPERATION.fullmatch((self.page(slug) or "").strip())
        if match:
            return [Listed(pointer, text, match["method"].lower(), match["path"])]
        return [Listed(pointer, text, operation.method, operation.path) for operation in self.slugs.behind(slug)]


@dataclass(slots=True)
class Slugs:
    """The pages that Mintlify makes for operations, by the name that it gives them."""

    descriptions: Sequence[Description]
    names: dict[str, list[Operation]] = field(default_factory=dict[str, list["Operation"]])
    """Operations by the address that they are given, or by a blank and the name that their summary makes."""

    def behind(self, slug: str) -> list[Operation]:
        """Give the operations that a page may be of."""
        if not self.names:
            for operation in (item for description in self.descriptions for item in description.operations.values()):
                name = operation.href.strip("/")
                if not name and operation.summary:
                    name = f" {slug_of(operation.summary)}"
                if name:
                    self.names.setdefault(name, []).append(operation)
        found = self.names.get(slug) or self.names.get(f" {slug.rpartition('/')[2]}", [])
        plain = [operation for operation in found if not route(operation.path).startswith("/generation/sse/")]
        return list({(operation.method, route(operation.path)): operation for operation in plain or found}.values())


def slug_of(summary: str) -> str:
    """Give the last segment of the page that Mintlify makes for an operation of this summary."""
    text = re.sub(r"\s", "-", summary.strip().lower())
    return re.sub(r"-{2,}", "-", re.sub(r"[{}(),.'/]", "", text))


def _listed(operation: Operation, pointer: str | None = None) -> Listed:
    page = f"{operation.method.upper()} {operation.path}"
    return Listed(pointer or operation.pointer, page, operation.method, operation.path, explicit=False)


def tagged(description: Description, choices: Choices) -> list[Operation]:
    """Give the operations of which a tag is a group that is chosen, by its `x-group` or else its name."""
    tags = map(object_of, array_of(description.document.get("tags")))
    shown = {text_of(tag.get("name")): text_of(tag.get("x-group")) for tag in tags}
    listed = [operation for operation in description.operations.values() if operation.listed]
    return [item for item in listed if any(choices.has(shown.get(tag) or tag) for tag in item.tags)]


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
