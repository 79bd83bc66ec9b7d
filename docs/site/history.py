"""What has changed of each field, over the ages of the descriptions that git has.

An age is a commit that changed what the descriptions in `specs/` say, along the first parents. What is told depends on
the repository alone. Ages are kept once they were read, since reading them takes longest.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.changes.change import COSMETIC, SHARED
from generator.changes.models import compare
from generator.changes.revisions import found_in
from generator.diagnostics import GeneratorError
from generator.output.classes import module_of

from .pages import ROOT, write
from .writing import cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.changes.change import Change
    from generator.run import Found

MOST: Final = 30
"""The newest ages that are told of. The limit is ours, for the time that a build takes."""

Lines: Final = dict[str, str]
"""How the fields of an age stand in the modules, by model, class and name on the wire, each on a line of its own."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one place."""

    model: str
    scope: str
    """The payload class or answer that the place is in; empty where the model has one alone."""
    place: str
    text: str
    said: str
    """The text as Markdown, in which all that is not our own is text."""
    kind: str
    verdict: str
    before: str = ""
    """How the field stood in the module, where that differs."""
    after: str = ""

    @property
    def path(self) -> str:
        """The place within the model."""
        return ".".join(filter(None, (self.scope, self.place)))

    @property
    def is_cosmetic(self) -> bool:
        """Whether it is about order and wording alone."""
        return self.kind in COSMETIC


@dataclass(frozen=True, slots=True)
class Age:
    """A commit with what it changed; the first one has changed nothing."""

    commit: str
    date: str
    """When it was committed, as ISO 8601 has it, in UTC."""
    events: tuple[Event, ...] = ()

    @property
    def day(self) -> str:
        """The day of that."""
        return self.date[:10]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.commit[:10]


@dataclass(frozen=True, slots=True)
class History:
    """The ages, oldest first, and since when each field is there without a gap."""

    ages: tuple[Age, ...]
    remark: str
    """What a reader must know of where it begins; why there is nothing."""
    since: Mapping[str, Age] = field(default_factory=dict[str, Age])
    """By model and name on the wire, as `key` writes it."""

    def of(self, model: str) -> list[tuple[Age, list[Event]]]:
        """Give what changed of a model, the newest first."""
        found = [(age, [event for event in age.events if event.model == model]) for age in reversed(self.ages)]
        return [(age, events) for age, events in found if events]


def key(*names: str) -> str:
    """Write names as one."""
    return json.dumps(names)


def read(cache: Path) -> History:
    """Read what git has of the descriptions. Where it has nothing, the remark says why."""
    commits = _commits()
    if not commits:
        return History((), "This site was built without the git repository, so that nothing is known of earlier ages.")
    remark = "Nothing is known of what was before."
    if _git("rev-parse", "--is-shallow-repository").strip() == "true":
        remark = "The site was built from a shallow clone, which knows nothing of what was before."
    elif len(commits) > MOST:
        remark = f"Of {len(commits)} commits to the descriptions, the last {MOST} are told of."
    return _told(commits[-MOST:], remark, _Cache(cache))


def _told(commits: list[tuple[str, str]], remark: str, cache: _Cache) -> History:
    ages: list[Age] = []
    since: dict[str, Age] = {}
    last = ""
    lines: dict[str, str] = {}
    for commit, date in commits:
        now = cache.lines(commit)
        if now is None:
            continue
        events = tuple(cache.events(last, commit, lines, now)) if last else ()
        if last and not events:
            continue
        age = Age(commit, date, events)
        ages.append(age)
        names = {_field(place) for place in now}
        since = {name: since.get(name, age) for name in names}
        last, lines = commit, now
    return History(tuple(ages), remark, since)


def _field(place: str) -> str:
    model, _, wire = json.loads(place)
    return key(model, wire)


class _Cache:
    """What was read of commits, kept in a folder. A generator that has changed since reads anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        sources = [Path(__file__), *sorted((ROOT / "generator").rglob("*.py"))]
        self.digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
        self.read: dict[str, Found] = {}

    def lines(self, commit: str) -> dict[str, str] | None:
        """Give how each field of a commit stands in the modules; None where its descriptions cannot be read."""
        kept = self._kept(commit)
        if kept is None:
            kept = self._keep({"lines": self._lines(commit)}, commit)
        lines: dict[str, str] | None = kept["lines"]
        return lines

    def events(self, old: str, new: str, before: dict[str, str], after: dict[str, str]) -> Iterator[Event]:
        """Give what changed between two commits."""
        kept = self._kept(old, new)
        if kept is None:
            changes = compare(self._found(old), self._found(new))
            kept = self._keep({"events": [asdict(_event(change, before, after)) for change in changes]}, old, new)
        yield from (Event(**event) for event in kept["events"])

    def _lines(self, commit: str) -> dict[str, str] | None:
        try:
            found = self._found(commit)
        except GeneratorError:
            return None
        return {
            key(model.model, item.name, each.wire): f"{each.name}: {each.annotation}"
            for model in found.selection.models
            for item in module_of(model).classes
            for each in item.fields
        }

    def _found(self, commit: str) -> Found:
        if commit not in self.read:
            self.read[commit] = found_in(commit, None)
        return self.read[commit]

    def _path(self, commits: tuple[str, ...]) -> Path:
        return self.folder / f"{'-'.join(commits)}-{self.digest}.json"

    def _kept(self, *commits: str) -> dict[str, Any] | None:
        path = self._path(commits)
        if not path.is_file():
            return None
        kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return kept

    def _keep(self, told: dict[str, Any], *commits: str) -> dict[str, Any]:
        write(self._path(commits), json.dumps(told).encode())
        return told


def _event(change: Change, before: dict[str, str], after: dict[str, str]) -> Event:
    wire = re.split(r"[.\[]", change.place)[0]
    was, now = (_line(lines, change, wire) for lines in (before, after))
    if was == now or change.kind in COSMETIC:
        was = now = ""
    told = change.text(), change.text(cell), change.kind, change.verdict
    return Event(change.model or SHARED, change.scope, change.place, *told, was, now)


def _line(lines: dict[str, str], change: Change, wire: str) -> str:
    """Give how the field of a change stands in its class, else as it stands in all classes that have such a field."""
    if not wire:
        return ""
    own = lines.get(key(change.model, change.scope.partition(".")[0], wire))
    if own is not None:
        return own
    found = {line for place, line in lines.items() if json.loads(place)[::2] == [change.model, wire]}
    if len(found) == 1:
        return found.pop()
    return ""


def _commits() -> list[tuple[str, str]]:
    """Give the commits that touch the descriptions and the time of each, oldest first."""
    if _git("rev-parse", "--show-prefix").strip() or not (ROOT / ".git").exists():
        return []
    log = _git("log", "--first-parent", "--reverse", "--format=%H %ct", "--", "specs")
    found = (line.split() for line in log.splitlines())
    return [(commit, datetime.fromtimestamp(int(seconds), UTC).isoformat()) for commit, seconds in found]


def _git(*arguments: str) -> str:
    """Ask git; where it cannot be run, or has no such repository, it says nothing."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # a list, and nothing from outside
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "replace")
