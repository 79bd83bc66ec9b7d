"""The journal in an SQLite file and the one in Postgres keep the same promises; that one is shared by processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from skills_video import Client, google_veo_3_1
from skills_video_runtime import errors
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time
from tests.support.batches import paid_twice
from tests.support.children import hearing, started
from tests.support.processes import call, command, environment, strict

PAYLOAD = google_veo_3_1.Payload(prompt="rain")
OTHER = google_veo_3_1.Payload(prompt="snow")


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "postgres"])
def journal(request, tmp_path):
    if request.param == "sqlite":
        return tmp_path / "jobs.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture
def opened(sandbox, journal):
    def opened(**options):
        client = Client(sandbox.api_key, sandbox.url, journal=journal, poll_interval=0.05, **options)
        fast_time(client)
        return client

    return opened


def test_a_key_names_one_generation_in_any_process(sandbox, opened):
    with opened() as client:
        first = client.generate(PAYLOAD, key="row-17")
        assert client.generate(PAYLOAD, key="row-17").id == first.id
        client.generate(OTHER)
    with opened() as client:
        assert client.generate(PAYLOAD, key="row-17").id == first.id
        assert client.submit(PAYLOAD, key="row-17").is_finished
        [named, other] = client.history()
    assert (named.key, named.id, named.status, named.credits) == ("row-17", first.id, "COMPLETED", 16)
    assert named.begun <= named.ended
    assert isinstance(other.key, int)
    assert sandbox.made() == 2


TEXTS = ["\ud800", "a\x00b", "", "x" * 1000, "line\nend"]
NO_TEXTS = [2**70, True, None, 1.5, b"row-17"]


@pytest.mark.parametrize("key", [*TEXTS, *NO_TEXTS], ids=ascii)
def test_what_no_database_takes_is_no_key_and_no_id(key, sandbox, opened, journal):
    kind = ValueError if isinstance(key, str) else TypeError
    refused = ValueError if key == 2**70 else kind
    with opened() as client:
        for ask in (client.known, lambda key: client.generate(PAYLOAD, key=key)):
            if key is not None or ask == client.known:
                with pytest.raises(kind, match="key is a"):
                    ask(key)
        with pytest.raises(refused, match=r"^key"):
            client.settle(key)
        if key is not None:
            with pytest.raises(ValueError, match=r"^id: .* is no id of a generation"):
                client.settle(1, key)
        assert client.history() == []
    assert sandbox.made() == 0


def test_a_key_goes_before_the_id_of_another_generation(sandbox, opened):
    with opened() as client:
        first = client.generate(OTHER)
        second = client.generate(PAYLOAD, key=first.id)
        assert client.known(first.id).id == second.id
        assert client.known(second.id).id == second.id
        assert client.generate(PAYLOAD, key=first.id).id == second.id
    assert sandbox.made() == 2


def test_a_key_of_another_payload_is_refused(sandbox, opened):
    with opened() as client:
        client.generate(PAYLOAD, key="row-17")
        with pytest.raises(ValueError, match="another payload"):
            client.generate(OTHER, key="row-17")
    assert sandbox.made() == 1


def test_what_was_refused_may_be_posted_under_its_key(sandbox, opened):
    sandbox.plan("redirect:https://example.org/")
    with opened() as client:
        with pytest.raises(errors.InvalidRequest):
            client.generate(PAYLOAD, key="row-17")
        assert client.generate(PAYLOAD, key="row-17").is_finished
        assert client.generate(PAYLOAD, key="row-17").is_finished
    assert sandbox.made() == 1


@pytest.mark.parametrize("fault", ["drop-after", "500-after", "cut:10"])
def test_what_was_begun_is_recovered(fault, sandbox, opened):
    sandbox.plan(f"{fault},slow:100000")
    sandbox.arm("running-500:99")
    with opened() as client, pytest.raises(errors.SkillsVideoError):
        client.generate(PAYLOAD, key="row-17", timeout=5)
    sandbox.advance(100_000)
    with opened() as client:
        [entry] = client.recover()
        assert entry.key == "row-17"
        client.settle("row-17", sandbox.generations()[0].id)
        [entry] = client.recover()
        assert entry.generation.id == sandbox.generations()[0].id
        assert client.recover() == []
        assert client.prune() == 1
        assert client.history() == []
    assert sandbox.made() == 1


def test_many_threads_record_all(sandbox, opened):
    with opened() as client:
        payloads = [google_veo_3_1.Payload(prompt=f"rain {number}") for number in range(40)]
        assert all(result.generation for result in client.generate_many(payloads, limit=16))
        assert len({record.id for record in client.history()}) == 40
    assert sandbox.made() == 40


def test_records_of_another_key_are_left_alone(sandbox, opened, journal):
    with opened() as client:
        client.submit(PAYLOAD, key="row-17")
    with Client("another-key", sandbox.url, journal=journal) as client:
        [entry] = client.recover()
        assert isinstance(entry.error, errors.RecordUnusable)
        with pytest.raises(errors.RecordUnusable):
            client.generate(PAYLOAD, key="row-17")
    assert sandbox.made() == 1


# From here on: several processes.

WORKER = """
import random, sys
from skills_video import Client, google_veo_3_1
from skills_video_runtime import SkillsVideoError
journal, count, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
numbers = [*range(first, count), *range(first)]
from concurrent.futures import ThreadPoolExecutor
with Client(journal=journal, poll_interval=0.2, timeout=120) as client, ThreadPoolExecutor(6) as pool:
    client.history()
    print("the journal is open", flush=True)
    def make(number):
        try:
            made = client.generate(google_veo_3_1.Payload(prompt=f"rain {number}"), key=f"row-{number}")
        except SkillsVideoError as error:
            print(f"row-{number}", type(error).__name__, flush=True)
        else:
            print(f"row-{number}", made.id, flush=True)
    list(pool.map(make, numbers))
