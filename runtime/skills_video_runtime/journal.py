"""A file that outlives the process: which submissions were begun, and which generation each became."""

from __future__ import annotations

import json
import logging
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from .endpoint import Endpoint
from .errors import JournalUnavailable
from .steps import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from .file import File
    from .steps import Submittable

logger = logging.getLogger("skills_video")
SCHEMA = """
CREATE TABLE IF NOT EXISTS submission (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL, stream TEXT, "create" TEXT NOT NULL, result TEXT NOT NULL,
    payload TEXT NOT NULL, files INTEGER NOT NULL,
    id TEXT,
    state TEXT NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'submitted', 'refused', 'finished'))
) STRICT
"""


def recorded(place: Endpoint, data: dict[str, Any], *, files: bool) -> Submittable:
    """Give a payload as the journal keeps it. Files are not kept, so that one that had any is not posted again."""

    class RecordedPayload:
        endpoint: ClassVar[Endpoint] = place

        def to_dict(self) -> dict[str, Any]:
            return data

        def has_files(self) -> bool:
            return files

        def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
            raise OSError("the files of a recorded payload are not kept")

    return RecordedPayload()


class Journal:
    """An SQLite file of submissions, held by one client at a time, and safe to share between its threads.

    A submission is recorded before it is posted. From then on the journal raises no more: an id that cannot be written
    is logged, as losing the generation over it would be worse.

    Raises:
        JournalUnavailable: the file cannot be opened, or another client holds it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        try:
            self._file = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
            try:
                self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._file.execute("PRAGMA synchronous = FULL")
                self._file.execute("BEGIN EXCLUSIVE")
                self._file.execute(SCHEMA)
                self._file.execute("COMMIT")
            except BaseException:
                self._file.close()
                raise
        except sqlite3.Error as error:
            raise JournalUnavailable(f"The journal {path} cannot be used: {error}.") from error

    def intend(self, payload: Submittable) -> int:
        """Record that a payload is about to be posted, and give the key of the record.

        Raises:
            JournalUnavailable: it cannot be written.
        """
        place = payload.endpoint
        text = json.dumps(payload.to_dict(), default=lambda _: {})
        row = (place.model, place.stream, place.create, place.result, text, payload.has_files())
        sql = 'INSERT INTO submission (model, stream, "create", result, payload, files) VALUES (?, ?, ?, ?, ?, ?)'
        try:
            with self._lock:
                return self._file.execute(sql, row).lastrowid or 0
        except sqlite3.Error as error:
            raise JournalUnavailable(f"The journal cannot be written: {error}.") from error

    def submitted(self, key: int | None, name: str) -> None:
        """Record the id of a submission; one that ended without an id is finished."""
        state = "submitted" if name else "finished"
        self._write("UPDATE submission SET id = ?, state = ? WHERE key = ?", name or None, state, key)

    def refused(self, key: int | None) -> None:
        """Record that a submission certainly made nothing."""
        self._write("UPDATE submission SET state = 'refused' WHERE key = ?", key)

    def finished(self, name: str) -> None:
        """Record that a generation is finished, and was given to the caller."""
        self._write("UPDATE submission SET state = 'finished' WHERE id = ?", name)

    def names(self) -> list[str]:
        """Give the ids of all generations that the journal knows."""
        with self._lock:
            return [name for (name,) in self._file.execute("SELECT id FROM submission WHERE id IS NOT NULL")]

    def unfinished(self) -> list[Entry]:
        """Give the submissions that were begun and not finished, oldest first."""
        sql = (
            'SELECT key, id, model, stream, "create", result, payload, files FROM submission '
            "WHERE state IN ('intended', 'submitted') ORDER BY key"
        )
        with self._lock:
            rows = self._file.execute(sql).fetchall()
        return [
            Entry(key, name, recorded(Endpoint(*place), json.loads(payload), files=bool(files)))
            for key, name, *place, payload, files in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def _write(self, sql: str, *values: object) -> None:
        try:
            with self._lock:
                self._file.execute(sql, values)
        except sqlite3.Error as error:
            logger.warning("the journal could not be written: %s", error)
