"""A journal outlives the process: killed at any step, nothing is lost and nothing is paid twice."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.generations.sqlite import SqliteJournal
from skills_video_runtime.generations.tables import LAYOUT
from skills_video_runtime.http.key import Key
from skills_video_runtime.payloads.file import File
from skills_video_runtime.testing import fast_time
from tests.support import children, warm
from tests.support.callers import Payload, use
from tests.support.children import finished
from tests.support.scripted import (
    CREATE,
    KEY,
    RESULT,
    RUNNING,
    STREAM,
    Drop,
    Reply,
    Request,
    Scripted,
    answer,
    events,
    state,
)

ROOT = Path(__file__).parents[2]
CHILD = """
import asyncio, os, signal, sys
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.testing import IOProxy, replace_io
from tests.support.callers import Payload

base, journal, kind, at = sys.argv[1:]
left = [int(at)]

def count(state=None):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1

def counted(name):
    async def step(self, *given):
        outcome = await getattr(self.io, name)(*given)
        count()
        return outcome
    return step

class Counting(IOProxy):
    post, get, sleep, on_disk = map(counted, ("post", "get", "sleep", "on_disk"))

count()
if kind == "sync":
    with Client("sk-secret-0123456789abcdef", base, journal=journal, poll_interval=0.001) as client:
        replace_io(client, Counting)
        client.wait(client.submit(Payload()).id, on_state=count)
else:
    async def main():
        async with AsyncClient("sk-secret-0123456789abcdef", base, journal=journal, poll_interval=0.001) as client:
            replace_io(client, Counting)
            await client.wait((await client.submit(Payload())).id, on_state=count)
    asyncio.run(main())
