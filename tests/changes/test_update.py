"""A real update, and what a reviewer is told of it."""

from __future__ import annotations

import copy
import difflib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import griffe
import pytest

from generator.__main__ import main
from generator.changes.change import COSMETIC
from generator.changes.models import compare
from generator.changes.revisions import both, found_in
from generator.json_values import NOTHING, value_at
from tests.support.project import description, navigation, pages_of
from tests.support.revisions import changes, write_revision

SPECS = Path(__file__).parent / "specs"
OLD, NEW = SPECS / "previous", SPECS / "current"
NEWER = '"IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELED"'
OLDER = '"starting", "processing", "succeeded", "failed", "canceled"'
BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}}


@pytest.fixture(scope="module")
def update():
    return compare(found_in(str(OLD), None), found_in(str(NEW), None))


def said(update, model, path=None):
    return {
        (change.kind, change.path, change.text(), change.breaking)
        for change in update
        if change.model == model and path in (None, change.path)
    }


def test_models_are_added_and_removed(update):
    whole = {(change.model, change.kind) for change in update if not change.path}
    assert {model for model, kind in whole if kind == "removed"} == {
        "lightricks/ltx-2.3/audio-to-video", "lightricks/ltx-2.3/extend-video", "pixverse/v6/transition",
    }  # fmt: skip
    listed = [json.loads((folder / "openapi.json").read_text("utf-8"))["paths"] for folder in (OLD, NEW)]
    added = {model for model, kind in whole if kind == "added"}
    assert len(added) == 14
    assert all(f"/generation/{model}" in listed[1] and f"/generation/{model}" not in listed[0] for model in added)


def test_a_model_of_another_path_and_the_same_title_has_moved(update):
    text = "was lightricks/ltx-2.3; its module is ltx_2_3 now, not lightricks_ltx_2_3"
    assert ("moved", "", text, True) in said(update, "ltx-2.3")
    assert said(update, "lightricks/ltx-2.3") == set()


@pytest.mark.parametrize(
    ("model", "kind", "path", "text", "breaking"),
    [
        ("bytedance/seedance-2.0", "loosened", "TextImageToVideo.resolution", 'takes "1080p" too', False),
        ("happyhorse/happyhorse-1.0", "tightened", "TextToVideo.resolution", 'no longer takes "480p"', True),
        ("happyhorse/happyhorse-1.0", "tightened", "TextToVideo.seed",
         "must be at least 0 now, not -9007199254740991", True),
        ("bytedance/seedance-2.0", "loosened", "TextImageToVideo.reference_image_urls",
         "may have at most 9 items now, not 7", False),
        ("openai/sora-2-pro", "loosened", "first_frame_url", "takes null too", False),
        ("happyhorse/happyhorse-1.0", "changed", "TextToVideo.resolution",
         'left out, it is "1080p" now, not "720p"', False),
        ("bytedance/seedance-2.0", "moved", "TextImageToVideo", "is the class that was Payload", True),
        ("vidu/q3", "added", "create.error.code", "is new: a string", False),
        ("vidu/q3", "added", "create.error", "answers 402, 403, 429, 500, 502, 503, 504 too", False),
        ("*", "added", "result.response.input", "is new: an object of any names with (any value)", False),
        ("*", "changed", "result.response.status",
         f"is {NEWER} now, not {OLDER}", False),
    ],
)  # fmt: skip
def test_update_is_told_line_by_line(model, kind, path, text, breaking, update):
    assert (kind, path, text, breaking) in said(update, model, path)


def test_every_change_names_a_place_that_is_there_and_a_rule_in_plain_letters(update):
    document = json.loads((NEW / "openapi.json").read_text("utf-8"))
    for change in update:
        assert change.file == "openapi.json"
        assert value_at(document, change.pointer) is not NOTHING
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", change.rule)
        if change.kind != "removed" and change.place.isidentifier():
            assert change.pointer.endswith((f"/{change.place}", "/post", "/get")), change


def test_every_model_that_stays_is_reordered_and_n_alone_has_moved(update):
    moved = [change for change in update if change.kind == "reordered"]
    assert {change.path for change in moved} == {"n"}
    assert len(moved) > 10
    assert not any(change.breaking for change in update if change.kind in COSMETIC)


