"""What an update does to the version (semver.org, 2.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator import VERSION

from .change import COSMETIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .change import Change


@dataclass(frozen=True, slots=True)
class Proposal:
    """The part of the version to raise, and what comes of it."""

    level: Literal["major", "minor", "patch", "none"]
    version: str
    """The next version; the present one where nothing changed."""
    reason: str

    def __str__(self) -> str:
        """Say it on one line."""
        if self.level == "none":
            return f"version: none; {self.reason}"
        return f"version: {self.level}, {VERSION} → {self.version}; {self.reason}"


def propose(changes: Sequence[Change]) -> Proposal:
    """Propose the next version: what breaks is major, what order and wording leave is minor, they alone are a patch."""
    breaking = sum(change.breaking for change in changes)
    others = sum(change.kind not in COSMETIC for change in changes)
    major, minor, patch = (int(part) for part in re.findall(r"\d+", VERSION)[:3])
    if breaking and major:
        return Proposal("major", f"{major + 1}.0.0", f"{count(breaking, 'change')} that callers notice")
    if breaking:
        reason = (
            f"{count(breaking, 'breaking change')} would be major, and the minor number counts while the version is 0.x"
        )
        return Proposal("minor", f"0.{minor + 1}.0", reason)
    if others:
        return Proposal("minor", f"{major}.{minor + 1}.0", "nothing breaks, and there is something new")
    if changes:
        return Proposal("patch", f"{major}.{minor}.{patch + 1}", "order and wording alone")
    return Proposal("none", VERSION, "nothing changed")


def count(number: int, noun: str) -> str:
    """Say how many there are of something."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
