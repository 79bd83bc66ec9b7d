"""Which other models take the payload of a model, and what would be lost. `planning.convert` of the library decides."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from skills_video.catalog import MODELS
from skills_video_runtime import PayloadError, convert
from skills_video_runtime.planning import ESSENTIAL, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skills_video_runtime import BasePayload, ModelInfo


NEEDED: Final = frozenset(name for role in ESSENTIAL for name in ROLES[role])
"""Fields without which a video is another one: a model that has no place for one that is given is no neighbour."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A model that takes a payload of another one, as near as it can."""

    module: str
    title: str
    variant: str
    lost: tuple[str, ...]
    """What is not sent as it was, each in words."""
    left_out: int
    """How many of these are not sent at all."""


def neighbours_of(payload: BasePayload) -> list[Neighbour]:
    """Give the models that take it, those first that lose least of it; equal ones in the order of the catalog."""
    found = [item for info in MODELS if info.endpoint != payload.endpoint for item in _asked(payload, info)]
    return sorted(found, key=lambda item: (item.left_out, len(item.lost)))


def _asked(payload: BasePayload, info: ModelInfo) -> Iterator[Neighbour]:
    try:
        planned = convert(payload, import_module(f"skills_video.{info.module}"))
    except PayloadError:
        return
    if NEEDED.intersection(planned.left_out):
        return
    lost = tuple(map(str, planned.lost))
    variant = type(planned.payload).__name__
    yield Neighbour(info.module, info.title, variant, lost, len(planned.left_out))
