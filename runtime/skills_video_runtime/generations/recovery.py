"""Taking up what an earlier process began: what a journal knows to be unfinished, record by record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from skills_video_runtime.errors import NotFound, SkillsVideoError

from .claims import Submission, new_idempotency
from .outcomes import Lost
from .posting import may_post, posted, settled
from .records import Ending, Entry, Recovered
from .states import Generation, is_id
from .uncertain import find

if TYPE_CHECKING:
    from .call import Call

KNOWN_FOR = 3600.0  # seconds for which a platform is trusted to know a post again: our choice
INTERRUPTED = Lost("the process ended before the id of the generation was recorded")


async def recover(call: Call) -> list[Recovered]:
    """Finish, one after the other, what a journal knows to be unfinished. Each has the whole time to itself."""
    journal = call.kept
    entries = await call.io.on_disk(partial(journal.hold_unfinished, call))
    begun = [entry for entry in entries if isinstance(entry, Entry)]
    rivals: dict[int | str, Submission] = {
        entry.key: call.claims.resume(entry, journal, call.offered(entry.payload)) for entry in begun if not entry.id
    }
    try:
        return [await _recover(call, entry, rivals.get(entry.key)) for entry in entries]
    finally:
        for submission in rivals.values():
            call.claims.end(submission)


async def settle(call: Call, key: int | str, name: str | None) -> None:
    """Record which generation a submission became, or drop its record."""
    if name is not None and not is_id(name):
        raise ValueError(f"id: {name!r:.80} is no id of a generation")
    await call.io.on_disk(partial(call.kept.settle, key, name))
    if name is not None:
        call.claims.claim(name)


async def _recover(call: Call, entry: Entry | Recovered, submission: Submission | None) -> Recovered:
    if isinstance(entry, Recovered):
        return entry
    payload, generation, problem = entry.payload, None, None
    call.begin()
    try:
        begun = Generation(entry.id or "", "", {})
        if submission is not None:
            begun = await settled(call, submission, take_up(call, submission, entry))
        generation = await call.last(call.follow(begun, payload.endpoint.result))
    except SkillsVideoError as error:
        problem = error
        if entry.id and isinstance(error, NotFound):
            call.end(entry.id, Ending("NOT_FOUND"))  # asking again would tell the same
    return Recovered(payload.endpoint.model, payload.to_dict(), generation, problem, entry.own_key or entry.key)


async def take_up(call: Call, submission: Submission, entry: Entry) -> Generation:
    """Find what an earlier process made of a submission, or make it.

    It is made only where the platform is to know the post again, by the value that it had then, or where the caller
    asked for it.
    """
    payload, path = entry.payload, entry.payload.endpoint.create
    may_repeat = not payload.goes_as_form()  # which the journal does not keep
    if entry.idempotency is not None and may_repeat:
        path = entry.idempotency.path
    is_known = submission.idempotency_at(path) is not None and entry.age < KNOWN_FOR
    if submission.idempotency_at(path) is None:
        submission.idempotency = new_idempotency(submission, path)
    now = call.io.now()
    found = await find(call, submission, INTERRUPTED, sent_at=now, is_known=is_known, may_repeat=may_repeat)
    if found is not None:
        return found
    call.check(submission)
    await may_post(call)
    return await posted(call, submission, path)
