"""`models`, `show`, `template`: what is told of the catalog and of one model, also of one with every kind of field."""

from __future__ import annotations

import json
import os

import pytest

from skills_video import catalog
from skills_video.catalog import MODELS
from skills_video_runtime.payloads.checks import PLANS
from tests.support.processes import call, events
from tests.support.project import description

EVERYTHING = {
    "type": "object",
    "title": "Everything",
    "required": ["prompt", "class"],
    "dependentRequired": {"seed": ["n"]},
    "minProperties": 2,
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^a", "description": "A [b]wanted"},
        "class": {"type": "string", "enum": ["x", "y"], "default": "x"},
        "n": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2, "default": 4},
        "seed": {"type": ["integer", "null"]},
        "strength": {"type": "number", "enum": [0.5, 1.5]},
        "image_url": {"type": "string", "format": "uri"},
        "tags": {"type": "array", "maxItems": 3, "uniqueItems": True, "items": {"type": "string", "maxLength": 5}},
        "size": {"anyOf": [{"type": "integer", "minimum": 64}, {"const": "auto"}]},
        "brushes": {"type": "array", "items": {"title": "Brush", "type": "object", "required": ["x"],
                    "properties": {"x": {"type": "integer", "description": "Column"}}}},
        "flags": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 2},
        "steps": {"anyOf": [{"type": "integer"}, {"const": "auto"}, {"type": "null"}]},
        "more": {},
    },
}  # fmt: skip


@pytest.fixture
def acme(project):
    """Run a command of a package that was generated from `EVERYTHING`."""
    project.write(description({"acme/every-thing": EVERYTHING}))
    assert project.run() == 0
    search = os.pathsep.join([str(project.folder), os.environ.get("PYTHONPATH", "")])
    return lambda *arguments, **more: call(*arguments, package=project.name, PYTHONPATH=search, **more)


def listed(*arguments):
    return json.loads(call("models", "--json", *arguments).stdout)


def test_models_lists_every_model_on_a_line_of_its_own():
    lines = call("models").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [info.endpoint.model for info in MODELS]
    line = next(line for line in lines if line.startswith("kling-ai/kling-v2.6 "))
    for text in ("kling_v2_6", "Kling V2.6 Video", "image, video", "5, 10"):
        assert text in line
    assert "POST" not in line
    assert "POST /generation/sse/kling-ai/kling-v2.6" in call("models", "--endpoints").stdout


def test_models_as_json_has_all_that_the_catalog_knows():
    found = listed()
    assert [item["id"] for item in found] == [info.endpoint.model for info in MODELS]
    one = next(item for item in found if item["module"] == "kling_v2_6")
    assert one["endpoints"] == {
        "stream": "/generation/sse/kling-ai/kling-v2.6",
        "create": "/generation/kling-ai/kling-v2.6",
        "result": "/generation/{id}",
    }
    assert (one["takes"], one["durations"], one["resolutions"]) == (
        ["image", "video", "frames", "last_frame"],
        [5, 10],
        [],
    )


def test_models_searches_names_texts_and_traits_for_all_words():
    assert {item["module"] for item in listed("--search", "KLING film-like")} == {"kling_v2_6"}
    assert {"audio" in item["takes"] for item in listed("--search", "wan audio")} == {True}
    assert listed("--search", "no such words") == []


@pytest.mark.parametrize(
    ("given", "all_have", "some"),
    [
        ("audio", lambda item: item["makes_sound"] or "audio" in f"{item['takes']}{item['text']}", "kling_v2_6"),
        ("sound", lambda item: item["makes_sound"] or "sound" in item["text"], "google_veo_3_1"),
        ("9:16", lambda item: "9:16" in item["aspect_ratios"], "kling_v2_6"),
        ("1080", lambda item: "1080p" in f"{item['resolutions']}{item['text']}", "pixverse_v6"),
        ("cheap", lambda item: "cheap" in item["text"].casefold(), "google_veo_3_1_lite"),
        ("2.6", lambda item: "2.6" in item["title"], "kling_v2_6"),
    ],
)
def test_a_search_finds_what_is_shown(given, all_have, some):
    found = listed("--search", given)
    assert all(all_have(item) for item in found)
    assert some in {item["module"] for item in found}


def test_a_number_is_searched_as_a_number():
    found = {item["module"] for item in listed("--search", "10")}
    assert {"kling_v2_6", "pixverse_v6", "kling_v3_video"} <= found  # 10 alone, in a range, in a span
    assert not {"openai_sora_2", "openai_sora_2_pro", "google_veo_3_1"} & found  # 4, 8, 12 s at 1080p


def test_models_are_chosen_by_what_they_can_do():
    wish = ("--takes", "image", "--seconds", "10", "--ratio", "9:16", "--sound", "--resolution", "1080p")
    found = {item["module"] for item in listed(*wish)}
    assert "bytedance_seedance_2_0" in found
    assert found == {
        info.module
        for info in catalog.find(takes="image", seconds=10, ratio="9:16", sound=True, resolution=1080)
        if "image" in info.takes and "1080p" in info.resolutions and info.makes_sound
    }


