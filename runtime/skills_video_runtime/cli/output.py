"""What is written to the terminal: nothing that comes from elsewhere is obeyed by it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from math import isfinite
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TextIO, cast

from skills_video_runtime.http.addresses import is_postgres
from skills_video_runtime.http.key import CERTAIN_LENGTH, Key

from .exits import LEFT, OTHER

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console


class UsageProblem(Exception):  # noqa: N818  # as in `errors`, an error is named by what happened
    """What was asked for cannot be done as it was asked."""

    category = "usage"


class OutputLost(Exception):  # noqa: N818  # as above
    """Standard output takes no more."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror or error}")
        self.exit_code = LEFT if isinstance(error, BrokenPipeError) else OTHER


def existing(journal: str) -> str:
    """Give the place of a journal: a database, or a file that is there.

    Raises:
        UsageProblem: It is not.
    """
    if not is_postgres(journal) and not Path(journal).is_file():
        raise UsageProblem(f"there is no journal {journal!r:.200}: it is the file that was given to run --journal")
    return journal


def prepare() -> None:
    """Let no character stop the output: what the terminal's encoding lacks is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _abandon(stream: TextIO) -> None:
    """Write to nowhere from now on, so that the end of the process finds nothing that it cannot write."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def written() -> Generator[None]:
    """Write to standard output, to the end.

    Raises:
        OutputLost: It takes no more, as its reader has left or its disk is full.
    """
    stream: TextIO | None = sys.stdout  # None where the process has none
    try:
        yield
        if stream is not None:
            stream.flush()
    except OSError as error:
        if stream is not None:
            _abandon(stream)
        raise OutputLost(error) from error


def without_key(text: str) -> str:
    """Take the key out of a text, wherever that came from, unless it is so short that it may be part of any id."""
    key = os.environ.get("SKILLS_VIDEO_API_KEY", "").strip()
    if len(key) < CERTAIN_LENGTH:
        return text
    return Key(key).redact(text)


def visible(text: str) -> str:
    """Give a text with control characters shown instead of obeyed, and without the key; lines stay lines."""
    shown = without_key(text)
    return "".join(item if item.isprintable() or item == "\n" else ascii(item)[1:-1] for item in shown)


def amount(given: float) -> str:
    """Write an amount of credits as short as it can be."""
    if abs(given) < 1e15:
        return f"{given:g}"
    return str(given)


def yes_or_no(told: bool) -> str:  # noqa: FBT001  # the only thing to say
    """Write what is so or not so in a word."""
    return "yes" if told else "no"


def say(text: str) -> None:
    """Write a line to standard output."""
    with written():
        print(visible(text))


def complain(text: str) -> None:
    """Write a line to standard error; where that takes none, nobody is left to be told."""
    stream: TextIO | None = sys.stderr  # None where the process has none
    if stream is None:
        return
    try:
        print(visible(text), file=stream, flush=True)
    except OSError:
        _abandon(stream)


def say_json(value: Any, indent: int | None = 2) -> None:
    """Write JSON to standard output, in ASCII, so that no terminal and no encoding changes it."""
    shown = serialisable(value)
    try:
        text = json.dumps(shown, indent=indent, default=str)
    except RecursionError:  # which is reached later without indents
        text = json.dumps(shown, default=str)
    with written():
        print(text)


def serialisable(value: Any) -> Any:
    """Give what JSON can say, at any depth: null in place of a number that it lacks, and no key."""
    pending: list[tuple[Any, Any]] = []

    def copy(item: Any) -> Any:
        made: Any
        match item:
            case str():
                return without_key(item)
            case float() if not isfinite(item):
                return None
            case dict():
                made = {}
            case list() | tuple():
                made = []
            case _:
                return item
        pending.append((cast("Any", item), made))
        return made

    result = copy(value)
    while pending:
        source, made = pending.pop()
        if isinstance(made, dict):
            made.update((without_key(str(name)), copy(item)) for name, item in source.items())  # pyright: ignore[reportUnknownMemberType]
        else:
            made.extend(map(copy, source))
    return result


def is_terminal() -> bool:
    """Tell whether standard output is a terminal that a line can be rewritten on."""
    stream: TextIO | None = sys.stdout  # None where the process has none
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def console() -> Console:
    """Give a console for standard output; colours only on a terminal, and by NO_COLOR not there either."""
    from rich.console import Console  # noqa: PLC0415  # only what is shown on a terminal needs it

    return Console(force_terminal=is_terminal(), highlight=False, emoji=False, markup=False)


def lines(header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Show each row on one line of a terminal, which is cut where the screen ends.

    `widths` are those of all columns but the last. A cell that is longer moves the rest of its line.
    """
    from rich.text import Text  # noqa: PLC0415  # as in `console`

    screen, style = console(), "bold"
    with written():
        for row in (header, *rows):
            cells = [f"{visible(cell):<{width}}" for cell, width in zip(row, (*widths, 0), strict=True)]
            line = Text.assemble((cells[0], style), " ", " ".join(cells[1:]))
            screen.print(line, no_wrap=True, overflow="ellipsis")
            style = "cyan"


def paragraph(text: str, indent: int = 0, *, before: int = 0, name: str = "") -> None:
    """Show a text, on a terminal in lines that end between words; `name` is what it begins with, and stands out."""
    lead, shown = "\n" * before + " " * indent, visible(text)
    if not is_terminal():
        say(f"{lead}{shown}")
        return
    from rich.text import Text  # noqa: PLC0415  # as in `console`

    screen = console()
    for line in wrap(shown, max(screen.width - indent, 20), break_long_words=False, break_on_hyphens=False):
        head = ""
        if line.startswith(name):
            head, name = name, ""
        with written():
            screen.print(Text.assemble(lead, (head, "bold cyan"), line.removeprefix(head)), soft_wrap=True)
        lead = " " * (indent + 2)


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
        with written():
            console().print(grid)
        return
    flat = [[cell.replace("\n", " ") for cell in row] for row in (header, *shown)]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    with written():
        for row in flat:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
