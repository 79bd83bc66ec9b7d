"""The connections that the calls of one client share: pools of httpx, lent for a request at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from .deadlines import trace, trace_async
from .environment import proxies, tls
from .library import library_of
from .own_headers import beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import Exchange
    from .key import Key

PER_POOL = 100  # requests under way in one pool of httpcore, which looks through all of them for each new one
KEPT = 5.0  # seconds for which an idle connection is used again: our choice
PLAIN = {"Accept-Encoding": "identity"}
LOOK = {**PLAIN, "Cache-Control": "no-cache"}  # a stale list would be believed twice
HTTP: TypeAlias = httpx.Client | httpx.AsyncClient  # or those of httpx2
WRITERS = 40  # threads for disks in an event loop: our choice
LOOP: RunVar[CapacityLimiter] = RunVar("skills_video_loop")


@dataclass(slots=True)
class Pool:
    """How a pool is used."""

    loop: object
    """The event loop that its connections belong to."""
    for_posts: bool
    """Whether it is for posts, each of which takes a new connection."""
    used: int = 0
    """Requests under way."""


class Connections:
    """The pools of one client, or the HTTP client of the user's own, and the exchanges under way."""

    def __init__(
        self, base_url: str, key: Key, lent: Any, own_headers: Mapping[str, str], *, asynchronous: bool
    ) -> None:
        self.base_url, self.key, self.lent, self.asynchronous = base_url, key, lent, asynchronous
        self.library = library_of(lent)
        self.transient = (self.library.TransportError, self.library.StreamError, OSError, MemoryError)
        """Exceptions that may not come again."""
        self.headers = beside(lent, own_headers)
        """What the platform is told with each request."""
        self.trace: Any = trace_async if asynchronous else trace
        self.pools: dict[HTTP, Pool] = {}
        self.exchanges: set[Exchange] = set()
        self.closed = False
        self.lock = Lock()

    def borrow(self, *, for_post: bool) -> HTTP | None:
        """Give an HTTP client that has room for one more request, until it is given back; None after `aclose`.

        A kept connection may be closed just as it is used again, and a post that is lost so may be paid for in vain:
        posts have pools of their own, which keep none.
        """
        if self.lent is not None:
            return None if self.lent.is_closed else self.lent
        with self.lock:
            if self.closed:
                return None
            loop = running_loop() if self.asynchronous else None
            fitting = (http for http, pool in self.pools.items() if pool.loop is loop and pool.for_posts == for_post)
            http = next((http for http in fitting if self.pools[http].used < PER_POOL), None)
            if http is None:
                http = self._new_pool(for_posts=for_post)
                # What is idle belongs to an event loop that is over, or that makes itself new connections.
                self.pools = {old: pool for old, pool in self.pools.items() if pool.used or pool.loop is loop}
                self.pools[http] = Pool(loop, for_post)
            self.pools[http].used += 1
            return http

    def give_back(self, http: HTTP) -> None:
        """Say that a request is over."""
        with self.lock:
            if http in self.pools:
                self.pools[http].used -= 1

    def is_busy(self) -> bool:
        """Tell whether a call is under way, or a request."""
        return bool(self.exchanges) or any(pool.used for pool in self.pools.values())

    def tells_of_heads(self, url: Any) -> bool:
        """Whether the head of a request is told of before it is sent.

        Of a client of the user's own only a transport of httpx itself is known to do that, and only where no hook can
        put another trace into a request.
        """
        if self.lent is None:
            return True
        find = getattr(self.lent, "_transport_for_url", None)
        hooks = self.lent.event_hooks.get("request")
        known = {self.library.HTTPTransport, self.library.AsyncHTTPTransport}
        return find is not None and not hooks and type(find(url)) in known

    async def aclose(self) -> None:
        """End what is under way, and close the connections that are our own."""
        with self.lock:
            self.closed = True
            pools = list(self.pools)
            self.pools.clear()
        for exchange in list(self.exchanges):
            exchange.abort()
        for http in pools:
            if isinstance(http, httpx.Client):
                http.close()
                continue
            with suppress(RuntimeError):  # its event loop is over, and its connections with it
                await http.aclose()

    def _new_pool(self, *, for_posts: bool) -> HTTP:
        kept = 0 if for_posts else PER_POOL
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=KEPT)
        kind: Any = httpx.Client
        transport: Any = httpx.HTTPTransport
        if self.asynchronous:
            kind, transport = httpx.AsyncClient, httpx.AsyncHTTPTransport
        certificates, mounts = tls(), dict[str, Any]()
        for pattern, proxy in proxies(self.base_url).items():
            mounts[pattern] = None
            if proxy is not None:
                mounts[pattern] = transport(verify=certificates, limits=limits, proxy=proxy)
        http: HTTP = kind(verify=certificates, limits=limits, mounts=mounts, trust_env=False)  # it follows no redirect
        return http


def running_loop() -> CapacityLimiter:
    """Give what bounds the threads for disks in an event loop, and tells it from another.

    A program may wait for a call in all threads that anyio has. What anyio needs is loaded before anything is sent.
    """
    with suppress(LookupError):
        return LOOP.get()
    loop = CapacityLimiter(WRITERS)
    LOOP.set(loop)
    return loop
