"""Many at once against the sandbox, every tenth one disturbed: none lost, none doubled."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar

import pytest

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.errors import SubmissionUncertain
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.payloads.base import BasePayload
from tests.support.callers import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.sandbox import Sandbox

sandboxes = pytest.importorskip("skills_video_runtime.sandbox")
resource = pytest.importorskip("resource")

COUNT = 1000
AFTER_THE_ID = (
    "drop-after-id",
    "drop-after-id:reset",
    "end-early:2",
    "429:0.05",
    "json",
    "no-stream",
    "framing:crlf+bom+comments",
)
BEFORE_THE_ID = (
    "drop-after",
    "500-after:html",
    "502-before:html",
    "503-before",
    "drop-after:reset",
    "504-after",
    "cut:20",
)
RETRY = RetryPolicy(initial=0.05, maximum=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload(BasePayload):
    endpoint: ClassVar[Endpoint] = Endpoint(
        "ltx-2.3", "/generation/sse/ltx-2.3", "/generation/ltx-2.3", "/generation/{id}"
    )

    prompt: str


def plan(count: int, faults: tuple[str, ...], every: int) -> Iterator[str]:
    kinds = cycle(faults)
    return (next(kinds) if number % every == 0 else "" for number in range(count))


def check(sandbox: Sandbox, results: list[Generation], count: int) -> None:
    assert [result.status for result in results] == ["COMPLETED"] * count
    prompts = {generation.id: generation.sent["prompt"] for generation in sandbox.generations()}
    assert len(prompts) == count
    assert [prompts[result.id] for result in results] == [str(number) for number in range(count)]


def test_a_thousand_at_once_in_one_process() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * COUNT + 300
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))

    async def main(sandbox: Sandbox) -> list[Generation]:
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.2, retry=RETRY) as client:
            return await asyncio.gather(*(client.generate(Payload(prompt=str(number))) for number in range(COUNT)))

    with sandboxes.Sandbox(plan=plan(COUNT, AFTER_THE_ID, 10), credits=10**6) as sandbox:
        check(sandbox, asyncio.run(main(sandbox)), COUNT)


def test_fifty_threads_share_a_client() -> None:
    with (
        sandboxes.Sandbox(plan=plan(50, BEFORE_THE_ID, 3), speed=2) as sandbox,
        Client(sandbox.api_key, sandbox.url, poll_interval=0.1, retry=RETRY) as client,
        ThreadPoolExecutor(50) as pool,
    ):

        def generate(number: int) -> Generation | SubmissionUncertain:
            try:
                return client.generate(Payload(prompt=str(number)))
            except SubmissionUncertain as error:
                return error

        results = list(pool.map(generate, range(50)))
        made = {generation.id: generation.sent["prompt"] for generation in sandbox.generations()}
    assert len(set(made.values())) == len(made)
    known: set[str] = set()
    for number, result in enumerate(results):
        if isinstance(result, SubmissionUncertain):
            known.update(result.candidates)
        else:
            assert (result.status, made[result.id]) == ("COMPLETED", str(number))
            known.add(result.id)
    assert set(made) <= known
    assert sum(isinstance(result, SubmissionUncertain) for result in results) <= 5  # refused by a 5xx while others run
