"""What an annotation of a payload can say beyond its type.

`Ge`, `Gt`, `Le`, `Lt`, `MultipleOf`, `MinLen` and `MaxLen` come from annotated-types, and what is added here speaks its
language, so that hypothesis and pydantic read the annotations of a payload as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, cast

from annotated_types import GroupedMetadata, MaxLen, MinLen, Predicate

from .json_values import is_unique, json_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol, TypeVar


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        """Nothing was given, so it counts as false."""
        return False

    def __repr__(self) -> str:
        """Its name alone."""
        return "UNSET"


UNSET: Final = Unset.UNSET
"""The value of a field that is not sent. `None` is JSON null, and allowed only where the schema allows null."""


@dataclass(frozen=True, slots=True, eq=False)
class Default:
    """What the platform uses when the field is not sent, as its description says.

    Two are never equal: `typing` would take `Default(0)` and `Default(False)` for the same, and cannot hash a list.
    """

    value: Any


_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;="


def _run_of(characters: str, times: str = "*") -> str:
    """Match a run of characters, percent-encoded or not. It never backs off, which would take memory for each one."""
    return rf"(?:[{characters}]++|%[0-9A-Fa-f]{{2}}){times}+"


_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_run_of(_PLAIN, '+')})"
_USER = rf"(?:{_run_of(f'{_PLAIN}:')}@)?"
_PATH = rf"(?:/{_run_of(f'{_PLAIN}:@')})*+"
_TAIL = rf"(?:\?{_run_of(f'{_PLAIN}:@/?')})?(?:#{_run_of(f'{_PLAIN}:@/?')})?"
_WEB = rf"[Hh][Tt][Tt][Pp][Ss]?://{_USER}{_HOST}(?::[0-9]*)?{_PATH}{_TAIL}"
_OTHER = (
    r"(?![Hh][Tt][Tt][Pp][Ss]?:)[A-Za-z][A-Za-z0-9+.\-]+:"
    rf"(?://{_USER}{_HOST}?(?::[0-9]*)?{_PATH}|/?(?:{_run_of(f'{_PLAIN}:@', '+')}{_PATH})?){_TAIL}"
)
URI: Final = re.compile(rf"(?:{_WEB}|{_OTHER})", re.ASCII)
"""An absolute URI: RFC 3986, section 3, with the host that RFC 9110, section 4.2, asks of http and https.

A scheme of one letter is a drive (`C:/cat.png`), and no such scheme is registered.
"""


@dataclass(frozen=True, slots=True)
class Format(GroupedMetadata):
    """The `format` of a string (JSON Schema Validation, section 7). `uri` is checked, any other is shown only."""

    name: str

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        if self.name == "uri":
            yield Predicate(cast("Callable[[Any], bool]", URI.fullmatch))


@dataclass(frozen=True, slots=True)
class Pattern(GroupedMetadata):
    """A regular expression that is found somewhere in the string (JSON Schema Validation, section 6.3.3)."""

    regex: str

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        yield Predicate(cast("Callable[[Any], bool]", re.compile(self.regex).search))


@dataclass(frozen=True, slots=True)
class UniqueItems(GroupedMetadata):
    """No item of the array equals another, as JSON compares: `1` equals `1.0`, and not `true`."""

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        yield Predicate(is_unique)


class OneOf(GroupedMetadata):
    """The values that are allowed, where `Literal` cannot say it: fractions, arrays, objects."""

    def __init__(self, *values: Any) -> None:
        self.values = values
        self._keys = frozenset(map(json_key, values))

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        yield Predicate(lambda value: json_key(value) in self._keys)

    def __repr__(self) -> str:
        """As it is written."""
        return f"OneOf({', '.join(map(repr, self.values))})"


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """The value fits one member of the union and no second one (`oneOf`)."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The value fits at least one member of the union: keeps a union inside another that is `ExactlyOne`."""


MinProperties: TypeAlias = MinLen
"""An object has at least so many members."""

MaxProperties: TypeAlias = MaxLen
"""An object has at most so many members."""


@dataclass(frozen=True, slots=True)
class DependentRequired:
    """Where `name` is given, `required` are given too. All are names as the platform spells them."""

    name: str
    required: tuple[str, ...]


ObjectRule: TypeAlias = MinProperties | MaxProperties | DependentRequired
"""What a schema can ask of an object as a whole."""

Uri: TypeAlias = Annotated[str, Format("uri")]
"""An absolute URI, such as `https://example.com/cat.png`."""

Finite: TypeAlias = Annotated[float, Predicate(math.isfinite)]
"""A number as JSON has it: neither infinite nor NaN."""


@dataclass(frozen=True, slots=True)
class AnyJson:
    """Marks `Json`, of whose values a checker of types knows more than an annotation can say."""


if TYPE_CHECKING:
    ItemT_co = TypeVar("ItemT_co", covariant=True)

    class Array(Protocol[ItemT_co]):
        """A list or a tuple: a sequence that no string is. Items of a narrower type are welcome, as in `Sequence`."""

        def __contains__(self, value: object, /) -> bool: ...  # noqa: D105
        def __getitem__(self, index: int, /) -> ItemT_co: ...  # noqa: D105
        def __iter__(self) -> Iterator[ItemT_co]: ...  # noqa: D105
        def __len__(self) -> int: ...  # noqa: D105

    Json: TypeAlias = bool | int | float | str | Array["Json"] | Mapping[str, "Json"] | None
    """Any JSON value."""
else:
    Array = list
    Json = Annotated[bool | int | Finite | str | None, AnyJson()]
