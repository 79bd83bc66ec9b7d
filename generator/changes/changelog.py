"""The lines that an update adds to CHANGELOG.md, in the form of keepachangelog.com."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.diagnostics import GeneratorError, visible
from generator.writing import replace_files

from .change import SHARED
from .prose import count
from .report import code, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from .change import Change
    from .report import Line

HEADINGS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED: Final = "## [Unreleased]"
GATHERED: Final = (
    ("Added", "added", "new: "),
    ("Changed", "loosened", "more is possible in "),
    ("Changed", "tightened", "answers are narrower in "),
)
"""What is told in one line of a model: the heading, the kind, and what is said before the places."""


def entries(changes: Sequence[Change]) -> dict[str, list[str]]:
    """Give the lines below each heading. What breaks has a line of its own; the rest is gathered model by model."""
    lines = lines_of(changes)
    found: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    models = [line.change.model for line in lines if line.is_whole and line.change.kind == "added"]
    if models:
        found["Added"].append(f"- {count(len(models), 'model')}: {_listed(models)}.")
    for line in lines:
        if line.change.kind == "removed":
            found["Removed"].append(_entry(line))
        elif line.change.breaking or line.change.kind in ("changed", "moved"):
            found["Changed"].append(_entry(line))
    gathered = [line for line in lines if not (line.is_whole or line.change.breaking)]
    for heading, kind, words in GATHERED:
        places: dict[tuple[str, ...], dict[str, None]] = {}
        for line in gathered:
            if line.change.kind == kind:
                places.setdefault(line.models, {})[line.subject or "the payload"] = None
        found[heading] += [f"- {_subject(models)}: {words}{_listed(own)}." for models, own in places.items()]
    cosmetic = {model for line in gathered if line.is_cosmetic for model in line.models}
    if cosmetic:
        found["Changed"].append(f"- Order and wording of {count(len(cosmetic), 'model')}.")
    return {heading: items for heading, items in found.items() if items}


def as_changelog(changes: Sequence[Change]) -> str:
    """Give the lines with their headings; nothing where nothing changed."""
    return "\n".join("\n".join([f"### {heading}", "", *items, ""]) for heading, items in entries(changes).items())


def write_in(path: Path, changes: Sequence[Change]) -> None:
    """Put the lines that are missing below `[Unreleased]`.

    Raises:
        GeneratorError: the file cannot be read or written, or has no such heading.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise GeneratorError(visible(f"{path.as_posix()}: cannot be read: {error}")) from error
    before, heading, rest = text.partition(f"{UNRELEASED}\n")
    if not heading:
        raise GeneratorError(f"{path.name}: has no heading {UNRELEASED!r}; put it back")
    section, *others = re.split(r"^(?=## |\[[^\]]+\]:)", rest, maxsplit=1, flags=re.MULTILINE)
    text = before + heading
    if body := _with_entries(section, entries(changes)):
        text += f"\n{body}\n"
    replace_files({path: "\n".join([text, *others]).encode("utf-8")})


def _with_entries(section: str, added: Mapping[str, Sequence[str]]) -> str:
    """Give the text below `[Unreleased]` with these lines, each once, and the headings in their order."""
    title = ""
    blocks = {heading: list[str]() for heading in (title, *HEADINGS)}
    for line in section.splitlines():
        if line.startswith("### "):
            title = line.removeprefix("### ").strip()
            blocks.setdefault(title, [])
        else:
            blocks[title].append(line)
    for heading, items in added.items():
        blocks[heading] = [*_trimmed(blocks[heading]), *(item for item in items if item not in blocks[heading])]
    start = "\n".join(_trimmed(blocks.pop("")))
    parts = ["\n".join([f"### {heading}", "", *_trimmed(lines)]) for heading, lines in blocks.items() if lines]
    return "\n\n".join(filter(None, [start, *parts]))


def _trimmed(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").splitlines()


def _entry(line: Line) -> str:
    subject = breaking = ""
    if not line.is_whole:
        subject = f"{_subject(line.models)}: "
    if line.change.breaking:
        breaking = "**Breaking:** "
    return f"- {breaking}{subject}{line.text(code)}."


def _subject(models: tuple[str, ...]) -> str:
    if models == (SHARED,):
        return "All models"
    if len(models) == 1:
        return code(models[0])
    return f"{len(models)} models"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
