"""The command line in its own words: what anyone types first, and hints that can be typed as they are."""

from __future__ import annotations

import json
from shlex import split

import pytest

from skills_video.catalog import MODELS
from skills_video_runtime.cli.catalog import Catalog
from tests.support.processes import call, command, environment, events
from tests.support.warm import started

NOWHERE = {"SKILLS_VIDEO_API_KEY": "some-key", "SKILLS_VIDEO_BASE_URL": "http://127.0.0.1:9/api/v1"}
RUN = ("run", "kling_v2_6")


def sent(*arguments, **more):
    """Give the input that a run was about to send."""
    done = call("run", *arguments, "--json-lines", "--timeout", "0.5", **NOWHERE, **more)
    return events(done.stdout)[0]["input"]


def refused(*arguments, code=22, **more):
    done = call(*arguments, **NOWHERE, **more)
    assert (done.returncode, done.stdout) == (code, "")
    assert "pathlib" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("given", [("neon rain",), ("--prompt", "neon rain"), ("--set", "prompt=neon rain")])
def test_a_prompt_is_taken_however_it_is_given(given):
    assert sent("kling_v2_6", *given)["prompt"] == "neon rain"


@pytest.mark.parametrize("text", ["10", "@home", "E=mc2 on a board", '{"a": 1}', "null"])
def test_a_bare_prompt_is_a_text_whatever_it_looks_like(text):
    assert sent("kling_v2_6", text)["prompt"] == text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("prompt=x",), "--set prompt=x"),
        (("duration=10",), "--set duration=10"),
        (("neon", "rain"), "'neon rain'"),
        (("neon", "--prompt", "rain"), "given twice"),
        ((" ",), "empty"),
        (("--prompt", ""), "empty"),
    ],
)
def test_what_cannot_be_the_prompt_is_answered_with_the_right_form(given, says):
    assert says in refused(*RUN, *given, code=1)


def test_a_model_without_a_prompt_names_what_it_takes():
    assert "video_url" in refused("run", "pixverse_lipsync", "neon rain", code=1)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (("--set", "image_url=cat.png"), "--set image_url=@cat.png"),
        (("--set", "image_url=my cat.png"), "--set 'image_url=@my cat.png'"),
        (("--payload", '{"image_url": "@cat.png"}'), "--set image_url=@cat.png"),
        (("--set", "image_url=https://a b/cat.png"), "--set image_url=@cat.png"),
    ],
)
def test_a_hint_sends_a_file_by_a_setting_that_works_as_it_is(given, hint, tmp_path):
    told = refused(*RUN, "x", *given, folder=tmp_path)
    assert hint in told
    _, setting = split(hint)
    (tmp_path / setting.partition("@")[2]).write_bytes(b"\x89PNG")
    assert sent("kling_v2_6", "x", "--set", setting, folder=tmp_path)["image_url"]


def test_a_file_where_none_may_be_is_told_as_it_was_given(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    told = refused("run", "kling_v2_6", "x", "--set", "negative_prompt=@cat.png", folder=tmp_path)
    assert "@cat.png is file, not " in told


def test_a_payload_names_no_file(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    given = '{"prompt": "x", "image_url": "@cat.png"}'
    assert "not an absolute URI" in refused(*RUN, "--payload", given, folder=tmp_path)


def test_texts_of_a_payload_are_read_as_settings_are():
    row = {"prompt": "10", "duration": "10", "generate_audio": "false", "aspect_ratio": "9:16"}
    found = sent("kling_v2_6", "--variant", "TextImageToVideo", "--payload", json.dumps(row))
    assert {name: found[name] for name in row} == {**row, "duration": 10, "generate_audio": False}


def test_one_text_of_a_payload_is_a_list_of_one():
    row = {"prompt": "x", "reference_image_urls": "https://a.b/1.png"}
    assert sent("veo-3.1", "--payload", json.dumps(row))["reference_image_urls"] == ["https://a.b/1.png"]


@pytest.mark.parametrize("wrong", ["ten", "7", "", "@10", "[10"])
def test_a_text_of_a_payload_that_means_nothing_else_is_refused_as_it_stands(wrong):
    assert "not one of 5, 10" in refused(*RUN, "x", "--payload", json.dumps({"duration": wrong}))


@pytest.mark.parametrize("beside", [("--set", "durtion"), ("--set", "image_url=@absent.png")])
def test_a_mistake_in_a_value_exits_with_22_whatever_stands_beside_it(beside):
    told = refused(*RUN, "x", "--set", "duration=7", *beside)
    assert "nearest allowed: 5" in told
    assert "--set" in told


def test_a_setting_that_is_none_is_bad_usage():
    assert "not name=value" in refused(*RUN, "x", "--set", "durtion", code=1)


def test_a_missing_key_is_told_by_its_variable():
    done = call(*RUN, "x", SKILLS_VIDEO_API_KEY="")
    assert done.returncode == 1
    assert "environment variable SKILLS_VIDEO_API_KEY" in done.stderr
    assert "api_key" not in done.stderr.replace("SKILLS_VIDEO_API_KEY", "")


def test_time_that_ran_out_names_the_command_that_waits(still):
    done = call(*RUN, "x", "--timeout", "3", "--poll-interval", "0.1", sandbox=still)
    assert done.returncode == 11
    assert "client." not in done.stderr
    assert "skills-video wait gen_000001" in done.stderr


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("veo-3.1", "google/veo-3.1"),
        ("sora-2", "openai/sora-2"),
        ("RAY-2", "luma/ray-2"),
        ("kling2.6", "kling-ai/kling-v2.6"),
        ("kling 2.6", "kling-ai/kling-v2.6"),
        ("klingv26", "kling-ai/kling-v2.6"),
        ("veo3.1", "google/veo-3.1"),
        ("Kling V2.6 Video", "kling-ai/kling-v2.6"),
        ("seedance 2", None),
        ("veo", None),
        (".", None),
    ],
)
def test_a_model_is_found_by_any_of_its_names(name, model):
    done = call("show", name, "--json")
    if model is None:
        assert done.returncode == 1
        assert "can be " in done.stderr
    else:
        assert json.loads(done.stdout)["id"] == model


