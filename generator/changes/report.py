"""Changes, told to a reviewer: for a terminal, for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from generator.diagnostics import visible

from .change import COSMETIC, SHARED, Change
from .prose import count
from .version import propose

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
        """Whether it says that a model was added or removed."""
        change = self.change
        return change.kind in ("added", "removed") and not change.path and change.model != SHARED

    @property
    def is_cosmetic(self) -> bool:
        """Whether it is about order and wording alone."""
        return self.change.kind in COSMETIC

    @property
    def subject(self) -> str:
        """What it is about: the place, with the classes or answers that it is in; of a whole model, its id."""
        place = self.change.place
        if self.is_whole:
            return self.change.model
        if len(self.scopes) == 1:
            return self.change.path
        if not place:
            return ", ".join(self.scopes)
        return f"{place} ({', '.join(self.scopes)})"

    def text(self, quote: Callable[[str], str]) -> str:
        """Say what happened to what; `quote` is given whatever is not our own text."""
        return _joined(self.subject and quote(self.subject), self.change.text(quote))


def as_json(changes: Sequence[Change]) -> str:
    """Give the changes as a JSON list, one object for each."""
    names = "model", "kind", "rule", "path", "old", "new", "breaking", "file", "pointer"
    rows = [
        {name: getattr(change, name) for name in names} | {"text": _joined(change.path, change.text())}
        for change in changes
    ]
    return json.dumps(rows, indent=2) + "\n"


def as_text(changes: Sequence[Change]) -> str:
    """Give the changes for a terminal: a block for each model, what breaks first."""
    out: list[str] = []
    for section in sections(changes):
        out.append(_title(section, visible))
        for line in section:
            mark = "BREAKS" if line.change.breaking else "      "
            out.append(f"  {mark}  {line.change.kind:<9}  {line.text(visible)}")
        out.append("")
    return "\n".join([*out, _summary(changes), propose(changes)]) + "\n"


def as_markdown(changes: Sequence[Change]) -> str:
    """Give the changes for a pull request. Whatever is not our own text stands in code, so that none of it acts."""
    out: list[str] = []
    for section in sections(changes):
        plain = [_item(line) for line in section if not line.is_cosmetic]
        cosmetic = [_item(line) for line in section if line.is_cosmetic]
        out += ["", f"### {_title(section, code)}", "", *plain]
        if plain and cosmetic:
            out.append("")
        if cosmetic:
            summary = f"<details><summary>Order and wording ({len(cosmetic)})</summary>"
            out += [summary, "", *cosmetic, "", "</details>"]
    head = f"**{_summary(changes)}** Proposed {propose(changes)}."
    return "\n".join([head, *_within(out, LONGEST)]) + "\n"


def sections(changes: Sequence[Change]) -> list[list[Line]]:
    """Gather lines under headings: those of several models alike, those of each model, what breaks first."""
    lines = lines_of(changes)
    found = [[line for line in lines if line.is_whole and line.change.kind == kind] for kind in ("removed", "added")]
    lines = [line for line in lines if not line.is_whole]
    for models in sorted(dict.fromkeys(line.models for line in lines), key=lambda models: len(models) == 1):
        own = [line for line in lines if line.models == models]
        found.append(sorted(own, key=lambda line: (not line.change.breaking, line.is_cosmetic)))
    return sorted(filter(None, found), key=lambda section: not any(line.change.breaking for line in section))


def lines_of(changes: Iterable[Change]) -> list[Line]:
    """Put together what is said of several classes of a model, then what is said of the answers of several models."""
    classes: dict[tuple[str, bool, str], list[Change]] = {}
    for change in changes:
        same = repr(replace(change, scope="", model="", pointer="", file=""))
        is_answer = "." in change.scope and change.model != SHARED
        classes.setdefault((change.model, is_answer, same), []).append(change)
    lines: dict[tuple[str, tuple[str, ...], str], list[Change]] = {}
    for (model, is_answer, same), group in classes.items():
        owner = "" if is_answer else model
        lines.setdefault((owner, tuple(change.scope for change in group), same), []).append(group[0])
    return [Line(group[0], scopes, tuple(change.model for change in group)) for (_, scopes, _), group in lines.items()]


def code(text: str) -> str:
    """Write a text as code in Markdown, whatever it holds."""
    shown = visible(text) or '""'
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    edge = ""
    if shown[0] in "` " or shown[-1] in "` ":
        edge = " "
    return f"{fence}{edge}{shown}{edge}{fence}"


def _joined(subject: str, text: str) -> str:
    return ": ".join(filter(None, (subject, text)))


def _title(section: Sequence[Line], quote: Callable[[str], str]) -> str:
    [first, *_] = section
    if first.is_whole and first.change.kind == "added":
        return f"New models ({len(section)})"
    if first.is_whole:
        return f"Models that are gone ({len(section)})"
    if first.models == (SHARED,):
        return "All models"
    names = ", ".join(map(quote, first.models))
    if len(first.models) == 1:
        return names
    return f"{len(first.models)} models: {names}"


def _item(line: Line) -> str:
    if line.change.breaking:
        return f"- **breaks** · {line.change.kind} · {line.text(code)}"
    return f"- {line.change.kind} · {line.text(code)}"


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing changed."
    match sum(change.breaking for change in changes):
        case 0:
            result = "none breaks a caller"
        case 1:
            result = "1 of them breaks callers"
        case breaking:
            result = f"{breaking} of them break callers"
    return f"{count(len(changes), 'change')}; {result}."


def _within(lines: list[str], most: int) -> list[str]:
    """Give as many lines as fit, whole, and say how many do not."""
    total = 0
    for index, line in enumerate(lines):
        total += len(line) + 1
        if total > most:
            kept = lines[:index]
            if kept.count("</details>") < "\n".join(kept).count("<details>"):
                kept += ["", "</details>"]
            rest = f"{len(lines) - index} more lines do not fit here; `python -m generator changes` shows them all."
            return [*kept, "", rest]
    return lines
