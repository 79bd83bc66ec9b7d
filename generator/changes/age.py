"""One of two revisions that are compared: its models and operations, and digests that tell what is equal in both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from generator.inputs.asked import find_operation

from .parts import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.inputs.asked import Asked
    from generator.inputs.description import Description
    from generator.inputs.video_model import VideoModel
    from generator.run import Found


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
        return find_operation(self.found.descriptions, method, path)

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


def names_of(descriptions: Sequence[Description]) -> dict[str, str]:
    """Give the name of each input by its path, from the folder of the first one on."""
    home = descriptions[0].file.rpartition("/")[0]
    return {item.file: item.file.removeprefix(home).lstrip("/") for item in descriptions}
