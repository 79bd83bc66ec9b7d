"""For tests of programs that use a client: time that flies, and faults at any step of a call.

A call reaches the world through an `IO` alone (see `skills_video_runtime.generations.outcomes`). `replace_io` puts
another in its place; one that only differs here and there derives from `IOProxy`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .client import session_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client import AsyncClient, Client


class IOProxy:
    """An IO that hands on to another all that a subclass does not do itself."""

    def __init__(self, io: Any) -> None:
        self.io = io

    def __getattr__(self, name: str) -> Any:
        """Give what the other has."""
        return getattr(self.io, name)


class FastTime:
    """A clock that waiting moves on at once."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """Seconds by which the clock is before that of the system."""
        self.slept: list[float] = []
        """What was waited for, in seconds."""


class _FastIO(IOProxy):
    def __init__(self, io: Any, time: FastTime) -> None:
        super().__init__(io)
        self.time = time

    def now(self) -> float:
        now: float = self.io.now()
        return now + self.time.ahead

    async def sleep(self, seconds: float) -> None:
        self.time.slept.append(seconds)
        self.time.ahead += seconds


def replace_io(client: Client | AsyncClient, make: Callable[[Any], Any]) -> None:
    """Give each later call of a client the IO that is made of the one it would have."""
    session_of(client).wrappers.append(make)


def fast_time(client: Client | AsyncClient) -> FastTime:
    """Let the waits of a client take no time. Connections and answers take as long as they do."""
    time = FastTime()
    replace_io(client, partial(_FastIO, time=time))
    return time


def forget_generations(client: Client | AsyncClient) -> None:
    """Let this process forget the ids that it knows of the client's platform: for a server that tells one id twice.

    Otherwise a call that is told the id of another one's generation raises SubmissionUncertain.
    """
    session_of(client).claims.forget()


def is_idle(client: Client | AsyncClient) -> bool:
    """Tell whether no call of a client is under way, nor believed to be."""
    session = session_of(client)
    return not (session.claims.has_open() or session.connections.is_busy())
