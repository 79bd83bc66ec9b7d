"""What `run` and `wait` show on their way: lines, a live line on a terminal, or JSON for programs."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Any

from skills_video_runtime.downloads.names import path_in
from skills_video_runtime.generations.progress import Fallback, Retry

from .output import amount, console, is_terminal, say, say_json, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from skills_video_runtime.generations.media import MediaFile
    from skills_video_runtime.generations.progress import Event, Report
    from skills_video_runtime.generations.states import Generation

    OnProgress = Callable[[MediaFile, int, int | None], object]


class Lines:
    """Plain lines, one a step: for a pipe, a file, a terminal that can do no more."""

    def __init__(self) -> None:
        self.began = monotonic()
        self.last: Generation | None = None
        self.is_over = False

    def shown(self) -> AbstractContextManager[object]:
        """What shows progress for as long as it is entered."""
        return nullcontext()

    def start(self, what: str, facts: dict[str, Any]) -> None:  # noqa: ARG002  # for programs
        """A generation is about to be made, or waited for."""
        self._line(what)

    def told(self, report: Report) -> None:
        """A call tells something on its way."""
        if isinstance(report, Retry):
            self.retry(*report)
        elif isinstance(report, Fallback):
            self.fallback(*report)
        else:
            self.state(report)

    def state(self, event: Event) -> None:
        """There is a state, which may be no new one."""
        last, self.last = self.last, event.generation
        if last is None or (last.status, last.queue_place) != (event.status, event.queue_place):
            self._state(event)

    def fallback(self, to: str, reason: str) -> None:
        """The stream is given up, for another endpoint or for polling."""
        way = "making it without a stream"
        if to == "poll":
            way = "asking for the state from now on"
        self._line(f"no stream ({reason.rstrip('.')}): {way}")

    def retry(self, what: str, delay: float, reason: str) -> None:
        """A request was made again."""
        ways = {"create": "to make it", "poll": "to ask for the state", "stream": "to follow its stream"}
        named = ways.get(what, "to ask what is under way")
        self._line(f"tried again {named} after {delay:.1f} s: {reason}")

    def downloads(self, count: int) -> AbstractContextManager[OnProgress | None]:
        """Files are about to be fetched."""
        files = "1 file"
        if count > 1:
            files = f"{count} files"
        self._line(f"downloading {files}")
        return nullcontext()

    def finished(self, generation: Generation, files: list[Path] | None) -> None:
        """The generation is finished, well or not; `files` are those that were downloaded, if any were asked for."""
        cost, paid = generation.usage.total, ""
        if cost is not None:
            paid = f", {amount(cost)} credits"
        say(f"{generation.status} {generation.id} in {self.elapsed():.1f} s{paid}")
        for media in generation.videos:
            say(f"  {media.url}")
        for path in files or ():
            say(f"saved {path}")

    def id_or(self, other: str | None) -> str | None:
        """Give the id that was seen, else another."""
        if self.last is None:
            return other
        return self.last.id

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return monotonic() - self.began

    def _state(self, event: Event) -> None:
        self._line(f"{event.status} {about(event)}")

    def _line(self, text: str) -> None:
        say(f"{self.elapsed():6.1f} s  {text}")


class Live(Lines):
    """A line that is rewritten: the state, where it came from, the time; then a bar for each download."""

    def __init__(self) -> None:
        super().__init__()
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # takes long

        state = TextColumn("[bold]{task.description}[/bold]")
        columns = (SpinnerColumn(), state, TextColumn("{task.fields[about]}", markup=False), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console(), transient=True)
        self.task = self.progress.add_task("", about="")

    def shown(self) -> AbstractContextManager[object]:
        """The line."""
        return self.progress

    def start(self, what: str, facts: dict[str, Any]) -> None:  # noqa: ARG002  # as above
        """Show what is waited for."""
        self._update("starting", visible(what))

    @contextmanager
    def downloads(self, count: int) -> Generator[OnProgress]:  # noqa: ARG002  # the bars tell
        """Show a bar for each file."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415  # as above

        self.progress.stop()
        name = TextColumn("{task.description}", markup=False)
        bars = Progress(name, BarColumn(), DownloadColumn(), console=self.progress.console)
        tasks: dict[str, Any] = {}

        def on_progress(media: MediaFile, received: int, total: int | None) -> None:
            if media.url not in tasks:
                tasks[media.url] = bars.add_task(visible(_name(media)), total=total)
            bars.update(tasks[media.url], completed=received, total=total)

        with bars:
            yield on_progress

    def _state(self, event: Event) -> None:
        self._update(visible(event.status), visible(about(event)))

    def _line(self, text: str) -> None:
        self.progress.console.print(visible(f"{self.elapsed():6.1f} s  {text}"))

    def _update(self, state: str, about: str) -> None:
        from rich.markup import escape  # noqa: PLC0415  # as above

        self.progress.update(self.task, description=escape(state), about=about, refresh=True)


class JsonLines(Lines):
    """One JSON object a step, and nothing else."""

    def start(self, what: str, facts: dict[str, Any]) -> None:  # noqa: ARG002  # for readers
        """Tell what begins."""
        self._event("start", **facts)

    def fallback(self, to: str, reason: str) -> None:
        """Tell what comes in place of the stream."""
        self._event("fallback", to=to, reason=reason, generation_id=self.id_or(None))

    def retry(self, what: str, delay: float, reason: str) -> None:
        """Tell which request was made again, after how many seconds."""
        self._event("retry", request=what, delay=round(delay, 3), reason=reason)

    def downloads(self, count: int) -> AbstractContextManager[OnProgress | None]:  # noqa: ARG002  # the last line tells
        """Say nothing."""
        return nullcontext()

    def finished(self, generation: Generation, files: list[Path] | None) -> None:
        """Tell the end."""
        event: dict[str, Any] = {
            "event": "terminal",
            "ok": generation.status == "COMPLETED",
            "generation_id": generation.id,
            "status": generation.status,
            "response": generation.raw,
        }
        if files is not None:
            event["files"] = [str(path) for path in files]
        self.is_over = True
        say_json(event, indent=None)

    def _state(self, event: Event) -> None:
        facts: dict[str, Any] = {"generation_id": event.generation.id, "status": event.status, "source": event.source}
        if event.queue_place is not None:
            facts["queue_place"] = event.queue_place
        self._event("state", **facts)

    def _event(self, name: str, **facts: Any) -> None:
        say_json({"event": name, **facts, "elapsed": round(self.elapsed(), 3)}, indent=None)


def about(event: Event) -> str:
    """Say which generation is in a state, where that was told, and its place in the queue."""
    told = f"{event.generation.id} ({event.source})"
    if event.queue_place is not None:
        told += f", place {event.queue_place} in the queue"
    return told


def reporter(*, json_lines: bool) -> Lines:
    """Give what suits standard output."""
    if json_lines:
        return JsonLines()
    if is_terminal():
        return Live()
    return Lines()


def _name(media: MediaFile) -> str:
    return media.file_name or path_in(media.url).rpartition("/")[2] or "file"
