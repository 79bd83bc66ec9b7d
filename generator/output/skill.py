"""The texts beside the package: the table of models in README.md, the skill of agents, and llms.txt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.diagnostics import GeneratorError

from .pages import page_of
from .render import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from generator.inputs.offered import Offered

    from .classes import Module
    from .pages import Page

SKILL: Final = "skills/skills-video"
TEXTS: Final = {
    "skill/SKILL.md": f"{SKILL}/SKILL.md",
    "skill/platform.md": f"{SKILL}/references/platform.md",
    "skill/model_list.md": f"{SKILL}/references/models.md",
    "skill/llms.txt": "llms.txt",
}
"""Where the text of each template goes, from the root of the repository."""

BEGIN: Final = "<!-- models: begin (written by `make generate`) -->\n"
END: Final = "<!-- models: end -->\n"
"""What stands around the table of models in README.md."""

MOST_FAMILIES: Final = 25
_FAMILY: Final = re.compile("[A-Za-z]{2,20}")


def texts_of(modules: Sequence[Module], offered: Offered, inferred: Mapping[str, str]) -> dict[str, str]:
    """Give the texts by their paths from the root of the repository.

    `offered` is what the platform offers beside its models. `inferred` tells by model id what was not read; of a model
    that it lacks, nothing is known.
    """
    pages = [page_of(module, inferred.get(module.model.model)) for module in modules]
    texts = {f"{SKILL}/references/{page.module}.md": render("skill/reference.md", page=page) for page in pages}
    about = {"pages": pages, "offered": offered, "skill": SKILL, "families": _families(pages)}
    return texts | {path: render(name, **about) for name, path in TEXTS.items()}


def _families(pages: Sequence[Page]) -> list[str]:
    """Give the first words of titles, each once: plain words alone, as agents read them before anything else."""
    words = [page.title.partition(" ")[0] for page in pages]
    return list(dict.fromkeys(word for word in words if _FAMILY.fullmatch(word)))[:MOST_FAMILIES]


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
