"""Spans of OpenTelemetry: one for each generation, with its states, and nothing that is nobody else's business."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from skills_video_runtime import errors
from skills_video_runtime.client import AsyncClient, Client
from tests.support.callers import Payload, use
from tests.support.children import finished
from tests.support.scripted import CREATE, KEY, RESULT, STREAM, Drop, Scripted, answer, chunk, events, frame, state
from tests.support.scripted import stream_head as head

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

PROMPT = "a secret plan"


class Spans:
    """A tracer, and the spans that it was given to the end."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("tests")

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()


@pytest.fixture
def spans() -> Spans:
    return Spans()


def states(span: ReadableSpan) -> list[object]:
    return [event.attributes["status"] for event in span.events if event.name == "skills_video.state"]


def shown(span: ReadableSpan) -> str:
    return span.to_json()


def test_a_generation_is_one_span_with_its_states_as_events(mode: str, server: Scripted, spans: Spans) -> None:
    server.on(STREAM, events(state("IN_QUEUE", queue_position=2), state("IN_QUEUE"), state("IN_PROGRESS"),
                             state("COMPLETED", usage={"total": 20})))  # fmt: skip
    with spans.tracer.start_as_current_span("mine"):
        use(mode, server.base, lambda client: client.generate(Payload(prompt=PROMPT)), tracer=spans.tracer)
    span, mine = spans.ended
    assert (span.name, span.kind, span.parent) == ("generate_content acme/one", SpanKind.CLIENT, mine.context)
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "skills.video",
        "gen_ai.request.model": "acme/one",
        "gen_ai.response.id": "gen_1",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "skills_video.usage.credits": 20,
    }
    assert states(span) == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert span.events[0].attributes["queue_place"] == 2
    assert span.status.status_code == StatusCode.UNSET
    assert not any(text in shown(span) for text in (KEY, PROMPT, "cdn.example"))


def test_a_failure_is_told_by_its_kind_and_not_in_the_words_of_the_platform(
    mode: str, server: Scripted, spans: Spans
) -> None:
    server.on(STREAM, events(state("FAILED", code="VIDEO_GENERATION_FAILED", message=f"no {PROMPT}")))
    with pytest.raises(errors.GenerationFailed):
        use(mode, server.base, lambda client: client.generate(Payload(prompt=PROMPT)), tracer=spans.tracer)
    [span] = spans.ended
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes["error.type"] == "GenerationFailed"
    assert span.attributes["skills_video.error.code"] == "VIDEO_GENERATION_FAILED"
    assert PROMPT not in shown(span)


def test_a_state_and_a_code_are_told_by_one_word_or_not_at_all(mode: str, server: Scripted, spans: Spans) -> None:
    last = state("FAILED", code=f"REFUSED: {PROMPT}")
    server.on(STREAM, events(state("WARMING_UP"), state(f"drawing {PROMPT}"), last))
    with pytest.raises(errors.GenerationFailed):
        use(mode, server.base, lambda client: client.generate(Payload(prompt=PROMPT)), tracer=spans.tracer)
    [span] = spans.ended
    assert states(span) == ["WARMING_UP", "_OTHER", "FAILED"]
    assert span.attributes["skills_video.error.code"] == "_OTHER"
    assert PROMPT not in shown(span)


def test_what_a_hook_raises_is_told_by_its_kind_alone(mode: str, server: Scripted, spans: Spans) -> None:
    def leave(_: object) -> None:
        raise SystemExit(PROMPT)

    server.on(STREAM, events(state("COMPLETED")))
    with pytest.raises(SystemExit):
        use(mode, server.base, lambda client: client.generate(Payload(), on_state=leave), tracer=spans.tracer)
    [span] = spans.ended
    assert (span.attributes["error.type"], PROMPT in shown(span)) == ("SystemExit", False)


def test_retries_and_a_stream_that_was_given_up_are_events(mode: str, server: Scripted, spans: Spans) -> None:
    server.on(STREAM, answer(429, {"message": PROMPT}), [head(), chunk(frame(state("IN_QUEUE"))), Drop])
    server.on(RESULT, answer(200, state("COMPLETED")))
    use(mode, server.base, lambda client: client.generate(Payload()), tracer=spans.tracer)
    [span] = spans.ended
    assert [event.name.rpartition(".")[2] for event in span.events] == ["retry", "state", "fallback", "state"]
    assert PROMPT not in shown(span)


def test_each_of_many_submit_wait_and_a_stream_have_spans(mode: str, server: Scripted, spans: Spans) -> None:
    ids = iter(["gen_1", "gen_2", "gen_3"])
    server.on(STREAM, lambda _: events(state("COMPLETED", next(ids))))
    server.on(CREATE, answer(200, state("IN_QUEUE", "gen_9")))
    server.on(RESULT.replace("gen_1", "gen_9"), answer(200, state("COMPLETED", "gen_9")))
    with_spans = {"tracer": spans.tracer}
    use(mode, server.base, lambda client: client.generate_many([Payload()] * 2), **with_spans)
    use(mode, server.base, lambda client: client.stream(Payload()), **with_spans)
    use(mode, server.base, lambda client: client.submit(Payload()), **with_spans)
    use(mode, server.base, lambda client: client.wait("gen_9"), **with_spans)
    assert [span.name for span in spans.ended] == ["generate_content acme/one"] * 4 + ["generate_content"]
    assert sorted(span.attributes["gen_ai.response.id"] for span in spans.ended) == [
        "gen_1", "gen_2", "gen_3", "gen_9", "gen_9",
    ]  # fmt: skip


def test_a_failure_among_many_is_told_of_its_span(mode: str, server: Scripted, spans: Spans) -> None:
    server.on(STREAM, events(state("FAILED", code="VIDEO_GENERATION_FAILED")))
    [result] = use(mode, server.base, lambda client: client.generate_many([Payload()]), tracer=spans.tracer)
    [span] = spans.ended
    assert isinstance(result.error, errors.GenerationFailed)
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "GenerationFailed")


def test_a_stream_that_is_left_early_ends_its_span_without_an_error(server: Scripted, spans: Spans) -> None:
    server.on(STREAM, [head(), chunk(frame(state("IN_QUEUE"))), Drop])
    with Client(KEY, server.base, tracer=spans.tracer) as client:
        stream = client.stream(Payload())
        next(stream)
        stream.close()
    [span] = spans.ended
    assert (span.status.status_code, states(span)) == (StatusCode.UNSET, ["IN_QUEUE"])


@pytest.mark.parametrize("tracer", ["films", object(), True, TracerProvider])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_is_no_tracer_is_refused(kind: Any, tracer: Any) -> None:
    with pytest.raises(TypeError, match="tracer"):
        kind(KEY, "https://platform.example", tracer=tracer)


def test_nothing_of_it_is_imported_without_a_tracer_nor_needed(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    program = (
        "import sys; sys.modules['opentelemetry'] = sys.modules['opentelemetry.trace'] = None\n"
        "from skills_video_runtime.client import Client\n"
        "from tests.support.callers import Payload\n"
        f"with Client('{KEY}', '{server.base}') as client: print(client.generate(Payload()).status)\n"
        f"try: Client('{KEY}', '{server.base}', tracer=1)\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    done = finished([sys.executable, "-c", program])
    assert done.stdout == "COMPLETED\ntracer needs an extra: pip install 'skills-video[otel]'\n"
