"""A budget of a client: what the answers say that its generations took is added up, and bounds the next post."""

from __future__ import annotations

from threading import Lock
from typing import ClassVar

from .errors import SkillsVideoError
from .json_values import is_number


class BudgetExceeded(SkillsVideoError):  # noqa: N818  # as the other errors
    """The generations of a client have taken as many credits as it may spend. Nothing was made."""

    category: ClassVar[str] = "budget"
    guidance: ClassVar[str] = "Nothing was made. A client with a higher max_credits goes on."


class Budget:
    """The credits that a client may spend, if that is bounded, and those that it has. Safe to share between threads."""

    def __init__(self, most: float | None = None) -> None:
        if most is not None and (not is_number(most) or most <= 0):
            raise ValueError(f"max_credits must be a positive number of credits, not {most!r:.80}")
        self.most, self.spent, self._lock = most, 0.0, Lock()
        self.known: dict[object, float] = {}
        """What each generation took, as far as it is known."""

    def check(self) -> None:
        """Refuse, by BudgetExceeded, a post beyond the budget."""
        if self.most is not None and self.spent >= self.most:
            raise BudgetExceeded(f"{self.spent:g} of {self.most:g} credits are spent.")

    def knows(self, generation: object) -> bool:
        """Tell whether a generation was counted before."""
        return generation in self.known

    def count(self, generation: object, told: float | None) -> None:
        """Add what a generation took beyond what is known of it."""
        with self._lock:
            known = self.known.setdefault(generation, 0.0)
            self.known[generation] = max(known, told or 0.0)
            self.spent += self.known[generation] - known
