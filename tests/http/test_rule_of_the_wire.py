"""Was the head of the post begun? Whatever is raised, wherever: nothing is paid twice, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.errors import SkillsVideoError, SubmissionUncertain
from skills_video_runtime.testing import fast_time, is_idle, replace_io
from tests.support.callers import Payload, use
from tests.support.interruptions import Fault, ForeignEnd, innermost
from tests.support.scripted import CREATE, KEY, RESULT, RUNNING, STREAM, Drop, Request, Scripted, answer, events, state

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


class ForeignError(Exception):
    """An exception of a library that nobody has thought of."""


RAISED: dict[str, Callable[[], BaseException]] = {
    "no file descriptor": lambda: OSError(24, "Too many open files"),
    "runtime": lambda: RuntimeError("Event loop is closed"),
    "memory": MemoryError,
    "interrupt": KeyboardInterrupt,
    "foreign": ForeignError,
    "foreign end": ForeignEnd,
}


OUTLASTED = SkillsVideoError("The fault did no harm.", generation_id="gen_1")


class Platform:
    """Makes one generation a post, and tells its states over the stream, by its id and in the running list."""

    def __init__(self, server: Scripted, states: tuple[str, ...] = ("IN_QUEUE", "IN_PROGRESS")) -> None:
        self.made: list[dict[str, Any]] = []
        self.states = states
        self.looks = 0
        server.on(STREAM, self.stream).on(CREATE, self.create).on(RUNNING, self.running).on(RESULT, self.result)

    def make(self, request: Request) -> str:
        assert request.complete
        name = f"gen_{len(self.made) + 1}"
        self.made.append({"id": name, "status": "IN_QUEUE", "input": request.json()})
        return name

    def stream(self, request: Request) -> Any:
        name = self.make(request)
        return events(*(state(word, name) for word in self.states))

    def create(self, request: Request) -> Any:
        return answer(200, state("IN_QUEUE", self.make(request)))

    def running(self, _: Request) -> Any:
        return answer(200, self.made)

    def result(self, _: Request) -> Any:
        self.looks += 1
        return answer(200, state("IN_PROGRESS" if self.looks == 1 else "COMPLETED"))


def states_of(journal: Path | None) -> list[tuple[str | None, str]]:
    if journal is None or not journal.exists():
        return []
    with closing(sqlite3.connect(journal)) as file, file, suppress(sqlite3.OperationalError):
        return file.execute("SELECT id, state FROM submission").fetchall()
    return []


def judge(error: BaseException | None, platform: Platform, rows: list[tuple[str | None, str]], note: object) -> None:
    """See that a caller knows what was made, from what is raised or from the journal."""
    assert len(platform.made) <= 1, note
    told = "".join([str(error), *getattr(error, "__notes__", ())])
    if not platform.made:
        assert rows in ([], [(None, "refused")]), (note, rows)
        assert isinstance(error, SkillsVideoError) or "Nothing was sent" in told or not rows, (note, told)
    elif error is OUTLASTED:
        assert rows in ([], [("gen_1", "finished")]), (note, rows)
    elif isinstance(error, SkillsVideoError):
        assert isinstance(error, SubmissionUncertain) or error.generation_id == "gen_1", (note, error)
        assert rows in ([], [(None, "intended")], [("gen_1", "submitted")]), (note, rows)
    elif error is not None:
        assert "gen_1" in told or "not known whether a generation was made" in told, (note, told)
        assert not isinstance(error, Exception) or "gen_1" in told, (note, error)


@pytest.mark.parametrize("journaled", [False, True])
@pytest.mark.parametrize("kind", RAISED)
def test_whatever_is_raised_at_any_step_the_caller_or_the_journal_knows_what_was_made(
    mode: str, kind: str, journaled: bool, in_memory: Path
) -> None:
    for after in (False, True):
        for at in count(1):
            path = in_memory / f"{after}-{at}"
            journal = path if journaled else None
            with Scripted() as server:
                platform = Platform(server)
                ended = struck(mode, server, journal, kind, at, after=after)
                rows = states_of(journal)
                if ended is None:
                    assert rows == ([("gen_1", "finished")] if journaled else [])
                    break
                judge(ended, platform, rows, (kind, at, after))
                if platform.made and rows and rows[0][1] != "finished":
                    found = use(mode, server.base, lambda client, path=path: client.recover(path))
                    assert [item.generation.id for item in found] == ["gen_1"]
                assert len(platform.made) <= 1
        assert at > 15


def struck(mode: str, server: Scripted, journal: Path | None, kind: str, at: int, *, after: bool) -> Any:
    """Generate with a fault, and give what is raised; None where the step was never reached."""
    reached: list[Fault] = []

    def work(client: Any) -> Any:
        def make(io: Any) -> Fault:
            reached.append(Fault(io, at, RAISED[kind], after=after))
            return reached[-1]

        replace_io(client, make)
        clients.append(client)
        return client.generate(Payload())

    clients: list[Any] = []
    try:
        result = use(mode, server.base, work, journal=journal)
    except BaseException as error:  # noqa: BLE001  # any may be raised
        ended = innermost(error)
    else:
        assert result.id == "gen_1"
        return None if reached[0].left > 0 else OUTLASTED
    assert is_idle(clients[0]), (kind, at, after)
    return ended


class Raising(httpx.HTTPTransport):
    """A transport of a user's own that fails before it hands a request on, or after."""

    def __init__(self, make: Callable[[], BaseException], *, after: bool) -> None:
        super().__init__()
        self.make, self.after = make, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and not self.after:
            raise self.make()
        response = super().handle_request(request)
        if request.method == "POST":
            raise self.make()
        return response


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["no file descriptor", "runtime", "memory", "foreign"])
def test_a_transport_may_raise_whatever_it_likes(kind: str, after: bool, server: Scripted, tmp_path: Path) -> None:
    platform = Platform(server)
    with (
        httpx.Client(transport=Raising(RAISED[kind], after=after)) as mine,
        Client(KEY, server.base, http_client=mine, journal=tmp_path / "j") as client,
    ):
        fast_time(client)
        if after:
            assert client.generate(Payload()).id == "gen_1"
        else:
            with pytest.raises(SubmissionUncertain):  # it need not tell of heads, so nothing is certain
                client.generate(Payload())
    assert len(platform.made) == after
    assert states_of(tmp_path / "j") == [("gen_1", "finished") if after else (None, "intended")]


