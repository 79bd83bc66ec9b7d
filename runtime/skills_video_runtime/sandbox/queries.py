"""The endpoints that ask: result, running list, balance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from skills_video_runtime.sandbox import answers
from skills_video_runtime.sandbox.errors import error, query_fault
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

_WORKSPACE: Final = "default"
_LIMIT: Final = 50


async def result(request: Request, generation_id: str) -> Response:
    """State and result of one generation."""
    service = service_of(request)
    generation = service.ledger.get(generation_id)
    if generation is None:
        return error(404, "NOT_FOUND", f"No generation {generation_id}")
    fault = query_fault(generation.faults, "result")
    return fault or JSONResponse(answers.result(generation, service.clock.now(), service.media(request)))


async def running(request: Request) -> Response:
    """Unfinished generations, newest first; the key belongs to the one workspace `default`."""
    service = service_of(request)
    stated = request.query_params.get("limit", str(_LIMIT))
    if not re.fullmatch("0*([1-9][0-9]?|100)", stated):
        return error(400, "VIDEO_GENERATION_INVALID_INPUT", f"limit must be from 1 to 100, not {stated!r}")
    if (fault := query_fault(service.armed, "running")) is not None:
        return fault
    if request.query_params.get("workspace", _WORKSPACE) != _WORKSPACE:
        return JSONResponse([])
    now = service.clock.now()
    return JSONResponse([answers.submission(each, now) for each in service.ledger.running(now, int(stated))])


async def balance(request: Request) -> Response:
    """Credits left."""
    service = service_of(request)
    return query_fault(service.armed, "credits") or JSONResponse(service.ledger.credits.as_json())
