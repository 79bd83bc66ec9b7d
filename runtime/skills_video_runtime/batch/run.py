"""A batch on one machine: rows are checked, then made, as many at once as the limit allows.

What keeps a row from being paid twice is the journal: each is posted under a key of its own. A line of results is
written before the journal is told that the row is over, so that whatever ends the process, the next run finds either
the line or the generation.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from itertools import chain
from pathlib import Path
from shutil import copyfile
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, cast

from skills_video_runtime.budget import Budget, BudgetExceeded
from skills_video_runtime.downloads.save import Wishes, saves_of
from skills_video_runtime.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailed,
    GenerationFailed,
    InsufficientCredits,
    JournalUnavailable,
    PermissionDenied,
    RateLimited,
    RecordUnusable,
    ServerError,
    SkillsVideoError,
    SubmissionUncertain,
    Violation,
)
from skills_video_runtime.generations.journal_files import is_in_use
from skills_video_runtime.generations.outcomes import Ending, Entry, Recovered
from skills_video_runtime.generations.progress import called
from skills_video_runtime.generations.recovery import settle
from skills_video_runtime.http.addresses import platform_of
from skills_video_runtime.json_values import is_number
from skills_video_runtime.many import Made, Many, Result

from .checking import Count
from .report import Outcome, Report, RowsRefused, as_data
from .results import JOURNAL, METADATA, Line, Results, State, lines_of, who_runs
from .rows import Mistake, Row, fingerprint, key_problems, same_name, shown, without_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator
    from os import PathLike

    from skills_video_runtime.client import AsyncClient, Client
    from skills_video_runtime.generations.call import Call
    from skills_video_runtime.generations.journal import Journal
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.http.session import Session

    from .report import Choices, OnOutcome

AGAIN = frozenset({"FAILED", "CANCELED", "REFUSED"})
ENDS_ALL = (InsufficientCredits, AuthenticationError, PermissionDenied, BudgetExceeded, JournalUnavailable)
TRANSIENT = (ConnectionFailed, ServerError, RateLimited)
POSTING = 8  # rows between intent and answer at once: our choice, as more posts are rarely due
RECORDED_AT_ONCE = 32  # rows that are over: our choice
TROUBLES = 3  # rows that meet trouble of the platform one after the other, before no more are posted: our choice


class Gate:
    """Lets few rows at once be between intent and answer: what is there when the process is killed is uncertain."""

    def __init__(self, *, asynchronous: bool) -> None:
        self._asynchronous, self._inside = asynchronous, set[str]()
        self._places: Any = BoundedSemaphore(POSTING)
        if asynchronous:
            from anyio import Semaphore  # noqa: PLC0415  # on first use

            self._places = Semaphore(POSTING)

    async def enter(self, key: str) -> None:
        """Wait for a place."""
        acquired = self._places.acquire()
        if self._asynchronous:
            await acquired
        self._inside.add(key)

    def leave(self, key: str) -> None:
        """Give the place of a row to another one, if it has any."""
        if key in self._inside:
            self._inside.discard(key)
            self._places.release()


class Run(Many[Row]):
    """One run of a batch: its plan, and what comes of each row."""

    def __init__(self, client: Client | AsyncClient, directory: str | PathLike[str], choices: Choices) -> None:
        session: Session = client._session  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        super().__init__(session, (), choices.limit, choices.timeout)
        if choices.rate is not None and not (is_number(choices.rate) and choices.rate > 0):
            raise ValueError(f"rate is a number of posts in a minute above 0, not {choices.rate!r:.80}")
        self.budget = session.budget
        if choices.max_credits is not None:
            if self.budget is not None:
                raise ValueError("max_credits is said twice, to the client and to the batch")
            self.budget = Budget(choices.max_credits)
        self.directory, self.choices = Path(directory), choices
        self.journal: str | PathLike[str] = self.directory / JOURNAL
        self.results = Results(self.directory)
        self.state = State()
        self.lock = Lock()
        self.next_post = 0.0
        self.troubles = 0
        self.gate = Gate(asynchronous=session.asynchronous)
        self.report = Report(0)
        self.outcomes: dict[int, Outcome] = {}
        self.unrecorded: dict[str, Ending] = {}
        """Ids of what has a line, and is not yet over in the journal."""
        self.todo: dict[str, int] = {}
        """Keys of rows that are to be done, and which attempt it is."""
        self.given = set[str]()
        """Keys of rows that were taken to be done."""
        self.begun: dict[str, Entry] = {}
        """By the key in the journal, what is unfinished there."""
        self.ended: dict[str, str] = {}
        """By the key in the journal, the last status of what is over."""
        self.made: dict[str, str] = {}
        """By the fingerprint, a row whose files can be used again."""
        self.known: dict[str, str] = {}
        """By the key of a row that was made before, and whose files are to be fetched, the id."""
        self.paid: set[str] = set()
        """Ids whose credits are in the report."""
        self.pausing: set[Call] = set()
        """What waits until the next post is due."""

    async def prepare(self, rows: Iterable[Row | Mistake]) -> None:
        """Check all rows, and find out what is to be done. Nothing is sent.

        Raises:
            RowsRefused: with all that is wrong.
            JournalUnavailable: another process runs the batch, or its journal is gone.
        """
        is_new = self._is_new()
        self.directory.mkdir(parents=True, exist_ok=True)
        await self._read_journal()
        self._read_state()
        if self.choices.fresh and not self.state.is_fresh and (self.begun or self.ended):
            self.results.read(self.state.round)
            await self._finish_known()
            self.results.lines.clear()
            self.state = State(self.state.round + 1, platform=self.state.platform)
        self.state.is_fresh = self.choices.fresh or self.state.is_fresh
        self.results.read(self.state.round)
        is_used = any(line.id for line in self.results.lines.values()) or any(lines_of(self.directory / METADATA))
        if is_used and not self.ended and not self.begun:
            raise JournalUnavailable(f"The journal {self._shown()} is empty or gone, and there are results of it.")
        self._check_age()
        names = {same_name(key): key for key in chain(self.begun, self.ended, self.results.lines)}
        strangers: dict[str, str] = {}
        if is_new:  # files that no batch here has made, or one whose journal and results are gone
            strangers = {same_name(path.stem.rpartition("-")[0]): path.name for path in self.directory.iterdir()}
        count, mistakes = Count(), list[Mistake]()
        taken: dict[str, int] = {}
        for number, item in enumerate(count.counted(rows), 1):
            if isinstance(item, Mistake):
                mistakes.append(item)
                continue
            line = item.line or number
            wrong = [Mistake(line, None, problem) for problem in key_problems(item.key, taken, "key")]
            before = names.get(same_name(str(item.key)), item.key)
            if before != item.key and not wrong:
                message = f"{item.key!r} differs in case alone from {before!r}, a row of before"
                wrong.append(Mistake(line, None, Violation("key", "unique", item.key, before, message)))
            there = strangers.get(same_name(str(item.key)))
            if there is not None:
                message = f"{there!r} stands in {self.directory}, and no journal tells of it: take another directory"
                wrong.append(Mistake(line, item.key, Violation("", "exists", None, None, message)))
            if not wrong:
                taken[same_name(item.key)] = line
                wrong += self._plan(item, line)
            mistakes += wrong
        if mistakes:
            if is_new and not (self.begun or self.ended):
                self._leave_nothing()
            raise RowsRefused(mistakes)
        self.report.rows = self.state.rows = count.rows
        await self._finish_known()
        if self.budget is not None and self.choices.max_credits is not None:
            self.budget.spent += self.report.credits
        self._keep_state()
        self.results.begin(self.todo, self.choices.limit)

    def _is_new(self) -> bool:
        return not Path(self.journal).exists()

    def _shown(self) -> str:
        return str(self.journal)

    def _read_state(self) -> None:
        self.state, here = State.read(self.directory), self.session.base_url
        before = self.state.platform or here
        if platform_of(before) != platform_of(here):
            what = f"The batch in {self.directory} is of {before}: name another directory for {here}."
            raise JournalUnavailable(what)
        self.state.platform = here

    def _check_age(self) -> None:
        """Refuse a journal that knows less than the results, as one that was copied without its `-wal` file."""
        paid = ((key, line) for key, line in self.results.lines.items() if line.id and line.credits)
        names = [self._name(key, line.attempt) for key, line in paid if not line.is_older]
        known = [name in self.begun or name in self.ended for name in names]
        if any(known) and not known[-1]:
            what = f"The journal {self._shown()} is older than the results: it lacks {names[-1]!r}."
            raise JournalUnavailable(f"{what} After a kill, {JOURNAL}-wal beside it is a part of it.")

    def _keep_state(self) -> None:
        self.state.write(self.directory)

    def _leave_nothing(self) -> None:
        self.session.let_go(Path(self.journal))
        Path(self.journal).unlink()
        with suppress(OSError):  # what else is there is not ours
            self.directory.rmdir()

    async def _read_journal(self) -> None:
        """Open the journal, which no other process has from then on, and read what it knows."""
        try:
            async with self.session.call(journal=self.journal) as call:
                journal = cast("Journal", call.journal)
                journal.write_ahead()
                for record in journal.history():
                    self.ended[str(record.key)] = record.status or ""
                    self._add_credits(record.id, record.credits)
                entries = journal.unfinished()
        except JournalUnavailable as error:
            if is_in_use(Path(self.journal)):
                error.what = f"{error.what.rstrip('.')}; {who_runs(self.directory)}."
            raise
        for entry in entries:
            if isinstance(entry, Recovered):  # which is told of its row, and never posted again
                self.ended[str(entry.key)] = ""
            else:
                self.begun[str(entry.own_key)] = entry

    async def _finish_known(self) -> None:
        """Tell the journal of what has a line: the process was ended between the two, or the disk was full."""
        async with self.session.call(journal=self.journal) as call:
            for key, line in self.results.lines.items():
                name = self._name(key, line.attempt)
                entry = self.begun.get(name)
                if entry is None or not line.id or self.todo.get(key) == line.attempt:
                    continue
                if entry.id is None:
                    await settle(call, name, line.id)
                if entry.id in {None, line.id}:
                    call.ended[line.id] = Ending(line.status, line.credits)
                    self._add_credits(line.id, line.credits)

    def _name(self, key: str, attempt: int) -> str:
        """Give what a row is called in the journal."""
        if (self.state.round, attempt) == (1, 1):
            return key
        return f"{key}~{self.state.round}.{attempt}"

    def _latest(self, key: str) -> int:
        """Give the latest attempt that the journal knows of a row; the first one, if it knows none."""
        attempt = 1
        while (name := self._name(key, attempt + 1)) in self.begun or name in self.ended:
            attempt += 1
        return attempt

    def _plan(self, row: Row, number: int) -> Iterator[Mistake]:
        """Decide whether a row is to be done, and as which attempt; tell what forbids it."""
        line, attempt = self.results.lines.get(row.key), self._latest(row.key)
        name = self._name(row.key, attempt)
        if self._has_changed(row, name, line):
            message = "the row is another one than that which was begun under this key: give it a key of its own"
            yield Mistake(number, row.key, Violation("", "changed", None, None, message))
            return
        status = self.ended.get(name, "")
        if line is not None:
            status = line.status
        if self.choices.retry_failed and status in AGAIN:
            if status != "REFUSED":
                attempt += 1
        elif line is not None and self._is_done(row, name, line):
            self.report.statuses[line.status] += 1
            if line.files:
                self.made.setdefault(line.fingerprint, row.key)
            if line.status != "COMPLETED":
                self.report.problems.append(Outcome(row.key, row.payload.endpoint.model, line.status, line.id or None))
            return
        self.todo[row.key] = attempt
        if line is not None and line.status == "COMPLETED" and line.id:
            self.known[row.key] = line.id

    def _has_changed(self, row: Row, name: str, line: Line | None) -> bool:
        if line is not None:
            return line.status not in AGAIN and line.fingerprint != fingerprint(row.payload)
        if name not in self.begun:
            return False
        begun, given = self.begun[name].payload, row.payload
        return (begun.endpoint.model, shown(begun)) != (given.endpoint.model, without_files(given))

    def _is_done(self, row: Row, name: str, line: Line) -> bool:
        """Tell whether a row needs nothing more. One that was uncertain does once its record was settled or dropped."""
        if line.status == "UNCERTAIN":
            return name in self.begun and self.begun[name].id is None
        return line.status != "COMPLETED" or not row.download or self.results.is_whole(line)

    def phases(self, rows: Iterable[Row | Mistake]) -> Iterator[Iterator[Row]]:
        """Give the rows that are to be done: what is begun first, so that it counts in what may be spent."""
        if self.begun:  # and first of that what has no id, while the running list still shows it
            known = (row for row in self._ours(rows) if self._begun_id(row))
            yield chain((row for row in self._ours(rows) if self._begun_id(row) == ""), known)
        if not self.choices.reuse:
            yield (row for row in self._ours(rows) if not self._is_begun(row))
            return
        keys = set(self.todo)
        while keys:
            later: set[str] = set()
            rest = (row for row in self._ours(rows) if row.key in keys and not self._is_begun(row))
            yield self._firsts(rest, later)
            keys = later

    def _ours(self, rows: Iterable[Row | Mistake]) -> Iterator[Row]:
        """Give the rows that are to be done."""
        return (row for row in rows if isinstance(row, Row) and row.key in self.todo)

    def _firsts(self, rows: Iterator[Row], later: set[str]) -> Iterator[Row]:
        """Give the first row of each payload, and those for which there are files; note the others."""
        seen: set[str] = set()
        for row in rows:
            known = fingerprint(row.payload)
            if known in seen and known not in self.made:
                later.add(row.key)
            else:
                seen.add(known)
                yield row

    def _is_followed(self, row: Row) -> bool:
        """Whether a row was made or begun before, and nothing is to be posted."""
        status = self.ended.get(self._name(row.key, self.todo[row.key]), "REFUSED")
        return status != "REFUSED" or row.key in self.known or self._is_begun(row)

    def _is_begun(self, row: Row) -> bool:
        return self._begun_id(row) is not None

    def _begun_id(self, row: Row) -> str | None:
        """Give the id of what is begun of a row, empty where it is not known; None where nothing is begun."""
        entry = self.begun.get(self._name(row.key, self.todo[row.key]))
        if entry is None:
            return None
        return entry.id or ""

    def begin(self, rows: Iterator[Row]) -> None:
        """Begin a phase."""
        self.waiting = enumerate(self._once(rows))

    def _once(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Give each row once, though rows that are read again may have changed."""
        for row in rows:
            if row.key in self.given:
                error = ValueError(f"key: {row.key!r} came a second time, which it did not when rows were checked")
                self.report.problems.append(Outcome(row.key, row.payload.endpoint.model, "OPEN", error=error))
            else:
                self.given.add(row.key)
                yield row

    def tell(self, result: Result[Row], on_outcome: OnOutcome | None) -> object:
        """Tell what became of a row. Where tasks make rows, what that gives may have to be awaited."""
        outcome = self.outcomes.pop(result.index)
        if on_outcome is None or self._is_untouched(outcome):
            return None
        if self.session.asynchronous:
            return on_outcome(outcome, self.report)
        called(on_outcome, outcome, self.report)
        return None

    async def record(self, made: Made[Row]) -> None:  # noqa: ARG002  # what is over is recorded for many at once
        """Tell the journal what is over once it is enough."""
        if len(self.unrecorded) >= RECORDED_AT_ONCE:
            await self.record_all()

    async def record_all(self) -> None:
        """Tell the journal what is over. What cannot be told is by the next run."""
        with self.lock:
            ended, self.unrecorded = self.unrecorded, {}
        with suppress(SkillsVideoError):
            if ended:
                async with self.session.call(journal=self.journal) as call:
                    call.ended = ended

    def take(self, room: int) -> Iterator[tuple[int, Row]]:
        """Take rows for which there is room, until something speaks against posting more."""
        if self.report.stopped is None:
            yield from super().take(room)

    async def make(self, index: int, payload: Row) -> Made[Row]:
        """Make the video of a row, and keep what comes of it."""
        outcome = await self._outcome(payload)
        with self.lock:
            self.outcomes[index] = outcome
            if not self._is_untouched(outcome):
                self._count(outcome)
                if outcome.status != "COMPLETED":
                    self.report.problems.append(outcome)
        return Made(Result(index, payload, None, outcome.error))

    def _count(self, outcome: Outcome) -> None:
        self.report.statuses[outcome.status] += 1
        self._add_credits(outcome.id, outcome.credits)

    def _add_credits(self, name: str | None, credit: float | None) -> None:
        """Add what a generation took, once."""
        if name is not None and name not in self.paid:
            self.paid.add(name)
            self.report.credits += credit or 0.0

    async def _outcome(self, row: Row) -> Outcome:
        model, name = row.payload.endpoint.model, self._name(row.key, self.todo[row.key])
        try:
            if self.choices.reuse and fingerprint(row.payload) in self.made:
                return self._used_again(row)
            is_posted = not self._is_followed(row)
            if self.choices.rate is not None and is_posted:
                await self._turn(60 / self.choices.rate)
            if is_posted and not row.payload.goes_as_form():  # whose upload may take long
                await self.gate.enter(row.key)
            if self.report.stopped is None and not self.is_left:
                async with self.session.call(self.timeout, self.journal) as call, self.posting(call):
                    call.budget = self.budget
                    return await self._followed(row, name, call)
        except Exception as error:  # noqa: BLE001  # of a row, which the next run goes on with
            self._note(error)
            return Outcome(row.key, model, "OPEN", getattr(error, "generation_id", None), error=error)
        finally:
            self.gate.leave(row.key)
        return Outcome(row.key, model, "OPEN", error=self.report.stopped)

    def _is_untouched(self, outcome: Outcome) -> bool:
        """Whether nothing was made of a row, since what speaks against it speaks against all."""
        error = outcome.error
        if outcome.status != "OPEN" or outcome.id is not None or isinstance(error, RecordUnusable):
            return False
        return isinstance(error, ENDS_ALL) or (error is not None and error is self.report.stopped)

    async def _turn(self, gap: float) -> None:
        """Wait until a post is due."""
        async with self.session.call(records=False) as call, self.entered(call):
            with self.lock:
                due = max(self.next_post, call.io.now())
                self.next_post = due + gap
                self.pausing.add(call)
            try:
                if self.report.stopped is None:
                    await call.io.sleep(max(due - call.io.now(), 0.0))
            finally:
                self.pausing.discard(call)

    async def _followed(self, row: Row, name: str, call: Call) -> Outcome:
        state: Generation | None = None
        problem: SkillsVideoError | None = None
        status, known = "", fingerprint(row.payload)  # before its files can change
        try:
            async with aclosing(self._states(row, name, call)) as states:
                async for state in states:
                    status = str(state.status)
                    self.gate.leave(row.key)
        except GenerationFailed as error:
            problem = error
        except SubmissionUncertain as error:
            if self.is_left:  # the next run looks again
                raise
            self._note(error)
            problem, status = error, "UNCERTAIN"
        except APIError as error:
            if error.generation_id is not None or isinstance(error, (*ENDS_ALL, *TRANSIENT)):
                raise
            problem, status = error, "REFUSED"
        finally:
            if call.budget is not None and state is not None and state.id not in self.paid:
                call.budget.count(state.id, state.usage.total)
        return await self._kept(row, known, state, status, problem, call)

    def _states(self, row: Row, name: str, call: Call) -> AsyncGenerator[Generation, None]:
        """Post a row, or follow what was made of it, also where its record was removed from the journal."""
        if not self._is_new_name(name):
            return call.generate(row.payload, name)
        if row.key in self.known:
            return call.wait(self.known[row.key])
        call.new_key = name
        return call.generate(row.payload)

    def _is_new_name(self, name: str) -> bool:
        """Whether the journal, which nobody else has, certainly holds nothing under a name."""
        return name not in self.begun and name not in self.ended

    async def _kept(  # what a line says
        self,
        row: Row,
        known: str,
        state: Generation | None,
        status: str,
        problem: SkillsVideoError | None,
        call: Call,
    ) -> Outcome:
        """Fetch the files, and write the line."""
        id_, credit, names = getattr(problem, "generation_id", None), None, list[str]()
        if state is not None:
            id_, credit = state.id, state.usage.total
        ended, call.ended = call.ended, {}  # recorded once there is a line
        try:
            self.results.check_place()
            if state is not None and status == "COMPLETED" and row.download and state.has_files:
                names = await self._fetched(row, state)
            self.results.check_place()
            outcome = self._written(row, known, status, id_, credit, names, problem)
        except OSError as error:
            cause = error
            if not self.results.is_in_place():
                cause = self.results.gone()
            if not _is_in_the_way(cause):
                self._stop(cause)
            return Outcome(row.key, row.payload.endpoint.model, "OPEN", id_, error=cause)
        self._keep_ended(call, ended)
        return outcome

    def _keep_ended(self, call: Call, ended: dict[str, Ending]) -> None:  # noqa: ARG002  # which others record at once
        """Have the journal told what is over, of many rows at once: until then, their lines tell it."""
        with self.lock:
            self.unrecorded |= ended

    async def _fetched(self, row: Row, state: Generation) -> list[str]:
        names: list[str] = []
        wishes = Wishes(name="{key}-{index}{suffix}", key=self._stem(row), overwrite="replace")
        for save in saves_of(self.session, state, self.directory, None, wishes):
            async with self.entered(save):
                names.append((await save.run()).name)
        return names

    def _stem(self, row: Row) -> str:
        """Give what the names of files of a row begin with."""
        if self.state.round == 1:
            return row.key
        return f"{row.key}~{self.state.round}"

    def _used_again(self, row: Row) -> Outcome:
        """Give a row the files of another one with the same payload."""
        known = fingerprint(row.payload)
        other = self.made[known]
        line = self.results.lines[other]
        stem = self._stem(row)
        names = [f"{stem}-{number}{Path(name).suffix}" for number, name in enumerate(line.files)]
        for name, there in zip(names, line.files, strict=True):
            copyfile(self.directory / there, self.directory / name)
        return self._written(row, known, line.status, line.id, 0.0, names, None, reused=other)

    def _written(  # as above
        self,
        row: Row,
        known: str,
        status: str,
        name: str | None,
        credit: float | None,
        names: list[str],
        problem: SkillsVideoError | None,
        **more: str,
    ) -> Outcome:
        model = row.payload.endpoint.model
        told: dict[str, Any] = {"key": row.key, "model": model, "variant": type(row.payload).__name__, "id": name}
        told |= {"status": status, "credits": credit, "files": names, "error": as_data(problem), **more}
        told |= {"input": shown(row.payload), "fingerprint": known, "round": self.state.round}
        if row.key in self.known:
            told["fetched_again"] = True
        self.results.add({**told, "attempt": self.todo[row.key]})
        with self.lock:
            if status != "UNCERTAIN":
                self.troubles = 0
            if names:
                self.made.setdefault(known, row.key)
        paths = tuple(self.directory / file for file in names)
        return Outcome(row.key, model, status, name, credit, paths, problem)

    def _note(self, error: Exception) -> None:
        """Decide whether what has befallen a row will befall the others."""
        if self.is_left or isinstance(error, RecordUnusable):
            return
        if isinstance(error, ENDS_ALL):
            self._stop(error)
        elif isinstance(error, (*TRANSIENT, SubmissionUncertain)) and error.generation_id is None:
            with self.lock:
                self.troubles += 1
                is_enough = self.troubles >= TROUBLES
            if is_enough:
                self._stop(error)

    def _stop(self, error: Exception) -> None:
        """Post no more; what is under way is followed to its end, and has the room that was put by for it."""
        self.results.free_reserve()
        with self.lock:
            self.report.stopped = self.report.stopped or error
            for call in self.pausing:
                call.leave()

    def close(self) -> None:
        """Let go of the directory and the journal."""
        over = self.report.statuses.total() - self.report.statuses["OPEN"]
        if self.report.rows and over == self.report.rows and self.results.is_in_place():
            self.state.is_fresh = False
            self._keep_state()
        self.results.end()
        self.session.let_go(Path(self.journal))


def _is_in_the_way(error: OSError) -> bool:
    """Whether a directory stands where a file of a row was to go, which no other row has to do with."""
    there = error.filename2
    return isinstance(error, IsADirectoryError) or (isinstance(there, (str, Path)) and Path(there).is_dir())
