"""Paths: one in all its forms, with and without a final slash, `/v1` or `/api/v1`; and the model that it names."""

from __future__ import annotations

import re

RESULT = "/generation/{id}"
"""Where the platform gives the state of a generation, whatever its model."""

_MODEL = re.compile(r"/generation/(?:sse/)?(?P<model>[A-Za-z0-9._~@:+-]+(?:/[A-Za-z0-9._~@:+-]+)*)")


def without_slash(path: str) -> str:
    """Give a path without a trailing slash."""
    return path.rstrip("/") or "/"


def route(path: str) -> str:
    """Give a path without a trailing slash and without `/v1` or `/api/v1` in front."""
    return without_slash(below_base(path))


def below_base(path: str) -> str:
    """Give a path without `/v1` or `/api/v1` in front: as it stands below the base URL."""
    return re.sub(r"^(?:/api)?/v1(?=/)", "", path)


def model_in(method: str, path: str) -> str:
    """Give the model that an operation generates with, empty where it does not."""
    path = route(path)
    match = _MODEL.fullmatch(path)
    if method != "post" or match is None or any(set(part) <= {"."} for part in path.split("/")[1:]):
        return ""
    return match["model"]
