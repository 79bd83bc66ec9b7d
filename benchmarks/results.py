"""Figures → lines of a table, and the table in RESULTS.md: a run replaces the lines of its rows and nothing else."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from os import cpu_count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .measure import Samples

BEGIN, END = "<!-- {}: begin (written by `make bench`) -->\n", "<!-- {}: end -->\n"
HEAD = (
    "| row | what | ours | against | result | goal | met | measured |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    ours: str
    against: str
    result: str
    goal: str
    met: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells, in the order of the table."""
        return (self.what, self.ours, self.against, self.result, self.goal, self.met)


def compared(
    what: str,
    ours: Samples,
    peers: Sequence[Samples],
    goal: float | None,
    *,
    unit: str,
    difference: bool = False,
) -> Line:
    """Compare the median of ours with that of the best peer: as a ratio, or by how much more ours is."""
    best = min(peers, key=lambda peer: peer.median)
    value = ours.median - best.median if difference else ours.median / best.median
    more = f" {unit} more" if difference else ""
    shown = f"{value:.2f}{more}"
    wanted = "none" if goal is None else f"at most {goal:g}{more}"
    met = "-" if goal is None else _word(value <= goal)
    return Line(what, _spread(ours, unit), f"{best.name}: {_spread(best, unit)}", shown, wanted, met)


def told(what: str, result: str, *, goal: str, met: bool | None) -> Line:
    """Give a line about something that is no figure, or cannot be measured yet."""
    return Line(what, "-", "-", result, goal, "-" if met is None else _word(met))


def _word(met: bool) -> str:  # noqa: FBT001  # a word for it
    return "yes" if met else "**no**"


def _spread(samples: Samples, unit: str) -> str:
    low, high = samples.quartiles
    if len(samples.values) == 1:
        return f"{samples.median:.3g} {unit}"
    return f"{samples.median:.3g} {unit} ({low:.3g} to {high:.3g}, {len(samples.values)} runs)"


def machine() -> str:
    """Say when and on what kind of machine: day, cores, Python."""
    today = datetime.now(UTC).date().isoformat()
    return f"{today}, {cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def table(lines: Mapping[str, Sequence[Line]], when: str) -> dict[str, list[str]]:
    """Give the lines of each row as Markdown."""
    return {row: [f"| {' | '.join([row, *line.cells, when])} |" for line in found] for row, found in lines.items()}


def merged(text: str, rows: Mapping[str, Sequence[str]], order: Sequence[str], about: Sequence[str]) -> str:
    """Give RESULTS.md with new lines for these rows; rows that were not run keep theirs, and notes stay as they are.

    Raises:
        ValueError: the file lacks a marker.
    """
    kept: dict[str, list[str]] = {row: [] for row in order}
    for line in _between(text, "results").splitlines():
        row = line.strip("| ").partition(" | ")[0]
        if row in kept and row not in rows:
            kept[row].append(line)
    body = [line for row in order for line in rows.get(row, kept[row])]
    text = _replaced(text, "results", "\n".join([*HEAD, *body]) + "\n")
    return _replaced(text, "what is measured", "\n".join(about) + "\n")


def write(path: Path, rows: Mapping[str, Sequence[str]], order: Sequence[str], about: Sequence[str]) -> None:
    """Put the lines into RESULTS.md."""
    path.write_text(merged(path.read_text("utf-8"), rows, order, about), "utf-8")


def _between(text: str, name: str) -> str:
    _, begin, rest = text.partition(BEGIN.format(name))
    inside, end, _ = rest.partition(END.format(name))
    if not (begin and end):
        raise ValueError(f"RESULTS.md lacks the markers of {name!r}; put them back")
    return inside


def _replaced(text: str, name: str, inside: str) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    return text.replace(begin + _between(text, name) + end, begin + inside + end)
