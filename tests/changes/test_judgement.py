"""jsonschema as the judge of what breaks: a value that was taken and no longer is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from generator.changes.change import COSMETIC
from generator.changes.models import compare
from generator.diagnostics import GeneratorError
from generator.schema.subset import Subset
from tests.changes.pairs import LENIENT
from tests.generator.schema.test_forms import COMPONENTS, FORMS
from tests.support.judge import judge, values
from tests.support.project import description
from tests.support.revisions import revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.run import Found

MOST = 8
"""Updates of each form that are tried."""

SAMPLES = 16
"""Values of each schema that are put to the judges of both."""

NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
OTHERS = [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"enum": ["a", 5]}, {"type": "null"}]


def mutants(schema: Any) -> Iterator[Any]:
    """Give a schema with one thing changed, for each thing in it that can be."""
    for mutant in _here(schema):
        yield mutant
    for keyword in ("properties", "items", "additionalProperties", "anyOf", "oneOf", "allOf"):
        below = schema.get(keyword)
        keys: Any = ()
        if keyword == "properties" and isinstance(below, dict):
            keys = below
        elif isinstance(below, list):
            keys = range(len(below))
        for key in keys:
            for mutant in mutants(below[key]) if isinstance(below[key], dict) else ():
                yield {**schema, keyword: _put(below, key, mutant)}
        if keyword in ("items", "additionalProperties") and isinstance(below, dict):
            for mutant in mutants(below):
                yield {**schema, keyword: mutant}


def _put(below: Any, key: Any, value: Any) -> Any:
    result = copy.copy(below)
    result[key] = value
    return result


def _without(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in schema.items() if name not in names}


def _here(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in (*NUMBERS, *COUNTS):
        if name in schema:
            yield _without(schema, name)
            yield {**schema, name: schema[name] + 1}
            yield {**schema, name: max(schema[name] - 1, 0)}
    for name in ("pattern", "format", "uniqueItems", "multipleOf", "dependentRequired", "additionalProperties"):
        if name in schema:
            yield _without(schema, name)
    yield from _values(schema)
    if "properties" in schema:
        yield from _objects(schema)
    elif not {"$ref", "const", "enum", "anyOf", "oneOf", "allOf"} & schema.keys() and schema.get("type") != "object":
        yield {"anyOf": [schema, {"type": "null"}]}
        yield from OTHERS
    for keyword, other in (("anyOf", "oneOf"), ("oneOf", "anyOf")):
        if len(schema.get(keyword, ())) > 1:
            yield {**schema, keyword: schema[keyword][:-1]}
            yield {**schema, keyword: schema[keyword][::-1]}
        if keyword in schema and "discriminator" not in schema:
            yield {**_without(schema, keyword), other: schema[keyword]}


def _values(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if len(schema.get("enum", ())) > 1:
        yield {**schema, "enum": schema["enum"][1:]}
        yield {**schema, "enum": [*schema["enum"], "new"]}
        yield {**schema, "enum": schema["enum"][::-1]}
    if "const" in schema:
        yield {**schema, "const": "other"}
    if schema.get("type") == "string" and "const" not in schema:
        yield {**schema, "maxLength": 4}
        yield {**schema, "pattern": "^a"}
    if schema.get("type") == "array":
        yield {**schema, "uniqueItems": True}
        yield {**schema, "maxItems": 1}


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    properties, required = schema["properties"], schema.get("required", [])
    is_closed = "additionalProperties" not in schema and "unevaluatedProperties" not in schema
    for name in properties:
        rest = {other: item for other, item in properties.items() if other != name}
        if rest:
            yield {**schema, "properties": rest, "required": [other for other in required if other != name]}
        others = [other for other in required if other != name]
        yield {**schema, "required": others if name in required else [*required, name]}
    if is_closed:
        yield {**schema, "properties": {**properties, "fresh": {"type": "string"}}}
        yield {**schema, "additionalProperties": True}
    yield {**schema, "additionalProperties": False}
    yield {**schema, "minProperties": 2}


def sampled(schema: Any, components: Any) -> list[Any]:
    """Give values that a schema allows, almost allows, or does not allow."""
    found: list[Any] = []

    @settings(max_examples=SAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              derandomize=True)  # fmt: skip
    @given(value=values(schema, {**schema, "components": {"schemas": components}}))
    def collect(value):
        found.append(value)

    collect()
    return found


def is_fair(schema: Any) -> bool:
    """Tell whether jsonschema can judge: of an option that requires nothing it does not know that we close it."""
    if isinstance(schema, list):
        return all(map(is_fair, schema))
    if not isinstance(schema, dict):
        return True
    options = [option for option in schema.get("oneOf", ()) if isinstance(option, dict) and "properties" in option]
    return all(option.get("required") for option in options) and all(map(is_fair, schema.values()))


def is_subset(old: Found, new: Found) -> bool:
    [before], [after] = old.selection.models, new.selection.models
    return Subset(before.known, after.known).holds(before.request, after.request)


def required_beside(schema: Any) -> Iterator[str]:
    """Give the members that are required beside a reference: what it does not describe, jsonschema would refuse."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield from schema.get("required", ())
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from required_beside(part)


def updates(form: str) -> Iterator[tuple[Any, Any]]:
    """Give a form with one thing changed: in itself, or in a component that it refers to."""
    schema = FORMS[form]
    for mutant in mutants(schema):
        yield mutant, COMPONENTS
    for name in COMPONENTS:
        if f"schemas/{name}" in repr(schema):
            for mutant in mutants(COMPONENTS[name]):
                is_tagged = "discriminator" not in repr(schema) or "pet" in mutant.get("required", ())
                if is_tagged and set(required_beside(schema)) <= mutant.get("properties", {}).keys():
                    yield schema, {**COMPONENTS, name: mutant}


@pytest.mark.parametrize("form", FORMS)
def test_what_refuses_a_value_that_was_taken_breaks(form, tmp_path):
    old = revision(tmp_path / "old", description({"acme/one": FORMS[form]}, COMPONENTS))
    before = judge(FORMS[form], components=COMPONENTS)
    samples = sampled(FORMS[form], COMPONENTS)
    every = [update for update in updates(form) if is_fair(update[0])]
    for mutant, components in every[:: max(len(every) // MOST, 1)]:
        try:
            new = revision(tmp_path / "new", description({"acme/one": mutant}, components))
        except GeneratorError:
            continue
        if not new.selection.models or any(LENIENT in remark.message for remark in (*old.warnings, *new.warnings)):
            continue
        after = judge(mutant, components=components)
        tried = [*samples, *sampled(mutant, components)]
        tried = [value for value in tried if "fresh" not in repr(value)]
        differing = [value for value in tried if before.is_valid(value) != after.is_valid(value)]
        for left, revisions in ((before, (old, new)), (after, (new, old))):
            found = compare(*revisions)
            refused = [value for value in differing if left.is_valid(value)]
            assert not (refused and is_subset(*revisions)), (mutant, refused)
            assert not refused or any(change.breaking for change in found), (mutant, refused, found)
            assert not differing or any(change.kind not in COSMETIC for change in found), (mutant, differing)


@pytest.mark.parametrize("form", FORMS)
def test_what_stays_is_no_change(form, tmp_path):
    document = description({"acme/one": FORMS[form]}, COMPONENTS)
    revisions = revision(tmp_path / "old", document), revision(tmp_path / "new", document)
    assert compare(*revisions) == []
    assert is_subset(*revisions)