def test_the_real_update_reads_in_120_lines_what_breaks_first(capsys):
    assert main(["changes", str(OLD), str(NEW), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 120
    assert lines[2] == "| | breaks | may break | other |"
    bold = [index for index, line in enumerate(lines) if line.startswith(("- **breaks", "- **may break"))]
    folded = [
        index
        for index, line in enumerate(lines)
        if line.startswith(("### Beside the models", "### All models", "### New models"))
    ]
    assert max(bold) < min(folded)
    assert sum("<details>" in line for line in lines) == lines.count("</details>") > 5


CHECKED = {"type": "object", "properties": {"prompt": {"type": "string", "default": 5}}}
"""A body that is warned of: its default is none of its values."""


def warned(**models: Any) -> dict[str, Any]:
    return description({f"acme/{name}": body for name, body in models.items()}, {"Body": CHECKED})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (warned(one=CHECKED, two=BODY), warned(one=CHECKED, two=CHECKED)),
        (warned(one=CHECKED, two=BODY), warned(two=BODY)),
        (warned(one={"$ref": "#/components/schemas/Body"}, two={"$ref": "#/components/schemas/Body"}),
         warned(two={"$ref": "#/components/schemas/Body"})),
    ],
)  # fmt: skip
def test_what_is_read_once_for_both_revisions_is_what_is_read_twice(old, new, tmp_path):
    folders = [str(write_revision(tmp_path / name, item)) for name, item in (("old", old), ("new", new))]
    apart = [found_in(folder, None) for folder in folders]
    together = both(*folders, None)
    assert [found.selection.models for found in together] == [found.selection.models for found in apart]
    assert [found.warnings for found in together] == [found.warnings for found in apart]
    assert any(found.warnings for found in apart)


def test_what_the_real_update_says_does_not_depend_on_what_is_read_once(update):
    assert compare(*both(str(OLD), str(NEW), None)) == update
    assert compare(*both(str(NEW), str(NEW), None)) == []


def test_the_same_revision_twice_is_no_change():
    for folder in (OLD, NEW):
        assert compare(found_in(str(folder), None), found_in(str(folder), None)) == []


def test_what_griffe_calls_breaking_of_the_real_update_breaks(update, tmp_path):
    for specs in (OLD, NEW):
        generated(tmp_path / specs.name / "skills_video", specs)
    packages = [
        griffe.load("skills_video", search_paths=[tmp_path / specs.name], try_relative_path=False)
        for specs in (OLD, NEW)
    ]
    seen = {breakage.obj.path.split(".")[1] for breakage in griffe.find_breaking_changes(*packages)}
    broken = {change.model for change in update if change.breaking}
    told = {model.module for model in found_in(str(NEW), None).selection.models if model.model in broken}
    told |= {str(value) for change in update if change.about == "model" for value in change.values}
    assert len(seen) >= 6
    assert seen <= told


