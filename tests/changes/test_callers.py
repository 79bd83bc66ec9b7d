"""mypy as the judge of what breaks: a caller that type-checks against the old modules, checked against the new ones."""

from __future__ import annotations

from typing import Any

from generator.changes.models import compare
from generator.changes.revisions import inputs_in
from generator.diagnostics import Diagnostics
from generator.run import read
from tests.support.project import Project, description
from tests.support.revisions import write_revision
from tests.typing.test_typing import mypy

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def body(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


POINT = body("x", x=NUMBER)
MAP = {"type": "object", "additionalProperties": NUMBER}
KINDS = [body("p", feature={"const": name}, p=TEXT) | {"title": name} for name in ("text", "image")]
UPDATES: dict[str, tuple[Any, Any, str]] = {
    "a_new_field": (body("a", a=TEXT), body("a", a=TEXT, b=TEXT), "Payload(a=text)"),
    "a_new_required_field": (body("a", a=TEXT), body("a", "b", a=TEXT, b=TEXT), "Payload(a=text)"),
    "a_field_that_is_gone": (body(a=TEXT, b=TEXT), body(a=TEXT), "Payload(b=text)"),
    "a_wider_number": (body(a=WHOLE), body(a=NUMBER), "Payload(a=whole)"),
    "a_narrower_number": (body(a=NUMBER), body(a=WHOLE), "Payload(a=number)"),
    "multiples_that_become_integers": (body(a=NUMBER | {"multipleOf": 1}), body(a=WHOLE), "Payload(a=number)"),
    "a_range_that_becomes_a_list": (
        body(a=WHOLE | {"minimum": 1, "maximum": 2}), body(a={"enum": [1, 2]}), "Payload(a=whole)",
    ),
    "a_list_that_becomes_a_range": (
        body(a={"enum": [1, 2]}), body(a=WHOLE | {"minimum": 1, "maximum": 2}), "Payload(a=2)",
    ),
    "a_range_in_a_list": (
        body(a={"type": "array", "items": WHOLE | {"minimum": 1, "maximum": 2}}),
        body(a={"type": "array", "items": {"enum": [1, 2]}}), "Payload(a=[whole])",
    ),
    "both_booleans": (body(a={"type": "boolean"}), body(a={"enum": [True, False]}), "Payload(a=flag)"),
    "whole_fractions": (body(a={"enum": [5.0, 10.0]}), body(a={"enum": [5, 10]}), "Payload(a=5)"),
    "null_that_is_gone": (body(a={"type": ["string", "null"]}), body(a=TEXT), "Payload(a=None)"),
    "a_value_that_is_gone": (body(a={"enum": ["x", "y"]}), body(a={"enum": ["x"]}), 'Payload(a="y")'),
    "a_value_that_is_added": (body(a={"enum": ["x"]}), body(a={"enum": ["y", "x"]}), 'Payload(a="x")'),
    "a_map_that_gets_a_class": (
        body(a=MAP), body(a=body(x=NUMBER) | {"additionalProperties": NUMBER}), 'Payload(a={"x": 1})',
    ),
    "a_map_that_may_be_a_list": (body(a=MAP), body(a={"anyOf": [MAP, {"type": "array"}]}), 'Payload(a={"x": 1})'),
    "a_class_of_another_name": (body(a=POINT), body(a=POINT | {"title": "Spot"}), "Payload(a=m.A(x=1))"),
    "a_class_beside_another": (
        body(a=POINT), body(a={"anyOf": [POINT | {"title": "A"}, body("y", y=TEXT) | {"title": "B"}]}),
        "Payload(a=m.A(x=1))",
    ),
    "an_argument_that_gives_up_its_name": (
        body(**{"a-b": TEXT}), body(**{"a-b": TEXT, "a_b": WHOLE}), "Payload(a_b=text)",
    ),
    "an_argument_named_as_a_new_class": (body(Spot=TEXT), body(Spot=TEXT, spot=POINT), "Payload(Spot=text)"),
    "a_constant_that_must_be_given": (
        body("a", "b", a={"const": "x"}, b=TEXT), body("a", "b", a={"enum": ["x", "y"]}, b=TEXT), "Payload(b=text)",
    ),
    "a_constant_that_is_given": (
        body("b", a={"const": "x"}, b=TEXT), body("b", a={"enum": ["x", "y"]}, b=TEXT), 'Payload(a="x", b=text)',
    ),
    "a_second_variant": ({"anyOf": KINDS[:1]}, {"anyOf": KINDS}, "Text(p=text)"),
    "a_union_in_place_of_a_class": (body("p", p=TEXT), {"anyOf": KINDS}, "Payload(p=text)"),
}  # fmt: skip
HEAD = "text: str\nwhole: int\nnumber: float\nflag: bool\n"


def test_a_caller_fails_to_type_check_exactly_where_an_update_breaks(tmp_path):
    files = []
    for number, name in enumerate(("old", "new")):
        project = Project(tmp_path)
        project.name, project.out = f"acme_{name}", tmp_path / f"acme_{name}"
        document = description({f"acme/{case}": update[number] for case, update in UPDATES.items()})
        write_revision(tmp_path / name, document)
        project.write(document)
        assert project.run() == 0
        calls = [f"m.{call}".replace("m.", f"{project.name}.acme_{case}.") for case, (_, _, call) in UPDATES.items()]
        files.append(tmp_path / f"calls_{name}.py")
        files[-1].write_text("\n".join([f"import {project.name}", HEAD, *calls]), "utf-8")
    failed = mypy([*files, tmp_path / "acme_old" / "__init__.py", tmp_path / "acme_new" / "__init__.py"])
    assert {place: message for place, message in failed.items() if place[0] == files[0]} == {}
    start = HEAD.count("\n") + 3
    broken = {case for index, case in enumerate(UPDATES, start) if (files[1], index) in failed}
    revisions = [read(inputs_in(tmp_path / name, None), Diagnostics()) for name in ("old", "new")]
    assert broken == {change.model.removeprefix("acme/") for change in compare(*revisions) if change.breaking}
