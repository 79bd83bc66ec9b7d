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
from .paths import route
from .selection import model_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.settings import Choices

INDEX: Final = "llms.txt"
MOST_PAGES: Final = 1_000
"""How many pages of a site are read. The limit is ours."""

MOST_DOCUMENTS: Final = 20
"""How many descriptions and navigations of a site are fetched whole. The limit is ours."""

MOST_LINKS: Final = 10_000
"""How many links of an index are looked at. The limit is ours."""

_HEADING = re.compile(r" {0,3}#{1,6}[ \t](?P<text>.*)")
_LINK = re.compile(r"\[(?P<text>[^\[\]]{0,500})\]\(<?(?P<address>[^()<>\s]{1,2000})>?\)")
_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_DESCRIPTION = re.compile(r"^[ \t]*openapi[ \t]*:|[\"']openapi[\"'][ \t]*:", re.MULTILINE)
_PORTS: Final = {"https": 443, "http": 80}
_NAVIGATIONS: Final = ("docs.json", "mint.json")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the index, with the heading that it stands below."""

    heading: str
    text: str
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

    @property
    def markdown(self) -> str:
        """The address of its page in Markdown."""
        parts = urlsplit(self.address)
        return parts._replace(path=f"/{self.slug}.md", query="", fragment="").geturl()


@dataclass(frozen=True, slots=True)
class Index:
    """What an index lists of its own site, in its order, each once."""

    descriptions: tuple[Link, ...]
    navigations: tuple[Link, ...]
    pages: tuple[Link, ...]
    elsewhere: int
    """How many links lead to other sites. They are not followed."""


@dataclass(frozen=True, slots=True)
class Page:
    """An operation that a site describes, and the page that it has, if any."""

    link: Link | None
    method: str
    path: str
    is_tagged: bool = False
    """Whether a tag says that it is of a group that is chosen."""

    @property
    def model(self) -> str:
        """The model that it generates with, empty where it does not."""
        return model_in(self.method, self.path)


def read_index(text: str, address: str) -> Index:
    """Read the links of an index, which stands at this address."""
    home, elsewhere = origin(address), 0
    links: dict[str, Link] = {}
    for heading, words, target in islice(_links(text), MOST_LINKS):
        joined = _joined(address, target)
        if joined is None or origin(joined) != home:
            elsewhere += 1
        else:
            links.setdefault(joined, Link(heading, words, joined))
    found = list(links.values())
    navigations = [link for link in found if link.name in _NAVIGATIONS]
    descriptions = [link for link in found if link.name.endswith(SUFFIXES) and link not in navigations]
    pages = [link for link in found if link not in navigations and link not in descriptions]
    documents = tuple(descriptions[:MOST_DOCUMENTS]), tuple(navigations[:MOST_DOCUMENTS])
    return Index(*documents, tuple(pages[:MOST_PAGES]), elsewhere)


def _links(text: str) -> Iterator[tuple[str, str, str]]:
    """Give the links of a text: the heading that each stands below, its own text, and where it leads."""
    heading = ""
    for line in text.splitlines():
        if match := _HEADING.fullmatch(line):
            heading = match["text"].strip().rstrip("#").strip()
        for link in _LINK.finditer(line):
            yield heading, link["text"], link["address"]


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


def navigation_of(pages: Sequence[Page], choices: Choices) -> tuple[dict[str, Any], bool]:
    """Write the navigation that an index implies, and tell whether it says which models are of a group.

    That is said by a heading, by a part of a page's address, or by a tag. Where nothing says it of any model, all are
    listed in the first group that is chosen.
    """
    models = [page for page in pages if page.model]
    names = [page.model for page in models if _is_chosen(page, choices)]
    listed = [page for page in models if not names or page.model in names]
    first = {page.model: page for page in reversed(listed)}
    groups = {
        choices.groups[0]: [page for page in listed if first[page.model] is page],
        "Others": [page for page in pages if page not in listed],
    }
    document = [
        {"group": name, "pages": [f"{page.method.upper()} {page.path}" for page in group]}
        for name, group in groups.items()
        if group
    ]
    return {"navigation": {"groups": document}}, bool(names)


def _is_chosen(page: Page, choices: Choices) -> bool:
    if page.is_tagged or page.link is None:
        return page.is_tagged
    names = [page.link.heading, *page.link.slug.split("/")]
    return any(choices.has(name.replace("-", " ")) for name in names)


def pages_in(descriptions: Sequence[Description], links: dict[tuple[str, str], Link], choices: Choices) -> list[Page]:
    """Give the operations of descriptions, those that have a page first, in the order of the pages.

    `links` are the pages by method and path.
    """
    found: dict[tuple[str, str], Page] = {}
    for description in descriptions:
        in_group = {id(operation) for operation in tagged(description, choices)}
        for operation in description.operations.values():
            key = operation.method, route(operation.path)
            page = Page(links.get(key), operation.method, operation.path, id(operation) in in_group)
            if operation.listed:
                found.setdefault(key, page)
    shown = [found[key] for key in links if key in found]
    return shown + [page for key, page in found.items() if key not in links]


def linked(operations: Iterable[tuple[Link, str, str]]) -> dict[tuple[str, str], Link]:
    """Give the first page of each operation."""
    links: dict[tuple[str, str], Link] = {}
    for link, method, path in operations:
        links.setdefault((method, route(path)), link)
    return links
