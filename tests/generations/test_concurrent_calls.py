"""Several calls of one client at a time: none takes what another may have made."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.client import Client
from skills_video_runtime.errors import SkillsVideoError, SubmissionUncertain
from skills_video_runtime.generations.claims import Claims, Submission
from skills_video_runtime.generations.matching import is_ours, may_be
from skills_video_runtime.generations.recovery import recover
from skills_video_runtime.generations.sqlite import SqliteJournal
from skills_video_runtime.generations.states import Generation
from skills_video_runtime.http.key import Key
from skills_video_runtime.testing import fast_time
from tests.support.callers import Payload as Json
from tests.support.scripted import CREATE, KEY, RUNNING, Drop, Hold, Scripted, answer, state
from tests.support.simulation import (
    ECHOES,
    Get,
    Made,
    OnDisk,
    Payload,
    Post,
    World,
    call_of,
    drive,
    faults_of,
    perform,
    scripted,
    work_of,
)

if TYPE_CHECKING:
    from pathlib import Path

INPUT = {"prompt": "a"}


@dataclass
class Call:
    world: World
    work: Any
    payload: Payload
    step: Any
    ended: Any = None
    waits_until: float = field(default=0.0)


class Calls(RuleBasedStateMachine):
    """Calls with equal and with different payloads, whose steps happen in any order, with any faults."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 1000.0
        self.claims = Claims()
        self.made: list[Any] = []
        self.calls: list[Call] = []
        self.others: list[Made] = []

    @initialize(lag=st.sampled_from([0.0, 0.0, 2.9]), echo=st.sampled_from(["faithful", *ECHOES]))
    def be(self, lag: float, echo: str) -> None:
        self.lag, self.echo = lag, echo

    @rule(prompt=st.sampled_from(["a & c\u00e9", "a & c\u00e9", "b & c\u00e9"]))
    def begin(self, prompt: str) -> None:
        world = World(self.clock, self.made, others=self.others, lag=self.lag, echo=self.echo)
        payload = Payload(prompt)
        work = work_of(call_of(world, claims=self.claims).generate(payload), world)
        self.calls.append(Call(world, work, payload, work.send(None)))

    @rule()
    def make_something_elsewhere(self) -> None:
        name, entered = f"gen_other_{len(self.others)}", {"prompt": "another caller's", "duration": 5}
        self.others.append(Made(name, self.clock, self.clock + self.lag, entered))

    @rule(seconds=st.sampled_from([60.0, 7200.0]))
    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    @precondition(lambda self: any(call.ended is None for call in self.calls))
    @rule(which=st.integers(0, 100), fault=st.integers(0, 1000))
    def advance(self, which: int, fault: int) -> None:
        alive = [call for call in self.calls if call.ended is None]
        self.perform(alive[which % len(alive)], fault)

    def perform(self, call: Call, fault: int) -> None:
        world, step = call.world, call.step
        world.now = self.clock
        known = faults_of(step)
        outcome = perform(world, step, lambda _: known[fault % len(known)])
        self.clock = max(self.clock, world.now)
        try:
            call.step = call.work.send(outcome)
        except StopIteration as stop:
            call.ended = stop.value
        except SkillsVideoError as error:
            call.ended = error

    @invariant()
    def no_more_is_made_than_was_asked_for(self) -> None:
        for prompt in {call.payload.prompt for call in self.calls}:
            asked = sum(call.payload.prompt == prompt for call in self.calls)
            assert sum(made.sent["prompt"] == prompt for made in self.made) <= asked

    @invariant()
    def no_two_calls_end_with_the_same_generation(self) -> None:
        results = [call.ended.id for call in self.calls if isinstance(call.ended, Generation)]
        assert len(results) == len(set(results))

    @invariant()
    def every_result_is_what_was_asked_for(self) -> None:
        inputs = {made.id: made.sent["prompt"] for made in self.made}
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
        assert not self.claims.has_open()


TestConcurrentCalls = Calls.TestCase
TestConcurrentCalls.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


def running(name: str, entered: object = INPUT) -> Generation:
    return Generation(name, "IN_QUEUE", {"id": name, "status": "IN_QUEUE", "input": entered})


