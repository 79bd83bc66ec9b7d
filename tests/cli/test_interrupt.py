"""Ctrl-C and readers that leave: what was made is never lost sight of."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from skills_video_runtime.cli.signals import Stopped, heeded
from tests.support import children
from tests.support.processes import call, command, environment, events, made
from tests.support.scripted import Hold, Scripted, answer
from tests.support.warm import started

RUN = ("run", "openai/sora-2", "--set", "prompt=neon rain")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to another process alone")


def interrupted(sandbox, *arguments, after="", after_error="", signals=(signal.SIGINT,), folder=None):
    """Start a command, interrupt it when a line that it writes holds a text, and give all that it wrote."""
    with started(command(*arguments), env=environment(sandbox), cwd=folder) as process:
        stream = process.stderr if after_error else process.stdout
        assert stream is not None
        lines = []
        for line in stream:
            lines.append(line)
            if (after or after_error) in line:
                break
        for number in signals:
            process.send_signal(number)
        out, err = process.communicate()
    seen = "".join(lines)
    return process.returncode, out if after_error else seen + out, seen + err if after_error else err


def test_an_interrupted_stream_leaves_the_id_and_the_command_that_resumes(still, tmp_path):
    code, _, err = interrupted(still, *RUN, "--download", "out dir", after="IN_QUEUE")
    assert code == 130
    assert "Traceback" not in err
    printed = re.search(r"^  skills-video wait (gen_\d+) --download 'out dir'$", err, re.MULTILINE)
    assert printed is not None, err
    still.advance(1000)
    done = call("wait", printed[1], "--download", "out dir", sandbox=still, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out dir").iterdir())) == 1
    assert still.made() == 1


KEYED = ("--download", "out/{key}.mp4", "--overwrite", "skip", "--journal", "runs.db")


@pytest.mark.parametrize("key", ["row-17", "a/b {x}"])
def test_what_is_called_by_its_key_is_resumed_by_the_journal(key, still, tmp_path):
    run = (*RUN, *KEYED, "--key", key)
    _, _, err = interrupted(still, *run, after="IN_QUEUE", folder=tmp_path)
    printed = re.search("^  skills-video recover (.*)$", err, re.MULTILINE)
    assert printed is not None, err
    assert tuple(shlex.split(printed[1])) == KEYED
    still.advance(1000)
    for again in (("recover", *KEYED), run):
        assert call(*again, sandbox=still, folder=tmp_path).returncode == 0
    assert [path.is_file() for path in (tmp_path / "out").iterdir()] == [True]
    assert still.made() == 1


def test_no_other_file_is_recovered_under_the_key_of_what_was_interrupted(tmp_path):
    hold = Hold()
    with Scripted() as server:
        server.on("POST /api/generation/sse/openai/sora-2", [hold])
        settings = environment(SKILLS_VIDEO_BASE_URL=server.base, SKILLS_VIDEO_API_KEY="some-key-01")
        with started(command(*RUN, *KEYED, "--key", "row-17"), env=settings, cwd=tmp_path) as process:
            assert hold.reached.wait(60)
            process.send_signal(signal.SIGINT)
            err = process.communicate()[1]
    assert f"skills-video recover {shlex.join(KEYED)}" in err


def test_interrupted_json_lines_end_with_an_event(still):
    code, out, _ = interrupted(still, *RUN, "--json-lines", after='"state"')
    last = events(out)[-1]
    assert (code, last["event"], last["category"], last["generation_id"]) == (130, "error", "interrupted", "gen_000001")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_before_an_id_points_to_the_running_list(number):
    hold = Hold()
    with Scripted() as server:
        server.on("POST /api/generation/sse/openai/sora-2", [hold])
        settings = environment(SKILLS_VIDEO_BASE_URL=server.base, SKILLS_VIDEO_API_KEY="some-key-01")
        with started(command(*RUN), env=settings) as process:
            assert hold.reached.wait(60)
            process.send_signal(number)
            err = process.communicate()[1]
    assert process.returncode == 128 + number
    assert "skills-video running" in err


def test_interrupted_waiting_names_the_same_id(still):
    code, _, err = interrupted(still, "wait", made(still), after="IN_QUEUE")
    assert (code, "skills-video wait gen_000001" in err) == (130, True)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_ends_the_process_leaves_the_id_too(name, still):
    number = getattr(signal, name)
    code, out, err = interrupted(still, *RUN, "--json-lines", after='"state"', signals=(number,))
    last = events(out)[-1]
    assert (code, last["category"], last["generation_id"]) == (128 + number, "interrupted", "gen_000001")
    assert "skills-video wait gen_000001" in err


@pytest.fixture
def own_signals():
    """Give the process back its handlers, which a signal that was heeded takes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_only_the_first_of_two_signals_is_raised():
    with heeded():
        with pytest.raises(Stopped) as stop:
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    assert stop.value.exit_code == 143


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timers that send signals")
@pytest.mark.usefixtures("own_signals")
def test_the_alarm_of_a_program_that_calls_a_command_is_still_set():
    before = signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with heeded():
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 900
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)


