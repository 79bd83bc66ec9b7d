"""What an annotation of a payload can say beyond its type.

A constraint says itself: its keyword in JSON Schema, what tells whether a value keeps it, and what is wrong if not.
hypothesis and pydantic read constraints as annotated-types, whose "grouped metadata" they are. It is imported by who
iterates over one, as that takes longer than all else of a module with payloads.
"""

# ruff: noqa: D102, D105  # `Constraint` tells what its methods are for
from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeAlias, cast

from skills_video_runtime.json_values import divides, is_number, is_unique, json_key, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sized
    from typing import Protocol, TypeVar

Test: TypeAlias = Callable[[Any], object]


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
    """Metadata of an annotation, equal to what is of the same class and says the same."""

    __is_annotated_types_grouped_metadata__: ClassVar = True

    keyword: str = ""
    """The keyword of JSON Schema. What has none is no rule of its own: it is checked with the type, or tells a fact."""
    words: str = ""
    """What is allowed, with a place for the operand."""
    message: str = ""
    """What is said of a value that breaks it, with places for the operands and the value."""

    def __init__(self, *operands: Any) -> None:
        self.operands = operands

    def keyword_for(self, kind: type) -> str:  # noqa: ARG002  # lengths need it
        """Give the keyword in a schema of such values."""
        return self.keyword

    def test(self) -> Test | None:
        """Give what tells whether a value is allowed, None where any is."""
        return None

    def says(self, value: Any) -> str:
        """Say what is wrong with a value that breaks it."""
        return self.message.format(*self.operands, value=shown(value))

    def __iter__(self) -> Iterator[object]:
        """Give what annotated-types knows of it."""
        test = self.test()
        if test is not None:
            from annotated_types import Predicate  # noqa: PLC0415  # see above

            yield Predicate(cast("Callable[[Any], bool]", test))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constraint) and (type(other), other.operands) == (type(self), self.operands)

    def __hash__(self) -> int:
        return hash((type(self), self.operands))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"


def tests_of(metadata: Iterable[Any]) -> dict[Constraint, Test]:
    """Give the rules among metadata, each with what tells whether a value keeps it."""
    rules: list[Constraint] = []
    for item in metadata:
        if isinstance(item, DependentRequired):  # what is missing is told one by one
            rules += [DependentRequired(item.name, (other,)) for other in item.required]
        elif isinstance(item, Constraint) and not isinstance(item, (OneOf, IsFinite)):  # which are checked as types
            rules.append(item)
    return {rule: test for rule in rules if (test := rule.test()) is not None}


class _Limit(Constraint):
    """A limit that annotated-types knows by the same name."""

    keeps: Any
    """Takes the limit and a value, or its length."""

    def test(self) -> Test:
        return partial(self.keeps, *self.operands)

    def says(self, value: Any) -> str:
        return f"{shown(value)} is not {self.words.format(*self.operands)}"

    def __iter__(self) -> Iterator[object]:
        import annotated_types  # noqa: PLC0415  # see above

        yield getattr(annotated_types, type(self).__name__)(*self.operands)


class Ge(_Limit):
    """A number that is not less."""

    keyword, words, keeps = "minimum", "at least {}", operator.le

    def __init__(self, ge: Any) -> None:
        super().__init__(ge)
        self.ge = ge


class Gt(_Limit):
    """A number that is greater."""

    keyword, words, keeps = "exclusiveMinimum", "more than {}", operator.lt

    def __init__(self, gt: Any) -> None:
        super().__init__(gt)
        self.gt = gt


class Le(_Limit):
    """A number that is not greater."""

    keyword, words, keeps = "maximum", "at most {}", operator.ge

    def __init__(self, le: Any) -> None:
        super().__init__(le)
        self.le = le


class Lt(_Limit):
    """A number that is less."""

    keyword, words, keeps = "exclusiveMaximum", "less than {}", operator.gt

    def __init__(self, lt: Any) -> None:
        super().__init__(lt)
        self.lt = lt


class MultipleOf(_Limit):
    """A multiple of a number, as JSON shows both: 0.3 is one of 0.1."""

    keyword, words, keeps = "multipleOf", "a multiple of {}", staticmethod(divides)

    def __init__(self, multiple_of: Any) -> None:
        super().__init__(multiple_of)
        self.multiple_of = multiple_of


SIZES: Final = {str: ("Length", "characters"), list: ("Items", "items"), Mapping: ("Properties", "members")}
"""What has a length: the end of its keywords, and what is counted."""


class _Length(_Limit):
    def keyword_for(self, kind: type) -> str:
        return self.keyword + self._sizes(kind)[0]

    def test(self) -> Test:
        return partial(_has_length, self.keeps, *self.operands)

    def says(self, value: Sized) -> str:
        return self.message.format(*self.operands, size=len(value), unit=self._sizes(type(value))[1])

    @staticmethod
    def _sizes(kind: type) -> tuple[str, str]:
        return next((words for sized, words in SIZES.items() if issubclass(kind, sized)), SIZES[list])


