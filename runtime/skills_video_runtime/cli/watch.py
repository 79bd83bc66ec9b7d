"""The steps of a call as its user sees them: where states come from, what is tried again, what took another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skills_video_runtime.generations.outcomes import Answer, Emit, Ended, Get, Lost, Next, Opened, Post, Sleep
from skills_video_runtime.http.session import note

if TYPE_CHECKING:
    from skills_video_runtime.generations.outcomes import Step

    from .progress import Lines

RESULT = "/generation/"


class Watch:
    """The observer of a client, which tells a reporter of retries and of a stream that was given up."""

    def __init__(self, reporter: Lines, *, stream: bool) -> None:
        self.reporter = reporter
        self.streaming = stream
        self.source = "poll"
        self._posted_to = ""
        self._refusal: str | None = None
        self._path = ""
        self._trouble: str | None = None
        self._slept = 0.0

    def __call__(self, step: Step, outcome: Any) -> None:
        """See a step that was taken, and what came of it."""
        note(step, outcome)
        match step:
            case Post():
                self._posted(step, outcome)
            case Get():
                self._got(step, outcome)
            case Next():
                self.source = "stream"
                self._trouble = self._refusal = outcome.reason if isinstance(outcome, Ended) else None
            case Sleep(seconds):
                self._slept += seconds
            case Emit() if self.source == "poll":
                self._leave_stream("poll")
            case _:
                pass

    def _posted(self, step: Post, outcome: Any) -> None:
        if self._posted_to and step.path != self._posted_to:
            self._leave_stream("create")
        elif self._posted_to:
            self._retried("create", self._refusal)
        self._posted_to = self._path = step.path
        self.source = "stream" if isinstance(outcome, Opened) else "poll"
        self._settle(outcome)
        if self._trouble is None and self.streaming and self.source == "poll":
            self._trouble = "the answer was no stream"
        self._refusal = self._trouble

    def _got(self, step: Get, outcome: Any) -> None:
        if step.path.startswith(RESULT) and self.streaming:
            self._leave_stream("poll")
        elif self._trouble is not None and self._path == step.path:
            self._retried("poll" if step.path.startswith(RESULT) else "running", self._trouble)
        self._path, self.source = step.path, "poll"
        self._settle(outcome)

    def _settle(self, outcome: Any) -> None:
        self._slept = 0.0
        self._trouble = None
        if isinstance(outcome, Lost):
            self._trouble = outcome.reason
        elif isinstance(outcome, Answer):
            if not outcome.ok:
                self._trouble = outcome.error().what
            elif outcome.body is None:
                self._trouble = "the answer cannot be read"

    def _leave_stream(self, to: str) -> None:
        if self.streaming:
            self.streaming = False
            self.reporter.fallback(to, self._trouble or self._refusal or "the stream ended early")

    def _retried(self, what: str, why: str | None) -> None:
        self.reporter.retry(what, self._slept, why or "it failed")
