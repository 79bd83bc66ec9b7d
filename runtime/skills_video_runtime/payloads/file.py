"""A local file as the value of a field."""

# ruff: noqa: PTH113, PTH117, PTH119, PTH123  # pathlib takes longer to import than all else here; who opens a file closes it
from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import IO, Any, BinaryIO

UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # in the name of a part of a form
SOURCES = "a file is a pathlib.Path, bytes with a name, or a file open for reading bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is sent along with a payload: `multipart/form-data`, streamed from where it is.

    A path leads to the same file wherever the program goes from here.

    `source` is a `pathlib.Path` or another `os.PathLike`, `bytes` together with a `name`, or a file that is open for
    reading bytes and can go back to its start. `name` is what the platform is told, by default the last part of the
    path; what no form can carry of it, such as line ends, becomes `_`. `content_type` is guessed from it. The platform
    publishes no limit of size.

    Raises:
        FileNotFoundError: the path leads to no file.
        TypeError: the source is none of the three; the message tells how it can be sent, where it can.
        ValueError: bytes without a name, or a content type that no header can carry.
    """

    source: os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | io.BufferedIOBase = field(
        kw_only=False, repr=False
    )
    name: str = ""
    content_type: str = ""

    def __post_init__(self) -> None:
        """Check the source and fill in name and content type."""
        source, name = self.source, self.name
        if isinstance(source, os.PathLike):
            if not os.path.isfile(source):
                raise FileNotFoundError(f"{os.fspath(source)!r} is no file that can be sent")
            name = name or os.path.basename(os.fsdecode(source))
            if not os.path.isabs(source):
                from pathlib import Path  # noqa: PLC0415  # who has a path has it

                object.__setattr__(self, "source", Path(os.fsdecode(source)).absolute())
        elif isinstance(source, (bytes, bytearray, memoryview)):
            object.__setattr__(self, "source", bytes(source))
            if not name:
                raise ValueError("bytes have no name of their own: pass File(data, name='cat.png')")
        else:
            _check_open(source)
            given = getattr(source, "name", None)
            if not name and isinstance(given, str):
                name = os.path.basename(given)
        name = UNSENDABLE.sub("_", name or "file")
        object.__setattr__(self, "name", name)
        if not self.content_type:
            from mimetypes import guess_type  # noqa: PLC0415  # reads the system's tables on import

            object.__setattr__(self, "content_type", guess_type(name)[0] or "application/octet-stream")
        if not (self.content_type.isascii() and self.content_type.isprintable()):
            raise ValueError(f"{self.content_type!r} is no content type")

    def open(self) -> Reading:
        """Open the file from its start; closing is up to the caller, and never closes a file that was handed in.

        Raises:
            OSError: the path cannot be read any more, or an open file cannot go back to its start.
        """
        source = self.source
        if isinstance(source, (bytes, bytearray, memoryview)):
            return Reading(self.name, io.BytesIO(source), is_lent=False)
        if isinstance(source, os.PathLike):
            return Reading(self.name, open(source, "rb"), is_lent=False)
        if source.closed:
            raise OSError(f"the file {self.name!r} has been closed before it was sent")
        return Reading(self.name, source, is_lent=True)


class Reading(io.RawIOBase, BinaryIO):
    """A file while it is sent: as long as it was when it was opened, or else it raises OSError."""

    def __init__(self, name: str, source: IO[bytes] | io.BufferedIOBase, *, is_lent: bool) -> None:
        super().__init__()
        self.problem: str | None = None
        """Why it could not be read to its end, so that what was sent of it has none."""
        self._name, self._source, self._is_lent = name, source, is_lent
        self._size = self._left = 0
        self._size = self.seek(0, os.SEEK_END)
        self.seek(0)

    def readable(self) -> bool:
        """See `io.IOBase`, as below."""
        return True

    def seekable(self) -> bool:
        """Every source can go back to its start."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, and count anew what is left."""
        self._source.seek(offset, whence)
        place = self._source.tell()
        self._left = self._size - place
        return place

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; OSError where they cannot be read, or are more or fewer than there were."""
        view = memoryview(buffer)
        try:
            data = self._source.read(len(view))
            view[: len(data)] = data
            self._left -= len(data)
        except Exception as error:
            self.problem = f"the file {self._name!r} could not be read while it was sent, which was broken off: {error}"
            raise OSError(self.problem) from error
        if self._left < 0 or (self._left and not data):
            self.problem = f"the file {self._name!r} has changed while it was sent, which was broken off"
            raise OSError(self.problem)
        return len(data)

    def close(self) -> None:
        """Close the source, unless it was handed in."""
        if not self._is_lent:
            self._source.close()
        super().close()


def _check_open(source: Any) -> None:
    """Refuse, by TypeError, what is no open file of bytes that can be read as often as it is sent."""
    problem = ""
    if isinstance(source, str):
        problem = f": a local file is File(pathlib.Path({source!r:.80})), and an address needs no File"
    elif iscoroutinefunction(getattr(source, "read", None)):
        problem = ": what is read by await is read before, File(await upload.read(), name='cat.png')"
    elif hasattr(source, "encoding"):
        problem = ": open it with mode 'rb'"
    elif not all(hasattr(source, name) for name in ("read", "closed", "seekable")) or not source.readable():
        problem = "."
    elif not source.seekable():
        problem = ": what can be read only once, as a pipe, is read before, File(pipe.read(), name='cat.png')"
    if problem:
        raise TypeError(f"{SOURCES}, not {source!r:.80}{problem}")
