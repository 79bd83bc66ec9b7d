"""A small HTTP server over raw sockets that does exactly what a test tells it, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.http.session import claims_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STREAM, CREATE, RUNNING, RESULT = (
    "POST /api/generation/sse/acme/one",
    "POST /api/generation/acme/one",
    "GET /api/generations/running",
    "GET /api/generation/gen_1",
)
ENDPOINT = Endpoint("acme/one", "/generation/sse/acme/one", "/generation/acme/one", "/generation/{id}")
KEY = "sk-secret-0123456789abcdef"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    complete: bool = True

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def json(self) -> Any:
        return json.loads(self.body)


class Drop:
    """Close the connection here."""


class Reset:
    """Close the connection so that the other side sees a reset."""


@dataclass
class Hold:
    """Say nothing more until the test lets go, or the other side has left."""

    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


Part = bytes | type[Drop] | type[Reset] | Hold
Reply = list[Part]


def answer(status: int, body: object = None, *, kind: str = "application/json", **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(data)}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join([*lines, "", ""]).encode() + data]


def stream_head(kind: str = "text/event-stream") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(state: object) -> bytes:
    return b"data: " + json.dumps(state).encode() + b"\n\n"


def events(*states: object, end: Part | None = None) -> Reply:
    """Stream states, one chunk each, then end properly or as told."""
    return [stream_head(), *(chunk(frame(state)) for state in states), b"0\r\n\r\n" if end is None else end]


def state(status: str, name: str = "gen_1", **more: object) -> dict[str, object]:
    data = {"type": "video", "videos": [{"url": "https://cdn.example/v.mp4", "file_name": "v.mp4"}]}
    return {"id": name, "status": status, "data": data if status == "COMPLETED" else None, **more}


@contextlib.contextmanager
def deserted(port: int = 0) -> Iterator[str]:
    """Give an address at which nobody listens, nor will: one that is only free may be another test's a moment later."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class Scripted:
    """Each route has a list of replies; the last one is repeated. Every request is kept."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}/api"
        claims_of(self.base).forget()  # of an earlier server on this port
        self.tls: ssl.SSLContext | None = None
        self.requests: list[Request] = []
        self.open: set[socket.socket] = set()
        self.problems: list[BaseException] = []
        self.accepted = 0
        self._script: dict[str, list[Reply | Callable[[Request], Reply]]] = defaultdict(list)
        self._used: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, route: str, *replies: Reply | Callable[[Request], Reply]) -> Self:
        self._script[route].extend(replies)
        return self

    def replace(self, route: str, *replies: Reply | Callable[[Request], Reply]) -> Self:
        self._script[route] = list(replies)
        return self

    def encrypt(self, certificate: Any) -> Self:
        """Speak TLS from now on, with a certificate of trustme."""
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.tls)
        self.base = f"https://localhost:{self.port}/api"
        return self

    def rewind(self) -> None:
        """Begin each list of replies anew."""
        self._used.clear()

    def count(self, route: str) -> int:
        return sum(f"{request.method} {request.path}" == route for request in self.requests)

    def wait_closed(self, most: int = 0, accepted: int = 0) -> bool:
        """Wait until so many connections were accepted, and no more than `most` of them are open."""
        with self._changed:
            return self._changed.wait_for(lambda: self.accepted >= accepted and len(self.open) <= most, timeout=5)

    def close(self) -> None:
        self.listener.close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.add(connection)
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.add(connection)
            with connection, connection.makefile("rb") as reader:
                while (request := self._read(reader)) is not None:
                    if not self._reply(connection, request):
                        return
        except OSError:
            pass
        except BaseException as problem:
            self.problems.append(problem)
            raise
        finally:
            with self._changed:
                self.open.discard(connection)
                self._changed.notify_all()

    def _read(self, reader: Any) -> Request | None:
        line = reader.readline().decode("latin-1").split()
        if not line:
            return None
        headers: dict[str, str] = {}
        while (text := reader.readline().decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body, complete = b"", True
        if headers.get("transfer-encoding") == "chunked":
            while size := int(reader.readline(), 16):
                body += reader.read(size)
                reader.readline()
            reader.readline()
        else:
            length = int(headers.get("content-length", "0"))
            body = reader.read(length)
            complete = len(body) == length
        return Request(line[0], line[1], headers, body, complete)

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        route = f"{request.method} {request.path}"
        with self._lock:
            self.requests.append(request)
            script = self._script.get(route)
            reply = (
                script[min(self._used[route], len(script) - 1)] if script else answer(404, {"message": "nothing here"})
            )
            self._used[route] += 1
        for part in reply(request) if callable(reply) else reply:
            if isinstance(part, bytes):
                connection.sendall(part)
            elif isinstance(part, Hold):
                part.reached.set()
                while not part.go.wait(0.02):
                    connection.setblocking(False)
                    try:
                        if connection.recv(1, socket.MSG_PEEK) == b"":
                            return False
                    except BlockingIOError:
                        pass
                    finally:
                        connection.setblocking(True)
            elif part is Reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                connection.shutdown(socket.SHUT_RDWR)
                return False
        return True
