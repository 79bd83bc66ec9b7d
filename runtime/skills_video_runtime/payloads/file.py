"""A local file as the value of a field."""

# ruff: noqa: PTH113, PTH119, PTH123  # pathlib takes longer to import than all else here; who opens a file closes it
from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import IO, BinaryIO, TypeGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is sent along with a payload: `multipart/form-data`, streamed from where it is.

    `source` is a `pathlib.Path` or another `os.PathLike`, `bytes` together with a `name`, or a file that is open for
    reading bytes. `name` is what the platform is told, by default the last part of the path; `content_type` is guessed
    from it. The platform publishes no limit of size.

    Raises:
        FileNotFoundError: the path leads to no file.
        TypeError: the source is none of the three.
        ValueError: bytes without a name, or a name or content type that no header can carry.
    """

    source: os.PathLike[str] | bytes | bytearray | IO[bytes] = field(kw_only=False, repr=False)
    name: str = ""
    content_type: str = ""

    def __post_init__(self) -> None:
        """Check the source and fill in name and content type."""
        source, name = self.source, self.name
        if isinstance(source, os.PathLike):
            if not os.path.isfile(source):
                raise FileNotFoundError(f"{os.fspath(source)!r} is no file that can be sent")
            name = name or os.path.basename(source)
        elif isinstance(source, (bytes, bytearray)):
            object.__setattr__(self, "source", bytes(source))
            if not name:
                raise ValueError("bytes have no name of their own: pass File(data, name='cat.png')")
        elif _is_binary(source):
            given = getattr(source, "name", None)
            name = name or (os.path.basename(given) if isinstance(given, str) else "file")
        else:
            raise TypeError(
                f"a file is a pathlib.Path, bytes with a name, or a file open for reading bytes, not {source!r:.80}"
            )
        if not _is_sendable(name) or any(character in name for character in '/\\"'):
            raise ValueError(f"{name!r} cannot be the name of a file: no separators, quotes or control characters")
        object.__setattr__(self, "name", name)
        if not self.content_type:
            from mimetypes import guess_type  # noqa: PLC0415  # reads the system's tables on import

            object.__setattr__(self, "content_type", guess_type(name)[0] or "application/octet-stream")
        if not (self.content_type.isascii() and self.content_type.isprintable()):
            raise ValueError(f"{self.content_type!r} is no content type")

    def open(self) -> BinaryIO:
        """Open the file from its start; closing is up to the caller, and never closes a file that was handed in.

        Raises:
            OSError: the path cannot be read any more, or an open file cannot go back to its start.
        """
        source = self.source
        if isinstance(source, (bytes, bytearray)):
            return io.BytesIO(source)
        if isinstance(source, os.PathLike):
            return open(source, "rb")
        if source.closed:
            raise OSError(f"the file {self.name!r} has been closed before it was sent")
        if source.seekable():
            source.seek(0, os.SEEK_SET)
        return _Lent(source)


class _Lent(io.RawIOBase, BinaryIO):
    """A caller's open file, which stays open when this is closed."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._source.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._source.seek(offset, whence)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._source.read(len(view))
        view[: len(data)] = data
        return len(data)


def _is_binary(source: object) -> TypeGuard[IO[bytes]]:
    """Tell whether something is an open file of bytes; one whose `read` is awaited cannot be read as it is sent."""
    if (
        isinstance(source, io.TextIOBase)
        or not hasattr(source, "closed")
        or iscoroutinefunction(getattr(source, "read", None))
    ):
        return False
    readable = getattr(source, "readable", None)
    return hasattr(source, "read") and (readable is None or bool(readable()))


def _is_sendable(name: str) -> bool:
    """Tell whether a form can carry a name: no control characters, line ends, or halves of surrogate pairs."""
    if name.isprintable():
        return True
    from unicodedata import category  # noqa: PLC0415  # few names need it

    return not any(category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name)
