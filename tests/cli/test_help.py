"""What is seen before anything is asked of the platform: help, usage, what is missing, what is loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.children import finished, started
from tests.support.processes import call, command, environment, events

COMMANDS = ("doctor", "models", "show", "template", "run", "wait", "get", "cancel", "running", "credits", "recover",
            "explain-error", "sandbox", "mcp", "batch")  # fmt: skip
FULL = Path("/dev/full")
MISSING = "pip install 'skills-video[cli]'"


def test_help_names_every_command():
    done = call("--help")
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert tuple(listed) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name):
    done = call(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage:" in done.stdout.lower()


def test_run_tells_all_its_options():
    text = call("run", "--help").stdout
    for option in ("--set", "--payload", "--variant", "--download", "--timeout", "--poll-interval", "--json-lines",
                   "--no-stream", "--journal"):  # fmt: skip
        assert option in text


def test_help_of_a_batch_tells_arguments_by_their_names():
    assert "Usage: skills-video batch run [OPTIONS] FILE\n" in call("batch", "run", "--help").stdout
    for name in ("status", "audit"):
        told = " ".join(call("batch", name, "--help").stdout.split())
        assert "--database URL The address that was given to run." in told


def test_sandbox_has_the_options_of_its_own_command():
    own = finished([sys.executable, "-m", "skills_video_runtime.sandbox", "--help"], check=True, env=environment())
    told = call("sandbox", "--help").stdout
    assert told.startswith("usage: skills-video sandbox ")
    assert told.partition("\n\n")[2] == own.stdout.partition("\n\n")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("models", "--nonsense"),
        ("show",),
        ("show", "nonsense"),
        ("show", "kling"),
        ("template", "kling_v2_6", "--variant", "x"),
        ("run", "kling_v2_6", "--timeout", "soon"),
        ("get",),
        ("recover",),
        ("recover", "--journal", "absent.db"),
        ("explain-error",),
        ("explain-error", "--status", "many"),
        ("sandbox", "--port", "70000"),
        ("sandbox", "--nonsense"),
    ],
    ids=" ".join,
)
def test_bad_usage_exits_with_1_and_says_why(arguments):
    done = call(*arguments, SKILLS_VIDEO_API_KEY="some-key")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr


def test_nothing_given_shows_the_help_as_an_error():
    done = call()
    assert (done.returncode, done.stdout) == (1, "")
    assert "Commands:" in done.stderr


def test_version():
    assert call("--version").stdout.startswith("skills-video ")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("models",), ("run", "kling_v2_6")], ids=" ".join)
def test_a_missing_extra_is_told_in_one_line(arguments, tmp_path):
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no', name='typer')")
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = call(*arguments, PYTHONPATH=search)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert MISSING in done.stderr


def test_the_sandbox_needs_no_extra_but_its_own(tmp_path):
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no', name='typer')")
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with started(command("sandbox", "--port", "0"), env=environment(PYTHONPATH=search)) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
    assert told.startswith("skills.video sandbox: http://127.0.0.1:")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("models",),
        ("models", "--json", "--search", "kling"),
        ("show", "kling_v2_6", "--json"),
        ("template", "kling_v2_6"),
        ("explain-error", "--status", "404"),
    ],
    ids=" ".join,
)
def test_what_asks_nothing_of_the_platform_loads_no_http_client_and_no_rich(arguments):
    program = (
        "import sys; from skills_video_runtime.cli import main; from skills_video.catalog import MODELS;"
        "main(MODELS, 'skills_video', sys.argv[1:]);"
        "heavy = {'httpx', 'httpx_sse', 'rich', 'pydantic', 'asyncio', 'sqlite3'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = finished([sys.executable, "-c", program, *arguments], env=environment())
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [("models",), ("show", "kling_o3_video"), ("--help",)], ids=" ".join)
def test_a_reader_that_leaves_ends_a_command_quietly(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = finished(command(*arguments), env=environment(), stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize(
    "arguments",
    [("models",), ("template", "kling_v2_6"), ("--help",), ("run", "kling_v2_6", "--set", "prompt=x", "--json-lines")],
    ids=" ".join,
)
def test_a_full_disk_is_told_in_one_line(arguments):
    with FULL.open("w", encoding="utf-8") as full:
        done = finished(command(*arguments), env=environment(SKILLS_VIDEO_API_KEY="some-key"), stdout=full)
    assert (done.returncode, done.stderr.splitlines()[0].startswith("error: ")) == (25, True)
    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_where_errors_cannot_be_written_the_exit_code_is_the_same():
    with FULL.open("w", encoding="utf-8") as full:
        done = finished(command("show", "nonsense"), env=environment(), stderr=full)
    assert done.returncode == 1


def test_an_encoding_without_the_letters_is_no_error():
    done = call("models", "--search", "kling", PYTHONIOENCODING="ascii")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("begun", "offered"), [("kling-ai/kling-v2", "kling-ai/kling-v2.6"), ("wan_", "wan_v2_7_video")]
)
def test_a_shell_completes_models(begun, offered):
    done = call(_SKILLS_VIDEO_COMPLETE="complete_bash", COMP_WORDS=f"skills-video show {begun}", COMP_CWORD="2")
    assert offered in done.stdout.split()


def test_a_missing_extra_is_an_event_where_json_lines_are_asked_for(tmp_path):
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no', name='typer')")
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    [event] = events(call("run", "kling_v2_6", "--json-lines", PYTHONPATH=search).stdout)
    assert (event["category"], MISSING in event["message"]) == ("usage", True)


def test_usage_errors_are_events_where_json_lines_are_asked_for():
    done = call("run", "--json-lines")
    assert done.returncode == 1
    assert [event["category"] for event in events(done.stdout)] == ["usage"]
