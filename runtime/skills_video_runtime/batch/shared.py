"""A batch on any number of machines: each makes rows of one queue in Postgres, as `run.py` makes those of a file."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from skills_video_runtime.budget import Budget, BudgetExceeded
from skills_video_runtime.client import run as run_now
from skills_video_runtime.errors import JournalUnavailable, SkillsVideoError

from .plan import Plan
from .queue import RowBudget, RowTaken
from .report import Outcome
from .results import JOURNAL, Results, name_of, write_whole
from .rows import Row
from .run import Run

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from os import PathLike

    from skills_video_runtime.generations.call import Call
    from skills_video_runtime.generations.records import Ending
    from skills_video_runtime.http.session import Session
    from skills_video_runtime.many import Result

    from .queue import Queue
    from .report import Choices, OnOutcome
    from .results import Line
    from .rows import Mistake

FRESH = 1.0  # seconds for which what all workers have come to is not asked for again: our choice


class OfAnotherWorker(SkillsVideoError):  # noqa: N818  # as the other errors
    """An error that another worker met; of which kind it was, `category` tells."""

    category: str  # type: ignore[misc]  # pyright: ignore[reportIncompatibleUnannotatedOverride]


class SharedResults(Results):
    """The lines of a batch, in its queue."""

    def __init__(self, directory: Path, queue: Queue) -> None:
        super().__init__(directory)
        self.queue, self.is_over = queue, False

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
            self.queue.keep(name_of(told["key"], told["round"], told["attempt"]), told)
        else:
            self.queue.end(name_of(told["key"], told["round"], told["attempt"]), told)

    def write(self) -> None:
        """Write the lines of all workers into the directory, and what a data set of its videos needs."""
        with self.queue.alone():
            write_whole(self.path, self.queue.lines())
            self._write_metadata()


class SharedPlan(Plan):
    """Which rows are to be put into a queue, whose database holds the journal and the lines as well."""

    results: SharedResults

    def __init__(self, session: Session, queue: Queue, directory: str | PathLike[str] | None, choices: Choices) -> None:
        if choices.reuse:
            raise ValueError("reuse is for a batch on one machine")
        super().__init__(session, Path(directory or ""), choices)
        self.queue, self.budget = queue, Budget()
        self.journal, self.where = f"postgresql://the queue of {id(self)}", "in the database"
        session.use(queue, self.journal)
        self.results = SharedResults(self.directory, queue)
        self.state = queue.state()
        self.report.rows = self.state.rows
        self.is_put, self.fetches = False, directory is not None

    async def _read_journal(self) -> None:
        if (self.directory / JOURNAL).exists():
            raise JournalUnavailable(f"{self.directory} holds a batch of one machine; name another directory.")
        self._read(self.queue)

    def _read_state(self) -> None:
        """It is read."""

    def _keep_state(self) -> None:
        """It is written together with the rows."""

    def _keys(self) -> Iterable[str]:
        return chain(super()._keys(), self.queue.keys())

    def _leave_nothing(self) -> None:
        with suppress(OSError):  # what is there is not ours
            self.directory.rmdir()

    def put(self, rows: Iterable[Row | Mistake]) -> None:
        """Check all rows, and put into the queue what is to be done of them."""
        run_now(self.prepare(rows))
        self.queue.put(self._named(rows), self.state, self.choices)
        self.is_put = True

    def _named(self, rows: Iterable[Row | Mistake]) -> Iterator[tuple[Row, str, int]]:
        """Give the rows that are to be done, with name and attempt, but for those that have changed."""
        for row in self._once(self.due(rows)):
            try:
                self.check_again(row)
            except ValueError as error:
                self.report.problems.append(Outcome.left_open(row, error))
            else:
                yield row, self.name_of(row), self.todo[row.key]

    def given_up(self) -> dict[str, str]:
        """See `Plan`; other programs may have the same database for a journal."""
        begun = super().given_up()
        if not begun:
            return {}
        rows = set(self.queue.keys())
        return {name: key for name, key in begun.items() if key in rows}

    def close(self) -> None:
        """Write what is there by now, if the rows were put in here, and say that a round is over, if it is."""
        with suppress(JournalUnavailable):
            if self.is_put:
                self.results.write()
                self.queue.end_round()
        self.session.journals.pop(str(self.journal), None)


class SharedRun(Run):
    """What one worker does for a batch."""

    plan: SharedPlan
    results: SharedResults

    def __init__(self, plan: SharedPlan) -> None:
        super().__init__(plan)
        self.queue = plan.queue
        self.busy: set[str] = set()
        self.tried: set[str] = set()
        """Keys of rows that are left to other workers, or to the next run."""
        self.max_credits: float | None = None
        self.is_spent = False
        self.counted = 0.0
        self.over = Event()

    def work(self, on_outcome: OnOutcome | None) -> None:
        """Make rows of the queue, until none is left that this worker could make."""
        if self.plan.fetches:
            self.plan.directory.mkdir(parents=True, exist_ok=True)
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
            self.plan.todo[row.key] = attempt
            self.plan.checked.pop(row.key, None)  # as files that come from a queue have no times
            self.busy.add(row.key)
        for row, _ in taken.rows:
            yield 0, row._replace(download=row.download and self.plan.fetches)

    async def _outcome(self, row: Row) -> Outcome:
        """See `Run`; what is not ended is given back."""
        outcome = await super()._outcome(row)
        if outcome.status == "OPEN":
            with suppress(JournalUnavailable):
                self.queue.give_back(self.plan.name_of(row))
        with self.lock:
            if outcome.status in {"OPEN", "UNCERTAIN"} and not isinstance(outcome.error, (RowTaken, BudgetExceeded)):
                self.tried.add(row.key)
            self.busy.discard(row.key)
        return outcome

    async def _turn(self, gap: float) -> None:
        """Rows are taken at the rate of all workers."""

    def _budget_of(self, row: Row) -> Budget:
        return RowBudget(self.max_credits, self.queue, self.plan.name_of(row))

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
        asked = set(self.plan.todo)
        self.results.read(self.plan.state.round)
        self.results.is_over = True
        lines, before = self.results.lines, self.report.problems
        self.report.problems = [item for item in before if lines.get(item.key, item).status == item.status]
        self.waiting = enumerate(self._without_files(rows))
        self._make_all(on_outcome)
        asked -= {item.key for item in self.report.problems}
        told = [line for line in self.queue.lines() if line["key"] in asked and line["status"] != "COMPLETED"]
        self.report.problems += map(_outcome, told)
        self._count_all()

    def _without_files(self, rows: Iterable[Row | Mistake]) -> Iterator[Row]:
        for row in rows:
            line = self.results.lines.get(row.key or "")
            if line is None or not isinstance(row, Row) or line.status != "COMPLETED":
                continue
            if row.download and not self.results.is_whole(line):
                self.plan.todo[row.key] = line.attempt
                yield row


def _outcome(line: dict[str, Any]) -> Outcome:
    """Give what a line tells of a row that did not end well with another worker."""
    told, error = line["error"], None
    if told is not None:
        error = OfAnotherWorker(told["message"], code=told["code"], status=told["status"], generation_id=line["id"])
        error.category = told["category"]
    return Outcome(line["key"], line["model"], line["status"], line["id"], line["credits"], error=error)
