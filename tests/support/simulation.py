"""A simulated platform without sockets or clocks: it does the work or not, answers or not, early or late."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from skills_video_runtime.catalog import Endpoint
from skills_video_runtime.generations.call import Life
from skills_video_runtime.generations.claims import Ledger
from skills_video_runtime.generations.outcomes import (
    Answer,
    Emit,
    Ended,
    Get,
    Lost,
    Next,
    Opened,
    Post,
    Settings,
    Sleep,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skills_video_runtime.generations.outcomes import Step, Steps
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.file import File

T = TypeVar("T")
TAKES = 20.0  # seconds that a generation runs
DATA = {"videos": [{"url": "https://cdn.example/v.mp4"}]}
HUGE = 10.0**9
TIMEOUT = "VIDEO_GENERATION_TIMEOUT"

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

    def has_files(self) -> bool:
        return self.files

    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
        return [], []


@dataclass
class Made:
    id: str
    created: float
    shown_from: float
    input: dict[str, Any]
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
    shown: list[Generation] = field(default_factory=list)

    def make(self, fields: dict[str, Any], lag: float = 0.0) -> Made:
        """Do the work: the platform normalizes the input, and adds its defaults."""
        entered = {**fields, "duration": 5.0, "seed": None, "aspect_ratio": "16:9"}
        made = Made(f"gen_{len(self.made) + 1}", self.now, self.now + lag, entered)
        self.made.append(made)
        return made

    def find(self, path: str) -> Made | None:
        return next((made for made in self.made if path.endswith(f"/{made.id}")), None)

    def post(self, step: Post, fault: str) -> Any:
        self.now += 60.0 if fault.endswith("slow") else 0.2
        started = self.now - (60.0 if fault.endswith("slow") else 0.0)
        made: Made | None = None
        streaming = "/sse/" in step.path
        head, _, tail = fault.partition(" ")
        plain = {"refused": Lost(sent=False, reason="refused"), "lost": Lost(sent=True, reason="reset")}
        if "made" in fault:
            made = self.make(step.fields, 1.5 if "shown late" in fault else 0.0)
            made.created = started
        if head in plain:
            return plain[head]
        if head.isdigit():
            after = {"later": 4.0, "huge": HUGE}.get(tail)
            code = {"credits": "INSUFFICIENT_CREDITS", "timeout": TIMEOUT, "timeout made": TIMEOUT}.get(tail)
            body = None if "page" in fault else {"message": "no", "code": code}
            return Answer(int(head), body, "<html>", after)
        if fault in {"json without id made", "garbage made"}:
            return Answer(200, {"status": "starting"} if "json" in fault else None)
        if fault == "failed at once":
            return Answer(200, {"id": self.tell(self.make(step.fields)).id, "status": "failed", "message": "no"})
        if fault in {"cut before id made", "noise then cut made"}:
            noise = [{"message": "hello"}, {"status": "IN_QUEUE"}] if "noise" in fault else []
            self.stream = [*noise, Ended("cut")]
            return Opened(200, {})
        made = self.make(step.fields)
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
            return Lost(sent=True, reason="reset")
        if fault == "garbage":
            return Answer(200, None, "<html>")
        code, _, tail = fault.partition(" ")
        if code.isdigit():
            return Answer(int(code), {"message": "no"}, "", HUGE if tail else None)
        if step.path == "/generations/running":
            running = [m.at(self.now) for m in self.made if m.shown_from <= self.now < m.created + TAKES]
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
        elif fault == "failed":
            made.status, made.created = "FAILED", self.now - TAKES
            body = made.at(self.now)
        self.tell(made)
        return Answer(200, body)


def faults_of(step: Step) -> tuple[str, ...]:
    if isinstance(step, Post):
        return POST_FAULTS
    if isinstance(step, Get):
        return LIST_FAULTS if step.path == "/generations/running" else GET_FAULTS
    return ()


def drive(machine: Steps[T], world: World, choose: Callable[[Step], str], most: int = 3000) -> T:
    """Drive a machine over the world; `choose` gives the fault of each request."""
    step = next(machine)
    try:
        for _ in range(most):
            outcome: Any = None
            if isinstance(step, Post):
                outcome = world.post(step, choose(step))
            elif isinstance(step, Get):
                outcome = world.get(step, choose(step))
            elif isinstance(step, Next):
                outcome = world.next(step)
            elif isinstance(step, Sleep):
                assert 0 <= step.seconds < 1e6
                world.now += step.seconds
            elif isinstance(step, Emit):
                world.shown.append(step.generation)
            else:
                outcome = step.call()
            step = machine.send((world.now, outcome))
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the machine does not end")


def life(
    world: World, *, on_lost: Any = "raise", timeout: float = 900.0, ledger: Ledger | None = None, **more: Any
) -> Life:
    settings = Settings(on_lost_submission=on_lost, timeout=timeout)
    return Life(settings, ledger or Ledger(), world.now, random=lambda: 0.5, **more)


def scripted(faults: Sequence[str]) -> Callable[[Step], str]:
    """Choose the faults in order; then all is fine."""
    left = list(faults)
    return lambda _: left.pop(0) if left else "fine"