def begin(claims: Claims, prompt: str = "a", place: str = "/m") -> Submission:
    """Begin a submission that is in doubt."""
    submission = claims.begin(Sent(prompt, place=place))
    submission.was_lost = True
    return submission


@dataclass
class Sent(Payload):
    place: str = "/m"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("acme/one", None, self.place, "/generation/{id}")

    def to_dict(self) -> dict[str, Any]:
        return {"prompt": self.prompt}


def test_what_a_call_whose_post_is_under_way_may_have_made_is_left_alone() -> None:
    claims = Claims()
    mine, other = begin(claims), begin(claims)
    other.pending = True
    assert claims.look(mine, [running("g1")]).contested
    other.pending = False
    assert claims.claim("g1", other)
    assert claims.look(mine, [running("g1")]).new == ()


def test_what_another_call_has_is_no_candidate() -> None:
    claims = Claims()
    mine = begin(claims)
    claims.claim("g1")
    look = claims.look(mine, [running("g1"), running("g2")])
    assert (look.ours, look.new, look.contested) == (("g2",), ("g2",), False)


def test_what_another_call_may_have_made_and_is_gone_may_have_been_ours() -> None:
    world, claims = World(), Claims()
    claims.begin(Payload()).pending = True
    looks = 0

    def choose(step: Any) -> str:
        nonlocal looks
        if isinstance(step, Get):
            looks += 1
            world.foreign = [running("g1", Payload().to_dict()).raw] if looks == 1 else []
        return "lost" if isinstance(step, Post) else "fine"

    with pytest.raises(SubmissionUncertain) as caught:
        drive(call_of(world, claims=claims, on_lost="resubmit").generate(Payload()), world, choose)
    assert caught.value.candidates == ("g1",)
    assert caught.value.generation_id is None


def test_of_two_calls_that_wait_for_the_very_same_thing_one_takes_it() -> None:
    claims = Claims()
    mine, other = begin(claims), begin(claims)
    look = claims.look(mine, [running("g1")])
    assert (look.ours, look.contested) == (("g1",), False)
    assert claims.claim("g1", mine)
    assert not claims.claim("g1", other)


def test_what_another_model_may_have_made_of_the_same_input_is_left_alone() -> None:
    claims = Claims()
    mine = begin(claims)
    begin(claims, place="/n")
    assert claims.look(mine, [running("g1")]).contested


def test_what_was_there_before_a_submission_began_is_not_a_candidate() -> None:
    claims = Claims()
    claims.remember([running("g1")])
    assert claims.look(begin(claims), [running("g1"), running("g2")]).new == ("g2",)


def test_a_generation_that_is_listed_twice_is_one() -> None:
    claims = Claims()
    assert claims.look(begin(claims), [running("g1"), running("g1")]).ours == ("g1",)


KNOWN = {"prompt": None, "duration": 5, "seed": None, "tail": None, "on": True, "image": None, "n": None}


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"duration": 5, "prompt": "a  b "}, {"duration": 5.0, "prompt": "a  b ", "seed": None}),
        ({"prompt": "a"}, {"prompt": "a", "duration": 5, "on": True}),
        ({"n": [1, {"x": 2}]}, {"n": [1.0, {"x": 2}]}),
        ({"tail": None}, {"tail": None}),
    ],
)
def test_an_echo_with_our_values_and_defaults_alone_is_ours(sent: Any, echoed: Any) -> None:
    assert is_ours(sent, KNOWN, echoed)
    assert may_be(sent, echoed)


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"prompt": "a"}, None),
        ({"prompt": "a"}, {}),
        ({"prompt": "a"}, {"prompt": "a", "duration": 10}),
        ({"prompt": "a"}, {"prompt": "a", "feature": "text"}),
        ({"prompt": "a"}, {"prompt": "A"}),
        ({"prompt": "neon rain"}, {"prompt": "neon ra"}),
        ({"duration": 5}, {"duration": "5"}),
        ({"on": True}, {"on": 1}),
        ({"n": [1]}, {"n": [1, 2]}),
        ({"image": "https://x/1"}, {"image": "https://cdn/2"}),
        ({"image": object()}, {"image": "https://x/1"}),
    ],
)
def test_any_other_echo_leaves_no_certainty(sent: Any, echoed: Any) -> None:
    assert not is_ours(sent, KNOWN, echoed)


