"""What is written: the same bytes everywhere, only what changed, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from generator.diagnostics import GeneratorError
from generator.output.files import formatted
from tests.support.children import finished
from tests.support.project import description, navigation, pages_of

ROOT = Path(__file__).parents[3]
BODY = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string", "minLength": 1},
        "ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "camera": {"type": "object", "properties": {"zoom": {"type": "number", "minimum": 1}}},
        "seed": {"type": ["integer", "null"]},
    },
    "required": ["prompt"],
}
PACKAGE = {"__init__.py", "__main__.py", "capabilities.py", "catalog.py", "py.typed", "API.md", "MANIFEST.json"}


def models(*names):
    return description(dict.fromkeys(names, BODY))


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def marks(folder):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def command(*arguments, cwd=ROOT, **environment):
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = finished([sys.executable, "-m", "generator", *arguments], cwd=cwd, env=given)
    assert done.returncode == 0, done.stderr
    return done


def test_four_hash_seeds_give_the_same_bytes(tmp_path):
    specs = ROOT / "specs"
    options = ("--openapi", specs / "openapi.json", "--docs", specs / "docs.json")
    made = []
    for seed in ("0", "1", "2", "4294967295"):
        command("generate", *options, "--out", tmp_path / seed, PYTHONHASHSEED=seed)
        made.append(contents(tmp_path / seed))
    assert len(made[0]) > 30
    assert made[1:] == made[:1] * 3


def test_generated_package_of_the_repository_is_what_its_inputs_make():
    assert command("check").stdout == ""


def test_relative_and_absolute_paths_give_the_same_bytes(project):
    project.write(models("acme/one", "acme/two"))
    (project.folder / "models").mkdir()
    (project.folder / "models" / "one.json").write_text(json.dumps(models("acme/one")), "utf-8")
    folder = project.folder
    command("generate", "--openapi", project.openapi, "--docs", project.docs, "--out", folder / "a")
    command("generate", "--openapi", "openapi.json", "--docs", "docs.json", "--out", "b", cwd=folder)
    command("generate", "--openapi", "./openapi.json", "--docs", "./docs.json", "--out", "c", cwd=folder)
    command(
        "generate", "--openapi", "../openapi.json", "--docs", "../docs.json", "--out", "../d", cwd=folder / "models"
    )
    command("generate", "--openapi", f"{folder}/models/../openapi.json", "--docs", project.docs, "--out", folder / "e")
    first = contents(folder / "a")
    for name in "bcde":
        assert contents(folder / name) == first, name


def test_inputs_in_another_folder_give_the_same_bytes(project):
    project.write(models("acme/one"))
    elsewhere = project.folder / "some where" / "else"
    elsewhere.mkdir(parents=True)
    shutil.copy(project.openapi, elsewhere)
    shutil.copy(project.docs, elsewhere)
    command("generate", "--openapi", project.openapi, "--docs", project.docs, "--out", project.folder / "a")
    command(
        "generate", "--openapi", elsewhere / "openapi.json", "--docs", elsewhere / "docs.json", "--out", elsewhere / "a"
    )
    assert contents(elsewhere / "a") == contents(project.folder / "a")


def test_a_second_run_writes_nothing(project, capsys):
    project.write(models("acme/one"))
    assert project.run() == 0
    before = marks(project.out)
    capsys.readouterr()
    assert project.run() == 0
    assert capsys.readouterr().out == "1 model; 0 files changed\n"
    assert marks(project.out) == before


def test_only_changed_files_are_written(project):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    before = marks(project.out)
    changed = json.loads(project.openapi.read_text("utf-8"))
    for path in ("/generation/acme/two", "/generation/sse/acme/two"):
        body = changed["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        body["properties"]["prompt"] = {"type": "string", "maxLength": 9}
    project.write(changed)
    assert project.run() == 0
    after = marks(project.out)
    assert {name for name in after if after[name] != before[name]} == {"acme_two.py", "API.md", "MANIFEST.json"}


def test_a_file_that_was_edited_is_written_again(project):
    project.write(models("acme/one"))
    assert project.run() == 0
    text = project.text("acme_one.py")
    (project.out / "acme_one.py").write_text(text + "x = 1\n", "utf-8")
    assert project.run() == 0
    assert project.text("acme_one.py") == text


def test_line_ends_that_were_changed_are_written_again(project):
    project.write(models("acme/one"))
    assert project.run() == 0
    data = (project.out / "acme_one.py").read_bytes()
    assert b"\r" not in data
    (project.out / "acme_one.py").write_bytes(data.replace(b"\n", b"\r\n"))
    assert project.run("check") == 1
    assert project.run() == 0
    assert (project.out / "acme_one.py").read_bytes() == data


def test_stale_generated_files_are_removed_and_no_others(project, capsys):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    (project.out / "mine.py").write_text("mine = 1\n", "utf-8")
    (project.out / "notes.txt").write_text("# Generated by `make generate`\n", "utf-8")
    (project.out / "own").mkdir()
    shutil.copy(project.out / "acme_two.py", project.out / "own")
    project.write(models("acme/one"))
    capsys.readouterr()
    assert project.run() == 0
    assert "  acme_two.py (removed)\n" in capsys.readouterr().out
    assert {path.name for path in project.out.iterdir()} == PACKAGE | {"acme_one.py", "mine.py", "notes.txt", "own"}
    assert [path.name for path in (project.out / "own").iterdir()] == ["acme_two.py"]


def test_a_file_of_ones_own_that_has_the_name_of_a_model_is_not_lost_without_notice(project, capsys):
    project.write(models("acme/one"))
    project.out.mkdir()
    (project.out / "acme_one.py").write_text("mine = 1\n", "utf-8")
    assert project.run("check") == 1
    assert "-mine = 1" in capsys.readouterr().out


def test_check_is_silent_where_all_is_fresh(project, capsys):
    project.write(models("acme/one"))
    assert project.run() == 0
    capsys.readouterr()
    assert project.run("check") == 0
    assert capsys.readouterr().out == ""


def test_check_shows_what_is_stale_and_writes_nothing(project, capsys):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    (project.out / "acme_one.py").write_text(project.text("acme_one.py").replace("MinLen(1)", "MinLen(2)"), "utf-8")
    before, bytes_before = marks(project.out), contents(project.out)
    capsys.readouterr()
    assert project.run("check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "--- a/acme_one.py"
    assert lines[1] == "+++ b/acme_one.py"
    assert lines[2].startswith("@@ ")
    assert "-    prompt: Annotated[str, MinLen(2)]" in lines
    assert "+    prompt: Annotated[str, MinLen(1)]" in lines
    assert (marks(project.out), contents(project.out)) == (before, bytes_before)


def test_check_shows_files_that_are_missing_and_files_that_are_left_over(project, capsys):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    (project.out / "acme_one.py").unlink()
    project.write(models("acme/one"))
    capsys.readouterr()
    assert project.run("check") == 1
    shown = capsys.readouterr().out
    assert "+class AcmeOne(ModelClient[Payload]):" in shown
    assert "-class AcmeTwo(ModelClient[Payload]):" in shown
    assert (project.out / "acme_two.py").exists()


def test_check_tells_an_edit_by_hand_from_an_input_that_changed(project, capsys):
    project.write(models("acme/one", "acme/two", "acme/three"))
    assert project.run() == 0
    (project.out / "acme_one.py").write_text(project.text("acme_one.py") + "x = 1\n", "utf-8")
    (project.out / "py.typed").unlink()
    changed = models("acme/one", "acme/two")
    for path in ("/generation/acme/two", "/generation/sse/acme/two"):
        changed["paths"][path]["post"]["summary"] = "Acme Two"
    project.write(changed)
    capsys.readouterr()
    assert project.run("check") == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line[0] not in " +-@"]
    assert lines == [
        "stale: API.md",
        "stale: MANIFEST.json",
        "stale: __init__.py",
        "edited by hand: acme_one.py",
        "left over: acme_three.py",
        "stale: acme_two.py",
        "stale: catalog.py",
        "missing: py.typed",
    ]


def test_check_names_a_manifest_that_was_edited_by_hand(project, capsys):
    project.write(models("acme/one"))
    assert project.run() == 0
    (project.out / "MANIFEST.json").write_text(project.text("MANIFEST.json").replace("acme/one", "acme/two"), "utf-8")
    capsys.readouterr()
    assert project.run("check") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "edited by hand: MANIFEST.json"
    assert project.run() == 0
    project.openapi.write_text(project.openapi.read_text("utf-8") + " ", "utf-8")
    assert project.run("check") == 0
    project.openapi.write_text(project.openapi.read_text("utf-8").replace('"Acme"', '"Acme Inc."'), "utf-8")
    capsys.readouterr()
    assert project.run("check") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "stale: MANIFEST.json"


@pytest.mark.parametrize("name", ["API.md", "catalog.py", "acme_one.py", "__init__.py"])
def test_check_names_each_generated_file_that_was_edited_by_hand(name, project, capsys):
    project.write(models("acme/one"))
    assert project.run() == 0
    (project.out / name).write_text(project.text(name) + "\n", "utf-8")
    capsys.readouterr()
    assert project.run("check") == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"edited by hand: {name}"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1, "modules": {"acme_one": 1}}', "[" * 100_000])
def test_check_does_without_a_manifest_that_can_be_read(text, project, capsys):
    project.write(models("acme/one"))
    assert project.run() == 0
    (project.out / "MANIFEST.json").write_text(text, "utf-8")
    (project.out / "acme_one.py").write_text("x = 1\n", "utf-8")
    capsys.readouterr()
    assert project.run("check") == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ["stale: MANIFEST.json", "stale: acme_one.py"]


@pytest.mark.parametrize("name", ["py.typed", "MANIFEST.json", "__main__.py"])
def test_check_notices_any_file_that_is_missing(name, project):
    project.write(models("acme/one"))
    assert project.run() == 0
    (project.out / name).unlink()
    assert project.run("check") == 1
    assert not (project.out / name).exists()


def test_check_before_the_first_run_makes_no_folder(project):
    project.write(models("acme/one"))
    assert project.run("check") == 1
    assert not project.out.exists()


def test_a_model_added_in_front_changes_its_module_and_the_three_lists(project):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    before, marked = contents(project.out), marks(project.out)
    project.write(models("aaa/new", "acme/one", "acme/two"), navigation(*pages_of(["aaa/new", "acme/one", "acme/two"])))
    assert project.run() == 0
    after = contents(project.out)
    assert {name for name in after if after[name] != before.get(name)} == {
        "aaa_new.py", "__init__.py", "catalog.py", "API.md", "MANIFEST.json",
    }  # fmt: skip
    assert {name for name in marked if marks(project.out)[name] != marked[name]} == {
        "__init__.py",
        "catalog.py",
        "API.md",
        "MANIFEST.json",
    }


def test_order_of_the_description_changes_no_module(project):
    project.write(models("acme/one", "acme/two"))
    assert project.run() == 0
    before = contents(project.out)
    docs = json.loads(project.docs.read_text("utf-8"))
    openapi = models("acme/two", "acme/one")
    project.write({key: openapi[key] for key in reversed(openapi)}, docs)
    assert project.run() == 0
    after = contents(project.out)
    assert {name for name in after if after[name] != before[name]} == {"MANIFEST.json"}


BLOCKED = ["MANIFEST.json", "__init__.py", "acme_one.py", "catalog.py", "py.typed"]


@pytest.mark.parametrize("name", BLOCKED)
def test_a_failure_while_writing_leaves_everything_as_it_was(name, project, capsys):
    project.write(models("acme/old"))
    assert project.run() == 0
    (project.out / name).unlink(missing_ok=True)
    (project.out / name).mkdir()
    (project.out / name / "kept.txt").write_text("kept", "utf-8")
    before, marked = contents(project.out), marks(project.out)
    project.write(models("acme/old", "acme/one"))
    capsys.readouterr()
    assert project.run() == 2
    out, err = capsys.readouterr()
    [line] = err.splitlines()
    assert line.startswith(f"error: {project.out.as_posix()}: cannot be written: ")
    assert "nothing was changed" in line
    assert out == ""
    assert contents(project.out) == before
    assert set(marks(project.out)) == set(marked)


def test_a_file_in_the_place_of_the_folder_is_an_error(project, capsys):
    project.write(models("acme/one"))
    project.out.write_text("kept", "utf-8")
    assert project.run() == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {project.out.as_posix()}: cannot be written: ")
    assert project.out.read_text("utf-8") == "kept"


def test_a_file_in_the_place_of_a_parent_folder_is_an_error(project, capsys):
    project.write(models("acme/one"))
    (project.folder / "parent").write_text("kept", "utf-8")
    project.out = project.folder / "parent" / "package"
    assert project.run() == 2
    assert "Traceback" not in capsys.readouterr().err


def test_no_temporary_file_is_left(project):
    project.write(models("acme/one"))
    assert project.run() == 0
    assert {path.name for path in project.out.iterdir()} == PACKAGE | {"acme_one.py"}


def test_missing_parents_of_the_folder_are_made(project):
    project.write(models("acme/one"))
    project.out = project.folder / "a" / "b" / "c"
    assert project.run() == 0
    assert (project.out / "acme_one.py").is_file()


def digest(path):
    """Give the digest of a document without blanks."""
    text = json.dumps(json.loads(path.read_bytes()), separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def test_manifest_names_digests_and_the_source_of_each_model(project):
    project.write(models("acme/one", "acme/two"))
    (project.folder / "models").mkdir()
    scoped = project.folder / "models" / "two.json"
    scoped.write_text(json.dumps(models("acme/two")), "utf-8")
    assert project.run() == 0
    manifest = json.loads(project.text("MANIFEST.json"))
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in project.out.iterdir()}
    del digests["MANIFEST.json"]
    assert manifest["modules"] == {
        "acme_one": {"model": "acme/one", "source": "openapi.json", "digest": digests.pop("acme_one.py")},
        "acme_two": {"model": "acme/two", "source": "models/two.json", "digest": digests.pop("acme_two.py")},
    }
    assert manifest["files"] == digests
    sources = {"openapi.json": project.openapi, "docs.json": project.docs, "models/two.json": scoped}
    assert manifest["inputs"] == {name: digest(path) for name, path in sources.items()}


def test_manifest_tells_two_inputs_of_one_name_apart(project):
    project.write(models("acme/one", "acme/two"))
    digests = set()
    options = []
    for folder, model in (("a", "acme/one"), ("b", "acme/two")):
        (project.folder / folder).mkdir()
        path = project.folder.parent / f"{project.folder.name}-{folder}" / "same.json"
        path.parent.mkdir()
        path.write_text(json.dumps(models(model)), "utf-8")
        digests.add(digest(path))
        options += ["--openapi", str(path)]
    assert project.run("generate", *options) == 0
    assert digests <= set(json.loads(project.text("MANIFEST.json"))["inputs"].values())


def test_modules_of_odd_unions_names_and_values_are_as_clean_as_the_repositorys(project):
    options = [
        {"enum": ["auto", None]},
        {"type": ["string", "null"]},
        {"const": None},
        {"type": "integer"},
        {"const": 5},
    ]
    properties = {
        "a": {"anyOf": options},
        **{name: {"type": "string"} for name in ("l", "aspectRatio", "UPPER", "_b")},
        **{name: {"type": "object", "properties": {"x": {"type": "string"}}} for name in ("q", "z")},
        "password": {"enum": ["/tmp/x", "0.0.0.0"], "default": "/tmp/x"},
    }
    plain = {"type": "object", "properties": properties, "required": ["a"]}
    told = {"type": "object", "properties": {"token": {"const": "x"}}, "required": ["token"]}
    project.write(description({"acme/one": {"anyOf": [plain, told]}}))
    assert project.run() == 0
    options = ["--ignore", "INP001", "--stdin-filename", ROOT / "generated" / "acme_one.py"]
    command = [sys.executable, "-m", "ruff", "check", *options, "-"]
    text = project.text("acme_one.py")
    done = finished(command, cwd=ROOT, input=text)
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")


def test_no_module_names_a_folder_or_a_version_of_a_tool(project):
    project.write(models("acme/one"))
    assert project.run() == 0
    for path in project.out.glob("*.py"):
        text = path.read_text("utf-8")
        assert str(project.folder) not in text
        assert "0.17" not in text
        assert text.startswith("# Generated by `make generate` from specs/openapi.json. Do not edit.\n")


def copied(folder):
    """Copy what a run needs, so that the repository's own files stay out of it."""
    folder.mkdir()
    for name in ("generator", "templates", "specs", "generated", "README.md", "pyproject.toml"):
        source = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / name, ignore=ignore) if source.is_dir() else shutil.copy(source, folder)
    return folder


def test_table_of_the_readme_is_written_with_the_repositorys_package_alone(tmp_path, project):
    root = copied(tmp_path / "copy")
    readme = (root / "README.md").read_text("utf-8")
    project.write(models("acme/one"))
    inputs = ("--openapi", project.openapi, "--docs", project.docs)
    command("generate", *inputs, "--out", project.out, cwd=root, PYTHONPATH=str(root))
    assert (root / "README.md").read_text("utf-8") == readme
    own = root / "generated" / "skills_video"
    command("generate", *inputs, "--out", own, cwd=root, PYTHONPATH=str(root))
    text = (root / "README.md").read_text("utf-8")
    assert "| Acme One (`acme/one`) | `acme_one` | `Payload` |" in text
    assert "kling" not in text.partition("models: begin")[2].partition("models: end")[0]
    before, _, rest = readme.partition("<!-- models: begin")
    assert text.startswith(before)
    assert text.endswith(rest.partition("<!-- models: end")[2])


def test_a_text_that_cannot_be_formatted_is_named():
    with pytest.raises(GeneratorError, match=r"ruff cannot format .*acme_one\.py:1:"):
        formatted({"acme_one.py": "a: \n"})
