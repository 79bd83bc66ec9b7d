"""The lines that an update adds to CHANGELOG.md, in the form of keepachangelog.com."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.diagnostics import GeneratorError, counted, visible
from generator.writing import replace_files

from . import models, revisions
from .change import SHARED
from .report import code, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.run import Found

    from .change import Change
    from .report import Line

HEADINGS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED: Final = "## [Unreleased]"
BEGIN: Final = "<!-- Since"
END: Final = "<!-- End of what `make update` writes -->"
BLOCK: Final = re.compile(rf"^{BEGIN} (.*?): .*$(?s:.*?)^{END}$", re.MULTILINE)
OWN: Final = {"removed": "Removed", "deprecated": "Deprecated", "capability": "Added"}
"""The headings of some kinds of which each change has a line of its own."""

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
    new = [line.change.model for line in lines if line.is_whole and line.change.kind == "added"]
    if new:
        found["Added"].append(f"- {counted(len(new), 'model')}: {_listed(new)}.")
    for line in lines:
        if line.change.kind in OWN:
            found[OWN[line.change.kind]].append(_entry(line))
        elif line.change.breaking or line.change.kind in ("changed", "moved"):
            found["Changed"].append(_entry(line))
    gathered = [line for line in lines if not (line.is_whole or line.change.breaking)]
    for heading, kind, words in GATHERED:
        places: dict[tuple[str, ...], dict[str, None]] = {}
        for line in gathered:
            if line.change.kind == kind:
                places.setdefault(line.models, {})[line.subject or "the payload"] = None
        found[heading] += [f"- {_subject(names)}: {words}{_listed(own)}." for names, own in places.items()]
    cosmetic = {model for line in gathered if line.is_cosmetic for model in line.models}
    if cosmetic:
        found["Changed"].append(f"- Order and wording of {counted(len(cosmetic), 'model')}.")
    return {heading: items for heading, items in found.items() if items}


def as_changelog(changes: Sequence[Change], level: str = "###") -> str:
    """Give the lines with their headings; nothing where nothing changed."""
    return "\n".join("\n".join([f"{level} {heading}", "", *items, ""]) for heading, items in entries(changes).items())


def write_in(path: Path, first: str, new: Found, config: Path | None) -> None:
    """Write what has changed since the last release anew, into a block of its own below `[Unreleased]`.

    All else in the file stays. Where git knows no release, the block tells since when it counts: since the revision
    `first`, which was compared when the block was first written.

    Raises:
        GeneratorError: the file cannot be read or written, or has no such heading, or the block lacks one of its marks;
            or the revision since which it counts is not there.
    """
    try:
        found = path.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise GeneratorError(visible(f"{path.as_posix()}: cannot be read: {error}")) from error
    text, end = found.replace("\r\n", "\n"), "\n"
    if text != found:
        end = "\r\n"
    before, heading, rest = text.partition(f"{UNRELEASED}\n")
    if not heading:
        raise GeneratorError(f"{path.name}: has no heading {UNRELEASED!r}; put it back")
    section, *others = re.split(r"^(?=## |\[[^\]]+\]:)", rest, maxsplit=1, flags=re.MULTILINE)
    above, counted, below = section, None, ""
    if block := BLOCK.search(section):
        above, counted, below = section[: block.start()], block[1], section[block.end() :]
    if re.search(f"^(?:{BEGIN}|{END})", f"{above}\n{below}", re.MULTILINE):
        raise GeneratorError(f"{path.name}: the block of `make update` lacks a mark, or stands there twice; remove it")
    since = revisions.beginning(first, counted)
    try:
        old = revisions.found_in(since, config)
    except GeneratorError as error:
        raise GeneratorError(f"{path.name}: tells what changed since {since}: {error}") from error
    lines = as_changelog(models.compare(old, new), "####")
    parts = [above, below, *others]
    if lines or counted:
        begin = f"{BEGIN} {visible(Path(since).absolute().name)}: `make update` writes this anew; write above it -->"
        parts[1:1] = [begin, "### Models", lines, END]
    body = "\n\n".join(filter(None, (part.strip("\n") for part in parts)))
    replace_files({path: f"{before}{heading}\n{body}\n".replace("\n", end).encode()})


def _entry(line: Line) -> str:
    subject = breaking = ""
    if not line.is_whole:
        subject = f"{_subject(line.models)}: "
    if line.change.breaking:
        breaking = "**Breaking:** "
    return f"- {breaking}{subject}{line.text(code)}."


def _subject(names: tuple[str, ...]) -> str:
    if names == (SHARED,):
        return "All models"
    if len(names) == 1:
        return code(names[0])
    return f"{len(names)} models"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
