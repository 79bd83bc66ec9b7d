"""A finished file on its way to a directory: under which name, what becomes of one that is there, and what is kept."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EEXIST
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from skills_video_runtime.errors import DownloadFailed
from skills_video_runtime.generations.media import MediaFile
from skills_video_runtime.generations.outcomes import check_seconds

from . import MAX_BYTES
from .fetch import Fetch
from .names import Overwrite, check_pattern, filled, numbered, path_in, place, safe_name, told_name
from .partial import Begun, Partial

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.http.session import OnProgress, Session, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How files are to be saved; TypeError or ValueError tells of what makes no sense."""

    max_bytes: int = MAX_BYTES
    timeout: float | None = None
    overwrite: Overwrite = "never"
    name: str | None = None
    key: object = None
    """What `{key}` means, a text."""

    def __post_init__(self) -> None:
        """See above."""
        if type(self.max_bytes) is not int:
            raise TypeError(f"max_bytes is a whole number, not {self.max_bytes!r:.80}")
        if self.max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1, not {self.max_bytes}")
        if self.timeout is not None:
            check_seconds("timeout", self.timeout)
        if self.overwrite not in get_args(Overwrite):
            raise ValueError(f"overwrite is 'never', 'skip' or 'replace', not {self.overwrite!r:.80}")
        if self.key is not None and not isinstance(self.key, str):
            raise TypeError(f"key is a text, not {self.key!r:.80}")
        if self.name is not None:
            check_pattern(self.name, self.key)


@dataclass(eq=False, kw_only=True)
class Save(Fetch):
    """One file on its way. It gets its name when it is whole."""

    directory: Path
    wishes: Wishes
    index: int = 0
    exact: str | None = None
    """The name that it gets whatever it is called."""
    stem: str | None = None
    number: int = 0
    """What it was called, without number and suffix, before an answer told more; and the number."""
    taken: dict[Path, int] = field(default_factory=dict[Path, int])
    """Paths of the files that are saved together, by their index."""
    partial: Partial | None = None
    found: Path | None = None
    """What was there already, where that is kept in its place."""

    async def outcome(self) -> Path | Exception:
        """Fetch it into its directory, which is made if need be, and give its path, or what went wrong."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            return await self.run()
        except Exception as error:  # noqa: BLE001  # told once the other files are there
            return error

    async def run(self) -> Path:
        """Fetch it into a directory that is there; raises as `into`. What a later call can go on from stays."""
        async with self.exchange:
            if self.file.file_name is not None or self.exact is not None:
                self._is_wanted()
            if self.found is not None:
                return self.found
            self.partial = Partial(self.directory, self.address)
            try:
                self.take_up(*self.partial.begun())
                await self.into(self.partial.handle)
                path = self.found or self._placed(self.partial)
                self.received = 0
            except OSError:
                self.received = 0
                raise
            else:
                return path
            finally:
                self.partial.end(keep=self.received > 0)

    def target(self) -> Path:
        """Where it goes, as far as that is known yet. No two files of one call go to the same place.

        A name that only an answer tells gets the number of the file, and so is the same in whatever order they come.
        """
        name, number = self.exact or self._name(), self.number
        stem = name.rpartition(".")[0]
        if self.stem not in {None, stem} and "{index}" not in (self.wishes.name or ""):
            number = self.index
        while self.taken.setdefault(self.directory / numbered(name, number), self.index) != self.index:
            number += 1
        if self.stem is None:
            self.stem, self.number = stem, number
        return self.directory / numbered(name, number)

    def _name(self) -> str:
        told = self.file.file_name or told_name(self.disposition) or path_in(self.file.url)
        name = safe_name(self.key.redact(told), self.kind)
        if self.wishes.name is None:
            return name
        stem, dot, suffix = name.rpartition(".")
        facts = {"id": self.generation_id or "", "key": self.wishes.key, "stem": stem, "suffix": dot + suffix}
        plain = {field: self.key.redact(str(fact)) for field, fact in facts.items()}
        return filled(self.key.redact(self.wishes.name), self.kind, index=self.index, **plain)

    def _placed(self, partial: Partial) -> Path:
        with self.named():
            partial.complete()
        return place(partial.path, self.target(), replace=self.wishes.overwrite == "replace")

    def _is_wanted(self) -> bool:
        """See `Fetch`; FileExistsError where something stands there that is no file to take or to replace."""
        target, overwrite = self.target(), self.wishes.overwrite
        if overwrite == "never" or not os.path.lexists(target):
            return True
        if overwrite == "skip" and target.is_file():
            self.found = target
            return False
        if overwrite == "replace" and (target.is_file() or target.is_symlink()):
            return True
        raise FileExistsError(EEXIST, "no file, but something else stands there", str(target))

    def _note_begin(self) -> None:
        begun = None
        if self.etag and self.etag == self.validator:
            begun = Begun(self.etag, self.modified, self.total)
        if self.partial is not None:
            self.partial.belong_to(begun)

    @contextmanager
    def named(self) -> Generator[None]:
        """See `Fetch`."""
        try:
            yield
        except OSError as error:
            error.filename = str(self.target())
            raise


def save_of(session: Session, file: MediaFile, directory: Path, wishes: Wishes, **more: Any) -> Save:
    """Give what saves one file into a directory."""
    limits: dict[str, Any] = {"timeout": wishes.timeout, "most": wishes.max_bytes}
    return Save.of(session, file, **limits, directory=directory, wishes=wishes, **more)


def saves_of(
    session: Session, what: Generation | MediaFile, directory: Where, on_progress: OnProgress | None, wishes: Wishes
) -> list[Save]:
    """Give what saves the files of a generation, or one file, into a directory; none is begun.

    TypeError tells of what is neither, such as an id, and ValueError of a generation without files.
    """
    files: tuple[MediaFile, ...] = ()
    name = None
    if isinstance(what, MediaFile):
        files = (what,)
    elif not hasattr(what, "videos"):
        raise TypeError(f"{what!r:.80} is no generation, and none of its videos; client.get(id) gives a generation")
    else:
        files, name = what.videos, what.id
    if not files:
        raise ValueError(f"there is nothing to download: {what}")
    taken: dict[Path, int] = {}
    saves: list[Save] = []
    for index, file in enumerate(files):
        save = save_of(session, file, Path(directory), wishes, index=index, taken=taken, generation_id=name)
        save.on_progress = on_progress
        save.target()  # which is then its own
        saves.append(save)
    return saves


def saved(outcomes: Iterable[Path | Exception]) -> list[Path]:
    """Give the paths, or raise the first error, which tells what was saved."""
    known = list(outcomes)
    paths = [outcome for outcome in known if not isinstance(outcome, Exception)]
    errors = [outcome for outcome in known if isinstance(outcome, Exception)]
    if not errors:
        return paths
    error = errors[0]
    if isinstance(error, DownloadFailed):
        error.saved = tuple(paths)
    elif paths:
        error.add_note(f"Saved: {', '.join(map(str, paths))}")
    raise error
