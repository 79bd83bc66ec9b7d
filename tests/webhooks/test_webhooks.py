"""Messages that the platform posts: only what is signed with the secret is read, and as what it is."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from skills_video import SkillsVideoError, Status, webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = {
    "type": "task.completed",
    "prediction": {"id": "gen_1", "state": "succeeded", "data": {"url": "https://x.org/v"}},
}


def message(body: object, *, age: float = 0.0, secret: str = SECRET, name: str = "msg_1") -> tuple[str, dict[str, str]]:
    text = body if isinstance(body, str) else json.dumps(body)
    when = datetime.now(UTC) - timedelta(seconds=age)
    signature = Webhook(secret).sign(name, when, text)
    return text, {
        "webhook-id": name,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": signature,
    }


def test_a_signed_message_tells_its_generation():
    text, headers = message(BODY)
    event = webhooks.verify(text.encode(), headers, SECRET)
    assert (event.id, event.type, event.generation.id) == ("msg_1", "task.completed", "gen_1")
    assert event.generation.status == Status.COMPLETED
    assert event.generation.is_finished
    assert event.generation.videos[0].url == "https://x.org/v"
    assert event.raw == BODY


def test_headers_in_any_case_and_a_secret_without_its_prefix():
    text, headers = message(BODY)
    titled = {name.title(): value for name, value in headers.items()}
    assert webhooks.verify(text, titled, SECRET.removeprefix("whsec_")).generation.id == "gen_1"


def test_a_message_that_is_delivered_again_has_the_same_id():
    first, again, other = (message(BODY, age=60), message(BODY), message(BODY, name="msg_2"))
    assert [webhooks.verify(*given, SECRET).id for given in (first, again, other)] == ["msg_1", "msg_1", "msg_2"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "task.created", "prediction": {"id": "g", "state": "queued"}}, "IN_QUEUE"),
        ({"type": "task.started", "data": {"prediction": {"id": "g", "state": "running"}}}, "IN_PROGRESS"),
        ({"type": "task.canceled", "data": {"id": "g", "state": "canceled"}}, "CANCELED"),
        ({"type": "task.failed", "data": {"id": "g"}}, "FAILED"),
        ({"id": "g", "status": "COMPLETED"}, "COMPLETED"),
        ({"id": "evt_1", "type": "task.failed", "prediction": {"id": "g", "state": "failed"}}, "FAILED"),
        ({"id": "evt_1", "type": "task.failed", "prediction": {"task_id": "g", "state": "failed"}}, "FAILED"),
        ({"id": "evt_1", "type": "task.started", "data": {"generationId": "g"}}, "IN_PROGRESS"),
        ({"id": "evt_1", "data": {"prediction": {"generation_id": "g", "state": "canceled"}}}, "CANCELED"),
    ],
)
def test_shapes_and_words(body, status):
    text, headers = message(body)
    generation = webhooks.verify(text, headers, SECRET).generation
    assert (generation.id, generation.status) == ("g", status)


def refusal(body: str | bytes, headers: dict[str, str], secret: str = SECRET, **options: float) -> str:
    with pytest.raises(webhooks.WebhookRefused) as caught:
        webhooks.verify(body, headers, secret, **options)
    assert isinstance(caught.value, SkillsVideoError)
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("age", [301, -301, 10**9])
def test_a_message_that_is_too_old_or_too_new(age):
    text, headers = message(BODY, age=age)
    refusal(text, headers)


def test_a_tolerance_of_ones_own():
    text, headers = message(BODY, age=60)
    assert webhooks.verify(text, headers, SECRET, tolerance=90).id == "msg_1"
    assert "more than 30 s" in refusal(text, headers, tolerance=30)


@pytest.mark.parametrize("tolerance", [0, -1, 301, float("nan"), True, "60", None])
def test_a_tolerance_that_is_none(tolerance):
    text, headers = message(BODY)
    with pytest.raises(ValueError, match="tolerance"):
        webhooks.verify(text, headers, SECRET, tolerance=tolerance)


def test_another_secret_another_body_another_id():
    text, headers = message(BODY)
    refusal(text + " ", headers)
    refusal(text, headers, "whsec_" + "QUJD" * 8)
    refusal(text, headers | {"webhook-id": "msg_2"})


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize(
    "value", [None, "", "v1", "v1,", "v1,é", "v2,AAAA", ",", "nan", "inf", "1e400", "a" * 99_999, "\0"]
)
def test_headers_that_are_broken(name, value):
    text, headers = message(BODY)
    if value is None:
        del headers[name]
    else:
        headers[name] = value
    refusal(text, headers)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", "no JSON", "[" * 100_000, '{"type": "task.completed"}', '{"id": "g"}']
    + [json.dumps({"id": given, "status": "COMPLETED"}) for given in ("", "..", "a\nb", None, {"id": "g"}, True)]
    + [json.dumps({"input": {"id": "g", "status": "COMPLETED"}})],
)
def test_signed_bodies_that_tell_of_no_generation(body):
    text, headers = message(body)
    refusal(text, headers)


def test_bodies_that_are_no_text_or_too_long():
    _, headers = message(BODY)
    refusal(b"\xff\xfe", headers)
    refusal(b" " * (16 * 2**20 + 1), headers)


@pytest.mark.parametrize("secret", ["", "whsec_", "é", "whsec_!"])
def test_secrets_that_are_none(secret):
    text, headers = message(BODY)
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(text, headers, secret)


def test_without_the_extra_it_says_what_to_install():
    program = (
        "import sys; sys.modules['standardwebhooks'] = None\n"
        "from skills_video import webhooks\n"
        "try: webhooks.verify(b'', {}, 'x')\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "webhooks need an extra: pip install 'skills-video[webhooks]'\n"
