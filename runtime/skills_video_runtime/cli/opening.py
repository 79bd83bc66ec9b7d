"""`--open`: the finished video, in the system's own player or browser."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from .output import complain

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.generations.states import Generation


def open_video(generation: Generation, files: list[Path] | None) -> None:
    """Open the first file that was downloaded, or its address, if that is https, where no file was asked for.

    A download has the suffix of a media file, whatever the platform calls it. What cannot be opened is told, and is
    no error: the video is paid for.
    """
    addresses = [media.url for media in generation.videos if media.url.lower().startswith("https:")]
    if files is not None:
        addresses = [file.absolute().as_uri() for file in files]
    if not addresses:
        complain("note: nothing to open: there is no file, and no https address; --download fetches others")
        return
    problem: object = "no program for it is known, or it failed"
    try:
        if webbrowser.open(addresses[0]):
            return
    except (webbrowser.Error, OSError, ValueError) as error:
        problem = error
    complain(f"note: {addresses[0]} was not opened: {problem}")