MANY = """
import asyncio, json, resource, sys
from skills_video_runtime.client import AsyncClient
from skills_video_runtime.errors import SkillsVideoError
from skills_video_runtime.generations.retry import RetryPolicy
from tests.support.callers import Payload

base, most = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

async def one(client, number):
    try:
        return [(await client.generate(Payload(prompt=f"number {number}"))).id]
    except SkillsVideoError as error:
        return [*getattr(error, "candidates", ()), error.generation_id]

async def main():
    async with AsyncClient("key-0123456789", base, timeout=20, retry=RetryPolicy(initial=0.1, maximum=0.5)) as client:
        return await asyncio.gather(*(one(client, number) for number in range(300)))

print(json.dumps(asyncio.run(main())))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files")
@pytest.mark.parametrize("most", [64, 128, 256])
def test_where_files_run_out_every_charge_has_its_id(most: int, server: Scripted) -> None:
    platform = Platform(server, ("IN_QUEUE", "IN_PROGRESS", "COMPLETED"))
    arguments = [sys.executable, "-c", MANY, server.base, str(most)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    told = [name for names in json.loads(done.stdout) for name in names if name]
    assert len(told) == len(set(told))
    assert {made["id"] for made in platform.made} <= set(told)
    assert len(platform.made) > 20


AUDITED = """
import sys
from skills_video_runtime.testing import IOProxy, replace_io
from tests.support.callers import Payload, use
from tests.support.interruptions import Fault, ForeignEnd, innermost

loaded, posts = [], []

def hook(name, about):
    if name in {"open", "import"} and posts and posts[-1].begun:
        loaded.append(about[:1])

class Listening(IOProxy):
    async def post(self, post, patience, silence):
        posts.append(post)
        return await self.io.post(post, patience, silence)

def work(client):
    replace_io(client, Listening)
    return client.generate(Payload(), on_state=lambda _: posts.clear())

sys.addaudithook(hook)
use(sys.argv[2], sys.argv[1], work)
print(loaded)
"""


@pytest.mark.parametrize("way", ["stream", "json", "lost"])
def test_nothing_is_opened_or_imported_between_the_head_of_a_post_and_its_id(
    mode: str, way: str, server: Scripted
) -> None:
    platform = Platform(server)
    if way == "json":
        server.replace(STREAM, platform.create)
    elif way == "lost":
        server.replace(STREAM, lambda request: [platform.make(request), Drop][1:])
    arguments = [sys.executable, "-c", AUDITED, server.base, mode]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "[]\n"


LOOPS = """
import asyncio, os, sys
from concurrent.futures import ThreadPoolExecutor
import trio
from skills_video_runtime.client import AsyncClient
from tests.support.callers import Payload

client = AsyncClient("key-0123456789", sys.argv[1], journal=sys.argv[2])

async def generated(_=None):
    return (await client.generate(Payload())).status

def in_trio():
    return trio.run(generated)

def in_asyncio(_=None):
    return asyncio.run(generated())

one_after_another = [run() for run in (in_asyncio, in_asyncio, in_trio, in_trio, *[in_asyncio] * 40)]
files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
with ThreadPoolExecutor(8) as pool:
    at_once = list(pool.map(in_asyncio, range(32)))
asyncio.run(client.close())
print({*one_after_another, *at_once}, files < 30)
"""


def test_one_client_may_be_used_in_many_event_loops(server: Scripted, tmp_path: Path) -> None:
    platform = Platform(server, ("IN_QUEUE", "COMPLETED"))
    arguments = [sys.executable, "-c", LOOPS, server.base, str(tmp_path / "j")]
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert done.stdout == "{<Status.COMPLETED: 'COMPLETED'>} True\n"
    assert len(platform.made) == 76
    assert {row[1] for row in states_of(tmp_path / "j")} == {"finished"}
