"""The command line. It is handed the catalog of models, since the runtime imports nothing generated."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from skills_video_runtime.errors import SkillsVideoError

from .signals import Stopped, heeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skills_video_runtime.catalog import ModelInfo

MISSING = "The command line needs packages that are not installed: pip install 'skills-video[cli]'"


def main(models: Sequence[ModelInfo], package: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; `exits` lists what each means.

    Args:
        models: The catalog.
        package: The package that the modules of the models are in.
        arguments: Those of the command; None for those of the process.
    """
    if arguments is None:
        arguments = sys.argv[1:]
    given = list(arguments)
    try:
        with heeded():
            return _run(models, package, given)
    except Stopped as error:
        from .failure import tell  # noqa: PLC0415  # hardly ever needed

        return tell(error, error.exit_code, given)


def _run(models: Sequence[ModelInfo], package: str, given: list[str]) -> int:
    try:
        from .application import run_command  # noqa: PLC0415  # needs the extra `cli`

        return run_command(models, package, given)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"skills_video_runtime", package}:
            raise
        if given[:1] == ["sandbox"]:
            from .local import sandbox  # noqa: PLC0415  # as above, with the extra `sandbox` instead

            return sandbox(given[1:])
        from .failure import tell  # noqa: PLC0415  # hardly ever needed
        from .output import UsageProblem  # noqa: PLC0415

        if given[:1] == ["mcp"]:
            from .local import mcp  # noqa: PLC0415  # as above, with the extra `mcp`

            try:
                return mcp(models, package, given[1:])
            except (SkillsVideoError, UsageProblem, OSError, ValueError) as problem:
                return tell(problem, 1)
        return tell(UsageProblem(f"{MISSING} ({error.name} is missing)"), 1, given)
