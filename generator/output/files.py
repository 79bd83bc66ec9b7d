"""Generated files on disk: formatted at once, written whole or not at all, stale ones removed."""

from __future__ import annotations

import difflib
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from shutil import disk_usage
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING

from generator.diagnostics import GeneratorError, visible
from generator.rerun import HEADER

from .manifest import MANIFEST, origin, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMORY = Path("/dev/shm")  # noqa: S108  # what is made in it is private to this user


def formatted(files: Mapping[str, str]) -> dict[str, str]:
    """Format Python texts with ruff, run once over all, with the settings that stand here and no others.

    Raises:
        GeneratorError: ruff is missing or refuses a text, which no description should be able to bring about.
    """
    with TemporaryDirectory(dir=_memory(files)) as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, "utf-8", newline="\n")
        settings = ("--isolated", "--no-cache", "--target-version=py311", "--line-length=120")
        command = [sys.executable, "-m", "ruff", "format", *settings, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
        if done.returncode:
            said = visible((done.stderr or done.stdout).replace(folder, "").strip())[:500]
            raise GeneratorError(f"ruff cannot format the generated text; run `make setup`, or report it: {said}")
        return {name: Path(folder, name).read_text("utf-8") for name in files}


def _memory(files: Mapping[str, str]) -> Path | None:
    """Give a folder that is kept in memory, if there is one with room for these files.

    A disk writes a file out as soon as it has been truncated, as ruff does, and its removal waits for that: 2 ms for
    each file on ext4, which is more than all else that is done with it.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    room = 4 * sum(map(len, files.values())) + 2**16 * len(files)
    return MEMORY if disk_usage(MEMORY).free > room else None


def verdicts(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Say of each file that is not what the inputs give why it is not: by hand, by age, missing or left over."""
    known = recorded(_text(folder / MANIFEST))
    lines: list[str] = []
    for name in sorted({*files, *stale(folder, files)}):
        found = _data(folder / name)
        made = files[name].encode("utf-8") if name in files else None
        if found == made:
            continue
        if found is None:
            word = "missing"
        elif hashlib.sha256(found).hexdigest() != known.get(name, hashlib.sha256(found).hexdigest()):
            word = "edited by hand"
        else:
            word = "left over" if made is None else "stale"
        lines.append(f"{word}: {name}")
    if lines == [f"stale: {MANIFEST}"] and origin(_text(folder / MANIFEST)) == origin(files.get(MANIFEST)):
        return [f"edited by hand: {MANIFEST}"]
    return lines


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Give the generated files of a folder that are no longer made; files of other origin are left alone."""
    if not folder.is_dir():
        return []
    return [
        path.name
        for path in sorted(folder.glob("*.py"))
        if path.name not in files and path.is_file() and _is_generated(path)
    ]


def differences(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Give the unified diff of what writing the files would change, line by line."""
    for name in sorted({*files, *stale(folder, files)}):
        old, new = _text(folder / name), files.get(name)
        path = (folder / name).absolute()
        shown = (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else Path(name)).as_posix()
        yield from difflib.unified_diff(
            (old or "").splitlines(keepends=True), (new or "").splitlines(keepends=True), f"a/{shown}", f"b/{shown}"
        )


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write what has changed, each file whole, remove what is stale, and give the names of both.

    Raises:
        GeneratorError: the folder cannot be written; what had been replaced is put back.
    """
    before: dict[str, bytes | None] = {}
    names: list[str] = []
    try:
        changed = [name for name in sorted(files) if _bytes(folder / name) != files[name].encode("utf-8")]
        names = [*changed, *stale(folder, files)]
        before = {name: _bytes(folder / name) for name in names}
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            _put(folder / name, files[name].encode("utf-8") if name in files else None)
    except BaseException as error:
        for name, data in before.items():
            if _bytes(folder / name) != data:
                _put(folder / name, data)
        if not isinstance(error, OSError):
            raise
        message = f"{folder.as_posix()}: cannot be written: {error.strerror or error}; nothing was changed"
        raise GeneratorError(visible(message)) from error
    return names


def _put(path: Path, data: bytes | None) -> None:
    """Write a file whole, or remove it."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    mode = path.stat().st_mode & 0o777 if path.is_file() else 0o644
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


def _bytes(path: Path) -> bytes | None:
    """Give what a file holds, None if there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _data(path: Path) -> bytes | None:
    try:
        return _bytes(path)
    except OSError as error:
        message = f"{path.as_posix()}: cannot be read: {error.strerror or error}; move it out of the way"
        raise GeneratorError(visible(message)) from error


def _text(path: Path) -> str | None:
    data = _data(path)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _is_generated(path: Path) -> bool:
    return (_text(path) or "").startswith(HEADER)
