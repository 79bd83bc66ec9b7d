"""The SDK's own client of MCP, beside a server in this process or in one of its own."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, Request, Result
from pydantic import ConfigDict, TypeAdapter

from skills_video import catalog
from skills_video_runtime import AsyncClient
from skills_video_runtime.agents.desk import Choices, Desk
from skills_video_runtime.agents.server import server_of
from skills_video_runtime.cli.catalog import Catalog
from tests.support import children

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from skills_video_runtime.sandbox import Sandbox

TASKS = "io.modelcontextprotocol/tasks"
ANYTHING = TypeAdapter(dict[str, Any])
PAYLOAD = {"feature": "text-image-to-video", "prompt": "neon rain", "duration": 5}
WISH = {"model": "kling_v2_6", "payload": PAYLOAD}


def environment(sandbox: Sandbox) -> dict[str, str]:
    known = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
    return children.environment(**known)


def command(folder: Any, *options: str) -> list[str]:
    """Give the command that serves; its journal and files are in a folder."""
    places = ["--journal", f"{folder}/agents.db", "--directory", f"{folder}/out", "--poll-interval", "0.05"]
    return [sys.executable, "-m", "skills_video", "mcp", *places, *options]


def process(sandbox: Sandbox, folder: Any, *options: str) -> StdioServerParameters:
    """Name a server of its own, on standard input and output."""
    program, *arguments = command(folder, *options)
    return StdioServerParameters(command=program, args=arguments, env=environment(sandbox))


@asynccontextmanager
async def serving(folder: Any, client: Any = None, **choices: Any) -> AsyncGenerator[Client]:
    """Give a client of a server in this process; `client` are options of the client."""
    usual = {"journal": folder / "agents.db", "directory": folder / "out", "poll_interval": 0.05}
    chosen = Choices(**{**usual, **choices})
    if chosen.directory is not None:
        chosen.directory.mkdir(exist_ok=True)
    async with AsyncClient(poll_interval=0.05) as platform, anyio.create_task_group() as group:
        desk = Desk(Catalog(catalog.MODELS, "skills_video"), chosen, platform, group)
        async with Client(server_of(desk), **(client or {})) as connected:
            yield connected


class Claimed(Result):
    """A task in place of a result."""

    model_config = ConfigDict(extra="allow")
    result_type: Any


class TakesTasks(ClientExtension):
    """A client that takes a task for an answer, and asks until it has ended."""

    identifier = TASKS

    def __init__(self, *, follows: bool = True) -> None:
        self.seen: list[dict[str, Any]] = []
        self.follows = follows

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=claimed("task"), resolve=self.resolve)]

    async def resolve(self, result: Any, context: Any) -> CallToolResult:
        self.seen.append(result.model_dump(by_alias=True))
        if not self.follows:
            return CallToolResult(content=[], structured_content={"taskId": result.taskId})
        while True:
            task = await ask(context.session, "tasks/get", result.taskId)
            self.seen.append(task)
            if task["status"] != "working":
                return CallToolResult.model_validate(task.get("result", {"content": []}))
            await anyio.sleep(0.05)


def claimed(tag: str) -> Any:
    from typing import Literal  # noqa: PLC0415  # the SDK wants the tag in the type

    return type("Task", (Claimed,), {"__annotations__": {"result_type": Literal[tag]}, "result_type": tag})


async def ask(session: Any, method: str, task_id: str, **params: Any) -> dict[str, Any]:
    """Send a request about a task."""
    request: Any = Request[dict[str, Any], str](method=method, params={"taskId": task_id, **params})
    return await session.send_request(request, ANYTHING)


def text_of(result: CallToolResult) -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


def links_of(result: CallToolResult) -> list[str]:
    return [part.uri for part in result.content if part.type == "resource_link"]
