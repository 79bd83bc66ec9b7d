"""Generated files: formatted at once, compared with what is on disk, stale ones removed."""

from __future__ import annotations

import difflib
import hashlib
import os
import subprocess
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from generator.diagnostics import GeneratorError, visible
from generator.rerun import HEADERS
from generator.writing import data_of, strays

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
        command = [_ruff(), "format", *settings, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
        if done.returncode:
            said = visible((done.stderr or done.stdout).replace(folder, "").strip())[:500]
            raise GeneratorError(f"ruff cannot format the generated text; run `make setup`, or report it: {said}")
        return {name: Path(folder, name).read_text("utf-8") for name in files}


def _ruff() -> str:
    """Give the path of ruff. `python -m ruff` would do the same, by a Python more to be started for each run."""
    try:
        from ruff import find_ruff_bin  # type: ignore[import-untyped]  # noqa: PLC0415  # it may be missing

        return str(find_ruff_bin())
    except (ImportError, FileNotFoundError) as error:
        raise GeneratorError("ruff is not installed, which formats the generated text; run `make setup`") from error


def _memory(files: Mapping[str, str]) -> Path | None:
    """Give a folder that is kept in memory, if there is one with room for these files.

    A disk writes a file out as soon as it has been truncated, as ruff does, and its removal waits for that: 2 ms for
    each file on ext4, which is more than all else that is done with it.
    """
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    room = 4 * sum(map(len, files.values())) + 2**16 * len(files)
    if disk_usage(MEMORY).free <= room:
        return None
    return MEMORY


def verdicts(folder: Path, files: Mapping[str, str], manifest: Path) -> list[str]:
    """Say of each file that is not what the inputs give why it is not: by hand, by age, missing or left over."""
    old = _text(manifest)
    known = recorded(old)
    lines = [
        f"{_verdict(data_of(folder / name), files.get(name), known.get(name))}: {name}"
        for name in sorted({*files, *stale(folder, files)})
        if _text(folder / name) != files.get(name)
    ]
    if lines == [f"stale: {MANIFEST}"] and origin(old) == origin(files.get(MANIFEST)):
        return [f"edited by hand: {MANIFEST}"]
    return lines + [
        f"left by a run that was killed: {path.name}" for place in _places(folder, files) for path in strays(place)
    ]


def _verdict(found: bytes | None, made: str | None, known: str | None) -> str:
    """Say why a file is not what the inputs give; `known` is the digest of what the last run wrote."""
    if found is None:
        return "missing"
    if known not in (None, hashlib.sha256(found).hexdigest()):
        return "edited by hand"
    if made is None:
        return "left over"
    return "stale"


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Give the generated files beside these that are no longer made; files of other origin are left alone."""
    found: list[str] = []
    for path in [path for place in _places(folder, files) for path in sorted(place.glob("*"))]:
        name, header = path.relative_to(folder).as_posix(), HEADERS.get(path.suffix)
        if header and name not in files and path.is_file() and (_text(path) or "").startswith(header):
            found.append(name)
    return found


def _places(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Give the folders in which files are made."""
    return sorted({(folder / name).parent for name in files})


def differences(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Give the unified diff of what writing the files would change, line by line."""
    for name in sorted({*files, *stale(folder, files)}):
        old, new = _text(folder / name) or "", files.get(name, "")
        path = (folder / name).absolute()
        shown = name
        if path.is_relative_to(Path.cwd()):
            shown = path.relative_to(Path.cwd()).as_posix()
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
        yield from difflib.unified_diff(before, after, f"a/{shown}", f"b/{shown}")


def contents(folder: Path, files: Mapping[str, str]) -> dict[Path, bytes | None]:
    """Give what each file of a folder is to hold; what is stale holds nothing any more."""
    kept = {folder / name: files[name].encode("utf-8") for name in sorted(files)}
    return kept | dict.fromkeys(folder / name for name in stale(folder, files))


def _text(path: Path) -> str | None:
    data = data_of(path)
    if data is None:
        return None
    return data.decode("utf-8", "surrogateescape")
