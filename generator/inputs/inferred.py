"""What of the models was inferred and not read: the table of SOURCES.md beside a description."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostics
    from generator.run import Found

SOURCES: Final = "SOURCES.md"
_ABOUT: Final = re.compile(r"^About (?P<file>\S+) with the digest `(?P<digest>[0-9a-f]{64})`", re.MULTILINE)
_ROW: Final = re.compile(r"^\| `(?P<model>[^`|]+)` \| (?P<what>[^|]+) \|$", re.MULTILINE)


def read(path: Path, found: Found, names: Mapping[str, str], diagnostics: Diagnostics) -> dict[str, str]:
    """Give what was inferred, by the id of a model: empty where all was read, nothing where the file does not tell.

    The file says by a digest which description it is about, so that what was inferred once is not said of official
    files that have come since. `names` are those of the descriptions by their paths.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return {}
    about = _ABOUT.search(text)
    if about is None:
        return {}
    if found.digests.get(about["file"]) != about["digest"]:
        message = "tells of another description, so that of no model it is said what was inferred; write it anew"
        diagnostics.note(path.as_posix(), "", message)
        return {}
    rows = {row["model"]: row["what"].strip() for row in _ROW.finditer(text)}
    models = [model for model in found.selection.models if names[model.file] == about["file"]]
    return {model.model: rows.get(model.model, "") for model in models}
