"""Every schedule of faults up to a depth of four, and random ones far beyond: one payment, no loss, always an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skills_video_runtime.errors import (
    APIError,
    ConnectionFailed,
    GenerationFailed,
    GenerationTimeout,
    NotFound,
    SkillsVideoError,
    SubmissionUncertain,
)
from skills_video_runtime.generations.states import Generation
from tests.support.simulation import POST_FAULTS, Payload, Post, Step, World, call_of, drive, faults_of, scripted

DEPTH = 4


class Explorer:
    """Runs schedules, and learns from each which kind of request comes after its last fault."""

    def __init__(self, timeout: float = 900.0) -> None:
        self.timeout = timeout
        self.schedules = 0
        self.endings: dict[str, int] = {}

    def explore(self, prefix: tuple[str, ...]) -> None:
        following = self.run(prefix)
        if len(prefix) < DEPTH:
            for fault in following:
                self.explore((*prefix, fault))

    def run(self, faults: tuple[str, ...]) -> tuple[str, ...]:
        world, left = World(), list(faults)
        following: tuple[str, ...] = ()

        def choose(step: Step) -> str:
            nonlocal following
            if left:
                return left.pop(0)
            following = following or faults_of(step)
            return "fine"

        ending = conclude(world, choose, self.timeout, faults)
        self.schedules += 1
        self.endings[ending] = self.endings.get(ending, 0) + 1
        return following


def conclude(world: World, choose: object, timeout: float, note: object, **more: Any) -> str:
    """Generate once, and check what must hold however it ends."""
    begun = world.now
    try:
        result = drive(call_of(world, timeout=timeout, **more).generate(Payload()), world, choose)  # type: ignore[arg-type]
    except SkillsVideoError as error:
        check_error(world, error, note)
        ending = type(error).__name__
    else:
        assert result.status == "COMPLETED", note
        assert [made.id for made in world.made] == [result.id], note
        assert world.shown[-1] is result, note
        ending = "result"
    assert len(world.made) <= 1, note
    words = [state.status for state in world.shown]
    assert len(words) == len(set(words)), note
    assert world.now - begun <= timeout + 121, note
    return ending


def check_error(world: World, error: SkillsVideoError, note: object) -> None:
    assert type(error).guidance, note
    assert str(error).endswith(type(error).guidance), note
    if world.told:
        assert error.generation_id in world.told, (note, error)
    elif world.made:
        assert isinstance(error, SubmissionUncertain) or error.generation_id == "gen_1", (note, error)
    if isinstance(error, SubmissionUncertain):
        assert not error.retryable
    elif not error.generation_id:
        assert isinstance(error, (APIError, ConnectionFailed, GenerationFailed)), (note, error)


def test_every_schedule_of_four_faults_pays_at_most_once_and_loses_nothing() -> None:
    explorer = Explorer()
    explorer.explore(())
    assert explorer.schedules > 10_000
    assert set(explorer.endings) >= {
        "result",
        "SubmissionUncertain",
        "GenerationFailed",
        "RateLimited",
        "InvalidRequest",
    }


@pytest.mark.parametrize("timeout", [0.05, 1.0, 8.0, 40.0])
@pytest.mark.parametrize("first", POST_FAULTS)
def test_a_short_deadline_changes_nothing_of_that(first: str, timeout: float) -> None:
    explorer = Explorer(timeout)
    explorer.run((first,))
    for second in ("fine", "500", "lost", "garbage"):
        explorer.run((first, second))


@given(st.lists(st.integers(0, 1000), max_size=60), st.sampled_from([3.0, 30.0, 900.0]))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_long_random_schedules_pay_at_most_once_and_lose_nothing(numbers: list[int], timeout: float) -> None:
    left = list(numbers)

    def choose(step: Step) -> str:
        known = faults_of(step)
        return known[left.pop() % len(known)] if left else "fine"

    conclude(World(), choose, timeout, numbers)


def test_a_post_is_repeated_after_429_and_after_a_connection_that_was_never_made() -> None:
    world = World()
    drive(call_of(world).generate(Payload()), world, scripted(["429", "refused", "429 later"]))
    assert len(world.made) == 1


@pytest.mark.parametrize("fault", ["500", "503 later"])
def test_a_5xx_that_two_looks_do_not_explain_is_repeated(fault: str) -> None:
    world = World()
    result = drive(call_of(world).generate(Payload()), world, scripted([fault]))
    assert [made.id for made in world.made] == [result.id]


def test_a_lost_connection_that_two_looks_do_not_explain_is_the_callers_to_decide() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain, match="does not show it"):
        drive(call_of(world).generate(Payload()), world, scripted(["lost"]))
    assert world.made == []


def test_a_lost_connection_is_repeated_if_the_caller_asked_for_that() -> None:
    world = World()
    result = drive(call_of(world, on_lost="resubmit").generate(Payload()), world, scripted(["lost"]))
    assert result.status == "COMPLETED"


def test_a_5xx_whose_code_tells_of_a_generation_is_not_repeated() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain) as caught:
        drive(call_of(world).generate(Payload()), world, scripted(["504 timeout"]))
    assert (caught.value.status, caught.value.code) == (504, "VIDEO_GENERATION_TIMEOUT")
    assert world.made == []


def test_connections_lost_again_and_again_end_in_doubt_even_so() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain):
        drive(call_of(world, on_lost="resubmit").generate(Payload()), world, scripted(["lost", "fine", "fine"] * 6))


def test_a_slow_5xx_is_not_repeated_as_its_generation_may_be_over() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain):
        drive(call_of(world).generate(Payload()), world, scripted(["502 page made slow"]))
    assert len(world.made) == 1


def test_two_generations_with_our_input_are_not_told_apart() -> None:
    world = World()
    world.foreign = [{"id": "gen_theirs", "status": "IN_PROGRESS", "input": {**Payload().to_dict(), "duration": 5.0}}]
    with pytest.raises(SubmissionUncertain) as caught:
        drive(call_of(world).generate(Payload()), world, scripted(["lost made"]))
    assert caught.value.candidates == ("gen_theirs", "gen_1")
    assert "gen_theirs, gen_1" in str(caught.value)


def test_a_generation_without_input_makes_the_look_inconclusive() -> None:
    world = World()
    world.foreign = [{"id": "gen_theirs", "status": "IN_PROGRESS"}]
    with pytest.raises(SubmissionUncertain):
        drive(call_of(world).generate(Payload()), world, scripted(["500"]))
    assert world.made == []


def test_generations_with_another_input_are_none_of_ours() -> None:
    world = World()
    world.foreign = [{"id": "gen_theirs", "status": "IN_PROGRESS", "input": {"prompt": "another", "duration": 5}}]
    result = drive(call_of(world).generate(Payload()), world, scripted(["500 made"]))
    assert result.id == "gen_1"


def test_a_full_running_list_proves_nothing() -> None:
    world = World()
    world.foreign = [{"id": f"g{n}", "status": "IN_PROGRESS", "input": {"prompt": f"{n}"}} for n in range(100)]
    with pytest.raises(SubmissionUncertain, match="longer than the platform shows"):
        drive(call_of(world).generate(Payload()), world, scripted(["500"]))
    assert world.made == []


def test_a_generation_that_was_seen_before_the_post_is_not_adopted() -> None:
    world = World()
    shared = call_of(world)
    world.foreign = [{"id": "gen_theirs", "status": "IN_PROGRESS", "input": Payload().to_dict()}]
    drive(shared.running(50, None), world, scripted([]))
    result = drive(call_of(world, claims=shared.claims).generate(Payload()), world, scripted(["500"]))
    assert result.id == "gen_1"


def test_files_and_models_without_a_stream_are_posted_to_the_create_endpoint() -> None:
    for payload in (Payload(files=True), Payload(stream=False)):
        world, paths = World(), []

        def choose(step: Step, paths: list[str] = paths) -> str:
            paths.extend([step.path] if isinstance(step, Post) else [])
            return "fine"

        drive(call_of(world).generate(payload), world, choose)
        assert paths == ["/generation/acme/one"]


@pytest.mark.parametrize("fault", ["404", "501"])
def test_a_missing_stream_endpoint_falls_back_to_the_create_endpoint(fault: str) -> None:
    world = World()
    assert drive(call_of(world).generate(Payload()), world, scripted([fault])).status == "COMPLETED"


def test_a_model_that_neither_endpoint_knows_is_not_found() -> None:
    world = World()
    with pytest.raises(APIError) as caught:
        drive(call_of(world).generate(Payload()), world, scripted(["404", "404"]))
    assert caught.value.status == 404


def test_a_404_of_a_fresh_id_is_not_believed_for_thirty_seconds_only() -> None:
    world = World()
    drive(call_of(world).generate(Payload()), world, scripted(["cut after id", *["404"] * 8]))
    world = World()
    with pytest.raises(SubmissionUncertain, match="knew of none") as caught:
        drive(call_of(world).generate(Payload()), world, scripted(["cut after id", *["404"] * 50]))
    assert caught.value.generation_id == "gen_1"
    with pytest.raises(NotFound):
        drive(call_of(world).wait("gen_1"), world, scripted(["404"] * 50))


def test_an_outage_while_polling_is_outlasted() -> None:
    world = World()
    result = drive(call_of(world).generate(Payload()), world, scripted(["cut after id", *["500", "lost"] * 12]))
    assert result.status == "COMPLETED"


def test_a_retry_after_beyond_the_deadline_is_not_waited_for_by_who_posts() -> None:
    world = World()
    begun = world.now
    with pytest.raises(APIError):
        drive(call_of(world).generate(Payload()), world, scripted(["429 huge"]))
    assert world.now - begun < 10


def test_a_look_is_put_off_for_a_minute_at_most() -> None:
    world = World()
    begun = world.now
    assert (
        drive(call_of(world).generate(Payload()), world, scripted(["cut after id", "429 huge"])).status == "COMPLETED"
    )
    assert 60 <= world.now - begun < 70
    with pytest.raises(GenerationTimeout):
        drive(call_of(world, timeout=30).generate(Payload()), world, scripted(["cut after id", "429 huge"]))


ASKING = (
    lambda call, name: call.follow(Generation(name, "", {})),
    lambda call, name: call.get(name),
)


def test_a_404_is_not_believed_either_by_who_asks_for_an_id_that_was_just_submitted() -> None:
    for ask in ASKING:
        world = World()
        claims = call_of(world).claims
        drive(call_of(world, claims=claims).submit(Payload()), world, scripted([]))
        drive(ask(call_of(world, claims=claims), "gen_1"), world, scripted(["404"] * 3))
        with pytest.raises(APIError) as caught:
            drive(ask(call_of(world, claims=claims), "gen_1"), world, scripted(["404"] * 50))
        assert caught.value.generation_id == "gen_1"
        assert world.now < 1070


def test_a_404_of_an_id_that_nobody_told_of_is_believed_at_once() -> None:
    world = World()
    for ask in ASKING:
        begun = world.now
        with pytest.raises(APIError):
            drive(ask(call_of(world), "gen_9"), world, scripted(["404"]))
        assert world.now - begun < 1


def test_a_404_between_two_looks_that_found_it_loses_nothing() -> None:
    world = World()
    world.make(Payload().to_dict())
    assert (
        drive(call_of(world).follow(Generation("gen_1", "", {})), world, scripted(["fine", "404"])).status
        == "COMPLETED"
    )


def test_a_generation_that_a_slow_list_shows_at_the_second_look_is_found_at_the_third() -> None:
    world = World()

    def choose(step: Step) -> str:
        if isinstance(step, Post):
            return "lost made"
        if world.now < world.made[0].created + 3:
            world.made[0].shown_from = world.made[0].created + 2
        return "fine"

    assert drive(call_of(world).generate(Payload()), world, choose).id == "gen_1"
    assert len(world.made) == 1