WAITING = """
import os, signal, socket, threading
from skills_video_runtime.cli.signals import Stopped, heeded

def send():
    while open(f"/proc/self/task/{os.getpid()}/stat").read().rpartition(")")[2].split()[0] != "S":
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # here, where nobody waits
    os.kill(os.getpid(), signal.SIGTERM)

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
ours, other = socket.socketpair()
try:
    with heeded():
        threading.Thread(target=send, daemon=True).start()
        ours.recv(1)
except Stopped:
    print("stopped")
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_signal_that_interrupts_no_wait_is_heard_even_so():
    """As one that comes just before the wait begins."""
    assert children.finished([sys.executable, "-c", WAITING], env=children.environment()).stdout == "stopped\n"


@pytest.mark.parametrize("arguments", [("--json-lines",), ("--no-stream", "--json-lines", "--poll-interval", "0.01")])
def test_a_second_ctrl_c_does_not_cut_short_what_is_said_about_the_first(arguments, still):
    code, out, err = interrupted(still, *RUN, *arguments, after='"state"', signals=(signal.SIGINT,) * 4)
    assert (code, events(out)[-1]["category"]) == (130, "interrupted")
    assert err.count("skills-video wait gen_000001") == 1


def test_an_interrupted_download_leaves_no_half_of_a_file(sandbox, tmp_path):
    sandbox.plan("download-silence")
    given = (*RUN, "--download", "out")
    code, _, err = interrupted(sandbox, *given, after="downloading", signals=(signal.SIGTERM,), folder=tmp_path)
    assert (code, "skills-video wait gen_000001 --download out" in err) == (143, True)
    assert list((tmp_path / "out").glob("*")) == []
    assert list((tmp_path / "out").glob(".*")) == []


def test_interrupted_before_anything_was_sent_ends_with_an_event():
    with started(
        command("run", "openai/sora-2", "--payload", "-", "--json-lines"),
        # a file that is just imported may be left open, of which Python warns those who ask for warnings
        env=environment(PYTHONPROFILEIMPORTTIME="1", PYTHONWARNINGS="", SKILLS_VIDEO_API_KEY="some-key"),
        stdin=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        next(
            line for line in process.stderr if "skills_video_runtime.cli.values" in line
        )  # standard input is read soon
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    [event] = events(out)
    assert (process.returncode, event["category"], event["generation_id"]) == (130, "interrupted", None)
    assert "Traceback" not in err


def test_a_reader_that_leaves_does_not_lose_the_id(still):
    with started(command(*RUN, "--json-lines"), env=environment(still)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.readline()
        process.stdout.close()
        still.advance(1000)
        err = process.stderr.read()
        assert process.wait() == 141
    assert "Traceback" not in err
    assert "skills-video wait gen_000001" in err


def call_into(path, sandbox, *arguments):
    """Run a command whose output goes to a file."""
    with path.open("w") as out:
        return subprocess.run(
            arguments, env=environment(sandbox), stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@FULL
@pytest.mark.parametrize("options", [(), ("--json-lines",), ("--no-stream",)])
def test_a_full_disk_before_the_post_says_that_nothing_was_sent(options, sandbox):
    done = call_into(Path("/dev/full"), sandbox, *command(*RUN, *options))
    assert (done.returncode, sandbox.made()) == (25, 0)
    assert "No space left on device" in done.stderr
    assert "nothing was sent" in done.stderr
    assert "charged" not in done.stderr


@FULL
def test_a_full_disk_before_a_look_leaves_the_id(sandbox):
    done = call_into(Path("/dev/full"), sandbox, *command("wait", "gen_000001"))
    assert (done.returncode, "skills-video wait gen_000001" in done.stderr) == (25, True)


LIMITED = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize(("fault", "said"), [("", "skills-video wait gen_000001"), ("429", "nothing was made")])
def test_a_disk_that_is_full_after_the_first_line_leaves_what_is_known(fault, said, sandbox, tmp_path):
    first = len(call(*RUN, "--json-lines", sandbox=sandbox).stdout.splitlines()[0])
    sandbox.plan(fault)
    known = sandbox.made()
    limited = [sys.executable, "-c", LIMITED, str(first + 9), *command(*RUN, "--json-lines")]
    done = call_into(tmp_path / "out", sandbox, *limited)
    assert done.returncode == 25
    assert said.replace("000001", f"{known + 1:06}") in done.stderr


def test_a_video_that_cannot_be_written_leaves_the_command_that_fetches_it(sandbox, tmp_path):
    limited = [sys.executable, "-c", LIMITED, "0", *command(*RUN, "--download", "out")]
    done = children.finished(limited, env=environment(sandbox), cwd=tmp_path)
    assert (done.returncode, "File too large" in done.stderr) == (25, True)
    assert "To go on: skills-video wait gen_000001 --download DIR" in done.stderr


def test_a_result_without_an_id_is_not_lost():
    with Scripted() as server:
        video = {"status": "COMPLETED", "data": {"videos": [{"url": "https://cdn.example/v.mp4"}]}}
        server.on("POST /api/generation/openai/sora-2", answer(200, video))
        settings = {"SKILLS_VIDEO_BASE_URL": server.base, "SKILLS_VIDEO_API_KEY": "some-key-01"}
        done = call(*RUN, "--no-stream", "--json-lines", **settings)
    assert (done.returncode, events(done.stdout)[-1]["response"]) == (0, video)


def test_an_interrupted_run_is_recovered_from_its_journal(still, tmp_path):
    journal = str(tmp_path / "runs.db")
    code, _, err = interrupted(still, *RUN, "--journal", journal, after="IN_QUEUE")
    assert (code, f"--journal {journal}" in err) == (130, True)
    code, out, err = interrupted(still, "recover", "--journal", journal, after_error="IN_QUEUE")
    assert (code, out, "stays in the journal" in err) == (130, "", True)
    code, out, err = interrupted(still, "recover", "--journal", journal, "--json", after_error="IN_QUEUE")
    told = json.loads(out)
    assert (code, told["category"], told["exit_code"], "stays in the journal" in err) == (130, "interrupted", 130, True)
    still.advance(1000)
    done = call("recover", "--journal", journal, "--json", sandbox=still)
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)
    assert (found["generation"]["status"], found["error"]) == ("COMPLETED", None)
    assert "COMPLETED gen_000001" in done.stderr
    assert still.made() == 1
    assert "nothing unfinished" in call("recover", "--journal", journal, sandbox=still).stdout
