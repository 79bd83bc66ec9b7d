"""What the sandbox says: generations and errors as JSON, in the newer and the older words of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from skills_video_runtime.sandbox.ledger import Usage, videos_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skills_video_runtime.sandbox.ledger import Generation

WIDTH: Final = 64
"""Width of the served video in pixels."""
HEIGHT: Final = 36
"""Height of the served video in pixels."""
_OLDER: Final = {
    "IN_QUEUE": "starting",
    "IN_PROGRESS": "processing",
    "COMPLETED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "canceled",
}
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


def proxy_error(status: int, *, html: bool, shape: str = "newest") -> Response:
    """An error of something between client and platform: a proxy's HTML page, or the platform's JSON."""
    code, reason = _REASONS[status]
    if html:
        return HTMLResponse(_PROXY_PAGE.format(status=status, reason=reason), status)
    return error(status, code, reason, shape=shape)


def rate_limited(retry_after: str | None, shape: str = "newest") -> Response:
    """Too many requests; `retry_after` is the header's value, None for none."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return error(429, "VIDEO_GENERATION_RATE_LIMITED", "Too many requests", shape=shape, headers=headers)


def is_older(generation: Generation, *, create: bool) -> bool:
    """Whether an answer about a generation speaks in the older words."""
    faults = generation.faults
    return "older" in faults and (create or faults.text("older") != "mixed")


def submission(generation: Generation, now: float) -> dict[str, Any]:
    """The answer of the create endpoint, and an item of the running list."""
    state = generation.status(now)
    if is_older(generation, create=True):
        return {"id": generation.id, "status": _OLDER.get(state, state), "usage": generation.usage.as_json()}
    return {"id": generation.id, "status": state, "input": generation.input, "usage": generation.usage.as_json()}


def result(generation: Generation, now: float, media: str) -> dict[str, Any]:
    """The answer of the result endpoint.

    Args:
        generation: Whose.
        now: Sandbox time.
        media: Origin of its files.
    """
    older = is_older(generation, create=False)
    answer = event(generation, generation.status(now), media)
    answer["usage"] = generation.usage.as_json()
    return (
        answer
        if older
        else {"id": answer.pop("id"), "status": answer.pop("status"), "input": generation.input, **answer}
    )


def event(generation: Generation, status: str, media: str) -> dict[str, Any]:
    """One frame of the stream: the generation in a state, charged only when it is final."""
    word = _OLDER.get(status, status) if is_older(generation, create=False) else status
    usage = generation.usage if status == generation.phases[-1].status else Usage()
    answer: dict[str, Any] = {"id": generation.id, "status": word, "data": None, "usage": usage.as_json()}
    if status == "COMPLETED":
        answer["data"] = output(generation, media)
    if status == "FAILED":
        answer |= {"code": generation.code, "message": generation.message}
    return answer


def output(generation: Generation, media: str) -> dict[str, Any]:
    """The finished videos of a generation; the shape is likely, by analogy with the platform's image example."""
    count = videos_of(generation.input)
    videos = [
        {
            "url": f"{media}/media/{generation.id}/{index}.mp4",
            "file_name": generation.faults.text("download-name", f"{generation.id}-{index}.mp4"),
            "content_type": "video/mp4",
            "width": WIDTH,
            "height": HEIGHT,
        }
        for index in range(count)
    ]
    return {
        "type": "video",
        "n": count,
        "actual_prompt": str(generation.input.get("prompt", "")),
        "videos": videos,
        "video": videos[0],
    }
