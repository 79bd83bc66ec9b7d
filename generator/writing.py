"""Files on disk: all that belong together are replaced, each whole, or all are as they were.

New files are prepared in a folder beside their places, and then renamed in one short stretch, in which the signals that
end a run wait. A run that is killed within it leaves a mixture, which the next run mends; a run that is killed at
another moment leaves its folder, which the next run removes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from .diagnostics import GeneratorError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from types import FrameType

PREPARED: Final = ".generating-"
"""What the name of a folder begins with in which new files are prepared."""

ENDING: Final = tuple(name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a run."""

if sys.platform != "win32":
    from fcntl import LOCK_EX, flock


def replace_files(contents: Mapping[Path, bytes | None]) -> list[Path]:
    """Write what differs, remove what has no content, and give the paths of both.

    Raises:
        GeneratorError: a folder cannot be written; what had been replaced is put back.
    """
    before: dict[Path, bytes | None] = {}
    rooms: dict[Path, Path] = {}
    folder = Path()
    with ExitStack() as stack:
        try:
            for folder in sorted({path.parent for path in contents}):
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(_locked(folder))
                for stray in strays(folder):
                    rmtree(stray)
                inside = {path: data for path, data in contents.items() if path.parent == folder}
                differing = {path: found for path in inside if (found := _bytes(path)) != inside[path]}
                if differing:
                    with _signals_waiting():  # between a folder that is made and the promise to remove it
                        rooms[folder] = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix=PREPARED)))
                for path in differing:
                    _prepare(path, inside[path], rooms[folder])
                before |= differing
            with _signals_waiting():
                _swap({path: contents[path] for path in before}, before, rooms)
        except OSError as error:
            message = f"{folder.as_posix()}: cannot be written: {error.strerror or error}; nothing was changed"
            raise GeneratorError(message) from error
    return [path for path in contents if path in before]


def strays(folder: Path) -> list[Path]:
    """Give the folders in which files are prepared: of a run that was killed, unless one is under way."""
    return sorted(folder.glob(f"{PREPARED}*"))


def data_of(path: Path) -> bytes | None:
    """Give what a file holds, None if there is none.

    Raises:
        GeneratorError: it cannot be read.
    """
    try:
        return _bytes(path)
    except OSError as error:
        message = f"{path.as_posix()}: cannot be read: {error.strerror or error}; move it out of the way"
        raise GeneratorError(message) from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Wait until no other run writes into a folder. Windows has no locks of folders: there two runs may disturb."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)


def _prepare(path: Path, data: bytes | None, room: Path) -> None:
    if data is None:
        return
    mode = 0o644
    if path.is_file():
        mode = path.stat().st_mode & 0o777
    new = room / path.name
    new.write_bytes(data)
    new.chmod(mode)


def _swap(wanted: Mapping[Path, bytes | None], before: Mapping[Path, bytes | None], rooms: Mapping[Path, Path]) -> None:
    """Put what was prepared in its place; where that fails, put back what was there."""
    try:
        for path, data in wanted.items():
            _place(path, data, rooms[path.parent])
    except OSError:
        for path, data in before.items():
            if _bytes(path) != data:
                _prepare(path, data, rooms[path.parent])
                _place(path, data, rooms[path.parent])
        raise


def _place(path: Path, data: bytes | None, room: Path) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        (room / path.name).replace(path)


@contextmanager
def _signals_waiting() -> Generator[None]:
    """Let the signals that end a run come after this. Python hears them in its main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    handlers = {name: signal.getsignal(getattr(signal, name)) for name in ENDING}
    for name in handlers:
        signal.signal(getattr(signal, name), note)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(getattr(signal, name), handler or signal.SIG_DFL)
    for number in came:
        signal.raise_signal(number)
