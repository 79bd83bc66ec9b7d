"""Which generations of the running list may be ours: what this client knows of its submissions and of others'."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast
from weakref import WeakValueDictionary

from .states import as_object, listed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from .journal import Journal
    from .outcomes import Entry, Submittable
    from .states import Generation

MEDIA = ("http:", "https:", "data:")  # how a text begins that the platform may have replaced by an address of its own


@dataclass(eq=False, slots=True)
class Submission:
    """One call's attempt to have one generation made, from before its first post until its id is known or given up."""

    identity: tuple[str, object]
    """Where it is posted, and what: two with the same identity are interchangeable."""
    turn: int
    pending: bool = False
    """Whether a post is on its way, so that its generation may be about to get its id."""
    doubtful: bool = False
    """Whether a post may have made a generation whose id was not told."""
    record: tuple[Journal, int] | None = None
    """Where it is recorded, if it began with that."""


class Verdict(NamedTuple):
    """What one look at the running list tells a submission."""

    adopted: Generation | None
    candidates: tuple[str, ...]
    """Ids of the generations that may be ours, and may be somebody else's."""
    settled: bool
    """Whether waiting for this client's other calls would tell no more."""


class Ledger:
    """What the calls of one workspace know of each other. Safe to share between threads: each change is one step."""

    _shared: ClassVar[WeakValueDictionary[Hashable, Ledger]] = WeakValueDictionary()
    _sharing: ClassVar[Lock] = Lock()

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: dict[str, float] = {}
        self._held: set[tuple[Journal, int] | None] = set()
        self._turn = 0
        self._seen: dict[str, int] = {}
        self._claims: dict[str, object] = {}
        self._open: dict[Submission, None] = {}

    @classmethod
    def of(cls, workspace: Hashable) -> Ledger:
        """Give the ledger of all clients in this process that make their generations in one workspace."""
        with cls._sharing:
            return cls._shared.setdefault(workspace, cls())

    def begin(self, place: str, fields: object) -> Submission:
        """Enter a submission, before its first post."""
        with self._lock:
            self._turn += 1
            submission = Submission((place, fields), self._turn)
        self._open[submission] = None
        return submission

    def end(self, submission: Submission) -> None:
        """Drop a submission: its id is known, or nobody waits for it any more."""
        self._open.pop(submission, None)
        self._held.discard(submission.record)

    def claim(self, name: str, owner: object = None) -> bool:
        """Take a generation for one call; False if another call has it."""
        return self._claims.setdefault(name, owner) is owner

    def tell(self, name: str, now: float) -> None:
        """Remember when the platform told of a generation."""
        self._told[name] = now

    def since(self, name: str | None, now: float) -> float:
        """Give the seconds since the platform told of a generation; infinite, if it has not."""
        return now - self._told.get(name or "", -inf)

    def intend(self, submission: Submission, journal: Journal, payload: Submittable) -> int:
        """Record in a journal that a payload is about to be posted, and hold the record until that has ended."""
        with self._lock:
            key = journal.intend(payload)
            submission.record = (journal, key)
            self._held.add(submission.record)
            return key

    def unfinished(self, journal: Journal) -> list[Entry]:
        """Give what a journal knows to be unfinished and nobody holds, and hold it until it is released."""
        with self._lock:
            entries = [entry for entry in journal.unfinished() if (journal, entry.key) not in self._held]
            self._held.update((journal, entry.key) for entry in entries)
            return entries

    def release(self, journal: Journal, entries: Iterable[Entry]) -> None:
        """Let go of what `unfinished` gave."""
        self._held.difference_update((journal, entry.key) for entry in entries)

    def unclaimed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those generations that no call has taken."""
        return tuple(name for name in names if name not in self._claims)

    def see(self, generations: Sequence[Generation]) -> None:
        """Remember which generations are there: a submission that begins later did not make them."""
        for generation in generations:
            self._seen.setdefault(generation.id, self._turn)

    def judge(self, submission: Submission, running: Sequence[Generation]) -> Verdict:
        """Find the generation of a submission among those that run, and claim it if there is exactly one.

        Generations that other calls claimed, or that were seen before the submission began, are none of ours. One that
        another open submission of this client may have made is left alone until that call has its answer, unless both
        wait for the very same thing and neither knows more.
        """
        self.see(running)
        possible: list[tuple[Generation, bool]] = []
        for item in running:
            if item.id and item.id not in self._claims and self._seen[item.id] >= submission.turn:
                same = matches(submission.identity[1], item.input)
                if same is not False:
                    possible.append((item, same is True))
        rivals = [
            other
            for other in list(self._open)
            if other is not submission
            and (other.pending or other.doubtful)
            and any(matches(other.identity[1], item.input) is not False for item, _ in possible)
        ]
        contested = any(other.pending or other.identity != submission.identity for other in rivals)
        if len(possible) == 1 and possible[0][1] and not contested:
            if self.claim(possible[0][0].id, submission):
                return Verdict(possible[0][0], (), settled=True)
            return Verdict(None, (), settled=False)
        return Verdict(None, tuple(item.id for item, _ in possible), settled=not contested)


def matches(ours: object, theirs: object) -> bool | None:
    """Tell whether the platform's normalized input is what we sent, or None where that cannot be told.

    Fields that the platform added, such as defaults, do not count; 5 is 5.0 and "5"; case and spaces do not count. A
    field that is missing, a file, and an address that differs (the platform may have copied the media) tell nothing.
    """
    if isinstance(ours, dict):
        fields, given = cast("dict[str, object]", ours), as_object(theirs)
        if not given and theirs != {}:
            return None
        return _all([(value, given.get(name)) for name, value in fields.items()])
    if isinstance(ours, (list, tuple)):
        items, other = list(cast("Sequence[object]", ours)), listed(theirs)
        return None if other is None else len(items) == len(other) and _all(list(zip(items, other, strict=True)))
    if ours is None or theirs is None:
        return True if ours is theirs else None
    texts = _text(ours), _text(theirs)
    if texts[0] is None or texts[1] is None:
        return None
    if texts[0] == texts[1]:
        return True
    return None if isinstance(ours, bool) != isinstance(theirs, bool) or texts[0].startswith(MEDIA) else False


def _all(pairs: list[tuple[object, object]]) -> bool | None:
    verdicts = [matches(*pair) for pair in pairs]
    return False if False in verdicts else None if None in verdicts else True


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).casefold()
    if not isinstance(value, (str, int, float)):
        return None
    text = " ".join(str(value).split()).casefold()
    try:
        return repr(float(text))
    except ValueError:
        return text
