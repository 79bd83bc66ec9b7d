r"""Patterns of JSON Schema are ECMA-262's: what they are in Python, and how long a text may be that is put to them.

JSON Schema, section 6.4, asks for ECMA-262 with the flag `u`. Python differs in `$`, `.`, `\d`, `\w`, `\s`, `\b`, in
how groups are named, and in what it takes besides. What cannot be said in Python stays a text that nobody checks.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple
from unicodedata import category

from .backtracking import growth

LONGEST_PATTERN: Final = 5_000
"""Characters of the longest pattern that is judged. The limit is ours."""

STEPS: Final = 20_000_000
"""Steps of Python's matcher that may be asked of a text: less than half a second. The limit is ours."""

SHORTEST: Final = 50
"""Characters below which no text need be checked: a pattern that is slow on these is left to the platform."""

_SPACE: Final = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NO_SPACE: Final = r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e"
_CLASSES: Final = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "A-Za-z0-9_",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "s": _SPACE,
    "S": _NO_SPACE + r"\u2060-\u2fff\u3001-\ufefe\uff00-\U0010ffff",
}
_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
_CATEGORIES: Final = {
    "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M", "Nonspacing_Mark": "Mn",
    "Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd",
    "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
    "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi",
    "Final_Punctuation": "Pf", "Other_Punctuation": "Po", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc",
    "Modifier_Symbol": "Sk", "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl",
    "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs",
    "Private_Use": "Co", "Unassigned": "Cn",
}  # fmt: skip
"""The long names of general categories (ECMA-262, table "Value aliases for General_Category")."""


class Judged(NamedTuple):
    """What a pattern is in Python."""

    python: str | None
    r"""The same in Python, with `\p{…}` for a category; None where it is left to the platform."""
    longest: int | None = None
    """Characters of the longest text that is put to it, where time grows faster than the text."""
    reason: str = ""
    """Why it is left to the platform."""


class _Foreign(Exception):  # noqa: N818  # no error: the pattern is right, and not to be said in Python
    """What Python cannot say."""


@cache
def judged(pattern: str) -> Judged:
    """Say a pattern in Python, if that can be done and a text can be checked in time."""
    if len(pattern) > LONGEST_PATTERN:
        return Judged(None, reason=f"it has more than {LONGEST_PATTERN:,} characters")
    try:
        python = _Translation(pattern).text()
        written = compiled_text(python)
        re.compile(written)
        degree = growth(written)
    except _Foreign as error:
        return Judged(None, reason=str(error))
    except (re.error, RecursionError, OverflowError) as error:
        return Judged(None, reason=f"Python does not read it: {error}")
    if degree is None:
        return Judged(None, reason="a text of some dozens of characters may take for ever")
    if degree <= 1:
        return Judged(python)
    longest = int(STEPS ** (1 / degree))
    if longest < SHORTEST:
        return Judged(None, reason="a text of some hundreds of characters may take for ever")
    return Judged(python, longest)


