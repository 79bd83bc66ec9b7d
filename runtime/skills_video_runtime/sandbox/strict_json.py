"""JSON as RFC 8259 has it: no NaN, no half characters, and no depth without end."""

from __future__ import annotations

import json
from typing import Any, Final

from skills_video_runtime.json_values import is_too_deep

DEEPEST: Final = 64
"""Levels of nesting that can be judged; our choice."""


def loads(data: bytes | str) -> Any:
    """Read JSON that can be written again.

    Raises:
        ValueError: It is no such JSON.
    """
    try:
        value: Any = json.loads(data)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    if is_too_deep(value, DEEPEST):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return value
