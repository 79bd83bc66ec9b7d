"""What has come of a file so far, under a hidden name, so that a later process can go on where this one was ended.

Beside the bytes (`.….part`) lies the tag of the file that they belong to (`.….json`). The bytes are locked while they
are worked on. Where they are not to be had, as another process has them or the system knows no locks (Windows), a file
of a random name takes their place, and is not kept.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from hashlib import blake2b
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from skills_video_runtime.json_values import as_object

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.json_values import JsonObject


class Begun(NamedTuple):
    """What tells a file from all others: a strong tag, and what its answer said beside that."""

    etag: str
    modified: str
    total: int | None


class Partial:
    """The bytes of one file that is on its way to a directory."""

    def __init__(self, directory: Path, address: str) -> None:
        mark = blake2b(address.encode("utf-8", "replace"), digest_size=8).hexdigest()
        self.path = directory / f".{mark}.part"
        handle = _locked(self.path)
        self.is_resumable = handle is not None
        if handle is None:
            self.path = directory / f".{secrets.token_hex(8)}.part"
            handle = self.path.open("xb")
        self.handle: BinaryIO = handle
        self.note = self.path.with_suffix(".json")

    def begun(self) -> tuple[int, Begun | None]:
        """Give how many bytes are there, and whose they are; None where that is not known."""
        size = self.handle.seek(0, os.SEEK_END)
        if not (self.is_resumable and size):
            return 0, None
        told: JsonObject = {}
        with suppress(OSError, ValueError, RecursionError):
            told = as_object(json.loads(self.note.read_text("utf-8")))
        etag, modified, total = told.get("etag"), told.get("modified"), told.get("total")
        is_told = isinstance(etag, str) and isinstance(modified, str) and (total is None or type(total) is int)
        if not is_told or (total is not None and size >= total):
            return 0, None
        return size, Begun(str(etag), str(modified), total)

    def belong_to(self, begun: Begun | None) -> None:
        """Note whose the bytes are, of which there are none yet; None where a later process could not prove it."""
        self.note.unlink(missing_ok=True)
        if begun is None:
            self.is_resumable = False
        elif self.is_resumable:
            self.note.write_text(json.dumps(begun._asdict()), "utf-8")

    def complete(self) -> None:
        """Hand all bytes to the system, before the file gets its name. What is locked stays so until then."""
        if fcntl is None:
            self.handle.close()  # what is open can be neither moved nor removed there
        else:
            self.handle.flush()

    def end(self, *, keep: bool) -> None:
        """Let go of it; the bytes stay only if a later process can use them."""
        with suppress(OSError):  # a full disk, said before
            self.complete()
        if not (keep and self.is_resumable and self.note.exists()):
            for path in (self.path, self.note):
                with suppress(OSError):
                    path.unlink()
        with suppress(OSError):  # as above
            self.handle.close()


def _locked(path: Path) -> BinaryIO | None:
    """Open the bytes of an earlier process, or new ones; None where they cannot be had for oneself alone."""
    if fcntl is None:
        return None
    for _ in range(2):
        try:
            handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666), "r+b")
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours, there = os.fstat(handle.fileno()), path.lstat()
        except OSError as error:
            if not isinstance(error, (BlockingIOError, FileNotFoundError)):  # locked by another, or just finished by it
                path.unlink(missing_ok=True)  # which nobody can use where there are no locks
            handle.close()
            return None
        if S_ISREG(ours.st_mode) and ours.st_ino == there.st_ino and ours.st_nlink == 1:
            return handle
        path.unlink(missing_ok=True)  # of a process that was killed as the file had just got its name
        handle.close()
    return None
