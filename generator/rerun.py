"""Whether `generate` has nothing to do: the last run of the same command, by a digest of all that it rested on.

A run leaves a stamp in an untracked file: a digest of the command, of the program (its sources and templates, every
installed package by its version, Python), of the inputs and of what was written, and what it said. If all that is as it
was, the next run says the same again and is over. MANIFEST.json is no place for it: that is the same on every machine.

This imports next to nothing and is imported before all else, as starting Python is most of what such a run takes.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from hashlib import file_digest, sha256
from io import TextIOWrapper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STAMP = os.path.join(ROOT, ".generate.stamp")
INPUTS = ("generator", "templates", "specs", "pyproject.toml")
OUTPUTS = ("generated/skills_video", "skills", "llms.txt", "README.md")
"""What a run reads and writes that is not told of other files."""

OPTIONS = {"--strict"}
"""Options that name no other files."""


def show_what_no_terminal_can() -> None:
    """Have characters that the encoding of a terminal lacks printed as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Stamp:
    """The stamp of a command: what the last run left, and what this one is to leave."""

    def __init__(self, arguments: list[str]) -> None:
        """Take the command as it is given; the program and its inputs are judged as they are now."""
        self.usable = arguments[:1] == ["generate"] and OPTIONS.issuperset(arguments[1:])
        self.before = ""
        if self.usable:
            packages = [name for folder in sys.path for name in _names(folder) if name.endswith(".dist-info")]
            self.before = _digest([sys.version, *sys.path, *packages, os.getcwd(), *arguments, *_digests(INPUTS)])

    def replay(self) -> int | None:
        """Say again what the last run said and give its exit code, if this one would do the same; else give None."""
        if not self.usable:
            return None
        try:
            with open(STAMP, encoding="utf-8", newline="") as file:
                stamp, _, said = file.read().partition("\n")
        except (OSError, ValueError):
            return None
        if stamp != self._stamp(said):
            return None
        last, *remarks = said.split("\n")
        try:
            show_what_no_terminal_can()
            for line in remarks:
                print(line, file=sys.stderr)
            print(last, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        return 0

    def leave(self, last: str, remarks: list[str]) -> None:
        """Write it, with the last line and the remarks of this run; where it cannot, the next run does all again."""
        said = "\n".join([last, *remarks])
        if self.usable:
            with suppress(OSError), open(STAMP, "w", encoding="utf-8", newline="") as file:
                file.write(f"{self._stamp(said)}\n{said}")

    def _stamp(self, said: str) -> str:
        return _digest([self.before, *_digests(OUTPUTS), said])


def _digest(texts: list[str]) -> str:
    return sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _digests(names: tuple[str, ...]) -> list[str]:
    """Give the paths of files, and of all below folders, each with its digest.

    What cannot be read, or not twice, has another one each time; so has a folder behind a link, which may lead back.
    """
    found: list[str] = []
    waiting = [os.path.join(ROOT, name) for name in names]
    for path in waiting:  # which grows as it is gone through
        digest = os.urandom(16).hex()
        if not os.path.lexists(path):
            digest = "-"
        elif os.path.isfile(path):
            with suppress(OSError), open(path, "rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
        elif os.path.isdir(path) and not os.path.islink(path):
            digest = "/"
            waiting += [os.path.join(path, name) for name in _names(path) if name != "__pycache__"]
        found += [path, digest]
    return found
