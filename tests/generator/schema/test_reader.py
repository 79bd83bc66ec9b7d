"""What a schema says beside what it allows, and what it allows where words of it are read as OpenAPI means them."""

from __future__ import annotations

import re

import pytest

from generator.diagnostics import Diagnostics
from generator.inputs.description import description_of
from generator.schema.reader import SchemaReader
from skills_video_runtime import PayloadError
from tests.support.project import description

TEXT = {"type": "string"}
OLD = {"type": "string", "deprecated": True}


def read(schema, components=None, version="3.1.0"):
    """Read a schema as the body of a model."""
    found = description_of(description({"acme/one": schema}, components, version), "openapi.json")
    return SchemaReader(found, Diagnostics()).body(schema, "/paths/~1generation~1acme~1one/post")


def shaped(**properties):
    return {"type": "object", "properties": properties}


def test_what_is_deprecated_is_carried_by_fields_objects_and_values():
    option = {"oneOf": [{"const": "a"}, {"const": "b", "deprecated": True}]}
    shape = read(
        {
            **shaped(plain=TEXT, old=OLD, behind={"$ref": "#/components/schemas/Old"}, among=option,
                     several={"type": "array", "items": {"$ref": "#/components/schemas/Option"}}),
            "allOf": [shaped(plain=OLD), {"deprecated": True, **shaped(more=TEXT)}],
        },
        {"Old": OLD, "Option": option},
    )  # fmt: skip
    assert {prop.name for prop in shape.properties if prop.deprecated} == {"old", "behind", "plain"}
    assert {prop.name: prop.deprecated_values for prop in shape.properties if prop.deprecated_values} == {
        "among": ("b",),
        "several": ("b",),
    }
    assert shape.deprecated


def loads(project, schema, components=None, version="3.1.0", model="one"):
    """Generate the module of a body, and import it."""
    project.write(description({f"acme/{model}": schema}, components, version))
    assert project.run() == 0
    return project.load(f"acme_{model}")


ONLY_IF = {
    "if": {"properties": {"mode": {"const": "a"}}, "required": ["mode"]},
    "then": {"properties": {"size": {"const": 5}, "more": {"properties": {"x": {"const": 1}}}}},
    "else": {"properties": {"size": False, "late": {"type": "boolean"}}},
}
ONLY_WITH = {"dependentSchemas": {"mode": {"properties": {"size": {"maximum": 2}, "late": TEXT, "more": False}}}}
PLAIN = shaped(mode=TEXT, size={"type": "integer"}, more=shaped(y=TEXT))


@pytest.mark.parametrize("conditions", [ONLY_IF, ONLY_WITH], ids=["if", "dependent"])
@pytest.mark.parametrize(
    "place",
    [
        lambda conditions: {**PLAIN, **conditions},
        lambda conditions: {**PLAIN, "allOf": [conditions]},
        lambda conditions: {"allOf": [conditions, PLAIN]},
        lambda conditions: {"allOf": [{"$ref": "#/components/schemas/Plain"}, {"type": "object", **conditions}]},
        lambda conditions: {"$ref": "#/components/schemas/Plain", **conditions},
        lambda conditions: {"anyOf": [PLAIN, shaped(other=TEXT)], **conditions},
        lambda conditions: {"anyOf": [{**PLAIN, "allOf": [conditions]}]},
        lambda conditions: {**PLAIN, "allOf": [{"allOf": [conditions]}, {"properties": {"size": {"maximum": 9}}}]},
    ],
    ids=["beside", "all-of", "before", "reference", "sibling", "any-of", "option", "nested"],
)
def test_what_is_said_under_a_condition_names_members_and_narrows_none(conditions, place, project):
    schema = place(conditions)
    module = loads(project, schema, {"Plain": PLAIN})
    for value in ({"mode": "b", "size": 7}, {"size": 7}, {"mode": "b", "more": {"y": "z"}}):
        assert module.parse(value).to_dict() == value
    late = {"late": "a"}
    if conditions is ONLY_IF:
        late = {"late": True}
    assert module.parse(late).to_dict() == late
    with pytest.raises(PayloadError):
        module.parse({"size": 7, "surplus": 1})


