"""Rows of a file: JSON Lines, CSV or Parquet, each read as a payload, with all that is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import as_array, is_mapping
from skills_video_runtime.payloads.checks import attempt
from skills_video_runtime.payloads.file import File
from skills_video_runtime.payloads.texts import Setting, as_fields_have_it, misspelt, problems_of, put, with_constant

from .keys import LONGEST_KEY, content_key, key_problems, same_name
from .tables import TABLES, Unreadable, json_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from typing import TypeAlias

    from skills_video_runtime.catalog import Models
    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.violations import Problem

    Variants: TypeAlias = tuple[type[BasePayload], ...]

MOST_TOLD = 1000  # mistakes that are kept to be told again
MEMBERS = ("key", "model", "variant", "payload", "download")
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


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
        read = TABLES.get(self.path.suffix.lower(), json_lines)
        lines_of, copies = dict[str, int](), Counter[str]()
        line = 0
        try:
            for line, members in read(self.path):
                if isinstance(members, str):
                    yield Mistake(line, None, Violation("", "format", None, None, members))
                else:
                    yield from self._row(line, members, lines_of, copies, is_table=read is not json_lines)
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
        fields: object = members
        if "payload" in members or not is_table:
            fields = members.pop("payload", None)
            problems += [_unknown(name) for name in members]
        payload, variants = None, self._variants_of(model, given["variant"])
        if isinstance(variants, Violation):
            problems.append(variants)
        elif not is_mapping(fields):
            problems.append(Violation("payload", "type", None, None, "is missing, or is no object"))
        else:
            payload, found = self._payload(variants, fields, is_table=is_table)
            problems += found
        if key is None and payload is not None and not problems:
            key = content_key(payload, lines_of, copies)
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

    def _variants_of(self, model: object, variant: object) -> Variants | Violation:
        """Give the payload classes of a model, or the one that is named."""
        place = (str(model), str(variant))
        if place not in self._known:
            self._known[place] = self._look_up(model, variant)
        return self._known[place]

    def _look_up(self, model: object, variant: object) -> Variants | Violation:
        if model is None:
            return Violation("model", "required", None, None, "is missing")
        info = self.models.get(str(model))
        if info is None:
            names = [name for known in self.models for name in (known.endpoint.model, known.module)]
            return _not_among("model", model, names, "there is no such model")
        names = [name for name in info.variants if variant is None or variant == name]
        if not names:
            return _not_among("variant", variant, list(info.variants), f"is no variant of {model}")
        module = import_module(f"{self.package}.{info.module}")
        return tuple(getattr(module, name) for name in names)

    def _payload(
        self, variants: Variants, given: Mapping[str, Any], *, is_table: bool
    ) -> tuple[BasePayload, list[Violation]]:
        data, missing = dict(given), list[Violation]()
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
    def _known(self) -> dict[tuple[str, str], Variants | Violation]:
        return {}

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


def _unknown(name: str) -> Violation:
    near = next(iter(get_close_matches(name[:200], MEMBERS, n=1)), None)
    message = f"{name!r:.80} is no member of a row; fields of the model are in its `payload`"
    if near is not None:
        message += f"; nearest: {near!r}"
    return Violation("", "enum", name, near, message)


def _not_among(path: str, given: object, names: list[str], message: str) -> Violation:
    near = next(iter(get_close_matches(str(given)[:200], names, n=1, cutoff=0.0)), None)
    return Violation(path, "enum", given, near, f"{message}: {given!r:.80}; nearest: {near!r}")


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
