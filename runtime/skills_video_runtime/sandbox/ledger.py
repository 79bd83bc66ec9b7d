"""The books of the sandbox: generations, credits and counts, without any HTTP."""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skills_video_runtime.sandbox.faults import Faults
    from skills_video_runtime.sandbox.form import Upload

PRICE_PER_SECOND: Final = 2
"""Credits for one second of one video; our choice, the platform's prices differ per model."""
USUAL_SECONDS: Final = 5
"""Seconds paid for where the input does not say how long the video is."""
OTHERS: Final = "others"
"""What requests are counted as whose names are too long, or too many."""
_LONGEST_NAME: Final = 200
_MOST_NAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits, by where they come from."""

    subscription: float = 0
    permanent: float = 0

    def as_json(self) -> dict[str, float]:
        """As the platform writes it: total, subscription, permanent."""
        return {
            "total": self.subscription + self.permanent,
            "subscription": self.subscription,
            "permanent": self.permanent,
        }


@dataclass(frozen=True, slots=True)
class Phase:
    """One state of a generation and the sandbox time from which it holds."""

    since: float
    status: str
    place: int | None = None
    """Place in the queue, from 1, where generations wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One generation that the sandbox has made, and so has been paid for."""

    id: str
    model: str
    sent: dict[str, Any]
    """The body as it came; files of a form are the URL they got."""
    input: dict[str, Any]
    """The body with the defaults of its schema."""
    uploads: tuple[Upload, ...]
    """Files that came with the body."""
    usage: Usage
    """What was charged."""
    phases: tuple[Phase, ...]
    """All states, past and to come, in order of time; the last one is final."""
    code: str | None
    """Error code, where it ends in failure."""
    message: str | None
    """Reason, where it ends in failure."""
    faults: Faults = field(repr=False)
    """Faults asked for by its create request."""

    def status(self, now: float) -> str:
        """The state at a sandbox time."""
        return self.phase(now).status

    def phase(self, now: float) -> Phase:
        """The state at a sandbox time, with the place in the queue."""
        return next(phase for phase in reversed(self.phases) if phase.since <= now or phase is self.phases[0])

    @property
    def begin(self) -> float:
        """When it leaves the queue."""
        return next(phase.since for phase in self.phases if phase.status != "IN_QUEUE")


class OutOfCreditsError(Exception):
    """The balance does not cover the price."""


def price(body: Mapping[str, Any]) -> int:
    """What a generation costs, in credits: seconds times videos times `PRICE_PER_SECOND`; our choice."""
    videos = videos_of(body)
    with suppress(TypeError, ValueError, OverflowError):  # of what is no length, such as "nan"
        seconds = float(body.get("duration", body.get("seconds", USUAL_SECONDS)))
        return max(1, round(PRICE_PER_SECOND * max(seconds, 0) * videos))
    return PRICE_PER_SECOND * USUAL_SECONDS * videos


def videos_of(body: Mapping[str, Any]) -> int:
    """How many videos a generation makes: its `n`, else one."""
    stated = body.get("n")
    return stated if isinstance(stated, int) and stated > 0 else 1


def same(body: Mapping[str, Any]) -> str:
    """A text that is equal for bodies that mean the same."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


