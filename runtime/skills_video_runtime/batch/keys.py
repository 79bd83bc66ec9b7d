"""Keys of rows: each names files and a record, which must be those of no other row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from skills_video_runtime.downloads.names import safe_name
from skills_video_runtime.errors import Violation

from .fingerprints import fingerprint

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from skills_video_runtime.payloads.base import BasePayload

LONGEST_KEY = 100  # bytes, which leaves room in the name of a file: our choice


def content_key(payload: BasePayload, taken: Mapping[str, int], copies: Counter[str]) -> str:
    """Name a row by its contents; one that stands there again is the second of its name."""
    name = fingerprint(payload)[:16]
    while True:
        copies[name] += 1
        key = name
        if copies[name] > 1:
            key = f"{name}-{copies[name]}"
        if key not in taken:
            return key


def same_name(key: str) -> str:
    """Give what keys have in common that name the same files on some system."""
    return normalize("NFC", key.casefold())


def key_problems(text: object, lines_of: Mapping[str, int], member: str) -> Iterator[Violation]:
    """Tell why a text is no key: it names a record and files, on every system."""
    if not isinstance(text, str):
        yield Violation(member, "type", text, None, f"is no text: {text!r:.80}")
        return
    nearest = safe_name(text[:LONGEST_KEY] + "-0", "video/mp4").removesuffix(".mp4").removesuffix("-0")
    if not text or text != nearest or len(text.encode(errors="replace")) > LONGEST_KEY:
        message = f"{text!r:.120} cannot begin the name of a file of at most {LONGEST_KEY} bytes"
        yield Violation(member, "key", text, nearest, f"{message}; nearest: {nearest!r}")
    elif re.search(r"~[\d.]+$", text):
        yield Violation(member, "key", text, None, f"{text!r} ends as the keys of further attempts do")
    elif same_name(text) in lines_of:
        first = lines_of[same_name(text)]
        yield Violation(member, "unique", text, None, f"{text!r} is that of line {first} as well; case does not count")
