"""Finished files: one small real MP4, with ranges, and with the faults of downloads."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response

from skills_video_runtime.sandbox.errors import error, query_fault
from skills_video_runtime.sandbox.ledger import videos_of
from skills_video_runtime.sandbox.responses import CutShort
from skills_video_runtime.sandbox.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from skills_video_runtime.sandbox.faults import Faults

SAMPLE: Final = Path(__file__).with_name("sample.mp4").read_bytes()
"""The served video: one second of 64 by 36 pixels, H.264."""
_ETAG: Final = f'"{hashlib.sha256(SAMPLE).hexdigest()[:16]}"'
_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


async def media(request: Request) -> Response:
    """Serve a file of a finished generation, to anyone who has its URL."""
    service = service_of(request)
    generation = service.ledger.get(request.path_params["generation"])
    index: int = request.path_params["index"]
    finished = generation is not None and generation.status(service.clock.now()) == "COMPLETED"
    if generation is None or not finished or index >= videos_of(generation.input):
        return error(404, "NOT_FOUND", "No such file")
    faults = generation.faults
    if (fault := query_fault(faults, "download")) is not None:
        return fault
    if "download-redirect" in faults:
        return RedirectResponse(faults.text("download-redirect"), 307)
    answer = _ranged(request, faults)
    if "download-length" in faults:
        return _misstated(answer, int(faults.number("download-length")))
    cut, _, times = faults.text("download-cut").partition(":")
    if faults.take("download-cut", int(times or 1)):
        return CutShort(answer, int(cut))
    return answer


def _ranged(request: Request, faults: Faults) -> Response:
    """The file, or the one range of it that was asked for (RFC 9110, section 14)."""
    headers = {"ETag": _ETAG, "Accept-Ranges": "bytes", "Content-Type": faults.text("download-type", "video/mp4")}
    if "download-changed" in faults:
        headers["ETag"] = f'"{uuid.uuid4().hex}"'
    if "download-no-range" in faults:
        headers["Accept-Ranges"] = "none"
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    unchanged = request.headers.get("if-range", headers["ETag"]) == headers["ETag"]
    if asked is None or not unchanged or request.method != "GET" or "download-no-range" in faults:
        return Response(SAMPLE, headers=headers)
    size = len(SAMPLE)
    first, last, final = asked.groups()
    start, end = int(first or 0), size
    if last:
        end = min(int(last) + 1, size)
    if final:
        start = max(size - int(final), 0)
    if start >= end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Response(SAMPLE[start:end], 206, headers)


def _misstated(answer: Response, offset: int) -> Response:
    """An answer that states a wrong length: too long, and it ends early; too short, and the rest is not sent."""
    body = bytes(answer.body)
    stated = max(len(body) + offset, 0)
    answer.headers["content-length"] = str(stated)
    answer.body = body[:stated]
    if stated > len(body):
        return CutShort(answer, len(body))
    return answer
