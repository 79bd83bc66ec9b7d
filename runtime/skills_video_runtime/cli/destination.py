"""`--download`: a directory, or the path of a file with fields such as `{id}` in its name: `out/{key}.mp4`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skills_video_runtime.downloads.names import check_pattern

from .output import UsageProblem

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.client import Client
    from skills_video_runtime.downloads.names import Overwrite
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.http.session import OnProgress


@dataclass(frozen=True, slots=True)
class Destination:
    """Where files go, and what they are called, if that is told."""

    directory: Path
    name: str | None
    overwrite: Overwrite

    @classmethod
    def read(cls, given: Path, key: str | None, overwrite: Overwrite) -> Destination:
        """Read what was given, and refuse what no file can be put into, before anything is sent.

        Raises:
            UsageProblem: It cannot be made or written, is no directory, or has a name that cannot be filled in.
        """
        directory, name = given, None
        if "{" in given.name:
            directory, name = given.parent, given.name
        if "{" in str(directory):
            raise UsageProblem(f"--download {str(given)!r:.200}: fields stand in the name of a file, not of a folder")
        if name is not None and "{key" in name and key is None:
            raise UsageProblem(f"--download {str(given)!r:.200}: {{key}} needs the --key TEXT of a run")
        if name is not None:
            check_pattern(name, key, "--download")
        above = directory.absolute()
        while not os.path.lexists(above):
            above = above.parent
        if not above.is_dir():
            raise UsageProblem(f"--download {str(given)!r:.200}: {str(above)!r:.200} is no directory")
        if not os.access(above, os.W_OK | os.X_OK):
            raise UsageProblem(f"--download {str(given)!r:.200}: {str(above)!r:.200} cannot be written")
        return cls(directory, name, overwrite)

    def fetch(
        self, client: Client, generation: Generation, key: str | None, on_progress: OnProgress | None = None
    ) -> list[Path]:
        """Download the files."""
        return client.download(
            generation, self.directory, on_progress, name=self.name, key=key, overwrite=self.overwrite
        )
