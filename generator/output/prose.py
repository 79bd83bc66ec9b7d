"""Texts of a description as docstrings: Markdown keeps its lists, tables and code, HTML becomes Markdown."""

from __future__ import annotations

import html
import re
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.diagnostics import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_FENCE: Final = re.compile(r" *(```+|~~~+)")
_ITEM: Final = re.compile(r"( *)([-*+] |• ?|\d{1,3}[.)] )(.*)")
_ALONE: Final = re.compile(r" *(?:#{1,6} |> |\||[-=*_]{3,} *$)|.*\S \| \S")
"""A heading, a quotation, a row of a table, or a rule."""

_CODE: Final = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)(\s[^<>]*)?/?>")
_HREF: Final = re.compile(r"\shref\s*=\s*[\"']?([^\s\"'>]+)", re.IGNORECASE)
_ELEMENTS: Final = {
    **dict.fromkeys(("a", "b", "del", "em", "font", "i", "img", "s", "small", "span", "strong", "sub", "sup", "tbody",
                     "thead", "u"), ("", "")),
    **dict.fromkeys(("blockquote", "div", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"),
                    ("\n\n", "\n\n")),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), ("`", "`")),
    **dict.fromkeys(("td", "th"), (" ", " |")),
    "br": ("\n", ""), "dd": ("\n", ""), "dt": ("\n", ""), "hr": ("\n\n", ""), "li": ("\n- ", ""),
    "pre": ("\n```\n", "\n```\n"), "tr": ("\n|", ""),
}  # fmt: skip
"""What is written where an element begins and where it ends. Other names in angle brackets are no HTML to us."""


class _Block(NamedTuple):
    """What begins on a line of its own, with the indents of its first line and of those after it."""

    indent: str
    hanging: str
    words: list[str]


WIDTH: Final = 120
"""Characters of a line."""


@cache
def docstring(text: str, indent: int = 4, arguments: tuple[tuple[str, str], ...] = ()) -> str:
    """Write a text as a docstring: nothing in it ends the string, escapes, or hides from a reader.

    `arguments` are names and texts for a block `Args:`, which `help()` and editors show of a constructor.
    """
    width = WIDTH - indent
    lines = lines_of(text, width)
    if len(lines) == 1 and not arguments and len(lines[0]) + 6 <= width and not lines[0].endswith('"'):
        return f'"""{lines[0]}"""'
    if arguments:
        lines += ["", "Args:"]
    for name, told in arguments:
        lines += _wrapped(f"{name}: {told}".split(), width, " " * 4, " " * 8)
    return textwrap.indent('"""' + "\n".join([*lines, '"""']), " " * indent).lstrip()


def lines_of(text: str, width: int) -> list[str]:
    """Write a text in lines of at most so many characters, the first ones shorter by three quotes.

    Paragraphs flow. An item of a list, a heading, a row of a table and what stands in a fence keep their lines. A word
    that is longer than a line is not broken.
    """
    lines: list[str] = []
    for indent, hanging, words in _blocks(without_html(text)):
        room = width
        if not lines:
            room -= len('"""')
        wrapped = _wrapped(words, room, indent, indent + hanging)
        if wrapped or (lines and lines[-1]):
            lines += wrapped or [""]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _wrapped(words: Iterable[str], width: int, first: str, later: str) -> list[str]:
    text = " ".join(words).encode("utf-8", "backslashreplace").decode()  # no docstring holds half a surrogate pair
    shown = visible(text.replace("\\", "\\\\")).replace('"""', '\\"\\"\\"')
    if shown and len(first) + len(shown) <= width:
        return [first + shown]
    return textwrap.wrap(
        shown, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


@cache
def first_paragraph(text: str) -> str:
    """Give how a text begins, up to where its paragraph ends, or its list begins."""
    words: list[str] = []
    for block in _blocks(without_html(text)):
        if words and (block.hanging or not block.words):
            break
        words += block.words
    return " ".join(words).removesuffix(":")


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    fence, is_open = "", False
    for line in textwrap.dedent(text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)).strip().split("\n"):
        opening, item = _FENCE.match(line), _ITEM.fullmatch(line)
        if fence or opening:
            blocks.append(_Block("", "", [line.rstrip()]))
            if not fence and opening:
                fence = opening[1]
            elif line.strip() == fence:
                fence = ""
            is_open = False
        elif item:
            indent, mark, rest = item.groups()
            blocks.append(_Block(indent[:8], " " * len(mark), [mark.strip(), *rest.split()]))
            is_open = True
        elif not is_open or not line.strip() or _ALONE.match(line):
            blocks.append(_Block("", "", line.split()))
            is_open = bool(line.strip()) and not _ALONE.match(line)
        else:
            blocks[-1].words.extend(line.split())
        if line.endswith(("  ", "\\")):  # Markdown's hard line break
            is_open = False
    return blocks


def without_html(text: str) -> str:
    """Write what HTML says as Markdown says it, save in code. What is no element of HTML stays as it is."""
    if "<" not in text and "&" not in text:
        return text
    parts = _CODE.split(text)
    parts[::2] = map(_from_html, parts[::2])
    return "".join(parts)


def _from_html(text: str) -> str:
    made: list[str] = []
    addresses: list[str] = []
    end = 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name not in _ELEMENTS:
            continue
        made.append(html.unescape(text[end : tag.start()]))
        end = tag.end()
        made.append(_ELEMENTS[name][bool(tag[1])])
        if name == "a" and not tag[1]:
            addresses += _HREF.findall(tag[3] or "")
        elif name == "a" and addresses and (address := addresses.pop()) not in made[-2]:
            made.append(f" ({address})")
    made.append(html.unescape(text[end:]))
    return re.sub(r"\n- \s+", "\n- ", "".join(made))
