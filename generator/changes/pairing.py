"""What belongs together in two lists of one kind: alternatives, names, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.schema import types
from generator.schema.types import followed, options_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.schema.types import Shape

    from .body import Revision


def take_pairs(old: list[Any], new: list[Any], same: Callable[[Any, Any], bool]) -> list[tuple[Any, Any]]:
    """Take out of two lists what belongs together, each once."""
    pairs: list[tuple[Any, Any]] = []
    for mine in list(old):
        twin = next((other for other in new if same(mine, other)), None)
        if twin is not None:
            pairs.append((mine, twin))
            old.remove(mine)
            new.remove(twin)
    return pairs


def moved(before: list[str], after: list[str]) -> list[tuple[str, str | None, str | None]]:
    """Give the names that moved, with what stood and stands before them: those outside a longest run of both orders."""
    place = {name: index for index, name in enumerate(before)}
    kept = [name for name in after if name in place]
    runs: list[list[str]] = [[]]
    for name in kept:
        earlier = [run for run in runs if not run or place[run[-1]] < place[name]]
        runs.append([*max(earlier, key=len), name])
    longest = max(runs, key=len)
    was, now = (dict(zip(names, [None, *names], strict=False)) for names in (before, after))
    return [(name, was[name], now[name]) for name in kept if name not in longest]


def alternatives_of(shape: Shape, revision: Revision) -> list[Shape]:
    """Give the alternatives of a shape, null among them as one of its own."""
    found: list[Shape] = []
    for option in options_of(shape):
        part = followed(option, revision.known)
        if isinstance(part, types.Union):
            found += alternatives_of(part, revision)
        elif isinstance(part, types.Choice) and None in part.values:
            others = tuple(value for value in part.values if value is not None)
            if others:
                found.append(types.Choice(others))
            found.append(types.Null())
        else:
            found.append(part)
    return found


def kind_of(shape: Shape) -> tuple[type[Shape], bool]:
    """Give what two shapes have in common that can be compared: maps and objects with fields are two kinds."""
    return type(shape), isinstance(shape, types.Object) and shape.is_map