@pytest.mark.parametrize(
    "wish",
    [("--takes", "smell"), ("--seconds", "0"), ("--seconds", "nan"), ("--ratio", "9x16"), ("--resolution", "a b")],
)
def test_a_wish_that_means_nothing_is_refused_by_its_name(wish):
    done = call("models", *wish)
    assert (done.returncode, done.stdout) == (1, "")
    assert wish[0] in done.stderr


def test_a_wish_that_no_model_meets_tells_what_there_is():
    done = call("models", "--ratio", "9:17")
    assert (done.returncode, "9:16" in done.stdout) == (0, True)


@pytest.mark.parametrize("name", ["kling-ai/kling-v2.6", "kling_v2_6", "KLING_V2_6", "v2.6", "google/veo-3.1"])
def test_a_model_is_found_by_id_module_or_part(name):
    assert json.loads(call("show", name, "--json").stdout)["module"] in {"kling_v2_6", "google_veo_3_1"}


def test_an_ambiguous_part_names_the_models_that_have_it():
    done = call("show", "veo")
    assert done.returncode == 1
    for name in ("google/veo-3.1", "google/veo-3.1-fast", "google/veo-3.1-lite"):
        assert name in done.stderr


def test_an_empty_model_is_no_part_of_any():
    done = call("show", " ")
    assert (done.returncode, "MODEL is empty" in done.stderr) == (1, True)


def test_an_unknown_model_names_the_nearest():
    done = call("template", "klink-v2.6")
    assert (done.returncode, "kling-ai/kling-v2.6" in done.stderr) == (1, True)


@pytest.mark.parametrize("module", ["kling_v2_6", "kling_o3_video", "pixverse_v6"])
def test_show_tells_each_field_of_each_variant(module):
    facts = json.loads(call("show", module, "--json").stdout)
    info = next(info for info in MODELS if info.module == module)
    loaded = __import__(f"skills_video.{module}", fromlist=["x"])
    assert [variant["name"] for variant in facts["variants"]] == list(info.variants)
    for variant in facts["variants"]:
        fields = PLANS[getattr(loaded, variant["name"])].by_wire
        assert [field["name"] for field in variant["fields"]] == list(fields)
        assert [field["required"] for field in variant["fields"]] == [field.required for field in fields.values()]
        assert all(field["text"] for field in variant["fields"])
    assert {item["status"] for item in facts["statuses"] if item["finished"]} == {"COMPLETED", "FAILED", "CANCELED"}
    codes = {item["code"]: item["category"] for item in facts["error_codes"] if item["code"]}
    assert codes["VIDEO_GENERATION_CONTENT_REJECTED"] == "content_rejected"


