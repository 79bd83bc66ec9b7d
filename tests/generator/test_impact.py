"""`python -m generator impact`: which lines of a user's code break, why, and what mends them."""

from __future__ import annotations

import copy
import json
import os
import re
import sys
from pathlib import Path

import pytest

from generator.__main__ import main
from tests.support.project import description
from tests.support.revisions import write_revision

CACHE = Path(__file__).parents[2] / ".mypy_cache" / f"impact-{os.environ.get('PYTEST_XDIST_WORKER', '')}"
"""Kept for the next run, and of this process alone; what is in it of the code has no path but those below `src`."""

PROMPT = {"prompt": {"type": "string"}}
ONE = {
    "type": "object",
    "properties": {
        **PROMPT,
        "image": {"type": "string", "format": "uri"},
        "resolution": {"enum": ["480p", "720p"]},
        "duration": {"type": "integer"},
        "shots": {
            "type": "array",
            "items": {"title": "Shot", "type": "object", "properties": {"text": {"type": "string"}}},
        },
    },
    "required": ["prompt"],
}
TWO = {"type": "object", "properties": {**PROMPT, "seed": {"type": "integer"}}}
MODELS = {"acme/one": ONE, "acme/two": TWO, "acme/gone": TWO, "acme/old": TWO}

APP = """\
from skills_video import Client, acme_one, acme_two as two


def make() -> None:
    payload = acme_one.Payload(
        prompt="x",
        image="https://a.example/x.png",
        resolution="480p",
        duration=5,
    )
    with Client() as client:
        client.generate(payload)
        client.generate(two.Payload(prompt="x"))
    print(payload.image)


def untyped(text):
    return acme_one.Payload(prompt=text, duration=10, shots=[acme_one.Shot(text="x")])
"""
MAKE = """\
from skills_video import acme_one


def make() -> acme_one.Payload:
    return acme_one.Payload(prompt="x")
"""
OTHERS = """\
import skills_video
import skills_video.acme_old as old
from skills_video import acme_gone
from skills_video.acme_two import Payload


first = skills_video.acme_two.Payload(prompt="x", seed=1)
second = Payload(prompt="y")
wrong: int = "was wrong before"
third = old.Payload()
"""


def updated():
    models = copy.deepcopy(MODELS)
    fields = models["acme/one"]["properties"]
    fields["image_url"] = fields.pop("image")
    fields["resolution"]["enum"].remove("480p")
    fields["duration"] = {"enum": ["5", "10"]}
    models["acme/two"]["properties"]["aspect_ratio"] = {"type": "string"}
    models["acme/two"]["required"] = ["aspect_ratio"]
    models["acme/new"] = models.pop("acme/old")
    del models["acme/gone"]
    return models


def titled(models):
    """Give operations with titles of their own, by which a model that has moved is known."""
    document = description(models)
    for path, item in document["paths"].items():
        name = path.rpartition("/")[2]
        item["post"]["summary"] = {"old": "Acme Old", "new": "Acme Old"}.get(name, f"Acme {name}")
    return document


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MYPY_CACHE_DIR", str(CACHE))
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "src" / "app"
    code.mkdir(parents=True)
    (code / "__init__.py").touch()
    (code / "make.py").write_text(APP, "utf-8")
    (code / "others.py").write_text(OTHERS, "utf-8")
    old = write_revision(tmp_path / "old", titled(MODELS))

    def impact(models, *options, path="src"):
        new = write_revision(tmp_path / "new", titled(models))
        code = main(["impact", path, str(old), str(new), *options])
        return code, *capsys.readouterr()

    return impact


def test_each_line_that_breaks_is_told_with_its_cause_and_its_edit(run):
    code, out, err = run(updated(), "--json")
    assert (code, err) == (1, "")
    rows = json.loads(out)
    causes = [row["change"] for row in rows]
    told = {
        (row["file"], row["line"], cause["model"], cause["rule"], cause["path"], row["edit"])
        for row, cause in zip(rows, causes, strict=True)
    }
    rename = "perhaps rename image to image_url, which is new and takes the same"
    make, others = "src/app/make.py", "src/app/others.py"
    assert told == {
        (make, 5, "acme/one", "request-field-removed", "image", rename),
        (make, 8, "acme/one", "request-value-tightened", "resolution", None),
        (make, 9, "acme/one", "request-type-tightened", "duration", None),
        (make, 13, "acme/two", "request-field-added", "aspect_ratio", None),
        (make, 14, "acme/one", "request-field-removed", "image", rename),
        (make, 18, "acme/one", "request-type-tightened", "duration", None),
        (others, 2, "acme/new", "model-moved", "", "rename acme_old to acme_new"),
        (others, 3, "acme/gone", "model-removed", "", None),
        (others, 7, "acme/two", "request-field-added", "aspect_ratio", None),
        (others, 8, "acme/two", "request-field-added", "aspect_ratio", None),
    }


