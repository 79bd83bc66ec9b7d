"""What tests start ends in time, and hears Ctrl-C even where the tests themselves do not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.support import children, warm
from tests.support.children import finished, started

FOREVER = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(1)"


@pytest.fixture
def deaf():
    """Ignore Ctrl-C, as what runs in the background does."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("deaf")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_a_child_hears_what_its_parent_ignores():
    with started([sys.executable, "-c", FOREVER]) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate()[1]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_child_that_does_not_end_is_killed_so_that_what_reads_it_ends_and_fails_the_test():
    def read():
        with started([sys.executable, "-c", FOREVER], seconds=1) as child:
            assert list(child.stdout) in (["begun\n"], [])
            assert child.wait() != 0

    begun = time.monotonic()
    with pytest.raises(AssertionError, match="it had not ended after 1 s"):
        read()
    assert time.monotonic() - begun < 20


def test_a_child_that_does_not_end_fails_who_waits_for_it():
    with pytest.raises(subprocess.TimeoutExpired):
        finished([sys.executable, "-c", FOREVER], seconds=1)


def test_a_child_does_not_outlive_the_test_that_started_it():
    with started([sys.executable, "-c", FOREVER]) as child:
        pass
    assert child.returncode is not None


# Those that are forked.


def forked(*arguments, **environment):
    return warm.finished([*warm.COMMAND, *arguments], env=children.environment(**environment))


@pytest.mark.parametrize(
    "arguments", [("--version",), ("show", "nonsense"), ("models", "--json"), ("run",)], ids=" ".join
)
def test_a_forked_process_says_and_ends_as_one_that_python_starts(arguments):
    anew = finished([*warm.COMMAND, *arguments], env=children.environment())
    done = forked(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_a_forked_process_has_an_environment_and_a_folder_of_its_own(tmp_path):
    (tmp_path / "payload.json").write_text("{", "utf-8")
    command = [*warm.COMMAND, "run", "kling_v2_6", "--payload", "payload.json"]
    done = warm.finished(command, env=children.environment(SKILLS_VIDEO_API_KEY="some-key-01"), cwd=tmp_path)
    assert done.returncode == 1
    assert "payload.json" in done.stderr
    assert "SKILLS_VIDEO_API_KEY" in forked("doctor").stdout


def test_a_forked_process_takes_no_longer_than_it_may():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1"
        known = children.environment(SKILLS_VIDEO_API_KEY="some-key-01", SKILLS_VIDEO_BASE_URL=base)
        with pytest.raises(subprocess.TimeoutExpired):
            warm.finished([*warm.COMMAND, "credits"], env=known, seconds=1)


def test_a_forked_program_is_the_main_module():
    program = "import sys, __main__\nclass A: pass\nprint(sys.argv, A.__module__, __main__.A is A)"
    done = warm.finished([*warm.PROGRAM, program, "x"], env=children.environment())
    assert (done.stdout, done.stderr) == ("['-c', 'x'] __main__ True\n", "")


@pytest.mark.parametrize("name", ["PYTHONPATH", "LANG", "PYTHONIOENCODING", "PATH"])
def test_what_python_reads_as_it_starts_is_given_to_a_new_one(name):
    with warm.started([*warm.COMMAND, "--version"], env=children.environment(**{name: "."})) as process:
        process.communicate()
    assert isinstance(process, subprocess.Popen)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forks nothing")
def test_what_forks_ends_with_the_tests_and_ends_what_it_forked():
    """It has this pipe for its errors, whose end is read when it has ended."""
    program = """
import os, signal, socket, sys
from tests.support import children, warm
silent = socket.create_server(("127.0.0.1", 0))
base = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1"
known = children.environment(SKILLS_VIDEO_API_KEY="some-key-01", SKILLS_VIDEO_BASE_URL=base)
with warm.started([*warm.COMMAND, "credits"], env=known) as process:
    print(process.pid, flush=True)
    silent.accept()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = finished([sys.executable, "-c", program], cwd=warm.ROOT)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
