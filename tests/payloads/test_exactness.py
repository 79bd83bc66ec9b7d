"""Every payload class accepts what its schema accepts, and nothing else."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from skills_video.catalog import MODELS
from tests.support.faults import LOOSER, STRICTER, chosen, planted
from tests.support.probe import disagreements, judged, named, stated, varied

ROOT = Path(__file__).parents[2]
DESCRIPTION = json.loads((ROOT / "specs" / "openapi.json").read_text("utf-8"))
SCHEMAS = {
    info.module: DESCRIPTION["paths"][info.endpoint.stream]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    for info in MODELS
}
SOURCES = {
    info.module: (ROOT / "generated" / "skills_video" / f"{info.module}.py").read_text("utf-8") for info in MODELS
}
PLANTED = chosen(SOURCES)
NESTED = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "mode": {"const": "path"},
                "path": {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {
                        "type": "object",
                        "properties": {
                            "x": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                            "step": {"anyOf": [{"type": "integer", "multipleOf": 5}, {"type": "null"}]},
                        },
                        "required": ["x"],
                        "additionalProperties": False,
                    },
                },
            },
            "required": ["mode", "path"],
        },
        {"type": "object", "properties": {"mode": {"enum": ["off", "auto"]}}, "required": ["mode"]},
    ]
}


@pytest.mark.parametrize("module", SCHEMAS)
def test_class_and_jsonschema_agree_wherever_one_thing_is_varied(module):
    assert list(disagreements(importlib.import_module(f"skills_video.{module}"), SCHEMAS[module])) == []


def check_that_each_keyword_refuses(schema, words=()):
    verdicts = judged(json.dumps(schema), words)
    refused = {(probe.place, probe.keyword) for probe, allowed in verdicts if not allowed}
    assert sorted(set(stated(schema)) - refused) == []
    assert {allowed for _, allowed in verdicts} == {True, False}


@pytest.mark.parametrize("module", SCHEMAS)
def test_each_keyword_of_each_member_has_refused_something(module):
    check_that_each_keyword_refuses(SCHEMAS[module], named(importlib.import_module(f"skills_video.{module}")))


def test_the_probe_reaches_items_and_members_of_members():
    check_that_each_keyword_refuses(NESTED)


@pytest.mark.parametrize("keyword", ["pattern", "allOf", "$ref", "maxProperties"])
def test_a_keyword_that_the_probe_does_not_know_is_told(keyword):
    with pytest.raises(AssertionError, match=f"does not know .*{keyword[1:]}"):
        list(varied({"type": "object", "properties": {"a": {keyword: 1}}}))


def test_faults_are_of_all_kinds_and_in_many_modules():
    assert (len(STRICTER), len(LOOSER), len(PLANTED)) == (12, 17, 29)
    assert len({fault.module for fault in PLANTED}) > 10


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: f"{fault.module}-{fault.kind}".replace(" ", "-"))
def test_a_fault_in_an_annotation_is_noticed(fault):
    found = next(disagreements(planted(fault, SOURCES[fault.module]), SCHEMAS[fault.module]), None)
    assert found is not None
    assert found.allowed == (fault.kind in STRICTER)
