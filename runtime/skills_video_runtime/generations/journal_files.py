"""What the file of a journal tells to whom does not hold it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from .sqlite import BUSY
from .tables import COSTS, HEAD

if TYPE_CHECKING:
    from pathlib import Path


def is_in_use(path: Path) -> bool:
    """Tell whether a client has a journal open."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0, uri=True)) as file:
            file.execute(HEAD)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode in BUSY
    except sqlite3.Error:
        return False
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
