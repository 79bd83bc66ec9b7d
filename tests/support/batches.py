"""Batches as processes of their own, and what is to be true of them, however they were ended."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.support.processes import command, environment
from tests.support.warm import started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from skills_video_runtime.sandbox import Sandbox

MODEL = "google/veo-3.1"


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"key": f"row-{number}", "model": MODEL, "payload": {"prompt": f"rain {number}", **fields}}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in rows), "utf-8")
    return path


def lines(directory: Path) -> list[dict[str, Any]]:
    """The lines of the results, none of which is torn."""
    text = (directory / "results.jsonl").read_text("utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def ended_when(
    is_due: Callable[[], bool],
    *arguments: object,
    sandbox: Sandbox,
    seconds: float,
    by: signal.Signals = signal.SIGKILL,
) -> int:
    """Run a command, send it a signal once that is due, and give its exit code."""
    words = [str(word) for word in arguments]
    with started(command(*words), env=environment(sandbox), seconds=seconds) as process:
        drained = threading.Thread(target=process.communicate)
        drained.start()
        while process.poll() is None and not is_due():
            threading.Event().wait(0.002)
        process.send_signal(by)
        drained.join()
        return int(process.returncode)


def paid_twice(sandbox: Sandbox) -> list[str]:
    """The prompts that more than one generation was made of."""
    made = Counter(item.sent["prompt"] for item in sandbox.generations())
    return [prompt for prompt, count in made.items() if count > 1]


def lost(sandbox: Sandbox, directory: Path) -> list[str]:
    """The generations that no line of the results has."""
    known = {line["id"] for line in lines(directory)}
    return [item.id for item in sandbox.generations() if item.id not in known]
