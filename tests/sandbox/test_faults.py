"""Faults of create requests, on the wire."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from skills_video_runtime.sandbox import FaultError, Sandbox
from skills_video_runtime.sandbox.faults import KNOWN, Plan, parse, table
from tests.support.sandbox_callers import BODY, PLAIN, STREAM, Caller, events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVER_ERRORS = (500, 502, 503, 504)


@pytest.mark.parametrize("path", [PLAIN, STREAM])
@pytest.mark.parametrize(("name", "made"), [("drop-before", 0), ("drop-after", 1)])
@pytest.mark.parametrize("reset", [False, True])
def test_a_dropped_connection_brings_no_byte(still: Caller, path: str, name: str, made: int, reset: bool) -> None:
    assert still.raw(f"{name}:reset" if reset else name, path) == (b"", reset)
    assert still.sandbox.made() == made


@pytest.mark.parametrize("reset", [False, True])
def test_a_stream_dropped_after_the_id_has_one_frame_and_no_end(still: Caller, reset: bool) -> None:
    received, was_reset = still.raw("drop-after-id:reset" if reset else "drop-after-id")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"transfer-encoding: chunked" in head.lower()
    assert body.count(b"data: ") == 1
    assert b'"gen_000001"' in body
    assert body.endswith(b"\n\n\r\n")
    assert was_reset == reset


def test_an_answer_dropped_after_the_id_is_cut_behind_it(still: Caller) -> None:
    received, _ = still.raw("drop-after-id", PLAIN)
    assert received.endswith(b'{"id":"gen_000001"')
    assert still.sandbox.made() == 1


def test_a_stream_can_be_cut_at_every_byte_of_a_frame(fast: Caller) -> None:
    whole = fast.stream().text.split("\n\n")[0] + "\n\n"
    for at in range(0, len(whole) + 1, 7):
        head, _, body = fast.raw(f"cut:{at}")[0].partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head.lower()
        size, _, rest = body.partition(b"\r\n")
        assert (int(size or b"0", 16), len(rest.removesuffix(b"\r\n"))) == (at, at)


def test_a_json_answer_can_be_cut(still: Caller) -> None:
    received, reset = still.raw("cut:9", PLAIN)
    head, _, body = received.partition(b"\r\n\r\n")
    assert (body, reset) == (b'{"id":"ge', False)
    assert int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) > 9


def test_a_stream_can_end_early_in_good_order(fast: Caller) -> None:
    assert [event["status"] for event in events(fast.stream("end-early").text)] == ["IN_QUEUE"]
    assert [event["status"] for event in events(fast.stream("end-early:2").text)] == ["IN_QUEUE", "IN_PROGRESS"]
    assert fast.raw("end-early", close=True)[0].endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(("frames", "seen"), [("0", 0), ("1", 1), ("2", 2)])
def test_a_silent_stream_stays_open(fast: Caller, frames: str, seen: int) -> None:
    headers = {"X-Sandbox-Fault": f"silence:{frames}"}
    with fast.http.stream("POST", STREAM, json=BODY, headers=headers, timeout=0.3) as answer:
        pieces = answer.iter_text()
        assert len([next(pieces) for _ in range(seen)]) == seen
        with pytest.raises(httpx.ReadTimeout):
            next(pieces)
    assert fast.sandbox.made() == 1


@pytest.mark.parametrize(("name", "made"), [("silence-before", 0), ("silence-after", 1)])
def test_no_answer_ever(still: Caller, name: str, made: int) -> None:
    with pytest.raises(httpx.ReadTimeout):
        still.http.post(STREAM, json=BODY, headers={"X-Sandbox-Fault": name}, timeout=0.1)
    assert still.sandbox.made() == made


@pytest.mark.parametrize("name", ["delay", "delay-after"])
def test_a_delay_is_in_real_seconds(still: Caller, name: str) -> None:
    begun = time.monotonic()
    assert still.create(f"{name}:0.1").status_code == 200
    assert time.monotonic() - begun >= 0.1


def test_delayed_work_is_done_though_the_client_has_left(still: Caller) -> None:
    with pytest.raises(httpx.ReadTimeout):
        still.http.post(PLAIN, json=BODY, headers={"X-Sandbox-Fault": "delay:0.5"}, timeout=0.05)
    assert still.sandbox.made() == 0
    still.create("delay:0.6")
    assert still.sandbox.made() == 2


@pytest.mark.parametrize(("text", "header"), [("429", None), ("429:2", "2"), ("429:0.5", "0.5")])
def test_too_many_requests(still: Caller, text: str, header: str | None) -> None:
    answer = still.stream(text)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, header)
    assert answer.json()["code"] == "VIDEO_GENERATION_RATE_LIMITED"
    assert still.sandbox.made() == 0


def test_too_many_requests_until_a_date(still: Caller) -> None:
    date = parsedate_to_datetime(still.stream("429:date:60").headers["retry-after"])
    assert 58 <= date.timestamp() - time.time() <= 60


@pytest.mark.parametrize("status", SERVER_ERRORS)
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_server_errors_are_a_proxys_page_or_the_platforms_json(
    still: Caller, status: int, when: str, made: int
) -> None:
    page = still.stream(f"{status}-{when}")
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert page.text.startswith("<html>")
    assert still.sandbox.made() == made
    assert set(still.create(f"{status}-{when}:json").json()) == {"error", "code", "message"}


@pytest.mark.parametrize("status", [404, 405, 501])
def test_the_stream_endpoint_alone_can_be_missing(still: Caller, status: int) -> None:
    assert still.stream(f"no-stream:{status}").status_code == status
    assert still.sandbox.made() == 0
    assert still.create(f"no-stream:{status}").status_code == 200


def test_json_instead_of_a_stream(still: Caller) -> None:
    answer = still.stream("json")
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["id"], answer.json()["status"]) == ("gen_000001", "IN_QUEUE")


@pytest.mark.parametrize(
    ("shape", "keys"), [("older", {"error", "message"}), ("oldest", {"message"}), ("nested", {"error"})]
)
def test_errors_have_had_other_shapes(still: Caller, shape: str, keys: set[str]) -> None:
    assert set(still.create(f"errors:{shape}", body={}).json()) == keys
    assert still.create("errors:plain", body={}).headers["content-type"].startswith("text/plain")


def test_a_redirect_leads_elsewhere(still: Caller) -> None:
    answer = still.create("redirect:https://elsewhere.example/a?b")
    assert (answer.status_code, answer.headers["location"]) == (307, "https://elsewhere.example/a?b")
    assert still.sandbox.made() == 0


def test_a_stream_comes_in_pieces(fast: Caller) -> None:
    received, _ = fast.raw("pieces:1,end-early", close=True)
    body = received.partition(b"\r\n\r\n")[2]
    assert body.startswith(b"1\r\nd\r\n1\r\na\r\n")
    assert events(fast.stream("pieces:3").text)[-1]["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("crlf", '{first}\r\n\r\ndata: {"id"'),
        ("bom", '\ufeff{first}\n\ndata: {"id"'),
        ("comments", ": keep-alive\n\n{first}\n:\n\n: keep-alive"),
        ("fields", "retry: 3000\nid: 1\n\n{first}\nevent: message\nid\n\n"),
        ("garbage", 'data: {"id": \n\n{first}'),
    ],
)
def test_a_stream_can_be_written_in_other_ways(fast: Caller, style: str, expected: str) -> None:
    first = fast.stream().text.split("\n\n")[0].replace("gen_000001", "gen_000002")
    assert fast.stream(f"framing:{style}").content.decode().startswith(expected.replace("{first}", first))


def test_a_frame_can_have_several_lines(fast: Caller) -> None:
    first = fast.stream("framing:multiline").text.split("\n\n")[0]
    lines = [line.removeprefix("data: ") for line in first.split("\n")]
    assert len(lines) > 1
    assert json.loads("\n".join(lines))["status"] == "IN_QUEUE"


def test_a_frame_can_be_huge(fast: Caller) -> None:
    assert len(fast.stream("huge:1000000").content) > 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "cut",
        "cut:x",
        "delay",
        "redirect:ftp://a",
        "no-stream:500",
        "json:1",
        "download-type:a%0Ab",
        "cut:" + "9" * 5000,
    ],
)
def test_a_fault_that_is_not_known_is_told(still: Caller, text: str) -> None:
    answer = still.create(text)
    assert (answer.status_code, still.sandbox.made()) == (400, 0)
    assert text.partition(":")[0] in answer.json()["message"]
    with pytest.raises(FaultError):
        still.sandbox.plan("drop-after", text)
    assert still.create().status_code == 200


def test_faults_are_written_back_as_they_were_read() -> None:
    assert str(parse("429:date:3, drop-after ,cut:7")) == "429:date:3,drop-after,cut:7"
    assert all(
        name in table()
        for name in KNOWN
        if not name.startswith(("result-", "running-", "credits-", "cancel-", "subscribe-", "down"))
    )


WORDS = {"SECONDS": "0.5", "WAY+WAY…": "crlf+bom", "URL": "https://a.example", "TEXT": "x", "[-]N": "-1", "N": "1"}


def forms(written: str) -> Iterator[str]:
    """Give a fault with each argument that the help writes, and without, if it writes none or an optional one."""
    for word, argument in WORDS.items():
        written = written.replace(word, argument)
    must, _, may = written.removesuffix("]").partition("[:")
    name, colon, argument = must.partition(":")
    yield from (f"{name}{colon}{choice}" for choice in argument.split("|"))
    yield from (f"{must}:{choice}" for choice in may.split("|") if choice)


def test_faults_are_taken_as_the_help_writes_them() -> None:
    listed = [line.split("  ")[0] for line in table().partition("\n\n")[0].splitlines()]
    given = [form for written in listed for form in forms(written)]
    assert [str(parse(form)) for form in given] == given
    assert {"cut:1", "drop-after", "drop-after:reset", "errors:nested", "download-cut:1:1"} <= set(given)


def test_a_counting_fault_is_used_up() -> None:
    faults = parse("result-404:2,running-drop")
    assert [faults.take("result-404") for _ in range(3)] == [True, True, False]
    assert [faults.take("running-drop") for _ in range(2)] == [True, False]
    assert not faults.take("credits-500")


def test_a_plan_deals_its_steps_and_rules() -> None:
    plan = Plan()
    plan.add(["drop-before", "", "every 3 json", "429,cut:1"])
    assert [str(plan.deal()) for _ in range(6)] == ["drop-before", "", "json,429,cut:1", "", "", "json"]
    plan.clear()
    assert [str(plan.deal()) for _ in range(3)] == ["", "", ""]


def test_a_plan_is_used_up_by_create_requests_alone(call_with: Callable[..., Caller]) -> None:
    caller = call_with(Sandbox(speed=0, plan=["503-before", "", "429:1"]))
    caller.http.get("/credits")
    caller.http.post("/generation/nobody", json=BODY)
    caller.keyless.post(caller.sandbox.url + PLAIN, json=BODY)
    assert [caller.create().status_code for _ in range(4)] == [503, 200, 429, 200]


def test_a_plan_adds_to_the_header(still: Caller) -> None:
    still.sandbox.plan("older")
    assert still.create("502-before:json").json() == {"message": "Bad Gateway"}


def test_a_plan_can_be_forgotten(still: Caller) -> None:
    still.sandbox.plan("every 1 drop-before", "drop-after")
    still.sandbox.clear_faults()
    assert still.create().status_code == 200


def test_a_header_on_a_question_is_nothing(still: Caller) -> None:
    answer = still.http.get("/credits", headers={"X-Sandbox-Fault": "drop-before,credits-drop"})
    assert answer.status_code == 200
