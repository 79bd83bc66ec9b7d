"""What a description offers beside its models: found, written into capabilities.py, or warned of."""

from __future__ import annotations

import copy
import json
import runpy

import pytest

from generator.diagnostics import Diagnostics
from generator.inputs.offered import Endpoint, IdempotencyHeader, Offered
from generator.run import Inputs, read
from skills_video_runtime.capabilities import Capabilities, OnGeneration
from skills_video_runtime.capabilities import IdempotencyHeader as Written
from tests.support.project import description, navigation, pages_of

SCHEMA = {"type": "object", "properties": {"prompt": {"type": "string"}}}
TEXT = {"type": "string"}
KEY = {"name": "Idempotency-Key", "in": "header", "schema": TEXT}
MODELS = ("acme/one", "acme/two")
POST = "#/paths/~1generation~1acme~1one/post/parameters/0"


def platform(**paths):
    document = description(dict.fromkeys(MODELS, SCHEMA))
    document["paths"] |= copy.deepcopy(paths)
    return document


def posts(document, *parameters, kinds=("", "sse/"), models=MODELS):
    for model in models:
        for kind in kinds:
            document["paths"][f"/generation/{kind}{model}"]["post"]["parameters"] = [*parameters]
    return document


def look(project, document):
    """Read a description; give what it offers, and what is warned of."""
    project.write(document, navigation(*pages_of(MODELS)))
    diagnostics = Diagnostics()
    found = read(Inputs.beside(project.openapi, project.docs, None), diagnostics)
    return found.offered, [warning.message for warning in diagnostics.warnings]


def found(project, document):
    offers, warnings = look(project, document)
    assert warnings == []
    return offers


def written(project, document):
    project.write(document, navigation(*pages_of(MODELS)))
    assert project.run() == 0
    return runpy.run_path(str(project.out / "capabilities.py"))["CAPABILITIES"]


def test_a_description_of_models_alone_offers_nothing(project):
    assert found(project, platform()) == Offered()
    assert written(project, platform()) == Capabilities()
    assert "idempotency=None" in project.text("capabilities.py")


ALL = ("create", "stream")
SHARED = platform()
for item in SHARED["paths"].values():
    item["parameters"] = [KEY]
