"""Which components a discriminator leads to, those included that extend its schema by `allOf`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import NOTHING, array_of, escape, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.inputs.description import Description

_COMPONENTS: Final = "/components/schemas/"
FAMILY: Final = frozenset({"discriminator", "oneOf", "anyOf"})
"""The keywords of which a base has one that speaks of its children."""

_PART: Final = re.compile(r"(.*?)(?:/allOf/[0-9]+)+")
"""The pointer of a part, and of the schema that is made of it."""


@dataclass
class Inheritance:
    """Which components of a description extend which, by their pointers (OpenAPI, "Discriminator Object")."""

    description: Description
    heirs: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])
    """What was found to extend a component."""

    def is_base(self, target: str, pointer: str) -> bool:
        """Tell whether a reference at a pointer is how a component extends its base, and no use of that base."""
        part = _PART.fullmatch(pointer)
        return part is not None and part[1] in self._heirs(target)

    def children(self, schema: Any, pointer: str) -> Iterator[tuple[str, list[str]]]:
        """Give the components that may stand in place of a base, each with the values that lead to it."""
        if "discriminator" not in object_of(schema) or not {"oneOf", "anyOf"}.isdisjoint(schema):
            return
        mapping = object_of(object_of(schema["discriminator"]).get("mapping"))
        named = filter(None, map(self._target, mapping.values()))
        for child in dict.fromkeys((*named, *self._heirs(pointer))):
            if child != pointer:
                yield child, self.values(child, schema)

    def values(self, target: str, schema: Any) -> list[str]:
        """Give the values of a discriminator that lead to a component: those of the mapping, else its own name."""
        mapping = object_of(object_of(schema["discriminator"]).get("mapping"))
        found = [value for value, leads_to in mapping.items() if self._target(leads_to) == target]
        return found or [target.rpartition("/")[2]]

    def _target(self, name: Any) -> str:
        """Give the pointer of what a mapping names, a component or a reference; empty where there is none."""
        for pointer in (f"{_COMPONENTS}{escape(str(name))}", str(name).partition("#")[2]):
            if pointer and self.description.at(pointer) is not NOTHING:
                return pointer
        return ""

    def _heirs(self, pointer: str) -> dict[str, None]:
        """Give what extends a component that has a discriminator or alternatives, by one step or several."""
        if FAMILY.isdisjoint(object_of(self.description.at(pointer))):
            return {}
        if pointer not in self.heirs:
            found = self.heirs[pointer] = dict.fromkeys(self._by_base.get(pointer, ()))
            waiting = list(found)
            for child in waiting:  # which grows as it is gone through
                new = [heir for heir in self._by_base.get(child, ()) if heir not in found]
                found.update(dict.fromkeys(new))
                waiting += new
        return self.heirs[pointer]

    @cached_property
    def _by_base(self) -> dict[str, list[str]]:
        """Of each component, those that extend it themselves."""
        found: dict[str, list[str]] = {}
        for name, schema in object_of(self.description.at(_COMPONENTS[:-1])).items():
            for part in array_of(object_of(schema).get("allOf")):
                reference = object_of(part).get("$ref")
                if isinstance(reference, str):
                    found.setdefault(reference.removeprefix("#"), []).append(f"{_COMPONENTS}{escape(name)}")
        return found
