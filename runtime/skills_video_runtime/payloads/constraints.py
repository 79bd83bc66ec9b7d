"""What an annotation of a payload can say beyond its type.

hypothesis and pydantic read constraints as annotated-types, whose "grouped metadata" they are. It is imported by who
iterates over one, as that takes longer than all else of a module with payloads.
"""

# ruff: noqa: D102, D105  # `Constraint` tells what its methods are for
from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeAlias, cast

from skills_video_runtime.json_values import divides, is_number, is_unique, json_key, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sized
    from typing import Protocol, TypeVar

Test: TypeAlias = Callable[[Any], object]


class Unset(Enum):
    """The type of `UNSET`, which counts as false: nothing was given."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
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
    """What is said of a value that breaks it, with places for the operands, the value and what is allowed."""
    hint: str = ""
    """What to do about it in Python, with a place for the value; the command line has words of its own."""
    keeps: Any = None
    """Takes the operands and a value, and tells whether it is allowed; None where any is."""

    def __init__(self, *operands: Any) -> None:
        self.operands = operands

    def keyword_for(self, kind: type) -> str:  # noqa: ARG002  # lengths need it
        """Give the keyword in a schema of such values."""
        return self.keyword

    def test(self) -> Test | None:
        """Give what tells whether a value is allowed, None where any is."""
        if self.keeps is None:
            return None
        return partial(self.keeps, *self.operands)

    def says(self, value: Any) -> str:
        """Say what is wrong with a value that breaks it."""
        return self.message.format(*self.operands, value=shown(value), allowed=self.words.format(*self.operands))

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


class _Unary(Constraint):
    def __init__(self, operand: Any) -> None:
        super().__init__(operand)


def _operand(constraint: _Unary) -> Any:
    return constraint.operands[0]


class _Limit(_Unary):
    """A limit that annotated-types knows by the same name."""

    message = "{value} is not {allowed}"

    def __iter__(self) -> Iterator[object]:
        import annotated_types  # noqa: PLC0415  # see above

        yield getattr(annotated_types, type(self).__name__)(*self.operands)


class Ge(_Limit):
    """A number that is not less."""

    keyword, words, keeps = "minimum", "at least {}", operator.le
    ge = property(_operand)


class Gt(_Limit):
    """A number that is greater."""

    keyword, words, keeps = "exclusiveMinimum", "more than {}", operator.lt
    gt = property(_operand)


class Le(_Limit):
    """A number that is not greater."""

    keyword, words, keeps = "maximum", "at most {}", operator.ge
    le = property(_operand)


class Lt(_Limit):
    """A number that is less."""

    keyword, words, keeps = "exclusiveMaximum", "less than {}", operator.gt
    lt = property(_operand)


class MultipleOf(_Limit):
    """A multiple of a number, as JSON shows both: 0.3 is one of 0.1."""

    keyword, words, keeps = "multipleOf", "a multiple of {}", staticmethod(divides)
    multiple_of = property(_operand)


SIZES: Final = {str: ("Length", "characters"), list: ("Items", "items"), Mapping: ("Properties", "members")}
"""What has a length: the end of its keywords, and what is counted."""


class _Length(_Limit):
    def keyword_for(self, kind: type) -> str:
        return self.keyword + self._sizes(kind)[0]

    def says(self, value: Sized) -> str:
        return self.message.format(*self.operands, size=len(value), unit=self._sizes(type(value))[1])

    @staticmethod
    def _sizes(kind: type) -> tuple[str, str]:
        return next((words for sized, words in SIZES.items() if issubclass(kind, sized)), SIZES[list])


class MinLen(_Length):
    """At least as many characters, items or members."""

    keyword, words, message = "min", "at least {}", "has {size} {unit}; at least {} are asked"
    min_length = property(_operand)

    @staticmethod
    def keeps(least: int, value: Sized) -> bool:
        return len(value) >= least


class MaxLen(_Length):
    """At most as many characters, items or members."""

    keyword, words, message = "max", "at most {}", "has {size} {unit}; at most {} are allowed"
    max_length = property(_operand)

    @staticmethod
    def keeps(most: int, value: Sized) -> bool:
        return len(value) <= most


MinProperties, MaxProperties = MinLen, MaxLen


class _Single(Constraint):
    """Two are never equal: `typing` would take those of `0` and `False` for the same, and cannot hash a list."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Default(_Single, _Unary):
    """What the platform uses when the field is not sent, as its description says."""

    value = property(_operand)


class Deprecated(_Single):
    """The platform advises against the field, or against those of its values that are named."""


