"""The skill of agents: its commands do what it says, its tables are true, and it is found where agents look."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from skills_video.catalog import MODELS
from skills_video_runtime.agents import texts
from skills_video_runtime.classify import BY_CODE
from skills_video_runtime.cli import exits, main
from skills_video_runtime.generations.states import FINISHED, WORDS
from skills_video_runtime.sandbox import Sandbox
from tests.support.project import description

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "skills" / "skills-video"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TEXT = texts.text("skills_video")
PLATFORM = texts.text("skills_video", texts.PLATFORM)


def commands(module):
    shown = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", "").replace("MODULE", module)
    return [shlex.split(line) for line in shown.splitlines()]


def commands_in_sentences(generation_id):
    found = dict.fromkeys(" ".join(span.split()) for span in re.findall(r"`(skills-video\s[^`]+)`", TEXT))
    return [shlex.split(line.replace("ID", generation_id).replace("KEY", "fox-1")) for line in found]


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_its_commands_make_one_video_and_the_same_again_makes_none(tmp_path, monkeypatch):
    [payload] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "payload.json").write_text(payload, "utf-8")
    row = {"key": "row-1", "model": "kling_v2_6", "payload": {"prompt": "snow"}}
    (tmp_path / "jobs.jsonl").write_text(json.dumps(row), "utf-8")
    monkeypatch.chdir(tmp_path)
    asked = commands("google_veo_3_1")
    again = [command for command in asked if "--key" in command]
    assert (len(asked), len(again)) == (10, 1)
    assert {command[0] for command in asked} == {"skills-video"}
    with Sandbox(speed=200) as sandbox:
        monkeypatch.setenv("SKILLS_VIDEO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", sandbox.url)
        ended = {" ".join(command): main(MODELS, "skills_video", command[1:]) for command in [*asked, *again]}
        files = list((tmp_path / "videos").glob("*.mp4"))
        others = commands_in_sentences(sandbox.generations()[0].id)
        codes = {" ".join(command): main(MODELS, "skills_video", command[1:]) for command in others}
        made = sandbox.generations()
    assert len(codes) == 5
    assert [command for command, code in codes.items() if code] == [
        "skills-video recover --journal videos.db --forget fox-1"  # there is no unfinished record to drop
    ]
    assert {command: code for command, code in ended.items() if code} == {"skills-video explain-error --status 429": 24}
    assert [generation.input["prompt"] for generation in made] == [json.loads(payload)["prompt"], "snow"]
    assert len(files) == 1


def test_every_exit_code_has_a_row_that_says_what_to_do():
    codes = {code for row in rows(TEXT) for code in re.findall(r"\d+", row[0])}
    known = {exits.BAD_USAGE, exits.TIMED_OUT, exits.POLLING_REFUSED, exits.OTHER, *exits.BY_CATEGORY.values()}
    assert codes == {*map(str, known), "0", "130", "143"}


def test_states_and_errors_are_those_that_the_client_knows():
    told = {row[0].strip("`"): (set(re.findall(r"`(\w+)`", row[1])), row[-1]) for row in rows(PLATFORM)}
    for word, status in WORDS.items():
        also, is_finished = told[status.value]
        assert word in {status.value, *also} or word.lower() in also, word
        assert is_finished.startswith("yes") == (status in FINISHED)
    codes = set(re.findall(r"[A-Z]+(?:_[A-Z]+)*(?=`)", PLATFORM.replace("VIDEO_GENERATION_", "")))
    assert codes >= {code.rpartition("GENERATION_")[2] for code in BY_CODE}


def test_the_front_matter_is_what_agents_and_registries_read():
    _, front, body = TEXT.split("---", 2)
    told = yaml.safe_load(front)
    assert told["name"] == FOLDER.name
    assert len(told["description"]) <= 1024
    assert len(told["compatibility"]) <= 500
    assert told["metadata"]["openclaw"]["requires"]["env"] == ["SKILLS_VIDEO_API_KEY"]
    assert told["metadata"]["openclaw"]["primaryEnv"] == "SKILLS_VIDEO_API_KEY"
    assert len(body.splitlines()) <= 200


def test_each_model_has_a_reference_and_one_line_in_each_list():
    names = {path.stem for path in (FOLDER / "references").iterdir()}
    assert names == {"models", "platform", *(info.module for info in MODELS)}
    for info in MODELS:
        text = texts.text("skills_video", texts.reference_of(info.module))
        assert info.endpoint.model in text
        assert text.count("\n") <= 200
        for listing in (texts.text("skills_video", texts.MODELS), (ROOT / "llms.txt").read_text("utf-8")):
            assert sum(f"{info.module}.md)" in line for line in listing.splitlines()) == 1


def test_links_of_llms_txt_and_of_the_skill_lead_to_files():
    pages = [ROOT / "llms.txt", *FOLDER.rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))]
    assert len(links) > 2 * len(MODELS)
    assert [link for page, link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize(
    "name", [".claude-plugin/plugin.json", ".codex-plugin/plugin.json", ".cursor-plugin/plugin.json"]
)
def test_a_plugin_is_of_this_version_and_finds_the_skill(name):
    told = json.loads((ROOT / name).read_text("utf-8"))
    assert (told["name"], told["version"]) == (PROJECT["name"], PROJECT["version"])
    assert (ROOT / told.get("skills", "./skills/") / PROJECT["name"] / "SKILL.md").is_file()


def test_the_marketplace_offers_the_plugin_that_lies_beside_it():
    [plugin] = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text("utf-8"))["plugins"]
    assert (plugin["name"], plugin["source"]) == (PROJECT["name"], "./")


def test_a_package_without_a_skill_says_so(project, monkeypatch):
    project.write(description({"acme/one": {"type": "object", "properties": {"prompt": {"type": "string"}}}}))
    assert project.run() == 0
    monkeypatch.syspath_prepend(project.folder)
    with pytest.raises(FileNotFoundError, match="has no skill"):
        texts.text(project.name)
