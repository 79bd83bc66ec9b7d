"""One pace for all calls of a client: an answer 429 slows them down together, and what is served speeds them up."""

from __future__ import annotations

from math import inf
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .retry import RetryPolicy

LONGEST_PAUSE = 60.0  # seconds for which one `Retry-After` holds up the other calls: our choice
FIRST_SHARE = 8  # the first gap is this part of the first wait before another try: our choice
TICK = 0.001  # seconds: what is less is no wait


class Pace:
    """The gap between two requests of one kind: doubled by a 429, halved by what is served. Threads may share it.

    Requests that were on their way together and are refused together count once.
    """

    def __init__(self, retry: RetryPolicy) -> None:
        self._first, self._longest = retry.initial / FIRST_SHARE, retry.maximum / 2
        self._lock = Lock()
        self._gap = 0.0
        self._next = self._slowed = -inf

    def wait(self, now: float) -> float:
        """Give the seconds until it is a request's turn, which is taken where there are none to wait."""
        with self._lock:
            wait = self._next - now
            if wait > TICK:
                return wait
            self._next = max(self._next, now + self._gap)
            return 0.0

    def slow(self, asked_at: float, now: float, retry_after: float | None) -> None:
        """Take note of a 429 to what was asked at a moment."""
        with self._lock:
            if asked_at >= self._slowed:
                self._gap = min(max(2 * self._gap, self._first), self._longest)
                self._slowed = now
            self._next = max(self._next, now + self._gap, now + min(retry_after or 0.0, LONGEST_PAUSE))

    def quicken(self) -> None:
        """Take note of a request that was served."""
        with self._lock:
            self._gap /= 2
            if self._gap < self._first:
                self._gap = 0.0


class Paces:
    """Those of a client, which begins at full speed: what limits posts need not limit looks at generations."""

    def __init__(self, retry: RetryPolicy) -> None:
        self.posts, self.looks = Pace(retry), Pace(retry)
