"""Tasks that belong to none of the caller's."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, Event, create_task_group, get_cancelled_exc_class, sleep_forever

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Tasks:
    """A group of tasks that lasts from one `yield` of a generator to the next, as a task group of anyio must not.

    Who abandons a generator has another task end it, which would break such a group, and the whole program with it.
    """

    def __init__(self) -> None:
        self._group, self._begun, self._over = create_task_group(), Event(), Event()
        self._host: object = None
        self._problem: BaseException | None = None

    async def begin(self, leave: Callable[[], None], over: Callable[[], None]) -> None:
        """Be ready to start tasks. One function is called as they are about to be cancelled, the other once all ended.

        They are cancelled by `end`, by the end of the event loop, and by what one of them raises.
        """

        def end(_: object = None) -> None:
            self._begun.set()
            self._over.set()
            over()

        async def host() -> None:
            with suppress(BaseException):  # see `fail`
                async with self._group:
                    self._begun.set()
                    try:
                        await sleep_forever()
                    finally:
                        leave()
            end()

        self._host = _begun(host, end)
        await self._begun.wait()
        self.check()

    def start(self, work: Callable[..., Coroutine[Any, Any, Any]], *given: object) -> None:
        """Start a task."""
        self.check()
        self._group.start_soon(_undisturbed(work), *given)

    def fail(self, error: BaseException) -> None:
        """Take note of what a task is about to raise, and what ends the others so."""
        if self._problem is None and not isinstance(error, get_cancelled_exc_class()):
            self._problem = error

    def check(self) -> None:
        """Raise what a task has raised, or RuntimeError where the event loop has ended all of them."""
        if self._problem is not None:
            raise self._problem
        if self._over.is_set():
            raise RuntimeError("the event loop is about to end")

    async def end(self) -> None:
        """Cancel the tasks, and wait for their end, however often the caller is cancelled."""
        cancelled: BaseException | None = None
        self._group.cancel_scope.cancel()
        with CancelScope(shield=True):
            while not self._over.is_set():
                try:
                    await self._over.wait()
                except asyncio.CancelledError as error:  # which no scope of anyio keeps away
                    cancelled = error
        if cancelled is not None:
            raise cancelled


def _is_asyncio() -> bool:
    return issubclass(get_cancelled_exc_class(), asyncio.CancelledError)


def _undisturbed(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Have Ctrl-C end the caller, and not a task that has just posted, as trio would by chance."""
    if _is_asyncio():
        return work
    from trio.lowlevel import enable_ki_protection  # noqa: PLC0415  # for who has it

    return enable_ki_protection(work)


def _begun(host: Callable[[], Any], over: Callable[[object], None]) -> object:
    """Begin a task of the event loop's own, and give what keeps it alive.

    Where asyncio cancels it before its first step, the other function is called.
    """
    if _is_asyncio():
        task = asyncio.create_task(host())
        task.add_done_callback(over)
        return task
    from trio.lowlevel import spawn_system_task  # noqa: PLC0415  # as above

    return spawn_system_task(host, context=copy_context())
