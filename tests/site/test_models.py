"""What the pages of models tell is what the library does, whatever a description says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import skills_video
from docs.site import browser, comparison, feed, form, history, models, shown
from docs.site.history import Age, Event, History
from docs.site.writing import cell
from generator.output.classes import module_of
from generator.output.pages import page_of
from skills_video import catalog
from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished
from tests.support.project import description, navigation, operation
from tests.support.revisions import revision

NOTHING = History((), "Nothing is known.")


@pytest.fixture(scope="module")
def told():
    return [models.model_of(page, NOTHING) for page in models.read_pages()]


def blocks(text, language):
    return re.findall(rf"^`{{3,}}{language}\n(.*?)\n^`{{3,}}$", text, re.DOTALL | re.MULTILINE)


def test_each_model_has_a_page_with_each_variant_and_each_field(told):
    assert [model.page.model for model in told] == [info.endpoint.model for info in catalog.MODELS]
    for model in told:
        text = models.markdown(model)
        assert text.startswith("# ")
        for variant in model.page.variants:
            assert f"\n## {variant.name}\n" in text
            for field in variant.fields:
                assert f"\n| `{field.wire}`" in text


def test_every_example_makes_a_video_in_the_sandbox(told, tmp_path, monkeypatch):
    """Each runs as a program of its own, but in threads of this process."""
    programs = [program for model in told for program in blocks(models.markdown(model), "python")]
    assert len(programs) == sum(len(info.variants) for info in catalog.MODELS)
    monkeypatch.chdir(tmp_path)
    with Sandbox(speed=1000) as sandbox, ThreadPoolExecutor(8) as pool:
        monkeypatch.setenv("SKILLS_VIDEO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", sandbox.url)
        list(pool.map(lambda program: exec(compile(program, "page", "exec"), {}), programs))
        assert sandbox.made() == len(programs)
    assert len(list((tmp_path / "out").iterdir())) == len(programs)


def test_every_command_row_and_tool_call_is_the_payload_that_is_shown(told, tmp_path):
    rows = []
    for model in told:
        for payload in model.payloads.values():
            texts = shown.texts_of(payload)
            assert texts["Command line"].startswith(f"skills-video run {model.page.module} ")
            assert "--payload" not in texts["Command line"]
            asked = json.loads(texts["Tool call"])
            assert skills_video.call(asked["name"], asked["arguments"]).payload == payload
            rows.append(texts["JSONL row"].replace("row-1", f"row-{len(rows)}", 1))
    payloads = [payload for model in told for payload in model.payloads.values()]
    (tmp_path / "jobs.jsonl").write_text("\n".join(rows), "utf-8")
    assert [row.payload for row in catalog.read_rows(tmp_path / "jobs.jsonl")] == payloads


@pytest.mark.skipif(os.name == "nt", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize("way", ["Command line", "curl"])
def test_a_command_makes_the_video_that_is_shown(way, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    typed = {"prompt": 'it\'s a "cat" & $HOME\n@ dawn', "duration": "10", "image_url": f"@{tmp_path / 'cat.png'}"}
    typed["negative_prompt"] = "@@home; <b>"
    texts = json.loads(form.check("kling_v2_6", "TextImageToVideo", json.dumps(typed)))["texts"]
    command = texts[way].replace("skills-video", shlex.join([sys.executable, "-m", "skills_video"]), 1)
    with Sandbox(speed=200) as sandbox:
        given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
        done = finished(["sh", "-c", command], cwd=tmp_path, env={"PATH": os.environ["PATH"], **given})
        assert done.returncode == 0, done.stderr
        [made] = sandbox.generations()
    assert made.input["prompt"] == typed["prompt"]
    assert str(made.input["duration"]) == "10"
    assert made.input["negative_prompt"] == "@home; <b>"


def test_the_form_tells_all_mistakes_at_once_with_the_nearest_values():
    typed = {"prompt": "rain", "duration": "7", "image_url": "cat", "aspect_ratio": "16:10"}
    answer = json.loads(form.check("kling_v2_6", "TextImageToVideo", json.dumps(typed)))
    assert {item["field"]: item["nearest"] for item in answer["mistakes"]} == {
        "image_url": None, "aspect_ratio": "1:1", "duration": "5",
    }  # fmt: skip
    assert "@cat.png" in answer["mistakes"][0]["text"]


@pytest.mark.parametrize(
    ("text", "told"), [("{", "no JSON"), ("[1]", "a JSON object is needed"), ('{"prompt": 1}', None)]
)
def test_what_is_typed_for_other_fields_is_checked(text, told):
    typed = json.dumps({"prompt": "rain", "": text})
    mistakes = json.loads(form.check("kling_v2_6", "TextImageToVideo", typed))["mistakes"]
    assert bool(mistakes) == (told is not None)
    assert told is None or told in mistakes[0]["text"]


def test_models_that_lose_a_file_or_the_prompt_cannot_do_it():
    typed = json.dumps({"prompt": "rain", "image_url": "https://a.test/cat.png", "duration": "10"})
    found = json.loads(form.others("kling_v2_6", "TextImageToVideo", typed))
    assert {"openai_sora_2", "kling_v3_video"} <= {item["module"] for item in found}
    assert "kling_v2_5_turbo" not in {item["module"] for item in found}
    [sora] = (item for item in found if item["module"] == "openai_sora_2")
    assert sora["lost"] == ["duration: 10 becomes 8"]


def test_the_data_of_a_model_is_json_with_all_that_its_page_tells(told):
    for model in told:
        data = json.loads(models.as_json(model))
        assert set(data["schemas"]) == {form.name for form in model.page.variants}
        assert data["model"] == model.page.model


def test_the_table_has_a_row_for_each_model_and_the_filters_what_the_catalog_tells(told):
    pages = [model.page for model in told]
    rows = [line for line in comparison.markdown(pages).splitlines() if line.startswith("| [")]
    data = json.loads(comparison.as_script(pages).partition(" = ")[2].rstrip(";\n"))
    assert len(rows) == len(data) == len(catalog.MODELS)
    for info, row in zip(catalog.MODELS, data, strict=True):
        assert (row["module"], tuple(row["seconds"]), row["sound"]) == (info.module, info.durations, info.makes_sound)


def test_a_package_that_is_not_the_pinned_one_is_not_unpacked(tmp_path):
    archive = tmp_path / "pyodide-314.0.7.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(browser.UnavailableError, match="its digest differs"):
        browser.unpack(browser.PYODIDE, tmp_path, tmp_path / "out")
    assert not archive.exists()
    assert not (tmp_path / "out").exists()


# A description is hostile until proven otherwise.

HOSTILE = {
    "html": '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "link": "[click](javascript:alert(1)) ![](https://evil.test/x.png) <https://evil.test>",
    "fence": "```\n\n```{raw} html\n<script>alert(1)</script>\n```",
    "directive": ":::{include} /etc/passwd\n:::\n{math}`x` {download}`/etc/passwd`",
    "cells": "a | b | c\n|---|\n| d |",
    "heading": "# Heading\n\nTitle\n=====",
    "target": "(place)=\n% hidden\n+++ \n---",
    "list": "1. one\n- two\n* three\n> four",
    "template": "{{ 7*7 }} {% raw %} ${x} $x$ $$y$$",
    "letters": "\u202e\u2066nimda\u2069 \ud800 \x1b[2J \x00",
    "reference": "[^1] [ref][ref] \n\n[ref]: https://evil.test",
}


def hostile_models(folder):
    """Give a model for each text, which stands wherever a description has one."""
    schemas = {}
    for name, text in HOSTILE.items():
        inner = {"type": "object", "description": text, "properties": {"x": {"type": "string", "description": text}}}
        schemas[f"acme/{name}"] = operation(
            {
                "type": "object",
                "description": text,
                "properties": {
                    "prompt": {"type": "string", "description": text, "default": text},
                    "kind": {"type": "string", "enum": [text, "other"], "description": text},
                    "always": {"const": text},
                    text: {"type": "string", "description": text},
                    "inner": inner,
                },
                "required": ["kind", "always"],
            },
            summary=text,
            description=text,
        )
    found = revision(folder, description(schemas))
    assert len(found.selection.models) == len(HOSTILE)
    for model in found.selection.models:
        text = HOSTILE[model.model.partition("/")[2]]
        event = Event(model.model, text, text, text, cell(text), "changed", "breaks", text, text)
        ages = History((Age("0" * 40, "2026-01-01T00:00:00+00:00", (event,)),), "The end.")
        yield models.Model(page_of(module_of(model), text), {}, {}, {}, ages)


def test_hostile_texts_are_text_on_the_built_page(tmp_path):
    for name in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(name, reason=f"{name} is not installed; `make site` does that")
    source = tmp_path / "source"
    (source / "models").mkdir(parents=True)
    told = list(hostile_models(tmp_path / "specs"))
    names = [model.page.module for model in told]
    tree = "\n".join(["# Index", "", "```{toctree}", *(f"models/{name}" for name in ("index", *names)), "```", ""])
    (source / "index.md").write_text(tree, "utf-8")
    texts = {name: models.markdown(model) for name, model in zip(names, told, strict=True)}
    texts["index"] = comparison.markdown([model.page for model in told])
    for name, text in texts.items():
        alone = re.sub(r"\]\(\.\./.*?\)|\]\(\w+\.json\)", "](https://here.test)", text)
        (source / "models" / f"{name}.md").write_text(alone, "utf-8", errors="backslashreplace")
    site = Path(models.__file__).parent
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "-c", site, source, tmp_path / "html"]
    done = finished(command, seconds=120)
    assert done.returncode == 0, done.stderr
    for name in (*names, "index"):
        page = (tmp_path / "html" / "models" / f"{name}.html").read_text("utf-8")
        article = page.partition("<article")[2].partition("</article>")[0]
        kinds = set(re.findall(r"<([a-zA-Z][\w-]*)", article))
        assert not kinds & {"script", "img", "iframe", "object", "math", "svg", "form", "input", "style"}, name
        assert not re.search(r"<[^>]*\son\w+=", article), name
        assert "evil.test" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', article)), name
        assert not re.search(r"(?:href|src)=\"\s*javascript:", article), name
        assert "root:" not in article
        assert "mathjax" not in page.lower()
        rows = [row.count("<td") for row in re.findall(r"<tr.*?</tr>", article, re.DOTALL) if "<td" in row]
        assert set(rows) <= {3, 7, 8}, name
        if name != "index":
            titles = re.findall(r"<h2>(.*?)<", article)
            assert titles[0] == "Try it"
            assert titles[-3:] == ["Answers and errors", "Other models for the same payload", "History"], name


def test_hostile_texts_are_text_in_the_feed(tmp_path):
    told = list(hostile_models(tmp_path / "specs"))
    for model in told:
        read = ET.fromstring(feed.atom(model.history, [model.page]))
        [content] = read.iter(f"{{{feed.ATOM}}}content")
        assert (content.get("type"), len(content)) == ("text", 0)


# The history is what git has.


def git(folder, *arguments, day=1):
    date = f"2026-03-{day:02}T12:00:00+00:00"
    own = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(folder)}
    names = {f"GIT_{who}_{what}": "a@b.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=folder, env={**os.environ, **own, **names}, check=True, capture_output=True)


def acme(**fields):
    properties = {"prompt": {"type": "string"}, **fields}
    return description({"acme/one": {"type": "object", "properties": properties, "required": ["prompt"]}})


AGES = [
    acme(),
    acme(seconds={"enum": [5, 10]}),
    acme(seconds={"enum": [5, 10]}),  # nothing but what lies beside
    acme(seconds={"enum": [5]}, seed={"type": "integer"}),
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    (folder / "specs").mkdir()
    (folder / "specs" / "docs.json").write_text(json.dumps(navigation("POST /generation/acme/one")), "utf-8")
    (folder / "pyproject.toml").write_text("", "utf-8")
    git(folder, "init", "-q")
    for day, age in enumerate(AGES, 1):
        (folder / "specs" / "openapi.json").write_text(json.dumps(age), "utf-8")
        (folder / "specs" / "notes.md").write_text(str(day), "utf-8")
        git(folder, "add", "specs", "pyproject.toml")
        git(folder, "commit", "-q", "-m", f"age {day}", day=day)
    return folder


@pytest.fixture
def in_repository(repository, monkeypatch):
    monkeypatch.setattr(history, "ROOT", repository)
    monkeypatch.setattr("generator.changes.revisions.ROOT", repository)
    return repository


def test_each_change_of_a_field_is_told_with_its_day_and_how_it_stood(in_repository, tmp_path):
    told = history.read(tmp_path)
    assert [age.day for age in told.ages] == ["2026-03-01", "2026-03-02", "2026-03-04"]
    last, events = told.of("acme/one")[0]
    assert last.day == "2026-03-04"
    [tightened] = (event for event in events if event.kind == "tightened")
    assert (tightened.path, tightened.verdict) == ("seconds", "breaks")
    assert "Literal[5, 10]" in tightened.before
    assert "Literal[5]" in tightened.after
    since = {json.loads(name)[1]: age.day for name, age in told.since.items()}
    assert since == {"prompt": "2026-03-01", "seconds": "2026-03-02", "seed": "2026-03-04"}


def test_the_history_is_the_same_from_what_was_kept_and_anew(in_repository, tmp_path):
    first = history.read(tmp_path / "one")
    assert history.read(tmp_path / "one") == first == history.read(tmp_path / "two")


def test_the_page_and_the_feed_tell_the_history(in_repository, tmp_path):
    ages = history.read(tmp_path / "cache")
    found = revision(tmp_path / "specs", AGES[-1])
    page = page_of(module_of(found.selection.models[0]))
    text = models.markdown(models.Model(page, {}, {}, {}, ages))
    assert "\n### 2026-03-04, commit " in text
    assert "\n  - seconds: " in text
    assert re.search(r"^\| `seed` \|.*\| 2026-03-04 \|", text, re.MULTILINE)
    assert re.search(r"^\| `prompt` \|.*\| first age \|", text, re.MULTILINE)
    entries = ET.fromstring(feed.atom(ages, [page])).findall(f"{{{feed.ATOM}}}entry")
    titles = [entry.findtext(f"{{{feed.ATOM}}}title") for entry in entries]
    assert titles == ["2 changes, 1 of them breaking", "1 change", "first age: 1 model"]
    assert "BREAKS acme_one seconds" in entries[0].findtext(f"{{{feed.ATOM}}}content")
    assert len({entry.findtext(f"{{{feed.ATOM}}}id") for entry in entries}) == 3


def test_where_there_is_no_git_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "ROOT", tmp_path)
    told = history.read(tmp_path / "cache")
    assert told.ages == ()
    assert "without the git repository" in told.remark


def test_of_a_shallow_clone_the_page_says_so(repository, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(clone))
    monkeypatch.setattr(history, "ROOT", clone)
    monkeypatch.setattr("generator.changes.revisions.ROOT", clone)
    told = history.read(tmp_path / "cache")
    assert len(told.ages) == 1
    assert "shallow clone" in told.remark
