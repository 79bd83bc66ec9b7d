"""What tells one payload from others: by the content of its files, or as they are on a disk for now."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import lru_cache
from hashlib import file_digest, sha256
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from skills_video_runtime.generations.outcomes import Submittable
    from skills_video_runtime.payloads.base import BasePayload
    from skills_video_runtime.payloads.file import File


def fingerprint(payload: BasePayload) -> str:
    """Give what tells a payload from others; of a file, name and content count."""
    return sha256(_text_of(payload, _by_content).encode()).hexdigest()[:32]


def mark(payload: BasePayload) -> int:
    """Give what tells a payload from what it is later in this process; of a file on a disk, size and time count."""
    return hash(_text_of(payload, _by_time))


def named(file: File) -> dict[str, str]:
    """Give what stands for a file where a payload is shown."""
    return {"file": file.name}


def shown(payload: Submittable, of_file: Callable[[File], dict[str, str]] = named) -> dict[str, Any]:
    """Give the fields of a payload as JSON, with something in the place of each file."""
    fields: dict[str, Any] = json.loads(json.dumps(payload.to_dict(), default=of_file))
    return fields


def _text_of(payload: BasePayload, of_file: Callable[[File], list[object]]) -> str:
    return json.dumps([payload.endpoint.model, payload.to_dict()], sort_keys=True, default=of_file)


def _by_content(file: File) -> list[object]:
    if not isinstance(file.source, PathLike):
        with file.open() as opened:
            return [file.name, file_digest(opened, "sha256").hexdigest()]
    name, *stands = _by_time(file)
    with suppress(OSError):
        return [name, _digest_of(Path(file.source), *stands)]
    return [name]  # it is gone


def _by_time(file: File) -> list[object]:
    if not isinstance(file.source, PathLike):
        return _by_content(file)
    with suppress(OSError):
        told = Path(file.source).stat()
        return [file.name, told.st_size, told.st_mtime_ns]
    return [file.name]  # as above


@lru_cache(maxsize=4096)
def _digest_of(path: Path, *_: object) -> str:
    """Read a file once, unless its size or time has changed since."""
    with path.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
