"""Whose generation is it: what the calls of one workspace know of their submissions, and of each other's."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from weakref import WeakValueDictionary

from .matching import matches

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from skills_video_runtime.json_values import JsonObject

    from .journal import Journal
    from .outcomes import Entry, Post, Submittable
    from .states import Generation


@dataclass(eq=False, slots=True)
class Submission:
    """One call's attempt to have one generation made, from before its first post until its id is known or given up."""

    place: str
    """The create endpoint, for which a stream endpoint stands as well."""
    fields: JsonObject
    turn: int
    post: Post | None = None
    """The last one, unless it certainly made nothing."""
    pending: bool = False
    """Whether a post is on its way, so that its generation may be about to get its id."""
    was_sent: bool = False
    """Whether a post before the last one was begun."""
    was_lost: bool = False
    """Whether one of these may have made a generation, and was repeated even so."""
    generation: Generation | None = None
    record: tuple[Journal, int] | None = None
    """Where it is recorded, if it began with that."""

    @property
    def is_doubtful(self) -> bool:
        """Whether a post may have made a generation whose id was not told."""
        is_begun = self.post is not None and self.post.begun
        return self.generation is None and (self.was_lost or is_begun)

    def resume(self, journal: Journal, key: int) -> None:
        """Take the place of an earlier process, which may have posted it."""
        self.record, self.turn, self.was_sent, self.was_lost = (journal, key), 0, True, True

    def refute(self) -> None:
        """Say that the last post certainly made nothing, or is to be taken so."""
        self.was_sent = self.was_sent or (self.post is not None and self.post.begun)
        self.post = None

    def record_end(self) -> None:
        """Tell the journal how this ended. What may have made a generation stays begun there."""
        if self.record is None:
            return
        journal, key = self.record
        if self.generation is not None:
            journal.submitted(key, self.generation.id)
        elif self.is_doubtful:
            return
        elif self.was_sent:
            journal.refused(key)
        else:
            journal.forget(key)

    def outlook(self) -> str:
        """Say what a call that was broken off leaves behind."""
        if self.generation is not None:
            return f"Generation {self.generation.id} was made and goes on: client.wait(id) takes it up."
        if self.is_doubtful:
            return "It is not known whether a generation was made."
        if self.was_sent:
            return "Nothing was made."
        return "Nothing was sent."


class Verdict(NamedTuple):
    """What one look at the running list tells a submission."""

    adopted: Generation | None
    candidates: tuple[str, ...]
    """Ids of the generations that may be ours, and may be somebody else's."""
    settled: bool
    """Whether waiting for this client's other calls would tell no more."""


class Claims:
    """What the calls of one workspace know of each other. Safe to share between threads: each change is one step."""

    _shared: ClassVar[WeakValueDictionary[Hashable, Claims]] = WeakValueDictionary()
    _sharing: ClassVar[Lock] = Lock()

    def __init__(self) -> None:
        self._lock = Lock()
        self._announced: dict[str, float] = {}
        self._reserved: set[tuple[Journal, int] | None] = set()
        self._turn = 0
        self._seen: dict[str, int] = {}
        self._claims: dict[str, object] = {}
        self._open: dict[Submission, None] = {}

    @classmethod
    def of(cls, workspace: Hashable) -> Claims:
        """Give what is known to all clients in this process that make their generations in one workspace."""
        with cls._sharing:
            return cls._shared.setdefault(workspace, cls())

    def begin(self, place: str, fields: JsonObject) -> Submission:
        """Enter a submission, before its first post."""
        with self._lock:
            self._turn += 1
            submission = Submission(place, fields, self._turn)
        self._open[submission] = None
        return submission

    def end(self, submission: Submission) -> None:
        """Drop a submission: its id is known, or nobody waits for it any more."""
        self._open.pop(submission, None)
        self._reserved.discard(submission.record)

    def has_open(self) -> bool:
        """Tell whether a submission is under way."""
        return bool(self._open)

    def claim(self, name: str, owner: object = None) -> bool:
        """Take a generation for one call; False if another call has it."""
        return self._claims.setdefault(name, owner) is owner

    def announce(self, name: str, now: float) -> None:
        """Remember when the platform told of a generation."""
        self._announced[name] = now

    def seconds_since(self, name: str | None, now: float) -> float:
        """Give the seconds since the platform told of a generation; infinite, if it has not."""
        return now - self._announced.get(name or "", -inf)

    def intend(self, submission: Submission, journal: Journal, payload: Submittable) -> int:
        """Record in a journal that a payload is about to be posted, and hold the record until that has ended."""
        with self._lock:
            key = journal.intend(payload)
            submission.record = (journal, key)
            self._reserved.add(submission.record)
            return key

    def unfinished(self, journal: Journal) -> list[Entry]:
        """Give what a journal knows to be unfinished and nobody holds, and hold it until it is released."""
        with self._lock:
            entries = [entry for entry in journal.unfinished() if (journal, entry.key) not in self._reserved]
            self._reserved.update((journal, entry.key) for entry in entries)
            return entries

    def release(self, journal: Journal, entries: Iterable[Entry]) -> None:
        """Let go of what `unfinished` gave."""
        self._reserved.difference_update((journal, entry.key) for entry in entries)

    def unclaimed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those generations that no call has taken."""
        return tuple(name for name in names if name not in self._claims)

    def remember(self, generations: Sequence[Generation]) -> None:
        """Remember which generations are there: a submission that begins later did not make them."""
        for generation in generations:
            self._seen.setdefault(generation.id, self._turn)

    def judge(self, submission: Submission, running: Sequence[Generation]) -> Verdict:
        """Find the generation of a submission among those that run, and claim it if there is exactly one.

        Generations that other calls claimed, or that were seen before the submission began, are none of ours. One that
        another open submission of this client may have made is left alone until that call has its answer, unless both
        wait for the very same thing and neither knows more.
        """
        self.remember(running)
        possible = [item for item in running if self._may_be(submission, item)]
        rivals = [other for other in list(self._open) if other is not submission and _competes(other, possible)]
        contested = any(other.pending or not _is_same(other, submission) for other in rivals)
        if len(possible) == 1 and matches(submission.fields, possible[0].input) and not contested:
            if self.claim(possible[0].id, submission):
                return Verdict(possible[0], (), settled=True)
            return Verdict(None, (), settled=False)
        return Verdict(None, tuple(item.id for item in possible), settled=not contested)

    def _may_be(self, submission: Submission, item: Generation) -> bool:
        """Whether a submission may have made a generation that is running."""
        if not item.id or item.id in self._claims or self._seen[item.id] < submission.turn:
            return False
        return matches(submission.fields, item.input) is not False


def _is_same(one: Submission, other: Submission) -> bool:
    """Whether two submissions are interchangeable."""
    return (one.place, one.fields) == (other.place, other.fields)


def _competes(other: Submission, possible: Sequence[Generation]) -> bool:
    """Whether another submission may have made one of these generations."""
    if not other.pending and not other.is_doubtful:
        return False
    return any(matches(other.fields, item.input) is not False for item in possible)
