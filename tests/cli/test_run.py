"""`run` and `wait`: events, exit codes, files, each against a real server."""

from __future__ import annotations

import json
import os

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support import children
from tests.support.processes import call, command, environment, events, made
from tests.support.scripted import deserted

RUN = ("run", "openai/sora-2", "--set", "prompt=neon rain")
QUICK = ("--poll-interval", "0.05", "--json-lines")


def names(found):
    return [event["event"] for event in found]


def test_json_lines_tell_each_step_and_end_with_the_answer(sandbox):
    done = call(*RUN, "--json-lines", sandbox=sandbox)
    found = events(done.stdout)
    assert done.returncode == 0
    assert names(found) == ["start", "state", "state", "state", "terminal"]
    assert found[0]["model"] == "openai/sora-2"
    assert [event["status"] for event in found[1:4]] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert {event["source"] for event in found[1:4]} == {"stream"}
    last = found[-1]
    assert set(last) == {"event", "ok", "generation_id", "status", "response"}
    assert (last["ok"], last["status"], last["generation_id"]) == (True, "COMPLETED", last["response"]["id"])
    assert last["response"]["data"]["videos"]


def test_plain_lines_tell_state_time_and_source_when_piped(sandbox):
    done = call(*RUN, sandbox=sandbox)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert [line.split()[2:] for line in lines[1:4]] == [
        ["IN_QUEUE", "gen_000001", "(stream)"],
        ["IN_PROGRESS", "gen_000001", "(stream)"],
        ["COMPLETED", "gen_000001", "(stream)"],
    ]
    assert f"{sandbox.origin}/media/gen_000001/0.mp4" in done.stdout


def test_a_stream_that_ends_early_is_told_and_polled(sandbox):
    sandbox.plan("drop-after-id")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    fallback = next(event for event in found if event["event"] == "fallback")
    assert (fallback["to"], fallback["generation_id"]) == ("poll", "gen_000001")
    place = found.index(fallback)
    assert {event["source"] for event in found[:place] if event["event"] == "state"} == {"stream"}
    assert {event["source"] for event in found[place:] if event["event"] == "state"} == {"poll"}
    assert found[-1]["ok"] is True


def test_a_model_without_a_stream_is_made_by_the_other_endpoint(sandbox):
    sandbox.plan("no-stream:405", "")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    assert [event["to"] for event in found if event["event"] == "fallback"] == ["create"]
    assert "405" in next(event for event in found if event["event"] == "fallback")["reason"]
    assert found[-1]["ok"] is True


def test_an_answer_in_place_of_a_stream_is_told(sandbox):
    sandbox.plan("json")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    assert names(found)[:3] == ["start", "fallback", "state"]
    assert found[1]["to"] == "poll"


def test_a_post_that_is_made_again_is_told(sandbox):
    sandbox.plan("429:0", "")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    retry = next(event for event in found if event["event"] == "retry")
    assert (retry["request"], sandbox.made()) == ("create", 1)
    assert "429" in retry["reason"]


def test_a_post_that_is_made_again_after_a_look_at_what_runs_keeps_its_stream(sandbox):
    sandbox.plan("500-before", "")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    assert [(event["request"], "500" in event["reason"]) for event in found if event["event"] == "retry"] == [
        ("create", True)
    ]
    assert "fallback" not in names(found)
    assert {event["source"] for event in found if event["event"] == "state"} == {"stream"}


def test_a_generation_that_is_found_after_a_lost_answer_tells_what_was_lost():
    with Sandbox(speed=4) as slow:  # it must run for longer than the seconds between two looks
        slow.plan("drop-after", "")
        found = events(call(*RUN, *QUICK, sandbox=slow).stdout)
        assert "retry" not in names(found)
        [fallback] = [event for event in found if event["event"] == "fallback"]
        assert "stream" not in fallback["reason"]
        assert (found[-1]["ok"], slow.made()) == (True, 1)


