"""The whole run: inputs in, texts of files out. Writing them is left to whoever asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from generator.inputs import overrides
from generator.inputs.description import Description, description_of, load_json
from generator.inputs.navigation import tagged_operations, video_operations
from generator.inputs.selection import select

from .diagnostics import GeneratorError
from .names import distinct
from .settings import module_names, settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from generator.inputs.navigation import Listed, PassedOver
    from generator.inputs.selection import Selection
    from generator.output.classes import Module

    from .diagnostics import Diagnostics


SETTINGS: Final = "pyproject.toml#/tool/generator"
"""What MANIFEST.json calls the settings that decide the output, where there are any."""


@dataclass(frozen=True)
class Inputs:
    """The files of a run. Of the descriptions the first is the platform's, the others are model-scoped."""

    openapi: tuple[Path, ...]
    docs: Path | None
    config: Path | None

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each input by its path, the same on every machine: from the folder of the first description on.

        An input that stands elsewhere has its own name alone, with a number where that is taken.
        """
        home = self.openapi[0].resolve().parent
        taken: list[str] = []
        names: dict[str, str] = {}
        for path in filter(None, (*self.openapi, self.docs)):
            resolved = path.resolve()
            if resolved.is_relative_to(home):
                taken.append(resolved.relative_to(home).as_posix())
            else:
                taken.append(distinct(path.name, taken))
            names.setdefault(path.as_posix(), taken[-1])
        return names


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: the selected models, the digest of each input by its name, and the descriptions."""

    selection: Selection
    digests: dict[str, str]
    descriptions: tuple[Description, ...]


def read(inputs: Inputs, diagnostics: Diagnostics) -> Found:
    """Read the inputs and select the models.

    Raises:
        GeneratorError: an input cannot be used, or nothing says which models are videos.
    """
    corrections = overrides.read_overrides(inputs.config)
    digests = _settings_digest(inputs.config)

    def load(path: Path) -> tuple[dict[str, Any], str]:
        """Load an input, and correct it before anything else reads it."""
        document, digest = load_json(path, diagnostics)
        name = inputs.names[path.as_posix()]
        names = [name]
        if path == inputs.openapi[0]:
            names.append("")
        overrides.apply([item for item in corrections if item.file in names], document, diagnostics)
        digests[name] = digest
        return document, digest

    descriptions = [description_of(*load(path), path.as_posix()) for path in inputs.openapi]
    listing = descriptions[0].file
    listed: Sequence[Listed | PassedOver]
    if inputs.docs:
        document, _ = load(inputs.docs)
        listing = inputs.docs.as_posix()
        listed = video_operations(document, listing, descriptions, diagnostics)
    else:
        listed = tagged_operations(descriptions)
    overrides.unused(corrections, digests, diagnostics)
    selection = select(listed, listing, descriptions, module_names(inputs.config), diagnostics)
    return Found(selection, digests, tuple(descriptions))


def _settings_digest(config: Path | None) -> dict[str, str]:
    """Give the digest of the settings that decide the output, if there are any."""
    tables = {name: settings(config, name) for name in ("modules", "overrides")}
    if not any(tables.values()):
        return {}
    text = json.dumps(tables, sort_keys=True, default=str)
    return {SETTINGS: hashlib.sha256(text.encode("utf-8")).hexdigest()}


def files_of(found: Found, inputs: Inputs, diagnostics: Diagnostics) -> tuple[dict[str, str], list[Module]]:
    """Give the text of every generated file by its name, and the modules.

    Raises:
        GeneratorError: nothing was selected, or a text cannot be formatted.
    """
    from generator.output import files, manifest, render  # noqa: PLC0415  # listing models needs no templates
    from generator.output.classes import module_of  # noqa: PLC0415  # as above

    if not found.selection.models:
        listing = (inputs.docs or inputs.openapi[0]).as_posix()
        message = "no model is left of what it lists, for the reasons above; nothing is written"
        raise GeneratorError(f"{listing}: {message}")
    modules = [module_of(model, diagnostics) for model in found.selection.models]
    texts = {f"{module.model.module}.py": render.render_module(module) for module in modules}
    texts |= {name: render.render_package(modules, name) for name in ("__init__.py", "__main__.py", "catalog.py")}
    made = {**files.formatted(texts), "API.md": render.render_package(modules, "API.md"), "py.typed": ""}
    sources = {
        model.module: {"model": model.model, "source": inputs.names[model.file]} for model in found.selection.models
    }
    made[manifest.MANIFEST] = manifest.manifest(made, found.digests, sources)
    return made, modules
