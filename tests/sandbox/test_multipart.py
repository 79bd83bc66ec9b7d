"""Forms: files, texts read by their schema, repeated names."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.sandbox_callers import PLAIN, STREAM, Caller

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PICTURE = ("a b.png", b"\x89PNG\r\n--", "image/png")
SEEDANCE = "/generation/bytedance/seedance-2.0"


def test_a_file_is_a_value_where_the_schema_takes_one(still: Caller) -> None:
    answer = still.http.post(
        PLAIN, data={"prompt": "5", "duration": "10", "generate_audio": "false"}, files={"image_url": PICTURE}
    )
    assert answer.status_code == 200, answer.text
    echoed = answer.json()["input"]
    assert (echoed["prompt"], echoed["duration"], echoed["generate_audio"]) == ("5", 10, False)
    (upload,) = still.sandbox.generations()[0].uploads
    assert (upload.field, upload.file_name, upload.content_type) == ("image_url", "a b.png", "image/png")
    assert (upload.size, upload.sha256) == (len(PICTURE[1]), hashlib.sha256(PICTURE[1]).hexdigest())
    assert echoed["image_url"] == upload


def test_repeated_names_are_an_array_of_files_and_urls(still: Caller) -> None:
    url = "https://a.example/1.png"
    answer = still.http.post(
        SEEDANCE,
        files=[
            ("prompt", (None, "x")),
            ("feature", (None, "reference-to-video")),
            ("image_urls", PICTURE),
            ("image_urls", (None, url)),
            ("video_urls", (None, url)),
        ],
    )
    assert answer.status_code == 200, answer.text
    sent = still.sandbox.generations()[0].sent
    assert (len(sent["image_urls"]), sent["image_urls"][1], sent["video_urls"]) == (2, url, [url])


@pytest.mark.parametrize(
    ("data", "files", "told"),
    [
        ({}, {"prompt": PICTURE}, "prompt: a file is not of type 'string'"),
        ({"prompt": "x", "image_url": "no url"}, {}, "image_url: 'no url'"),
        ({"prompt": "x", "duration": "7"}, {}, "duration: 7 is not one of [5, 10]"),
        ({"prompt": "x", "duration": "long"}, {}, "duration: 'long'"),
        ({"prompt": ["x", "y"]}, {}, "prompt: ['x', 'y'] is not of type 'string'"),
        ({"feature": "motion-control"}, {"image_url": PICTURE}, "'video_url' is a required property"),
    ],
)
def test_a_wrong_form_is_refused(still: Caller, data: dict[str, Any], files: dict[str, Any], told: str) -> None:
    answer = still.http.post(PLAIN, data=data, files=files or {"seed": (None, "1")})
    assert (answer.status_code, told in answer.json()["message"]) == (422, True), answer.text
    assert still.sandbox.made() == 0


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_malformed(still: Caller, kind: str) -> None:
    answer = still.http.post(PLAIN, content=b"no form at all", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (400, "VIDEO_GENERATION_INVALID_INPUT")


def test_the_stream_endpoint_takes_no_form(still: Caller) -> None:
    answer = still.http.post(STREAM, files={"prompt": (None, "x")})
    assert (answer.status_code, still.sandbox.made()) == (400, 0)


def test_the_same_file_is_the_same_body(still: Caller) -> None:
    for _ in range(2):
        still.http.post(PLAIN, data={"prompt": "x"}, files={"image_url": PICTURE})
    first, second = still.sandbox.generations()
    assert first.sent == second.sent
    assert still.sandbox.made(body=first.sent) == 2


def schema_of_all_kinds() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "whole": {"type": "integer"},
            "real": {"type": "number"},
            "either": {"anyOf": [{"type": "number"}, {"const": "auto"}]},
            "flag": {"type": "boolean"},
            "nothing": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "nested": {"type": "object", "properties": {"x": {"type": "integer", "default": 3}}},
            "points": {"type": "array", "items": {"type": "object", "required": ["x"]}},
            "numbers": {"type": "array", "items": {"type": "integer"}},
            "anything": {"type": "array"},
            "100%25": {"type": "integer"},
            "level": {"enum": [1, 2]},
            "text": {"type": "string"},
            "only_file": {"type": "string", "format": "binary", "minLength": 1},
        },
    }


@pytest.fixture
def kinds(call_with: Callable[..., Caller], tmp_path: Path) -> Caller:
    schema = schema_of_all_kinds()
    content = {"application/json": {"schema": {}}, "multipart/form-data": {"schema": schema}}
    document = {"openapi": "3.1.0", "paths": {"/generation/m": {"post": {"requestBody": {"content": content}}}}}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    return call_with(Sandbox(speed=0, openapi=file))


@pytest.mark.parametrize(
    ("name", "texts", "value"),
    [
        ("whole", ["3"], 3),
        ("real", ["2.5"], 2.5),
        ("real", ["2"], 2),
        ("either", ["2"], 2),
        ("either", ["auto"], "auto"),
        ("flag", ["true"], True),
        ("nothing", ["null"], None),
        ("nested", ['{"x": 1}'], {"x": 1}),
        ("nested", ["{}"], {"x": 3}),
        ("points", ['{"x": 1}', '{"x": 2}'], [{"x": 1}, {"x": 2}]),
        ("points", ['[{"x": 1}]'], [{"x": 1}]),
        ("numbers", ["1"], [1]),
        ("numbers", ["1", "2"], [1, 2]),
        ("100%25", ["3"], 3),
        ("anything", ["1"], ["1"]),
        ("anything", ["1", "x"], ["1", "x"]),
        ("level", ["2"], 2),
        ("text", ["12"], "12"),
        ("text", ["true"], "true"),
        ("unheard", ["12"], "12"),
    ],
)
def test_a_text_is_read_by_its_schema(kinds: Caller, name: str, texts: list[str], value: object) -> None:
    answer = kinds.http.post("/generation/m", files=[(name, (None, text)) for text in texts])
    assert answer.status_code == 200, answer.text
    assert answer.json()["input"][name] == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("whole", "2.5", "whole: '2.5' is not of type 'integer'"),
        ("flag", "yes", "flag: 'yes' is not of type 'boolean'"),
        ("points", '{"y": 1}', "points[0]: 'x' is a required property"),
        ("level", "3", "level: 3 is not one of [1, 2]"),
        ("only_file", "https://a.example", "only_file: 'https://a.example' is not a 'binary'"),
    ],
)
def test_a_text_that_its_schema_refuses_is_told(kinds: Caller, name: str, text: str, told: str) -> None:
    answer = kinds.http.post("/generation/m", files=[(name, (None, text))])
    assert answer.status_code == 422
    assert told in answer.json()["message"]
