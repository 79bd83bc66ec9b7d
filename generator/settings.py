"""What pyproject.toml says to the generator: `[tool.generator]` and its tables."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from .diagnostics import GeneratorError
from .json_values import array_of, is_array, is_object

if TYPE_CHECKING:
    from pathlib import Path


TABLES: Final = ("accepted", "fetch", "modules", "overrides")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is generated, and what is believed of a model whose description is silent."""

    groups: tuple[str, ...] = ("Videos",)
    """The groups of the navigation whose models are made."""
    streams: Literal["by-rule", "described"] = "by-rule"
    """Where a model streams whose stream is not described: at the create path with `sse/` in it, or nowhere."""

    @property
    def said(self) -> str:
        """The groups, as messages name them."""
        return " or ".join(map(repr, self.groups))

    def has(self, name: Any) -> bool:
        """Tell whether a name is that of a group, letter case and blanks around it apart."""
        return isinstance(name, str) and name.strip().lower() in {group.strip().lower() for group in self.groups}


def choices(config: Path | None) -> Choices:
    """Give what `[tool.generator]` itself says.

    Raises:
        GeneratorError: it says something else than this knows.
    """
    table = _table(config, ("tool", "generator"))
    place = f"{config}: [tool.generator]"
    if unknown := sorted(table.keys() - {"group", "streams", *TABLES}):
        raise GeneratorError(f"{place} says {', '.join(unknown)}, which means nothing; correct the name")
    group, streams = table.get("group", "Videos"), table.get("streams", "by-rule")
    groups = array_of(group)
    if isinstance(group, str):
        groups = [group]
    if not groups or not all(isinstance(name, str) and name.strip() for name in groups):
        raise GeneratorError(f'{place} group is {group!r}; a name is expected, or a list of names: "Videos"')
    if streams not in ("by-rule", "described"):
        raise GeneratorError(f'{place} streams is {streams!r}; "by-rule" or "described" is expected')
    return Choices(tuple(groups), streams)


def settings(config: Path | None, table: str) -> dict[str, Any]:
    """Give the table `[tool.generator.…]` of a name; empty where it is missing, or the file is.

    Raises:
        GeneratorError: the file cannot be read, or what stands there is no table.
    """
    return _table(config, ("tool", "generator", table))


@lru_cache(maxsize=1)
def _parsed(text: str) -> dict[str, Any]:
    """Parse a file once, of which each table is asked for by itself. Nobody changes what this gives."""
    return tomllib.loads(text)


def _table(config: Path | None, keys: tuple[str, ...]) -> dict[str, Any]:
    if config is None or not config.is_file():
        return {}
    try:
        value = _parsed(config.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise GeneratorError(f"{config.as_posix()}: cannot be read: {error}") from error
    for place, key in enumerate(keys, 1):
        found = value.get(key, {})
        if not is_object(found):
            raise GeneratorError(f"{config.as_posix()}: [{'.'.join(keys[:place])}] is no table")
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


def accepted_entries(config: Path | None) -> list[Any]:
    """Give the entries of `[[tool.generator.accepted]]`.

    Raises:
        GeneratorError: as `settings`, and if it is no list.
    """
    found = _table(config, ("tool", "generator")).get("accepted", [])
    if not is_array(found):
        raise GeneratorError(f"{config}: accepted is a list of tables: [[tool.generator.accepted]]")
    return found