def spelled(pattern: str) -> tuple[str | int | None, ...]:
    """Give what an annotation says of a pattern: as it is written, and in Python where that is not the same."""
    python, longest, _ = judged(pattern)
    if longest is not None:
        return pattern, python, longest
    if python == pattern:
        return (pattern,)
    return pattern, python


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches a pattern; what is left to the platform does."""
    python = judged(pattern).python
    if python is None or is_unchecked(pattern, text):
        return True
    return re.search(compiled_text(python), text) is not None


def is_unchecked(pattern: str, text: str) -> bool:
    """Tell whether a pattern is not put to a text."""
    python, longest, _ = judged(pattern)
    return python is None or (longest is not None and len(text) > longest)


def compiled_text(python: str) -> str:
    r"""Write out the characters of each `\p{…}`, as `payloads.constraints` does when a pattern is first used."""
    return re.sub(r"\\([pP])\{(\w+)\}", _written_out, python)


def _written_out(found: re.Match[str]) -> str:
    return _characters(found[2], is_other=found[1] == "P")


@cache
def _characters(name: str, *, is_other: bool) -> str:
    """Give all characters of a general category, or all others, as a set of a regular expression writes them."""
    runs = [run for run in _runs() if run[0].startswith(name) is not is_other]
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for _, first, last in runs)


@cache
def _runs() -> list[tuple[str, int, int]]:
    """Give the general category of all characters: where each run of one begins and ends."""
    found: list[tuple[str, int, int]] = []
    first = 0
    for name, run in groupby(map(category, map(chr, range(sys.maxunicode + 1)))):
        following = first + sum(1 for _ in run)
        found.append((name, first, following - 1))
        first = following
    return found


@dataclass(slots=True)
class _Translation:
    """Goes through a pattern once, from left to right."""

    pattern: str
    place: int = 0
    parts: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])
    """The names of groups in their order; empty for a group without one."""

    def text(self) -> str:
        """Give the pattern in Python."""
        for found in re.finditer(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?<([^=!][^>]*)>", self.pattern, re.DOTALL):
            if found[0].startswith("("):
                self.names.append(found[1] or "")
        while self.place < len(self.pattern):
            self.parts.append(self._next())
        return "".join(self.parts)

    def _take(self, expression: str) -> re.Match[str] | None:
        found = re.compile(expression, re.DOTALL).match(self.pattern, self.place)
        if found:
            self.place = found.end()
        return found

    def _next(self) -> str:
        if self._take(r"\\"):
            return self._escape()
        if self._take(r"\["):
            return self._set()
        if found := self._take(r"\(\?(?:[:=!]|<[=!])"):
            return found[0]
        if self._take(r"\(\?<[^>]*>"):
            return "("
        if self._take(r"\(\?"):
            raise _Foreign("'(?' is followed by what ECMA-262 does not know")
        if found := self._take(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??"):
            if self._take(r"[*+]|\{[0-9]"):
                raise _Foreign("a quantifier is followed by another, which ECMA-262 does not know")
            return found[0]
        if found := self._take(r"[\^|()]"):
            return found[0]
        if self._take(r"\$"):
            return r"\Z"
        if self._take(r"\."):
            return r"[^\n\r\u2028\u2029]"
        return _literal(self.pattern[self._step()], "\\.^$*+?{}[]|()")

    def _step(self) -> int:
        self.place += 1
        return self.place - 1

    def _escape(self) -> str:
        if self._take("b"):
            return r"(?a:\b)"
        if self._take("B"):
            return r"(?!(?a:\b))"
        if found := self._take(r"k<([^>]*)>|([1-9][0-9]*)"):
            return self._back(found[1], found[2])
        if found := self._take("[dDwWsSpP]"):
            return f"[{self._class(found[0])}]"
        return _literal(self._character(), "\\.^$*+?{}[]|()")

    def _back(self, name: str | None, number: str | None) -> str:
        """Give a reference to a group: as long as that has matched nothing, it matches nothing."""
        if name is not None and name in self.names:
            number = str(self.names.index(name) + 1)
        if number is None or int(number) > len(self.names):
            raise _Foreign("it refers to a group that is not there")
        return rf"(?({number})\{number}|)"

    def _class(self, letter: str) -> str:
        if letter not in "pP":
            return _CLASSES[letter]
        found = self._take(r"\{(?:(?:General_Category|gc)=)?(\w+)\}")
        if not found:
            raise _Foreign(
                f"\\{letter} is followed by no general category, and of other properties Python knows nothing"
            )
        name = _CATEGORIES.get(found[1], found[1])
        if name == "Any" and letter == "p":
            return r"\x00-\U0010ffff"
        if name == "ASCII" and letter == "p":
            return r"\x00-\x7f"
        if name not in _CATEGORIES.values():
            raise _Foreign(f"{found[1]!r} is no general category, and of other properties Python knows nothing")
        return f"\\{letter}{{{name}}}"

    def _character(self) -> str:
        """Give the character that stands for itself after a backslash, or is named there."""
        if found := self._take("[tnvfr]|0(?![0-9])"):
            return _CONTROLS[found[0]]
        if found := self._take("c([A-Za-z])"):
            return chr(ord(found[1]) % 32)
        if found := self._take(r"u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"):
            return (chr(int(found[1], 16)) + chr(int(found[2], 16))).encode("utf-16", "surrogatepass").decode("utf-16")
        if found := self._take(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}"):
            return chr(int(found[1] or found[2] or found[3], 16))
        if found := self._take(r"[^A-Za-z0-9]"):
            return found[0]
        raise _Foreign(f"'\\{self.pattern[self.place : self.place + 1]}' is nothing that ECMA-262 knows")

    def _set(self) -> str:
        """Give a set, whose first bracket is taken."""
        sign = "^" if self._take(r"\^") else ""
        items: list[str] = []
        while not self._take(r"\]"):
            if self.place >= len(self.pattern):
                raise _Foreign("a set is not closed")
            first, is_class = self._item()
            if not is_class and self._take(r"-(?!\])"):
                last, is_class_too = self._item()
                if is_class_too:
                    items += [first, "\\-", last]
                else:
                    items.append(f"{first}-{last}")
            else:
                items.append(first)
        if items:
            return f"[{sign}{''.join(items)}]"
        if sign:
            return r"[\x00-\U0010ffff]"
        return "(?!)"

    def _item(self) -> tuple[str, bool]:
        """Give what stands next in a set, and whether that is a class of characters."""
        if not self._take(r"\\"):
            return _literal(self.pattern[self._step()], "\\^-[]&~|"), False
        if found := self._take("[dDwWsSpP]"):
            return self._class(found[0]), True
        if self._take("b"):
            return r"\x08", False
        return _literal(self._character(), "\\^-[]&~|"), False


def _literal(character: str, special: str) -> str:
    """Write a character so that it means itself where some mean something else."""
    if character in special:
        return f"\\{character}"
    if character.isprintable():
        return character
    if ord(character) > 0xFFFF:
        return f"\\U{ord(character):08x}"
    return f"\\u{ord(character):04x}"
