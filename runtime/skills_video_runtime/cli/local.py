"""`sandbox`: the options are those of the sandbox's own command, which needs no extra but its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def sandbox(arguments: Sequence[str]) -> int:
    """Run the sandbox until it is told to end; wrong arguments are bad usage, as everywhere on this command line."""
    from skills_video_runtime.sandbox.command import main  # noqa: PLC0415  # only this command needs it

    try:
        return main(arguments, "skills-video sandbox")
    except SystemExit as end:
        return 1 if end.code else 0