"""
STEPS = 9  # intend, post, submitted, get, emit, sleep, get, emit, finished


class Platform:
    """What the scripted server plays: it makes, shows and finishes generations."""

    def __init__(self, server: Scripted) -> None:
        self.made: list[dict[str, Any]] = []
        self.asked = 0
        server.on(CREATE, self.create).on(RUNNING, self.running).on(RESULT, self.result)

    def create(self, request: Request) -> Reply:
        self.made.append({"id": f"gen_{len(self.made) + 1}", "status": "IN_QUEUE", "input": request.json()})
        return answer(200, self.made[-1])

    def running(self, _: Request) -> Reply:
        return answer(200, self.made)

    def result(self, _: Request) -> Reply:
        self.asked += 1
        return answer(200, state("IN_PROGRESS" if self.asked == 1 else "COMPLETED"))


def run_until_killed(server: Scripted, journal: Path, kind: str, at: int) -> int:
    arguments = [sys.executable, "-c", CHILD, server.base, str(journal), kind, str(at)]
    done = warm.finished(arguments, cwd=ROOT, env=children.environment())
    sys.stderr.write(done.stderr)
    return done.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(("kind", "at"), [*(("sync", at) for at in range(STEPS + 2)), ("asyncio", 2), ("asyncio", 3)])
def test_killed_at_any_step_nothing_is_lost_or_paid_twice(kind: str, at: int, server: Scripted, tmp_path: Path) -> None:
    platform = Platform(server)
    code = run_until_killed(server, tmp_path / "journal", kind, at)
    assert code == (-signal.SIGKILL if at <= STEPS else 0)
    mode = "trio" if kind == "asyncio" else kind
    for _ in range(2):  # the second time, nothing is left to do but what is uncertain
        found = use(mode, server.base, lambda client: client.recover(tmp_path / "journal"))
        if at == 1:
            assert [type(item.error) for item in found] == [errors.SubmissionUncertain]
            assert found[0].input["prompt"] == "neon rain"
    assert len(platform.made) == (1 if at >= 2 else 0)
    with closing(sqlite3.connect(tmp_path / "journal")) as file, file:
        states = [row[0] for row in file.execute("SELECT state FROM submission")]
    assert states == {0: [], 1: ["intended"]}.get(at, ["finished"])


@pytest.mark.parametrize("at", [2, 4])
def test_what_was_recovered_is_given(mode: str, at: int, server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    run_until_killed(server, tmp_path / "journal", "sync", at)
    (found,) = use(mode, server.base, lambda client: client.recover(tmp_path / "journal"))
    assert (found.model, found.generation.id, found.generation.status, found.error) == (
        "acme/one",
        "gen_1",
        "COMPLETED",
        None,
    )


def test_an_intent_that_was_never_posted_is_posted_only_if_asked_for(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    platform = Platform(server)
    run_until_killed(server, tmp_path / "journal", "sync", 1)
    work = lambda client: client.recover()  # noqa: E731
    (found,) = use(mode, server.base, work, journal=tmp_path / "journal", on_lost_submission="resubmit")
    assert found.generation.status == "COMPLETED"
    assert platform.made[0]["input"] == Payload().to_dict()
    assert len(platform.made) == 1


def test_files_are_not_kept_so_that_they_are_not_posted_again(server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, [Drop]).on(RUNNING, answer(200, []))
    payload = Payload(image=File(b"x", name="x.png"))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        with pytest.raises(errors.SubmissionUncertain):
            client.submit(payload)
    with Client(KEY, server.base, journal=tmp_path / "journal", on_lost_submission="resubmit") as client:
        fast_time(client)
        (found,) = client.recover()
    assert isinstance(found.error, errors.SubmissionUncertain)
    assert server.count(CREATE) == 1


def test_what_the_platform_refused_is_not_recovered(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, answer(422, {}))
    with pytest.raises(errors.ValidationFailed):
        use(mode, server.base, lambda client: client.submit(Payload(), journal=tmp_path / "journal"))
    assert use(mode, server.base, lambda client: client.recover(tmp_path / "journal")) == []


def test_a_failure_is_recovered_once_with_its_error(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, answer(200, state("IN_QUEUE"))).on(RESULT, answer(200, state("FAILED")))
    use(mode, server.base, lambda client: client.submit(Payload(), journal=tmp_path / "journal"))
    (found,) = use(mode, server.base, lambda client: client.recover(tmp_path / "journal"))
    assert isinstance(found.error, errors.GenerationFailed)
    assert use(mode, server.base, lambda client: client.recover(tmp_path / "journal")) == []


def test_one_that_stays_uncertain_does_not_keep_the_others(server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, [Drop], answer(200, state("IN_QUEUE"))).on(RUNNING, answer(200, [])).on(
        RESULT, answer(200, state("COMPLETED"))
    )
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        with pytest.raises(errors.SubmissionUncertain):
            client.submit(Payload())
        client.submit(Payload())
        found = client.recover()
    assert [type(item.error or item.generation).__name__ for item in found] == ["SubmissionUncertain", "Generation"]


def test_a_generation_of_the_journal_is_not_taken_for_another_submission(server: Scripted, tmp_path: Path) -> None:
    known = {"id": "gen_1", "status": "IN_QUEUE", "input": Payload().to_dict()}
    server.on(CREATE, answer(200, known), [Drop]).on(RUNNING, answer(200, [known]))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        client.submit(Payload())
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        with pytest.raises(errors.SubmissionUncertain):
            client.submit(Payload())


def test_with_a_journal_of_the_client_every_verb_that_posts_is_recorded(server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        client.generate(Payload())
        assert client.recover() == []
    with closing(sqlite3.connect(tmp_path / "journal")) as file, file:
        assert file.execute("SELECT id, state FROM submission").fetchall() == [("gen_1", "finished")]


def test_a_journal_that_cannot_be_opened_stops_the_post(mode: str, server: Scripted, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database" * 100)
    for path in (tmp_path / "none" / "journal", tmp_path / "text", tmp_path):
        with pytest.raises(errors.JournalUnavailable):
            use(mode, server.base, lambda client, path=path: client.submit(Payload(), journal=path))
    assert server.requests == []


def test_a_journal_belongs_to_one_client_at_a_time(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        client.submit(Payload())
        with Client(KEY, server.base) as other, pytest.raises(errors.JournalUnavailable, match=r"another .* Wait"):
            other.recover(tmp_path / "journal")
    with Client(KEY, server.base) as other:
        fast_time(other)
        assert len(other.recover(tmp_path / "journal")) == 1


def test_an_id_that_cannot_be_recorded_is_still_given(
    server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Platform(server)
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        assert client.recover() == []
    with closing(sqlite3.connect(tmp_path / "journal")) as file, file:
        file.execute("CREATE TRIGGER full BEFORE UPDATE ON submission BEGIN SELECT RAISE(ABORT, 'full'); END")
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        assert client.submit(Payload()).id == "gen_1"
    assert "the journal could not be written: full" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no sizes of files")
@pytest.mark.parametrize("then", ["submit", "recover", "the same key", "close"])
def test_an_id_that_cannot_be_recorded_now_is_recorded_later(server: Scripted, tmp_path: Path, then: str) -> None:
    """Whatever comes next: nothing that is known to one process is looked for by it, or by another one."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def create(_: object) -> Reply:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        return answer(200, state("IN_QUEUE"))

    server.on(CREATE, create, answer(200, state("IN_QUEUE", "gen_2"))).on(RESULT, answer(200, state("COMPLETED")))
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        try:
            assert client.submit(Payload(), key="fox").id == "gen_1"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        if then == "submit":
            client.submit(Payload())
        elif then == "recover":
            assert [entry.generation.id for entry in client.recover() if entry.generation] == ["gen_1"]
        elif then == "the same key":
            assert client.submit(Payload(), key="fox").id == "gen_1"
    ids = {"submit": {"gen_1", "gen_2"}}
    assert {name for name, _ in rows(tmp_path / "journal")} == ids.get(then, {"gen_1"})
    assert RUNNING not in {f"{request.method} {request.path}" for request in server.requests}


