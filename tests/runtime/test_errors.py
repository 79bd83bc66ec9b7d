"""Errors say what happened, what it means and what to do, are told apart, and travel."""

from __future__ import annotations

import inspect
import pickle
import traceback
from typing import Any

import pytest

from skills_video_runtime import errors
from skills_video_runtime.errors import APIError, SkillsVideoError, api_error, visible
from skills_video_runtime.generation import Generation

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SkillsVideoError)]


def make(kind: type[SkillsVideoError]) -> SkillsVideoError:
    if kind is errors.PayloadError:
        return errors.PayloadError("P", [errors.Violation("a", "enum", 1, 2, "no")])
    if kind is errors.GenerationFailed:
        return errors.GenerationFailed(Generation("gen_1", "FAILED", {"code": "C", "message": "m"}))
    if kind is errors.SubmissionUncertain:
        return errors.SubmissionUncertain("Well.", candidates=["gen_1"], status=500)
    return kind("Well.", code="C", status=400, generation_id="gen_1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_pickles_with_all_it_knows(kind: type[SkillsVideoError]) -> None:
    error = make(kind)
    error.add_note("noted")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    for name in ("category", "code", "status", "retryable", "generation_id"):
        assert getattr(again, name) == getattr(error, name)
    if isinstance(error, errors.GenerationFailed):
        assert again.generation.raw == error.generation.raw
    traceback.format_exception(again)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.guidance])
def test_every_error_tells_what_to_do(kind: type[SkillsVideoError]) -> None:
    assert len(kind.guidance) > 20
    assert len([kind for kind in KINDS if not kind.guidance]) == 3  # the two bases, and what lists its violations
    assert kind.guidance in str(make(kind))
    assert kind.category not in {"error", "api"}
    assert kind.__doc__


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {line.lstrip("│├└─ ").split()[0] for line in (errors.__doc__ or "").splitlines() if "─" in line}
    assert drawn | {"SkillsVideoError"} == {kind.__name__ for kind in KINDS}


CLASSES: list[tuple[int, Any, str, type[APIError]]] = [
    (502, {"code": "VIDEO_GENERATION_FAILED"}, "", errors.ServerError),
    (504, {"code": "IMAGE_GENERATION_TIMEOUT"}, "", errors.ServerError),
    (429, {"code": "TTS_GENERATION_RATE_LIMITED"}, "", errors.RateLimited),
    (400, {"code": "VIDEO_GENERATION_UNSUPPORTED_MODEL"}, "", errors.InvalidRequest),
    (402, {"error": "INSUFFICIENT_CREDITS"}, "", errors.InsufficientCredits),
    (500, {"error": {"message": "Please top up your account"}}, "", errors.InsufficientCredits),
    (403, None, "insufficient credits", errors.InsufficientCredits),
    (401, {"message": "not enough credits"}, "", errors.AuthenticationError),
    (404, {"message": "no such thing"}, "", errors.NotFound),
    (422, {"error": "safety filter"}, "", errors.ContentRejected),
    (422, {"error": "bad duration"}, "", errors.ValidationFailed),
    (503, None, "<html>", errors.ServerError),
    (418, [1], "", errors.InvalidRequest),
    (200, {"hello": 1}, "hello", errors.ServerError),
]


@pytest.mark.parametrize(("status", "body", "text", "kind"), CLASSES)
def test_code_then_status_then_text_decide(status: int, body: Any, text: str, kind: type[APIError]) -> None:
    error = api_error(status, body, text)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"error": "x", "code": "A_B", "message": "m"}, "A_B", "m"),
        ({"error": "x", "message": "m"}, None, "m"),
        ({"message": "m"}, None, "m"),
        ({"error": {"message": "m", "code": "A_B"}}, "A_B", "m"),
        ({"error": "A_B"}, "A_B", "A_B"),
        ("m", None, "m"),
        ({"code": 5, "message": ["m"]}, None, ""),
    ],
)
def test_every_shape_of_an_error_body_is_read(body: Any, code: str | None, said: str) -> None:
    error = api_error(400, body, "")
    assert error.code == code
    assert said in str(error)


def test_a_page_of_a_proxy_is_named_and_not_repeated() -> None:
    assert "an HTML page" in str(api_error(502, None, "<!DOCTYPE html><script>alert(1)</script>"))
    assert "script" not in str(api_error(502, None, "<!DOCTYPE html><script>alert(1)</script>"))


def test_a_text_from_the_network_is_shown_on_one_line_and_cut() -> None:
    assert visible("a\x1b[2J\r\n\u202eb\u2028") == "a\\x1b[2J\\r\\n\\u202eb\\u2028"
    assert len(visible("x" * 10_000)) < 600


def test_retryable_means_that_the_same_call_cannot_pay_twice() -> None:
    kinds = {kind for kind in KINDS if kind.retryable}
    assert kinds == {errors.RateLimited, errors.ServerError, errors.ConnectionFailed, errors.DownloadFailed}
