"""The forms of one path: with and without a final slash, with and without `/v1` or `/api/v1` in front."""

from __future__ import annotations

import re


def without_slash(path: str) -> str:
    """Give a path without a trailing slash."""
    return path.rstrip("/") or "/"


def route(path: str) -> str:
    """Give a path without a trailing slash and without `/v1` or `/api/v1` in front."""
    return without_slash(below_base(path))


def below_base(path: str) -> str:
    """Give a path without `/v1` or `/api/v1` in front: as it stands below the base URL."""
    return re.sub(r"^(?:/api)?/v1(?=/)", "", path)
