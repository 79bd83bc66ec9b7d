"""Errors say what happened, what it means and what to do, are told apart, and travel."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import traceback
from typing import Any

import pytest

from skills_video_runtime import errors
from skills_video_runtime.classify import api_error
from skills_video_runtime.errors import APIError, SkillsVideoError, visible
from skills_video_runtime.generations.states import Generation

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SkillsVideoError)]


def make(kind: type[SkillsVideoError]) -> SkillsVideoError:
    if kind is errors.PayloadError:
        return errors.PayloadError("P", [errors.Violation("a", "enum", 1, 2, "no")])
    if kind is errors.GenerationFailed:
        return errors.GenerationFailed(Generation("gen_1", "FAILED", {"code": "C", "message": "m"}))
    if kind is errors.SubmissionUncertain:
        return errors.SubmissionUncertain("Well.", candidates=["gen_1"], status=500)
    return kind("Well.", code="C", status=400, generation_id="gen_1")


WAYS = {"pickle": lambda error: pickle.loads(pickle.dumps(error)), "copy": copy.copy, "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_error_travels_with_all_it_knows(kind: type[SkillsVideoError], way: str) -> None:
    error = make(kind)
    error.add_note("noted")
    again = WAYS[way](error)
    assert type(again) is kind
    assert str(again) == str(error)
    for name in ("category", "code", "status", "retryable", "generation_id", "what", "args", "__notes__"):
        assert getattr(again, name) == getattr(error, name)
    for name in ("violations", "candidates", "generation"):
        assert getattr(again, name, None) == getattr(error, name, None)
    if isinstance(error, errors.GenerationFailed):
        assert again.generation.raw == error.generation.raw
    assert str(error).splitlines()[0] in "".join(traceback.format_exception(ExceptionGroup("all", [again])))


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_as_json_what_a_program_can_go_by(kind: type[SkillsVideoError]) -> None:
    error = make(kind)
    told = json.loads(json.dumps(error.to_dict()))
    assert (told["category"], told["code"], told["status"]) == (error.category, error.code, error.status)
    assert told["try_again"] is error.retryable
    assert told.get("candidates") == (["gen_1"] if kind is errors.SubmissionUncertain else None)
    violation = {"path": "a", "rule": "enum", "nearest": 2, "message": "no"}
    assert told.get("violations") == ([violation] if kind is errors.PayloadError else None)


def test_what_a_single_error_knows_better_than_its_class_travels() -> None:
    error = errors.DownloadFailed("Gone.", status=404)
    error.retryable = False
    assert pickle.loads(pickle.dumps(error)).retryable is False
    assert errors.DownloadFailed("Late.").retryable


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
    (401, {"message": "not enough credits"}, "", errors.InsufficientCredits),
    (404, {"error": {"message": "Your credit balance is too low."}}, "", errors.InsufficientCredits),
    (400, None, "insufficient balance", errors.InsufficientCredits),
    (404, None, "<html><a>Top up</a>", errors.NotFound),
    (422, {"message": "Do not use “top up” in prompt"}, "", errors.ValidationFailed),
    (200, {"code": "INSUFFICIENT_CREDITS"}, "", errors.InsufficientCredits),
    (404, {"message": "no such thing"}, "", errors.NotFound),
    (422, {"error": "safety filter"}, "", errors.ContentRejected),
    (422, {"error": "bad duration"}, "", errors.ValidationFailed),
    (503, None, "<html>", errors.ServerError),
    (503, None, "<html>please recharge", errors.ServerError),
    (500, None, "Not enough credits", errors.InsufficientCredits),
    (400, {"code": "video_generation_insufficient_credits"}, "", errors.InsufficientCredits),
    (500, {"error": {"code": "CONTENT_REJECTED", "message": "no"}}, "", errors.ContentRejected),
    (422, {"code": "VIDEO_GENERATION_INVALID_INPUT", "message": "recharge"}, "", errors.InvalidRequest),
    (422, {"code": "NEW_CODE", "message": "ERR_INSUFFICIENT_CREDITS"}, "", errors.InsufficientCredits),
    (429, {"message": "top up for higher limits"}, "", errors.InsufficientCredits),
    (408, {"message": "slow"}, "", errors.ServerError),
    (425, None, "", errors.InvalidRequest),
    (403, {}, "", errors.PermissionDenied),
    (405, 7, "7", errors.InvalidRequest),
    (302, None, "", errors.InvalidRequest),
    (200, None, "<html>sign in", errors.ServerError),
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
        ({"error": "Forbidden", "message": ""}, None, "Forbidden"),
        ({"code": "lower_case", "error": "x"}, "lower_case", "x"),
        ({"code": "no code at all"}, None, ""),
        ({"code": "A\x1b[2J", "message": "\x1b[2J"}, None, "\\x1b[2J"),
        ({"title": "t", "detail": "d"}, None, "d"),
        ({"code": "NEW", "error": "INVALID_INPUT", "message": "m"}, "INVALID_INPUT", "m"),
    ],
)
def test_every_shape_of_an_error_body_is_read(body: Any, code: str | None, said: str) -> None:
    error = api_error(400, body, "")
    assert error.code == code
    assert said in str(error)


TEXTS: dict[str, type[APIError]] = {
    "Insufficient credits": errors.InsufficientCredits,
    "You do not have enough credits.": errors.InsufficientCredits,
    "You don\u2019t have enough credits.": errors.InsufficientCredits,
    "not enough credit": errors.InsufficientCredits,
    "Insufficient balance": errors.InsufficientCredits,
    "out of credits": errors.InsufficientCredits,
    "Please top up": errors.InsufficientCredits,
    "Top-up needed": errors.InsufficientCredits,
    "Recharge first": errors.InsufficientCredits,
    "prompt: 'recharge the battery' is too long": errors.ValidationFailed,
    'prompt "a top up of tea" is too short': errors.ValidationFailed,
    "no credits were charged: duration is wrong": errors.ValidationFailed,
    "stop upload": errors.ValidationFailed,
    "creditscore is missing": errors.ValidationFailed,
    "Rejected by moderation": errors.ContentRejected,
    "The image was moderated": errors.ContentRejected,
    "violates our usage policy": errors.ContentRejected,
    "content_policy_violation": errors.ContentRejected,
    "NSFW": errors.ContentRejected,
    "Sensitive content found": errors.ContentRejected,
    "the content of the image has been rejected": errors.ContentRejected,
    "motion is not one of low, moderate, high": errors.ValidationFailed,
    "Rejected by the schema": errors.ValidationFailed,
    "Content-Type image/gif was rejected": errors.ValidationFailed,
    "safety_filter_level is not an integer": errors.ValidationFailed,
    "prompt: 'a content moderator at work' is too long": errors.ValidationFailed,
}


@pytest.mark.parametrize("said", TEXTS)
def test_the_text_decides_where_it_speaks_of_the_matter(said: str) -> None:
    assert type(api_error(422, {"message": said}, "")) is TEXTS[said]


@pytest.mark.parametrize("body", [None, {"message": "x"}])
def test_a_text_of_any_length_and_kind_is_read_in_no_time(body: object) -> None:
    for piece in ("' 'a ", "content ", "not ", "\ud800", "[", "\x00"):
        text = piece * 2_000_000
        error = api_error(422, body and {"message": text}, text)
        assert len(str(error)) < 4000
        str(error).encode()


def test_a_sentence_of_the_platform_ends_once() -> None:
    assert str(api_error(429, {"message": "Slow down."}, "")).startswith(
        "The platform answered 429: Slow down. Nothing"
    )
    assert str(api_error(429, None, "")).startswith("The platform answered 429. Nothing")


def test_a_page_in_place_of_an_answer_is_named() -> None:
    assert "an HTML page" in str(api_error(200, None, "<html>sign in"))
    assert "sign in" not in str(api_error(200, None, "<html>sign in"))


def test_a_page_of_a_proxy_is_named_and_not_repeated() -> None:
    assert "an HTML page" in str(api_error(502, None, "<!DOCTYPE html><script>alert(1)</script>"))
    assert "script" not in str(api_error(502, None, "<!DOCTYPE html><script>alert(1)</script>"))


def test_a_text_from_the_network_is_shown_on_one_line_and_cut() -> None:
    assert visible("a\x1b[2J\r\n\u202eb\u2028") == "a\\x1b[2J\\r\\n\\u202eb\\u2028"
    assert len(visible("x" * 10_000)) < 600


def test_retryable_means_that_the_same_call_cannot_pay_twice() -> None:
    kinds = {kind for kind in KINDS if kind.retryable}
    assert kinds == {errors.RateLimited, errors.ServerError, errors.ConnectionFailed, errors.DownloadFailed}
