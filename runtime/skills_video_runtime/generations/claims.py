"""Whose generation is it: what the calls of one process know of their submissions, and of each other's.

It lives as long as the process, and holds ids and no payloads, each for as long as a running list may show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from skills_video_runtime.capabilities import Capabilities

from .matching import is_ours, may_be
from .records import Elsewhere, Idempotency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skills_video_runtime.errors import SubmissionUncertain
    from skills_video_runtime.json_values import JsonObject

    from .journal import Journal
    from .outcomes import Post, Submittable
    from .records import Entry
    from .states import Generation

NOTHING_OFFERED = Capabilities()
NOTHING_SENT, NOTHING_MADE = "Nothing was sent.", "Nothing was made."
NOBODY = 0  # the turn of no submission: an id is all that is known


@dataclass(eq=False, slots=True)
class Submission:
    """One call's attempt to have one generation made, from before its first post until its id is known or given up."""

    payload: Submittable
    fields: JsonObject
    turn: int
    """What tells it from others; negative, before all that was seen, where an earlier process began it."""
    offered: Capabilities
    post: Post | None = None
    """The last one, unless it certainly made nothing."""
    pending: bool = False
    """Whether a post is on its way, so that its generation may be about to get its id."""
    was_sent: bool = False
    """Whether a post before the last one was begun."""
    was_lost: bool = False
    """Whether one of these may have made a generation, and was repeated even so."""
    generation: Generation | None = None
    told: str | None = None
    """The id in an answer that refused it."""
    record: tuple[Journal, int] | None = None
    """Where it is recorded, if it began with that."""
    own_key: str | None = None
    idempotency: Idempotency | None = None
    """By what the platform knows its posts again, where that is offered."""
    doubt: SubmissionUncertain | None = None
    """What is said of an earlier post if the platform does not know it again."""

    def idempotency_at(self, path: str) -> tuple[str, str] | None:
        """Give the header and its value for a post to an endpoint, None where that is not described to take it."""
        header, ours = self.offered.idempotency, self.idempotency
        if header is None or ours is None or header.name.lower() != ours.header.lower():
            return None
        kind = "create" if path == self.payload.endpoint.create else "stream"
        if kind not in header.on and path not in header.on:
            return None
        return ours.header.lower(), ours.value

    @property
    def is_doubtful(self) -> bool:
        """Whether a post may have made a generation whose id was not told."""
        is_begun = self.post is not None and self.post.begun
        return self.generation is None and (self.was_lost or self.doubt is not None or is_begun)

    def refute(self) -> None:
        """Say that the last post certainly made nothing, or is to be taken so."""
        self.was_sent = self.was_sent or (self.post is not None and self.post.begun)
        self.post = None

    def record_end(self) -> None:
        """Tell the journal how this ended. What may have made a generation stays begun there."""
        if self.record is None:
            return
        journal, key = self.record
        name = self.generation.id if self.generation else self.told
        if name is not None:
            journal.submitted(key, name)
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
            return NOTHING_MADE
        return NOTHING_SENT


class Look(NamedTuple):
    """What one look at the running list tells a submission."""

    ours: tuple[str, ...]
    """Ids that certainly are of what it posted."""
    new: tuple[str, ...]
    """Ids of all that may be: it was not there before, and no call has claimed it."""
    contested: bool
    """Whether another call of this process may have made what is ours, or where nothing is, what is new.

    So it is, too, once a process has made thousands that nobody waited for, as it no longer knows them all.
    """


class Recent(dict[str, float]):
    """The last two thousand ids: far more than the running list can show, which is 100."""

    MOST = 2048
    has_dropped = False

    def __setitem__(self, name: str, value: float) -> None:
        """Add an id, or move it to the end, and drop the first one where there are too many."""
        self.pop(name, None)
        super().__setitem__(name, value)
        if len(self) > self.MOST:
            del self[next(iter(self))]
            self.has_dropped = True


