"""What the generator tells of the models of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.diagnostics import Diagnostics
from generator.output.classes import module_of
from generator.output.pages import page_of
from generator.output.skill import texts_of
from generator.run import Inputs, read

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from generator.output.pages import Page


def told_of(folder: Path) -> dict[str, Page]:
    """Give the page of each model that a folder describes, by its module."""
    found = read(Inputs.beside(folder / "openapi.json", None, None), Diagnostics())
    return {model.module: page_of(module_of(model)) for model in found.selection.models}


def is_taken(example: dict[str, Any], module: ModuleType, name: str) -> bool:
    """Tell whether a module takes an example as it is, and as a payload of this class."""
    payload = module.parse(example)
    return type(payload).__name__ == name and payload.to_dict() == example


def texts_in(folder: Path) -> dict[str, str]:
    """Give the texts that are made beside the package for what a folder describes."""
    found = read(Inputs.beside(folder / "openapi.json", None, None), Diagnostics())
    return texts_of([module_of(model) for model in found.selection.models], found.offered, {})


def reference_in(folder: Path) -> str:
    """Give the reference of the only model that a folder describes."""
    texts = texts_in(folder)
    [name] = [name for name in texts if "/references/" in name and not name.endswith(("models.md", "platform.md"))]
    return texts[name]
