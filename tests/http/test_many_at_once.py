"""Many calls of one client at a platform that takes few at a time: all slow down together, and all end well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
import pytest
from anyio import from_thread, to_thread

from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.errors import ConnectionFailed
from skills_video_runtime.generations.pace import LONGEST_PAUSE, Pace, Paces
from skills_video_runtime.generations.recovery import recover
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.sqlite import SqliteJournal
from skills_video_runtime.http.key import Key
from skills_video_runtime.testing import IOProxy, replace_io
from tests.support import simulation
from tests.support.callers import Payload
from tests.support.scripted import CREATE, KEY, STREAM, Scripted, answer, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted import Reply, Request

JOBS, AT_A_TIME, LOOKS = 30, 5, 3
RETRY = RetryPolicy(initial=0.02, maximum=0.2)


class Narrow:
    """Refuses what is more than it can do at a time; each job is done at its third look."""

    def __init__(self, server: Scripted) -> None:
        self.server, self.lock = server, Lock()
        self.made = self.busy = self.most = self.refused = 0
        server.on(STREAM, self.post)

    def post(self, _: Request) -> Reply:
        with self.lock:
            if self.busy >= AT_A_TIME:
                self.refused += 1
                return answer(429, {"message": "slow down"})
            self.made += 1
            self.busy += 1
            self.most = max(self.most, self.busy)
            name = f"gen_{self.made}"
        unfinished = answer(200, state("IN_PROGRESS", name))
        self.server.on(f"GET /api/generation/{name}", *[unfinished] * (LOOKS - 1), lambda _: self.finish(name))
        return answer(200, state("IN_QUEUE", name))

    def finish(self, name: str) -> Reply:
        with self.lock:
            self.busy -= 1
        return answer(200, state("COMPLETED", name))


def all_of(mode: str, base: str, **options: Any) -> list[Any]:
    """What many calls at once give."""
    options |= {"poll_interval": 0.02, "timeout": 60}
    if mode == "sync":
        with ThreadPoolExecutor(JOBS) as pool, Client(KEY, base, **options) as client:
            return list(pool.map(lambda _: client.generate(Payload()), range(JOBS)))
    results: list[Any] = []

    async def main() -> None:
        async with AsyncClient(KEY, base, **options) as client, anyio.create_task_group() as group:

            async def one() -> None:
                results.append(await client.generate(Payload()))

            for _ in range(JOBS):
                group.start_soon(one)

    anyio.run(main, backend=mode)
    return results


def test_all_of_many_jobs_end_well_at_a_platform_that_takes_few(mode: str, server: Scripted) -> None:
    platform = Narrow(server)
    results = all_of(mode, server.base, retry=RETRY)
    assert {result.status for result in results} == {"COMPLETED"}
    assert len({result.id for result in results}) == platform.made == JOBS
    assert platform.most == AT_A_TIME
    assert JOBS <= platform.refused < 10 * JOBS


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls_for_which_all_threads_of_a_program_wait_find_others_for_their_journal(
    backend: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(STREAM, lambda _: answer(200, state("COMPLETED", str(uuid4()))))
    results: list[Any] = []

    async def main() -> None:
        to_thread.current_default_thread_limiter().total_tokens = 2
        async with AsyncClient(KEY, server.base, journal=tmp_path / "j") as client:

            async def work() -> None:  # as a web framework calls functions that are not asynchronous
                results.append(await to_thread.run_sync(from_thread.run, client.generate, Payload()))

            with anyio.fail_after(10):
                async with anyio.create_task_group() as group:
                    for _ in range(4):
                        group.start_soon(work)

    anyio.run(main, backend=backend)
    assert {result.status for result in results} == {"COMPLETED"}


def test_what_is_refused_together_slows_down_once() -> None:
    pace = Pace(RetryPolicy())
    assert [pace.wait(0.0) for _ in range(3)] == [0, 0, 0]
    for _ in range(25):
        pace.slow(0.0, 1.0, None)
    assert pace.wait(1.0) == 0.125
    assert pace.wait(1.125) == 0
    assert pace.wait(1.125) == 0.125  # the next one, a gap later


def test_a_pace_slows_down_to_half_the_longest_wait_and_is_as_fast_as_before_once_all_is_served() -> None:
    pace, now = Pace(RetryPolicy()), 0.0
    waits: list[float] = []
    for _ in range(9):
        pace.slow(now, now, None)
        waits.append(pace.wait(now))
        now += waits[-1]
    assert waits == [0.125, 0.25, 0.5, 1, 2, 4, 8, 8, 8]
    for _ in range(7):
        pace.quicken()
    assert [pace.wait(now) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(("given", "waited"), [(7.0, 7.0), (1e9, LONGEST_PAUSE), (0.0, 0.125)])
def test_one_retry_after_holds_up_all_calls_for_a_while(given: float, waited: float) -> None:
    pace = Pace(RetryPolicy())
    pace.slow(0.0, 0.0, given)
    assert pace.wait(0.0) == waited


@pytest.mark.parametrize(("timeout", "begun"), [(900.0, 1007.0), (7.5, 1000.0), (5.0, 1000.0)])
def test_a_post_waits_for_its_turn_after_that_of_another_call_was_refused(timeout: float, begun: float) -> None:
    world, paces = simulation.World(), Paces(RetryPolicy())
    paces.posts.slow(world.now, world.now, 7.0)
    call = simulation.call_of(world, timeout=timeout, paces=paces)
    simulation.drive(call.submit(simulation.Payload()), world, simulation.scripted([]))
    assert world.made[0].created == pytest.approx(begun, abs=0.5)


def test_a_post_that_is_made_anew_by_recover_waits_for_its_turn_as_well(tmp_path: Path) -> None:
    world, paces = simulation.World(), Paces(RetryPolicy())
    with closing(SqliteJournal(tmp_path / "jobs.db", "acme.example", Key(KEY))) as journal:
        journal.intend(1, simulation.Payload())
        paces.posts.slow(world.now, world.now, 50.0)
        call = simulation.call_of(world, on_lost="resubmit", paces=paces, journal=journal)
        simulation.drive(recover(call), world, simulation.scripted([]))
    assert world.made[0].created == pytest.approx(1050.0, abs=0.5)


def test_a_call_that_waits_for_its_turn_ends_with_its_client(server: Scripted) -> None:
    asleep = Semaphore(0)

    class Watched(IOProxy):
        async def sleep(self, seconds: float) -> None:
            asleep.release()
            await self.io.sleep(seconds)

    server.on(CREATE, answer(429, {}, Retry_After="30"))
    client = Client(KEY, server.base)
    replace_io(client, Watched)
    with ThreadPoolExecutor(2) as pool:
        calls = []
        for _ in range(2):  # the first waits to try again, the other for its turn
            calls.append(pool.submit(client.submit, Payload()))
            assert asleep.acquire(timeout=10)
        client.close()
        for call in calls:
            with pytest.raises(ConnectionFailed):
                call.result(timeout=10)
    assert len(server.requests) == 1
