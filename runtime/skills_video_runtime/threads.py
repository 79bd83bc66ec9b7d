"""Threads, of which none is forgotten."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """A pool that ends when all work has. Its base forgets a thread whose start Ctrl-C has interrupted."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._at_work, self._changed = 0, Condition()

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `Executor`."""
        return super().submit(self._counted, work, *args, **kwargs)

    def _counted(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._changed:
            self._at_work += 1
        try:
            return work(*args, **kwargs)
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as its base
        """See `Executor`."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        with self._changed:
            while wait and self._at_work:
                self._changed.wait()
