"""A local stand-in for the skills.video platform: a real HTTP server to test against (extra `sandbox`).

    with Sandbox() as sandbox:
        client = Client(sandbox.api_key, sandbox.url)

or `python -m skills_video_runtime.sandbox`. `faults` lists what can be made to go wrong.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from skills_video_runtime.sandbox.command import main
    from skills_video_runtime.sandbox.description import DescriptionError
    from skills_video_runtime.sandbox.faults import FaultError
    from skills_video_runtime.sandbox.ledger import Generation
    from skills_video_runtime.sandbox.server import Sandbox, serve

__all__ = ["DescriptionError", "FaultError", "Generation", "Sandbox", "main", "serve"]

_HOMES: Final = {
    "DescriptionError": "description",
    "FaultError": "faults",
    "Generation": "ledger",
    "Sandbox": "server",
    "main": "command",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used.

    Raises:
        ImportError: The extra `sandbox` is not installed.
        AttributeError: There is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from skills_video_runtime.sandbox.command import missing  # noqa: PLC0415  # needs no extra

        raise ImportError(missing(error)) from error
