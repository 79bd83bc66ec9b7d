"""The tables of the queue in Postgres, and what is asked of them. `?` stands for a value, as SQLite has it."""

from __future__ import annotations

LAYOUT = 1  # of these tables; `layout` and `version` stand first in every one
TABLES = (
    """CREATE TABLE IF NOT EXISTS batch (
        layout INTEGER NOT NULL, version TEXT NOT NULL, platform TEXT NOT NULL, salt TEXT NOT NULL, owner TEXT NOT NULL,
        round INTEGER NOT NULL DEFAULT 1, is_fresh BOOLEAN NOT NULL DEFAULT FALSE, most INTEGER NOT NULL DEFAULT 1,
        max_credits DOUBLE PRECISION, gap DOUBLE PRECISION NOT NULL DEFAULT 0,
        next_post TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
    )""",
    """CREATE TABLE IF NOT EXISTS batch_row (
        place BIGSERIAL PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, attempt INTEGER NOT NULL,
        model TEXT NOT NULL, variant TEXT NOT NULL, payload TEXT NOT NULL, download BOOLEAN NOT NULL,
        status TEXT, worker BIGINT
    )""",
    "CREATE INDEX IF NOT EXISTS batch_left ON batch_row (place) WHERE status IS NULL",
    "CREATE INDEX IF NOT EXISTS batch_held ON batch_row (worker) WHERE worker IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS batch_uncertain ON batch_row (name) WHERE status = 'UNCERTAIN'",
    """CREATE TABLE IF NOT EXISTS batch_worker (
        number BIGSERIAL PRIMARY KEY, about TEXT NOT NULL, lease DOUBLE PRECISION NOT NULL, until TIMESTAMPTZ NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS batch_line (name TEXT PRIMARY KEY, line TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS batch_file (digest TEXT PRIMARY KEY, content BYTEA NOT NULL)",
)
ALONE = "SELECT pg_advisory_xact_lock(17)"
LOCK = "SELECT 1 FROM batch FOR UPDATE"
BEGIN = "INSERT INTO batch (layout, version, platform, salt, owner) VALUES (?, ?, ?, ?, ?)"
PUT = """
INSERT INTO batch_row (key, name, attempt, model, variant, payload, download) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, attempt = excluded.attempt, model = excluded.model,
    variant = excluded.variant, payload = excluded.payload, download = excluded.download, status = NULL
WHERE batch_row.worker IS NULL
"""
BEAT = "UPDATE batch_worker SET until = clock_timestamp() + lease * interval '1 second' WHERE number = ?"
COME = """
INSERT INTO batch_worker SELECT ?, ?, lease, clock_timestamp() + lease * interval '1 second'
FROM (SELECT CAST(? AS DOUBLE PRECISION) AS lease) AS told ON CONFLICT (number) DO UPDATE SET until = excluded.until
"""
IS_GONE = "greatest(until, pg_postmaster_start_time() + lease * interval '1 second') < clock_timestamp()"
WORKERS = f"SELECT about FROM batch_worker WHERE NOT {IS_GONE} ORDER BY number"  # noqa: S608  # our own words
RELEASE = f"""
WITH gone AS (DELETE FROM batch_worker WHERE number <> ? AND {IS_GONE} RETURNING number)
UPDATE batch_row SET worker = NULL
WHERE worker IS NOT NULL AND (worker IN (SELECT number FROM gone) OR (worker = ? AND NOT key = ANY(?)))
"""  # noqa: S608  # as above
REOPEN = """
UPDATE batch_row SET status = NULL WHERE status = 'UNCERTAIN' AND NOT EXISTS (
    SELECT 1 FROM named JOIN submission USING (key) WHERE named.name = batch_row.name AND state = 'intended'
)
"""
SETTINGS = """
SELECT most, max_credits, gap, CAST(extract(epoch FROM next_post - clock_timestamp()) AS DOUBLE PRECISION) FROM batch
"""
BEGUN = """
SELECT place FROM submission JOIN named USING (key) JOIN batch_row USING (name)
WHERE state IN ('intended', 'submitted') AND status IS NULL AND worker IS NULL AND NOT batch_row.key = ANY(?)
ORDER BY place LIMIT ?
"""
NEW = """
SELECT place FROM batch_row WHERE status IS NULL AND worker IS NULL AND NOT key = ANY(?) ORDER BY place LIMIT ?
"""
HOLD_ROWS = """
UPDATE batch_row SET worker = ? WHERE place = ANY(?) RETURNING place, key, attempt, model, variant, payload, download
"""
LEFT = """
SELECT EXISTS (SELECT 1 FROM batch_row WHERE worker <> ?),
    EXISTS (SELECT 1 FROM batch_row WHERE status IS NULL AND worker IS NULL AND NOT key = ANY(?))
"""
END = """
UPDATE batch_row SET status = ?, worker = NULL
WHERE name = ? AND (worker = ? OR (? AND status IS NULL)) RETURNING key
"""
KEEP = "INSERT INTO batch_line VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET line = excluded.line"
CHARGE = """
INSERT INTO cost SELECT key, CAST(? AS DOUBLE PRECISION) FROM named WHERE name = ?
ON CONFLICT (key) DO UPDATE SET credits = excluded.credits
"""
