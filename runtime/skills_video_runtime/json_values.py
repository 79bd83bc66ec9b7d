"""JSON's own sense of values: what they are, when two are equal, and maps that do not change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Never, TypeAlias, TypeGuard, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

JsonObject: TypeAlias = dict[str, Any]
DEEPEST = 100  # arrays and objects, one inside the other, of a value that is read: pickle takes no thousand
MIN_TEXT = 4  # characters


def as_object(value: object) -> JsonObject:
    """Give a JSON object, empty in place of anything else."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def as_array(value: object) -> list[object] | None:
    """Give a JSON array, None in place of anything else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def is_too_deep(value: object, deepest: int = DEEPEST) -> bool:
    """Tell whether a value has more arrays and objects inside each other than are read."""
    level: list[object] = [value]
    for _ in range(deepest):
        level = [item for node in level for item in as_array(node) or as_object(node).values()]
        if not level:
            return False
    return True


def is_array(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Tell whether a value is what JSON calls an array."""
    return isinstance(value, (list, tuple))


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value is what JSON calls an object."""
    return isinstance(value, (dict, Mapping))


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that JSON can say: no truth value, neither infinite nor NaN."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def nodes(value: object) -> Iterator[object]:
    """Give a value, and all values that stand anywhere in it."""
    found = [value]
    for node in found:
        yield node
        if is_mapping(node):
            found += node.values()
        elif is_array(node):
            found += node


def holds(kind: type, value: object) -> bool:
    """Tell whether something of a kind, which is no scalar of JSON, stands anywhere in plain data."""
    return any(isinstance(node, kind) for node in nodes(value))


def texts_in(value: object) -> list[str]:
    """Give the texts in a value, but for those too short to tell anything, the longest first."""
    texts = {node for node in nodes(value) if isinstance(node, str) and len(node) >= MIN_TEXT}
    return sorted(texts, key=len, reverse=True)


def any_text(value: object, test: Callable[[str], bool]) -> bool:
    """Tell whether a text passes a test anywhere in plain data: a value, or the name of a field or a file."""
    texts: list[object] = []
    for node in nodes(value):
        if is_mapping(node):
            texts += node
        else:
            texts += [node, getattr(node, "name", None)]
    return any(isinstance(text, str) and test(text) for text in texts)


def exact(number: float) -> Fraction:
    """Give the decimal that JSON shows, not its binary neighbour: 0.3 is a multiple of 0.1.

    A whole number is what an integer is made of: 1e300 is one and the same as both.
    """
    from fractions import Fraction  # noqa: PLC0415  # few payloads need it

    if isinstance(number, int) or number.is_integer():
        return Fraction(number)
    return Fraction(str(number))


def divides(step: float, value: float) -> bool:
    """Tell whether a number is a multiple of another, as JSON shows them."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    return exact(value) % exact(step) == 0


def shown(value: object) -> str:
    """Show a value on one line, cut short where it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # an integer of thousands of digits, what is nested deeply, a caller's own class
        text = f"a value of type {type(value).__name__}"
    if len(text) > 80:
        text = f"{text[:60]}… ({len(text)} characters)"
    return text


def json_key(value: Any) -> object:
    """Give a key that is the same for two values that JSON holds to be equal, and for no others."""
    if isinstance(value, bool):
        return (bool, value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    if is_array(value):
        return tuple(map(json_key, value))
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if is_mapping(value):
        return frozenset((name, json_key(item)) for name, item in value.items())
    return (object, id(value))


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Give plain data in which every value that is neither array nor object is changed."""
    if is_array(value):
        return [mapped(change, item) for item in value]
    if is_mapping(value):
        return {name: mapped(change, item) for name, item in value.items()}
    return change(value)


def is_unique(values: Any) -> bool:
    """Tell whether no two items are equal, as JSON compares."""
    return len(set(map(json_key, values))) == len(values)


class FrozenMap(dict[str, Any]):
    """A mapping that does not change, so that what has been checked stays so."""

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise TypeError("a payload does not change; dataclasses.replace gives a changed copy")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # type: ignore[override]  # unlike a dict it can have one
        """Equal mappings have one hash."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by what it holds."""
        return FrozenMap, (dict(self),)