def test_show_tells_types_limits_defaults_and_texts_of_every_kind(acme):
    facts = json.loads(acme("show", "acme/every-thing", "--json").stdout)
    [variant] = facts["variants"]
    found = {field["name"]: field for field in variant["fields"]}
    limits = {name: (field["type"], field["limits"]) for name, field in found.items()}
    assert limits == {
        "prompt": ("string", {"minLength": 1, "maxLength": 20, "pattern": "^a"}),
        "class": ("string", {"enum": ["x", "y"]}),
        "n": ("integer", {"minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2}),
        "seed": ("integer or null", {}),
        "strength": ("number", {"enum": [0.5, 1.5]}),
        "image_url": ("uri", {}),
        "tags": ("array of string", {"maxItems": 3, "uniqueItems": True, "items": {"maxLength": 5}}),
        "size": (
            "integer or string",
            {
                "anyOf": [
                    {"type": "integer", "limits": {"minimum": 64}},
                    {"type": "string", "limits": {"enum": ["auto"]}},
                ]
            },
        ),
        "brushes": ("array of Brush", {}),
        "flags": ("object of boolean", {"maxProperties": 2}),
        "steps": (
            "integer or string or null",
            {
                "anyOf": [
                    {"type": "integer", "limits": {}},
                    {"type": "string", "limits": {"enum": ["auto"]}},
                    {"type": "null", "limits": {}},
                ]
            },
        ),
        "more": ("any JSON value", {}),
    }
    assert (found["n"]["default"], found["class"]["default"], found["seed"]["default"]) == (4, "x", None)
    assert (found["prompt"]["text"], found["prompt"]["required"], found["n"]["required"]) == (
        "A [b]wanted. 1 to 20 characters; matches `^a`.", True, False,
    )  # fmt: skip
    [brush] = facts["objects"]
    assert (brush["name"], brush["fields"][0]["name"], brush["fields"][0]["text"]) == ("Brush", "x", "Column")
    assert variant["rules"] == [
        {"rule": "minProperties", "value": 2},
        {"rule": "dependentRequired", "field": "seed", "value": ["n"]},
    ]
    text = acme("show", "acme/every-thing").stdout
    for part in ("A [b]wanted", "at least 64", "Where seed is given, n must be given too.", "each at most 5",
                 "integer or string auto or null"):  # fmt: skip
        assert part in text


def test_show_tells_what_variants_share_once_and_what_differs_of_each():
    common, *variants = call("show", "kling_v2_6").stdout.split("\n\n")[1:-1]
    assert common.count("  duration  integer, 5 | 10, default 5\n      Clip length") == 1
    assert [variant.partition(":")[0] for variant in variants] == ["TextImageToVideo", "MotionControl"]
    assert "  prompt  string, not required" in variants[1].splitlines()
    assert "  image_url  uri or file, required" in variants[1].splitlines()
    assert "duration" not in "".join(variants)


def test_show_tells_errors_and_statuses_when_asked():
    told = call("show", "kling_v2_6", "--errors").stdout
    for part in (
        "POST /generation/sse/kling-ai/kling-v2.6",
        "VIDEO_GENERATION_CONTENT_REJECTED",
        "COMPLETED, SUCCEEDED",
    ):
        assert part in told
    assert "VIDEO_GENERATION" not in call("show", "kling_v2_6").stdout


def test_texts_are_left_out_where_the_source_is_missing(acme, project):
    import compileall  # noqa: PLC0415  # here alone

    assert compileall.compile_dir(project.out, quiet=1, legacy=True)
    (project.out / "acme_every_thing.py").unlink()
    facts = json.loads(acme("show", "every", "--json").stdout)
    assert {field["text"] for field in facts["variants"][0]["fields"]} == {""}


def test_a_template_holds_required_and_defaulted_fields(acme):
    assert json.loads(acme("template", "every").stdout) == {"prompt": None, "class": "x", "n": 4}


def test_a_template_is_that_of_the_variant(tmp_path):
    done = call("template", "kling_v2_6", "--variant", "motion-control")
    written = json.loads(done.stdout)
    assert (written["feature"], written["image_url"], done.returncode) == ("motion-control", None, 0)


def test_settings_are_read_as_their_fields_have_them(acme, tmp_path):
    (tmp_path / "base.json").write_text('{"class": "y", "tags": ["old"]}', "utf-8-sig")
    settings = {
        "prompt": ("a 5", "a 5"), "n": ("6", 6), "seed": ("null", None), "strength": ("0.5", 0.5),
        "size": ("auto", "auto"), "brushes[0].x": ("3", None), "brushes[1].x": ("4", None), "flags.a": ("true", None),
        "more": ('{"k": [1]}', {"k": [1]}), "tags": ('["1"]', ["1"]),
    }  # fmt: skip
    given = [part for name, (text, _) in settings.items() for part in ("--set", f"{name}={text}")]
    given += ["--payload", "base.json", "--json-lines", "--timeout", "0.5"]
    nowhere = {"SKILLS_VIDEO_API_KEY": "some-key", "SKILLS_VIDEO_BASE_URL": "http://127.0.0.1:9/api/v1"}
    done = acme("run", "every", *given, folder=tmp_path, **nowhere)
    sent = json.loads(done.stdout.splitlines()[0])["input"]
    expected = {name: value for name, (_, value) in settings.items() if "." not in name}
    assert sent == {**expected, "class": "y", "brushes": [{"x": 3}, {"x": 4}], "flags": {"a": True}}


def test_an_item_is_added_to_a_list_that_a_setting_has_written_as_json():
    given = ("--variant", "ReferenceToVideo", "--set", "prompt=x", "--set", 'image_urls=["https://a.b/1"]')
    more = ("--set", "image_urls=https://a.b/2", "--json-lines", "--timeout", "0.5")
    nowhere = {"SKILLS_VIDEO_API_KEY": "some-key", "SKILLS_VIDEO_BASE_URL": "http://127.0.0.1:9/api/v1"}
    done = call("run", "bytedance_seedance_2_0", *given, *more, **nowhere)
    assert events(done.stdout)[0]["input"]["image_urls"] == ["https://a.b/1", "https://a.b/2"]


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (("prompt=b",), "pattern"),
        (("prompt=a", "n=3"), "multipleOf"),
        (("prompt=a", "n=many"), "type"),
        (("prompt=a", "brushes[0].x=left"), "type"),
        (("prompt=a", "tags=12345", "tags=x", "tags=x"), "uniqueItems"),
        (("prompt=a", "klass=x"), "additionalProperties"),
    ],
)
def test_a_setting_that_its_field_does_not_allow_is_refused(settings, rule, acme):
    given = [part for setting in settings for part in ("--set", setting)]
    done = acme("run", "every", "--set", "class=x", *given, "--json-lines")
    assert done.returncode == 22
    assert [item["rule"] for item in json.loads(done.stdout)["violations"]] == [rule]


@pytest.mark.parametrize("setting", ["prompt.x=1", "brushes[1].x=1", "=1", "a[=1", "[0]=1", "prompt="])
def test_a_setting_that_has_no_place_is_told(setting, acme):
    done = acme("run", "every", "--set", "prompt=a", "--set", "class=x", "--set", setting)
    assert done.returncode in {1, 22}
    assert "error: " in done.stderr
