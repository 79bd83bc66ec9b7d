"""The command line. It is handed the catalog of models, since the runtime imports nothing generated."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skills_video_runtime.endpoint import ModelInfo

USAGE = """\
usage: python -m skills_video COMMAND

  models     list every video model: id, module, title
  sandbox    run a local stand-in for the platform; --help tells its options
"""
BAD_USAGE = 1


def main(models: Sequence[ModelInfo], arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 0 well, 1 bad usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["models"]:
        width = max((len(info.endpoint.model) for info in models), default=0)
        lines = [f"{info.endpoint.model:<{width}}  {info.module}  ({info.title})\n" for info in models]
        with suppress(BrokenPipeError):
            sys.stdout.writelines(lines)
            sys.stdout.flush()
        return 0
    if given[:1] == ["sandbox"]:
        from skills_video_runtime.sandbox import main as sandbox  # noqa: PLC0415  # needs an extra

        return sandbox(given[1:])
    helped = given in (["--help"], ["-h"])
    print(USAGE, end="", file=sys.stdout if helped else sys.stderr)
    return 0 if helped else BAD_USAGE
