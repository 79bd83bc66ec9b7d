"""All that one sandbox knows, as its endpoints see it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from skills_video_runtime.sandbox.faults import Faults, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from skills_video_runtime.sandbox.clock import Clock
    from skills_video_runtime.sandbox.deliveries import Webhooks
    from skills_video_runtime.sandbox.description import Description
    from skills_video_runtime.sandbox.ledger import Ledger
    from skills_video_runtime.sandbox.validation import Judge

BASE: Final = "/api/v1"
"""Path below which the platform's endpoints are."""
_REMEMBERED: Final = 20_000
_REMEMBERED_BYTES: Final = 16 * 2**20
_OVERHEAD: Final = 1000  # bytes of the objects that hold one request, about


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Header fields by lower-case name, the key included."""

    @property
    def size(self) -> int:
        """The bytes that it takes, about."""
        told = sum(len(name) + len(value) for name, value in self.headers.items())
        return _OVERHEAD + len(self.path) + len(self.query) + told


class Record:
    """The latest requests, as many as are kept. Safe in any thread as long as one alone adds."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque()
        self._size = 0

    def add(self, request: RecordedRequest) -> None:
        """Add one, and forget the oldest where they are too many."""
        self._requests.append(request)
        self._size += request.size
        while len(self._requests) > _REMEMBERED or self._size > _REMEMBERED_BYTES:
            self._size -= self._requests.popleft().size

    def latest(self) -> tuple[RecordedRequest, ...]:
        """All that are kept, in the order in which they came."""
        return tuple(self._requests.copy())


def _numbers() -> Iterator[int]:
    return count(1)


class KeyConflictError(Exception):
    """A key came before: with another post, or with one that is not answered yet."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class KnownPosts:
    """What was made by posts that had a key, for as long as the sandbox runs. For its own event loop alone."""

    def __init__(self) -> None:
        self._posts: dict[str, str] = {}
        self._made: dict[str, str] = {}

    def begin(self, key: str, post: str) -> str | None:
        """Give the id that a key has made before, None where this is its first post, which is to end.

        Raises:
            KeyConflictError: The key is that of another post, or one with it is under way.
        """
        if self._posts.setdefault(key, post) != post:
            raise KeyConflictError(422, "The idempotency key came before, with another request")
        if key in self._made and not self._made[key]:
            raise KeyConflictError(409, "A request with this idempotency key is under way")
        return self._made.setdefault(key, "") or None

    def end(self, key: str, made: str) -> None:
        """Take note of what a first post has made."""
        self._made[key] = made

    def forget(self, key: str) -> None:
        """Take note that a first post has made nothing."""
        del self._posts[key], self._made[key]


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The parts of one sandbox."""

    api_key: str
    description: Description
    judge: Judge
    ledger: Ledger
    clock: Clock
    plan: Plan = field(default_factory=Plan)
    armed: Faults = field(default_factory=Faults)
    """Faults of running lists and balances, which belong to no generation."""
    media_host: str | None = None
    """Host name in the URLs of files; None for the one that the client used."""
    seen: Record = field(default_factory=Record)
    is_refusing: bool = False
    """Whether a create request is refused with 429 where as many generations as can be are under way."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What each answer has beside its own headers."""
    webhooks: Webhooks | None = None
    numbers: Iterator[int] = field(default_factory=_numbers)
    """Of answers, for their ids."""
    known: KnownPosts = field(default_factory=KnownPosts)

    def media(self, request: Request) -> str:
        """Origin of the URLs of files, as this client reaches it."""
        url = request.base_url
        if self.media_host:
            url = url.replace(hostname=self.media_host)
        return str(url).rstrip("/")


def service_of(request: Request) -> Service:
    """The sandbox that a request came to."""
    return cast("Service", request.app.state.service)
