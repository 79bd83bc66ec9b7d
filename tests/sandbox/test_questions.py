"""Faults of results, running lists, balances; the sandbox's own endpoints."""

from __future__ import annotations

import httpx
import pytest

from tests.support.sandbox_callers import BODY, PLAIN, Caller

TROUBLES = ("404", "429", "500", "502", "503", "504")


def statuses(caller: Caller, path: str, count: int) -> list[int]:
    return [caller.http.get(path).status_code for _ in range(count)]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_result_can_be_troubled_for_a_while(still: Caller, trouble: str) -> None:
    made = still.made(f"result-{trouble}:2")
    other = still.made()
    assert statuses(still, f"/generation/{made}", 3) == [int(trouble), int(trouble), 200]
    assert statuses(still, f"/generation/{other}", 1) == [200]


@pytest.mark.parametrize(("target", "path"), [("running", "/generations/running"), ("credits", "/credits")])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_lists_and_balances_can_be_troubled(still: Caller, target: str, path: str, trouble: str) -> None:
    still.sandbox.arm(f"{target}-{trouble}:2")
    assert statuses(still, path, 3) == [int(trouble), int(trouble), 200]
    still.create(f"{target}-{trouble}")
    assert statuses(still, path, 2) == [int(trouble), 200]


@pytest.mark.parametrize("target", ["result", "running", "credits"])
@pytest.mark.parametrize(("trouble", "error"), [("drop", httpx.RemoteProtocolError), ("silence", httpx.ReadTimeout)])
def test_questions_can_stay_without_an_answer(
    still: Caller, target: str, trouble: str, error: type[httpx.HTTPError]
) -> None:
    still.sandbox.arm(f"running-{trouble},credits-{trouble}")
    made = still.made(f"result-{trouble}")
    path = {"result": f"/generation/{made}", "running": "/generations/running", "credits": "/credits"}[target]
    with pytest.raises(error):
        still.http.get(path, timeout=0.1)
    assert still.http.get(path).status_code == 200


def test_the_running_list_can_lag_behind(still: Caller) -> None:
    still.create("running-hidden:2")
    still.create()
    assert [len(still.http.get("/generations/running").json()) for _ in range(3)] == [1, 1, 2]


def test_an_older_generation_is_troubled_in_older_words(still: Caller) -> None:
    made = still.made("older,result-404")
    assert set(still.http.get(f"/generation/{made}").json()) == {"message"}


def test_counts_are_asked_for_without_a_key(still: Caller) -> None:
    still.create()
    still.create()
    still.create(body={"prompt": "other"})
    counts = still.keyless.get(f"{still.sandbox.origin}/sandbox/stats").json()
    assert counts["made"] == counts["running"] == 3
    assert counts["generations"] == [
        {"model": "kling-ai/kling-v2.6", "input": BODY, "count": 2},
        {"model": "kling-ai/kling-v2.6", "input": {"prompt": "other"}, "count": 1},
    ]
    assert counts["credits"] == {"charged": 30, "total": 99_970, "subscription": 99_970, "permanent": 0}
    assert counts["requests"] == {f"POST /api/v1{PLAIN}": 3, "GET /sandbox/stats": 1}
    still.sandbox.advance(100)
    assert still.keyless.get(f"{still.sandbox.origin}/sandbox/stats").json()["running"] == 0


def test_requests_are_counted_by_path_without_ids(fast: Caller) -> None:
    made = fast.stream().text.partition("gen_")[2][:6]
    result = fast.http.get(f"/generation/gen_{made}").json()
    fast.keyless.get(result["data"]["video"]["url"])
    assert fast.sandbox.requests["GET /api/v1/generation/{id}"] == 1
    assert fast.sandbox.requests["GET /media/{id}/{file}"] == 1


def test_faults_are_planned_over_http(still: Caller) -> None:
    where = f"{still.sandbox.origin}/sandbox/faults"
    assert still.keyless.post(where, json={"plan": ["drop-before"], "arm": "credits-503"}).status_code == 204
    assert still.keyless.post(where, json={"clear": True, "plan": ["429", "every 2 503-before"]}).status_code == 204
    assert [still.create().status_code for _ in range(3)] == [429, 503, 200]
    assert statuses(still, "/credits", 2) == [503, 200]


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"[" * 100_000, b'{"plan": "drop-after"}', b'{"plan": ["nonsense"]}', b'{"arm": "nonsense"}'],
)
def test_a_wrong_plan_is_refused_over_http(still: Caller, content: bytes) -> None:
    answer = still.keyless.post(f"{still.sandbox.origin}/sandbox/faults", content=content)
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    assert still.create().status_code == 200


def test_the_clock_is_moved_over_http(still: Caller) -> None:
    still.create()
    where = f"{still.sandbox.origin}/sandbox/clock"
    assert still.keyless.post(where, json={"advance": 21.5}).json() == {"now": 21.5}
    assert still.sandbox.status("gen_000001") == "COMPLETED"


@pytest.mark.parametrize("given", [{}, *({"advance": seconds} for seconds in ("soon", "nan", "inf", -1, 10**400))])
def test_the_clock_goes_forward_alone(still: Caller, given: dict[str, object]) -> None:
    assert still.keyless.post(f"{still.sandbox.origin}/sandbox/clock", json=given).status_code == 400
    assert still.sandbox.now() == 0


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "5.0", "\u0665", "9" * 5000, ""])
def test_a_limit_outside_its_range_is_refused(still: Caller, limit: str) -> None:
    answer = still.http.get("/generations/running", params={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (400, "VIDEO_GENERATION_INVALID_INPUT")


def test_a_status_is_asked_of_what_was_made(still: Caller) -> None:
    with pytest.raises(KeyError):
        still.sandbox.status("gen_000001")
