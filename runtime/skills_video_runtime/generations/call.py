"""The life of one generation as a state machine without I/O.

A machine is a generator: it yields the step to take next and is sent the time and what happened. It knows no sockets,
no clock and no threads; `Client` and `AsyncClient` drive the same machines, and so do the tests.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import count
from random import random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from skills_video_runtime.errors import (
    APIError,
    ConnectionFailed,
    GenerationFailed,
    GenerationTimeout,
    SkillsVideoError,
    SubmissionUncertain,
    visible,
)

from .outcomes import (
    Answer,
    Emit,
    Ended,
    Get,
    Lost,
    Next,
    Opened,
    Post,
    Record,
    Recovered,
    Sleep,
    check_seconds,
)
from .states import Generation, Status, Usage, as_object, is_id, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .claims import Ledger, Submission
    from .journal import Journal
    from .outcomes import Entry, Settings, Step, Steps, Submittable

RESULT = "/generation/{id}"
GET_PATIENCE = 30.0  # seconds for one answer to a GET: our choice
UNBELIEVED = 30.0  # seconds for which a 404 of a generation that was just made is not believed: our choice
PROMPT = 10.0  # seconds within which no video is finished, so that the running list must show it: our assumption
MAX_GAP = 3.0  # seconds between two looks at the running list, unless they fail: our choice
LIST_LIMIT = 100  # the most that the running list gives, by the platform's API reference
TOLD = re.compile(r'"(?:generation_?)?id"\s*:\s*"([^"\\]+)"', re.IGNORECASE)
NO_STREAM = frozenset({404, 405, 501})
INTERRUPTED = Lost(sent=True, reason="the process ended before the id of the generation was recorded")


class Life:
    """The machines of one call, which has until `timeout` seconds after `now`."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        now: float,
        *,
        timeout: float | None = None,
        journal: Journal | None = None,
        random: Callable[[], float] = random,
    ) -> None:
        self.settings, self.ledger, self.journal, self.random = settings, ledger, journal, random
        self.now, self.timeout = now, settings.timeout
        if timeout is not None:
            self.timeout = check_seconds("timeout", timeout)
        self.deadline = now + self.timeout
        self.silence = 0.0
        self.emitted: set[str] = set()

    def generate(self, payload: Submittable) -> Steps[Generation]:
        """Post a payload and follow its generation to the end."""
        generation = yield from self.submit(payload, stream=True)
        while not generation.is_finished:
            yield from self._emit(generation)
            event = yield from self._ask(Next(self._left_for_stream(), generation.raw.get("status")))
            if isinstance(event, Ended):
                break
            state = Generation.parse(event)
            if state is not None and state.status and state.id in ("", generation.id):
                generation = Generation(generation.id, state.status, state.raw)
        return (yield from self._follow(generation, payload))

    def submit(self, payload: Submittable, *, stream: bool = False, key: int | None = None) -> Steps[Generation]:
        """Post a payload until the id of its generation is known; a stream is then still open.

        `key` is that of the record of an earlier process, which may have posted it already.
        """
        if isinstance(payload, type) or not hasattr(payload, "endpoint"):
            raise TypeError(f"{payload!r:.80} is no payload: construct one, or build it from plain data with parse()")
        journal, earlier, fields = self.journal, key is not None, payload.to_dict()
        form = payload if payload.has_files() else None
        if form and not earlier:
            form.to_multipart()  # what a form cannot say is refused before anything is recorded or sent
        submission = self.ledger.begin(payload.endpoint.create, fields)
        found: Generation | None = None
        try:
            if earlier:
                submission.turn, submission.doubtful = 0, True
                found = yield from self._reconcile(submission, INTERRUPTED, self.now, repeat=not form)
            elif journal:
                key = yield from self._ask(Record(lambda: self.ledger.intend(submission, journal, payload)))
            if found is None:
                path = payload.endpoint.stream if stream and not form else None
                post = Post(path or payload.endpoint.create, fields, form, again=False, patience=0, silence=0)
                found = yield from self._post(post, payload.endpoint.create, submission)
            self.ledger.tell(found.id, self.now)
            if journal:
                yield from self._ask(Record(partial(journal.submitted, key, found.id)))
        except (APIError, ConnectionFailed):
            if journal:
                yield from self._ask(Record(lambda: journal.refused(key)))
            raise
        except GeneratorExit:
            if journal and found:
                journal.submitted(key, found.id)  # the call was given up before it could be recorded
            raise
        else:
            return found
        finally:
            self.ledger.end(submission)

    def wait(self, name: str, result: str = RESULT) -> Steps[Generation]:
        """Poll a generation to the end. Only a finished state, a refusal, or the deadline ends it."""
        path, failures = _at(result, name), 0
        self.ledger.claim(name)
        while True:
            outcome: Answer | Lost = yield from self._ask(Get(path, (), self._patience(GET_PATIENCE)))
            why, delay = "it was not there yet", self.settings.poll_interval
            state = self._state(outcome, name)
            if state is not None:
                if state.is_finished:
                    return (yield from self._finish(state))
                yield from self._emit(state)
                failures, why = 0, f"it was {visible(state.status)}"
            elif not self._is_doubted(outcome, name):
                if not outcome.is_transient:
                    raise outcome.error(name)
                failures += 1
                why = outcome.error().what.rstrip(".")
                delay = self.settings.retry.delay(failures, outcome.retry_after, self.random)
            left = self.deadline - self.now
            if delay >= left:
                if outcome.retry_after is None:
                    yield from self._ask(Sleep(max(left, 0.0)))
                what = f"Generation {name} was not finished within {self.timeout:g} s. At the last look: {why}."
                raise GenerationTimeout(what, generation_id=name)
            yield from self._ask(Sleep(delay))

    def get(self, name: str) -> Steps[Generation]:
        """Ask once for the state of a generation, finished or not."""
        answer = yield from self._fetch(_at(RESULT, name), (), name)
        state = self._state(answer, name)
        if state is None:
            raise answer.error(name)
        return state

    def running(self, limit: int, workspace: str | None) -> Steps[list[Generation]]:
        """Ask which generations are queued or running."""
        if type(limit) is not int or not 1 <= limit <= LIST_LIMIT:
            raise ValueError(f"limit is from 1 to {LIST_LIMIT}, not {limit!r}")
        query = (("limit", str(limit)), *((("workspace", workspace),) if workspace is not None else ()))
        answer = yield from self._fetch("/generations/running", query)
        found = _running(answer)
        if found is None:
            raise answer.error()
        found = [state for state in found if state.id]
        self.ledger.see(found)
        return found

    def credits(self) -> Steps[Usage]:
        """Ask for the balance."""
        answer = yield from self._fetch("/credits", ())
        if not as_object(answer.body):
            raise answer.error()
        return Usage.parse(answer.body)

    def recover(self) -> Steps[list[Recovered]]:
        """Finish, one after the other, what a journal knows to be unfinished."""
        journal = self.journal
        if journal is None:
            raise ValueError("recover() needs a journal: pass the path that was given as journal before")
        entries: list[Entry] = yield from self._ask(Record(lambda: self.ledger.unfinished(journal)))
        results: list[Recovered] = []
        try:
            for entry in entries:
                self.deadline = self.now + self.timeout
                self.emitted.clear()
                payload, generation, problem = entry.payload, None, None
                try:
                    known = Generation(entry.id or "", "", {})
                    begun = known if known.id else (yield from self.submit(payload, key=entry.key))
                    generation = yield from self._follow(begun, payload)
                except SkillsVideoError as error:
                    problem = error
                results.append(Recovered(payload.endpoint.model, payload.to_dict(), generation, problem))
        finally:
            self.ledger.release(journal, entries)
        return results

    def _follow(self, generation: Generation, payload: Submittable) -> Steps[Generation]:
        """See a generation to its end whose stream is over."""
        if _is_whole(generation):
            return (yield from self._finish(generation))
        self.ledger.tell(generation.id, self.now)
        return (yield from self.wait(generation.id, payload.endpoint.result))

    def _post(self, post: Post, create: str, submission: Submission) -> Steps[Generation]:
        """Post until there is a generation; what has been sent before is repeated only if it certainly made none."""
        attempt = 1
        while True:
            patience, sent_at = self._patience(self.settings.stream_idle_timeout), self.now
            self.silence = min(patience, self._patience((self.deadline - self.now) / 4))
            post = post._replace(patience=patience, silence=self.silence)
            outcome = yield from self._attempt(post, submission)
            if isinstance(outcome, Generation):
                return outcome
            status, sent = outcome.status, isinstance(outcome, Answer) or outcome.sent
            post, told = post._replace(again=post.again or sent), _told(outcome)
            if post.path != create and status in NO_STREAM and not told:
                post = post._replace(path=create)
                continue
            if 300 <= status < 500 and status not in {408, 429}:
                raise outcome.error(told)
            if sent and (status != 429 or told):
                code = outcome.error().code or ""
                repeat = not told and (status == 0 or (status >= 500 and not code.endswith(("_FAILED", "_TIMEOUT"))))
                found = yield from self._reconcile(submission, outcome, sent_at, repeat=repeat, told=told)
                if found is not None:
                    return found
            submission.doubtful = False
            try:
                yield from self._pause(attempt, outcome)
            except ConnectionFailed as error:
                if sent:
                    raise SubmissionUncertain(error.what) from None
                raise
            attempt += 1

    def _attempt(self, post: Post, submission: Submission) -> Steps[Generation | Answer | Lost]:
        """Post once, and give the generation if it told its id."""
        submission.doubtful = submission.pending = True
        try:
            outcome: Answer | Lost | Opened = yield from self._ask(post)
            found = (yield from self._first_event()) if isinstance(outcome, Opened) else outcome
            if isinstance(found, Answer) and found.is_transient:
                state = Generation.parse(found.body)
                if state is not None and ((state.id and (found.ok or state.status)) or (found.ok and _is_whole(state))):
                    found = state
            if isinstance(found, Generation) and found.id:
                self.ledger.claim(found.id, submission)
            return found
        finally:
            submission.pending = False

    def _first_event(self) -> Steps[Generation | Lost]:
        """Read a stream up to the event that tells the id."""
        said = ""
        while True:
            event = yield from self._ask(Next(self._left_for_stream()))
            if isinstance(event, Ended):
                reason = f"the stream ended before it told an id ({event.reason}{said})"
                return Lost(sent=True, reason=reason, text=event.text)
            state = Generation.parse(event)
            if state is not None and (state.id or _is_whole(state)):
                return state
            if state is not None and (state.code or state.message):
                said = f"; it said {state.code or ''} {state.message or ''}"

    def _reconcile(  # noqa: C901  # one case for each thing that a list can tell
        self, submission: Submission, outcome: Answer | Lost, sent_at: float, *, repeat: bool, told: str | None = None
    ) -> Steps[Generation | None]:
        """Look for the generation that an ambiguous post may have made; None: it made none, and may be repeated.

        After a lost connection it is repeated only if the caller asked for that; after a 5xx only if both looks came so
        soon that the generation would still have been running. `told` is an id that the answer held, of whatever it be.
        """
        empty, why = 0, "the running list could not be read"
        possible: dict[str, None] = {told: None} if told else {}
        query = (("limit", str(LIST_LIMIT)),)
        for attempt in range(1, max(self.settings.retry.attempts, 2) + 1):
            if self.now >= self.deadline:
                break
            answer: Answer | Lost = yield from self._ask(
                Get("/generations/running", query, self._patience(GET_PATIENCE))
            )
            running = _running(answer)
            if running is not None:
                verdict = self.ledger.judge(submission, running)
                if verdict.adopted is not None:
                    return verdict.adopted
                possible.update(dict.fromkeys(verdict.candidates))
                if len(running) >= LIST_LIMIT:
                    repeat, why = False, "the running list is longer than the platform shows"
                elif any(not item.id for item in running):
                    repeat, why = False, "the running list holds what cannot be read"
                elif not verdict.candidates:
                    empty, why = empty + 1, "the running list does not show it"
                if verdict.candidates:
                    why = "the running list does not tell which one it is"
                if empty == 2 or (verdict.candidates and verdict.settled):
                    break
            elif not answer.is_transient:
                why = f"the running list was refused ({answer.error().what})"
                break
            delay = self.settings.retry.delay(attempt, answer.retry_after, self.random)
            delay = max(delay, min(self.settings.poll_interval, MAX_GAP))
            if self.now + delay >= self.deadline:
                break
            yield from self._ask(Sleep(delay))
        candidates = self.ledger.unclaimed(possible)
        asked = self.settings.on_lost_submission == "resubmit"
        soon = asked if isinstance(outcome, Lost) else self.now - sent_at <= PROMPT
        if empty == 2 and repeat and soon and not candidates:
            return None
        error = outcome.error()
        what = f"It is not known whether a generation was made: {why}. {error.what}"
        raise SubmissionUncertain(what, candidates=candidates, code=error.code, status=error.status)

    def _finish(self, generation: Generation) -> Steps[Generation]:
        yield from self._emit(generation)
        journal = self.journal
        if journal:
            yield from self._ask(Record(lambda: journal.finished(generation.id)))
        if generation.status != Status.COMPLETED:
            raise GenerationFailed(generation)
        return generation

    def _emit(self, generation: Generation) -> Steps[None]:
        if generation.status not in self.emitted:
            self.emitted.add(generation.status)
            yield from self._ask(Emit(generation))

    def _fetch(self, path: str, query: tuple[tuple[str, str], ...], name: str | None = None) -> Steps[Answer]:
        """Ask until there is an answer that can be used: asking twice costs nothing."""
        for attempt in count(1):
            outcome: Answer | Lost = yield from self._ask(Get(path, query, self._patience(GET_PATIENCE)))
            if isinstance(outcome, Answer) and outcome.ok and outcome.body is not None:
                return outcome
            if self._is_doubted(outcome, name) and self.now + self.settings.poll_interval < self.deadline:
                yield from self._ask(Sleep(self.settings.poll_interval))
                continue
            if not outcome.is_transient:
                raise outcome.error(name)
            yield from self._pause(attempt, outcome, name)
        raise AssertionError  # count() does not end

    def _pause(self, attempt: int, outcome: Answer | Lost, name: str | None = None) -> Steps[None]:
        """Wait before the next try, or raise what happened if there is none left."""
        error = outcome.error(name)
        delay = self.settings.retry.delay(attempt, outcome.retry_after, self.random)
        hopeless = not (error.retryable and outcome.is_transient) or attempt >= self.settings.retry.attempts
        if hopeless or self.now + delay >= self.deadline:
            raise error
        yield from self._ask(Sleep(delay))

    def _state(self, outcome: Answer | Lost, name: str) -> Generation | None:
        """Read what is told of a generation, None if it is nothing."""
        state = Generation.parse(outcome.body) if outcome.ok else None
        if state is None or not state.status:
            return None
        self.ledger.tell(name, self.now)
        return Generation(name, state.status, state.raw)

    def _is_doubted(self, outcome: Answer | Lost, name: str | None) -> bool:
        """Whether a generation that was just told of is said not to be there."""
        return outcome.status == 404 and self.ledger.since(name, self.now) < UNBELIEVED

    def _patience(self, most: float) -> float:
        return max(min(most, self.deadline - self.now), 0.001)

    def _left_for_stream(self) -> float:
        """Leave time to poll before the deadline."""
        return max(self.deadline - min(self.silence, GET_PATIENCE) - self.now, 0.001)

    def _ask(self, step: Step) -> Generator[Step, tuple[float, Any], Any]:
        self.now, outcome = yield step
        return outcome


def _at(result: str, name: str) -> str:
    """Give the path of a generation; no id is empty, too long, made of dots, or holds control characters."""
    if not is_id(name):
        raise ValueError(f"{name!r:.80} is no id of a generation")
    return result.replace("{id}", quote(name, safe=""))


def _is_whole(generation: Generation) -> bool:
    """Whether a state ends a stream. A COMPLETED without files is asked for again by its id, if it has one."""
    return generation.is_finished and (generation.status != Status.COMPLETED or generation.has_files)


def _running(outcome: Answer | Lost) -> list[Generation] | None:
    items = listed(outcome.body) if outcome.ok else None
    return None if items is None else [Generation.parse(item) or Generation("", "", {}) for item in items]


def _told(outcome: Answer | Lost) -> str | None:
    """Give the id that an answer holds, be it an error, or a success that broke off or has another shape."""
    state = Generation.parse(outcome.body)
    if state is not None and state.id:
        return state.id
    found = TOLD.search(outcome.text) if outcome.ok or isinstance(outcome, Lost) else None
    return found[1] if found and is_id(found[1]) else None
