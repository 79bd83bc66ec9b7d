"""The JSON Schema of a class allows exactly what the class takes, and pydantic and FastAPI can use classes."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import pydantic
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError, validators

from skills_video import catalog, kling_v2_6
from skills_video_runtime import UNSET, File, PayloadError
from skills_video_runtime.json_values import divides
from skills_video_runtime.payloads.constraints import uri_pattern
from tests.generator.schema import corpus
from tests.generator.schema.forms import FORMS
from tests.support.judge import values
from tests.support.project import Project, description

if TYPE_CHECKING:
    from types import ModuleType


def _is_multiple(validator: Any, step: Any, instance: Any, schema: Any) -> Any:
    """Judge fractions as JSON shows them: 0.3 is a multiple of 0.1, which jsonschema's own rule denies."""
    if not isinstance(step, float):
        yield from Draft202012Validator.VALIDATORS["multipleOf"](validator, step, instance, schema)
    elif isinstance(instance, (int, float)) and not isinstance(instance, bool) and not divides(step, instance):
        yield ValidationError("is no multiple")


Judge = validators.extend(Draft202012Validator, {"multipleOf": _is_multiple})


def classes_of(module: ModuleType) -> list[Any]:
    """Give the classes of a module's payloads, those inside others as well."""
    found = [item for item in vars(module).values() if isinstance(item, type) and hasattr(item, "json_schema")]
    return [item for item in found if item.__module__ == module.__name__]


@cache
def adapter_of(cls: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(cls)


def takes(cls: Any, value: Any) -> bool:
    """Tell whether a class takes plain data."""
    try:
        adapter_of(cls).validate_python(value)
    except pydantic.ValidationError:
        return False
    return True


@cache
def judge(cls: Any) -> Any:
    """Make the judge of what a class says of itself."""
    schema = cls.json_schema()
    Draft202012Validator.check_schema(schema)
    return Judge(json.loads(json.dumps(schema)))


def check_that_both_agree(cls: Any, rules: Any, value: Any) -> None:
    """Check that a class and what it says of itself judge a value alike."""
    assert rules.is_valid(value) == takes(cls, value), (cls, value)


MODULES = [info.module for info in catalog.MODELS]


@cache
def judged(name: str) -> list[tuple[Any, Any, Any]]:
    """Give the classes of a module, each with the judge of what it says of itself, and values to judge."""
    found: list[tuple[Any, Any, Any]] = []
    for cls in classes_of(importlib.import_module(f"skills_video.{name}")):
        schema = cls.json_schema()
        found.append((cls, judge(cls), values(schema["$defs"][cls.__name__], schema)))
    return found


@pytest.mark.parametrize("name", MODULES)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_schema_of_a_class_allows_what_the_class_takes(name, data):
    for cls, rules, drawn in judged(name):
        check_that_both_agree(cls, rules, data.draw(drawn))


@pytest.mark.parametrize("name", MODULES)
def test_the_schema_and_the_class_agree_on_every_field(name):
    for cls, rules, _ in judged(name):
        start = filled(cls)
        for field in cls.json_schema()["$defs"][cls.__name__]["properties"]:
            for value in ("x", 5, None, "https://a.example/b", ["https://a.example/b"], "16:9", 1.5, True):
                check_that_both_agree(cls, rules, {**start, field: value})


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return corpus.generate(Project(tmp_path_factory.mktemp("forms")))


def test_the_schemas_of_all_forms_allow_what_their_classes_take(modules):
    wrong = []
    for form in FORMS:
        module, verdicts = modules[form], corpus.read(form)
        variants = getattr(module.Payload, "__args__", (module.Payload,))
        rules = [judge(cls) for cls in variants]
        for value in (*verdicts.allowed, *verdicts.refused):
            told = [rule.is_valid(value) for rule in rules]
            taken = [takes(cls, value) for cls in variants]
            if told != taken:
                wrong.append((form, value, told, taken))
    assert wrong == []


ADDRESSES = st.text(alphabet="htps:/?#[]@!$&'()*+,;=%2FaZ0.-_~ \n", max_size=24)


@settings(deadline=None)
@given(st.one_of(ADDRESSES, ADDRESSES.map("https://a.example/{}".format), ADDRESSES.map("https://{}".format)))
def test_an_address_is_judged_alike_by_schema_and_class(text):
    body = {"prompt": "p", "feature": "motion-control", "image_url": text, "video_url": "https://a.example"}
    cls = kling_v2_6.MotionControl
    assert judge(cls).is_valid(body) == takes(cls, body)


def test_no_possessive_mark_is_left_for_other_dialects():
    assert "++" not in uri_pattern("").replace("*+,;=", "")
    assert "*+" not in uri_pattern("").replace("*+,;=", "")


def test_the_schema_has_texts_defaults_and_what_is_deprecated(project):
    body = {
        "type": "object",
        "properties": {
            "a-b": {"type": "integer", "minimum": 1, "default": 2, "description": "Times."},
            "old": {"type": "string", "deprecated": True},
            "inner": {"type": "object", "properties": {"self": {"type": "array", "items": {"type": "number"}}}},
        },
        "required": ["a-b"],
        "additionalProperties": {"type": "string"},
        "minProperties": 2,
        "dependentRequired": {"old": ["inner"]},
        "description": "Makes it.",
    }
    project.write(description({"acme/one": body}))
    assert project.run() == 0
    schema = project.load("acme_one").Payload.json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    own = schema["$defs"]["Payload"]
    assert own["description"] == "Makes it."
    expected = {"type": "integer", "minimum": 1, "default": 2, "description": "Times. At least 1; default 2."}
    assert own["properties"]["a-b"] == expected
    assert own["properties"]["old"]["deprecated"] is True
    assert own["properties"]["inner"] == {"$ref": "#/$defs/Inner"}
    assert own["required"] == ["a-b"]
    assert own["additionalProperties"] == {"type": "string"}
    assert own["minProperties"] == 2
    assert own["dependentRequired"] == {"old": ["inner"]}


def test_payloads_are_imported_without_pydantic():
    code = (
        "import sys, skills_video.kling_v2_6 as m; m.TextImageToVideo(prompt='p'); m.TextImageToVideo.json_schema();"
        "sys.exit('pydantic' in sys.modules or 'pydantic_core' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", MODULES)
def test_pydantic_reads_writes_and_describes_every_class(name):
    module = importlib.import_module(f"skills_video.{name}")
    for cls in classes_of(module):
        adapter = pydantic.TypeAdapter(cls)
        schema = adapter.json_schema()
        Draft202012Validator.check_schema(schema)
        assert "UNSET" not in json.dumps(schema)
        body = filled(cls)
        payload = adapter.validate_python(deepcopy(body))
        assert isinstance(payload, cls)
        assert adapter.validate_python(payload) is payload
        assert adapter.validate_json(json.dumps(body)) == payload
        assert adapter.dump_python(payload) == body
        assert json.loads(adapter.dump_json(payload)) == body
        with pytest.raises(pydantic.ValidationError, match="nowhere"):
            adapter.validate_python({**body, "nowhere_": object()})
    assert isinstance(pydantic.TypeAdapter(module.Payload).validate_python(body), module.Payload)


def filled(cls: Any) -> dict[str, Any]:
    """Give the least that a class takes."""
    schema = cls.json_schema()["$defs"][cls.__name__]
    body = {key: value for key, value in cls.template().items() if value is not None}
    for name in schema["required"]:
        if name not in body:
            options = schema["properties"][name]
            is_address = "Uri" in json.dumps(options)
            value: Any = "https://a.example/x" if is_address else "some words"
            body[name] = [value] if "array" in json.dumps(options) else value
    return body


def test_pydantic_describes_objects_that_hold_themselves_and_each_other(project):
    tree = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "leaf": {"$ref": "#/components/schemas/Leaf"},
        },
        "required": ["name"],
    }
    leaf = {"type": "object", "properties": {"on": {"$ref": "#/components/schemas/Tree"}}}
    body = {
        "type": "object",
        "properties": {"tree": {"$ref": "#/components/schemas/Tree"}, "leaf": {"$ref": "#/components/schemas/Leaf"}},
        "required": ["tree"],
    }
    project.write(description({"acme/one": body}, {"Tree": tree, "Leaf": leaf}))
    assert project.run() == 0
    module = project.load("acme_one")

    class Order(pydantic.BaseModel):
        first: module.Payload
        second: module.Tree

    for kind in (module.Payload, module.Tree, Order):
        schema = pydantic.TypeAdapter(kind).json_schema()
        Draft202012Validator.check_schema(schema)
        assert set(schema["$defs"]) >= {"Leaf", "Tree"}
    rules = Draft202012Validator(pydantic.TypeAdapter(module.Payload).json_schema())
    deep = {"tree": {"name": "a", "kids": [{"name": "b", "leaf": {"on": {"name": "c"}}}]}}
    assert rules.is_valid(deep)
    deep["tree"]["kids"][0]["leaf"]["on"]["name"] = 5
    assert not rules.is_valid(deep)
    with pytest.raises(pydantic.ValidationError, match="not string"):
        pydantic.TypeAdapter(module.Payload).validate_python(deep)


