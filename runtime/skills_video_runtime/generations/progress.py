"""What a call tells its hooks: `on_state` and `on_event` of the caller, the command line, a tracer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from .states import Generation

    OnEvent: TypeAlias = Callable[["Event"], object]
    OnState: TypeAlias = Callable[[Generation], object]
    Report: TypeAlias = "Event | Retry | Fallback"
    Hook: TypeAlias = Callable[[Report], object]


@dataclass(frozen=True, slots=True)
class Event:
    """What the platform told of a generation, also where that is no new state."""

    generation: Generation
    source: Literal["stream", "poll"]
    """Whether it came on a stream, or as an answer."""
    is_new: bool
    """Whether this state was not told before by the same call."""
    index: int | None = None
    """The place of its payload among those of `generate_many`, from 0; None elsewhere."""

    @property
    def status(self) -> str:
        """The status of the generation."""
        return self.generation.status

    @property
    def queue_place(self) -> int | None:
        """Its place in the queue, if that is told."""
        return self.generation.queue_place


class Retry(NamedTuple):
    """A request is made again, after a wait; a stream that ended was taken up again."""

    request: Literal["create", "poll", "running", "stream", "cancel"]
    waited: float
    """Seconds."""
    reason: str


class Fallback(NamedTuple):
    """The stream is given up: the payload goes to the create endpoint, or the generation is polled."""

    to: Literal["create", "poll"]
    reason: str


def hooks_of(
    on_state: OnState | None = None, on_event: OnEvent | None = None, index: int | None = None, *, asynchronous: bool
) -> list[Hook]:
    """Give what calls the functions of a caller, or raise TypeError where one cannot be called, or awaited."""
    hooks: list[Hook] = []
    for name, function, kind in (("on_state", on_state, _tell_state), ("on_event", on_event, _tell_event)):
        if function is None:
            continue
        if not asynchronous:
            refuse_async(name, function)
            function = partial(called, function)  # noqa: PLW2901  # the same
        elif not callable(function):
            raise TypeError(f"{name} is a function, not {function!r:.80}")
        hooks.append(partial(kind, function, index))
    return hooks


def refuse_async(name: str, hook: object) -> None:
    """Refuse, by TypeError, what would have to be awaited where it is only called, or is no function at all."""
    if hook is None:
        return
    if not callable(hook) or is_async(hook):
        raise TypeError(f"{name} is called here, and not awaited: it must be a plain function, not {hook!r:.80}")


def is_async(function: object) -> bool:
    """Whether what a function gives is to be awaited."""
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def called(function: Any, *told: object) -> None:
    """Call what must not have to be awaited."""
    result = function(*told)
    if iscoroutine(result):
        result.close()
        raise RuntimeError("a synchronous client cannot await: is an asynchronous function passed to it?")


def _tell_state(on_state: Any, _: int | None, told: Report) -> object:
    if isinstance(told, Event) and told.is_new:
        return on_state(told.generation)
    return None


def _tell_event(on_event: Any, index: int | None, told: Report) -> object:
    if isinstance(told, Event):
        return on_event(Event(told.generation, told.source, told.is_new, index))
    return None
