"""Shape → annotation: what a field's type says, with every limit in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from generator.names import class_name, distinct
from generator.schema import types
from generator.schema.patterns import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.schema.types import Property, Shape


_PLAIN: dict[type, str] = {
    types.Null: "None",
    types.Boolean: "bool",
    types.Binary: "File",
    types.Anything: "Json",
    types.Never: "Never",
}
_NO_LITERALS: dict[type, str] = {int: "int", float: "float", list: "Array[Json]", dict: "Mapping[str, Json]"}
"""What values are called that `Literal` does not take."""

GREATEST_LITERAL = 2**63 - 1
"""mypy reads no integer in a `Literal` that is further from zero."""

LONGEST_LITERAL = 100
MOST_VALUES = 10
"""Characters and values of an enumeration that stands in its place; one with more of both has a name of its own."""


@dataclass(slots=True)
class Annotator:
    """Writes annotations and remembers which names they use."""

    names: Mapping[str, str]
    """Names of classes, by the pointer of what they are."""
    known: Mapping[str, Shape]
    taken: set[str] = field(default_factory=set[str])
    """The names that no enumeration can have."""
    uses: set[str] = field(default_factory=set[str])
    enumerations: dict[str, tuple[str, tuple[str | int, ...]]] = field(
        default_factory=dict[str, tuple[str, tuple[str | int, ...]]]
    )
    """The names and values of the long ones, each of which is written once, by what is written."""
    within: tuple[str, str] = ("", "")
    """The class and the member that are being written."""

    def member(self, prop: Property, holder: str, *, required: bool) -> str:
        """Give the annotation of a member of an object, with the default that the schema shows."""
        self.within = (holder, prop.name)
        texts: list[str] = []
        extras: list[str] = []
        if prop.default is not types.ABSENT:
            extras.append(self.call("Default", prop.default))
        if prop.deprecated or prop.deprecated_values:
            extras.append(self.call("Deprecated", *prop.deprecated_values))
        if extras or not isinstance(prop.shape, types.Never):
            texts.append(self.write(prop.shape, *extras))
        if not required:
            self.uses.update(("Unset", "UNSET"))
            texts.append("Unset")
        return " | ".join(texts)

    def others(self, shape: Shape) -> str:
        """Give the annotation of the members that a schema allows and does not name."""
        self.uses.update(("Mapping", "Unset", "UNSET"))
        return f"Mapping[str, {self.write(shape)}] | Unset"

    def rules(self, shape: types.Object) -> Iterator[str]:
        """Give what an object as a whole must keep."""
        if shape.min_properties:
            yield self.call("MinProperties", shape.min_properties)
        if shape.max_properties is not None:
            yield self.call("MaxProperties", shape.max_properties)
        for name, names in shape.dependent:
            yield self.call("DependentRequired", name, names)

    def write(self, shape: Shape, *extras: str) -> str:
        """Give the annotation of a shape; `extras` are metadata to go with it."""
        base, metadata = self._parts(shape)
        return self._annotated(base, [*metadata, *extras])

    def call(self, name: str, *arguments: Any) -> str:
        """Give the text of a piece of metadata."""
        return self._name(name) + f"({', '.join(map(repr, arguments))})"

    def _name(self, name: str) -> str:
        self.uses.add(name)
        return name

    def _annotated(self, base: str, metadata: list[str]) -> str:
        if not metadata:
            return base
        return self._name("Annotated") + f"[{', '.join([base, *metadata])}]"

    def _parts(self, shape: Shape) -> tuple[str, list[str]]:
        match shape:
            case types.Object() if not shape.is_map:
                return self.names[shape.pointer], []
            case types.Object(extra=extra, min_properties=least, max_properties=most):
                base = self._name("Mapping") + f"[str, {self.write(extra or types.Anything())}]"
                return base, self._lengths(least, most)
            case types.Array(items, least, most, unique):
                metadata = self._lengths(least, most)
                if unique:
                    metadata.append(self.call("UniqueItems"))
                return self._name("Array") + f"[{self.write(items)}]", metadata
            case types.Text():
                return self._text(shape)
            case types.Number():
                return self._number(shape)
            case types.Choice(values):
                return self._choice(values), []
            case types.Union():
                return self._union(shape)
            case types.Reference(pointer):
                return self._parts(self.known.get(pointer, types.Anything()))
            case _:
                return self._name(_PLAIN[type(shape)]), []

    def _lengths(self, least: int, most: int | None) -> list[str]:
        metadata: list[str] = []
        if least:
            metadata.append(self.call("MinLen", least))
        if most is not None:
            metadata.append(self.call("MaxLen", most))
        return metadata

    def _union(self, shape: types.Union) -> tuple[str, list[str]]:
        """Write the options, null last. An exclusive union counts them, so that one inside must stay apart."""
        texts: dict[str, None] = {}
        for option in sorted(shape.options, key=lambda option: isinstance(option, types.Null)):
            apart: list[str] = []
            if shape.exclusive and isinstance(option, types.Union):
                apart.append(self.call("AnyOf"))
            texts[self.write(option, *apart)] = None
        metadata: list[str] = []
        if shape.exclusive:
            metadata.append(self.call("ExactlyOne"))
        return " | ".join(texts), metadata

    def _text(self, shape: types.Text) -> tuple[str, list[str]]:
        metadata = self._lengths(shape.min_length, shape.max_length)
        metadata += [self.call("Pattern", *spelled(pattern)) for pattern in shape.patterns]
        metadata += [self.call("Format", name) for name in shape.formats if name != "uri"]
        if "uri" in shape.formats:
            return self._name("Uri"), metadata
        return "str", metadata

    def _number(self, shape: types.Number) -> tuple[str, list[str]]:
        limits = (
            ("Ge", shape.minimum),
            ("Gt", shape.exclusive_minimum),
            ("Le", shape.maximum),
            ("Lt", shape.exclusive_maximum),
            *(("MultipleOf", step) for step in shape.multiples),
        )
        metadata = [self.call(name, limit) for name, limit in limits if limit is not None]
        if shape.integer:
            return "int", metadata
        (low, _), (high, _) = shape.limits
        if low == -inf or high == inf:
            return self._name("Finite"), metadata
        return "float", metadata

    def _choice(self, values: tuple[Any, ...]) -> str:
        """Write values as `Literal` where Python can, else as the type they are of and what they are."""
        literal: list[str | int] = []
        others: dict[type, list[Any]] = {kind: [] for kind in _NO_LITERALS}
        for value in values:
            if isinstance(value, str) or (isinstance(value, int) and abs(value) <= GREATEST_LITERAL):
                literal.append(value)
            elif isinstance(value, float) and value.is_integer() and abs(value) <= GREATEST_LITERAL:
                literal.append(int(value))
            elif value is not None:
                others[type(value)].append(value)
        texts: list[str] = []
        if literal:
            texts.append(self._literal(tuple(literal)))
        for kind, members in others.items():
            if members:
                self.uses.update(re.findall(r"[A-Z]\w+", _NO_LITERALS[kind]))
                texts.append(self._annotated(_NO_LITERALS[kind], [self.call("OneOf", *members)]))
        if None in values:
            texts.append("None")
        return " | ".join(texts)

    def _literal(self, values: tuple[str | int, ...]) -> str:
        text = self._name("Literal") + f"[{', '.join(map(repr, values))}]"
        if len(text) <= LONGEST_LITERAL or len(values) <= MOST_VALUES:
            return text
        if text not in self.enumerations:
            holder, member = self.within
            name = class_name(member)
            names = (name, f"{name}Value", f"{holder}{name}", f"{holder}{name}Value")
            free = next((name for name in names if name not in self.taken), names[-1])
            self.enumerations[text] = distinct(free, self.taken), values
            self.taken.add(self.enumerations[text][0])
        return self.enumerations[text][0]


def packed(values: Iterable[str | int], width: int) -> list[str]:
    """Write values in as few lines as hold them."""
    lines = [""]
    for value in values:
        text = repr(value)
        if isinstance(value, str) and '"' not in value:  # as the formatter writes it
            text = '"' + text[1:-1].replace("\\'", "'") + '"'
        if lines[-1] and len(lines[-1]) + len(text) + 2 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text},".lstrip()
    return lines