KEYS = {
    "all posts": (posts(platform(), KEY), ALL, False),
    "required": (posts(platform(), KEY | {"required": True}), ALL, True),
    "another spelling": (posts(platform(), KEY | {"name": "x-idempotency-key"}), ALL, False),
    "of the path": (SHARED, ALL, False),
    "create alone": (posts(platform(), KEY, kinds=[""]), ("create",), False),
    "one model": (
        posts(platform(), KEY, models=["acme/one"]),
        ("/generation/acme/one", "/generation/sse/acme/one"),
        False,
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_header_by_which_a_post_can_be_repeated(case, project):
    document, on, required = KEYS[case]
    header = found(project, document).idempotency
    assert (header.on, header.required) == (on, required)
    assert header.name.lower().endswith("idempotency-key")


def test_where_it_stands_is_told(project):
    place = f"openapi.json{POST}"
    header = found(project, posts(platform(), KEY)).idempotency
    assert header == IdempotencyHeader("Idempotency-Key", ALL, required=False, place=place)


ODD_KEYS = {
    "a line break": (KEY | {"name": "Idempotency-Key\r\nX-Evil"}, "is none that can be sent"),
    "a space": (KEY | {"name": "Idempotency Key"}, "is none that can be sent"),
    "quotes": (KEY | {"name": 'Idempotency-Key", required=open("x")'}, "is none that can be sent"),
    "no room for a UUID": (KEY | {"schema": TEXT | {"maxLength": 16}}, "takes no UUID"),
    "a number": (KEY | {"schema": {"type": "integer"}}, "takes no UUID"),
    "another pattern": (KEY | {"schema": TEXT | {"pattern": "^[a-z]+$"}}, "takes no UUID"),
}


@pytest.mark.parametrize("case", ODD_KEYS)
def test_a_header_that_cannot_be_sent_is_none_and_warned_of(case, project):
    parameter, message = ODD_KEYS[case]
    offers, warnings = look(project, posts(platform(), parameter))
    assert offers == Offered()
    assert [warning for warning in warnings if message in warning] == warnings != []


def test_a_header_in_a_query_or_of_another_name_is_none(project):
    others = KEY | {"in": "query"}, KEY | {"name": "X-Request-Id"}
    assert found(project, posts(platform(), *others)).idempotency is None


def test_the_header_of_most_posts_is_the_one(project):
    document = posts(platform(), KEY)
    posts(document, KEY | {"name": "X-Idempotency-Key"}, kinds=["sse/"], models=["acme/two"])
    offers, warnings = look(project, document)
    assert offers.idempotency.name == "Idempotency-Key"
    assert offers.idempotency.on == ("create", "/generation/sse/acme/one")
    assert warnings == ["is not sent: other posts have the header idempotency-key"]


ID = {"name": "id", "in": "path", "required": True, "schema": TEXT}
STREAM = {"200": {"content": {"text/event-stream": {"schema": {}}}}}
OPTIONAL = {"requestBody": {"content": {}}}
ENDPOINTS = {
    "delete": ("cancel", "/generation/{id}", "delete", {}, "/generation/{id}"),
    "post": ("cancel", "/generation/{id}/cancel", "post", {}, "/generation/{id}/cancel"),
    "with /v1": ("cancel", "/v1/generations/{generation_id}/cancel", "put", {}, "/generations/{id}/cancel"),
    "other words": ("cancel", "/predictions/cancel/{id}", "post", {}, "/predictions/cancel/{id}"),
    "an optional body": ("cancel", "/tasks/{id}/cancel", "post", OPTIONAL, "/tasks/{id}/cancel"),
    "subscribe": ("resume", "/predictions/{id}/subscribe", "get", {}, "/predictions/{id}/subscribe"),
    "stream": ("resume", "/generation/{id}/stream/", "get", {"responses": STREAM}, "/generation/{id}/stream"),
    "events": ("resume", "/generation/{gid}/events", "get", {}, "/generation/{id}/events"),
    "sse first": ("resume", "/generation/sse/{id}", "get", {}, "/generation/sse/{id}"),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_an_endpoint_of_one_generation(case, project):
    name, path, method, more, used = ENDPOINTS[case]
    offer = getattr(found(project, platform(**{path: {method: {"parameters": [ID], **more}}})), name)
    pointer = path.replace("/", "~1")
    assert offer == Endpoint(method.upper(), used, f"openapi.json#/paths/{pointer}/{method}")


NO_ENDPOINTS = {
    "an invoice": ("/invoices/{id}/cancel", "post", {}, ""),
    "a subscription": ("/subscriptions/{id}", "delete", {}, ""),
    "two ids": ("/generation/{id}/{part}/cancel", "post", {}, ""),
    "a way out": ("/generation/../{id}/cancel", "post", {}, ""),
    "a line break": ("/generation/{id}/cancel\n", "post", {}, ""),
    "to look": ("/generation/{id}/cancel", "get", {}, ""),
    "a required query": (
        "/generation/{id}/cancel", "post", {"parameters": [{"name": "why", "in": "query", "required": True}]},
        "it asks for the query why",
    ),
    "a required body": (
        "/generation/{id}/cancel", "post", {"requestBody": {"required": True, "content": {}}}, "it asks for a body",
    ),
    "a list of events": (
        "/generation/{id}/events", "get", {"responses": {"200": {"content": {"application/json": {}}}}},
        "it answers no event stream",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_ENDPOINTS)
def test_what_is_no_endpoint_of_a_generation_or_cannot_be_called_is_not_offered(case, project):
    path, method, more, message = NO_ENDPOINTS[case]
    offers, warnings = look(project, platform(**{path: {method: more}}))
    assert (offers.cancel, offers.resume) == (None, None)
    assert message in "".join(warnings)


def test_what_says_cancel_goes_before_a_delete_which_may_remove_more(project):
    document = platform(**{"/generation/{id}": {"delete": {}}, "/generation/{id}/cancel": {"post": {}}})
    assert found(project, document).cancel.path == "/generation/{id}/cancel"


@pytest.mark.parametrize(("schema", "limit"), [({"maximum": 20}, 20), ({"maximum": 500}, 500), ({}, None)])
def test_the_limit_of_the_running_list(schema, limit, project):
    parameter = {"name": "limit", "in": "query", "schema": {"type": "integer", **schema}}
    offers = found(project, platform(**{"/generations/running": {"get": {"parameters": [parameter]}}}))
    place = "openapi.json#/paths/~1generations~1running/get/parameters/0"
    assert offers.running == ((limit, place) if limit else None)


def test_all_else_is_told_with_its_place(project):
    document = platform(**{"/uploads": {"post": {}}, "/models": {"get": {}}})
    document["webhooks"] = {"task.completed": {"post": {}}}
    answers = {"429": {"headers": {"Retry-After": {"schema": TEXT}}}}
    document["paths"]["/generation/acme/two"]["post"]["responses"] = answers
    assert {(offer.means.words, offer.said, offer.place) for offer in found(project, document).others} == {
        ("files can be uploaded beforehand", "POST /uploads", "openapi.json#/paths/~1uploads/post"),
        ("the models can be listed", "GET /models", "openapi.json#/paths/~1models/get"),
        ("the bodies of webhooks are known", "webhook task.completed", "openapi.json#/webhooks/task.completed"),
        (
            "it says when to try again",
            "answer retry-after",
            "openapi.json#/paths/~1generation~1acme~1two/post/responses",
        ),
    }


def test_one_more_capability_is_a_small_difference(project):
    last = {"name": "Last-Event-ID", "in": "header", "schema": TEXT}
    ours = platform(**{"/generation/{id}/stream": {"get": {"parameters": [ID, last]}}})
    odd = ['task."""', "task.'''\\", "a\u202eb"]
    ours["webhooks"] = {name: {"post": {}} for name in odd}
    before = written(project, posts(ours, KEY))
    text = project.text("capabilities.py").splitlines()
    ours["paths"]["/generation/{id}"] = {"delete": {}}
    after = written(project, ours)
    assert sum(line not in text for line in project.text("capabilities.py").splitlines()) <= 5
    assert project.run("check") == 0
    place = "openapi.json#/paths/~1generation~1{id}/delete"
    assert after == before._replace(cancel=OnGeneration("DELETE", "/generation/{id}", place))
    assert before.idempotency == Written("Idempotency-Key", ALL, required=False, place=f"openapi.json{POST}")
    assert before.resume.takes_event_id
    assert [offer.said for offer in before.others] == [f"webhook {name}" for name in odd]


def test_what_is_described_of_a_model_alone_is_found_there(project):
    models = project.folder / "models"
    models.mkdir()
    own = posts(description({"acme/one": SCHEMA}), KEY, models=["acme/one"])
    (models / "one.json").write_text(json.dumps(own), "utf-8")
    header = found(project, platform()).idempotency
    assert header.on == ("/generation/acme/one", "/generation/sse/acme/one")
    assert header.place == f"models/one.json{POST}"
