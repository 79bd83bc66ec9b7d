"""Overrides: what pyproject.toml says of a description that is wrong."""

from __future__ import annotations

import json

import pytest

from tests.support.project import description, navigation, operation, pages_of

PROMPT = "/paths/~1generation~1acme~1one/post/requestBody/content/application~1json/schema/properties/prompt"
BODY = {"type": "object", "properties": {"prompt": {"type": "string", "maxLength": 9}, "mode": {"enum": ["a", "b"]}}}


@pytest.fixture
def overridden(project):
    """A project whose settings are given as TOML below `[tool.generator.overrides]`."""
    config = project.folder / "pyproject.toml"

    def run(toml, *options, command="generate"):
        config.write_text(f"[tool.generator.overrides]\n{toml}\n", "utf-8")
        return project.run(command, "--config", str(config), *options)

    project.overridden = run
    project.write(description({"acme/one": BODY}))
    return project


def entry(pointer, text):
    return f'"{pointer}" = {{ {text} }}'


def test_a_value_is_replaced_before_anything_reads_it(overridden):
    assert overridden.overridden(entry(f"{PROMPT}/maxLength", 'value = 5, reason = "measured"'), "--strict") == 0
    assert "prompt: Annotated[str, MaxLen(5)]" in overridden.text("acme_one.py")


def test_a_version_that_is_wrong_can_be_corrected(overridden):
    overridden.write({**description({"acme/one": BODY}), "openapi": "3,1"})
    assert overridden.overridden(entry("/openapi", 'value = "3.1.0", reason = "a comma"')) == 0


def test_a_value_is_removed(overridden):
    assert overridden.overridden(entry(f"{PROMPT}/maxLength", 'remove = true, reason = "measured"'), "--strict") == 0
    assert "prompt: str | Unset" in overridden.text("acme_one.py")


def test_an_item_of_an_array_is_replaced(overridden):
    pointer = PROMPT.replace("prompt", "mode/enum/1")
    assert overridden.overridden(entry(pointer, 'value = "c", reason = "measured"'), "--strict") == 0
    assert 'mode: Literal["a", "c"]' in overridden.text("acme_one.py")


def test_what_is_missing_is_added_and_noted(overridden, capsys):
    assert overridden.overridden(entry(f"{PROMPT}/minLength", 'value = 2, reason = "measured"'), "--strict") == 0
    assert "prompt: Annotated[str, MinLen(2), MaxLen(9)]" in overridden.text("acme_one.py")
    assert "adds what the description does not say (measured)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pointer", "text", "words"),
    [
        (PROMPT.replace("prompt", "gone/maxLength"), "value = 5", "no longer applies: the description has no such"),
        (PROMPT.replace("prompt", "mode/enum/2"), 'value = "c"', "no longer applies: the description has no such"),
        (f"{PROMPT}/minLength", "remove = true", "no longer applies: what it removes is not there"),
        (f"{PROMPT}/maxLength", "value = 9", "is no longer needed: the description says the same"),
        ("models/two.json#/paths", "value = {}", "no longer applies: there is no input 'models/two.json'"),
    ],
)
def test_one_that_has_become_idle_is_reported_by_name(pointer, text, words, overridden, capsys):
    toml = entry(pointer, f'{text}, reason = "measured"')
    assert overridden.overridden(toml) == 0
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert line.startswith(f"warning: pyproject.toml#/tool/generator/overrides: {pointer!r} {words}")
    assert line.endswith("remove it (measured)")
    assert overridden.overridden(toml, "--strict") == 1


def test_a_boolean_is_not_the_number_it_looks_like(overridden):
    overridden.write(description({"acme/one": {"type": "object", "properties": {"prompt": {"enum": [1, True]}}}}))
    assert overridden.overridden(entry(f"{PROMPT}/enum/0", 'value = true, reason = "measured"'), "--strict") == 0
    assert "prompt: Literal[True] | Unset" in overridden.text("acme_one.py")


