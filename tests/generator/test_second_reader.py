"""datamodel-code-generator reads the request schemas a second time: what the two readers do not agree on is told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from generator import second_reader
from generator.diagnostics import Diagnostics
from generator.inputs import selection
from generator.run import Inputs, read
from generator.schema.types import Choice, Null, Text, Union
from tests.generator.schema.test_forms import COMPONENTS, FORMS
from tests.support.project import description

ROOT = Path(__file__).parents[2]
BODY = "#/paths/~1generation~1acme~1one/post/requestBody/content/application~1json/schema"
SCHEMA = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string"},
        "mode": {"enum": ["fast", "slow", 3]},
        "seed": {"type": ["integer", "null"]},
    },
    "required": ["prompt"],
}


def compared(folder, tamper=None):
    """Read the inputs of a folder, have our own reading tampered with, and give the count and the remarks."""
    found = read(Inputs((folder / "openapi.json",), folder / "docs.json", None), Diagnostics())
    models = found.selection.models
    if tamper:
        [model] = models
        [variant] = model.variants
        models = [replace(model, variants=(replace(variant, shape=tamper(variant.shape)),))]
    diagnostics = Diagnostics()
    return second_reader.compare(models, found.descriptions, diagnostics), list(map(str, diagnostics.found))


def test_the_readers_agree_on_every_class_of_the_platform():
    assert compared(ROOT / "specs") == (48, [])


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_schema_raises_a_false_alarm(form, project):
    project.write(description({"acme/one": FORMS[form]}, COMPONENTS))
    count, remarks = compared(project.folder)
    assert remarks == []
    assert count > 0


@pytest.mark.parametrize(
    ("field", "changes", "ours", "theirs"),
    [
        ("mode", {"shape": Choice(("fast", 3))}, 'holds "fast", 3', 'it holds "fast", "slow", 3'),
        ("mode", {"shape": Text()}, "holds no constant", 'it holds "fast", "slow", 3'),
        ("seed", {"shape": Text()}, "may not be null", "it may be null"),
        ("prompt", {"shape": Union((Text(), Null()))}, "may be null", "it may not be null"),
    ],
)
def test_a_field_that_our_reader_gets_wrong_is_told_with_its_place(field, changes, ours, theirs, project):
    def tamper(shape):
        properties = [replace(prop, **changes) if prop.name == field else prop for prop in shape.properties]
        return replace(shape, properties=tuple(properties))

    project.write(description({"acme/one": SCHEMA}))
    assert compared(project.folder) == (1, [])
    message = f"our reader says that {field!r} {ours}, datamodel-code-generator that {theirs}"
    assert compared(project.folder, tamper) == (0, [f"warning: {project.openapi}{BODY}/properties/{field}: {message}"])


def test_what_our_reader_takes_for_optional_and_is_required_is_told(project):
    project.write(description({"acme/one": SCHEMA}))
    message = "our reader says that 'prompt' is not required, datamodel-code-generator that it is required"
    _, remarks = compared(project.folder, lambda shape: replace(shape, required=()))
    assert remarks == [f"warning: {project.openapi}{BODY}/properties/prompt: {message}"]


def test_a_name_that_is_wrong_is_told_from_both_sides(project):
    def tamper(shape):
        *others, seed = shape.properties
        return replace(shape, properties=(*others, replace(seed, name="sead")))

    project.write(description({"acme/one": SCHEMA}))
    _, remarks = compared(project.folder, tamper)
    assert [remark.partition("properties/")[2] for remark in remarks] == [
        "sead: our reader finds the field 'sead', datamodel-code-generator does not",
        "seed: datamodel-code-generator finds the field 'seed', our reader does not",
    ]


def test_a_disagreement_fails_a_strict_run_and_no_other(project, monkeypatch, capsys):
    def forgetful(shape, known):
        return tuple(
            replace(variant, shape=replace(variant.shape, required=())) for variant in variants_of(shape, known)
        )

    variants_of = selection.variants_of
    monkeypatch.setattr(selection, "variants_of", forgetful)
    project.write(description({"acme/one": SCHEMA}))
    assert project.run("generate") == 0
    assert capsys.readouterr().err == ""
    assert project.run("check") == 0
    told = capsys.readouterr().err
    assert f"{BODY}/properties/prompt: our reader says that 'prompt' is not required" in told
    assert "second reader: 0 classes agree\n" in told
    assert project.run("check", "--strict") == project.run("generate", "--strict") == 1


def test_check_counts_the_classes_that_were_read_twice(project, capsys):
    project.write(description({"acme/one": FORMS["any-of-variants"], "acme/two": SCHEMA}))
    assert project.run("generate") == 0
    assert project.run("check") == 0
    assert capsys.readouterr().err == "second reader: 3 classes agree\n"


def test_classes_that_only_one_reader_finds_are_told(project):
    project.write(description({"acme/one": FORMS["any-of-variants"]}))
    found = read(Inputs((project.openapi,), project.docs, None), Diagnostics())
    [model] = found.selection.models
    diagnostics = Diagnostics()
    assert second_reader.compare([replace(model, variants=model.variants[:1])], found.descriptions, diagnostics) == 0
    message = "our reader finds 1 classes in it, datamodel-code-generator 2"
    assert list(map(str, diagnostics.found)) == [f"warning: {project.openapi}{BODY}: {message}"]


@pytest.mark.parametrize("odd", [{"type": "string", "required": True}, {"not": {"$ref": "other.json"}}])
def test_what_it_cannot_read_is_noted_and_hides_no_other_model(odd, project):
    project.write(description({"acme/one": {"type": "object", "properties": {"a": odd}}, "acme/two": SCHEMA}))
    count, [remark] = compared(project.folder)
    assert count == 1
    assert remark.startswith(f"note: {project.openapi}{BODY}: datamodel-code-generator cannot read it")


@pytest.mark.parametrize(("options", "loads"), [([], False), (["--strict"], True)])
def test_only_a_strict_run_loads_it(options, loads, project):
    project.write(description({"acme/one": FORMS["nested"]}, COMPONENTS))
    inputs = ["--openapi", str(project.openapi), "--docs", str(project.docs), "--out", str(project.out)]
    program = (
        "import sys; from generator.__main__ import main; code = main(sys.argv[1:]); "
        "print(code, 'datamodel_code_generator' in sys.modules)"
    )
    command = [sys.executable, "-c", program, "generate", *inputs, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"0 {loads}"
