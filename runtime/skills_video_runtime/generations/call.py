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

from contextlib import aclosing
from functools import partial
from inspect import isawaitable
from random import random
from typing import TYPE_CHECKING, Any, Literal, cast

from skills_video_runtime import errors
from skills_video_runtime.capabilities import LIST_LIMIT, Capabilities
from skills_video_runtime.catalog import capabilities_for
from skills_video_runtime.json_values import JsonObject, as_object

from .claims import Claims, Recent, Submission, new_idempotency
from .following import GET_PATIENCE, is_whole, next_polled, next_streamed
from .media import belonging_to
from .outcomes import IO, Answer, Ended, Lost, Opened, Settings, Submittable, check_seconds
from .pace import Pace, Paces
from .posting import settled, submitted
from .progress import Event, Retry
from .records import Ending
from .states import RESULT, Generation, Status, Usage, is_id, path_of
from .uncertain import PATH, find_instead, parse_running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from skills_video_runtime.budget import Budget
    from skills_video_runtime.http.key import Key

    from .journal import Journal
    from .progress import Hook, Report

MOST_LATE = 10  # events that are read although there is no time to wait for them: our choice
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
        self.key, self.files, self.hooks, self.paces = key, files, hooks, paces or Paces(settings.retry)
        self.budget, self.offered, self.timeout = budget, offered, settings.timeout
        self.is_left = False
        if timeout is not None:
            self.timeout = check_seconds("timeout", timeout)
        self.submission: Submission | None = None
        self.others = Recent()
        """Ids that the stream has told beside that of its generation, and when."""
        self.ended: dict[str, Ending] = {}
        """Ids of generations that are over and how they ended, for the journal, once the caller has been told."""
        self.begin()

    def begin(self) -> None:
        """Begin with a generation of which nothing is known yet, and which has the whole time."""
        self.deadline = self.io.now() + self.timeout
        self.has_posted = False
        self.streaming, self.silence, self.late = False, 0.0, 0
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
        state, is_instead = await self.submit(payload, stream=True, own_key=own_key), False
        while True:
            try:
                async with aclosing(self.follow(state, payload.endpoint.result)) as states:
                    async for new in states:
                        yield new
            except errors.NotFound:
                if is_instead or self.polled or not self.has_posted:  # it was there once
                    raise
            else:
                return
            state, is_instead = await self._submitted_instead(state.id), True

    def wait(self, name: str) -> AsyncGenerator[Generation, None]:
        """Follow a generation of which only its id is known."""
        return self.follow(Generation(name, "", {}))

    async def follow(self, state: Generation, result: str = RESULT) -> AsyncGenerator[Generation, None]:
        """Give each state of a generation once, from its stream while that is open, then by polling.

        Only a finished state ends it, which raises GenerationFailed where it is not COMPLETED; or a refusal of the
        platform to tell, an APIError; or the deadline, a GenerationTimeout.
        """
        name, is_last = state.id, is_whole(state)
        self.claims.claim(name)
        try:
            if is_last or (state.status != "" and not state.is_finished):
                await self.tell(state)
                yield state
            while not is_last:
                state = await next_streamed(self, state) or await next_polled(self, name, result)
                self.count(state)
                is_last = state.is_finished
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
        """Give the last state, and keep no other: there may be many, and each may be large."""
        async with aclosing(states):
            last = await anext(states)
            async for state in states:
                last = state
            return last

    def count(self, state: Generation) -> None:
        """Take note of what a generation that this client posted has cost so far."""
        if self.budget is not None and (self.has_posted or self.budget.knows(state.id)):
            self.budget.count(state.id or self, state.usage.total)

    async def submit(self, payload: Submittable, *, stream: bool = False, own_key: str | None = None) -> Generation:
        """Post a payload until the id of its generation is known; with `stream`, the stream may then be open.

        Of what the journal knows under a key of the caller's own the id is all that is given. After any error but
        SubmissionUncertain none was made, unless it has an id.
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
        submission = self.claims.begin(payload, self.offered(payload))
        submission.own_key = own_key
        submission.idempotency = new_idempotency(submission, path)
        return await settled(self, submission, submitted(self, submission, path))

    async def _submitted_instead(self, told: str) -> Generation:
        """Find the generation of a post that told an id by which no look has found one."""
        submission = cast("Submission", self.submission)
        submission.generation = None
        self.claims.reopen(submission)
        return await settled(self, submission, find_instead(self, submission, told, self.others))

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
        for state in found:
            self.count(state)
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
            await self.record(partial(self.journal.finished, ended))
        except BaseException:
            ended.clear()  # which a thread may yet be about to record
            self.journal.not_given(self.ended)
            raise

    def leave(self) -> None:
        """Post no more, and give the call up, from another thread: at once, or when what was posted has its id."""
        self.is_left = True
        if self.submission is None or not (self.submission.pending or self.submission.is_doubtful):
            self.give_up()

    async def ask(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> Answer | Lost:
        """Ask once, in one's turn."""
        await self.turn(self.paces.looks)
        asked_at = self.io.now()
        answer = await self.io.get(path, query, self.patience(GET_PATIENCE))
        self.note(self.paces.looks, asked_at, answer)
        return answer

    def time_left(self) -> float:
        """Give the seconds until the deadline."""
        return self.deadline - self.io.now()

    def check(self, submission: Submission) -> None:
        """Refuse a payload that must not be sent, by PayloadError, before it is recorded or posted."""
        if self.key is not None:
            self.key.refuse_in(submission.payload.endpoint.model, submission.fields)

    async def record(self, work: Callable[[], None]) -> None:
        """Write to the journal, in the event loop if there is no thread to be had: the generation is worth more."""
        if self.journal is None:
            return
        try:
            await self.io.on_disk(work)
        except Exception:  # noqa: BLE001
            work()

    async def _fetch(self, path: str, query: tuple[tuple[str, str], ...], name: str | None = None) -> Answer:
        """Ask until there is an answer that can be used: asking twice costs nothing."""
        attempt = 0
        while True:
            attempt += 1
            outcome = await self.ask(path, query)
            if isinstance(outcome, Answer) and outcome.ok and outcome.body is not None:
                return outcome
            if self.is_doubted(outcome, name) and self.settings.poll_interval < self.time_left():
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

    async def turn(self, pace: Pace, share: float = 1.0) -> None:
        """Wait for one's turn; where that takes a share of the time left, it is asked at once: it may be served."""
        while 0 < (wait := pace.wait(self.io.now())) < self.time_left() * share:
            half_time = self.io.now() + wait / 2
            await self.io.sleep(wait)
            if self.io.now() < half_time:  # woken, as the call was given up
                return

    def note(self, pace: Pace, asked_at: float, outcome: Answer | Lost | Opened) -> None:
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
        state = Generation(name, state.status, state.raw)
        self.count(state)
        return state

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

    def is_doubted(self, outcome: Answer | Lost, name: str | None) -> bool:
        """Whether a generation that was just told of is said not to be there."""
        return outcome.status == 404 and self.claims.seconds_since(name, self.io.now()) < UNBELIEVED

    def patience(self, most: float) -> float:
        """Give the seconds that one thing may take, at most those that are left."""
        return max(min(most, self.time_left()), 0.001)

    def patience_for_stream(self) -> float:
        """Leave time to poll before the deadline."""
        return self.time_left() - min(self.silence, GET_PATIENCE)

    async def next_event(self, patience: float, known: object = None) -> JsonObject | list[object] | Ended:
        """Wait for the next event of the open stream. What has come already is read late, but not more without end."""
        if patience <= 0:
            self.late += 1
            if self.late > MOST_LATE:
                return Ended("more of it came than there was time for")
        return await self.io.next_event(max(patience, 0.001), known)


def _goes_on(name: str) -> str:
    return f"Generation {name} goes on, and is paid for: client.wait({name!r}) takes it up."
