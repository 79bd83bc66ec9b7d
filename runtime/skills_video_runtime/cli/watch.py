"""What a call reports on its way, as its user sees it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from skills_video_runtime.client import Client
from skills_video_runtime.generations.outcomes import Fallback, Retry

from .output import complain

if TYPE_CHECKING:
    from collections.abc import Callable

    from skills_video_runtime.generations.outcomes import Report
    from skills_video_runtime.generations.states import Generation

    from .progress import Lines

logger = logging.getLogger("skills_video")


class Watched(Client):
    """A client whose calls report what they do beside telling states, and which tells its journal itself what is over.

    What cannot be written to a journal is told on standard error.
    """

    def watch(self, report: Callable[[Report], object]) -> None:
        """Have it told."""
        self._session.report = report
        self._session.held = {}
        self._warnings = Warnings(logging.WARNING)
        logger.addHandler(self._warnings)

    def hand_over(self, generation_id: str) -> None:
        """Record that a generation is over, if it is: its state was told, and its files are there."""
        status = (self._session.held or {}).pop(generation_id, None)
        if status is not None:
            for journal in self._session.journals.values():
                journal.finished({generation_id: status})

    def close(self) -> None:
        """Close the client."""
        super().close()
        logger.removeHandler(self._warnings)


class Warnings(logging.Handler):
    """Tells what the library warns of, which is what a journal does not hold."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one."""
        complain(f"warning: {record.getMessage()}")


class Watch:
    """Shows retries and a stream that was given up, and knows where states come from."""

    def __init__(self, reporter: Lines, *, stream: bool) -> None:
        self.reporter = reporter
        self.source = "poll"
        if stream:
            self.source = "stream"

    def state(self, generation: Generation) -> None:
        """Show a state."""
        self.reporter.state(generation, self.source)

    def __call__(self, report: Report) -> None:
        """Show what is reported."""
        if isinstance(report, Retry):
            self.reporter.retry(*report)
        elif isinstance(report, Fallback):
            self.source = "poll"
            self.reporter.fallback(*report)


def tell_state(report: Report) -> None:
    """Tell a state on standard error, as it may take long until there is an answer."""
    if not isinstance(report, (Retry, Fallback)):
        complain(f"{report.status} {report.id}")
