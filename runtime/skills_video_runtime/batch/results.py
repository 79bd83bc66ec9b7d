"""What a batch keeps in its directory: a line for each row that ended, and what tells one run from another."""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from errno import ENOENT, ENOSPC
from itertools import chain
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from skills_video_runtime.errors import JournalUnavailable
from skills_video_runtime.generations.sqlite import identity
from skills_video_runtime.json_values import as_array, as_object, is_number

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Iterable, Iterator
    from pathlib import Path

JOURNAL, RESULTS, METADATA, STATE, RUN = "journal.db", "results.jsonl", "metadata.jsonl", "batch.json", ".run.json"
RESERVE = ".reserve"
RESERVED = 2**18  # bytes that are let go of when the disk is full: our choice
RESERVED_EACH = 2**15  # bytes beside them for each row that is under way then: our choice


_TAKEN: dict[tuple[int, Path], object] = {}


class Line(NamedTuple):
    """What of a line decides whether its row is to be done again."""

    status: str
    fingerprint: str
    attempt: int
    credits: float
    id: str
    files: tuple[str, ...]
    is_older: bool = False
    """Whether an earlier line of the row was in its place, so that its record may be older than those around it."""


@dataclass
class State:
    """Which round a directory is in; `--fresh` begins another one."""

    round: int = 1
    is_fresh: bool = False
    """Whether `--fresh` began it, and it is not over: then `--fresh` goes on with it."""
    rows: int = 0
    platform: str = ""
    """Where it is made."""
    untold: dict[str, float] = field(default_factory=dict[str, float])
    """What was taken by generations that no line tells: of rows that are open or made again, and of earlier rounds."""

    @classmethod
    def read(cls, directory: Path) -> State:
        """Read it; a directory without one is new.

        Raises:
            JournalUnavailable: it is not as a batch writes it, as when it was edited by hand.
        """
        told = read_json(directory / STATE)
        number, rows, untold = told.get("round", 1), told.get("rows", 0), as_object(told.get("untold"))
        are_numbers = all(map(is_number, untold.values()))
        if type(number) is not int or type(rows) is not int or number < 1 or not are_numbers:
            raise JournalUnavailable(f"{directory / STATE} is not as a batch writes it: put it right, or remove it.")
        return cls(number, told.get("is_fresh") is True, rows, str(told.get("platform", "")), untold)

    def write(self, directory: Path) -> None:
        """Write it, whole or not at all."""
        write_whole(directory / STATE, [vars(self)])


def name_of(key: str, number: int, attempt: int) -> str:
    """Give what an attempt at a row in a round is called in the journal; no key ends so."""
    if (number, attempt) == (1, 1):
        return key
    return f"{key}~{number}.{attempt}"


def row_and_round(name: str) -> tuple[str, int]:
    """Give the key of the row and the round of what is called so in the journal."""
    found = re.fullmatch(r"(.*)~(\d+)\.\d+", name, re.DOTALL)
    if found is None:
        return name, 1
    return found[1], int(found[2])


@contextmanager
def taken(directory: Path) -> Generator[None]:
    """Have a directory for oneself among the threads of this process. The lock of the journal keeps others away.

    Raises:
        JournalUnavailable: another run has it.
    """
    place, ours = (os.getpid(), directory.resolve()), object()
    if _TAKEN.setdefault(place, ours) is not ours:
        raise JournalUnavailable(f"The batch in {directory} runs already: {who_runs(directory)}.")
    try:
        yield
    finally:
        del _TAKEN[place]


def read_json(path: Path) -> dict[str, Any]:
    """Read an object of our own; what is not there, or torn, is empty."""
    with suppress(OSError, ValueError):
        return as_object(json.loads(path.read_bytes()))
    return {}


