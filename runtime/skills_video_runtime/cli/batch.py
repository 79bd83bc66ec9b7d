"""`batch`: its commands and options, as typer reads them."""

# ruff: noqa: FBT002, PLR0913, PLR0917  # typer reads names, defaults and annotations when it is run
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from . import completion
from .command import Command, Json

application = typer.Typer(
    help="Make many videos: check, run, status, audit; worker, on more than one machine.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


command = partial(application.command, cls=Command)
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Rows as JSON Lines, CSV or Parquet, by the suffix of its name.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Model of rows that name none.", autocompletion=completion.models),
]
Key = Annotated[str, typer.Option(metavar="NAME", help="Member or column that holds the key of a row.")]
Files = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where files that rows name by @ are; by default beside FILE.")
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="Time that a row may take.")]
Interval = Annotated[float, typer.Option(metavar="SECONDS", help="Time between two looks at the state of a row.")]
Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Share the rows with workers by a queue in Postgres, postgresql://user@host/name."
    ),
]
Lease = Annotated[
    float, typer.Option(metavar="SECONDS", help="With --database: who says nothing for so long is taken over.")
]


@command()
def check(
    context: typer.Context,
    file: File,
    model: Model = None,
    key: Key = "key",
    files: Files = None,
    journal: Annotated[
        str | None, typer.Option(metavar="FILE", help="A journal that knows what the models cost so far.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check all rows of a file. Nothing is sent.

    All mistakes of all rows are told, each with its line and the nearest allowed value. The exit code is 22 if there
    are any.
    """
    from . import batch_checks  # noqa: PLC0415  # each command loads what it needs

    rows = batch_checks.rows_of(context.obj, file, model, key, files)
    return batch_checks.check(rows, journal, as_json=as_json)


Directory = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The directory that was given to run.")]
Shared = Annotated[str | None, typer.Option(metavar="URL", help="The address that was given to run.")]


@command()
def run(
    context: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results, files and the journal go.")],
    limit: Annotated[
        int, typer.Option(metavar="N", help="How many are under way at once, from 1 to 99 in one workspace.")
    ] = 16,
    max_credits: Annotated[
        float | None, typer.Option(metavar="N", help="Credits that all rows may take, earlier runs included.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="N/min", help="How many are posted at most, such as 60/min.")
    ] = None,
    model: Model = None,
    key: Key = "key",
    files: Files = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Make again what failed or was refused, corrected or not.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make all rows anew, and pay for them again.")] = False,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Give a row the files of another one with the same payload.")
    ] = False,
    timeout: Timeout = 900.0,
    poll_interval: Interval = 3.0,
    database: Database = None,
    lease: Lease = 30.0,
    as_json: Json = False,
) -> int:
    """Make the videos of a file, one a row.

    All rows are checked first; nothing is sent if one is wrong. The same command goes on after Ctrl-C, a crash or a
    reboot, and pays for nothing twice. At most 99 are under way, since the platform shows 100 of a workspace: other
    programs that make videos in it count as well. The exit code is that of the first row that did not end well.

    With --database, `batch worker` on any number of machines helps; limit, rate and budget hold for all together.
    """
    from . import batch_checks, batch_runs  # noqa: PLC0415  # as above

    rows = batch_checks.rows_of(context.obj, file, model, key, files)
    return batch_runs.run(
        rows,
        out,
        database,
        lease,
        as_json=as_json,
        limit=limit,
        max_credits=max_credits,
        rate=batch_runs.a_minute(rate),
        retry_failed=retry_failed,
        fresh=fresh,
        reuse=reuse,
        timeout=timeout,
        poll_interval=poll_interval,
    )


@command()
def worker(
    database: Annotated[str, typer.Option(metavar="URL", help="The address that was given to run.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where files go; without it, they are left to run.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="How many this worker has at once; else as many as run allows.")
    ] = None,
    timeout: Timeout = 900.0,
    poll_interval: Interval = 3.0,
    lease: Lease = 30.0,
    as_json: Json = False,
) -> int:
    """Make rows that `batch run --database` has put into a queue, on this machine as well, until none is left.

    Limit, rate and budget are those of run. A worker that dies is taken over by the others, and one that is paused for
    longer than its lease, too. The exit code is that of the first row here that did not end well.
    """
    from . import batch_runs  # noqa: PLC0415  # as above

    return batch_runs.work(database, lease, out, limit, timeout=timeout, poll_interval=poll_interval, as_json=as_json)


@command()
def status(directory: Directory = None, database: Shared = None, as_json: Json = False) -> None:
    """Show how far a batch is: that of a directory, or of a database. Nothing is asked of the platform."""
    from . import batch_runs  # noqa: PLC0415  # as above

    batch_runs.status(directory, database, as_json=as_json)


@command()
def audit(directory: Directory = None, database: Shared = None, as_json: Json = False) -> int:
    """Show what was charged for a batch, and what does not add up.

    Journal, results and what the platform tells of each generation are compared. The exit code is 1 where a credit has
    no generation, a generation no row, or a row another price than was recorded.
    """
    from . import batch_runs  # noqa: PLC0415  # as above

    return batch_runs.audit(directory, database, as_json=as_json)
