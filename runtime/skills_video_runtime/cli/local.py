"""Commands of other rooms, whose options are their own: `sandbox`, and `mcp`, which stands above the command line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skills_video_runtime.catalog import ModelInfo


def sandbox(arguments: Sequence[str]) -> int:
    """Run the sandbox until it is told to end; wrong arguments are bad usage, as everywhere on this command line."""
    from skills_video_runtime.sandbox.command import main  # noqa: PLC0415  # only this command needs it

    try:
        return main(arguments, "skills-video sandbox")
    except SystemExit as end:
        return 1 if end.code else 0


def mcp(models: Sequence[ModelInfo], package: str, arguments: Sequence[str]) -> int:
    """Serve the models to agents. The room that does it imports this one, and so is known here by its name alone."""
    code: int = import_module("skills_video_runtime.agents.command").main(models, package, arguments)
    return code