def test_members_inside_of_a_member_are_named_under_a_condition_too(project):
    module = loads(project, {**PLAIN, "allOf": [ONLY_IF]})
    assert module.parse({"mode": "a", "more": {"x": 1, "y": "z"}}).to_dict()["more"] == {"x": 1, "y": "z"}


def test_what_a_condition_names_is_still_excluded_by_an_object_that_is_closed(project):
    module = loads(project, {**PLAIN, "additionalProperties": False, "allOf": [ONLY_IF]})
    with pytest.raises(PayloadError):
        module.parse({"late": True})


def test_condition_beside_a_text_lets_the_text_pass(project):
    module = loads(project, shaped(a={"anyOf": [TEXT, PLAIN], "allOf": [ONLY_IF]}))
    assert module.parse({"a": "x"}).to_dict() == {"a": "x"}


ID = {"type": "string", "readOnly": True}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    "schema",
    [
        {**shaped(id=ID, name=TEXT), "required": ["id", "name"]},
        {**shaped(id={"$ref": "#/components/schemas/Id"}, name=TEXT), "required": ["id", "name"]},
        {"allOf": [shaped(id=ID), {"required": ["id"]}, {**shaped(name=TEXT), "required": ["name"]}]},
        {**shaped(id={"allOf": [{"$ref": "#/components/schemas/Id"}]}, name=TEXT), "required": ["id", "name"]},
        {"allOf": [{"$ref": "#/components/schemas/Named"}, {"properties": {"name": {"maxLength": 9}}}]},
    ],
    ids=["plain", "reference", "apart", "all-of", "component"],
)
def test_nobody_is_asked_for_what_the_platform_sets(schema, version, project):
    components = {"Id": ID, "Named": {**shaped(id=ID, name=TEXT), "required": ["id", "name"]}}
    module = loads(project, schema, components, version)
    inner = loads(project, shaped(list={"type": "array", "items": schema}), components, version, "two")
    for value in ({"name": "x"}, {"id": "1", "name": "x"}):
        assert module.parse(value).to_dict() == value
        assert inner.parse({"list": [value]}).to_dict() == {"list": [value]}
    with pytest.raises(PayloadError, match="name: is required"):
        inner.parse({"list": [{}]})
    text = (project.out / "acme_two.py").read_text("utf-8")
    assert text.index("    name: ") < text.index("    id: ")
    assert "Read-only: the platform sets it" in text


def test_alternatives_told_apart_by_what_the_platform_sets_are_not_told_apart(project):
    options = [{"required": ["id"]}, {"required": ["name"]}]
    module = loads(project, {**shaped(id=ID, name=TEXT), "oneOf": options})
    assert module.parse({"name": "x"}).to_dict() == {"name": "x"}


BASE = {
    **shaped(kind=TEXT, name=TEXT),
    "required": ["kind"],
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}},
}


def heir(**properties):
    return {"allOf": [{"$ref": "#/components/schemas/Base"}, shaped(**properties)]}


FAMILY = {
    "Base": BASE,
    "Cat": heir(meow={"type": "integer"}),
    "Dog": heir(friend={"$ref": "#/components/schemas/Base"}),
    "Puppy": {"allOf": [{"$ref": "#/components/schemas/Dog"}, shaped(weeks={"type": "integer"})]},
}


@pytest.mark.parametrize(
    "pet",
    [
        {"$ref": "#/components/schemas/Base"},
        {"allOf": [{"$ref": "#/components/schemas/Base"}], "description": "One of them."},
        {"anyOf": [{"$ref": "#/components/schemas/Base"}, {"type": "null"}]},
    ],
    ids=["reference", "all-of", "any-of"],
)
def test_what_extends_a_base_with_a_discriminator_is_offered_in_its_place(pet, project, capsys):
    module = loads(project, shaped(pet=pet), FAMILY)
    assert "warning" not in capsys.readouterr().err
    for value in (
        {"kind": "cat", "name": "a", "meow": 1},
        {"kind": "dog", "friend": {"kind": "cat", "meow": 2}},
        {"kind": "Puppy", "weeks": 3, "friend": {"kind": "dog"}},
    ):
        assert module.parse({"pet": value}).to_dict() == {"pet": value}
    for value in ({"kind": "zzz"}, {"kind": "cat", "weeks": 1}, {"meow": 1}, {"kind": "dog", "friend": {"meow": 1}}):
        with pytest.raises(PayloadError):
            module.parse({"pet": value})


