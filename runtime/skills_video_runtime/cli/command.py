"""What all commands have in common, as typer reads it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .failure import JSON

Json = Annotated[bool, typer.Option(JSON, help="Answer in JSON.")]


class Command(TyperCommand):
    """A command whose usage line names what it needs as it is named below that: MODEL, not {MODEL}."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """See `TyperCommand`."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]