def test_recovering_needs_a_journal() -> None:
    with Client(KEY) as client, pytest.raises(ValueError, match="needs a journal"):
        client.recover()
    with pytest.raises(ValueError, match="needs a journal"):
        asyncio.run(AsyncClient(KEY).recover())


def test_the_journal_does_not_hold_the_key(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    use("sync", server.base, lambda client: client.submit(Payload(), journal=tmp_path / "journal"))
    assert KEY.encode() not in (tmp_path / "journal").read_bytes()


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as file, file:
        return file.execute("SELECT id, state FROM submission").fetchall()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_new_journal_is_for_its_owner_alone(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    use("sync", server.base, lambda client: client.submit(Payload(), journal=tmp_path / "journal"))
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_becomes_a_journal(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    (tmp_path / "journal").touch()
    use("sync", server.base, lambda client: client.submit(Payload(), journal=tmp_path / "journal"))
    assert rows(tmp_path / "journal") == [("gen_1", "submitted")]


OTHERS = {
    "of a later release": f"PRAGMA user_version = {LAYOUT + 1}; CREATE TABLE submission (key, more)",
    "of a later release, still empty": f"PRAGMA user_version = {LAYOUT + 1}",
    "of another program": "CREATE TABLE cookies (name, value)",
    "without its table": f"PRAGMA user_version = {LAYOUT}",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_database_that_is_no_journal_of_ours_is_left_alone(name: str, server: Scripted, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other")) as file:
        file.executescript(OTHERS[name])
    before = (tmp_path / "other").read_bytes()
    with pytest.raises(errors.JournalUnavailable, match=r"another release|no such table"):
        use("sync", server.base, lambda client: client.submit(Payload(), journal=tmp_path / "other"))
    assert (tmp_path / "other").read_bytes() == before
    assert server.requests == []


def test_a_journal_that_is_damaged_is_told(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    path = tmp_path / "journal"
    with Client(KEY, server.base, journal=path) as client:
        for number in range(20):
            client.submit(Payload(prompt=f"{number} " + "x" * 1000))
    whole = path.read_bytes()
    page = int.from_bytes(whole[16:18], "big")
    for start in range(page, len(whole), page):
        path.write_bytes(whole[:start] + b"\xff" * page + whole[start + page :])
        try:
            use("sync", server.base, lambda client: client.recover(path))
        except errors.JournalUnavailable as error:
            assert "cannot be used" in str(error)  # noqa: PT017  # some pages hold nothing that is needed
    with closing(sqlite3.connect(path)) as file:
        path.write_bytes(whole)
        with file:
            file.execute("UPDATE submission SET payload = '{', state = 'intended'")
    found = use("sync", server.base, lambda client: client.recover(path))
    assert {type(item.error) for item in found} == {errors.RecordUnusable}


def test_a_client_goes_on_after_a_journal_that_it_could_not_open(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    with Client(KEY, server.base, journal=tmp_path / "new" / "journal") as client:
        with pytest.raises(errors.JournalUnavailable):
            client.submit(Payload())
        (tmp_path / "new").mkdir()
        assert client.submit(Payload()).id == "gen_1"
    assert rows(tmp_path / "new" / "journal") == [("gen_1", "submitted")]


def test_a_client_goes_on_once_a_damaged_journal_is_put_right(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    path = tmp_path / "journal"
    use("sync", server.base, lambda client: client.submit(Payload(prompt="x" * 100_000), journal=path))
    whole = path.read_bytes()
    page = int.from_bytes(whole[16:18], "big")
    path.write_bytes(whole[: 2 * page] + b"\xff" * (len(whole) - 2 * page))
    with Client(KEY, server.base, journal=path) as client:
        with pytest.raises(errors.JournalUnavailable):
            client.submit(Payload())
        path.write_bytes(whole)
        assert client.submit(Payload()).id == "gen_2"
    assert rows(path) == [("gen_1", "submitted"), ("gen_2", "submitted")]


FULL = """
import resource, signal, sys
from skills_video_runtime.client import Client
from skills_video_runtime.errors import JournalUnavailable
from tests.support.callers import Payload

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Client("key", sys.argv[1], journal=sys.argv[2]) as client:
    client.submit(Payload())
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    try:
        client.submit(Payload(prompt="x" * 100_000))
    except JournalUnavailable as error:
        print(error)
    client.submit(Payload())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of a file")
def test_on_a_full_disk_nothing_is_sent(server: Scripted, tmp_path: Path) -> None:
    platform = Platform(server)
    arguments = [sys.executable, "-c", FULL, server.base, str(tmp_path / "journal")]
    done = finished(arguments, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cannot be used" in done.stdout
    assert [made["input"]["prompt"] for made in platform.made] == ["neon rain"] * 2
    assert rows(tmp_path / "journal") == [("gen_1", "submitted"), ("gen_2", "submitted")]


def test_any_text_is_given_back_as_it_was(server: Scripted, tmp_path: Path) -> None:
    server.on(CREATE, [Drop]).on(RUNNING, answer(200, []))
    prompt = "\x00\u202e\U0001f600'\");--" + "\u00e9" * 100_000
    with Client(KEY, server.base, journal=tmp_path / "journal") as client:
        fast_time(client)
        with pytest.raises(errors.SubmissionUncertain):
            client.submit(Payload(prompt=prompt))
        assert [item.input["prompt"] for item in client.recover()] == [prompt]


def test_two_submissions_at_once_have_records_of_their_own(server: Scripted, tmp_path: Path) -> None:
    Platform(server)
    with Client(KEY, server.base, journal=tmp_path / "journal") as client, ThreadPoolExecutor(8) as pool:
        names = {made.id for made in pool.map(lambda _: client.submit(Payload()), range(24))}
    assert sorted(rows(tmp_path / "journal")) == sorted((name, "submitted") for name in names)
    assert len(names) == 24


class Struck(Key):
    """A key by which one thread writes while others begin to wait, and which is struck by Ctrl-C after that."""

    def __init__(self, fails_at: int, struck_at: int) -> None:
        super().__init__(KEY)
        self.fails_at, self.struck_at = fails_at, struck_at
        self.asked, self.writing, self.others_wait = 0, threading.Event(), threading.Event()

    def digest(self, salt: str) -> str:
        self.asked += 1
        if self.asked == 1:
            self.writing.set()
            self.others_wait.wait(20)
        if self.asked == self.fails_at:
            raise errors.JournalUnavailable("a write fails")
        if self.asked == self.struck_at:
            raise KeyboardInterrupt
        return super().digest(salt)


@pytest.mark.parametrize(("fails_at", "struck_at"), [(0, 4), (4, 6)], ids=["all at once", "one by one"])
def test_what_a_thread_is_to_write_for_others_when_it_is_interrupted_they_write_themselves(
    fails_at: int, struck_at: int, tmp_path: Path
) -> None:
    key, asked = Struck(fails_at, struck_at), threading.Semaphore(0)
    written = set[int]()
    journal = SqliteJournal(tmp_path / "journal", "https://acme.example", key)

    class Slow(Payload):
        def goes_as_form(self) -> bool:
            asked.release()
            return False

    def intend(number: int) -> None:
        with suppress(KeyboardInterrupt):  # of one, whose own may be written before
            journal.intend(number, Slow())
            written.add(number)

    with closing(journal), ThreadPoolExecutor(8) as pool:
        pool.submit(intend, 1)
        assert key.writing.wait(20)
        works = [pool.submit(intend, number) for number in range(2, 9)]
        for _ in range(8):
            assert asked.acquire(timeout=20)
        key.others_wait.set()
        wait(works)
        for work in works:
            work.result()
        assert written <= {entry.key for entry in journal.unfinished()}
    assert len(written) == 7
    assert 1 in written
