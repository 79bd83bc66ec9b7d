"""What a server may spend while it runs: the credits of what it has begun, and a bound on them."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skills_video_runtime.errors import SkillsVideoError
from skills_video_runtime.json_values import mapped
from skills_video_runtime.payloads.file import File

from .answers import Refusal

if TYPE_CHECKING:
    from skills_video_runtime.client import AsyncClient
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.base import BasePayload


@dataclass
class Made:
    """A generation that this server has begun: by what its price is told from others, and what it took so far."""

    settings: str
    cost: float = 0.0
    is_over: bool = False


class Spending:
    """What was spent, and what may be. What is under way and has no price yet counts as the dearest so far."""

    def __init__(self, most: float | None) -> None:
        self._most = most
        self._made: dict[str, Made] = {}

    @property
    def spent(self) -> float:
        """Credits, as far as they are told."""
        return sum(made.cost for made in self._made.values())

    def usual(self, payload: BasePayload) -> float:
        """Give the most that one with the same settings took, 0 where that is not known."""
        settings = _settings(payload)
        return max((made.cost for made in self._made.values() if made.settings == settings), default=0.0)

    def begin(self, state: Generation, payload: BasePayload) -> None:
        """Count a generation from now on."""
        self._made.setdefault(state.id, Made(_settings(payload)))
        self.note(state)

    def note(self, state: Generation) -> None:
        """Take note of what a generation took, if it is one of these."""
        made = self._made.get(state.id)
        if made is not None:
            made.cost = max(made.cost, state.usage.total or 0.0)
            made.is_over = made.is_over or state.is_finished

    async def look(self, client: AsyncClient) -> None:
        """See what has ended by now, where that matters."""
        if self._most is None:
            return
        for name in [name for name, made in self._made.items() if not made.is_over]:
            with suppress(SkillsVideoError):
                self.note(await client.get(name))

    def check(self, pending: int) -> None:
        """Refuse what is beyond the budget; `pending` are submissions that have no id yet.

        Raises:
            Refusal: it is spent, or may be by what is under way.
        """
        most, spent = self._most, self.spent
        if most is None:
            return
        if spent >= most:
            raise Refusal(
                f"{spent:g} of the {most:g} credits of --max-credits are spent. Nothing was sent. Only "
                "the person can raise that, by starting the server anew."
            )
        dearest = max((made.cost for made in self._made.values()), default=0.0)
        unknown = pending + sum(not made.cost and not made.is_over for made in self._made.values())
        if unknown and not dearest:
            dearest = math.inf
        if spent + unknown * dearest >= most:
            raise Refusal(
                f"What is under way, and has no price yet, may take the rest of the {most:g} credits of --max-credits. "
                "Nothing was sent. Follow it to its end with get_generation, then call generate."
            )


def _settings(payload: BasePayload) -> str:
    """Give what the price of a payload may depend on: all but files, addresses, and texts of more than a word."""
    told = [payload.endpoint.model, type(payload).__name__, mapped(_setting, payload.to_dict())]
    return json.dumps(told, sort_keys=True)


def _setting(value: object) -> object:
    if isinstance(value, File) or (isinstance(value, str) and re.search(r"\s|://", value)):
        return True
    return value
