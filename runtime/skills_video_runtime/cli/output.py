"""What is written to the terminal: nothing that comes from elsewhere is obeyed by it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


class UsageProblem(Exception):  # noqa: N818  # as in `errors`, an error is named by what happened
    """What was asked for cannot be done as it was asked."""

    category = "usage"


def prepare() -> None:
    """Let no character stop the output: what the terminal's encoding lacks is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon() -> None:
    """Write to nowhere from now on, as the reader of the output has left."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def visible(text: str) -> str:
    """Give a text with control characters shown instead of obeyed; lines stay lines."""
    return "".join(item if item.isprintable() or item == "\n" else ascii(item)[1:-1] for item in text)


def say(text: str) -> None:
    """Write a line to standard output."""
    print(visible(text), flush=True)


def complain(text: str) -> None:
    """Write a line to standard error."""
    print(visible(text), file=sys.stderr, flush=True)


def say_json(value: Any, indent: int | None = 2) -> None:
    """Write JSON to standard output, in ASCII, so that no terminal and no encoding changes it."""
    print(json.dumps(value, indent=indent, default=str), flush=True)


def is_terminal() -> bool:
    """Tell whether standard output is a terminal that a line can be rewritten on."""
    stream: TextIO | None = sys.stdout  # None where the process has none
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def console() -> Console:
    """Give a console for standard output; colours only on a terminal, and by NO_COLOR not there either."""
    from rich.console import Console  # noqa: PLC0415  # only what is shown on a terminal needs it

    return Console(force_terminal=is_terminal(), highlight=False, emoji=False, markup=False)


def block(head: str, lines: Sequence[str]) -> None:
    """Show a few lines under a head, on a terminal."""
    from rich.padding import Padding  # noqa: PLC0415  # as in `console`
    from rich.text import Text  # noqa: PLC0415  # as in `console`

    screen = console()
    screen.print(Text(visible(head), style="bold cyan", overflow="fold"))
    for line in lines:
        screen.print(Padding(Text(visible(line), overflow="fold"), (0, 0, 0, 2), expand=False))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show rows: a table that folds long cells on a terminal, and one row a line where a program reads."""
    shown = [[visible(cell) for cell in row] for row in rows]
    if is_terminal():
        from rich import box  # noqa: PLC0415  # as in `console`
        from rich.table import Column, Table  # noqa: PLC0415  # as in `console`
        from rich.text import Text  # noqa: PLC0415  # as in `console`

        first, *others = header
        grid = Table(Column(first, no_wrap=True), *others, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for name, *rest in shown:
            grid.add_row(Text(name, style="cyan", overflow="fold"), *(Text(cell, overflow="fold") for cell in rest))
        console().print(grid)
        return
    flat = [[cell.replace("\n", " ") for cell in row] for row in (header, *shown)]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    for row in flat:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
