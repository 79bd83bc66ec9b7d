"""Finished files to disk, as a machine of the same kind as those of `lifecycle`."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from random import random
from typing import TYPE_CHECKING, Any, BinaryIO
from unicodedata import category, normalize
from urllib.parse import unquote, urljoin, urlsplit

from .errors import DownloadFailed, visible
from .steps import Ended, Fetch, Lost, Next, Opened, Record, Sleep
from .transport import is_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .generation import MediaFile
    from .steps import Settings, Step, Steps

REDIRECTS = 5
SILENCE = 30.0  # seconds without a byte before a transfer counts as broken: our choice
LONGEST = 150  # bytes of a file name, so that any file system takes it together with a number
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)  # as Windows does
SUFFIXES = {
    "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/png": ".png", "image/jpeg": ".jpg",
    "image/webp": ".webp", "image/gif": ".gif", "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/mp4": ".m4a",
}  # fmt: skip
KNOWN = frozenset({*SUFFIXES.values(), ".jpeg", ".mkv", ".avi", ".m4v", ".ogg", ".flac", ".aac", ".avif"})


class Save:
    """One file on its way to a directory.

    It is written under a temporary name and gets its own when it is whole: as long as the answer said, and of no type
    that a page or an error has. After a break it goes on where it was, if the answer proves to be the same file.
    """

    def __init__(
        self,
        file: MediaFile,
        directory: Path,
        settings: Settings,
        now: float,
        on_progress: Callable[[MediaFile, int, int | None], object] | None = None,
        generation_id: str | None = None,
    ) -> None:
        self.generation_id = generation_id
        self.file, self.directory, self.settings, self.on_progress = file, directory, settings, on_progress
        self.now, self.deadline = now, now + settings.timeout
        self.received = 0
        self.total: int | None = None
        self.etag = self.validator = self.kind = ""

    def run(self) -> Steps[Path]:
        """Fetch the file, and give its path.

        Raises:
            DownloadFailed: it cannot be fetched whole.
            OSError: it cannot be written.
        """
        part = self.directory / f".{secrets.token_hex(8)}.part"
        yield from self._ask(Record(lambda: self.directory.mkdir(parents=True, exist_ok=True)))
        handle: BinaryIO = yield from self._ask(Record(lambda: part.open("xb")))
        try:
            failures = 0
            while True:
                before = self.received
                problem, retry_after = yield from self._transfer(handle)
                if not problem:
                    break
                failures = 1 if self.received > before else failures + 1
                delay = self.settings.retry.delay(failures, retry_after, random)
                if failures >= self.settings.retry.attempts or self.now + delay >= self.deadline:
                    raise self._failed(problem)
                yield from self._ask(Sleep(delay))
            yield from self._ask(Record(handle.close))
            name = safe_name(self.file.file_name or unquote(urlsplit(self.file.url).path), self.kind)
            path: Path = yield from self._ask(Record(lambda: place(part, self.directory, name)))
            return path
        finally:
            handle.close()
            with suppress(OSError):
                part.unlink()

    def _transfer(self, handle: BinaryIO) -> Steps[tuple[str, float | None]]:
        """Fetch what is missing; give what went wrong, if anything did, and how long to wait then."""
        head = yield from self._open()
        if isinstance(head, Lost):
            if not head.is_transient:
                raise self._failed(head.reason)
            return head.reason, None
        problem = self._check(head)
        if problem:
            after = head.headers.get("retry-after", "")
            return problem, float(after) if re.fullmatch("[0-9]{1,9}", after) else None
        yield from self._ask(Record(lambda: handle.truncate(handle.seek(self.received))))
        while True:
            data: bytes | Ended = yield from self._ask(Next(self.deadline - self.now))
            if isinstance(data, Ended) and data.broken:
                return data.reason, None
            if isinstance(data, Ended):
                break
            yield from self._ask(Record(partial(handle.write, data)))
            self.received += len(data)
            if self.on_progress is not None:
                self.on_progress(self.file, self.received, self.total)
            if self.now >= self.deadline:
                raise self._failed("time ran out")
        if self.received == 0 or (self.total is not None and self.received != self.total):
            return f"it ended after {self.received} of {self.total} bytes", None
        return "", None

    def _check(self, head: Opened) -> str:
        """See that an answer is the file or the rest of it; give what is wrong with it but may be right next time."""
        if head.status == 200:
            self._check_kind(head)
            self._begin(head)
            return ""
        if head.status == 206:
            self._check_kind(head)
            if self._continues(head):
                return ""
        elif head.status not in {408, 416, 425, 429} and head.status < 500:
            raise self._failed(f"the answer was {head.status}", head.status)
        if head.status in {206, 416}:
            self.received = 0
            return "the rest of the file does not belong to its beginning"
        return f"the answer was {head.status}"

    def _open(self) -> Steps[Opened | Lost]:
        """Ask for the file, over redirects of which each must be as trusted as its own address."""
        headers = {"Range": f"bytes={self.received}-"} if self.received else {}
        if self.received and self.validator:
            headers["If-Range"] = self.validator
        url = self.file.url
        for _ in range(REDIRECTS + 1):
            if not is_trusted(url):
                raise self._failed(f"{_bare(url)} is neither https nor this machine")
            patience = max(min(SILENCE, self.deadline - self.now), 0.001)
            head: Opened | Lost = yield from self._ask(Fetch(url, headers, patience, patience))
            if isinstance(head, Lost) or head.status not in {301, 302, 303, 307, 308}:
                return head
            url = urljoin(url, head.headers.get("location", ""))
        raise self._failed(f"more than {REDIRECTS} redirects")

    def _check_kind(self, head: Opened) -> None:
        self.kind = kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        major, wanted = kind.partition("/")[0], (self.file.content_type or "").partition("/")[0].lower()
        media = {"video", "image", "audio"}
        if kind and kind not in {"application/octet-stream", "binary/octet-stream"} and major not in media:
            raise self._failed(f"the answer is {kind}, which is no media")
        if major in media and wanted in media and major != wanted:
            raise self._failed(f"the answer is {kind}, where {self.file.content_type} was announced")
        if head.headers.get("content-encoding", "identity").lower() != "identity":
            raise self._failed("the answer is encoded, which was not asked for")

    def _begin(self, head: Opened) -> None:
        length = head.headers.get("content-length", "")
        self.total = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        self.received, self.etag = 0, head.headers.get("etag", "")
        self.validator = head.headers.get("last-modified", "") if self.etag.startswith("W/") else self.etag
        self.validator = self.validator or head.headers.get("last-modified", "")

    def _continues(self, head: Opened) -> bool:
        """Whether a part is the rest of the very file that was begun."""
        span = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", head.headers.get("content-range", ""))
        if span is None or self.received == 0:
            return False
        first, last, total = map(int, span.groups())
        same = self.total == total and head.headers.get("etag", self.etag) == self.etag
        return same and first == self.received and last == total - 1

    def _failed(self, problem: str, status: int | None = None) -> DownloadFailed:
        what = f"{_bare(self.file.url)} could not be downloaded: {problem}."
        return DownloadFailed(what, status=status, generation_id=self.generation_id)

    def _ask(self, step: Step) -> Generator[Step, tuple[float, Any], Any]:
        self.now, outcome = yield step
        return outcome


def _bare(url: str) -> str:
    """Give a URL without its query, which may be a signature."""
    return visible(url.partition("?")[0].partition("#")[0])


def safe_name(given: str, kind: str) -> str:
    """Give a name that any system takes and that leads nowhere: the last part, without what is special anywhere.

    A name without the suffix of a media file gets that of its content type, so that nothing can be run by accident.
    """
    last = PurePosixPath(normalize("NFC", given).replace("\\", "/")).name
    name = "".join("_" if character in '<>:"|?*' else character for character in last if category(character)[0] != "C")
    name = name.strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or f".{suffix}".lower() not in KNOWN:
        stem, suffix = name, SUFFIXES.get(kind, ".mp4" if kind.startswith("video/") else ".bin")[1:]
    stem = stem.rstrip(" .") or "video"
    if RESERVED.fullmatch(stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    while len(stem.encode()) > LONGEST:
        stem = stem[:-1]
    return f"{stem}.{suffix}"


def place(part: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the next free one; what exists is never replaced."""
    stem, dot, suffix = name.rpartition(".")
    number = 0
    while True:
        path = directory / (f"{stem}-{number}{dot}{suffix}" if number else name)
        number += 1
        if os.path.lexists(path):
            continue
        try:
            os.link(part, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links: the moment between the look and the renaming is left
            part.rename(path)
        return path
