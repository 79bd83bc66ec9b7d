"""A run that is ended while it writes leaves old or new files, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.children import finished, started
from tests.support.project import description, navigation, pages_of

if os.name == "nt":
    pytest.skip("a process cannot be sent these signals on Windows", allow_module_level=True)

ROOT = Path(__file__).parents[2]
MODELS = [f"acme/m{number}" for number in range(40)]
GENERATE = [sys.executable, "-m", "generator", "generate"]
CHECK = [sys.executable, "-m", "generator", "check"]


class Copy:
    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "generated" / "skills_video"
        for name in ("generator", "templates"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "README.md", folder)
        (folder / "specs").mkdir()
        (folder / "specs" / "docs.json").write_text(json.dumps(navigation(*pages_of(MODELS))))
        self.describe(4)
        finished(GENERATE, cwd=folder, check=True)

    def describe(self, most):
        body = {"type": "object", "properties": {"n": {"type": "integer", "maximum": most}}}
        (self.folder / "specs" / "openapi.json").write_text(json.dumps(description(dict.fromkeys(MODELS, body))))

    def held(self):
        files = {path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file()}
        return files | {"README.md": (self.folder / "README.md").read_bytes()}

    def rooms(self):
        return [*self.out.glob(".generating-*"), *self.folder.glob(".generating-*")]

    def end(self, number, moment):
        """Send a signal to a run at a moment, and give its exit code and what it said."""
        with started(GENERATE, cwd=self.folder) as process:
            while process.poll() is None and not moment():
                pass
            process.send_signal(number)
            _, said = process.communicate()
        return process.returncode, said


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("made"))


@pytest.fixture
def on_disk():
    """Give a folder that is not in memory, where a run would be over before it can be ended."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def copy(made, on_disk):
    shutil.copytree(made.folder, on_disk / "copy")
    copied = Copy.__new__(Copy)
    copied.folder = on_disk / "copy"
    copied.out = copied.folder / "generated" / "skills_video"
    copied.describe(5)
    return copied


def moments(copy):
    first = copy.out / "acme_m0.py"
    before = first.read_bytes()
    return {
        "preparing": lambda: any(copy.out.glob(".generating-*")),
        "half prepared": lambda: len(list(copy.out.glob(".generating-*/*"))) > 20,
        "the first has changed": lambda: first.read_bytes() != before,
    }


@pytest.mark.parametrize("moment", ["preparing", "half prepared", "the first has changed"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_old_or_new_files_and_nothing_else(name, moment, copy):
    old = copy.held()
    number = getattr(signal, name)
    code, said = copy.end(number, moments(copy)[moment])
    left, rooms = copy.held(), copy.rooms()
    finished(GENERATE, cwd=copy.folder, check=True)
    assert left in (old, copy.held())
    assert rooms == []
    is_over = code == -number and left != old  # by a signal that came as Python itself was at its end
    if code and not is_over:
        assert (code, said) == (128 + number, f"error: ended by {name}; the files are all old or all new\n")


def test_ctrl_c_at_the_start_leaves_no_trace(copy):
    _, said = copy.end(signal.SIGINT, lambda: True)
    assert "generator" not in said


@pytest.mark.parametrize("moment", ["half prepared", "the first has changed"])
def test_what_a_killed_run_left_is_named_by_check_and_mended_by_the_next_run(moment, copy):
    for most in range(6, 26):  # on a busy machine a run may be over before it is seen to be at its moment
        code, _ = copy.end(signal.SIGKILL, moments(copy)[moment])
        if copy.rooms():
            break
        copy.describe(most)
    [room] = copy.rooms()
    assert code == -signal.SIGKILL
    checked = finished(CHECK, cwd=copy.folder)
    assert checked.returncode == 1
    assert f"left by a run that was killed: {room.name}\n" in checked.stdout
    finished(GENERATE, cwd=copy.folder, check=True)
    assert copy.rooms() == []
    assert finished(CHECK, cwd=copy.folder).stdout == ""


def test_a_folder_of_a_killed_run_alone_is_seen_and_removed(made):
    room = made.out / ".generating-1"
    room.mkdir()
    (room / "acme_m0.py").write_text("x")
    checked = finished(CHECK, cwd=made.folder)
    assert (checked.returncode, checked.stdout) == (1, "left by a run that was killed: .generating-1\n")
    assert finished(GENERATE, cwd=made.folder).stdout == "40 models; 0 files changed\n"
    assert not room.exists()


def test_several_runs_at_once_do_not_disturb_each_other(copy):
    with started(GENERATE, cwd=copy.folder) as one, started(GENERATE, cwd=copy.folder) as two:
        codes = [process.wait() for process in (one, two)]
    assert codes == [0, 0]
    assert copy.rooms() == []
    assert finished(CHECK, cwd=copy.folder).stdout == ""
