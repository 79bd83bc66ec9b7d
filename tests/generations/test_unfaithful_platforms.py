"""A platform whose list lags, which puts inputs into other words, contradicts itself, and has other callers."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from skills_video_runtime.errors import SkillsVideoError, SubmissionUncertain
from skills_video_runtime.generations.states import Generation
from tests.support.simulation import ECHOES, Get, Made, Payload, Post, Step, World, call_of, drive, reworded

PAYLOAD = Payload("Caf\u00e9 & <neon> rain, slow dolly")
MADE = ("lost made", "500 made", "408 made", "garbage made", "json without id made", "cut before id made")
NOTHING_MADE = ("500", "503 later", "lost", "502 page made slow")
LAGS = (0.0, 1.0, 2.9)
HOURS = 7200.0


def first(fault: str) -> Any:
    """Choose a fault for the first post; the rest is fine."""
    left = [fault]

    def choose(step: Step) -> str:
        return left.pop() if left and isinstance(step, Post) else "fine"

    return choose


def others(kind: str, echo: str, now: float) -> list[Made]:
    """Give what other callers have made, or make in the same seconds."""
    theirs = reworded(echo, {"prompt": "something of another caller", "duration": 5})
    same = reworded(echo, PAYLOAD.to_dict())
    return {
        "nobody": [],
        "something else": [Made("gen_other", now, now, theirs)],
        "something else, later": [Made("gen_other", now, now + 2, theirs)],
        "the same": [Made("gen_other", now, now, same)],
        "something without an input": [Made("gen_other", now, now, {})],
    }[kind]


KINDS = ("nobody", "something else", "something else, later", "the same", "something without an input")


def ask(world: World, fault: str) -> Generation | SkillsVideoError:
    try:
        result = drive(call_of(world).generate(PAYLOAD), world, first(fault))
    except SkillsVideoError as error:
        return error
    assert isinstance(result, Generation)
    return result


@pytest.mark.parametrize("echo", ECHOES)
def test_nothing_is_paid_twice_mixed_up_or_lost(echo: str) -> None:
    for fault, lag, kind, nap in product((*MADE, *NOTHING_MADE), LAGS, KINDS, (0.0, HOURS)):
        world = World(lag=lag, echo=echo, nap=nap)
        world.others = others(kind, echo, world.now)
        ended, note = ask(world, fault), (echo, fault, lag, kind, nap)
        assert len(world.made) <= 1, note
        if isinstance(ended, Generation) and ended.id == "gen_other":
            assert (echo, kind, world.made) == ("faithful", "the same", []), note  # which the list alone cannot tell
        elif isinstance(ended, Generation):
            assert [made.id for made in world.made] == [ended.id], note
        else:
            assert isinstance(ended, SubmissionUncertain), note
            told = {ended.generation_id, *ended.candidates}
            is_seen = not nap and not fault.endswith("slow")  # while it ran
            if is_seen and lag < 2.9:
                assert {made.id for made in world.made} <= told, note


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("fault", MADE)
def test_what_a_faithful_echo_shows_is_adopted(fault: str, lag: float) -> None:
    for kind in ("nobody", "something else", "something else, later"):
        world = World(lag=lag)
        world.others = others(kind, "faithful", world.now)
        ended = ask(world, fault)
        assert isinstance(ended, Generation), (kind, ended)
        assert ended.id == "gen_1"


@pytest.mark.parametrize("echo", ECHOES[1:])
def test_what_an_echo_in_other_words_shows_is_a_candidate(echo: str) -> None:
    ended = ask(World(echo=echo), "lost made")
    assert isinstance(ended, SubmissionUncertain)
    assert ended.candidates == ("gen_1",)


def test_after_a_machine_has_slept_a_5xx_is_not_repeated() -> None:
    for seconds in (10.0, HOURS):
        world = World(nap=seconds)
        assert isinstance(ask(world, "500"), SubmissionUncertain)
        assert world.made == []


def test_of_a_stream_with_two_ids_both_are_told() -> None:
    ended = ask(World(), "two ids")
    assert isinstance(ended, SubmissionUncertain)
    assert ended.candidates == ("task_9", "gen_1")


def test_a_look_that_tells_of_another_id_is_no_state() -> None:
    world, left = World(), ["another id"] * 3

    def choose(step: Step) -> str:
        if isinstance(step, Post):
            return "cut after id"
        is_look = isinstance(step, Get) and step.path.endswith("gen_1")
        return left.pop() if left and is_look else "fine"

    ended = drive(call_of(world).generate(PAYLOAD), world, choose)
    assert (ended.id, ended.status, left) == ("gen_1", "COMPLETED", [])
