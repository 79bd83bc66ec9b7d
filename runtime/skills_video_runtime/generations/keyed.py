"""Keys of the caller's own: what was begun under one is taken up, and not posted again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from skills_video_runtime.errors import GenerationTimeout, RecordUnusable

from .posting import settled
from .records import Recovered
from .recovery import take_up
from .states import Generation

if TYPE_CHECKING:
    from .call import Call
    from .outcomes import Submittable

LONGEST = 200  # characters of a key: our choice
PAUSE = 0.2  # seconds between two looks at what another call of the process does under the same key: our choice


async def begun_before(call: Call, payload: Submittable, own_key: str) -> Generation | None:
    """Give the generation that was begun under a key, by its id alone; None where none was, and none is by others.

    ValueError tells that there is no journal, or that the key is of another payload; RecordUnusable that its record
    cannot be read, or holds no id; GenerationTimeout that another call with this key has not been told an id in time.
    """
    check_key(own_key)
    if call.journal is None:
        raise ValueError("key needs a journal: Client(journal='jobs.db')")
    journal = call.journal
    while True:
        is_held = journal.hold(own_key, call)
        known = await call.io.on_disk(partial(journal.known_as, own_key, payload))
        if known is None:
            if is_held:
                return None
        elif isinstance(known.entry, Recovered):
            raise known.entry.error or LookupError(own_key)
        elif not known.is_same:
            raise ValueError(f"key: {own_key!r} is that of another payload: give this one a key of its own")
        elif known.entry.id is not None:
            return Generation(known.entry.id, "", {})
        elif known.is_over:
            raise RecordUnusable(f"The generation of key {own_key!r} is over, and never had an id.")
        elif is_held and journal.hold(known.entry.key, call):
            entry = replace(known.entry, payload=payload)  # whose class is known here
            submission = call.claims.resume(entry, journal, call.offered(payload))
            return await settled(call, submission, take_up(call, submission, entry))
        if call.time_left() <= 0:
            raise GenerationTimeout(f"Another call with key {own_key!r} was told no id within {call.timeout:g} s.")
        await call.io.sleep(min(PAUSE, max(call.time_left(), 0)))


def check_key(own_key: object, longest: int = LONGEST) -> None:
    """Refuse, by TypeError or ValueError, what is no key that a caller can give, and that not every database takes."""
    if not isinstance(own_key, str):
        raise TypeError(f"key is a text of your own, such as 'row-17', not {own_key!r:.80}")
    if not 0 < len(own_key) <= longest or not own_key.isprintable():
        raise ValueError(f"key is a printable text of 1 to {longest} characters, not {own_key!r:.80}")


def check_record(key: object) -> None:
    """Refuse, as `check_key`, what calls no record."""
    if type(key) not in {int, str}:
        raise TypeError(f"key is that of a record, an int or your own text, not {key!r:.80}")
    if isinstance(key, str):
        check_key(key)
