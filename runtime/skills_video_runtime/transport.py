"""The steps of the machines over HTTP: the only module that imports httpx and httpx_sse, and only on first use."""

from __future__ import annotations

import json
import logging
import re
import socket
from codecs import getincrementaldecoder
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from math import inf
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from .errors import MissingAPIKey, visible
from .generation import as_object, listed
from .steps import Answer, Ended, Fetch, Get, Lost, Next, Opened, Post

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Iterator

    import httpx

    from .generation import Json
    from .steps import Outcome, Step

logger = logging.getLogger("skills_video")
MAX_EVENT = MAX_ANSWER = 16 * 2**20  # bytes
MAX_ERROR = 2**16  # bytes of an error answer that are read
PIECE = 2**16  # bytes that are unpacked at once
MAX_CONNECT = 15.0  # seconds: our choice
MAX_CLOSE = 1.0  # seconds: our choice
MAX_FINISH = 0.0003  # seconds that a result waits for its stream to end well: our choice
PER_POOL = 100  # requests under way in one pool of httpcore, which looks through all of them for each new one
SHORTEST_KEY = 4  # characters; what is shorter would be found in any text
VERBATIM = frozenset({"id", "input", "status", "data"})
PLAIN = {"Accept-Encoding": "identity"}
EVENTS = {**PLAIN, "Accept": "text/event-stream, application/json", "Cache-Control": "no-store"}
JSON_EVENTS = {**EVENTS, "Content-Type": "application/json"}


class Key:
    """The API key: shown to the transport, and to nothing that prints, logs or pickles."""

    __slots__ = ("_value",)

    def __init__(self, value: str | None) -> None:
        self._value = (value or "").strip()

    def check(self) -> None:
        """Refuse what cannot be a key; apart from the constructor, so that no frame of a traceback shows it.

        Raises:
            MissingAPIKey: it is empty, or no header could carry it.
        """
        if not re.fullmatch(r"[!-~]+", self._value):
            what = "holds characters that no key has" if self._value else "is missing"
            raise MissingAPIKey(f"The API key {what}.")

    def __repr__(self) -> str:
        """Tell nothing."""
        return "<key>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to leave the process."""
        raise TypeError("an API key is not pickled")

    def __call__(self, request: httpx.Request) -> httpx.Request:
        """Sign a request, as httpx asks of what it is given as auth."""
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def redact(self, text: str) -> str:
        """Take the key out of a text that came from elsewhere."""
        return text.replace(self._value, "<key>") if self._is_in(text) else text

    def parse(self, text: str) -> object:
        """Read JSON, and take the key out of all but the fields that must stay as they are; None if it is no JSON."""
        try:
            body: object = json.loads(text)
            return self._redacted(body) if "\\" in text or self._is_in(text) else body
        except (ValueError, RecursionError):
            return None

    def _is_in(self, text: str) -> bool:
        return len(self._value) >= SHORTEST_KEY and self._value in text

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            return self.redact(value)
        items = listed(value)
        if items is not None:
            return [self._redacted(item) for item in items]
        fields = as_object(value)
        kept = {name: item if name in VERBATIM else self._redacted(item) for name, item in fields.items()}
        return {self.redact(name): item for name, item in kept.items()} or value


