"""The sandbox's clock: real time multiplied by a speed, moved ahead by hand where a test wants no waiting at all."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Sandbox seconds since the start.

    Args:
        speed: Sandbox seconds in one real second, 0 or more. At 0 the clock stands still but for `advance`.

    Raises:
        ValueError: `speed` is negative, infinite or not a number.
    """

    def __init__(self, speed: float) -> None:
        if not 0 <= speed < math.inf:
            raise ValueError(f"speed must be 0 or more and finite, not {speed}")
        self.speed = speed
        self._start = time.monotonic()
        self._ahead = 0.0
        self._lock = threading.Lock()
        self._waiting: set[asyncio.Future[None]] = set()

    def now(self) -> float:
        """Sandbox seconds since the start. Safe in any thread."""
        return self._ahead + (time.monotonic() - self._start) * self.speed

    def advance(self, seconds: float) -> None:
        """Move the clock ahead by sandbox seconds, at once. Safe in any thread.

        Raises:
            ValueError: The number is negative or not finite, or the clock would be.
        """
        with self._lock:
            if not 0 <= seconds <= self._ahead + seconds < math.inf:
                raise ValueError(f"the clock only goes forward, to a finite number of seconds, not by {seconds}")
            self._ahead += seconds
        self.wake()

    def wake(self) -> None:
        """Have all that wait ask again for how long. Safe in any thread."""
        with self._lock:
            waiting = tuple(self._waiting)
        for woken in waiting:
            woken.get_loop().call_soon_threadsafe(_wake, woken)

    async def until(self, moment: Callable[[], float], gone: asyncio.Future[Any]) -> None:
        """Wait until the clock shows the moment that is given, which may change, or until `gone` is done."""
        while not gone.done():
            woken = asyncio.get_running_loop().create_future()
            with self._lock:
                self._waiting.add(woken)
            try:
                rest = moment() - self.now()
                if rest <= 0:
                    return
                real = rest / self.speed if self.speed else None
                await asyncio.wait({woken, gone}, timeout=real, return_when=asyncio.FIRST_COMPLETED)
            finally:
                with self._lock:
                    self._waiting.discard(woken)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
