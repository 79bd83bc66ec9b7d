"""The tables of a journal and the statements on them, as SQLite has them. `postgres.py` translates them."""

from __future__ import annotations

LAYOUT = 0x534B5601  # in the head of the file, as its user_version: a journal, of the first layout
TABLE = """
CREATE TABLE submission (
    key INTEGER PRIMARY KEY, model TEXT NOT NULL, stream TEXT, "create" TEXT NOT NULL, result TEXT NOT NULL,
    payload TEXT NOT NULL, files INTEGER NOT NULL, id TEXT,
    state TEXT NOT NULL CHECK (state IN ('intended', 'submitted', 'refused', 'finished'))
)
"""
UNFINISHED = "state IN ('intended', 'submitted')"
ADDED = (
    """CREATE TABLE IF NOT EXISTS origin (
        key INTEGER PRIMARY KEY, platform TEXT NOT NULL, salt TEXT NOT NULL, owner TEXT NOT NULL,
        begun DOUBLE PRECISION NOT NULL, ended DOUBLE PRECISION, status TEXT
    )""",
    "CREATE TABLE IF NOT EXISTS named (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS repeatable (
        key INTEGER PRIMARY KEY, header TEXT NOT NULL, value TEXT NOT NULL, path TEXT NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS cost (key INTEGER PRIMARY KEY, credits DOUBLE PRECISION NOT NULL)",
    f"CREATE INDEX IF NOT EXISTS unfinished ON submission (id) WHERE {UNFINISHED}",
)
HEAD = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
BESIDE = ("origin", "named", "repeatable", "cost")
RECORDS = f"FROM submission {' '.join(f'LEFT JOIN {table} USING (key)' for table in BESIDE)} WHERE"
BEGUN = f"SELECT submission.key, id, platform, salt, owner {RECORDS} {UNFINISHED}"
COLUMNS = (
    'submission.key, name, platform, salt, owner, id, payload, files, model, stream, "create", result, '
    "header, value, path, begun"
)
WHOLE = f"SELECT {COLUMNS} {RECORDS} {UNFINISHED} ORDER BY +submission.key"
NAMED = f"SELECT state, {COLUMNS} {RECORDS} name = ?"
TOLD = f"SELECT submission.key, name, model, id, status, begun, ended, credits {RECORDS}"
OVER = f"{TOLD} NOT {UNFINISHED} ORDER BY submission.key"
TOLD_ID = "UPDATE submission SET id = ?, state = 'submitted' WHERE key = ? AND state <> 'finished'"
COSTS = "SELECT model, credits FROM submission JOIN cost USING (key) ORDER BY model, credits"
COST = "INSERT INTO cost VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET credits = excluded.credits"
FREE = "DELETE FROM named WHERE name = ? AND key NOT IN (SELECT key FROM submission WHERE state <> 'refused')"
OLD = "FROM submission WHERE state IN ('refused', 'finished') AND key NOT IN (SELECT key FROM origin WHERE ended > ?)"
DROP = [f"DELETE FROM {table} WHERE key = ?" for table in ("submission", *BESIDE)]  # noqa: S608  # our own names
TIDY = [f"DELETE FROM {table} WHERE key NOT IN (SELECT key FROM submission)" for table in BESIDE]  # noqa: S608
