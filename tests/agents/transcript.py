"""`python -m tests.agents.transcript`: an agent makes a video, as docs/agents-transcript.md shows it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import textwrap
from pathlib import Path
from unittest.mock import patch

import anyio

from skills_video_runtime.sandbox import Sandbox
from tests.support.agents import environment, serving, text_of

HEAD = """# An agent makes a video

What the tools of `skills-video mcp` answer to the SDK's client. `make docs` writes this page from a
run against the sandbox, and a test compares it. Below each call stands the text of its answer. It
has the same as data, and links to the files beside it.
"""
VIDEO = {"model": "kling_v2_6", "variant": "TextImageToVideo", "payload": {"prompt": "neon rain", "duration": 10}}
WRONG = {**VIDEO, "payload": {"prompt": "neon rain", "duration": 7, "aspect_ratoi": "9:16"}}


def transcript() -> str:
    """Run the conversation, and write the page."""
    with Sandbox(speed=0) as sandbox, tempfile.TemporaryDirectory() as name, patch.dict(os.environ) as given:
        folder = Path(name).resolve()
        given.update(environment(sandbox))
        told = anyio.run(_talk, sandbox, folder)
        whole = "\n".join(told).replace(sandbox.origin, "https://sandbox").replace(str(folder), "~")
    return f"{HEAD}\n{whole}"


async def _talk(sandbox: Sandbox, folder: Path) -> list[str]:
    told: list[str] = []
    async with serving(folder, wait=0.5) as client:

        async def call(remark: str, name: str, **arguments: object) -> None:
            answer = text_of(await client.call_tool(name, arguments))
            lines = [f"{name} {json.dumps(arguments)}", *answer.splitlines()]
            wrapped = [part for line in lines for part in textwrap.wrap(line, 98, subsequent_indent="  ")]
            told.extend([remark, "", "```text", f"> {wrapped[0]}", *wrapped[1:], "```", ""])

        await call("The account:", "account")
        await call("Which models can do it?", "find_models", search="kling 2.6", seconds=10, sound=True)
        await call("A mistake costs nothing, and is answered with what is allowed.", "check_payload", **WRONG)
        await call("It is made, and takes longer than a host waits.", "generate", **VIDEO)
        await call("An agent that does not heed that pays nothing.", "generate", **VIDEO)
        sandbox.advance(600)
        await call("Later, or in another session:", "get_generation", id="gen_000001", wait=30)
        await call("The file is saved below the directory of the server.", "download", id="gen_000001")
    return told


if __name__ == "__main__":
    sys.stdout.write(transcript())
