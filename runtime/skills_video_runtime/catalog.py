"""Where a model is found: its paths, and its entry in the catalog."""

from __future__ import annotations

from typing import NamedTuple


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
    """Of `image`, `video`, `audio` and `frames` (images for given places in the video) those that can be handed in."""
    durations: tuple[int | float | str, ...] = ()
    """Lengths of the video in seconds; `"1-15"` is a range, fractions included."""
    resolutions: tuple[int | float | str, ...] = ()
    """Sizes of the picture, in the platform's own words."""
