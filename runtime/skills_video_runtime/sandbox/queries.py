"""The endpoints that ask: result, running list, balance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from skills_video_runtime.sandbox import answers
from skills_video_runtime.sandbox.creation import error_shape
from skills_video_runtime.sandbox.responses import HangUp, Silence
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from skills_video_runtime.sandbox.faults import Faults

_WORKSPACE: Final = "default"
_LIMIT: Final = 50


async def result(request: Request, generation_id: str) -> Response:
    """State and result of one generation."""
    service = service_of(request)
    generation = service.ledger.get(generation_id)
    if generation is None:
        return answers.error(404, "NOT_FOUND", f"No generation {generation_id}")
    trouble = troubled(generation.faults, "result")
    return trouble or JSONResponse(answers.result(generation, service.clock.now(), service.media(request)))


async def running(request: Request) -> Response:
    """Unfinished generations, newest first; the key belongs to the one workspace `default`."""
    service = service_of(request)
    stated = request.query_params.get("limit", str(_LIMIT))
    if not re.fullmatch("0*([1-9][0-9]?|100)", stated):
        return answers.error(400, "VIDEO_GENERATION_INVALID_INPUT", f"limit must be from 1 to 100, not {stated!r}")
    if (trouble := troubled(service.armed, "running")) is not None:
        return trouble
    now = service.clock.now()
    mine = request.query_params.get("workspace", _WORKSPACE) == _WORKSPACE
    generations = service.ledger.running(now, int(stated)) if mine else []
    return JSONResponse([answers.submission(generation, now) for generation in generations])


async def balance(request: Request) -> Response:
    """Credits left."""
    service = service_of(request)
    return troubled(service.armed, "credits") or JSONResponse(service.ledger.credits.as_json())


def troubled(faults: Faults, target: str) -> Response | None:
    """What goes wrong with a question of some kind (`result`, `running`, `credits`, `download`), if anything."""
    if faults.take(f"{target}-drop"):
        return HangUp()
    if faults.take(f"{target}-silence"):
        return Silence()
    if faults.take(f"{target}-429"):
        return answers.rate_limited(None, error_shape(faults))
    for status in (403, 404):
        if faults.take(f"{target}-{status}"):
            return answers.proxy_error(status, html=False, shape=error_shape(faults))
    for status in (500, 502, 503, 504):
        if faults.take(f"{target}-{status}"):
            return answers.proxy_error(status, html=True)
    return None
