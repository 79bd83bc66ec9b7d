"""What a refused value may have been meant as: candidates, the likeliest first, of which a check takes one or none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from skills_video_runtime.json_values import exact, is_array, is_number, json_key, shown

from .constraints import Constraint, Ge, Gt, Le, Lt, MaxLen, MultipleOf, OneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def nearest(rules: Sequence[Constraint], value: Any, fits: Callable[[Any], bool]) -> Any:
    """Give the first candidate that fits in place of a value that breaks some of these rules, None if there is none."""
    return next(filter(fits, _candidates(rules, value)), None)


def _candidates(rules: Sequence[Constraint], value: Any) -> Iterator[Any]:

    def operands(*kinds: type[Constraint]) -> list[Any]:
        return [operand for rule in rules if isinstance(rule, kinds) for operand in rule.operands]

    yield from alike(operands(OneOf), value)
    yield from _shortened(min(operands(MaxLen), default=None), value)
    other = list(_of_another_type(value))
    for number in filter(is_number, (value, *other)):
        yield from _beside(operands(Ge, Gt, Le, Lt), operands(MultipleOf), number)
    yield from other


def alike(values: Sequence[Any], value: Any) -> Iterator[Any]:
    """Give those of the values that read the same, the next number, the nearest spelling, the only one."""
    yield from (item for item in values if _text(item) == _text(value))
    if is_number(value):
        yield from sorted(filter(is_number, values), key=lambda item: abs(exact(item) - exact(value)))
    elif isinstance(value, str):
        yield from filter(None, [closest(value, [item for item in values if isinstance(item, str)])])
    if len(values) == 1:
        yield values[0]


def closest(text: str, names: Iterable[str]) -> str | None:
    """Give the name that reads most like the text, None if there are no names."""
    from difflib import SequenceMatcher  # noqa: PLC0415  # only errors need it, and an import counts

    matcher = SequenceMatcher(b=text.lower()[:200])

    def likeness(name: str) -> float:
        matcher.set_seq1(name.lower()[:200])
        return matcher.ratio()

    return max(names, key=likeness, default=None)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return shown(value)


def _shortened(most: int | None, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield value[:most]
    elif is_array(value):
        unique = list({json_key(item): item for item in value}.values())
        yield from (value[:most], unique, unique[:most])


def _of_another_type(value: Any) -> Iterator[Any]:
    """Give what a text says, a number as text, an array of the value alone."""
    import json  # noqa: PLC0415  # as difflib

    if isinstance(value, str):
        for text in (value, value.lower()):
            with suppress(ValueError, RecursionError):
                yield json.loads(text)
    elif is_number(value):
        yield shown(value)
    if value is not None and not is_array(value):
        yield [value]


def _beside(limits: Iterable[float], steps: Iterable[float], value: float) -> Iterator[float]:
    """Give the value, the limits, and the multiples next to them, in the order of their distance from the value."""
    bounds = [exact(bound) for bound in (value, *limits)]
    multiples = [
        (bound // step + move) * step for bound in bounds for step in map(exact, (1, *steps)) for move in (-1, 0, 1)
    ]
    for number in sorted([*bounds, *multiples], key=lambda number: abs(number - bounds[0])):
        if number.denominator == 1:
            yield int(number)
        else:
            with suppress(OverflowError):
                yield float(number)
