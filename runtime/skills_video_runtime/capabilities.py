"""What a platform's description offers beside its models, as the generated package has it from there."""

from __future__ import annotations

from typing import NamedTuple

LIST_LIMIT = 100  # the most that the running list gives, by the platform's API reference


class IdempotencyHeader(NamedTuple):
    """A header by which a post can be repeated: with a value that came before, the platform makes nothing anew."""

    name: str
    on: tuple[str, ...]
    """`create` and `stream` where all such endpoints are described to take it, else the paths of those that are."""
    required: bool
    place: str
    """Where the description says so: a file, and the JSON pointer in it."""


class OnGeneration(NamedTuple):
    """An operation on one generation, whose path has `{id}` in it."""

    method: str
    path: str
    place: str
    takes_event_id: bool = False
    """Whether a stream is described to begin after the event that `Last-Event-ID` names."""


class RunningList(NamedTuple):
    """The list of what is under way."""

    limit: int
    """The most generations that it can be asked for."""
    place: str


class Offer(NamedTuple):
    """Something that no call is made of, or that is honoured whether it is described or not."""

    words: str
    said: str
    """How the description says it, such as `POST /upload`."""
    place: str


class Capabilities(NamedTuple):
    """All that a description offers beside the models. What it does not describe is None, and is never tried."""

    idempotency: IdempotencyHeader | None = None
    cancel: OnGeneration | None = None
    resume: OnGeneration | None = None
    """The stream of a generation that exists."""
    running: RunningList | None = None
    others: tuple[Offer, ...] = ()

    @property
    def running_limit(self) -> int:
        """The most generations that the running list gives."""
        if self.running is None:
            return LIST_LIMIT
        return self.running.limit
