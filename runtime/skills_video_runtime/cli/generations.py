"""`run`, `wait`, `get`, `running`, `credits`, `recover`: what the client does, with its progress and its end shown."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from shlex import quote
from time import monotonic
from typing import TYPE_CHECKING, Any

from skills_video_runtime.client import Client
from skills_video_runtime.errors import GenerationFailed, RecordUnusable, SkillsVideoError, SubmissionUncertain
from skills_video_runtime.generations.claims import NOTHING_MADE, NOTHING_SENT
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.http.addresses import without_password
from skills_video_runtime.json_values import as_object, mapped
from skills_video_runtime.payloads.file import File

from .destination import Destination
from .exits import BAD_USAGE, OTHER, exit_code
from .failure import error_event, in_words, lost, resume, tell
from .output import OutputLost, amount, complain, existing, say, say_json, table, without_key
from .progress import reporter
from .signals import Stopped
from .watch import Watched, tell_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from skills_video_runtime.downloads.names import Overwrite
    from skills_video_runtime.generations.outcomes import Recovered
    from skills_video_runtime.generations.states import Generation, Usage
    from skills_video_runtime.payloads.base import BasePayload

    from .progress import Lines

ASKING = RetryPolicy(attempts=3)  # for a question that somebody waits in front of: our choice
LONGEST = 300  # characters of a request in a list


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for a call; times in seconds."""

    timeout: float = 900.0
    poll_interval: float = 3.0
    download: Path | None = None
    journal: str | None = None
    stream: bool = True
    json_lines: bool = False
    key: str | None = None
    opens: bool = False
    overwrite: Overwrite = "never"


def run(payload: BasePayload, choices: Choices) -> int:
    """Make a generation and follow it to its end."""
    stream = _is_streamed(payload, choices)
    _note_unknown(payload)
    facts = {
        "model": payload.endpoint.model,
        "variant": type(payload).__name__,
        "stream": stream,
        "input": mapped(_shown, payload.to_dict()),
    }

    def work(client: Client) -> Generation:
        if choices.stream:
            return client.generate(payload, key=choices.key)
        began = monotonic()
        generation = client.submit(payload, key=choices.key)
        if not generation.id:  # which is whole then, as nothing else could be waited for
            return generation
        left = max(choices.timeout - (monotonic() - began), 0.001)
        return client.wait(generation.id, timeout=left)

    return _follow(payload.endpoint.model, facts, choices, work)


def show_request(payload: BasePayload, choices: Choices) -> int:
    """Check all that `run` checks before it opens its journal, and print what it would post. Nothing is sent."""
    _destination(choices)
    path, form = payload.endpoint.create, "application/json"
    if _is_streamed(payload, choices):
        path = payload.endpoint.stream or path
    if payload.goes_as_form():
        form = "multipart/form-data"
        _, files = payload.to_multipart()
        if payload.urlencoded and not files:
            form = "application/x-www-form-urlencoded"
    with Client(timeout=choices.timeout, poll_interval=choices.poll_interval, journal=choices.journal) as client:
        url = f"{client.base_url}{path}"
    request = {"method": "POST", "url": url, "content_type": form, "body": mapped(_shown, payload.to_dict())}
    facts = {"sent": False, "model": payload.endpoint.model, "variant": type(payload).__name__}
    say_json({**facts, "not_in_schema": _note_unknown(payload), "request": request})
    return 0


def _note_unknown(payload: BasePayload) -> list[str]:
    """Tell which fields the schema does not name, one of which may be misspelt, and give them."""
    unknown = list(as_object(getattr(payload, "extra", None)) or ())
    if unknown:
        complain(f"note: sent as they are, since the schema does not name them: {', '.join(unknown)}")
    return unknown


def _is_streamed(payload: BasePayload, choices: Choices) -> bool:
    return choices.stream and payload.endpoint.stream is not None and not payload.goes_as_form()


def wait(generation_id: str, choices: Choices) -> int:
    """Follow a generation that was made before."""
    facts = {"generation_id": generation_id}

    def work(client: Client) -> Generation:
        return client.wait(generation_id)

    return _follow(generation_id, facts, choices, work, generation_id=generation_id)


def _follow(
    what: str,
    facts: dict[str, Any],
    choices: Choices,
    work: Callable[[Client], Generation],
    *,
    generation_id: str | None = None,
) -> int:
    destination = _destination(choices)
    show = reporter(json_lines=choices.json_lines)
    with Watched(timeout=choices.timeout, poll_interval=choices.poll_interval, journal=choices.journal) as client:
        client.watch(show.told)
        try:
            show.start(what, facts)
        except OutputLost as error:
            error.add_note(NOTHING_SENT)
            return _interrupted(error, show, choices, generation_id)
        try:
            files = None
            with show.shown():
                generation = work(client)
                if destination is not None:
                    files = _download(client, generation, destination, choices.key, show)
            show.finished(generation, files)
            client.hand_over(generation.id)
        except GenerationFailed as error:
            show.finished(error.generation, None)
            client.hand_over(error.generation.id)
            complain(f"error: {error}")
            return exit_code(error)
        except (Stopped, OutputLost) as error:
            return _interrupted(error, show, choices, generation_id)
        except Exception as error:  # noqa: BLE001  # whatever happens, who paid is told the id
            code, known = _code_of(error, show), show.id_or(generation_id)
            return tell(error, code, json_lines=choices.json_lines, generation_id=known)
    if choices.opens:
        from .opening import open_video  # noqa: PLC0415  # for who has a screen

        open_video(generation, files)
    return 0


def _code_of(error: Exception, show: Lines) -> int:
    seen = show.last is not None
    if isinstance(error, SkillsVideoError):
        return exit_code(error, following=seen)
    if isinstance(error, ValueError) and not seen:
        return BAD_USAGE
    return OTHER


def _destination(choices: Choices) -> Destination | None:
    if choices.download is None:
        return None
    return Destination.read(choices.download, choices.key, choices.overwrite)


def _download(
    client: Client, generation: Generation, destination: Destination, key: str | None, show: Lines
) -> list[Path]:
    count = len(generation.videos)
    if not count:
        complain("note: the generation has no files to download")
        return []
    with show.downloads(count) as on_progress:
        return destination.fetch(client, generation, key, on_progress)


def _interrupted(error: Stopped | OutputLost, show: Lines, choices: Choices, generation_id: str | None) -> int:
    """Leave the id and the command that resumes, or that nothing was made, if that is what the call says."""
    if isinstance(error, OutputLost):
        lost(error)
    known = show.id_or(generation_id)
    if choices.json_lines and not show.is_over:
        with suppress(OutputLost):
            say_json(error_event(error, error.exit_code, known), indent=None)
    journal = choices.journal and without_password(choices.journal)
    options = "".join(
        f" {name} {quote(str(value).replace('{key}', choices.key or '{key}'))}"
        for name, value in (("--download", choices.download), ("--journal", journal))
        if value is not None
    )
    if known:
        fate = "goes on, and is paid for"
        if show.last and show.last.is_finished:
            fate = "is finished"
        complain(f"interrupted: generation {known} {fate}. To resume:\n  {resume(known, options)}")
        return error.exit_code
    certain = {NOTHING_SENT, NOTHING_MADE}.intersection(getattr(error, "__notes__", ()))
    if certain:
        complain(f"interrupted: {certain.pop().lower()}")
        return error.exit_code
    then = "running"
    if choices.journal:
        then = f"recover{options}"
    complain(
        "interrupted before an id was told: a generation may have been made and charged. To see it:\n"
        f"  skills-video {then}"
    )
    return error.exit_code


def get(generation_id: str, *, as_json: bool) -> None:
    """Ask once for the state of a generation."""
    with Client(retry=ASKING) as client:
        _show(client.get(generation_id), as_json=as_json)


def cancel(generation_id: str, journal: str | None, *, as_json: bool) -> None:
    """Cancel a generation, and show its state after that."""
    if journal is not None:
        journal = existing(journal)
    with Client(retry=ASKING, journal=journal) as client:
        _show(client.cancel(generation_id), as_json=as_json)


def _show(generation: Generation, *, as_json: bool) -> None:
    if as_json:
        say_json(generation.raw)
        return
    cost = "-"
    if generation.usage.total is not None:
        cost = amount(generation.usage.total)
    rows = [("id", generation.id), ("status", generation.status), ("credits", cost)]
    rows += [(name, told) for name, told in (("code", generation.code), ("message", generation.message)) if told]
    rows += [("file", media.url) for media in generation.videos]
    table(("generation", ""), rows)


def running(limit: int, workspace: str | None, *, as_json: bool) -> None:
    """Show what is queued or running."""
    with Client(retry=ASKING) as client:
        found = client.running(limit, workspace)
    if as_json:
        say_json([generation.raw for generation in found])
    elif found:
        table(("id", "status", "input"), [(item.id or "-", item.status, _brief(item.input)) for item in found])
    else:
        say("nothing is queued or running")


def credits_left(*, as_json: bool) -> None:
    """Show the balance."""
    with Client(retry=ASKING) as client:
        balance = client.credits()
    if as_json:
        say_json(balance.raw)
    else:
        say(in_pots(balance))


def in_pots(balance: Usage) -> str:
    """Write a balance on one line; where its shape is not the expected one, as it came."""
    pots = {"total": balance.total, "subscription": balance.subscription, "permanent": balance.permanent}
    known = [f"{name} {amount(left)}" for name, left in pots.items() if left is not None]
    return ", ".join(known) or json.dumps(balance.raw)


def recover(journal: str, choices: Choices, *, as_json: bool) -> int:
    """Finish what a journal knows to be begun; the exit code is that of the first that did not end well."""
    destination = _destination(replace(choices, key=""))  # each record has its own
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


def _brief(value: object) -> str:
    if value is None:
        return "-"
    text = without_key(json.dumps(value, ensure_ascii=False))
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…"


def _shown(value: Any) -> Any:
    """Give a file by its name, as JSON can say it."""
    if isinstance(value, File):
        return f"@{value.name}"
    return value
