"""What is to be done of a batch: which rows, as which attempt, and what forbids it. Nothing is sent."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from skills_video_runtime.budget import Budget
from skills_video_runtime.errors import JournalUnavailable, PayloadError, Violation
from skills_video_runtime.generations.journal import without_content
from skills_video_runtime.generations.records import Ending, Entry, Recovered
from skills_video_runtime.generations.recovery import settle
from skills_video_runtime.generations.sqlite import SqliteJournal, is_in_use
from skills_video_runtime.http.addresses import platform_of
from skills_video_runtime.json_values import is_number

from .fingerprints import fingerprint, mark, shown
from .keys import key_problems, same_name
from .report import Count, Outcome, Report, RowsRefused
from .results import JOURNAL, METADATA, Line, Results, State, lines_of, name_of, row_and_round, who_runs
from .rows import Mistake, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from skills_video_runtime.generations.journal import Journal
    from skills_video_runtime.http.key import Key
    from skills_video_runtime.http.session import Session

    from .report import Choices

AGAIN = frozenset({"FAILED", "CANCELED", "REFUSED"})


class Keys:
    """Tells which keys rows cannot have: each names files and a record, which must be those of no other row."""

    def __init__(self, api_key: Key, before: Iterable[str], files: Iterable[Path]) -> None:
        self._api_key = api_key
        self._before = {same_name(key): key for key in before}
        self._files = {same_name(path.stem.rpartition("-")[0]): path for path in files}
        self._lines: dict[str, int] = {}

    def problems(self, key: str, line: int) -> list[Mistake]:
        """Tell what is wrong with the key of a row; one that is right is taken from then on."""
        if self._api_key.holds(str(key)) and key not in self._before.values():  # no new line may hold it
            return [Mistake(line, None, Violation("key", "key", None, None, "holds the API key: take another key"))]
        wrong = [Mistake(line, None, problem) for problem in key_problems(key, self._lines, "key")]
        if wrong:
            return wrong
        name = same_name(key)
        before, file = self._before.get(name, key), self._files.get(name)
        if before != key:
            message = f"{key!r} differs in case alone from {before!r}, a row of before"
            wrong.append(Mistake(line, None, Violation("key", "unique", key, before, message)))
        if file is not None:
            message = f"{file.name!r} stands in {file.parent}, and no journal tells of it: take another directory"
            wrong.append(Mistake(line, key, Violation("", "exists", None, None, message)))
        if not wrong:
            self._lines[name] = line
        return wrong


class Plan:
    """Which rows of a batch are to be done, by what its journal, its results and its state tell."""

    def __init__(self, session: Session, directory: Path, choices: Choices) -> None:
        if choices.max_credits is not None and session.budget is not None:
            raise ValueError("max_credits is said twice, to the client and to the batch")
        if choices.rate is not None and not (is_number(choices.rate) and choices.rate > 0):
            raise ValueError(f"rate is a number of posts in a minute above 0, not {choices.rate!r:.80}")
        self.session, self.directory, self.choices = session, directory, choices
        self.journal: str | PathLike[str] = directory / JOURNAL
        self.where = str(self.journal)
        self.results = Results(directory)
        self.state = State()
        self.budget = Budget(choices.max_credits)
        self.report = Report(0)
        self.todo: dict[str, int] = {}
        """Keys of rows that are to be done, and which attempt it is."""
        self.given = set[str]()
        """Keys of rows that were taken to be done."""
        self.checked: dict[str, int] = {}
        """By the key of a row, what tells whether it still is the one that was checked."""
        self.begun: dict[str, Entry] = {}
        """By the key in the journal, what is unfinished there."""
        self.ended: dict[str, str] = {}
        """By the key in the journal, the last status of what is over."""
        self.made: dict[str, str] = {}
        """By the fingerprint, a row whose files can be used again."""

    async def prepare(self, rows: Iterable[Row | Mistake]) -> None:
        """Check all rows, and find out what is to be done.

        Raises:
            RowsRefused: with all that is wrong.
            JournalUnavailable: another process runs the batch, or its journal is gone.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        await self._read_journal()
        self._read_state()
        await self._read_results()
        self._check_journal()
        self._check(rows)
        await self._finish_known()
        self.report.credits = self.budget.spent
        self._keep_state()
        self.results.begin(self.todo, self.choices.limit)
        self._keep_state()  # as lines were dropped

    async def _read_journal(self) -> None:
        """Open the journal, which no other process has from then on, and read what it knows."""
        try:
            async with self.session.call(journal=self.journal) as call:
                journal = cast("SqliteJournal", call.journal)
                journal.write_ahead()
                self._read(journal)
        except JournalUnavailable as error:
            if is_in_use(Path(self.journal)):
                error.what = f"{error.what.rstrip('.')}; {who_runs(self.directory)}."
            raise

    def _read(self, journal: Journal) -> None:
        for record in journal.history():
            self.ended[str(record.key)] = record.status or ""
            self.budget.count(record.id, record.credits)
        for entry in journal.unfinished():
            if isinstance(entry, Recovered):  # which is told of its row, and never posted again
                self.ended[str(entry.key)] = ""
            else:
                self.begun[str(entry.own_key)] = entry

    def _read_state(self) -> None:
        self.state, here = State.read(self.directory), self.session.base_url
        before, is_here = self.state.platform or here, False
        with suppress(ValueError):  # of what is no address
            is_here = platform_of(before) == platform_of(here)
        if not is_here:
            what = f"The batch in {self.directory} is of {before}: name another directory for {here}."
            raise JournalUnavailable(what)
        self.state.platform = here
        for name, credit in self.state.untold.items():
            self.budget.count(name, credit)

    def _keep_state(self) -> None:
        told = {line.id for line in self.results.lines.values() if line.credits}
        took = self.budget.known.items()
        self.state.untold = {str(name): credit for name, credit in took if credit and name not in told}
        self.state.write(self.directory)

    async def _read_results(self) -> None:
        """Read the lines of the round, which is another one where all is to be made anew."""
        self.results.read(self.state.round)
        if self.choices.fresh and not self.state.is_fresh and not self._is_new():
            await self._finish_known()
            self.results.lines.clear()
            self.state.round += 1
            self.results.read(self.state.round)
        self.state.is_fresh = self.choices.fresh or self.state.is_fresh

    def _is_new(self) -> bool:
        """Whether the journal knows nothing."""
        return not self.begun and not self.ended

    def _check_journal(self) -> None:
        """Refuse a journal that knows less than the results, as one that was copied without its `-wal` file."""
        is_used = any(line.id for line in self.results.lines.values()) or any(lines_of(self.directory / METADATA))
        if is_used and self._is_new():
            raise JournalUnavailable(f"The journal {self.where} is empty or gone, and there are results of it.")
        paid = ((key, line) for key, line in self.results.lines.items() if line.id and line.credits)
        names = [self.name(key, line.attempt) for key, line in paid if not line.is_older]
        known = [name in self.begun or name in self.ended for name in names]
        if any(known) and not known[-1]:
            what = f"The journal {self.where} is older than the results: it lacks {names[-1]!r}."
            raise JournalUnavailable(f"{what} After a kill, {JOURNAL}-wal beside it is a part of it.")

    def _check(self, rows: Iterable[Row | Mistake]) -> None:
        """Check all rows, and plan each that is right."""
        files: Iterable[Path] = ()
        if self._is_new():  # then those that are there were made by no batch here, or by one whose journal is gone
            files = self.directory.iterdir()
        keys = Keys(self.session.key, self._keys(), files)
        count, mistakes = Count(), list[Mistake]()
        for number, item in enumerate(count.counted(rows), 1):
            if isinstance(item, Mistake):
                mistakes.append(item)
            else:
                line = item.line or number
                mistakes += keys.problems(item.key, line) or self._plan(item, line)
        if mistakes:
            if self._is_new() and not self.results.lines:
                self._leave_nothing()
            raise RowsRefused(mistakes)
        self.report.rows = self.state.rows = count.rows

    def _keys(self) -> Iterable[str]:
        """Give the keys of rows of before."""
        return chain(self.begun, self.ended, self.results.lines)

    def _leave_nothing(self) -> None:
        self.session.let_go(Path(self.journal))
        Path(self.journal).unlink()
        with suppress(OSError):  # what else is there is not ours
            self.directory.rmdir()

    async def _finish_known(self) -> None:
        """Count what has a line, and tell the journal of it where the process was ended before that."""
        async with self.session.call(journal=self.journal) as call:
            for key, line in self.results.lines.items():
                self.budget.count(line.id, line.credits)
                name = self.name(key, line.attempt)
                entry = self.begun.get(name)
                if entry is None or not line.id or self.todo.get(key) == line.attempt:
                    continue
                if entry.id is None:
                    await settle(call, name, line.id)
                if entry.id in {None, line.id}:
                    call.ended[line.id] = Ending(line.status, line.credits)

    def name(self, key: str, attempt: int) -> str:
        """Give what an attempt at a row is called in the journal."""
        return name_of(key, self.state.round, attempt)

    def name_of(self, row: Row) -> str:
        """Give what a row that is to be done is called in the journal."""
        return self.name(row.key, self.todo[row.key])

    def _held(self, row: Row, number: int) -> Iterator[Mistake]:
        """Tell where a payload that is to be posted holds the API key."""
        try:
            if not self.is_followed(row):
                self.session.key.refuse_in(row.payload.endpoint.model, row.payload.to_dict())
        except PayloadError as error:
            yield from (Mistake(number, row.key, violation) for violation in error.violations)

    def _plan(self, row: Row, number: int) -> Iterator[Mistake]:
        """Decide whether a row is to be done, and as which attempt; tell what forbids it."""
        line, attempt = self.results.lines.get(row.key), 1
        while self.is_known(self.name(row.key, attempt + 1)):
            attempt += 1
        name = self.name(row.key, attempt)
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
            self._leave(row, line)
            return
        self.todo[row.key] = attempt
        self.checked[row.key] = mark(row.payload)
        yield from self._held(row, number)

    def _has_changed(self, row: Row, name: str, line: Line | None) -> bool:
        if line is not None:
            return line.status not in AGAIN and line.fingerprint != fingerprint(row.payload)
        if name not in self.begun:
            return False
        begun, given = self.begun[name].payload, row.payload
        return (begun.endpoint.model, shown(begun)) != (given.endpoint.model, shown(given, without_content))

    def _is_done(self, row: Row, name: str, line: Line) -> bool:
        """Tell whether a row needs nothing more. One that was uncertain does once its record was settled or dropped."""
        if line.status == "UNCERTAIN":
            return name in self.begun and self.begun[name].id is None
        return line.status != "COMPLETED" or not row.download or self.results.is_whole(line)

    def _leave(self, row: Row, line: Line) -> None:
        """Count a row of which nothing is to be done."""
        self.report.statuses[line.status] += 1
        if line.files and self.results.is_whole(line):
            self.made.setdefault(line.fingerprint, row.key)
        if line.status != "COMPLETED":
            self.report.problems.append(Outcome(row.key, row.payload.endpoint.model, line.status, line.id or None))

    def given_up(self) -> dict[str, str]:
        """Give what earlier rounds have begun, the key of its row by its id: `fresh` makes the rows anew."""
        begun = [entry for entry in self.begun.values() if entry.id is not None and entry.own_key is not None]
        rows = {str(entry.id): row_and_round(str(entry.own_key)) for entry in begun}
        return {name: key for name, (key, number) in rows.items() if number < self.state.round}

    def phases(self, rows: Iterable[Row | Mistake]) -> Iterator[Iterator[Row]]:
        """Give the rows that are to be done: what is begun first, so that it counts in what may be spent."""
        if self.begun:  # and first of that what has no id, while the running list still shows it
            known = (row for row in self.due(rows) if self._begun_id(row))
            yield self._once(chain((row for row in self.due(rows) if self._begun_id(row) == ""), known))
        keys = set(self.todo)
        while keys:
            later: set[str] = set()
            rest: Iterator[Row] = (row for row in self.due(rows) if row.key in keys and self._begun_id(row) is None)
            if self.choices.reuse:
                rest = self._firsts(rest, later)
            yield self._once(rest)
            keys = later

    def due(self, rows: Iterable[Row | Mistake]) -> Iterator[Row]:
        """Give the rows that are to be done."""
        return (row for row in rows if isinstance(row, Row) and row.key in self.todo)

    def _once(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Give each row once, though rows that are read again may have changed."""
        for row in rows:
            if row.key in self.given:
                error = ValueError(f"key: {row.key!r} came a second time, which it did not when rows were checked")
                self.report.problems.append(Outcome.left_open(row, error))
            else:
                self.given.add(row.key)
                yield row

    def check_again(self, row: Row) -> None:
        """Refuse a row that is another one by now, as where its file was written meanwhile.

        Raises:
            ValueError: it is.
        """
        if self.checked.get(row.key) not in {None, mark(row.payload)}:
            raise ValueError(f"row {row.key!r} has changed since it was checked; the next run checks it anew")

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

    def is_followed(self, row: Row) -> bool:
        """Whether a row was made or begun before, and nothing is to be posted."""
        status = self.ended.get(self.name_of(row), "REFUSED")
        return status != "REFUSED" or self.made_id(row) != "" or self._begun_id(row) is not None

    def is_known(self, name: str) -> bool:
        """Whether the journal, which nobody else has, holds anything under a name."""
        return name in self.begun or name in self.ended

    def _begun_id(self, row: Row) -> str | None:
        """Give the id of what is begun of a row, empty where it is not known; None where nothing is begun."""
        entry = self.begun.get(self.name_of(row))
        if entry is None:
            return None
        return entry.id or ""

    def made_id(self, row: Row) -> str:
        """Give the id of a row that was made before, and whose files are to be fetched; else none."""
        line = self.results.lines.get(row.key)
        if line is None or line.status != "COMPLETED":
            return ""
        return line.id

    def close(self) -> None:
        """Let go of the directory and the journal."""
        is_kept = self.report.rows > 0 and self.results.is_in_place()
        self.results.end()
        over = self.report.statuses.total() - self.report.statuses["OPEN"]
        if is_kept:
            self.state.is_fresh = self.state.is_fresh and over < self.report.rows
            with suppress(OSError):  # as on a full disk
                self._keep_state()
        self.session.let_go(Path(self.journal))
