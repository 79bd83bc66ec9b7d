"""What drives the machines: one text for both clients, as over a synchronous one nothing that is awaited ever waits."""

from __future__ import annotations

import os
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from .generation import Generation, MediaFile
from .ledger import Ledger
from .lifecycle import Life
from .steps import Emit, Record, Sleep
from .transport import CLOSED, Transport, Wire, note

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from os import PathLike

    from .journal import Journal
    from .steps import Settings, Step, Steps

    Where: TypeAlias = str | PathLike[str]
    OnState: TypeAlias = Callable[[Generation], object]
    OnProgress: TypeAlias = Callable[[MediaFile, int, int | None], object]

T = TypeVar("T")


class Core:
    """What a client and the per-model clients made from it share."""

    def __init__(self, transport: Transport, settings: Settings, journal: Where | None) -> None:
        self.settings = settings
        self.journal = journal
        self.sleep: Callable[[Wire, float], Any] = Wire.sleep
        self.observer: Callable[[Step, Any], object] = note
        self.forked: list[object] = []
        self._begin(transport)

    def _begin(self, transport: Transport) -> None:
        self.transport = transport
        self.journals: dict[Path, Journal] = {}
        self.pid = os.getpid()
        self.ledger = Ledger.of((transport.base_url, transport.key, self.pid))

    def life(self, timeout: float | None = None, journal: Where | None = None, *, records: bool = True) -> Life:
        """Begin a call: its time counts from now. One that records nothing opens no journal."""
        now = self.now()
        if self.transport.closed:
            raise CLOSED.error()
        recorder = self.recorder(journal) if records else None
        return Life(self.settings, self.ledger, now, timeout=timeout, journal=recorder)

    def now(self) -> float:
        """Give the time; a child of a fork gets connections and journals of its own before."""
        if self.pid != os.getpid():
            old = self.transport
            self.forked.append((old, self.journals))  # kept, as what is dropped would be closed
            self._begin(Transport(old.base_url, old.key, old.lent, asynchronous=old.asynchronous))
        return self.transport.clock()

    def recorder(self, journal: Where | None) -> Journal | None:
        """Open a journal, once; None where nothing is to be recorded."""
        chosen = self.journal if journal is None else journal
        if chosen is None:
            return None
        from .journal import Journal  # noqa: PLC0415  # sqlite3 is for those who keep one

        path = Path(chosen).resolve()
        with self.transport.lock:
            if path not in self.journals:
                self.journals[path] = Journal(path)
                for name in self.journals[path].names:
                    self.ledger.claim(name)
            return self.journals[path]

    def saves(
        self, what: Generation | MediaFile, directory: Where, on_progress: OnProgress | None
    ) -> list[Steps[Path]]:
        """Give the machines that fetch the files of a generation."""
        from .download import Save  # noqa: PLC0415  # on first use

        now = self.now()
        files, name = ((what,), None) if isinstance(what, MediaFile) else (what.videos, what.id)
        if not files:
            raise ValueError(f"there is nothing to download: {what}")
        settings, redact, folder = self.settings, self.transport.key.redact, Path(directory)
        until = now + settings.timeout
        return [Save(file, folder, settings.retry, now, until, redact, on_progress, name).run() for file in files]

    async def run(self, machine: Steps[T], on_state: OnState | None = None) -> T:
        """Drive a machine to its end, and give what it returns."""
        return await Run(self, machine).end(on_state)

    async def aclose(self) -> None:
        """End what is under way, and close the connections, if they are our own, and the journals."""
        await self.transport.aclose()
        for journal in self.journals.values():
            journal.close()
        self.journals.clear()

    async def call(self, function: Callable[[], Any]) -> Any:
        """Call what blocks on the disk, beside the event loop if there is one."""
        if not self.transport.asynchronous:
            return function()
        from anyio.to_thread import run_sync  # noqa: PLC0415  # httpx brings it

        return await run_sync(function)


class Run(Generic[T]):
    """One machine on its way."""

    def __init__(self, core: Core, machine: Steps[T]) -> None:
        self.core, self.machine, self.wire = core, machine, Wire(core.transport)
        self.step: Step | None = None
        self.result: list[T] = []

    async def advance(self) -> Generation | None:
        """Drive the machine to the next state that it shows; None where it is over, and `result` is there."""
        core, wire, machine, clock = self.core, self.wire, self.machine, self.core.transport.clock
        outcome: Any = None
        try:
            step = next(machine) if self.step is None else machine.send((clock(), None))
            while not isinstance(step, Emit):
                if isinstance(step, Sleep):
                    outcome = await core.sleep(wire, step.seconds)
                elif isinstance(step, Record):
                    outcome = await core.call(step.call)
                else:
                    outcome = await wire.perform(step)
                core.observer(step, outcome)
                step = machine.send((clock(), outcome))
        except StopIteration as stop:
            self.result.append(stop.value)
            return None
        core.observer(step, None)
        self.step = step
        return step.generation

    async def end(self, on_state: OnState | None = None) -> T:
        """Drive the machine to its end, and give what it returns."""
        try:
            while (state := await self.advance()) is not None:
                if on_state is not None and isawaitable(told := on_state(state)):
                    await told
            return self.result[0]
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Let go of everything, wherever the machine is."""
        try:
            self.machine.close()
            if self.result:
                await self.wire.finish()
        finally:
            self.wire.transport.wires.discard(self.wire)
            await self.wire.aclose()


def still(work: Coroutine[Any, Any, T]) -> T:
    """Run work that never waits for anything but its own synchronous calls."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    work.close()
    raise RuntimeError("a synchronous client cannot await: is an asynchronous function or HTTP client passed to it?")
