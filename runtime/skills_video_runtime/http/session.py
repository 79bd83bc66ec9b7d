"""What the calls of a client share: key, settings, connections, journals, and what is known of generations."""

# ruff: noqa: ASYNC109  # a call obeys its own deadline
from __future__ import annotations

import logging
import os
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from skills_video_runtime.errors import GenerationFailed
from skills_video_runtime.generations.call import Call
from skills_video_runtime.generations.claims import Claims
from skills_video_runtime.generations.outcomes import CLOSED, Settings
from skills_video_runtime.generations.pace import Paces
from skills_video_runtime.generations.progress import hooks_of

from .addresses import is_postgres, platform_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from os import PathLike

    from skills_video_runtime.budget import Budget
    from skills_video_runtime.generations.journal import Journal
    from skills_video_runtime.generations.media import MediaFile
    from skills_video_runtime.generations.progress import Hook, OnEvent, OnState
    from skills_video_runtime.generations.records import Ending

    from .connections import Connections
    from .exchange import Exchange
    from .key import Key

    Where: TypeAlias = str | PathLike[str]
    OnProgress: TypeAlias = Callable[[MediaFile, int, int | None], object]

logging.getLogger("skills_video").addHandler(logging.NullHandler())
CLAIMS: dict[str, Claims] = {}


def claims_of(base_url: str) -> Claims:
    """Give what this process knows of the generations of a platform, one for all spellings of its address."""
    return CLAIMS.setdefault(f"{os.getpid()} {platform_of(base_url)}", Claims())


class Session:
    """What a client and the per-model clients made from it share."""

    make_files: Callable[[Session], Any]
    """By the client, which is above all that is needed for it."""

    def __init__(
        self, address: str, key: Key, settings: Settings, journal: Where | None, http: Any, *, asynchronous: bool
    ) -> None:
        self.base_url = address
        self.held: dict[str, Ending] | None = None
        """What is over, where the command line records that itself, once the files are there."""
        if journal is not None and not is_postgres(os.fspath(journal)):
            journal = Path(journal).absolute()  # the same one, wherever the program goes from here
        self.key, self.settings, self.journal, self.http, self.asynchronous = key, settings, journal, http, asynchronous
        self.hooks: list[Hook] = []
        """What each call tells of its way."""
        self.budget: Budget | None = None
        self.tracer: Any = None
        self.headers: dict[str, str] = {}
        self.wrappers: list[Callable[[Any], Any]] = []
        """What a call is given in place of its exchange is made by these: see `skills_video_runtime.testing`."""
        self.closed = False
        self.parents: list[object] = []
        self._begin()

    def _begin(self) -> None:
        self.pid, self.lock = os.getpid(), Lock()
        self.paces = Paces(self.settings.retry)
        self.journals: dict[str, Journal] = {}
        self.claims = claims_of(self.base_url)
        self._connections: Connections | None = None

    def files(self) -> Any:
        """Give what fetches single files."""
        return self.make_files(self)

    def _leave_parent(self) -> None:
        """In a child of a fork, have connections and journals of its own, and a lock that no other thread has."""
        if self.pid != os.getpid():
            self.parents.append((self._connections, self.journals))  # kept, as what is dropped would be closed
            self._begin()

    @property
    def connections(self) -> Connections:
        """HTTP, which is imported on first use."""
        self._leave_parent()
        if self._connections is None:
            from .connections import Connections  # noqa: PLC0415  # it takes longer than all the rest

            with self.lock:
                if self._connections is None:
                    self._connections = Connections(
                        self.base_url, self.key, self.http, self.headers, asynchronous=self.asynchronous
                    )
                    self._connections.closed = self.closed
        return self._connections

    def exchange(self) -> tuple[Exchange, Any]:
        """Give what carries one call, and the IO that it has: itself, unless a test put another in its place."""
        from .exchange import Exchange  # noqa: PLC0415  # with connections

        exchange = Exchange(self.connections)
        io: Any = exchange
        for wrap in self.wrappers:
            io = wrap(io)
        return exchange, io

    async def aclose(self) -> None:
        """End what is under way, and close the connections, if they are our own, and the journals.

        In a child of a fork they are the parent's as long as the child has made none, and are left alone.
        """
        self._leave_parent()
        with self.lock:
            self.closed = True
        if self._connections is not None:
            await self._connections.aclose()
        for journal in self.journals.values():
            journal.close()
        self.journals.clear()

    def use(self, journal: Journal, place: str) -> None:
        """Have calls record in a journal that is open, where they name its place."""
        self._leave_parent()
        try:
            for name in journal.names():
                self.claims.claim(name)
        except BaseException:  # the next call opens it anew
            journal.close()
            raise
        self.journals[place] = journal

    def let_go(self, journal: Path) -> None:
        """Close a journal, so that another process may use it."""
        opened = self.journals.pop(str(journal.resolve()), None)
        if opened is not None:
            opened.close()

    @asynccontextmanager
    async def call(  # each is a choice of its own
        self,
        timeout: float | None = None,
        journal: Where | None = None,
        *,
        records: bool = True,
        on_state: OnState | None = None,
        on_event: OnEvent | None = None,
        index: int | None = None,
        about: object = None,
    ) -> AsyncGenerator[Call, None]:
        """Begin a call: its time counts from now. One that records nothing opens no journal.

        `about` is the payload of the generation that it makes, or the id of the one that it waits for.
        """
        hooks = [*self.hooks, *hooks_of(on_state, on_event, index, asynchronous=self.asynchronous)]
        if self.closed:
            raise CLOSED.error()
        exchange, io = self.exchange()
        call, trace, problem = None, None, None
        try:
            async with exchange:
                if self.tracer is not None and about is not None:
                    from .telemetry import Trace  # noqa: PLC0415  # an extra

                    trace = Trace(self.tracer, self.base_url, about)
                    hooks.append(trace)
                call = Call(
                    io,
                    self.settings,
                    self.claims,
                    timeout=timeout,
                    journal=self._recorder(journal) if records else None,
                    hooks=hooks,
                    files=self.files,
                    paces=self.paces,
                    budget=self.budget,
                    key=self.key,
                )
                call.give_up = exchange.abort
                yield call
            await self._record_ended(call)
        except BaseException as error:
            problem = error
            if call is not None and isinstance(error, GenerationFailed):
                await self._record_ended(call)
            elif call is not None and call.ended:
                error.add_note(f"Over: {', '.join(call.ended)}. client.get(id) gives the last state again.")
            raise
        finally:
            if call is not None and call.journal is not None:
                call.journal.let_go(call)
            if trace is not None:
                trace.end(problem)

    async def _record_ended(self, call: Call) -> None:
        """Tell the journal of what is over, now that the caller has it."""
        if self.held is None:
            await call.record_ended()
        else:
            self.held.update(call.ended)

    def _recorder(self, journal: Where | None) -> Journal | None:
        """Open a journal, once; None where nothing is to be recorded."""
        if journal is None:
            journal = self.journal
        if journal is None:
            return None
        place = os.fspath(journal)
        if not is_postgres(place):
            place = str(Path(place).resolve())
        with self.lock:
            if place not in self.journals:
                self.use(self._opened(place), place)
            return self.journals[place]

    def _opened(self, place: str) -> Journal:
        if is_postgres(place):
            from skills_video_runtime.generations.postgres import PostgresJournal  # noqa: PLC0415  # needs an extra

            return PostgresJournal(place, platform_of(self.base_url), self.key)
        from skills_video_runtime.generations.sqlite import SqliteJournal  # noqa: PLC0415  # for who keeps one

        return SqliteJournal(Path(place), platform_of(self.base_url), self.key)