def is_trusted(url: str) -> bool:
    """Tell whether a URL is https, or goes to this very machine, and carries no user name."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def _tls() -> ssl.SSLContext:
    from httpx import create_ssl_context  # noqa: PLC0415  # on first use

    return create_ssl_context()


class Transport:
    """What the calls of one client share: address, key and connections."""

    def __init__(self, base_url: str, key: Key, http: Any, *, asynchronous: bool) -> None:
        self.base_url = base_url.strip().rstrip("/")
        if not is_trusted(self.base_url) or re.search(r"[?#]", self.base_url):
            raise ValueError("base_url must be https, or http to this machine, without user name and query")
        self.key = key
        self.asynchronous = asynchronous
        self.clock: Callable[[], float] = monotonic
        self.lent: httpx.Client | httpx.AsyncClient | None = http
        self.pools: dict[Any, int] = {}
        self.wires: set[Wire] = set()
        self.closed = False
        self.lock = Lock()

    def borrow(self) -> Any:
        """Give an HTTP client that has room for one more request, until it is given back."""
        with self.lock:
            if self.lent is not None:
                return self.lent
            http = next((pool for pool, used in self.pools.items() if used < PER_POOL), None)
            if http is None:
                import httpx  # noqa: PLC0415  # on first use

                limits = httpx.Limits(max_connections=None, max_keepalive_connections=PER_POOL)
                kind = httpx.AsyncClient if self.asynchronous else httpx.Client
                remote = not _is_loopback(urlsplit(self.base_url).hostname or "")
                http = kind(verify=_tls(), limits=limits, trust_env=remote)
            self.pools[http] = self.pools.get(http, 0) + 1
            return http

    def give_back(self, http: Any) -> None:
        """Say that a request is over."""
        with self.lock:
            if http in self.pools:
                self.pools[http] -= 1

    async def aclose(self) -> None:
        """End what is under way, and close the connections that are our own."""
        self.closed = True
        for wire in list(self.wires):
            wire.abort()
        pools = list(self.pools)
        self.pools.clear()
        for http in pools:
            if self.asynchronous:
                await http.aclose()
            else:
                http.close()

    def request(self, http: Any, step: Post | Get | Fetch, files: ExitStack) -> httpx.Request:
        """Build the request that a step asks for."""
        patience = max(step.patience, 0.001)
        timeouts = {"connect": min(patience, MAX_CONNECT), "read": patience, "write": patience, "pool": patience}
        extensions = {"timeout": timeouts, "trace": self.atrace if self.asynchronous else self.trace}
        if isinstance(step, Fetch):
            import httpx  # noqa: PLC0415  # not built by the client, whose headers and cookies are for the platform

            return httpx.Request("GET", step.url, headers={**PLAIN, **step.headers}, extensions=extensions)
        url, build = self.base_url + step.path, http.build_request
        request: httpx.Request
        if isinstance(step, Get):
            request = build("GET", url, params=step.query or None, headers=PLAIN, extensions=extensions)
        elif not step.payload.has_files():
            content = json.dumps(step.payload.to_dict(), allow_nan=False, separators=(",", ":")).encode()
            request = build("POST", url, content=content, headers=JSON_EVENTS, extensions=extensions)
        else:
            texts, parts = step.payload.to_multipart()
            opened = [(name, (file.name, files.enter_context(file.open()), file.content_type)) for name, file in parts]
            if step.again and not all(handle.seekable() for _, (_, handle, _) in opened):
                raise OSError("a file of the payload can be read only once, and has been sent before")
            data: dict[str, list[str]] = {}
            for name, text in texts:
                data.setdefault(name, []).append(text)
            request = build("POST", url, data=data, files=opened, headers=EVENTS, extensions=extensions)
        return request

    def trace(self, _: str, info: dict[str, Any]) -> None:
        """Let a connection obey the time of whatever uses it; httpcore calls this as each phase begins and ends."""
        if "timeout" in info:
            info["timeout"] = _cut(info["timeout"])
        stream = info.get("return_value")
        if hasattr(stream, "start_tls"):
            _obey(stream)

    async def atrace(self, name: str, info: dict[str, Any]) -> None:
        """As `trace`."""
        self.trace(name, info)

    def lost(self, error: Exception) -> Lost:
        """Tell what an exception of httpx means for the request."""
        import httpx  # noqa: PLC0415  # on first use

        unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        return Lost(sent=not unsent, reason=self.describe(error))

    def describe(self, error: Exception) -> str:
        """Put an exception of the network into words."""
        return visible(self.key.redact(f"{type(error).__name__}: {error}".rstrip(": ")))

    def answer(self, response: httpx.Response, data: bytearray, broken: str) -> Answer:
        """Give the answer that was read; one that broke off has no body."""
        text = data.decode("utf-8-sig", "replace")
        body = None if broken else self.key.parse(text)
        where = re.match(r"[a-z]+://[^/?#]*", response.headers.get("location", ""))
        origin = visible(self.key.redact(where[0])) if where else "the same origin"
        return Answer(response.status_code, body, broken or self.key.redact(text), _seconds(response), origin)


def note(step: Step, outcome: object) -> None:
    """Log a step on one line, without what was sent or received."""
    if logger.isEnabledFor(logging.DEBUG):
        hidden = as_object(outcome) or isinstance(outcome, bytes)
        logger.debug("%s -> %s", step, "data" if hidden else outcome)


def _seconds(response: httpx.Response) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    given = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", given):
        return float(given)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # httpx has it by now
    from time import time  # noqa: PLC0415

    try:
        return max(parsedate_to_datetime(given).timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


_current: ContextVar[Wire | None] = ContextVar("skills_video_wire", default=None)


def _cut(timeout: float | None) -> float | None:
    """Give the seconds for which the wire that is at work may wait.

    Raises:
        TimeoutError: its time is over.
    """
    wire = _current.get()
    left = inf if wire is None else wire.until - wire.transport.clock()
    if left <= 0 or (wire is not None and wire.is_over()):
        raise TimeoutError("the client is closed" if left > 0 else "time ran out")
    left = left if timeout is None else min(left, timeout)
    return None if left == inf else left


def _obey(stream: Any) -> None:
    """Make each read and write of a connection end with the time of the wire that it is for.

    httpx settles the time-outs of a request as its head and its body begin, so that many short waits outlast any.
    """
    read, write = stream.read, stream.write

    def cut_read(size: int, timeout: float | None = None) -> Any:
        wire = _current.get()
        if wire is not None:
            wire.stream = stream
        return read(size, _cut(timeout))

    def cut_write(data: bytes, timeout: float | None = None) -> Any:
        return write(data, _cut(timeout))

    stream.read, stream.write = cut_read, cut_write


class Events:
    """An event stream as httpx-sse wants its response: UTF-8 whatever the answer says, and bounded."""

    headers: ClassVar = {"content-type": "text/event-stream"}

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self.chunks = chunks
        self.size = 0

    async def aiter_text(self) -> AsyncGenerator[str, None]:
        """Give the text as it comes, while no event is too large."""
        decode = getincrementaldecoder("utf-8-sig")("replace").decode
        async for chunk in self.chunks:
            self.size += len(chunk)
            if self.size > MAX_EVENT:
                raise OSError(f"an event is larger than {MAX_EVENT} bytes")
            yield decode(chunk)


class Wire:
    """The steps of one call over HTTP, and what it has open.

    There is one text for both kinds of client: over a synchronous one nothing that is awaited ever waits.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.until = inf
        self.aborted = Event()
        self.http: Any = None
        self.response: Any = None
        self.stream: Any = None
        self.raw: Any = None
        self.chunks: Any = None
        self.guard: Events | None = None
        self.incoming: Any = None
        transport.wires.add(self)

    async def perform(self, step: Post | Get | Fetch | Next) -> Outcome:
        """Take a step, and tell what happened."""
        if not isinstance(step, Next):
            await self.aclose()
        self.until = self.transport.clock() + step.patience
        token = _current.set(self)
        try:
            if not isinstance(step, Next):
                return await self._request(step)
            return await (self._event(self.guard) if self.guard is not None else self._piece())
        finally:
            _current.reset(token)

    async def _request(self, step: Post | Get | Fetch) -> Outcome:
        import httpx  # noqa: PLC0415  # on first use

        transport = self.transport
        if self.is_over():
            return CLOSED
        self.http = http = transport.borrow()
        with ExitStack() as files:
            try:
                request = transport.request(http, step, files)
            except (httpx.InvalidURL, ValueError) as error:
                return Lost(sent=False, reason=transport.describe(error), is_transient=False)
            auth = None if isinstance(step, Fetch) else transport.key
            try:
                sent = http.send(request, stream=True, auth=auth, follow_redirects=False)
                self.response = response = await sent if transport.asynchronous else sent
            except _errors() as error:
                lost = transport.lost(error)
                return replace(CLOSED, sent=lost.sent) if self.is_over() else lost
            except RuntimeError:
                if http.is_closed:
                    return CLOSED
                raise
        headers = response.headers
        if isinstance(step, Fetch):
            self._hold(step.silence, unpack=False)
            return Opened(response.status_code, {name.lower(): value for name, value in headers.items()})
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if isinstance(step, Post) and response.is_success and kind == "text/event-stream":
            from httpx_sse import EventSource  # noqa: PLC0415  # on first use

            self._hold(step.silence)
            self.guard = Events(self.chunks)
            self.incoming = EventSource(cast("httpx.Response", self.guard)).aiter_sse()
            return Opened()
        self._hold(step.patience)
        return await self._answer()

    def _hold(self, silence: float, *, unpack: bool = True) -> None:
        """Begin the body of an answer, each of whose waits may take so long; it is bytes as they came, or unpacked.

        No compressed answer is asked for. One that comes even so is unpacked piece by piece, as far as it is read.
        """
        response, packed = self.response, self.response.headers.get("content-encoding", "identity")
        response.request.extensions["timeout"]["read"] = silence
        self.raw = response.aiter_raw() if self.transport.asynchronous else _still(response.iter_raw())
        self.chunks = _unpacked(self.raw) if unpack and packed != "identity" else self.raw

    async def _answer(self) -> Answer:
        response, data, broken = self.response, bytearray(), ""
        most = MAX_ANSWER if response.is_success else MAX_ERROR
        try:
            async for chunk in self.chunks:
                data += chunk
                if len(data) > most:
                    broken = f"an answer of more than {most} bytes"
                    break
        except _errors() as error:
            broken = self.transport.describe(error)
        await self.aclose()
        return self.transport.answer(response, data, broken)

    async def _event(self, guard: Events) -> Json | Ended:
        reason = "the platform closed it"
        try:
            async for event in self.incoming:
                guard.size = 0
                body = as_object(self.transport.key.parse(event.data)) if event.data else {}
                if body:
                    return body
                if event.data:
                    logger.debug("skipped an event that is no JSON object")
        except _errors() as error:
            reason = self.transport.describe(error)
        await self.aclose()
        return Ended(reason)

    async def _piece(self) -> bytes | Ended:
        if self.chunks is None:
            return Ended("nothing was open")
        try:
            async for chunk in self.chunks:
                return bytes(chunk)
        except _errors() as error:
            return Ended(self.transport.describe(error))
        return Ended("", broken=False)

    async def finish(self) -> None:
        """Read the end of a stream that has told all, so that its connection can be used again; wait hardly for it."""
        if self.incoming is None or self.stream is None:
            return
        self.until = self.transport.clock() + MAX_FINISH
        token = _current.set(self)
        try:
            with suppress(*_errors()):
                await _exhaust(self.incoming)
        finally:
            _current.reset(token)

    def is_over(self) -> bool:
        """Whether the client was closed, or the call given up."""
        return self.transport.closed or self.aborted.is_set()

    def abort(self) -> None:
        """Give the call up from another thread: what it waits for ends, and it begins nothing more."""
        self.aborted.set()
        stream = self.stream
        if stream is not None and not self.transport.asynchronous:
            with suppress(OSError):  # past ssl, whose own shutdown is not for two threads at a time
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    async def aclose(self) -> None:
        """Let go of the connection, even while the task is being cancelled."""
        response, generators, http = self.response, (self.incoming, self.chunks, self.raw), self.http
        self.http, self.response, self.stream = None, None, None
        self.raw, self.chunks, self.guard, self.incoming = None, None, None, None
        if http is not None:
            self.transport.give_back(http)
        if response is None:
            return
        if not self.transport.asynchronous:
            response.close()
            return
        from anyio import move_on_after  # noqa: PLC0415  # httpx has it by now

        with move_on_after(MAX_CLOSE, shield=True):
            await response.aclose()
            for generator in generators:  # what waits for bytes of a closed connection ends, through every layer
                with suppress(Exception):
                    await _exhaust(generator)


CLOSED = Lost(sent=False, reason="the client is closed", is_transient=False)


@cache
def _errors() -> tuple[type[Exception], ...]:
    """Give what a network and its peer can bring about."""
    import httpx  # noqa: PLC0415  # on first use

    return (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)


async def _unpacked(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Unpack gzip and zlib in pieces of a bounded size."""
    from zlib import decompressobj, error  # noqa: PLC0415  # hardly ever needed

    unpack = decompressobj(wbits=47)
    async for chunk in chunks:
        packed = chunk
        while packed:
            try:
                yield unpack.decompress(packed, PIECE)
            except error as problem:
                raise OSError(f"an answer in an encoding that was not asked for: {problem}") from None
            packed = unpack.unconsumed_tail


async def _exhaust(generator: AsyncGenerator[Any, None] | None) -> None:
    if generator is not None:
        async for _ in generator:
            pass


async def _still(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk
