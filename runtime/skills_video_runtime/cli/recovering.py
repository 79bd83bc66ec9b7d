"""`recover`: what a journal knows to be begun is finished, or dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skills_video_runtime.client import Client
from skills_video_runtime.errors import RecordUnusable, SkillsVideoError, SubmissionUncertain

from .exits import OTHER, exit_code
from .failure import error_event, in_words
from .generations import destination_of
from .output import complain, existing, say, say_json
from .signals import Stopped
from .watch import Watched, tell_state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skills_video_runtime.generations.records import Recovered

    from .destination import Destination
    from .generations import Choices


def recover(journal: str, choices: Choices, *, as_json: bool) -> int:
    """Finish what a journal knows to be begun; the exit code is that of the first that did not end well."""
    destination = destination_of(replace(choices, key=""))  # each record has its own
    journal = existing(journal)
    with Watched(timeout=choices.timeout, poll_interval=choices.poll_interval, journal=journal) as client:
        client.watch(tell_state)
        endings: list[_Ending] = []
        try:
            for item in client.recover():
                endings.append(_ending(client, item, destination))
                if not as_json:
                    say(endings[-1].as_text())
                    endings[-1].hand_over(client)
        except Stopped as stop:
            complain("interrupted: what is not finished stays in the journal, and the same command goes on")
            if as_json:
                say_json(error_event(stop, stop.exit_code))
            return stop.exit_code
        if as_json:
            say_json([ending.as_json() for ending in endings])
            for ending in endings:
                ending.hand_over(client)
        elif not endings:
            say("the journal holds nothing unfinished")
    return next((ending.code for ending in endings if ending.code), 0)


def forget(journal: str, keys: Sequence[str]) -> int:
    """Drop records of a journal."""
    with Client(journal=existing(journal)) as client:
        for key in keys:
            try:
                client.settle(key)
            except ValueError:  # no key of the owner's: the number of a record
                if not key.isdecimal():
                    raise
                client.settle(int(key))
            say(f"record {key} is forgotten")
    return 0


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of a record of a journal, and its files."""

    item: Recovered
    files: list[Path]
    problem: Exception | None

    @property
    def id(self) -> str:
        if self.item.generation is not None:
            return self.item.generation.id
        return (self.item.error and self.item.error.generation_id) or ""

    def hand_over(self, client: Watched) -> None:
        """Tell the journal that it need not give this again, unless files are missing."""
        if self.problem is self.item.error:
            client.hand_over(self.id)

    @property
    def code(self) -> int:
        if self.problem is None:
            return 0
        if isinstance(self.problem, SkillsVideoError):
            return exit_code(self.problem)
        return OTHER

    def as_text(self) -> str:
        lines = [f"{self.item.model}: error: {in_words(self.problem)}"]
        if self.item.generation is not None:
            lines = [f"{self.item.model}: {self.item.generation.status} {self.id}"]
        lines += [f"saved {path}" for path in self.files]
        if self.item.generation is not None and self.problem is not None:
            lines.append(f"error: {in_words(self.problem)}")
        elif isinstance(self.problem, (SubmissionUncertain, RecordUnusable)):
            lines.append(f"it stays in the journal; to drop it: recover --journal FILE --forget {self.item.key}")
        return "\n  ".join(lines)

    def as_json(self) -> dict[str, Any]:
        generation, error = None, None
        if self.item.generation is not None:
            generation = self.item.generation.raw
        if self.problem is not None:
            error = error_event(self.problem, self.code, self.id or None)
        return {
            "key": self.item.key,
            "model": self.item.model,
            "input": self.item.input,
            "generation": generation,
            "error": error,
            "files": [str(path) for path in self.files],
        }


def _ending(client: Client, item: Recovered, destination: Destination | None) -> _Ending:
    """Fetch the files of what was recovered; one that fails keeps no other from being fetched."""
    if destination is None or item.generation is None:
        return _Ending(item, [], item.error)
    if not item.generation.has_files:
        complain(f"note: generation {item.generation.id} has no files to download")
        return _Ending(item, [], None)
    try:
        return _Ending(item, destination.fetch(client, item.generation, str(item.key)), None)
    except (SkillsVideoError, OSError) as error:
        return _Ending(item, [], error)