def test_an_heir_by_itself_is_what_it_is(project):
    module = loads(project, {"$ref": "#/components/schemas/Cat"}, FAMILY)
    assert module.parse({"kind": "cat", "meow": 1}).to_dict() == {"kind": "cat", "meow": 1}


def test_parent_whose_alternatives_extend_it_is_read_without_a_warning(project, capsys):
    components = {**FAMILY, "Base": {**BASE, "oneOf": [{"$ref": "#/components/schemas/Cat"}]}}
    module = loads(project, shaped(pet={"$ref": "#/components/schemas/Base"}), components)
    assert module.parse({"pet": {"kind": "cat", "meow": 1}}).to_dict() == {"pet": {"kind": "cat", "meow": 1}}
    assert "warning" not in capsys.readouterr().err


def test_discriminator_without_a_mapping_beside_constants_is_no_reason_for_a_remark(project, capsys):
    options = {name: {**shaped(type={"const": name.lower()}), "required": ["type"]} for name in ("AThing", "BThing")}
    choice = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in options]}
    loads(project, shaped(a={**choice, "discriminator": {"propertyName": "type"}}), options)
    assert "warning" not in capsys.readouterr().err


CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "oneOf": [{**shaped(src=TEXT), "required": ["src"]}, {**shaped(text=TEXT), "required": ["text"]}],
}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (shaped(clips={"type": "array", "items": CLOSED}), "properties/clips/items"),
        (shaped(clips={"type": "object", "additionalProperties": CLOSED}), "properties/clips/additionalProperties"),
        (shaped(clips=CLOSED), "properties/clips"),
        (shaped(clips={"anyOf": [CLOSED]}), "properties/clips"),
    ],
    ids=["array", "map", "member", "union"],
)
def test_what_can_have_no_value_is_told_with_its_place_and_what_excludes_it(schema, place, project, capsys):
    loads(project, shaped(a=schema, prompt=TEXT))
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(told) == 1
    assert f"/schema/properties/a/{place}: can have no value: it requires 'src': #" in told[0]
    assert "additionalProperties excludes it" in told[0]


def test_members_that_one_keyword_excludes_are_told_once(project, capsys):
    names = dict.fromkeys(("a", "b", "c"), TEXT)
    loads(project, shaped(x={"allOf": [{"type": "object", "additionalProperties": False}, shaped(**names)]}, y=TEXT))
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(told) == 1
    assert "properties/a: can have no value" in told[0]
    assert "as 'b', 'c' for the same cause" in told[0]


def test_body_that_nothing_fits_is_passed_over_with_its_cause(project, capsys):
    body = {"allOf": [{**shaped(a=TEXT), "additionalProperties": False}, {**shaped(b=TEXT), "required": ["b"]}]}
    project.write(description({"acme/one": body, "acme/two": shaped(a=TEXT)}))
    assert project.run() == 0
    told = capsys.readouterr().err
    assert "no object that could be posted: it requires 'b': #/paths" in told
    assert "allOf/0/additionalProperties excludes it" in told


def test_two_sides_of_a_member_that_exclude_each_other_are_both_named(project, capsys):
    loads(project, {"allOf": [shaped(a=TEXT, b=TEXT), shaped(a={"type": "integer"})]})
    told = capsys.readouterr().err
    assert "/allOf/0/properties/a and #" in told
    assert "/allOf/1/properties/a" in told


@pytest.mark.parametrize(
    "options",
    [
        [{"type": "string", "format": "uri"}, {"type": "string", "format": "byte"}],
        [{"type": "string", "format": "uri"}, TEXT],
        [{"enum": ["https://a.example/b", "auto"]}, TEXT],
        [{"type": "array", "items": {"type": "string", "format": "uri"}}, {"type": "array", "items": TEXT}, TEXT],
    ],
    ids=["base64", "text", "values", "arrays"],
)
def test_alternative_that_is_part_of_another_is_taken_and_reported(options, project, capsys):
    module = loads(project, shaped(a={"oneOf": options}))
    assert "it can never be the only one" in capsys.readouterr().err
    for value in ("https://a.example/b", "iVBORw0KGgo="):
        assert module.parse({"a": value}).to_dict() == {"a": value}


