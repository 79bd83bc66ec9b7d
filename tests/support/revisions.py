"""Two revisions of one description, compared as a user would compare them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generator.changes.models import compare
from generator.changes.revisions import inputs_in
from generator.diagnostics import Diagnostics
from generator.run import read

from .project import navigation, pages_of

if TYPE_CHECKING:
    from pathlib import Path

    from generator.changes.change import Change
    from generator.run import Found


def write_revision(folder: Path, openapi: Any, docs: Any = None) -> Path:
    """Write the descriptions of a revision; without a navigation, one that lists every model."""
    folder.mkdir(exist_ok=True)
    pages = [path.removeprefix("/generation/") for path in openapi["paths"] if "/sse/" not in path and "{" not in path]
    (folder / "openapi.json").write_text(json.dumps(openapi), "utf-8")
    (folder / "docs.json").write_text(json.dumps(docs or navigation(*pages_of(pages))), "utf-8")
    return folder


def revision(folder: Path, openapi: Any, docs: Any = None) -> Found:
    """Read a revision that is written inline."""
    return read(inputs_in(write_revision(folder, openapi, docs), None), Diagnostics())


def changes(folder: Path, old: Any, new: Any) -> list[Change]:
    """Give the changes between two descriptions that are written inline."""
    return compare(revision(folder / "old", old), revision(folder / "new", new))
