"""Interrupted at any step of `recover` or `download`: nothing is charged, and all can still be given."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.errors import GenerationFailed, SubmissionUncertain
from skills_video_runtime.generations.states import Generation
from skills_video_runtime.testing import fast_time, forget_generations, replace_io
from tests.support.callers import Payload, use
from tests.support.interruptions import Fault, ForeignEnd, innermost
from tests.support.scripted import CREATE, KEY, RUNNING, Drop, Scripted, answer, state

if TYPE_CHECKING:
    from pathlib import Path

ENDS = [KeyboardInterrupt, ForeignEnd]
SHAPES = [(end, after) for end in ENDS for after in (False, True)]
FILES = {"a.mp4": b"one" * 10_000, "b.mp4": b"two" * 10_000}


def strike(work: Any, faults: list[Fault], client: Any, *, at: int, end: type[BaseException], after: bool) -> Any:
    """Do work with a client of which each call is struck at one step."""

    def make(io: Any) -> Fault:
        faults.append(Fault(io, at, end, after=after))
        return faults[-1]

    forget_generations(client)
    replace_io(client, make)
    return work(client)


def begun(server: Scripted, journal: Path) -> None:
    """Leave three records: one that has its id, one whose answer was lost, and one that will have failed."""
    lost = {"id": "gen_2", "status": "IN_QUEUE", "input": Payload(prompt="lost").to_dict()}
    server.on(CREATE, answer(200, state("IN_QUEUE")), [Drop], answer(200, state("IN_QUEUE", "gen_3")))
    server.on(RUNNING, answer(200, []))
    with Client(KEY, server.base, journal=journal) as client:
        fast_time(client)
        client.submit(Payload())
        with pytest.raises(SubmissionUncertain):
            client.submit(Payload(prompt="lost"))
        client.submit(Payload())
    for name, word in (("gen_1", "COMPLETED"), ("gen_2", "COMPLETED"), ("gen_3", "FAILED")):
        server.on(f"GET /api/generation/{name}", answer(200, state(word, name)))
    server.replace(RUNNING, answer(200, [lost]))
    server.requests.clear()


def given(found: list[Any]) -> list[str]:
    for item in found:
        assert item.error is None or isinstance(item.error, GenerationFailed)
    return [item.generation.id if item.generation else item.error.generation_id for item in found]


def states_of(journal: Path) -> set[str]:
    with closing(sqlite3.connect(journal)) as file, file:
        return {state for (state,) in file.execute("SELECT state FROM submission")}


@pytest.mark.parametrize(("end", "after"), SHAPES)
def test_recovering_is_interrupted_and_begins_anew(
    mode: str, end: type[BaseException], after: bool, server: Scripted, in_memory: Path
) -> None:
    begun(server, in_memory / "whole")
    recover = lambda client: client.recover()  # noqa: E731
    for at in count(1):
        journal = in_memory / f"{at}"
        shutil.copy(in_memory / "whole", journal)
        faults: list[Fault] = []
        work = partial(strike, recover, faults, at=at, end=end, after=after)
        try:
            found = use(mode, server.base, work, journal=journal)
        except BaseException as error:  # noqa: BLE001  # which are what is raised here
            assert isinstance(innermost(error), end), at  # noqa: PT017
        else:
            assert (given(found), states_of(journal)) == (["gen_1", "gen_2", "gen_3"], {"finished"})
            break
        assert states_of(journal) <= {"intended", "submitted"}, at
        assert given(use(mode, server.base, recover, journal=journal)) == ["gen_1", "gen_2", "gen_3"], at
    assert at > 10
    assert server.count(CREATE) == 0


def fetched(generation: Generation, folder: Path, client: Any) -> Any:
    return client.download(generation, folder)


@pytest.mark.parametrize(("end", "after"), SHAPES)
def test_a_download_is_interrupted_and_leaves_whole_files_alone(
    mode: str, end: type[BaseException], after: bool, server: Scripted, in_memory: Path
) -> None:
    videos = [{"url": f"{server.base}/{name}"} for name in FILES]
    generation = Generation("gen_1", "COMPLETED", {"id": "gen_1", "data": {"videos": videos}})
    for name, data in FILES.items():
        server.on(f"GET /api/{name}", answer(200, data, kind="video/mp4"))
    for at in count(1):
        folder = in_memory / f"{at}"
        faults: list[Fault] = []
        download = partial(fetched, generation, folder)
        try:
            paths = use(mode, server.base, partial(strike, download, faults, at=at, end=end, after=after))
        except BaseException as error:  # noqa: BLE001  # which are what is raised here
            assert isinstance(innermost(error), end), at  # noqa: PT017
        else:
            assert {path.name: path.read_bytes() for path in paths} == FILES
            break
        left = list(folder.iterdir()) if folder.exists() else []
        assert all(path.read_bytes() == FILES[path.name] for path in left), (at, left)
    assert at > 5
    assert all(request.method == "GET" for request in server.requests)
