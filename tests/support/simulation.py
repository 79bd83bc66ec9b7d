"""A simulated platform without sockets or clocks: it does the work or not, answers or not, early or late."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from html import escape
from inspect import isasyncgen
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias
from unicodedata import normalize

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.generations.call import Call
from skills_video_runtime.generations.claims import Claims
from skills_video_runtime.generations.outcomes import Answer, Ended, Lost, Opened, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence

    from skills_video_runtime.generations import outcomes
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.file import File

TAKES = 20.0  # seconds that a generation runs
DATA = {"videos": [{"url": "https://cdn.example/v.mp4"}]}
HUGE = 10.0**9
TIMEOUT = "VIDEO_GENERATION_TIMEOUT"


class Post(NamedTuple):
    """A call posts."""

    post: outcomes.Post

    @property
    def path(self) -> str:
        return self.post.path


class Get(NamedTuple):
    """A call asks."""

    path: str


class Next(NamedTuple):
    """A call waits for an event."""

    patience: float


class Sleep(NamedTuple):
    """A call waits."""

    seconds: float


class OnDisk(NamedTuple):
    """A call waits for the disk."""

    work: Callable[[], Any]


Step: TypeAlias = Post | Get | Next | Sleep | OnDisk

POST_FAULTS = (
    "fine",
    "refused",
    "lost",
    "lost made",
    "lost made slow",
    "429",
    "429 later",
    "429 huge",
    "429 credits",
    "500",
    "500 made",
    "500 made shown late",
    "503 later",
    "502 page made slow",
    "504 timeout",
    "504 timeout made",
    "501",
    "404",
    "400",
    "302",
    "408",
    "408 made",
    "425",
    "old json",
    "json without id made",
    "garbage made",
    "failed at once",
    "cut before id made",
    "noise then cut made",
    "cut after id",
    "silent after id",
    "noise before id",
    "strange word",
    "failed in stream",
    "foreign id",
    "bare completed",
)
ECHOES = (
    "faithful",
    "clipped",
    "clipped and marked",
    "enhanced",
    "escaped for HTML",
    "decomposed",
    "duration as text",
    "duration in milliseconds",
    "duration clamped",
    "aspect ratio renamed",
)
LIST_FAULTS = ("fine", "lost", "500", "429", "429 huge", "garbage", "401", "302")
GET_FAULTS = (
    "fine",
    "404",
    "500",
    "lost",
    "garbage",
    "strange word",
    "429 huge",
    "401",
    "no status",
    "bare completed",
    "failed",
)


def reworded(echo: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Give an input as a platform tells it that puts it into other words."""
    prompt, told = fields["prompt"], dict(fields)
    match echo:
        case "clipped":
            told["prompt"] = prompt[:9]
        case "clipped and marked":
            told["prompt"] = f"{prompt[:9]}..."
        case "enhanced":
            told["prompt"] = f"cinematic: {prompt}"
        case "escaped for HTML":
            told["prompt"] = escape(prompt)
        case "decomposed":
            told["prompt"] = normalize("NFD", prompt)
        case "duration as text":
            told["duration"] = f"{fields['duration']}s"
        case "duration in milliseconds":
            told["duration"] = fields["duration"] * 1000
        case "duration clamped":
            told["duration"] = 4
        case "aspect ratio renamed":
            told |= {"ratio": "16:9", "aspect_ratio": "landscape"}
    return told


@dataclass
class Payload:
    prompt: str = "neon rain"
    stream: bool = True
    files: bool = False

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            "acme/one", "/generation/sse/acme/one" if self.stream else None, "/generation/acme/one", "/generation/{id}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "duration": 5}

    def known_fields(self) -> dict[str, Any]:
        return {"prompt": None, "duration": 5, "seed": None, "aspect_ratio": "16:9"}

    urlencoded: ClassVar[bool] = False

    def goes_as_form(self) -> bool:
        return self.files

    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
        return [], []


