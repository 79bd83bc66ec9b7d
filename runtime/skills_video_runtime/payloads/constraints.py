"""What an annotation of a payload can say beyond its type.

`Ge`, `Gt`, `Le`, `Lt`, `MultipleOf`, `MinLen` and `MaxLen` come from annotated-types, and what is added here speaks its
language, so that hypothesis and pydantic read the annotations of a payload as well. It is imported by who needs it, as
that takes longer than all else of a module with payloads.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeAlias, cast

from skills_video_runtime.json_values import is_number, is_unique, json_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol, TypeVar

    from annotated_types import MaxLen, MinLen


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


class Constraint:
    """Metadata of an annotation, equal to what is of the same class and says the same.

    Where `test` gives a function, that tells whether a value is allowed, and annotated-types is told so.
    """

    __is_annotated_types_grouped_metadata__: ClassVar = True

    def __init__(self, *operands: Any) -> None:
        self.operands = operands

    def test(self) -> Callable[[Any], object] | None:
        """Give what a value must pass."""
        return None

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        test = self.test()
        if test is not None:
            from annotated_types import Predicate  # noqa: PLC0415  # see above

            yield Predicate(cast("Callable[[Any], bool]", test))

    def __eq__(self, other: object) -> bool:
        """Compare kind and operands."""
        return isinstance(other, Constraint) and (type(other), other.operands) == (type(self), self.operands)

    def __hash__(self) -> int:
        """As equality is."""
        return hash((type(self), self.operands))

    def __repr__(self) -> str:
        """As it is written."""
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"


class Default(Constraint):
    """What the platform uses when the field is not sent, as its description says.

    Two are never equal: `typing` would take `Default(0)` and `Default(False)` for the same, and cannot hash a list.
    """

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Compare identity."""
        return self is other

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


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


@cache
def _uri() -> re.Pattern[str]:
    """Give an absolute URI: RFC 3986, section 3, with the host that RFC 9110, section 4.2, asks of http and https.

    A scheme of one letter is a drive (`C:/cat.png`), and no such scheme is registered.
    """
    return re.compile(rf"(?:{_WEB}|{_OTHER})", re.ASCII)


class Format(Constraint):
    """The `format` of a string (JSON Schema Validation, section 7). `uri` is checked, any other is shown only."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def test(self) -> Callable[[Any], object] | None:
        """Give what a value must pass."""
        return _uri().fullmatch if self.name == "uri" else None


class Pattern(Constraint):
    """A regular expression that is found somewhere in the string (JSON Schema Validation, section 6.3.3)."""

    def __init__(self, regex: str) -> None:
        super().__init__(regex)
        self.regex = regex

    def test(self) -> Callable[[Any], object]:
        """Give what a value must pass."""
        return re.compile(self.regex).search


class UniqueItems(Constraint):
    """No item of the array equals another, as JSON compares: `1` equals `1.0`, and not `true`."""

    def test(self) -> Callable[[Any], object]:
        """Give what a value must pass."""
        return is_unique


class OneOf(Constraint):
    """The values that are allowed, where `Literal` cannot say it: fractions, arrays, objects."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Compare identity."""
        return self is other

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.values = values

    def test(self) -> Callable[[Any], object]:
        """Give what a value must pass."""
        keys = frozenset(map(json_key, self.values))
        return lambda value: json_key(value) in keys


class ExactlyOne(Constraint):
    """The value fits one member of the union and no second one (`oneOf`)."""


class AnyOf(Constraint):
    """The value fits at least one member of the union: keeps a union inside another that is `ExactlyOne`."""


class DependentRequired(Constraint):
    """Where `name` is given, `required` are given too. All are names as the platform spells them."""

    def __init__(self, name: str, required: tuple[str, ...]) -> None:
        super().__init__(name, required)
        self.name, self.required = name, required


class IsFinite(Constraint):
    """Marks `Finite`."""

    def test(self) -> Callable[[Any], object]:
        """Give what a value must pass."""
        return is_number


class AnyJson(Constraint):
    """Marks `Json`, of whose values a checker of types knows more than an annotation can say."""


Uri: TypeAlias = Annotated[str, Format("uri")]
"""An absolute URI, such as `https://example.com/cat.png`."""

Finite: TypeAlias = Annotated[float, IsFinite()]
"""A number as JSON has it: neither infinite nor NaN."""


if TYPE_CHECKING:
    ObjectRule: TypeAlias = MinLen | MaxLen | DependentRequired
    """What a schema can ask of an object as a whole: `MinLen` and `MaxLen` count its members."""

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
    ObjectRule = Any
    Array = list
    Json = Annotated[bool | int | Finite | str | None, AnyJson()]
