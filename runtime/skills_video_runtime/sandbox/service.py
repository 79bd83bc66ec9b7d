"""All that one sandbox knows, as its endpoints see it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from skills_video_runtime.sandbox.faults import Faults, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from skills_video_runtime.sandbox.clock import Clock
    from skills_video_runtime.sandbox.description import Description
    from skills_video_runtime.sandbox.ledger import Ledger
    from skills_video_runtime.sandbox.validation import Judge

BASE: Final = "/api/v1"
"""Path below which the platform's endpoints are."""
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Header fields by lower-case name, the key included."""


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The parts of one sandbox."""

    api_key: str
    description: Description
    judge: Judge
    ledger: Ledger
    clock: Clock
    plan: Plan = field(default_factory=Plan)
    armed: Faults = field(default_factory=Faults)
    """Faults of running lists and balances, which belong to no generation."""
    media_host: str | None = None
    """Host name in the URLs of files; None for the one that the client used."""
    seen: deque[RecordedRequest] = field(default_factory=partial(deque[RecordedRequest], maxlen=_REMEMBERED))
    """The latest requests."""

    def media(self, request: Request) -> str:
        """Origin of the URLs of files, as this client reaches it."""
        url = request.base_url
        if self.media_host:
            url = url.replace(hostname=self.media_host)
        return str(url).rstrip("/")


def service_of(request: Request) -> Service:
    """The sandbox that a request came to."""
    return cast("Service", request.app.state.service)
