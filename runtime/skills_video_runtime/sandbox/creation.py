"""The endpoints that create generations, in JSON and as a stream, with the faults around the work."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, RedirectResponse, Response

from skills_video_runtime.sandbox import answers, strict_json
from skills_video_runtime.sandbox.event_stream import event_stream
from skills_video_runtime.sandbox.faults import HEADER, FaultError, Faults, parse
from skills_video_runtime.sandbox.form import FormError, Upload, read_form
from skills_video_runtime.sandbox.ledger import OutOfCreditsError
from skills_video_runtime.sandbox.responses import CutShort, HangUp, Silence
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from skills_video_runtime.sandbox.description import Operation
    from skills_video_runtime.sandbox.ledger import Generation
    from skills_video_runtime.sandbox.service import Service

_SERVER_ERRORS = (500, 502, 503, 504)
_INVALID = "VIDEO_GENERATION_INVALID_INPUT"


async def create(request: Request, operation: Operation) -> Response:
    """Create a generation: the faults before the work, the work, the faults after it, the answer."""
    service = service_of(request)
    try:
        faults = parse(request.headers.get(HEADER, ""))
    except FaultError as error:
        return answers.error(400, "SANDBOX_UNKNOWN_FAULT", str(error))
    faults.add(service.plan.deal())
    service.armed.add(faults, "running-")
    service.armed.add(faults, "credits-")
    await request.body()
    if "delay" in faults:
        await asyncio.sleep(faults.number("delay"))
    if (refused := _before(operation, faults)) is not None:
        return refused
    made = await _make(request, operation, service, faults)
    if isinstance(made, Response):
        return made
    if "delay-after" in faults:
        await asyncio.sleep(faults.number("delay-after"))
    return _after(faults) or _answer(request, operation, service, made)


def error_shape(faults: Faults) -> str:
    """The shape of errors that the faults ask for, as in `answers.error`."""
    return faults.text("errors", "oldest" if "older" in faults else "newest")


def _before(operation: Operation, faults: Faults) -> Response | None:
    if operation.stream and "no-stream" in faults:
        return answers.proxy_error(int(faults.number("no-stream", 404)), html=False, shape=error_shape(faults))
    if "drop-before" in faults:
        return HangUp(reset=faults.text("drop-before") == "reset")
    if "silence-before" in faults:
        return Silence()
    if "redirect" in faults:
        return RedirectResponse(faults.text("redirect"), 307)
    if "429" in faults:
        return answers.rate_limited(_retry_after(faults.text("429")), error_shape(faults))
    return _server_error(faults, "before")


def _after(faults: Faults) -> Response | None:
    if "drop-after" in faults:
        return HangUp(reset=faults.text("drop-after") == "reset")
    if "silence-after" in faults:
        return Silence()
    return _server_error(faults, "after")


def _server_error(faults: Faults, when: str) -> Response | None:
    for status in _SERVER_ERRORS:
        if (name := f"{status}-{when}") in faults:
            return answers.proxy_error(status, html=faults.text(name) != "json", shape=error_shape(faults))
    return None


def _retry_after(argument: str) -> str | None:
    if argument.startswith("date:"):
        return formatdate(time.time() + float(argument.removeprefix("date:")), usegmt=True)
    return argument or None


async def _make(request: Request, operation: Operation, service: Service, faults: Faults) -> Generation | Response:
    """Check the body and make what it asks for, or tell why not."""
    shape = error_shape(faults)
    uploads: tuple[Upload, ...] = ()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    pointer = operation.pointer
    body: Any
    if kind == "multipart/form-data" and not operation.stream and operation.form_pointer is not None:
        pointer = operation.form_pointer
        try:
            body, uploads = await read_form(request, service.judge, pointer, service.media(request))
        except FormError as error:
            return answers.error(400, _INVALID, str(error), shape=shape)
    elif kind == "application/json":
        try:
            body = strict_json.loads(await request.body())
        except ValueError as error:
            return answers.error(400, _INVALID, f"The body is not JSON: {error}", shape=shape)
    else:
        return answers.error(400, _INVALID, f"This endpoint takes no body of type {kind or 'unknown'}", shape=shape)
    if wrong := service.judge.errors(pointer, body):
        return answers.error(422, _INVALID, "; ".join(wrong), shape=shape)
    if not isinstance(body, dict):
        return answers.error(422, _INVALID, "The body is not an object", shape=shape)
    sent = cast("dict[str, Any]", body)
    try:
        return service.ledger.make(
            operation.model,
            sent=sent,
            normalised=service.judge.normalised(pointer, sent),
            uploads=uploads,
            faults=faults,
            now=service.clock.now(),
        )
    except OutOfCreditsError as error:
        code = "VIDEO_GENERATION_INSUFFICIENT_CREDITS"
        return answers.error(402, code, f"Insufficient credits: {error}", shape=shape)


def _answer(request: Request, operation: Operation, service: Service, generation: Generation) -> Response:
    faults = generation.faults
    if operation.stream and "json" not in faults:
        return event_stream(generation, service.clock, service.media(request))
    answer = JSONResponse(answers.submission(generation, service.clock.now()))
    if "cut" in faults:
        return CutShort(answer, int(faults.number("cut")))
    if "drop-after-id" in faults:
        identified = bytes(answer.body).index(generation.id.encode()) + len(generation.id) + 1
        return CutShort(answer, identified, reset=faults.text("drop-after-id") == "reset")
    return answer
