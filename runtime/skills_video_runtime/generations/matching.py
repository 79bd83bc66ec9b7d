"""Is it ours: the input that the platform echoes, compared with what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skills_video_runtime.json_values import json_key

if TYPE_CHECKING:
    from collections.abc import Mapping


def may_be(fields: Mapping[str, object], echo: Mapping[str, object] | None) -> bool:
    """Tell whether nothing in an echo contradicts what was sent, as JSON compares; it may leave out what it likes."""
    return echo is None or all(name not in echo or _equal(value, echo[name]) for name, value in fields.items())


def is_ours(fields: Mapping[str, object], known: Mapping[str, object], echo: Mapping[str, object] | None) -> bool:
    """Tell whether an echo certainly is of what was sent: all of it, and known fields alone beside, at their defaults.

    `known` are the fields that the class of the payload has, each with its default, or None. A platform that puts an
    input into other words, or copies a file to an address of its own, leaves no certainty.
    """
    if echo is None or not fields.keys() <= echo.keys() or not may_be(fields, echo):
        return False
    added = {name: value for name, value in echo.items() if name not in fields}
    return all(name in known and (value is None or _equal(value, known[name])) for name, value in added.items())


def _equal(one: object, other: object) -> bool:
    return json_key(one) == json_key(other)
