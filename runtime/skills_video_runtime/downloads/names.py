"""Names of files that any system takes, and that lead nowhere."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from string import Formatter
from typing import TYPE_CHECKING, Literal, TypeAlias
from unicodedata import category, normalize
from urllib.parse import unquote

if TYPE_CHECKING:
    from pathlib import Path

MAX_NAME_BYTES = 150  # bytes of a file name, so that any file system takes it together with a number
SPECIAL = '[<>:"|?*]'
RESERVED = r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])"  # as Windows does
SUFFIXES = {
    "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/png": ".png", "image/jpeg": ".jpg",
    "image/webp": ".webp", "image/gif": ".gif", "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/mp4": ".m4a",
}  # fmt: skip
Overwrite: TypeAlias = Literal["never", "skip", "replace"]
FIELDS = ("id", "key", "index", "stem", "suffix")
LONGEST_DISPOSITION = 4096  # characters: our choice
KNOWN = frozenset({*SUFFIXES.values(), ".jpeg", ".mkv", ".avi", ".m4v", ".ogg", ".flac", ".aac", ".avif"})


def safe_name(given: str, kind: str) -> str:
    """Give a name that any system takes and that leads nowhere: the last part, without what is special anywhere.

    A name without the suffix of a media file gets that of its content type, so that nothing can be run by accident.
    """
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    last = normalize("NFC", last[:MAX_NAME_BYTES] + last[MAX_NAME_BYTES:][-MAX_NAME_BYTES:])  # the rest is cut anyhow
    last = re.sub(SPECIAL, "_", "".join(character for character in last if category(character)[0] != "C"))
    name = " ".join(last.split()).rstrip(" .").lstrip(" .-")
    stem, dot, suffix = name.rpartition(".")
    if not dot or (f".{suffix}".lower() not in KNOWN and suffix != _suffix_of(kind)):
        stem, suffix = name, _suffix_of(kind)
    stem = stem.encode()[:MAX_NAME_BYTES].decode(errors="ignore").rstrip(" .") or "video"
    if re.fullmatch(RESERVED, stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return f"{stem}.{suffix}"


def _suffix_of(kind: str) -> str:
    """Give the suffix of a content type, without its dot."""
    if kind in SUFFIXES:
        return SUFFIXES[kind][1:]
    if kind.startswith("video/"):
        return "mp4"
    return "bin"


def path_in(url: str) -> str:
    """Give the path of an address, decoded, whether or not the rest of the address can be read."""
    return unquote(re.sub("^[^/?#]*//[^/?#]*|[?#].*", "", url, flags=re.DOTALL))


def told_name(disposition: str) -> str:
    """Read the name in a `Content-Disposition`, where `filename*` goes before `filename` (RFC 6266), or give none."""
    if "filename" not in disposition.lower() or len(disposition) > LONGEST_DISPOSITION:
        return ""
    from email.message import Message  # noqa: PLC0415  # for answers that have one
    from email.utils import collapse_rfc2231_value  # noqa: PLC0415  # as above

    head = Message()
    head["content-disposition"] = disposition
    plain = encoded = ""
    with suppress(ValueError, TypeError, LookupError):  # what email makes of a head that is none
        for name, value in head.get_params([], "content-disposition"):
            if name.lower() == "filename" and isinstance(value, tuple):
                encoded = collapse_rfc2231_value(value)
            elif name.lower() == "filename":
                plain = value
    with suppress(UnicodeError):  # what is sent in UTF-8 against all rules is readable even so
        plain = plain.encode("latin-1").decode()
    return encoded or plain


def check_pattern(pattern: object, key: object, name: str = "name") -> None:
    """Refuse, by TypeError or ValueError, a pattern that cannot be filled in, or that leads into a folder."""
    if not isinstance(pattern, str):
        raise TypeError(f"{name} is a text such as '{{key}}-{{index}}{{suffix}}', not {pattern!r:.80}")
    if not pattern.strip(" .") or re.search(r"[/\\]", pattern):
        raise ValueError(f"{name} is the name of a file, without folders, not {pattern!r:.80}")
    try:
        fields = [(field, form, change) for _, field, form, change in Formatter().parse(pattern) if field is not None]
    except ValueError as error:
        raise ValueError(f"{name}: {pattern!r:.80} cannot be filled in: {error}") from error
    for field, form, change in fields:
        if field not in FIELDS or form or change:
            raise ValueError(f"{name}: {pattern!r:.80} may have the fields {', '.join(FIELDS)}, not {field!r:.80}")
        if field == "key" and key is None:
            raise ValueError(f"{name}: {{key}} needs a key")


def filled(pattern: str, kind: str, **facts: object) -> str:
    """Fill in a pattern. What is filled in is no path, whatever it holds; a digest keeps what is changed apart."""
    pattern = re.sub(SPECIAL, "_", pattern)
    meant = pattern.format(**facts)
    name = safe_name(pattern.format(**{name: re.sub(r"[/\\]", "_", str(fact)) for name, fact in facts.items()}), kind)
    stem, _, suffix = name.rpartition(".")
    if meant in {name, stem}:
        return name
    from hashlib import sha256  # noqa: PLC0415  # for names that are changed

    return f"{stem}~{sha256(meant.encode(errors='replace')).hexdigest()[:8]}.{suffix}"


def numbered(name: str, number: int) -> str:
    """Give a name with a number before its suffix, unless that is 0."""
    if number == 0:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        return f"{name}-{number}"
    return f"{stem}-{number}{dot}{suffix}"


def place(part: Path, path: Path, *, replace: bool = False) -> Path:
    """Give a finished file its name, or the next free one; what exists is replaced only if that is wished."""
    if replace:
        return part.replace(path)
    free, number = path, 0
    while True:
        with suppress(FileExistsError):
            try:
                os.link(part, free)
            except (FileExistsError, FileNotFoundError):
                raise
            except OSError:  # a file system without links
                free.touch(exist_ok=False)
                try:
                    part.replace(free)
                except OSError:
                    free.unlink()
                    raise
            return free
        number += 1
        free = path.with_name(numbered(path.name, number))
