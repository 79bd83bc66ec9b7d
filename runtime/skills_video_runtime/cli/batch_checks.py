"""`batch check`: what a file of rows would do, and what is wrong with it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from skills_video_runtime.batch.report import Count
from skills_video_runtime.batch.rows import Mistake, Rows
from skills_video_runtime.catalog import Models

from .costs import usual_credits
from .exits import BY_CATEGORY
from .output import UsageProblem, amount, complain, say, say_json, without_key

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from .catalog import Catalog

PARQUET = "Parquet needs a package that is not installed: pip install pyarrow"


def rows_of(catalog: Catalog, file: Path, model: str | None, key: str, files: Path | None) -> Rows:
    """Give the rows of a file.

    Raises:
        UsageProblem: It is not there, its model is not known, or files are to be looked for where no folder is.
    """
    if not file.is_file():
        raise UsageProblem(f"there is no file {str(file)!r:.200}")
    if files is not None and not files.is_dir():
        raise UsageProblem(f"--files {str(files)!r:.200} is no directory")
    if model is not None:
        model = catalog.find(model).endpoint.model
    return Rows(file, Models(catalog.models), catalog.package, model, key, files)


@contextmanager
def checking() -> Generator[None]:
    """Read rows.

    Raises:
        UsageProblem: A package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise UsageProblem(PARQUET) from error


def check(rows: Rows, journal: str | None, *, as_json: bool) -> int:
    """Tell all that is wrong with rows, and what they would make. Nothing is sent."""
    count, told = Count(), list[str]()
    with checking():
        for item in count.counted(rows):
            if isinstance(item, Mistake) and as_json:
                told.append(json.dumps(facts(item)))
            elif isinstance(item, Mistake):
                say(f"{rows.path}: {item}")
    known: dict[str, float] = {}
    if journal is not None:
        known = usual_credits(journal)
    if as_json:
        say_json(_summary(rows, count, known, told))
    else:
        _say_summary(count, known)
    if count.mistakes:
        return BY_CATEGORY["validation"]
    return 0


def facts(mistake: Mistake) -> dict[str, Any]:
    """Give a mistake as JSON."""
    told = {**mistake.what.to_dict(), "message": without_key(mistake.what.message)}
    return {"line": mistake.line, "key": mistake.key, **told}


def _summary(rows: Rows, count: Count, known: dict[str, float], told: list[str]) -> dict[str, Any]:
    return {
        "file": str(rows.path),
        "sent": False,
        "rows": count.rows,
        "models": dict(count.models),
        "credits_expected": count.credits(known),
        "credits_per_model": {model: known.get(model) for model in count.models},
        "not_in_schema": dict(count.extras),
        "mistakes": [json.loads(text) for text in told],
    }


def _say_summary(count: Count, known: dict[str, float]) -> None:
    for model, rows in sorted(count.models.items()):
        each = "credits unknown"
        if model in known:
            each = f"about {amount(known[model] * rows)} credits, {amount(known[model])} each"
        say(f"{model}: {rows} rows, {each}")
    if count.extras:
        names = ", ".join(f"{name} ({rows} rows)" for name, rows in count.extras.items())
        complain(f"note: sent as they are, since the schema does not name them: {names}")
    expected = count.credits(known)
    total = "credits expected: unknown"
    if expected is not None:
        total = f"credits expected: about {amount(expected)}, by what the journal knows"
    say(f"{count.rows} rows are right, {count.mistakes} mistakes; {total}; nothing was sent")
