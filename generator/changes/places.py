"""Where in a description something stands, as a JSON pointer that leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.diagnostics import GeneratorError
from generator.json_values import NOTHING, array_of, escape, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.inputs.description import Description

PARTS: Final = ("allOf", "anyOf", "oneOf")


def names_of(descriptions: Sequence[Description]) -> dict[str, str]:
    """Give the name of each input by its path, from the folder of the first one on."""
    home = descriptions[0].file.rpartition("/")[0]
    return {item.file: item.file.removeprefix(home).lstrip("/") for item in descriptions}


def member_at(description: Description, pointer: str, name: str) -> str:
    """Give where the object at a pointer describes a member, else where the object itself stands.

    The pointer of a merged object names several places, with `+` between them: the first one counts.
    """
    while description.at(pointer) is NOTHING and pointer:
        pointer = pointer[: max(pointer.rfind("+"), pointer.rfind("/"), 0)]
    if not name:
        return pointer
    return next(_members(description, pointer, name, []), pointer)


def _members(description: Description, pointer: str, name: str, seen: list[str]) -> Iterator[str]:
    """Find a member in a schema, in what it refers to, and in the parts that it is made of."""
    try:
        pointer, schema = description.follow(description.at(pointer), pointer)
    except GeneratorError:
        return
    if pointer in seen:
        return
    seen.append(pointer)
    own: dict[str, Any] = object_of(schema)
    if name in object_of(own.get("properties")):
        yield f"{pointer}/properties/{escape(name)}"
    for keyword in PARTS:
        for index, _ in enumerate(array_of(own.get(keyword))):
            yield from _members(description, f"{pointer}/{keyword}/{index}", name, seen)
