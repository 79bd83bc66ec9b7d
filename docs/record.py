"""Record the pictures of docs/: commands that are run against a sandbox, on a terminal and by a clock of our own."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import rich.progress
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from skills_video.catalog import MODELS
from skills_video_runtime.cli import main, progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 92  # columns
CELL, LINE, MARGIN = 8.4, 19, 14  # pixels: of a column, of a row, around all
PACE, READING = 1.0, 5  # seconds that a screen is shown, and the last one
PLAIN, BUTTONS = "#c5c8c6", ("#ff5f57", "#febc2e", "#28c840")
ADDRESS = "127.0.0.1:4912"  # where README.md has the sandbox, wherever it is here
EXPORT = f"export SKILLS_VIDEO_BASE_URL=http://{ADDRESS}/api/v1 SKILLS_VIDEO_API_KEY=sandbox-key"
MADE = "skills-video run kling_v2_6 'neon rain' --set duration=10 --download out"
REFUSED = MADE.replace("=10", "=7")
FIRST_MINUTE = ("skills-video sandbox &", EXPORT, REFUSED, MADE, "ls out")
COMMAND_LINE = ("skills-video models --takes image --seconds 10 --ratio 9:16 --sound", REFUSED, MADE)

Rows = tuple[str, ...]


class Terminal(io.StringIO):
    """A terminal that keeps each screen that it has shown. Of control sequences it knows those that rich writes."""

    def __init__(self, real: str) -> None:
        super().__init__()
        self.real = real
        self.rows, self.row = [""], 0
        self.screens: list[Rows] = []

    def isatty(self) -> bool:
        """Tell that progress can be shown."""
        return True

    def now(self) -> float:
        """Give a time that passes by what is shown."""
        return float(len(self.screens))

    def write(self, text: str) -> int:
        """Show a text, and keep the screen if that changes it."""
        for part in re.findall(r"\x1b\[[\d;?]*[A-Za-z]|\n|[^\x1b\r\n]+", text.replace(self.real, ADDRESS)):
            if part == "\n":
                self.row += 1
                if self.row == len(self.rows):
                    self.rows.append("")
            elif part.endswith("A") and part.startswith("\x1b"):
                self.row -= int(part[2:-1] or 1)
            elif part == "\x1b[2K":
                self.rows[self.row] = ""
            elif part.endswith("m") or not part.startswith("\x1b"):
                self.rows[self.row] += part
        shown = tuple("\n".join(self.rows).rstrip().split("\n"))
        if not self.screens or self.screens[-1] != shown:
            self.screens.append(shown)
        return len(text)


def record(commands: Sequence[str]) -> list[Rows]:
    """Run commands on a terminal, against a sandbox that begins anew, and give its screens."""
    start = [sys.executable, "-m", "skills_video", "sandbox", "--port", "0", "--speed", "100"]
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as server, TemporaryDirectory() as folder:
        try:
            if server.stdout is None or not (greeting := server.stdout.readline()):
                sys.exit("the sandbox does not run")
            real = greeting.partition("//")[2].partition("/")[0]
            os.environ |= {"SKILLS_VIDEO_BASE_URL": f"http://{real}/api/v1", "SKILLS_VIDEO_API_KEY": "sandbox-key"}
            terminal = Terminal(real)
            keep_time(terminal)
            with chdir(folder), redirect_stdout(terminal), redirect_stderr(terminal):
                for command in commands:
                    sys.stdout.write(f"\x1b[1;32m$ {command}\x1b[0m\n")
                    run(command, greeting)
        finally:
            server.terminate()
    return terminal.screens


def run(command: str, greeting: str) -> None:
    """Do what a shell would do with a command."""
    if command.startswith("skills-video sandbox"):
        sys.stdout.write(greeting)
    elif command.startswith("ls"):
        sys.stdout.write("".join(f"{path.name}\n" for path in Path(command.split()[1]).iterdir()))
    elif not command.startswith("export"):
        main(MODELS, "skills_video", shlex.split(command)[1:])


def keep_time(terminal: Terminal) -> None:
    """Let the command line have the time of the terminal, and show progress when there is some."""

    class Still(_Progress):
        def __init__(self, *columns: Any, **options: Any) -> None:
            super().__init__(*columns, auto_refresh=False, get_time=terminal.now, **options)

    rich.progress.Progress = Still
    progress.monotonic = terminal.now


_Progress = rich.progress.Progress


def folded(rows: Rows) -> list[Text]:
    """Break rows where the terminal ends."""
    texts = [Text.from_ansi(row) for row in rows]
    return [piece for text in texts for piece in text.divide(range(WIDTH, len(text), WIDTH))]


def drawn(text: Text, y: float) -> str:
    """Give a row as SVG, each run of one style at its column."""
    parts, column = [], 0
    for segment in text.render(Console(color_system="truecolor")):
        shown, looks = segment.text.rstrip("\n"), f' fill="{PLAIN}"'
        if segment.style and segment.style.color:
            looks = f' fill="{segment.style.color.get_truecolor(SVG_EXPORT_THEME).hex}"'
        if segment.style and segment.style.bold:
            looks += ' font-weight="bold"'
        for words in re.finditer(r"\S+(?: \S+)*", shown):
            x, length = MARGIN + (column + words.start()) * CELL, len(words[0]) * CELL
            place = f'x="{x:.1f}" y="{y}" textLength="{length:.1f}"'
            parts.append(f"<text {place}{looks}>{escape(words[0], quote=False)}</text>")
        column += len(shown)
    return "".join(parts)


def spells(screens: Sequence[list[Text]]) -> Iterator[tuple[int, Text, int, int]]:
    """Give each text of a row, from which screen on it is shown, and the first that lacks it."""
    for row in range(max(map(len, screens))):
        texts = [(screen[row : row + 1] or [Text()])[0] for screen in screens]
        begin = 0
        for number in range(1, len(texts) + 1):
            if number == len(texts) or texts[number] != texts[begin]:
                if texts[begin]:
                    yield row, texts[begin], begin, number
                begin = number


def svg(screens: Sequence[Rows]) -> str:
    """Give the screens one after another as an SVG that loads nothing and runs no script; one alone stands still."""
    lines = [folded(screen) for screen in screens]
    rows, last = max(map(len, lines)), len(lines)
    seconds = PACE * (last - 1) + READING
    styles: dict[str, str] = {}
    texts: list[str] = []
    for row, text, begin, end in spells(lines):
        name = f"s{begin}-{end}"
        if last > 1:
            styles[name] = style_of(name, begin, end, last, seconds)
        texts.append(f'<g class="{name}">{drawn(text, MARGIN + LINE * (row + 2))}</g>')
    width, height = round(WIDTH * CELL + 2 * MARGIN), LINE * (rows + 1) + 2 * MARGIN
    size = f'width="{width}" height="{height}"'
    buttons = "".join(f'<circle cx="{20 + 18 * n}" cy="16" r="5.5" fill="{c}"/>' for n, c in enumerate(BUTTONS))
    still = "@media (prefers-reduced-motion) { g { animation: none !important } }"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">',
            "<style>text { font: 14px ui-monospace, Menlo, Consolas, monospace }",
            *styles.values(),
            f"{still}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#292929"/>{buttons}',
            *texts,
            "</svg>\n",
        ]
    )


def style_of(name: str, begin: int, end: int, last: int, seconds: float) -> str:
    """Give the rule of what is shown from one screen until another; at rest, what the last screen shows is shown."""
    moments = [(0, int(begin == 0)), (begin * PACE / seconds * 100, 1)]
    if end < last:
        moments.append((end * PACE / seconds * 100, 0))
    frames = " ".join(f"{at:.2f}% {{ opacity: {value} }}" for at, value in moments)
    rule = f"opacity: {int(end == last)}; animation: {name} {seconds:.1f}s step-end infinite"
    return f".{name} {{ {rule} }} @keyframes {name} {{ {frames} }}"


if __name__ == "__main__":
    home = Path(__file__).resolve().parent
    if sys.argv[1:]:
        home = Path(sys.argv[1])
    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "NO_COLOR": ""}
    (home / "first-minute.svg").write_text(svg(record(FIRST_MINUTE)), "utf-8")
    (home / "command-line.svg").write_text(svg(record(COMMAND_LINE)[-1:]), "utf-8")
