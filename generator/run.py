"""The whole run: inputs in, texts of files out. Writing them is left to whoever asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from generator.inputs import documents, overrides
from generator.inputs.beside import Folder, expanded
from generator.inputs.description import Description, description_of
from generator.inputs.navigation import PassedOver, read_navigation, tagged_operations
from generator.inputs.offered import Offered, offered
from generator.inputs.selection import select

from .diagnostics import GeneratorError
from .names import distinct
from .settings import Choices, choices, module_names, settings

if TYPE_CHECKING:
    from pathlib import Path

    from generator.inputs.video_model import Selection
    from generator.output.classes import Module

    from .diagnostics import Diagnostic, Diagnostics


SETTINGS: Final = "pyproject.toml#/tool/generator"
"""What MANIFEST.json calls the settings that decide the output, where there are any."""


@dataclass(frozen=True)
class Inputs:
    """The files of a run. Of the descriptions the first is the platform's, the others are model-scoped."""

    openapi: tuple[Path, ...]
    docs: Path | None
    config: Path | None
    unread: tuple[Path, ...] = ()
    """What lies where inputs are looked for, and is none."""
    optional: tuple[Path, ...] = ()
    """Those of the descriptions that were found and not named. One that cannot be read stops no other."""

    @classmethod
    def beside(cls, openapi: Path, docs: Path | None, config: Path | None) -> Inputs:
        """Give the inputs of a folder: a description, the model-scoped ones in models/, and the navigation, if any."""
        folder = openapi.parent
        scoped, unread = documents.scoped_in(folder)
        others = [folder / f"openapi{suffix}" for suffix in documents.SUFFIXES]
        if openapi in others:
            unread += [path for path in others if path != openapi and path.is_file()]
        docs = docs or documents.found_in(folder, "docs") or documents.found_in(folder, "mint")
        return cls((openapi, *scoped), docs, config, tuple(unread), tuple(scoped))

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each input by its path, the same on every machine: from the folder of the first description on.

        An input that stands elsewhere has its own name alone, with a number where that is taken.
        """
        home = documents.real(self.openapi[0]).parent
        taken: list[str] = []
        names: dict[str, str] = {}
        for path in filter(None, (*self.openapi, self.docs)):
            resolved = documents.real(path)
            if resolved.is_relative_to(home):
                taken.append(resolved.relative_to(home).as_posix())
            else:
                taken.append(distinct(path.name, taken))
            names.setdefault(path.as_posix(), taken[-1])
        return names


@dataclass(frozen=True)
class Found:
    """What was read: the selected models, the digest of each input by its name, and the descriptions."""

    selection: Selection
    digests: dict[str, str]
    descriptions: tuple[Description, ...]
    warnings: tuple[Diagnostic, ...] = ()
    """What was warned of."""
    offered: Offered = field(default_factory=Offered)
    """What the descriptions offer beside the models."""


def read(inputs: Inputs, diagnostics: Diagnostics) -> Found:
    """Read the inputs and select the models.

    Raises:
        GeneratorError: an input cannot be used, or nothing says which models are videos.
    """
    corrections = overrides.read_overrides(inputs.config)
    chosen = choices(inputs.config)
    digests = _settings_digest(inputs.config, chosen)
    folder = Folder((inputs.docs or inputs.openapi[0]).parent)

    def load(path: Path) -> dict[str, Any]:
        """Load an input, and correct it before anything else reads it."""
        file = path.as_posix()
        document = documents.document_of(documents.bytes_of(path, file), file, diagnostics)
        if path == inputs.docs:
            document = expanded(document, file, folder.read)
        name = inputs.names[file]
        names = [name]
        if path == inputs.openapi[0]:
            names.append("")
        digests[name] = documents.digest_of(document)
        overrides.apply([item for item in corrections if item.file in names], document, diagnostics)
        return document

    descriptions: list[Description] = []
    passed_over: list[PassedOver] = []
    for path in inputs.openapi:
        try:
            descriptions.append(description_of(load(path), path.as_posix()))
        except GeneratorError as error:
            if path not in inputs.optional:
                raise
            passed_over.append(PassedOver(path.as_posix(), str(error)))
    reason = "it is not read: it is no JSON or YAML file, or another one stands for it"
    passed_over += [PassedOver(path.as_posix(), reason) for path in inputs.unread]
    for passed in passed_over:
        diagnostics.warn(passed.page, "", f"is passed over: {passed.reason}")
    if inputs.docs:
        file = inputs.docs.as_posix()
        listing = read_navigation(load(inputs.docs), file, descriptions, diagnostics, chosen, folder.page)
    else:
        listing = tagged_operations(descriptions, chosen)
    overrides.unused(corrections, digests, diagnostics)
    selection = select(listing, descriptions, module_names(inputs.config), chosen, diagnostics)
    selection = replace(selection, passed_over=(*selection.passed_over, *passed_over))
    beside = offered(descriptions, selection.models, inputs.names, diagnostics)
    return Found(selection, digests, tuple(descriptions), tuple(diagnostics.warnings), beside)


def _settings_digest(config: Path | None, chosen: Choices) -> dict[str, str]:
    """Give the digest of the settings that decide the output, if they are not what they are without being set."""
    tables: dict[str, Any] = {name: settings(config, name) for name in ("modules", "overrides")}
    if chosen != Choices():
        tables["choices"] = [*chosen.groups, chosen.streams]
    if not any(tables.values()):
        return {}
    text = json.dumps(tables, sort_keys=True, default=str)
    return {SETTINGS: hashlib.sha256(text.encode("utf-8")).hexdigest()}


def require_models(found: Found, inputs: Inputs) -> None:
    """Refuse to go on with nothing.

    Raises:
        GeneratorError: no model is selected; it says what would be one.
    """
    if found.selection.models:
        return
    listing = (inputs.docs or inputs.openapi[0]).as_posix()
    message = "no model is left of what it lists, for the reasons above; nothing is written"
    raise GeneratorError(f"{listing}: {message}. A model is what POST /generation/<model> generates with")


def package_of(found: Found) -> tuple[dict[str, str], list[Module]]:
    """Give the Python of the package by its file name, not formatted yet, and the modules."""
    from generator.output import render  # noqa: PLC0415  # listing models needs no templates
    from generator.output.classes import module_of  # noqa: PLC0415  # as above

    modules = [module_of(model) for model in found.selection.models]
    texts = {f"{module.model.module}.py": render.render_module(module) for module in modules}
    for name in ("__init__.py", "__main__.py", "capabilities.py", "catalog.py"):
        texts[name] = render.render(name, modules=modules, offered=found.offered)
    return texts, modules


def files_of(found: Found, inputs: Inputs) -> tuple[dict[str, str], list[Module]]:
    """Give the text of every generated file by its name, and the modules.

    Raises:
        GeneratorError: nothing was selected, or a text cannot be formatted.
    """
    from generator.output import files, manifest, render  # noqa: PLC0415  # listing models needs no templates

    require_models(found, inputs)
    texts, modules = package_of(found)
    made = {**files.formatted(texts), "API.md": render.render("API.md", modules=modules), "py.typed": ""}
    sources = {
        model.module: {"model": model.model, "source": inputs.names[model.file]} for model in found.selection.models
    }
    made[manifest.MANIFEST] = manifest.manifest(made, found.digests, sources)
    return made, modules
