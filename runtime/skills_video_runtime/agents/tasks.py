"""MCP's extension for tasks: the id of a generation is the id of its task, platform and journal are what keeps it.

So a task outlives client, server and machine. See the specification of `io.modelcontextprotocol/tasks`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from skills_video_runtime.cli.output import without_key
from skills_video_runtime.errors import NotOffered, SkillsVideoError

from .answers import answered, text_of
from .desk import Desk

TASKS = "io.modelcontextprotocol/tasks"
NO_CANCEL = "The platform describes no way to cancel: the generation goes on, and is paid for."


class TaskParams(RequestParams):
    """What names a task."""

    task_id: str


class Tasks(Extension):
    """Gives an unfinished generation as a task, where the client takes tasks."""

    identifier = TASKS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._remarks: dict[str, str] = {}

    def methods(self) -> Sequence[MethodBinding]:
        """See `Extension`."""
        versions = frozenset(MODERN_PROTOCOL_VERSIONS)
        handlers = {"tasks/get": self._get, "tasks/update": self._update, "tasks/cancel": self._cancel}
        return [MethodBinding(name, TaskParams, handler, versions) for name, handler in handlers.items()]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """See `Extension`."""
        result = await call_next(ctx)
        if params.name != "generate" or not takes_tasks(ctx) or not isinstance(result, CallToolResult):
            return result
        told: dict[str, Any] = result.structured_content or {}
        if told.get("finished") is not False or not told.get("id"):
            return result
        return {**await self._task(told["id"], "working", result), "resultType": "task"}

    async def _get(self, _: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        result = await self._look(params)
        told: dict[str, Any] = result.structured_content or {}
        if not told.get("finished"):
            return await self._task(params.task_id, "working", result)
        if told["status"] == "CANCELED":
            return await self._task(params.task_id, "cancelled", result)
        whole = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        return {**await self._task(params.task_id, "completed", result), "result": whole}

    async def _update(self, _: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        """Acknowledge: no task asks for anything."""
        await self._look(params)
        return {}

    async def _cancel(self, _: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        """Acknowledge, cancel it if the platform offers that, and say else what comes of it."""
        await self._look(params)
        try:
            await self._desk.client.cancel(params.task_id)
        except NotOffered:
            self._remarks[params.task_id] = NO_CANCEL
        except SkillsVideoError as error:
            self._remarks[params.task_id] = f"It could not be canceled, and may go on: {without_key(error.what)}"
        return {"_meta": {"skills.video/message": self._remarks.get(params.task_id, "It is canceled.")}}

    async def _look(self, params: TaskParams) -> CallToolResult:
        """Ask the platform.

        Raises:
            MCPError: it does not tell.
        """
        result = await answered(self._desk.get_generation(params.task_id))
        told: dict[str, Any] = result.structured_content or {}
        if "finished" not in told:
            raise MCPError(code=INVALID_PARAMS, message=text_of(result), data=told)
        return result

    async def _task(self, task_id: str, status: str, result: CallToolResult) -> dict[str, Any]:
        text = text_of(result)
        if status == "working":
            text = self._remarks.get(task_id, text)
        now = datetime.now(UTC)
        begun = await self._desk.begun(task_id) or now
        return {
            "taskId": task_id,
            "status": status,
            "statusMessage": text,
            "createdAt": begun.isoformat(),
            "lastUpdatedAt": now.isoformat(),
            "ttlMs": None,
            "pollIntervalMs": int(self._desk.choices.poll_interval * 1000),
        }


def takes_tasks(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Tell whether the client of a request takes a task for an answer."""
    able = ctx.session.client_capabilities
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and TASKS in ((able and able.extensions) or {})
