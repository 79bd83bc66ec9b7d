"""A journal with many records that are over: milliseconds from a new client until `recover` has found nothing to do."""

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import skills_video_runtime.http.exchange  # noqa: F401  # whose import is no matter of the journal
from skills_video import Client

PATH, COUNT = sys.argv[1:]
INSERT = """
INSERT INTO submission VALUES
    (?, 'acme/one', '/generation/sse/acme/one', '/generation/acme/one', '/generation/{id}', ?, 0, ?, 'finished')
"""


def recover() -> None:
    """Look for what is not over."""
    with Client("a-key", "http://localhost:9", journal=PATH) as client:
        assert client.recover() == []


if not Path(PATH).exists():
    recover()
    with closing(sqlite3.connect(PATH)) as file, file:
        payload = json.dumps({"prompt": "neon rain " * 20})
        file.executemany(INSERT, ((number, payload, f"gen_{number}") for number in range(1, int(COUNT) + 1)))
began = time.perf_counter()
recover()
print(json.dumps({"wall": (time.perf_counter() - began) * 1000}))
