"""One call over HTTP, and what it has open: the `IO` of `generations.call`, and that of `downloads.fetch`.

Over a synchronous client nothing that is awaited ever suspends. What a fault means is told by `Post.begun` alone.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from functools import lru_cache, partial
from math import inf
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from urllib.parse import unquote, urlencode

import anyio
import anyio.to_thread

from skills_video_runtime.errors import MissingAPIKey, PayloadError, visible
from skills_video_runtime.generations.outcomes import CLOSED, IO, Answer, Ended, Lost, Opened, Post, Submittable
from skills_video_runtime.generations.states import is_id
from skills_video_runtime.json_values import JsonObject, as_array, as_object

from .causes import cause_of
from .connections import HTTP, LOOK, PLAIN, Connections, running_loop
from .deadlines import current
from .environment import UnusableSetting, trusted
from .events import PIECE, Body, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

    from skills_video_runtime.payloads.file import Reading


T = TypeVar("T")
logger = logging.getLogger("skills_video")
MAX_ANSWER = 16 * 2**20  # bytes
MAX_ERROR = 2**16  # bytes of an error answer that are read
MAX_CONNECT = 15.0  # seconds: our choice
MAX_CLOSE = 1.0  # seconds: our choice
NO_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
HOPELESS = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|^407\b|Invalid username/password"  # the last two by a proxy
    rf"|\[Errno ({'|'.join(map(str, NO_HOST))})\]"
)
SENDABLE = re.compile("[!-~]{1,200}")  # the id of an event that a header can hold
ORIGIN = re.compile(r"[a-z]+://[^/?#]*")
GENERATION = re.compile(r"/(?:generation|prediction|task)s?/([^/?#]+)/?(?:[?#]|$)")
EVENTS = {**PLAIN, "Accept": "text/event-stream, application/json", "Cache-Control": "no-store"}
AS_JSON = {**EVENTS, "Content-Type": "application/json"}
AS_FORM = {**EVENTS, "Content-Type": "application/x-www-form-urlencoded"}
clock = time.monotonic
if hasattr(time, "CLOCK_BOOTTIME"):
    clock = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
NOTHING = Body((), "")
encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def unsigned(record: logging.LogRecord) -> bool:
    """Keep out of the log of httpx what an address that we ask for has after its `?`, which may be a signature."""
    exchange = current.get()
    if exchange is not None and isinstance(record.args, tuple):
        parts, url = cast("tuple[Any, ...]", record.args), exchange.connections.library.URL
        record.args = tuple(part.copy_with(query=None) if isinstance(part, url) else part for part in parts)
    return True


@lru_cache(256)
def parsed(library: Any, address: str) -> Any:
    """Take an address apart, once for all the times that it is polled."""
    return library.URL(address)


class Exchange(AbstractAsyncContextManager["Exchange"], IO):
    """The requests of one call, one after the other."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.until = inf
        """When what is under way must be over."""
        self.posting: Post | None = None
        self.last_event = ""
        """The id of the last event that had one."""
        self.aborted = threading.Event()
        self.scope: anyio.CancelScope | None = None
        self.http: HTTP | None = None
        self.response: httpx.Response | None = None
        self.stream: Any = None
        self.body = NOTHING
        self.events: Any = None

    async def __aenter__(self) -> Self:
        """Be one of those that are under way, which ends with them."""
        self.connections.exchanges.add(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""
        self.connections.exchanges.discard(self)
        await self.aclose()

    def now(self) -> float:
        """See `IO`. Where a system can tell, the time for which a machine sleeps counts."""
        return clock()

    async def sleep(self, seconds: float) -> None:
        """See `IO`; a call that is given up is woken."""
        if self.is_over():
            return
        if not self.connections.asynchronous:
            self.aborted.wait(seconds)
            return
        with anyio.move_on_after(seconds) as self.scope:
            await anyio.sleep(seconds)

    async def on_disk(self, work: Callable[[], T]) -> T:
        """See `IO`; an event loop goes on meanwhile."""
        if not self.connections.asynchronous:
            return work()
        return await anyio.to_thread.run_sync(work, limiter=running_loop())

    async def post(self, post: Post, patience: float, silence: float) -> Answer | Lost | Opened:
        """See `IO`."""
        with ExitStack() as files:
            content: dict[str, Any] = {"fields": post.fields, "headers": AS_JSON}
            readings: list[Reading] = []
            if not post.is_stream and post.payload.goes_as_form():
                readings, content = _content(post.payload, files, post.idempotency)
            if post.idempotency is not None:
                content["headers"] = {**content["headers"], **dict([post.idempotency])}
            self.posting = post
            try:
                opened = await self._ask("POST", post.path, patience, silence, **content)
            finally:
                self.posting = None
        problem = next((reading.problem for reading in readings if reading.problem), None)
        if problem is not None and isinstance(opened, Lost):
            post.begun = False  # a request without its end makes nothing, whatever its head said
            raise OSError(self.connections.key.redact(problem))
        return await self._opened(opened)

    async def send(
        self, method: str, path: str, patience: float, silence: float, *, after_last: bool = False
    ) -> Answer | Lost | Opened:
        """See `IO`."""
        headers = EVENTS
        if after_last and self.last_event:
            headers = {**EVENTS, "Last-Event-ID": self.last_event}
        return await self._opened(await self._ask(method, path, patience, silence, headers=headers))

    async def _opened(self, opened: Opened | Lost) -> Answer | Lost | Opened:
        """Leave a stream of events open, and read any other answer."""
        if isinstance(opened, Lost):
            return opened
        kind = opened.headers.get("content-type", "").partition(";")[0].strip().lower()
        if 200 <= opened.status < 300 and kind == "text/event-stream":
            self.events = self.body.events(asynchronous=self.connections.asynchronous)
            return opened
        return await self._answer(opened)

    async def get(self, path: str, query: tuple[tuple[str, str], ...], patience: float) -> Answer | Lost:
        """See `IO`."""
        opened = await self._ask("GET", path, patience, patience, params=query or None, headers=LOOK)
        if isinstance(opened, Lost):
            return opened
        return await self._answer(opened)

    async def open_file(self, url: str, headers: dict[str, str], patience: float) -> Opened | Lost:
        """Ask any origin for a file, without the key, for `next_piece`."""
        logging.getLogger(self.connections.library.__name__).addFilter(unsigned)
        headers = {**PLAIN, "User-Agent": self.connections.headers["user-agent"], **headers}
        return await self._send("GET", url, patience, patience, signed=False, headers=headers)

    async def next_event(self, patience: float, known: object = None) -> JsonObject | list[object] | Ended:
        """See `IO`."""
        if self.events is None:
            return Ended("nothing was open")
        body, key, reason, cause = self.body, self.connections.key, "the platform closed it", None
        try:
            with self._limit(patience):
                while (event := await self._next(self.events)) is not None:
                    data = body.take(event)
                    if event.id and SENDABLE.fullmatch(event.id):
                        self.last_event = event.id
                    told = self._told(data, key.redact(data))
                    if told and (known is None or as_object(told).get("status") != known):
                        return told
        except Exception as error:  # noqa: BLE001  # whatever broke it, the generation can be polled
            reason, cause = self._describe(error), cause_of(error, key)
        before = body.before or ""
        await self.aclose()
        shown = key.redact(before)
        return self._told(before, shown) or Ended(reason, text=shown, cause=cause)

    def _told(self, text: str, shown: str) -> JsonObject | list[object] | None:
        """Read what can be an event, also an answer that is called a stream."""
        told = self.connections.key.parse(text, shown)
        return as_object(told) or as_array(told)

    async def next_piece(self, patience: float) -> bytes | Ended:
        """Give the next bytes of the open file."""
        try:
            with self._limit(patience):
                chunk = await self._next(self.body.chunks)
        except Exception as error:  # noqa: BLE001  # whatever broke it, the rest can be asked for
            return Ended(self._describe(error), cause=cause_of(error, self.connections.key))
        if chunk is None:
            return Ended("", broken=False)
        return bytes(chunk)

    def begin_post(self) -> None:
        """Take note that the head of the request under way is begun."""
        if self.posting is not None:
            self.posting.begun = True

    def is_over(self) -> bool:
        """Whether the client was closed, or the call given up."""
        return self.connections.closed or self.aborted.is_set()

    def abort(self) -> None:
        """Give the call up from another thread: what it waits for ends, and it begins nothing more."""
        self.aborted.set()
        if self.scope is not None:
            self.scope.cancel()
        stream = self.stream
        is_shared = self.response is not None and self.response.http_version == "HTTP/2"
        if stream is not None and not self.connections.asynchronous and not is_shared:  # with other calls
            with suppress(OSError):  # past ssl, whose own shutdown is not for two threads at a time
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)

    async def aclose(self) -> None:
        """Let go of the connection, even while the task is being cancelled."""
        http, response = self.http, self.response
        open_ones = [self.events, self.body.chunks]
        self.http = self.response = self.stream = self.events = None
        self.body = NOTHING
        if http is not None:
            self.connections.give_back(http)
        if response is None:
            return
        if not self.connections.asynchronous:
            with suppress(Exception):
                response.close()
            return
        with anyio.move_on_after(MAX_CLOSE, shield=True):
            with suppress(Exception):
                await response.aclose()
            for things in filter(None, open_ones):  # what waits for bytes that will not come ends, through every layer
                with suppress(Exception):
                    async for _ in things:
                        pass

    async def _ask(self, method: str, path: str, patience: float, silence: float, **content: Any) -> Opened | Lost:
        """Send a request to the platform, and log it on one line, without what was sent or received."""
        if not path.startswith("/"):
            return Lost(f"{visible(path)!r} is no path", is_transient=False)
        began = self.now()
        opened = await self._send(method, self.connections.base_url + path, patience, silence, **content)
        told = opened.problem if isinstance(opened, Lost) else opened.status
        logger.debug("%s %s → %s after %.1f s", method, path, told, self.now() - began)
        return opened

    async def _send(self, method: str, address: str, patience: float, silence: float, **content: Any) -> Opened | Lost:
        """Send a request, and read the head of its answer."""
        await self.aclose()
        try:
            with self._limit(patience):
                try:
                    self.response = await self._respond(method, address, patience, **content)
                except self.connections.library.HTTPStatusError as error:  # raised by a hook of the user's own client
                    self.response = error.response
            if self.response is None:
                return CLOSED
            self.begin_post()
            return self._open(self.response, silence)
        except (MissingAPIKey, PayloadError) as error:
            return Lost(error.what, is_transient=False, cause=error)
        except Exception as error:  # noqa: BLE001  # no class of exception decides what was sent
            if self.is_over() or (self.http is not None and self.http.is_closed):
                return CLOSED
            is_transient = isinstance(error, self.connections.transient) and not HOPELESS.search(_text_of(error))
            problem = self._describe(error)
            return Lost(problem, is_transient=is_transient, cause=cause_of(error, self.connections.key))

    async def _respond(
        self, method: str, address: str, patience: float, *, signed: bool = True, fields: Any = None, **content: Any
    ) -> Any:
        """Give the answer to a request; None where the client is closed."""
        connections, key = self.connections, None
        if self.is_over():
            return None
        if signed:
            key = await self._bounded(connections.key.fresh())
            if self.posting is not None and key is not connections.key:  # one that was not known before
                key.refuse_in(self.posting.payload.endpoint.model, self.posting.fields)
        self.http = http = connections.borrow(for_post=method == "POST")
        if http is None:
            return None
        limits = {"connect": min(patience, MAX_CONNECT), "read": patience, "write": patience, "pool": patience}
        extensions: dict[str, Any] = {"timeout": limits, "trace": connections.trace}
        if fields is not None:
            content["content"] = encode(fields).encode()
        build = connections.library.Request
        if key is not None:
            content["headers"] = {**connections.headers, **(content.get("headers") or {})}
            if connections.lent is not None:  # whose owner may have set headers and cookies for the platform
                build = http.build_request
        request = build(method, parsed(connections.library, address), extensions=extensions, **content)
        if key is not None:
            key.sign(request)
        if not connections.tells_of_heads(request.url):
            self.begin_post()
        sent: Any = http.send(request, stream=True, auth=None, follow_redirects=False)
        if not connections.asynchronous:
            return sent
        return await self._awaited(sent)

    def _open(self, response: httpx.Response, silence: float) -> Opened:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in response.headers.raw
        }
        asynchronous = self.connections.asynchronous
        if response.is_stream_consumed:  # by a transport or an event hook of the user's own client
            chunks: Any = response.aiter_bytes(PIECE) if asynchronous else response.iter_bytes(PIECE)
            headers.pop("content-encoding", None)
        else:
            chunks = response.aiter_raw() if asynchronous else response.iter_raw()
        self.body = Body(chunks, headers.get("content-encoding", "identity"))
        response.request.extensions["timeout"]["read"] = silence
        return Opened(response.status_code, headers)

    async def _answer(self, opened: Opened) -> Answer:
        """Read an answer whole; one that breaks off has no body."""
        body, data, broken, cause = self.body, bytearray(), "", None
        most = MAX_ANSWER if 200 <= opened.status < 300 else MAX_ERROR
        try:
            with self._limit(self.until - self.now()):
                while len(data) <= most and (chunk := await self._next(body.chunks)) is not None:
                    for piece in body.pieces(chunk):
                        data += piece
                        if len(data) > most:
                            broken = f"an answer of more than {most} bytes"
                            break
        except Exception as error:  # noqa: BLE001  # whatever broke it, what was read of it counts
            broken, cause = self._describe(error), cause_of(error, self.connections.key)
        await self.aclose()
        key, text, told = self.connections.key, data.decode("utf-8-sig", "replace"), None
        if broken:
            text = f"{broken}: {text}"
        shown = key.redact(text)
        if not broken:
            told = key.parse(text, shown)
        where, place, location = "the same origin", None, opened.headers.get("location", "")
        named = GENERATION.search(location)
        if named is not None and is_id(key.redact(unquote(named[1]))):
            place = unquote(named[1])
        origin = ORIGIN.match(location)
        if origin is not None:
            where = visible(key.redact(origin[0]))
        retry_after = seconds_of(opened.headers.get("retry-after", ""), opened.headers.get("date", ""))
        request_id = opened.headers.get("x-request-id") or opened.headers.get("request-id")
        if request_id is not None:
            request_id = visible(key.redact(request_id))
        return Answer(opened.status, told, shown, retry_after, where, place, request_id=request_id, cause=cause)

    async def _next(self, things: Any) -> Any:
        """Give the next thing, None where there are no more."""
        if not self.connections.asynchronous:
            return next(things, None)
        return await self._awaited(anext(things, None))

    async def _awaited(self, work: Any) -> Any:
        """Await for as long as there is time, which the connections of a user's own client may not see to."""
        if self.connections.lent is None:
            return await work
        return await self._bounded(work)

    async def _bounded(self, work: Any) -> Any:
        """Await for as long as there is time; in a synchronous client what never suspends."""
        if not self.connections.asynchronous:
            return await work
        with anyio.fail_after(self.until - self.now()) as self.scope:
            return await work
        raise TimeoutError("the client is closed")

    @contextmanager
    def _limit(self, patience: float) -> Generator[None]:
        """Let connections know what they work for, and until when."""
        self.until = self.now() + patience
        token = current.set(self)
        try:
            yield
        finally:
            current.reset(token)

    def _describe(self, error: Exception) -> str:
        text = _text_of(error)
        if not isinstance(error, UnusableSetting):  # which says all by itself
            text = f"{type(error).__name__}: {text}".rstrip(": ")
        if "CERTIFICATE_VERIFY_FAILED" in text:
            text += f"; trusted is {trusted()}"
        return visible(self.connections.key.redact(text))


def _text_of(error: BaseException) -> str:
    """Give what an exception says, or else what the one behind it says: over trio that alone tells the cause."""
    text, behind = str(error), error.__cause__ or error.__context__
    if text or not isinstance(behind, Exception):
        return text
    return _text_of(behind)


def _content(
    form: Submittable, files: ExitStack, idempotency: tuple[str, str] | None
) -> tuple[list[Reading], dict[str, Any]]:
    """Give the files of a form as they are read, and what is posted: parts, or text where the form has no files.

    What is posted again by the same value is the same to the byte, so that no platform takes it for another payload.
    """
    texts, given = form.to_multipart()
    if form.urlencoded and not given:
        return [], {"content": urlencode(texts).encode(), "headers": AS_FORM}
    parts: list[Any] = [(name, (None, text)) for name, text in texts]
    readings: list[Reading] = []
    for name, file in given:
        readings.append(files.enter_context(file.open()))
        parts.append((name, (file.name, readings[-1], file.content_type)))
    headers = EVENTS
    if idempotency is not None:
        headers = {**EVENTS, "Content-Type": f"multipart/form-data; boundary={idempotency[1]}"}
    return readings, {"files": parts, "headers": headers}
