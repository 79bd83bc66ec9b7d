"""What a description says beyond limits: defaults, texts, forms with files, tags, keywords that nobody can check."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import sys
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

from skills_video_runtime import UNSET, Default, File, PayloadError, Unset
from tests.support.children import finished
from tests.support.project import description, operation

TEXT = {"type": "string"}
URI = {"type": "string", "format": "uri"}
FILE = {"type": "string", "format": "binary"}
CAT = File(b"meow", name="cat.png")


def shaped(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def made(project, schema, *, form=None, components=None, version="3.1.0"):
    project.write(description({"acme/one": operation(schema, form=form)}, components, version))
    assert project.run() == 0
    return project.load("acme_one")


def hints(cls):
    return get_type_hints(cls, include_extras=True)


def default_of(cls, name):
    options = get_args(hints(cls)[name])
    return [item.value for option in options if get_origin(option) is Annotated
            for item in get_args(option)[1:] if isinstance(item, Default)]  # fmt: skip


DEFAULTS = {
    "string": ({"type": "string"}, "x"),
    "number": ({"type": "number", "minimum": 0}, 0.5),
    "zero": ({"type": "integer"}, 0),
    "false": ({"type": "boolean"}, False),
    "empty": ({"type": "string"}, ""),
    "null": ({"type": ["string", "null"]}, None),
    "enum": ({"enum": [5, 10]}, 5),
    "array": ({"type": "array", "items": TEXT}, ["a"]),
    "empty array": ({"type": "array", "items": TEXT}, []),
    "object": (shaped(x=TEXT), {"x": "y"}),
    "map": ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
    "union": ({"anyOf": [{"type": "integer"}, TEXT]}, "auto"),
    "reference": ({"$ref": "#/components/schemas/Ratio"}, "16:9"),
}
RATIO = {"Ratio": {"type": "string", "enum": ["16:9", "9:16"]}}


@pytest.mark.parametrize("case", DEFAULTS)
def test_default_is_shown_and_left_to_the_server(case, project):
    schema, default = DEFAULTS[case]
    module = made(project, shaped(a={**schema, "default": default}), components=RATIO)
    assert module.Payload().a is UNSET
    assert module.Payload().to_dict() == {}
    assert f"Default({default!r})" in project.text("acme_one.py").replace('"', "'")


@pytest.mark.parametrize("case", DEFAULTS)
def test_default_is_pinned_on_demand_and_part_of_the_template(case, project):
    schema, default = DEFAULTS[case]
    module = made(project, shaped(a={**schema, "default": default}), components=RATIO)
    assert module.Payload().with_defaults().to_dict() == {"a": default}
    assert module.Payload.template() == {"a": default}
    assert module.parse(module.Payload.template()).to_dict() == {"a": default}


def test_default_of_what_a_reference_leads_to_is_shown(project):
    components = {
        "Ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "9:16", "description": "Shape of a frame"}
    }
    module = made(project, shaped(a={"$ref": "#/components/schemas/Ratio"}), components=components)
    assert default_of(module.Payload, "a") == ["9:16"]
    assert '"""Shape of a frame. Default "9:16"."""' in project.text("acme_one.py")


def test_default_beside_a_reference_wins_over_that_behind_it(project):
    components = {"Ratio": {"type": "string", "default": "9:16"}}
    module = made(project, shaped(a={"$ref": "#/components/schemas/Ratio", "default": "16:9"}), components=components)
    assert default_of(module.Payload, "a") == ["16:9"]


CONTRADICTIONS = {
    "type": ({"type": "integer"}, "5"),
    "enum": ({"type": "string", "enum": ["a", "c"]}, "b"),
    "maximum": ({"type": "integer", "maximum": 4}, 5),
    "null": ({"type": "string"}, None),
    "item": ({"type": "array", "items": {"type": "integer"}}, ["a"]),
    "pattern": ({"type": "string", "pattern": "^a"}, "b"),
    "uri": (URI, "cat.png"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_default_that_contradicts_its_schema_is_reported_shown_and_not_obeyed(case, project, capsys):
    schema, default = CONTRADICTIONS[case]
    module = made(project, shaped(a={**schema, "default": default}))
    err = capsys.readouterr().err
    assert "/properties/a/default: the default " in err
    assert err.startswith(f"warning: {project.openapi.as_posix()}#/paths/")
    assert f"Default({default!r})" in project.text("acme_one.py").replace('"', "'")
    assert module.Payload().with_defaults().to_dict() == {}
    assert module.Payload.template() == {}


def test_required_field_with_a_default_is_still_required(project):
    module = made(project, shaped("a", a={"type": "integer", "default": 5}))
    with pytest.raises((TypeError, PayloadError)):
        module.Payload()
    assert module.Payload.template() == {"a": 5}


def test_wire_name_stands_in_metadata(project):
    module = made(project, shaped("9:16", **{"9:16": TEXT, "class": TEXT, "plain": TEXT}))
    wires = {field.name: field.metadata.get("wire") for field in dataclasses.fields(module.Payload)}
    assert wires == {"field_9_16": "9:16", "class_": "class", "plain": None}
    payload = module.Payload(field_9_16="a", class_="b", plain="c")
    assert payload.to_dict() == {"9:16": "a", "class": "b", "plain": "c"}


def test_violation_names_the_field_as_the_platform_spells_it_in_plain_data(project):
    module = made(project, shaped("9:16", **{"9:16": TEXT}))
    with pytest.raises(PayloadError) as caught:
        module.parse({"9:16": 3})
    assert caught.value.violations[0].path == "['9:16']"


VARIANTS = {"anyOf": [
    {"title": "A", **shaped(kind={"const": "a"}, x=TEXT)},
    {"title": "B", **shaped("kind", kind={"const": "b"}, x=TEXT)},
]}  # fmt: skip


def test_a_constant_that_tells_variants_apart_is_always_sent(project):
    module = made(project, VARIANTS)
    assert module.A().to_dict() == {"kind": "a"}
    assert module.B(x="y").to_dict() == {"kind": "b", "x": "y"}


def test_an_optional_constant_that_was_absent_stays_absent_in_parsed_data(project):
    assert made(project, VARIANTS).parse({"x": "y"}).to_dict() == {"x": "y"}


def test_a_constant_that_tells_nothing_apart_is_sent_where_it_is_required(project):
    module = made(project, shaped("a", a={"const": "x"}, b={"const": "y"}))
    assert module.Payload().to_dict() == {"a": "x"}


def test_a_constant_of_another_value_is_refused(project):
    with pytest.raises(PayloadError, match="kind"):
        made(project, VARIANTS).A(kind="b")


def test_discriminator_mapping_gives_variants_their_constant(project):
    components = {"Cat": shaped("pet", pet=TEXT, lives={"type": "integer"}), "Dog": shaped("pet", pet=TEXT)}
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "pet", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}},
    }
    module = made(project, schema, components=components)
    assert module.Cat().to_dict() == {"pet": "cat"}
    assert type(module.parse({"pet": "dog"})) is module.Dog
    with pytest.raises(PayloadError, match="pet"):
        module.parse({"pet": "cow"})


def test_discriminator_mapping_that_contradicts_a_variant_is_reported(project, capsys):
    components = {"Cat": shaped("pet", pet={"const": "cat"}), "Dog": shaped("pet", pet={"const": "dog"})}
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "pet", "mapping": {"dog": "#/components/schemas/Cat", "hound": "Dog"}},
    }
    module = made(project, schema, components=components)
    err = capsys.readouterr().err
    assert err.count("the mapping of 'pet' contradicts the values that the variant allows") == 2
    assert module.parse({"pet": "cat"}).to_dict() == {"pet": "cat"}


def test_descriptions_are_docstrings(project):
    inner = {"description": "Where it looks.", **shaped(zoom={"type": "number", "description": "How near."})}
    made(project, {"description": "All of it.", **shaped("camera", camera=inner)})
    tree = ast.parse(project.text("acme_one.py"))
    assert ast.get_docstring(tree) == "Acme One (acme/one)"
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert ast.get_docstring(classes["Payload"]) == "All of it.\n\nArgs:\n    camera: Where it looks."
    assert ast.get_docstring(classes["Camera"]) == "Where it looks.\n\nArgs:\n    zoom: How near."
    fields = [node.value.value for node in classes["Camera"].body if isinstance(node, ast.Expr)]
    assert fields[1:] == ["How near."]


def test_docstrings_are_seen_at_run_time(project):
    module = made(project, {"description": "All of it.", **shaped(a=TEXT)})
    assert inspect.getdoc(module.Payload) == "All of it.\n\nArgs:\n    a: Not described."
    assert inspect.getdoc(module) == "Acme One (acme/one)"


FORMS = {
    "field": (shaped(a=URI), shaped(a={"anyOf": [URI, FILE]}), lambda value: {"a": value}),
    "file alone": (shaped(a=URI), shaped(a=FILE), lambda value: {"a": value}),
    "array": (shaped(a={"type": "array", "items": URI}), shaped(a={"type": "array", "items": {"anyOf": [URI, FILE]}}),
              lambda value: {"a": [value]}),
    "array of files": (shaped(a={"type": "array", "items": URI}), shaped(a={"type": "array", "items": FILE}),
                       lambda value: {"a": [value]}),
    "nullable": (shaped(a={"anyOf": [URI, {"type": "null"}]}), shaped(a={"anyOf": [URI, FILE, {"type": "null"}]}),
                 lambda value: {"a": value}),
    "nested": (shaped(a=shaped("x", x=URI)), shaped(a=shaped("x", x={"oneOf": [URI, FILE]})),
    lambda value: {"a": {"x": value}}),
    "array of objects": (shaped(a={"type": "array", "items": shaped("x", x=URI)}),
                         shaped(a={"type": "array", "items": shaped("x", x={"anyOf": [URI, FILE]})}),
                         lambda value: {"a": [{"x": value}]}),
    "required": (shaped("a", a=URI), shaped("a", a={"anyOf": [FILE, URI]}), lambda value: {"a": value}),
    "content media type": (shaped(a=URI), shaped(a={"type": "string", "contentMediaType": "image/png"}),
    lambda value: {"a": value}),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_a_form_makes_a_field_take_a_file_too(case, project):
    schema, form, data = FORMS[case]
    module = made(project, schema, form=form)
    payload = module.parse(data(CAT))
    assert payload.goes_as_form()
    assert payload.to_dict() == data(CAT)
    assert "Uri | File" in project.text("acme_one.py")


@pytest.mark.parametrize("case", FORMS)
def test_a_form_leaves_addresses_as_they_are(case, project):
    schema, form, data = FORMS[case]
    module = made(project, schema, form=form)
    payload = module.parse(data("https://a.example/cat.png"))
    assert not payload.goes_as_form()
    with pytest.raises(PayloadError):
        module.parse(data("cat.png"))


def test_a_form_of_a_union_reaches_the_variant_of_the_same_title(project):
    def variant(kind, **more):
        return {"title": kind.upper(), **shaped("kind", kind={"const": kind}, **more)}

    schema = {"anyOf": [variant("text", prompt=TEXT), variant("image", image=URI), variant("video", video=URI)]}
    form = {
        "anyOf": [
            variant("video", video=URI),
            variant("image", image={"anyOf": [URI, FILE]}),
            variant("text", prompt=TEXT),
        ]
    }
    module = made(project, schema, form=form)
    assert module.parse({"kind": "image", "image": CAT}).goes_as_form()
    with pytest.raises(PayloadError):
        module.parse({"kind": "video", "video": CAT})
    with pytest.raises(PayloadError):
        module.parse({"kind": "text", "prompt": CAT})


def kind(name, **properties):
    return {**shaped(kind={"const": name}, mode={"const": 1}, **properties), "required": ["kind"]}


@pytest.mark.parametrize(
    ("body", "form", "taken", "refused"),
    [
        (
            {"anyOf": [kind("a", x=URI), kind("b", x=URI)]}, {"anyOf": [kind("b", x=FILE), kind("a", x=URI)]},
            [{"kind": "b", "x": CAT}], [{"kind": "a", "x": CAT}],
        ),
        (
            {"anyOf": [kind("a", x=URI), kind("b", y=URI)]},
            shaped(kind={"enum": ["a", "b"]}, x=FILE, y=FILE, z=FILE),
            [{"kind": "a", "x": CAT, "z": CAT}, {"kind": "b", "y": CAT, "z": CAT}],
            [{"kind": "a", "y": CAT}, {"kind": "b", "x": CAT}],
        ),
        (
            shaped(kind={"enum": ["a", "b"]}, x=URI, y=URI, z=URI),
            {"anyOf": [kind("a", x=FILE), kind("b", y=FILE)]},
            [{"kind": "a", "x": CAT, "y": CAT}], [{"kind": "a", "z": CAT}],
        ),
    ],
    ids=["other-order", "flat-form", "flat-body"],
)  # fmt: skip
def test_a_form_that_lists_alternatives_otherwise_reaches_those_it_is_about(body, form, taken, refused, project):
    module = made(project, body, form=form)
    for value in taken:
        assert module.parse(value).goes_as_form()
    for value in refused:
        with pytest.raises(PayloadError):
            module.parse(value)


def test_a_field_that_only_the_form_has_takes_its_file(project):
    module = made(project, shaped(prompt=TEXT), form=shaped(prompt=TEXT, upload=FILE))
    payload = module.Payload(upload=CAT)
    assert payload.to_multipart() == ([], [("upload", CAT)])
    with pytest.raises(PayloadError):
        module.Payload(upload="https://a.example/cat.png")


def test_a_form_that_says_the_same_as_its_json_body_changes_nothing(project):
    schema = shaped("a", a={**URI, "maxLength": 90}, b={"type": "array", "items": TEXT, "maxItems": 2})
    made(project, schema)
    before = project.text("acme_one.py")
    project.write(description({"acme/one": operation(schema, form=schema)}))
    assert project.run() == 0
    assert project.text("acme_one.py") == before


def test_a_body_that_is_a_form_alone_is_taken(project):
    openapi = description({"acme/one": shaped(prompt=TEXT)})
    for item in openapi["paths"].values():
        content = item["post"]["requestBody"]["content"]
        content["multipart/form-data"] = {"schema": shaped("image", image=FILE)}
        del content["application/json"]
    project.write(openapi)
    assert project.run() == 0
    assert project.load("acme_one").Payload(image=CAT).goes_as_form()


def test_a_form_below_a_reference_is_read(project):
    components = {
        "Json": shaped(a=URI),
        "Form": shaped(a={"$ref": "#/components/schemas/Media"}),
        "Media": {"anyOf": [URI, FILE]},
    }
    module = made(
        project,
        {"$ref": "#/components/schemas/Json"},
        form={"$ref": "#/components/schemas/Form"},
        components=components,
    )
    assert module.Payload(a=CAT).goes_as_form()


UNCHECKED = {
    "not": {"const": "x"},
    "if": {"minLength": 1},
    "patternProperties": {"^a": TEXT},
    "propertyNames": {"maxLength": 3},
    "contains": TEXT,
    "prefixItems": [TEXT],
    "dependentSchemas": {"a": {"required": ["b"]}},
    "unevaluatedItems": False,
}


@pytest.mark.parametrize("keyword", UNCHECKED)
def test_a_keyword_that_is_not_checked_is_reported(keyword, project, capsys):
    made(project, shaped(a={keyword: UNCHECKED[keyword]}))
    err = capsys.readouterr().err
    [line] = err.splitlines()
    assert line.startswith(f"warning: {project.openapi.as_posix()}#/paths/")
    assert f"/properties/a/{keyword}: {keyword!r} is not checked" in line


MODE = {"mode": {"enum": ["a", "b"]}}
WHOLE = {"type": "integer"}
PARTLY_CHECKED = {
    "then": ({**shaped(**MODE), "if": shaped(mode={"const": "a"}), "then": {**shaped(x=WHOLE), "required": ["x"]}},
             [{"mode": "a", "x": 1}], [{"mode": "a", "x": "1"}, {"y": 1}]),
    "else": ({**shaped(**MODE), "if": shaped(mode={"const": "a"}), "then": shaped(x=WHOLE), "else": shaped(x=TEXT)},
             [{"mode": "a", "x": 1}, {"mode": "b", "x": "1"}], [{"x": True}]),
    "allOf": ({**shaped(**MODE), "allOf": [{"if": shaped(mode={"const": "a"}), "then": {"properties": {"x": WHOLE}}}]},
              [{"mode": "a", "x": 1}], [{"x": "1"}, {"y": 1}]),
    "closed": ({**shaped(**MODE), "if": True, "then": shaped(x=WHOLE), "additionalProperties": False},
               [{"mode": "a"}], [{"x": 1}]),
    "dependentSchemas": (
        {**shaped(a=TEXT), "dependentSchemas": {"a": shaped(b=TEXT)}}, [{"a": "", "b": ""}], [{"b": 1}],
    ),
    "patternProperties": (
        {**shaped(a=TEXT), "patternProperties": {"^x-": WHOLE}}, [{"a": "", "x-b": 1}], [{"x-b": ""}],
    ),
    "patternProperties-closed": (
        {**shaped(a=TEXT), "patternProperties": {"^x-": WHOLE}, "additionalProperties": False},
        [{"a": "", "x-b": 1}], [{"x-b": ""}],
    ),
    "patternProperties-of-a-map": (
        shaped(a={"type": "object", "patternProperties": {"^x-": WHOLE}, "additionalProperties": False}),
        [{"a": {"x-b": 1}}], [{"a": {"x-b": ""}}],
    ),
    "patternProperties-and-the-rest": (
        {**shaped(a=TEXT), "patternProperties": {"^x-": WHOLE}, "unevaluatedProperties": {"type": "null"}},
        [{"x-b": 1, "c": None}], [{"c": ""}],
    ),
    "prefixItems": (
        shaped(a={"type": "array", "prefixItems": [WHOLE, TEXT], "items": False}),
        [{"a": []}, {"a": [1]}, {"a": [1, "x"]}], [{"a": [1, "x", 2]}, {"a": [None]}],
    ),
    "prefixItems-of-a-fixed-size": (
        shaped(a={"type": "array", "prefixItems": [WHOLE, WHOLE], "minItems": 2, "maxItems": 2}), [{"a": [1, 2]}],
        [{"a": [1]}, {"a": [1, "x"]}],
    ),
    "prefixItems-before-others": (
        shaped(a={"type": "array", "prefixItems": [WHOLE], "items": TEXT}), [{"a": [1, "x", "y"]}], [{"a": [None]}],
    ),
    "prefixItems-before-any": (shaped(a={"type": "array", "prefixItems": [WHOLE]}), [{"a": [1, None]}], [{"a": 1}]),
}  # fmt: skip


@pytest.mark.parametrize("case", PARTLY_CHECKED)
def test_what_a_keyword_that_is_not_checked_allows_is_taken(case, project):
    schema, allowed, refused = PARTLY_CHECKED[case]
    module = made(project, schema)
    for value in allowed:
        assert module.parse(value).to_dict() == value
    for value in refused:
        with pytest.raises(PayloadError):
            module.parse(value)


def test_members_that_only_unevaluated_properties_allow_are_reported_or_taken(project, capsys):
    module = made(project, {**shaped(a=TEXT), "unevaluatedProperties": {"type": "integer"}})
    if "unevaluatedProperties" not in capsys.readouterr().err:
        assert module.parse({"a": "x", "b": 1}).to_dict() == {"a": "x", "b": 1}


@pytest.mark.parametrize("keyword", ["x-order", "example", "deprecated", "readOnly", "title", "$comment"])
def test_an_annotation_is_no_reason_for_a_remark(keyword, project, capsys):
    made(project, shaped(a={"type": "string", keyword: "x"}))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("pattern", ["^\\p{Script=Greek}+$", "(", "[", 3])
def test_a_pattern_that_python_does_not_read_is_reported_and_not_checked(pattern, project, capsys):
    module = made(project, shaped(a={"type": "string", "pattern": pattern}))
    assert "/properties/a/pattern: " in capsys.readouterr().err
    assert module.Payload(a="anything").to_dict() == {"a": "anything"}


def test_siblings_of_a_reference_are_reported_in_3_0_where_they_do_not_count(project, capsys):
    schema = shaped(a={"$ref": "#/components/schemas/Text", "maxLength": 2})
    module = made(project, schema, components={"Text": TEXT}, version="3.0.3")
    assert "/properties/a: OpenAPI 3.0 ignores 'maxLength' next to '$ref'" in capsys.readouterr().err
    assert module.Payload(a="abc")


def test_siblings_of_a_reference_count_in_3_1(project):
    module = made(project, shaped(a={"$ref": "#/components/schemas/Text", "maxLength": 2}), components={"Text": TEXT})
    with pytest.raises(PayloadError):
        module.Payload(a="abc")


NULLABLE = {
    "nullable": ({"type": "string", "nullable": True}, "3.0.3"),
    "nullable-reference": ({"allOf": [{"$ref": "#/components/schemas/Text"}], "nullable": True}, "3.0.3"),
    "nullable-enum": ({"type": "string", "enum": ["x", None], "nullable": True}, "3.0.3"),
    "nullable-all-of": ({"type": "string", "nullable": True, "allOf": [{"maxLength": 1}, TEXT]}, "3.0.3"),
    "nullable-any-of": ({"type": "string", "nullable": True, "anyOf": [TEXT, {"type": "integer"}]}, "3.1.0"),
    "nullable-one-of": ({"type": "string", "nullable": True, "oneOf": [{"maxLength": 1}]}, "3.0.3"),
    "type-array": ({"type": ["string", "null"]}, "3.1.0"),
    "any-of": ({"anyOf": [TEXT, {"type": "null"}]}, "3.1.0"),
    "one-of": ({"oneOf": [TEXT, {"type": "null"}]}, "3.1.0"),
}


@pytest.mark.parametrize("case", NULLABLE)
def test_null_is_typed_and_taken_in_every_spelling(case, project):
    schema, version = NULLABLE[case]
    module = made(project, shaped(a=schema, b=TEXT), components={"Text": TEXT}, version=version)
    assert module.Payload(a=None).to_dict() == {"a": None}
    assert module.Payload(a="x").to_dict() == {"a": "x"}
    assert type(None) in get_args(hints(module.Payload)["a"])
    with pytest.raises(PayloadError):
        module.Payload(b=None)


def test_exclusive_limits_of_3_0_are_read(project):
    schema = {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": True}
    module = made(project, shaped(a=schema), version="3.0.3")
    assert module.Payload(a=0.5)
    for value in (0, 1):
        with pytest.raises(PayloadError):
            module.Payload(a=value)


def test_optional_field_is_typed_as_unset_and_required_one_is_not(project):
    module = made(project, shaped("a", a=TEXT, b=TEXT))
    assert Unset in get_args(hints(module.Payload)["b"])
    assert hints(module.Payload)["a"] is str


@pytest.mark.parametrize("changed", ["/generation/acme/one", "/generation/sse/acme/one"])
def test_a_stream_that_takes_something_else_than_its_create_endpoint_is_noted(changed, project, capsys):
    document = description({"acme/one": operation(shaped(a=TEXT), description="x")})
    document["paths"][changed]["post"] |= operation(shaped(a=URI | {"maxLength": 9}), summary="Acme", description="y")[
        "post"
    ]
    project.write(document)
    assert project.run("generate", "--strict") == 0
    err = capsys.readouterr().err
    assert err.startswith(f"note: {project.openapi.as_posix()}#/paths/~1generation~1sse~1acme~1one/post/requestBody/")
    is_create = "sse" not in changed
    expected = "Annotated[Uri, MaxLen(9)]" if is_create else "str"
    assert f"    a: {expected} | Unset = UNSET" in project.text("acme_one.py")
    assert f'"""{"Acme (acme/one): y" if is_create else "Acme One (acme/one): x"}"""' in project.text("acme_one.py")


@pytest.mark.parametrize(
    ("parameter", "is_reported"),
    [
        ({"name": "workspace", "in": "query", "required": True}, True),
        ({"name": "workspace", "in": "query"}, False),
        ({"name": "Authorization", "in": "header", "required": True}, False),
        ({"name": "authorization", "in": "query", "required": True}, True),
    ],
)
@pytest.mark.parametrize("place", ["operation", "path"])
def test_a_parameter_that_no_payload_can_hold_is_reported(place, parameter, is_reported, project, capsys):
    document = description({"acme/one": shaped(a=TEXT)})
    item = document["paths"]["/generation/acme/one"]
    (item if place == "path" else item["post"])["parameters"] = [parameter]
    project.write(document)
    assert project.run("generate", "--strict") == is_reported
    pointer = "/paths/~1generation~1acme~1one" + ("" if place == "path" else "/post")
    line = f"#{pointer}/parameters/0: the parameter {parameter['name']!r} is required"
    assert (line in capsys.readouterr().err) is is_reported


def test_bodies_that_say_the_same_in_other_words_are_alike(project, capsys):
    document = description({"acme/one": shaped(a={"type": ["string", "null"]})})
    document["paths"]["/generation/sse/acme/one"] = operation(shaped(a={"anyOf": [TEXT, {"type": "null"}]}))
    project.write(document)
    assert project.run() == 0
    assert capsys.readouterr().err == ""


def test_a_request_body_by_reference_is_read(project):
    openapi = description({"acme/one": shaped(a=TEXT)})
    body = openapi["paths"]["/generation/acme/one"]["post"]["requestBody"]
    openapi["components"]["requestBodies"] = {"One": body}
    for item in openapi["paths"].values():
        item["post"]["requestBody"] = {"$ref": "#/components/requestBodies/One"}
    project.write(openapi)
    assert project.run() == 0
    assert project.load("acme_one").Payload(a="x")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.acme+json"]
)
def test_json_is_known_in_any_spelling(media_type, project):
    openapi = description({"acme/one": shaped(a=TEXT)})
    for item in openapi["paths"].values():
        content = item["post"]["requestBody"]["content"]
        content[media_type] = content.pop("application/json")
    project.write(openapi)
    assert project.run() == 0
    assert project.load("acme_one").Payload(a="x")


def loaded(code):
    """Run code in a process of its own and give what it has imported."""
    code = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = finished([sys.executable, "-c", code], check=True)
    return set(json.loads(done.stdout))


ONE_MODEL = "from skills_video import google_veo_3_1\ngoogle_veo_3_1.Payload(prompt='cat', duration=8)"


def test_one_model_is_imported_without_the_others_and_without_http():
    names = loaded(ONE_MODEL)
    assert "skills_video.google_veo_3_1" in names
    models = {name for name in names if name.startswith("skills_video.")}
    assert models == {"skills_video.google_veo_3_1"}
    roots = {name.partition(".")[0] for name in names}
    assert not roots & {
        "httpx",
        "httpx_sse",
        "httpcore",
        "anyio",
        "pydantic",
        "pydantic_core",
        "jsonschema",
        "generator",
    }


def test_package_alone_imports_no_model_and_no_runtime():
    names = loaded("import skills_video")
    assert not {name for name in names if name.startswith("skills_video.")}
    assert not {"httpx", "pydantic"} & names


def test_catalog_imports_no_model():
    names = loaded("from skills_video.catalog import MODELS\nassert len(MODELS) > 30")
    assert {name for name in names if name.startswith("skills_video.")} == {"skills_video.catalog"}
    assert not {"httpx", "pydantic"} & names


def test_package_knows_its_modules_and_no_others():
    code = (
        "import skills_video\nassert 'kling_v2_6' in dir(skills_video)\nassert skills_video.kling_v2_6.ENDPOINT\n"
        "try:\n    skills_video.nothing\nexcept AttributeError as error:\n    assert 'nothing' in str(error)\n"
        "else:\n    raise SystemExit('found')"
    )
    loaded(code)
