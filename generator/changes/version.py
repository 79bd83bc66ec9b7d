"""What an update does to the version (semver.org, 2.0.0)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator import VERSION
from generator.diagnostics import counted

from .change import COSMETIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .change import Change


def propose(changes: Sequence[Change]) -> str:
    """Propose the next version: what breaks is major, what order and wording leave is minor, they alone are a patch."""
    breaking = sum(change.breaking for change in changes)
    major, minor, patch = (int(part) for part in re.findall(r"\d+", VERSION)[:3])
    if not changes:
        return "version: none; nothing changed"
    if all(change.kind == "warning" for change in changes):
        return "version: none; no caller notices"
    if breaking and major:
        return f"version: major, {VERSION} → {major + 1}.0.0; {counted(breaking, 'change')} that callers notice"
    if breaking:
        reason = "would be major, and the minor number counts while the version is 0.x"
        return f"version: minor, {VERSION} → 0.{minor + 1}.0; {counted(breaking, 'breaking change')} {reason}"
    if any(change.kind not in (*COSMETIC, "warning") for change in changes):
        return f"version: minor, {VERSION} → {major}.{minor + 1}.0; nothing breaks, and there is something new"
    return f"version: patch, {VERSION} → {major}.{minor}.{patch + 1}; order and wording alone"