def moved_last(schema: Any, name: str) -> Any:
    """Move a property of every object to the end."""
    if isinstance(schema, list):
        return [moved_last(item, name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: moved_last(item, name) for key, item in schema.items()}
    properties = result.get("properties")
    if isinstance(properties, dict) and name in properties:
        properties[name] = properties.pop(name)
    return result


def generated(folder, specs):
    inputs = ["--openapi", str(specs / "openapi.json"), "--docs", str(specs / "docs.json")]
    assert main(["generate", *inputs, "--out", str(folder)]) == 0
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_an_update_that_moves_n_touches_the_modules_that_have_it_and_breaks_nobody(tmp_path, capsys):
    specs = shutil.copytree(OLD, tmp_path / "new")
    moved = moved_last(json.loads((OLD / "openapi.json").read_text("utf-8")), "n")
    (specs / "openapi.json").write_text(json.dumps(moved), "utf-8")
    before, after = generated(tmp_path / "a", OLD), generated(tmp_path / "b", specs)
    differing = {name for name in before if before[name] != after[name]}
    fields = {
        name: re.findall(r"^    (?!endpoint|payload)(\w+): ", text, re.MULTILINE) for name, text in before.items()
    }
    first = {name for name, own in fields.items() if name.endswith(".py") and "n" in own[:-1]}
    assert len(first) > 10
    assert differing - {"API.md", "MANIFEST.json"} == first
    for name in differing - {"MANIFEST.json"}:
        assert sorted(before[name].splitlines()) == sorted(after[name].splitlines())
    capsys.readouterr()
    assert main(["changes", str(OLD), str(specs), "--json", "--fail-on-breaking"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["kind"], row["path"], row["breaking"]) for row in rows} == {("reordered", "n", False)}
    assert len(rows) == len(differing) - 2


def test_a_bound_inside_an_array_item_is_one_line_everywhere(tmp_path, capsys):
    revisions = []
    for name, minimum in (("old", 1), ("new", 2)):
        item = {"type": "object", "properties": {"strength": {"type": "integer", "minimum": minimum}}}
        body = {
            "type": "object",
            "properties": {"prompt": {"type": "string"}, "shots": {"type": "array", "items": item}},
        }
        revisions.append(write_revision(tmp_path / name, description({"acme/one": body})))
    before, after = (generated(tmp_path / f"{revision.name}-made", revision) for revision in revisions)
    for name in ("acme_one.py", "API.md"):
        lines = list(difflib.unified_diff(before[name].splitlines(), after[name].splitlines(), lineterm="", n=0))[2:]
        gone, come = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
        assert [line.replace("1", "2") for line in gone] == come
        assert [line for line in come if "Ge(2)" in line]
    assert {name for name in before if before[name] != after[name]} == {"acme_one.py", "API.md", "MANIFEST.json"}
    capsys.readouterr()
    assert main(["changes", str(revisions[0]), str(revisions[1])]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert shown == [
        "  BREAKS  tightened  shots[].strength: must be at least 2 now, not 1",
        '                     {"shots": [{"strength": 1}]} was taken, and is refused',
    ]


def named(*titles: str) -> dict[str, Any]:
    """Describe models by their ids and titles: `acme/one=Acme One`."""
    document = description({title.partition("=")[0]: BODY for title in titles})
    for title in titles:
        model, _, words = title.partition("=")
        for path in (f"/generation/{model}", f"/generation/sse/{model}"):
            document["paths"][path]["post"]["summary"] = words
    return document


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a/x=One"], ["b/x=One"], [("moved", "b/x", True)]),
        (["a/x=One"], ["b/x=Two"], [("added", "b/x", False), ("removed", "a/x", True)]),
        (["a/x=One"], ["a/x=Two"], [("reworded", "a/x", False)]),
        (["a/x=One", "a/y=One"], ["b/x=One"],
         [("added", "b/x", False), ("removed", "a/x", True), ("removed", "a/y", True)]),
        (["a/x=One", "a/y=Two"], ["a/y=Two", "a/x=One"], [("reordered", "a/x", False)]),
        (["a/x=One"], ["a/x=One", "a/y=One"], [("added", "a/y", False)]),
    ],
)  # fmt: skip
def test_models_are_told_apart_by_their_ids_and_followed_by_their_titles(old, new, expected, tmp_path):
    found = changes(tmp_path, named(*old), named(*new))
    assert [(change.kind, change.model, change.breaking) for change in found] == expected


@pytest.mark.parametrize(("module", "breaking"), [("a_x", False), ("b_x", True)])
def test_a_model_that_moved_breaks_if_its_module_has_another_name(module, breaking, tmp_path):
    config = tmp_path / "pyproject.toml"
    config.write_text(f'[tool.generator.modules]\n"b/x" = "{module}"\n', "utf-8")
    revisions = [write_revision(tmp_path / name, named(f"{name}/x=One")) for name in "ab"]
    [change] = compare(*(found_in(str(folder), config) for folder in revisions))
    assert (change.kind, change.old, change.new, change.breaking) == ("moved", "a/x", "b/x", breaking)


def test_a_stream_that_is_no_longer_described_is_told_and_breaks_nobody(tmp_path):
    old = named("a/x=One", "a/y=Two")
    new = copy.deepcopy(old)
    del new["paths"]["/generation/sse/a/x"]
    pages = navigation(*pages_of(["a/x", "a/y"]))
    write_revision(tmp_path / "old", old, pages)
    write_revision(tmp_path / "new", new, pages)
    for names, rule, text in (
        (("old", "new"), "operation-removed", "is no longer described: POST /generation/sse/a/x"),
        (("new", "old"), "operation-added", "is described now: POST /generation/sse/a/x"),
    ):
        [change] = compare(*(found_in(str(tmp_path / name), None) for name in names))
        assert (change.rule, change.path, change.text(), change.breaking) == (rule, "stream", text, False)
