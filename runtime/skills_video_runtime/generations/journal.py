"""What outlives the process: which submissions were begun, and which generation each became."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import RLock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.errors import JournalUnavailable, RecordUnusable, visible
from skills_video_runtime.json_values import JsonObject, as_object, is_too_deep

from .outcomes import Submittable, check_seconds
from .records import Elsewhere, Ending, Entry, Idempotency, Record, Recovered
from .states import is_id
from .tables import BEGUN, COST, DROP, FREE, NAMED, OLD, OVER, TIDY, TOLD, TOLD_ID, UNFINISHED, WHOLE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from skills_video_runtime.http.key import Key

logger = logging.getLogger("skills_video")


@dataclass(eq=False, slots=True)
class Write:
    """What a thread waits to have written."""

    work: Callable[[], object]
    problem: JournalUnavailable | None = None
    is_done: bool = False


class Known(NamedTuple):
    """What a journal holds under a key of the caller's own."""

    entry: Entry | Recovered
    is_same: bool
    """Whether it is of the same payload, files apart."""
    is_over: bool


class Journal:
    """What a client records of its submissions, in a file (`sqlite.py`) or a database (`postgres.py`).

    It is safe to share between threads. A submission is recorded before it is posted, with the platform and a salted
    digest of the key. From then on the journal raises no more: an id that cannot be written is logged, as losing the
    generation over it would be worse, and is owed until it can be. What reads, `intend`, `settle` and `prune` raise
    JournalUnavailable where that cannot be. All statements are here, as SQLite has them; how they are run is up to each
    form, and what has a body here is that of a journal which one process has to itself.
    """

    _where: str
    """Its place, as it may be shown."""
    _first: tuple[str, ...] = ()
    """What each transaction of writes begins with."""

    def __init__(self, where: str, platform: str, key: Key) -> None:
        self._where, self._platform, self._api_key = where, platform, key
        self._lock, self._waiting = RLock(), deque[Write]()
        self._owed = deque[Callable[[], object]]()
        self._holding = RLock()
        self._held: dict[int | str, object] = {}
        """Which call of this process holds a record, which nobody else takes up or settles until the call has ended."""

    def names(self) -> list[str]:
        """Give the ids of generations that it knows as unfinished."""
        known = self._run(f"{BEGUN} AND id IS NOT NULL")
        return [name for _, name, *origin in known if self._id_in(name) and self._is_ours(*origin)]

    def new_key(self) -> int:
        """Give the key for a record, which no other has."""
        raise NotImplementedError

    def intend(
        self, key: int, payload: Submittable, own_key: str | None = None, idempotency: Idempotency | None = None
    ) -> None:
        """Record that a payload is about to be posted, under a key of the caller's own and of the platform, if any."""
        self._check_place()
        place, text = payload.endpoint, _text_of(payload)
        row = (key, place.model, place.stream, place.create, place.result, text, int(payload.goes_as_form()))
        self._together(partial(self._begin_record, row, own_key, idempotency))

    def _begin_record(self, row: tuple[Any, ...], own_key: str | None, idempotency: Idempotency | None) -> None:
        """Write a record, once: what a lost connection has written and not answered is there."""
        sql = "INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 'intended') ON CONFLICT (key) DO NOTHING"
        self._run(sql, *row)
        self._own(row[0])
        if own_key is not None:
            self._run(FREE, own_key)
            self._run("INSERT INTO named VALUES (?, ?) ON CONFLICT (key) DO NOTHING", row[0], own_key)
        if idempotency is not None:
            sql = "INSERT INTO repeatable VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
            self._run(sql, row[0], *idempotency)

    def submitted(self, key: int, name: str) -> None:
        """Record the id of a submission; one that ended without an id is finished."""
        work: Callable[[], object] = partial(self._end, key, "finished", Ending("COMPLETED"))
        if name:
            work = partial(self._run, TOLD_ID, name, key)
        self._write(f"record {key} is of generation {name}", work)

    def refused(self, key: int) -> None:
        """Record that a submission certainly made nothing."""
        self._write(f"record {key} was refused", partial(self._end, key, "refused", Ending("REFUSED")))

    def forget(self, key: int) -> None:
        """Take back an intent: nothing was sent."""
        self._write(f"of record {key} nothing was sent", partial(self._drop, key))

    def finished(self, ended: Mapping[str, Ending]) -> None:
        """Record that generations are over, and were given to the caller: all, or none."""
        self._write(f"these are over: {', '.join(ended)}", partial(self._finish, ended))

    def not_given(self, ended: Iterable[str]) -> None:
        """Take back that generations were given to the caller."""
        sql = "UPDATE submission SET state = 'submitted' WHERE state = 'finished' AND id = ?"
        for name in ended:
            self._write(f"generation {name} was not given to the caller", partial(self._run, sql, name))

    def unfinished(self) -> list[Entry | Recovered]:
        """Give the submissions that were begun and not finished, oldest first.

        Their payloads have no files, which are not kept: one that had any is not posted again. What cannot be read, or
        belongs to another platform or key, is what `recover` gives for it: an error of that record alone.
        """
        self._write_owed()
        return [self._entry(*row) for row in self._run(WHOLE)]

    def known_as(self, own_key: str, payload: Submittable) -> Known | None:
        """Give what is recorded under a key of the caller's own, if anything that may have made a generation is."""
        self._write_owed()
        for state, *row in self._run(NAMED, own_key):
            if state != "refused":
                entry = self._entry(*row)
                is_same = (payload.endpoint.model, _text_of(payload)) == (row[8], row[6])
                return Known(entry, is_same, is_over=state == "finished")
        return None

    def settle(self, key: int | str, name: str | None) -> None:
        """Record the id of an unfinished submission, ours from then on, or drop it; ValueError where it cannot be."""
        with self._holding:
            number = self._number_of(key)
            if self._held.keys() & {key, number}:
                raise ValueError(f"key: record {key} is of a call that is under way")
            if number not in {known for known, *_ in self._run(BEGUN)}:
                over = [self._record(*row).key for row in self._run(OVER) if row[0] == number]
                if over:
                    raise ValueError(f"key: record {over[0]} is over: there is nothing to settle or forget")
                raise ValueError(f"key: the journal {self._where} holds no unfinished record {number}")
            if name is None:
                self._together(partial(self._drop, number))
                return
            for (other,) in self._run("SELECT key FROM submission WHERE id = ? AND key <> ?", name, number):
                raise ValueError(f"id: {name!r} is the generation of record {other}")
            with self._transaction():
                self._run("UPDATE submission SET id = ?, state = 'submitted' WHERE key = ?", name, number)
                self._own(number)

    def _number_of(self, key: int | str) -> int:
        """Give the number of a record; ValueError of a number where its owner's key is what it is called by."""
        if isinstance(key, int):
            for number, own_key, *_ in self._run(f"{TOLD} {UNFINISHED}"):
                if number == key and own_key is not None:
                    raise ValueError(f"key: record {key} is that of key {own_key!r:.80}, and called by that alone")
            return key
        for (number,) in self._run("SELECT key FROM named WHERE name = ?", key):
            return int(number)
        raise ValueError(f"key: the journal holds no record {key!r:.80}")

    def history(self) -> list[Record]:
        """Give what is over, oldest first."""
        return [self._record(*row) for row in self._run(OVER)]

    def record_of(self, name: str) -> Record | None:
        """Give what is recorded under a key of the caller's own, else an id, over or not, unless nothing was made."""
        for column in ("name", "id"):
            for row in self._run(f"{TOLD} {column} = ? AND state <> 'refused'", name):
                return self._record(*row)
        return None

    def prune(self, older_than: float) -> int:
        """Remove what is over for so many seconds, and give how many records that were."""
        if older_than != 0:
            check_seconds("older_than", older_than)
        with self._transaction():
            before = time.time() - older_than
            ((removed,),) = self._run(f"SELECT count(*) {OLD}", before)
            self._run(f"DELETE {OLD}", before)
            for sql in TIDY:
                self._run(sql)
        return int(removed)

    def hold(self, key: int | str, call: object) -> bool:
        """Hold a record for a call; False if another call does, or another process."""
        with self._holding:
            if key not in self._held and self._acquire(key):
                self._held[key] = call
            return self._held.get(key) is call

    def hold_unfinished(self, call: object) -> list[Entry | Recovered]:
        """Hold, for a call, all that is unfinished and nobody holds, and give it."""
        with self._holding:
            return [entry for entry in self.unfinished() if self.hold(entry.key, call)]

    def let_go(self, call: object) -> None:
        """Let others hold what a call did, which has ended."""
        with self._holding:
            for key in [key for key, holder in self._held.items() if holder is call]:
                del self._held[key]
                self._release(key)

    def _acquire(self, key: int | str) -> bool:  # noqa: ARG002  # what a journal of several processes needs
        """Hold a record for this process; False if another process does."""
        return True

    def _release(self, key: int | str) -> None:
        """Let another process hold a record."""

    def elsewhere(self, key: int) -> Elsewhere:  # noqa: ARG002  # as above
        """Tell what records of other processes say of generations: who has an id, or may be about to be told one."""
        return Elsewhere()

    def close(self) -> None:
        """Let go of all; what is owed is written, if that can be."""
        with self._lock, suppress(JournalUnavailable):
            self._write_owed()

    def _record(self, key: int, own_key: str | None, model: object, name: object, *ending: Any) -> Record:
        status, begun, ended, credit = ending
        told = visible(str(model)), self._id_in(name), status, _moment(begun), _moment(ended)
        return Record(own_key or key, *told, credit)

    def _entry(self, key: int, own_key: str | None, *row: Any) -> Entry | Recovered:
        *origin, name, text, files, model, stream, create, result, header, value, path, begun = row
        known, fields, problem = self._id_in(name), fields_of(text), ""
        if name != known or fields is None or not _is_text(model, stream or "", create, result):
            problem = "cannot be read"
        elif not self._is_ours(*origin):
            problem = f"belongs to another key or platform, {visible(str(origin[0]))}"
        if problem:
            error = RecordUnusable(
                f"Record {own_key or key} of the journal {self._where} {problem}.", generation_id=known
            )
            return Recovered(visible(str(model)), fields or {}, None, error, own_key or key)
        payload: Any = SimpleNamespace(
            endpoint=Endpoint(model, stream, create, result),
            to_dict=dict(fields or {}).copy,
            known_fields=dict,
            goes_as_form=partial(bool, files),
        )
        idempotency = None
        if _is_text(header, value, path):
            idempotency = Idempotency(header, value, path)
        return Entry(key, known, payload, own_key, idempotency, begun)

    def _id_in(self, name: object) -> str | None:
        """Give an id as it is recorded, None where there is none."""
        if is_id(name) and not self._api_key.holds(name):
            return name
        return None

    def _is_ours(self, platform: object, salt: object, owner: object) -> bool:
        """Whether a record was made with this platform and key; one of an earlier release does not tell."""
        if platform is None:
            return True
        return platform == self._platform and owner == self._api_key.digest(str(salt))

    def _own(self, key: int) -> None:
        """Note that a record is of this platform and key."""
        salt = os.urandom(16).hex()
        row = (key, self._platform, salt, self._api_key.digest(salt), time.time())
        self._run(
            "INSERT INTO origin (key, platform, salt, owner, begun) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
            "SET platform = excluded.platform, salt = excluded.salt, owner = excluded.owner",
            *row,
        )

    def _finish(self, ended: Mapping[str, Ending]) -> None:
        for name, ending in ended.items():
            for key, _, *origin in self._run(f"{BEGUN} AND id = ?", name):
                if self._is_ours(*origin):
                    self._end(key, "finished", ending)

    def _end(self, key: int, state: str, ending: Ending) -> None:
        self._run("UPDATE submission SET state = ? WHERE key = ?", state, key)
        self._run("UPDATE origin SET ended = ?, status = ? WHERE key = ?", time.time(), ending.status, key)
        if ending.credits is not None:
            self._run(COST, key, ending.credits)

    def _drop(self, key: int) -> None:
        for sql in DROP:
            self._run(sql, key)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """Have all of what is run within, or none of it."""
        with self._lock:
            try:
                self._run("BEGIN IMMEDIATE")
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(JournalUnavailable):
                    self._run("ROLLBACK")
                raise

    def _together(self, work: Callable[[], object]) -> None:
        """Write in one transaction with what other threads are waiting to write: they wait for the disk once."""
        write = Write(work)
        self._waiting.append(write)
        with self._lock:
            if not write.is_done:
                writes = [self._waiting.popleft() for _ in range(len(self._waiting))]
                if write not in writes:  # the thread that was to write it has been interrupted
                    writes.append(write)
                self._write_all(writes)
        if write.problem is not None:
            raise write.problem

    def _write_all(self, writes: list[Write]) -> None:
        """Write in one transaction. Where that fails, each is written alone, and leaves the rest as it is."""
        try:
            with self._transaction():
                for sql in self._first:
                    self._run(sql)
                for write in writes:
                    write.work()
        except JournalUnavailable as problem:
            if len(writes) == 1:
                writes[0].problem = problem
            else:
                for write in writes:
                    Journal._write_all(self, [write])
        for write in writes:
            write.is_done = True

    def _write(self, what: str, work: Callable[[], object]) -> None:
        """Write; what cannot be written is logged, and owed."""
        try:
            self._write_owed()
            self._together(work)
            self._check_place()
        except JournalUnavailable as error:
            self._owed.append(work)
            why = str(error.__cause__ or error.what).strip().rstrip(".")
            logger.warning("the journal could not be written: %s. Not in it: %s", why, what)

    def _write_owed(self) -> None:
        """Write what could not be written before, such as while the disk was full, in its order."""
        if self._owed:
            with self._lock:
                while self._owed:
                    self._together(self._owed[0])
                    self._owed.popleft()

    def _check_place(self) -> None:
        """Refuse a journal that is no longer in its place, so that nobody would find what is written to it."""

    def _run(self, sql: str, *values: object) -> list[Any]:
        """Run a statement, as SQLite has it."""
        raise NotImplementedError

    def _unavailable(self, problem: object) -> JournalUnavailable:
        raise NotImplementedError


def _text_of(payload: Submittable) -> str:
    return json.dumps(payload.to_dict(), default=without_content)


def without_content(_: object) -> dict[str, str]:
    """Stand for a file, which is not kept."""
    return {}


def fields_of(text: object) -> JsonObject | None:
    """Read a payload, or give None if it is none."""
    try:
        read: object = json.loads(str(text))
    except (ValueError, RecursionError):
        return None
    fields = as_object(read)
    if fields is not read or is_too_deep(fields):
        return None
    return fields


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _moment(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
