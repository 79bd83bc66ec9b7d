"""The endpoints that create generations, in JSON and as a stream, with the faults around the work."""

from __future__ import annotations

import asyncio
import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response

from skills_video_runtime.sandbox import answers, errors, strict_json
from skills_video_runtime.sandbox.event_stream import EventStream
from skills_video_runtime.sandbox.faults import HEADER, FaultError, parse
from skills_video_runtime.sandbox.form import FormError, Upload, read_form
from skills_video_runtime.sandbox.ledger import OutOfCreditsError
from skills_video_runtime.sandbox.responses import CutShort
from skills_video_runtime.sandbox.service import KeyConflictError, service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from skills_video_runtime.sandbox.description import Operation
    from skills_video_runtime.sandbox.faults import Faults
    from skills_video_runtime.sandbox.ledger import Generation
    from skills_video_runtime.sandbox.service import Service

_INVALID = "VIDEO_GENERATION_INVALID_INPUT"


async def create(request: Request, operation: Operation) -> Response:
    """Create a generation: the faults before the work, the work, the faults after it, the answer."""
    service = service_of(request)
    try:
        faults = parse(request.headers.get(HEADER, ""))
    except FaultError as error:
        return errors.error(400, "SANDBOX_UNKNOWN_FAULT", str(error))
    faults.add(service.plan.deal())
    service.armed.add(faults, "running-")
    service.armed.add(faults, "credits-")
    await request.body()
    if "delay" in faults:
        await asyncio.sleep(faults.number("delay"))
    if operation.stream and "no-stream" in faults:
        return errors.status_error(int(faults.number("no-stream", 404)), faults)
    if (fault := errors.fault_before_work(faults)) is not None:
        return fault
    key = request.headers.get(operation.key_header or "-", "")
    if operation.needs_key and not key:
        return errors.error(400, "IDEMPOTENCY_KEY_REQUIRED", f"The header {operation.key_header} is required")
    if not key or "ignore-key" in faults:
        made = await _make(request, operation, service, faults)
    else:
        made = await _made_once(request, operation, service, faults, key)
    if isinstance(made, Response):
        return made
    if "delay-after" in faults:
        await asyncio.sleep(faults.number("delay-after"))
    return errors.fault_after_work(faults) or _answer(request, operation, service, made, faults)


async def _made_once(
    request: Request, operation: Operation, service: Service, faults: Faults, key: str
) -> Generation | Response:
    """Make what a body asks for, or give what its key has made before."""
    post = sha256(request.url.path.encode() + b"\0" + await request.body()).hexdigest()
    try:
        name = service.known.begin(key, post)
    except KeyConflictError as error:
        return errors.error(error.status, "IDEMPOTENCY_CONFLICT", str(error), shape=errors.error_shape(faults))
    if name is not None:
        return cast("Generation", service.ledger.get(name))
    made = await _make(request, operation, service, faults)
    if isinstance(made, Response):
        service.known.forget(key)
    else:
        service.known.end(key, made.id)
    return made


async def _make(request: Request, operation: Operation, service: Service, faults: Faults) -> Generation | Response:
    """Check the body and make what it asks for, or tell why not."""
    shape = errors.error_shape(faults)
    uploads: tuple[Upload, ...] = ()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in operation.bodies:
        return errors.error(400, _INVALID, f"This endpoint takes no body of type {kind or 'unknown'}", shape=shape)
    pointer = operation.bodies[kind]
    body: Any
    if kind != "application/json":
        try:
            body, uploads = await read_form(request, service.judge, pointer, service.media(request))
        except FormError as error:
            return errors.error(400, _INVALID, str(error), shape=shape)
    else:
        try:
            body = strict_json.loads(await request.body())
        except ValueError as error:
            return errors.error(400, _INVALID, f"The body is not JSON: {error}", shape=shape)
    if wrong := service.judge.errors(pointer, body):
        return errors.error(422, _INVALID, "; ".join(wrong), shape=shape)
    if not isinstance(body, dict):
        return errors.error(422, _INVALID, "The body is not an object", shape=shape)
    sent, now = cast("dict[str, Any]", body), service.clock.now()
    room = service.ledger.turn(now)
    if service.is_refusing and room > now:
        return errors.rate_limited(f"{math.ceil((room - now) / (service.clock.speed or 1))}", faults)
    try:
        generation = service.ledger.make(
            operation.model,
            sent=sent,
            normalised=service.judge.normalised(pointer, sent),
            uploads=uploads,
            faults=faults,
            now=now,
        )
    except OutOfCreditsError as error:
        code = "VIDEO_GENERATION_INSUFFICIENT_CREDITS"
        return errors.error(402, code, f"Insufficient credits: {error}", shape=shape)
    if service.webhooks is not None and not operation.stream:
        service.webhooks.follow(generation.id)
    return generation


def _answer(
    request: Request, operation: Operation, service: Service, generation: Generation, faults: Faults
) -> Response:
    if operation.stream and "json" not in faults:
        return EventStream(generation, service, service.media(request), faults)
    answer = JSONResponse(answers.submission(generation, service.clock.now()))
    if "cut" in faults:
        return CutShort(answer, int(faults.number("cut")))
    if "drop-after-id" in faults:
        identified = bytes(answer.body).index(generation.id.encode()) + len(generation.id) + 1
        return CutShort(answer, identified, reset=faults.text("drop-after-id") == "reset")
    return answer
