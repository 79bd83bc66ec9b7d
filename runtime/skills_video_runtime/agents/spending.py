"""What a server may spend while it runs: the credits of what it has begun, and a bound on them."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from skills_video_runtime.budget import Budget
from skills_video_runtime.errors import SkillsVideoError
from skills_video_runtime.json_values import mapped
from skills_video_runtime.payloads.file import File

from .answers import Refusal

if TYPE_CHECKING:
    from skills_video_runtime.client import AsyncClient
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.base import BasePayload


class Spending(Budget):
    """The budget of a server. What is under way and has no price yet counts as the dearest so far."""

    def __init__(self, most: float | None) -> None:
        super().__init__(most)
        self._settings: dict[object, str] = {}
        """By the id of a generation that this server has begun, what its price may depend on."""
        self._open: set[str] = set()

    def usual(self, payload: BasePayload) -> float:
        """Give the most that one with the same settings took, 0 where that is not known."""
        settings = _settings(payload)
        return max((cost for name, cost in self.known.items() if self._settings[name] == settings), default=0.0)

    def begin(self, state: Generation, payload: BasePayload) -> None:
        """Count a generation from now on."""
        if state.id not in self._settings:
            self._settings[state.id] = _settings(payload)
            self._open.add(state.id)
        self.note(state)

    def note(self, state: Generation) -> None:
        """Take note of what a generation took, if it is one of these."""
        if state.id in self._settings:
            self.count(state.id, state.usage.total)
            if state.is_finished:
                self._open.discard(state.id)

    async def look(self, client: AsyncClient) -> None:
        """See what has ended by now, where that matters."""
        if self.most is not None:
            for name in list(self._open):
                with suppress(SkillsVideoError):
                    self.note(await client.get(name))

    def check_with(self, pending: int) -> None:
        """Refuse what is beyond the budget; `pending` are submissions that have no id yet.

        Raises:
            Refusal: it is spent, or may be by what is under way.
        """
        if self.most is None:
            return
        if self.spent >= self.most:
            raise Refusal(
                f"{self.spent:g} of the {self.most:g} credits of --max-credits are spent. Nothing was sent. Only "
                "the person can raise that, by starting the server anew."
            )
        unknown = pending + sum(not self.known[name] for name in self._open)
        dearest = max(self.known.values(), default=0.0)
        if unknown and not dearest:
            dearest = math.inf
        if self.spent + unknown * dearest >= self.most:
            raise Refusal(
                f"What is under way, and has no price yet, may take the rest of the {self.most:g} credits of "
                "--max-credits. Nothing was sent. Follow it to its end with get_generation, then call generate."
            )


def _settings(payload: BasePayload) -> str:
    """Give what the price of a payload may depend on: all but files, addresses, and texts of more than a word."""
    told = [payload.endpoint.model, type(payload).__name__, mapped(_setting, payload.to_dict())]
    return json.dumps(told, sort_keys=True)


def _setting(value: object) -> object:
    if isinstance(value, File) or (isinstance(value, str) and re.search(r"\s|://", value)):
        return True
    return value
