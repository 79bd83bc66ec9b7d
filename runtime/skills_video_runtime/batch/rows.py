"""Rows of a file: JSON Lines, CSV or Parquet, each read as a payload, with all that is wrong with it."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from hashlib import file_digest, sha256
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from unicodedata import normalize

from skills_video_runtime.downloads.names import safe_name
from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import as_array
from skills_video_runtime.payloads.checks import attempt
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.texts import (
    Setting,
    as_fields_have_it,
    misspelt,
    problems_of,
    put,
    read_object,
    with_constant,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from skills_video_runtime.catalog import Models
    from skills_video_runtime.generations.outcomes import Submittable
    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.violations import Problem

    Variants: TypeAlias = tuple[type[BasePayload], ...]

LONGEST_LINE = 16 * 2**20  # bytes: our choice; what is larger is a file, and sent as one
LONGEST_KEY = 100  # bytes, which leaves room in the name of a file: our choice
MOST_TOLD = 1000  # mistakes that are kept to be told again
MEMBERS = ("key", "model", "variant", "payload", "download")
YES, NO = ("true", "yes", "1"), ("false", "no", "0")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Row(NamedTuple):
    """A video to be made, under a key that no other row has."""

    key: str
    payload: BasePayload
    download: bool = True
    """Whether its files are to be fetched."""
    line: int | None = None
    """Where it begins in its file, from 1."""


class Mistake(NamedTuple):
    """What is wrong with a row, or with the file as a whole."""

    line: int
    key: str | None
    what: Violation

    def __str__(self) -> str:
        """Line, key and problem on one line."""
        named = "" if self.key is None else f"key {self.key}: "
        return f"line {self.line}: {named}{self.what}"


class Unreadable(ValueError):  # noqa: N818  # as the other errors
    """A file that cannot be read any further."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True)
