"""What a type checker takes where an annotation stands, beyond what the values alone say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.schema.types import Anything, Array, Boolean, Choice, Number, Object, Text, Union

if TYPE_CHECKING:
    from generator.schema.types import Shape

_TYPES: Final[dict[type[Any], frozenset[str]]] = {
    Anything: frozenset({"bool", "float", "int", "list", "mapping", "str"}),
    Array: frozenset({"list"}),
    Boolean: frozenset({"bool"}),
    Text: frozenset({"str"}),
}


def plain_types(shape: Shape) -> frozenset[str]:
    """Give the types of which the annotation of a shape takes any value, as far as a type checker can tell.

    An object with a class of its own is none of them, nor is what is written as `Literal`.
    """
    match shape:
        case Object():
            return frozenset({"mapping"} if shape.is_map else ())
        case Number(integer):
            return frozenset({"int"} if integer else {"float", "int"})
        case Choice(values):
            kinds = {dict: "mapping", float: "float", list: "list"}
            plain = [value for value in values if not (isinstance(value, float) and value.is_integer())]
            found = {kinds[type(value)] for value in plain if type(value) in kinds}
            is_any = sum(isinstance(value, bool) for value in values) == 2
            return frozenset({*found, "bool"} if is_any else found)
        case Union(options):
            return frozenset(name for option in options for name in plain_types(option))
        case _:
            return _TYPES.get(type(shape), frozenset())
