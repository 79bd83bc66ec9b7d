"""What a journal holds of submissions, as it is told to those who ask."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from skills_video_runtime.json_values import JsonObject, is_number

if TYPE_CHECKING:
    from datetime import datetime

    from skills_video_runtime.errors import SkillsVideoError

    from .outcomes import Submittable
    from .states import Generation


class Idempotency(NamedTuple):
    """By what the platform knows the posts of one submission again."""

    header: str
    value: str
    path: str
    """The endpoint that was posted to first. No other is known to give the same generation again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission that a journal knows to be begun and not finished; `id` is None where it was not recorded."""

    key: int
    id: str | None
    payload: Submittable
    own_key: str | None = None
    idempotency: Idempotency | None = None
    begun: object = None
    """The moment, in seconds since 1970; what is no number tells nothing."""

    @property
    def age(self) -> float:
        """Seconds since it was begun, which grow while others are recovered; infinite where no clock can tell."""
        if not is_number(self.begun) or self.begun > time.time():
            return inf
        return time.time() - self.begun


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a submission of a journal: its `generation` if that is COMPLETED, else the `error` it ended in."""

    model: str
    input: JsonObject = field(repr=False)
    generation: Generation | None
    error: SkillsVideoError | None
    key: int | str
    """The caller's own, where one was given, else the number of the record; `settle` takes it."""


class Elsewhere(NamedTuple):
    """What a journal knows of the submissions of other processes."""

    names: frozenset[str] = frozenset()
    """Ids of their generations."""
    open: tuple[JsonObject, ...] = ()
    """What they have posted or are about to post, where the id is not known."""


class Ending(NamedTuple):
    """How a generation ended, and the credits that it took, where they are told."""

    status: str
    credits: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal holds of a submission. What is not over, or an earlier release did not record, is None."""

    key: int | str
    """The caller's own, where one was given, else the number of the record."""
    model: str
    id: str | None
    status: str | None
    """The last one; REFUSED where nothing was made."""
    begun: datetime | None
    ended: datetime | None
    """When the journal was told, which is once the caller had the result."""
    credits: float | None = None
    """What it took."""
