"""What a batch has come to, and whether it adds up: journal, results and what the platform charged."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from skills_video_runtime.client import run as run_now
from skills_video_runtime.client import session_of
from skills_video_runtime.errors import NotFound
from skills_video_runtime.generations.records import Record, Recovered
from skills_video_runtime.generations.sqlite import is_in_use

from .results import JOURNAL, RESULTS, State, last_results_of, row_and_round, taken, who_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from skills_video_runtime.client import Client
    from skills_video_runtime.generations.journal import Journal
    from skills_video_runtime.generations.states import Generation

ASKED_AT_ONCE = 8  # generations: our choice


@dataclass
class Standing:
    """How far a batch is, as its directory tells; another process may run it meanwhile."""

    rows: int
    statuses: Counter[str]
    credits: float
    """What all rows have taken so far, with attempts that were made again and earlier rounds."""
    uncertain: list[str]
    """Keys of rows that are left alone."""
    run_by: str | None
    """Which process runs it."""

    @classmethod
    def of(cls, directory: Path) -> Standing:
        """Read it.

        Raises:
            FileNotFoundError: it is no directory of a batch.
            JournalUnavailable: a line of its results is not as a batch writes it.
        """
        journal = _journal_in(directory)
        lines = list(last_results_of(directory / RESULTS))
        statuses = Counter(line["status"] for line in lines)
        state = State.read(directory)
        took: dict[str, float] = {str(line.get("id")): line["credits"] for line in lines if line.get("credits")}
        credit = sum({**state.untold, **took}.values())
        uncertain = [line["key"] for line in lines if line["status"] == "UNCERTAIN"]
        run_by = None
        if is_in_use(journal):
            run_by = who_runs(directory)
        return cls(state.rows, statuses, credit, uncertain, run_by)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """What does not add up."""

    key: str | None
    id: str | None
    problem: str


@dataclass
class Audit:
    """What was charged for a batch, and what does not add up."""

    generations: int = 0
    """How many were made, those of failed attempts and of earlier rounds included."""
    rows: int = 0
    charged: float = 0.0
    """Credits, as the platform tells now."""
    discrepancies: list[Discrepancy] = field(default_factory=list[Discrepancy])


def _journal_in(directory: Path) -> Path:
    journal = directory / JOURNAL
    if not journal.is_file():
        raise FileNotFoundError(f"{str(directory)!r} is no directory of a batch: it holds no {JOURNAL}")
    return journal


def audit(client: Client, directory: str | PathLike[str]) -> Audit:
    """Compare journal, results, and what the platform tells of each generation. Only reads.

    Raises:
        FileNotFoundError: It is no directory of a batch.
        JournalUnavailable: A process runs the batch, or a line of its results is not as a batch writes it.
    """
    folder = Path(directory)
    journal = _journal_in(folder)
    with taken(folder):
        records = run_now(_records(client, journal))
    lines = [line for path in sorted(folder.glob("results*.jsonl")) for line in last_results_of(path)]
    return compared(client, records, lines, State.read(folder).round)


def compared(client: Client, records: list[Record], lines: list[dict[str, Any]], number: int) -> Audit:
    """Ask the platform for all generations that a journal or results tell of, and compare the three, in a round."""
    found = Audit(rows=len({line["key"] for line in lines} | {_row_of(record) for record in records}))
    names = (record.id for record in records), (line.get("id") for line in lines)
    ids = [str(name) for name in dict.fromkeys(chain(*names)) if name]
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        states = dict(zip(ids, pool.map(partial(_state_of, client), ids), strict=True))
    found.generations = sum(state is not None for state in states.values())
    found.charged = sum(state.usage.total or 0.0 for state in states.values() if state is not None)
    found.discrepancies += _of_records(records, lines, number)
    made = [line for line in lines if line.get("id") and "reused" not in line]
    found.discrepancies += _of_lines(made, {record.id for record in records})
    found.discrepancies += _of_platform(states, records, [*lines, *made])
    return found


async def _records(client: Client, path: Path) -> list[Record]:
    session = session_of(client)
    async with session.call(journal=path) as call:
        found = records_of(cast("Journal", call.journal))
    session.let_go(path)
    return found


def records_of(journal: Journal) -> list[Record]:
    """Give what a journal holds, over or not."""
    records = journal.history()
    for entry in journal.unfinished():
        if isinstance(entry, Recovered):
            records.append(Record(entry.key, entry.model, None, None, None, None))
        else:
            model = entry.payload.endpoint.model
            records.append(Record(entry.own_key or entry.key, model, entry.id, None, None, None))
    return records


def _row_of(record: Record) -> str:
    return row_and_round(str(record.key))[0]


def _state_of(client: Client, name: str) -> Generation | None:
    try:
        return client.get(name)
    except NotFound:
        return None


def _of_records(records: list[Record], lines: list[dict[str, Any]], number: int) -> Iterator[Discrepancy]:
    """Tell of what was begun, and is not in the results. What `fresh` gave up has no line there."""
    in_results = {line.get("id") for line in lines}
    for record in records:
        key, its_round = row_and_round(str(record.key))
        if not record.status and record.id is None:
            yield Discrepancy(key, None, "a generation may have been made, and its id is not known")
        elif not record.status:
            yield Discrepancy(key, record.id, "it is begun and not over: run the batch again")
        elif record.status == "COMPLETED" and record.id not in in_results and its_round >= number:
            yield Discrepancy(key, record.id, "it is over, and no line of the results has it")


def _of_lines(lines: list[dict[str, Any]], recorded: set[str | None]) -> Iterator[Discrepancy]:
    """Tell of what the results have, and the journal has not."""
    rows: dict[str, str] = {}
    for line in lines:
        name = str(line["id"])
        if name not in recorded:
            yield Discrepancy(line["key"], name, "the journal knows nothing of it")
        if name in rows:
            yield Discrepancy(line["key"], name, f"it is that of row {rows[name]} as well")
        rows[name] = str(line["key"])


def _of_platform(
    states: dict[str, Generation | None], records: list[Record], lines: list[dict[str, Any]]
) -> Iterator[Discrepancy]:
    """Tell of what the platform does not know, or charged otherwise; of lines with one id the last one counts."""
    rows: dict[str, tuple[str, float | None]] = {item.id: (_row_of(item), item.credits) for item in records if item.id}
    rows |= {line["id"]: (line["key"], line.get("credits")) for line in lines if line.get("id")}
    for name, state in states.items():
        row, recorded = rows[name]
        if state is None:
            yield Discrepancy(row, name, "the platform knows no such generation")
        elif state.is_finished and (state.usage.total or 0.0) != (recorded or 0.0):
            yield Discrepancy(row, name, f"it took {state.usage.total} credits, and {recorded} are recorded")
