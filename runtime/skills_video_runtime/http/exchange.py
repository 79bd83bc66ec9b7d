"""The steps of the machines over HTTP: the only module that imports httpx and httpx_sse, and imported on first use."""

from __future__ import annotations

import json
import logging
import re
import socket
from codecs import getincrementaldecoder
from contextlib import ExitStack, nullcontext, suppress
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from math import inf
from threading import Event, Lock
from time import monotonic, time
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import anyio
import httpx
from httpx_sse import EventSource

from skills_video_runtime.errors import visible
from skills_video_runtime.generations.outcomes import CLOSED, Answer, Ended, Fetch, Get, Lost, Next, Opened, Post
from skills_video_runtime.generations.states import as_object

from .key import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator

    from skills_video_runtime.generations.outcomes import Outcome
    from skills_video_runtime.generations.states import Json

    from .key import Key

logger = logging.getLogger("skills_video")
MAX_EVENT = MAX_ANSWER = 16 * 2**20  # bytes
MAX_ERROR = 2**16  # bytes of an error answer that are read
TOO_LARGE = f"an event is larger than {MAX_EVENT} bytes"
PIECE = 2**16  # bytes that are unpacked at once
MAX_CONNECT = 15.0  # seconds: our choice
MAX_CLOSE = 1.0  # seconds: our choice
MAX_FINISH = 0.0003  # seconds that a result waits for its stream to end well: our choice
PER_POOL = 100  # requests under way in one pool of httpcore, which looks through all of them for each new one
ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)  # a network's and its peers'
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NO_FILES = nullcontext(ExitStack())
PLAIN = {"Accept-Encoding": "identity"}
EVENTS = {**PLAIN, "Accept": "text/event-stream, application/json", "Cache-Control": "no-store"}
encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
AS_JSON = {**EVENTS, "Content-Type": "application/json"}


@lru_cache(256)
def _url(address: str) -> httpx.URL:
    """Take an address apart, once for all the times that it is polled."""
    return httpx.URL(address)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class Transport:
    """What the calls of one client share: address, key and connections."""

    def __init__(self, base_url: str, key: Key, http: Any, *, asynchronous: bool) -> None:
        self.base_url, self.key = base_url, key
        self.asynchronous = asynchronous
        self.clock: Callable[[], float] = monotonic
        self.lent: httpx.Client | httpx.AsyncClient | None = http
        self.pools: dict[Any, int] = {}
        self.wires: set[Wire] = set()
        self.closed = False
        self.lock = Lock()

    def wire(self) -> Wire:
        """Begin a call."""
        return Wire(self)

    def borrow(self) -> Any:
        """Give an HTTP client that has room for one more request, until it is given back; None after `aclose`."""
        if self.lent is not None:
            return self.lent
        with self.lock:
            if self.closed:
                return None
            http: Any = next((pool for pool, used in self.pools.items() if used < PER_POOL), None)
            if http is None:
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=PER_POOL)
                kind = httpx.AsyncClient if self.asynchronous else httpx.Client
                remote = not is_loopback(urlsplit(self.base_url).hostname or "")
                http = kind(verify=_tls(), limits=limits, trust_env=remote, headers=PLAIN)
                self.key(http)  # signs all that it builds, which is for the platform; it follows no redirect
            self.pools[http] = self.pools.get(http, 0) + 1
            return http

    def give_back(self, http: Any) -> None:
        """Say that a request is over."""
        with self.lock:
            if http in self.pools:
                self.pools[http] -= 1

    async def aclose(self) -> None:
        """End what is under way, and close the connections that are our own."""
        with self.lock:
            self.closed = True
            pools = list(self.pools)
            self.pools.clear()
        for wire in list(self.wires):
            wire.abort()
        for http in pools:
            if self.asynchronous:
                await http.aclose()
            else:
                http.close()

    def request(self, http: Any, step: Post | Get | Fetch, files: ExitStack) -> httpx.Request:
        """Build the request that a step asks for."""
        patience = max(step.patience, 0.001)
        timeouts = {"connect": min(patience, MAX_CONNECT), "read": patience, "write": patience, "pool": patience}
        extensions = {"timeout": timeouts, "trace": _atrace if self.asynchronous else _trace}
        if isinstance(step, Fetch):
            # not built by the client, whose headers and cookies are for the platform
            return httpx.Request("GET", step.url, headers={**PLAIN, **step.headers}, extensions=extensions)
        url, build = _url(self.base_url + step.path), http.build_request
        request: httpx.Request
        if isinstance(step, Get):
            headers = PLAIN if self.lent else None
            request = build("GET", url, params=step.query or None, headers=headers, extensions=extensions)
        elif step.form is None:
            content = encode(step.fields).encode()
            request = build("POST", url, content=content, headers=AS_JSON, extensions=extensions)
        else:
            texts, parts = step.form.to_multipart()
            opened = [(name, (file.name, files.enter_context(file.open()), file.content_type)) for name, file in parts]
            if step.again and not all(handle.seekable() for _, (_, handle, _) in opened):
                raise OSError("a file of the payload can be read only once, and has been sent before")
            form = [*((name, (None, text)) for name, text in texts), *opened]
            request = build("POST", url, files=form, headers=EVENTS, extensions=extensions)
        return request

    def describe(self, error: Exception) -> str:
        """Put an exception of the network into words."""
        return visible(self.key.redact(f"{type(error).__name__}: {error}".rstrip(": ")))

    def answer(self, status: int, headers: dict[str, str], data: bytes | bytearray, broken: str) -> Answer:
        """Give the answer that was read; one that broke off has no body."""
        text = data.decode("utf-8-sig", "replace")
        body = None if broken else self.key.parse(text)
        text = f"{broken}: {text}" if broken else text
        where = re.match(r"[a-z]+://[^/?#]*", headers["location"]) if "location" in headers else None
        origin = visible(self.key.redact(where[0])) if where else "the same origin"
        return Answer(status, body, self.key.redact(text), _seconds(headers.get("retry-after", "")), origin)


