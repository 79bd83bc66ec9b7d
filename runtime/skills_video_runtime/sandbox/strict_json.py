"""JSON as RFC 8259 has it: no NaN, no half characters, and no depth without end."""

from __future__ import annotations

import json
from typing import Any, Final, cast

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
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [part for node in level for part in _parts(node)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {DEEPEST} levels")


def _parts(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(cast("dict[str, object]", node).values())
    if isinstance(node, list):
        return cast("list[object]", node)
    return []
