"""The MCP server: seven tools, a resource for each model, and generations as tasks. Only `command` imports it.

No annotation here is put off: the SDK reads them.
"""

# ruff: noqa: FBT001, FBT002  # arguments of a tool have names
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial, wraps
from socket import socket
from typing import Annotated, Any

import anyio
import uvicorn
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.server.mcpserver.resources import FunctionResource
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, Field

from skills_video_runtime.cli.output import complain, without_key
from skills_video_runtime.generations.states import Generation
from skills_video_runtime.version import __version__

from .answers import EXPECTED, Refusal, answered, of_error, text_of
from .desk import Desk
from .tasks import Tasks, takes_tasks

BEAT = 5.0  # seconds between two messages of progress: our choice
INSTRUCTIONS = """Makes videos, which cost credits. find_models, then describe_model, then check_payload until it is \
right, then generate once. Wait with get_generation: poll silently, and never call generate again for the same video. \
Tell limits that are unknown as unknown, and hand over finished videos alone."""


GENERATE = """Make a video; costs credits. If it takes long, gives the id: then get_generation, never generate again. \
The same payload within an hour gives the same video, unless again. '@cat.png' sends a local file."""


class GoAhead(BaseModel):
    """What a person answers."""

    make_it: bool = Field(description="Make it and pay for it?")


class Server(MCPServer[Any]):
    """The SDK's, which lets no argument pass that a tool does not have: a setting that is dropped is paid for."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context | None = None) -> Any:
        """See `MCPServer`."""
        for tool in await self.list_tools():
            unknown = arguments.keys() - tool.input_schema.get("properties", {}).keys()
            if tool.name == name and unknown:
                told = (
                    f"{name} has no argument {min(unknown)!r:.80}, and did nothing. Fields of a model go into payload."
                )
                return of_error(Refusal(told))
        return await super().call_tool(name, arguments, context)


def server_of(desk: Desk) -> MCPServer[Any]:
    """Make the server of a desk."""
    server = Server(
        "skills-video",
        version=__version__,
        instructions=INSTRUCTIONS,
        log_level="WARNING",
        extensions=[Tasks(desk)],
    )
    for info in desk.catalog.models:
        uri, read = f"skills-video://models/{info.module}", partial(_text_of, desk, info.module)
        resource = FunctionResource(uri=uri, name=info.module, title=info.title, mime_type="text/markdown", fn=read)
        server.add_resource(resource)
    _add_questions(server, desk)
    _add_work(server, desk)
    return server


async def _text_of(desk: Desk, module: str) -> str:
    return text_of(await desk.describe_model(module))


def _add_questions(server: MCPServer[Any], desk: Desk) -> None:
    """Add the tools that make nothing and change nothing."""
    here = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    there = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)

    for free in (desk.find_models, desk.describe_model, desk.check_payload):
        server.add_tool(_answering(free), annotations=here)

    @server.tool(annotations=there)
    async def get_generation(
        id: str,  # noqa: A002  # the platform's word
        ctx: Context,
        wait: Annotated[float, Field(ge=0, le=45, description="seconds")] = 0,
    ) -> CallToolResult:
        """State of a generation and addresses of its files; waits for its end if asked to. Free."""
        async with _progress(ctx, wait) as on_state:
            return await answered(desk.get_generation(id, wait=min(wait, desk.choices.wait), on_state=on_state))

    server.add_tool(_answering(desk.account), annotations=there)


def _add_work(server: MCPServer[Any], desk: Desk) -> None:
    async def ask(
        model: str,
        payload: dict[str, Any],
        variant: str | None,
        again: bool,
        ctx: Context,
    ) -> Elicit[GoAhead] | CallToolResult | None:
        """Ask a person, where that was chosen; an answer says why nobody is asked, and nothing made."""
        able = ctx.client_capabilities
        try:
            question = await desk.question(desk.build(model, payload, variant), again=again)
            if question is None:
                return None
            if able is None or able.elicitation is None:
                raise Refusal(
                    f"The server was started with --confirm {desk.choices.confirm}, and this client cannot ask a "
                    "person. Nothing was sent. The person can start it with --confirm never and --max-credits N."
                )
        except EXPECTED as error:
            return of_error(error)
        return Elicit(without_key(question), GoAhead)

    pays = ToolAnnotations(destructive_hint=False, idempotent_hint=False, open_world_hint=True)  # by `again`
    saves = ToolAnnotations(destructive_hint=False, idempotent_hint=True, open_world_hint=True)

    @server.tool(annotations=pays, description=GENERATE)
    async def generate(
        model: str,
        payload: dict[str, Any],
        ctx: Context,
        consent: Annotated[ElicitationResult[GoAhead], Resolve(ask)],
        variant: str | None = None,
        again: bool = False,
    ) -> CallToolResult:
        """See above."""
        given: Any = getattr(consent, "data", False)
        if isinstance(given, CallToolResult):
            return given
        if given is False or (given is not None and not given.make_it):
            return of_error(Refusal("The person said no. Nothing was sent; do not ask again for this."))
        wait = desk.choices.wait
        if takes_tasks(ctx.request_context):
            wait = 0.0
        async with _progress(ctx, wait) as on_state:
            work = desk.generate(model, payload, variant, again=again, wait=wait, on_state=on_state)
            return await answered(work)

    server.add_tool(_answering(desk.download), annotations=saves)


def _answering(work: Callable[..., Awaitable[CallToolResult]]) -> Callable[..., Awaitable[CallToolResult]]:
    """Give what the desk does as a tool, whose name, arguments and text are those of its method."""

    @wraps(work)
    async def tool(*given: Any, **named: Any) -> CallToolResult:
        return await answered(work(*given, **named))

    return tool


@asynccontextmanager
async def _progress(ctx: Context, wait: float) -> AsyncGenerator[Any]:
    """Tell the client every few seconds that something goes on, with the last state."""
    began, last = anyio.current_time(), "SUBMITTED"

    async def tell() -> None:
        await ctx.report_progress(anyio.current_time() - began, wait or None, last)

    async def on_state(state: Generation) -> None:
        nonlocal last
        last = without_key(str(state.status))
        await tell()

    async def beat() -> None:
        while True:
            await anyio.sleep(BEAT)
            await tell()

    async with anyio.create_task_group() as group:
        group.start_soon(beat)
        yield on_state
        group.cancel_scope.cancel()


class HTTPServer(uvicorn.Server):
    """uvicorn's, which leaves signals to the command line."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """See `uvicorn.Server`."""
        yield


async def serve_http(server: MCPServer[Any], listener: socket) -> None:
    """Serve a listening socket of this machine. A page in a browser that was led here by a name reaches nothing."""
    host, port = listener.getsockname()
    names = [f"{name}:{port}" for name in (host, "localhost")]
    security = TransportSecuritySettings(allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names])
    application = server.streamable_http_app(host=host, transport_security=security)
    complain(f"skills-video mcp: http://{host}:{port}/mcp")
    config = uvicorn.Config(application, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
    await HTTPServer(config).serve(sockets=[listener])