def test_a_question_that_is_asked_again_is_told(sandbox):
    sandbox.plan("drop-after-id,result-503:1")
    found = events(call(*RUN, *QUICK, sandbox=sandbox).stdout)
    retry = next(event for event in found if event["event"] == "retry")
    assert (retry["request"], retry["delay"] > 0) == ("poll", True)
    assert names(found).index("fallback") < names(found).index("retry")
    assert found[-1]["ok"] is True


def test_without_a_stream_the_state_is_polled(sandbox):
    found = events(call(*RUN, *QUICK, "--no-stream", sandbox=sandbox).stdout)
    assert found[0]["stream"] is False
    assert "fallback" not in names(found)
    assert [event["status"] for event in found if event["event"] == "state"][-1] == "COMPLETED"
    assert all("sse" not in path for path in sandbox.requests)


def test_files_are_downloaded(sandbox, tmp_path):
    done = call(*RUN, "--json-lines", "--download", "out", sandbox=sandbox, folder=tmp_path)
    [path] = events(done.stdout)[-1]["files"]
    assert (tmp_path / path).read_bytes()[4:8] == b"ftyp"


def test_a_file_is_sent(sandbox, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    arguments = ("run", "kling_v2_6", "--set", "prompt=a cat", "--set", "image_url=@cat.png", *QUICK)
    done = call(*arguments, sandbox=sandbox, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert any("multipart/form-data" in seen.headers.get("content-type", "") for seen in sandbox.seen)


@pytest.mark.parametrize(
    ("fault", "timeout", "code"),
    [
        ("failed:VIDEO_GENERATION_FAILED:the model gave up", 60, 10),
        ("canceled", 60, 10),
        ("drop-after,running-hidden:9", 60, 3),
        ("slow:100000,drop-after-id", 3, 11),
    ],
)
def test_how_it_ended_is_the_exit_code(fault, timeout, code, sandbox):
    sandbox.plan(fault)
    done = call(*RUN, *QUICK, "--timeout", str(timeout), sandbox=sandbox)
    assert done.returncode == code, done.stdout + done.stderr
    last = events(done.stdout)[-1]
    if code == 10:
        assert (last["event"], last["ok"], last["generation_id"]) == ("terminal", False, "gen_000001")
        assert last["status"] in {"FAILED", "CANCELED"}
    else:
        assert (last["event"], last["exit_code"]) == ("error", code)
    if code == 11:
        assert last["generation_id"] == "gen_000001"
        assert "skills-video wait gen_000001" in done.stderr


def test_polling_that_is_refused_has_a_code_of_its_own(still):
    still.plan("result-403")
    done = call(*RUN, *QUICK, "--no-stream", sandbox=still)
    assert (done.returncode, events(done.stdout)[-1]["category"]) == (12, "permission")
    assert "skills-video wait gen_000001" in done.stderr


def test_missing_credits_have_their_code():
    with Sandbox(speed=500, credits=0) as poor:
        done = call(*RUN, "--json-lines", sandbox=poor)
    assert done.returncode == 20
    assert events(done.stdout)[-1]["category"] == "insufficient_credits"


def test_a_wrong_key_has_its_code_and_is_not_shown(sandbox):
    done = call(*RUN, "--json-lines", sandbox=sandbox, SKILLS_VIDEO_API_KEY="wrong-secret-key")
    assert done.returncode == 21
    assert "wrong-secret-key" not in done.stdout + done.stderr


def test_no_key_is_bad_usage_and_told_as_an_event():
    done = call(*RUN, "--json-lines")
    assert (done.returncode, events(done.stdout)[-1]["category"]) == (1, "missing_key")
    assert "https://skills.video/dashboard/developer" in done.stderr


def test_no_connection_is_transient():
    with deserted() as address:
        done = call("get", "gen_1", SKILLS_VIDEO_BASE_URL=address, SKILLS_VIDEO_API_KEY="some-key")
    assert done.returncode == 24


def test_wait_goes_on_and_downloads(sandbox, tmp_path):
    done = call("wait", made(sandbox), *QUICK, "--download", "out", sandbox=sandbox, folder=tmp_path)
    found = events(done.stdout)
    assert done.returncode == 0
    assert (found[0]["generation_id"], found[-1]["ok"]) == ("gen_000001", True)
    assert (tmp_path / found[-1]["files"][0]).is_file()


def test_wait_for_what_is_not_there_is_not_found(sandbox):
    done = call("wait", "gen_9", *QUICK, sandbox=sandbox)
    assert (done.returncode, names(events(done.stdout))) == (23, ["start", "error"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--timeout", "0"),
        ("--timeout", "soon"),
        ("--poll-interval", "-1"),
        ("--variant", "nonsense"),
        ("--payload", "[]"),
        ("--payload", "{"),
        ("--payload", "absent.json"),
        ("--set", "prompt"),
        ("--set", "image_url=@absent.png"),
        ("--set", "a" + ".a" * 5000 + "=1"),
        ("--payload", '{"a":' * 20_000),
        ("--payload", ""),
        ("--payload", '{"prompt": "a", "prompt": "b"}'),
        ("--payload", '{"prompt": "\\ud800"}'),
        ("--set", "prompt=\udcff"),
        ("--download", __file__),
        ("--download", f"{__file__}/out"),
        ("--nonsense",),
    ],
    ids=lambda given: " ".join(given)[:30],
)
def test_bad_usage_is_one_event_and_nothing_is_sent(arguments, sandbox):
    done = call(*RUN, "--json-lines", *arguments, sandbox=sandbox)
    assert done.returncode == 1
    assert names(events(done.stdout)) == ["error"]
    assert not sandbox.requests


def test_all_mistakes_are_told_at_once_and_nothing_is_sent(sandbox):
    mistakes = ("--set", "duration=7", "--set", "resolutoin=720p", "--set", "aspect_ratio=19:6")
    done = call("run", "google_veo_3_1", "--set", "prompt=x", *mistakes, "--json-lines", sandbox=sandbox)
    assert done.returncode == 22
    [event] = events(done.stdout)
    found = {item["path"]: (item["rule"], item["nearest"]) for item in event["violations"]}
    assert found == {
        "duration": ("enum", 6),
        "resolutoin": ("additionalProperties", "resolution"),
        "aspect_ratio": ("enum", "9:16"),
    }
    assert all(path in done.stderr for path in found)
    assert not sandbox.requests


def test_a_number_that_json_lacks_is_refused_in_json(sandbox):
    done = call("run", "openai/sora-2", "--payload", '{"prompt": NaN}', "--json-lines", sandbox=sandbox)
    [event] = events(done.stdout)
    assert (done.returncode, event["violations"][0]["path"]) == (22, "prompt")
    assert not sandbox.requests


def test_a_setting_that_cannot_be_read_is_told_with_all_other_mistakes(sandbox):
    mistakes = ("duration=7", "image_url=@absent.png", "nonsense", "resolutoin=720p", "prompt=@absent.txt")
    done = call("run", "google_veo_3_1", *(part for text in mistakes for part in ("--set", text)), sandbox=sandbox)
    assert done.returncode == 22
    for part in ("duration: ", "'absent.png'", "'nonsense'", "'resolution'", "'absent.txt'"):
        assert part in done.stderr
    assert "required" not in done.stderr
    assert not sandbox.requests


def test_a_file_that_a_field_does_not_take_is_refused_with_advice(sandbox, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    given = ("run", "google_veo_3_1_lite", "--set", "prompt=x", "--set", "image_url=@cat.png", "--json-lines")
    done = call(*given, sandbox=sandbox, folder=tmp_path)
    assert (done.returncode, events(done.stdout)[-1]["violations"][0]["path"]) == (22, "image_url")
    assert "skills-video show MODEL" in done.stderr


def test_a_payload_from_standard_input_is_overridden_by_set(sandbox):
    given = json.dumps({"prompt": "old", "duration": 5})
    arguments = ("run", "kling_v2_6", "--payload", "-", "--set", "prompt=new", "--json-lines")
    found = events(call(*arguments, sandbox=sandbox, stdin=given).stdout)
    assert found[0]["input"] == {"prompt": "new", "duration": 5}
    assert found[-1]["ok"] is True


def test_a_template_that_is_filled_in_can_be_run(sandbox, tmp_path):
    written = json.loads(call("template", "kling_v2_6", "--variant", "TextImageToVideo").stdout)
    (tmp_path / "payload.json").write_text(json.dumps({**written, "prompt": "neon rain"}), "utf-8")
    done = call("run", "kling_v2_6", "--payload", "payload.json", sandbox=sandbox, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_download_that_fails_keeps_the_id(sandbox, tmp_path):
    sandbox.plan("download-404:9")
    done = call(*RUN, "--json-lines", "--download", "out", sandbox=sandbox, folder=tmp_path)
    last = events(done.stdout)[-1]
    assert (done.returncode, last["event"], last["generation_id"]) == (25, "error", "gen_000001")
    assert "skills-video wait gen_000001 --download DIR" in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_sent(sandbox, tmp_path):
    tmp_path.chmod(0o500)
    done = call(*RUN, "--json-lines", "--download", str(tmp_path / "out"), sandbox=sandbox)
    assert (done.returncode, names(events(done.stdout))) == (1, ["error"])
    assert not sandbox.requests


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a folder that a process is in")
def test_a_folder_that_is_gone_is_told_before_anything_is_sent(sandbox, tmp_path):
    gone = ["sh", "-c", f'mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && exec "$@"', "sh"]
    done = children.finished([*gone, *command(*RUN, "--journal", "jobs.db")], env=environment(sandbox))
    said = "error: the folder that this runs in is gone: go to one that is there, or name whole paths\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert not sandbox.seen


def test_a_run_with_the_same_key_makes_nothing_anew(sandbox, tmp_path):
    options = ["run", "veo-3.1-lite", "--set", "prompt=neon rain", "--key", "row-17"]
    ends = [call(*options, "--journal", "jobs.db", "--json-lines", sandbox=sandbox, folder=tmp_path) for _ in range(2)]
    assert [end.returncode for end in ends] == [0, 0]
    assert len({json.loads(end.stdout.splitlines()[-1])["generation_id"] for end in ends}) == 1
    assert sandbox.made() == 1
    unkept = call(*options, sandbox=sandbox, folder=tmp_path)
    assert (unkept.returncode, unkept.stderr.splitlines()[0]) == (
        1,
        "error: --key needs --journal FILE, which holds the keys",
    )
    assert sandbox.made() == 1


def test_a_dry_run_prints_the_request_and_sends_nothing(sandbox, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    given = ("run", "kling_v2_6", "neon rain", "--set", "image_url=@cat.png", "--dry-run")
    told = json.loads(call(*given, sandbox=sandbox, folder=tmp_path).stdout)
    assert told["sent"] is False
    assert told["request"] == {
        "method": "POST",
        "url": f"{sandbox.url}/generation/kling-ai/kling-v2.6",
        "content_type": "multipart/form-data",
        "body": {"prompt": "neon rain", "image_url": "@cat.png"},
    }
    payload = '{"prompt": "x", "duratoin": 10}'
    done = call("run", "kling_v2_6", "--payload", payload, "--dry-run", sandbox=sandbox)
    plain = json.loads(done.stdout)
    assert "/sse/" in plain["request"]["url"]
    assert (told["not_in_schema"], plain["not_in_schema"]) == ([], ["duratoin"])
    assert "note: sent as they are, since the schema does not name them: duratoin" in done.stderr
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--set", "duration=7"), 22),
        (("--download", "/dev/null/x"), 1),
        (("--timeout", "-1"), 1),
        (("--key", "row-17"), 1),
        *((("--journal", "runs.db", "--key", key), 1) for key in ("", "a\nb", "x" * 201)),
    ],
)
def test_a_dry_run_finds_what_a_run_would_find(given, code, sandbox):
    done = call("run", "kling_v2_6", "neon rain", *given, "--dry-run", sandbox=sandbox)
    assert (done.returncode, done.stdout) == (code, "")
    assert not sandbox.requests


def test_a_dry_run_needs_a_key_as_a_run_does():
    done = call("run", "kling_v2_6", "neon rain", "--dry-run", SKILLS_VIDEO_API_KEY="")
    assert (done.returncode, "SKILLS_VIDEO_API_KEY" in done.stderr) == (1, True)
