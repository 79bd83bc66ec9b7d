"""What a type checker takes where an annotation stands, beyond what the values alone say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.schema.types import Anything, Array, Boolean, Choice, Number, Object, Text, Union

if TYPE_CHECKING:
    from generator.schema.types import Shape

_WHOLE: Final[dict[type[Shape], set[str]]] = {
    Anything: {"bool", "float", "int", "list", "mapping", "str"},
    Array: {"list"},
    Boolean: {"bool"},
    Text: {"str"},
}
_NOT_LITERAL: Final[dict[type[Any], str]] = {dict: "mapping", float: "float", list: "list"}


def plain_types(shape: Shape) -> set[str]:
    """Give the types of which the annotation of a shape takes any value, as far as a type checker can tell.

    An object with a class of its own is none of them, nor is what is written as `Literal`.
    """
    match shape:
        case Number(integer):
            return {"int"} if integer else {"float", "int"}
        case Object(is_map=True):
            return {"mapping"}
        case Choice(values):
            kinds: list[type[Any]] = [
                type(value) for value in values if not (isinstance(value, float) and value.is_integer())
            ]
            found = {name for kind, name in _NOT_LITERAL.items() if kind in kinds}
            return found | {"bool"} if kinds.count(bool) == 2 else found
        case Union(options):
            return set[str]().union(*map(plain_types, options))
        case _:
            return _WHOLE.get(type(shape), set())