def test_media_type_that_is_a_reference_is_followed(project):
    document = description({"acme/one": shaped(a=TEXT)}, version="3.2.0")
    media = document["paths"]["/generation/acme/one"]["post"]["requestBody"]["content"]["application/json"]
    document["components"]["mediaTypes"] = {"Body": media}
    for path in document["paths"].values():
        path["post"]["requestBody"] = {"content": {"application/json": {"$ref": "#/components/mediaTypes/Body"}}}
    project.write(document)
    assert project.run() == 0
    assert project.load("acme_one").parse({"a": "x"}).to_dict() == {"a": "x"}


def test_alternatives_that_hold_themselves_are_no_reason_for_a_remark(project, capsys):
    tree = {"oneOf": [{"$ref": "#/components/schemas/Leaf"}, {"$ref": "#/components/schemas/Branch"}]}
    components = {
        "Leaf": shaped(type={"enum": ["text", "number"]}, note=TEXT),
        "Branch": shaped(type={"const": "list", "default": "list"}, items=tree, note=TEXT),
    }
    loads(project, shaped(a=tree), components)
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_member_that_the_platform_sets_is_not_asked_for_beside_another(is_merged, project):
    names = shaped(a=TEXT, b=TEXT, id={**TEXT, "readOnly": True})
    rule = {"dependentRequired": {"a": ["id", "b"], "b": ["id"]}}
    schema = {"allOf": [names, rule]} if is_merged else {**names, **rule}
    project.write(description({"acme/one": schema}))
    assert project.run() == 0
    payload = project.load("acme_one").Payload
    assert payload(b="x").to_dict() == {"b": "x"}
    assert payload(a="x", b="y").to_dict() == {"a": "x", "b": "y"}
    with pytest.raises(PayloadError, match="b"):
        payload(a="x")


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        ({"enum": ["ab", "abcd"], "maxLength": 3}, "ab", "abcd"),
        ({"enum": [1, "x", 5], "minimum": 2}, "x", 1),
        ({"enum": [[1], [1, 2]], "maxItems": 1}, [1], [1, 2]),
        ({"enum": [{"a": 1}, {"b": 1}], "required": ["a"]}, {"a": 1}, {"b": 1}),
        ({"anyOf": [{"const": "abcd", "maxLength": 3}, {"const": "ab"}]}, "ab", "abcd"),
    ],
)
def test_values_that_have_no_type_beside_them_are_held_to_their_limits(schema, taken, refused, project):
    project.write(description({"acme/one": {"type": "object", "properties": {"a": schema}}}))
    assert project.run() == 0
    cls = project.load("acme_one").Payload
    assert cls(a=taken).to_dict() == {"a": taken}
    with pytest.raises(PayloadError):
        cls(a=refused)


def test_members_that_read_the_same_are_each_remarked_of_and_are_each_their_own(project, capsys):
    wrong = {"type": "integer", "maximum": 3, "default": 4}
    inner = {"type": "object", "properties": {"a": TEXT}}
    project.write(description({"acme/one": shaped(a=wrong, b=wrong, c=inner), "acme/two": shaped(c=inner, d=wrong)}))
    assert project.run() == 0
    places = re.findall(r"acme~1(\w+)/\S*/properties/(\w)/default", capsys.readouterr().err)
    assert places == [("one", "a"), ("one", "b"), ("two", "d")]
    one, two = (project.load(f"acme_{name}") for name in ("one", "two"))
    assert one.parse({"a": 1, "b": 2, "c": {"a": "x"}}).to_dict() == {"a": 1, "b": 2, "c": {"a": "x"}}
    assert two.parse({"c": {"a": "x"}, "d": 3}).to_dict() == {"c": {"a": "x"}, "d": 3}
