"""Texts of a description in Markdown: they are text, wherever they stand."""

from __future__ import annotations

import re
from typing import Final

from generator.output.render import cell

_OPENS: Final = re.compile(r"[#+\-=%(:.]|\d+(?=[.)])")
"""What means something where a line begins."""


def line(text: str) -> str:
    """Write a text that begins a line, or a quotation."""
    shown = cell(text)
    opens = _OPENS.match(shown)
    if opens is None:
        return shown
    if opens[0].isdigit():
        return f"{opens[0]}\\{shown[opens.end() :]}"
    return f"\\{shown}"


def code(text: str) -> str:
    """Write a name or a path as code, and one that could end that as plain text."""
    if re.fullmatch(r"[\w.:/{} -]+", text, re.ASCII):
        return f"`{text}`"
    return cell(text)


def fenced(language: str, text: str) -> list[str]:
    """Write a text as a block of code that nothing in it can end."""
    runs = re.findall(r"`+", text)
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    return [f"{fence}{language}", text, fence]


__all__ = ["cell", "code", "fenced", "line"]
