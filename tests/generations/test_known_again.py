"""A platform that is described to know a post again: repeated by the same value, it is paid for once."""

from __future__ import annotations

import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.capabilities import Capabilities, IdempotencyHeader, OnGeneration, RunningList
from skills_video_runtime.errors import SkillsVideoError, SubmissionUncertain
from skills_video_runtime.generations import recovery
from skills_video_runtime.generations.call import Call
from skills_video_runtime.generations.claims import Claims
from skills_video_runtime.generations.outcomes import Ended, Opened, Settings
from skills_video_runtime.generations.progress import Fallback
from skills_video_runtime.generations.sqlite import SqliteJournal
from skills_video_runtime.http.key import Key
from tests.generations.test_never_pay_twice import conclude
from tests.support import simulation
from tests.support.simulation import (
    GET_FAULTS,
    LIST_FAULTS,
    Get,
    Payload,
    Post,
    World,
    drive,
    faults_of,
    scripted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.simulation import Step

HEADER = IdempotencyHeader("Idempotency-Key", ("create", "stream"), required=False, place="openapi.json#")
CREATE_ALONE = HEADER._replace(on=("create",))
LOST = ("lost", "lost made", "lost made slow", "500 made", "502 page made slow", "408 made", "json without id made",
        "garbage made", "cut before id made", "noise then cut made", "500 made shown late")  # fmt: skip


def described(header: IdempotencyHeader | None = HEADER) -> Any:
    return lambda _: Capabilities(idempotency=header)


call_of = partial(simulation.call_of, offered=described())


def explored(depth: int, first: Sequence[str], **world: Any) -> list[tuple[tuple[str, ...], World, str]]:
    """Run every schedule of so many faults that begins with one of these."""
    ended: list[tuple[tuple[str, ...], World, str]] = []

    def explore(prefix: tuple[str, ...]) -> None:
        made, left, following = World(**world), list(prefix), []

        def choose(step: Step) -> str:
            if left:
                return left.pop(0)
            following.extend(() if following else faults_of(step))
            return "fine"

        ended.append((prefix, made, ending_of(made, choose, prefix)))
        if len(prefix) < depth:
            for fault in following:
                explore((*prefix, fault))

    for fault in first:
        explore((fault,))
    return ended


def ending_of(world: World, choose: Any, note: object) -> str:
    if world.honours:
        return conclude(world, choose, 900.0, note, offered=described())
    try:
        drive(call_of(world).generate(Payload()), world, choose)
    except SkillsVideoError as error:
        return type(error).__name__
    return "result"


def test_every_schedule_of_three_faults_pays_at_most_once() -> None:
    ended = explored(3, LOST)
    assert len(ended) > 1000
    assert all(len(set(world.values)) == 1 for _, world, _ in ended)
    assert max(len(world.values) for _, world, _ in ended) == 3


@pytest.mark.parametrize("fault", LOST)
def test_what_was_lost_is_had_without_a_second_payment_and_whatever_the_list_says(fault: str) -> None:
    for said in ("fine", "garbage", "401"):

        def choose(step: Step, faults: list[str] = [fault], said: str = said) -> str:  # noqa: B006  # used up
            if isinstance(step, Post):
                return faults.pop() if faults else "fine"
            return said if isinstance(step, Get) and step.path == "/generations/running" else "fine"

        world = World()
        assert drive(call_of(world).generate(Payload()), world, choose).id == "gen_1"
        assert len(world.made) == 1


def test_one_that_is_said_to_know_posts_and_does_not_is_paid_twice_only_where_its_list_does_not_tell() -> None:
    twice = [(faults, world) for faults, world, _ in explored(2, LOST, honours=False) if len(world.made) > 1]
    untold = {*LIST_FAULTS, *GET_FAULTS} - {"fine"}
    assert twice
    for faults, world in twice:
        assert len(world.made) == 2, faults
        assert untold & set(faults) or any("slow" in fault for fault in faults), faults


@pytest.mark.parametrize("refusal", ["400", "404", "501", "429 credits", "302", "409"])
def test_a_refusal_of_a_repeat_tells_nothing_of_the_post_before(refusal: str) -> None:
    world = World()
    with pytest.raises(SubmissionUncertain) as caught:
        drive(call_of(world).generate(Payload()), world, scripted(["lost made slow", "fine", "fine", *[refusal, "fine",
              "fine"] * 9]))  # fmt: skip
    assert len(world.made) == 1
    assert "No answer" in str(caught.value)


def test_a_platform_that_is_still_busy_with_the_first_post_is_asked_again() -> None:
    world = World()
    faults = ["lost made slow", "fine", "fine", "409", "fine", "fine", "425", "fine", "fine"]
    assert drive(call_of(world).generate(Payload()), world, scripted(faults)).id == "gen_1"
    assert len(world.values) == 4


def test_each_submission_has_a_value_of_its_own() -> None:
    world = World()
    for _ in range(2):
        drive(call_of(world).submit(Payload()), world, scripted([]))
    assert (len(world.made), len(set(world.values))) == (2, 2)


def test_where_the_create_endpoint_alone_takes_it_a_lost_stream_is_looked_for_as_ever() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain):
        drive(call_of(world, offered=described(CREATE_ALONE)).generate(Payload()), world, scripted(["lost made slow"]))
    assert (len(world.made), world.values) == (1, [])
    world = World()
    call = call_of(world, offered=described(CREATE_ALONE))
    assert drive(call.submit(Payload()), world, scripted(["lost made slow"])).id == "gen_1"
    assert (len(world.made), len(world.values)) == (1, 2)