@pytest.mark.parametrize(("key", "end"), [(KEY, ""), (f" {KEY} ", "/")])
def test_a_call_does_not_take_what_another_client_was_given(server: Scripted, key: str, end: str) -> None:
    given = {"id": "gen_1", "status": "IN_QUEUE", "input": Json().to_dict()}
    server.on(CREATE, answer(200, given), [Drop]).on(RUNNING, answer(200, [given]))
    with Client(KEY, server.base) as one, Client(key, server.base + end) as two:
        fast_time(two)
        one.submit(Json())
        with pytest.raises(SubmissionUncertain, match="does not show it"):
            two.submit(Json())


def test_what_a_running_list_shows_once_is_no_contradiction_in_the_error(server: Scripted) -> None:
    given = {"id": "gen_1", "status": "IN_QUEUE", "input": Json().to_dict()}
    server.on(CREATE, [Drop]).on(RUNNING, answer(200, [given]), answer(200, []))
    with Client(KEY, server.base) as client:
        fast_time(client)
        with pytest.raises(SubmissionUncertain) as caught:
            client.submit(Json())
    what = "It is not known whether a generation was made: the running list does not settle it. No answer from "
    lost = "the platform: RemoteProtocolError: Server disconnected without sending a response."
    assert caught.value.what == f"{what}{lost} It may be one of: gen_1."


def test_a_submission_under_way_is_not_recovered_by_another_thread(server: Scripted, tmp_path: Path) -> None:
    hold = Hold()
    server.on(CREATE, [hold, *answer(200, state("IN_QUEUE"))]).on(RUNNING, answer(200, []))
    with Client(KEY, server.base, journal=tmp_path / "j", on_lost_submission="resubmit") as client:
        fast_time(client)
        thread = threading.Thread(target=client.submit, args=(Json(),))
        thread.start()
        hold.reached.wait()
        assert client.recover() == []
        hold.go.set()
        thread.join()
    assert server.count(CREATE) == 1


def test_two_recoveries_at_once_post_once(server: Scripted, tmp_path: Path) -> None:
    hold = Hold()
    server.on(CREATE, [Drop], [hold, *answer(200, state("COMPLETED"))]).on(RUNNING, answer(200, []))
    with Client(KEY, server.base, journal=tmp_path / "j") as client:
        fast_time(client)
        with pytest.raises(SubmissionUncertain):
            client.submit(Json())
    with Client(KEY, server.base, journal=tmp_path / "j", on_lost_submission="resubmit") as client:
        fast_time(client)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.extend(client.recover()))
        thread.start()
        hold.reached.wait()
        assert client.recover() == []
        hold.go.set()
        thread.join()
        assert found[0].generation.id == "gen_1"
        assert client.recover() == []
    assert server.count(CREATE) == 2


def test_an_id_that_was_told_is_recorded_even_if_the_call_is_given_up(tmp_path: Path) -> None:
    journal, world = SqliteJournal(tmp_path / "j", "platform", Key(KEY)), World()
    work = call_of(world, journal=journal).submit(Payload())
    step, records = work.send(None), 0
    while records < 2:
        records += isinstance(step, OnDisk)
        if records < 2:
            step = work.send(perform(world, step, scripted([])))
    work.close()
    assert [entry.id for entry in journal.unfinished()] == ["gen_1"]
    journal.close()


def test_a_recovered_id_is_asked_for_where_its_model_says(tmp_path: Path) -> None:
    journal, world, paths = SqliteJournal(tmp_path / "j", "platform", Key(KEY)), World(), []

    class Elsewhere(Payload):
        endpoint = Endpoint("acme/one", None, "/generation/acme/one", "/elsewhere/{id}")

    call = call_of(world, journal=journal)
    drive(call.submit(Elsewhere()), world, scripted([]))
    journal.let_go(call)

    def choose(step: Any) -> str:
        paths.append(step.path)
        return "fine"

    found = drive(recover(call_of(world, journal=journal)), world, choose)
    assert found[0].generation is not None
    assert set(paths) == {"/elsewhere/gen_1"}
    journal.close()
