"""What stands beside docs.json: the files that its `$ref` name, and the pages that it lists.

Mintlify's documentation ("Split configuration with `$ref`") says what a reference may be: a path, relative to the file
it stands in, that stays in the folder. Members beside it win over those of an object that it leads to.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from generator.diagnostics import GeneratorError
from generator.json_values import NoDocumentError, escape, is_array, is_object

from .documents import bytes_of, parsed, real

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_REFERENCES: Final = 1_000
"""How many references are followed, one that stands in a file that is named twice counted twice. The limit is ours."""

LONGEST_PAGE: Final = 4 * 1024 * 1024
"""Bytes of the longest page that is looked into. The limit is ours."""

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_OPENAPI = re.compile(r"^openapi:[ \t]*(?P<quote>[\"']?)(?P<text>\S.*?)(?P=quote)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a navigation on disk."""

    path: Path

    def read(self, name: str) -> bytes:
        """Read a file by its path below the folder.

        Raises:
            GeneratorError: it cannot be read, or a link leads out of the folder.
        """
        file = self._inside(name)
        if file is None:
            raise GeneratorError(f"{(self.path / name).as_posix()}: leads out of the folder of the navigation")
        return bytes_of(file, (self.path / name).as_posix())

    def page(self, slug: str) -> str | None:
        """Give what the front matter of a page says under `openapi`: perhaps nothing; None without a page."""
        for suffix in (".mdx", ".md"):
            file = self._inside(f"{slug}{suffix}")
            if file is not None and file.is_file():
                return operation_in(bytes_of(file, file.as_posix(), LONGEST_PAGE).decode("utf-8", "replace"))
        return None

    def _inside(self, name: str) -> Path | None:
        try:
            file = real(self.path / name)
        except (OSError, ValueError):
            return None
        if not file.is_relative_to(real(self.path)):
            return None
        return file


def operation_in(page: str) -> str:
    """Give the operation that the front matter of a page names; empty where it names none."""
    front = _FRONT_MATTER.match(page.lstrip("\ufeff"))
    named = front and _OPENAPI.search(front[1])
    if not named:
        return ""
    return named["text"]


def expanded(document: dict[str, Any], file: str, read: Callable[[str], bytes]) -> dict[str, Any]:
    """Give a navigation with what its references lead to in their place. `read` gives a file by its path.

    Raises:
        GeneratorError: a reference leads out of the folder, back to itself, or to nothing that can be read.
    """
    found = _Expansion(file, read).value(document, "", "")
    if not is_object(found):
        raise GeneratorError(f"{file}: leads to no JSON object, as it should; correct its $ref")
    return found


@dataclass(slots=True)
class _Expansion:
    file: str
    read: Callable[[str], bytes]
    above: list[str] = field(default_factory=list[str])
    followed: int = 0
    known: dict[str, Any] = field(default_factory=dict[str, Any])

    def value(self, value: Any, pointer: str, folder: str) -> Any:
        """Give a value that stands in a file of this folder, expanded."""
        if is_array(value):
            return [self.value(item, f"{pointer}/{index}", folder) for index, item in enumerate(value)]
        if not is_object(value):
            return value
        members = {
            name: self.value(item, f"{pointer}/{escape(name)}", folder)
            for name, item in value.items()
            if name != "$ref"
        }
        if "$ref" not in value:
            return members
        target = self._target(value["$ref"], pointer, folder)
        if is_object(target):
            return target | members
        return target

    def _target(self, reference: Any, pointer: str, folder: str) -> Any:
        path = self._path(reference, pointer, folder)
        self.followed += 1
        if path in self.above:
            self._fail(pointer, f"{reference!r} leads back to itself")
        if self.followed > MOST_REFERENCES:
            self._fail(pointer, f"it has more than {MOST_REFERENCES:,} references")
        if path not in self.known:
            try:
                self.known[path] = parsed(self.read(path), path)[0]
            except (GeneratorError, NoDocumentError) as error:
                self._fail(pointer, f"{reference!r} cannot be followed: {error}")
        self.above.append(path)
        target = self.value(self.known[path], "", posixpath.dirname(path))
        self.above.pop()
        return target

    def _path(self, reference: Any, pointer: str, folder: str) -> str:
        form = "a relative path to a JSON file in the folder of the navigation is followed"
        if not isinstance(reference, str) or not reference or re.search(r"[\\:#?\0]", reference):
            self._fail(pointer, f"{reference!r} is not followed; {form}")
        path = posixpath.normpath(posixpath.join(folder, reference))
        if path.startswith(("/", "../")) or path in (".", ".."):
            self._fail(pointer, f"{reference!r} leads out of the folder; {form}")
        return path

    def _fail(self, pointer: str, message: str) -> NoReturn:
        file = self.file
        if self.above:
            file = posixpath.join(posixpath.dirname(file), self.above[-1])
        raise GeneratorError(f"{file}#{pointer}/$ref: {message}")
