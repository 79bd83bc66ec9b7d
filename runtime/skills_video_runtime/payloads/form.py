"""A payload as the parts of a form."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from skills_video_runtime.json_values import holds, is_array

from .file import File
from .violations import Problem, Stated, refusal

if TYPE_CHECKING:
    from .base import BasePayload


def as_form(payload: BasePayload) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]:
    """See `BasePayload.to_multipart`."""
    texts: list[tuple[str, str]] = []
    files: list[tuple[str, File]] = []
    found: list[Problem] = []
    is_sent = payload.goes_as_form()
    for name, value in payload.to_dict().items():
        for item in value if is_array(value) else [value]:
            if isinstance(item, File):
                files.append((name, item))
            elif item is None and is_sent:
                found.append(Problem(_NO_NULL, None, (name,)))
            elif holds(File, item):
                found.append(Problem(_NO_FILE_INSIDE, item, (name,)))
            elif (text := _form_text(name, item)) is None:
                found.append(Problem(_NO_TEXT, item, (name,)))
            else:
                texts.append((name, text))
    if found:
        raise refusal(found, type(payload))
    return texts, files


def _form_text(name: str, value: Any) -> str | None:
    with suppress(ValueError):
        text = value if isinstance(value, str) else json.dumps(value)
        (name + text).encode()
        return text
    return None


_NO_NULL = Stated("type", "the payload goes as a form, and a form has no null: leave the field out")
_NO_FILE_INSIDE = Stated("format", "a form has no place for a file inside an object")
_NO_TEXT = Stated("format", "a form has no text for half a surrogate pair or a number of thousands of digits")