"""


def worker(sandbox, postgres, count, first):
    with hearing():
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, postgres.url, str(count), str(first)],
            env=environment(sandbox), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert process.stdout.readline() == "the journal is open\n"  # who opens one waits for no database
    return process


def when(is_due):
    for _ in range(6000):
        if is_due():
            return
        threading.Event().wait(0.01)
    raise TimeoutError


ROWS = int(os.environ.get("BATCH_SHARED_ROWS", "12"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_workers_that_are_killed_and_paused_and_a_database_that_is_restarted(postgres):
    """Whoever asks for a row next takes up what a dead worker has begun; a paused one keeps what it has."""
    with Sandbox(speed=1.2, credits=1e9) as slow:
        workers = [worker(slow, postgres, ROWS, first) for first in (0, ROWS // 3, 2 * ROWS // 3)]
        killed, paused, other = workers
        when(lambda: slow.made() >= ROWS // 4)
        killed.kill()
        workers.append(worker(slow, postgres, ROWS, 0))  # as an engine starts another one
        paused.send_signal(signal.SIGSTOP)
        postgres.restart()
        others = other, workers[-1]
        when(lambda: slow.made() >= ROWS // 2 or all(process.poll() is not None for process in others))
        paused.send_signal(signal.SIGCONT)
        told = [process.communicate(timeout=60 + ROWS * 3) for process in (paused, other, workers[-1])]
        killed.communicate()
        assert paid_twice(slow) == [], told
        by_worker = [dict(line.split() for line in out.splitlines()) for out, _ in told]
        for rows in by_worker:
            assert sorted(rows) == sorted(f"row-{number}" for number in range(ROWS)), told
            assert set(rows.values()) <= {item.id for item in slow.generations()} | {"SubmissionUncertain"}
        made = {item.id for item in slow.generations()}
        found = {name for rows in by_worker for name in rows.values()}
        print(f"{ROWS} rows: {len(made)} made, {Counter(by_worker[1].values())['SubmissionUncertain']} uncertain")  # noqa: T201
        assert made <= found, (made - found, told)


def test_a_lost_answer_is_not_taken_for_that_of_another_process(postgres):
    """Two processes post the same at the same moment; one loses its answer, and must not adopt the other's."""
    with Sandbox(speed=0) as still:
        still.plan("", "drop-before")
        with (
            Client(still.api_key, still.url, journal=postgres.url) as one,
            Client(still.api_key, still.url, journal=postgres.url) as two,
        ):
            first = one.submit(PAYLOAD, key="a")
            with pytest.raises(errors.SubmissionUncertain) as caught:
                two.submit(PAYLOAD, key="b")
        assert first.id not in caught.value.candidates
        assert still.made() == 1


@pytest.mark.parametrize(
    "password", ["secret", "sec@ret", "sec/ret", "sec?ret", "sec#ret", "sec%ret", "sec:ret", "[sec"]
)
def test_a_database_that_is_not_there_is_told_and_nothing_is_sent(password, sandbox):
    """Where characters of a password are not written as an address has them, parts of it pass for other things."""
    where = f"postgresql://user:{password}@127.0.0.1:9/jobs"
    with (
        Client(sandbox.api_key, sandbox.url, journal=where) as client,
        pytest.raises(errors.JournalUnavailable) as caught,
    ):
        client.generate(PAYLOAD)
    assert "127.0.0.1/jobs" in str(caught.value) or "@ as %40" in str(caught.value)
    for part in (password, *re.split(r"\W", password)):
        assert not part or part not in f"{caught.value!r} {caught.value} {caught.value.__context__}"
    assert sandbox.requests.total() == 0