class OneOf(_Single):
    """The values that are allowed, where `Literal` cannot say it: fractions, arrays, objects."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.values = values
        self.keyword, self.message = "enum", "{value} is not one of {choices}"
        if len(values) == 1:
            self.keyword, self.message = "const", "{value} is not {choices}, the only value allowed"

    def test(self) -> Test:
        return partial(_is_among, frozenset(map(json_key, self.values)))

    def says(self, value: Any) -> str:
        return self.message.format(value=shown(value), choices=", ".join(map(repr, self.values)))


def _is_among(keys: frozenset[object], value: Any) -> bool:
    return json_key(value) in keys


_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;="


def uri_pattern(firmly: str) -> str:
    """Write what an absolute URI matches as a whole, by RFC 3986, section 3, and RFC 9110, section 4.2 (the host).

    A scheme of one letter is a drive (`C:/cat.png`), and no such scheme is registered. `firmly` is `+`, by which
    Python's runs of characters never back off, or empty for dialects that know no such mark.
    """

    def run_of(characters: str, times: str = "*") -> str:
        """Match a run of characters, percent-encoded or not."""
        return rf"(?:[{characters}]{firmly * 2}|%[0-9A-Fa-f]{{2}}){times}{firmly}"

    host = rf"(?:\[[0-9A-Fa-f:.]+\]|{run_of(_PLAIN, '+')})"
    user = rf"(?:{run_of(f'{_PLAIN}:')}@)?"
    path = rf"(?:/{run_of(f'{_PLAIN}:@')})*{firmly}"
    tail = rf"(?:\?{run_of(f'{_PLAIN}:@/?')})?(?:#{run_of(f'{_PLAIN}:@/?')})?"
    web = rf"[Hh][Tt][Tt][Pp][Ss]?://{user}{host}(?::[0-9]*)?{path}{tail}"
    other = (
        r"(?![Hh][Tt][Tt][Pp][Ss]?:)[A-Za-z][A-Za-z0-9+.\-]+:"
        rf"(?://{user}{host}?(?::[0-9]*)?{path}|/?(?:{run_of(f'{_PLAIN}:@', '+')}{path})?){tail}"
    )
    return rf"(?:{web}|{other})"


_URI = uri_pattern("+")


class Format(_Unary):
    """The `format` of a string (JSON Schema Validation, section 7). `uri` is checked, any other is shown only."""

    keyword, words = "format", "{}"
    message = (
        "{value} is not an absolute URI (https://…); this field takes no file: put the file where the platform can "
        "fetch it, and pass that address"
    )
    name = property(_operand)

    def test(self) -> Test | None:
        if self.name != "uri":
            return None
        return re.compile(_URI, re.ASCII).fullmatch

    def beside_file(self) -> Format:
        """Give the same for a string in whose place a file may stand."""
        beside = Format(self.name)
        beside.message = "{value} is not an absolute URI (https://…)"
        beside.hint = "to send a local file, pass File(pathlib.Path({}))"
        return beside


class Pattern(Constraint):
    """A regular expression that is found somewhere in the string (JSON Schema Validation, section 6.3.3).

    It is ECMA-262's. `python` says the same in Python, as far as a text can be checked in time: None leaves it to the
    platform, and a text of more than `longest` characters is left to it too.
    """

    keyword, words, message = "pattern", "matches {}", "{value} does not match {!r}"

    def __init__(self, regex: str, python: str | None = "", longest: int | None = None) -> None:
        super().__init__(regex, python, longest)
        if python == "":
            python = regex
        self.regex, self.python, self.longest = regex, python, longest

    def test(self) -> Test | None:
        if self.python is None:
            return None
        search = re.compile(re.sub(r"\\([pP])\{(\w+)\}", _characters, self.python)).search
        if self.longest is None:
            return search
        return partial(_found_in_time, search, self.longest)


def _found_in_time(search: Test, longest: int, value: str) -> object:
    return len(value) > longest or search(value)


def _characters(category: re.Match[str]) -> str:
    """Write the characters of a general category of Unicode, or all others, as a set has them."""
    import unicodedata  # noqa: PLC0415  # few patterns need it, and an import counts

    runs: list[str] = []
    first = 0
    for name, run in groupby(map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))):
        following = first + sum(1 for _ in run)
        if name.startswith(category[2]) is (category[1] == "p"):
            runs.append(f"\\U{first:08x}-\\U{following - 1:08x}")
        first = following
    return "".join(runs)


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

    @staticmethod
    def keeps(name: str, required: tuple[str, ...], given: Mapping[str, Any]) -> bool:
        return name not in given or all(other in given for other in required)

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

    class Array(Collection[ItemT_co], Protocol[ItemT_co]):
        """A list or a tuple: a sequence that no string is. Items of a narrower type are welcome, as in `Sequence`."""

        def __getitem__(self, index: int, /) -> ItemT_co: ...

    Json: TypeAlias = bool | int | float | str | Array["Json"] | Mapping[str, "Json"] | None
    """Any JSON value."""
else:
    Array = list
    Json = Annotated[bool | int | Finite | str | None, AnyJson()]
