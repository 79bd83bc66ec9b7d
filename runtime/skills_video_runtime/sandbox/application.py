"""The ASGI application: routes, keys, sizes, and the record of requests."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from skills_video_runtime.sandbox import control
from skills_video_runtime.sandbox.creation import create
from skills_video_runtime.sandbox.errors import error
from skills_video_runtime.sandbox.media import media
from skills_video_runtime.sandbox.queries import balance, cancel, result, running, subscribe
from skills_video_runtime.sandbox.service import BASE, RecordedRequest, Service, service_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from skills_video_runtime.sandbox.description import Description

MAX_BODY: Final = 64 * 2**20
"""Bytes of a request, files included; our choice, the platform publishes no limit."""
TOO_LARGE: Final = f"The body has more than {MAX_BODY} bytes"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def application(service: Service) -> ASGIApp:
    """The application of one sandbox."""
    app = Starlette(routes=_routes(service.description), exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    app.state.service = service
    return _Middleware(app, service)


def _routes(description: Description) -> Sequence[Route]:
    endpoints = {"cancel": cancel, "subscribe": subscribe}
    return [
        *(Route(BASE + offer.path, endpoints[offer.what], methods=[offer.method]) for offer in description.on_one),
        Route(f"{BASE}/generation/{{path:path}}", _generation, methods=_METHODS),
        Route(f"{BASE}/generations/running", running),
        Route(f"{BASE}/credits", balance),
        Route("/media/{generation}/{index:int}.mp4", media),
        Route("/sandbox/stats", control.statistics),
        Route("/sandbox/faults", control.faults, methods=["POST"]),
        Route("/sandbox/clock", control.clock, methods=["POST"]),
    ]


async def _generation(request: Request) -> Response:
    """A create endpoint or the result of an id: the same paths, told apart by method and description."""
    path: str = request.path_params["path"]
    operation = service_of(request).description.operations.get(path)
    if request.method == "POST":
        if operation is None:
            raise HTTPException(404, f"No model {path.removeprefix('sse/')}")
        return await create(request, operation)
    if operation and "/" in path:
        raise HTTPException(405, headers={"Allow": "POST"})
    if "/" in path:
        raise HTTPException(404)
    if request.method not in {"GET", "HEAD"}:
        raise HTTPException(405, headers={"Allow": "GET"})
    return await result(request, path)


async def _refused(_request: Request, problem: Exception) -> Response:
    """An error of routing, in the platform's shape."""
    if not isinstance(problem, HTTPException):
        raise problem
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(problem.status_code, "INVALID_REQUEST")
    return error(problem.status_code, code, problem.detail, headers=problem.headers)


class _Middleware:
    """What happens to every request first: it is recorded, and its key, its origin and its size are checked."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._expected = f"Bearer {service.api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path: str = scope["path"]
        service = self._service
        query = scope["query_string"].decode("latin-1")
        service.seen.add(RecordedRequest(scope["method"], path, query, dict(headers.items())))
        service.ledger.count_request(f"{scope['method']} {_general(scope['method'], path, service)}")
        given = headers.get("authorization", "").encode("latin-1")
        app = self._app
        if path.startswith(BASE) and not hmac.compare_digest(given, self._expected):
            app = error(401, "UNAUTHORIZED", "The API key is missing or invalid")
        elif int(headers.get("content-length", "0")) > MAX_BODY:
            app = error(413, "INVALID_REQUEST", TOO_LARGE)
        elif path.startswith(control.PREFIX):
            app = control.refusal(scope, headers) or app
        # Only the end of the server cancels requests; a client may leave within its body.
        with contextlib.suppress(asyncio.CancelledError, ClientDisconnect):
            await app(scope, _limited(receive), self._headed(send))

    def _headed(self, send: Send) -> Send:
        """Give an answer an id, and the headers that each one has."""
        name = f"req_{next(self._service.numbers):06d}".encode()

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(b"x-request-id", name), *self._service.headers]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        return headed


def _limited(receive: Receive) -> Receive:
    """Read no more of a body than is taken, and hold nothing of it where there is more."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited


def _general(method: str, path: str, service: Service) -> str:
    """A path with ids and file names left out."""
    for offer in service.description.on_one:
        if path.startswith(BASE) and offer.is_asked(method, path.removeprefix(BASE)):
            return BASE + offer.path
    if path.startswith("/media/"):
        return "/media/{id}/{file}"
    prefix = f"{BASE}/generation/"
    tail = path.removeprefix(prefix)
    if tail != path and "/" not in tail and tail not in service.description.operations:
        return prefix + "{id}"
    return path
