"""Record docs/command-line.svg: the commands are run against the sandbox, and a clock that stands still but for us."""

from __future__ import annotations

import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from skills_video.catalog import MODELS
from skills_video_runtime.cli import main, progress

WIDTH = 100
PORT = "4912"
COMMANDS = (
    "skills-video models --search 'kling frames'",
    "skills-video run kling_v2_6 --set prompt='neon rain' --set duration=7",
    "skills-video run kling_v2_6 --set prompt='neon rain' --set duration=10 --download out",
)


class Screen(io.StringIO):
    """What a command writes to, a terminal for those that show no progress."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        """Tell whether it counts as a terminal."""
        return self.is_terminal


def record(target: Path) -> None:
    """Run the commands and write what they show as an SVG that loads nothing."""
    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "NO_COLOR": ""}
    os.environ |= {"SKILLS_VIDEO_API_KEY": "sandbox-key", "SKILLS_VIDEO_BASE_URL": f"http://127.0.0.1:{PORT}/api/v1"}
    ticks = count()
    progress.monotonic = lambda: next(ticks) * 0.4
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for command in COMMANDS:
        console.print(Text(f"$ {command}", style="bold green"))
        screen = Screen(is_terminal=" models " in command)
        with redirect_stdout(screen), redirect_stderr(screen):
            main(MODELS, "skills_video", shlex.split(command)[1:])
        console.print(Text.from_ansi(screen.getvalue()))
    template = inspect.signature(console.export_svg).parameters["code_format"].default
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}\s*", "", template, flags=re.DOTALL)
    console.save_svg(str(target), title="skills-video", code_format=without_fonts, unique_id="screen")


if __name__ == "__main__":
    home = Path(__file__).resolve().parent
    sandbox = [sys.executable, "-m", "skills_video", "sandbox", "--port", PORT, "--speed", "100"]
    with subprocess.Popen(sandbox, stdout=subprocess.PIPE, text=True) as server, TemporaryDirectory() as folder:
        try:
            if server.stdout is None or not server.stdout.readline():
                sys.exit(f"the sandbox does not run on port {PORT}")
            with chdir(folder):
                record(home / "command-line.svg")
        finally:
            server.terminate()
