"""Finished files to disk, as a machine of the same kind as those of `lifecycle`."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import random
from typing import TYPE_CHECKING, Any, BinaryIO
from unicodedata import category, normalize
from urllib.parse import unquote, urljoin, urlsplit

from skills_video_runtime.errors import DownloadFailed, visible
from skills_video_runtime.generations.outcomes import TRANSIENT, Ended, Fetch, Lost, Next, Record, Sleep
from skills_video_runtime.http.key import is_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from skills_video_runtime.generations.outcomes import Opened, Step, Steps
    from skills_video_runtime.generations.retry import RetryPolicy
    from skills_video_runtime.generations.states import MediaFile

REDIRECTS = 5
SILENCE = 30.0  # seconds without a byte before a transfer counts as broken: our choice
LONGEST = 150  # bytes of a file name, so that any file system takes it together with a number
RESERVED = r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])"  # as Windows does
SUFFIXES = {
    "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/png": ".png", "image/jpeg": ".jpg",
    "image/webp": ".webp", "image/gif": ".gif", "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/mp4": ".m4a",
}  # fmt: skip
KNOWN = frozenset({*SUFFIXES.values(), ".jpeg", ".mkv", ".avi", ".m4v", ".ogg", ".flac", ".aac", ".avif"})
MEDIA = frozenset({"video", "image", "audio"})
UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/mp4", "application/ogg"})


@dataclass(eq=False)
class Save:
    """One file on its way to a directory.

    It is written under a temporary name and gets its own when it is whole: as long as the answer said, and of no type
    that a page or an error has. After a break it goes on where it was, if the answer proves to be the same file.
    """

    file: MediaFile
    directory: Path
    retry: RetryPolicy
    now: float
    deadline: float
    redact: Callable[[str], str] = str
    on_progress: Callable[[MediaFile, int, int | None], object] | None = None
    generation_id: str | None = None
    received: int = 0
    total: int | None = None
    retry_after: float | None = None
    kind: str = ""
    etag: str = ""
    modified: str = ""
    validator: str = ""

    def run(self) -> Steps[Path]:
        """Fetch the file, and give its path.

        Raises:
            DownloadFailed: it cannot be fetched whole.
            OSError: it cannot be written.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        part = self.directory / f".{secrets.token_hex(8)}.part"
        handle = part.open("xb")
        try:
            yield from self._fetch(handle)
            handle.close()
            name = safe_name(self.file.file_name or unquote(urlsplit(self.file.url).path), self.kind)
            return place(part, self.directory, name)
        finally:
            with suppress(OSError):  # a full disk, said before
                handle.close()
            with suppress(OSError):
                part.unlink()

    def _fetch(self, handle: BinaryIO) -> Steps[None]:
        """Go on as long as more comes than ever before, or tries are left."""
        most = failures = 0
        while True:
            try:
                return (yield from self._transfer(handle))
            except DownloadFailed as error:
                failures = 1 if self.received > most else failures + 1
                most = max(most, self.received)
                delay = self.retry.delay(failures, self.retry_after, random)
                hopeless = not error.retryable or failures >= self.retry.attempts
                if hopeless or self.now + delay >= self.deadline:
                    raise
            yield from self._ask(Sleep(delay))

    def _transfer(self, handle: BinaryIO) -> Steps[None]:
        """Fetch what is missing."""
        self._check((yield from self._open()))
        handle.truncate(handle.seek(self.received))
        while True:
            data: bytes | Ended = yield from self._ask(Next(self.deadline - self.now))
            if isinstance(data, Ended):
                break
            yield from self._ask(Record(partial(handle.write, data)))
            self.received += len(data)
            if self.on_progress is not None:
                self.on_progress(self.file, self.received, self.total)
            if self.now >= self.deadline:
                raise self._failed("time ran out")
        if data.broken:
            raise self._failed(data.reason)
        if self.received == 0 or (self.total is not None and self.received != self.total):
            raise self._failed(f"it ended after {self.received} of {self.total} bytes")

    def _open(self) -> Steps[Opened]:
        """Ask for the file, over redirects of which each must be as trusted as its own address."""
        headers, self.retry_after = {"Range": f"bytes={self.received}-"} if self.received else {}, None
        if headers and self.validator:
            headers["If-Range"] = self.validator
        url, local = self.file.url, True
        for _ in range(REDIRECTS + 1):
            if not is_trusted(url):
                raise self._failed(f"{_bare(url)} is neither https nor this machine, or names a user", again=False)
            if _is_local(url) and not local:
                raise self._failed("it leads from another machine to this one", again=False)
            local = _is_local(url)
            patience = max(min(SILENCE, self.deadline - self.now), 0.001)
            head: Opened | Lost = yield from self._ask(Fetch(url, headers, patience, patience))
            if isinstance(head, Lost):
                raise self._failed(head.reason, again=head.is_transient)
            if head.status not in {301, 302, 303, 307, 308}:
                return head
            try:
                url = urljoin(url, head.headers["location"])
            except (KeyError, ValueError):
                raise self._failed("a redirect has no address", again=False) from None
        raise self._failed(f"more than {REDIRECTS} redirects", again=False)

    def _check(self, head: Opened) -> None:
        """See that an answer is the file, or the rest of the very file that was begun."""
        status, told = head.status, head.headers
        if status not in {200, 206, 416}:
            after = told.get("retry-after", "")
            self.retry_after = float(after) if re.fullmatch("[0-9]{1,9}", after) else None
            raise self._failed(f"the answer was {status}", status, again=status >= 500 or status in TRANSIENT)
        if status != 200 and not self._continues(told):
            self.received = 0
            raise self._failed("the rest of the file does not belong to its beginning")
        self.kind = told.get("content-type", "").partition(";")[0].strip().lower()
        major, wanted = self.kind.partition("/")[0], (self.file.content_type or "").partition("/")[0].lower()
        if self.kind not in UNTOLD and major not in MEDIA:
            raise self._failed(f"the answer is {visible(self.kind)}, which is no media", again=False)
        if {major, wanted} <= MEDIA and major != wanted:
            raise self._failed(f"the answer is {self.kind}, where {wanted} was announced", again=False)
        if told.get("content-encoding", "").lower() not in {"", "identity"}:
            raise self._failed("the answer is encoded, which was not asked for", again=False)
        if status == 200:
            length = told.get("content-length", "")
            self.total = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
            self.received, self.etag, self.modified = 0, told.get("etag", ""), told.get("last-modified", "")
            given = self.modified if self.etag.startswith("W/") else self.etag or self.modified
            self.validator = given if given.isascii() else ""  # a weak tag proves nothing (RFC 9110, section 13.1.5)

    def _continues(self, told: dict[str, str]) -> bool:
        span = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", told.get("content-range", ""))
        if span is None or self.received == 0:
            return False
        first, last, total = map(int, span.groups())
        if self.total is None and self.validator:
            self.total = total
        same = told.get("etag", self.etag) == self.etag and told.get("last-modified", self.modified) == self.modified
        return same and first == self.received and last < total == self.total

    def _failed(self, problem: str, status: int | None = None, *, again: bool = True) -> DownloadFailed:
        what = f"{self.redact(_bare(self.file.url))} could not be downloaded: {self.redact(problem)}."
        error = DownloadFailed(what, status=status, generation_id=self.generation_id)
        error.retryable = again
        return error

    def _ask(self, step: Step) -> Generator[Step, tuple[float, Any], Any]:
        self.now, outcome = yield step
        return outcome