def _seconds(given: str) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    if not given:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
        return float(given)
    try:
        return max(parsedate_to_datetime(given).timestamp() - time(), 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


_current: ContextVar[Wire | None] = ContextVar("skills_video_wire", default=None)


def _trace(name: str, info: dict[str, Any]) -> None:
    """Let a connection obey the wire that uses it; httpcore calls this as each phase of a request begins and ends.

    httpx settles the time-outs of a request as its head and its body begin, so that many short waits outlast any.
    """
    if name.startswith("http"):
        return
    if "timeout" in info:
        try:
            info["timeout"] = _cut(info["timeout"])
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from None  # nothing was sent yet
    stream: Any = info.get("return_value")
    if hasattr(stream, "start_tls"):
        read, write = stream.read, stream.write

        def cut_read(size: int, timeout: float | None = None) -> Any:
            wire = _current.get()
            if wire is not None:
                wire.stream = stream
            return read(size, _cut(timeout))

        def cut_write(data: bytes, timeout: float | None = None) -> Any:
            return write(data, _cut(timeout))

        stream.read, stream.write = cut_read, cut_write


async def _atrace(name: str, info: dict[str, Any]) -> None:
    _trace(name, info)


def _cut(timeout: float | None) -> float | None:
    """Give the seconds for which the wire that is at work may wait, or raise TimeoutError where it may not."""
    wire = _current.get()
    if wire is None:
        return timeout
    left = wire.until - wire.transport.clock()
    if left <= 0 or wire.is_over():
        raise TimeoutError("the client is closed" if left > 0 else "time ran out")
    return left if timeout is None else min(left, timeout)


class Body:
    """What an answer says, piece by piece; httpx-sse takes it for a response.

    No packed answer is asked for. One that comes even so is unpacked as far as it is read, in pieces of a bounded size.
    """

    headers: ClassVar = {"content-type": "text/event-stream"}

    def __init__(self, chunks: Any, packed: str) -> None:
        self.chunks = chunks
        self.packed = packed not in {"", "identity"}
        self.size = 0
        """Bytes since the last event."""
        self.before: str | None = ""
        """What was said before the first event, or None after it."""
        self.decode = getincrementaldecoder("utf-8-sig")("replace").decode
        self.unpack: Any = None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Give what a chunk holds."""
        while self.packed and chunk:
            import zlib  # noqa: PLC0415  # hardly ever needed

            self.unpack = self.unpack or zlib.decompressobj(wbits=47)
            try:
                yield self.unpack.decompress(chunk, PIECE)
            except zlib.error as error:
                raise OSError(f"an answer in an encoding that was not asked for: {error}") from None
            chunk = self.unpack.unconsumed_tail
        if not self.packed:
            yield chunk

    def text(self, piece: bytes) -> str:
        """Read a piece of an event stream, which is UTF-8 whatever the head says, while no event is too large."""
        self.size += len(piece)
        if self.size > MAX_EVENT + 2 * PIECE:
            raise OSError(TOO_LARGE)
        text = self.decode(piece)
        if self.before is not None and len(self.before) < PIECE:
            self.before += text
        return text

    def iter_text(self) -> Iterator[str]:
        """Give the text as it comes."""
        for chunk in self.chunks:
            for piece in self.pieces(chunk):
                yield self.text(piece)

    async def aiter_text(self) -> AsyncIterator[str]:
        """As `iter_text`."""
        async for chunk in self.chunks:
            for piece in self.pieces(chunk):
                yield self.text(piece)


class Wire:
    """The steps of one call over HTTP, and what it has open.

    There is one text for both kinds of client: over a synchronous one nothing that is awaited ever waits.
    """

    __slots__ = ("aborted", "asleep", "body", "events", "http", "response", "stream", "transport", "until")

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.until = inf
        self.aborted = False
        self.asleep: Any = None
        self.http: Any = None
        self.response: Any = None
        self.stream: Any = None
        self.body: Body | None = None
        self.events: Any = None
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
            if self.body is None:
                return Ended("nothing was open")
            return await (self._piece(self.body) if self.events is None else self._event(self.body, step.known))
        finally:
            _current.reset(token)

    async def _request(self, step: Post | Get | Fetch) -> Outcome:
        transport = self.transport
        if self.is_over():
            return CLOSED
        self.http = http = transport.borrow()
        if http is None or http.is_closed:
            return CLOSED
        with ExitStack() if isinstance(step, Post) and step.form else NO_FILES as files:
            try:
                request = transport.request(http, step, files)
            except (httpx.InvalidURL, ValueError) as error:
                return Lost(sent=False, reason=transport.describe(error), is_transient=False)
            auth = None if transport.lent is None or isinstance(step, Fetch) else transport.key
            try:
                sent = http.send(request, stream=True, auth=auth, follow_redirects=False)
                self.response = response = await self._within(sent) if transport.asynchronous else sent
            except httpx.HTTPStatusError as error:  # an event hook of the user's own client has raised it
                self.response = response = error.response
            except ERRORS as error:
                reason = CLOSED.reason if self.is_over() else transport.describe(error)
                return Lost(sent=not isinstance(error, UNSENT), reason=reason, is_transient=not self.is_over())
            except RuntimeError:
                if http.is_closed:
                    return CLOSED._replace(sent=True)
                raise
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in response.headers.raw
        }
        if response.is_stream_consumed:  # by a transport or an event hook of the user's own client
            chunks = response.aiter_bytes(PIECE) if transport.asynchronous else response.iter_bytes(PIECE)
            headers.pop("content-encoding", None)
        else:
            chunks = response.aiter_raw() if transport.asynchronous else response.iter_raw()
        self.body = Body(chunks, headers.get("content-encoding", "identity"))
        if isinstance(step, Get):
            return await self._answer(self.body, headers)
        request.extensions["timeout"]["read"] = step.silence
        if isinstance(step, Fetch):
            return Opened(response.status_code, headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.is_success and kind == "text/event-stream":
            source: Any = EventSource(self.body)  # type: ignore[arg-type]  # all that it uses of a response
            self.events = source.aiter_sse() if transport.asynchronous else source.iter_sse()
            return Opened(response.status_code, headers)
        return await self._answer(self.body, headers)

    async def _answer(self, body: Body, headers: dict[str, str]) -> Answer:
        status, data, broken = self.response.status_code, bytearray(), ""
        most = MAX_ANSWER if 200 <= status < 300 else MAX_ERROR
        try:
            while not broken and (chunk := await self._next(body.chunks)) is not None:
                for piece in body.pieces(chunk):
                    data += piece
                    if len(data) > most:
                        broken = f"an answer of more than {most} bytes"
                        break
        except ERRORS as error:
            broken = self.transport.describe(error)
        await self.aclose()
        return self.transport.answer(status, headers, data, broken)

    async def _event(self, body: Body, known: object) -> Json | Ended:
        reason = "the platform closed it"
        try:
            while (event := await self._next(self.events)) is not None:
                body.size, body.before = 0, None
                data = event.data
                if len(data) > MAX_EVENT // 4 and len(data.encode()) > MAX_EVENT:
                    raise OSError(TOO_LARGE)
                if data:
                    told = as_object(self.transport.key.parse(data))
                    if not told:
                        logger.debug("skipped an event that is no JSON object")
                    elif known is None or told.get("status") != known:
                        return told
        except ERRORS as error:
            reason = self.transport.describe(error)
        await self.aclose()
        before = body.before or ""
        told = as_object(self.transport.key.parse(before))  # JSON may be called a stream
        return told or Ended(reason, text=self.transport.key.redact(before))

    async def _piece(self, body: Body) -> bytes | Ended:
        try:
            chunk = await self._next(body.chunks)
        except ERRORS as error:
            return Ended(self.transport.describe(error))
        return Ended("", broken=False) if chunk is None else bytes(chunk)

    async def _next(self, things: Any) -> Any:
        """Give the next thing, None where there are no more."""
        return await self._within(anext(things, None)) if self.transport.asynchronous else next(things, None)

    async def _within(self, work: Any) -> Any:
        """Await for as long as the step may take, which the connections of a user's own client may not see to."""
        if self.transport.lent is None:
            return await work
        with anyio.fail_after(self.until - self.transport.clock()):
            return await work

    async def sleep(self, seconds: float) -> None:
        """Let time pass, until the call is given up."""
        if self.transport.asynchronous:
            self.asleep = alarm = anyio.Event()
            if not self.is_over():
                with anyio.move_on_after(seconds):
                    await alarm.wait()
            return
        self.asleep = Event()
        if not self.is_over():
            self.asleep.wait(seconds)

    async def finish(self) -> None:
        """Read the end of a stream that has told all, so that its connection can be used again; hardly wait for it."""
        stream = self.stream
        if self.events is None or stream is None:
            return
        patient = not self.transport.asynchronous and stream.get_extra_info("is_readable")
        self.until = self.transport.clock() + (MAX_FINISH if patient else 0.0)
        token = _current.set(self)
        try:
            with suppress(*ERRORS):
                while await self._next(self.events) is not None:
                    pass
        finally:
            _current.reset(token)

    def is_over(self) -> bool:
        """Whether the client was closed, or the call given up."""
        return self.transport.closed or self.aborted

    def abort(self) -> None:
        """Give the call up from another thread: what it waits for ends, and it begins nothing more."""
        self.aborted = True
        if self.asleep is not None:
            self.asleep.set()
        stream = self.stream
        if stream is not None and not self.transport.asynchronous:
            with suppress(OSError):  # past ssl, whose own shutdown is not for two threads at a time
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    async def aclose(self) -> None:
        """Let go of the connection, even while the task is being cancelled."""
        http, response, open_ones = self.http, self.response, (self.events, self.body and self.body.chunks)
        self.http = self.response = self.stream = self.body = self.events = None
        if http is not None:
            self.transport.give_back(http)
        if response is None:
            return
        if not self.transport.asynchronous:
            with suppress(*ERRORS):
                response.close()
            return
        with anyio.move_on_after(MAX_CLOSE, shield=True):
            with suppress(Exception):
                await response.aclose()
            for things in filter(None, open_ones):  # what waits for bytes that will not come ends, through every layer
                with suppress(Exception):
                    async for _ in things:
                        pass
