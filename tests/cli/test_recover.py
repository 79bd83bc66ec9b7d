"""`run --journal` and `recover`: a record is done once its files are there, and its owner may settle it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import Client
from skills_video_runtime.testing import fast_time
from tests.generations.test_journal import rows
from tests.support.callers import Payload
from tests.support.processes import call, command, environment
from tests.support.scripted import KEY, RUNNING, Drop, Hold, Scripted, answer

MODEL = "openai/sora-2"
POST = f"POST /api/generation/sse/{MODEL}"
CREATE = f"POST /api/generation/{MODEL}"
RUN = ("run", MODEL, "--set", "prompt=neon rain", "--poll-interval", "0.05")


def finished(server: Scripted, name: str) -> dict[str, object]:
    data = {"videos": [{"url": f"http://127.0.0.1:{server.port}/{name}.mp4"}]}
    return {"id": name, "status": "COMPLETED", "data": data}


def plan(server: Scripted, name: str, *files: object) -> None:
    """Have a generation that is finished, and its file."""
    server.on(f"GET /api/generation/{name}", answer(200, finished(server, name)))
    server.on(f"GET /{name}.mp4", *files or [answer(200, b"video", kind="video/mp4")])


def at(server: Scripted) -> dict[str, str]:
    return {"SKILLS_VIDEO_BASE_URL": server.base, "SKILLS_VIDEO_API_KEY": KEY}


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("options", [(), ("--no-stream",)])
def test_a_run_that_is_killed_in_its_download_is_given_again(
    options: tuple[str, ...], server: Scripted, journal: str, tmp_path: Path
) -> None:
    hold, video = Hold(), answer(200, b"video", kind="video/mp4")
    plan(server, "gen_1", [hold], video)
    for route in (POST, CREATE):
        server.on(route, answer(200, finished(server, "gen_1")))
    arguments = [*RUN, *options, "--journal", journal, "--download", str(tmp_path / "out")]
    with subprocess.Popen(command(*arguments), env=environment(**at(server)), stdout=subprocess.DEVNULL) as process:
        assert hold.reached.wait(30)
        process.kill()
    hold.go.set()
    done = call("recover", "--journal", journal, "--download", str(tmp_path / "out"), **at(server))
    assert (done.returncode, "COMPLETED gen_1" in done.stdout) == (0, True), done.stderr
    assert (tmp_path / "out" / "gen_1.mp4").read_bytes() == b"video"
    assert "nothing unfinished" in call("recover", "--journal", journal, **at(server)).stdout
    assert server.count(POST) + server.count(CREATE) == 1


def leave(server: Scripted, journal: str, *names: str) -> None:
    """Leave records of generations that nobody has followed."""
    server.on("POST /api/generation/acme/one", *(answer(200, {"id": name, "status": "IN_QUEUE"}) for name in names))
    with Client(KEY, server.base, journal=journal) as client:
        for _ in names:
            client.submit(Payload())


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_file_that_fails_keeps_no_other_from_being_fetched(
    options: tuple[str, ...], server: Scripted, journal: str, tmp_path: Path
) -> None:
    leave(server, journal, "gen_1", "gen_2", "gen_3")
    for name in ("gen_2", "gen_3"):
        plan(server, name)
    plan(server, "gen_1", answer(404), answer(200, b"late", kind="video/mp4"))
    again = ("recover", "--journal", journal, "--download", str(tmp_path / "out"), *options)
    done = call(*again, **at(server))
    assert done.returncode == 25
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["gen_2.mp4", "gen_3.mp4"]
    assert rows(Path(journal)) == [("gen_1", "submitted"), ("gen_2", "finished"), ("gen_3", "finished")]
    assert "could not be downloaded" in done.stdout
    if options:
        first, second, _ = json.loads(done.stdout)
        assert (first["key"], first["generation"]["id"], first["error"]["category"]) == (1, "gen_1", "download")
        assert (second["error"], len(second["files"])) == (None, 1)
    done = call(*again, **at(server))
    assert (done.returncode, (tmp_path / "out" / "gen_1.mp4").read_bytes()) == (0, b"late")
    assert "gen_2" not in done.stdout


def test_a_generation_without_files_keeps_no_other_from_being_fetched(
    server: Scripted, journal: str, tmp_path: Path
) -> None:
    leave(server, journal, "gen_1", "gen_2")
    server.on("GET /api/generation/gen_1", answer(200, {"id": "gen_1", "status": "COMPLETED", "data": {"n": 0}}))
    plan(server, "gen_2")
    done = call("recover", "--journal", journal, "--download", str(tmp_path), "--timeout", "20", **at(server))
    assert (tmp_path / "gen_2.mp4").is_file(), done.stderr


def test_an_address_that_is_none_keeps_no_other_file_from_being_fetched(
    server: Scripted, journal: str, tmp_path: Path
) -> None:
    leave(server, journal, "gen_1", "gen_2")
    told = {"id": "gen_1", "status": "COMPLETED", "data": {"videos": [{"url": "https://[x"}]}}
    server.on("GET /api/generation/gen_1", answer(200, told))
    plan(server, "gen_2")
    done = call("recover", "--journal", journal, "--download", str(tmp_path / "out"), **at(server))
    assert (done.returncode, "could not be downloaded" in done.stdout) == (25, True), done.stderr
    assert (tmp_path / "out" / "gen_2.mp4").is_file()
    assert rows(Path(journal)) == [("gen_1", "submitted"), ("gen_2", "finished")]


def test_a_record_is_dropped_by_its_key(server: Scripted, journal: str) -> None:
    server.on("POST /api/generation/acme/one", [Drop]).on(RUNNING, answer(200, []))
    with Client(KEY, server.base, journal=journal) as client:
        fast_time(client)
        for _ in range(3):
            with pytest.raises(errors.SubmissionUncertain):
                client.submit(Payload())
    server.requests.clear()
    done = call("recover", "--journal", journal, "--forget", "1", "--forget", "3", **at(server))
    assert (done.returncode, done.stdout) == (0, "record 1 is forgotten\nrecord 3 is forgotten\n")
    done = call("recover", "--journal", journal, "--forget", "3", **at(server))
    assert (done.returncode, "holds no unfinished record 3" in done.stderr) == (1, True)
    assert server.requests == []
    done = call("recover", "--journal", journal, **at(server))
    assert (done.returncode, "--forget 2" in done.stdout) == (3, True)


def test_a_key_that_looks_like_a_number_drops_no_record_of_another_key(server: Scripted, journal: str) -> None:
    server.on(POST, answer(200, finished(server, "gen_1")), [Drop]).on(RUNNING, answer(200, []))
    for own_key in ("2", "row-3"):
        call(*RUN, "--journal", journal, "--key", own_key, **at(server))
    done = call("recover", "--journal", journal, "--forget", "2", **at(server))
    assert (done.returncode, done.stdout) == (1, "")
    assert "record 2 is that of key 'row-3'" in done.stderr
    with Client(KEY, server.base, journal=journal) as client:
        with pytest.raises(ValueError, match="row-3"):
            client.settle(2)
        assert [record.key for record in client.history()] == ["2"]
        client.settle("row-3")


def test_a_record_that_is_over_is_not_dropped(server: Scripted, journal: str) -> None:
    server.on(POST, answer(200, finished(server, "gen_1")), answer(200, finished(server, "gen_2")))
    for own_key in (("--key", "fox-1"), ()):
        assert call(*RUN, "--journal", journal, *own_key, **at(server)).returncode == 0
    for key, told in (("fox-1", "fox-1"), ("1", "fox-1"), ("2", "2")):
        done = call("recover", "--journal", journal, "--forget", key, **at(server))
        said = f"error: key: record {told} is over: there is nothing to settle or forget\n"
        assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("name", ["typo.db", "."])
def test_an_end_is_noted_in_no_journal_that_is_not_there(name: str, server: Scripted, tmp_path: Path) -> None:
    plan(server, "gen_1")
    done = call("wait", "gen_1", "--journal", name, folder=tmp_path, **at(server))
    assert (done.returncode, "there is no journal" in done.stderr) == (1, True)
    assert (list(tmp_path.iterdir()), server.requests) == ([], [])


def test_what_belongs_elsewhere_is_told(server: Scripted, journal: str) -> None:
    leave(server, journal, "gen_1")
    with Scripted() as other:
        done = call("recover", "--journal", journal, **at(other))
        assert (done.returncode, other.requests) == (25, [])
    assert "belongs to another key or platform, localhost:" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves no file that is open")
def test_an_id_that_cannot_be_recorded_is_told(server: Scripted, journal: str) -> None:
    def create(_: object) -> object:
        Path(journal).unlink()
        return answer(200, finished(server, "gen_1"))

    server.on(POST, create)
    done = call(*RUN, "--journal", journal, **at(server))
    assert done.returncode == 0, done.stderr
    assert "warning: the journal could not be written" in done.stderr
    assert "record 1 is of generation gen_1" in done.stderr


def test_a_video_without_an_id_is_given_without_a_stream(server: Scripted, journal: str, tmp_path: Path) -> None:
    plan(server, "v")
    server.on(CREATE, answer(200, {**finished(server, "v"), "id": None}))
    done = call(*RUN, "--no-stream", "--journal", journal, "--download", str(tmp_path / "out"), **at(server))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "v.mp4").read_bytes() == b"video"
    assert [request.path for request in server.requests] == [CREATE.removeprefix("POST "), "/v.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_was_fetched_before_a_kill_is_not_fetched_again(server: Scripted, journal: str, tmp_path: Path) -> None:
    hold = Hold()
    leave(server, journal, "gen_1", "gen_2")
    plan(server, "gen_1")
    plan(server, "gen_2", [hold], answer(200, b"video", kind="video/mp4"))
    again = ("recover", "--journal", journal, "--download", str(tmp_path / "out"))
    with subprocess.Popen(command(*again), env=environment(**at(server)), stdout=subprocess.DEVNULL) as process:
        assert hold.reached.wait(30)
        process.kill()
    hold.go.set()
    assert call(*again, **at(server)).returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["gen_1.mp4", "gen_2.mp4"]
    assert server.count("GET /gen_1.mp4") == 1
