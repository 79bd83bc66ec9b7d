"""What a shell offers while a command is typed: models, variants, fields and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer import Context  # noqa: TC002  # typer reads annotations when it is run

from .catalog import Catalog, short_names
from .output import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skills_video_runtime.payloads.base import BasePayload


def models(context: Context, incomplete: str) -> list[tuple[str, str]]:
    """Give the names of models that begin so."""
    if not isinstance(context.obj, Catalog):
        return []
    pairs = [(name, info.title) for info in context.obj.models for name in short_names(info) if name.isascii()]
    return [(name, title) for name, title in pairs if name.startswith(incomplete.casefold())]


def variants(context: Context, incomplete: str) -> list[str]:
    """Give the variants of the model that begin so."""
    names = (cls.__name__ for cls in _classes(context))
    return [name for name in names if name.startswith(incomplete)]


def settings(context: Context, incomplete: str) -> list[str]:
    """Give the fields that begin so, or after `name=` the values that the field lists."""
    offered = dict.fromkeys(text for cls in _classes(context) for text in _settings(cls, "=" in incomplete))
    return [text for text in offered if text.startswith(incomplete)]


def _classes(context: Context) -> list[type[BasePayload]]:
    """Give the payload classes of the model that stands on the line; none where that is not clear.

    Where an option still lacks its value, the parser has put nothing into its place yet.
    """
    catalog, model = context.obj, next(filter(None, [context.params.get("model"), *context.args]), None)
    if not isinstance(catalog, Catalog) or not model:
        return []
    try:
        return catalog.variants(catalog.find(model), context.params.get("variant"))
    except UsageProblem:
        return []


def _settings(cls: type[BasePayload], with_values: bool) -> Iterator[str]:  # noqa: FBT001  # told by the text alone
    from skills_video_runtime.payloads.checks import PLANS  # noqa: PLC0415  # models are completed without

    from .annotations import allowed  # noqa: PLC0415  # as above

    for wire, member in PLANS[cls].by_wire.items():
        if not with_values:
            yield f"{wire}="
            continue
        what = allowed(member.shape)
        values: list[Any] = what.limits.get("enum", [])
        if what.kind == "boolean":
            values = ["true", "false"]
        yield from (f"{wire}={value}" for value in values)
