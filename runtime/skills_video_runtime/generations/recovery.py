"""Taking up what an earlier process began: what a journal knows to be unfinished, record by record."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from skills_video_runtime.errors import NotFound, SkillsVideoError

from .outcomes import Lost, Recovered
from .states import Generation
from .uncertain import find

if TYPE_CHECKING:
    from .call import Call
    from .claims import Submission
    from .outcomes import Entry, Submittable

INTERRUPTED = Lost("the process ended before the id of the generation was recorded")


async def recover(call: Call) -> list[Recovered]:
    """Finish, one after the other, what a journal knows to be unfinished. Each has the whole time to itself."""
    journal = call.journal
    if journal is None:
        raise ValueError("recover() needs a journal: pass the path that was given as journal before")
    entries = await call.io.on_disk(partial(call.claims.unfinished, journal))
    rivals = {entry.key: call.claims.resume(entry, journal) for entry in entries if not entry.id}
    try:
        return [await _recover(call, entry, rivals.get(entry.key)) for entry in entries]
    finally:
        for submission in rivals.values():
            call.claims.end(submission)
        call.claims.release(journal, entries)


async def _recover(call: Call, entry: Entry, submission: Submission | None) -> Recovered:
    payload, generation, problem = entry.payload, None, None
    call.deadline = call.io.now() + call.timeout
    call.shown.clear()
    call.polled = ""
    try:
        begun = Generation(entry.id or "", "", {})
        if submission is not None:
            begun = await call.settled(submission, _take_up(call, submission, payload))
        async with aclosing(call.follow(begun, payload.endpoint.result)) as states:
            async for generation in states:
                call.report(generation)
    except SkillsVideoError as error:
        generation, problem = None, error
        if entry.id and isinstance(error, NotFound):
            call.ended.append(entry.id)  # asking again would tell the same
    return Recovered(payload.endpoint.model, payload.to_dict(), generation, problem)


async def _take_up(call: Call, submission: Submission, payload: Submittable) -> Generation:
    """Find what an earlier process made of a submission, or make it where that was asked for."""
    may_repeat = not payload.has_files()  # which the journal does not keep
    found = await find(call, submission, INTERRUPTED, sent_at=call.io.now(), may_repeat=may_repeat)
    return found or await call.post(submission, submission.place, None)
