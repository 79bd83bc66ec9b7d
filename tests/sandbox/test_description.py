"""Descriptions: which are taken, and what is said of those that are not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.sandbox import DescriptionError, Sandbox
from skills_video_runtime.sandbox.description import load, modernised
from skills_video_runtime.sandbox.validation import Judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JSON = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}


def described(folder: Path, paths: Mapping[str, Any], **more: Any) -> Path:
    file = folder / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths, **more}))
    return file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON .it is nested deeper than 64"),
        ("[]", "has no POST below /generation/"),
        ('{"paths": []}', "has no POST below /generation/"),
        ('{"paths": {"/generation/m": {"post": {}}, "/generation/x": null}}', "has no POST below /generation/"),
    ],
)
def test_a_file_that_describes_nothing_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(text)
    with pytest.raises(DescriptionError, match=told) as caught:
        Sandbox(openapi=file)
    assert str(file) in str(caught.value)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"absent\.json: cannot be read"):
        Sandbox(openapi=tmp_path / "absent.json")


def test_paths_may_have_a_prefix(tmp_path: Path) -> None:
    paths = {"/v1/generation/a/b": {"post": JSON}, "/api/v1/generation/sse/a/b": {"post": JSON}, "/generation/{id}": {}}
    operations = load(described(tmp_path, paths)).operations
    assert {key: (operation.model, operation.stream) for key, operation in operations.items()} == {
        "a/b": ("a/b", False),
        "sse/a/b": ("a/b", True),
    }


BODY = {"requestBody": {"$ref": "#/components/requestBodies/Body"}}


@pytest.mark.parametrize("item", [{"post": BODY}, {"$ref": "#/components/pathItems/Item"}])
def test_what_a_path_refers_to_is_followed(tmp_path: Path, item: dict[str, Any]) -> None:
    content = {
        "application/json; charset=utf-8": {"schema": {"type": "object", "required": ["a"]}},
        "multipart/form-data": None,
    }
    components = {"requestBodies": {"Body": {"content": content}}, "pathItems": {"Item": {"post": BODY}}}
    description = load(described(tmp_path, {"/generation/m": item}, components=components))
    operation = description.operations["m"]
    assert operation.bodies.keys() == {"application/json"}
    assert Judge(description).errors(operation.bodies["application/json"], {}) == ["'a' is a required property"]


def test_a_reference_is_decoded_as_a_uri_is(tmp_path: Path) -> None:
    body = {"$ref": "#/components/requestBodies/A%20B"}
    schema = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/100%25"}}}}
    components = {"requestBodies": {"A B": schema}, "schemas": {"100%": {"properties": {"a": {"default": 1}}}}}
    file = described(tmp_path, {"/generation/m": {"post": {"requestBody": body}}}, components=components)
    assert Sandbox(openapi=file).models == ["m"]
    description = load(file)
    pointer = description.operations["m"].bodies["application/json"]
    assert Judge(description).normalised(pointer, {}) == {"a": 1}


UNUSABLE: dict[str, Any] = {
    "'objekt' is not valid": {"type": "objekt"},
    "is not a 'regex'": {"properties": {"a": {"pattern": "(["}}},
    "#/components/schemas/B: there is no such schema": {"$ref": "#/components/schemas/A"},
    "refers to other.json": {"items": {"$ref": "other.json"}},
    "5 is not of type 'object'": 5,
}


@pytest.mark.parametrize("told", UNUSABLE)
def test_a_schema_that_cannot_judge_is_refused_at_once(tmp_path: Path, told: str) -> None:
    content = {"application/json": {"schema": UNUSABLE[told]}}
    components = {"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}, "C": {"type": "unused"}}}
    paths = {"/generation/m": {"post": {"requestBody": {"content": content}}}}
    file = described(tmp_path, paths, components=components)
    with pytest.raises(DescriptionError) as caught:
        Sandbox(openapi=file)
    assert str(caught.value).startswith(f"{file}: #/")
    assert told in str(caught.value)


def test_a_reference_among_data_is_no_reference(tmp_path: Path) -> None:
    content = {
        "application/json": {"schema": {"type": "object", "examples": [{"$ref": "a.json"}], "default": {"$ref": 5}}}
    }
    Sandbox(openapi=described(tmp_path, {"/generation/m": {"post": {"requestBody": {"content": content}}}}))


def test_a_field_may_have_the_name_of_a_keyword_of_the_older_dialect() -> None:
    properties = {"nullable": {"type": "string"}, "exclusiveMinimum": {"type": "integer"}}
    assert modernised({"properties": properties, "nullable": False}) == {"properties": properties}


def test_the_older_dialect_is_rewritten() -> None:
    older = {
        "type": "number",
        "nullable": True,
        "default": 2,
        "minimum": 1,
        "exclusiveMinimum": True,
        "maximum": 3,
        "exclusiveMaximum": False,
    }
    newer = {"type": "number", "default": 2, "exclusiveMinimum": 1, "maximum": 3}
    assert modernised({"items": [older]}) == {"items": [{"anyOf": [newer, {"type": "null"}], "default": 2}]}


def test_references_lead_through_the_description(tmp_path: Path) -> None:
    schema = {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}
    content = {"application/json": {"schema": schema}}
    components = {
        "schemas": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}, "c": {"default": 1}}},
            "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}, "d": {"default": 2}}},
        }
    }
    file = described(
        tmp_path, {"/generation/m": {"post": {"requestBody": {"content": content}}}}, components=components
    )
    description = load(file)
    judge = Judge(description)
    pointer = description.operations["m"].bodies["application/json"]
    assert judge.errors(pointer, {"b": {"a": 3}}) == ["b.a: 3 is not of type 'object'"]
    assert judge.normalised(pointer, {"b": {"a": {}}}) == {"b": {"a": {"c": 1}, "d": 2}, "c": 1}


@pytest.mark.parametrize(
    ("uri", "valid"),
    [
        ("https://a.example/b?c#d", True),
        ("data:image/png;base64,AAAA", True),
        ("s3://bucket/key", True),
        ("https://", False),
        ("http:///a", False),
        ("//a.example", False),
        ("a.png", False),
        ("https://a.example/a b", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_addresses_are_checked(tmp_path: Path, uri: str, valid: bool) -> None:
    content = {"application/json": {"schema": {"type": "string", "format": "uri"}}}
    description = load(described(tmp_path, {"/generation/m": {"post": {"requestBody": {"content": content}}}}))
    assert Judge(description).accepts(description.operations["m"].bodies["application/json"], uri) == valid
