"""What the sandbox takes from nobody: control by another origin, bodies without end, names without end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox_callers import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sandbox_callers import Caller

OTHERS: dict[str, dict[str, str]] = {
    "another host": {"Host": "evil.example"},
    "a name that leads here": {"Host": "rebound.example:4912"},
    "the address of another machine": {"Host": "192.0.2.1:4912"},
    "no host": {"Host": ""},
    "no host that can be read": {"Host": "[::1"},
    "another origin": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "an origin without a name": {"Origin": "null"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sister of the site": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_origin_sees_or_changes_anything(still: Caller, name: str) -> None:
    where = f"{still.sandbox.origin}/sandbox"
    answers = [
        still.keyless.get(f"{where}/stats", headers=OTHERS[name]),
        still.keyless.post(f"{where}/clock", json={"advance": 5}, headers=OTHERS[name]),
        still.keyless.post(f"{where}/faults", json={"plan": ["429"]}, headers=OTHERS[name]),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert still.sandbox.now() == 0
    assert still.create().status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.1", "[::1]", "box.localhost"])
def test_this_machine_may_control_it_under_all_its_names(still: Caller, host: str) -> None:
    port = still.sandbox.origin.rpartition(":")[2]
    own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}", "Sec-Fetch-Site": "same-origin"}
    where = f"{still.sandbox.origin}/sandbox/clock"
    assert still.keyless.post(where, json={"advance": 5}, headers=own).json() == {"now": 5}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_a_page_can_send_is_refused(still: Caller, kind: str) -> None:
    for verb, body in (("clock", b'{"advance": 5}'), ("faults", b'{"plan": ["429"]}')):
        where = f"{still.sandbox.origin}/sandbox/{verb}"
        answer = still.keyless.post(where, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, set(answer.json())) == (400, {"message"})
    assert still.sandbox.now() == 0
    assert still.create().status_code == 200


def test_a_clock_that_would_leave_all_numbers_stays_where_it_is(still: Caller) -> None:
    where = f"{still.sandbox.origin}/sandbox/clock"
    codes = [still.keyless.post(where, json={"advance": 1e308}).status_code for _ in range(3)]
    assert codes == [200, 400, 400]
    assert still.keyless.get(f"{still.sandbox.origin}/sandbox/stats").status_code == 200
    assert still.sandbox.now() == 1e308


def test_names_of_requests_are_counted_up_to_a_bound(still: Caller) -> None:
    for number in range(1100):
        still.keyless.get(f"{still.sandbox.origin}/nothing/{number}")
    still.keyless.get(f"{still.sandbox.origin}/{'x' * 2000}")
    counts = still.sandbox.requests
    assert len(counts) <= 1001
    assert counts["others"] >= 101
    assert counts.total() == 1101


def test_the_record_of_requests_is_bounded_in_bytes(still: Caller) -> None:
    for _ in range(400):
        still.keyless.get(f"{still.sandbox.origin}/nothing", headers={"X-Long": "x" * 60_000})
    held = sum(len(value) for request in still.sandbox.seen for value in request.headers.values())
    assert 10 * 2**20 < held <= 16 * 2**20
    still.create()
    assert still.sandbox.seen[-1].path == f"/api/v1{PLAIN}"


def endless(kind: str) -> Iterator[bytes]:
    """Give a body of 80 MiB, in pieces."""
    if kind.startswith("multipart"):
        yield b'--b\r\nContent-Disposition: form-data; name="image_url"; filename="a.png"\r\n\r\n'
    for _ in range(80):
        yield bytes(2**20)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
def test_a_body_that_is_too_large_is_refused(still: Caller, kind: str) -> None:
    answer = still.http.post(PLAIN, content=endless(kind), headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert still.sandbox.made() == 0
    assert still.create().status_code == 200


def test_a_length_that_is_too_large_is_refused_before_the_body_comes(still: Caller) -> None:
    host, port = still.sandbox.origin.removeprefix("http://").split(":")
    head = f"POST /api/v1{PLAIN} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {still.sandbox.api_key}\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {10**18}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