def test_a_generation_that_is_said_to_have_failed_is_not_made_again() -> None:
    world = World()
    with pytest.raises(SubmissionUncertain):
        drive(call_of(world).generate(Payload()), world, scripted(["504 timeout"]))
    assert len(world.values) == 1


def test_a_files_post_is_repeated_as_well() -> None:
    world = World()
    drive(call_of(world).generate(Payload(files=True)), world, scripted(["lost made slow"]))
    assert (len(world.made), len(world.values)) == (1, 2)


@pytest.mark.parametrize(("limit", "asked"), [(20, [20, 20]), (500, [50, 500])])
def test_the_running_list_is_asked_for_as_many_as_it_is_described_to_give(limit: int, asked: list[int]) -> None:
    def offered(_: object) -> Capabilities:
        return Capabilities(running=RunningList(limit, "openapi.json#"))

    queries: list[str] = []

    class Looking(simulation.Suspending):
        async def get(self, path: str, query: Any, patience: float) -> Any:
            queries.extend(value for name, value in query if name == "limit")
            return await super().get(path, query, patience)

    world = World()
    world.foreign = [{"id": f"g{n}", "status": "IN_PROGRESS", "input": {"prompt": f"{n}"}} for n in range(limit)]
    settings = Settings()
    drive(Call(Looking(world), settings, Claims(), offered=offered).running(50, None), world, scripted([]))
    with pytest.raises(SubmissionUncertain, match="longer than the platform shows"):
        drive(Call(Looking(world), settings, Claims(), offered=offered).generate(Payload()), world, scripted(["500"]))
    assert [int(query) for query in dict.fromkeys(queries)] == list(dict.fromkeys(asked))
    with pytest.raises(ValueError, match=f"1 to {max(limit, 100)}"):
        drive(Call(Looking(world), settings, Claims(), offered=offered).running(501, None), world, scripted([]))


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    """Open a journal, as each process does."""
    opened: list[SqliteJournal] = []

    def open_it() -> SqliteJournal:
        for each in opened:
            each.close()
        opened[:] = [SqliteJournal(tmp_path / "jobs.db", "https://acme.example", Key("sandbox-key"))]
        return opened[0]

    yield open_it
    for each in opened:
        each.close()


class Killed(BaseException):
    """The process ends."""


def post_and_die(world: World, journal: SqliteJournal, *, payload: Payload, made: bool) -> None:
    def choose(step: Step) -> str:
        if isinstance(step, Post):
            world.post(step, "lost made slow" if made else "lost")
            raise Killed
        return "fine"

    call = call_of(world, claims=Claims(), journal=journal)
    with pytest.raises(Killed):
        drive(call.generate(payload), world, choose)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_a_later_process_repeats_by_the_same_value_at_the_same_endpoint(
    journal: Any, *, made: bool, stream: bool
) -> None:
    world, paths = World(), []
    post_and_die(world, journal(), payload=Payload(stream=stream), made=made)

    def choose(step: Step) -> str:
        paths.extend([step.path] if isinstance(step, Post) else [])
        return "fine"

    [recovered] = drive(recovery.recover(call_of(world, claims=Claims(), journal=journal())), world, choose)
    assert recovered.generation.id == "gen_1"
    assert len(world.made) == 1
    assert len(set(world.values)) == 1
    assert paths == ["/generation/sse/acme/one" if stream else "/generation/acme/one"]


