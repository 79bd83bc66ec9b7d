"""The MCP server as a process: hosts that give up, are killed, start a second one; HTTP; what is asked of a command."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import sys
from functools import partial

import anyio
import httpx
import pytest
from mcp import Client

from tests.support import children
from tests.support.agents import WISH, TakesTasks, ask, command, environment, process, serving, text_of
from tests.support.warm import finished, started

SLOW = "slow:100000"


async def call(server, name, arguments, **options):
    async with Client(server, **options) as client:
        return await client.call_tool(name, arguments)


def test_a_host_killed_while_its_server_posts_loses_nothing_and_pays_once(sandbox, tmp_path, made):
    """Two servers come after it, and are asked for the same at once: one in this process, whose client takes tasks."""
    sandbox.plan(f"delay-after:20,{SLOW}")
    with started(command(tmp_path), env=environment(sandbox), stdin=-1) as server:
        for line in messages():
            server.stdin.write(f"{line}\n")
            server.stdin.flush()
        while not made():
            assert server.poll() is None
        server.kill()

    async def work():
        results, tasks = [], []

        async def agent(client):
            results.append(await client.call_tool("generate", WISH))

        first = serving(tmp_path, {"extensions": [TakesTasks(follows=False)]})
        async with first as one, Client(process(sandbox, tmp_path, "--wait", "1")) as two:
            async with anyio.create_task_group() as group:
                for client in (one, two, one, two):
                    group.start_soon(agent, client)
            [task_id] = {told["taskId"] for told in map(data_of, results) if "taskId" in told}
            tasks.append(await ask(one.session, "tasks/get", task_id))
            sandbox.advance(100_000)
            tasks.append(await ask(one.session, "tasks/get", task_id))
        return results, tasks

    results, (before, after) = anyio.run(work)
    assert [text_of(result) for result in results if result.is_error] == []
    assert {told.get("taskId", told.get("id")) for told in map(data_of, results)} == {before["taskId"]}
    assert (before["status"], after["status"]) == ("working", "completed")
    assert after["result"]["structuredContent"]["status"] == "COMPLETED"
    assert after["createdAt"] == before["createdAt"]
    assert made() == 1


def data_of(result):
    return result.structured_content


def messages():
    """Write what a host sends that knows the protocol of 2025 alone."""
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}
    yield json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about})
    yield json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    params = {"name": "generate", "arguments": WISH}
    yield json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})


def test_http_serves_this_machine_alone(sandbox, tmp_path, made):
    with started(command(tmp_path, "--http", "0"), env=environment(sandbox)) as server:
        url = re.search(r"http://127\.0\.0\.1:\d+/mcp", server.stderr.readline())[0]
        done = anyio.run(call, url, "generate", WISH)
        assert done.structured_content["status"] == "COMPLETED"
        assert made() == 1
        port = url.split(":")[2].partition("/")[0]
        hello = json.loads(next(messages()))
        head = {"Accept": "application/json, text/event-stream"}
        asked = partial(httpx.post, url, json=hello)
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", f"127.0.0.1:{int(port) - 1}"):
            assert asked(headers={**head, "Host": host}).status_code == 421
        for origin in ("http://evil.example", "null", f"http://localhost:{port}.evil.example", "https://127.0.0.1"):
            assert asked(headers={**head, "Origin": origin}).status_code == 403
        assert asked(headers={**head, "Host": f"localhost:{port}"}).status_code == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 143
        assert "Traceback" not in server.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process can hear")
def test_a_signal_ends_it_though_it_waits_for_its_client(sandbox, tmp_path):
    with started(command(tmp_path), env=environment(sandbox), stdin=-1) as server:
        server.stdin.write(f"{next(messages())}\n")
        server.stdin.flush()
        assert "serverInfo" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 143


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--confirm", "maybe"], "--confirm: 'maybe' is not always, never or over:N"),
        (["--confirm", "over:much"], "--confirm: 'much' is not a number above 0"),
        (["--max-credits", "0"], "--max-credits: '0' is not a number above 0"),
        (["--http", "65536"], "--http: '65536' is not from 0 to 65535"),
        (["--models", "nothing"], "nothing"),
        (["--journal", "/dev/null/x/agents.db"], "/dev/null"),
    ],
)
def test_what_it_cannot_be_started_with_is_said_in_a_line(options, said, sandbox, tmp_path):
    done = finished([sys.executable, "-m", "skills_video", "mcp", *options], env=environment(sandbox), stdin=0)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_in_a_line(sandbox, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finished(command(tmp_path, "--http", str(port)), env=environment(sandbox), stdin=0)
    said = f"error: cannot listen on 127.0.0.1 port {port}: {os.strerror(errno.EADDRINUSE)}\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no shell that closes a stream")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_stream_that_is_closed_is_said_in_a_line(closed, sandbox, tmp_path):
    given = ["sh", "-c", f'exec "$@" {closed}', "sh", *command(tmp_path)]
    done = children.finished(given, env=environment(sandbox))
    said = "error: a client speaks by standard input and output, and one is closed; --http PORT needs neither\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_without_its_packages_or_a_key_a_line_says_what_to_do(sandbox, tmp_path):
    run = "from skills_video.__main__ import run; sys.exit(run())"
    given = environment(sandbox)
    for hide in ("", "sys.modules['typer'] = None; "):
        line = f"import sys; sys.modules['mcp'] = None; {hide}{run}"
        done = children.finished([sys.executable, "-c", line, "mcp", "--journal", tmp_path / "a.db"], env=given)
        assert done.returncode == 1
        assert "pip install 'skills-video[mcp]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    del given["SKILLS_VIDEO_API_KEY"]
    done = finished(command(tmp_path), env=given, stdin=-3)
    assert done.returncode == 1
    assert "SKILLS_VIDEO_API_KEY" in done.stderr


@pytest.mark.parametrize("line", ["import skills_video.catalog; skills_video.catalog.MODELS", "run(['--help'])"])
def test_nothing_else_imports_its_packages(line):
    text = f"import sys; from skills_video.__main__ import run\nsys.argv = ['skills-video', '--help']\n{line}"
    text = text.replace("run(['--help'])", "run()")
    done = children.finished([sys.executable, "-c", f"{text}\nassert not {{'mcp', 'pydantic'}} & set(sys.modules)"])
    assert done.returncode == 0, done.stderr
