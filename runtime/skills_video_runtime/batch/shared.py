"""A batch on any number of machines: each makes rows of one queue in Postgres, as `run.py` makes those of a file."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from skills_video_runtime.budget import Budget, BudgetExceeded
from skills_video_runtime.client import run as run_now
from skills_video_runtime.errors import JournalUnavailable, SkillsVideoError
from skills_video_runtime.generations.outcomes import Entry

from .queue import RowBudget, RowTaken
from .report import Outcome
from .results import JOURNAL, Results, write_whole
from .rows import Row
from .run import Run

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from skills_video_runtime.client import Client
    from skills_video_runtime.generations.call import Call
    from skills_video_runtime.generations.outcomes import Ending
    from skills_video_runtime.many import Made, Result

    from .queue import Queue
    from .report import Choices, OnOutcome
    from .results import Line
    from .rows import Mistake

FRESH = 1.0  # seconds for which what all workers have come to is not asked for again: our choice


class SharedResults(Results):
    """The lines of a batch, in its queue."""

    def __init__(self, directory: Path, queue: Queue) -> None:
        super().__init__(directory)
        self.queue, self.is_over = queue, False
        self.names: dict[str, str] = {}
        """By the key of a row, what it is called in the journal."""

    def read(self, number: int) -> None:
        """Read the lines of the rows that ended in a round."""
        self.lines = {told["key"]: self._line(told) for told in self.queue.lines() if told["round"] == number}

    def is_in_place(self) -> bool:
        """A database is where it is."""
        return True

    def begin(self, again: Container[str], limit: int) -> None:
        """Nothing is to be dropped: the queue knows which rows are to be done again."""

    def is_whole(self, line: Line) -> bool:
        """Leave files to the end of a run, as another machine may have them."""
        return not self.is_over or (bool(line.files) and super().is_whole(line))

    def add(self, told: dict[str, Any]) -> None:
        """Add a line.

        Raises:
            RowTaken: the row is another worker's.
            JournalUnavailable: the database is gone for too long.
        """
        if self.is_over:
            self.queue.keep(self.names[told["key"]], told)
        else:
            self.queue.end(self.names[told["key"]], told)

    def write(self) -> None:
        """Write the lines of all workers into the directory, and what a data set of its videos needs."""
        write_whole(self.path, "".join(f"{json.dumps(told)}\n" for told in self.queue.lines()))
        self._write_metadata()


class SharedRun(Run):
    """What one worker does for a batch."""

    results: SharedResults

    def __init__(self, client: Client, queue: Queue, directory: Path | None, choices: Choices) -> None:
        if choices.reuse:
            raise ValueError("reuse is for a batch on one machine")
        super().__init__(client, directory or Path(), replace(choices, max_credits=None))
        if choices.max_credits is not None:
            Budget(choices.max_credits)
        self.asked, self.choices = choices, replace(self.choices, rate=None)
        self.queue, self.fetches = queue, directory is not None
        self.journal = f"postgresql://the queue of {id(self)}"
        self.session.use(queue, self.journal)
        self.results = SharedResults(self.directory, queue)
        self.state = queue.state()
        self.report.rows = self.state.rows
        self.busy: set[str] = set()
        self.tried: set[str] = set()
        """Keys of rows that are left to other workers, or to the next run."""
        self.max_credits: float | None = None
        self.is_spent = self.is_put = False
        self.counted = 0.0
        self.numbers = count()
        self.over = Event()

    def _is_new(self) -> bool:
        if (self.directory / JOURNAL).exists():
            raise JournalUnavailable(f"{self.directory} holds a batch of one machine; name another directory.")
        return not self.directory.exists()

    def _leave_nothing(self) -> None:
        self.directory.rmdir()

    async def _read_journal(self) -> None:
        self.ended = {str(record.key): record.status or "" for record in self.queue.history()}
        self.begun = {str(entry.own_key): entry for entry in self.queue.unfinished() if isinstance(entry, Entry)}

    def _shown(self) -> str:
        return "in the database"

    def _read_state(self) -> None:
        """It is read."""

    def _keep_state(self) -> None:
        """It is written together with the rows."""

    def put(self, rows: Iterable[Row | Mistake]) -> None:
        """Check all rows, and put into the queue what is to be done of them."""
        run_now(self.prepare(rows))
        ours = (row for row in rows if isinstance(row, Row) and row.key in self.todo)
        named = ((row, self._name(row.key, self.todo[row.key]), self.todo[row.key]) for row in ours)
        self.queue.put(named, self.state, self.asked)
        self.is_put = True

    def work(self, on_outcome: OnOutcome | None) -> None:
        """Make rows of the queue, until none is left that this worker could make."""
        self.queue.join()
        Thread(target=self._beat, daemon=True).start()
        try:
            self._make_all(on_outcome)
        finally:
            self.over.set()
            with suppress(JournalUnavailable):
                self.queue.leave()
        self._count_all()
        if self.is_spent and self.report.stopped is None:
            self.report.stopped = BudgetExceeded(f"{self.report.credits:g} of {self.max_credits:g} credits are spent.")

    def _make_all(self, on_outcome: OnOutcome | None) -> None:
        for result in self.in_threads(run_now):
            self.tell(result, on_outcome)

    def _beat(self) -> None:
        while not self.over.wait(self.queue.lease / 3):
            with suppress(JournalUnavailable):
                self.queue.beat()

    def take(self, room: int) -> Iterator[tuple[int, Row]]:
        """Take rows of the queue; without a directory, their files are left to who has one."""
        if self.results.is_over:
            yield from super().take(room)
        if room == 0 or self.results.is_over:
            return
        self.pause = None
        if self.report.stopped is not None:
            return
        with self.lock:
            busy = list(self.busy)
        try:
            taken = self.queue.take(room, busy, [*busy, *self.tried])
        except JournalUnavailable as error:
            self._stop(error)
            return
        self.pause, self.max_credits, self.is_spent = taken.pause, taken.max_credits, taken.is_spent
        for row, attempt in taken.rows:
            self._name_row(row.key, attempt)
            self.busy.add(row.key)
        for row, _ in taken.rows:
            yield next(self.numbers), row._replace(download=row.download and self.fetches)

    def _name_row(self, key: str, attempt: int) -> None:
        self.todo[key], self.results.names[key] = attempt, self._name(key, attempt)

    async def make(self, index: int, payload: Row) -> Made[Row]:
        """See `Run`; what is not ended is given back."""
        made = await super().make(index, payload)
        with self.lock:
            outcome = self.outcomes[index]
        if outcome.status == "OPEN":
            with suppress(JournalUnavailable):
                self.queue.give_back(self.results.names[payload.key])
        with self.lock:
            if outcome.status in {"OPEN", "UNCERTAIN"} and not isinstance(outcome.error, (RowTaken, BudgetExceeded)):
                self.tried.add(payload.key)
            self.busy.discard(payload.key)
        return made

    async def _followed(self, row: Row, name: str, call: Call) -> Outcome:
        if self.max_credits is not None:
            call.budget = RowBudget(self.max_credits, self.queue, name)
        return await super()._followed(row, name, call)

    def _is_new_name(self, name: str) -> bool:  # noqa: ARG002  # which other workers may have begun
        """Have the journal asked."""
        return False

    def _keep_ended(self, call: Call, ended: dict[str, Ending]) -> None:
        """It is recorded with the line."""

    def _note(self, error: Exception) -> None:
        """See `Run`; with a spent budget, what other workers have begun is still taken over."""
        if not isinstance(error, (RowTaken, BudgetExceeded)):
            super()._note(error)

    def tell(self, result: Result[Row], on_outcome: OnOutcome | None) -> object:
        """See `Run`; the report is of all workers."""
        if time.monotonic() > self.counted + FRESH:
            self._count_all()
        return super().tell(result, on_outcome)

    def _count(self, outcome: Outcome) -> None:
        """See `_count_all`."""

    def _count_all(self) -> None:
        with suppress(JournalUnavailable):
            self.report.statuses, self.report.credits = Counter(self.queue.statuses()), self.queue.spent()
            self.report.rows = self.queue.state().rows
            self.counted = time.monotonic()

    def finish(self, rows: Iterable[Row | Mistake], on_outcome: OnOutcome | None) -> None:
        """Fetch the files that are not in the directory, and tell of what other workers have made of the rows."""
        if isinstance(self.report.stopped, JournalUnavailable):
            return
        asked = set(self.todo)
        self.results.read(self.state.round)
        self.results.is_over = True
        self.begin(self._without_files(rows))
        self._make_all(on_outcome)
        lines = self.results.lines
        ours = [item for item in self.report.problems if item.key not in lines or lines[item.key].status == item.status]
        known = {item.key for item in ours}
        told = [line for line in self.queue.lines() if line["key"] in asked - known and line["status"] != "COMPLETED"]
        self.report.problems = [*ours, *map(_outcome, told)]

    def _without_files(self, rows: Iterable[Row | Mistake]) -> Iterator[Row]:
        for row in rows:
            line = self.results.lines.get(row.key or "")
            if line is None or not isinstance(row, Row) or line.status != "COMPLETED":
                continue
            if row.download and not self.results.is_whole(line):
                self._name_row(row.key, line.attempt)
                yield row

    def close(self) -> None:
        """Write what is there by now, if the rows were put in here, and say that a round is over, if it is."""
        with suppress(JournalUnavailable):
            if self.is_put:
                self._count_all()
                self.results.write()
                self.queue.end_round()
        self.session.journals.pop(str(self.journal), None)


def _outcome(line: dict[str, Any]) -> Outcome:
    """Give what a line tells of a row that did not end well with another worker."""
    told, error = line["error"], None
    if told is not None:
        kind = type("OfAnotherWorker", (SkillsVideoError,), {"category": told["category"]})
        error = kind(told["message"], code=told["code"], status=told["status"], generation_id=line["id"])
    return Outcome(line["key"], line["model"], line["status"], line["id"], line["credits"], error=error)
