"""`Payload` of a model with several variants: a union that, called as if it were a class, names them."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, NoReturn, Union

if TYPE_CHECKING:
    from .base import BasePayload


class Variants(GenericAlias):
    """What `A | B` is, as an annotation, for isinstance() and for what reads types, such as pydantic.

    A plain union says no more than that it is not callable, and cannot be subclassed. Type checkers, which refuse the
    same uses, are shown the plain one.
    """

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refuse to be called, by a TypeError that names the variants, which can be."""
        raise TypeError(_advice(self.__args__))

    def __getattr__(self, name: str) -> NoReturn:
        """Tell that a union has no such attribute; the variants may have it."""
        raise AttributeError(f"no {name}: {_advice(self.__args__)}", name=name, obj=self)

    def __instancecheck__(self, value: object) -> bool:
        """Tell whether a value is of one of the variants."""
        return isinstance(value, self.__args__)

    def __subclasscheck__(self, cls: type) -> bool:
        """Tell whether a class is one of the variants."""
        return issubclass(cls, self.__args__)

    def __or__(self, other: Any) -> Any:
        """Give the plain union with another type."""
        return Union[self.__args__] | other  # noqa: UP007  # of as many as there are

    def __ror__(self, other: Any) -> Any:
        """See `__or__`."""
        return other | Union[self.__args__]  # noqa: UP007  # as above


def union_of(*variants: type[BasePayload]) -> Variants:
    """Give the union of the variants of a model."""
    origin: Any = Union  # which is a class from Python 3.14 on
    return Variants(origin, variants)


def _advice(variants: tuple[type[BasePayload], ...]) -> str:
    module = variants[0].__module__.rpartition(".")[2]
    names = [variant.__name__ for variant in variants]
    return (
        f"{module}.Payload is any of {', '.join(names)}: make one of these, such as {module}.{names[0]}(…), or let "
        f"{module}.parse({{…}}) choose"
    )
