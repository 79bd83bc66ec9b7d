"""Where a model is found: its paths, and its entry in the catalog."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from .capabilities import Capabilities

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import SupportsIndex, overload

    from .choosing import Takes
    from .payloads.base import BasePayload

PACKAGES: list[str] = []
"""The generated packages of this process. Each adds its name when it is imported."""


class Endpoint(NamedTuple):
    """The paths of one model, below the base URL: create and stream, create only, state and result by `{id}`."""

    model: str
    stream: str | None
    create: str
    result: str
    stream_is_described: bool = True
    """False where `stream` is the path that the platform gives to all models, and no description has it."""


class ModelInfo(NamedTuple):
    """A model as the catalog knows it, without its module being imported.

    `variants` are the names of the payload classes of the module. Title and text are the description's own. What
    follows the endpoint is read from names and limits of the fields, all variants together; what is empty is unknown.
    """

    module: str
    title: str
    text: str
    variants: tuple[str, ...]
    endpoint: Endpoint
    takes: tuple[str, ...] = ()
    """What can be handed in: `image`, `video` and `audio` for whatever use, and besides, as far as names tell it:

    `frames` (images for given places in the video), of these `first_frame` and `last_frame`, and `references` (what the
    video is to look or sound like).
    """
    durations: tuple[int | float | str, ...] = ()
    """Lengths of the video in seconds; `"1-15"` is a range, fractions included."""
    resolutions: tuple[int | float | str, ...] = ()
    """Sizes of the picture, in the platform's own words."""
    aspect_ratios: tuple[int | float | str, ...] = ()
    """Shapes of the picture, such as `16:9`, in the platform's own words."""
    makes_sound: bool | None = None
    """Whether sound can be asked for along with the video; None where no field speaks of it."""
    deprecated: bool = False
    """Whether the platform advises against the model."""


class Models(tuple[ModelInfo, ...]):
    """Models in the order of the platform's documentation: a tuple that knows them by model id and module as well."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: str | SupportsIndex, /) -> ModelInfo: ...
        @overload
        def __getitem__(self, key: slice, /) -> tuple[ModelInfo, ...]: ...

    def __getitem__(self, key: Any, /) -> Any:
        """Give the model of an id (`kling-ai/kling-v2.6`), a module (`kling_v2_6`) or a place.

        Raises:
            KeyError: no model has that id or module; the nearest are named.
        """
        if not isinstance(key, str):
            place: SupportsIndex = key
            return super().__getitem__(place)
        found = self.get(key)
        if found is None:
            from .choosing import nearest  # noqa: PLC0415  # a module of a model is imported quickly without

            near = ", ".join(info.endpoint.model for info in nearest(self, key))
            raise KeyError(f"no model has the id or module {key!r:.80}; the nearest are {near}")
        return found

    def __contains__(self, key: object, /) -> bool:
        """Tell whether a model is among them, or one of this id or module."""
        return super().__contains__(key) or (isinstance(key, str) and self.get(key) is not None)

    def get(self, name: str) -> ModelInfo | None:
        """Give the model of an id or a module, None where there is none."""
        return next((info for info in self if name in (info.endpoint.model, info.module)), None)

    def find(
        self,
        *,
        takes: Takes | Collection[Takes] = (),
        seconds: float | None = None,
        ratio: str | None = None,
        resolution: str | int | None = None,
        sound: bool | None = None,
        search: str = "",
    ) -> Models:
        """Give the models of which the catalog says that they do all of this, in their order.

        A model whose description is silent about something that is asked is left out.

        Args:
            takes: What is to be handed in, as `ModelInfo.takes` has it: one word, or several.
            seconds: A length of the video that can be asked for.
            ratio: A shape of the picture, such as `9:16`.
            resolution: A size of the picture, such as `1080p`; `1080` is the same.
            sound: True where sound can be asked for along with the video, False where it cannot.
            search: Words that all stand in names, text or traits. What begins with a digit must stand there as a whole
                (`10` is no part of `1080p`); a number is also a length in seconds.

        Raises:
            ValueError: An argument is nothing that could be asked of a model; it is named.
        """
        from .choosing import Wish  # noqa: PLC0415  # a module of a model is imported quickly without

        if isinstance(takes, str):
            takes = (takes,)
        if resolution is not None:
            resolution = str(resolution)
        wish = Wish(tuple(takes), seconds, ratio, resolution, sound, search)
        wish.check()
        return Models(info for info in self if wish.is_met(info))


def capabilities_for(payload: object = None) -> Capabilities:
    """Give what is offered by the description that a payload is of, else by that of the first package in use."""
    if not PACKAGES:
        return Capabilities()
    package = type(payload).__module__.rpartition(".")[0]
    if package not in PACKAGES:
        package = PACKAGES[0]
    found: Capabilities = import_module(f"{package}.capabilities").CAPABILITIES
    return found


def parse(model: object, data: Mapping[str, object]) -> BasePayload:
    """Build the payload that plain data describes for a model of any generated package that is imported.

    Raises:
        TypeError: `model` is no text.
        KeyError: no model has that id or module; the nearest are named.
        PayloadError: the model does not take the data.
        LookupError: no generated package is imported.
    """
    if not isinstance(model, str):
        raise TypeError(f"data is for the id or module of a model, not for {model!r:.80}")
    catalogs = [import_module(f"{package}.catalog") for package in PACKAGES]
    if not catalogs:
        raise LookupError("no models are known: import Client and AsyncClient from skills_video")
    known = next((catalog for catalog in catalogs if model in catalog.MODELS), catalogs[0])
    payload: BasePayload = known.parse(model, data)
    return payload
