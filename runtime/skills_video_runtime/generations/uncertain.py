"""After an ambiguous post: the running list is asked whether a generation was made, and which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skills_video_runtime.errors import SubmissionUncertain
from skills_video_runtime.json_values import as_array

from .meaning import CONFLICTS, told_id
from .outcomes import Answer, Lost
from .progress import Retry
from .states import Generation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .call import Call
    from .claims import Look, Submission

PATH = "/generations/running"
FASTEST_VIDEO = 10.0  # seconds within which none is finished, so that the list must show it: our assumption
GAP = 3.0  # seconds between two looks at least, as a list may lag: our choice
ENDED_CODES = ("_FAILED", "_TIMEOUT")  # of a generation, which was made then


async def find(
    call: Call,
    submission: Submission,
    outcome: Answer | Lost,
    *,
    sent_at: float,
    is_known: bool,
    may_repeat: bool = True,
) -> Generation | None:
    """Give the generation that an ambiguous post has made, or None where the post may be repeated.

    It may be after a 5xx, if two looks show nothing new and came so soon that a generation would still be running.
    After a lost connection it may be only if the caller asked for that. A generation is taken if two looks show it, and
    no other that is ours as certainly; where the platform told an id, no other than that. SubmissionUncertain is raised
    where neither is certain; where the platform is to know the post again, it is what is said if it does not. A post
    that is said to have failed is not repeated: whether that is told again, or tried anew, is not described.
    """
    told = told_id(outcome)
    search = Search(call, submission, told)
    await search.run()
    if submission.generation is not None:
        return submission.generation
    possible = call.claims.unclaimed(search.possible)
    if outcome.status in CONFLICTS and told is None and not possible:
        return None
    error = outcome.error()
    has_ended = (error.code or "").endswith(ENDED_CODES)
    shows_nothing = search.shows_nothing and told is None and not possible and not has_ended
    if may_repeat and shows_nothing and _made_nothing(call, outcome, sent_at):
        submission.was_lost = submission.was_lost or isinstance(outcome, Lost)
        return None
    what = f"It is not known whether a generation was made: {search.why}. {error.what}"
    uncertain = SubmissionUncertain(what, candidates=possible, code=error.code, status=error.status, generation_id=told)
    if may_repeat and is_known and outcome.is_transient and not has_ended:
        submission.doubt = uncertain
        return None
    raise uncertain from error.__cause__


async def find_instead(call: Call, submission: Submission, told: str, others: Iterable[str]) -> Generation:
    """Give that of a post that told an id of which the platform knows nothing, or raise SubmissionUncertain."""
    search = Search(call, submission, None)
    search.possible[told] = None
    await search.run()
    if submission.generation is not None:
        return submission.generation
    names = dict.fromkeys((told, *others, *call.claims.unclaimed(search.possible)))
    what = f"The platform told of generation {told}, and then knew of none; {search.why}."
    raise SubmissionUncertain(what, candidates=tuple(names), generation_id=told)


class Search:
    """Looks at the running list until two of them agree, or another would tell no more."""

    def __init__(self, call: Call, submission: Submission, told: str | None) -> None:
        self.call, self.submission, self.told = call, submission, told
        self.limit = submission.offered.running_limit
        self.shows_nothing = False
        self.why = "the running list could not be read"
        self.possible: dict[str, None] = {}
        self.last: Look | None = None
        if told is not None:
            self.possible[told] = None

    async def run(self) -> None:
        """Look."""
        call, retry = self.call, self.call.settings.retry
        for attempt in range(1, max(retry.attempts, 2) + 1):
            if call.time_left() <= 0:
                return
            answer = await call.ask(PATH, (("limit", str(self.limit)),))
            running = parse_running(answer)
            if running is not None and self._is_settled(running):
                return
            if running is None and not answer.is_transient:
                self.why = f"the running list was refused ({answer.problem})"
                return
            delay = max(retry.delay(attempt, answer.retry_after, call.random), GAP)
            if delay >= call.time_left():
                return
            await call.io.sleep(delay)
            if running is None:
                call.report(Retry("running", delay, answer.problem))

    def _is_settled(self, running: list[Generation]) -> bool:
        """Take in what a look shows, and tell whether it settles the matter."""
        look, before = self.call.claims.look(self.submission, running), self.last
        self.last = look
        self.possible.update(dict.fromkeys(look.new))
        self.why = "the running list does not settle it"
        if len(running) >= self.limit:
            self.why = "the running list is longer than the platform shows"
            self.last = None
        elif not all(item.id for item in running):
            self.why = "the running list holds what cannot be read"
            self.last = None
        elif not self.possible:
            self.why = "the running list does not show it"
        if before is None or self.last is None or look.contested:
            return False
        if len(look.ours) == 1 and look.ours == before.ours and self.told in {None, look.ours[0]}:
            name = look.ours[0]
            is_taken = self.call.claims.claim(name, self.submission)
            if is_taken:
                self.submission.generation = next(item for item in running if item.id == name)
            return is_taken
        self.shows_nothing = not look.new and not before.new
        return look.new == before.new


def _made_nothing(call: Call, outcome: Answer | Lost, sent_at: float) -> bool:
    """Whether an outcome leaves no generation that two looks would not have shown."""
    if isinstance(outcome, Lost):
        return call.settings.on_lost_submission == "resubmit"
    return outcome.status >= 500 and call.io.now() - sent_at <= FASTEST_VIDEO


def parse_running(outcome: Answer | Lost) -> list[Generation] | None:
    """Read a running list; what of it cannot be read is a generation without an id."""
    if isinstance(outcome, Lost) or not outcome.ok:
        return None
    items = as_array(outcome.body)
    if items is None:
        return None
    return [Generation.parse(item) or Generation("", "", {}) for item in items]
