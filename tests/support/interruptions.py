"""An IO that raises at one step of a call, before that is done or after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skills_video_runtime.testing import IOProxy

if TYPE_CHECKING:
    from collections.abc import Callable

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
