"""Files on disk: several are replaced together, each whole, or all are as they were."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from .diagnostics import GeneratorError

if TYPE_CHECKING:
    from collections.abc import Mapping


def replace_files(folder: Path, contents: Mapping[str, bytes | None]) -> list[str]:
    """Write what differs, remove what has no content, and give the names of both.

    Raises:
        GeneratorError: the folder cannot be written; what had been replaced is put back.
    """
    before: dict[str, bytes | None] = {}
    try:
        before = {name: found for name in contents if (found := _bytes(folder / name)) != contents[name]}
        folder.mkdir(parents=True, exist_ok=True)
        for name in before:
            _put(folder / name, contents[name])
    except BaseException as error:
        for name, data in before.items():
            if _bytes(folder / name) != data:
                _put(folder / name, data)
        if not isinstance(error, OSError):
            raise
        message = f"{folder.as_posix()}: cannot be written: {error.strerror or error}; nothing was changed"
        raise GeneratorError(message) from error
    return list(before)


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


def _put(path: Path, data: bytes | None) -> None:
    """Write a file whole, or remove it."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    mode = 0o644
    if path.is_file():
        mode = path.stat().st_mode & 0o777
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.close()
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
