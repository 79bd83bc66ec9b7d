"""The rows of a file as their members: JSON Lines, CSV or Parquet, told apart by the suffix of its name."""

from __future__ import annotations

import csv
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from skills_video_runtime.payloads.texts import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE = 16 * 2**20  # bytes: our choice; what is larger is a file, and sent as one
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Unreadable(ValueError):  # noqa: N818  # as the other errors
    """A file that cannot be read any further."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a text with their numbers, ends included; no line is longer than can be held.

    Raises:
        Unreadable: it is no text in UTF-8, or has a line that is too long.
    """
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(LONGEST_LINE + 1):
            number += 1
            if number == 1 and raw.startswith(UTF_16):
                raise Unreadable(1, "the file is in UTF-16; save it as UTF-8")
            if len(raw) > LONGEST_LINE:
                raise Unreadable(number, f"the line has more than {LONGEST_LINE} bytes; name a file by @ instead")
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                problem = f"byte {error.start + 1} of the line is no UTF-8; save the file as UTF-8"
                raise Unreadable(number, problem) from error
            if "\0" in text:
                raise Unreadable(number, "the line holds the character NUL, as no text does")
            yield number, text


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Give the members of each row with the number of its line; a text in their place says what is wrong with it."""
    for number, text in _lines(path):
        line = text.strip()
        if line.startswith("[") and number == 1:
            raise Unreadable(1, "the file is a JSON array; write one object a line, without brackets and commas around")
        if not line:
            continue
        try:
            yield number, read_object(line)
        except ValueError as error:
            yield number, f"the line {error}"


def _csv(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    first = next((text for _, text in _lines(path)), "")
    delimiter = max(",;\t", key=first.count)
    table = csv.reader((text for _, text in _lines(path)), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        line = table.line_num + 1
        try:
            cells = next(table, None)
        except csv.Error as error:
            raise Unreadable(line, f"the line begins what is no CSV: {error}") from error
        if cells is None:
            return
        if not any(cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            twice = [name for name in header if not name or header.count(name) > 1]
            if twice:
                raise Unreadable(line, f"the name of a column is empty or stands there twice: {twice[0]!r:.80}")
        elif len(cells) != len(header):
            yield line, f"the row has {len(cells)} cells, and the first line {len(header)} columns"
        else:
            yield line, {name: cell for name, cell in zip(header, cells, strict=True) if cell}


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=1000):
            for cells in map(_without_nulls, batch.to_pylist()):
                number += 1
                if isinstance(cells.get("payload"), str):
                    cells["payload"] = read_object(cells["payload"])
                yield number, cells
    except (arrow.ArrowException, ValueError) as error:
        raise Unreadable(number + 1, f"the file cannot be read as Parquet: {error}") from error


def _without_nulls(value: Any) -> Any:
    """Leave out the members that a table has for other rows."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _without_nulls(item) for name, item in members.items() if item is not None}
    return value


TABLES = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet}
