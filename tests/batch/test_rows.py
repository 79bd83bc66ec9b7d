"""Rows of a file: each is a payload, or all that is wrong with it is told with its line."""

from __future__ import annotations

import json
import re
from importlib import import_module
from importlib.util import find_spec

import pytest

from skills_video.catalog import MODELS
from skills_video_runtime.batch import Mistake, Rows

VEO = "google/veo-3.1"
GOOD = {"key": "a", "model": VEO, "payload": {"prompt": "rain", "duration": 8}}


def rows_of(tmp_path, content, name="jobs.jsonl", **options):
    if isinstance(content, list):
        content = "".join(f"{json.dumps(item)}\n" for item in content)
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(Rows(path, MODELS, "skills_video", **options))


def mistakes(found):
    return [(item.line, item.key, str(item.what)) for item in found if isinstance(item, Mistake)]


def test_a_row_is_a_payload_under_a_key(tmp_path):
    [row] = rows_of(tmp_path, [GOOD])
    assert (row.key, row.line, row.download) == ("a", 1, True)
    assert row.payload.to_dict() == {"prompt": "rain", "duration": 8}
    assert row.payload.endpoint.model == VEO


def test_all_mistakes_of_all_rows_are_told_with_the_nearest_value(tmp_path):
    wrong = [
        {"key": "a", "model": VEO, "payload": {"prompt": "rain", "duration": 7, "aspect_rato": "16:9"}},
        GOOD,
        {"key": "b", "model": "google/veo3", "payload": {}},
        {"key": "c", "model": "kling_v2_6", "variant": "MotionContrl", "payload": {}},
    ]
    told = mistakes(rows_of(tmp_path, wrong))
    assert [(line, key) for line, key, _ in told] == [(1, "a"), (1, "a"), (2, "a"), (3, "b"), (4, "c")]
    texts = [text for *_, text in told]
    assert re.search("duration: 7 is not one of 4, 6, 8; nearest allowed: 6", texts[0])
    assert re.search("aspect_rato: is no field of Payload; nearest allowed: 'aspect_ratio'", texts[1])
    assert "that of line 1 as well" in texts[2]
    assert "nearest: 'google/veo-3.1'" in texts[3]
    assert "nearest: 'MotionControl'" in texts[4]


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("", 1, "the file holds no rows"),
        ("\n\n", 1, "the file holds no rows"),
        ("[{}]", 1, "the file is a JSON array"),
        ("{", 1, "is no JSON"),
        ("17", 1, "is no JSON object"),
        (f"\n{'{'!s}", 2, "is no JSON"),
        ('{"a":' * 100_000, 1, "it holds too much"),
        (f'{{"model": "{VEO}", "payload": {{"prompt": {"[" * 900 + "]" * 900}}}}}', 1, "it holds too much"),
        (f'{{"model": "{VEO}", "variant": ["a"], "payload": {{}}}}', 1, "is no variant"),
        (f"{json.dumps(GOOD)}\n{json.dumps({**GOOD, 'key': 'A'})}", 2, "that of line 1 as well"),
        ('{"key": "a", "key": "b"}', 1, "has 'key' twice"),
        ('{"key": "a", "payload": {"prompt": "x", "prompt": "y"}}', 1, "has 'prompt' twice"),
        ('{"key": "\\ud800"}', 1, "half a character"),
        ("{}\0", 1, "NUL"),
        (json.dumps(GOOD).encode() + b"\n\xff", 2, "byte 1 of the line is no UTF-8"),
        (json.dumps(GOOD).encode("utf-16"), 1, "UTF-16"),
        (b"x" * (16 * 2**20 + 1), 1, "more than 16777216 bytes"),
        ('{"payload": {}}', 1, "model: is missing"),
        (f'{{"model": "{VEO}"}}', 1, "payload: is missing"),
        (f'{{"model": "{VEO}", "payload": []}}', 1, "payload: is missing, or is no object"),
        (f'{{"model": "{VEO}", "payload": {{"prompt": "x"}}, "download": "perhaps"}}', 1, "neither true nor false"),
        (f'{{"model": "{VEO}", "payload": {{"prompt": "x"}}, "plaod": 1}}', 1, "nearest: 'payload'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(content, line, says, tmp_path):
    told = mistakes(rows_of(tmp_path, content))
    assert [number for number, *_ in told] == [line]
    assert says in told[0][2]


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("../../etc/passwd", "passwd"),
        ("a/b", "b"),
        ("a\\b", "b"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("a\nb", "ab"),
        ("a:b", "a_b"),
        ("x" * 101, "x" * 100),
        ("", None),
        ("row~2", None),
        ("row~2.1", None),
        (1.5, None),
        (True, None),
        (["a"], None),
    ],
)
def test_a_key_is_the_beginning_of_a_name_on_any_system(key, nearest, tmp_path):
    [mistake] = rows_of(tmp_path, [{**GOOD, "key": key}])
    assert mistake.what.path == "key"
    if nearest is not None:
        assert mistake.what.nearest == nearest


@pytest.mark.parametrize("key", ["a", "row 17", "Ärger", "日本", "a.mp4", "2.5", 17, "a~b"])
def test_what_is_a_key(key, tmp_path):
    [row] = rows_of(tmp_path, [{**GOOD, "key": key}])
    assert row.key == str(key)


