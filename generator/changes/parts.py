"""Digests of places of a description: they tell what is equal in two revisions, so that it is read once."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from generator.json_values import NOTHING

if TYPE_CHECKING:
    from generator.inputs.description import Description

_REFERENCE = re.compile(r'"\$ref": ("#(?:[^"\\]|\\.)*")')


@dataclass(slots=True)
class Parts:
    """Digests of places of a description, with all that they refer to: where two are equal, so is the meaning."""

    description: Description
    texts: dict[str, tuple[str, list[str]]] = field(default_factory=dict[str, tuple[str, list[str]]])
    """What stands at the pointers that were asked for, as JSON, with the pointers that it refers to."""
    digests: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    """The digests by these texts: many places say the same."""

    def digest(self, *pointers: str) -> str:
        """Give what tells these places from others; where they stand does not count."""
        own = tuple(self._text(pointer)[0] for pointer in pointers)
        if own not in self.digests:
            self.digests[own] = self._digest(own, pointers)
        return self.digests[own]

    def _digest(self, own: tuple[str, ...], pointers: tuple[str, ...]) -> str:
        pending = [target for pointer in pointers for target in self._text(pointer)[1]]
        known: dict[str, str] = {}
        while pending:
            target = pending.pop()
            if target not in known:
                known[target], targets = self._text(target)
                pending += targets
        return hashlib.sha256(json.dumps([own, sorted(known.items())]).encode()).hexdigest()

    def _text(self, pointer: str) -> tuple[str, list[str]]:
        if pointer not in self.texts:
            value = self.description.at(pointer)
            text = ""
            if value is not NOTHING:
                text = json.dumps(value)
            targets = [unquote(json.loads(reference)[1:]) for reference in _REFERENCE.findall(text)]
            self.texts[pointer] = text, targets
        return self.texts[pointer]
