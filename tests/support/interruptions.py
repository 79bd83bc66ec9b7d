"""An IO that raises at one step of a call, before that is done or after, and a start of a thread that does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from skills_video_runtime.testing import IOProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.support.scripted import Hold

STEPS = ("post", "get", "next_event", "sleep", "on_disk", "open_file", "next_piece")


class ForeignEnd(BaseException):
    """One that is no Exception, as a framework has for its own ends."""


class Fault(IOProxy):
    """Raises at one step of a call, before it is done or after."""

    def __init__(self, io: Any, at: int, make: Callable[[], BaseException], *, after: bool) -> None:
        super().__init__(io)
        self.left, self.make, self.after = at, make, after

    def strike(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.make()

    def now(self) -> float:
        self.strike()
        return float(self.io.now())


def faulty(name: str) -> Any:
    async def step(self: Fault, *given: Any) -> Any:
        if not self.after:
            self.strike()
        outcome = await getattr(self.io, name)(*given)
        if self.after:
            self.strike()
        return outcome

    return step


for each in STEPS:
    setattr(Fault, each, faulty(each))


def innermost(error: BaseException) -> BaseException:
    """Give what a task group has wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def interrupt_as_a_thread_starts(monkeypatch: pytest.MonkeyPatch, work: Hold) -> None:
    """Interrupt the next start of a thread of a pool when it has come so far in its work, which then goes on."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if "Executor" in thread.name:
            monkeypatch.undo()
            work.reached.wait()
            threading.Timer(0.5, work.go.set).start()
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
