"""What came of a post, and what it means: was a generation made, and which one?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from .outcomes import Answer, Lost, Post
from .states import STATUSES, Generation, Status, is_id

if TYPE_CHECKING:
    from skills_video_runtime.errors import SubmissionUncertain


NO_STREAM = frozenset({404, 405, 501})
NO_UNDESCRIBED_STREAM = NO_STREAM | {400}
UNDECIDED = frozenset({408, 429})  # 4xx that refuse no payload
CONFLICTS = frozenset({303, 409, 425})  # what refuses, unless the running list shows something new beside it
TOLD_ID = re.compile(r'"(?:(?:generation|prediction|task)_?)?id"\s*:\s*"([^"\\]+)"', re.IGNORECASE)


def meaning(post: Post, outcome: Answer | Lost) -> Literal["nothing made", "no stream", "refused", "ambiguous"]:
    """Tell what an outcome that told of no generation means for the payload, which is not sent again if refused.

    That a post was begun is all that is known of one whose answer was lost.
    """
    if not post.begun:
        return "nothing made"
    if isinstance(outcome, Lost):
        return "ambiguous"
    told = told_id(outcome)
    # A stream endpoint that no description has may be refused as any other request is.
    absent = NO_STREAM if post.payload.endpoint.stream_is_described else NO_UNDESCRIBED_STREAM
    if post.is_stream and outcome.status in absent and told is None:
        return "no stream"
    if outcome.status == 429 and told is None:
        return "nothing made"
    if outcome.status in CONFLICTS and (told is None or outcome.place is not None):
        return "ambiguous"
    if outcome.refuses or (300 <= outcome.status < 500 and outcome.status not in UNDECIDED):
        return "refused"
    return "ambiguous"


def told_id(outcome: Answer | Lost) -> str | None:
    """Give the id that an answer holds before any input that it repeats, also an error, or one that broke off."""
    if isinstance(outcome, Answer):
        state = Generation.parse(outcome.body)
        if state is not None and state.id:
            return state.id
        if outcome.place is not None or not outcome.ok:
            return outcome.place
    found = TOLD_ID.search(outcome.text.partition('"input"')[0])
    if found is None or not is_id(found[1]):
        return None
    return found[1]


def of_repeat(doubt: SubmissionUncertain, means: str, outcome: Answer | Lost) -> Answer | Lost:
    """Give what came of a repeated post as worth another try, or raise the doubt, of which a refusal tells nothing."""
    if means in {"refused", "no stream"}:
        raise doubt from outcome.error()
    if outcome.status in CONFLICTS:
        return Lost(f"the platform is still busy with an earlier try ({outcome.status})")
    return outcome


def told_by(answer: Answer | Lost) -> Generation | None:
    """Read the generation that an answer to a post tells of, be it an error that names one that goes on."""
    if isinstance(answer, Lost) or not answer.is_transient:
        return None
    state = Generation.parse(answer.body)
    if state is None:
        return None
    if answer.ok and (state.id or is_result(state)):
        return state
    if state.id and state.status in STATUSES and not state.is_finished:
        return state
    return None


def is_result(state: Generation) -> bool:
    """Whether a state is worth having without an id; the failure of something unnamed tells nothing."""
    return state.status == Status.COMPLETED and state.has_files
