"""What the file of a journal tells to whom does not hold it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from .journal import BUSY
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


def usual_credits(path: Path) -> dict[str, float]:
    """Give the median of the credits that the generations of each model took, as far as a journal knows.

    It is only read. Of one that is in use, of an earlier release, or none, nothing is known.
    """
    from statistics import median  # noqa: PLC0415  # takes long

    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0.2, uri=True)) as file:
            rows: list[tuple[str, float]] = file.execute(COSTS).fetchall()
    except sqlite3.Error:
        return {}
    return {model: median(cost for _, cost in costs) for model, costs in groupby(rows, key=itemgetter(0))}
