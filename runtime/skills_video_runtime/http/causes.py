"""The exceptions of libraries, as the `__cause__` of ours: without what would show the key to who looks into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .key import Key

HOLDERS = ("_request", "request", "_response", "response")
"""What exceptions of HTTP libraries have, and what has the headers that were sent."""


def cause_of(error: Exception, key: Key) -> Exception | None:
    """Give an exception and all that led to it without frames and requests, which hold the key; None if a text does."""
    links: list[BaseException] = [error]
    seen: set[int] = set()
    for link in links:
        if id(link) in seen:
            continue
        seen.add(id(link))
        if key.redact(str(link)) != str(link):
            return None
        link.__traceback__ = None
        for name in HOLDERS:
            if name in vars(link):
                vars(link)[name] = None
        links += filter(None, (link.__cause__, link.__context__))
        parts: tuple[BaseException, ...] = getattr(link, "exceptions", ())  # of a group
        links += parts
    return error
