"""One of two revisions that are compared: its models and operations, and digests that tell what is equal in both."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from generator.inputs.selection import find_operation
from generator.json_values import NOTHING

from .operations import Asked

if TYPE_CHECKING:
    from generator.inputs.description import Description
    from generator.inputs.selection import VideoModel
    from generator.run import Found

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


@dataclass(frozen=True)
class Age:
    """A revision that was read."""

    found: Found

    @cached_property
    def parts(self) -> dict[str, Parts]:
        """The digests of each description, by its file."""
        return {description.file: Parts(description) for description in self.found.descriptions}

    @property
    def models(self) -> dict[str, VideoModel]:
        """The selected models by their ids."""
        return {model.model: model for model in self.found.selection.models}

    def asked(self, method: str, path: str) -> Asked | None:
        """Look an operation up."""
        found = find_operation(self.found.descriptions, method, path)
        if found is None:
            return None
        return Asked(*found)

    def description_of(self, model: VideoModel) -> Description:
        """Give the description that the request of a model came from."""
        return self.parts[model.file].description

    def takes(self, model: VideoModel) -> tuple[str, ...]:
        """Give digests of all that decides the classes of a model, its names apart."""
        ends = [end for path in (model.create, model.stream or "") if (end := self.asked("post", path))]
        bodies = [self.digest(end, "requestBody") for end in ends]
        return (*bodies, model.module, model.title, str(self.description_of(model).is_3_0))

    def posts(self, model: VideoModel, asked: Asked) -> bool:
        """Tell whether an operation takes what the payloads of a model are made of."""
        pointer, _ = asked.body
        own, other = self.parts[model.file], self.parts[asked.description.file]
        return own.digest(model.pointer) == other.digest(pointer)

    def digest(self, asked: Asked, *names: str) -> str:
        """Give the digest of what an operation says under some names."""
        parts = self.parts[asked.description.file]
        return parts.digest(*(f"{asked.operation.pointer}/{name}" for name in names))
