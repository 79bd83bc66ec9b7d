"""Where nothing has changed, `generate` ends at once; any change of what the output rests on makes it do all again."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.children import finished
from tests.support.project import description, navigation, pages_of

ROOT = Path(__file__).parents[2]
BODY = {
    "type": "object",
    "properties": {"prompt": {"type": "string"}, "n": {"type": "integer", "maximum": 4}},
    "required": ["prompt"],
}
PAGES = [*pages_of(["acme/one"]), "POST /generation/acme/lost"]


class Copy:
    """A project of its own, with the generator of this one and one small model."""

    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "generated" / "skills_video"
        self.specs = folder / "specs"
        self.packages = folder / "packages"
        for name in ("generator", "templates"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "README.md", folder)
        (folder / "pyproject.toml").write_text("[tool.generator.modules]\n")
        self.packages.mkdir()
        self.specs.mkdir()
        self.describe("acme/one")
        (self.specs / "docs.json").write_text(json.dumps(navigation(*PAGES)))

    def describe(self, *models, file="openapi.json"):
        path = self.specs / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(description(dict.fromkeys(models, BODY))))

    def run(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(self.packages)}
        command = [sys.executable, "-X", "importtime", "-m", "generator", *arguments]
        done = finished(command, cwd=self.folder, env=environment)
        lines = done.stderr.splitlines(keepends=True)
        self.said = "".join(line for line in lines if not line.startswith("import time:"))
        self.printed = done.stdout
        self.did_all = any("jinja2" in line for line in lines)
        assert done.returncode == 0, self.said

    def replace(self, file, old, new):
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    copy = Copy(tmp_path_factory.mktemp("made"))
    copy.run("generate")
    return copy


@pytest.fixture
def copy(made, tmp_path):
    """Give the project after its first run, whose stamp names the paths of its files, and put it back afterwards."""
    saved = shutil.copytree(made.folder, tmp_path / "saved")
    first_run = vars(made).copy()
    yield made
    shutil.rmtree(made.folder)
    shutil.copytree(saved, made.folder)
    vars(made).update(first_run)


def test_a_second_run_does_nothing_and_says_the_same(copy):
    remarks = copy.said
    before = {path: path.stat().st_mtime_ns for path in copy.out.iterdir()}
    copy.run("generate")
    assert not copy.did_all
    assert "acme/lost" in remarks
    assert copy.said == remarks
    assert copy.printed == "1 model; 0 files changed\n"
    assert {path: path.stat().st_mtime_ns for path in copy.out.iterdir()} == before


def described_anew(copy):
    copy.replace("specs/openapi.json", '"maximum": 4', '"maximum": 5')


def listed_anew(copy):
    copy.replace("specs/docs.json", "/lost", "/gone")


def unlisted(copy):
    document = description({"acme/one": BODY})
    document["paths"]["/generation/acme/one"]["post"]["tags"] = ["Videos"]
    (copy.specs / "openapi.json").write_text(json.dumps(document))
    copy.run("generate")
    (copy.specs / "docs.json").unlink()


def a_scoped_description_more(copy):
    copy.describe("acme/lost", file="models/lost.json")


def configured(copy):
    copy.replace("pyproject.toml", "modules]\n", 'modules]\n"acme/one" = "acme_first"\n')


def a_template_edited(copy):
    copy.replace("templates/module.py.jinja", "Generates with", "Makes with")


def a_source_edited(copy):
    copy.replace("generator/output/classes.py", 'f"What {title} takes."', 'f"All {title} takes."')


def another_version_of_a_package(copy):
    (copy.packages / "ruff-99.0.dist-info").mkdir()


def a_module_edited(copy):
    copy.replace("generated/skills_video/acme_one.py", "Le(4)", "Le(5)")


def a_module_deleted(copy):
    (copy.out / "acme_one.py").unlink()


def an_empty_file_deleted(copy):
    (copy.out / "py.typed").unlink()


def the_manifest_edited(copy):
    copy.replace("generated/skills_video/MANIFEST.json", "acme/one", "acme/two")


def a_module_left_over(copy):
    shutil.copy(copy.out / "acme_one.py", copy.out / "acme_two.py")


def the_readme_edited(copy):
    copy.replace("README.md", "`acme_one`", "`acme_two`")


@pytest.mark.parametrize(
    "change",
    [
        described_anew,
        listed_anew,
        unlisted,
        a_scoped_description_more,
        configured,
        a_template_edited,
        a_source_edited,
        another_version_of_a_package,
        a_module_edited,
        a_module_deleted,
        an_empty_file_deleted,
        the_manifest_edited,
        a_module_left_over,
        the_readme_edited,
    ],
    ids=lambda change: change.__name__,
)
def test_a_change_makes_it_do_all_again(copy, change):
    change(copy)
    copy.run("generate")
    assert copy.did_all
    copy.run("generate")
    assert not copy.did_all
    (copy.folder / ".generate.stamp").unlink()
    copy.run("generate")
    assert copy.did_all
    assert copy.printed.endswith("; 0 files changed\n")


def test_references_are_written_and_removed_with_the_modules(copy):
    references = copy.folder / "skills" / "skills-video" / "references"
    mine, left, own = (references / f"{name}.md" for name in ("acme_one", "acme_two", "notes"))
    shutil.copy(mine, left)
    own.write_text("# My notes\n")
    copy.replace(mine.relative_to(copy.folder), "at most 4", "at most 5")
    digest = json.loads((copy.out / "MANIFEST.json").read_text("utf-8"))["inputs"]["openapi.json"]
    about = f"About openapi.json with the digest `{digest}`.\n\n| `acme/one` | all of it |\n"
    (copy.specs / "SOURCES.md").write_text(about)
    with pytest.raises(AssertionError):
        copy.run("check")
    assert [line.rpartition("/")[::2] for line in copy.printed.splitlines()[-2:]] == [
        ("edited by hand: skills/skills-video/references", "acme_one.md"),
        ("left over: skills/skills-video/references", "acme_two.md"),
    ]
    copy.run("generate")
    assert copy.did_all
    assert {path.name for path in references.iterdir()} == {"acme_one.md", "models.md", "notes.md", "platform.md"}
    assert "all of it" in mine.read_text("utf-8")


def test_other_options_make_it_do_all_again(copy):
    (copy.specs / "docs.json").write_text(json.dumps(navigation(*pages_of(["acme/one"]))))
    copy.run("generate")
    copy.run("generate", "--strict")
    assert copy.did_all
    copy.run("generate", "--strict")
    assert not copy.did_all


def test_a_run_that_is_told_of_files_or_meets_a_pipe_does_all_each_time(copy):
    told = ("--openapi", "specs/openapi.json", "--docs", "specs/docs.json", "--out", "generated/skills_video")
    copy.run("generate", *told)
    copy.run("generate", *told)
    assert copy.did_all
    os.mkfifo(copy.specs / "pipe")
    copy.run("generate")
    copy.run("generate")
    assert copy.did_all


def test_a_run_that_warned_fails_again_with_strict(copy):
    for _ in range(2):
        with pytest.raises(AssertionError, match="--strict allows none"):
            copy.run("generate", "--strict")
        assert copy.did_all


def test_a_stamp_that_is_cut_off_is_not_believed(copy):
    stamp = copy.folder / ".generate.stamp"
    lines = stamp.read_text("utf-8").splitlines(keepends=True)
    stamp.write_text("".join(lines[:2])[:-1], "utf-8")
    copy.run("generate")
    assert copy.did_all


def test_a_description_from_a_pipe_is_read_once_and_never_taken_for_the_last_one(copy):
    for model in ("acme/one", "acme/lost"):
        read, write = os.pipe()
        with os.fdopen(write, "w") as file:
            file.write(json.dumps(description({model: BODY})))
        os.dup2(read, 250)  # which no other thread is about to open
        os.close(read)
        options = ("--openapi", "/dev/fd/250", "--docs", "specs/docs.json", "--out", "generated/skills_video")
        command = [sys.executable, "-m", "generator", "generate", *options]
        done = finished(command, cwd=copy.folder, pass_fds=[250])
        os.close(250)
        assert done.returncode == 0, done.stderr
    assert (copy.out / "acme_lost.py").is_file()


def test_without_a_place_for_the_stamp_every_run_does_all(copy):
    stamp = copy.folder / ".generate.stamp"
    stamp.unlink()
    stamp.mkdir()
    for _ in range(2):
        copy.run("generate")
        assert copy.did_all
    assert [path.name for path in copy.folder.glob(".generate.stamp*")] == [".generate.stamp"]