def test_pydantic_tells_each_violation_at_its_place():
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(kling_v2_6.TextImageToVideo).validate_json('{"duration": 7, "image_url": "no"}')
    told = {error["loc"]: error["type"] for error in caught.value.errors()}
    assert told == {("prompt",): "required", ("duration",): "enum", ("image_url",): "format"}


def test_fastapi_takes_payloads_as_bodies():
    application = FastAPI()

    @application.post("/clip")
    async def clip(payload: kling_v2_6.TextImageToVideo) -> dict[str, Any]:
        return payload.to_dict()

    @application.post("/any")
    async def either(payload: kling_v2_6.Payload) -> kling_v2_6.Payload:
        return payload

    async def asked() -> list[httpx.Response]:
        over = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=over, base_url="http://clips.example") as client:
            return [
                await client.post("/clip", json={"prompt": "p", "duration": 10}),
                await client.post("/any", json={"prompt": "p"}),
                await client.post("/clip", json={"prompt": "p", "duration": 7}),
                await client.get("/openapi.json"),
            ]

    first, second, refused, described = asyncio.run(asked())
    assert first.json() == {"prompt": "p", "duration": 10}
    assert second.json() == {"prompt": "p"}
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "duration"]
    assert set(described.json()["components"]["schemas"]) >= {"TextImageToVideo", "MotionControl"}


def test_a_file_is_no_json_and_pydantic_takes_it_from_python():
    cls = kling_v2_6.TextImageToVideo
    picture = File(b"x", name="a.png")
    taken = pydantic.TypeAdapter(cls).validate_python({"prompt": "p", "image_url": picture})
    assert taken.image_url is picture
    assert taken.end_image_url is UNSET
    assert cls.json_schema()["$defs"]["TextImageToVideo"]["properties"]["image_url"]["$ref"] == "#/$defs/Uri"
    with pytest.raises(PayloadError):
        kling_v2_6.parse({"prompt": "p", "image_url": "a.png"})
