"""Variables for proxies and certificates: what has a plain meaning is taken, what has none is told by its name."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from skills_video_runtime import errors
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.http.environment import proxy_of
from tests.support.callers import Payload, use
from tests.support.processes import call
from tests.support.scripted import KEY, Scripted, answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from skills_video_runtime.testing import FastTime

PLATFORM, HERE = "https://platform.example/api", "http://127.0.0.1:9/api"
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any variable that counts."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in VARIABLES:
            monkeypatch.delenv(name)


class Proxy:
    """Speaks SOCKS 5 or HTTP, and leads to one server whatever it is asked for, which it keeps."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self.port)) as far:
            self.asked.append(near.recv(4096))
            if self.asked[-1][:1] == b"C":
                near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                self.greet(near)
            threading.Thread(target=self.pass_on, args=(far, near), daemon=True).start()
            self.pass_on(near, far)

    def greet(self, near: socket.socket) -> None:
        if b"\x02" in self.asked[-1][2:]:
            near.sendall(b"\x05\x02")
            near.recv(4096)  # name and password
            near.sendall(b"\x01\x00")
        else:
            near.sendall(b"\x05\x00")
        near.recv(4096)  # where to
        near.sendall(b"\x05\x00\x00\x01" + bytes(6))

    def pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(4096):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What leads to the platform by its own name, with a certificate for that."""
    ca = trustme.CA()
    server.encrypt(ca.issue_cert("platform.example")).on("GET /api/credits", answer(200, {"total": 1}))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    made = Proxy(server.port)
    yield made
    made.listener.close()


def submit(client: Any) -> Any:
    return client.submit(Payload())


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("ALL_PROXY", "socks4://127.0.0.1:9", "ALL_PROXY=socks4://127.0.0.1:9 is no proxy"),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY=http:// is no proxy"),
        ("https_proxy", "http://name:pass/word@proxy:1", "https_proxy=http://***@proxy:1 is no proxy"),
        ("Http_Proxy", "name:password@proxy:port", "Http_Proxy=***@proxy:port is no proxy"),
        ("all_proxy", '"http://127.0.0.1:9"', 'all_proxy="http://127.0.0.1:9" is no proxy'),
        ("HTTP_PROXY", "ftp://127.0.0.1:9", "HTTP_PROXY=ftp://127.0.0.1:9 is no proxy"),
        ("HTTPS_PROXY", "http://pro xy:9", "HTTPS_PROXY=http://pro xy:9 is no proxy"),
        ("SSL_CERT_FILE", "/no/such/file.pem", "SSL_CERT_FILE=/no/such/file.pem cannot be used"),
        ("SSL_CERT_FILE", os.devnull, f"SSL_CERT_FILE={os.devnull} cannot be used"),
        ("SSL_CERT_DIR", "/no/such/folder", "SSL_CERT_DIR=/no/such/folder cannot be used"),
        ("SSLKEYLOGFILE", "/no/such/folder/log", "SSLKEYLOGFILE=/no/such/folder/log cannot be used"),
    ],
)
def test_a_variable_that_cannot_be_read_is_told_before_anything_is_sent(
    mode: str, variable: str, value: str, shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, value)
    flights: list[FastTime] = []
    with pytest.raises(errors.ConnectionFailed) as caught:
        use(mode, PLATFORM, submit, flights, journal=tmp_path / "j")
    assert shown in str(caught.value)
    assert not caught.value.retryable
    assert "word" not in str(caught.value)
    assert flights[0].slept == []
    monkeypatch.delenv(variable)
    assert use(mode, PLATFORM, lambda client: client.recover(tmp_path / "j")) == []
    monkeypatch.setenv(variable, value)
    with pytest.raises(errors.DownloadFailed) as failed:
        use(mode, PLATFORM, lambda client: client.download(MediaFile("https://cdn.example/v.mp4"), tmp_path))
    assert shown in str(failed.value)


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("socks://{}", b"\x05"),  # the version of SOCKS (RFC 1928, section 3)
        (" SOCKS://{} ", b"\x05"),
        ("socks5h://name:password@{}", b"\x05"),
        ("http://name:password@{}", b"CONNECT platform.example:443"),
        ("{}", b"CONNECT platform.example:443"),
    ],
)
def test_a_proxy_leads_to_the_platform(
    mode: str, value: str, first: bytes, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", value.format(proxy.place))
    monkeypatch.setenv("NO_PROXY", "fd07:b51a:cc66:f0::/64, [::1], [fe80::1]:80, other.example")
    assert use(mode, PLATFORM, lambda client: client.credits()).total == 1
    assert [said[: len(first)] for said in proxy.asked] == [first]


def test_a_proxy_that_needs_a_package_says_which(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://name:password@127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(errors.ConnectionFailed, match=r"ALL_PROXY=socks5://\*\*\*@127.0.0.1:9 .*pip install 'httpx"):
        use(mode, PLATFORM, submit)


@pytest.mark.parametrize(
    "exempt",
    [
        "fd07:b51a:cc66:f0::/64,platform.example",
        "[::1] platform.example",
        "192.168.0.0/16, .example",
        "*.example",
        "://,https://platform.example",
        "[::1]:80,a:b:c,PLATFORM.EXAMPLE",
        "x,*",
    ],
)
def test_entries_of_no_proxy_that_are_no_names_are_skipped(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://name:password@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert proxy_of(PLATFORM) is None
    monkeypatch.setenv("NO_PROXY", "fd07::/64,[::1],://,other.example")
    assert proxy_of(PLATFORM) == "http://proxy.example:3128"


def test_no_variable_counts_for_a_platform_on_this_machine(
    mode: str, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET /api/credits", answer(200, {"total": 1}))
    monkeypatch.setenv("ALL_PROXY", "socks4://nowhere")
    assert use(mode, server.base, lambda client: client.credits()).total == 1


def issued(ca: trustme.CA, kind: str) -> trustme.LeafCert:
    if kind == "expired":
        return ca.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))
    return ca.issue_cert("another.example" if kind == "of another host" else "localhost")


@pytest.mark.parametrize("kind", ["of an unknown authority", "expired", "of another host"])
def test_a_certificate_that_is_not_valid_is_told_at_once(
    mode: str, kind: str, server: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca = trustme.CA()
    server.encrypt(issued(ca, kind))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    if kind != "of an unknown authority":
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    flights: list[FastTime] = []
    with pytest.raises(errors.ConnectionFailed, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE") as caught:
        use(mode, server.base, submit, flights)
    assert not caught.value.retryable
    assert (flights[0].slept, server.requests) == ([], [])
    server.problems.clear()
    video = MediaFile(server.base + "/v.mp4")
    with pytest.raises(errors.DownloadFailed, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
        use(mode, server.base, lambda client: client.download(video, tmp_path), flights)
    assert flights[1].slept == []


def test_an_authority_of_ones_own_is_trusted(
    mode: str, server: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca = trustme.CA()
    server.encrypt(ca.issue_cert("localhost")).on("GET /api/credits", answer(200, {"total": 1}))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert use(mode, server.base, lambda client: client.credits()).total == 1


@pytest.mark.parametrize(
    ("number", "tries"),
    [
        (socket.EAI_NONAME, 1),
        (getattr(socket, "EAI_NODATA", socket.EAI_NONAME), 1),
        (socket.EAI_AGAIN, 6),
        (socket.EAI_FAIL, 6),
    ],
)
def test_a_host_that_the_resolver_denies_is_asked_for_once(
    mode: str, number: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "whatever the system says")

    flights: list[FastTime] = []
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(errors.ConnectionFailed, match="whatever") as caught:
        use(mode, PLATFORM, submit, flights)
    assert len(flights[0].slept) == tries - 1
    assert caught.value.retryable == (tries > 1)


@pytest.mark.parametrize(("reply", "tries"), [(407, 1), (403, 6), (503, 6)])
def test_a_proxy_that_wants_a_password_is_asked_once(
    mode: str, reply: int, tries: int, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("CONNECT platform.example:443", answer(reply))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    with pytest.raises(errors.ConnectionFailed, match=str(reply)):
        use(mode, PLATFORM, submit)
    assert len(server.requests) == tries


def test_doctor_shows_proxy_and_certificates() -> None:
    variables = {"HTTPS_PROXY": "http://name:password@127.0.0.1:9", "SSL_CERT_FILE": "/no/such/file.pem"}
    done = call("doctor", SKILLS_VIDEO_API_KEY=KEY, SKILLS_VIDEO_BASE_URL=PLATFORM, **variables)
    assert "proxy     http://127.0.0.1:9" in done.stdout
    assert "trusted   SSL_CERT_FILE=/no/such/file.pem" in done.stdout
    assert "error     " in done.stdout
    assert "password" not in done.stdout + done.stderr
    facts = json.loads(call("doctor", "--json", SKILLS_VIDEO_API_KEY=KEY, SKILLS_VIDEO_BASE_URL=HERE).stdout)
    assert (facts["proxy"], facts["certificates"][:8]) == (None, "the list")
