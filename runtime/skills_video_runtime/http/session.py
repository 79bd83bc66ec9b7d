"""What drives the machines: one text for both clients, as over a synchronous one nothing that is awaited ever waits."""

from __future__ import annotations

import logging
import os
from inspect import isawaitable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from skills_video_runtime.errors import visible
from skills_video_runtime.generations.call import Life
from skills_video_runtime.generations.claims import Ledger
from skills_video_runtime.generations.outcomes import CLOSED, Answer, Emit, Record, Sleep
from skills_video_runtime.generations.states import Generation, MediaFile

from .key import is_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from os import PathLike

    from skills_video_runtime.generations.journal import Journal
    from skills_video_runtime.generations.outcomes import Settings, Step, Steps

    from .exchange import Transport, Wire
    from .key import Key

    Where: TypeAlias = str | PathLike[str]
    OnState: TypeAlias = Callable[[Generation], object]
    OnProgress: TypeAlias = Callable[[MediaFile, int, int | None], object]

T = TypeVar("T")
logger = logging.getLogger("skills_video")
logger.addHandler(logging.NullHandler())


class Core:
    """What a client and the per-model clients made from it share."""

    def __init__(
        self, address: str, key: Key, settings: Settings, journal: Where | None, http: Any, *, asynchronous: bool
    ) -> None:
        self.base_url = address.strip().rstrip("/")
        if not is_trusted(self.base_url) or "?" in self.base_url or "#" in self.base_url:
            raise ValueError("base_url must be https, or http to this machine, without user name and query")
        self.key, self.settings, self.journal, self.http, self.asynchronous = key, settings, journal, http, asynchronous
        self.sleep: Callable[[Wire, float], Any] = lambda wire, seconds: wire.sleep(seconds)
        self.observer: Callable[[Step, Any], object] | None = None
        self.closed = False
        self.forked: list[object] = []
        self._begin()

    def _begin(self) -> None:
        self.pid, self.lock = os.getpid(), Lock()
        self.journals: dict[Path, Journal] = {}
        self.ledger = Ledger.of((self.base_url, self.key, self.pid))
        self._transport: Transport | None = None

    @property
    def transport(self) -> Transport:
        """HTTP, which is imported on first use."""
        if self._transport is None:
            from .exchange import Transport  # noqa: PLC0415  # it takes longer than all the rest

            with self.lock:
                made = Transport(self.base_url, self.key, self.http, asynchronous=self.asynchronous)
                self._transport = self._transport or made
                self._transport.closed = self.closed
        return self._transport

    def life(self, timeout: float | None = None, journal: Where | None = None, *, records: bool = True) -> Life:
        """Begin a call: its time counts from now. One that records nothing opens no journal."""
        if self.closed:
            raise CLOSED.error()
        now = self.now()
        recorder = self.recorder(journal) if records else None
        return Life(self.settings, self.ledger, now, timeout=timeout, journal=recorder)

    def now(self) -> float:
        """Give the time; a child of a fork gets connections and journals of its own before."""
        if self.pid != os.getpid():
            self.forked.append((self._transport, self.journals))  # kept, as what is dropped would be closed
            self._begin()
        return self.transport.clock()

    def recorder(self, journal: Where | None) -> Journal | None:
        """Open a journal, once; None where nothing is to be recorded."""
        chosen = self.journal if journal is None else journal
        if chosen is None:
            return None
        from skills_video_runtime.generations.journal import Journal  # noqa: PLC0415  # sqlite3 is for those who keep one

        path = Path(chosen).resolve()
        with self.lock:
            if path not in self.journals:
                self.journals[path] = Journal(path)
                for name in self.journals[path].names:
                    self.ledger.claim(name)
            return self.journals[path]

    def saves(
        self, what: Generation | MediaFile, directory: Where, on_progress: OnProgress | None
    ) -> list[Steps[Path]]:
        """Give the machines that fetch the files of a generation."""
        from skills_video_runtime.downloads.fetch import Save  # noqa: PLC0415  # on first use

        now = self.now()
        files, name = ((what,), None) if isinstance(what, MediaFile) else (what.videos, what.id)
        if not files:
            raise ValueError(f"there is nothing to download: {what}")
        settings, redact, folder = self.settings, self.key.redact, Path(directory)
        until = now + settings.timeout
        return [Save(file, folder, settings.retry, now, until, redact, on_progress, name).run() for file in files]

    def follow(self, machine: Steps[T]) -> Run[T]:
        """Set a machine on its way."""
        return Run(self, machine)

    async def run(self, machine: Steps[T], on_state: OnState | None = None) -> T:
        """Drive a machine to its end, and give what it returns."""
        return await Run(self, machine).end(on_state)

    def do(self, machine: Steps[T], on_state: OnState | None = None) -> T:
        """As `run`, over a synchronous client."""
        return still(Run(self, machine).end(on_state))

    def close(self) -> None:
        """As `aclose`, over a synchronous client."""
        still(self.aclose())

    async def aclose(self) -> None:
        """End what is under way, and close the connections, if they are our own, and the journals."""
        with self.lock:
            self.closed = True
        if self._transport is not None:
            await self._transport.aclose()
        for journal in self.journals.values():
            journal.close()
        self.journals.clear()

    async def call(self, function: Callable[[], Any]) -> Any:
        """Call what blocks on the disk, beside the event loop if there is one."""
        if not self.asynchronous:
            return function()
        from anyio.to_thread import run_sync  # noqa: PLC0415  # httpx brings it

        return await run_sync(function)


class Run(Generic[T]):
    """One machine on its way."""

    def __init__(self, core: Core, machine: Steps[T]) -> None:
        self.core, self.machine, self.wire = core, machine, core.transport.wire()
        self.observer = core.observer or (note if logger.isEnabledFor(logging.DEBUG) else None)
        self.step: Step | None = None
        self.result: list[T] = []

    async def advance(self) -> Generation | None:
        """Drive the machine to the next state that it shows; None where it is over, and `result` is there."""
        core, wire, machine, clock = self.core, self.wire, self.machine, self.wire.transport.clock
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
                if self.observer is not None:
                    self.observer(step, outcome)
                step = machine.send((clock(), outcome))
        except StopIteration as stop:
            self.result.append(stop.value)
            return None
        if self.observer is not None:
            self.observer(step, None)
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


def note(step: Step, outcome: object) -> None:
    """Log a step on one line, without what was sent or received."""
    if not logger.isEnabledFor(logging.DEBUG):
        return
    told: object = getattr(step, "path", getattr(step, "seconds", ""))
    if isinstance(step, Emit):
        told = visible(f"{step.generation.id} {step.generation.status}")
    shown = outcome.status if isinstance(outcome, Answer) else getattr(outcome, "reason", type(outcome).__name__)
    logger.debug("%s %s -> %s", type(step).__name__, told, shown)
