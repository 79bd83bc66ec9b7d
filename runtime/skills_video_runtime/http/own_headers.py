"""Headers of the caller's own, which go to the platform with each request and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from skills_video_runtime.version import __version__

USER_AGENT = f"skills-video/{__version__}"
OWNED = frozenset({
    "authorization", "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "accept",
    "accept-encoding", "cache-control", "connection", "keep-alive", "te", "trailer", "upgrade", "expect", "range",
    "if-range", "last-event-id", "proxy-authorization", "proxy-connection",
})  # fmt: skip
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[!-~]([\t -~]*[!-~])?")


def own_headers(given: object) -> dict[str, str]:
    """Read the headers that a client is given. No TypeError or ValueError repeats a value, which may be a secret."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"headers is a mapping of names to texts, not of type {type(given).__name__}")
    headers: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", given).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers: name and value of {name!r:.80} must be texts")
        if not NAME.fullmatch(name):
            raise ValueError(f"headers: {name!r:.80} is no name of a header")
        if name.lower() in OWNED:
            raise ValueError(f"headers: {name} is set by the library itself")
        if name.lower() in headers:
            raise ValueError(f"headers: {name} stands there twice")
        if not VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {name} must be printable ASCII, without spaces around it")
        headers[name.lower()] = value
    return headers


def beside(lent: Any, own: Mapping[str, str]) -> dict[str, str]:
    """Give what is sent beside the headers of an HTTP client, whose own `User-Agent` stays if its owner has set one."""
    headers = {"user-agent": USER_AGENT, **own}
    if lent is not None and "user-agent" not in own:
        theirs: str = lent.headers.get("user-agent", USER_AGENT)
        if not theirs.startswith("python-httpx"):
            headers["user-agent"] = theirs
    return headers
