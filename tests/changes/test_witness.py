"""Each change that breaks shows a case, judged by the classes of both revisions and by jsonschema."""

from __future__ import annotations

import json
from typing import Any

import griffe
import pytest

from generator.changes.models import compare
from skills_video_runtime import PayloadError
from tests.changes.test_callers import UPDATES
from tests.changes.test_kinds import ANSWER, FIELDS, NUMBER, TEXT, WHOLE, answer, answering, body, rows, variant
from tests.support.judge import judge
from tests.support.project import Project, description
from tests.support.revisions import changes, revision


def open_classes(most):
    """Give two payload classes that take members of any name."""
    fields = {"A": {"a": WHOLE | {"maximum": most}}, "B": {"b": TEXT}}
    return [{"title": title, "type": "object", "properties": named, "required": [*named][: title == "A"],
             "additionalProperties": True} for title, named in fields.items()]  # fmt: skip


CASES: dict[str, tuple[Any, Any]] = {
    **{name.replace(" ", "_").lower(): (body(a=old), body(a=new)) for name, (old, new, _, _) in FIELDS.items()},
    **{name: (old, new) for name, (old, new, _) in UPDATES.items()},
    "deep": (
        body(a={"type": "array", "items": body(b={"type": "object", "additionalProperties": NUMBER}), "minItems": 2}),
        body(a={"type": "array", "items": body(b={"type": "object", "additionalProperties": WHOLE}), "minItems": 2}),
    ),
    "another_pattern": (body(a=TEXT | {"pattern": "^a"}), body(a=TEXT | {"pattern": "^a1"})),
    "a_constant": (body(a={"const": 1}), body(a={"const": True})),
    "values_that_were_replaced": (body(a={"enum": ["x", "y"]}), body(a={"enum": ["z"]})),
    "any_value": (body(a={}), body(a={"maximum": 1})),
    "distinct_items": (
        body(a={"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 2, "uniqueItems": True}),
        body(a={"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 3, "uniqueItems": True}),
    ),
    "a_variant_that_is_gone": ({"anyOf": [variant("text"), variant("image")]}, {"anyOf": [variant("text")]}),
    "a_rival": (
        {"oneOf": [body(a=TEXT) | {"title": "A"}]},
        {"oneOf": [body(a=TEXT) | {"title": "A"}, body(b=TEXT) | {"title": "B"}]},
    ),
    "null_items": (
        body(a={"type": "array", "items": {"type": ["integer", "null"]}}), body(a={"type": "array", "items": WHOLE}),
    ),
    "what_another_class_takes": ({"anyOf": open_classes(5)}, {"anyOf": open_classes(4)}),
    "a_field_that_another_class_has": (
        {"anyOf": [body(b=TEXT) | {"title": "A", "minProperties": 2}, body(b=TEXT) | {"title": "B"}]},
        {"anyOf": [body() | {"title": "A", "minProperties": 2}, body(b=TEXT) | {"title": "B"}]},
    ),
    "a_long_text": (body(a=TEXT), body(a=TEXT | {"maxLength": 3000})),
}  # fmt: skip


HARMLESS = {
    "a_new_field", "a_wider_number", "a_value_that_is_added", "both_booleans", "whole_fractions", "a_second_variant",
    "a_map_that_may_be_a_list", "a_constant_that_is_given", "a_list_that_becomes_a_range", "a_class_beside_another",
}  # fmt: skip


@pytest.fixture(scope="module")
def ages(tmp_path_factory):
    """Both revisions of all cases: what was read of them, and their packages."""
    folder = tmp_path_factory.mktemp("ages")
    found = []
    for number, name in enumerate(("old", "new")):
        project = Project(folder)
        project.name, project.out = f"witness_{name}", folder / f"witness_{name}"
        document = description({f"acme/{case}": sides[number] for case, sides in CASES.items()})
        project.write(document)
        assert project.run() == 0
        found.append((revision(folder / name, document), project))
    return found


def test_whatever_griffe_calls_breaking_breaks(ages):
    packages = [
        griffe.load(project.name, search_paths=[project.folder], try_relative_path=False) for _, project in ages
    ]
    told = {change.model for change in compare(*(found for found, _ in ages)) if change.breaking}
    seen = {breakage.obj.path.split(".")[1] for breakage in griffe.find_breaking_changes(*packages)}
    assert len(seen) > 3
    assert {name.replace("acme_", "acme/", 1) for name in seen} <= told


@pytest.mark.parametrize("case", CASES)
def test_a_witness_was_taken_and_is_refused(case, ages):
    (old, old_project), (new, new_project) = ages
    before, after = old_project.load(f"acme_{case}"), new_project.load(f"acme_{case}")
    judges = [judge(schema, components={}) for schema in CASES[case]]
    broken = [change for change in compare(old, new) if change.breaking and change.model == f"acme/{case}"]
    assert bool(broken) == (case not in HARMLESS)
    for change in broken:
        assert change.verdict == "breaks", change
        value = change.witness.value
        if change.witness.form == "payload":
            assert before.parse(value)
            with pytest.raises(PayloadError):
                after.parse(value)
            assert [judge.is_valid(value) for judge in judges] == [True, False]
        elif "import" in value:
            assert not hasattr(after, value.rpartition(" ")[2])
        elif change.about != "request-type":
            assert eval(value, vars(before))  # our own words
            with pytest.raises((NameError, TypeError, PayloadError)):
                eval(value, vars(after))  # our own words


@pytest.mark.parametrize(
    ("new", "form", "value"),
    [
        ({**ANSWER, "properties": {"id": TEXT, "state": {"enum": ["a", "b"]}}}, "old answer",
         {"id": "a", "state": "a", "size": 0}),
        (ANSWER | {"required": ["id"]}, "answer", {"id": "a"}),
        (answer(id={"type": ["string", "null"]}), "answer", {"id": None, "state": "a"}),
        (answer(id=WHOLE), "answer", {"id": 0, "state": "a"}),
        (answer(size=NUMBER | {"maximum": 5}), "answer", {"id": "a", "state": "a", "size": 0.5}),
        (answer(state={"enum": ["a", "b", "c"]}), "answer", {"id": "a", "state": "c"}),
    ],
)  # fmt: skip
def test_an_answer_shows_what_may_come_or_comes_no_more(new, form, value, tmp_path):
    [change] = [item for item in changes(tmp_path, answering(ANSWER), answering(new)) if item.breaking]
    assert (change.witness.form, change.witness.value) == (form, value)
    fits = [judge(schema, components={}).is_valid(value) for schema in (ANSWER, new)]
    assert fits == [form == "old answer", form == "answer"]


def test_where_no_case_is_found_it_may_break(tmp_path):
    old, new = (description({"acme/one": body(a=TEXT | {"pattern": pattern})}) for pattern in ("^x{9}$", "^x{9}z?$"))
    found = changes(tmp_path, old, new)
    assert [(*row, change.verdict) for row, change in zip(rows(found), found, strict=True)] == [
        ("tightened", "a", True, "may break")
    ]


def test_what_two_alternatives_kept_from_being_taken_shows_no_break(tmp_path):
    old, new = (description({"acme/one": {"oneOf": open_classes(most)}}) for most in (5, 4))
    [change] = changes(tmp_path, old, new)
    assert (change.verdict, change.path) == ("may break", "A.a")


def test_a_long_witness_is_shortened_for_readers_and_whole_for_programs(tmp_path):
    old, new = (description({"acme/one": body(a=TEXT | more)}) for more in ({}, {"maxLength": 3000}))
    [change] = changes(tmp_path, old, new)
    assert change.witness.text() == '{"prompt": "a", "a": "aaaaaaaa… (3001 characters)"} was taken, and is refused'
    assert change.witness.value == {"prompt": "a", "a": "a" * 3001}
    assert json.dumps(change.witness.value)
