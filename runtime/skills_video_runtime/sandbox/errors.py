"""Errors that the sandbox answers with: the platform's, a proxy's, and those that faults ask for."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from skills_video_runtime.sandbox.responses import HangUp, Silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skills_video_runtime.sandbox.faults import Faults

_PROXY_PAGE: Final = (
    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
    "<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_REASONS: Final = {
    403: ("FORBIDDEN", "Forbidden"),
    404: ("NOT_FOUND", "Not Found"),
    405: ("METHOD_NOT_ALLOWED", "Method Not Allowed"),
    429: ("VIDEO_GENERATION_RATE_LIMITED", "Too Many Requests"),
    500: ("INTERNAL_SERVER_ERROR", "Internal Server Error"),
    501: ("NOT_IMPLEMENTED", "Not Implemented"),
    502: ("VIDEO_GENERATION_FAILED", "Bad Gateway"),
    503: ("VIDEO_GENERATION_PROVIDER_UNAVAILABLE", "Service Unavailable"),
    504: ("VIDEO_GENERATION_TIMEOUT", "Gateway Time-out"),
}
_SERVER_ERRORS: Final = (500, 502, 503, 504)


def error(
    status: int, code: str, message: str, *, shape: str = "newest", headers: Mapping[str, str] | None = None
) -> Response:
    """An error answer.

    Args:
        status: HTTP status.
        code: Error code; the legacy `error` field is the same without its `VIDEO_GENERATION_`.
        message: What is wrong.
        shape: `newest` {error, code, message}, `older` {error, message}, `oldest` {message}, `nested`
            {error: {message}}, `plain` text.
        headers: More headers.
    """
    if shape == "plain":
        return PlainTextResponse(message, status, headers=headers)
    legacy = code.removeprefix("VIDEO_GENERATION_")
    bodies: dict[str, dict[str, Any]] = {
        "newest": {"error": legacy, "code": code, "message": message},
        "older": {"error": legacy, "message": message},
        "oldest": {"message": message},
        "nested": {"error": {"message": message}},
    }
    return JSONResponse(bodies[shape], status, headers=headers)


def error_shape(faults: Faults) -> str:
    """The shape of errors that the faults ask for, as in `error`."""
    return faults.text("errors", "oldest" if "older" in faults else "newest")


def status_error(status: int, faults: Faults) -> Response:
    """The platform's error of a status, in the shape that the faults ask for."""
    code, reason = _REASONS[status]
    return error(status, code, reason, shape=error_shape(faults))


def query_fault(faults: Faults, target: str) -> Response | None:
    """What goes wrong with a question of some kind (`result`, `running`, `credits`, `download`), if anything."""
    if faults.take(f"{target}-drop"):
        return HangUp()
    if faults.take(f"{target}-silence"):
        return Silence()
    if faults.take(f"{target}-429"):
        return rate_limited("", faults)
    for status in (403, 404):
        if faults.take(f"{target}-{status}"):
            return status_error(status, faults)
    for status in _SERVER_ERRORS:
        if faults.take(f"{target}-{status}"):
            return _proxy_page(status)
    return None


def fault_before_work(faults: Faults) -> Response | None:
    """What goes wrong with a create request before anything is made, if anything."""
    if (fault := _connection_fault(faults, "before")) is not None:
        return fault
    if "redirect" in faults:
        return RedirectResponse(faults.text("redirect"), 307)
    if "429" in faults:
        return rate_limited(faults.text("429"), faults)
    return _server_fault(faults, "before")


def fault_after_work(faults: Faults) -> Response | None:
    """What goes wrong with a create request that has made something, if anything."""
    return _connection_fault(faults, "after") or _server_fault(faults, "after")


def _connection_fault(faults: Faults, when: str) -> Response | None:
    if f"drop-{when}" in faults:
        return HangUp(reset=faults.text(f"drop-{when}") == "reset")
    return Silence() if f"silence-{when}" in faults else None


def _server_fault(faults: Faults, when: str) -> Response | None:
    for status in _SERVER_ERRORS:
        name = f"{status}-{when}"
        if faults.text(name) == "json":
            return status_error(status, faults)
        if name in faults:
            return _proxy_page(status)
    return None


def rate_limited(retry_after: str, faults: Faults) -> Response:
    """Too many requests; `retry_after` is the fault's argument: seconds, `date:` and seconds, or nothing."""
    headers = {"Retry-After": retry_after}
    if retry_after.startswith("date:"):
        moment = time.time() + float(retry_after.removeprefix("date:"))
        headers["Retry-After"] = formatdate(moment, usegmt=True)
    elif not retry_after:
        headers = {}
    shape = error_shape(faults)
    return error(429, "VIDEO_GENERATION_RATE_LIMITED", "Too many requests", shape=shape, headers=headers)


def _proxy_page(status: int) -> Response:
    return HTMLResponse(_PROXY_PAGE.format(status=status, reason=_REASONS[status][1]), status)
