"""The lines that an update adds to CHANGELOG.md, in the form of keepachangelog.com."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.diagnostics import GeneratorError, visible
from generator.output import files as output

from .change import COSMETIC
from .report import code, lines_of, said
from .version import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from .change import Change
    from .report import Line

HEADINGS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED: Final = "## [Unreleased]"


def entries(changes: Sequence[Change]) -> dict[str, list[str]]:
    """Give the lines below each heading. What breaks has a line of its own; the rest is gathered model by model."""
    lines = lines_of(changes)
    found: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    came = [line.change.model for line in lines if line.is_whole and line.change.kind == "added"]
    if came:
        found["Added"].append(f"- {count(len(came), 'model')}: {_listed(came)}.")
    rest = [line for line in lines if not (line.is_whole and line.change.kind == "added")]
    for line in rest:
        if line.change.breaking or line.change.kind in ("changed", "moved", "removed"):
            heading = "Removed" if line.change.kind == "removed" else "Changed"
            breaking = "**Breaking:** " if line.change.breaking else ""
            found[heading].append(f"- {breaking}{_of(line.models, line)}{said(line, code)}.")
    gathered = [line for line in rest if not line.change.breaking]
    for heading, kinds, words in (
        ("Added", ("added",), "new: "),
        ("Changed", ("loosened",), "more is possible in "),
        ("Changed", ("tightened",), "answers are narrower in "),
    ):
        for models in dict.fromkeys(line.models for line in gathered):
            subjects = [line.subject or "the payload" for line in gathered
                        if line.models == models and line.change.kind in kinds]  # fmt: skip
            if subjects:
                found[heading].append(f"- {_models(models)}: {words}{_listed(dict.fromkeys(subjects))}.")
    cosmetic = dict.fromkeys(model for line in gathered if line.change.kind in COSMETIC for model in line.models)
    if cosmetic:
        found["Changed"].append(f"- Order and wording of {count(len(cosmetic), 'model')}.")
    return {heading: items for heading, items in found.items() if items}


def as_changelog(changes: Sequence[Change]) -> str:
    """Give the lines with their headings; nothing where nothing changed."""
    blocks = [
        f"### {heading}\n\n" + "".join(f"{item}\n" for item in items) for heading, items in entries(changes).items()
    ]
    return "\n".join(blocks)


def write_in(path: Path, changes: Sequence[Change]) -> None:
    """Put the lines that are missing below `[Unreleased]`.

    Raises:
        GeneratorError: the file cannot be read or written, or has no such heading.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise GeneratorError(visible(f"{path.as_posix()}: cannot be read: {error}")) from error
    output.write(path.parent, {path.name: with_entries(text, entries(changes), path.name)})


def with_entries(text: str, added: Mapping[str, Sequence[str]], name: str) -> str:
    """Give the text of a changelog with these lines below `[Unreleased]`, each once.

    Raises:
        GeneratorError: it has no such heading.
    """
    before, heading, rest = text.partition(f"{UNRELEASED}\n")
    if not heading:
        raise GeneratorError(f"{name}: has no heading {UNRELEASED!r}; put it back")
    cut = re.search(r"^(?:## |\[[^\]]+\]:)", rest, re.MULTILINE)
    section, after = (rest[: cut.start()], rest[cut.start() :]) if cut else (rest, "")
    blocks: dict[str, list[str]] = {"": []}
    title = ""
    for line in section.splitlines():
        if line.startswith("### "):
            title = line.removeprefix("### ").strip()
            blocks.setdefault(title, [])
        else:
            blocks[title].append(line)
    for kind, items in added.items():
        own = blocks.setdefault(kind, [])
        own[:] = [*_trimmed(own), *(item for item in items if item not in own)]
    known = [kind for kind in HEADINGS if kind in blocks]
    order = ["", *known, *(kind for kind in blocks if kind not in (*known, ""))]
    parts = [
        "\n".join([*([f"### {kind}", ""] if kind else []), *_trimmed(blocks[kind])]) for kind in order if blocks[kind]
    ]
    body = "\n\n".join(part for part in parts if part)
    return f"{before}{UNRELEASED}\n" + (f"\n{body}\n" if body else "") + (f"\n{after}" if after else "")


def _trimmed(lines: list[str]) -> list[str]:
    text = "\n".join(lines).strip("\n")
    return text.split("\n") if text else []


def _of(models: tuple[str, ...], line: Line) -> str:
    return "" if line.is_whole else f"{_models(models)}: "


def _models(models: tuple[str, ...]) -> str:
    if models == ("*",):
        return "All models"
    return code(models[0]) if len(models) == 1 else f"{len(models)} models"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
