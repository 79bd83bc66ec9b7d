"""`on_event` is told whatever the platform tells of a generation, `on_state` each new state; both by one hook."""

from __future__ import annotations

from typing import Any

import pytest

from skills_video_runtime import Event, errors
from skills_video_runtime.client import AsyncClient, Client
from tests.support.callers import Payload, use
from tests.support.scripted import KEY, RESULT, STREAM, Drop, Scripted, answer, chunk, events, frame, state, stream_head

WAITING = [state("IN_QUEUE", queue_position=place) for place in (3, 2, 2)]


def told(seen: list[Event]) -> list[tuple[str, str, int | None, bool]]:
    return [(event.status, event.source, event.queue_place, event.is_new) for event in seen]


def test_each_event_of_a_stream_is_told_and_each_state_once(mode: str, server: Scripted) -> None:
    seen: list[Event] = []
    states: list[Any] = []
    server.on(STREAM, events(*WAITING, state("IN_PROGRESS"), state("IN_PROGRESS"), state("COMPLETED")))
    result = use(
        mode,
        server.base,
        lambda client: client.generate(Payload(), on_state=states.append, on_event=seen.append),
    )
    assert told(seen) == [
        ("IN_QUEUE", "stream", 3, True),
        ("IN_QUEUE", "stream", 2, False),
        ("IN_QUEUE", "stream", 2, False),
        ("IN_PROGRESS", "stream", None, True),
        ("IN_PROGRESS", "stream", None, False),
        ("COMPLETED", "stream", None, True),
    ]
    assert [item.status for item in states] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert (seen[-1].generation, seen[-1].index) == (result, None)


def test_each_look_is_told_after_the_stream_and_of_wait(mode: str, server: Scripted) -> None:
    looks = [answer(200, state("IN_QUEUE", queue={"position": 7})), answer(200, state("IN_QUEUE"))]
    server.on(STREAM, [stream_head(), chunk(frame(WAITING[0])), Drop]).on(
        RESULT, *looks, answer(200, state("COMPLETED"))
    )
    seen: list[Event] = []
    use(mode, server.base, lambda client: client.generate(Payload(), on_event=seen.append))
    polled = [("IN_QUEUE", "poll", 7, False), ("IN_QUEUE", "poll", None, False), ("COMPLETED", "poll", None, True)]
    assert told(seen) == [("IN_QUEUE", "stream", 3, True), *polled]
    server.rewind()
    seen.clear()
    use(mode, server.base, lambda client: client.wait("gen_1", on_event=seen.append))
    assert told(seen) == [("IN_QUEUE", "poll", 7, True), *polled[1:]]


def test_a_stream_is_told_of_before_each_state_is_given(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(*WAITING, state("COMPLETED")))
    seen: list[Event] = []
    given = use(mode, server.base, lambda client: client.stream(Payload(), on_event=seen.append))
    assert [item.status for item in given] == ["IN_QUEUE", "COMPLETED"]
    assert len(seen) == 4


def test_many_are_told_apart_by_their_place(mode: str, server: Scripted) -> None:
    ids = iter(["gen_1", "gen_2"])
    server.on(STREAM, lambda _: events(state("COMPLETED", next(ids))))
    seen: list[Event] = []
    made = use(mode, server.base, lambda client: client.generate_many([Payload()] * 2, on_event=seen.append))
    assert {event.index: event.generation for event in seen} == {result.index: result.generation for result in made}


@pytest.mark.parametrize("place", ["3", True, -1, 2.5, None, {"position": "3"}])
def test_what_is_no_place_is_none(place: Any) -> None:
    assert use_of(queue_position=place).queue_place is None


@pytest.mark.parametrize("more", [{"queuePosition": 0}, {"position": 0}, {"queue": {"queue_place": 0}}])
def test_the_place_is_found_under_the_names_that_such_platforms_use(more: dict[str, Any]) -> None:
    assert use_of(**more).queue_place == 0


def use_of(**more: Any) -> Any:
    from skills_video_runtime.generations.states import Generation  # noqa: PLC0415

    return Generation.parse(state("IN_QUEUE", **more))


async def awaited(event: Event) -> None:  # an asynchronous hook
    SEEN.append(event)


SEEN: list[Event] = []


def test_an_asynchronous_on_event_is_awaited_and_a_synchronous_client_refuses_it(server: Scripted) -> None:
    SEEN.clear()
    server.on(STREAM, events(*WAITING, state("COMPLETED")))
    use("asyncio", server.base, lambda client: client.generate(Payload(), on_event=awaited))
    assert len(SEEN) == 4
    with Client(KEY, server.base) as client:
        for begin in (client.generate, client.stream, client.generate_many):
            with pytest.raises(TypeError, match="on_event"):
                begin(Payload(), on_event=awaited)
    assert len(server.requests) == 1


@pytest.mark.parametrize("hook", ["tell", 1, [print]])
@pytest.mark.parametrize("name", ["on_event", "on_state"])
def test_what_cannot_be_called_is_refused_and_nothing_sent(mode: str, name: str, hook: Any, server: Scripted) -> None:
    with pytest.raises(TypeError, match=name):
        use(mode, server.base, lambda client: client.generate(Payload(), **{name: hook}))
    with pytest.raises(TypeError, match="on_event"):
        use(mode, server.base, lambda client: client.generate_many([Payload()], on_event=hook))
    assert server.requests == []


def test_what_a_hook_raises_comes_out_and_tells_the_id(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("IN_QUEUE"), state("COMPLETED")))

    def fail(_: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        use(mode, server.base, lambda client: client.generate(Payload(), on_event=fail))
    assert "gen_1" in "".join(caught.value.__notes__)


def test_a_failure_is_told_before_it_is_raised(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("FAILED")))
    seen: list[Event] = []
    with pytest.raises(errors.GenerationFailed):
        use(mode, server.base, lambda client: client.generate(Payload(), on_event=seen.append))
    assert told(seen) == [("FAILED", "stream", None, True)]


def test_both_clients_take_it_where_they_take_on_state() -> None:
    for kind in (Client, AsyncClient):
        for verb in (kind.generate, kind.wait, kind.stream, kind.generate_many):
            assert "on_event" in verb.__annotations__
