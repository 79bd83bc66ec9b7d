"""What the verbs of a client take beside a payload, for type checkers. Nothing imports it at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    from skills_video_runtime.generations.progress import OnEvent, OnState
    from skills_video_runtime.http.session import Where

Data = Mapping[str, object]


class Tracing(Protocol):
    """A `Tracer` of OpenTelemetry, which need not be installed."""

    def start_span(self, name: str, *args: Any, **options: Any) -> Any: ...  # noqa: D102


class SyncHTTP(Protocol):
    """An `httpx.Client`, or that of httpx2, which need not be installed."""

    @property
    def is_closed(self) -> bool: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class AsyncHTTP(Protocol):
    """An `httpx.AsyncClient`, or that of httpx2."""

    @property
    def is_closed(self) -> bool: ...  # noqa: D102
    async def aclose(self) -> None: ...  # noqa: D102


class Beginning(TypedDict, total=False):
    """The options of all that make a generation."""

    key: str | None
    timeout: float | None


class Streaming(Beginning, total=False):
    """The options of `stream`."""

    on_event: OnEvent | None


class Generating(Streaming, total=False):
    """The options of `generate`."""

    on_state: OnState | None


class Submitting(Beginning, total=False):
    """The options of `submit`."""

    journal: Where | None
