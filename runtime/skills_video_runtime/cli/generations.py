"""`run` and `wait`: a generation is followed to its end, with its progress and its end shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from time import monotonic
from typing import TYPE_CHECKING, Any

from skills_video_runtime.client import Client
from skills_video_runtime.errors import GenerationFailed, SkillsVideoError
from skills_video_runtime.generations.claims import NOTHING_MADE, NOTHING_SENT
from skills_video_runtime.generations.keyed import check_key
from skills_video_runtime.http.addresses import without_password
from skills_video_runtime.json_values import as_object, mapped
from skills_video_runtime.payloads.file import File

from .destination import Destination
from .exits import BAD_USAGE, OTHER, exit_code
from .failure import error_event, lost, resume, tell
from .output import OutputLost, complain, existing, say_json
from .progress import reporter
from .signals import Stopped
from .watch import Watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from skills_video_runtime.downloads.names import Overwrite
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.payloads.base import BasePayload

    from .progress import Lines


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
    destination_of(choices)
    if choices.key is not None:
        check_key(choices.key)
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
    if choices.journal is not None:
        existing(choices.journal)

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
    destination = destination_of(choices)
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


def destination_of(choices: Choices) -> Destination | None:
    """Give where the files go, if they are asked for; UsageProblem where that cannot be."""
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
    told: list[tuple[str, object]] = [("--download", choices.download)]
    if choices.overwrite != "never":
        told.append(("--overwrite", choices.overwrite))
    told.append(("--journal", choices.journal and without_password(choices.journal)))
    options = "".join(f" {name} {quote(str(value))}" for name, value in told if value is not None)
    if known:
        command = resume(known, options)
        if "{key}" in str(choices.download):  # which only the journal tells
            command = f"skills-video recover{options}"
        fate = "goes on, and is paid for"
        if show.last and show.last.is_finished:
            fate = "is finished"
        complain(f"interrupted: generation {known} {fate}. To resume:\n  {command}")
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


def _shown(value: Any) -> Any:
    """Give a file by its name, as JSON can say it."""
    if isinstance(value, File):
        return f"@{value.name}"
    return value
