"""What changes beside the models: each change of the platform is told, with what it means for callers."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from generator.changes.models import compare, compare_warnings
from generator.inputs.capabilities import CAPABILITIES, RUNTIME
from generator.json_values import NOTHING, value_at
from tests.support.project import description, navigation, pages_of
from tests.support.revisions import changes, revision

ROOT = Path(__file__).parents[2]
TEXT = {"type": "string"}
BODY = {"type": "object", "properties": {"prompt": TEXT}, "required": ["prompt"]}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}}
TENANT = {"name": "X-Tenant", "in": "header", "schema": TEXT}
KEY = {"name": "Idempotency-Key", "in": "header", "schema": TEXT}
CREATE, STREAM, RUNNING = "/generation/acme/one", "/generation/sse/acme/one", "/generations/running"
REPEATED = "a post can be repeated safely; {RUNTIME}/generations/call.py uses it"
RESUMED = "the stream of a generation can be taken up again; {RUNTIME}/generations/call.py uses it"
EVENT = {"type": "object", "properties": {"id": TEXT}, "required": ["id"]}


def platform() -> dict[str, Any]:
    """Describe one model and what the client asks beside it."""
    document = description({"acme/one": BODY})
    answers = {"200": {"content": {"application/json": {"schema": copy.deepcopy(EVENT)}}}}
    for path in ("/generation/{id}", RUNNING, "/credits"):
        document["paths"][path] = {"get": {"responses": copy.deepcopy(answers)}}
    document["paths"][RUNNING]["get"]["parameters"] = [copy.deepcopy(LIMIT)]
    for path in (CREATE, STREAM):
        document["paths"][path]["post"]["responses"] = copy.deepcopy(answers)
    document["servers"] = [{"url": "https://api.acme.example/v1"}]
    document["security"] = [{"bearer": []}]
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    }
    return document


def put(pointer: str, value: Any) -> Any:
    """Give an edit that writes a value at a JSON pointer; a list is added to, None takes away."""

    def edit(document: dict[str, Any]) -> None:
        above, _, name = pointer.rpartition("/")
        place = value_at(document, above)
        name = name.replace("~1", "/")
        if value is None:
            del place[name]
        elif isinstance(value, list) and isinstance(place.get(name), list):
            place[name] += value
        else:
            place[name] = value

    return edit


def at(path: str, method: str = "post") -> str:
    return f"/paths/{path.replace('/', '~1')}/{method}"


SCHEMA = "requestBody/content/application~1json/schema"
WIDER = {**BODY, "properties": {"prompt": TEXT, "quality": TEXT}}
CASES: dict[str, tuple[Any, list[tuple[str, str, str, bool]]]] = {
    "required header of both posts": (
        [put(f"{at(path)}/parameters", [TENANT | {"required": True}]) for path in (CREATE, STREAM)],
        [("parameter-added", f"{name}.header x-tenant", "is required now, and no call sends it", True)
         for name in ("stream", "create")],
    ),
    "required parameter of the path": (
        [put("/paths/~1credits/parameters", [TENANT | {"required": True, "in": "query"}])],
        [("parameter-added", "credits.query X-Tenant", "is required now, and no call sends it", True)],
    ),
    "parameter of the operation over that of the path": (
        [put("/paths/~1credits/parameters", [TENANT | {"required": True}]),
         put(f"{at('/credits', 'get')}/parameters", [TENANT])],
        [("parameter-added", "credits.header x-tenant", "may be sent now", False)],
    ),
    "optional parameter": (
        [put(f"{at(RUNNING, 'get')}/parameters", [TENANT])],
        [("parameter-added", "running.header x-tenant", "may be sent now", False)],
    ),
    "headers that OpenAPI passes over": (
        [put(f"{at(CREATE)}/parameters", [TENANT | {"required": True, "name": name} for name in ("Accept",
         "Content-Type")])],
        [],
    ),
    "limit of the running list lowered": (
        [put(f"{at(RUNNING, 'get')}/parameters/0/schema", LIMIT["schema"] | {"maximum": 20})],
        [("parameter-range-tightened", "running.query limit", "must be at most 20 now, not 100", True)],
    ),
    "default of the running list": (
        [put(f"{at(RUNNING, 'get')}/parameters/0/schema", LIMIT["schema"] | {"default": 20})],
        [("parameter-default-changed", "running.query limit", "left out, it is 20 now, not 50", False)],
    ),
    "limit of the running list gone": (
        [put(f"{at(RUNNING, 'get')}/parameters", None)],
        [("parameter-removed", "running.query limit", "is gone", True)],
    ),
    "body of the stream alone requires more": (
        [put(f"{at(STREAM)}/{SCHEMA}", {**WIDER, "required": ["prompt", "quality"]})],
        [("request-field-added", "stream.request.quality", "is new and required: a string", True)],
    ),
    "body of the stream alone takes more": (
        [put(f"{at(STREAM)}/{SCHEMA}", WIDER)],
        [("request-field-added", "stream.request.quality", "is new: a string", False)],
    ),
    "stream takes no JSON any more": (
        [put(f"{at(STREAM)}/requestBody/content", {"text/plain": {}})],
        [("request-media-added", "stream", "takes text/plain too", False),
         ("request-media-removed", "stream", "no longer takes application/json", True)],
    ),
    "server": (
        [put("/servers", None), put("/servers", [{"url": "https://api.acme.example/v2"}])],
        [("server-changed", name, "is below https://api.acme.example/v2 now, not https://api.acme.example/v1", True)
         for name in ("stream", "create", "result", "running", "credits")],
    ),
    "server of one operation": (
        [put(f"{at(CREATE)}/servers", [{"url": "https://{zone}.acme.example",
         "variables": {"zone": {"default": "eu"}}}])],
        [("server-changed", "create", "is below https://eu.acme.example now, not https://api.acme.example/v1", True)],
    ),
    "one more server": (
        [put("/servers", [{"url": "https://eu.acme.example/v1"}])],
        [("server-loosened", name, "is below https://eu.acme.example/v1 too", False)
         for name in ("stream", "create", "result", "running", "credits")],
    ),
    "operation deprecated": (
        [put(f"{at(CREATE)}/deprecated", True), put(f"{at(CREATE)}/x-sunset", "2027-01-01")],
        [("operation-deprecated", "create", "is deprecated, until 2027-01-01", False)],
    ),
    "other key": (
        [put("/security", None), put("/security", [{"header": []}])],
        [("security-changed", name, "asks for a key in the header X-Key now, not a bearer token", True)
         for name in ("stream", "create", "result", "running", "credits")],
    ),
    "one more way in": (
        [put("/security", [{"header": []}])],
        [("security-changed", name, "asks for a bearer token or a key in the header X-Key now, not a bearer token",
         False)
         for name in ("stream", "create", "result", "running", "credits")],
    ),
    "no key": (
        [put(f"{at('/credits', 'get')}/security", [])],
        [("security-changed", "credits", "asks for no key now, not a bearer token", False)],
    ),
    "key that is sent": (
        [put(f"{at(CREATE)}/parameters", [KEY])],
        [("parameter-capability", "create.header idempotency-key",
          "may be sent now: {REPEATED}", False)],
    ),
    "key that must be sent": (
        [put(f"{at(CREATE)}/parameters", [KEY | {"required": True}])],
        [("parameter-capability", "create.header idempotency-key", "must be sent now: {REPEATED}", False)],
    ),
    "key that must be sent and cannot": (
        [put(f"{at(CREATE)}/parameters", [KEY | {"required": True, "schema": TEXT | {"maxLength": 20}}])],
        [("parameter-added", "create.header idempotency-key", "is required now, and no call sends it", True)],
    ),
    "cancel": (
        [put(f"{at('/generation/{id}', 'delete')}", {"responses": {}})],
        [("operation-capability", "DELETE /generation/{id}",
          "is described now: a generation can be canceled; {RUNTIME}/generations/cancel.py uses it", False)],
    ),
    "cancel by a post": (
        [put("/paths/~1generation~1{id}~1cancel", {"post": {}})],
        [("operation-capability", "POST /generation/{id}/cancel",
          "is described now: a generation can be canceled; {RUNTIME}/generations/cancel.py uses it", False)],
    ),
    "upload": (
        [put("/paths/~1upload", {"post": {}})],
        [("operation-capability", "POST /upload",
          "is described now: files can be uploaded beforehand; {RUNTIME}/payloads/form.py can use it", False)],
    ),
    "models list": (
        [put("/paths/~1models", {"get": {}})],
        [("operation-capability", "GET /models",
          "is described now: the models can be listed; {RUNTIME}/catalog.py can use it", False)],
    ),
    "subscribe": (
        [put("/paths/~1predictions~1{id}~1subscribe", {"get": {}})],
        [("operation-capability", "GET /predictions/{id}/subscribe",
          "is described now: {RESUMED}", False)],
    ),
    "webhooks": (
        [put("/webhooks", {"task.completed": {"post": {}}})],
        [("webhook-capability", "webhook task.completed",
          "is described now: the bodies of webhooks are known; {RUNTIME}/webhooks.py can use it", False)],
    ),
    "header of an answer that says when": (
        [put(f"{at(CREATE)}/responses/429", {"headers": {"Retry-After": {"schema": TEXT}}})],
        [("answer-header-capability", "create.retry-after",
          "comes with the answers 429 now: it says when to try again; {RUNTIME}/http/events.py uses it", False),
         ("answer-status-added", "create.error", "answers 429 too", False)],
    ),
    "other header of an answer": (
        [put(f"{at(CREATE)}/responses/200/headers", {"X-Trace": {}})],
        [("answer-header-added", "create.x-trace", "comes with the answers 200 now", False)],
    ),
    "other operation": (
        [put("/paths/~1account", {"get": {}})],
        [("operation-added", "GET /account", "is described now", False)],
    ),
    "models of other kinds": (
        [put("/paths/~1generation~1acme~1a", {"post": {}}), put("/paths/~1generation~1acme~1b", {"post": {}}),
         put("/paths/~1generation~1acme~1c", {"get": {}})],
        [("operation-added", "GET /generation/acme/c", "is described now", False),
         ("other-models-added", "", "models of other kinds are new: acme/a, acme/b", False)],
    ),
    "version of the platform": (
        [put("/info/version", "2")],
        [("version-changed", "info.version", "is 2 now, not 1", False)],
    ),
    "name of an operation": (
        [put(f"{at(CREATE)}/operationId", "create-one")],
        [("operation-id-reworded", "create", "has the operationId create-one now, not ", False)],
    ),
    "a component that is used": (
        [put("/components/schemas/Fault", {"type": "object", "properties": {"odd": TEXT}}),
         put(f"{at(CREATE)}/responses/500",
          {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}})],
        [("answer-status-added", "create.error", "answers 500 too", False),
         ("component-added", "components", "are new: Fault", False)],
    ),
    "a component that nobody uses": (
        [put("/components/schemas/Fault", {"type": "object", "properties": {"odd": TEXT}})], [],
    ),
    "the stream of OpenAPI 3.2": (
        [put(f"{at(STREAM)}/responses/200/content", {"text/event-stream": {"itemSchema": {
            "type": "object", "properties": {"gid": TEXT}, "required": ["gid"]}}})],
        [("answer-field-removed", "stream.response.id", "is gone (it was a string, required)", True),
         ("answer-field-added", "stream.response.gid", "is new: a string", False)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_changes_beside_the_models_is_told(case, tmp_path):
    edits, expected = CASES[case]
    old, new = platform(), platform()
    for edit in edits:
        edit(new)
    found = changes(tmp_path, old, new)
    said = [(change.rule, change.path, change.text(), change.breaking) for change in found]
    assert said == [
        (
            rule,
            path,
            words.replace("{REPEATED}", REPEATED).replace("{RESUMED}", RESUMED).replace("{RUNTIME}", RUNTIME),
            breaks,
        )
        for rule, path, words, breaks in expected
    ]
    assert all(value_at(new, change.pointer) is not NOTHING for change in found)
    assert all(change.witness for change in found if change.breaking)


GONE = {
    "cancel": (
        put(f"{at('/generation/{id}', 'delete')}", {"responses": {}}), lambda new: None,
        ("operation-removed", "is described no longer: client.cancel raises NotOffered", True),
    ),
    "cancel asks for more": (
        put(f"{at('/generation/{id}', 'delete')}", {"responses": {}}),
        put(f"{at('/generation/{id}', 'delete')}", {"requestBody": {"required": True}}),
        ("offer-removed", "cannot be used any more: client.cancel raises NotOffered", True),
    ),
    "cancel elsewhere": (
        put(f"{at('/generation/{id}', 'delete')}", {"responses": {}}),
        put("/paths/~1generation~1{id}~1cancel", {"post": {}}),
        ("operation-removed", "is described no longer", False),
    ),
    "a key": (
        put(f"{at(CREATE)}/parameters", [KEY]), lambda new: None,
        ("parameter-removed", "is gone: a post whose answer is lost is not repeated any more", False),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE)
def test_what_is_offered_no_longer_is_told_with_what_that_means(case, tmp_path):
    before, after, (rule, words, breaks) = GONE[case]
    old, new = platform(), platform()
    before(old)
    after(new)
    found = changes(tmp_path, old, new)
    [lost] = [change for change in found if change.kind == "removed"]
    assert (lost.rule, lost.text(), lost.breaking) == (rule, words, breaks)
    assert lost.witness or not breaks


def test_what_is_offered_as_its_description_asks_for_less_is_told(tmp_path):
    old, new = platform(), platform()
    put(f"{at('/generation/{id}', 'delete')}", {"requestBody": {"required": True}})(old)
    put(f"{at('/generation/{id}', 'delete')}", {"responses": {}})(new)
    [change] = changes(tmp_path, old, new)
    assert (change.rule, change.path) == ("offer-capability", "DELETE /generation/{id}")
    assert change.text().startswith("can be used now: a generation can be canceled; ")


def test_a_version_that_moves_from_the_server_into_the_paths_is_no_change(tmp_path):
    old, new = platform(), platform()
    new["servers"] = [{"url": "https://api.acme.example"}]
    new["paths"] = {f"/v1{path}": item for path, item in new["paths"].items()}
    pages = navigation(*pages_of(["acme/one"]))
    sides = revision(tmp_path / "old", old, pages), revision(tmp_path / "new", new, pages)
    assert [change.text() for change in compare(*sides)] == []


def test_what_goes_the_other_way_is_told(tmp_path):
    old, new = platform(), platform()
    for edits, _ in CASES.values():
        edited = copy.deepcopy(new)
        for edit in edits:
            edit(edited)
        if edited != new and len(changes(tmp_path, old, edited)):
            assert changes(tmp_path, edited, old), edits


def test_what_generate_warns_of_is_told_once_for_each_text(tmp_path):
    old, new = platform(), platform()
    for path in (CREATE, STREAM):
        put(f"{at(path)}/parameters", [TENANT | {"required": True}])(new)
    message = "the parameter 'X-Tenant' is required, and no payload can hold it"
    for sides, text in (
        ((old, new), f"`generate` warns in 2 places: {message}"),
        ((new, old), f"`generate` warns no longer: {message}"),
    ):
        [change] = compare_warnings(*(revision(tmp_path / "side", side) for side in sides))
        assert (change.model, change.text(), change.breaking) == ("*", text, False)
        assert value_at(sides[1], change.pointer) is not NOTHING


def test_webhooks_that_are_gone_or_hold_less_break(tmp_path):
    old = platform()
    body = {"content": {"application/json": {"schema": EVENT}}}
    old["webhooks"] = {"task.completed": {"post": {"requestBody": body}}, "task.failed": {"post": {}}}
    new = copy.deepcopy(old)
    del new["webhooks"]["task.failed"]
    value_at(new, "/webhooks/task.completed/post/requestBody/content/application~1json/schema")["required"] = []
    said = [(change.rule, change.path, change.breaking) for change in changes(tmp_path, old, new)]
    assert said == [
        ("webhook-removed", "webhook task.failed", True),
        ("answer-required-loosened", "webhook task.completed.id", True),
    ]


@pytest.mark.parametrize("row", CAPABILITIES, ids=lambda row: row.words)
def test_a_capability_names_a_file_that_is_there(row):
    assert (ROOT / RUNTIME / row.file).is_file()
