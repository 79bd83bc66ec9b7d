"""The tables of pyproject.toml that are the generator's: `[tool.generator.…]`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from .diagnostics import GeneratorError
from .json_values import is_object

if TYPE_CHECKING:
    from pathlib import Path


def settings(config: Path | None, table: str) -> dict[str, Any]:
    """Give the table `[tool.generator.…]` of a name; empty where it is missing, or the file is.

    Raises:
        GeneratorError: the file cannot be read, or what stands there is no table.
    """
    if config is None or not config.is_file():
        return {}
    try:
        value: dict[str, Any] = tomllib.loads(config.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise GeneratorError(f"{config.as_posix()}: cannot be read: {error}") from error
    for key in ("tool", "generator", table):
        found = value.get(key, {})
        if not is_object(found):
            raise GeneratorError(f"{config.as_posix()}: [tool.generator.{table}] is no table")
        value = found
    return value


def module_names(config: Path | None) -> dict[str, str]:
    """Give the module names that are set, by model id.

    Raises:
        GeneratorError: as `settings`, and if a name is no text.
    """
    names = settings(config, "modules")
    if not all(isinstance(name, str) for name in names.values()):
        raise GeneratorError(f"{config}: [tool.generator.modules] is a table of module names by model id")
    return names
