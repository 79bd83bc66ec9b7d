"""Finished files, as far as their bytes. `save.py` gives them a name."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from math import inf
from random import random
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from urllib.parse import urljoin

from skills_video_runtime.errors import DownloadFailed, visible
from skills_video_runtime.generations.outcomes import TRANSIENT, Ended, Lost
from skills_video_runtime.http.addresses import is_trusted
from skills_video_runtime.http.events import seconds_of
from skills_video_runtime.http.key import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from skills_video_runtime.generations.media import MediaFile
    from skills_video_runtime.generations.outcomes import Opened
    from skills_video_runtime.generations.retry import RetryPolicy
    from skills_video_runtime.http.exchange import Exchange
    from skills_video_runtime.http.session import Session

    from .partial import Begun

NO_KEY = Key("")
REDIRECTS = 5
SILENCE = 30.0  # seconds without a byte before a transfer counts as broken: our choice
MEDIA_FAMILIES = frozenset({"video", "image", "audio"})
UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/mp4", "application/ogg"})


@dataclass(eq=False, kw_only=True)
class Fetch:
    """One file on its way.

    It counts as whole if it is as long as the answer said, and of no type that a page or an error has. After a break it
    goes on where it was, if the answer proves to be the same file.
    """

    file: MediaFile
    io: Exchange
    """Its exchange, or what a test has put in its place."""
    retry: RetryPolicy
    deadline: float = inf
    """The moment at which it is given up, be it on its way."""
    idle: float = inf
    """Seconds without a byte after which it is given up."""
    key: Key = NO_KEY
    """What is neither told nor sent."""
    most: float = inf
    """Bytes that the file may have."""
    is_local: bool = False
    """Whether the platform is on this machine, as the sandbox is, and so may name addresses on it."""
    on_progress: Callable[[MediaFile, int, int | None], object] | None = None
    generation_id: str | None = None
    exchange: Any = field(default_factory=nullcontext[None])
    """What is let go of at the end, and can be given up from another thread."""
    received: int = 0
    total: int | None = None
    retry_after: float | None = None
    kind: str = "video/mp4"
    """The content type, as it is likely until an answer tells."""
    disposition: str = ""
    """What the answer calls the file, as it says it."""
    etag: str = ""
    modified: str = ""
    validator: str = ""

    @classmethod
    def of(cls, session: Session, file: MediaFile, *, timeout: float | None, most: int, **more: Any) -> Self:
        """Make ready to fetch a file by the client that a session is of; its time counts from now."""
        exchange, io = session.exchange()
        deadline, settings = inf, session.settings
        if timeout is not None:
            deadline = io.now() + timeout
        return cls(
            file=file,
            io=io,
            retry=settings.retry,
            deadline=deadline,
            idle=settings.timeout,
            key=session.key,
            most=most,
            is_local=_is_local(session.base_url),
            exchange=exchange,
            **more,
        )

    @property
    def address(self) -> str:
        """The address without what may change from one look to the next, such as a signature."""
        return self.key.redact(_bare(self.file.url))

    def take_up(self, received: int, begun: Begun | None) -> None:
        """Go on from the bytes of an earlier process."""
        if begun is not None and received < self.most:
            self.received = received
            self.etag = self.validator = begun.etag
            self.modified, self.total = begun.modified, begun.total

    def give_up(self) -> None:
        """End it, from another thread."""
        self.exchange.abort()

    leave = give_up

    async def into(self, handle: BinaryIO) -> None:
        """Write the file. It goes on as long as more comes than ever before, or tries are left.

        DownloadFailed tells that it cannot be fetched whole, and OSError that it cannot be written.
        """
        failures, most, since = 0, self.received, self.io.now()
        while True:
            try:
                return await self._transfer(handle)
            except DownloadFailed as error:
                failures += 1
                if self.received > most:
                    most, failures, since = self.received, 1, self.io.now()
                delay = self.retry.delay(failures, self.retry_after, random)
                hopeless = not error.retryable or failures >= self.retry.attempts
                if hopeless or self.io.now() + delay >= min(self.deadline, since + self.idle):
                    raise
            await self.io.sleep(delay)

    async def _transfer(self, handle: BinaryIO) -> None:
        self._check(await self._open())
        if not self._is_wanted():
            return
        with self.named():
            handle.truncate(handle.seek(self.received))
            if not self.received:
                self._note_begin()
        while True:
            data = await self.io.next_piece(self._patience())
            if isinstance(data, Ended):
                break
            size = self.received + len(data)
            if self.total is not None and size > self.total:
                self.received = 0  # of which nothing is to be believed
                raise self._failed(f"more came than the {self.total} bytes that were told", again=False)
            self._check_size(size)
            self.received = size
            with self.named():
                await self.io.on_disk(partial(handle.write, data))
            if self.on_progress is not None:
                self.on_progress(self.file, self.received, self.total)
            if self.io.now() >= self.deadline:
                raise self._failed("time ran out")
        if data.broken:
            raise self._failed(data.reason) from data.cause
        if self.received == 0 or (self.total is not None and self.received != self.total):
            raise self._failed(f"it ended after {self.received} of {self.total} bytes")

    async def _open(self) -> Opened:
        """Ask for the file, over redirects of which each must be as trusted as its own address."""
        headers: dict[str, str] = {}
        self.retry_after = None
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
            if self.validator:
                headers["If-Range"] = self.validator
        url, local = self.file.url, self.is_local
        for _ in range(REDIRECTS + 1):
            if self.key.holds(url):
                raise self._failed("its address holds the API key", again=False)
            if not is_trusted(url):
                raise self._failed(f"{_bare(url)} is neither https nor this machine, or names a user", again=False)
            if _is_local(url) and not local:
                raise self._failed("it leads from another machine to this one", again=False)
            local = _is_local(url)
            head = await self.io.open_file(url, headers, self._patience())
            if isinstance(head, Lost):
                raise self._failed(head.problem, again=head.is_transient) from head.cause
            if head.status not in {301, 302, 303, 307, 308}:
                return head
            try:
                url = urljoin(url, head.headers["location"])
            except (KeyError, ValueError) as error:
                raise self._failed("a redirect has no address", again=False) from error
        raise self._failed(f"more than {REDIRECTS} redirects", again=False)

    def _check(self, head: Opened) -> None:
        """See that an answer is the file, or the rest of the very file that was begun."""
        status, told = head.status, head.headers
        if status not in {200, 206, 416}:
            self.retry_after = seconds_of(told.get("retry-after", ""), told.get("date", ""))
            raise self._failed(f"the answer was {status}", status, again=status >= 500 or status in TRANSIENT)
        if status != 200 and not self._continues(told):
            self.received = 0
            raise self._failed("the rest of the file does not belong to its beginning")
        self.kind, announced = _bare_type(told.get("content-type")), _bare_type(self.file.content_type)
        self.disposition = told.get("content-disposition", "")
        major, wanted = self.kind.partition("/")[0], announced.partition("/")[0]
        if self.kind not in UNTOLD and major not in MEDIA_FAMILIES:
            raise self._failed(f"the answer is {visible(self.kind)}, which is no media", again=False)
        if {major, wanted} <= MEDIA_FAMILIES and major != wanted:
            raise self._failed(f"the answer is {self.kind}, where {wanted} was announced", again=False)
        if self.kind in UNTOLD and wanted in MEDIA_FAMILIES:
            self.kind = announced
        if told.get("content-encoding", "").lower() not in {"", "identity"}:
            raise self._failed("the answer is encoded, which was not asked for", again=False)
        if status == 200:
            self._begin(told)

    def _begin(self, told: dict[str, str]) -> None:
        """Take note of what tells the file from others, as it begins."""
        length = told.get("content-length", "")
        self.received, self.total = 0, None
        if re.fullmatch("[0-9]{1,18}", length):
            self.total = int(length)
            self._check_size(self.total)
        self.etag, self.modified = told.get("etag", ""), told.get("last-modified", "")
        self.validator = self.etag or self.modified
        if self.etag.startswith("W/"):
            self.validator = self.modified  # a weak tag proves nothing (RFC 9110, section 13.1.5)
        if not self.validator.isascii():
            self.validator = ""

    def _continues(self, told: dict[str, str]) -> bool:
        span = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", told.get("content-range", ""))
        if span is None or self.received == 0:
            return False
        first, last, total = map(int, span.groups())
        if self.total is None and self.validator:
            self.total = total
        return self._is_same(told) and first == self.received and first <= last < total == self.total

    def _is_same(self, told: dict[str, str]) -> bool:
        """Whether the tag and the time are those of the first answer; beside a tag a rest may leave out the time."""
        tag, time = told.get("etag", ""), told.get("last-modified", "")
        if self.etag and not time:
            time = self.modified
        return (tag, time) == (self.etag, self.modified)

    def _patience(self) -> float:
        return max(min(SILENCE, self.deadline - self.io.now()), 0.001)

    def _is_wanted(self) -> bool:
        """Whether the file that an answer turned out to be is to be fetched."""
        return True

    def _note_begin(self) -> None:
        """Take note that the first byte is to come."""

    @contextmanager
    def named(self) -> Generator[None]:
        """Have an error of the disk name the file, where it has a name."""
        yield

    def _check_size(self, size: int) -> None:
        if size > self.most:
            self.received = 0
            raise self._failed(f"it has more bytes than the {self.most} of max_bytes", again=False)

    def _failed(self, problem: str, status: int | None = None, *, again: bool = True) -> DownloadFailed:
        what = f"{self.address} could not be downloaded: {self.key.redact(problem).rstrip('.')}."
        error = DownloadFailed(what, status=status, generation_id=self.generation_id)
        error.retryable = again
        return error


def _bare_type(told: str | None) -> str:
    """Give a content type without its parameters."""
    return (told or "").partition(";")[0].strip().lower()


def _bare(url: str) -> str:
    """Give a URL without its query, which may be a signature, and without user name and password."""
    return visible(re.sub(r"//[^/]*@", "//", re.split("[?#]", url, maxsplit=1)[0]))


def _is_local(url: str) -> bool:
    """Whether a URL goes to this machine, the only one that plain http is trusted for."""
    return is_trusted(f"http:{url.partition(':')[2]}")
