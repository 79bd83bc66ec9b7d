"""What people write, on a command line or in a table, as the values that the fields of a payload have."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from skills_video_runtime.errors import Violation
from skills_video_runtime.json_values import is_array, is_mapping, is_too_deep

from .checks import PLANS
from .constraints import UNSET
from .file import File
from .violations import Problems, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import BasePayload
    from .violations import Problem

PART = re.compile(r"(?:(?P<name>[^.\[\]=]+)|\[(?P<index>\d{1,4})\])(?:\.(?=.))?", re.DOTALL)
DEEPEST = 32  # names and indices that lead to a value: our choice
MISSPELT = 0.8  # likeness from which on a name counts as a misspelt field: our choice
ABSENT: Any = object()


def read_object(text: str) -> dict[str, Any]:
    """Read a JSON object, in which no name stands twice; a ValueError ends a sentence on where the text stands."""
    try:
        value: object = json.loads(text, object_pairs_hook=_members)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error}") from error
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character, which cannot be sent") from error
    except (ValueError, RecursionError) as error:
        raise ValueError("is no JSON that can be read: it holds too much") from error
    except LookupError as error:
        raise ValueError(f"has {error.args[0]!r:.80} twice in one object") from error
    if not isinstance(value, dict):
        raise ValueError("is no JSON object, which begins with {")  # noqa: TRY004  # it was read as text
    members = cast("dict[str, Any]", value)
    if is_too_deep(members):
        raise ValueError("is no JSON that can be read: it holds too much")
    return members


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Give an object; LookupError names what stands in it twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise LookupError(next(name for name in names if names.count(name) > 1))
    return members


@dataclass(frozen=True, slots=True)
class Setting:
    """What somebody sets: the name, the names and indices that this may stand for, and the text of the value."""

    name: str
    path: tuple[str | int, ...]
    text: str

    @classmethod
    def read(cls, given: str) -> Setting:
        """Read `name=value`, `name[0].x=value`; ValueError in place of anything else."""
        left, equals, text = given.partition("=")
        path: list[str | int] = []
        place = 0
        while found := PART.match(left, place):
            path.append(found["name"] or int(found["index"]))
            place = found.end()
        if not equals or not 0 < len(path) <= DEEPEST or place < len(left) or not isinstance(path[0], str):
            raise ValueError(f"{given!r:.80} is not name=value")
        try:
            given.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{left!r:.80} is not UTF-8 text") from error
        return cls(left, tuple(path), text)

    def candidates(self) -> list[Any]:
        """Give the values that the text may mean, the likeliest first; ValueError of a file that is not there."""
        text = self.text
        if text.startswith("@@"):
            text = text[1:]
        elif text.startswith("@"):
            try:
                return [File(Path(text[1:]).expanduser())]
            except (OSError, ValueError, RuntimeError) as error:  # of no home, too
                raise ValueError(f"{self.name}: {error}; @@ begins a text with @") from error
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        if isinstance(value, str):
            return [text, value]
        return [value, text]


def misspelt(variants: Sequence[type[BasePayload]], name: str, value: Any = None, hint: str = "") -> Violation | None:
    """Refuse a name that a schema would take as it is, where a field is so close that it must be meant."""
    plans = [PLANS[variant] for variant in variants]
    wires = [wire for plan in plans for wire in plan.by_wire]
    if name in wires or not any(plan.extra for plan in plans):
        return None
    from difflib import get_close_matches  # noqa: PLC0415  # only a name that is not known needs it

    for near in get_close_matches(name[:200], wires, n=1, cutoff=MISSPELT):
        return Violation(name, "additionalProperties", value, near, f"is no field; nearest: {near!r}{hint}")
    return None


def with_constant(variants: Sequence[type[BasePayload]], data: dict[str, Any]) -> dict[str, Any]:
    """Give data with the constants of the only variant that they can be of, which need not be written then."""
    if len(variants) != 1:
        return data
    constants = {wire: field.constant for wire, field in PLANS[variants[0]].by_wire.items()}
    return {name: value for name, value in constants.items() if value is not UNSET} | data


def as_fields_have_it(variants: Sequence[type[BasePayload]], data: dict[str, Any]) -> dict[str, Any]:
    """Read texts of the data that are refused where they stand as settings of the same place are read."""
    result = dict(data)
    for name, value in data.items():
        for problem in problems_of(variants, name, value, ()):
            path = (name, *problem.path)
            if isinstance(problem.value, str) and not problem.value.startswith("@") and None not in path:
                setting = Setting(written(path), cast("tuple[str | int, ...]", path), problem.value)
                put(variants, result, set(), setting)
    return result


def put(variants: Sequence[type[BasePayload]], data: dict[str, Any], lists: set[str], setting: Setting) -> None:
    """Put a setting into the data, as what its field has; `lists` are the fields that a setting has made a list."""
    is_field = any(setting.name in PLANS[variant].by_wire for variant in variants)
    path = setting.path
    if is_field:
        path = (setting.name,)
    name, *rest = cast("tuple[str, ...]", path)
    values = setting.candidates()
    tries: list[Any] = [placed(data.get(name, ABSENT), rest, value, setting.name) for value in values]
    if name in lists and not rest:
        tries = [*([*data[name], value] for value in values), *(value for value in values if isinstance(value, list))]
    elif not rest:
        tries += [[value] for value in values]
    judged = [(value, problems_of(variants, name, value, rest)) for value in tries]
    for value, problems in judged:
        if not problems:
            data[name] = value
            if not rest and is_field and isinstance(value, list):
                lists.add(name)
            return
    hinted = (value for value, problems in judged if any(item.nearest() is not None for item in problems))
    data[name] = next(hinted, tries[0])


def placed(current: Any, path: Sequence[Any], value: Any, name: str = "") -> Any:
    """Give a copy of a value in which another one, called `name` by a ValueError, stands at a path."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, int):
        if current is ABSENT:
            current = []
        if not is_array(current):
            raise ValueError(f"{name}: there is no list to put it into")
        if key > len(current):
            raise ValueError(f"{name}: item {len(current)} comes first")
        return [*current[:key], placed([*current, ABSENT][key], rest, value, name), *current[key + 1 :]]
    if current is ABSENT:
        current = {}
    if not is_mapping(current):
        raise ValueError(f"{name}: there is no object to put it into")
    return {**current, key: placed(current.get(key, ABSENT), rest, value, name)}


def problems_of(
    variants: Sequence[type[BasePayload]], name: str, value: Any, inner: Sequence[str | int]
) -> list[Problem]:
    """Give what is wrong with the value at a path, by the variant that finds least wrong with it."""
    found: list[list[Problem]] = []
    for variant in variants:
        plan, problems = PLANS[variant], Problems({})
        if name in plan.by_wire:
            plan.by_wire[name].check(value, (), problems)
            found.append([item for item in problems if item.path[: len(inner)] == (*inner,)])
        elif plan.extra is not None:
            plan.extra.check.take({name: value}, (), problems)
            found.append(problems)
    return min(found or [[]], key=len)