def test_other_inputs_are_named_before_the_pointer(overridden):
    (overridden.folder / "models").mkdir()
    scoped = overridden.folder / "models" / "two.json"
    scoped.write_text(json.dumps(description({"acme/two": BODY})), "utf-8")
    overridden.write(description({"acme/one": BODY}), navigation(*pages_of(["acme/one", "acme/two", "acme/three"])))
    pointer = f"models/two.json#{PROMPT.replace('one', 'two')}/maxLength"
    page = "docs.json#/navigation/groups/0/pages/2"
    toml = entry(pointer, 'value = 5, reason = "x"') + "\n" + entry(page, 'remove = true, reason = "x"')
    assert overridden.overridden(toml, "--strict") == 0
    assert "MaxLen(9)" in overridden.text("acme_one.py")
    assert "MaxLen(5)" in overridden.text("acme_two.py")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (entry(PROMPT, "value = 5"), "has no reason"),
        (entry(PROMPT, 'value = 5, reason = " "'), "has no reason"),
        (entry(PROMPT, "value = 5, reason = 5"), "has no reason"),
        (entry(PROMPT, 'reason = "x"'), "neither or both"),
        (entry(PROMPT, 'value = 5, remove = true, reason = "x"'), "neither or both"),
        (entry(PROMPT, 'remove = false, reason = "x"'), "neither or both"),
        (entry(PROMPT, 'value = 5, raeson = "x", reason = "x"'), "says raeson"),
        (entry(PROMPT, 'value = nan, reason = "x"'), "a value that is not JSON"),
        (entry(PROMPT, 'value = [{a = 2020-01-01}], reason = "x"'), "a value that is not JSON"),
        (entry("paths", 'value = 5, reason = "x"'), "is no JSON pointer"),
        (entry("", 'value = 5, reason = "x"'), "is no JSON pointer"),
        (entry("/a~2", 'value = 5, reason = "x"'), "is no JSON pointer"),
        (entry("#/a", 'value = 5, reason = "x"'), "is no JSON pointer"),
        (f'"{PROMPT}" = 5', "is no table"),
    ],
)
def test_one_in_a_wrong_form_stops_the_run(toml, words, overridden, capsys):
    assert overridden.overridden(toml) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "[tool.generator.overrides]" in line
    assert words in line
    assert not overridden.out.exists()


def test_the_manifest_changes_with_the_overrides(overridden):
    assert overridden.overridden("") == 0
    without = json.loads(overridden.text("MANIFEST.json"))["inputs"]
    assert overridden.overridden(entry(f"{PROMPT}/maxLength", 'value = 5, reason = "x"')) == 0
    five = json.loads(overridden.text("MANIFEST.json"))["inputs"]
    assert overridden.overridden(entry(f"{PROMPT}/maxLength", 'value = 6, reason = "x"')) == 0
    six = json.loads(overridden.text("MANIFEST.json"))["inputs"]
    assert set(five) - set(without) == {"pyproject.toml#/tool/generator"}
    assert five != six
    assert {name: six[name] for name in without} == without


def test_of_what_an_alias_repeats_one_place_is_corrected(overridden):
    document = description({"acme/one": BODY})
    fields = {"prompt": "FIRST", "other": "SECOND"}
    document["paths"] = {"/generation/acme/one": operation({"type": "object", "properties": fields})}
    text = json.dumps(document).replace('"FIRST"', "&one {type: string, maxLength: 9}").replace('"SECOND"', "*one")
    overridden.openapi.write_text(f"# YAML\n{text}", "utf-8")
    assert overridden.overridden(entry(f"{PROMPT}/maxLength", 'value = 5, reason = "measured"')) == 0
    assert "prompt: Annotated[str, MaxLen(5)]" in overridden.text("acme_one.py")
    assert "other: Annotated[str, MaxLen(9)]" in overridden.text("acme_one.py")
