"""Names of files that any system takes, and that lead nowhere."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING
from unicodedata import category, normalize

if TYPE_CHECKING:
    from pathlib import Path

MAX_NAME_BYTES = 150  # bytes of a file name, so that any file system takes it together with a number
RESERVED = r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])"  # as Windows does
SUFFIXES = {
    "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/png": ".png", "image/jpeg": ".jpg",
    "image/webp": ".webp", "image/gif": ".gif", "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/mp4": ".m4a",
}  # fmt: skip
KNOWN = frozenset({*SUFFIXES.values(), ".jpeg", ".mkv", ".avi", ".m4v", ".ogg", ".flac", ".aac", ".avif"})


def safe_name(given: str, kind: str) -> str:
    """Give a name that any system takes and that leads nowhere: the last part, without what is special anywhere.

    A name without the suffix of a media file gets that of its content type, so that nothing can be run by accident.
    """
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    last = normalize(
        "NFC", last[:MAX_NAME_BYTES] + last[MAX_NAME_BYTES:][-MAX_NAME_BYTES:]
    )  # what is longer is cut anyhow
    last = re.sub('[<>:"|?*]', "_", "".join(character for character in last if category(character)[0] != "C"))
    name = " ".join(last.split()).rstrip(" .").lstrip(" .-")
    stem, dot, suffix = name.rpartition(".")
    if not dot or f".{suffix}".lower() not in KNOWN:
        stem, suffix = name, _suffix_of(kind)
    stem = stem.encode()[:MAX_NAME_BYTES].decode(errors="ignore").rstrip(" .") or "video"
    if re.fullmatch(RESERVED, stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return f"{stem}.{suffix}"


def _suffix_of(kind: str) -> str:
    """Give the suffix of a content type, without its dot."""
    if kind in SUFFIXES:
        return SUFFIXES[kind][1:]
    if kind.startswith("video/"):
        return "mp4"
    return "bin"


def place(part: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the next free one; what exists is never replaced."""
    stem, dot, suffix = name.rpartition(".")
    for number in count():
        path = directory / name
        if number:
            path = directory / f"{stem}-{number}{dot}{suffix}"
        with suppress(FileExistsError):
            try:
                os.link(part, path)
            except (FileExistsError, FileNotFoundError):
                raise
            except OSError:  # a file system without links
                path.touch(exist_ok=False)
                part.replace(path)
            return path
    raise AssertionError  # count() does not end
