"""Changes, told to a reviewer: for a terminal, for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from generator.diagnostics import counted, visible

from .change import COSMETIC, SHARED, Change
from .version import propose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CALLS: Final = ("parameter", "server", "security", "request-media")
"""What changes are about that concern calls, whatever is sent."""

BESIDE: Final = (*CALLS, "operation", "answer-header", "deprecation", "listing")

RANKS: Final = ("breaks", "may break", "")
HTML: Final = "<>&\"'@#*_`~|[]()!:/\\"
"""What may act in the summary of something to unfold."""

MOST_OF_A_KIND: Final = 3
"""How many changes of a kind that break nobody have lines of their own in the Markdown of a model."""

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
    def is_of_all(self) -> bool:
        """Whether it is about all models that both revisions have, or about what they share."""
        return self.models == (SHARED,) or len(self.models) == self.change.models > 1

    @property
    def is_beside(self) -> bool:
        """Whether it is about how all is called, or about what no model has of its own."""
        return self.is_of_all and (self.models == (SHARED,) or self.change.about.startswith(BESIDE))

    @property
    def rank(self) -> tuple[bool, int, bool, bool]:
        """What it is sorted by: what breaks calls whatever they send, what breaks, what is on offer, and order last."""
        change = self.change
        is_of_calls = change.breaking and change.about.startswith(CALLS)
        return not is_of_calls, RANKS.index(change.verdict), change.kind != "capability", self.is_cosmetic

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
        text = _joined(self.subject and quote(self.subject), self.change.text(quote))
        if len(self.models) == 1:
            return text
        if self.is_of_all:
            return f"{text}, in all {len(self.models)} models"
        return f"{text} ({len(self.models)} models: {', '.join(map(quote, self.models))})"


def as_json(changes: Sequence[Change]) -> str:
    """Give the changes as a JSON list, one object for each."""
    names = "model", "kind", "rule", "path", "old", "new", "breaking", "verdict", "accepted", "file", "pointer"
    rows = [
        {name: getattr(change, name) for name in names}
        | {"text": _joined(change.path, change.text()), "witness": change.witness and asdict(change.witness)}
        for change in changes
    ]
    return json.dumps(rows, indent=2) + "\n"


def as_text(changes: Sequence[Change]) -> str:
    """Give the changes for a terminal: a block for each model, what breaks first, with what shows it."""
    out: list[str] = []
    for section in sections(changes):
        out.append(section.title(visible))
        for line in section.lines:
            change = line.change
            out.append(f"  {change.verdict.upper():<6}  {change.kind:<9}  {line.text(visible)}")
            if change.witness:
                out.append(f"{'':21}{change.witness.text(visible)}")
            if change.accepted:
                out.append(f"{'':21}accepted: {visible(change.accepted)}")
        out.append("")
    return "\n".join([*out, _summary(changes), propose(changes)]) + "\n"


def as_markdown(changes: Sequence[Change]) -> str:
    """Give the changes for a pull request: a table, what breaks first, each model to unfold, order and wording last.

    Whatever is not our own text stands in code, so that none of it acts.
    """
    found = sections(changes)
    head = f"**{_summary(changes)}** Proposed {propose(changes)}."
    out = [line for section in found for line in _folded(section)]
    return "\n".join([head, *_within([*_table(found), *out, *_cosmetic(found)], LONGEST)]) + "\n"


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that stand together: those of one model, or those of many."""

    name: str
    """What they are about, in words, or the id of the model."""
    lines: tuple[Line, ...]
    is_model: bool = False

    def title(self, quote: Callable[[str], str]) -> str:
        """Give the words above it."""
        if self.is_model:
            return quote(self.name)
        return self.name

    def count(self, verdict: str) -> int:
        """Count the lines of a verdict, order and wording apart."""
        return sum(line.change.verdict == verdict and not line.is_cosmetic for line in self.lines)


def sections(changes: Iterable[Change]) -> list[Section]:
    """Gather lines: what stands beside the models, those that are gone, what many share, each model, new models.

    What breaks every call stands first, then what else breaks.
    """
    lines = sorted(lines_of(changes), key=lambda line: line.rank)
    whole = [line for line in lines if line.is_whole]
    gone = Section("Models that are gone", tuple(line for line in whole if line.change.kind == "removed"))
    new = Section("New models", tuple(line for line in whole if line.change.kind == "added"))
    lines = [line for line in lines if not line.is_whole]
    beside = Section("Beside the models", tuple(line for line in lines if line.is_beside))
    lines = [line for line in lines if not line.is_beside]
    shared = Section("All models", tuple(line for line in lines if line.is_of_all))
    several = Section("Several models", tuple(line for line in lines if len(line.models) > 1 and not line.is_of_all))
    names = dict.fromkeys(line.models[0] for line in lines if len(line.models) == 1 and not line.is_of_all)
    own = [Section(name, tuple(line for line in lines if line.models == (name,)), is_model=True) for name in names]
    found = [section for section in (beside, gone, shared, several, *own, new) if section.lines]
    breaking = {section.name for section in found if any(line.change.breaking for line in section.lines)}
    return sorted(found, key=lambda section: (section.lines[0].rank[0], section.name not in breaking))


