"""One run of a batch: rows of its plan are made, as many at once as the limit allows, and what comes of each is kept.

What keeps a row from being paid twice is the journal: each is posted under a key of its own. A line of results is
written before the journal is told that the row is over, so that whatever ends the process, the next run finds either
the line or the generation.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, cast

from skills_video_runtime import errors
from skills_video_runtime.budget import BudgetExceeded
from skills_video_runtime.downloads.names import place
from skills_video_runtime.downloads.partial import Partial
from skills_video_runtime.downloads.save import Wishes, saves_of
from skills_video_runtime.generations.progress import called
from skills_video_runtime.many import Made, Many, Result

from .fingerprints import fingerprint, shown
from .report import Outcome, as_data
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from skills_video_runtime.budget import Budget
    from skills_video_runtime.generations.call import Call
    from skills_video_runtime.generations.records import Ending
    from skills_video_runtime.generations.states import Generation

    from .plan import Plan
    from .report import OnOutcome

REJECTED = (errors.InsufficientCredits, errors.AuthenticationError, errors.PermissionDenied)
ENDS_ALL = (*REJECTED, BudgetExceeded, errors.JournalUnavailable)
TRANSIENT = (errors.ConnectionFailed, errors.ServerError, errors.RateLimited)
POSTING = 8  # rows between intent and answer at once: our choice, as more posts are rarely due
RECORDED_AT_ONCE = 32  # rows that are over: our choice
TROUBLES = 3  # rows that meet trouble of the platform one after the other, before no more are posted: our choice


class Gate:
    """Lets few rows at once be between intent and answer: what is there when the process is killed is uncertain."""

    def __init__(self, *, asynchronous: bool) -> None:
        self._asynchronous, self._inside = asynchronous, set[str]()
        self._places: Any = BoundedSemaphore(POSTING)
        if asynchronous:
            from anyio import Semaphore  # noqa: PLC0415  # on first use

            self._places = Semaphore(POSTING)

    async def enter(self, key: str) -> None:
        """Wait for a place."""
        acquired = self._places.acquire()
        if self._asynchronous:
            await acquired
        self._inside.add(key)

    def leave(self, key: str) -> None:
        """Give the place of a row to another one, if it has any."""
        if key in self._inside:
            self._inside.discard(key)
            self._places.release()


@dataclass(frozen=True, slots=True)
class RowResult(Result[Row]):
    """What became of a row of many."""

    outcome: Outcome


@dataclass
class Attempt:
    """What comes of a row that is made."""

    row: Row
    fingerprint: str
    """That of its payload, taken before the files in it can change."""
    status: str = ""
    state: Generation | None = None
    problem: errors.SkillsVideoError | None = None
    files: list[str] = field(default_factory=list[str])

    @property
    def id(self) -> str | None:
        """That of its generation, as far as it is known."""
        if self.state is not None:
            return self.state.id
        return getattr(self.problem, "generation_id", None)

    def about(self) -> dict[str, Any]:
        """Give what a line says of it."""
        payload, took = self.row.payload, None
        if self.state is not None:
            took = self.state.usage.total
        told: dict[str, Any] = {"key": self.row.key, "model": payload.endpoint.model}
        told |= {"variant": type(payload).__name__, "id": self.id, "status": self.status}
        told |= {"credits": took, "files": self.files, "error": as_data(self.problem)}
        return {**told, "input": shown(payload), "fingerprint": self.fingerprint}


class Run(Many[Row]):
    """One run of a batch: what comes of each row of its plan."""

    def __init__(self, plan: Plan) -> None:
        choices = plan.choices
        super().__init__(plan.session, (), choices.limit, choices.timeout)
        self.plan, self.choices, self.report, self.results = plan, choices, plan.report, plan.results
        self.lock = Lock()
        self.next_post = 0.0
        self.pausing: set[Call] = set()
        """What waits until the next post is due."""
        self.troubles = 0
        self.gate = Gate(asynchronous=plan.session.asynchronous)
        self.unrecorded: dict[str, Ending] = {}
        """Ids of what has a line, and is not yet over in the journal."""

    def tell(self, result: Result[Row], on_outcome: OnOutcome | None) -> object:
        """Tell what became of a row. Where tasks make rows, what that gives may have to be awaited."""
        outcome = cast("RowResult", result).outcome
        if on_outcome is None or self._is_untouched(outcome):
            return None
        if self.session.asynchronous:
            return on_outcome(outcome, self.report)
        called(on_outcome, outcome, self.report)
        return None

    async def record(self, made: Made[Row]) -> None:  # noqa: ARG002  # what is over is recorded for many at once
        """Tell the journal what is over once it is enough."""
        if len(self.unrecorded) >= RECORDED_AT_ONCE:
            await self.record_all()

    async def record_all(self) -> None:
        """Tell the journal what is over. What cannot be told is by the next run."""
        with self.lock:
            ended, self.unrecorded = self.unrecorded, {}
        with suppress(errors.SkillsVideoError):
            if ended:
                async with self.session.call(journal=self.plan.journal) as call:
                    call.ended = ended

    async def end_given_up(self) -> None:
        """Follow to its end what `fresh` has given up, so that its price counts in the budget and is on record.

        All of that was posted together. Once one of it takes too long, the others are looked at once. That, and all
        where the platform does not answer, is left to the next run.
        """
        is_late = False
        for name in self.plan.given_up():
            try:
                async with self.session.call(self.timeout, self.plan.journal) as call, self.entered(call):
                    state = await call.get(name)
                    self.plan.budget.count(name, state.usage.total)
                    if is_late and not state.is_finished:
                        continue
                    async with aclosing(call.follow(state)) as states:
                        async for state in states:
                            self.plan.budget.count(name, state.usage.total)
            except errors.GenerationTimeout:
                is_late = True
            except (*ENDS_ALL, *TRANSIENT):
                break
            except errors.SkillsVideoError:  # it failed, or is there no more
                continue
        self.report.credits = self.plan.budget.spent

    def take(self, room: int) -> Iterator[tuple[int, Row]]:
        """Take rows for which there is room, until something speaks against posting more."""
        if self.report.stopped is None:
            yield from super().take(room)

    async def make(self, index: int, payload: Row) -> Made[Row]:
        """Make the video of a row, and keep what comes of it."""
        outcome = await self._outcome(payload)
        with self.lock:
            if not self._is_untouched(outcome):
                self._count(outcome)
                if outcome.status != "COMPLETED":
                    self.report.problems.append(outcome)
        return Made(RowResult(index, payload, None, outcome.error, outcome))

    def _count(self, outcome: Outcome) -> None:
        self.report.statuses[outcome.status] += 1
        self.report.credits = self.plan.budget.spent

    async def _outcome(self, row: Row) -> Outcome:
        try:
            is_posted = not self.plan.is_followed(row)
            if self.choices.reuse and is_posted and fingerprint(row.payload) in self.plan.made:
                self.plan.check_again(row)
                return self._used_again(row)
            if self.choices.rate is not None and is_posted:
                await self._turn(60 / self.choices.rate)
            if is_posted and not row.payload.goes_as_form():  # whose upload may take long
                await self.gate.enter(row.key)
            self.plan.check_again(row)
            if self.report.stopped is None and not self.is_left:
                async with self.session.call(self.timeout, self.plan.journal) as call, self.posting(call):
                    return await self._followed(row, call)
        except Exception as error:  # noqa: BLE001  # of a row, which the next run goes on with
            self._note(error)
            return Outcome.left_open(row, error, getattr(error, "generation_id", None))
        finally:
            self.gate.leave(row.key)
        return Outcome.left_open(row, self.report.stopped)

    def _is_untouched(self, outcome: Outcome) -> bool:
        """Whether nothing was made of a row, since what speaks against it speaks against all."""
        error = outcome.error
        if outcome.status != "OPEN" or outcome.id is not None or isinstance(error, errors.RecordUnusable):
            return False
        return isinstance(error, ENDS_ALL) or (error is not None and error is self.report.stopped)

    async def _turn(self, gap: float) -> None:
        """Wait until a post is due."""
        async with self.session.call(records=False) as call, self.entered(call):
            with self.lock:
                due = max(self.next_post, call.io.now())
                self.next_post = due + gap
                self.pausing.add(call)
            try:
                if self.report.stopped is None:
                    await call.io.sleep(max(due - call.io.now(), 0.0))
            finally:
                self.pausing.discard(call)

    async def _followed(self, row: Row, call: Call) -> Outcome:
        attempt, budget = Attempt(row, fingerprint(row.payload)), self._budget_of(row)
        if budget.most is not None:
            call.budget = budget
        try:
            async with aclosing(self._states(row, call)) as states:
                async for state in states:
                    attempt.state, attempt.status = state, str(state.status)
                    self.gate.leave(row.key)
        except errors.GenerationFailed as error:
            attempt.problem = error
        except errors.SubmissionUncertain as error:
            if self.is_left:  # the next run looks again
                raise
            self._note(error)
            attempt.problem, attempt.status = error, "UNCERTAIN"
        except errors.APIError as error:
            if error.generation_id is not None or isinstance(error, (*ENDS_ALL, *TRANSIENT)):
                raise
            attempt.problem, attempt.status = error, "REFUSED"
        finally:
            if attempt.state is not None:  # which an earlier run may have posted
                budget.count(attempt.state.id, attempt.state.usage.total)
        return await self._kept(attempt, call)

    def _budget_of(self, row: Row) -> Budget:  # noqa: ARG002  # which has one of its own elsewhere
        """Give what adds up what a row takes, and bounds its post."""
        return self.plan.budget

    def _states(self, row: Row, call: Call) -> AsyncGenerator[Generation, None]:
        """Post a row, or follow what was made of it, also where its record was removed from the journal."""
        name, made = self.plan.name_of(row), self.plan.made_id(row)
        if made and not self.plan.is_known(name):
            return call.wait(made)
        return call.generate(row.payload, name)

    async def _kept(self, attempt: Attempt, call: Call) -> Outcome:
        """Fetch the files, and write the line."""
        ended, call.ended = call.ended, {}  # recorded once there is a line
        try:
            self.results.check_place()
            await self._fetch(attempt)
            self.results.check_place()
            outcome = self._written(attempt.row, attempt.about(), attempt.problem)
        except OSError as error:
            cause = error
            if isinstance(error, FileNotFoundError) or not self.results.is_in_place():  # or about to go
                cause = self.results.gone()
            if not _is_in_the_way(cause):
                self._stop(cause)
            return Outcome.left_open(attempt.row, cause, attempt.id)
        self._keep_ended(call, ended)
        return outcome

    def _keep_ended(self, call: Call, ended: dict[str, Ending]) -> None:  # noqa: ARG002  # which others record at once
        """Have the journal told what is over, of many rows at once: until then, their lines tell it."""
        with self.lock:
            self.unrecorded |= ended

    async def _fetch(self, attempt: Attempt) -> None:
        """Fetch the files of a row, where it has any and they are wished."""
        state, row = attempt.state, attempt.row
        if state is None or attempt.status != "COMPLETED" or not row.download or not state.has_files:
            return
        wishes = Wishes(name="{key}-{index}{suffix}", key=self._stem(row), overwrite="replace")
        for save in saves_of(self.session, state, self.plan.directory, None, wishes):
            async with self.entered(save):
                attempt.files.append((await save.run()).name)

    def _stem(self, row: Row) -> str:
        """Give what the names of files of a row begin with."""
        if self.plan.state.round == 1:
            return row.key
        return f"{row.key}~{self.plan.state.round}"

    def _used_again(self, row: Row) -> Outcome:
        """Give a row the files of another one with the same payload."""
        known, stem = fingerprint(row.payload), self._stem(row)
        other = self.plan.made[known]
        line = self.results.lines[other]
        names = [f"{stem}-{number}{Path(name).suffix}" for number, name in enumerate(line.files)]
        for name, there in zip(names, line.files, strict=True):
            _copy(self.plan.directory / there, self.plan.directory / name)
        told = Attempt(row, known, line.status, files=names).about()
        return self._written(row, {**told, "id": line.id, "credits": 0.0, "reused": other}, None)

    def _written(self, row: Row, told: dict[str, Any], problem: Exception | None) -> Outcome:
        """Write the line of a row."""
        if self.plan.made_id(row):
            told["fetched_again"] = True
        self.results.add({**told, "round": self.plan.state.round, "attempt": self.plan.todo[row.key]})
        with self.lock:
            if told["status"] != "UNCERTAIN":
                self.troubles = 0
            if told["files"]:
                self.plan.made.setdefault(told["fingerprint"], row.key)
        files = tuple(self.plan.directory / name for name in told["files"])
        return Outcome(row.key, told["model"], told["status"], told["id"], told["credits"], files, problem)

    def _note(self, error: Exception) -> None:
        """Decide whether what has befallen a row will befall the others."""
        if self.is_left or isinstance(error, errors.RecordUnusable):
            return
        if isinstance(error, ENDS_ALL):
            self._stop(error)
        elif isinstance(error, (*TRANSIENT, errors.SubmissionUncertain)) and error.generation_id is None:
            with self.lock:
                self.troubles += 1
                is_enough = self.troubles >= TROUBLES
            if is_enough:
                self._stop(error)

    def _stop(self, error: Exception) -> None:
        """Post no more; what is under way is followed to its end, and has the room that was put by for it."""
        self.results.free_reserve()
        with self.lock:
            self.report.stopped = self.report.stopped or error
            for call in self.pausing:
                call.leave()


def _copy(source: Path, target: Path) -> None:
    """Copy a file in the way one is fetched: it gets its name once it is whole, and links lead nowhere."""
    partial = Partial(target.parent, target.name)
    try:
        with source.open("rb") as file:
            partial.handle.truncate(0)
            copyfileobj(file, partial.handle)
        partial.complete()
        place(partial.path, target, replace=True)
    finally:
        partial.end(keep=False)


def _is_in_the_way(error: OSError) -> bool:
    """Whether what is no file stands where one of a row was to go, which no other row has to do with."""
    there = error.filename2
    return isinstance(error, (FileExistsError, IsADirectoryError)) or (
        isinstance(there, (str, Path)) and Path(there).is_dir()
    )
