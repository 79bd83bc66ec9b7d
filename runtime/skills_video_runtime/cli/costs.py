"""What models cost so far, as a journal knows it."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from statistics import median

from skills_video_runtime.http.addresses import is_postgres

from .output import existing


def usual_credits(journal: str) -> dict[str, float]:
    """Give the median of the credits that the generations of each model took.

    Raises:
        UsageProblem: There is no such file.
    """
    if is_postgres(existing(journal)):
        from skills_video_runtime.generations.postgres import costs_in  # noqa: PLC0415  # needs an extra

        rows = costs_in(journal)
    else:
        from skills_video_runtime.generations.sqlite import costs_in as in_file  # noqa: PLC0415  # as above

        rows = in_file(Path(journal))
    return {model: median(cost for _, cost in costs) for model, costs in groupby(rows, key=itemgetter(0))}
