"""A request body that is a form, or JSON and a form: what goes as which, and by whose rules."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest
from jsonschema import Draft202012Validator

from generator.__main__ import main
from skills_video_runtime import AsyncClient, Client, File, PayloadError
from skills_video_runtime.errors import InvalidRequest
from skills_video_runtime.sandbox import Sandbox
from tests.support.project import description, navigation, operation

TEXT = {"type": "string"}
FILE = {"type": "string", "format": "binary"}
URI = {"type": "string", "format": "uri"}
MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
CAT = File(b"cat", name="cat.png")


def shaped(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def made(project, bodies, version="3.1.0"):
    """Generate a model whose endpoints take these bodies, by media type."""
    item = operation({})
    item["post"]["requestBody"]["content"] = {kind: {"schema": schema} for kind, schema in bodies.items()}
    openapi = description({"acme/one": item}, version=version)
    project.write(openapi)
    assert project.run("generate", "--strict") == 0
    return project.load("acme_one")


def both(project, schema, form):
    return made(project, {"application/json": schema, MULTIPART: form})


JSON = "application/json"
MODES = (
    shaped("prompt", prompt=TEXT, image_url=URI),
    shaped("prompt", "image", "mode", prompt=TEXT, image=FILE, mode={"enum": ["a", "b"]}),
)


def refused(build):
    with pytest.raises(PayloadError) as error:
        build()
    return {(violation.path, violation.rule) for violation in error.value.violations}


def test_what_a_form_requires_is_asked_where_a_form_is_sent(project):
    payload = both(project, *MODES).Payload
    assert not payload(prompt="x", image_url="https://a.example/b").goes_as_form()
    assert payload(prompt="x", image=CAT, mode="a").goes_as_form()
    assert refused(partial(payload, prompt="x", image=CAT)) == {("mode", "required")}
    assert refused(partial(payload, prompt="x", mode="a")) == {("image", "required")}
    assert refused(partial(payload, prompt="x", image=CAT, mode="c")) == {("mode", "enum")}


def test_a_field_of_the_form_alone_makes_a_payload_a_form(project):
    module = both(project, shaped("prompt", prompt=TEXT), shaped("prompt", prompt=TEXT, style=TEXT))
    assert module.parse({"prompt": "x", "style": "y"}).goes_as_form()
    assert not module.parse({"prompt": "x"}).goes_as_form()


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        (shaped("prompt", prompt=TEXT), {"type": "object"}),
        (shaped("prompt", prompt=TEXT), {"type": "object", "additionalProperties": FILE}),
        ({"type": "object"}, shaped("prompt", prompt=TEXT)),
        ({"type": "object"}, {"type": "object", "additionalProperties": TEXT}),
    ],
)
def test_one_of_both_may_name_no_field(schema, form, project):
    module = both(project, schema, form)
    name = next(iter(schema.get("properties", ["other"])))
    assert not module.parse({name: "x"}).goes_as_form()
    if schema.get("required"):
        assert refused(partial(module.parse, {})) == {("prompt", "required")}


@pytest.mark.parametrize("kind", [MULTIPART, URLENCODED])
@pytest.mark.parametrize("value", [{"note": None}, {"notes": ["a", None]}])
def test_a_form_without_a_file_has_no_null_either(kind, value, project):
    note = {"type": ["string", "null"]}
    module = made(project, {kind: shaped(note=note, notes={"type": "array", "items": note})})
    assert refused(module.parse(value).to_multipart) == {(next(iter(value)), "type")}


def test_what_json_requires_is_not_asked_of_a_form(project):
    images = {"type": "array", "items": URI}
    payload = both(
        project, shaped("images", images=images, prompt=TEXT), shaped("image", image=FILE, prompt=TEXT)
    ).Payload
    assert payload(image=CAT, prompt="x").goes_as_form()
    assert refused(payload) == {("images", "required")}
    assert refused(partial(payload, image=CAT, images=["https://a.example/b"])) == {("images", "additionalProperties")}


LIMITS = {
    "length": ({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 3}, "abcd"),
    "number": ({"type": "integer", "maximum": 5}, {"type": "integer", "maximum": 3}, 4),
    "enum": ({"enum": ["a", "b"]}, {"enum": ["a"]}, "b"),
    "type": ({"type": ["string", "integer"]}, TEXT, 5),
    "items": ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"]),
    "object": (shaped(a=TEXT, b=TEXT), shaped(a=TEXT), {"b": "x"}),
    "pattern": ({**TEXT, "pattern": "^[a-z]+$"}, {**TEXT, "pattern": "^[a-c]+$"}, "x"),
}  # fmt: skip


@pytest.mark.parametrize("case", LIMITS)
@pytest.mark.parametrize("stricter", ["form", "json"])
def test_json_and_form_obey_their_own_limits(case, stricter, project):
    wide, narrow, value = LIMITS[case]
    schema, form = shaped(a=wide, image=URI), shaped(a=narrow, image=FILE)
    if stricter == "json":
        schema, form = shaped(a=narrow, image=URI), shaped(a=wide, image=FILE)
    module = both(project, schema, form)
    taken, refuses = {"a": value}, {"a": value, "image": CAT}
    if stricter == "json":
        taken, refuses = refuses, taken
    assert module.parse(taken).to_dict() == taken
    with pytest.raises(PayloadError):
        module.parse(refuses)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ({"type": "array", "items": FILE}, [CAT]),
        (shaped(inner=FILE), {"inner": CAT}),
        ({"type": "object", "additionalProperties": FILE}, {"inner": CAT}),
    ],
    ids=["array", "object", "map"],
)
def test_a_form_may_take_files_in_a_field_that_is_of_another_type_in_json(kind, value, project):
    module = both(project, shaped(image=URI), shaped(image=kind))
    assert module.parse({"image": value}).goes_as_form()
    assert not module.parse({"image": "https://a.example/b"}).goes_as_form()
    assert refused(partial(module.parse, {"image": 5}))


def test_variants_are_paired_and_what_the_form_has_alone_is_one_more(project):
    def kind(name, *required, **more):
        return {"title": name, **shaped("kind", *required, kind={"const": name}, **more)}

    schema = {"anyOf": [kind("One", a=TEXT), kind("Two", b=URI)]}
    form = {"anyOf": [kind("Two", "n", b=FILE, n=TEXT), kind("One", a=TEXT), kind("Three", c=TEXT)]}
    module = both(project, schema, form)
    assert type(module.parse({"kind": "Three", "c": "x"})) is module.Three
    assert module.Three(c="x").goes_as_form()
    assert not module.One(a="x").goes_as_form()
    assert module.Two(b=CAT, n="x").goes_as_form()
    assert refused(lambda: module.Two(b=CAT)) == {("n", "required")}


def test_a_default_of_the_form_alone_makes_no_form_of_json(project):
    style = {**TEXT, "default": "plain"}
    payload = both(project, shaped(a={**TEXT, "default": "x"}), shaped(a=TEXT, image=FILE, style=style)).Payload
    assert payload().with_defaults().to_dict() == {"a": "x"}
    assert payload(image=CAT).with_defaults().to_dict() == {"a": "x", "image": CAT, "style": "plain"}


def test_the_json_schema_takes_what_the_class_takes(project):
    schema = shaped("a", a={**TEXT, "maxLength": 3}, only=TEXT)
    module = both(project, schema, shaped("a", "mode", a={**TEXT, "maxLength": 5}, mode=TEXT))
    rules = Draft202012Validator(module.Payload.json_schema())
    for value in ({"a": "x"}, {"a": "abcd"}, {"a": "abcd", "mode": "x"}, {"a": "abcdef", "mode": "x"}, {"only": "x"},
                  {"a": "x", "only": "x"}, {"a": "x", "only": "x", "mode": "x"}, {"mode": "x"}):  # fmt: skip
        try:
            module.parse(value)
            taken = True
        except PayloadError:
            taken = False
        assert rules.is_valid(value) == taken, value


SENT = {
    "JSON beside a form": ({JSON: MODES[0], MULTIPART: MODES[1]}, {"prompt": "x"}, JSON),
    "a form beside JSON": (
        {JSON: MODES[0], MULTIPART: MODES[1]},
        {"prompt": "x", "image": CAT, "mode": "b"},
        MULTIPART,
    ),
    "a field of the form alone": (
        {"application/json": shaped(prompt=TEXT), MULTIPART: shaped(prompt=TEXT, n={"type": "integer"})},
        {"prompt": "x", "n": 5},
        MULTIPART,
    ),
    "a form alone": ({MULTIPART: shaped("a", a=TEXT, image=FILE)}, {"a": "x"}, MULTIPART),
    "a form alone, with a file": ({MULTIPART: shaped("a", a=TEXT, image=FILE)}, {"a": "x", "image": CAT}, MULTIPART),
    "urlencoded alone": ({URLENCODED: shaped("a", a=TEXT, n={"type": "integer"})}, {"a": "a&b=ü", "n": 5}, URLENCODED),
    "a list, urlencoded": ({URLENCODED: shaped(a={"type": "array", "items": TEXT})}, {"a": ["x", "y"]}, URLENCODED),
    "both forms": ({URLENCODED: shaped(prompt=TEXT), MULTIPART: shaped(prompt=TEXT)}, {"prompt": "x"}, MULTIPART),
}  # fmt: skip


@pytest.mark.parametrize("case", SENT)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_payload_arrives_as_the_body_that_it_is(case, kind, project):
    bodies, data, media_type = SENT[case]
    module = made(project, bodies)
    with Sandbox(openapi=project.openapi, speed=1000) as sandbox:
        if kind == "sync":
            with Client(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
                name = client.generate(module.parse(data)).id
                told = client.get(name).input
        else:

            async def generate():
                async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.05) as client:
                    result = await client.generate(module.parse(data))
                    return (await client.get(result.id)).input

            told = asyncio.run(generate())
        [post] = [seen for seen in sandbox.seen if seen.method == "POST"]
    assert post.headers["content-type"].partition(";")[0] == media_type
    assert ("/sse/" in post.path) == (media_type == "application/json")
    echo = {name: value for name, value in told.items() if not isinstance(data[name], File)}
    assert echo == {name: value for name, value in data.items() if not isinstance(value, File)}


def test_the_sandbox_judges_a_form_by_its_own_schema(project):
    module = made(project, {URLENCODED: shaped(n={"type": "integer"})})
    other = json.loads(project.openapi.read_text())
    for path in ("/generation/acme/one", "/generation/sse/acme/one"):
        content = other["paths"][path]["post"]["requestBody"]["content"]
        content[URLENCODED]["schema"] = shaped(n={"type": "integer", "maximum": 3})
    project.openapi.write_text(json.dumps(other))
    with Sandbox(openapi=project.openapi) as sandbox, Client(sandbox.api_key, sandbox.url) as client:
        with pytest.raises(InvalidRequest, match="maximum of 3"):
            client.submit(module.Payload(n=4))
        assert sandbox.seen[-1].path.endswith("/generation/acme/one")


@pytest.mark.parametrize(
    ("encoding", "is_warned"),
    [
        ({"style": "form", "explode": False}, True),
        ({"style": "pipeDelimited"}, True),
        ({"style": "form", "explode": True}, False),
        ({"contentType": "image/png"}, False),
    ],
)
def test_a_way_of_writing_that_is_not_followed_is_warned_of(encoding, is_warned, project, capsys):
    item = operation({})
    form = {"schema": shaped(tags={"type": "array", "items": TEXT}), "encoding": {"tags": encoding}}
    item["post"]["requestBody"]["content"] = {MULTIPART: form}
    project.write(description({"acme/one": item}))
    assert project.run("list", "--strict") == int(is_warned)
    assert ("multipart~1form-data/encoding/tags: is not followed" in capsys.readouterr().err) == is_warned


def form_of(limit, *required):
    return shaped("a", *required, a={**TEXT, "maxLength": limit}, image=FILE, mode=TEXT)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (form_of(50), form_of(40), "a: must have at most 40 characters now, not 50 (as a form)"),
        (form_of(50), form_of(50, "mode"), "mode: is required now (as a form)"),
        (shaped("a", a={**TEXT, "maxLength": 80}, image=FILE), form_of(50), "not 80 (as a form)"),
    ],
)
def test_what_a_form_alone_no_longer_takes_is_told(before, after, told, tmp_path, capsys):
    for name, form in (("old", before), ("new", after)):
        folder = tmp_path / name
        folder.mkdir()
        item = operation(shaped("a", a={**TEXT, "maxLength": 80}), form=form)
        (folder / "openapi.json").write_text(json.dumps(description({"acme/one": item})))
        (folder / "docs.json").write_text(json.dumps(navigation("POST /generation/acme/one")))
    assert main(["changes", "--fail-on-breaking", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    assert told in capsys.readouterr().out


LIST = {"type": "array", "items": URI}
EITHER = {"anyOf": [FILE, URI]}


@pytest.mark.parametrize(
    ("before", "after", "form", "told"),
    [
        (shaped(a=URI), shaped("a", a=URI), shaped(a=FILE), "a: is required now (as JSON)"),
        (
            shaped(a=URI),
            shaped(a={"type": "integer"}),
            shaped(a=EITHER),
            "a: takes an integer now, not an address (as JSON)",
        ),
        (
            shaped(a=LIST),
            shaped(a={**LIST, "maxItems": 2}),
            shaped(a={**LIST, "items": EITHER}),
            "a: must have at most 2",
        ),
        (
            shaped(b=TEXT),
            shaped("a", a=TEXT, b=TEXT),
            shaped(a=FILE, b=TEXT),
            "a: is new and required: a string (as JSON)",
        ),
    ],
)
def test_what_json_alone_no_longer_takes_is_told(before, after, form, told, tmp_path, capsys):
    for name, schema in (("old", before), ("new", after)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "openapi.json").write_text(json.dumps(description({"acme/one": operation(schema, form=form)})))
        (folder / "docs.json").write_text(json.dumps(navigation("POST /generation/acme/one")))
    assert main(["changes", "--fail-on-breaking", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    assert told in capsys.readouterr().out
