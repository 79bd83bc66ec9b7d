"""`batch run`, `status`, `audit`: what a batch does, shown as it goes on."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from skills_video_runtime.batch.audit import Standing
from skills_video_runtime.batch.audit import audit as audit_of
from skills_video_runtime.batch.batch import LEASE, Batch, SharedBatch
from skills_video_runtime.batch.report import Outcome, Report, RowsRefused, as_data
from skills_video_runtime.batch.results import RESULTS
from skills_video_runtime.client import Client
from skills_video_runtime.errors import SkillsVideoError

from .batch_checks import checking, facts
from .exits import BAD_USAGE, OTHER, exit_code
from .failure import in_words
from .output import UsageProblem, amount, complain, console, is_terminal, say, say_json, table, visible
from .signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from skills_video_runtime.batch.rows import Rows

UNITS = {"s": 60.0, "min": 1.0, "h": 1 / 60}
OF_BEFORE = {"UNCERTAIN": 3, "FAILED": 10, "CANCELED": 10, "REFUSED": 22}
"""Exit codes for rows that ended so in an earlier run."""
MOST_TOLD = 50  # rows that did not end well, on a terminal


def a_minute(given: str | None) -> float | None:
    """Read a rate: `60/min`, `2/s`, `100/h`.

    Raises:
        UsageProblem: It is none.
    """
    if given is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/?(s|min|h)?", given.replace(" ", ""))
    if found is None or float(found[1]) == 0:
        raise UsageProblem(f"--rate {given!r:.80} is no rate such as 60/min, 2/s or 100/h")
    return float(found[1]) * UNITS[found[2] or "min"]


def run(
    rows: Rows, out: Path, database: str | None, lease: float, *, as_json: bool, poll_interval: float, **chosen: Any
) -> int:
    """Run a batch, and tell what it has come to; `chosen` is what `Batch` takes."""
    if database is None and lease != LEASE:
        raise UsageProblem("--lease needs --database URL: it is for what workers on other machines take over")
    with Client(poll_interval=poll_interval, timeout=chosen["timeout"]) as client:
        batch: Batch | SharedBatch = Batch(client, out, **chosen)
        if database is not None:
            batch = SharedBatch(client, database, out, lease, **chosen)
        return _followed(partial(batch.run, rows), rows.path, out, as_json=as_json)


def work(  # each is a choice of its own
    database: str,
    lease: float,
    out: Path | None,
    limit: int | None,
    *,
    timeout: float,
    poll_interval: float,
    as_json: bool,
) -> int:
    """Make rows of a queue, and tell what all its workers have come to."""
    with Client(poll_interval=poll_interval, timeout=timeout) as client:
        batch = SharedBatch(client, database, out, lease, timeout=timeout)
        return _followed(partial(batch.work, limit), None, out, as_json=as_json)


def _followed(make: Callable[..., Report], file: Path | None, out: Path | None, *, as_json: bool) -> int:
    shown: AbstractContextManager[object] = nullcontext()
    told: Callable[[Outcome, Report], None] | None = _tell
    if as_json:
        told = None
    elif is_terminal():
        bar = Bar()
        shown, told = bar.progress, bar.move
    try:
        with shown, checking():
            report = make(on_outcome=told)
    except RowsRefused as error:
        if as_json:
            say_json({"sent": False, "mistakes": [facts(mistake) for mistake in error.mistakes]})
        complain("\n".join(f"{file}: {mistake}" for mistake in error.mistakes))
        complain(f"error: {len(error.mistakes)} mistakes; nothing was sent")
        return exit_code(error)
    except Stopped as stop:
        complain("interrupted: what is begun goes on, and is paid for. The same command goes on with it")
        return stop.exit_code
    if as_json:
        say_json(_as_json(report, out))
    else:
        _say(report, out)
    return _exit_code(report)


def _exit_code(report: Report) -> int:
    error = report.stopped
    if error is None and report.problems:
        first = report.problems[0]
        if first.error is None:
            return OF_BEFORE[first.status]
        error = first.error
    if isinstance(error, SkillsVideoError):
        return exit_code(error)
    if error is None and _left(report) == 0:
        return 0
    if error is None:
        complain("error: rows are left, as they were gone from the file when they were due. The same command goes on")
    return OTHER


def _say(report: Report, out: Path | None) -> None:
    for outcome in report.problems[:MOST_TOLD]:
        reason = "of an earlier run, and left alone; --retry-failed makes it again"
        if outcome.status == "UNCERTAIN":
            reason = "left alone, as it may have been made"
        if outcome.error is not None:
            reason = in_words(outcome.error)
        complain(f"{outcome.key}: {outcome.status} {outcome.id or ''}: {reason}")
    if len(report.problems) > MOST_TOLD:
        complain(f"and {len(report.problems) - MOST_TOLD} more")
    if report.statuses["UNCERTAIN"]:
        complain("To make a row anew that was not made: skills-video recover --journal JOURNAL --forget KEY, and again")
    if report.stopped is not None:
        complain(f"error: no more were posted: {in_words(report.stopped)}")
        complain("The same command goes on; where the budget is spent, with a higher --max-credits.")
    told = f"{_counts(report)}; {amount(report.credits)} credits"
    if out is not None:
        told += f"; {out / RESULTS}"
    say(told)


def _left(report: Report) -> int:
    return report.rows - report.statuses.total()


def _counts(report: Report) -> str:
    told = report.statuses + Counter(left=_left(report))
    return f"{report.rows} rows: {_in_words(told) or 'none'}"


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def _as_json(report: Report, out: Path | None) -> dict[str, Any]:
    return {
        "directory": out and str(out),
        "rows": report.rows,
        "statuses": dict(report.statuses),
        "left": _left(report),
        "credits": report.credits,
        "problems": [
            {"key": item.key, "status": item.status, "id": item.id, "error": as_data(item.error)}
            for item in report.problems
        ],
        "stopped": as_data(report.stopped),
    }


def _tell(outcome: Outcome, report: Report) -> None:
    cost = ""
    if outcome.credits is not None:
        cost = f", {amount(outcome.credits)} credits"
    over = report.statuses.total()
    say(f"{over}/{report.rows}  {outcome.status} {outcome.key} {outcome.id or ''}{cost}")


class Bar:
    """A bar with states, credits and the time that is left."""

    def __init__(self) -> None:
        from rich.progress import (  # noqa: PLC0415  # takes long
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        states = TextColumn("{task.fields[states]}", markup=False)
        times = (TimeElapsedColumn(), TimeRemainingColumn())
        self.progress = Progress(BarColumn(), MofNCompleteColumn(), states, *times, console=console(), transient=True)
        self.task = self.progress.add_task("", total=None, states="checking")

    def move(self, _: Outcome, report: Report) -> None:
        """Show the counts, which a row has changed."""
        about = visible(f"{_in_words(report.statuses)}; {amount(report.credits)} credits")
        self.progress.update(self.task, total=report.rows, completed=report.statuses.total(), states=about)


def status(directory: Path | None, database: str | None, *, as_json: bool) -> None:
    """Show how far a batch is."""
    if database is None:
        standing = Standing.of(_named(directory))
    else:
        with _shared(directory, database) as batch:
            standing = batch.standing()
    if as_json:
        say_json(vars(standing))
        return
    rows = [("rows", str(standing.rows))]
    rows += [(state, str(count)) for state, count in standing.statuses.items()]
    left = max(standing.rows - standing.statuses.total(), 0)  # rows that ended may be in the file no more
    rows += [("left", str(left)), ("credits", amount(standing.credits))]
    rows += [("run by", standing.run_by or "no process; to go on: the same batch run")]
    rows += [("left alone", key) for key in standing.uncertain]
    table(("batch", ""), rows)


@contextmanager
def _shared(directory: Path | None, database: str) -> Generator[SharedBatch]:
    if directory is not None:
        raise UsageProblem("a batch is in DIR or in --database URL: name one of them")
    with Client() as client:
        yield SharedBatch(client, database)


def _named(directory: Path | None) -> Path:
    if directory is None:
        raise UsageProblem("which batch? Name the DIR or the --database URL that was given to run")
    return directory


def audit(directory: Path | None, database: str | None, *, as_json: bool) -> int:
    """Show what a batch was charged, and what does not add up; the exit code tells whether it does."""
    if database is None:
        with Client() as client:
            found = audit_of(client, _named(directory))
    else:
        with _shared(directory, database) as batch:
            found = batch.audit()
    if as_json:
        say_json(asdict(found))
    else:
        say(f"{found.rows} rows, {found.generations} generations, {amount(found.charged)} credits charged")
        for item in found.discrepancies:
            say(f"  {item.key or '-'} {item.id or '-'}: {item.problem}")
        if not found.discrepancies:
            say("it adds up: each credit has a generation, each generation a row")
    if found.discrepancies:
        return BAD_USAGE
    return 0
