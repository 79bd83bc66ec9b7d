"""The table of models in README.md, between its markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import GeneratorError

from .render import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .classes import Module

BEGIN = "<!-- models: begin (written by `make generate`) -->\n"
END = "<!-- models: end -->\n"


def with_models(readme: Path, modules: Sequence[Module]) -> str:
    """Give the text of README.md with the table of these models.

    Raises:
        GeneratorError: the file cannot be read or lacks a marker.
    """
    try:
        text = readme.read_text("utf-8")
    except OSError as error:
        raise GeneratorError(f"{readme.name}: cannot be read: {error.strerror}") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise GeneratorError(f"{readme.name}: lacks the markers {BEGIN.strip()!r} and {END.strip()!r}; put them back")
    return f"{before}{BEGIN}{render('models.md', modules=modules)}{END}{after}"
