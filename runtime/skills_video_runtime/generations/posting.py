"""A submission, from its first post until the id of its generation is known, or given up."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from skills_video_runtime import errors
from skills_video_runtime.json_values import texts_in

from .meaning import is_result, meaning, of_repeat, told_by, told_id
from .outcomes import CLOSED, Answer, Ended, Lost, Opened, Post
from .progress import Fallback
from .states import Generation
from .uncertain import find

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .call import Call
    from .claims import Submission

MOST_WAITED = 0.5  # of the time that is left to a post, as it needs some to be answered: our choice


async def submitted(call: Call, submission: Submission, path: str) -> Generation:
    """Record that a payload is about to be posted, and post it."""
    call.check(submission)
    await may_post(call)
    if call.journal is not None:
        await call.io.on_disk(partial(call.claims.intend, submission, call.journal, call))
    return await posted(call, submission, path)


async def may_post(call: Call) -> None:
    """Wait for the turn of a post; BudgetExceeded if there are no credits for it by then."""
    await call.turn(call.paces.posts, MOST_WAITED)
    if call.budget is not None:
        call.budget.check()


async def settled(call: Call, submission: Submission, work: Coroutine[Any, Any, Generation]) -> Generation:
    """Await the generation of a submission. However that ends, the journal and the caller are told."""
    call.submission = submission
    try:
        generation = await work
        call.count(generation)
        if generation.id:
            call.claims.announce(generation.id, call.io.now())
        await _record_end(call, submission)
        if call.is_left:
            call.give_up()
    except errors.SkillsVideoError:
        await _record_end(call, submission)
        raise
    except BaseException as error:
        call.claims.end(submission)  # a thread may yet be about to record the intent
        submission.record_end()
        if isinstance(error, Exception) and submission.is_doubtful:
            what = f"{submission.outlook()} {type(error).__name__} came in between."
            raise errors.SubmissionUncertain(what) from error
        error.add_note(submission.outlook())
        raise
    else:
        return generation
    finally:
        call.claims.end(submission)


async def _record_end(call: Call, submission: Submission) -> None:
    """Tell the journal how a submission ended, at once where the call is cancelled, as it can wait no more."""
    try:
        await call.record(submission.record_end)
    except BaseException:
        submission.record_end()
        raise


async def posted(call: Call, submission: Submission, path: str) -> Generation:
    """Post until there is a generation; again only what certainly made none, or what the platform knows again."""
    create, attempt, was_refused = submission.payload.endpoint.create, 1, False
    while True:
        post = Post(path, submission.fields, submission.payload, submission.idempotency_at(path))
        sent_at = call.io.now()
        outcome = await _attempt(call, submission, post)
        if isinstance(outcome, Generation):
            _report_no_stream(call, post, "the answer was no stream")
            if was_refused:
                call.claims.without_stream.add(create)
            return outcome
        means = meaning(post, outcome)
        if means == "ambiguous":
            is_known = post.idempotency is not None
            found = await find(call, submission, outcome, sent_at=sent_at, is_known=is_known)
            if found is not None:
                _report_no_stream(call, post, outcome.problem)
                return found
        submission.refute()
        if submission.doubt is not None:
            outcome = of_repeat(submission.doubt, means, outcome)
        if means == "refused":
            submission.told = told_id(outcome)
            raise outcome.error(submission.told)
        if means == "no stream":
            call.report(Fallback("create", outcome.problem))
            path, was_refused = create, not submission.payload.endpoint.stream_is_described
            continue
        try:
            await call.pause("create", attempt, outcome)
            await may_post(call)
        except errors.SkillsVideoError as error:
            if submission.doubt is not None:
                raise submission.doubt from error
            if submission.was_lost:
                raise errors.SubmissionUncertain(error.what) from error
            raise
        attempt += 1


def _report_no_stream(call: Call, post: Post, reason: str) -> None:
    if post.is_stream and not call.streaming:
        call.report(Fallback("poll", reason))


async def _attempt(call: Call, submission: Submission, post: Post) -> Generation | Answer | Lost:
    """Post once, and give the generation if it told its id."""
    patience = call.patience(call.settings.stream_idle_timeout)
    call.silence = min(patience, call.patience(call.time_left() / 4))
    submission.post, submission.pending, call.has_posted = post, True, True
    sent_at = call.io.now()
    try:
        if call.is_left:  # asked once it is seen to be pending
            return CLOSED
        outcome = await call.io.post(post, patience, call.silence)
        call.note(call.paces.posts, sent_at, outcome)
        if isinstance(outcome, Answer):
            outcome = outcome._replace(sent=tuple(texts_in(submission.fields)))
        told: Generation | Answer | Lost
        if isinstance(outcome, Opened):
            told = await _first_event(call)
        else:
            told = told_by(outcome) or outcome
        if isinstance(told, Generation):  # taken before anything else can happen
            if call.claims.is_of_another_post(told.id, submission):
                call.streaming = False
                return Lost(f"generation {told.id} was told, which another post has made")
            submission.generation = told
            if told.id:
                call.claims.claim(told.id, submission)
    except Exception as error:  # the rule: what was begun may have made something
        if not post.begun:
            raise
        return Lost(type(error).__name__, cause=error)
    else:
        return told
    finally:
        submission.pending = False


async def _first_event(call: Call) -> Generation | Answer | Lost:
    """Read a stream up to the event that tells the id, or that nothing was made.

    An id that stands elsewhere in an event is told as one in an answer is: see `told_id`.
    """
    said, text = "", ""
    while True:
        event = await call.next_event(call.patience_for_stream())
        if isinstance(event, Ended):
            problem = f"the stream ended before it told an id ({event.reason}{said})"
            return Lost(problem, text=event.text or text, cause=event.cause)
        state = Generation.parse(event)
        if state is not None and (state.id or is_result(state)):
            call.streaming = True
            return state
        answer = Answer(200, event, json.dumps(event))
        if answer.refuses:
            return answer
        if not text and told_id(answer) is not None:
            text = answer.text
        if state is not None and (state.code or state.message):
            said = f"; it said {' '.join(filter(None, (state.code, state.message))).rstrip('.')}"
