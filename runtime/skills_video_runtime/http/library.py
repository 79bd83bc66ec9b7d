"""Which library an HTTP client is of: httpx, or httpx2, which comes from it and has the same names."""

from __future__ import annotations

import sys
from typing import Any

import httpx

LIBRARIES = ("httpx", "httpx2")


def library_of(http: object) -> Any:
    """Give the module that the class of a client is from, or is derived from; httpx for all others."""
    for kind in type(http).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in LIBRARIES:
            return sys.modules[name]
    return httpx


def check_client(http: object, *, asynchronous: bool) -> None:
    """Refuse, by TypeError, what is no HTTP client of the kind that is needed."""
    name = "AsyncClient" if asynchronous else "Client"
    if not isinstance(http, getattr(library_of(http), name)):
        raise TypeError(f"http_client is an httpx.{name} here, or one of httpx2, not {http!r:.80}")
