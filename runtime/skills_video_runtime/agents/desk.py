"""What the tools of the MCP server do: find, check, make once, look, fetch.

Agents call again what was cut off. So a generation is begun under a key of its content, which the journal knows: the
same payload within an hour is the same generation, in whatever process, unless another one is asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
from mcp_types import CallToolResult  # noqa: TC002  # the SDK reads it

from skills_video_runtime.batch.fingerprints import fingerprint
from skills_video_runtime.catalog import Models
from skills_video_runtime.choosing import Takes  # noqa: TC001  # as above
from skills_video_runtime.cli.catalog import Catalog, model_facts
from skills_video_runtime.client import AsyncClient
from skills_video_runtime.errors import (
    GenerationFailed,
    GenerationTimeout,
    JournalUnavailable,
    PayloadError,
    SkillsVideoError,
    SubmissionUncertain,
    visible,
)
from skills_video_runtime.generations.states import Status
from skills_video_runtime.payloads.file import File

from . import texts
from .answers import NEVER_AGAIN, Refusal, of_error, of_state, told
from .spending import Spending
from .tools import ToolCall, checked, tools_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from pathlib import Path

    from anyio.abc import TaskGroup

    from skills_video_runtime.generations.records import Record
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.base import BasePayload

    OnState = Callable[[Generation], Awaitable[None]]

SAME = timedelta(hours=1)  # for which an equal payload is the same wish: our choice
REPEATED = (
    "The same was asked for within the hour, so this is the generation of then, and nothing was paid. "
    "For another one: again: true."
)
SUBMIT = 120.0  # seconds that a submission may take, looks at the running list included: our choice
PAUSE = 0.2  # seconds between two tries to open the journal: our choice
HELD = 20.0  # seconds for which another server may hold the journal: our choice
MOST_SHOWN = 20  # generations under way that `account` lists: our choice


@dataclass(frozen=True)
class Choices:
    """What the server was started with; times in seconds."""

    journal: str | Path
    directory: Path | None = None
    max_credits: float | None = None
    confirm: str = "never"
    wait: float = 45.0
    """For which the end of a generation is waited for."""
    wait_for_id: float = 10.0
    """For which its id is waited for, if that is longer; our choice."""
    poll_interval: float = 3.0


@dataclass
class Submission:
    """A submission under way; a task of its own, as a host that gives a request up must not break one off."""

    payload: BasePayload
    key: str
    is_new: bool
    """Whether it was, or will be, paid for while this server runs."""
    ended: anyio.Event = field(default_factory=anyio.Event)
    state: Generation | None = None
    error: Exception | None = None


class Desk:
    """Does what the tools are asked for. Tasks of `group` outlive the requests that they are for."""

    def __init__(self, catalog: Catalog, choices: Choices, client: AsyncClient, group: TaskGroup) -> None:
        self.catalog, self.choices, self.client, self._group = catalog, choices, client, group
        self._spending = Spending(choices.max_credits)
        self._begun: dict[str, datetime | None] = {}
        self._pending: dict[str, Submission] = {}
        self._doubted: set[str] = set()
        """Keys of submissions of which was told that nobody knows what became of them."""
        self._ended: set[str] = set()
        self._since = datetime.now(UTC)
        self._lock, self._writers, self._writer = anyio.Lock(), 0, client

    async def find_models(
        self,
        search: str = "",
        takes: list[Takes] | None = None,
        seconds: float | None = None,
        ratio: str | None = None,
        resolution: str | None = None,
        sound: bool | None = None,  # noqa: FBT001  # arguments of a tool have names
    ) -> CallToolResult:
        """Find models by what they can do; ratio as 9:16, resolution as 1080p. Free."""
        models = Models(self.catalog.models)
        found = models.find(
            takes=takes or (), seconds=seconds, ratio=ratio, resolution=resolution, sound=sound, search=search
        )
        names = ("id", "title", "takes", "durations", "resolutions", "aspect_ratios", "makes_sound", "deprecated")
        facts = [{name: fact for name, fact in model_facts(info).items() if name in names and fact} for info in found]
        text = "\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts)
        return told(text or "No model is said to do all of this; ask for less.", {"models": facts})

    async def describe_model(self, model: str) -> CallToolResult:
        """Fields, limits, defaults and examples of a model, by its id. Free."""
        info = self.catalog.find(model)
        try:
            text = texts.text(self.catalog.package, texts.reference_of(info.module))
        except FileNotFoundError:  # in a package that was generated elsewhere
            text = json.dumps(tools_of(Models([info]), self.catalog.package, None, "anthropic"), indent=1)
        return told(text, {"id": info.endpoint.model, "variants": list(info.variants)})

    async def check_payload(self, model: str, payload: dict[str, Any], variant: str | None = None) -> CallToolResult:
        """Check a payload: all that is wrong, each with the nearest allowed value. Sends nothing. Free."""
        try:
            built = self.build(model, payload, variant)
        except PayloadError as error:
            return of_error(error).model_copy(update={"is_error": False})
        done = ToolCall(built).to_dict()
        text = f"Right, as {done['variant']} of {done['model']}. Nothing was sent."
        if done["not_in_schema"]:
            text += f" Sent as they are, as the schema does not name them: {', '.join(done['not_in_schema'])}."
        return told(text, done)

    def build(self, model: str, payload: Mapping[str, Any], variant: str | None) -> BasePayload:
        """Build a payload. A local file stands in its field as `@` and a path below the directory.

        Raises:
            PayloadError: it is wrong; with all that is.
            Refusal: it names a file that is not taken.
        """
        variants = self.catalog.variants(self.catalog.find(model), variant)
        done = checked(variants, payload, self._file)
        if done.payload is None:
            raise PayloadError(model, done.violations)
        return done.payload

    def _file(self, given: str) -> File:
        directory = self.choices.directory
        if directory is None:
            raise Refusal("Local files are not taken, as the server has no --directory; give an address.")
        with suppress(OSError, ValueError, RuntimeError):  # no such file, no path, links in a circle
            path = (directory / given).resolve(strict=True)
            if path.is_file() and path.is_relative_to(directory.resolve()):
                return File(path)
        raise Refusal(f"There is no file {given!r:.200} below {directory}, the directory of the server.")

    async def question(self, payload: BasePayload, *, again: bool) -> str | None:
        """Say what a person is to be asked before this is made; None where nobody is to be asked."""
        confirm = self.choices.confirm
        if confirm == "never":
            return None
        cost = self._spending.usual(payload)
        if cost and confirm.startswith("over:") and cost <= float(confirm.removeprefix("over:")):
            return None
        if (await self._key(payload, again=again))[1] is not None:
            return None
        price = "for an unknown price"
        if cost:
            price = f"for some {cost:g} credits"
        prompt = visible(str(payload.to_dict().get("prompt", "")))
        return f"Make a video with {payload.endpoint.model} {price}? Prompt: {prompt!r}"

    async def generate(
        self,
        model: str,
        payload: Mapping[str, Any],
        variant: str | None,
        *,
        again: bool,
        wait: float,
        on_state: OnState,
    ) -> CallToolResult:
        """Begin a generation, unless an equal one was begun within the hour, and follow it for so many seconds."""
        until = anyio.current_time() + wait
        built = self.build(model, payload, variant)
        key, known = await self._key(built, again=again)
        if known is None and key not in self._pending:
            await self._spending.look(self.client)
            self._spending.check_with(
                sum(begun.is_new and not begun.ended.is_set() for begun in self._pending.values())
            )
        if key not in self._pending:
            is_new = known is None or known.begun is None or known.begun >= self._since
            self._pending[key] = Submission(built, key, is_new)
            self._group.start_soon(self._submit, self._pending[key])
        submission = self._pending[key]
        with anyio.move_on_after(max(self.choices.wait, self.choices.wait_for_id)):
            await submission.ended.wait()
            self._pending.pop(key, None)
        if isinstance(submission.error, SubmissionUncertain):
            self._doubted.add(key)
        if submission.error is not None:
            raise submission.error
        state = submission.state
        if state is None:
            return told(
                "It is not known yet under which id it is made. Call generate again with the same arguments: "
                "it is then found, and not made twice.",
                {"status": "SUBMITTING", "finished": False},
            )
        remark = REPEATED if known else ""
        if not state.id or (state.is_finished and (state.has_files or state.status != Status.COMPLETED)):
            return self._told(state, remark)
        left = until - anyio.current_time()
        try:
            return await self.get_generation(state.id, wait=left, on_state=on_state, remark=remark)
        except SkillsVideoError as error:
            text = f"{visible(state.id)} is made, and its state cannot be told now: {error.what} {NEVER_AGAIN}"
            return told(text, {"id": state.id, "status": "UNKNOWN", "finished": False})

    async def begun(self, id: str) -> datetime | None:  # noqa: A002  # the platform's word
        """Tell when a generation was begun, as the journal has it; None where that does not know, or is in use."""
        if id not in self._begun:
            try:
                async with self._journal() as writer:
                    known = await writer.known(id)
            except JournalUnavailable:
                return None
            self._begun[id] = known.begun if known else None
        return self._begun[id]

    async def get_generation(
        self,
        id: str,  # noqa: A002  # as above
        *,
        wait: float = 0,
        on_state: OnState | None = None,
        remark: str = "",
    ) -> CallToolResult:
        """Look at a generation, or follow it for so many seconds."""
        try:
            if wait > 0:
                state = await self.client.wait(id, timeout=wait, on_state=on_state)
            else:
                state = await self.client.get(id)
        except GenerationFailed as error:
            state = error.generation
        except GenerationTimeout:
            state = await self.client.get(id)
        if state.is_finished and id not in self._ended:
            self._ended.add(id)
            self._group.start_soon(self._record_end, id)
        return self._told(state, remark)

    def _told(self, state: Generation, remark: str) -> CallToolResult:
        self._spending.note(state)
        return of_state(state, remark)

    async def download(self, id: str) -> CallToolResult:  # noqa: A002  # the platform's word
        """Save the files of a finished generation below the server's directory. Free."""
        directory = self.choices.directory
        if directory is None:
            raise Refusal("Nothing can be saved, as the server has no --directory; get_generation tells the addresses.")
        state = await self.client.get(id)
        if not state.is_finished or not state.has_files:
            raise Refusal(f"Generation {visible(id)} is {visible(state.status)} and has no files; see get_generation.")
        paths = await self.client.download(state, directory, name="{id}-{index}{suffix}", overwrite="skip")
        files = [{"path": str(path), "size": path.stat().st_size} for path in paths]
        links = [(path.name, path.resolve().as_uri()) for path in paths]
        return told("\n".join(f"saved {path}" for path in paths), {"id": id, "files": files}, links)

    async def account(self) -> CallToolResult:
        """Credits that are left, and generations under way. Free."""
        credits, running = await self.client.credits(), await self.client.running(100)  # noqa: A001
        shown = [{"id": state.id, "status": state.status} for state in running[:MOST_SHOWN]]
        data = {
            "credits": credits.total,
            "running": shown,
            "running_in_all": len(running),
            "spent_here": self._spending.spent,
        }
        lines = [f"Credits left: {credits.total}.", f"Generations under way: {len(running)}."]
        return told("\n".join([*lines, *(f"{item['id']}: {item['status']}" for item in shown)]), data)

    @asynccontextmanager
    async def _journal(self) -> AsyncGenerator[AsyncClient]:
        """Give a client that holds the journal; it is let go of when nobody here needs it, as other servers use it too.

        Raises:
            JournalUnavailable: another one does not let go of it, or it cannot be used at all.
        """
        async with self._lock:
            if not self._writers:
                self._writer = await self._opened()
            self._writers += 1
        try:
            yield self._writer
        finally:
            with anyio.CancelScope(shield=True):
                async with self._lock:
                    self._writers -= 1
                    if not self._writers:
                        await self._writer.close()

    async def _opened(self) -> AsyncClient:
        until = anyio.current_time() + HELD
        while True:
            client = AsyncClient(journal=self.choices.journal, timeout=SUBMIT, poll_interval=self.choices.poll_interval)
            try:
                await client.known("none")  # opens the file
            except BaseException as error:  # such as the end of the request that it is for
                with anyio.CancelScope(shield=True):
                    await client.close()
                if not isinstance(error, JournalUnavailable) or anyio.current_time() > until:
                    raise
            else:
                return client
            await anyio.sleep(PAUSE)

    async def _key(self, payload: BasePayload, *, again: bool) -> tuple[str, Record | None]:
        """Give the key of a payload in the journal, and what was begun under it that is to be given once more.

        What is not told of yet is no reason to make another one: hosts call `again` once more too, after a time-out.
        Where the id of the last one is not known, that is looked for first, however long ago it was.
        """
        name = await anyio.to_thread.run_sync(_fingerprint, payload, self.client.base_url)
        last, number = None, 0
        async with self._journal() as writer:
            while known := await writer.known(f"agent {name} {number}"):
                last, number = known, number + 1
        if last is None:
            return f"agent {name} {number}", None
        key = str(last.key)
        is_open = last.id is None and last.ended is None
        is_same = is_open or (last.begun is not None and datetime.now(UTC) - last.begun < SAME)
        if again:
            is_same = key in self._pending or (is_open and key not in self._doubted)
        if is_same:
            return key, last
        return f"agent {name} {number}", None

    async def _submit(self, submission: Submission) -> None:
        try:
            async with self._journal() as writer:
                state = submission.state = await writer.submit(submission.payload, key=submission.key)
            if submission.is_new:
                self._spending.begin(state, submission.payload)
        except Exception as error:  # noqa: BLE001  # raised to who waits for it
            submission.error = error
        finally:
            submission.ended.set()

    async def _record_end(self, id: str) -> None:  # noqa: A002  # the platform's word
        """Have the journal know that a generation is over and was told."""
        with suppress(SkillsVideoError):
            async with self._journal() as writer:
                await writer.wait(id)


def _fingerprint(payload: BasePayload, base_url: str) -> str:
    """Give what tells a payload from any other, on a platform and with a key; files count by their content."""
    whole = [base_url, os.environ.get("SKILLS_VIDEO_API_KEY"), fingerprint(payload)]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:32]
