"""Single changes of the current description, each with the right answer: what docs/review-mutations.md is made of.

`python -m tests.changes.mutations` writes that file. The last column is what oasdiff 2026-07 says of the same change,
where that was seen; it is no part of this project.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.json_values import value_at
from tests.support.project import navigation, pages_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "review-mutations.md"
CURRENT: Final = Path(__file__).parent / "specs" / "current" / "openapi.json"
PLAIN, UNION, OTHER = "vidu/q3", "kling-ai/o3/video", "openai/sora-2-pro"
SHARED: Final = ("/generation/{id}", "/generations/running", "/credits")
TEXT, KEY = {"type": "string"}, {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
RESULT, ERROR = "/components/schemas/GenerationResult", "/components/schemas/ErrorResponse"
RUNNING = "/paths/~1generations~1running/get"


class Mutation(NamedTuple):
    """A change, the rule and the verdict that it has, and what oasdiff says."""

    name: str
    edit: Callable[[dict[str, Any]], None]
    rule: str
    """Empty where nothing changed for callers."""
    verdict: str = ""
    oasdiff: str = "the same"


def current() -> dict[str, Any]:
    """Give the current description with three of its models, and what the client asks beside them."""
    document = json.loads(CURRENT.read_text("utf-8"))
    kept = {*SHARED, *(f"/generation/{way}{model}" for model in (PLAIN, UNION, OTHER) for way in ("", "sse/"))}
    document["paths"] = {path: item for path, item in document["paths"].items() if path in kept}
    return document


def listing(document: dict[str, Any]) -> dict[str, Any]:
    """List the models of a description, save what is not to be listed."""
    models = [path.removeprefix("/generation/") for path in document["paths"] if "{" not in path and "sse/" not in path]
    kept = [model for model in models if not model.startswith("/") and model != document.get("x-unlisted")]
    return navigation(*pages_of(sorted(kept)))


def operations(document: dict[str, Any], model: str) -> Iterator[Any]:
    """Give both operations of a model."""
    for way in ("", "sse/"):
        yield document["paths"][f"/generation/{way}{model}"]["post"]


def bodies(document: dict[str, Any], model: str = PLAIN) -> Iterator[Any]:
    """Give the request schemas of a model, JSON and forms."""
    for operation in operations(document, model):
        for media in operation["requestBody"]["content"].values():
            yield media["schema"]


def field(name: str, **keywords: Any) -> Callable[[dict[str, Any]], None]:
    """Set keywords of a field of the plain model; None takes one away."""

    def edit(document: dict[str, Any]) -> None:
        for schema in bodies(document):
            old = schema["properties"].get(name, {})
            new = {key: value for key, value in {**old, **keywords}.items() if value is not None}
            schema["properties"][name] = new

    return edit


def schema(**keywords: Any) -> Callable[[dict[str, Any]], None]:
    """Set keywords of the request schema of the plain model."""

    def edit(document: dict[str, Any]) -> None:
        for body in bodies(document):
            body.update(copy.deepcopy(keywords))

    return edit


def without(name: str) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        for body in bodies(document):
            del body["properties"][name]

    return edit


def renamed(name: str, new: str) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        for body in bodies(document):
            body["properties"] = {new if key == name else key: item for key, item in body["properties"].items()}

    return edit


def variant(**keywords: Any) -> Callable[[dict[str, Any]], None]:
    """Set keywords of the second variant of the model that has several."""

    def edit(document: dict[str, Any]) -> None:
        for body in bodies(document, UNION):
            body["anyOf"][1].update(copy.deepcopy(keywords))

    return edit


def variants(order: slice) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        for body in bodies(document, UNION):
            body["anyOf"] = body["anyOf"][order]

    return edit


def post(**keywords: Any) -> Callable[[dict[str, Any]], None]:
    """Set what both operations of the plain model say."""

    def edit(document: dict[str, Any]) -> None:
        for operation in operations(document, PLAIN):
            operation.update(copy.deepcopy(keywords))

    return edit


def at(pointer: str, **keywords: Any) -> Callable[[dict[str, Any]], None]:
    """Set members of what stands at a pointer; None takes one away."""

    def edit(document: dict[str, Any]) -> None:
        place = value_at(document, pointer)
        place.update(copy.deepcopy({key: value for key, value in keywords.items() if value is not None}))
        for key, value in keywords.items():
            if value is None:
                del place[key]

    return edit


def path(name: str, item: Any) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        document["paths"].setdefault(name, {}).update(copy.deepcopy(item))

    return edit


def no_model(document: dict[str, Any]) -> None:
    for way in ("", "sse/"):
        del document["paths"][f"/generation/{way}{OTHER}"]


def new_model(document: dict[str, Any]) -> None:
    for way in ("", "sse/"):
        document["paths"][f"/generation/{way}acme/new"] = copy.deepcopy(document["paths"][f"/generation/{way}{OTHER}"])


def no_form(document: dict[str, Any]) -> None:
    for operation in operations(document, PLAIN):
        operation["requestBody"]["content"].pop("multipart/form-data", None)


def other_component(document: dict[str, Any]) -> None:
    text = json.dumps(document).replace("GenerationResult", "GenerationOutcome")
    document.clear()
    document.update(json.loads(text))


def no_format(document: dict[str, Any]) -> None:
    for body in bodies(document):
        field = body["properties"]["first_frame_url"]
        for part in (field, *field.get("anyOf", ())):
            if part.get("format") == "uri":
                del part["format"]


def fewer_items(document: dict[str, Any]) -> None:
    for body in bodies(document, UNION):
        body["anyOf"][0]["properties"]["reference_image_urls"]["maxItems"] = 2


def without_usage(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["GenerationResult"]
    del schema["properties"]["usage"]
    schema["required"].remove("usage")


def retry_after(document: dict[str, Any]) -> None:
    for operation in operations(document, PLAIN):
        operation["responses"]["429"]["headers"] = {"Retry-After": {"schema": TEXT}}


def without_status(document: dict[str, Any]) -> None:
    for operation in operations(document, PLAIN):
        del operation["responses"]["402"]


def nested_schema(document: dict[str, Any]) -> None:
    for body in bodies(document):
        limited = {"type": "string", "maxLength": 3000}
        body["properties"]["prompt"] = {"allOf": [limited], "description": body["properties"]["prompt"]["description"]}


def reordered_fields(document: dict[str, Any]) -> None:
    for body in bodies(document):
        body["properties"]["prompt"] = body["properties"].pop("prompt")


RATIOS = ["16:9", "9:16", "1:1"]
CONSTANTS = [{"const": item} for item in RATIOS]
HEADER = {"name": "X-Tenant", "in": "header", "schema": TEXT, "required": True}
SILENT, WARNS = "silent", "a warning"
MUTATIONS: Final = (
    Mutation("a minimum is raised", field("duration", minimum=2), "request-range-tightened", "breaks"),
    Mutation("a minimum is lowered", field("duration", minimum=0), "request-range-loosened"),
    Mutation("a maximum is lowered", field("duration", maximum=10), "request-range-tightened", "breaks"),
    Mutation("a maximum is gone", field("duration", maximum=None), "request-range-loosened"),
    Mutation("`exclusiveMinimum: 0` in place of `minimum: 1`", field("duration", minimum=None, exclusiveMinimum=0), "",
             "", WARNS),
    Mutation("a `multipleOf` is added", field("duration", multipleOf=2), "request-step-tightened", "breaks", SILENT),
    Mutation("an integer may be a fraction", field("duration", type="number"), "request-type-loosened"),
    Mutation("a longest text is shorter", field("prompt", maxLength=2000), "request-length-tightened", "breaks"),
    Mutation("a longest text is longer", field("prompt", maxLength=4000), "request-length-loosened"),
    Mutation("a shortest text is added", field("prompt", minLength=2), "request-length-tightened", "breaks"),
    Mutation("a pattern is added", field("prompt", pattern="^[a-z]"), "request-pattern-tightened", "breaks"),
    Mutation("a format is gone", no_format, "request-format-loosened"),
    Mutation("a value is gone", field("aspect_ratio", enum=RATIOS[:2]), "request-value-tightened", "breaks"),
    Mutation("a value is new", field("aspect_ratio", enum=[*RATIOS, "4:3"]), "request-value-loosened"),
    Mutation("all values are others", field("aspect_ratio", enum=["4:3"], default="4:3"), "request-value-changed",
             "breaks"),
    Mutation("values stand in another order", field("aspect_ratio", enum=RATIOS[::-1]), "request-values-reordered", "",
             SILENT),
    Mutation("an `enum` in place of constants", field("aspect_ratio", enum=None, anyOf=CONSTANTS),
             "", "", "25 lines, with an error"),
    Mutation("null is taken", field("audio", type=["boolean", "null"]), "request-type-loosened"),
    Mutation("null is no longer taken", field("seed", anyOf=None, type="integer", minimum=-9007199254740991,
                                              maximum=9007199254740991), "request-type-tightened", "breaks"),
    Mutation("another type", field("audio", type="string", default=None), "request-type-tightened", "breaks"),
    Mutation("a default is another one", field("duration", default=5), "request-default-changed"),
    Mutation("a default is gone", field("duration", default=None), "request-default-changed"),
    Mutation("a field is required", schema(required=["prompt", "duration"]), "request-required-tightened", "breaks"),
    Mutation("a field may be left out", schema(required=[]), "request-required-loosened"),
    Mutation("a field is new", field("style", type="string"), "request-field-added"),
    Mutation("a field is gone", without("audio"), "request-field-removed", "breaks"),
    Mutation("a field has another name", renamed("audio", "sound"), "request-field-removed", "breaks"),
    Mutation("a field is deprecated", field("audio", deprecated=True), "request-field-deprecated"),
    Mutation("fields stand in another order", reordered_fields, "request-fields-reordered", "", SILENT),
    Mutation("another wording", field("audio", description="Sound"), "request-text-reworded", "", SILENT),
    Mutation("an object is closed", variant(additionalProperties=False), "request-others-tightened", "breaks", SILENT),
    Mutation("an object is opened", schema(additionalProperties=True), "request-others-loosened", "", SILENT),
    Mutation("fewer items", fewer_items, "request-items-tightened", "breaks", SILENT),
    Mutation("a variant is gone", variants(slice(0, -1)), "class-removed", "breaks"),
    Mutation("variants stand in another order", variants(slice(None, None, -1)), "request-classes-reordered", "",
             SILENT),
    Mutation("a variant has another title", variant(title="Else"), "class-moved", "breaks", "seven lines"),
    Mutation("a limit moves into an `allOf`", nested_schema, ""),
    Mutation("a component has another name", other_component, "", "", "a removal and an addition"),
    Mutation("a model is gone", no_model, "model-removed", "breaks"),
    Mutation("a model is new", new_model, "model-added"),
    Mutation("a model is no longer listed", at("", **{"x-unlisted": OTHER}), "model-removed", "breaks", SILENT),
    Mutation("another title", post(summary="Else"), "title-reworded", "", SILENT),
    Mutation("a model is deprecated", post(deprecated=True), "operation-deprecated"),
    Mutation("another operationId", at(RUNNING, operationId="else"), "operation-id-reworded"),
    Mutation("a required header", post(parameters=[HEADER]), "parameter-added", "breaks"),
    Mutation("an idempotency key", post(parameters=[KEY]), "parameter-capability"),
    Mutation("fewer of the running list", at(f"{RUNNING}/parameters/1/schema", maximum=20), "parameter-range-tightened",
             "breaks"),
    Mutation("`DELETE /generation/{id}`", path("/generation/{id}", {"delete": {}}), "operation-capability"),
    Mutation("`POST /upload`", path("/upload", {"post": {}}), "operation-capability"),
    Mutation("webhooks", at("", webhooks={"task.completed": {"post": {}}}), "webhook-capability"),
    Mutation("`Retry-After` of an answer", retry_after, "answer-header-capability"),
    Mutation("no key is asked for", post(security=[]), "security-changed"),
    Mutation("another server", at("", servers=[{"url": "https://open.skills.video/api/v2"}]), "server-changed",
             "breaks", SILENT),
    Mutation("a form that takes files is gone", no_form, "request-type-tightened", "breaks", "an error"),
    Mutation("a field of an answer is gone", without_usage, "answer-field-removed", "breaks"),
    Mutation("a field of an answer is new", at(f"{RESULT}/properties", cost={"type": "number"}), "answer-field-added"),
    Mutation("a field of an answer may be missing", at(ERROR, required=[]), "answer-required-loosened", "breaks"),
    Mutation("a status of an answer is gone", without_status, "answer-status-removed"),
)  # fmt: skip


def table() -> str:
    """Write the page."""
    lines = [
        "# 58 single changes, and what is said of them",
        "",
        "Each is made to the current description and compared with it; a test holds that the answer is",
        "this one. `make docs` writes this page. The last column is what oasdiff (July 2026) says of the",
        "same kind of change, where it was seen to differ or to agree.",
        "",
        "| change | rule | verdict | oasdiff |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.rule or 'nothing'} | {row.verdict or 'breaks nobody'} | {row.oasdiff} |"
        for row in MUTATIONS
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