class Ledger:
    """Generations made, credits left, requests counted. Safe in any thread.

    Args:
        subscription: Credits of the subscription, spent first.
        permanent: Credits that were bought, spent when the subscription's are.
        queue_seconds: Sandbox seconds in the queue.
        work_seconds: Sandbox seconds of work.
        at_once: How many are worked on at once; the others wait for their turn. None for all.

    Raises:
        ValueError: A number is negative or not finite, or `at_once` is no positive whole number.
    """

    def __init__(
        self,
        *,
        subscription: float,
        permanent: float = 0,
        queue_seconds: float = 1.0,
        work_seconds: float = 20.0,
        at_once: int | None = None,
    ) -> None:
        if not all(0 <= amount < math.inf for amount in (subscription, permanent, queue_seconds, work_seconds)):
            raise ValueError("credits and seconds must be 0 or more and finite")
        if at_once is not None and (type(at_once) is not int or at_once < 1):
            raise ValueError(f"at_once must be a whole number from 1, not {at_once!r}")
        self._at_once = at_once
        self._queue = queue_seconds
        self._work = work_seconds
        self.credits = Usage(subscription, permanent)
        """Credits left."""
        self.charged = 0.0
        """Credits charged since the start."""
        self._generations: dict[str, Generation] = {}
        self._requests: Counter[str] = Counter()
        self._lock = threading.RLock()

    def make(
        self,
        model: str,
        *,
        sent: dict[str, Any],
        normalised: dict[str, Any],
        uploads: tuple[Upload, ...],
        faults: Faults,
        now: float,
    ) -> Generation:
        """Make a generation and charge for it.

        Raises:
            OutOfCreditsError: The balance does not cover it; nothing was made.
        """
        cost = price(normalised)
        with self._lock:
            left = self.credits
            if left.subscription + left.permanent < cost:
                raise OutOfCreditsError(f"{cost} credits are needed, {left.subscription + left.permanent:g} are left")
            usage = Usage(min(left.subscription, cost), max(0, cost - left.subscription))
            self.credits = Usage(left.subscription - usage.subscription, left.permanent - usage.permanent)
            self.charged += cost
            code: str | None = None
            message: str | None = None
            if "failed" in faults:
                code, _, message = faults.text("failed").partition(":")
                code = code or "VIDEO_GENERATION_FAILED"
                message = message or "The upstream generation failed"
            generation = Generation(
                id=f"gen_{len(self._generations) + 1:06d}",
                model=model,
                sent=sent,
                input=normalised,
                uploads=uploads,
                usage=usage,
                phases=self._phases(faults, now),
                code=code,
                message=message,
                faults=faults,
            )
            self._generations[generation.id] = generation
        return generation

    def turn(self, now: float) -> float:
        """When there is room for one more: now, or later where as many as can be are under way."""
        ends = sorted(generation.phases[-1].since for generation in self._unfinished(now))
        if self._at_once is None or len(ends) < self._at_once:
            return now
        return ends[-self._at_once]

    def _unfinished(self, now: float) -> list[Generation]:
        """Those that may be in the way of another, where any may."""
        if self._at_once is None:
            return []
        return [generation for generation in self.generations() if generation.phases[-1].since > now]

    def _waiting(self, now: float, begun: float) -> list[Phase]:
        """The states of one that is queued now and begun then: one for each place, where generations wait."""
        if self._at_once is None:
            return [Phase(now, "IN_QUEUE")]
        before = sorted(each.begin for each in self._unfinished(now) if now < each.begin <= begun)
        phases = {now: Phase(now, "IN_QUEUE", len(before) + 1)}
        for left, moved in enumerate(reversed(before)):
            if moved < begun:
                phases.setdefault(moved, Phase(moved, "IN_QUEUE", left + 1))
        return [phases[since] for since in sorted(phases)]

    def _phases(self, faults: Faults, now: float) -> tuple[Phase, ...]:
        begun = max(now + self._queue, self.turn(now))
        work = faults.number("slow", self._work)
        phases = self._waiting(now, begun)
        if "unknown-status" in faults:
            phases.append(Phase(begun, faults.text("unknown-status", "WARMING_UP")))
            begun, work = begun + work / 2, work / 2
        phases.append(Phase(begun, "IN_PROGRESS"))
        end = "COMPLETED"
        if "failed" in faults:
            end = "FAILED"
        elif "canceled" in faults:
            end = faults.text("canceled", "CANCELED")
        return (*phases, Phase(begun + work, end))

    def phases(self, generation_id: str) -> tuple[Phase, ...]:
        """The states of a generation as they are now: it may be canceled later."""
        return self._generations[generation_id].phases

    def since(self, generation_id: str, number: int) -> float:
        """The sandbox time from which a state holds, the first one being 0."""
        return self.phases(generation_id)[number].since

    def cancel(self, generation_id: str, now: float) -> bool:
        """End a generation as canceled; False where it is over.

        What was charged stays charged: no description says otherwise.
        """
        with self._lock:
            generation = self._generations[generation_id]
            if generation.phases[-1].since <= now:
                return False
            past = [phase for phase in generation.phases if phase.since <= now]
            self._generations[generation_id] = replace(generation, phases=(*past, Phase(now, "CANCELED")))
        return True

    def get(self, generation_id: str) -> Generation | None:
        """The generation of that id, or None."""
        return self._generations.get(generation_id)

    def generations(self) -> tuple[Generation, ...]:
        """All generations made, in the order of making."""
        with self._lock:
            return tuple(self._generations.values())

    def running(self, now: float, limit: int | None = None) -> list[Generation]:
        """Unfinished generations, newest first (our choice: the platform's order is unknown)."""
        with self._lock:
            unfinished = (
                generation
                for generation in reversed(self._generations.values())
                if generation.phases[-1].since > now and not generation.faults.take("running-hidden")
            )
            return list(islice(unfinished, limit))

    def count_request(self, name: str) -> None:
        """Count a request under a name such as `GET /api/v1/credits`."""
        with self._lock:
            if len(name) > _LONGEST_NAME or (name not in self._requests and len(self._requests) >= _MOST_NAMES):
                name = OTHERS
            self._requests[name] += 1

    def requests(self) -> Counter[str]:
        """How many requests came, by method and path, ids and files left out of the path."""
        with self._lock:
            return Counter(self._requests)

    def made(self, model: str | None = None, body: Mapping[str, Any] | None = None) -> int:
        """How many generations were made: of all, of a model, of a body as it was sent."""
        return sum(
            1
            for generation in self.generations()
            if model in (None, generation.model) and (body is None or same(body) == same(generation.sent))
        )

    def statistics(self, now: float) -> dict[str, Any]:
        """All counts as JSON values."""
        generations = self.generations()
        counted = Counter((generation.model, same(generation.sent)) for generation in generations)
        return {
            "made": len(generations),
            "running": sum(generation.phases[-1].since > now for generation in generations),
            "generations": [
                {"model": model, "input": json.loads(body), "count": count} for (model, body), count in counted.items()
            ],
            "credits": {"charged": self.charged, **self.credits.as_json()},
            "requests": dict(self.requests()),
        }