def _bare(url: str) -> str:
    """Give a URL without its query, which may be a signature, and without user name and password."""
    return visible(re.sub(r"//[^/]*@", "//", re.split("[?#]", url, maxsplit=1)[0]))


def _is_local(url: str) -> bool:
    """Whether a URL goes to this machine, the only one that plain http is trusted for."""
    return is_trusted(f"http:{url.partition(':')[2]}")


def safe_name(given: str, kind: str) -> str:
    """Give a name that any system takes and that leads nowhere: the last part, without what is special anywhere.

    A name without the suffix of a media file gets that of its content type, so that nothing can be run by accident.
    """
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    last = normalize("NFC", last[:LONGEST] + last[LONGEST:][-LONGEST:])  # what is longer is cut anyhow
    last = "".join("_" if character in '<>:"|?*' else character for character in last if category(character)[0] != "C")
    name = " ".join(last.split()).rstrip(" .").lstrip(" .-")
    stem, dot, suffix = name.rpartition(".")
    if not dot or f".{suffix}".lower() not in KNOWN:
        stem, suffix = name, SUFFIXES.get(kind, ".mp4" if kind.startswith("video/") else ".bin")[1:]
    stem = stem.encode()[:LONGEST].decode(errors="ignore").rstrip(" .") or "video"
    if re.fullmatch(RESERVED, stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return f"{stem}.{suffix}"


def place(part: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the next free one; what exists is never replaced."""
    stem, dot, suffix = name.rpartition(".")
    for number in count():
        path = directory / (f"{stem}-{number}{dot}{suffix}" if number else name)
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
