"""What README.md shows is what happens, and it is short enough to be read."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished, started

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROSE = re.sub(r"<!-- models: begin.*?<!-- models: end -->|```.*?```", "", README, flags=re.DOTALL)
PROGRAMS = dict(re.findall(r"^### (.+?)\n(?:(?!#).*\n)*?```python\n((?:.*\n)*?)```", README, re.MULTILINE))

ENDS_WELL = {
    "One video": r"IN_QUEUE\nIN_PROGRESS\nCOMPLETED\n(out.\S+\.mp4)\n",
    "Another model": r"\[('[^']+', )*'google/veo-3.1', .*\]\nCOMPLETED\n",
    "A local file": r"http://\S+\.mp4\n",
    "Several at once": r"((neon rain|first snow|a paper boat) \[\w+\('(out/\S+\.mp4)'\)\]\n){3}",
    "Errors": r"duration enum 7 6\nresolutoin additionalProperties 720p resolution\n",
    "Submit now, wait later": r"COMPLETED\n",
    "After a crash": r"\[\w+\('(out/\S+\.mp4)'\)\]\n",
    "Async": r"\[\w+\('(out/\S+\.mp4)'\)\]\n",
    "A test of your own": r"",
}
"""What each program prints where all goes well."""


@pytest.fixture
def sandbox():
    with Sandbox(speed=200) as running:
        yield running


def surroundings(folder, sandbox=None):
    (folder / "cat.png").write_bytes(b"\x89PNG")
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    if sandbox is not None:
        kept |= {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
    return {"cwd": folder, "env": kept}


def run(name, folder, sandbox=None):
    return finished([sys.executable, "-c", PROGRAMS[name]], **surroundings(folder, sandbox))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_what_is_said(name, tmp_path, sandbox):
    done = run(name, tmp_path, sandbox)
    assert (done.returncode, done.stderr) == (0, "")
    printed = re.fullmatch(ENDS_WELL[name], done.stdout)
    assert printed, done.stdout
    for path in filter(None, printed.groups()):
        if path.endswith(".mp4"):
            assert (tmp_path / path).read_bytes()[4:8] == b"ftyp"


def test_several_at_once_are_paid_for_once_each(tmp_path, sandbox):
    run("Several at once", tmp_path, sandbox)
    assert sandbox.made() == len(list((tmp_path / "out").iterdir())) == 3


def test_a_local_file_is_sent(tmp_path, sandbox):
    run("A local file", tmp_path, sandbox)
    assert sandbox.requests["POST /api/v1/generation/kling-ai/kling-v2.6"] == 1


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"plan": ["failed"]}, r"gen_\d+ was made, and ended without a video: VIDEO_GENERATION_\w+\n"),
        ({"credits": 0}, r"insufficient_credits False None\n"),
    ],
)
def test_errors_are_told_apart(options, printed, tmp_path):
    with Sandbox(speed=200, **options) as sandbox:
        done = run("Errors", tmp_path, sandbox)
    assert re.fullmatch(ENDS_WELL["Errors"] + printed, done.stdout), done.stdout + done.stderr


def is_recorded(folder, scratch):
    """Tell whether the journal of a running process knows the id of a video."""
    scratch.mkdir(exist_ok=True)
    for name in ("videos.db", "videos.db-journal", "videos.db-wal"):
        (scratch / name).unlink(missing_ok=True)
        if (folder / name).exists():
            shutil.copy(folder / name, scratch)
    try:
        with closing(sqlite3.connect(scratch / "videos.db")) as journal:
            return any("'gen_" in line for line in journal.iterdump())
    except sqlite3.Error:  # copied while it was written
        return False


def wait_until_recorded(process, folder, scratch):
    while not is_recorded(folder, scratch):
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail("".join(process.communicate()))


def test_what_a_crash_left_is_finished_and_paid_for_once(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    with Sandbox(speed=0) as sandbox:
        program = [sys.executable, "-c", PROGRAMS["After a crash"]]
        with started(program, **surroundings(folder, sandbox)) as process:
            wait_until_recorded(process, folder, tmp_path / "scratch")
            process.kill()
        sandbox.advance(1000)
        again = run("After a crash", folder, sandbox)
        assert again.stdout.startswith("row-17 Generation(id='gen_"), again.stderr
        third = run("After a crash", folder, sandbox)
        assert re.fullmatch(ENDS_WELL["After a crash"], third.stdout), third.stderr
        assert sandbox.made() == 1


def test_the_test_of_your_own_passes_and_can_fail(tmp_path):
    test = PROGRAMS["A test of your own"]
    paid_twice = test.replace(".videos\n", ".videos\n            client.generate(payload)\n")
    for name, text in (("right", test), ("wrong", paid_twice)):
        (tmp_path / f"test_{name}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    done = finished(command, **surroundings(tmp_path))
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED test_wrong.py::test_a_lost_answer_is_paid_for_once" in done.stdout


def test_a_program_without_a_key_says_where_to_make_one(tmp_path):
    done = run("One video", tmp_path)
    assert done.returncode == 1
    assert "https://skills.video/dashboard/developer" in done.stderr.splitlines()[-1]


def test_the_commands_of_the_first_minute_make_a_video(tmp_path):
    [start, export, make] = re.findall(r"^(?:skills-video (?:sandbox|run).*|export.*4912.*)$", README, re.MULTILINE)[:3]
    command = f"{sys.executable} -m skills_video"
    with started([*command.split(), *start.split()[1:], "--port", "0", "--speed", "200"]) as server:
        address, key = re.search(r"(http\S+) \(key: (\S+)\)", server.stdout.readline()).groups()
        assert export == f"export SKILLS_VIDEO_BASE_URL=http://127.0.0.1:4912/api/v1 SKILLS_VIDEO_API_KEY={key}"
        given = surroundings(tmp_path)
        given["env"] |= {"SKILLS_VIDEO_API_KEY": key, "SKILLS_VIDEO_BASE_URL": address}
        for line in (make, "skills-video doctor"):
            assert f"\n{line}\n" in README
            done = finished(["sh", "-c", line.replace("skills-video", command, 1)], **given)
            assert done.returncode == 0, done.stderr
    [video] = (tmp_path / "out").iterdir()
    assert video.read_bytes()[4:8] == b"ftyp"


def test_it_is_at_most_1200_words():
    assert len(PROSE.split()) <= 1200


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_lines_have_at_most_100_characters(page):
    text = re.sub(r"<!-- models: begin.*?<!-- models: end -->", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    assert [line for line in text.splitlines() if len(line) > 100] == []


def test_the_test_command_is_what_is_run_for_every_change():
    [command] = re.findall(r"^make test$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