def test_commands_take_a_database_as_their_journal(sandbox, postgres):
    sandbox.plan("", "drop-after")
    run = ("run", "google/veo-3.1", "rain", "--poll-interval", "0.05", "--journal", postgres.url, "--key")
    assert call(*run, "one", sandbox=sandbox).returncode == 0
    assert call(*run, "one", sandbox=sandbox).returncode == 0
    sandbox.arm("running-500:99")
    assert call(*run, "two", "--timeout", "6", sandbox=sandbox).returncode == 3
    recovered = call("recover", "--journal", postgres.url, "--forget", "two", sandbox=sandbox)
    assert recovered.stdout == "record two is forgotten\n"
    assert call("recover", "--journal", postgres.url, sandbox=sandbox).returncode == 0
    costs = strict(call("models", "--costs", "--journal", postgres.url, "--json").stdout)
    assert costs == [{"id": "google/veo-3.1", "credits": 16}]
    assert sandbox.made() == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_command_that_is_interrupted_does_not_show_the_password(postgres):
    address = postgres.url.replace("postgres:@", "postgres:hush@")
    assert "hush" in address
    with (
        Sandbox(speed=0) as still,
        started(command("run", "google/veo-3.1", "rain", "--journal", address), env=environment(still)) as process,
    ):
        when(lambda: still.made() == 1)
        process.send_signal(signal.SIGINT)
        told = "".join(process.communicate())
    assert ("--journal" in told, "hush" in told) == (True, False), told


@pytest.mark.parametrize("place", ["mysql://user:hush@host/jobs", "Postgresql://user:hush@host/jobs"])
def test_an_address_that_is_no_postgres_is_refused(place, sandbox):
    for arguments in (("run", "google/veo-3.1", "rain"), ("recover",), ("models", "--costs")):
        done = call(*arguments, "--journal", place, sandbox=sandbox)
        assert (done.returncode, "hush" in done.stderr) == (1, False)
        assert "a journal is a file, or postgresql://" in done.stderr
    assert sandbox.requests.total() == 0


def test_tables_of_another_release_are_refused(sandbox, postgres):
    with Client(sandbox.api_key, sandbox.url, journal=postgres.url) as client:
        client.history()
    with import_module("psycopg").connect(postgres.url, autocommit=True) as database:
        database.execute("UPDATE skills_video.layout SET number = 99")
    with (
        Client(sandbox.api_key, sandbox.url, journal=postgres.url) as client,
        pytest.raises(errors.JournalUnavailable, match="another release"),
    ):
        client.history()


class Between:
    """A way to a Postgres that keeps what is written, and may lose the answer to that."""

    def __init__(self, url, folder):
        there = Path(parse_qs(urlsplit(url).query)["host"][0])
        [self.there] = there.glob(".s.PGSQL.*[0-9]")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / self.there.name))
        self.listener.listen()
        self.url = url.replace(quote(str(there), safe=""), str(folder)).replace(str(there), str(folder))
        self.loses, self.lost, self.open = False, False, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX)
                self.open += [near, far]
                far.connect(str(self.there))
                threading.Thread(target=self.ask, args=(near, far), daemon=True).start()
                threading.Thread(target=self.answer, args=(near, far), daemon=True).start()

    def ask(self, near, far):
        with suppress(OSError):
            while data := near.recv(65536):
                self.lost = self.lost or (self.loses and b"COMMIT" in data)
                far.sendall(data)

    def answer(self, near, far):
        with suppress(OSError):
            while data := far.recv(65536):
                if self.lost:
                    self.loses = self.lost = False
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(data)

    def close(self):
        for each in (self.listener, *self.open):
            with each, suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_what_is_written_and_not_answered_is_written_again(postgres, sandbox):
    with (
        TemporaryDirectory() as folder,
        closing(Between(postgres.url, Path(folder))) as between,
        Client(sandbox.api_key, sandbox.url, journal=between.url, poll_interval=0.05) as client,
    ):
        client.history()
        between.loses = True
        made = client.generate(PAYLOAD, key="row-17")
        assert not between.loses
        assert client.known("row-17").id == made.id
        assert [record.key for record in client.history()] == ["row-17"]