def test_a_row_without_a_key_has_one_of_its_contents(tmp_path):
    bare = {"payload": {"prompt": "rain"}}
    first, again, other = rows_of(tmp_path, [bare, bare, {"payload": {"prompt": "snow"}}], model=VEO)
    assert again.key == f"{first.key}-2"
    assert other.key != first.key
    [later] = rows_of(tmp_path, [{"payload": {"prompt": "rain"}}], model=VEO)
    assert later.key == first.key


@pytest.mark.parametrize("text", ["{}", '\ufeff{"a": 1}'])
def test_marks_and_ends_of_lines_are_no_matter(text, tmp_path):
    line = text.replace("{}", json.dumps(GOOD)).replace('{"a": 1}', json.dumps(GOOD))
    [row] = rows_of(tmp_path, f"\r\n{line}\r\n" if text == "{}" else f"{line}\r\n")
    assert row.key == "a"


TABLE = """\
key,model,variant,prompt,duration,generate_audio,download,image_url
a,kling_v2_6,TextImageToVideo,"neon
rain, slow",10,true,no,
,kling_v2_6,TextImageToVideo,12,5,false,,https://example.com/a.png
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (TABLE, "jobs.csv"),
        ("\ufeff" + TABLE.replace("\n", "\r\n"), "jobs.csv"),
        (TABLE.replace("neon\nrain, slow", "neon\nrain; slow").replace(",", ";").replace("rain; ", "rain, "), "a.csv"),
        (TABLE.replace(",", "\t").replace("rain\t slow", "rain, slow"), "jobs.tsv"),
    ],
)
def test_cells_are_read_as_their_fields_have_them(text, name, tmp_path):
    first, second = rows_of(tmp_path, text, name)
    assert first.payload.to_dict()["prompt"].replace("\r", "") == "neon\nrain, slow"
    assert (first.payload.to_dict()["duration"], first.download, first.line) == (10, False, 2)
    assert second.payload.to_dict() == {
        "prompt": "12",
        "duration": 5,
        "generate_audio": False,
        "image_url": "https://example.com/a.png",
        "feature": "text-image-to-video",
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("prompt,duration\nrain,7\n", 2, "7 is not one of 4, 6, 8"),
        ("prompt,duration\nrain\n", 2, "1 cells, and the first line 2 columns"),
        ("prompt,prompt\nrain,rain\n", 1, "stands there twice: 'prompt'"),
        ('prompt\n"rain\n', 2, "no CSV"),
        ("prompt\nrain\n", 2, "model: is missing"),
        ("prompt,durtion\nrain,8\n", 2, "nearest allowed: 'duration'"),
        ("prompt\n", 1, "the file holds no rows"),
        ("prompt\n" + "x" * 200_000, 2, "no CSV"),
    ],
)
def test_a_table_is_told_wrong_by_its_line(text, line, says, tmp_path):
    told = mistakes(rows_of(tmp_path, text, "jobs.csv", model=None if "model" in says else VEO))
    assert [number for number, *_ in told] == [line]
    assert says in told[0][2]


def test_a_file_is_named_below_the_folder_and_nowhere_else(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"png")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "link.png").symlink_to("/etc/passwd")

    def asked(text):
        return rows_of(tmp_path, [{"model": "kling_v2_6", "payload": {"prompt": "@home", "image_url": text}}])

    [row] = asked("@cat.png")
    assert row.payload.goes_as_form()
    assert row.payload.to_dict()["prompt"] == "@home"
    for text in ("@no.png", "@/etc/passwd", "@../x", "@below/link.png", "@below", "@" + "x" * 5000, "@a\0b"):
        told = mistakes(asked(text))
        assert len(told) == 1, told
        assert told[0][2].startswith("image_url:")
    (tmp_path / "elsewhere").mkdir()
    content = [{"model": "kling_v2_6", "payload": {"prompt": "x", "image_url": "@cat.png"}}]
    [mistake] = rows_of(tmp_path, content, files=tmp_path / "elsewhere")
    assert "there is no file 'cat.png'" in str(mistake)


def test_a_misspelt_field_is_told_also_where_the_schema_takes_any_name(tmp_path):
    [mistake] = rows_of(tmp_path, [{"model": "kling_v2_6", "payload": {"prompt": "x", "durtion": 5}}])
    assert (mistake.what.path, mistake.what.nearest) == ("durtion", "duration")
    [row] = rows_of(tmp_path, [{"model": "kling_v2_6", "payload": {"prompt": "x", "frames_per_second": 24}}])
    assert row.payload.to_dict()["frames_per_second"] == 24


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow, of 170 MB, is not installed")
def test_parquet_is_read_by_columns_or_payloads(tmp_path):
    pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    path = tmp_path / "jobs.parquet"
    parquet.write_table(pa.table({"key": ["a", "b"], "prompt": ["rain", "snow"], "duration": [8, None]}), path)
    first, second = Rows(path, MODELS, "skills_video", model=VEO)
    assert first.payload.to_dict() == {"prompt": "rain", "duration": 8}
    assert second.payload.to_dict() == {"prompt": "snow"}
    table = {"key": ["a"], "payload": [{"prompt": "rain", "duration": 7}]}
    parquet.write_table(pa.table(table), path)
    [mistake] = Rows(path, MODELS, "skills_video", model=VEO)
    assert "7 is not one of" in str(mistake)
    path.write_bytes(b"PAR1")
    [mistake] = Rows(path, MODELS, "skills_video")
    assert "cannot be read as Parquet" in str(mistake)
