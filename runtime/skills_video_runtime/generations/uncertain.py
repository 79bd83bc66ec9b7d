"""After an ambiguous post: the running list is asked whether a generation was made, and which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skills_video_runtime.errors import SubmissionUncertain
from skills_video_runtime.json_values import as_array

from .outcomes import Answer, Lost, Retry, told_id
from .states import Generation

if TYPE_CHECKING:
    from .call import Call
    from .claims import Submission, Verdict

PATH = "/generations/running"
LIST_LIMIT = 100  # the most that the running list gives, by the platform's API reference
QUERY = (("limit", str(LIST_LIMIT)),)
FASTEST_VIDEO = 10.0  # seconds within which none is finished, so that the list must show it: our assumption
LOOKS = 2  # with nothing new in them, that a repeated post needs: our choice
MAX_GAP = 3.0  # seconds between two looks, unless they fail: our choice
ENDED_CODES = ("_FAILED", "_TIMEOUT")  # of a generation, which was made then
INTERRUPTED = Lost("the process ended before the id of the generation was recorded")


class Search:
    """What the looks at the running list have told of one submission."""

    def __init__(self, told: str | None) -> None:
        self.empty = 0
        """Looks that showed nothing that could be ours."""
        self.proves = True
        """Whether what the list does not show is not there."""
        self.why = "the running list could not be read"
        self.possible: dict[str, None] = {}
        if told is not None:
            self.possible[told] = None

    def take(self, running: list[Generation], verdict: Verdict) -> None:
        """Take in what one look showed."""
        self.possible.update(dict.fromkeys(verdict.candidates))
        if len(running) >= LIST_LIMIT:
            self.proves = False
            self.why = "the running list is longer than the platform shows"
        elif not all(item.id for item in running):
            self.proves = False
            self.why = "the running list holds what cannot be read"
        elif not verdict.candidates:
            self.empty += 1
            self.why = "the running list does not show it"
        if verdict.candidates:
            self.why = "the running list does not tell which one it is"

    def is_over(self, verdict: Verdict) -> bool:
        """Whether another look would tell no more."""
        return self.empty == LOOKS or (verdict.candidates != () and verdict.settled)


async def find(
    call: Call, submission: Submission, outcome: Answer | Lost, *, sent_at: float, may_repeat: bool = True
) -> Generation | None:
    """Give the generation that an ambiguous post has made, or None where the post may be repeated.

    It may be after a 5xx, if two looks show nothing and came so soon that a generation would still have been running.
    After a lost connection it may be only if the caller asked for that.

    Raises:
        SubmissionUncertain: neither is certain.
    """
    told = told_id(outcome)
    search = Search(told)
    found = await _search(call, submission, search)
    if found is not None:
        return found
    candidates = call.claims.unclaimed(search.possible)
    shows_nothing = search.empty == LOOKS and search.proves and not candidates and told is None
    if may_repeat and shows_nothing and _made_nothing(call, outcome, sent_at):
        return None
    error = outcome.error()
    what = f"It is not known whether a generation was made: {search.why}. {error.what}"
    raise SubmissionUncertain(what, candidates=candidates, code=error.code, status=error.status) from error.__cause__


async def _search(call: Call, submission: Submission, search: Search) -> Generation | None:
    """Look until ours is found, or another look would tell no more."""
    retry = call.settings.retry
    for attempt in range(1, max(retry.attempts, LOOKS) + 1):
        if call.time_left() <= 0:
            return None
        answer = await call.ask(PATH, QUERY)
        running = parse_running(answer)
        if running is None and not answer.is_transient:
            search.why = f"the running list was refused ({answer.error().what})"
            return None
        if running is not None:
            verdict = call.claims.judge(submission, running)
            if verdict.adopted is not None:
                submission.generation = verdict.adopted
                return verdict.adopted
            search.take(running, verdict)
            if search.is_over(verdict):
                return None
        delay = max(retry.delay(attempt, answer.retry_after, call.random), min(call.settings.poll_interval, MAX_GAP))
        if delay >= call.time_left():
            return None
        await call.io.sleep(delay)
        if running is None:
            call.report(Retry("running", delay, answer.problem))
    return None


def _made_nothing(call: Call, outcome: Answer | Lost, sent_at: float) -> bool:
    """Whether an outcome leaves no generation that two looks would not have shown."""
    if isinstance(outcome, Lost):
        return call.settings.on_lost_submission == "resubmit"
    code = outcome.error().code or ""
    is_soon = call.io.now() - sent_at <= FASTEST_VIDEO
    return is_soon and outcome.status >= 500 and not code.endswith(ENDED_CODES)


def parse_running(outcome: Answer | Lost) -> list[Generation] | None:
    """Read a running list; what of it cannot be read is a generation without an id."""
    items = as_array(outcome.body) if isinstance(outcome, Answer) and outcome.ok else None
    if items is None:
        return None
    return [Generation.parse(item) or Generation("", "", {}) for item in items]
