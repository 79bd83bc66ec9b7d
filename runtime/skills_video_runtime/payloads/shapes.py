"""Annotation → shape: what a value may be, read once for checks, JSON Schema and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from .constraints import AnyJson, Constraint, Format, OneOf, Unset
from .file import File

if TYPE_CHECKING:
    from collections.abc import Sequence


class Shape(NamedTuple):
    """What an annotation says."""

    kind: Any
    """A type that JSON has, `File`, a class of objects, `Union`, `Never`, `Unset`, or `Any` for any JSON value."""
    rules: Sequence[Any] = ()
    """What stands beside the type."""
    parts: Sequence[Shape] = ()
    """The forms of a union, the items of an array, the members of a map."""

    @property
    def choice(self) -> OneOf | None:
        """What lists the values, if anything does."""
        return next((rule for rule in self.rules if isinstance(rule, OneOf)), None)

    def limits(self) -> dict[str, list[Any]]:
        """Give what is asked beside kind and choice, by the keywords of JSON Schema, with all that each asks."""
        limits: dict[str, list[Any]] = {}
        for rule in self.rules:
            if isinstance(rule, Constraint) and rule.keyword and not isinstance(rule, OneOf):
                limits.setdefault(rule.keyword_for(self.kind), []).append(next(iter(rule.operands), True))
        return limits


def shape_of(annotation: Any, *, takes_file: bool = False) -> Shape:
    """Read an annotation; `takes_file` tells whether a file may stand there as well."""
    rules: list[Any] = []
    if get_origin(annotation) is Annotated:
        annotation, *rules = get_args(annotation)
    kind, arguments = get_origin(annotation) or annotation or NoneType, get_args(annotation)
    if AnyJson() in rules:
        return Shape(Any)
    if kind in (Union, UnionType):
        forms = [shape_of(form, takes_file=File in arguments) for form in arguments if form is not Unset]
        if len(forms) == 1:
            return forms[0]
        return Shape(Union, rules, forms)
    if takes_file:
        rules = [rule.beside_file() if isinstance(rule, Format) else rule for rule in rules]
    if kind is Literal:
        return Shape(type(arguments[0]), [OneOf(*arguments), *rules])
    if kind in (list, Mapping):
        return Shape(kind, rules, [shape_of(arguments[-1])])
    return Shape(kind, rules)
