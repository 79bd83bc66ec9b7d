"""Spans of OpenTelemetry, for a client that has a tracer: one for each call that makes or awaits a generation.

Names are those of the semantic conventions for generative AI where these have any. A span holds neither the key, nor
prompts, nor texts of the platform, which may repeat them. (extra: otel)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skills_video_runtime.classify import CODE
from skills_video_runtime.errors import SkillsVideoError
from skills_video_runtime.generations.progress import Event, Fallback, Retry

if TYPE_CHECKING:
    from skills_video_runtime.generations.progress import Report

OPERATION = "generate_content"  # there is no name of its own for videos


def check_tracer(tracer: object) -> Any:
    """Give a tracer, or refuse, by TypeError, what is none."""
    try:
        from opentelemetry.trace import Tracer  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("tracer needs an extra: pip install 'skills-video[otel]'") from error

    if not isinstance(tracer, Tracer):
        raise TypeError(f"tracer is one of OpenTelemetry, such as trace.get_tracer('films'), not {tracer!r:.80}")
    return tracer


class Trace:
    """The span of one call, and the hook that tells it of states. A child of the span that is current."""

    def __init__(self, tracer: Any, base_url: str, about: Any) -> None:
        from opentelemetry.trace import SpanKind  # noqa: PLC0415  # as above

        place, name = urlsplit(base_url), OPERATION
        facts: dict[str, Any] = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": "skills.video",
            "server.address": place.hostname or "",
        }
        if place.port is not None:
            facts["server.port"] = place.port
        model = getattr(getattr(about, "endpoint", None), "model", None)
        if isinstance(model, str):
            facts["gen_ai.request.model"] = model
            name = f"{OPERATION} {model}"
        elif isinstance(about, str):
            facts["gen_ai.response.id"] = about
        self.span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=facts)

    def __call__(self, told: Report) -> None:
        """Note what a call tells of its way."""
        if isinstance(told, Retry):
            self.span.add_event("skills_video.retry", {"request": told.request, "seconds": told.waited})
        elif isinstance(told, Fallback):
            self.span.add_event("skills_video.fallback", {"to": told.to})
        elif told.is_new:
            self._note_state(told)

    def _note_state(self, event: Event) -> None:
        facts: dict[str, Any] = {"status": _word(str(event.status)), "source": event.source}
        if event.queue_place is not None:
            facts["queue_place"] = event.queue_place
        self.span.add_event("skills_video.state", facts)
        if event.generation.id:
            self.span.set_attribute("gen_ai.response.id", event.generation.id)
        if event.generation.is_finished and event.generation.usage.total is not None:
            self.span.set_attribute("skills_video.usage.credits", event.generation.usage.total)

    def end(self, error: BaseException | None) -> None:
        """End the span; who leaves a stream early makes no error."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415  # as above

        if error is not None and not isinstance(error, GeneratorExit):
            self.span.set_attribute("error.type", type(error).__name__)
            if isinstance(error, SkillsVideoError) and error.code is not None:
                self.span.set_attribute("skills_video.error.code", _word(error.code))
            if isinstance(error, SkillsVideoError) and error.status is not None:
                self.span.set_attribute("http.response.status_code", error.status)
            self.span.set_status(StatusCode.ERROR)
        self.span.end()


def _word(told: str) -> str:
    """Give what is one word of the platform; what is more may repeat a prompt."""
    if CODE.fullmatch(told):
        return told
    return "_OTHER"