def lines_of(changes: Iterable[Change]) -> list[Line]:
    """Put together what is said of several classes or answers of a model, then what is said of several models."""
    classes: dict[tuple[str, str, str], list[Change]] = {}
    for change in changes:
        same = repr(replace(change, scope="", model="", pointer="", file="", witness=None))
        classes.setdefault((change.model, change.scope.partition(".")[2], same), []).append(change)
    lines: dict[tuple[str, tuple[str, ...], str], list[Change]] = {}
    for (model, _, same), group in classes.items():
        owner = ""
        if model == SHARED:
            owner = model
        lines.setdefault((owner, tuple(change.scope for change in group), same), []).append(group[0])
    return [Line(group[0], scopes, tuple(change.model for change in group)) for (_, scopes, _), group in lines.items()]


def _table(found: Sequence[Section]) -> list[str]:
    """Count what breaks, section by section."""
    if not found:
        return []
    lines: list[str] = []
    for section in found:
        numbers = [section.count(verdict) for verdict in RANKS]
        if any(numbers):
            lines.append(f"| {section.title(code)} | {' | '.join(str(number or '') for number in numbers)} |")
    return ["", "| | breaks | may break | other |", "|---|---|---|---|", *lines]


def _folded(section: Section) -> list[str]:
    """Write a section; that of a model can be unfolded."""
    lines = [line for line in section.lines if not line.is_cosmetic]
    if not lines:
        return []
    items = _items(lines)
    if not section.is_model:
        return ["", f"### {section.name} ({len(lines)})", "", *items]
    breaks = section.count("breaks") + section.count("may break")
    summary = f"<b>{_html(section.name)}</b>: {counted(len(lines), 'change')}"
    if breaks:
        summary = f"{summary}, {breaks} of them breaking"
    return ["", f"<details><summary>{summary}</summary>", "", *items, "", "</details>"]


def _items(lines: Sequence[Line]) -> list[str]:
    """Write a line for each change that breaks; of the others, many of a kind are one line."""
    items = [_item(line) for line in lines if line.change.verdict]
    kinds: dict[str, list[Line]] = {}
    for line in lines:
        if not line.change.verdict:
            kinds.setdefault(line.change.kind, []).append(line)
    for kind, own in kinds.items():
        if len(own) > MOST_OF_A_KIND:
            items.append(f"- {kind} ({len(own)}) · {'; '.join(line.text(code) for line in own)}")
        else:
            items += map(_item, own)
    return items


def _cosmetic(found: Sequence[Section]) -> list[str]:
    """Write what is order and wording alone: for each kind the places, with their models."""
    kinds: dict[str, dict[str, dict[str, None]]] = {}
    for line in (line for section in found for line in section.lines if line.is_cosmetic):
        place = line.change.place or line.subject or "the model"
        kinds.setdefault(line.change.kind, {}).setdefault(place, {}).update(dict.fromkeys(line.models))
    items = [
        f"- {kind} · {'; '.join(f'{code(place)} ({_owners(list(models))})' for place, models in places.items())}"
        for kind, places in kinds.items()
    ]
    if not items:
        return []
    summary = "Order and wording; --json has the words"
    return ["", f"<details><summary>{summary}</summary>", "", *items, "", "</details>"]


def _owners(models: list[str]) -> str:
    if models == [SHARED]:
        return "all models"
    return ", ".join(map(code, models))


def _html(text: str) -> str:
    """Write a text where Markdown is not read, so that nothing in it acts."""
    return "".join(f"&#{ord(character)};" if character in HTML else character for character in visible(text))


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


def _item(line: Line) -> str:
    change = line.change
    text = f"{change.kind} · {line.text(code)}"
    if change.witness:
        text = f"{text}; {change.witness.text(code)}"
    if change.accepted:
        text = f"{text}; accepted: {code(change.accepted)}"
    if change.verdict:
        return f"- **{change.verdict}** · {text}"
    return f"- {text}"


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "Nothing changed."
    broken = sum(change.verdict == "breaks" for change in changes)
    doubtful = sum(change.verdict == "may break" for change in changes)
    parts: list[str] = []
    if broken == 1:
        parts.append("1 of them breaks callers")
    elif broken:
        parts.append(f"{broken} of them break callers")
    if doubtful:
        parts.append(f"{doubtful} may break callers")
    return f"{counted(len(changes), 'change')}; {', '.join(parts) or 'none breaks a caller'}."


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
