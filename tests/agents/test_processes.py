"""The MCP server as a process: hosts that give up, are killed, start a second one; HTTP; what is asked of a command."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from tests.agents.transcript import transcript
from tests.support.agents import WISH, TakesTasks, ask, command, environment, process, text_of
from tests.support.children import finished, started

SLOW = "slow:100000"


async def call(server, name, arguments, **options):
    async with Client(server, **options) as client:
        return await client.call_tool(name, arguments)


def test_a_host_that_gives_up_and_is_killed_loses_nothing(sandbox, tmp_path, made):
    """The host times out, and ends its server without a word; a new host has tasks, and knows the first one's id."""
    sandbox.plan(SLOW)
    tasks = TakesTasks(follows=False)

    async def give_up():
        transport = stdio_client(process(sandbox, tmp_path))
        async with Client(transport, read_timeout_seconds=30) as client:
            with pytest.raises(MCPError, match=r"(?i)timed out"):
                await client.call_tool("generate", WISH, read_timeout_seconds=1)

    async def come_back():
        async with Client(process(sandbox, tmp_path), extensions=[tasks]) as client:
            again = await client.call_tool("generate", WISH)
            task_id = again.structured_content["taskId"]
            before = await ask(client.session, "tasks/get", task_id)
            sandbox.advance(100_000)
            return before, await ask(client.session, "tasks/get", task_id)

    anyio.run(give_up)
    assert made() == 1
    before, after = anyio.run(come_back)
    assert made() == 1
    assert before["status"] == "working"
    assert after["status"] == "completed"
    assert after["result"]["structuredContent"]["status"] == "COMPLETED"
    assert after["createdAt"] == before["createdAt"]


def test_a_server_killed_while_it_posts_and_two_after_it_pay_once(sandbox, tmp_path, made):
    sandbox.plan(f"delay-after:20,{SLOW}")
    with started(command(tmp_path), env=environment(sandbox), stdin=-1) as server:
        for line in messages():
            server.stdin.write(f"{line}\n")
            server.stdin.flush()
        while not made():
            assert server.poll() is None
        server.kill()

    async def work():
        results = []

        async def agent(client):
            results.append(await client.call_tool("generate", WISH))
            while results[-1].structured_content.get("status") == "SUBMITTING":
                results.append(await client.call_tool("generate", WISH))

        servers = [process(sandbox, tmp_path, "--wait", "1") for _ in range(2)]
        async with Client(servers[0]) as one, Client(servers[1]) as two, anyio.create_task_group() as group:
            for client in (one, two, one, two):
                group.start_soon(agent, client)
        return results

    results = anyio.run(work)
    assert [text_of(result) for result in results if result.is_error] == []
    ids = [result.structured_content.get("id") for result in results]
    assert len({name for name in ids if name}) == 1
    assert made() == 1


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
        assert server.wait(10) == 143
        assert "Traceback" not in server.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process can hear")
def test_a_signal_ends_it_though_it_waits_for_its_client(sandbox, tmp_path):
    with started(command(tmp_path), env=environment(sandbox), stdin=-1) as server:
        server.stdin.write(f"{next(messages())}\n")
        server.stdin.flush()
        assert "serverInfo" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 143


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--confirm", "over:much"], "--confirm"),
        (["--max-credits", "0"], "--max-credits"),
        (["--http", "65536"], "--http"),
        (["--models", "nothing"], "nothing"),
        (["--journal", "/dev/null/x/agents.db"], "/dev/null"),
    ],
)
def test_what_it_cannot_be_started_with_is_said_in_a_line(options, said, sandbox, tmp_path):
    done = finished([sys.executable, "-m", "skills_video", "mcp", *options], env=environment(sandbox), stdin=0)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_its_packages_or_a_key_a_line_says_what_to_do(sandbox, tmp_path):
    hide = "import sys; sys.modules['mcp'] = None; from skills_video.__main__ import run; sys.exit(run())"
    given = environment(sandbox)
    done = finished([sys.executable, "-c", hide, "mcp", "--journal", tmp_path / "a.db"], env=given)
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
    done = finished([sys.executable, "-c", f"{text}\nassert not {{'mcp', 'pydantic'}} & set(sys.modules)"])
    assert done.returncode == 0, done.stderr


def test_the_transcript_in_the_docs_is_what_happens():
    shown = Path(__file__).parents[2] / "docs" / "agents-transcript.md"
    assert shown.read_text("utf-8") == transcript()
