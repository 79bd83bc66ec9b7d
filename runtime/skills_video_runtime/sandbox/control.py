"""The sandbox's own endpoints, outside the platform's: counts, faults, the clock. They take no key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from starlette.responses import JSONResponse, Response

from skills_video_runtime.sandbox import strict_json
from skills_video_runtime.sandbox.faults import FaultError, parse
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request


async def statistics(request: Request) -> Response:
    """`GET /sandbox/stats`: what was made, credits, requests."""
    service = service_of(request)
    return JSONResponse(service.ledger.statistics(service.clock.now()))


async def faults(request: Request) -> Response:
    """`POST /sandbox/faults`: change the plan.

    The body is an object with any of `clear` (true: forget the plan first), `plan` (a list of steps as in `Plan.add`)
    and `arm` (faults of running lists and balances that hold from now on).
    """
    service = service_of(request)
    try:
        body = await _object(request)
        given = body.get("plan", [])
        if not isinstance(given, list):
            raise FaultError("plan must be a list of texts")
        steps = cast("list[object]", given)
        armed = parse(str(body.get("arm", "")))
        if body.get("clear"):
            service.plan.clear()
        service.plan.add(str(step) for step in steps)
        service.armed.add(armed)
    except ValueError as error:
        return JSONResponse({"message": str(error)}, 400)
    return Response(status_code=204)


async def clock(request: Request) -> Response:
    """`POST /sandbox/clock`: move the clock ahead by `{"advance": seconds}`, in sandbox seconds."""
    service = service_of(request)
    try:
        service.clock.advance(float((await _object(request))["advance"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        return JSONResponse({"message": f"advance must be a number of seconds ({error})"}, 400)
    return JSONResponse({"now": service.clock.now()})


async def _object(request: Request) -> dict[str, Any]:
    loaded: Any = strict_json.loads(await request.body())
    if not isinstance(loaded, dict):
        raise ValueError("the body must be an object")  # noqa: TRY004 - as json.loads raises for a broken body
    return cast("dict[str, Any]", loaded)
