"""Create requests: keys, models, bodies, credits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.sandbox.description import Description, load
from skills_video_runtime.sandbox.validation import Judge
from tests.support.sandbox_callers import BODY, PLAIN, STREAM, Caller, events

if TYPE_CHECKING:
    from collections.abc import Callable

DESCRIPTION = load()


def example(description: Description, judge: Judge, pointer: str) -> Any:
    """The smallest value that the first variant of a schema allows."""
    place, schema = judge.variants(pointer)[0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {
                name: example(description, judge, f"{place}/properties/{name}") for name in schema.get("required", [])
            }
        case "array":
            return [example(description, judge, f"{place}/items")]
        case "string":
            return "https://example.com/a.png" if schema.get("format") == "uri" else "text"
        case _:
            return schema.get("minimum", 1)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "sandbox-key"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PLAIN),
        ("POST", STREAM),
        ("GET", "/generation/gen_000001"),
        ("GET", "/generations/running"),
        ("GET", "/credits"),
        ("GET", "/nowhere"),
    ],
)
def test_every_endpoint_wants_the_key(still: Caller, headers: dict[str, str], method: str, path: str) -> None:
    answer = still.keyless.request(
        method, still.sandbox.url + path, headers=headers, json=BODY if method == "POST" else None
    )
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "code", "message"}
    assert still.sandbox.made() == 0


def test_every_operation_accepts_its_smallest_body_and_refuses_a_wrong_one(still: Caller) -> None:
    judge = Judge(DESCRIPTION)
    for path, operation in DESCRIPTION.operations.items():
        body = example(DESCRIPTION, judge, operation.bodies["application/json"])
        answer = still.create("json", f"/generation/{path}", body)
        assert (answer.status_code, answer.json()["status"]) == (200, "IN_QUEUE"), (path, answer.text)
        refused = still.create("", f"/generation/{path}", {**body, next(iter(body), "prompt"): {}})
        assert (refused.status_code, refused.json()["code"]) == (422, "VIDEO_GENERATION_INVALID_INPUT"), path
    assert still.sandbox.made() == len(DESCRIPTION.operations)
    assert {operation.model for operation in DESCRIPTION.operations.values()} == set(still.sandbox.models)


def test_the_answer_echoes_the_body_with_the_defaults_of_its_variant(still: Caller) -> None:
    body = {"feature": "motion-control", "image_url": "https://a.example/i.png", "video_url": "https://a.example/v.mp4"}
    answer = still.create(body=body).json()
    assert answer["input"].items() >= body.items()
    assert answer["input"]["character_orientation"] == "video"
    assert answer["input"]["duration"] == 5
    assert still.sandbox.generations()[0].sent == body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"prompt": 3}, ["prompt: 3 is not of type 'string'"]),
        ({"prompt": "x", "duration": 7}, ["duration: 7 is not one of [5, 10]"]),
        (
            {"prompt": "x", "image_url": "no url", "quality": "best"},
            ["image_url: 'no url' is not a 'uri'", "quality: "],
        ),
        ({"feature": "motion-control", "image_url": "https://a.example"}, ["'video_url' is a required property"]),
        ([], ["[] is not of type 'object'"]),
    ],
)
def test_a_wrong_body_is_refused_with_all_that_is_wrong(still: Caller, body: Any, told: list[str]) -> None:
    answer = still.create(body=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "VIDEO_GENERATION_INVALID_INPUT"
    for text in told:
        assert text in answer.json()["message"]
    assert still.sandbox.made() == 0


MALFORMED = {
    "broken": b"{",
    "no text": b"\xff",
    "half a character": b'{"prompt": "\\ud800"}',
    "no number": b'{"prompt": "x", "duration": NaN}',
    "without end": b'{"prompt": "x", "duration": 1e999}',
    "deep": b"[" * 100_000,
    "long": b'{"prompt": ' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_that_is_not_json_is_malformed(still: Caller, name: str) -> None:
    answer = still.http.post(PLAIN, content=MALFORMED[name], headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "VIDEO_GENERATION_INVALID_INPUT")
    assert (still.sandbox.made(), still.sandbox.credits_charged) == (0, 0)


def test_a_body_of_another_type_is_malformed(still: Caller) -> None:
    assert still.http.post(PLAIN, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 400


def test_a_body_is_judged_down_to_a_depth(call_with: Callable[..., Caller], tmp_path: Any) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/generation/m": {"post": {"requestBody": {"content": content}}}},
        "components": {"schemas": {"A": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}}},
    }
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    caller = call_with(Sandbox(speed=0, openapi=file))
    for depth, status in ((62, 200), (64, 400), (400, 400)):
        body = '{"a":' * depth + "{}" + "}" * depth
        answer = caller.http.post("/generation/m", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, depth


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/generation/nobody/knows", 404),
        ("POST", "/generation/gen_000001", 404),
        ("POST", "/generation/sse/", 404),
        ("GET", "/generation/gen_000001", 404),
        ("GET", "/generation/nobody/knows", 404),
        ("GET", PLAIN, 405),
        ("GET", STREAM, 405),
        ("PUT", PLAIN, 405),
        ("DELETE", "/generation/gen_000001", 405),
        ("POST", "/credits", 405),
        ("GET", "/credits/", 404),
        ("GET", "/nowhere", 404),
    ],
)
def test_unknown_paths_and_methods_are_refused(still: Caller, method: str, path: str, status: int) -> None:
    answer = still.http.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "code", "message"}
    assert ("allow" in answer.headers) == (status == 405)


def spent(caller: Caller) -> dict[str, float]:
    balance: dict[str, float] = caller.http.get("/credits").json()
    return balance


def test_creating_charges_the_subscription_first(call_with: Callable[..., Caller]) -> None:
    caller = call_with(Sandbox(speed=0, credits=15, permanent=10))
    assert spent(caller) == {"total": 25, "subscription": 15, "permanent": 10}
    assert caller.create().json()["usage"] == {"total": 10, "subscription": 10, "permanent": 0}
    assert caller.create().json()["usage"] == {"total": 10, "subscription": 5, "permanent": 5}
    assert spent(caller) == {"total": 5, "subscription": 0, "permanent": 5}
    assert (caller.sandbox.credits_left, caller.sandbox.credits_charged) == (5, 20)


@pytest.mark.parametrize("path", [PLAIN, STREAM])
def test_without_credits_nothing_is_made(call_with: Callable[..., Caller], path: str) -> None:
    caller = call_with(Sandbox(speed=0, credits=9))
    answer = caller.create("", path)
    assert answer.status_code == 402
    assert answer.json()["code"] == "VIDEO_GENERATION_INSUFFICIENT_CREDITS"
    assert "Insufficient credits" in answer.json()["message"]
    assert (caller.sandbox.made(), caller.sandbox.credits_left) == (0, 9)


def test_length_and_number_decide_the_price(still: Caller) -> None:
    assert still.create(body={"prompt": "x", "duration": 10}).json()["usage"]["total"] == 20
    four = still.create("", "/generation/z-image/z-image", {"prompt": "x", "n": 4}).json()
    assert four["usage"]["total"] == 40


@pytest.mark.parametrize(
    ("body", "price", "videos"),
    [
        ({"seconds": "nan"}, 10, 1),
        ({"duration": 10**400}, 10, 1),
        ({"duration": "inf", "n": 2}, 20, 2),
        ({"n": 0}, 10, 1),
    ],
)
def test_whatever_length_and_number_a_schema_allows_have_a_price(
    call_with: Callable[..., Caller], tmp_path: Any, body: dict[str, Any], price: int, videos: int
) -> None:
    operation = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": {"/generation/m": {"post": operation}}}))
    caller = call_with(Sandbox(speed=0, openapi=file))
    made = caller.create("", "/generation/m", body).json()
    caller.sandbox.advance(21)
    done = caller.http.get(f"/generation/{made['id']}").json()
    assert (made["usage"]["total"], len(done["data"]["videos"])) == (price, videos)


def test_a_stream_shows_every_state_once_and_ends(fast: Caller) -> None:
    answer = fast.stream()
    assert answer.headers["content-type"].startswith("text/event-stream")
    seen = events(answer.text)
    assert [event["status"] for event in seen] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert [set(event) for event in seen] == [{"id", "status", "data", "usage"}] * 3
    assert [event["usage"]["total"] for event in seen] == [0, 0, 10]
    assert [event["data"] for event in seen[:2]] == [None, None]
    assert seen[2]["data"]["video"] == seen[2]["data"]["videos"][0]


def test_answers_are_what_the_description_says(fast: Caller) -> None:
    judge = Judge(DESCRIPTION)
    schemas = "/components/schemas"
    assert judge.errors(f"{schemas}/GenerationSubmission", fast.create().json()) == []
    for event in events(fast.stream("failed:A:b").text + fast.stream("canceled").text + fast.stream().text):
        assert judge.errors(f"{schemas}/GenerationEvent", event) == []
        result = fast.http.get(f"/generation/{event['id']}").json()
        assert judge.errors(f"{schemas}/GenerationResult", result) == []
    assert judge.errors(f"{schemas}/ErrorResponse", fast.create(body={}).json()) == []


def test_counts_are_by_model_and_body(still: Caller) -> None:
    for body in (BODY, BODY, {"prompt": "other"}):
        still.create(body=body)
    still.create("", "/generation/ltx-2.3", BODY)
    made = still.sandbox.made
    assert (made(), made("ltx-2.3"), made("kling-ai/kling-v2.6", BODY), made(body={"prompt": "other"})) == (4, 1, 2, 1)
    assert still.sandbox.requests[f"POST /api/v1{PLAIN}"] == 3


def test_requests_are_remembered_with_their_headers(still: Caller) -> None:
    still.http.get("/generations/running?limit=7", headers={"X-Mine": "yes"})
    seen = still.sandbox.seen[-1]
    assert (seen.method, seen.path, seen.query) == ("GET", "/api/v1/generations/running", "limit=7")
    assert (seen.headers["x-mine"], seen.headers["authorization"]) == ("yes", "Bearer sandbox-key")


def test_another_description_is_another_platform(call_with: Callable[..., Caller], tmp_path: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}, "required": ["a"]}
    document = {
        "openapi": "3.0.3",
        "paths": {"/v1/generation/m": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}},
        "components": {"schemas": {"A": {"type": "number", "nullable": True, "minimum": 0, "exclusiveMinimum": True}}},
    }
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    caller = call_with(Sandbox(speed=0, openapi=file))
    assert caller.sandbox.models == ["m"]
    answers = {str(a): caller.create("", "/generation/m", {"a": a}).status_code for a in (1, None, 0, "x")}
    assert answers == {"1": 200, "None": 200, "0": 422, "x": 422}


@pytest.mark.parametrize(
    "wrong", [{"credits": float("nan")}, {"permanent": -1}, {"work_seconds": float("inf")}, {"api_key": "a b"}]
)
def test_a_sandbox_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Sandbox(**wrong)
