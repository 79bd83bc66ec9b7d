"""The endpoints that ask: result, running list, balance; and what a description may offer on one generation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from skills_video_runtime.sandbox import answers
from skills_video_runtime.sandbox.errors import error, query_fault
from skills_video_runtime.sandbox.event_stream import EventStream
from skills_video_runtime.sandbox.faults import Faults
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from skills_video_runtime.sandbox.ledger import Generation

_WORKSPACE: Final = "default"
_LIMIT: Final = 50


def _asked_for(request: Request, generation_id: str) -> Generation:
    generation = service_of(request).ledger.get(generation_id)
    if generation is None:
        raise HTTPException(404, f"No generation {generation_id}")
    return generation


async def result(request: Request, generation_id: str) -> Response:
    """State and result of one generation."""
    service, generation = service_of(request), _asked_for(request, generation_id)
    fault = query_fault(generation.faults, "result")
    return fault or JSONResponse(answers.result(generation, service.clock.now(), service.media(request)))


async def cancel(request: Request) -> Response:
    """Cancel a generation. What goes wrong goes wrong after that, as an answer that is lost does."""
    generation_id: str = request.path_params["id"]
    service, generation = service_of(request), _asked_for(request, generation_id)
    is_canceled = service.ledger.cancel(generation_id, service.clock.now())
    service.clock.wake()
    fault = query_fault(generation.faults, "cancel")
    if fault is not None:
        return fault
    if not is_canceled:
        status = generation.status(service.clock.now())
        return error(409, "CONFLICT", f"Generation {generation_id} is over: it is {status}")
    return await result(request, generation_id)


async def subscribe(request: Request) -> Response:
    """The stream of a generation: from its state of now on, or after the event that `Last-Event-ID` names."""
    service, generation = service_of(request), _asked_for(request, request.path_params["id"])
    fault = query_fault(generation.faults, "subscribe")
    if fault is not None:
        return fault
    now = service.clock.now()
    told = max(sum(phase.since <= now for phase in generation.phases) - 1, 0)
    last = request.headers.get("last-event-id", "")
    if re.fullmatch("[0-9]{1,9}", last):
        told = min(int(last), len(generation.phases))
    return EventStream(generation, service, service.media(request), Faults(), told)


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
