"""The next state of a generation: from its stream while that is open, then by polling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skills_video_runtime import errors

from .outcomes import Ended, Opened
from .pace import TICK
from .progress import Fallback, Retry
from .states import WORDS, Generation, Status, path_of

if TYPE_CHECKING:
    from .call import Call

LONGEST_WAIT = 60.0  # seconds between two looks at a generation, whatever `Retry-After` says: our choice
LAST_LOOK = 1.0  # seconds before the deadline that the last look is given, at most a quarter of all: our choice
HOLLOW_LOOKS = 3  # at a COMPLETED generation without data, before it is handed over as it is: our choice
GET_PATIENCE = 30.0  # seconds for one answer to a GET: our choice


async def next_streamed(call: Call, state: Generation) -> Generation | None:
    """Give the next new state of the open stream; None where there is none to come.

    Comments and states that are known are no news: a stream that has none for long is left, as one that is silent.
    Where the platform offers that, one that ends is taken up again, once for each new state.
    """
    quiet_until, is_untried = call.io.now() + call.silence, True
    while call.streaming:
        patience = min(call.patience_for_stream(), quiet_until - call.io.now())
        known = None if call.hooks else _known_word(state)  # hooks want to know whatever comes
        event = await call.next_event(patience, known)
        if isinstance(event, Ended):
            is_in_time = call.io.now() < quiet_until  # else it is polled, as one that says nothing
            is_open = is_untried and is_in_time and await _is_taken_up(call, state.id)
            if not is_open:
                _leave_stream(call, event.reason)
                return None
            is_untried, quiet_until = False, call.io.now() + call.silence
            call.report(Retry("stream", 0.0, event.reason))
            continue
        told = Generation.parse(event)
        if told is not None and told.id not in {"", state.id}:
            call.others[told.id] = call.io.now()
            continue
        if told is None or not told.status:
            continue
        state = Generation(state.id, told.status, told.raw)
        if state.is_finished and not is_whole(state):
            _leave_stream(call, "it told of no files")
            return None
        if await call.tell(state) or state.is_finished:
            return state
    return None


def _leave_stream(call: Call, reason: str) -> None:
    call.streaming = False
    call.report(Fallback("poll", reason))


async def _is_taken_up(call: Call, name: str) -> bool:
    """Open the stream of a generation again; False where that is not offered, or has failed."""
    if call.submission is None or call.submission.offered.resume is None:
        return False
    resume, patience = call.submission.offered.resume, call.patience(min(call.patience_for_stream(), GET_PATIENCE))
    path, after_last = path_of(resume.path, name), resume.takes_event_id
    opened = await call.io.send(resume.method, path, patience, call.silence, after_last=after_last)
    return isinstance(opened, Opened)


async def next_polled(call: Call, name: str, result: str) -> Generation:
    """Ask until there is a new state; all that is transient is outlasted, up to the deadline."""
    path, interval, failures, hollow = path_of(result, name), call.settings.poll_interval, 0, 0
    if call.polled:
        await _wait_to_look(call, name, interval, f"it was {errors.visible(call.polled)}")
    while True:
        outcome = await call.ask(path)
        state = call.state_in(outcome, name)
        if state is not None:
            failures, call.polled = 0, state.status
            is_hollow = state.status == Status.COMPLETED and state.raw.get("data") is None  # which it is until then
            if is_hollow and hollow < HOLLOW_LOOKS and interval < call.time_left():
                hollow += 1
            elif await call.tell(state) or state.is_finished:
                return state
            await _wait_to_look(call, name, interval, f"it was {errors.visible(state.status)}")
            continue
        delay, why = interval, "it was not there yet"
        if not call.is_doubted(outcome, name):
            if not outcome.is_transient:
                raise outcome.error(name)
            failures += 1
            delay = call.settings.retry.delay(failures, outcome.retry_after, call.random)
            why = outcome.error().what.rstrip(".")
        await _wait_to_look(call, name, delay, why)
        call.report(Retry("poll", delay, outcome.problem))


async def _wait_to_look(call: Call, name: str, delay: float, why: str) -> None:
    """Wait before the next look, or until the deadline, where there is no time for one.

    The last look comes shortly before the deadline, unless the platform is to be left alone for longer.
    """
    left = call.time_left()
    last = left - min(LAST_LOOK, call.timeout / 4)
    if last > TICK and delay == call.settings.poll_interval:
        delay = min(delay, last)
    delay = min(delay, LONGEST_WAIT)
    await call.io.sleep(max(min(delay, left), 0.0))
    if delay >= left:
        what = f"Generation {name} was not finished within {call.timeout:g} s. At the last look: {why}."
        raise errors.GenerationTimeout(what, generation_id=name)


def _known_word(state: Generation) -> object:
    """Give the `status` of a state if that alone told it, so that an event with the same one is no news."""
    word = state.raw.get("status")
    if isinstance(word, str) and WORDS.get(word.upper()) == state.status:
        return word
    return None


def is_whole(state: Generation) -> bool:
    """Whether a state ends a stream. A COMPLETED without files is asked for again by its id, if it has one."""
    return state.is_finished and (state.status != Status.COMPLETED or state.has_files)
