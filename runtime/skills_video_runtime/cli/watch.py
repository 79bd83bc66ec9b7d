"""What a call reports on its way, as its user sees it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from skills_video_runtime.client import Client
from skills_video_runtime.generations.progress import Event

from .output import complain

if TYPE_CHECKING:
    from skills_video_runtime.generations.progress import Hook, Report

logger = logging.getLogger("skills_video")


class Watched(Client):
    """A client whose calls report what they do beside telling states, and which tells its journal itself what is over.

    What cannot be written to a journal is told on standard error.
    """

    def watch(self, hook: Hook) -> None:
        """Have it told."""
        self._session.hooks.append(hook)
        self._session.held = {}
        self._warnings = Warnings(logging.WARNING)
        logger.addHandler(self._warnings)

    def hand_over(self, generation_id: str) -> None:
        """Record that a generation is over, if it is: its state was told, and its files are there."""
        ending = (self._session.held or {}).pop(generation_id, None)
        if ending is not None:
            for journal in self._session.journals.values():
                journal.finished({generation_id: ending})

    def close(self) -> None:
        """Close the client."""
        super().close()
        logger.removeHandler(self._warnings)


class Warnings(logging.Handler):
    """Tells what the library warns of, which is what a journal does not hold."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one."""
        complain(f"warning: {record.getMessage()}")


def tell_state(told: Report) -> None:
    """Tell a new state on standard error, as it may take long until there is an answer."""
    if isinstance(told, Event) and told.is_new:
        complain(f"{told.status} {told.generation.id}")
