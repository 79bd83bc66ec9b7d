"""Tool schemas: what each dialect documents that it takes, for all models and for schemas of other kinds."""

from __future__ import annotations

import importlib
import json
import re
from functools import cache

import jsonschema
import pytest

import skills_video
from skills_video import catalog
from tests.support import project

DIALECTS = ("anthropic", "openai", "openai-strict", "gemini")
STRICT_KEYWORDS = {
    *("type", "description", "enum", "anyOf", "properties", "required", "additionalProperties", "items"),
    *("minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
GEMINI_KEYWORDS = {
    *("type", "description", "enum", "anyOf", "properties", "required", "items", "nullable", "default"),
    *("minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength"),
}
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
LIMITS = (*NUMBERS, "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")

NODE = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}}
WIDTH = {"type": "integer", "maximum": 77}
BOX = {"type": "object", "properties": {"x": WIDTH, "y": WIDTH, "box": {"$ref": "#/components/schemas/Box"}}}
DEEP = {"type": "integer"}
for _ in range(5):
    DEEP = {"type": "array", "items": DEEP}
ODD = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string", "minLength": 2, "maxLength": 90, "allOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
        "step": {"type": "number", "exclusiveMinimum": 3, "multipleOf": 0.5},
        "mixed": {"enum": ["auto", 5, 7, None]},
        "many": {"enum": [f"voice-{number}" for number in range(900)]},
        "either": {"oneOf": [{"type": "string", "maxLength": 7}, {"type": "array", "items": {"type": "integer"}}]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 11},
        "anything": {},
        "node": {"$ref": "#/components/schemas/Node"},
        "boxes": {"type": "array", "minItems": 2, "uniqueItems": True, "items": {**BOX, "required": ["x"]}},
        "drawn": {"oneOf": [{"type": "integer"}, BOX]},
        "bare": {"type": "object", "additionalProperties": False},
        "size[w]": {"type": "integer"},
        "first": {"type": "string"},
        "second": {"type": "string"},
        "deep": DEEP,
    },
    "required": ["prompt", "labels"],
    "dependentRequired": {"second": ["first"]},
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Models of other kinds than the platform's: everything a description may hold, and names that no tool may have."""
    place = project.Project(tmp_path_factory.mktemp("odd"))
    photos = {"type": "array", "items": {"type": "string", "format": "binary"}}
    form = project.operation(BOX, form={**BOX, "properties": {**BOX["properties"], "photos": photos}})
    models = {"acme/photos": form, "acme/odd": ODD, f"acme/{'very-long-name-' * 6}one": ODD}
    place.write(project.description(models, {"Node": NODE, "Box": BOX}), project.navigation(*project.pages_of(models)))
    assert place.run() == 0
    return place.load("catalog")


def schema_of(tool):
    tool = tool.get("function", tool)
    return tool.get("parameters", tool.get("input_schema"))


def parts_of(schema):
    """Give a schema and all schemas inside it."""
    yield schema
    inside = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inside += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    for part in inside:
        yield from parts_of(part)


def depth_of(schema):
    inside = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inside += [schema[name] for name in ("items",) if name in schema]
    return ("properties" in schema or "items" in schema) + max(map(depth_of, inside), default=0)


def packages():
    return pytest.mark.parametrize("package", ["platform", "odd"])


@cache
def all_tools(catalog, dialect):
    return catalog.tools(dialect=dialect)


@pytest.fixture
def tools(request, package, dialect):
    if package == "platform":
        return all_tools(catalog, dialect)
    return all_tools(request.getfixturevalue("odd"), dialect)


every = pytest.mark.parametrize("dialect", DIALECTS)


@packages()
@every
def test_every_dialect_has_one_tool_a_variant_with_a_name_of_its_own(tools, package, dialect):
    names = [tool.get("function", tool)["name"] for tool in tools]
    assert len(set(names)) == len(names)
    if package == "platform":
        assert len(names) == sum(len(info.variants) for info in catalog.MODELS)
        assert {info.module for info in catalog.MODELS} == {name.partition("-")[0] for name in names}
    assert [name for name in names if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_-]{0,62}", name)] == []


@packages()
@every
def test_no_schema_has_a_union_or_a_reference_at_the_top_or_a_name_that_no_field_may_have(tools, package, dialect):
    for tool in tools:
        schema = schema_of(tool)
        assert schema["type"] == "object"
        assert set(schema) <= {"type", "properties", "required", "additionalProperties"}
        assert "$ref" not in json.dumps(schema)
        for part in parts_of(schema):
            assert all(re.fullmatch("[a-zA-Z0-9_]{1,64}", name) for name in part.get("properties", {}))
        assert 0 < len(tool.get("function", tool)["description"]) <= 1024


