"""The inputs, fetched anew from a documentation site or from addresses: all of them are written, or none is."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin

from generator.diagnostics import Diagnostics, GeneratorError, counted, visible
from generator.json_values import object_of, text_of
from generator.names import distinct, module_name, snake_case
from generator.writing import replace_files

from . import site as sites
from .beside import Folder, expanded
from .description import Description, description_of
from .documents import document_of, normal_form, scoped_in
from .navigation import Slugs
from .sources import ETAG, UnavailableError, get, get_all, path_of, split, without_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generator.settings import Choices

    from .video_model import Selection

    Select = Callable[[tuple[Path, ...], Path | None, Diagnostics], Selection]

OPENAPI: Final = "openapi.json"
DOCS: Final = "docs.json"
ETAGS: Final = ".etags.json"
"""Beside the inputs, and kept in git with them: where each came from, and what tells that it is still as it was."""

GUESSES: Final = ("openapi.json", "openapi.yaml", "api-reference/openapi.json", "api-reference/openapi.yaml")
"""Where a site may serve a description that its index does not list."""

_SCOPED = re.compile(r"models/[a-z0-9_]+\.json")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the inputs are: https addresses, `file:` addresses or paths; what is None is looked for on the site."""

    site: str | None = None
    openapi: str | None = None
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One file as it is to be written."""

    data: bytes
    address: str
    etag: str = ""


Inputs = dict[str, Input]
"""What is to be written, by its name below the folder."""


@dataclass(slots=True)
class Fetching:
    """Fetches into a folder. `say` is told of each step, `select` reads a set of inputs as a run would."""

    folder: Path
    sources: Sources
    choices: Choices
    modules: Mapping[str, str]
    """Names that are set for modules, by model id."""
    select: Select
    say: Callable[[str], object]
    diagnostics: Diagnostics
    known: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the last run wrote down of each file."""

    def fetch(self) -> list[str]:
        """Fetch the inputs and give the names of the files that changed.

        Raises:
            GeneratorError: none can be had that select a model; the folder is as it was.
        """
        self.known = self._recorded()
        try:
            inputs = self._first_of_use()
        except GeneratorError as error:
            raise GeneratorError(f"{error}; the old files are kept") from error
        return self._write(inputs)

    def _first_of_use(self) -> Inputs:
        openapi, docs = self.sources.openapi, self.sources.docs
        if openapi and docs:
            inputs = {OPENAPI: self._document(openapi, OPENAPI), DOCS: self._navigation(docs)}
            self._check(inputs)
            return inputs
        problem = GeneratorError("no address is known to fetch from")
        for name, inputs in self._of_site():
            try:
                self._check(inputs)
            except GeneratorError as error:
                self.say(f"{name}: {error}")
                problem = error
            else:
                self.say(f"{name}: of use")
                return inputs
        raise problem

    def _of_site(self) -> Iterator[tuple[str, Inputs]]:
        """Give what a site offers, what tells most first, each with what it is."""
        site = self.sources.site or ""
        address = f"{site.removesuffix(sites.INDEX).rstrip('/')}/{sites.INDEX}"
        index = sites.Index(address)
        split(address)
        if site:
            try:
                found = get(address)
                index = sites.read_index(found.text, found.address)
                self.say(
                    f"{without_query(address)}: {counted(len(index.descriptions), 'description')}, "
                    f"{counted(len(index.pages), 'page')}, {counted(index.elsewhere, 'link')} to elsewhere not followed"
                )
            except GeneratorError as error:
                self._pass(error)
        whole = self._descriptions(index)
        if whole:
            for inputs in self._with_navigation(whole, index):
                yield "whole descriptions", inputs
        if self.sources.openapi is None and index.pages:
            yield "the pages", self._of_pages(index)
        if not (whole or index.pages):
            raise GeneratorError(
                f"{without_query(index.address)}: neither an index that lists pages nor a description can be had; "
                "correct the address of the site, or give --openapi-url and --docs-url"
            )

    def _descriptions(self, index: sites.Index) -> dict[str, tuple[Input, Description]]:
        """Give the whole descriptions: the one that is named, those that the index lists, or an unlisted one."""
        found: list[tuple[Input, Description]] = []
        places = [[link.address for link in index.descriptions]]
        places += [[urljoin(index.address, guess)] for guess in GUESSES]
        if self.sources.openapi:
            places = [[self.sources.openapi]]
        for place in places:
            if not found:
                found += self._descriptions_at(place)
        found.sort(key=lambda pair: not sites.models_of(pair[1]))
        named = dict(zip([OPENAPI], found, strict=False))
        for item, description in found[1:]:
            if sites.models_of(description):
                named[self._scoped(snake_case(Path(description.file).stem), named)] = item, description
        return named

    def _descriptions_at(self, place: Sequence[str]) -> Iterator[tuple[Input, Description]]:
        """Give those of several addresses where a description is; one that the user named has to be there."""
        for source in place:
            try:
                item = self._document(source, OPENAPI)
                description = description_of(json.loads(item.data), without_query(source))
            except GeneratorError as error:
                if self.sources.openapi:
                    raise
                self._pass(error)
            else:
                self.say(f"{without_query(source)}: a description")
                yield item, description

    def _with_navigation(self, whole: dict[str, tuple[Input, Description]], index: sites.Index) -> Iterator[Inputs]:
        """Give descriptions with the navigation that is named or served, then with that of the index."""
        inputs = {name: item for name, (item, _) in whole.items()}
        if self.sources.docs:
            yield inputs | {DOCS: self._navigation(self.sources.docs)}
            return
        for source in [link.address for link in index.navigations] or [urljoin(index.address, DOCS)]:
            try:
                item = self._navigation(source)
            except GeneratorError as error:
                self._pass(error)
            else:
                self.say(f"{without_query(source)}: a navigation")
                yield inputs | {DOCS: item}
        descriptions = [description for _, description in whole.values()]
        slugs = Slugs(descriptions)
        links = sites.linked(
            (link, operation.method, operation.path)
            for link in index.pages
            for operation in slugs.behind(link.slug)
            if len(slugs.behind(link.slug)) == 1
        )
        yield inputs | {DOCS: self._implied(descriptions, links, index.address)}

    def _of_pages(self, index: sites.Index) -> Inputs:
        """Give what the pages of a site describe, each model in a file of its own."""
        links = sites.api_pages(index)
        self.say(f"no whole description is of use; reading {counted(len(links), 'page')}")
        found: list[tuple[sites.Link, Description]] = []
        for link, answer in zip(links, get_all([link.markdown for link in links]), strict=True):
            if isinstance(answer, GeneratorError):
                self._pass(answer)
                continue
            for item in sites.descriptions_in(answer.text, without_query(link.markdown)):
                if isinstance(item, Description):
                    found.append((link, item))
                else:
                    self.diagnostics.warn(without_query(link.markdown), "", f"is passed over: {item}")
        first = without_query(links[0].address)
        if not found:
            raise GeneratorError(f"{first} and the other pages describe no operation")
        descriptions = [description for _, description in found]
        inputs: Inputs = {OPENAPI: Input(normal_form(sites.merged(descriptions)), first)}
        for link, description in found:
            for model in sites.models_of(description):
                try:
                    name = self._scoped(module_name(model, self.modules), inputs)
                except GeneratorError as error:
                    self.diagnostics.warn(without_query(link.markdown), "", str(error))
                    continue
                inputs[name] = Input(normal_form(description.document), without_query(link.markdown))
        if self.sources.docs:
            inputs[DOCS] = self._navigation(self.sources.docs)
        else:
            pages = sites.linked((link, *key) for link, item in found for key in item.operations)
            inputs[DOCS] = self._implied(descriptions, pages, first)
        return inputs

    def _pass(self, error: GeneratorError) -> None:
        """Say why a source is of no use and go on, unless it may be there and cannot be had now."""
        if isinstance(error, UnavailableError):
            raise error
        self.say(str(error))

    def _implied(
        self, descriptions: Sequence[Description], links: dict[tuple[str, str], sites.Link], address: str
    ) -> Input:
        document, count = sites.navigation_of(descriptions, links, self.choices)
        if count:
            group = self.choices.groups[0]
            message = f"nothing tells which models are {group!r}; all {count} are listed as such"
            self.diagnostics.note(without_query(address), "", message)
        return Input(normal_form(document), without_query(address))

    def _scoped(self, stem: str, taken: Mapping[str, object]) -> str:
        """Give the name of a model-scoped file, which is none that somebody else put there."""
        kept = [f"models/{path.name}" for path in scoped_in(self.folder)[0]]
        others = [name for name in kept if name not in self.known]
        stems = [name.removesuffix(".json") for name in (*taken, *others)]
        return distinct(f"models/{stem or 'other'}", stems) + ".json"

    def _document(self, source: str, name: str) -> Input:
        """Fetch a document, unless the file that is there is known to be it."""
        found = get(source, self._etag(name, source))
        if found.data is None:
            return Input((self.folder / name).read_bytes(), without_query(source), found.etag)
        document = document_of(found.data, without_query(source), self.diagnostics)
        return Input(normal_form(document), without_query(source), found.etag)

    def _navigation(self, source: str) -> Input:
        item = self._document(source, DOCS)
        document = json.loads(item.data)
        path = path_of(source)

        def read(name: str) -> bytes:
            if path is not None:
                return Folder(path.parent).read(name)
            return get(urljoin(source, quote(name))).data or b""

        whole = expanded(document, without_query(source), read)
        if whole == document:
            return item
        return Input(normal_form(whole), without_query(source))

    def _check(self, inputs: Inputs) -> None:
        """Read what was fetched as a run would, beside the model-scoped descriptions that are there.

        Raises:
            GeneratorError: they cannot be used together, or select no model.
        """
        with TemporaryDirectory() as temporary:
            copy = Path(temporary)
            (copy / "models").mkdir()
            for name, item in inputs.items():
                (copy / name).write_bytes(item.data)

            def named(text: str) -> str:
                for name, item in inputs.items():
                    text = text.replace((copy / name).as_posix(), visible(item.address))
                return text

            scoped = [copy / name for name in sorted(inputs) if _SCOPED.fullmatch(name)]
            scoped += [path for path in scoped_in(self.folder)[0] if f"models/{path.name}" not in self.known]
            docs = copy / DOCS
            own = Diagnostics()
            try:
                selection = self.select((copy / OPENAPI, *scoped), docs, own)
            except GeneratorError as error:
                raise GeneratorError(named(str(error))) from error
            finally:
                for remark in own.warnings:
                    self.diagnostics.warn(named(remark.file), remark.pointer, named(remark.message))
        if not selection.models:
            raise GeneratorError(f"{inputs[DOCS].address}: selects no model of {inputs[OPENAPI].address}")

    def _write(self, inputs: Inputs) -> list[str]:
        """Write what differs, and remove what an earlier run wrote and this one did not, if nobody changed it since."""
        contents: dict[Path, bytes | None] = {self.folder / name: item.data for name, item in sorted(inputs.items())}
        for name, entry in self.known.items():
            if name not in inputs and _SCOPED.fullmatch(name) and entry.get("sha256") == self._digest(name):
                contents[self.folder / name] = None
        record: dict[str, dict[str, str]] = {}
        for name, item in inputs.items():
            entry = {"sha256": hashlib.sha256(item.data).hexdigest(), "url": item.address}
            if item.etag:
                record[name] = entry | {"etag": item.etag}
            elif _SCOPED.fullmatch(name):
                record[name] = entry
        if record or (self.folder / ETAGS).is_file():
            contents[self.folder / ETAGS] = (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()
        changed = replace_files(contents)
        return [path.relative_to(self.folder).as_posix() for path in changed if path.name != ETAGS]

    def _recorded(self) -> dict[str, Any]:
        try:
            found = object_of(json.loads((self.folder / ETAGS).read_text("utf-8")))
        except (OSError, ValueError, RecursionError):
            return {}
        return {name: object_of(entry) for name, entry in found.items()}

    def _digest(self, name: str) -> str:
        try:
            return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
        except OSError:
            return ""

    def _etag(self, name: str, source: str) -> str:
        """Give the ETag of the file that is there; empty where it is of another source, or not as it was fetched."""
        entry = object_of(self.known.get(name))
        etag = text_of(entry.get("etag"))
        if (entry.get("url"), entry.get("sha256")) != (without_query(source), self._digest(name)):
            return ""
        if not ETAG.fullmatch(etag):
            return ""
        return etag
