"""Many generations by one client: as many at once as a limit allows, and each result as it ends."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .generations.outcomes import check_seconds
from .generations.progress import hooks_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator

    from .generations.call import Call
    from .generations.outcomes import Ending
    from .generations.progress import OnEvent
    from .generations.states import Generation
    from .http.session import Session
PayloadT = TypeVar("PayloadT")
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
        hooks_of(on_event=on_event)
        self.session, self.limit, self.timeout, self.on_event = session, limit, timeout, on_event
        try:
            self.waiting = enumerate(payloads)
        except TypeError as error:
            raise TypeError(f"payloads is no iterable of payloads: {payloads!r:.80}") from error
        self.calls: set[Any] = set()
        self.is_left = False
        self.pause: float | None = None
        """Seconds until it is worth asking for more, though nothing has ended; None where that would be in vain."""
        self.problem: Exception | None = None

    def take(self, room: int) -> Iterator[tuple[int, PayloadT]]:
        """Take as many payloads as there is room for. What the caller's iterable raises waits for the others to end."""
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
                    generation = await self._generation(payload, call)
                finally:
                    ended, call.ended = call.ended, {}  # recorded once the caller has the result
        except Exception as error:  # noqa: BLE001  # which is a result as well
            generation, problem = None, error
        return Made(Result(index, payload, generation, problem), call, ended)

    async def _generation(self, payload: Any, call: Call) -> Generation | None:
        generation = None
        self.calls.add(call)
        if self.is_left:
            call.give_up()
        try:
            async with aclosing(call.generate(payload)) as states:
                async for state in states:
                    generation = state
        finally:
            self.calls.discard(call)
        return generation

    def in_threads(self, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Generator[Result[PayloadT], None, None]:
        """Give each result as it ends. Whoever leaves early gives up what is under way; its errors are notes."""
        from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait  # noqa: PLC0415  # on first use

        under_way: set[Future[Made[PayloadT]]] = set()
        never = Future[Made[PayloadT]]()  # as nothing else can be waited for where nothing is under way
        with ThreadPoolExecutor(self.limit) as pool:
            try:
                while True:
                    for numbered in self.take(self.limit - len(under_way)):
                        under_way.add(pool.submit(run, self.make(*numbered)))
                    if not under_way and self.pause is None:
                        break
                    ready, _ = wait({never, *under_way}, self.pause, FIRST_COMPLETED)
                    for future in ready:
                        under_way.discard(future)
                        made = future.result()
                        try:
                            yield made.result
                        finally:
                            run(made.record())
            except BaseException as error:
                self.is_left = True
                for call in list(self.calls):
                    call.give_up()
                for future in under_way:
                    error.add_note(future.result().outlook())
                raise
        self.end()

    async def in_tasks(self) -> AsyncGenerator[Result[PayloadT], None]:
        """As `in_threads`; the tasks of what is under way are cancelled where it is left early."""
        from anyio import create_memory_object_stream, create_task_group  # noqa: PLC0415  # on first use

        sender, receiver = create_memory_object_stream[Made[PayloadT]](self.limit)
        under_way = 0

        async def work(index: int, payload: PayloadT) -> None:
            await sender.send(await self.make(index, payload))

        with sender, receiver:
            async with create_task_group() as group:
                try:
                    while True:
                        for numbered in self.take(self.limit - under_way):
                            group.start_soon(work, *numbered)
                            under_way += 1
                        if not under_way:
                            break
                        made = await receiver.receive()
                        under_way -= 1
                        try:
                            yield made.result
                        finally:
                            await made.record()
                except GeneratorExit:  # which a task group would wrap
                    group.cancel_scope.cancel()
                    return
        self.end()


@dataclass(frozen=True, slots=True)
class Made(Generic[PayloadT]):
    """A result that the caller may not have been given yet."""

    result: Result[PayloadT]
    call: Call | None = None
    ended: dict[str, Ending] = field(default_factory=dict[str, "Ending"])

    def outlook(self) -> str:
        """Say what is known of it, for who leaves without it."""
        if self.result.generation is not None:
            return f"Generation {self.result.generation.id} is over: client.get(id) gives it."
        name = getattr(self.result.error, "generation_id", None)
        if name is not None:
            return f"Generation {name} may go on: client.wait({name!r}) takes it up."
        return str(self.result.error)

    async def record(self) -> None:
        """Tell the journal that the caller has it."""
        if self.call is not None:
            self.call.ended = self.ended
            await self.call.record_ended()
