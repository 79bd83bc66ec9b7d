"""The life of one generation: plain coroutines over an `IO`, without sockets, clocks or threads.

    payload ──▶ post ─┬─ a stream ─────────▶ events ─┬─ finished ────────────────▶ handed over
                 ▲    │                         ▲    └─ broken, silent, early end ─┐   ▲
                 │    │                         └─ taken up again, if described ───┤   │
                 │    ├─ an answer with an id ────────────────────────────────────▶ poll ┘
                 │    ├─ 4xx ─────────────▶ raised, and never posted again          ▲
                 ├────┼─ nothing was sent, or 429 (bounded, 1, 2, 4 … 16 s)         │
                 ├────┼─ no such stream ──▶ the create endpoint                     │
                 │    └─ anything else ───▶ look at the running list ─┬─ it is ours ┘
                 └─────────────────────────── certainly none was made ┤
                                                                      └─▶ SubmissionUncertain

One fact decides what a fault means: whether the head of the post was begun (`Post.begun`). Before, nothing was sent.
From then on a generation may have been made, whatever happens, and only an answer or the running list can tell.

`Client` and `AsyncClient` run the same coroutines; over the IO of the synchronous one they never suspend.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from random import random
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

from skills_video_runtime import errors
from skills_video_runtime.capabilities import LIST_LIMIT, Capabilities
from skills_video_runtime.catalog import capabilities_for
from skills_video_runtime.json_values import as_object, texts_in

from .claims import Claims, Submission, new_idempotency
from .meaning import is_result, meaning, of_repeat, told_by, told_id
from .outcomes import CLOSED, IO, Answer, Ended, Ending, Lost, Opened, Post, Settings, Submittable, check_seconds
from .pace import TICK, Pace, Paces
from .progress import Event, Fallback, Retry
from .states import WORDS, Generation, Status, Usage, belonging_to, is_id
from .uncertain import PATH, find, find_instead, is_known_again, parse_running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from skills_video_runtime.budget import Budget
    from skills_video_runtime.http.key import Key

    from .journal import Journal
    from .progress import Hook, Report

RESULT = "/generation/{id}"
LONGEST_WAIT = 60.0  # seconds between two looks at a generation, whatever `Retry-After` says: our choice
LAST_LOOK = 1.0  # seconds before the deadline that the last look is given, at most a quarter of all: our choice
HOLLOW_LOOKS = 3  # at a COMPLETED generation without data, before it is handed over as it is: our choice
GET_PATIENCE = 30.0  # seconds for one answer to a GET: our choice
UNBELIEVED = 30.0  # seconds for which a 404 of a generation that was just made is not believed: our choice


class Call:
    """One call of a client, which has `timeout` seconds from now. What it learns on its way it tells its hooks."""

    give_up: Callable[[], None]
    """Ends what the call waits for, from another thread; it begins nothing more."""

    def __init__(  # noqa: PLR0913  # what it shares with other calls, and what it does not
        self,
        io: IO,
        settings: Settings,
        claims: Claims,
        *,
        timeout: float | None = None,
        journal: Journal | None = None,
        hooks: Sequence[Hook] = (),
        files: Any = None,
        paces: Paces | None = None,
        budget: Budget | None = None,
        key: Key | None = None,
        offered: Callable[[object], Capabilities] = capabilities_for,
        random: Callable[[], float] = random,
    ) -> None:
        self.io, self.settings, self.claims, self.journal, self.random = io, settings, claims, journal, random
        self.key, self.files, self.hooks, self.paces = key, files, hooks, paces or Paces.of(settings.retry)
        self.budget, self.offered, self.timeout = budget, offered, settings.timeout
        self.is_left = False
        if timeout is not None:
            self.timeout = check_seconds("timeout", timeout)
        self.submission: Submission | None = None
        self.new_key: str | None = None
        """The caller's key for it, where it is certain that nothing is recorded under that."""
        self.others: dict[str, None] = {}
        """Ids that the stream has told beside that of its generation."""
        self.ended: dict[str, Ending] = {}
        """Ids of generations that are over and how they ended, for the journal, once the caller has been told."""
        self.records: list[tuple[Journal, int | str]] = []
        """What of a journal is held until the end of the call."""
        self.begin()

    def begin(self) -> None:
        """Begin with a generation of which nothing is known yet, and which has the whole time."""
        self.deadline = self.io.now() + self.timeout
        self.has_posted = False
        self.streaming, self.silence = False, 0.0
        self.shown: set[str] = set()
        self.polled = ""

    @property
    def kept(self) -> Journal:
        """The journal, which is needed."""
        if self.journal is None:
            raise ValueError("this needs a journal: pass the path that was given as journal before")
        return self.journal

    async def generate(self, payload: Submittable, own_key: str | None = None) -> AsyncGenerator[Generation, None]:
        """Post a payload, or follow what was begun under a key, and give each state once; the last one is finished."""
        state, result = await self.submit(payload, stream=True, own_key=own_key), payload.endpoint.result
        try:
            async with aclosing(self.follow(state, result)) as states:
                async for new in states:
                    yield new
        except errors.NotFound:
            if self.polled or not self.has_posted:  # it was there once
                raise
        else:
            return
        state = await self._submitted_instead(state.id)
        async with aclosing(self.follow(state, result)) as states:
            async for new in states:
                yield new

    def wait(self, name: str) -> AsyncGenerator[Generation, None]:
        """Follow a generation of which only its id is known."""
        return self.follow(Generation(name, "", {}))

    async def follow(self, state: Generation, result: str = RESULT) -> AsyncGenerator[Generation, None]:
        """Give each state of a generation once, from its stream while that is open, then by polling.

        Only a finished state ends it, which raises GenerationFailed where it is not COMPLETED; or a refusal of the
        platform to tell, an APIError; or the deadline, a GenerationTimeout.
        """
        name, is_last = state.id, _is_whole(state)
        self.claims.claim(name)
        try:
            is_told = is_last or (state.status != "" and not state.is_finished)
            if is_told:
                await self.tell(state)
            while not is_last:
                if is_told:
                    yield state
                state = await self._next_streamed(state) or await self._next_polled(name, result)
                self._count(state)
                is_last, is_told = state.is_finished, True
            yield state
            self.end(name, Ending(state.status, state.usage.total))
            if state.status != Status.COMPLETED:
                raise errors.GenerationFailed(state)  # noqa: TRY301  # to the caller, as all that is ours
        except errors.SkillsVideoError:
            raise
        except BaseException as error:
            error.add_note(_goes_on(name))
            raise

    @staticmethod
    async def last(states: AsyncGenerator[Generation, None]) -> Generation:
        """Give the last state."""
        async with aclosing(states):
            return [state async for state in states][-1]

    def _count(self, state: Generation) -> None:
        """Take note of what a generation that this client posted has cost so far."""
        if self.budget is not None and (self.has_posted or self.budget.knows(state.id)):
            self.budget.count(state.id or self, state.usage.total)

    async def submit(self, payload: Submittable, *, stream: bool = False, own_key: str | None = None) -> Generation:
        """Post a payload until the id of its generation is known; with `stream`, the stream may then be open.

        Of what the journal knows under a key of the caller's own the id is all that is given.

        Raises:
            SubmissionUncertain: a generation may have been made.
            APIError, ConnectionFailed, JournalUnavailable: none was made, unless the error has an id.
        """
        if isinstance(payload, type) or not hasattr(payload, "endpoint"):
            raise TypeError(
                f"{payload!r:.80} is no payload: construct one of a model's module, build it from plain data by "
                "kling_v2_6.parse({…}), or name the model: generate('kling-ai/kling-v2.6', {…})"
            )
        path = payload.endpoint.create
        if payload.goes_as_form():
            payload.to_multipart()  # what a form cannot say is refused before anything is recorded or sent
        elif stream and payload.endpoint.stream is not None and path not in self.claims.without_stream:
            path = payload.endpoint.stream
        if own_key is not None:
            from .keyed import begun_before  # noqa: PLC0415  # for who has keys

            before = await begun_before(self, payload, own_key)
            if before is not None:
                return before
        if self.budget is not None:
            self.budget.check()
        submission = self.claims.begin(payload, self.offered(payload))
        submission.own_key = own_key or self.new_key
        submission.idempotency = new_idempotency(submission, path)
        return await self.settled(submission, self._submit(submission, path))

    async def _submitted_instead(self, told: str) -> Generation:
        """Find the generation of a post that told an id by which no look has found one."""
        submission = cast("Submission", self.submission)
        submission.generation = None
        self.claims.reopen(submission)
        return await self.settled(submission, find_instead(self, submission, told, self.others))

    async def get(self, name: str) -> Generation:
        """Ask once for the state of a generation, finished or not."""
        answer = await self._fetch(path_of(RESULT, name), (), name)
        state = self.state_in(answer, name)
        if state is None:
            raise answer.error(name)
        return belonging_to(self.files, state)

    async def running(self, limit: int, workspace: str | None) -> list[Generation]:
        """Ask which generations are queued or running."""
        given = self.offered(None).running_limit
        most = max(given, LIST_LIMIT)
        if type(limit) is not int or not 1 <= limit <= most:
            raise ValueError(f"limit is from 1 to {most}, not {limit!r}")
        query = [("limit", str(min(limit, given)))]
        if workspace is not None:
            if not is_id(workspace):
                raise ValueError(f"{workspace!r:.80} is no id of a workspace")
            query.append(("workspace", workspace))
        answer = await self._fetch(PATH, tuple(query))
        found = parse_running(answer)
        if found is None:
            raise answer.error()
        found = [belonging_to(self.files, state) for state in found if state.id]
        self.claims.remember(found)
        return found

    async def credits(self) -> Usage:
        """Ask for the balance."""
        answer = await self._fetch("/credits", ())
        if not as_object(answer.body):
            raise answer.error()
        return Usage.parse(answer.body)

    def end(self, name: str, ending: Ending) -> None:
        """Take note that a generation is over."""
        self.ended[name] = ending
        self.claims.end_of(name)

    async def record_ended(self) -> None:
        """Tell the journal of what is over, and was given to the caller."""
        if self.journal is None or not self.ended:
            return
        ended = dict(self.ended)
        try:
            await self._record(partial(self.journal.finished, ended))
        except BaseException:
            ended.clear()  # which a thread may yet be about to record
            self.journal.not_given(self.ended)
            raise

    def note_ended(self, error: BaseException) -> None:
        """Say what is over and may not be in the hands of the caller."""
        if self.ended:
            error.add_note(f"Over: {', '.join(self.ended)}. client.get(id) gives the last state again.")

    def leave(self) -> None:
        """Post no more, and give the call up, from another thread: at once, or when what was posted has its id."""
        self.is_left = True
        if self.submission is None or not (self.submission.pending or self.submission.is_doubtful):
            self.give_up()

    def release(self) -> None:
        """Let go of what is held of a journal."""
        self.claims.release(self.records)

    async def ask(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> Answer | Lost:
        """Ask once, in one's turn."""
        await self._turn(self.paces.looks)
        asked_at = self.io.now()
        answer = await self.io.get(path, query, self._patience(GET_PATIENCE))
        self._note(self.paces.looks, asked_at, answer)
        return answer

    def time_left(self) -> float:
        """Give the seconds until the deadline."""
        return self.deadline - self.io.now()

    def check(self, submission: Submission) -> None:
        """Refuse a payload that must not be sent, by PayloadError, before it is recorded or posted."""
        if self.key is not None:
            self.key.refuse_in(submission.payload.endpoint.model, submission.fields)

    async def _submit(self, submission: Submission, path: str) -> Generation:
        self.check(submission)
        if self.journal is not None:
            try:
                await self.io.on_disk(partial(self.claims.intend, submission, self.journal))
            finally:
                self.records += filter(None, [submission.record])
        return await self.post(submission, path)

    async def settled(self, submission: Submission, work: Coroutine[Any, Any, Generation]) -> Generation:
        """Await the generation of a submission. However that ends, the journal and the caller are told."""
        self.submission = submission
        try:
            generation = await work
            self._count(generation)
            if generation.id:
                self.claims.announce(generation.id, self.io.now())
            await self._record_end(submission)
            if self.is_left:
                self.give_up()
        except errors.SkillsVideoError:
            await self._record_end(submission)
            raise
        except BaseException as error:
            self.claims.end(submission)  # a thread may yet be about to record the intent
            submission.record_end()
            if isinstance(error, Exception) and submission.is_doubtful:
                what = f"{submission.outlook()} {type(error).__name__} came in between."
                raise errors.SubmissionUncertain(what) from error
            error.add_note(submission.outlook())
            raise
        else:
            return generation
        finally:
            self.claims.end(submission)

    async def _record_end(self, submission: Submission) -> None:
        """Tell the journal how a submission ended, at once where the call is cancelled, as it can wait no more."""
        try:
            await self._record(submission.record_end)
        except BaseException:
            submission.record_end()
            raise

    async def _record(self, work: Callable[[], None]) -> None:
        """Write to the journal, in the event loop if there is no thread to be had: the generation is worth more."""
        if self.journal is None:
            return
        try:
            await self.io.on_disk(work)
        except Exception:  # noqa: BLE001
            work()

    async def post(self, submission: Submission, path: str) -> Generation:
        """Post until there is a generation; again only what certainly made none, or what the platform knows again."""
        create, attempt, was_refused = submission.payload.endpoint.create, 1, False
        while True:
            post = Post(path, submission.fields, submission.payload, submission.idempotency_at(path))
            sent_at = self.io.now()
            outcome = await self._attempt(submission, post)
            if isinstance(outcome, Generation):
                self._report_no_stream(post, "the answer was no stream")
                if was_refused:
                    self.claims.without_stream.add(create)
                return outcome
            means = meaning(post, outcome)
            if means == "ambiguous":
                found = await self._found(submission, post, outcome, sent_at)
                if found is not None:
                    self._report_no_stream(post, outcome.problem)
                    return found
            submission.refute()
            if submission.doubt is not None:
                outcome = of_repeat(submission.doubt, means, outcome)
            if means == "refused":
                submission.told = told_id(outcome)
                raise outcome.error(submission.told)
            if means == "no stream":
                self.report(Fallback("create", outcome.problem))
                path, was_refused = create, not submission.payload.endpoint.stream_is_described
                continue
            try:
                await self.pause("create", attempt, outcome)
            except errors.SkillsVideoError as error:
                if submission.doubt is not None:
                    raise submission.doubt from error
                if submission.was_lost:
                    raise errors.SubmissionUncertain(error.what) from error
                raise
            attempt += 1

    async def _found(
        self, submission: Submission, post: Post, outcome: Answer | Lost, sent_at: float
    ) -> Generation | None:
        """Look for what an ambiguous post has made; None where it may be repeated."""
        try:
            found = await find(self, submission, outcome, sent_at=sent_at)
        except errors.SubmissionUncertain as error:
            if not is_known_again(post, outcome):
                raise
            submission.doubt = error
            return None
        submission.was_lost = submission.was_lost or (found is None and isinstance(outcome, Lost))
        return found

    async def _attempt(self, submission: Submission, post: Post) -> Generation | Answer | Lost:
        """Post once, and give the generation if it told its id."""
        patience = self._patience(self.settings.stream_idle_timeout)
        self.silence = min(patience, self._patience(self.time_left() / 4))
        submission.post, submission.pending, self.has_posted = post, True, True
        sent_at = self.io.now()
        try:
            if self.is_left:  # asked once it is seen to be pending
                return CLOSED
            outcome = await self.io.post(post, patience, self.silence)
            self._note(self.paces.posts, sent_at, outcome)
            if isinstance(outcome, Answer):
                outcome = outcome._replace(sent=tuple(texts_in(submission.fields)))
            told: Generation | Answer | Lost
            if isinstance(outcome, Opened):
                told = await self._first_event()
            else:
                told = told_by(outcome) or outcome
            if isinstance(told, Generation):  # taken before anything else can happen
                if self.claims.is_of_another_post(told.id, submission):
                    self.streaming = False
                    return Lost(f"generation {told.id} was told, which another post has made")
                submission.generation = told
                if told.id:
                    self.claims.claim(told.id, submission)
        except Exception as error:  # the rule: what was begun may have made something
            if not post.begun:
                raise
            return Lost(type(error).__name__, cause=error)
        else:
            return told
        finally:
            submission.pending = False

    async def _first_event(self) -> Generation | Answer | Lost:
        """Read a stream up to the event that tells the id, or that nothing was made.

        An id that stands elsewhere in an event is told as one in an answer is: see `told_id`.
        """
        said, text = "", ""
        while True:
            event = await self.io.next_event(self._patience_for_stream())
            if isinstance(event, Ended):
                problem = f"the stream ended before it told an id ({event.reason}{said})"
                return Lost(problem, text=event.text or text, cause=event.cause)
            state = Generation.parse(event)
            if state is not None and (state.id or is_result(state)):
                self.streaming = True
                return state
            answer = Answer(200, event, json.dumps(event))
            if answer.refuses:
                return answer
            if not text and told_id(answer) is not None:
                text = answer.text
            if state is not None and (state.code or state.message):
                said = f"; it said {' '.join(filter(None, (state.code, state.message))).rstrip('.')}"

    async def _next_streamed(self, state: Generation) -> Generation | None:
        """Give the next new state of the open stream; None where there is none to come.

        Comments and states that are known are no news: a stream that has none for long is left, as one that is silent.
        Where the platform offers that, one that ends is taken up again, once for each new state.
        """
        quiet_until, is_untried = self.io.now() + self.silence, True
        while self.streaming:
            patience = min(self._patience_for_stream(), quiet_until - self.io.now())
            known = None if self.hooks else _known_word(state)  # hooks want to know whatever comes
            event = await self.io.next_event(max(patience, 0.001), known)
            if isinstance(event, Ended):
                is_in_time = self.io.now() < quiet_until  # else it is polled, as one that says nothing
                is_open = is_untried and is_in_time and await self._is_taken_up(state.id)
                if not is_open:
                    self._leave_stream(event.reason)
                    return None
                is_untried, quiet_until = False, self.io.now() + self.silence
                self.report(Retry("stream", 0.0, event.reason))
                continue
            told = Generation.parse(event)
            if told is not None and told.id not in {"", state.id}:
                self.others[told.id] = None
                continue
            if told is None or not told.status:
                continue
            state = Generation(state.id, told.status, told.raw)
            if state.is_finished and not _is_whole(state):
                self._leave_stream("it told of no files")
                return None
            if await self.tell(state) or state.is_finished:
                return state
        return None

    async def _is_taken_up(self, name: str) -> bool:
        """Open the stream of a generation again; False where that is not offered, or has failed."""
        if self.submission is None or self.submission.offered.resume is None:
            return False
        resume, patience = self.submission.offered.resume, min(self._patience_for_stream(), GET_PATIENCE)
        path, after_last = path_of(resume.path, name), resume.takes_event_id
        opened = await self.io.send(resume.method, path, patience, self.silence, after_last=after_last)
        return isinstance(opened, Opened)

    def _report_no_stream(self, post: Post, reason: str) -> None:
        if post.is_stream and not self.streaming:
            self.report(Fallback("poll", reason))

    def _leave_stream(self, reason: str) -> None:
        self.streaming = False
        self.report(Fallback("poll", reason))

    async def _next_polled(self, name: str, result: str) -> Generation:
        """Ask until there is a new state; all that is transient is outlasted, up to the deadline."""
        path, failures, hollow = path_of(result, name), 0, 0
        if self.polled:
            await self._wait_to_look(name, self.settings.poll_interval, f"it was {errors.visible(self.polled)}")
        while True:
            outcome = await self.ask(path)
            state = self.state_in(outcome, name)
            if state is not None:
                failures, self.polled = 0, state.status
                self._count(state)  # also of what is not over in time
                is_hollow = state.status == Status.COMPLETED and state.raw.get("data") is None  # which it is until then
                if is_hollow and hollow < HOLLOW_LOOKS and self.settings.poll_interval < self.time_left():
                    hollow += 1
                    await self.io.sleep(self.settings.poll_interval)
                    continue
                if await self.tell(state) or state.is_finished:
                    return state
                await self._wait_to_look(name, self.settings.poll_interval, f"it was {errors.visible(state.status)}")
                continue
            delay, why = self.settings.poll_interval, "it was not there yet"
            if not self._is_doubted(outcome, name):
                if not outcome.is_transient:
                    raise outcome.error(name)
                failures += 1
                delay = self.settings.retry.delay(failures, outcome.retry_after, self.random)
                why = outcome.error().what.rstrip(".")
            await self._wait_to_look(name, delay, why)
            self.report(Retry("poll", delay, outcome.problem))

    async def _wait_to_look(self, name: str, delay: float, why: str) -> None:
        """Wait before the next look, or until the deadline, where there is no time for one.

        The last look comes shortly before the deadline, unless the platform is to be left alone for longer.
        """
        left = self.time_left()
        last = left - min(LAST_LOOK, self.timeout / 4)
        if last > TICK and delay == self.settings.poll_interval:
            delay = min(delay, last)
        if min(delay, LONGEST_WAIT) < left:
            await self.io.sleep(min(delay, LONGEST_WAIT))
            return
        await self.io.sleep(max(left, 0.0))
        what = f"Generation {name} was not finished within {self.timeout:g} s. At the last look: {why}."
        raise errors.GenerationTimeout(what, generation_id=name)

    async def _fetch(self, path: str, query: tuple[tuple[str, str], ...], name: str | None = None) -> Answer:
        """Ask until there is an answer that can be used: asking twice costs nothing."""
        attempt = 0
        while True:
            attempt += 1
            outcome = await self.ask(path, query)
            if isinstance(outcome, Answer) and outcome.ok and outcome.body is not None:
                return outcome
            if self._is_doubted(outcome, name) and self.settings.poll_interval < self.time_left():
                await self.io.sleep(self.settings.poll_interval)
                continue
            await self.pause("poll", attempt, outcome, name)

    async def pause(
        self,
        request: Literal["create", "poll", "cancel"],
        attempt: int,
        outcome: Answer | Lost,
        name: str | None = None,
    ) -> None:
        """Wait before the next try, or raise what happened if there is none left.

        A 429 to a post is outlasted up to the deadline, if the policy has waits at all.
        """
        error, retry, left = outcome.error(name), self.settings.retry, self.time_left()
        delay = retry.delay(attempt, outcome.retry_after, self.random)
        is_last = attempt >= retry.attempts
        if request == "create" and outcome.status == 429 and retry.attempts > 1 and delay > 0:
            is_last = left <= retry.initial
            if outcome.retry_after is None:
                delay = min(delay, left / 2)
        if is_last or self.is_left or delay >= left or not (error.retryable and outcome.is_transient):
            raise error
        await self.io.sleep(delay)
        self.report(Retry(request, delay, outcome.problem))

    async def _turn(self, pace: Pace) -> None:
        """Wait for one's turn; where there is no time for that, it is asked at once, as it may be served even so."""
        while 0 < (wait := pace.wait(self.io.now())) < self.time_left():
            await self.io.sleep(wait)

    def _note(self, pace: Pace, asked_at: float, outcome: Answer | Lost | Opened) -> None:
        """Let the other calls know how fast the platform can be asked."""
        if isinstance(outcome, Answer) and outcome.status == 429:
            pace.slow(asked_at, self.io.now(), outcome.retry_after)
        elif not isinstance(outcome, Lost) and outcome.status < 500:
            pace.quicken()

    def state_in(self, outcome: Answer | Lost, name: str) -> Generation | None:
        """Read what is told of a generation, None if it is nothing."""
        if not isinstance(outcome, Answer) or not outcome.ok:
            return None
        state = Generation.parse(outcome.body)
        if state is None or not state.status or state.id not in {"", name}:
            return None
        self.claims.announce(name, self.io.now())
        return Generation(name, state.status, state.raw)

    async def tell(self, state: Generation) -> bool:
        """Tell of a state, and whether it is a new one. Its files can be fetched from now on."""
        belonging_to(self.files, state)
        source: Literal["stream", "poll"] = "stream" if self.streaming else "poll"
        event = Event(state, source, is_new=state.status not in self.shown)
        self.shown.add(state.status)
        try:
            for hook in self.hooks:
                told = hook(event)
                if isawaitable(told):
                    await told
        except errors.SkillsVideoError as error:  # of a hook, which knows nothing of this generation
            self.polled = state.status
            error.retryable, error.generation_id = False, error.generation_id or state.id
            error.add_note(_goes_on(state.id))
            raise
        return event.is_new

    def report(self, told: Report) -> None:
        """Tell of what is no state."""
        for hook in self.hooks:
            hook(told)

    def _is_doubted(self, outcome: Answer | Lost, name: str | None) -> bool:
        """Whether a generation that was just told of is said not to be there."""
        return outcome.status == 404 and self.claims.seconds_since(name, self.io.now()) < UNBELIEVED

    def _patience(self, most: float) -> float:
        return max(min(most, self.time_left()), 0.001)

    def _patience_for_stream(self) -> float:
        """Leave time to poll before the deadline."""
        return max(self.time_left() - min(self.silence, GET_PATIENCE), 0.001)


def _goes_on(name: str) -> str:
    return f"Generation {name} goes on, and is paid for: client.wait({name!r}) takes it up."


def _known_word(state: Generation) -> object:
    """Give the `status` of a state if that alone told it, so that an event with the same one is no news."""
    word = state.raw.get("status")
    if isinstance(word, str) and WORDS.get(word.upper()) == state.status:
        return word
    return None


def path_of(result: str, name: str) -> str:
    """Give the path of a generation; no id is empty, too long, made of dots, or holds control characters."""
    if not is_id(name):
        raise ValueError(f"{name!r:.80} is no id of a generation")
    return result.replace("{id}", quote(name, safe=""))


def _is_whole(state: Generation) -> bool:
    """Whether a state ends a stream. A COMPLETED without files is asked for again by its id, if it has one."""
    return state.is_finished and (state.status != Status.COMPLETED or state.has_files)
