"""A documentation site: what its index lists, and the descriptions that its pages hold.

Mintlify's documentation ("llms.txt", "Markdown export") says what there is: `llms.txt` lists all pages in the order of
the navigation, and below "OpenAPI Specs" the OpenAPI files; each page has a twin in Markdown (`<page>.md`), which for a
page of the API holds the OpenAPI description of its operation in a fenced block.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import object_of

from .description import Description, description_of
from .documents import SUFFIXES, document_of
from .navigation import tagged
from .paths import model_in, route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.settings import Choices

    from .description import Operation

INDEX: Final = "llms.txt"
MOST_PAGES: Final = 1_000
"""How many pages of a site are read. The limit is ours."""

MOST_DOCUMENTS: Final = 20
"""How many descriptions and navigations of a site are fetched whole. The limit is ours."""

MOST_LINKS: Final = 10_000
"""How many links of an index are looked at. The limit is ours."""

_HEADING = re.compile(r" {0,3}#{1,6}[ \t](?P<text>.*)")
_LINK = re.compile(r"\]\(<?(?P<address>[^()<>\s]{1,2000})>?\)")
_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_DESCRIPTION = re.compile(r"^[ \t]*openapi[ \t]*:|[\"']openapi[\"'][ \t]*:", re.MULTILINE)
_PORTS: Final = {"https": 443, "http": 80}
_NAVIGATIONS: Final = ("docs.json", "mint.json")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the index, with the heading that it stands below."""

    heading: str
    address: str

    @property
    def name(self) -> str:
        """The last part of its path, in lower case."""
        return PurePosixPath(urlsplit(self.address).path).name.lower()

    @property
    def slug(self) -> str:
        """Its path as a navigation would list it."""
        path = urlsplit(self.address).path.strip("/")
        return re.sub(r"\.(?:mdx?|html)$", "", path)

    def is_of(self, choices: Choices) -> bool:
        """Tell whether its heading or a part of its address names a group that is chosen."""
        return any(choices.has(name.replace("-", " ")) for name in (self.heading, *self.slug.split("/")))

    @property
    def markdown(self) -> str:
        """The address of its page in Markdown."""
        parts = urlsplit(self.address)
        return parts._replace(path=f"/{self.slug}.md", query="", fragment="").geturl()


@dataclass(frozen=True, slots=True)
class Index:
    """What an index lists of its own site, in its order, each once."""

    address: str
    descriptions: tuple[Link, ...] = ()
    navigations: tuple[Link, ...] = ()
    pages: tuple[Link, ...] = ()
    elsewhere: int = 0
    """How many links lead to other sites. They are not followed."""


def read_index(text: str, address: str) -> Index:
    """Read the links of an index, which stands at this address."""
    home, elsewhere = origin(address), 0
    links: dict[str, Link] = {}
    for heading, target in islice(_links(text), MOST_LINKS):
        joined = _joined(address, target)
        if joined is None or origin(joined) != home:
            elsewhere += 1
        else:
            links.setdefault(joined, Link(heading, joined))
    found = list(links.values())
    navigations = [link for link in found if link.name in _NAVIGATIONS]
    descriptions = [link for link in found if link.name.endswith(SUFFIXES) and link not in navigations]
    pages = [link for link in found if link not in navigations and link not in descriptions]
    documents = tuple(descriptions[:MOST_DOCUMENTS]), tuple(navigations[:MOST_DOCUMENTS])
    return Index(address, *documents, tuple(pages[:MOST_PAGES]), elsewhere)


def _links(text: str) -> Iterator[tuple[str, str]]:
    heading = ""
    for line in text.splitlines():
        if match := _HEADING.fullmatch(line):
            heading = match["text"].strip().rstrip("#").strip()
        for link in _LINK.finditer(line):
            yield heading, link["address"]


def _joined(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address).partition("#")[0]
    except ValueError:
        return None


def origin(address: str) -> tuple[str, str, int | None]:
    """Give what two addresses of one site have in common: scheme, host and port (RFC 6454)."""
    with suppress(ValueError):
        parts = urlsplit(address)
        return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    return "", address, None


