"""Batches as programs run them: on one machine by threads or tasks, and on many."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING

from skills_video_runtime.client import AsyncClient, Client, session_of
from skills_video_runtime.client import run as run_now
from skills_video_runtime.generations.outcomes import check_seconds
from skills_video_runtime.generations.progress import refuse_async
from skills_video_runtime.http.addresses import POSTGRES, platform_of

from .audit import Audit, Standing, compared, records_of
from .plan import Plan
from .queue import Queue
from .report import Choices
from .results import taken
from .run import Run
from .shared import SharedPlan, SharedRun

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from .report import OnOutcome, Report
    from .rows import Mistake, Row

LEASE = 30.0  # seconds: our choice


def _settle_in(batch: Batch | AsyncBatch | SharedBatch, kind: type[Client | AsyncClient]) -> None:
    """Keep the directory of a batch the same, wherever the program goes, and refuse a client of another kind."""
    if not isinstance(batch.client, kind):
        raise TypeError(f"Batch and SharedBatch take a Client, AsyncBatch an AsyncClient, and not {batch.client!r:.80}")
    if batch.directory is not None:
        object.__setattr__(batch, "directory", Path(batch.directory).absolute())


def _read_again(rows: Iterable[Row | Mistake]) -> Iterable[Row | Mistake]:
    """Give rows that can be read as often as they are needed."""
    if iter(rows) is rows:
        return list(rows)
    return rows


@dataclass(frozen=True)
class Batch(Choices):
    """Many videos by a client, kept in a directory: `Batch(client, "out").run(rows)`.

    The same again goes on where the last run ended, however it ended: what was paid for is followed, and not paid
    again. The directory holds a journal, `results.jsonl`, the files, and `metadata.jsonl` for data sets. One run at a
    time may use it. See `Choices` for what can be chosen.
    """

    client: Client
    directory: str | PathLike[str]

    def __post_init__(self) -> None:
        """See `_settle_in`."""
        _settle_in(self, Client)

    def run(self, rows: Iterable[Row | Mistake], on_outcome: OnOutcome | None = None) -> Report:
        """Check all rows, then make those that are not made yet.

        Args:
            rows: Rows of a file, or such as `Row("row-17", payload)`.
            on_outcome: Called with each row that ends in this run. No `async def`: `AsyncBatch` awaits one.

        Raises:
            RowsRefused: A row is wrong, or another one than that which was begun under its key. Nothing was sent.
            JournalUnavailable: Another run has the directory, or the journal is gone. Nothing was sent.
        """
        refuse_async("on_outcome", on_outcome)
        rows = _read_again(rows)
        with taken(Path(self.directory)):
            work = Run(Plan(session_of(self.client), Path(self.directory), self))
            try:
                run_now(work.plan.prepare(rows))
                run_now(work.end_given_up())
                for phase in work.plan.phases(rows):
                    work.waiting = enumerate(phase)
                    for result in work.in_threads(run_now):
                        work.tell(result, on_outcome)
            finally:
                run_now(work.record_all())
                work.plan.close()
        return work.report


@dataclass(frozen=True)
class AsyncBatch(Choices):
    """As `Batch`, of an `AsyncClient`, with tasks in place of threads."""

    client: AsyncClient
    directory: str | PathLike[str]

    def __post_init__(self) -> None:
        """See `_settle_in`."""
        _settle_in(self, AsyncClient)

    async def run(self, rows: Iterable[Row | Mistake], on_outcome: OnOutcome | None = None) -> Report:
        """As `Batch.run`, with what `on_outcome` gives awaited. The event loop waits while rows are checked."""
        from anyio import CancelScope  # noqa: PLC0415  # on first use

        rows = _read_again(rows)
        with taken(Path(self.directory)):
            work = Run(Plan(session_of(self.client), Path(self.directory), self))
            try:
                await work.plan.prepare(rows)
                await work.end_given_up()
                for phase in work.plan.phases(rows):
                    work.waiting = enumerate(phase)
                    async with aclosing(work.in_tasks()) as results:
                        async for result in results:
                            told = work.tell(result, on_outcome)
                            if isawaitable(told):
                                await told
            finally:
                with CancelScope(shield=True):
                    await work.record_all()
                work.plan.close()
        return work.report


@dataclass(frozen=True)
class SharedBatch(Choices):
    """A batch that any number of machines make together, by a queue in a Postgres database (extra `batch`).

    `run(rows)` puts rows in, and makes them together with whoever calls `work()`, on whatever machine, until none is
    left. Limit, rate and budget hold for all of them together. The same again goes on, anywhere. A worker that dies, or
    says nothing for `lease` seconds, is taken over.

    Args:
        database: Its address, `postgresql://user:password@host/name`. It holds one batch, and the journal of that.
        directory: Where files go. `run` brings all of them there in the end, and writes what `Batch` does; it needs
            one. A worker without one leaves files to who has one.
        lease: Seconds.

    Raises:
        JournalUnavailable: By each method: the database cannot be used, or a release, platform or key other than ours
            has the batch. Nothing was sent.
    """

    client: Client
    database: str = field(repr=False)
    directory: str | PathLike[str] | None = None
    lease: float = LEASE

    def __post_init__(self) -> None:
        """Refuse what is no such client, no database, and no number of seconds."""
        _settle_in(self, Client)
        if not self.database.startswith(POSTGRES):
            raise ValueError("database is the address of a Postgres, such as postgresql://user@host/name")
        check_seconds("lease", self.lease)

    def run(self, rows: Iterable[Row | Mistake], on_outcome: OnOutcome | None = None) -> Report:
        """As `Batch.run`. What other workers have made counts in the report as well."""
        if self.directory is None:
            raise ValueError("run needs a directory for what it makes; work does not")
        refuse_async("on_outcome", on_outcome)
        rows = _read_again(rows)
        with self._queue() as queue, closing(self._plan(queue, self.limit)) as plan:
            worker = SharedRun(plan)
            plan.put(rows)
            run_now(worker.end_given_up())
            worker.work(on_outcome)
            worker.finish(rows, on_outcome)
        return worker.report

    def work(self, limit: int | None = None, on_outcome: OnOutcome | None = None) -> Report:
        """Make rows that are in the queue, at most so many at once, until none is left."""
        refuse_async("on_outcome", on_outcome)
        with self._queue() as queue:
            queue.check_begun()
            if limit is None:
                limit = queue.most()
            with closing(self._plan(queue, limit)) as plan:
                worker = SharedRun(plan)
                worker.work(on_outcome)
        return worker.report

    def standing(self) -> Standing:
        """Tell how far it is."""
        with self._queue() as queue:
            queue.check_begun()
            uncertain = [line["key"] for line in queue.lines() if line["status"] == "UNCERTAIN"]
            workers = "; ".join(queue.workers()) or None
            statuses = Counter(queue.statuses())
            return Standing(queue.state().rows, statuses, queue.spent(), uncertain, workers)

    def audit(self) -> Audit:
        """Compare journal, results, and what the platform tells of each generation. Only reads."""
        with self._queue() as queue:
            queue.check_begun()
            return compared(self.client, records_of(queue), list(queue.lines(earlier=True)), queue.state().round)

    def _plan(self, queue: Queue, limit: int) -> SharedPlan:
        return SharedPlan(session_of(self.client), queue, self.directory, replace(self, limit=limit))

    def _queue(self) -> closing[Queue]:
        session = session_of(self.client)
        return closing(Queue(self.database, platform_of(session.base_url), session.key, self.lease))
