"""Changes for the pages of a continuous integration: annotations of GitHub, and JUnit."""

from __future__ import annotations

import html
from json import JSONDecoder
from typing import TYPE_CHECKING, Final

from generator.diagnostics import visible
from generator.json_values import unescape

from . import revisions
from .change import SHARED
from .report import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .change import Change

BLANK: Final = (" ", "\t", "\n", "\r")
_DECODER: Final = JSONDecoder()


def as_github(changes: Sequence[Change], new: str) -> str:
    """Give an annotation for each line of a report, on the line of the description of the revision `new`.

    What breaks is an error, all else a notice, what is accepted among it.
    See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
    """
    known: dict[str, tuple[str, Lines]] = {}
    out: list[str] = []
    for line in sorted(lines_of(changes), key=lambda line: not line.change.fails):
        change = line.change
        level = "notice"
        if change.fails:
            level = "error"
        parts = {"title": change.rule}
        if change.file:
            if change.file not in known:
                path, text = revisions.source_of(new, change.file)
                known[change.file] = path, Lines(text)
            path, places = known[change.file]
            parts = {"file": path, "line": str(places.line(change.pointer)), **parts}
        shown = ",".join(f"{name}={_property(value)}" for name, value in parts.items())
        text = line.text(visible)
        if len(line.models) == 1 and not line.is_whole and change.model != SHARED:
            text = f"{visible(line.models[0])}: {text}"
        out.append(f"::{level} {shown}::{_data(text)}\n")
    return "".join(out)


def as_junit(changes: Sequence[Change]) -> str:
    """Give a test case for each change; what breaks has failed, what is accepted was skipped."""
    failures = sum(change.fails for change in changes)
    skipped = sum(bool(change.accepted) for change in changes)
    counts = f'tests="{len(changes)}" failures="{failures}" skipped="{skipped}"'
    out = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites><testsuite name="changes" {counts}>']
    for change in changes:
        name = ": ".join(filter(None, (change.rule, change.path, change.text())))
        out.append(f'<testcase classname="{_xml(change.model)}" name="{_xml(name)}">')
        if change.fails:
            out.append(f'<failure type="{_xml(change.rule)}" message="{_xml(change.text())}"/>')
        elif change.accepted:
            out.append(f'<skipped message="{_xml(change.accepted)}"/>')
        out.append("</testcase>")
    return "\n".join([*out, "</testsuite></testsuites>", ""])


class Lines:
    """The lines of the places of a JSON text."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.known: dict[int, dict[str, tuple[int, int]]] = {}

    def line(self, pointer: str) -> int:
        """Give the line where a place begins, with its name; of one that is not there, that of what it would be in."""
        begin = at = self._skip(0)
        try:
            for part in map(unescape, pointer.split("/")[1:]):
                begin, at = self._members(at)[part]
        except (KeyError, ValueError, IndexError):
            pass
        return self.text.count("\n", 0, begin) + 1

    def _members(self, at: int) -> dict[str, tuple[int, int]]:
        """Give where each member of the value at an offset begins: its name, and its value."""
        if at in self.known:
            return self.known[at]
        found = self.known[at] = {}
        is_object = self.text[at] == "{"
        if is_object or self.text[at] == "[":
            at = self._skip(at + 1)
            while self.text[at] not in "]}":
                begin, name = at, str(len(found))
                if is_object:
                    name, at = _DECODER.raw_decode(self.text, at)
                    at = self._skip(self._skip(at) + 1)
                found[name] = begin, at
                _, at = _DECODER.raw_decode(self.text, at)
                at = self._skip(at)
                if self.text[at] == ",":
                    at = self._skip(at + 1)
        return found

    def _skip(self, at: int) -> int:
        while self.text[at : at + 1] in BLANK:
            at += 1
        return at


def _data(text: str) -> str:
    """Write a text so that it ends no command of GitHub."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Write a text so that it ends no part of a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    return html.escape(visible(text))