def test_every_model_is_found_by_what_is_printed_of_it():
    catalog = Catalog(MODELS, "skills_video")
    for info in MODELS:
        for name in filter(None, (info.endpoint.model, info.module, info.endpoint.model.partition("/")[2], info.title)):
            assert catalog.find(name) is info


def test_a_command_that_is_not_there_is_told_in_one_sentence():
    assert call("rnu").stderr == "error: No such command 'rnu'. Did you mean 'run'? See: skills-video --help\n"


@pytest.mark.parametrize("name", ["show", "run", "template", "get"])
def test_the_usage_line_names_what_is_needed_as_the_rest_does(name):
    assert "{" not in call(name, "--help").stdout.partition("\n\n")[0]


def test_a_shell_completes_the_last_part_of_an_id():
    done = call(_SKILLS_VIDEO_COMPLETE="complete_bash", COMP_WORDS="skills-video show veo", COMP_CWORD="2")
    assert "veo-3.1" in done.stdout.split()


@pytest.mark.parametrize(
    ("line", "begun", "offered", "not_offered"),
    [
        ("run kling_v2_6 --set", "dur", "duration=", "prompt="),
        ("run kling_v2_6 --set", "duration=", "duration=10", "duration=7"),
        ("run kling_v2_6 --set", "generate_audio=t", "generate_audio=true", "generate_audio=false"),
        ("run kling_v2_6 --variant", "M", "MotionControl", "TextImageToVideo"),
        ("template kling_v2_6 --variant", "", "TextImageToVideo", "duration="),
        ("run kling_v2_6 --variant MotionControl --set", "video", "video_url=", "prompt="),
    ],
)
def test_a_shell_completes_variants_fields_and_values(line, begun, offered, not_offered):
    words = f"skills-video {line} {begun}"
    place = str(len(line.split()) + 1)
    done = call(_SKILLS_VIDEO_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=place)
    assert offered in done.stdout.split()
    assert not_offered not in done.stdout.split()


def test_a_shell_offers_no_field_of_a_model_that_is_not_there():
    words = "skills-video run nonsense --set pro"
    assert call(_SKILLS_VIDEO_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="4").stdout.split() == []


def test_a_journal_that_another_run_has_is_told_with_what_to_do(still, tmp_path):
    given = ("run", "kling_v2_6", "x", "--journal", "jobs.db", "--poll-interval", "0.1")
    with started(command(*given), env=environment(still), cwd=tmp_path) as process:
        line = ""
        while "IN_QUEUE" not in line:
            line = process.stdout.readline()
        done = call(*given, sandbox=still, folder=tmp_path)
        still.advance(1000)
    assert done.returncode == 25
    assert "another client or run has it" in done.stderr
    assert "a journal of its own" in done.stderr
    assert still.made() == 1


@pytest.mark.parametrize(
    ("pattern", "key", "name"),
    [
        ("out/{key}.mp4", "row-17", "row-17.mp4"),
        ("{id}", None, "gen_000001.mp4"),
        ("{key}.mp4", "../a/b", "_a_b~63d92f3a.mp4"),
    ],
)
def test_a_file_is_named_as_its_pattern_says(pattern, key, name, sandbox, tmp_path):
    keyed = ["--key", key, "--journal", "jobs.db"] if key else []
    done = call(*RUN, "x", "--download", pattern, *keyed, sandbox=sandbox, folder=tmp_path)
    assert done.returncode == 0
    [file] = tmp_path.rglob("*.mp4")
    assert (file.name, file.stat().st_size > 0) == (name, True)
    assert file.parent == (tmp_path / pattern).parent


@pytest.mark.parametrize("pattern", ["out/{key}.mp4", "out/{name}.mp4", "{id}/x.mp4", "{", "{id.x}"])
def test_a_pattern_that_cannot_be_filled_in_is_refused_before_anything_is_sent(pattern, sandbox, tmp_path):
    done = call(*RUN, "x", "--download", pattern, sandbox=sandbox, folder=tmp_path)
    assert (done.returncode, "--download" in done.stderr, sandbox.made()) == (1, True, 0)
