"""What comes from a description, an answer, or the command line is shown, and neither obeyed nor leaked."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import pytest

from tests.support.processes import call, command, environment, events
from tests.support.project import description

RUN = ("run", "openai/sora-2", "--set", "prompt=neon rain")
NASTY = "\x1b]0;owned\x07\x1b[31mred\x9b31m\r[bold]x[/bold] \u202e"


def has_controls(text):
    return [character for character in text if not (character.isprintable() or character == "\n")]


def test_an_answer_of_the_platform_does_not_reach_the_terminal_as_it_is(sandbox):
    nasty = NASTY.replace(":", "").replace(",", "").encode("unicode_escape").decode()
    sandbox.plan(f"failed:SOME_CODE:{NASTY.replace(':', ' ').replace(',', ' ')}", f"unknown-status:{NASTY}")
    for _ in range(2):
        done = call(*RUN, sandbox=sandbox)
        assert has_controls(done.stdout + done.stderr) == [], nasty
        found = call("get", "gen_000001", sandbox=sandbox)
        assert has_controls(found.stdout) == []
    assert "[bold]x[/bold]" in found.stdout


def test_json_is_ascii_whatever_came(sandbox):
    sandbox.plan(f"failed:SOME_CODE:{NASTY}")
    done = call(*RUN, "--json-lines", sandbox=sandbox)
    assert done.stdout.isascii()
    assert has_controls(done.stdout) == []
    assert events(done.stdout)[-1]["response"]["message"] == NASTY


def test_a_description_does_not_reach_the_terminal_as_it_is(project):
    schema = {
        "type": "object",
        "description": NASTY,
        "properties": {
            "prompt": {"type": "string", "description": NASTY, "enum": [NASTY], "default": NASTY},
            NASTY: {},
        },
    }
    project.write(description({"acme/one": {**schema, "title": NASTY}}))
    assert project.run() == 0
    search = os.pathsep.join([str(project.folder), os.environ.get("PYTHONPATH", "")])
    for arguments in (("models",), ("show", "one"), ("run", "one", "--set", "prompt=x"), ("show", "nasty")):
        done = call(*arguments, package=project.name, PYTHONPATH=search)
        assert has_controls(done.stdout + done.stderr) == [], arguments
    [facts] = json.loads(call("models", "--json", package=project.name, PYTHONPATH=search).stdout)
    assert facts["id"] == "acme/one"


@pytest.mark.parametrize(
    "arguments",
    [("show", NASTY), ("get", NASTY), ("wait", NASTY), ("run", "kling_v2_6", "--set", NASTY),
     ("run", "kling_v2_6", "--set", f"{NASTY}=1", "--payload", "{}"), ("run", "kling_v2_6", "--payload", NASTY),
     ("recover", "--journal", NASTY), ("explain-error", "--status", "400", "--body", NASTY), (NASTY,), (f"--{NASTY}",)],
    ids=range(10),
)  # fmt: skip
def test_what_was_typed_is_shown_and_not_obeyed(arguments, sandbox):
    done = call(*arguments, sandbox=sandbox)
    assert done.returncode != 0
    assert has_controls(done.stdout + done.stderr) == []


def test_a_key_in_an_answer_is_taken_out(sandbox):
    sandbox.plan(f"failed:SOME_CODE:your key is {sandbox.api_key}")
    done = call(*RUN, "--json-lines", sandbox=sandbox)
    assert sandbox.api_key not in done.stdout + done.stderr


def test_a_key_that_the_platform_repeats_where_it_must_not_be_changed_is_not_shown(still):
    echoing = {"prompt": f"my key is {still.api_key}"}
    headers = {"Authorization": f"Bearer {still.api_key}"}
    httpx.post(f"{still.url}/generation/openai/sora-2", json=echoing, headers=headers).raise_for_status()
    for arguments in (("get", "gen_000001", "--json"), ("running",), ("running", "--json")):
        done = call(*arguments, sandbox=still)
        assert "my key is <key>" in done.stdout
        assert still.api_key not in done.stdout


def test_a_key_in_a_prompt_is_refused_and_not_shown(still):
    done = call("run", "openai/sora-2", "--set", f"prompt=my key is {still.api_key}", "--json-lines", sandbox=still)
    assert (done.returncode, still.made()) == (22, 0)
    assert "holds the API key" in done.stdout + done.stderr
    assert still.api_key not in done.stdout + done.stderr


def test_doctor_shows_no_user_name_and_no_query_of_an_address():
    address = "https://name:password@example.com/api?token=secret"
    done = call("doctor", "--json", SKILLS_VIDEO_API_KEY="some-key", SKILLS_VIDEO_BASE_URL=address)
    assert json.loads(done.stdout)["address"] == "https://example.com/api"
    assert not any(word in done.stdout + done.stderr for word in ("password", "secret"))


@pytest.mark.skipif(sys.platform == "win32", reason="no shell of Windows closes a stream")
def test_without_a_standard_error_nothing_of_an_error_is_among_the_output():
    shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command("show", "no-such-model")]
    done = subprocess.run(shell, env=environment(), stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")


def test_an_id_is_quoted_where_it_stands_in_a_command():
    from skills_video_runtime.cli.failure import resume  # noqa: PLC0415  # needs the extra

    assert resume("a b$(x)") == "skills-video wait 'a b$(x)'"
    assert resume("-x") == "skills-video wait -- -x"
