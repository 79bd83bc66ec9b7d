"""A sandbox that works on some generations at once, what its answers say of themselves, and its webhooks."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from skills_video import Client, Event, RateLimited, kling_v2_6, webhooks
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOAD = kling_v2_6.TextImageToVideo(prompt="neon rain")
ONCE = RetryPolicy(attempts=1)


def client_of(sandbox: Sandbox, **options: Any) -> Client:
    return Client(sandbox.api_key, sandbox.url, **options)


def test_those_that_find_no_room_wait_and_are_told_their_places():
    with Sandbox(speed=0, at_once=1, queue_seconds=1, work_seconds=10) as sandbox, client_of(sandbox) as client:
        ids = [client.submit(PAYLOAD).id for _ in range(3)]
        assert [item.queue_place for item in reversed(client.running())] == [1, 2, 3]
        seen = []
        for moment in (2, 10, 10, 10):
            sandbox.advance(moment)
            seen.append([(client.get(name).status, client.get(name).queue_place) for name in ids])
    assert seen == [
        [("IN_PROGRESS", None), ("IN_QUEUE", 1), ("IN_QUEUE", 2)],
        [("COMPLETED", None), ("IN_PROGRESS", None), ("IN_QUEUE", 1)],
        [("COMPLETED", None), ("COMPLETED", None), ("IN_PROGRESS", None)],
        [("COMPLETED", None)] * 3,
    ]


def test_a_stream_tells_each_place():
    with Sandbox(speed=0, at_once=2, queue_seconds=1, work_seconds=10) as sandbox, client_of(sandbox) as client:
        seen: list[Event] = []

        def go_on(event: Event) -> None:
            seen.append(event)
            sandbox.advance(11)

        for _ in range(5):
            client.submit(PAYLOAD)
            sandbox.advance(0.5)
        client.generate(PAYLOAD, on_event=go_on)
    places = [event.queue_place for event in seen if event.status == "IN_QUEUE"]
    assert places == sorted(places, reverse=True)
    assert (len(places) >= 2, places[-1]) == (True, 1)
    assert [event.status for event in seen if event.is_new] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


def test_a_platform_that_takes_some_at_a_time_refuses_more():
    with Sandbox(speed=0, at_once=2, when_full="429") as sandbox, client_of(sandbox, retry=ONCE) as client:
        client.submit(PAYLOAD)
        client.submit(PAYLOAD)
        with pytest.raises(RateLimited) as caught:
            client.submit(PAYLOAD)
        assert caught.value.retry_after == 21
        sandbox.advance(21)
        client.submit(PAYLOAD)
        assert sandbox.made() == 3


def test_many_are_made_by_a_platform_that_takes_two_at_a_time():
    with Sandbox(speed=400, at_once=2, when_full="429") as sandbox:
        retry = RetryPolicy(initial=0.01, maximum=0.05)
        with client_of(sandbox, retry=retry) as client:
            fast_time(client)
            results = list(client.generate_many([PAYLOAD] * 5, limit=5))
        assert (sandbox.made(), [result.error for result in results]) == (5, [None] * 5)


def test_each_answer_has_an_id_and_the_headers_that_were_asked_for():
    with Sandbox(headers={"X-Region": "eu"}, credits=0) as sandbox:
        answers = [httpx.get(f"{sandbox.url}/credits"), httpx.get(f"{sandbox.origin}/nowhere")]
        assert {answer.headers["x-region"] for answer in answers} == {"eu"}
        assert [answer.headers["x-request-id"] for answer in answers] == ["req_000001", "req_000002"]
        with client_of(sandbox) as client, pytest.raises(Exception, match="402") as caught:
            client.generate(PAYLOAD)
    assert caught.value.request_id == "req_000003"


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, list[Any]]]:
    """Receive webhooks, and answer with each status in turn, then with 204."""
    got: list[Any] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((dict(self.headers), body))
            self.send_response(left.pop(0) if left else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks?a=1", got
        finally:
            server.shutdown()


def wait_for(count: int, sandbox: Sandbox) -> None:
    until = time.monotonic() + 10
    while len(sandbox.deliveries) < count and time.monotonic() < until:
        threading.Event().wait(0.01)


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(("plan", "last"), [("", "completed"), ("failed", "failed"), ("canceled", "canceled")])
def test_a_webhook_tells_each_state_and_is_signed(plan: str, last: str) -> None:
    with receiver() as (url, got), Sandbox(speed=400, webhook=url, webhook_secret=SECRET, plan=[plan]) as sandbox:
        with client_of(sandbox) as client:
            name = client.submit(PAYLOAD).id
        wait_for(3, sandbox)
        told = [webhooks.verify(body, headers, SECRET) for headers, body in got]
    assert [event.type for event in told] == ["task.created", "task.started", f"task.{last}"]
    assert {event.generation.id for event in told} == {name}
    assert (told[-1].generation.status, len({event.id for event in told})) == (last.upper(), 3)
    assert [delivery.status for delivery in sandbox.deliveries] == [204] * 3


def test_a_webhook_that_is_not_taken_is_sent_again_under_the_same_id() -> None:
    with receiver(500, 302) as (url, got), Sandbox(speed=400, webhook=url) as sandbox, client_of(sandbox) as client:
        client.submit(PAYLOAD)
        wait_for(5, sandbox)
    attempts = sandbox.deliveries
    assert [delivery.status for delivery in attempts] == [500, 302, 204, 204, 204]
    assert len({delivery.id for delivery in attempts[:3]}) == 1
    assert len(got) == 5  # no redirect is followed
    assert json.loads(got[0][1]) == {"type": "task.created", "prediction": {"id": "gen_000001", "state": "queued"}}


def test_a_webhook_that_nobody_takes_is_given_up() -> None:
    with Sandbox(speed=2000, webhook="http://127.0.0.1:9/", work_seconds=1) as sandbox, client_of(sandbox) as client:
        client.submit(PAYLOAD)
        wait_for(12, sandbox)
    assert [delivery.status for delivery in sandbox.deliveries] == [None] * 12


def test_a_stream_tells_no_webhooks() -> None:
    with receiver() as (url, got), Sandbox(speed=400, webhook=url) as sandbox, client_of(sandbox) as client:
        client.generate(PAYLOAD)
        client.submit(PAYLOAD)
        wait_for(3, sandbox)
    assert {json.loads(body)["prediction"]["id"] for _, body in got} == {"gen_000002"}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"webhook": "http://hooks.example/"}, "webhook"),
        ({"webhook": "https://me@hooks.example/"}, "webhook"),
        ({"webhook": "https://hooks.example/\r\nX: 1"}, "webhook"),
        ({"webhook": "hooks"}, "webhook"),
        ({"webhook": "https://hooks.example", "webhook_secret": "whsec_*"}, "webhook_secret"),
        ({"at_once": 0}, "at_once"),
        ({"at_once": True}, "at_once"),
        ({"at_once": 1.5}, "at_once"),
        ({"when_full": "wait"}, "when_full"),
        ({"headers": {"A": "b\r\nc"}}, "headers"),
        ({"headers": ["A: b"]}, "headers"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(named)):
        Sandbox(**wrong)