@packages()
@every
def test_limits_stand_in_words_too(tools, package, dialect):
    for tool in tools:
        for name, field in schema_of(tool)["properties"].items():
            texts = " ".join(part.get("description", "") for part in parts_of(field))
            for part in parts_of(field):
                missing = [limit for limit in LIMITS if limit in part and str(part[limit]) not in texts]
                assert missing == [], (tool, name)


@packages()
@pytest.mark.parametrize("dialect", ["openai-strict"])
def test_strict_schemas_are_what_structured_outputs_document(tools, package, dialect):
    properties = values = characters = 0
    for tool in tools:
        assert tool["function"]["strict"] is True
        schema = schema_of(tool)
        assert depth_of(schema) <= 5
        for part in parts_of(schema):
            assert set(part) <= STRICT_KEYWORDS
            assert "type" in part or "anyOf" in part
            if part.get("type") == "object":
                assert part["additionalProperties"] is False
                assert part["required"] == list(part["properties"])
                properties += len(part["properties"])
                characters += sum(map(len, part["properties"]))
            values += len(part.get("enum", ()))
            characters += sum(len(str(value)) for value in part.get("enum", ()))
    assert properties <= 5000
    assert values <= 1000 or package == "platform"  # each tool is a schema of its own
    assert characters <= 120_000


@packages()
@pytest.mark.parametrize("dialect", ["gemini"])
def test_gemini_gets_its_own_subset(tools, package, dialect):
    for tool in tools:
        for part in parts_of(schema_of(tool)):
            assert set(part) <= GEMINI_KEYWORDS
            assert part.get("type") != "null"
            assert "type" in part or "anyOf" in part
            if "enum" in part:
                assert part["type"] == "string"
                assert all(isinstance(value, str) for value in part["enum"])
            if part.get("type") == "object":
                assert part["properties"]
            if part.get("type") == "array":
                assert part["items"]


@packages()
@pytest.mark.parametrize("dialect", ["anthropic", "openai-strict"])
def test_what_says_json_schema_is_json_schema(tools, package, dialect):
    for tool in tools[:12]:
        jsonschema.Draft202012Validator.check_schema(schema_of(tool))


def examples():
    """Give a payload for each variant that its class takes: what is required, and each other field by its default."""
    for info in catalog.MODELS:
        for variant in info.variants:
            cls = getattr(importlib.import_module(f"skills_video.{info.module}"), variant)
            yield f"{info.module}-{variant}", cls, {name: filled(name, value) for name, value in cls.template().items()}


def filled(name, value):
    if value is not None:
        return value
    if name.endswith("urls"):
        return ["https://example.com/a.png"]
    return "https://example.com/a.png"


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "openai-strict"])
def test_what_a_class_takes_its_tool_takes_and_call_gives_back(dialect):
    schemas = {tool.get("function", tool)["name"]: schema_of(tool) for tool in skills_video.tools(dialect=dialect)}
    for name, cls, data in examples():
        arguments = data
        if dialect == "openai-strict":
            arguments = {field: data.get(field) for field in schemas[name]["properties"]}
        jsonschema.Draft202012Validator(schemas[name]).validate(arguments)
        done = skills_video.call(name, json.dumps(arguments))
        assert done.violations == ()
        assert type(done.payload) is cls
        assert done.payload.to_dict() == cls(**data).to_dict()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"prompt": "a", "duration": 7}, [("duration", "enum", 5)]),
        ({"prompt": None, "aspect_ratio": "16:10"}, [("prompt", "type", None), ("aspect_ratio", "enum", "1:1")]),
        ({"generate_audio": "yes"}, [("prompt", "required", None), ("generate_audio", "type", None)]),
        ("{", [("", "json", None)]),
        ("[" * 100_000, [("", "json", None)]),
        ('{"duration": ' + '{"a":' * 900 + "1" + "}" * 901, [("", "json", None)]),
        (json.loads('{"duration": ' + '{"a":' * 900 + "1" + "}" * 901), [("", "type", None)]),
        ('{"prompt": "a", "prompt": "b"}', [("", "json", None)]),
        ('{"prompt": "\\ud800"}', [("", "json", None)]),
        ("[]", [("", "json", None)]),
        (None, [("", "type", None)]),
    ],
)
def test_wrong_arguments_come_back_as_data(arguments, expected):
    done = skills_video.call("kling_v2_6-TextImageToVideo", arguments)
    assert done.payload is None
    told = [(item.path, item.rule) for item in done.violations]
    assert told == [(path, rule) for path, rule, _ in expected]
    answer = json.loads(json.dumps(done.to_dict()))
    assert answer["ok"] is False
    nearest = [item["nearest"] for item in answer["violations"]]
    assert [near for near, (_, _, wanted) in zip(nearest, expected, strict=True) if wanted] == [
        wanted for *_, wanted in expected if wanted
    ]


