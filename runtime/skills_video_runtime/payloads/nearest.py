"""What a refused value may have been meant as: candidates, the likeliest first, of which a check takes one or none.

Imported only when something is refused.
"""

from __future__ import annotations

import json
from contextlib import suppress
from difflib import SequenceMatcher
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from skills_video_runtime.json_values import is_array, is_number, json_key, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .violations import Rule


def candidates(rules: Sequence[Rule], value: Any) -> Iterator[Any]:
    """Give the values to try in place of one that breaks some of these rules."""

    def operands(*keywords: str) -> list[Any]:
        return [operand for rule in rules if rule.keyword in keywords for operand in rule.operands]

    yield from alike(operands("const", "enum"), value)
    yield from _shortened(min(operands("maxLength", "maxItems"), default=None), value)
    other = list(_of_another_type(value))
    limits = operands("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    for number in filter(is_number, (value, *other)):
        yield from _beside(limits, operands("multipleOf"), number)
    yield from other


def alike(values: Sequence[Any], value: Any) -> Iterator[Any]:
    """Give those of the values that read the same, the next number, the nearest spelling, the only one."""
    text = value if isinstance(value, str) else shown(value)
    yield from (item for item in values if text == (item if isinstance(item, str) else shown(item)))
    if is_number(value):
        yield from sorted(filter(is_number, values), key=lambda item: abs(exact(item) - exact(value)))
    elif isinstance(value, str):
        yield from filter(None, [closest(value, [item for item in values if isinstance(item, str)])])
    if len(values) == 1:
        yield values[0]


def closest(text: str, names: Iterable[str]) -> str | None:
    """Give the name that reads most like the text, None if there are no names."""
    matcher = SequenceMatcher(b=text.lower()[:200])

    def likeness(name: str) -> float:
        matcher.set_seq1(name.lower()[:200])
        return matcher.ratio()

    return max(names, key=likeness, default=None)


def _shortened(most: int | None, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield value[:most]
    elif is_array(value):
        unique = list({json_key(item): item for item in value}.values())
        yield from (value[:most], unique, unique[:most])


def _of_another_type(value: Any) -> Iterator[Any]:
    """Give what a text says, a number as text, an array of the value alone."""
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
        with suppress(OverflowError):
            yield int(number) if number.denominator == 1 else float(number)


def exact(number: float) -> Fraction:
    """Give the decimal that JSON shows, not its binary neighbour: 0.3 is a multiple of 0.1."""
    return Fraction(number) if isinstance(number, int) else Fraction(str(number))
