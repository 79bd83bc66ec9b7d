"""A model that is selected: what a description says of it, ready to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generator.names import client_name

from .paths import RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.schema.types import Shape, Variant

    from .navigation import PassedOver


@dataclass(frozen=True, slots=True)
class VideoModel:
    """A model with its pair of endpoints, whose paths start below the base URL."""

    model: str
    module: str
    title: str
    text: str
    stream: str | None
    """None where none is described, and none is to be tried."""
    create: str
    file: str
    """The description that the model's request schema came from."""
    pointer: str
    """Where its request body stands in that file."""
    request: Shape
    """What its endpoints take, with the files that the form of the create endpoint takes."""
    variants: tuple[Variant, ...]
    """The objects that the request may be."""
    is_union: bool
    """Whether the request is written as one of several, be they one."""
    known: Mapping[str, Shape]
    """What references within the request lead to."""
    form: str = ""
    """The media type of its form, empty where it has none."""
    deprecated: bool = False
    """Whether one of its operations is deprecated."""
    stream_is_described: bool = True
    """False where the stream stands where the platform's reference says that every model has one."""
    create_is_described: bool = True
    """As above."""

    result: ClassVar[str] = RESULT

    @property
    def remark(self) -> str:
        """What its module says of endpoints that the description lacks, as paragraphs that follow its text."""
        said = ""
        if self.stream is None:
            said = "\n\nNo stream of it is described, so it is polled."
        elif not self.stream_is_described:
            said = "\n\nNo stream of it is described: its path is the one that the platform gives to all models."
        if not self.create_is_described:
            said += (
                "\n\nOnly its stream is described: its create path is the one that the platform gives to all models."
            )
        return said

    @property
    def client(self) -> str:
        """The name of its client class."""
        return client_name(self.module)


@dataclass(frozen=True, slots=True)
class Selection:
    """The models in the order of the navigation, and what was passed over."""

    models: tuple[VideoModel, ...]
    passed_over: tuple[PassedOver, ...]