def api_pages(index: Index) -> list[Link]:
    """Give the pages that may describe an operation: those of the API reference, or all where there is none."""
    return [link for link in index.pages if "api-reference" in link.slug.split("/")] or list(index.pages)


def descriptions_in(page: str, file: str) -> Iterator[Description | GeneratorError]:
    """Give the descriptions that stand in fenced blocks of a page in Markdown (CommonMark, "Fenced code blocks").

    In the place of one that cannot be read there is its error.
    """
    lines: list[str] = []
    mark = ""
    for line in page.splitlines():
        fence = _FENCE.fullmatch(line)
        if not mark and fence:
            mark, lines = fence["mark"], []
        elif mark and fence and not fence["info"].strip() and fence["mark"].startswith(mark):
            mark = ""
            yield from _described("\n".join(lines), file)
        elif mark:
            lines.append(line)


def _described(block: str, file: str) -> Iterator[Description | GeneratorError]:
    if not _DESCRIPTION.search(block):
        return
    try:
        yield description_of(document_of(block.encode("utf-8", "replace"), file, Diagnostics()), file)
    except GeneratorError as error:
        yield error


def models_of(description: Description) -> list[str]:
    """Give the models that a description has endpoints for, each once."""
    return list(dict.fromkeys(filter(None, (model_in(method, path) for method, path in description.operations))))


def merged(descriptions: Sequence[Description]) -> dict[str, Any]:
    """Give one description of all that agree on what they share; one that does not agree stays out."""
    result: dict[str, Any] = {**descriptions[0].document, "paths": {}, "components": {}}
    for description in descriptions:
        document = description.document
        sections = {name: object_of(part) for name, part in object_of(document.get("components")).items()}
        known = {name: object_of(part) for name, part in result["components"].items()}
        shared = [(name, key) for name, part in sections.items() for key in part if key in known.get(name, {})]
        is_at_odds = any(known[name][key] != sections[name][key] for name, key in shared)
        if document["openapi"] != result["openapi"] or is_at_odds:
            continue
        for name, part in sections.items():
            result["components"][name] = known.get(name, {}) | part
        for path, item in document["paths"].items():
            result["paths"][path] = object_of(item) | object_of(result["paths"].get(path))
    return result


def navigation_of(
    descriptions: Sequence[Description], links: dict[tuple[str, str], Link], choices: Choices
) -> tuple[dict[str, Any], int]:
    """Write the navigation that pages imply, and give of how many models nothing says that they are of a group.

    That is said by a heading, by a part of a page's address, or by a tag. Where nothing says it of any model, all are
    listed in the first group that is chosen. `links` are the pages by method and path; operations that have one go
    before others, in the order of the pages.
    """
    found: dict[tuple[str, str], Operation] = {}
    chosen: set[str] = set()
    for description in descriptions:
        chosen.update(model_in(operation.method, operation.path) for operation in tagged(description, choices))
        for operation in description.operations.values():
            if operation.listed:
                found.setdefault((operation.method, route(operation.path)), operation)
    chosen.update(model_in(*key) for key in found.keys() & links.keys() if links[key].is_of(choices))
    chosen.discard("")
    listed: dict[str, Operation] = {}
    others: list[Operation] = []
    for operation in (found[key] for key in dict.fromkeys((*links, *found)) if key in found):
        model = model_in(operation.method, operation.path)
        if model and (not chosen or model in chosen):
            listed.setdefault(model, operation)
        else:
            others.append(operation)
    groups = [
        {"group": name, "pages": [f"{operation.method.upper()} {operation.path}" for operation in group]}
        for name, group in ((choices.groups[0], listed.values()), ("Others", others))
        if group
    ]
    return {"navigation": {"groups": groups}}, len(listed) * (not chosen)


def linked(operations: Iterable[tuple[Link, str, str]]) -> dict[tuple[str, str], Link]:
    """Give the first page of each operation."""
    links: dict[tuple[str, str], Link] = {}
    for link, method, path in operations:
        links.setdefault((method, route(path)), link)
    return links