def test_text_names_the_place_the_change_and_the_edit(run):
    models = copy.deepcopy(MODELS)
    fields = models["acme/one"]["properties"]
    fields["image_url"] = fields.pop("image")
    code, out, _ = run(models, path="src/app/make.py")
    assert code == 1
    assert (
        out
        == """\
src/app/make.py:5:15: Unexpected keyword argument "image" for "Payload"  [call-arg]
    acme/one: image: is gone (it was an address)  [request-field-removed]
    edit: perhaps rename image to image_url, which is new and takes the same
src/app/make.py:14:11: "Payload" has no attribute "image"  [attr-defined]
    acme/one: image: is gone (it was an address)  [request-field-removed]
    edit: perhaps rename image to image_url, which is new and takes the same
Broken by this update: 2 lines in 1 file.
"""
    )


def test_a_class_of_another_name_is_renamed(run):
    models = copy.deepcopy(MODELS)
    models["acme/one"]["properties"]["shots"]["items"]["title"] = "Scene"
    code, out, _ = run(models)
    assert code == 1
    assert "src/app/make.py:18:" in out
    assert "    acme/one: shots[]: is an object of the class Scene now, not Shot  [request-class-moved]\n" in out
    assert "    edit: rename Shot to Scene\n" in out


def test_no_line_breaks_by_what_takes_more_or_by_what_was_wrong_before(run):
    models = copy.deepcopy(MODELS)
    models["acme/one"]["properties"]["resolution"]["enum"].append("1080p")
    models["acme/two"]["properties"]["style"] = {"type": "string"}
    assert run(models) == (0, "Broken by this update: 0 lines in 0 files.\n", "")


def test_code_that_cannot_be_read_is_one_clear_error(run, tmp_path):
    (tmp_path / "src" / "app" / "bad.py").write_text("def (", "utf-8")
    code, out, err = run(MODELS)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: mypy cannot read the code: src/app/bad\.py:1: [^{}\n]*; correct it, or name .*\n", err)
    assert run(MODELS, path="nowhere")[0] == 2


@pytest.mark.parametrize(
    "line",
    [
        "type Text = str",
        "def same[T](x: T) -> T: ...",
        "try: ...\nexcept KeyError, TypeError: ...",
        f"x = 1{' + 1' * 3000}",
    ],
    ids=["type", "generic", "except", "deep"],
)
def test_code_that_this_python_cannot_read_is_told_with_its_cause(line, run, tmp_path):
    """mypy reads what is new in Python, and what is nested deeply, where the `ast` of an older one does not."""
    (tmp_path / "src" / "app" / "make.py").write_text(f"{APP}\n\n{line}\n", "utf-8")
    code, out, err = run(updated(), path="src/app/make.py")
    assert (code, err) == (1, "")
    assert 'make.py:5:15: Unexpected keyword argument "image" for "Payload"  [call-arg]\n    acme/one: image: ' in out


@pytest.mark.parametrize(
    ("folder", "path", "line"),
    [
        ("src", "src/app", "from app.make import make"),
        (".", "src/app", "from app.make import make"),
        (".", "src/app", "from .make import make"),
        (".", "src/app/uses.py", "from app.make import make"),
        ("src", "src/app/uses.py", "from .make import make"),
    ],
)
def test_a_package_is_read_by_its_own_name(folder, path, line, run, tmp_path, monkeypatch):
    (tmp_path / "src" / "app" / "make.py").write_text(MAKE, "utf-8")
    (tmp_path / "src" / "app" / "uses.py").write_text(f"{line}\nprint(make().image)\n", "utf-8")
    monkeypatch.chdir(tmp_path / folder)
    code, out, err = run(updated(), path=os.path.relpath(tmp_path / path))
    assert (code, err) == (1, "")
    assert 'uses.py:2:7: "Payload" has no attribute "image"' in out


def test_scripts_of_one_name_that_are_in_no_package_are_named(run, tmp_path):
    for name in ("01-text", "02-image"):
        (tmp_path / "scripts" / name).mkdir(parents=True)
        (tmp_path / "scripts" / name / "main.py").write_text("from skills_video import acme_one\n", "utf-8")
    code, out, err = run(MODELS, path="scripts")
    assert (code, out) == (2, "")
    said = 'scripts/02-image/main.py: Duplicate module named "main" (also at "scripts/01-text/main.py")'
    assert err == f"error: mypy cannot read the code: {said}; correct it, or name another part of it\n"
    assert run(MODELS, path="scripts/01-text")[0] == 0


def test_of_another_project_it_compares_the_descriptions_of_this_one(run, capsys):
    Path("src/app/make.py").write_text("seconds = 5\n", "utf-8")
    Path("src/app/others.py").unlink()
    code = main(["impact", "src", str(Path(__file__).parents[2] / "specs")])
    out, err = capsys.readouterr()
    assert (code, out, err) == (0, "Broken by this update: 0 lines in 0 files.\n", "")


def test_without_mypy_one_line_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "mypy", None)
    code, out, err = run(MODELS)
    assert (code, out) == (2, "")
    assert err == f"error: mypy is not installed for {sys.executable}; install it: `pip install mypy`\n"
