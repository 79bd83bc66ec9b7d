"""A journal in a Postgres database, which any number of processes and machines share (extra `batch`)."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import JournalUnavailable

from .journal import Journal, fields_of
from .records import Elsewhere
from .tables import ADDED, COSTS, TABLE

if TYPE_CHECKING:
    import psycopg

    from skills_video_runtime.http.key import Key

    from .journal import Write

MISSING = "A journal in Postgres needs a package that is not installed; pip install 'skills-video[batch]' brings it."
PATIENCE = 120.0  # seconds for which a database that is restarted is waited for: our choice
LAYOUT = 1  # of the tables: a release with another one refuses to share them
SCHEMA = "skills_video"
PREPARE = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.layout (number INTEGER NOT NULL)",
    TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"),
    *ADDED,
    "CREATE SEQUENCE IF NOT EXISTS record",
)
FIRST = "INSERT INTO layout SELECT %s WHERE NOT EXISTS (SELECT 1 FROM layout)"
OTHERS = "SELECT id, payload FROM submission WHERE key <> ? AND (id IS NOT NULL OR state = 'intended')"
KEEP_ALIVE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
IDLE = 30.0  # seconds for which a process that is paused within a transaction may hold up the others: our choice
UNREADABLE = (
    "The address of the database cannot be read. It is postgresql://user:password@host:5432/name; write characters "
    "such as @ / : ? % of a user or password by their numbers, @ as %40."
)
HOLD = "SELECT pg_try_advisory_lock(hashtextextended(?, 17))"
LET_GO = "SELECT pg_advisory_unlock(hashtextextended(?, 17))"
ALONE = "SELECT pg_advisory_xact_lock(17)"


class PostgresJournal(Journal):
    """As `Journal`, in tables of a database, and open to any number of clients at once.

    A record is held by an advisory lock of the client's connection, which ends with the process: what a process that
    died has begun is taken up by whoever asks for it next. One that is merely paused holds what it has. A database
    that is restarted is waited for, for two minutes.

    JournalUnavailable tells that it cannot be reached, or that its tables are of another release.
    """

    idle = IDLE

    def __init__(self, address: str, platform: str, key: Key) -> None:
        try:
            import psycopg  # noqa: PLC0415  # for who has such a journal
        except ImportError as error:
            raise JournalUnavailable(MISSING) from error
        super().__init__(f"in Postgres, {_shown(psycopg, address)}", platform, key)
        self._until: float | None = None
        self._holding = self._lock  # as what is held is taken again by whoever connects anew
        self._psycopg, self._address = psycopg, address
        self._connect()

    def _connect(self) -> None:
        """Connect, see that the tables are ours, and take again what was held."""
        self._database: psycopg.Connection[Any]
        try:
            self._database = self._psycopg.connect(
                self._address, autocommit=True, connect_timeout=10, options=KEEP_ALIVE
            )
            self._database.execute(f"SET idle_in_transaction_session_timeout TO {self.idle * 1000:.0f}".encode())
            with self._database.transaction():
                self._database.execute(ALONE)
                self._database.execute(f"SET search_path TO {SCHEMA}")
                for sql in PREPARE:
                    self._database.execute(sql.encode())
                self._database.execute(FIRST, (LAYOUT,))
                numbers = self._database.execute("SELECT number FROM layout").fetchall()
            for key in self._held:
                self._database.execute(_translated(HOLD), (_name_of(key),))
        except self._psycopg.Error as error:
            raise self._unavailable(error) from error
        if numbers != [(LAYOUT,)]:
            self._database.close()
            raise self._unavailable("its tables are those of another release")

    def new_key(self) -> int:
        """See `Journal`; no other process has it either."""
        ((number,),) = self._run("SELECT nextval('record')")
        return int(number)

    def _acquire(self, key: int | str) -> bool:
        ((is_free,),) = self._run(HOLD, _name_of(key))
        return bool(is_free)

    def _release(self, key: int | str) -> None:
        with suppress(JournalUnavailable):
            self._run(LET_GO, _name_of(key))

    def elsewhere(self, key: int) -> Elsewhere:
        """Tell what the other records say of generations: whoever has an id, or may be about to be told one."""
        rows = self._run(OTHERS, key)
        names = frozenset(name for name, _ in rows if name is not None)
        return Elsewhere(names, tuple(fields_of(text) or {} for name, text in rows if name is None))

    def close(self) -> None:
        """Close the connection, which lets go of all that is held."""
        super().close()
        with self._lock:
            self._held.clear()
            self._database.close()

    def _write_all(self, writes: list[Write]) -> None:
        """See `Journal`. What a lost connection has not written is written by the next one."""
        super()._write_all(writes)
        if not self._database.closed:
            return
        self._reconnect()
        for write in writes:
            write.problem, write.is_done = None, False
        super()._write_all(writes)

    def _reconnect(self) -> None:
        """Wait for a database that is restarted, once for all who need it."""
        until = self._until = self._until or time.monotonic() + PATIENCE
        while True:
            try:
                self._connect()
            except JournalUnavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                self._until = None
                return

    def _is_in_transaction(self) -> bool:
        status = self._psycopg.pq.TransactionStatus
        return self._database.info.transaction_status in {status.INTRANS, status.INERROR}

    def _run(self, sql: str, *values: object) -> list[Any]:
        """Run a statement. A question that a lost connection has not answered is asked again by the next one."""
        with self._lock:
            is_within = self._is_in_transaction()
            try:
                return self._execute(sql, values)
            except JournalUnavailable:
                if is_within or not self._database.closed or not sql.startswith("SELECT"):
                    raise
            self._reconnect()
            return self._execute(sql, values)

    def _execute(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        try:
            cursor = self._database.execute(_translated(sql), values)
            if cursor.description is None:
                return []
            return cursor.fetchall()
        except self._psycopg.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, problem: object) -> JournalUnavailable:
        return JournalUnavailable(f"The journal {self._where} cannot be used: {str(problem).strip().rstrip('.')}.")


def costs_in(address: str) -> list[tuple[str, float]]:
    """As of a file, of which tables are only read; JournalUnavailable where that cannot be."""
    try:
        import psycopg  # noqa: PLC0415  # as above
    except ImportError as error:
        raise JournalUnavailable(MISSING) from error
    where = _shown(psycopg, address)
    try:
        with psycopg.connect(address, options=f"-c search_path={SCHEMA}", connect_timeout=10) as database:
            return database.execute(COSTS).fetchall()
    except psycopg.Error as error:
        raise JournalUnavailable(f"The journal in Postgres, {where} cannot be read: {str(error).strip()}.") from error


def _shown(psycopg: Any, address: str) -> str:
    """Give host and name of a database, for messages: nothing of its password, wherever that may have got to."""
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415  # see above

    told: dict[str, Any] = {"host": "@"}
    with suppress(psycopg.Error):  # whose text shows parts of the password
        told = conninfo_to_dict(address)
    host, name = told.get("host") or "this machine", told.get("dbname") or ""
    if "@" in f"{host}{name}":
        raise JournalUnavailable(UNREADABLE)
    return f"{host}/{name}"


def _name_of(key: int | str) -> str:
    """Give what a lock on a record is called."""
    return f"{type(key).__name__}:{key}"


def _translated(sql: str) -> bytes:
    """Write a statement of the SQLite form as Postgres has it."""
    return sql.replace("?", "%s").replace("BEGIN IMMEDIATE", "BEGIN").encode()