@dataclass
class Made:
    id: str
    created: float
    shown_from: float
    input: dict[str, Any]
    sent: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was posted, before the platform has put it into words of its own."""
    status: str = "COMPLETED"

    def at(self, now: float) -> dict[str, Any]:
        word = self.status if now >= self.created + TAKES else "IN_PROGRESS"
        return {"id": self.id, "status": word, "input": self.input, "data": DATA if word == "COMPLETED" else None}


@dataclass
class World:
    now: float = 1000.0
    made: list[Made] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    stream: list[Any] | None = None
    foreign: list[dict[str, Any]] = field(default_factory=list)
    others: list[Made] = field(default_factory=list)
    """What other callers have made, or are about to make."""
    lag: float = 0.0
    """Seconds after which the running list shows a generation."""
    echo: str = "faithful"
    """How the platform words an input, one of `ECHOES`."""
    nap: float = 0.0
    """Seconds for which the machine sleeps in the first wait of a call."""
    shown: list[Generation] = field(default_factory=list)
    honours: bool = True
    """Whether it gives the first generation again for a value of the header by which it is to know a post."""
    known: dict[str, Made] = field(default_factory=dict)
    """What was made for each of these values."""
    values: list[str] = field(default_factory=list)
    """These values, in the order of the posts that had one."""

    def make(self, fields: dict[str, Any], lag: float = 0.0) -> Made:
        """Do the work: the platform normalizes the input, and adds its defaults."""
        entered = {"duration": 5.0, "seed": None, "aspect_ratio": "16:9", **reworded(self.echo, fields)}
        made = Made(f"gen_{len(self.made) + 1}", self.now, self.now + (lag or self.lag), entered, fields)
        self.made.append(made)
        return made

    def made_by(self, post: outcomes.Post, lag: float = 0.0) -> Made:
        """Do the work of a post, or give what was made for its value."""
        if post.idempotency is None or not self.honours:
            return self.make(post.fields, lag)
        value = post.idempotency[1]
        if value not in self.known:
            self.known[value] = self.make(post.fields, lag)
        return self.known[value]

    def find(self, path: str) -> Made | None:
        return next((made for made in [*self.made, *self.others] if path.endswith(f"/{made.id}")), None)

    def post(self, step: Post, fault: str) -> Any:
        self.now += 60.0 if fault.endswith("slow") else 0.2
        started = self.now - (60.0 if fault.endswith("slow") else 0.0)
        made: Made | None = None
        streaming = "/sse/" in step.path
        head, _, tail = fault.partition(" ")
        step.post.begun = head != "refused"
        if step.post.idempotency is not None:
            self.values.append(step.post.idempotency[1])
        if "made" in fault:
            before = len(self.made)
            made = self.made_by(step.post, 1.5 if "shown late" in fault else 0.0)
            if len(self.made) > before:
                made.created = started
        if head in {"refused", "lost"}:
            return Lost("reset")
        if head.isdigit():
            after = {"later": 4.0, "huge": HUGE}.get(tail)
            code = {"credits": "INSUFFICIENT_CREDITS", "timeout": TIMEOUT, "timeout made": TIMEOUT}.get(tail)
            body = None if "page" in fault else {"message": "no", "code": code}
            return Answer(int(head), body, "<html>", after)
        if fault in {"json without id made", "garbage made"}:
            return Answer(200, {"status": "starting"} if "json" in fault else None)
        if fault == "failed at once":
            return Answer(200, {"id": self.tell(self.made_by(step.post)).id, "status": "failed", "message": "no"})
        if fault in {"cut before id made", "noise then cut made"}:
            noise = [{"message": "hello"}, {"status": "IN_QUEUE"}] if "noise" in fault else []
            self.stream = [*noise, Ended("cut")]
            return Opened(200, {})
        made = self.made_by(step.post)
        if fault == "old json" or (fault == "fine" and not streaming):
            return Answer(202, {"id": self.tell(made).id, "status": "starting"})
        first, second, last = (
            {"id": made.id, "status": word, "data": None} for word in ("starting", "IN_PROGRESS", "COMPLETED")
        )
        last["data"] = DATA
        if fault == "failed in stream":
            made.status, last = "FAILED", {"id": made.id, "status": "FAILED", "code": "VIDEO_GENERATION_FAILED"}
        self.stream = {
            "cut after id": [first, Ended("cut")],
            "silent after id": [first, "silence"],
            "noise before id": [{"data": None}, first, second, "wait", last],
            "strange word": [first, {"id": made.id, "status": "PAUSED"}, "wait", last],
            "two ids": [{"id": "task_9", "status": "IN_QUEUE"}, second, "wait", last],
            "foreign id": [first, {"id": "gen_other", "status": "COMPLETED", "data": DATA}, Ended("closed")],
            "bare completed": [first, "wait", {"id": made.id, "status": "COMPLETED"}],
        }.get(fault, [first, second, "wait", last])
        self.tell(made)
        return Opened(200, {})

    def tell(self, made: Made) -> Made:
        self.told.add(made.id)
        return made

    def next(self, step: Next) -> Any:
        if not self.stream:
            return Ended("closed")
        event = self.stream.pop(0)
        if event in ("wait", "silence"):
            lasts = TAKES if event == "wait" else 120.0
            self.now += min(lasts, step.patience)
            event = Ended("silent") if event == "silence" or lasts > step.patience else self.stream.pop(0)
        return event

    def get(self, step: Get, fault: str) -> Any:
        self.now += 0.1
        if fault == "lost":
            return Lost("reset")
        if fault == "garbage":
            return Answer(200, None, "<html>")
        code, _, tail = fault.partition(" ")
        if code.isdigit():
            return Answer(int(code), {"message": "no"}, "", HUGE if tail else None)
        if step.path == "/generations/running":
            running = [
                m.at(self.now) for m in [*self.made, *self.others] if m.shown_from <= self.now < m.created + TAKES
            ]
            return Answer(200, [*self.foreign, *running])
        made = self.find(step.path)
        if made is None:
            return Answer(404, {"message": "no such generation"})
        body = made.at(self.now)
        if fault == "strange word":
            body["status"] = "PAUSED"
        elif fault == "no status":
            del body["status"]
        elif fault == "bare completed" and body["status"] == "COMPLETED":
            body["data"] = None
        elif fault == "another id":
            return Answer(200, {"id": "gen_other", "status": "COMPLETED", "data": DATA})
        elif fault == "failed":
            made.status, made.created = "FAILED", self.now - TAKES
            body = made.at(self.now)
        self.tell(made)
        return Answer(200, body)


class Suspending:
    """An IO that suspends at each step, and is sent what came of it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def now(self) -> float:
        return self.world.now

    async def post(self, post: outcomes.Post, patience: float, silence: float) -> Any:
        return await ask(Post(post))

    async def get(self, path: str, query: Any, patience: float) -> Any:
        return await ask(Get(path))

    async def next_event(self, patience: float, known: object = None) -> Any:
        return await ask(Next(patience))

    async def sleep(self, seconds: float) -> None:
        await ask(Sleep(seconds))

    async def on_disk(self, work: Callable[[], Any]) -> Any:
        return await ask(OnDisk(work))


