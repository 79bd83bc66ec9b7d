"""The rows of a batch in Postgres: which worker has which, how fast they are posted, and what became of them.

A worker holds a row for as long as its lease lasts, by the clock of the database, and then any other takes it. It may
merely have been paused: so the journal, in the same database, takes an intent to post only from whoever holds the row.
All that workers write begins with a lock on the one row of `batch`, so that they decide one after the other.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from skills_video_runtime.budget import Budget
from skills_video_runtime.catalog import PACKAGES
from skills_video_runtime.errors import JournalUnavailable
from skills_video_runtime.generations.postgres import ALONE, PostgresJournal
from skills_video_runtime.generations.records import Ending
from skills_video_runtime.payloads.base import parse_payload
from skills_video_runtime.payloads.file import File
from skills_video_runtime.version import __version__

from . import statements
from .results import State
from .rows import Row
from .statements import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from skills_video_runtime.generations.records import Idempotency
    from skills_video_runtime.http.key import Key
    from skills_video_runtime.payloads.base import BasePayload

    from .report import Choices

POLL = 1.0  # seconds between two looks for rows, where there are none to be had: our choice
FILE = "\0file"  # the member that stands for a file; no field is named so
OVER = ("COMPLETED", "FAILED", "CANCELED")


class RowTaken(JournalUnavailable):
    """Another worker has the row by now: it is left to that one."""

    guidance = "Nothing was sent by this one."


class Taken(NamedTuple):
    """What a look for rows has brought."""

    rows: list[tuple[Row, int]]
    """Each with which attempt it is."""
    pause: float | None
    """Seconds until it is worth looking again; None, where none are left but those that this worker has."""
    max_credits: float | None
    is_spent: bool
    """Whether the budget keeps rows from being taken."""


class Queue(PostgresJournal):
    """The journal of a worker, and the rows that workers share. Its leases are in seconds.

    Raises:
        JournalUnavailable: as `PostgresJournal`; another release, platform or key has the queue.
    """

    _first = (statements.LOCK,)

    def __init__(self, address: str, platform: str, key: Key, lease: float) -> None:
        self.lease = self.idle = lease
        self.number = 0
        super().__init__(address, platform, key)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        """Begin a batch, where there is none, and see that it is for us."""
        with self._transaction():
            self._run(statements.ALONE)
            for sql in statements.TABLES:
                self._run(sql)
            if not self._run("SELECT 1 FROM batch"):
                salt = os.urandom(16).hex()
                self._run(statements.BEGIN, LAYOUT, __version__, self._platform, salt, self._api_key.digest(salt))
            self._check_release()
            [origin] = self._run("SELECT platform, salt, owner FROM batch")
        if not self._is_ours(*origin):
            raise self._unavailable("its batch belongs to another platform or key")

    def _check_release(self) -> None:
        """Refuse a queue of another release; one in which nothing is left to be done is taken over."""
        [(layout, release)] = self._run("SELECT layout, version FROM batch")
        if (layout, release) == (LAYOUT, __version__):
            return
        if layout != LAYOUT or self._run("SELECT 1 FROM batch_row WHERE status IS NULL LIMIT 1"):
            raise self._unavailable(
                f"its batch is of skills-video {release}, layout {layout}, and this is {__version__}, layout {LAYOUT}; "
                "have one release on all machines until the batch is done, or another database"
            )
        self._run("UPDATE batch SET version = ?", __version__)

    def state(self) -> State:
        """Give what tells one run from another."""
        [(number, is_fresh, rows)] = self._run("SELECT round, is_fresh, (SELECT count(*) FROM batch_row) FROM batch")
        return State(number, is_fresh, rows)

    def most(self) -> int:
        """Give how many may be under way at once, of all workers together."""
        [(most,)] = self._run("SELECT most FROM batch")
        return int(most)

    def check_begun(self) -> None:
        """Refuse a database in which nothing was put.

        Raises:
            JournalUnavailable: it is one.
        """
        if not self._run("SELECT 1 FROM batch_row LIMIT 1"):
            raise self._unavailable("it holds no batch yet; batch run FILE --out DIR --database URL puts one in")

    def put(self, rows: Iterable[tuple[Row, str, int]], state: State, choices: Choices) -> None:
        """Put rows in, each with its name in the journal and which attempt it is; those that workers have stay.

        Raises:
            JournalUnavailable: they cannot be written, or a round is to begin while workers are at the last one.
        """
        gap = 0.0
        if choices.rate is not None:
            gap = 60 / choices.rate
        with self._transaction(), self._database.cursor() as cursor:
            self._run(statements.LOCK)
            self._check_release()
            if self.state().round != state.round and self.workers():
                raise self._unavailable("workers are at its batch, and all is to be made anew: end them first")
            sql = "UPDATE batch SET round = ?, is_fresh = ?, most = ?, max_credits = ?, gap = ?"
            self._run(sql, state.round, state.is_fresh, choices.limit, choices.max_credits, gap)
            columns = (self._as_columns(*each) for each in rows)
            while some := list(islice(columns, 1000)):
                try:
                    cursor.executemany(statements.PUT, some)
                except self._psycopg.Error as error:
                    raise self._unavailable(error) from error
            self._run("ANALYZE batch_row")  # else each look for rows reads all of them

    def _as_columns(self, row: Row, name: str, attempt: int) -> tuple[object, ...]:
        text = json.dumps(row.payload.to_dict(), default=self._put_file)
        model, variant = row.payload.endpoint.model, type(row.payload).__name__
        return row.key, name, attempt, model, variant, text, row.download

    def _put_file(self, file: File) -> dict[str, str]:
        with file.open() as opened:
            content = opened.read()
        digest = sha256(content).hexdigest()
        self._run("INSERT INTO batch_file VALUES (?, ?) ON CONFLICT DO NOTHING", digest, content)
        return {FILE: digest, "name": file.name, "content_type": file.content_type}

    def join(self) -> None:
        """Be a worker of its own."""
        [(self.number,)] = self._run("SELECT nextval('batch_worker_number_seq')")

    def beat(self) -> None:
        """Keep what this worker has for another lease."""
        self._together(partial(self._run, statements.BEAT, self.number))

    def leave(self) -> None:
        """Give back what this worker has."""
        self._together(partial(self._run, "UPDATE batch_row SET worker = NULL WHERE worker = ?", self.number))
        self._together(partial(self._run, "DELETE FROM batch_worker WHERE number = ?", self.number))

    def take(self, room: int, busy: list[str], known: list[str]) -> Taken:
        """Take rows, begun ones first, and none of those that are known; `busy` are the keys of those that it is at.

        Raises:
            JournalUnavailable: the database is gone for too long, or another release has the batch.
        """
        taken: list[Taken] = []
        self._together(partial(self._take, room, busy, known, taken))
        return taken[-1]

    def _take(self, room: int, busy: list[str], known: list[str], taken: list[Taken]) -> None:
        self._check_release()
        self._run(statements.COME, self.number, f"process {os.getpid()} on {socket.gethostname()}", self.lease)
        self._run(statements.RELEASE, self.number, self.number, busy)
        self._run(statements.REOPEN)
        [(most, max_credits, gap, wait)] = self._run(statements.SETTINGS)
        places = self._run(statements.BEGUN, known, room)
        [(held,)] = self._run("SELECT count(*) FROM batch_row WHERE worker IS NOT NULL")
        is_spent = max_credits is not None and self.spent() >= max_credits
        new = min(room, most - held) - len(places)
        if gap:
            new = min(new, 1)
        if new > 0 and wait <= 0 and not is_spent:
            found = self._run(statements.NEW, known, new)
            places += found
            if found and gap:
                self._run("UPDATE batch SET next_post = clock_timestamp() + gap * interval '1 second'")
        rows = sorted(self._run(statements.HOLD_ROWS, self.number, [place for (place,) in places]))
        [(elsewhere, free)] = self._run(statements.LEFT, self.number, known)
        pause = None
        if elsewhere or (free and not is_spent):
            pause = min(POLL, self.lease / 3)
        if pause is not None and gap and wait > 0:
            pause = min(pause, wait)
        elif pause is not None and gap:
            pause = min(pause, gap)
        taken.append(Taken([self._row(*row) for row in rows], pause, max_credits, is_spent and free))

    def _row(self, _place: int, key: str, attempt: int, model: str, *told: Any) -> tuple[Row, int]:
        variant, text, download = told
        fields = json.loads(text, object_hook=self._with_files)
        return Row(key, _payload(model, variant, fields), download), attempt

    def _with_files(self, members: dict[str, Any]) -> object:
        if FILE not in members:
            return members
        [(content,)] = self._run("SELECT content FROM batch_file WHERE digest = ?", members.pop(FILE))
        return File(content, **members)

    def give_back(self, name: str) -> None:
        """Let another worker have a row."""
        sql = "UPDATE batch_row SET worker = NULL WHERE name = ? AND worker = ?"
        self._together(partial(self._run, sql, name, self.number))

    def end(self, name: str, told: dict[str, Any]) -> None:
        """Keep what became of a row, with its generation and what that took, once.

        A worker that does not hold it any more, and knows its generation, ends it too, unless it is ended.

        Raises:
            RowTaken: it is not for this worker to end it.
            JournalUnavailable: it cannot be written.
        """
        self._together(partial(self._end_row, name, told))

    def _end_row(self, name: str, told: dict[str, Any]) -> None:
        status, made = told["status"], told["id"]
        is_over = made is not None and status in OVER
        if not self._run(statements.END, status, name, self.number, is_over):
            raise RowTaken(f"Another worker has row {told['key']}, or has ended it.")
        self._run(statements.KEEP, name, json.dumps(told))
        for (number,) in self._run("SELECT key FROM named WHERE name = ?", name):
            if is_over:
                self._run("UPDATE submission SET id = ? WHERE key = ? AND id IS NULL", made, number)
                self._end(number, "finished", Ending(status, told["credits"]))

    def keep(self, name: str, told: dict[str, Any]) -> None:
        """Keep another line of a row that is over, as of files that were fetched since."""
        self._together(partial(self._run, statements.KEEP, name, json.dumps(told)))

    def lines(self, *, earlier: bool = False) -> Iterator[dict[str, Any]]:
        """Give the lines of rows that ended; with `earlier`, those of earlier attempts and rounds as well."""
        sql = "SELECT line FROM batch_line JOIN batch_row USING (name) WHERE status IS NOT NULL ORDER BY place"
        if earlier:
            sql = "SELECT line FROM batch_line"
        for (text,) in self._run(sql):
            yield json.loads(text)

    @contextmanager
    def alone(self) -> Generator[None]:
        """Have other workers wait with what they write into a directory, which may be the same one."""
        with self._transaction():
            self._run(ALONE)
            yield

    def end_round(self) -> None:
        """Let the next `--fresh` begin another round, once no row of this one is left."""
        sql = "UPDATE batch SET is_fresh = FALSE WHERE NOT EXISTS (SELECT 1 FROM batch_row WHERE status IS NULL)"
        self._together(partial(self._run, sql))

    def keys(self) -> Iterator[str]:
        """Give the keys of all rows."""
        return (key for (key,) in self._run("SELECT key FROM batch_row"))

    def statuses(self) -> dict[str, int]:
        """Give how many rows ended how."""
        return dict(self._run("SELECT status, count(*) FROM batch_row WHERE status IS NOT NULL GROUP BY status"))

    def workers(self) -> list[str]:
        """Tell who takes rows."""
        return [about for (about,) in self._run(statements.WORKERS)]

    def spent(self) -> float:
        """Give the credits that all records of the journal have taken so far."""
        [(spent,)] = self._run("SELECT coalesce(sum(credits), 0) FROM cost")
        return float(spent)

    def charge(self, name: str, told: float) -> None:
        """Note what a row has taken so far."""
        self._together(partial(self._run, statements.CHARGE, told, name))

    def _acquire(self, key: int | str) -> bool:
        """Keep others than workers off a record; among workers, who holds the row has it."""
        super()._acquire(key)
        return True

    def _begin_record(self, row: tuple[Any, ...], own_key: str | None, idempotency: Idempotency | None) -> None:
        """See above: nothing is posted without it."""
        if not self._run("SELECT 1 FROM batch_row WHERE name = ? AND worker = ?", own_key, self.number):
            raise RowTaken(f"Another worker has row {own_key}.")
        super()._begin_record(row, own_key, idempotency)


class RowBudget(Budget):
    """What all rows may take, for the post of one of them: what it takes is noted for all workers."""

    def __init__(self, most: float | None, queue: Queue, name: str) -> None:
        super().__init__(most)
        self._queue, self._name = queue, name

    def check(self) -> None:
        """See `Budget`."""
        self.spent = self._queue.spent()
        super().check()

    def count(self, generation: object, told: float | None) -> None:  # noqa: ARG002  # a row has one at a time
        """See `Budget`; to note it twice does no harm."""
        if told is not None:
            self._queue.charge(self._name, told)


def _payload(model: str, variant: str, fields: dict[str, object]) -> BasePayload:
    """Build the payload of a row."""
    for package in PACKAGES:
        info = import_module(f"{package}.catalog").MODELS.get(model)
        if info is not None and variant in info.variants:
            built: BasePayload = parse_payload(fields, getattr(import_module(f"{package}.{info.module}"), variant))
            return built
    raise LookupError(f"no model {model!r:.80} with a variant {variant!r:.80} is known here")
