"""A journal in an SQLite file, held by one client at a time."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import JournalUnavailable

from .journal import Journal
from .tables import ADDED, COSTS, HEAD, LAYOUT, TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.http.key import Key

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
LAST = 2**62  # keys above it are not ours, and the next one might be none


class SqliteJournal(Journal):
    """A file that holds prompts: a new one is for its owner's eyes alone.

    JournalUnavailable tells that it cannot be opened, is no journal, or that another client holds it.
    """

    def __init__(self, path: Path, platform: str, key: Key) -> None:
        super().__init__(str(path), platform, key)
        self._path = path
        try:
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
            self._file = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        self._file.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _begin(self) -> None:
        """Take the file for ourselves, and see that it is new or a journal."""
        for sql in ("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA synchronous = FULL", "BEGIN EXCLUSIVE"):
            self._run(sql)
        ((layout, tables),) = self._run(HEAD)
        if layout == tables == 0:
            self._run(TABLE)
            self._run(f"PRAGMA user_version = {LAYOUT}")
        elif layout != LAYOUT:
            raise self._unavailable("it is no journal, or one of another release")
        for sql in ADDED:
            self._run(sql)
        self._run("COMMIT")
        self._opened = identity(self._path)
        last: int
        ((last,),) = self._run("SELECT coalesce(max(key), 0) FROM submission WHERE key < ?", LAST)
        self._keys = count(max(last, 0) + 1)

    def new_key(self) -> int:
        """Give the key for a record, which no other has in this process."""
        return next(self._keys)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        with self._lock:
            self._file.close()

    def write_ahead(self) -> None:
        """Write to a log from now on, which takes far less time, and needs room on the disk for each write."""
        self._run("PRAGMA journal_mode = WAL")

    def prune(self, older_than: float) -> int:
        """See `Journal`; the file shrinks."""
        removed = super().prune(older_than)
        self._run("VACUUM")
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def _check_place(self) -> None:
        """See `Journal`: it is told by what a file system tells files apart by."""
        found = identity(self._path)
        if found is None or found != self._opened:
            raise self._unavailable("it was moved, deleted or replaced while it was open")

    def _run(self, sql: str, *values: object) -> list[Any]:
        try:
            with self._lock:
                return self._file.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, problem: object) -> JournalUnavailable:
        advice = "Its folder must exist, and the file must be a journal or new"
        if getattr(problem, "sqlite_errorcode", None) in BUSY:
            problem = "another client or run has it"
            advice = "Wait for its end, or give each a journal of its own"
        return JournalUnavailable(f"The journal {self._path} cannot be used: {problem}. {advice}.")


def identity(path: Path) -> tuple[int, int] | None:
    """Give what tells the file in a place from one that takes it later; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_dev


def is_in_use(path: Path) -> bool:
    """Tell whether a client has a journal open."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0, uri=True)) as file:
            file.execute(HEAD)
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", None) in BUSY
    return False


def costs_in(path: Path) -> list[tuple[str, float]]:
    """Give what each generation took, by model and credits in order, as far as a journal knows.

    It is only read. Of one that is in use, of an earlier release, or none, nothing is known.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0.2, uri=True)) as file:
            return file.execute(COSTS).fetchall()
    except sqlite3.Error:
        return []
