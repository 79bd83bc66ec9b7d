"""Bad input: one error that names file and pointer, exit code 2, and the output as it was."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest

from generator.__main__ import main
from tests.support.children import finished
from tests.support.project import description, navigation

ROOT = Path(__file__).parents[2]
GOOD = {"type": "object", "properties": {"prompt": {"type": "string"}}}
BODY = "/paths/~1generation~1acme~1one/post/requestBody/content/application~1json/schema"


def tree(folder):
    """Take down every file of a folder with its bytes, time and inode."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "__pycache__")
    return {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


def error_of(project, capsys, *options):
    """Run on bad input after a good run, and give the one line of error."""
    before = tree(project.out)
    assert before
    capsys.readouterr()
    assert project.run("generate", *options) == 2
    out, err = capsys.readouterr()
    assert tree(project.out) == before
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if not line.startswith(("warning: ", "note: "))]
    [line] = lines
    return line


@pytest.fixture
def generated(project):
    project.write(description({"acme/old": GOOD}))
    assert project.run() == 0
    return project


TEXTS = {
    "empty": (b"", "is empty"),
    "page": (b"<!DOCTYPE html><html></html>", "is an HTML or XML page"),
    "cut": (b'{"openapi": "3.1.0", "paths"', "is not JSON"),
    "no utf-8": (b'{"openapi": "\xff"}', "is not JSON"),
    "utf-16": ('{"openapi": "3.1.0"}'.encode("utf-16"), "is not JSON"),
    "NaN": (b'{"openapi": "3.1.0", "paths": {}, "x": NaN}', "is not JSON: NaN is no JSON value"),
    "array": (b"[]", "holds no JSON object"),
    "too deep": (b'{"openapi": "3.1.0", "paths": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "deep": (b'{"openapi": "3.1.0", "paths": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
    "text": (b"Not Found\n", "holds no JSON object"),
    "bad yaml": (b"openapi: [3.1.0\n", "is neither JSON nor YAML"),
    "control characters": (b'{"\x1b[2J\nwarning: all is well": ', "is not JSON"),
    "long number": (b'{"openapi": "3.1.0", "paths": {}, "x": ' + b"9" * 5000 + b"}", "is not JSON"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_description_that_is_no_json_object_is_an_error(case, generated, capsys):
    data, message = TEXTS[case]
    generated.openapi.write_bytes(data)
    line = error_of(generated, capsys)
    assert line.startswith(f"error: {generated.openapi.as_posix()}: ")
    assert message in line


@pytest.mark.parametrize("case", ["empty", "cut", "no utf-8", "array", "too deep"])
def test_navigation_that_is_no_json_object_is_an_error(case, generated, capsys):
    data, message = TEXTS[case]
    generated.docs.write_bytes(data)
    line = error_of(generated, capsys)
    assert line.startswith(f"error: {generated.docs.as_posix()}: ")
    assert message in line


VERSIONS = {
    "none": {"paths": {}},
    "swagger": {"swagger": "2.0", "paths": {}},
    "2.0": {"openapi": "2.0", "paths": {}},
    "4.0": {"openapi": "4.0.0", "paths": {}},
    "number": {"openapi": 3.1, "paths": {}},
}


@pytest.mark.parametrize("case", VERSIONS)
def test_description_of_another_version_is_an_error(case, generated, capsys):
    generated.openapi.write_text(json.dumps(VERSIONS[case]), "utf-8")
    assert error_of(generated, capsys).startswith(f"error: {generated.openapi.as_posix()}#/openapi: ")


@pytest.mark.parametrize("paths", [None, [], "all"])
def test_description_without_paths_is_an_error(paths, generated, capsys):
    generated.openapi.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}), "utf-8")
    assert error_of(generated, capsys).startswith(f"error: {generated.openapi.as_posix()}#/paths: ")


@pytest.mark.parametrize("which", ["openapi", "docs"])
def test_file_that_is_missing_is_an_error(which, generated, capsys):
    getattr(generated, which).unlink()
    path = getattr(generated, which).as_posix()
    message = "cannot be read: No such file or directory; name another file"
    assert error_of(generated, capsys) == f"error: {path}: {message}"


@pytest.mark.parametrize("which", ["openapi", "docs"])
def test_folder_in_the_place_of_a_file_is_an_error(which, generated, capsys):
    path = getattr(generated, which)
    path.unlink()
    path.mkdir()
    assert error_of(generated, capsys).startswith(f"error: {path.as_posix()}: cannot be read: ")


NAVIGATIONS = [{}, {"navigation": None}, {"navigation": "Videos"}, {"navigation": {"groups": []}},
               {"navigation": {"groups": [{"group": "Images", "pages": ["POST /generation/acme/old"]}]}},
               {"navigation": {"groups": [{"group": ["Videos"], "pages": ["POST /generation/acme/old"]}]}}]  # fmt: skip


@pytest.mark.parametrize("docs", NAVIGATIONS)
def test_navigation_without_a_videos_group_is_an_error(docs, generated, capsys):
    generated.docs.write_text(json.dumps(docs), "utf-8")
    line = error_of(generated, capsys)
    assert line.startswith(f"error: {generated.docs.as_posix()}#/navigation: has no group named 'Videos'")


@pytest.mark.parametrize("pages", [[], ["quickstart"], ["POST /generation/acme/unknown"], [3, None, {}]])
def test_videos_group_without_a_model_is_an_error(pages, generated, capsys):
    generated.docs.write_text(json.dumps(navigation(*pages)), "utf-8")
    line = error_of(generated, capsys)
    assert line.startswith(f"error: {generated.docs.as_posix()}: no model is left of what it lists")


def test_without_navigation_and_tags_the_error_says_what_is_missing(generated, capsys):
    generated.docs.unlink()
    before = tree(generated.out)
    assert main(["generate", "--openapi", str(generated.openapi), "--out", str(generated.out)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"error: {generated.openapi.as_posix()}: there is no docs.json, and no operation has the tag"
    )
    assert tree(generated.out) == before


def prop(schema):
    return {"type": "object", "properties": {"a": schema}}


AT = f"{BODY}/properties/a"
SCHEMAS = {
    "no schema": (prop(3), AT, "is no schema"),
    "body is no schema": ("object", BODY, "is no schema"),
    "reference to nothing": (prop({"$ref": "#/components/schemas/None"}), f"{AT}/$ref", "leads to nothing"),
    "reference to a file": (prop({"$ref": "other.json#/a"}), f"{AT}/$ref", "leads out of the file"),
    "reference to the web": (prop({"$ref": "https://a.example/b.json"}), f"{AT}/$ref", "leads out of the file"),
    "reference to an anchor": (prop({"$ref": "#anchor"}), f"{AT}/$ref", "leads to nothing"),
    "reference to itself": (prop({"$ref": "#/components/schemas/Loop"}), f"{AT}/$ref", "leads back to itself"),
    "reference in allOf": (prop({"allOf": [{"$ref": "#/x"}]}), f"{AT}/allOf/0/$ref", "leads to nothing"),
    "reference with odd name": (prop({"$ref": "#/components/schemas/a~1b"}), f"{AT}/$ref", "leads to nothing"),
    "unknown type": (prop({"type": "strng"}), f"{AT}/type", "is no type of JSON Schema"),
    "type is a number": (prop({"type": 3}), f"{AT}/type", "is no type of JSON Schema"),
    "types of no name": (prop({"type": ["string", 3]}), f"{AT}/type", "is no type of JSON Schema"),
    "types of objects": (prop({"type": [{"a": 1}]}), f"{AT}/type", "is no type of JSON Schema"),
    "enum is no array": (prop({"enum": "a"}), f"{AT}/enum", "is no array"),
    "anyOf is no array": (prop({"anyOf": {"type": "string"}}), f"{AT}/anyOf", "is no array"),
    "allOf is a number": (prop({"allOf": 3}), f"{AT}/allOf", "is no array"),
    "allOf is an object": (prop({"allOf": {"type": "string"}}), f"{AT}/allOf", "is no array"),
    "allOf of no schema": (prop({"allOf": [3]}), f"{AT}/allOf/0", "is no schema"),
    "properties is an array": ({"type": "object", "properties": []}, f"{BODY}/properties", "is no object of schemas"),
    "required is an object": ({"type": "object", "required": {"a": 1}}, f"{BODY}/required", "is no array of names"),
    "required of numbers": ({"type": "object", "required": [1]}, f"{BODY}/required", "is no array of names"),
    "minimum is text": (prop({"type": "integer", "minimum": "1"}), f"{AT}/minimum", "is no number"),
    "maximum is true": (prop({"type": "integer", "maximum": True}), f"{AT}/maximum", "is no number"),
    "exclusiveMinimum is text": (prop({"type": "number", "exclusiveMinimum": "1"}), f"{AT}/exclusiveMinimum",
    "is no number"),
    "maxLength below 0": (prop({"type": "string", "maxLength": -1}), f"{AT}/maxLength", "is no count"),
    "minItems of a half": (prop({"type": "array", "minItems": 0.5}), f"{AT}/minItems", "is no count"),
    "items is an array": (prop({"type": "array", "items": [{"type": "string"}]}), f"{AT}/items", "is no schema"),
    "name with slash": ({"type": "object", "properties": {"a/b~c": 3}}, f"{BODY}/properties/a~1b~0c", "is no schema"),
    "too many alternatives": (
        {"allOf": [{"anyOf": [{"title": f"T{part}{option}", **prop({"const": f"{part}-{option}"})}
                              for option in range(11)]} for part in range(4)]},
        BODY, "has more than 1,000 alternatives",
    ),
}  # fmt: skip


def passed_over(project, capsys):
    """Run on input of which acme/one cannot be read, see the others made, and give the warning that says so."""
    assert project.run() == 0
    assert sorted(path.stem for path in project.out.glob("acme_*.py")) == ["acme_last", "acme_old"]
    [line] = [line for line in capsys.readouterr().err.splitlines() if "'POST /generation/acme/one' is" in line]
    assert line.startswith(f"warning: {project.docs.as_posix()}#/navigation/groups/0/pages/1: ")
    return line


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_model_whose_schema_is_none_is_passed_over_and_the_others_are_made(case, project, capsys):
    schema, pointer, message = SCHEMAS[case]
    components = {"Loop": {"$ref": "#/components/schemas/Back"}, "Back": {"$ref": "#/components/schemas/Loop"}}
    project.write(description({"acme/old": GOOD, "acme/one": schema, "acme/last": GOOD}, components))
    line = passed_over(project, capsys)
    assert f"passed over: {project.openapi.as_posix()}#{pointer}: " in line
    assert message in line


def test_a_path_that_refers_to_nothing_is_passed_over(project, capsys):
    openapi = description({"acme/old": GOOD, "acme/one": GOOD, "acme/last": GOOD})
    openapi["paths"]["/generation/acme/one"] = {"$ref": "#/components/pathItems/One"}
    openapi["paths"]["/generation/sse/acme/one"] = {"$ref": "#/components/pathItems/One"}
    openapi["paths"]["/other"] = {"$ref": "./other.json"}
    project.write(openapi, navigation(*(f"POST /generation/acme/{name}" for name in ("old", "one", "last"))))
    assert project.run() == 0
    err = capsys.readouterr().err
    assert f"warning: {project.openapi.as_posix()}#/paths/~1generation~1acme~1one: the path is passed over: " in err
    assert f"warning: {project.openapi.as_posix()}#/paths/~1other: the path is passed over: " in err
    assert sorted(path.stem for path in project.out.glob("acme_*.py")) == ["acme_last", "acme_old"]


def test_a_request_body_that_refers_to_nothing_is_passed_over(project, capsys):
    item = {"post": {"summary": "One", "requestBody": {"$ref": "#/components/requestBodies/One"}}}
    project.write(description({"acme/old": GOOD, "acme/one": item, "acme/last": GOOD}))
    line = passed_over(project, capsys)
    assert "/post/requestBody/$ref: the reference '#/components/requestBodies/One' leads to nothing" in line


def test_models_that_share_a_module_name_are_passed_over_and_the_others_are_made(project, capsys):
    names = ("acme/old", "acme/v1.5", "acme/last", "acme/v1-5")
    project.write(description(dict.fromkeys(names, GOOD)))
    assert project.run() == 0
    err = capsys.readouterr().err
    assert sorted(path.stem for path in project.out.glob("acme_*.py")) == ["acme_last", "acme_old"]
    for name, other in (("acme/v1.5", "acme/v1-5"), ("acme/v1-5", "acme/v1.5")):
        assert f"'POST /generation/{name}' is passed over: {other!r} has the module name 'acme_v1_5' too" in err
    assert "[tool.generator.modules], 'acme/v1.5' = \"module_name\"" in err


def test_nothing_is_left_of_models_that_all_are_bad(generated, capsys):
    generated.write(description({"acme/one": prop(3), "acme/two": prop({"type": "strng"})}))
    line = error_of(generated, capsys)
    assert "no model is left of what it lists" in line
    assert "A model is what POST /generation/<model> generates with" in line


ODD = {
    "post is null": {"post": None},
    "requestBody is text": {"post": {"summary": "One", "requestBody": "all"}},
    "content is an array": {"post": {"summary": "One", "requestBody": {"content": []}}},
    "media type is null": {"post": {"summary": "One", "requestBody": {"content": {"application/json": None}}}},
    "tags is text": {"post": {"summary": 3, "tags": "Videos", "description": [], "x-mint": 3}},
    "other media type": {"post": {"requestBody": {"content": {"text/plain": {"schema": GOOD}}}}},
}


@pytest.mark.parametrize("case", ODD)
def test_operation_of_odd_form_is_reported_and_the_others_are_made(case, project, capsys):
    openapi = description({"acme/old": GOOD})
    openapi["paths"] |= {"/generation/acme/one": ODD[case], "/generation/sse/acme/one": ODD[case]}
    project.write(openapi)
    assert project.run() == 0
    assert "'POST /generation/acme/one' is passed over" in capsys.readouterr().err
    assert (project.out / "acme_old.py").is_file()


@pytest.mark.parametrize(
    "schema", [{"type": "string"}, {"type": "array", "items": GOOD}, {"anyOf": [{"type": "integer"}]}, True]
)
def test_body_that_is_no_object_is_reported(schema, project, capsys):
    project.write(description({"acme/one": schema, "acme/old": GOOD}))
    assert project.run() == 0
    err = capsys.readouterr().err
    assert "'POST /generation/acme/one' is passed over" in err or f"openapi.json#{BODY}: 'acme/one'" in err
    assert not (project.out / "acme_one.py").exists()


def test_diagnostics_stay_on_their_lines(project, capsys):
    nasty = "a\nerror: all is well\x1b[2J\u202e"
    schema = {"type": "object", "properties": {nasty: {"type": "string", "pattern": "(\n\x1b["}}}
    project.write(
        description({"acme/one": schema}), navigation("POST /generation/acme/one", f"POST /generation/{nasty}")
    )
    project.run()
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 2
    assert all(line.startswith(("warning: ", "note: ")) for line in err.splitlines())
    assert "\x1b" not in err
    assert "\u202e" not in err


def test_name_that_stands_twice_in_an_object_is_reported(project, capsys):
    project.write(description({"acme/one": GOOD}))
    text = project.openapi.read_text("utf-8").replace('"info":', '"openapi": "3.1.0", "info":', 1)
    project.openapi.write_text(text, "utf-8")
    assert project.run() == 0
    assert "openapi stands twice in one object; the last one counts" in capsys.readouterr().err


def test_the_place_of_a_name_that_stands_twice_is_told(project, capsys):
    project.write(description({"acme/one": GOOD, "acme/two": GOOD}))
    text = project.openapi.read_text("utf-8")
    project.openapi.write_text(text.replace('{"prompt": ', '{"prompt": 1, "prompt": ', 1), "utf-8")
    assert project.run() == 0
    place = f"{project.openapi.as_posix()}#{BODY}/properties"
    assert f"warning: {place}: prompt stands twice in one object" in capsys.readouterr().err


def test_an_older_form_of_description_is_told(generated, capsys):
    generated.openapi.write_text('{"swagger": "2.0", "paths": {}}', "utf-8")
    assert "says \"swagger\": '2.0', which is an older form; convert it to OpenAPI 3" in error_of(generated, capsys)


def test_byte_order_mark_is_no_error(project):
    project.write(description({"acme/one": GOOD}))
    project.openapi.write_bytes(b"\xef\xbb\xbf" + project.openapi.read_bytes())
    assert project.run() == 0


def test_remarks_on_one_model_do_not_hide_those_on_another(project, capsys):
    bad = {"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}
    project.write(description({"acme/one": bad, "acme/two": bad}))
    assert project.run() == 0
    err = capsys.readouterr().err
    assert "acme~1one" in err
    assert "acme~1two" in err


COMMANDS = {
    "no json": (b"{", ": is not JSON: "),
    "no openapi": (b"{}", "#/openapi: says nothing of its version"),
    "no paths": (b'{"openapi": "3.1.0"}', "#/paths: is no object"),
}


@pytest.mark.parametrize("command", ["generate", "check", "list"])
@pytest.mark.parametrize("case", COMMANDS)
def test_the_command_ends_with_2_and_one_line(case, command, generated):
    data, message = COMMANDS[case]
    before = tree(generated.out)
    generated.openapi.write_bytes(data)
    options = [] if command == "list" else ["--out", str(generated.out)]
    inputs = ["--openapi", generated.openapi, "--docs", generated.docs]
    done = finished([sys.executable, "-m", "generator", command, *inputs, *options], cwd=ROOT)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {generated.openapi.as_posix()}")
    assert message in line
    assert tree(generated.out) == before


def test_a_description_of_one_model_takes_the_others_away_only_if_that_is_said(tmp_path):
    description_of_one = tmp_path / "one.json"
    openapi = description({"acme/one": GOOD})
    openapi["paths"]["/generation/acme/one"]["post"]["tags"] = ["Videos"]
    description_of_one.write_text(json.dumps(openapi), "utf-8")
    before = tree(ROOT / "generated" / "skills_video")
    done = finished([sys.executable, "-m", "generator", "generate", "--openapi", description_of_one], cwd=ROOT)
    assert done.returncode == 2
    assert "and 31 modules would go (" in done.stderr
    assert "or say --out generated/skills_video if that is meant" in done.stderr
    assert tree(ROOT / "generated" / "skills_video") == before


@pytest.mark.parametrize("arguments", [[], ["build"], ["generate", "--nonsense"], ["list", "--out", "x"]])
def test_wrong_usage_ends_with_2(arguments):
    done = finished([sys.executable, "-m", "generator", *arguments], cwd=ROOT)
    assert done.returncode == 2
    assert "usage: python -m generator" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_the_packages_of_the_generator_says_what_to_run():
    command = [sys.executable, "-S", "-m", "generator", "check"]
    done = finished(command, cwd=ROOT)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "make setup" in line


NO_PLACE = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--config", NO_PLACE],
        ["changes", NO_PLACE, "HEAD"],
        ["impact", NO_PLACE],
        ["fetch", "--into", NO_PLACE, "--openapi-url", "specs/openapi.json", "--docs-url", "specs/docs.json"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_that_no_file_can_have_is_told(arguments, capsys):
    assert main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {NO_PLACE}")
    assert "too long" in line


def test_a_folder_that_none_can_be_is_told(project, capsys):
    project.write(description({"acme/one": GOOD}))
    project.out = project.folder / NO_PLACE
    assert project.run() == 2
    assert f"error: {project.out}" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links on Windows")
@pytest.mark.parametrize("place", ["docs", "out", "impact"])
def test_a_link_that_leads_back_to_itself_is_told(place, generated, capsys):
    loop = generated.folder / "loop"
    loop.symlink_to("loop")
    capsys.readouterr()
    if place == "impact":
        assert main(["impact", str(loop), *[str(generated.folder)] * 2]) == 2
    else:
        setattr(generated, place, loop)
        assert generated.run() == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert f"{loop}: " in line


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links on Windows")
def test_a_page_that_leads_back_to_itself_is_passed_over(project, capsys):
    project.write(description({"acme/one": GOOD}), navigation("x", "POST /generation/acme/one"))
    (project.folder / "x.mdx").symlink_to("x.mdx")
    assert project.run() == 0
    assert "'x' is passed over: it is taken for prose" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_that_takes_nothing_is_told():
    done = finished(["sh", "-c", 'exec "$@" > /dev/full', "sh", sys.executable, "-m", "generator", "list"], cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, f"error: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}\n")
