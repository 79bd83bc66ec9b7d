"""When to try again, and how long to wait before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request is repeated. The platform publishes no policy: these are our choice.

    `attempts` is the number of tries in all, at least 1. The wait before the second is `initial` seconds, doubles each
    time up to `maximum` seconds, and varies at random by the share `jitter` (0 to 1) to both sides, so that many
    clients do not come back together. A `Retry-After` of the platform replaces the wait. A post that is answered 429
    is repeated until the time of the call is over, unless `attempts` is 1 or there are no waits.

    Raises:
        ValueError: a number outside its range.
    """

    attempts: int = 6
    initial: float = 1.0
    maximum: float = 16.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if (
            type(self.attempts) is not int
            or self.attempts < 1
            or not 0 <= self.initial <= self.maximum
            or not 0 <= self.jitter <= 1
        ):
            raise ValueError(f"attempts >= 1, 0 <= initial <= maximum and 0 <= jitter <= 1 are required: {self}")

    def delay(self, failures: int, retry_after: float | None, random: Callable[[], float]) -> float:
        """Give the seconds to wait after so many failures in a row (from 1); `random` gives numbers from 0 to 1."""
        wait = min(self.maximum, self.initial * 2.0 ** min(failures - 1, 60))
        wait *= 1 + self.jitter * (2 * random() - 1)
        return wait if retry_after is None else max(retry_after, min(wait, self.initial))
