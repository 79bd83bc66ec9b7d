"""Several calls of one client at a time: none takes what another may have made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from skills_video_runtime.errors import SkillsVideoError, SubmissionUncertain
from skills_video_runtime.generation import Generation
from skills_video_runtime.ledger import Ledger, matches
from skills_video_runtime.steps import Emit, Get, Next, Post, Sleep
from tests.runtime.simulation import Payload, World, drive, faults_of, life

INPUT = {"prompt": "a"}


@dataclass
class Call:
    world: World
    machine: Any
    payload: Payload
    step: Any
    ended: Any = None
    waits_until: float = field(default=0.0)


class Calls(RuleBasedStateMachine):
    """Calls with equal and with different payloads, whose steps happen in any order, with any faults."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 1000.0
        self.ledger = Ledger()
        self.made: list[Any] = []
        self.calls: list[Call] = []

    @rule(prompt=st.sampled_from(["a", "a", "b"]))
    def begin(self, prompt: str) -> None:
        world = World(self.clock, self.made)
        payload = Payload(prompt)
        machine = life(world, ledger=self.ledger).generate(payload)
        self.calls.append(Call(world, machine, payload, next(machine)))

    @precondition(lambda self: any(call.ended is None for call in self.calls))
    @rule(which=st.integers(0, 100), fault=st.integers(0, 1000))
    def advance(self, which: int, fault: int) -> None:
        alive = [call for call in self.calls if call.ended is None]
        self.perform(alive[which % len(alive)], fault)

    def perform(self, call: Call, fault: int) -> None:
        world, step = call.world, call.step
        world.now = self.clock
        known = faults_of(step)
        outcome: Any = None
        if isinstance(step, Post):
            outcome = world.post(step, known[fault % len(known)])
        elif isinstance(step, Get):
            outcome = world.get(step, known[fault % len(known)])
        elif isinstance(step, Next):
            outcome = world.next(step)
        elif isinstance(step, Sleep):
            world.now += step.seconds
        else:
            assert isinstance(step, Emit)
        self.clock = max(self.clock, world.now)
        try:
            call.step = call.machine.send((world.now, outcome))
        except StopIteration as stop:
            call.ended = stop.value
        except SkillsVideoError as error:
            call.ended = error

    @invariant()
    def no_more_is_made_than_was_asked_for(self) -> None:
        for prompt in ("a", "b"):
            asked = sum(call.payload.prompt == prompt for call in self.calls)
            assert sum(made.input["prompt"] == prompt for made in self.made) <= asked

    @invariant()
    def no_two_calls_end_with_the_same_generation(self) -> None:
        results = [call.ended.id for call in self.calls if isinstance(call.ended, Generation)]
        assert len(results) == len(set(results))

    @invariant()
    def every_result_is_what_was_asked_for(self) -> None:
        inputs = {made.id: made.input["prompt"] for made in self.made}
        for call in self.calls:
            if isinstance(call.ended, Generation):
                assert call.ended.status == "COMPLETED"
                assert inputs[call.ended.id] == call.payload.prompt

    def teardown(self) -> None:
        for _ in range(3000):
            alive = [call for call in self.calls if call.ended is None]
            if not alive:
                break
            self.perform(alive[0], 0)
        assert all(call.ended is not None for call in self.calls)
        self.no_more_is_made_than_was_asked_for()
        self.no_two_calls_end_with_the_same_generation()
        self.every_result_is_what_was_asked_for()
        assert not self.ledger._open


TestConcurrentCalls = Calls.TestCase
TestConcurrentCalls.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


def running(name: str, entered: object = INPUT) -> Generation:
    return Generation(name, "IN_QUEUE", {"id": name, "status": "IN_QUEUE", "input": entered})


def test_what_a_call_whose_post_is_under_way_may_have_made_is_left_alone() -> None:
    ledger = Ledger()
    mine, other = ledger.begin("/m", INPUT), ledger.begin("/m", INPUT)
    mine.doubtful = other.pending = True
    verdict = ledger.judge(mine, [running("g1")])
    assert (verdict.adopted, verdict.settled) == (None, False)
    other.pending = False
    assert ledger.claim("g1", other)
    assert ledger.judge(mine, [running("g1")]).candidates == ()


def test_what_another_call_has_is_no_candidate() -> None:
    ledger = Ledger()
    mine = ledger.begin("/m", INPUT)
    ledger.claim("g1")
    assert ledger.judge(mine, [running("g1"), running("g2")]).adopted == running("g2")


def test_what_another_call_may_have_made_and_is_gone_may_have_been_ours() -> None:
    world, ledger = World(), Ledger()
    ledger.begin("/generation/acme/one", Payload().to_dict()).pending = True
    looks = 0

    def choose(step: Any) -> str:
        nonlocal looks
        if isinstance(step, Get):
            looks += 1
            world.foreign = [running("g1", Payload().to_dict()).raw] if looks == 1 else []
        return "lost" if isinstance(step, Post) else "fine"

    with pytest.raises(SubmissionUncertain) as caught:
        drive(life(world, ledger=ledger, on_lost="resubmit").generate(Payload()), world, choose)
    assert caught.value.candidates == ("g1",)
    assert caught.value.generation_id == "g1"


def test_of_two_calls_that_wait_for_the_very_same_thing_one_takes_it() -> None:
    ledger = Ledger()
    mine, other = ledger.begin("/m", INPUT), ledger.begin("/m", INPUT)
    mine.doubtful = other.doubtful = True
    assert ledger.judge(mine, [running("g1")]).adopted == running("g1")
    assert ledger.judge(other, [running("g1")]).adopted is None


def test_what_another_model_may_have_made_of_the_same_input_is_left_alone() -> None:
    ledger = Ledger()
    mine, other = ledger.begin("/m", INPUT), ledger.begin("/n", INPUT)
    mine.doubtful = other.doubtful = True
    assert not ledger.judge(mine, [running("g1")]).settled


def test_what_was_there_before_a_submission_began_is_not_a_candidate() -> None:
    ledger = Ledger()
    ledger.see([running("g1")])
    assert ledger.judge(ledger.begin("/m", INPUT), [running("g1"), running("g2")]).adopted == running("g2")


def test_inputs_are_compared_as_the_platform_may_have_normalized_them() -> None:
    assert matches({"duration": 5, "prompt": "a  b "}, {"duration": 5.0, "prompt": "A b", "seed": None})
    assert matches({"duration": 5, "n": [1, 2]}, {"duration": "5", "n": [1.0, 2]})
    assert matches({"tail": None}, {})
    assert matches({"on": True}, {"on": True, "other": {"x": 1}})
    assert matches({"prompt": "a"}, {"prompt": "b"}) is False
    assert matches({"prompt": "a", "image": "https://x/1"}, {"prompt": "b", "image": "https://y/1"}) is False
    assert matches({"on": True}, {"on": False}) is False
    assert matches({"n": [1]}, {"n": [1, 2]}) is False
    assert matches({"seed": 12345678901}, {"seed": 12345678902}) is False


def test_an_input_that_cannot_be_compared_is_neither_ours_nor_not() -> None:
    assert matches({"prompt": "a"}, None) is None
    assert matches({"prompt": "a"}, {}) is None
    assert matches({"image": object()}, {"image": "https://x/1"}) is None
    assert matches({"image": "https://x/1"}, {"image": "https://cdn/2"}) is None
    assert matches({"on": True}, {"on": 1}) is None
    assert matches({"a": {"b": 1}}, {"a": "1"}) is None
