"""The command line as a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from skills_video import openai_sora_2
from skills_video_runtime import Client
from tests.support import children
from tests.support.children import PATIENCE
from tests.support.warm import finished

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from skills_video_runtime.sandbox import Sandbox


def environment(sandbox: Sandbox | None = None, **more: str) -> dict[str, str]:
    """What a process sees: nothing of the user's, the sandbox if there is one."""
    known: dict[str, str] = {}
    if sandbox is not None:
        known = {"SKILLS_VIDEO_BASE_URL": sandbox.url, "SKILLS_VIDEO_API_KEY": sandbox.api_key}
    return children.environment(**{**known, **more})


def command(*arguments: str, package: str = "skills_video") -> list[str]:
    return [sys.executable, "-m", package, *arguments]


def call(
    *arguments: object,
    sandbox: Sandbox | None = None,
    folder: Path | None = None,
    stdin: str = "",
    package: str = "skills_video",
    seconds: float = PATIENCE,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; no traceback is ever shown."""
    done = finished(
        command(*map(str, arguments), package=package),
        seconds=seconds,
        env=environment(sandbox, **more),
        cwd=folder,
        input=stdin,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def made(sandbox: Sandbox) -> str:
    """Make a generation, and give its id."""
    with Client(sandbox.api_key, sandbox.url) as client:
        return client.submit(openai_sora_2.Payload(prompt="neon rain")).id


def strict(text: str) -> Any:
    """Read JSON as its standard has it: without NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def events(text: str) -> list[dict[str, Any]]:
    """Read `--json-lines`: each line is an object, and there is nothing else."""
    read = [strict(line) for line in text.splitlines()]
    assert all(isinstance(event, dict) and "event" in event for event in read)
    return read
