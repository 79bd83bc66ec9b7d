"""Changes, told to a reviewer: for a terminal, for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from generator.diagnostics import visible

from .change import COSMETIC, SHARED, Change
from .version import count, propose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LONGEST: Final = 60_000
"""Characters of the longest Markdown. GitHub takes 65,536 in the text of a pull request."""


@dataclass(frozen=True, slots=True)
class Line:
    """Changes that say the same: in several payload classes of a model, or in the answers of several models."""

    change: Change
    scopes: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it says that a model came or went."""
        return _is_whole(self.change)

    @property
    def subject(self) -> str:
        """What it is about: the place, with the classes or answers that it is in; of a whole model, its id."""
        change = self.change
        if self.is_whole:
            return change.model
        if len(self.scopes) == 1 or not change.place:
            return ", ".join(".".join(filter(None, (scope, change.place))) for scope in self.scopes)
        return f"{change.place} ({', '.join(self.scopes)})"


@dataclass(frozen=True, slots=True)
class Section:
    """What is said under one heading: of a model, or of several."""

    models: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def is_breaking(self) -> bool:
        """Whether anything in it breaks a caller."""
        return any(line.change.breaking for line in self.lines)


def as_json(changes: Sequence[Change]) -> str:
    """Give the changes as a JSON list, one object for each."""
    rows = [
        {
            "model": change.model,
            "kind": change.kind,
            "path": change.path,
            "old": change.old,
            "new": change.new,
            "breaking": change.breaking,
            "text": ": ".join(filter(None, (change.path, change.text()))),
        }
        for change in changes
    ]
    return json.dumps(rows, indent=2) + "\n"


def as_text(changes: Sequence[Change]) -> str:
    """Give the changes for a terminal: a block for each model, what breaks first."""
    out: list[str] = []
    for section in sections(changes):
        out.append(_title(section, visible))
        for line in section.lines:
            mark = "BREAKS" if line.change.breaking else "      "
            out.append(f"  {mark}  {line.change.kind:<9}  {said(line, visible)}")
        out.append("")
    return "\n".join([*out, _summary(changes), str(propose(changes))]) + "\n"


def as_markdown(changes: Sequence[Change]) -> str:
    """Give the changes for a pull request. Whatever is not our own text stands in code, so that none of it acts."""
    head = [f"**{_summary(changes)}** Proposed {propose(changes)}."]
    out: list[str] = []
    for section in sections(changes):
        out += ["", f"### {_title(section, code)}", ""]
        plain = [line for line in section.lines if line.change.kind not in COSMETIC]
        out += [_item(line) for line in plain]
        if len(plain) < len(section.lines):
            cosmetic = [line for line in section.lines if line.change.kind in COSMETIC]
            summary = f"Order and wording ({len(cosmetic)})"
            lines = [_item(line) for line in cosmetic]
            out += [*([""] if plain else []), f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]
    return "\n".join([*head, *_within(out, LONGEST)]) + "\n"


def sections(changes: Sequence[Change]) -> list[Section]:
    """Gather changes under headings: those of several models alike, those of each model, what breaks first."""
    whole = [change for change in changes if _is_whole(change)]
    lines = lines_of(change for change in changes if not _is_whole(change))
    found = [
        Section(tuple(change.model for change in group), tuple(lines_of(group)))
        for kind in ("removed", "added")
        if (group := [change for change in whole if change.kind == kind])
    ]
    order = list(dict.fromkeys(line.models for line in lines))
    order.sort(key=lambda models: len(models) == 1)
    for models in order:
        own = [line for line in lines if line.models == models]
        own.sort(key=lambda line: (not line.change.breaking, line.change.kind in COSMETIC))
        found.append(Section(models, tuple(own)))
    return sorted(found, key=lambda section: not section.is_breaking)


def code(text: str) -> str:
    """Write a text as code in Markdown, whatever it holds."""
    shown = visible(text) or '""'
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def _is_whole(change: Change) -> bool:
    """Tell whether a change is that a model came or went."""
    return change.kind in ("added", "removed") and not change.path and change.model != SHARED


def lines_of(changes: Iterable[Change]) -> list[Line]:
    """Put together what is said of several classes of a model, then what is said of the answers of several models."""
    classes: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        bare = replace(change, scope="answer" if _is_answer(change) else "", model="")
        classes.setdefault((change.model, repr(bare)), []).append(change)
    lines: dict[tuple[str, tuple[str, ...], str], list[Change]] = {}
    for (model, same), group in classes.items():
        scopes = tuple(change.scope for change in group)
        lines.setdefault((same, scopes, "" if _is_answer(group[0]) else model), []).append(group[0])
    return [Line(group[0], scopes, tuple(change.model for change in group)) for (_, scopes, _), group in lines.items()]


def _is_answer(change: Change) -> bool:
    return "." in change.scope and change.model != SHARED


def _title(section: Section, quote: Callable[[str], str]) -> str:
    first = section.lines[0]
    if first.is_whole:
        return f"{'New models' if first.change.kind == 'added' else 'Models that are gone'} ({len(section.lines)})"
    if len(section.models) > 1:
        return f"{len(section.models)} models: {', '.join(map(quote, section.models))}"
    return "All models" if SHARED in section.models else quote("".join(section.models))


def said(line: Line, quote: Callable[[str], str]) -> str:
    """Say what a line says of what."""
    return ": ".join(filter(None, (line.subject and quote(line.subject), line.change.text(quote))))


def _item(line: Line) -> str:
    return f"- {'**breaks** · ' if line.change.breaking else ''}{line.change.kind} · {said(line, code)}"


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing changed."
    breaking = sum(change.breaking for change in changes)
    if not breaking:
        return f"{count(len(changes), 'change')}; none breaks a caller."
    return f"{count(len(changes), 'change')}; {breaking} of them break{'s' if breaking == 1 else ''} callers."


def _within(lines: list[str], most: int) -> list[str]:
    """Give as many lines as fit, whole, and say how many do not."""
    total = 0
    for index, line in enumerate(lines):
        total += len(line) + 1
        if total > most:
            end = (
                ["", "</details>"]
                if lines[:index].count("</details>") < "\n".join(lines[:index]).count("<details>")
                else []
            )
            rest = f"{len(lines) - index} more lines do not fit here; `python -m generator changes` shows them all."
            return [*lines[:index], *end, "", rest]
    return lines
