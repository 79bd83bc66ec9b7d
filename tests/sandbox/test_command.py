"""The command line, as real processes."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from skills_video_runtime.sandbox import Sandbox, main
from tests.support.children import finished, started
from tests.support.sandbox_callers import BODY, PLAIN, STREAM

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

MODULE = [sys.executable, "-m", "skills_video_runtime.sandbox"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A process of the command, its URL and its key."""
    with started([*MODULE, "--port", "0", *arguments]) as process:
        assert process.stdout is not None
        told = re.fullmatch(r"skills\.video sandbox: (\S+/api/v1) \(key: (\S+)\)\n", process.stdout.readline())
        assert told is not None
        yield process, told[1], told[2]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_though_a_stream_is_open(name: signal.Signals) -> None:
    with running("--speed", "0", "--api-key", "mine", "--credits", "50") as (process, url, key):
        http = httpx.Client(headers={"Authorization": f"Bearer {key}"})
        with http, http.stream("POST", url + STREAM, json=BODY) as answer:
            next(answer.iter_lines())
            process.send_signal(name)
            assert process.wait(20) == 0
        assert process.stderr is not None
        assert (key, process.stderr.read()) == ("mine", "")


@pytest.mark.parametrize("path", [PLAIN, STREAM])
def test_a_client_that_leaves_within_its_body_is_no_error(path: str) -> None:
    with running("--speed", "1000") as (process, url, key):
        address = httpx.URL(url)
        head = f"POST {address.path}{path} HTTP/1.1\r\nHost: {address.host}\r\nAuthorization: Bearer {key}\r\n"
        with socket.create_connection((address.host, address.port or 80)) as left:
            left.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as http:
            assert http.post(url + PLAIN, json=BODY).status_code == 200
        stats = httpx.get(url.replace("/api/v1", "/sandbox/stats")).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert (stats["made"], process.stderr.read()) == (1, "")


def test_it_does_what_it_is_told() -> None:
    plan = "drop-before;429:1;;every 5 503-before"
    arguments = ["--speed", "1000", "--credits", "25", "--fault", plan, "--fault", "504-after"]
    with running(*arguments) as (_, url, key), httpx.Client(headers={"Authorization": f"Bearer {key}"}) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(url + PLAIN, json=BODY)
        assert [http.post(url + PLAIN, json=BODY).status_code for _ in range(5)] == [429, 200, 504, 503, 402]
        stats = httpx.get(url.replace("/api/v1", "/sandbox/stats")).json()
        assert (stats["made"], stats["credits"]["charged"]) == (2, 20)
        assert httpx.get(url + "/credits").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--openapi", "/absent/openapi.json"], "/absent/openapi.json: cannot be read"),
        (["--fault", "nonsense"], "unknown fault 'nonsense'; --help lists them all"),
        (["--fault", "drop-afer"], "did you mean 'drop-after'?"),
        (["--fault", "cut"], "fault 'cut' is written cut:N, not 'cut' (close after so many bytes"),
        (["--fault", "429:x"], "fault '429' is written 429[:SECONDS|date:SECONDS], not '429:x'"),
        (["--api-key", "\u00e9"], "api_key must be printable ASCII"),
        (["--host", "x" * 300], "cannot listen on xxx"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1 port 0: Cannot assign requested address\n"),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["--port", "0", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), told in err) == ("", 1, True)


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_that_takes_nothing_is_told() -> None:
    done = finished(["sh", "-c", 'exec "$@" > /dev/full', "sh", *MODULE, "--port", "0"])
    said = f"sandbox: standard output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "many"],
        ["--speed", "-1"],
        ["--speed", "fast"],
        ["--credits", "nan"],
        ["--nonsense"],
        ["--port"],
        ["more"],
    ],
)
def test_wrong_arguments_are_refused_in_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    assert (caught.value.code, out, err.count("\n")) == (1, "", 1)
    assert re.search("'many'|'fast'|'nan'|'70000'|'-1'|--nonsense|--port|more", err)
    assert "--help" in err
    assert "_" not in err


def test_help_lists_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "drop-after-id" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "jsonschema", "python_multipart"])
def test_a_missing_extra_is_told_in_one_line(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('no', name={missing!r})")
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": search}
    done = finished(MODULE, env=environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'skills-video[sandbox]'" in done.stderr
    done = finished([sys.executable, "-c", "from skills_video_runtime.sandbox import Sandbox"], env=environment)
    assert done.stderr.splitlines()[-1].startswith("ImportError: The sandbox needs")


def test_only_loopback_is_listened_on() -> None:
    with Sandbox() as sandbox, running() as (_, url, _):
        for address in (sandbox.url, url):
            port = int(address.split(":")[2].partition("/")[0])
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), timeout=5)
