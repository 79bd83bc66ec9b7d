"""Changes that somebody has looked at and accepts: `[[tool.generator.accepted]]` in pyproject.toml, with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.diagnostics import GeneratorError
from generator.json_values import object_of
from generator.settings import accepted_entries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from generator.diagnostics import Diagnostics

    from .change import Change

NEEDED: Final = ("rule", "reason")
NAMES: Final = ("model", "path", *NEEDED)


def accept(changes: Sequence[Change], config: Path | None, diagnostics: Diagnostics) -> list[Change]:
    """Give the changes, those that are accepted with the reason. An entry that is about none is warned of.

    Raises:
        GeneratorError: an entry says something else than a rule, a reason, and where they count a model and a path.
    """
    marked = list(changes)
    for index, entry in enumerate(accepted_entries(config)):
        said = object_of(entry)
        unknown = sorted(said.keys() - set(NAMES))
        texts = [value for value in said.values() if isinstance(value, str) and value.strip()]
        if unknown or len(texts) != len(said) or any(name not in said for name in NEEDED):
            words = "a rule and a reason is expected, and a model and a path if they count, each as a text"
            raise GeneratorError(f"{config}: [[tool.generator.accepted]] {entry!r}: {words}")
        wanted = {name: said[name] for name in ("rule", "model", "path") if name in said}
        matching = [
            at
            for at, change in enumerate(marked)
            if all(getattr(change, name) == value for name, value in wanted.items())
        ]
        for at in matching:
            marked[at] = replace(marked[at], accepted=said["reason"])
        if not matching:
            place = ", ".join(f"{name} {value!r}" for name, value in wanted.items())
            file = (config and config.name) or "pyproject.toml"
            diagnostics.warn(file, f"/tool/generator/accepted/{index}", f"accepts no change: {place}; remove it")
    return marked