class Rows:
    """The rows of a file. It is read anew each time that they are asked for, a few at once, whatever its size.

    A row that names no key gets one of its contents, so that the same row is the same generation in every run. Where
    a field takes a file, a text that begins with `@` names one below `files`. What is wrong is given in the place of
    a row, all of it.

    Args:
        path: A file in JSON Lines (`.jsonl`), CSV (`.csv`, `.tsv`), or Parquet, which needs pyarrow. Text is UTF-8.
        models: The catalog.
        package: The package that the modules of the models are in.
        model: Id or module of the model of rows that name none.
        key: The member or column that holds the key.
        files: The folder that files are named in, by default that of `path`.
    """

    path: Path
    models: Models
    package: str
    model: str | None = None
    key: str = "key"
    files: str | PathLike[str] | None = None

    def __iter__(self) -> Iterator[Row | Mistake]:
        """Read the file.

        Raises:
            OSError: It cannot be opened.
            ModuleNotFoundError: It is in Parquet, and pyarrow is not installed.
        """
        read = _TABLES.get(self.path.suffix.lower(), _json_lines)
        lines_of, copies = dict[str, int](), Counter[str]()
        line = 0
        try:
            for line, members in read(self.path):
                if isinstance(members, str):
                    yield Mistake(line, None, Violation("", "format", None, None, members))
                else:
                    yield from self._row(line, members, lines_of, copies, is_table=read is not _json_lines)
        except Unreadable as error:
            line = error.line
            yield Mistake(line, None, Violation("", "format", None, None, f"{error}; nothing after it was read"))
        if not line:
            yield Mistake(1, None, Violation("", "format", None, None, "the file holds no rows"))

    def _row(
        self, line: int, members: dict[str, Any], lines_of: dict[str, int], copies: Counter[str], *, is_table: bool
    ) -> Iterator[Row | Mistake]:
        given = {name: members.pop(name, None) for name in ("variant", "download")}
        model, key, problems = members.pop("model", self.model), members.pop(self.key, None), list[Violation]()
        fields = members
        if "payload" in members or not is_table:
            fields = members.pop("payload", None)
            problems += [_unknown(name) for name in members]
        payload = None
        try:
            variants = self._variants_of(model, given["variant"])
            payload, found = self._payload(variants, fields, is_table=is_table)
            problems += found
        except _Wrong as error:
            problems.append(error.args[0])
        if key is None and payload is not None and not problems:
            key = _content_key(payload, lines_of, copies)
        if type(key) is int:
            key = str(key)
        known = key[:LONGEST_KEY] if isinstance(key, str) else None
        if key is not None:
            problems += key_problems(key, lines_of, self.key)
        download = _yes_or_no(given["download"])
        if download is None:
            problems.append(Violation("download", "type", given["download"], None, "is neither true nor false"))
        if known is not None:
            lines_of.setdefault(same_name(known), line)
        if problems or payload is None or download is None:
            yield from (Mistake(line, known, problem) for problem in problems)
        else:
            yield Row(str(key), payload, download, line)

    def _variants_of(self, model: object, variant: object) -> Variants:
        """Give the payload classes of a model, or the one that is named."""
        if model is None:
            raise _Wrong(Violation("model", "required", None, None, "is missing"))
        info = self.models.get(str(model))
        if info is None:
            known = tuple(name for other in self.models for name in (other.endpoint.model, other.module))
            raise _Wrong(_not_among("model", model, known, "there is no such model"))
        names = [name for name in info.variants if variant is None or variant == name]
        if not names:
            raise _Wrong(_not_among("variant", variant, info.variants, f"is no variant of {model}"))
        module = import_module(f"{self.package}.{info.module}")
        return tuple(getattr(module, name) for name in names)

    def _payload(self, variants: Variants, fields: object, *, is_table: bool) -> tuple[BasePayload, list[Violation]]:
        if not isinstance(fields, dict):
            raise _Wrong(Violation("payload", "type", None, None, "is missing, or is no object"))
        data = cast("dict[str, Any]", fields)
        missing: list[Violation] = []
        if is_table:
            data = _unfolded(variants, data, missing)
        meant = {name: wrong for name in data if (wrong := _misspelt(variants, name)) is not None}
        missing += meant.values()
        data = {name: value for name, value in data.items() if name not in meant}
        for name, value in data.items():
            data[name] = self._with_files(variants, name, value, missing)
        if is_table:
            data = as_fields_have_it(variants, data)
        payload, problems = attempt(with_constant(variants, data), variants)
        named = {violation.path for violation in missing}
        found = [self._said(problem, variants) for problem in problems]
        return payload, missing + [violation for violation in found if violation.path not in named]

    def _said(self, problem: Problem, variants: Variants) -> Violation:
        """Say what is wrong; the same mistake is mostly made in many rows, and searching what is nearest takes long."""
        value = problem.value
        if not isinstance(value, (str, int, float)):
            return problem.violation()
        what = (variants, problem.path, problem.keyword, type(value), value)
        if what not in self._told:
            if len(self._told) >= MOST_TOLD:
                self._told.clear()
            self._told[what] = problem.violation()
        return self._told[what]

    def _with_files(self, variants: Variants, name: str, value: Any, missing: list[Violation]) -> Any:
        """Give a value with the files that texts in it name, where the field takes any."""
        items = as_array(value)
        if items is not None:
            return [self._with_files(variants, name, item, missing) for item in items]
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        takes_file = [not problems_of(variants, name, tried, ()) for tried in (_SOME_FILE, [_SOME_FILE])]
        if not any(takes_file):
            return value
        try:
            return File(self._path_of(value[1:]))
        except (OSError, ValueError) as error:
            missing.append(Violation(name, "file", value, None, str(error)))
            return value

    @cached_property
    def _told(self) -> dict[tuple[object, ...], Violation]:
        return {}

    @cached_property
    def _folder(self) -> Path:
        return Path(self.files or self.path.parent).resolve()

    def _path_of(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ValueError(f"{name!r:.200} is not below {str(self._folder)!r}, where files are looked for")
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {name!r:.200} in {str(self._folder)!r}")
        return path


_SOME_FILE = File(b"-", name="-", content_type="video/mp4")


class _Wrong(Exception):  # noqa: N818  # it never leaves this file
    """What keeps a row from being read any further: a violation."""


def _unknown(name: str) -> Violation:
    near = next(iter(get_close_matches(name[:200], MEMBERS, n=1)), None)
    message = f"{name!r:.80} is no member of a row; fields of the model are in its `payload`"
    if near is not None:
        message += f"; nearest: {near!r}"
    return Violation("", "enum", name, near, message)


def _not_among(path: str, given: object, names: tuple[str, ...], message: str) -> Violation:
    near = _nearest(str(given)[:200], names)
    return Violation(path, "enum", given, near, f"{message}: {given!r:.80}; nearest: {near!r}")


@lru_cache(maxsize=MOST_TOLD)
def _nearest(text: str, names: tuple[str, ...]) -> str | None:
    return next(iter(get_close_matches(text, names, n=1, cutoff=0.0)), None)


def _yes_or_no(given: object) -> bool | None:
    """Read whether files are to be fetched; None for what tells neither."""
    if given is None or given is True or str(given).strip().lower() in YES:
        return True
    if given is False or str(given).strip().lower() in NO:
        return False
    return None


@lru_cache(maxsize=MOST_TOLD)
def _misspelt(variants: Variants, name: str) -> Violation | None:
    return misspelt(variants, name)


def _unfolded(variants: Variants, cells: dict[str, Any], problems: list[Violation]) -> dict[str, Any]:
    """Give the fields that the columns of a table mean: `a.b` and `a[0]` are inside `a`; an empty cell is none."""
    data: dict[str, Any] = {}
    for name, value in cells.items():
        if value is None or value == "":
            continue
        if isinstance(value, str) and re.search(r"[.\[]", name):
            text = f"@{value}" if value.startswith("@") else value  # no file
            try:
                put(variants, data, set(), Setting.read(f"{name}={text}"))
            except ValueError as error:
                problems.append(Violation(name, "column", value, None, str(error)))
        else:
            data[name] = value
    return data


def fingerprint(payload: BasePayload) -> str:
    """Give what tells a payload from others; of a file, name and content count."""
    return sha256(_text_of(payload, _by_content).encode()).hexdigest()[:32]


def mark(payload: BasePayload) -> int:
    """Give what tells a payload from what it is later in this process; of a file on a disk, size and time count."""
    return hash(_text_of(payload, _by_time))


def named(file: File) -> dict[str, str]:
    """Give what stands for a file where a payload is shown."""
    return {"file": file.name}


def shown(payload: Submittable, of_file: Callable[[File], dict[str, str]] = named) -> dict[str, Any]:
    """Give the fields of a payload as JSON, with something in the place of each file."""
    fields: dict[str, Any] = json.loads(json.dumps(payload.to_dict(), default=of_file))
    return fields


def _text_of(payload: BasePayload, of_file: Callable[[File], list[object]]) -> str:
    return json.dumps([payload.endpoint.model, payload.to_dict()], sort_keys=True, default=of_file)


def _by_content(file: File) -> list[object]:
    if not isinstance(file.source, PathLike):
        with file.open() as opened:
            return [file.name, file_digest(opened, "sha256").hexdigest()]
    name, *stands = _by_time(file)
    with suppress(OSError):
        return [name, _digest_of(Path(file.source), *stands)]
    return [name]  # it is gone


def _by_time(file: File) -> list[object]:
    if not isinstance(file.source, PathLike):
        return _by_content(file)
    with suppress(OSError):
        told = Path(file.source).stat()
        return [file.name, told.st_size, told.st_mtime_ns]
    return [file.name]  # as above


@lru_cache(maxsize=4096)
def _digest_of(path: Path, *_: object) -> str:
    """Read a file once, unless its size or time has changed since."""
    with path.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _content_key(payload: BasePayload, taken: Mapping[str, int], copies: Counter[str]) -> str:
    """Name a row by its contents; one that stands there again is the second of its name."""
    name = fingerprint(payload)[:16]
    while True:
        copies[name] += 1
        key = name
        if copies[name] > 1:
            key = f"{name}-{copies[name]}"
        if key not in taken:
            return key


def same_name(key: str) -> str:
    """Give what keys have in common that name the same files on some system."""
    return normalize("NFC", key.casefold())


def key_problems(text: object, lines_of: Mapping[str, int], member: str) -> Iterator[Violation]:
    """Tell why a text is no key: it names a record and files, on every system."""
    if not isinstance(text, str):
        yield Violation(member, "type", text, None, f"is no text: {text!r:.80}")
        return
    nearest = safe_name(text[:LONGEST_KEY] + "-0", "video/mp4").removesuffix(".mp4").removesuffix("-0")
    if not text or text != nearest or len(text.encode(errors="replace")) > LONGEST_KEY:
        message = f"{text!r:.120} cannot begin the name of a file of at most {LONGEST_KEY} bytes"
        yield Violation(member, "key", text, nearest, f"{message}; nearest: {nearest!r}")
    elif re.search(r"~[\d.]+$", text):
        yield Violation(member, "key", text, None, f"{text!r} ends as the keys of further attempts do")
    elif same_name(text) in lines_of:
        first = lines_of[same_name(text)]
        yield Violation(member, "unique", text, None, f"{text!r} is that of line {first} as well; case does not count")


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


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
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


_TABLES = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet}
