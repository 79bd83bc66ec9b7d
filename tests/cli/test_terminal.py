"""The command line in a real pseudo-terminal."""

from __future__ import annotations

import re
import sys

import pytest

from skills_video.catalog import MODELS
from tests.support.children import PATIENCE, hearing
from tests.support.processes import call, command, environment

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminal that pexpect knows", allow_module_level=True)

import pexpect

RUN = ("run", "openai/sora-2", "--set", "prompt=neon rain")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def terminal(sandbox, *arguments, columns=100, **more):
    program, *rest = command(*arguments)
    seen = {**environment(sandbox), "TERM": "xterm-256color", **more}
    with hearing():
        size = (40, columns)
        return pexpect.spawn(
            program, rest, env=seen, encoding="utf-8", timeout=PATIENCE, dimensions=size, use_poll=True
        )


def test_a_live_line_shows_state_source_and_time_and_is_taken_away(still, tmp_path):
    process = terminal(still, *RUN, "--download", str(tmp_path / "out"))
    process.expect("IN_QUEUE")
    process.expect(r"gen_000001 \(stream\)")
    process.expect(r"0:00:0\d")
    still.advance(5)
    process.expect("IN_PROGRESS")
    still.advance(1000)
    process.expect(r"gen_000001-0\.mp4")
    process.expect("100%|bytes|kB")
    process.expect("COMPLETED gen_000001 in")
    process.expect("saved ")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_fallback_is_a_line_that_stays(sandbox):
    sandbox.plan("drop-after-id")
    process = terminal(sandbox, *RUN, "--poll-interval", "0.1")
    process.expect("no stream .*asking for the state from now on")
    process.expect(r"COMPLETED gen_000001")
    process.expect(pexpect.EOF)


def test_ctrl_c_leaves_the_command_that_resumes(still):
    process = terminal(still, *RUN)
    process.expect("IN_QUEUE")
    process.sendintr()
    process.expect("skills-video wait gen_000001")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 130
    resumed = terminal(still, "wait", "gen_000001", "--poll-interval", "0.1")
    resumed.expect(r"gen_000001 \(poll\)")
    still.advance(1000)
    resumed.expect("COMPLETED gen_000001")
    resumed.expect(pexpect.EOF)


def test_the_list_of_models_has_colours_on_a_terminal_and_fits_it(sandbox):
    process = terminal(sandbox, "models", columns=80)
    process.expect(pexpect.EOF)
    assert COLOUR.search(process.before)
    lines = [line.rstrip() for line in ESCAPES.sub("", process.before).splitlines()]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1 : len(MODELS) + 1]] == [info.endpoint.model for info in MODELS]
    assert "kling-ai/kling-v2.6         5 10    16:9 9:16 +1 -     yes   image video" in lines
    assert "https://skills.video/pricing" in lines[-1]
    assert len(lines) == len(MODELS) + 2


def test_a_model_is_shown_on_one_screen_without_a_broken_word(sandbox):
    process = terminal(sandbox, "show", "kling_o3_video", columns=80)
    process.expect(pexpect.EOF)
    lines = ESCAPES.sub("", process.before).splitlines()
    assert len(lines) < 70
    assert max(map(len, map(str.rstrip, lines))) <= 80
    [head] = [place for place, line in enumerate(lines) if line.startswith("  negative_prompt  ")]
    assert lines[head].rstrip() == "  negative_prompt  string or null"
    assert lines[head + 1].rstrip() == "      What to keep out of the video"
    whole = call("show", "kling_o3_video").stdout.split()
    assert " ".join(lines).split() == whole
    assert not any("VIDEO_GENERATION" in line for line in lines)


@pytest.mark.parametrize("arguments", [("models",), ("show", "kling_v2_6"), RUN], ids=lambda given: given[0])
def test_no_color_is_honoured(arguments, sandbox):
    process = terminal(sandbox, *arguments, NO_COLOR="1")
    process.expect(pexpect.EOF)
    coloured = [code for code in COLOUR.findall(process.before) if re.search(r"\[(3[0-7]|38|9[0-7])", code)]
    assert coloured == []


def test_a_dumb_terminal_gets_plain_lines(sandbox):
    process = terminal(sandbox, *RUN, TERM="dumb")
    process.expect(pexpect.EOF)
    assert "\x1b" not in process.before
    assert "IN_QUEUE gen_000001 (stream)" in process.before
