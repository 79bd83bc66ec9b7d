"""Many generations by one client: as many at once as a limit allows, and each result as it ends."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from threading import Semaphore, Timer
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .generations.outcomes import ClientClosed, Submittable, check_seconds
from .generations.progress import hooks_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
    from concurrent.futures import Executor

    from anyio import CancelScope

    from .downloads.fetch import Fetch
    from .generations.call import Call
    from .generations.progress import OnEvent
    from .generations.records import Ending
    from .generations.states import Generation
    from .http.session import Session
logger = logging.getLogger("skills_video")
PayloadT = TypeVar("PayloadT")
GRACE = 5.0  # seconds for which what is posted may still get its id, where a caller leaves: our choice
MOST = 99  # under way at once: a running list of 100, the most that the platform shows, proves nothing


@dataclass(frozen=True, slots=True)
class Result(Generic[PayloadT]):
    """What became of one payload of many: its `generation` if that is COMPLETED, else the `error` it ended in."""

    index: int
    """Its place among the payloads, from 0."""
    payload: PayloadT
    generation: Generation | None
    error: Exception | None

    def unwrap(self) -> Generation:
        """Give the generation, or raise the error."""
        if self.generation is None:
            raise self.error or LookupError("neither a generation nor an error")
        return self.generation


class Many(Generic[PayloadT]):
    """Payloads under way. One is taken from the caller only when there is room for it."""

    def __init__(
        self,
        session: Session,
        payloads: Iterable[PayloadT],
        limit: int,
        timeout: float | None,
        on_event: OnEvent | None = None,
    ) -> None:
        if type(limit) is not int or not 1 <= limit <= MOST:
            raise ValueError(f"limit is from 1 to {MOST}, not {limit!r}")
        if timeout is not None:
            check_seconds("timeout", timeout)
        hooks_of(on_event=on_event, asynchronous=session.asynchronous)
        self.session, self.limit, self.timeout, self.on_event = session, limit, timeout, on_event
        try:
            self.waiting = enumerate(payloads)
        except TypeError as error:
            raise TypeError(f"payloads is no iterable of payloads: {payloads!r:.80}") from error
        self.calls: set[Call | Fetch] = set()
        self.scopes: set[CancelScope] = set()
        self.is_left = False
        self.pause: float | None = None
        """Seconds until it is worth asking for more, though nothing has ended; None where that would be in vain."""
        self.problem: Exception | None = None

    def take(self, room: int) -> Iterator[tuple[int, PayloadT]]:
        """Take as many payloads as there is room for. What the caller's iterable raises waits for the others to end."""
        if self.problem is not None:
            return
        try:
            yield from islice(self.waiting, room)
        except Exception as problem:  # noqa: BLE001  # raised by `end`
            self.problem = problem

    def end(self) -> None:
        """Raise what the caller's iterable raised."""
        if self.problem is not None:
            raise self.problem

    async def make(self, index: int, payload: PayloadT) -> Made[PayloadT]:
        """Make one, and give its result whatever comes of it."""
        call, generation, problem = None, None, None
        ended: dict[str, Ending] = {}
        try:
            async with self.session.call(self.timeout, on_event=self.on_event, index=index, about=payload) as call:
                try:
                    async with self.posting(call):
                        generation = await call.last(call.generate(cast("Submittable", payload)))
                finally:
                    ended, call.ended = call.ended, {}  # recorded once the caller has the result
        except Exception as error:  # noqa: BLE001  # which is a result as well
            generation, problem = None, error
        return Made(Result(index, payload, generation, problem), call, ended)

    async def record(self, made: Made[PayloadT]) -> None:
        """Tell the journal that the caller has a result."""
        if made.call is not None:
            made.call.ended = made.ended
            await made.call.record_ended()

    @asynccontextmanager
    async def entered(self, call: Call | Fetch) -> AsyncGenerator[None]:
        """Have a call left together with the others."""
        self.calls.add(call)
        if self.is_left:
            call.leave()
        try:
            yield
        finally:
            self.calls.discard(call)

    @asynccontextmanager
    async def posting(self, call: Call) -> AsyncGenerator[None]:
        """As `entered`; where its task is cancelled, it goes on until what it has posted has its id."""
        if not self.session.asynchronous:
            async with self.entered(call):
                yield
            return
        from anyio import CancelScope  # noqa: PLC0415  # on first use

        with CancelScope(shield=True) as scope:
            call.give_up = scope.cancel
            self.scopes.add(scope)
            try:
                async with self.entered(call):
                    yield
            finally:
                self.scopes.discard(scope)

    def leave(self) -> None:
        """Begin nothing more, and give up all but what was posted and has no id yet."""
        self.is_left = True
        for call in list(self.calls):
            call.leave()

    def give_up(self) -> None:
        """Give up the rest as well."""
        for call in list(self.calls):
            call.give_up()

    def _end_threads(self, pool: Executor) -> None:
        """Leave; who is interrupted once more while ids are awaited gives up the rest."""
        last = Timer(GRACE, self.give_up)
        try:
            self.leave()
            last.start()
            pool.shutdown()
        finally:
            last.cancel()
            self.give_up()

    def in_threads(self, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Generator[Result[PayloadT], None, None]:
        """Give each result as it ends. Whoever leaves early gives up what is under way; its errors are notes.

        What was posted gets its id first, for which it has a few seconds.
        """
        from .threads import Threads  # noqa: PLC0415  # on first use

        ready = SimpleQueue[Made[PayloadT]]()
        arrived = Semaphore(0)  # as a signal may make a time-out of SimpleQueue endless
        under_way = 0

        def work(index: int, payload: PayloadT) -> None:
            try:
                ready.put(run(self.make(index, payload)))
            except BaseException as error:  # noqa: BLE001  # raised to the caller
                ready.put(Made(Result(index, payload, None, cast("Exception", error)), raised=error))
            finally:
                arrived.release()

        with Threads(self.limit) as pool:
            try:
                while True:
                    for numbered in self.take(self.limit - under_way):
                        pool.submit(work, *numbered)
                        under_way += 1
                    if not under_way and self.pause is None:
                        break
                    if not arrived.acquire(timeout=self.pause):
                        continue
                    made = ready.get()
                    under_way -= 1
                    if made.raised is not None:
                        raise made.raised  # noqa: TRY301  # as what is raised here
                    try:
                        yield made.result
                    finally:
                        run(self.record(made))
            except BaseException as error:
                try:
                    self._end_threads(pool)
                finally:
                    self._tell(error, [ready.get() for _ in range(ready.qsize())])
                raise
        self.end()

    async def in_tasks(self) -> AsyncGenerator[Result[PayloadT], None]:
        """As `in_threads`, with tasks, which are cancelled where it is left early."""
        from anyio import Semaphore, current_time  # noqa: PLC0415  # on first use

        from .tasks import Tasks  # noqa: PLC0415  # as above

        ready, arrived, tasks = deque[Made[PayloadT]](), Semaphore(0), Tasks()
        under_way = 0

        async def work(index: int, payload: PayloadT) -> None:
            try:
                ready.append(await self.make(index, payload))
            except BaseException as error:  # of a hook, such as SystemExit, or by the end of the event loop
                tasks.fail(error)
                ready.append(Made(Result(index, payload, None, cast("Exception", error))))
                raise
            finally:
                arrived.release()

        def leave() -> None:
            """As `_end_threads`."""
            if under_way:
                self.leave()
            for scope in self.scopes:
                scope.deadline = current_time() + GRACE

        try:
            await tasks.begin(leave, arrived.release)
            while True:
                for numbered in self.take(self.limit - under_way):
                    tasks.start(work, *numbered)
                    under_way += 1
                if not under_way:
                    break
                await arrived.acquire()
                tasks.check()
                made = ready.popleft()
                under_way -= 1
                try:
                    yield made.result
                finally:
                    await self.record(made)
        except BaseException as error:
            try:
                await tasks.end()
            finally:
                self._tell(error, ready)
            raise
        await tasks.end()
        self.end()

    def _tell(self, error: BaseException, untold: Iterable[Made[PayloadT]]) -> None:
        """Tell whoever leaves what goes on, or was not given: by notes, and in the log, as not every error is seen."""
        for outlook in filter(None, (made.outlook() for made in untold if made.result.error is not error)):
            error.add_note(outlook)
            logger.warning("%s", outlook)


@dataclass(frozen=True, slots=True)
class Made(Generic[PayloadT]):
    """A result that the caller may not have been given yet."""

    result: Result[PayloadT]
    call: Call | None = None
    ended: dict[str, Ending] = field(default_factory=dict[str, "Ending"])
    raised: BaseException | None = None
    """What ends all, as a hook may."""

    def outlook(self) -> str:
        """Say what is known of it, for who leaves without it; nothing where nothing was sent."""
        error, name = self.result.error, getattr(self.result.error, "generation_id", None)
        submission = getattr(self.call, "submission", None)
        if self.result.generation is not None:
            return f"Generation {self.result.generation.id} is over: client.get(id) gives it."
        if name is None and submission is not None and submission.generation is not None:
            name = submission.generation.id
        if name:
            return f"Generation {name} may go on: client.wait({name!r}) takes it up."
        if error is not None and not isinstance(error, ClientClosed):
            return "\n".join([str(error), *getattr(error, "__notes__", ())]).strip()
        if submission is not None and submission.is_doubtful:
            return f"Of payload {self.result.index} it is not known whether a generation was made."
        return ""