@pytest.mark.parametrize("name", ["kling_v2_6", "kling_v2_6-MotionControll", "", None, "__import__('os')"])
def test_a_tool_that_is_none_is_a_violation_with_the_nearest(name):
    done = skills_video.call(name, {})
    assert done.payload is None
    assert done.violations[0].nearest in {tool["name"] for tool in skills_video.tools()}


def test_arguments_of_another_kind_than_the_platforms_are_read(odd):
    name = "acme_odd-Payload"
    node = {"name": "a", "next": {"name": "b"}}
    whole = {"prompt": "ab", "labels": {"a": "b"}, "node": node, "deep": [[[[[1]]]]], "boxes": [{"x": 1}, {"x": 2}]}
    assert odd.call(name, whole).payload.to_dict() == whole
    texts = {**whole, "labels": json.dumps(whole["labels"]), "boxes": json.dumps(whole["boxes"]), "first": None}
    texts["node"] = {"name": "a", "next": json.dumps(node["next"])}
    texts["deep"] = [[[[json.dumps([1])]]]]
    assert odd.call(name, texts).payload.to_dict() == whole
    refused = odd.call(name, {"prompt": "ab", "labels": "{not json", "second": "b"})
    assert {"labels", "second"} & {item.path for item in refused.violations} or refused.violations[0].path == ""


def test_null_stands_for_what_is_left_out_at_any_depth(odd):
    required = {"prompt": "ab", "labels": "{}"}
    strict = schema_of(odd.tools(["acme_odd"], dialect="openai-strict")[0])
    given = {
        "boxes": [{"x": 1, "y": None, "box": None}, {"x": 2, "y": 3, "box": None}],
        "drawn": {"x": None, "y": 1, "box": None},
    }
    arguments = {**dict.fromkeys(strict["properties"]), **required, **given}
    jsonschema.Draft202012Validator(strict).validate(arguments)
    meant = {"prompt": "ab", "labels": {}, "boxes": [{"x": 1}, {"x": 2, "y": 3}], "drawn": {"y": 1}}
    assert odd.call("acme_odd-Payload", arguments).payload.to_dict() == meant
    for wrong in ({"labels": {"a": None}}, {"boxes": [{"x": None}, {"x": 2}]}, {"boxes": [None, {"x": 2}]}):
        refused = odd.call("acme_odd-Payload", {**required, **wrong})
        assert [(item.rule, item.value) for item in refused.violations] == [("type", None)]


def test_an_object_without_members_is_one_in_each_dialect(odd):
    bare = {}
    for dialect in DIALECTS:
        bare[dialect] = schema_of(odd.tools(["acme_odd"], dialect=dialect)[0])["properties"]["bare"]
    for dialect in ("anthropic", "openai"):
        assert (bare[dialect]["type"], bare[dialect]["additionalProperties"]) == ("object", False)
    arguments = {"prompt": "ab", "labels": {}, "bare": "{}"}
    assert bare["gemini"]["type"] == "string"
    assert odd.call("acme_odd-Payload", arguments).payload.to_dict()["bare"] == {}


def test_a_second_pattern_is_said_too(odd):
    for dialect in DIALECTS:
        text = schema_of(odd.tools(["acme_odd"], dialect=dialect)[0])["properties"]["prompt"]["description"]
        assert "^a" in text
        assert "b$" in text


@pytest.mark.parametrize("value", ["[1]", "a", 1.5, True])
def test_any_value_is_what_it_is(odd, value):
    arguments = {"prompt": "ab", "labels": {}, "anything": value}
    for dialect in ("openai-strict", "gemini"):
        schema = schema_of(odd.tools(["acme_odd"], dialect=dialect)[0])["properties"]["anything"]
        jsonschema.Draft202012Validator(schema).validate(value)
    assert odd.call("acme_odd-Payload", arguments).payload.to_dict()["anything"] == value


def test_what_a_tool_cannot_say_is_said_of_it(odd):
    tool = next(tool for tool in odd.tools(["acme_odd"], dialect="openai-strict"))
    text = tool["function"]["description"]
    assert "'size[w]' cannot be given here" in text
    assert "second needs first too" in text
    [tool] = odd.tools(["acme_photos"])
    assert tool["description"].endswith("'photos' cannot be given here.")


def test_models_are_named_by_id_or_module():
    one = skills_video.tools(["kling-ai/kling-v2.6"])
    assert one == skills_video.tools(["kling_v2_6"]) == skills_video.tools("kling_v2_6")
    with pytest.raises(KeyError, match="nothing"):
        skills_video.tools(["nothing"])
    with pytest.raises(ValueError, match="gemini"):
        skills_video.tools(dialect="grok")
