"""The revisions that `changes` compares: a folder with descriptions, or a git revision of `specs/`."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from generator.diagnostics import Diagnostics, GeneratorError, visible
from generator.inputs import documents
from generator.run import Inputs, read

if TYPE_CHECKING:
    from collections.abc import Generator

    from generator.run import Found

ROOT: Final = Path(__file__).resolve().parents[2]
SPECS: Final = "specs"
_INPUT: Final = re.compile(r"pyproject\.toml|specs/models/[^\\:]+|specs/[^\\:]+\.(?:json|ya?ml|mdx?)", re.IGNORECASE)


def inputs_in(folder: Path, config: Path | None) -> Inputs:
    """Give the inputs that a folder holds: a description, those of models/, and a navigation."""
    return Inputs.beside(documents.found_in(folder, "openapi") or folder / "openapi.json", None, config)


def found_in(revision: str, config: Path | None) -> Found:
    """Read a revision: a folder, with the settings of `config`, else one of git, with the settings that it had.

    A folder whose descriptions are in `specs/` is a working tree, such as `.`.

    Raises:
        GeneratorError: it is neither, or its descriptions cannot be read.
    """
    folder = Path(revision)
    if _is_folder(revision):
        return _found(folder, config)
    if revision and _is_folder(folder / SPECS):
        return _found(folder / SPECS, config)
    commit = _commit(revision)
    if commit is None:
        what = "no folder"
        if revision and folder.is_dir():
            what = "a folder without openapi.json or openapi.yaml"
        message = f"{revision!r} is {what}, and no git revision of this repository; name one or the other"
        repository = _git("rev-parse", "--git-dir")
        if repository.returncode:
            message = f"{revision!r} is {what}, and git finds no revision here: {_said(repository)}"
        raise GeneratorError(visible(message))
    with _checked_out(commit, revision) as copy:
        try:
            return _found(copy / SPECS, copy / "pyproject.toml")
        except GeneratorError as error:
            raise GeneratorError(str(error).replace(copy.as_posix(), visible(revision))) from error


def _found(folder: Path, config: Path | None) -> Found:
    """Read a folder. What is said of its inputs names them as they are called there: each revision has another one."""
    inputs = inputs_in(folder, config)
    found = read(inputs, Diagnostics())
    paths = filter(None, (*inputs.openapi, *inputs.unread, inputs.docs))
    names = {path.as_posix(): path.relative_to(folder).as_posix() for path in paths}

    def named(text: str) -> str:
        for path, name in names.items():
            text = text.replace(path, name)
        return text

    warnings = tuple(replace(item, file=named(item.file), message=named(item.message)) for item in found.warnings)
    passed = tuple(replace(item, reason=named(item.reason)) for item in found.selection.passed_over)
    return replace(found, warnings=warnings, selection=replace(found.selection, passed_over=passed))


def source_of(revision: str, name: str) -> tuple[str, str]:
    """Give the path of an input of a revision, as a checkout has it, and its text."""
    for folder in (Path(revision), Path(revision, SPECS)):
        if _is_folder(folder) and (folder / name).is_file():
            return (folder / name).as_posix(), (folder / name).read_text("utf-8", "replace")
    path = f"{SPECS}/{name}"
    text = _git("cat-file", "blob", f"{_commit(revision)}:./{path}").stdout.decode("utf-8", "replace")
    return _git("rev-parse", "--show-prefix").stdout.decode("utf-8", "replace").strip("\n") + path, text


def both(old: str, new: str, config: Path | None) -> tuple[Found, Found]:
    """Read two revisions.

    Raises:
        GeneratorError: as `found_in`.
    """
    return found_in(old, config), found_in(new, config)


def beginning(first: str, counted: str | None) -> str:
    """Give the revision since which CHANGELOG.md tells what changed, of an update that begins at `first`.

    That is the tag of the last release, else the one since which it has counted, else `first`; of folders, `first`.
    """
    commit = _commit(first)
    if _is_folder(first) or _is_folder(f"{first}/{SPECS}") or commit is None:
        return first
    tag = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", commit)
    if tag.returncode == 0:
        return tag.stdout.decode("utf-8", "replace").strip()
    return counted or commit[:12]


def _is_folder(folder: str | Path) -> bool:
    return folder != "" and documents.found_in(Path(folder), "openapi") is not None


def _commit(revision: str) -> str | None:
    """Give the id of the commit that a revision names, None if it names none. It is never taken for an option."""
    if not revision or "\0" in revision:
        return None
    done = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = done.stdout.decode("ascii", "replace").strip()
    if done.returncode or not re.fullmatch("[0-9a-f]+", commit):
        return None
    return commit


@contextmanager
def _checked_out(commit: str, revision: str) -> Generator[Path]:
    """Put what a commit has of the inputs and the settings into a folder of its own, for a while."""
    listed = _read("ls-tree", "-r", "-l", "-z", commit, f"{SPECS}/", "pyproject.toml")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for entry in listed.decode("utf-8", "replace").split("\0"):
            details, _, name = entry.partition("\t")
            if not details.startswith("100") or not _INPUT.fullmatch(name):
                continue
            _, _, blob, size = details.split()
            if size.isdigit() and int(size) > documents.LARGEST:
                message = f"{revision}:{name}: is larger than {documents.LARGEST} bytes, the most that is read"
                raise GeneratorError(visible(message))
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_read("cat-file", "blob", blob))
        if documents.found_in(folder / SPECS, "openapi") is None:
            message = f"{revision}: has no {SPECS}/openapi.json (or .yaml); name another revision, or a folder"
            raise GeneratorError(visible(message))
        yield folder


def _read(*arguments: str) -> bytes:
    done = _git(*arguments)
    if done.returncode:
        raise GeneratorError(f"git cannot read this repository: {_said(done)}")
    return done.stdout


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join(done.stderr.decode("utf-8", "replace").split())


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # a list, and no option from outside
    except OSError as error:
        raise GeneratorError(f"git cannot be run ({error.strerror}); install it, or name folders") from error
