"""The sandbox's own endpoints, outside the platform's: counts, faults, the clock.

They take no key, and so nothing from a page that a browser shows, under whatever name it reaches this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from skills_video_runtime.http.addresses import is_loopback
from skills_video_runtime.sandbox import strict_json
from skills_video_runtime.sandbox.faults import FaultError, parse
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.types import Scope

PREFIX: Final = "/sandbox/"
"""What their paths begin with."""


def refusal(scope: Scope, headers: Headers) -> Response | None:
    """Refuse a request that another origin may have caused, be it under a name that leads here (DNS rebinding).

    The host that is asked for must be loopback, or the address that the connection came to.
    """
    host = headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    is_ours = is_loopback(name) or name == scope["server"][0]
    is_same = headers.get("origin", f"http://{host}") == f"http://{host}"
    if is_ours and is_same and headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return None
    return JSONResponse({"message": f"{PREFIX} takes no request of another origin, nor for another host"}, 403)


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
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("the body must be JSON, and its type application/json")
    loaded: Any = strict_json.loads(await request.body())
    if not isinstance(loaded, dict):
        raise ValueError("the body must be an object")  # noqa: TRY004 - as json.loads raises for a broken body
    return cast("dict[str, Any]", loaded)