def test_streams_of_several_records_are_followed_one_after_the_other(journal: Any) -> None:
    world, reports = World(), []
    for prompt in ("first snow", "neon rain"):
        post_and_die(world, journal(), payload=Payload(prompt), made=False)
    call = call_of(world, claims=Claims(), journal=journal(), hooks=[reports.append])
    recovered = drive(recovery.recover(call), world, scripted([]))
    assert [item.generation.id for item in recovered] == ["gen_1", "gen_2"]
    assert not any(isinstance(report, Fallback) for report in reports)


UNTRUSTED = {
    "no longer described": SimpleNamespace(header=None, ahead=0),
    "under another name": SimpleNamespace(header=HEADER._replace(name="X-Idempotency-Key"), ahead=0),
    "no longer for that endpoint": SimpleNamespace(header=CREATE_ALONE, ahead=0),
    "an hour ago": SimpleNamespace(header=HEADER, ahead=3601),
    "by a clock that was wrong": SimpleNamespace(header=HEADER, ahead=-60),
}


@pytest.mark.parametrize("case", UNTRUSTED)
def test_a_value_that_the_platform_may_not_know_any_more_is_not_trusted(
    case: str, journal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, then = World(), UNTRUSTED[case]
    post_and_die(world, journal(), payload=Payload(), made=True)
    now = time.time
    monkeypatch.setattr("time.time", lambda: now() + then.ahead)
    call = call_of(world, claims=Claims(), journal=journal(), offered=described(then.header))
    [recovered] = drive(recovery.recover(call), world, scripted([]))
    assert isinstance(recovered.error, SubmissionUncertain)
    assert len(world.made) == 1


def test_the_time_that_others_take_to_be_recovered_counts(journal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world, ahead, now = World(), [0.0], time.time
    for prompt in ("first snow", "neon rain"):
        post_and_die(world, journal(), payload=Payload(prompt), made=True)
    monkeypatch.setattr("time.time", lambda: now() + ahead[0])

    def choose(step: Step) -> str:
        if isinstance(step, Post):
            ahead[0] = 3601.0
        return "fine"

    first, second = drive(recovery.recover(call_of(world, claims=Claims(), journal=journal())), world, choose)
    assert first.generation.id == "gen_1"
    assert isinstance(second.error, SubmissionUncertain)
    assert len(world.values) == 3


def test_files_that_the_journal_does_not_keep_are_not_posted_again(journal: Any) -> None:
    world = World()
    post_and_die(world, journal(), payload=Payload(files=True), made=True)
    [recovered] = drive(recovery.recover(call_of(world, claims=Claims(), journal=journal())), world, scripted([]))
    assert isinstance(recovered.error, SubmissionUncertain)
    assert len(world.values) == 1


def test_a_stream_that_tells_nothing_new_is_taken_up_once_and_then_polled() -> None:
    taken_up: list[str] = []

    class Resuming(simulation.Suspending):
        async def send(
            self, method: str, path: str, patience: float, silence: float, *, after_last: bool = False
        ) -> Any:
            assert after_last
            taken_up.append(f"{method} {path}")
            self.world.stream = [{"id": "gen_1", "status": "starting", "data": None}, Ended("closed")]
            return Opened(200, {})

    resume = OnGeneration("GET", "/predictions/{id}/subscribe", "openapi.json#", takes_event_id=True)
    world = World()
    call = Call(Resuming(world), Settings(), Claims(), offered=lambda _: Capabilities(resume=resume))
    assert drive(call.generate(Payload()), world, scripted(["cut after id"])).status == "COMPLETED"
    assert taken_up == ["GET /predictions/gen_1/subscribe"]
    assert len(world.made) == 1


def test_a_stream_that_was_silent_for_too_long_is_polled_at_once() -> None:
    class Resuming(simulation.Suspending):
        async def next_event(self, patience: float, known: object = None) -> Any:
            told = await super().next_event(patience, known)
            if isinstance(told, Ended):
                self.world.now += patience
            return told

        async def send(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("it is not taken up")

    resume = OnGeneration("GET", "/predictions/{id}/subscribe", "openapi.json#", takes_event_id=True)
    call = Call(Resuming(World()), Settings(), Claims(), offered=lambda _: Capabilities(resume=resume))
    assert drive(call.generate(Payload()), call.io.world, scripted(["cut after id"])).status == "COMPLETED"