def write_whole(path: Path, objects: Iterable[dict[str, Any]]) -> None:
    """Write a file of JSON that is there as it was or as it is to be, also after a power cut."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(map(_text_of, objects))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def who_runs(directory: Path) -> str:
    """Say which process has a batch, as far as it told."""
    told = read_json(directory / RUN)
    if not told:
        return "another run has it"
    return f"process {told.get('process')} on {told.get('machine')} runs it since {told.get('since')}"


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Give the lines of a file of results that are whole."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError, RecursionError):
                told = as_object(json.loads(line))
                if line.endswith(b"\n") and isinstance(told.get("key"), str):
                    yield told


def results_of(path: Path) -> Iterator[dict[str, Any]]:
    """Give the lines of rows. What is of no round is somebody's note, and passed over.

    Raises:
        JournalUnavailable: one is not as a batch writes it: whether its row was paid for is not known by it.
    """
    for told in lines_of(path):
        if type(told.get("round")) is not int:
            continue
        files, credit = as_array(told.get("files")) or [], told.get("credits") or 0.0
        texts = [told.get("status"), told.get("fingerprint"), told.get("id") or "", *files]
        is_ours = all(isinstance(text, str) for text in texts) and type(told.get("attempt")) is int
        if not is_ours or not is_number(credit):
            what = f"the line of {told['key']!r} is not as a batch writes it: put it right, or remove it"
            raise JournalUnavailable(f"{path}: {what}.")
        yield told


def last_results_of(path: Path) -> Iterable[dict[str, Any]]:
    """As `results_of`, for each row the last one: a killed process may leave one beside that of fetched files."""
    return {told["key"]: told for told in results_of(path)}.values()


class Results:
    """The lines of a round. Each is written at once, so that a killed process leaves at most the last one torn."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.path = directory, directory / RESULTS
        self.lines: dict[str, Line] = {}
        self._file: IO[bytes] | None = None
        self._lock = Lock()
        self._before: str | None = None
        self._opened: tuple[int, int] | None = None

    def read(self, number: int) -> None:
        """Read the lines of a round. Those of one before are put aside once lines are to be added."""
        for told in results_of(self.path):
            if told["round"] != number:
                self._before = f"results.{told['round']}.jsonl"
                break
            self.lines[told["key"]] = self._line(told)

    def _line(self, told: dict[str, Any]) -> Line:
        files = tuple(str(name) for name in as_array(told.get("files")) or ())
        credit = told.get("credits") or 0.0
        is_older = told.get("fetched_again") is True
        return Line(told["status"], told["fingerprint"], told["attempt"], credit, told.get("id") or "", files, is_older)

    def is_whole(self, line: Line) -> bool:
        """Tell whether the files of a line are there: a power cut may have left them empty."""
        with suppress(OSError, ValueError):
            return bool(line.files) and all((self.directory / name).stat().st_size for name in line.files)
        return False

    def is_in_place(self) -> bool:
        """Tell whether the directory is where it was."""
        return identity(self.path) == self._opened

    def check_place(self) -> None:
        """Notice a directory that was moved, deleted or replaced: nothing is put where nobody will look for it.

        Raises:
            OSError: it was.
        """
        if not self.is_in_place():
            raise self.gone()

    def gone(self) -> OSError:
        """Give the error of a directory that is not where it was."""
        return OSError(ENOENT, "moved, deleted or replaced while the batch runs", str(self.directory))

    def begin(self, again: Container[str], limit: int) -> None:
        """Drop the lines of rows that are to be made again, and what is torn; then lines can be added.

        That of a row whose files alone are to be fetched stays until there is a new one: its id may stand nowhere else.

        Raises:
            OSError: the disk would not take it.
        """
        if self._before is not None:
            self.path.replace(self.directory / self._before)
        elif self.path.exists():
            stays = {key: line for key, line in self.lines.items() if key not in again or line.status == "COMPLETED"}
            self._rewrite(self.lines.keys() - stays.keys())
            self.lines = stays
        (self.directory / RESERVE).write_bytes(bytes(RESERVED + limit * RESERVED_EACH))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        ours = {"process": os.getpid(), "machine": socket.gethostname(), "since": now}
        write_whole(self.directory / RUN, [ours])
        self._file = self.path.open("ab", buffering=0)
        self._opened = identity(self.path)

    def _rewrite(self, dropped: Container[str]) -> None:
        """Write the last line of each row, but those of some, and whatever else is whole."""
        last = {told["key"]: number for number, told in enumerate(lines_of(self.path)) if "round" in told}
        kept = (
            told
            for number, told in enumerate(lines_of(self.path))
            if "round" not in told or (number == last[told["key"]] and told["key"] not in dropped)
        )
        write_whole(self.path, kept)

    def add(self, told: dict[str, Any]) -> None:
        """Add a line, at once and whole. On a full disk, what was put by for that is used up.

        Raises:
            OSError: the disk would not take it.
        """
        file = self._file
        if file is None:
            raise ValueError("no batch runs here")
        text = _text_of(told).encode()
        with self._lock:
            try:
                _write(file, text)
            except OSError:
                self.free_reserve()
                _write(file, text)
            self.lines[told["key"]] = self._line(told)

    def free_reserve(self) -> None:
        """Make room on a full disk for what is under way."""
        if not self.is_in_place():
            return
        with suppress(OSError):
            (self.directory / RESERVE).unlink(missing_ok=True)

    def end(self) -> None:
        """Let go of the directory, and write what a data set of its videos needs."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self.free_reserve()
        if not self.is_in_place():
            return
        with suppress(OSError):
            (self.directory / RUN).unlink(missing_ok=True)
            if any(line.is_older for line in self.lines.values()):
                self._rewrite(())
            self._write_metadata()

    def _write_metadata(self) -> None:
        """Write a line for each file, in columns of one type each, as data sets of a folder of videos have them."""
        write_whole(self.directory / METADATA, chain.from_iterable(map(_about_files, lines_of(self.path))))


def _about_files(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    payload = as_object(told.get("input"))
    about = {name: told.get(name) for name in ("key", "model", "id", "credits")}
    about |= {name: payload.get(name) for name in ("prompt", "seed")}
    for name in as_array(told.get("files")) or ():
        yield {"file_name": name, **about, "input": json.dumps(payload)}


def _text_of(told: dict[str, Any]) -> str:
    return json.dumps(told) + "\n"


def _write(file: IO[bytes], text: bytes) -> None:
    """Write a line whole, or leave the file as it was."""
    written = file.write(text)
    if written != len(text):
        with suppress(OSError):
            file.truncate(file.seek(-written, os.SEEK_END))
        raise OSError(ENOSPC, "the disk took a part of a line only")
