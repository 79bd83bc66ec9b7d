"""Corrections of a description that is wrong: `[tool.generator.overrides]` in pyproject.toml, each with its reason."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from generator.diagnostics import GeneratorError
from generator.json_values import NOTHING, is_object, json_key, member, unescape, value_at
from generator.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from generator.diagnostics import Diagnostics

PLACE: Final = "/tool/generator/overrides"


@dataclass(frozen=True, slots=True)
class Override:
    """What stands at a pointer of an input instead of what the input says; `NOTHING` where it is removed."""

    key: str
    """As pyproject.toml says it: a JSON pointer, after `NAME#` where it is not about the platform's description."""
    file: str
    """The name of the input; empty for the platform's description."""
    pointer: str
    value: Any
    reason: str


def read_overrides(config: Path | None) -> tuple[Override, ...]:
    """Read the overrides, in their order.

    Raises:
        GeneratorError: one has another form than a pointer with a value, or `remove = true`, and a reason.
    """
    return tuple(_override(key, entry, str(config)) for key, entry in settings(config, "overrides").items())


def apply(overrides: Iterable[Override], document: dict[str, Any], diagnostics: Diagnostics) -> None:
    """Correct a document in place, and report each override that has become idle."""
    for override in overrides:
        above, _, last = override.pointer.rpartition("/")
        parent = value_at(document, above)
        before = member(parent, last)
        if not (is_object(parent) or before is not NOTHING):
            _warn(diagnostics, override, "no longer applies: the description has no such place")
        elif before is NOTHING and override.value is NOTHING:
            _warn(diagnostics, override, "no longer applies: what it removes is not there")
        elif NOTHING not in (before, override.value) and json_key(before) == json_key(override.value):
            _warn(diagnostics, override, "is no longer needed: the description says the same")
        else:
            _put(parent, last, override.value)
            if before is NOTHING:
                message = f"{override.key!r} adds what the description does not say ({override.reason})"
                diagnostics.note("pyproject.toml", PLACE, message)


def unused(overrides: Iterable[Override], names: Iterable[str], diagnostics: Diagnostics) -> None:
    """Report overrides of inputs that are not among those of this run."""
    known = set(names)
    for override in overrides:
        if override.file and override.file not in known:
            _warn(diagnostics, override, f"no longer applies: there is no input {override.file!r}")


def _override(key: str, entry: Any, config: str) -> Override:
    file, hash_sign, pointer = key.rpartition("#")
    if key.startswith("/"):
        file, hash_sign, pointer = "", "#", key

    def fail(message: str) -> GeneratorError:
        form = '"/paths/…/maxLength" = { value = 500, reason = "…" }'
        return GeneratorError(f"{config}: [tool.generator.overrides] {key!r}: {message}; as in {form}")

    if not (hash_sign and bool(file) != key.startswith("/") and re.fullmatch(r"(?:/(?:[^/~]|~[01])*)+", pointer)):
        raise fail("is no JSON pointer, with NAME# in front of it if it is not about openapi.json")
    if not is_object(entry):
        raise fail("is no table")
    reason = entry.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise fail("has no reason; say why the description is wrong")
    if unknown := sorted(entry.keys() - {"reason", "remove", "value"}):
        raise fail(f"says {', '.join(unknown)}, which means nothing here")
    if ("value" in entry) == ("remove" in entry) or entry.get("remove", True) is not True:
        raise fail("says neither or both of what stands there instead: value, or remove = true")
    value = entry.get("value", NOTHING)
    try:
        json.dumps(entry.get("value"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise fail(f"has a value that is not JSON ({error})") from error
    return Override(key, file, pointer, value, reason.strip())


def _put(parent: dict[str, Any] | list[Any], token: str, value: Any) -> None:
    key: Any = unescape(token)
    if isinstance(parent, list):
        key = int(token)
    if value is NOTHING:
        del parent[key]
    else:
        parent[key] = copy.deepcopy(value)


def _warn(diagnostics: Diagnostics, override: Override, message: str) -> None:
    diagnostics.warn("pyproject.toml", PLACE, f"{override.key!r} {message}; remove it ({override.reason})")
