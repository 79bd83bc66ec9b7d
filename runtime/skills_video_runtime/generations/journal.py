"""A file that outlives the process: which submissions were begun, and which generation each became."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from contextlib import suppress
from functools import partial
from itertools import count
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.errors import JournalUnavailable
from skills_video_runtime.json_values import as_object

from .outcomes import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from .outcomes import Submittable

logger = logging.getLogger("skills_video")
LAYOUT = 0x534B5601  # in the head of the file, as its user_version: a journal, of the first layout
TABLE = """
CREATE TABLE submission (
    key INTEGER PRIMARY KEY, model TEXT NOT NULL, stream TEXT, "create" TEXT NOT NULL, result TEXT NOT NULL,
    payload TEXT NOT NULL, files INTEGER NOT NULL, id TEXT,
    state TEXT NOT NULL CHECK (state IN ('intended', 'submitted', 'refused', 'finished'))
)
"""
HEAD = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"


def _without_content(_: object) -> dict[str, str]:
    """Stand for a file, which is not kept."""
    return {}


class Journal:
    """An SQLite file of submissions, held by one client at a time, and safe to share between its threads.

    It holds prompts: a new one is for its owner's eyes alone. A submission is recorded before it is posted. From then
    on the journal raises no more: an id that cannot be written is logged, as losing the generation over it would be
    worse. `names` are the ids of generations that it knew as unfinished when it was opened.

    Raises:
        JournalUnavailable: the file cannot be opened, is no journal, or another client holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        try:
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
            self._file = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
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
        self._run("COMMIT")
        self.names = [name for (name,) in self._run("SELECT id FROM submission WHERE state = 'submitted'")]
        ((last,),) = self._run("SELECT coalesce(max(key), 0) FROM submission")
        self._keys = count(int(last) + 1)

    def intend(self, payload: Submittable) -> int:
        """Record that a payload is about to be posted, and give the key of the record.

        Raises:
            JournalUnavailable: it cannot be written.
        """
        place, key = payload.endpoint, next(self._keys)
        text = json.dumps(payload.to_dict(), default=_without_content)
        row = (key, place.model, place.stream, place.create, place.result, text, payload.has_files())
        self._run("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 'intended')", *row)
        return key

    def submitted(self, key: int | None, name: str) -> None:
        """Record the id of a submission; one that ended without an id is finished."""
        state = "submitted" if name else "finished"
        self._write("UPDATE submission SET id = ?, state = ? WHERE key = ?", name or None, state, key)

    def refused(self, key: int | None) -> None:
        """Record that a submission certainly made nothing."""
        self._write("UPDATE submission SET state = 'refused' WHERE key = ?", key)

    def forget(self, key: int | None) -> None:
        """Take back an intent: nothing was sent."""
        self._write("DELETE FROM submission WHERE key = ?", key)

    def finished(self, name: str) -> None:
        """Record that a generation is finished, and was given to the caller."""
        self._write("UPDATE submission SET state = 'finished' WHERE id = ?", name)

    def unfinished(self) -> list[Entry]:
        """Give the submissions that were begun and not finished, oldest first.

        Their payloads have no files, which are not kept: one that had any is not posted again.

        Raises:
            JournalUnavailable: it cannot be read.
        """
        entries: list[Entry] = []
        for key, *place, text, files, name, _ in self._run(
            "SELECT * FROM submission WHERE state IN ('intended', 'submitted') ORDER BY key"
        ):
            try:
                fields = as_object(json.loads(text))
            except ValueError as error:
                raise self._unavailable(error) from error
            payload: Any = SimpleNamespace(
                endpoint=Endpoint(*place), to_dict=fields.copy, known_fields=dict, has_files=partial(bool, files)
            )
            entries.append(Entry(key, name, payload))
        return entries

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def _write(self, sql: str, *values: object) -> None:
        try:
            self._run(sql, *values)
        except JournalUnavailable as error:
            logger.warning("the journal could not be written: %s; it would have held %s", error.__cause__, values)

    def _run(self, sql: str, *values: object) -> list[Any]:
        try:
            with self._lock:
                return self._file.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, problem: object) -> JournalUnavailable:
        return JournalUnavailable(f"The journal {self._path} cannot be used: {problem}.")
