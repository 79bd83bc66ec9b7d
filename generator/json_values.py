"""JSON's own sense of types, equality and pointers, for whoever holds a value that a file gave."""

from __future__ import annotations

import math
import re
from typing import Any, Final, TypeGuard

NOTHING: Final[Any] = object()
"""What a pointer leads to that leads nowhere."""


class NoDocumentError(ValueError):
    """A text is neither JSON nor YAML that is read here. Its text says why."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is an array."""
    return isinstance(value, list)


def object_of(value: Any) -> dict[str, Any]:
    """Give a JSON value if it is an object, else an empty one."""
    if is_object(value):
        return value
    return {}


def array_of(value: Any) -> list[Any]:
    """Give a JSON value if it is an array, else an empty one."""
    if is_array(value):
        return value
    return []


def text_of(value: Any) -> str:
    """Give a JSON value if it is a string, else an empty one."""
    if isinstance(value, str):
        return value
    return ""


def member(value: Any, token: str) -> Any:
    """Give what a token of a JSON pointer leads to (RFC 6901, section 4), `NOTHING` if it leads nowhere."""
    key = unescape(token)
    if is_object(value) and key in value:
        return value[key]
    if is_array(value) and re.fullmatch(r"[0-9]{1,9}", key) and int(key) < len(value):
        return value[int(key)]
    return NOTHING


def value_at(value: Any, pointer: str) -> Any:
    """Give what stands at a JSON pointer (RFC 6901) of a value, `NOTHING` if nothing does."""
    for token in pointer.split("/")[1:]:
        value = member(value, token)
    return value


def escape(token: str) -> str:
    """Write a member's name as part of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Give the name of a member that a part of a JSON pointer writes (RFC 6901, section 4)."""
    return token.replace("~1", "/").replace("~0", "~")


def json_key(value: Any) -> object:
    """Give a key that is the same for two values that JSON holds to be equal, and for no others."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if is_array(value):
        return ("array", *map(json_key, value))
    if is_object(value):
        return frozenset((name, json_key(item)) for name, item in value.items())
    if isinstance(value, str):
        return ("string", value)
    return ("number", value)


def finite(text: str) -> float:
    """Read a number that has a fraction or an exponent.

    Raises:
        ValueError: it is too large.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a number can hold")
    return number
