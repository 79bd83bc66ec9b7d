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
        self.problem: BaseException | None = None
        """What a task is about to raise; that ends the others."""

    async def begin(self, leave: Callable[[], None]) -> None:
        """Be ready to start tasks. A function is called as they are about to be cancelled.

        They are cancelled by `end`, by the end of the event loop, and by what one of them raises.
        """

        async def host() -> None:
            with suppress(BaseException):  # see `problem`
                async with self._group:
                    self._begun.set()
                    try:
                        await sleep_forever()
                    finally:
                        leave()
            self._over.set()

        self._host = _begun(host)
        await self._begun.wait()

    def start(self, work: Callable[..., Coroutine[Any, Any, Any]], *given: object) -> None:
        """Start a task."""
        self._group.start_soon(work, *given)

    async def end(self) -> None:
        """Cancel the tasks, and wait for their end, however often the caller is cancelled."""
        self._group.cancel_scope.cancel()
        with CancelScope(shield=True):
            await self._over.wait()


def _begun(host: Callable[[], Any]) -> object:
    """Begin a task of the event loop's own, and give what keeps it alive."""
    if issubclass(get_cancelled_exc_class(), asyncio.CancelledError):
        return asyncio.create_task(host())
    from trio.lowlevel import spawn_system_task  # noqa: PLC0415  # for who has it

    return spawn_system_task(host, context=copy_context())
