"""The skill and its references: one text for each model, which `make generate` writes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

SKILL: Final = "SKILL.md"
MODELS: Final = "references/models.md"
PLATFORM: Final = "references/platform.md"


def text(package: str, name: str = SKILL) -> str:
    """Give a text of the skill: `SKILL`, `MODELS`, `PLATFORM`, or `reference_of(module)`.

    `package` is the name of the package of models. An installed one holds the skill; that of a checkout has it in the
    repository's `skills/`.

    Raises:
        FileNotFoundError: the package has no skill, as one that was generated elsewhere, or there is no such text.
    """
    return (folder(package) / name).read_text("utf-8")


def reference_of(module: str) -> str:
    """Name the text of a model by its module, as the catalog tells it."""
    return f"references/{module}.md"


def folder(package: str) -> Path:
    """Give the folder of the skill, which agents can be given as it is.

    Raises:
        FileNotFoundError: the package has no skill.
    """
    home = Path(str(files(package)))
    for place in (home / "skill", home.parents[1] / "skills" / home.name.replace("_", "-")):
        if (place / SKILL).is_file():
            return place
    raise FileNotFoundError(
        f"{package} has no skill: `make generate` writes one for the package of the repository alone"
    )