@types.coroutine
def ask(step: Step) -> Generator[Step, Any, Any]:
    return (yield step)


def faults_of(step: Step) -> tuple[str, ...]:
    if isinstance(step, Post):
        return POST_FAULTS
    if isinstance(step, Get):
        return LIST_FAULTS if step.path == "/generations/running" else GET_FAULTS
    return ()


def perform(world: World, step: Step, choose: Callable[[Step], str]) -> Any:
    """Let the world do what a step asks; `choose` gives the fault of a request."""
    if isinstance(step, Post):
        return world.post(step, choose(step))
    if isinstance(step, Get):
        return world.get(step, choose(step))
    if isinstance(step, Next):
        return world.next(step)
    if isinstance(step, Sleep):
        assert 0 <= step.seconds < 1e6
        world.now += step.seconds + world.nap
        world.nap = 0.0
        return None
    return step.work()


def work_of(call: Any, world: World) -> Coroutine[Any, Any, Any]:
    """Give a coroutine, of states the last one; each is kept as shown."""
    return last(call, world) if isasyncgen(call) else call


async def last(states: AsyncGenerator[Generation, None], world: World) -> Generation:
    async for state in states:
        world.shown.append(state)
    return world.shown[-1]


def drive(call: Any, world: World, choose: Callable[[Step], str], most: int = 3000) -> Any:
    """Drive a call over the world."""
    work, outcome = work_of(call, world), None
    try:
        for _ in range(most):
            step = work.send(outcome)
            outcome = perform(world, step, choose)
    except StopIteration as stop:
        return stop.value
    finally:
        work.close()
    raise AssertionError("the call does not end")


def call_of(
    world: World, *, on_lost: Any = "raise", timeout: float = 900.0, claims: Claims | None = None, **more: Any
) -> Call:
    settings = Settings(on_lost_submission=on_lost, timeout=timeout)
    return Call(Suspending(world), settings, claims or Claims(), random=lambda: 0.5, **more)


def scripted(faults: Sequence[str]) -> Callable[[Step], str]:
    """Choose the faults in order; then all is fine."""
    left = list(faults)
    return lambda _: left.pop(0) if left else "fine"
