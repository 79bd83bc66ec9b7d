"""Payloads that are nested deeply, whose objects may be one of several that hold each other."""

from __future__ import annotations

import time

import pytest

from skills_video_runtime import PayloadError
from tests.support.project import Project, description

DEPTH = 64
TREE = {"$ref": "#/components/schemas/Tree"}


def node(kind, **members):
    properties = {"kind": {"const": kind}, "child": TREE, "list": {"type": "array", "items": TREE}, **members}
    return {"type": "object", "properties": properties, "required": ["kind"]}


def among(*names, keyword="anyOf"):
    return {keyword: [{"$ref": f"#/components/schemas/{name}"} for name in names]}


COMPONENTS = {
    "constants": {"A": node("a"), "B": node("b"), "C": node("c"), "Tree": among("A", "B", "C")},
    "one-of": {"A": node("a"), "B": node("b"), "C": node("c"), "Tree": among("A", "B", "C", keyword="oneOf")},
    "members": {
        "A": node("a", x={"type": "integer"}),
        "B": {**node("a", y={"type": "integer"}), "required": ["kind", "y"]},
        "Tree": among("A", "B"),
    },
}


@pytest.fixture(scope="module", params=COMPONENTS)
def module(request, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("deep"))
    project.write(
        description({"acme/one": {"type": "object", "properties": {"tree": TREE}}}, COMPONENTS[request.param])
    )
    assert project.run() == 0
    return project.load("acme_one")


def nested(depth, way, **last):
    value = last
    for _ in range(depth):
        value = way(value)
    return {"tree": value}


WAYS = [
    lambda value: {"kind": "a", "child": value},
    lambda value: {"kind": "a", "list": [value]},
]


@pytest.mark.parametrize("way", WAYS, ids=["member", "array"])
@pytest.mark.parametrize("last", [{"kind": "a"}, {"kind": "zzz"}, {}, {"kind": "a", "surplus": 1}])
def test_time_grows_with_the_depth_and_does_not_double(way, last, module):
    start = time.process_time()
    value = nested(DEPTH, way, **last)
    if last == {"kind": "a"}:
        assert module.parse(value).to_dict() == value
    else:
        with pytest.raises(PayloadError):
            module.parse(value)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("way", WAYS, ids=["member", "array"])
def test_what_is_nested_beyond_measure_is_a_violation(way, module):
    with pytest.raises(PayloadError, match="nested too deeply"):
        module.parse(nested(10_000, way, kind="a"))
