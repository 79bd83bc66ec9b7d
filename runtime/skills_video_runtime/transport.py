"""The steps of the machines over HTTP: the only module that imports httpx and httpx_sse, and only on first use."""

from __future__ import annotations

import json
import logging
import re
from codecs import getincrementaldecoder
from contextlib import ExitStack, suppress
from functools import cache
from ipaddress import ip_address
from math import inf
from threading import Lock, local
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from .errors import MissingAPIKey, visible
from .generation import as_object, listed
from .steps import Answer, Ended, Fetch, Get, Head, Lost, Next, Opened, Post, Read

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Iterator

    import httpx

    from .generation import Json
    from .steps import Outcome, Step

logger = logging.getLogger("skills_video")
MAX_EVENT = MAX_ANSWER = 16 * 2**20  # bytes
MAX_ERROR = 2**16  # bytes of an error answer that are read
MAX_CONNECT = 15.0  # seconds: our choice
MAX_CLOSE = 1.0  # seconds: our choice
MAX_FINISH = 0.02  # seconds: our choice
SHORTEST_KEY = 4  # characters; what is shorter would be found in any text
VERBATIM = frozenset({"id", "input", "status", "data"})
PLAIN = {"Accept-Encoding": "identity"}


class Key:
    """The API key: shown to the transport, and to nothing that prints, logs or pickles."""

    __slots__ = ("_value",)

    def __init__(self, value: str | None) -> None:
        self._value = (value or "").strip()
        if not self._value or not re.fullmatch(r"[!-~]+", self._value):
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
        except (ValueError, RecursionError):
            return None
        try:
            return self._redacted(body) if self._is_in(text) or "\\" in text else body
        except RecursionError:
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


class Patience:
    """The time-outs of one request: each phase gets what the phases before it left over."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.end = clock() + seconds
        self.held = False
        self.timeouts = dict.fromkeys(("read", "write", "pool"), seconds) | {"connect": min(seconds, MAX_CONNECT)}

    def trace(self, name: str, _: object) -> None:
        """Cut the next phase; httpcore calls this as each one starts."""
        if name.endswith(".started") and not self.held:
            self.timeouts["read"] = self.timeouts["write"] = max(self.end - self.clock(), 0.001)

    async def atrace(self, name: str, info: object) -> None:
        """As `trace`."""
        self.trace(name, info)

    def hold(self, silence: float) -> None:
        """From now on, let each wait for bytes take so many seconds."""
        self.held, self.timeouts["read"] = True, silence


class Events:
    """An event stream as httpx-sse wants its response: UTF-8 whatever the answer says, bounded, and cut in time."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], key: Key, clock: Callable[[], float]) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self.chunks, self.key, self.clock = chunks, key, clock
        self.until = inf
        self.size = 0

    async def aiter_text(self) -> AsyncGenerator[str, None]:
        """Give the text as it comes, while no event is too large; begin no wait that the deadline would have to cut."""
        decode = getincrementaldecoder("utf-8-sig")("replace").decode
        async for chunk in self.chunks:
            self.size += len(chunk)
            if self.size > MAX_EVENT:
                raise OSError(f"an event is larger than {MAX_EVENT} bytes")
            yield decode(chunk)
            if self.clock() > self.until:
                raise TimeoutError("too little time is left to wait for more")

    def read(self, data: str) -> Json | None:
        """Give an event's object, or None for a keep-alive and for what is no object."""
        self.size = 0
        if not data:
            return None
        body = as_object(self.key.parse(data))
        if not body:
            logger.debug("skipped an event that is no JSON object")
        return body or None