def _has_length(keeps: Callable[[int, int], object], limit: int, value: Any) -> object:
    return keeps(limit, len(value))


class MinLen(_Length):
    """At least as many characters, items or members."""

    keyword, words, keeps = "min", "at least {}", operator.le
    message = "has {size} {unit}; at least {} are asked"

    def __init__(self, min_length: int) -> None:
        super().__init__(min_length)
        self.min_length = min_length


class MaxLen(_Length):
    """At most as many characters, items or members."""

    keyword, words, keeps = "max", "at most {}", operator.ge
    message = "has {size} {unit}; at most {} are allowed"

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length)
        self.max_length = max_length


MinProperties, MaxProperties = MinLen, MaxLen


class _Single(Constraint):
    """Two are never equal: `typing` would take those of `0` and `False` for the same, and cannot hash a list."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Default(_Single):
    """What the platform uses when the field is not sent, as its description says."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class OneOf(_Single):
    """The values that are allowed, where `Literal` cannot say it: fractions, arrays, objects."""

    keyword = "enum"

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.values = values
        if len(values) == 1:
            self.keyword = "const"

    def test(self) -> Test:
        return partial(_is_among, frozenset(map(json_key, self.values)))

    def says(self, value: Any) -> str:
        choices = ", ".join(map(repr, self.values))
        if len(self.values) == 1:
            return f"{shown(value)} is not {choices}, the only value allowed"
        return f"{shown(value)} is not one of {choices}"


def _is_among(keys: frozenset[object], value: Any) -> bool:
    return json_key(value) in keys


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

    keyword, words = "format", "{}"
    message = (
        "{value} is not an absolute URI (https://…); this field takes no file: put the file where the platform can "
        "fetch it, and pass that address"
    )

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def test(self) -> Test | None:
        if self.name == "uri":
            return _uri().fullmatch
        return None

    def beside_file(self) -> Format:
        """Give the same for a string in whose place a file may stand."""
        return _FormatBesideFile(self.name)


class _FormatBesideFile(Format):
    message = "{value} is not an absolute URI (https://…); to send a local file, pass File(pathlib.Path({value}))"


class Pattern(Constraint):
    """A regular expression that is found somewhere in the string (JSON Schema Validation, section 6.3.3)."""

    keyword, words, message = "pattern", "matches {}", "{value} does not match {!r}"

    def __init__(self, regex: str) -> None:
        super().__init__(regex)
        self.regex = regex

    def test(self) -> Test:
        return re.compile(self.regex).search


class UniqueItems(Constraint):
    """No item of the array equals another, as JSON compares: `1` equals `1.0`, and not `true`."""

    keyword, words, message = "uniqueItems", "no item twice", "an item is given twice"

    def test(self) -> Test:
        return is_unique


class ExactlyOne(Constraint):
    """The value fits one member of the union and no second one (`oneOf`)."""


class AnyOf(Constraint):
    """The value fits at least one member of the union: keeps a union inside another that is `ExactlyOne`."""


class DependentRequired(Constraint):
    """Where `name` is given, `required` are given too. All are names as the platform spells them."""

    keyword = "dependentRequired"

    def __init__(self, name: str, required: tuple[str, ...]) -> None:
        super().__init__(name, required)
        self.name, self.required = name, required

    def test(self) -> Test:
        return self._holds

    def _holds(self, given: Mapping[str, Any]) -> bool:
        return self.name not in given or all(other in given for other in self.required)

    def says(self, value: Any) -> str:  # noqa: ARG002  # the names say it
        return f"{', '.join(map(repr, self.required))} must be given along with {self.name!r}"


class IsFinite(Constraint):
    """Marks `Finite`."""

    def test(self) -> Test:
        return is_number


class AnyJson(Constraint):
    """Marks `Json`, of whose values a checker of types knows more than an annotation can say."""


Uri: TypeAlias = Annotated[str, Format("uri")]
"""An absolute URI, such as `https://example.com/cat.png`."""

Finite: TypeAlias = Annotated[float, IsFinite()]
"""A number as JSON has it: neither infinite nor NaN."""

ObjectRule: TypeAlias = MinLen | MaxLen | DependentRequired
"""What a schema can ask of an object as a whole: `MinLen` and `MaxLen` count its members."""


if TYPE_CHECKING:
    ItemT_co = TypeVar("ItemT_co", covariant=True)

    class Array(Protocol[ItemT_co]):
        """A list or a tuple: a sequence that no string is. Items of a narrower type are welcome, as in `Sequence`."""

        def __contains__(self, value: object, /) -> bool: ...
        def __getitem__(self, index: int, /) -> ItemT_co: ...
        def __iter__(self) -> Iterator[ItemT_co]: ...
        def __len__(self) -> int: ...

    Json: TypeAlias = bool | int | float | str | Array["Json"] | Mapping[str, "Json"] | None
    """Any JSON value."""
else:
    Array = list
    Json = Annotated[bool | int | Finite | str | None, AnyJson()]