class Claims:
    """What the calls of one platform know of each other. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._announced, self._first_seen = Recent(), Recent()
        self._claims, self._over = Recent(), Recent()
        self._turn = 0
        self._open: dict[Submission, None] = {}
        self.without_stream: set[str] = set()
        """Create endpoints that took what the stream, which no description has, had refused."""

    def forget(self) -> None:
        """Forget all ids."""
        with self._lock:
            for known in (self._announced, self._first_seen, self._claims, self._over):
                known.clear()

    def begin(self, payload: Submittable, offered: Capabilities = NOTHING_OFFERED) -> Submission:
        """Enter a submission, before its first post."""
        with self._lock:
            self._turn += 1
            submission = Submission(payload, payload.to_dict(), self._turn, offered)
            self._open[submission] = None
        return submission

    def resume(self, entry: Entry, journal: Journal, offered: Capabilities) -> Submission:
        """Take the place of an earlier process, which may have posted what a record holds."""
        submission = self.begin(entry.payload, offered)
        submission.idempotency = entry.idempotency
        submission.record, submission.turn = (journal, entry.key), -submission.turn
        submission.was_sent = submission.was_lost = True
        return submission

    def reopen(self, submission: Submission) -> None:
        """Enter a submission again, whose id turned out to be none."""
        with self._lock:
            self._open[submission] = None

    def end(self, submission: Submission) -> None:
        """Drop a submission: its id is known, or nobody waits for it any more."""
        with self._lock:
            self._open.pop(submission, None)

    def has_open(self) -> bool:
        """Tell whether a submission is under way."""
        return bool(self._open)

    def claim(self, name: str, submission: Submission | None = None) -> bool:
        """Take a generation for one call; False if another call has it."""
        owner = submission.turn if submission else NOBODY
        with self._lock:
            if not self._is_claimed(name):
                self._claims[name] = owner
            return self._claims.get(name) == owner

    def is_of_another_post(self, name: str, submission: Submission) -> bool:
        """Tell whether a generation was made by another post of this process."""
        with self._lock:
            return self._claims.get(name, self._over.get(name, NOBODY)) not in {NOBODY, submission.turn}

    def end_of(self, name: str) -> None:
        """Take note that a generation is over: its id is kept until no list can show it any more."""
        with self._lock:
            self._over[name] = self._claims.pop(name, NOBODY)

    def announce(self, name: str, now: float) -> None:
        """Remember when the platform told of a generation."""
        with self._lock:
            self._announced[name] = now

    def seconds_since(self, name: str | None, now: float) -> float:
        """Give the seconds since the platform told of a generation; infinite, if it has not."""
        return now - self._announced.get(name or "", -inf)

    def intend(self, submission: Submission, journal: Journal, call: object) -> None:
        """Record in a journal that a payload is about to be posted, and hold the record for a call."""
        key = journal.new_key()
        journal.hold(key, call)
        with self._lock:
            if submission not in self._open:
                return  # the call was given up meanwhile
            submission.record = (journal, key)
        journal.intend(key, submission.payload, submission.own_key, submission.idempotency)
        if submission not in self._open:  # given up while it was written
            submission.record_end()

    def unclaimed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those generations that no call has taken."""
        return tuple(name for name in names if not self._is_claimed(name))

    def remember(self, generations: Sequence[Generation]) -> None:
        """Remember which generations are there: a submission that begins later did not make them."""
        with self._lock:
            for name in (generation.id for generation in generations):
                self._first_seen[name] = self._first_seen.get(name, self._turn)
                if name in self._claims:
                    self._claims[name] = self._claims[name]  # what is still listed is kept

    def look(self, submission: Submission, running: Sequence[Generation]) -> Look:
        """Tell which of the generations that run may be of a submission, and which certainly are.

        Those that other calls claimed, or that were there before it began, are not. What another open submission of
        this process may have made is contested, unless both wait for the very same thing and neither knows more.
        """
        self.remember(running)
        elsewhere = Elsewhere()
        if submission.record is not None:  # asked after the list, so that whatever is there was recorded before
            elsewhere = submission.record[0].elsewhere(submission.record[1])
        listed = {item.id: item for item in running if item.id and item.id not in elsewhere.names}
        new = {name: item for name, item in listed.items() if self._is_new(submission, name)}
        known = submission.payload.known_fields()
        ours = {name: item for name, item in new.items() if is_ours(submission.fields, known, item.input)}
        doubtful = list((ours or new).values())
        with self._lock:
            others = [other for other in self._open if other is not submission]
        contested = (
            self._claims.has_dropped  # what seems new may be what was dropped
            or any(_competes(other, submission, doubtful) for other in others)
            or any(may_be(fields, item.input) for fields in elsewhere.open for item in doubtful)
        )
        return Look(tuple(ours), tuple(new), contested)

    def _is_new(self, submission: Submission, name: str) -> bool:
        return not self._is_claimed(name) and self._first_seen.get(name, 0) >= submission.turn

    def _is_claimed(self, name: str) -> bool:
        return name in self._claims or name in self._over


def _competes(other: Submission, submission: Submission, new: Iterable[Generation]) -> bool:
    """Whether another submission may have made something new, and is not interchangeable with this one."""
    if not other.pending and not other.is_doubtful:
        return False
    places = {other.payload.endpoint.create, submission.payload.endpoint.create}
    if not other.pending and len(places) == 1 and other.fields == submission.fields:
        return False
    return any(may_be(other.fields, item.input) for item in new)


def new_idempotency(submission: Submission, path: str) -> Idempotency | None:
    """Give by what the platform is to know the posts of a submission again, where that is offered."""
    header = submission.offered.idempotency
    if header is None:
        return None
    from uuid import uuid4  # noqa: PLC0415  # for platforms that know posts again

    return Idempotency(header.name, str(uuid4()), path)