class Transport:
    """What the calls of one client share: address, key and connections."""

    def __init__(self, base_url: str, key: Key, http: Any, *, asynchronous: bool) -> None:
        self.base_url = base_url.strip().rstrip("/")
        if not is_trusted(self.base_url) or re.search(r"[?#]", self.base_url):
            raise ValueError("base_url must be https, or http to this machine, without user name and query")
        self.key = key
        self.asynchronous = asynchronous
        self.clock: Callable[[], float] = monotonic
        self.http = http
        self.owned = http is None
        self.lock = Lock()

    def client(self) -> httpx.Client | httpx.AsyncClient:
        """Give the HTTP client, made on first use."""
        with self.lock:
            if self.http is None:
                import httpx  # noqa: PLC0415  # on first use

                limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
                kind = httpx.AsyncClient if self.asynchronous else httpx.Client
                remote = not _is_loopback(urlsplit(self.base_url).hostname or "")
                self.http = kind(verify=_tls(), limits=limits, trust_env=remote)
            http: httpx.Client | httpx.AsyncClient = self.http
            return http

    def request(self, step: Post | Get | Fetch, files: ExitStack) -> httpx.Request:
        """Build the request that a step asks for; its time-outs start to count."""
        import httpx  # noqa: PLC0415  # on first use

        patience = Patience(step.patience, self.clock)
        extensions = {
            "timeout": patience.timeouts,
            "trace": patience.atrace if self.asynchronous else patience.trace,
            "patience": patience,
        }
        if isinstance(step, Fetch):
            return httpx.Request("GET", step.url, headers={**PLAIN, **step.headers}, extensions=extensions)
        url, build = self.base_url + step.path, self.client().build_request
        if isinstance(step, Get):
            return build("GET", url, params=step.query, headers=PLAIN, extensions=extensions)
        headers = {**PLAIN, "Accept": "text/event-stream, application/json", "Cache-Control": "no-store"}
        if not step.payload.has_files():
            content = json.dumps(step.payload.to_dict(), allow_nan=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
            return build("POST", url, content=content, headers=headers, extensions=extensions)
        texts, parts = step.payload.to_multipart()
        opened = [(name, (file.name, files.enter_context(file.open()), file.content_type)) for name, file in parts]
        if step.again and not all(handle.seekable() for _, (_, handle, _) in opened):
            raise OSError("a file of the payload can be read only once, and has been sent before")
        data: dict[str, list[str]] = {}
        for name, text in texts:
            data.setdefault(name, []).append(text)
        return build("POST", url, data=data, files=opened, headers=headers, extensions=extensions)

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


class Wire:
    """The steps of one call over HTTP, and what it has open.

    There is one text for both kinds of client: over a synchronous one nothing that is awaited ever waits.
    """

    def __init__(self, transport: Transport) -> None:
        import httpx  # noqa: PLC0415  # on first use

        self.transport = transport
        self.invalid = (httpx.InvalidURL, ValueError)
        self.errors = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)
        self.response: Any = None
        self.guard: Events | None = None
        self.chunks: Any = None
        self.incoming: Any = None

    async def perform(self, step: Post | Get | Fetch | Next | Read) -> Outcome:
        """Take a step, and tell what happened."""
        if isinstance(step, Next):
            return await self._next(step)
        if isinstance(step, Read):
            return await self._read()
        await self.aclose()
        transport = self.transport
        with ExitStack() as files:
            try:
                request = transport.request(step, files)
            except self.invalid as error:
                return Lost(sent=False, reason=transport.describe(error))
            auth = None if isinstance(step, Fetch) else transport.key
            try:
                sent: Any = transport.client().send(request, stream=True, auth=auth, follow_redirects=False)
                self.response = response = await sent if transport.asynchronous else sent
            except self.errors as error:
                return transport.lost(error)
        patience: Patience = request.extensions["patience"]
        if isinstance(step, Fetch):
            patience.hold(step.silence)
            return Head(response.status_code, {name.lower(): value for name, value in response.headers.items()})
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if isinstance(step, Post) and response.is_success and kind == "text/event-stream":
            from httpx_sse import EventSource  # noqa: PLC0415  # on first use

            patience.hold(step.silence)
            self.chunks = self._bytes()
            self.guard = Events(self.chunks, transport.key, transport.clock)
            self.incoming = EventSource(cast("httpx.Response", self.guard)).aiter_sse()
            return Opened()
        return await self._collect(patience)

    async def finish(self) -> None:
        """Read the end of a stream that has told all, so that its connection can be used again; wait hardly for it."""
        if self.incoming is None or self.guard is None:
            return
        self.guard.until = self.transport.clock() + MAX_FINISH
        extensions = self.response.extensions
        with suppress(*self.errors):
            if self.transport.asynchronous:
                from anyio import move_on_after  # noqa: PLC0415  # httpx has it by now

                with move_on_after(MAX_FINISH):
                    await _exhaust(self.incoming)
            elif extensions.get("http_version") == b"HTTP/1.1" and "network_stream" in extensions:
                _cap_reads(extensions["network_stream"])
                _reads.most = MAX_FINISH
                try:
                    await _exhaust(self.incoming)
                finally:
                    del _reads.most

    async def aclose(self) -> None:
        """Let go of the connection, even while the task is being cancelled."""
        response, generators = self.response, (self.incoming, self.chunks)
        self.response, self.guard, self.incoming, self.chunks = None, None, None, None
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

    def _bytes(self, *, raw: bool = False) -> AsyncGenerator[bytes, None]:
        if self.transport.asynchronous:
            return cast(
                "AsyncGenerator[bytes, None]", self.response.aiter_raw() if raw else self.response.aiter_bytes()
            )
        return _still(self.response.iter_raw() if raw else self.response.iter_bytes())

    async def _collect(self, patience: Patience) -> Answer:
        response, data, broken = self.response, bytearray(), ""
        most = MAX_ANSWER if response.is_success else MAX_ERROR
        try:
            self.chunks = self._bytes()
            async for chunk in self.chunks:
                data += chunk
                if len(data) > most:
                    broken = f"an answer of more than {most} bytes"
                elif self.transport.clock() > patience.end:
                    broken = "an answer that came too slowly"
                if broken:
                    break
        except self.errors as error:
            broken = self.transport.describe(error)
        await self.aclose()
        return self.transport.answer(response, data, broken)

    async def _next(self, step: Next) -> Json | Ended:
        if self.guard is None:
            return Ended("there was no stream")
        self.guard.until = step.until
        reason = "the platform closed it"
        try:
            async for event in self.incoming:
                body = self.guard.read(event.data)
                if body is not None:
                    return body
        except self.errors as error:
            reason = self.transport.describe(error)
        await self.aclose()
        return Ended(reason)

    async def _read(self) -> bytes | Lost:
        if self.chunks is None:
            self.chunks = self._bytes(raw=True)
        try:
            async for chunk in self.chunks:
                return bytes(chunk)
        except self.errors as error:
            return self.transport.lost(error)
        return b""


_reads = local()


def _cap_reads(stream: Any) -> None:
    """Make a connection's reads obey `_reads.most` of their thread: httpx settles a body's time-out as it begins."""
    if "read" in vars(stream):
        return
    read = stream.read

    def capped(size: int, timeout: float | None = None) -> bytes:
        data: bytes = read(size, getattr(_reads, "most", timeout))
        return data

    stream.read = capped


async def _exhaust(generator: AsyncGenerator[Any, None] | None) -> None:
    if generator is not None:
        async for _ in generator:
            pass


async def _still(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk
