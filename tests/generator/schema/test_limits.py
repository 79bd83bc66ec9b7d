"""Descriptions that go round in circles, or grow beyond measure."""

from __future__ import annotations

import time

import pytest

from skills_video_runtime import PayloadError
from tests.support.project import description, operation

TEXT = {"type": "string"}


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def shaped(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": ref("A")},
        {"type": "object", "additionalProperties": ref("A")},
        {"anyOf": [TEXT, {"type": "array", "items": ref("A")}]},
        {"anyOf": [ref("A"), {"type": "null"}]},
        {"allOf": [ref("A")]},
        {"$ref": "#/components/schemas/A", "description": "itself"},
    ],
    ids=["array", "map", "union", "null", "all-of", "itself"],
)
def test_recursion_without_an_object_is_reported_and_the_rest_generated(schema, project, capsys):
    project.write(description({"acme/one": shaped(a=ref("A"), b=TEXT)}, {"A": schema}))
    assert project.run() == 0
    assert "leads back to itself without an object in between" in capsys.readouterr().err
    assert project.load("acme_one").parse({"b": "x"}).to_dict() == {"b": "x"}


def test_reference_to_itself_that_is_narrowed_is_reported(project, capsys):
    child = {"allOf": [ref("Node"), {"required": ["key"]}]}
    node = {**shaped(name=TEXT, child=child), "required": ["name"]}
    project.write(description({"acme/one": ref("Node")}, {"Node": node}))
    assert project.run() == 0
    assert "#/components/schemas/Node/properties/child/allOf/1: narrows a reference" in capsys.readouterr().err


def test_reference_to_itself_beside_its_bare_type_is_exact(project, capsys):
    child = {"type": "object", "allOf": [ref("Node")], "description": "The next one"}
    node = {**shaped(name=TEXT, child=child), "required": ["name"]}
    project.write(description({"acme/one": ref("Node")}, {"Node": node}))
    assert project.run("generate", "--strict") == 0
    with pytest.raises(PayloadError, match=r"child\.child\.name"):
        project.load("acme_one").parse({"name": "a", "child": {"name": "b", "child": {"name": 3}}})


def doubled(depth, step):
    return {**{f"S{level}": step(ref(f"S{level + 1}")) for level in range(depth)}, f"S{depth}": TEXT}


def test_objects_that_double_with_each_reference_are_a_class_each(project):
    project.write(description({"acme/one": shaped(a=ref("S0"))}, doubled(40, lambda below: shaped(a=below, b=below))))
    assert project.run() == 0
    value = "x"
    for _ in range(40):
        value = {"a": value}
    assert project.load("acme_one").parse({"a": value}).to_dict() == {"a": value}


@pytest.mark.parametrize("last", [TEXT, {"type": "string", "format": "binary"}], ids=["no file", "a file"])
def test_forms_that_double_with_each_reference_are_read(last, project):
    components = {**doubled(40, lambda below: shaped(a=below, b=below)), "S40": last}
    body = shaped(a=ref("S0"))
    project.write(description({"acme/one": operation(body, form=body)}, components))
    assert project.run() == 0
    assert project.text("acme_one.py").count("class S") == 40


def test_unions_that_double_with_each_reference_are_refused(project, capsys):
    def step(below):
        return {"anyOf": [{"type": "array", "items": below}, {"type": "object", "additionalProperties": below}]}

    project.write(description({"acme/one": shaped(a=ref("S0"))}, doubled(40, step)))
    assert project.run() == 2
    assert "is made of more than 20,000 schemas" in capsys.readouterr().err
    assert not project.out.exists()


def test_alternatives_that_multiply_are_refused(project, capsys):
    choices = [{"anyOf": [{"required": [f"a{part}{index}"]} for index in range(11)]} for part in range(3)]
    project.write(description({"acme/one": {**shaped(a=TEXT), "allOf": choices}}))
    assert project.run() == 2
    assert "more than 1,000 alternatives" in capsys.readouterr().err


def nested(depth):
    schema = TEXT
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "minItems": 1}
    return shaped(a=schema)


def test_deepest_nesting_makes_a_module_that_python_reads(project):
    project.write(description({"acme/one": nested(38)}))
    assert project.run() == 0
    value = "x"
    for _ in range(38):
        value = [value]
    assert project.load("acme_one").parse({"a": value}).to_dict() == {"a": value}


def test_deeper_nesting_is_refused(project, capsys):
    project.write(description({"acme/one": nested(60)}))
    assert project.run() == 2
    assert "nested more than 40 schemas deep" in capsys.readouterr().err


def test_pattern_that_takes_for_ever_does_not_stop_the_run(project):
    text = {"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "!"}
    project.write(description({"acme/one": shaped(a=text)}))
    assert project.run() == 0


@pytest.mark.parametrize("value", [10**5000, -(10**400), 1e308], ids=["huge", "negative", "float"])
def test_number_of_any_size_is_judged(value, project):
    schema = shaped(a={"type": "number", "maximum": 10, "minimum": -10, "multipleOf": 0.3}, b={"type": "integer"})
    project.write(description({"acme/one": schema}))
    project.run()
    module = project.load("acme_one")
    with pytest.raises(PayloadError):
        module.Payload(a=value)
    assert module.Payload(b=value).b == value


def test_value_that_holds_itself_is_refused(project):
    project.write(description({"acme/one": shaped(a={})}))
    project.run()
    value = []
    value.append(value)
    with pytest.raises(PayloadError, match="holds itself"):
        project.load("acme_one").Payload(a=value)
    with pytest.raises(PayloadError, match="holds itself"):
        project.load("acme_one").parse({"a": value})


NEXT = shaped(next=ref("A"), name=TEXT)
TAGGED = {**shaped(k=TEXT, y=ref("B")), "required": ["k"], "discriminator": {"propertyName": "k"}}
HEIRS = {f"H{index}": {"allOf": [ref("B"), shaped(**{f"p{index}": ref("B")})]} for index in range(100)}


@pytest.mark.parametrize(
    ("body", "components", "code"),
    [
        ({"anyOf": [ref("S0")] * 400}, doubled(12, lambda below: shaped(a=below, b=below)), 0),
        ({"allOf": [shaped(**{f"p{index}": TEXT for index in range(8_000)}), shaped(p1={"minLength": 1})]}, {}, 0),
        ({"allOf": [ref("A"), ref("B")]}, {"A": NEXT, "B": shaped(next=ref("B"), name={"minLength": 1})}, 0),
        (
            ref("A"),
            {"A": {"allOf": [shaped(n=ref("A")), ref("B")]}, "B": {"allOf": [shaped(n=ref("B")), ref("A")]}},
            2,
        ),
        ({"oneOf": [{**shaped(**{f"p{n}": TEXT}), "required": [f"p{n}"]} for n in range(3_000)]}, {}, 2),
        (shaped(a={"oneOf": [{"const": f"v{index}"} for index in range(10_000)]}), {}, 0),
        ({"allOf": [{"properties": {f"p{index}": {}}} for index in range(5_000)]}, {}, 2),
        (ref("S0"), doubled(5_000, lambda below: shaped(a=below)), 2),
        (ref("S0"), doubled(30, lambda below: {"anyOf": [shaped(a=below), shaped(b=below)]}), 0),
        (shaped(x=ref("B")), {"B": TAGGED, **HEIRS}, 0),
    ],
    ids=["references", "members", "met-again", "circle", "one-of", "constants", "all-of", "chain", "forms", "heirs"],
)
def test_whatever_its_size_a_description_is_read_or_refused_in_seconds(body, components, code, project):
    project.write(description({"acme/one": body}, components))
    start = time.process_time()
    assert project.run() == code
    assert time.process_time() - start < 20


def test_more_patterns_than_can_be_judged_in_time_are_one_clear_error(project, capsys):
    names = {f"p{number}": {**TEXT, "pattern": f"^{number}$"} for number in range(12_000)}
    known, new = ({**TEXT, "pattern": pattern} for pattern in ("^7$", "^x$"))
    bodies = {"one": shaped(**names), "two": shaped(a=known), "three": shaped(a=new), "four": shaped(a=TEXT)}
    project.write(description({f"acme/{name}": body for name, body in bodies.items()}))
    began = time.process_time()
    assert project.run() == 0
    assert time.process_time() - began < 20
    lines = [line for line in capsys.readouterr().err.splitlines() if "pattern" in line]
    assert "/properties/p5000: is one of more than 5,000 that have a pattern" in lines[0]
    assert "acme~1three" in lines[1]
    assert sorted(path.name for path in project.out.glob("acme_*.py")) == ["acme_four.py", "acme_two.py"]


LARGE = {f"p{index}": {**TEXT, "description": f"Text {index}"} for index in range(800)}


@pytest.mark.parametrize(
    ("body", "components"),
    [
        (shaped(a=ref("Large"), b=5), {}),
        (ref("Bad"), {"Bad": shaped(**LARGE, z=5)}),
        (shaped(a=ref("Bad")), {"Bad": shaped(b=ref("Large"), z=5)}),
    ],
    ids=["beside", "inside", "behind"],
)
def test_what_many_bodies_share_that_cannot_be_read_is_read_once(body, components, project, capsys):
    bodies = {f"acme/m-{index}": body for index in range(200)}
    good = shaped(a=ref("Large"), b={"allOf": [shaped(c=TEXT), shaped(c={"minLength": 2})]})
    project.write(description({**bodies, "acme/good": good}, {**components, "Large": shaped(**LARGE)}))
    began = time.process_time()
    assert project.run() == 0
    assert time.process_time() - began < 4
    assert capsys.readouterr().err.count("is passed over") == 200
    payload = project.load("acme_good").parse
    assert payload({"a": {"p1": "x"}, "b": {"c": "xy"}}).to_dict() == {"a": {"p1": "x"}, "b": {"c": "xy"}}
    for wrong in ({"a": {"q": "x"}}, {"b": {"c": "x"}}):
        with pytest.raises(PayloadError):
            payload(wrong)


def test_what_refers_to_a_component_that_cannot_be_read_is_passed_over_whichever_comes_first(project, capsys):
    components = {
        "Outer": shaped(inner=ref("Inner"), twin={"allOf": [ref("Inner"), ref("Tree")]}, z=5),
        "Inner": shaped(outer=ref("Outer"), a=TEXT),
        "Tree": shaped(tree=ref("Tree"), a=TEXT),
    }
    bodies = {"acme/one": ref("Outer"), "acme/two": shaped(a=ref("Inner")), "acme/three": shaped(a=ref("Tree"))}
    bodies["acme/four"] = {"allOf": [ref("Inner"), ref("Tree")]}
    project.write(description(bodies, components))
    assert project.run() == 0
    assert capsys.readouterr().err.count("is passed over") == 3
    with pytest.raises(PayloadError):
        project.load("acme_three").parse({"a": {"tree": {"tree": {"a": 5}}}})


def test_a_body_that_merges_too_much_takes_nothing_from_the_others(project, capsys):
    kinds = [shaped(**{f"p{kind}_{index}": TEXT for index in range(100)}) for kind in range(60)]
    wide = {
        "allOf": [{"anyOf": kinds[:30]}, {"anyOf": kinds[30:]}]
        + [shaped(**{f"q{number}": TEXT}) for number in range(9)]
    }
    project.write(description({"acme/one": wide, "acme/two": {"allOf": [shaped(a=TEXT), shaped(b=TEXT)]}}))
    assert project.run() == 0
    assert capsys.readouterr().err.count("is passed over") == 1
    assert project.load("acme_two").parse({"a": "x", "b": "y"}).to_dict() == {"a": "x", "b": "y"}
