"""Every form in which a description can say what a payload is: the class takes what jsonschema allows.

What jsonschema says was drawn and judged once, and lies in verdicts/; `make corpus` does it anew, as CI does by night.
"""

from __future__ import annotations

import json

import pytest

from skills_video_runtime import PayloadError
from tests.generator.schema import corpus
from tests.generator.schema.draw import disagreements
from tests.generator.schema.forms import COMPONENTS, FORMS, REPORTED
from tests.support.models import is_taken, told_of
from tests.support.project import Project, description


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def modules(forms):
    return corpus.generate(forms)


@pytest.mark.parametrize("form", FORMS)
def test_class_takes_exactly_what_jsonschema_allows(form, modules):
    found = corpus.read(form)
    assert found.allowed
    assert found.refused
    for value in found.allowed:
        assert modules[form].parse(value).to_dict() == value
    for value in found.refused:
        with pytest.raises(PayloadError):
            modules[form].parse(value)


def test_every_form_has_an_example_that_its_class_takes(forms, modules):
    pages = told_of(forms.folder)
    examples = [
        (variant, module)
        for page, module in zip(pages.values(), modules.values(), strict=True)
        for variant in page.variants
    ]
    assert len(examples) > len(FORMS)
    assert [variant for variant, _ in examples if variant.example is None] == []
    assert [variant for variant, module in examples if not is_taken(variant.example, module, variant.name)] == []


def test_there_are_verdicts_of_these_forms_and_no_others():
    assert {file.stem for file in corpus.FOLDER.iterdir()} == set(FORMS)


def test_values_of_all_kinds_survive_being_kept():
    values = [5, 5.0, 1e300, 10**30, -0.0, True, None, "\ud800", "\u2028", "日本", {"a": [{}]}, 9007199254740993]
    kept = json.loads(corpus.Verdicts("x", values, []).text())
    assert list(map(repr, kept["allowed"])) == list(map(repr, values))


def test_what_was_judged_of_another_schema_is_not_believed(monkeypatch):
    monkeypatch.setitem(FORMS, "reference", {"$ref": "#/components/schemas/Node"})
    with pytest.raises(AssertionError, match="run make corpus"):
        corpus.read("reference")


def test_what_was_judged_of_other_components_is_not_believed(monkeypatch):
    monkeypatch.setitem(COMPONENTS, "Base", {"type": "string"})
    with pytest.raises(AssertionError, match="run make corpus"):
        corpus.read("reference")


def test_what_a_class_says_differently_is_told(modules):
    wrong = corpus.Verdicts("", allowed=[{"prompt": 5}, {"prompt": "a"}], refused=[{"prompt": "b"}, {}])
    told = disagreements(modules["reference"], wrong)
    assert [line.partition(": ")[2] for line in told] == ["{'prompt': 5}", "{'prompt': 'b'}"]


def strictly(project, forms):
    project.write(description({f"acme/{form}": FORMS[form] for form in forms}, COMPONENTS))
    return project.run("generate", "--strict")


def test_no_other_form_is_warned_of(project):
    assert strictly(project, FORMS.keys() - REPORTED) == 0


@pytest.mark.parametrize("form", sorted(REPORTED))
def test_a_form_that_no_value_can_fill_is_warned_of(form, project):
    assert strictly(project, [form]) == 1
