"""`--download`: a directory, or the path of a file with `{id}` and `{key}` in its name, such as `out/{key}.mp4`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skills_video_runtime.downloads.names import place, safe_name

from .output import UsageProblem

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.client import Client
    from skills_video_runtime.generations.states import Generation
    from skills_video_runtime.http.session import OnProgress

FILLED_IN = re.compile(r"\{(?:id|key)\}")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where files go, and what they are called, if that is told."""

    directory: Path
    pattern: str

    @classmethod
    def read(cls, given: Path, key: str | None) -> Destination:
        """Read what was given, and refuse what no file can be put into, before anything is sent.

        Raises:
            UsageProblem: It cannot be made or written, is no directory, or has a name that cannot be filled in.
        """
        directory, pattern = given, ""
        if "{" in given.name:
            directory, pattern = given.parent, given.name
        if re.search("[{}]", f"{directory}{FILLED_IN.sub('', pattern)}"):
            raise UsageProblem(f"--download {str(given)!r:.200}: {{id}} and {{key}} may stand in the name of a file")
        if "{key}" in pattern and key is None:
            raise UsageProblem(f"--download {str(given)!r:.200}: {{key}} needs --key TEXT")
        above = directory.absolute()
        while not os.path.lexists(above):
            above = above.parent
        if not above.is_dir():
            raise UsageProblem(f"--download {str(given)!r:.200}: {str(above)!r:.200} is no directory")
        if not os.access(above, os.W_OK | os.X_OK):
            raise UsageProblem(f"--download {str(given)!r:.200}: {str(above)!r:.200} cannot be written")
        return cls(directory, pattern)

    def fetch(
        self, client: Client, generation: Generation, key: str | None, on_progress: OnProgress | None = None
    ) -> list[Path]:
        """Download the files. What exists is kept: a new file gets a number to its name, as further files do."""
        files = client.download(generation, self.directory, on_progress)
        if not self.pattern:
            return files
        name = self.pattern.replace("{id}", _plain(generation.id)).replace("{key}", _plain(key or ""))
        named: list[Path] = []
        for file in files:
            named.append(place(file, self.directory, safe_name(name, "video/mp4")))
            file.unlink(missing_ok=True)
        return named


def _plain(text: str) -> str:
    """Give a text that is one part of a path."""
    return re.sub(r"[/\\{}]", "_", text)
