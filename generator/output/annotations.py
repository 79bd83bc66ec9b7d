"""Shape → annotation: what a field's type says, with every limit in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.json_values import is_array, is_object
from generator.schema.types import (
    Anything,
    Array,
    Binary,
    Boolean,
    Choice,
    Never,
    Null,
    Number,
    Object,
    Reference,
    Shape,
    Text,
    Union,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(slots=True)
class Annotator:
    """Writes annotations and remembers which names they use."""

    name_of: Callable[[Object], str]
    known: Mapping[str, Shape]
    uses: set[str] = field(default_factory=set[str])

    def write(self, shape: Shape, *extras: str) -> str:
        """Give the annotation of a shape; `extras` are metadata to go with it."""
        base, metadata = self._parts(shape)
        return self._annotated(base, [*metadata, *extras])

    def call(self, name: str, *arguments: Any) -> str:
        """Give the text of a piece of metadata."""
        self.uses.add(name)
        return f"{name}({', '.join(map(repr, arguments))})"

    def _annotated(self, base: str, metadata: list[str]) -> str:
        if not metadata:
            return base
        self.uses.add("Annotated")
        return f"Annotated[{', '.join([base, *metadata])}]"

    def _parts(self, shape: Shape) -> tuple[str, list[str]]:
        match shape:
            case Object() if not shape.is_map:
                return self.name_of(shape), []
            case Object(extra=extra, min_properties=least, max_properties=most):
                return self._sized(f"Mapping[str, {self.write(extra or Anything())}]", least, most, unique=False)
            case Array(items, least, most, unique=unique):
                return self._sized(f"Array[{self.write(items)}]", least, most, unique=unique)
            case Text():
                return self._text(shape)
            case Number():
                return self._number(shape)
            case Choice(values):
                return self._choice(values)
            case Union(options, exclusive):
                ordered = sorted(options, key=lambda option: isinstance(option, Null))
                apart = [self.call("AnyOf")] if exclusive and any(isinstance(part, Union) for part in options) else []
                texts = list(
                    dict.fromkeys(
                        self.write(option, *(apart if isinstance(option, Union) else ())) for option in ordered
                    )
                )
                return " | ".join(texts), [self.call("ExactlyOne")] if exclusive else []
            case Reference(pointer):
                return self._parts(self.known.get(pointer, Anything()))
            case _:
                return self._plain(shape), []

    def _plain(self, shape: Shape) -> str:
        names: dict[type[Any], str] = {Null: "None", Boolean: "bool", Binary: "File", Anything: "Json"}
        names[Never] = "Never"
        name = names[type(shape)]
        self.uses.add(name)
        return name

    def _sized(self, base: str, least: int, most: int | None, *, unique: bool) -> tuple[str, list[str]]:
        self.uses.add(base.partition("[")[0])
        metadata = [self.call("MinLen", least)] if least else []
        metadata += [] if most is None else [self.call("MaxLen", most)]
        return base, [*metadata, *([self.call("UniqueItems")] if unique else [])]

    def _text(self, shape: Text) -> tuple[str, list[str]]:
        _, metadata = self._sized("str", shape.min_length, shape.max_length, unique=False)
        metadata += [self.call("Pattern", pattern) for pattern in shape.patterns]
        metadata += [self.call("Format", name) for name in shape.formats if name != "uri"]
        if "uri" in shape.formats:
            self.uses.add("Uri")
        return "Uri" if "uri" in shape.formats else "str", metadata

    def _number(self, shape: Number) -> tuple[str, list[str]]:
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
        low = shape.minimum if shape.exclusive_minimum is None else shape.exclusive_minimum
        high = shape.maximum if shape.exclusive_maximum is None else shape.exclusive_maximum
        if low is not None and high is not None:
            return "float", metadata
        self.uses.add("Finite")
        return "Finite", metadata

    def _choice(self, values: tuple[Any, ...]) -> tuple[str, list[str]]:
        """Write values as `Literal` where Python can, else as the type they are of and what they are."""
        plain = [_whole(value) for value in values]
        literal = [value for value in plain if isinstance(value, (str, int))]
        fractions = [value for value in plain if isinstance(value, float)]
        arrays = [value for value in plain if is_array(value)]
        objects = [value for value in plain if is_object(value)]
        others: tuple[tuple[str, Sequence[Any]], ...] = (
            ("float", fractions),
            ("Array[Json]", arrays),
            ("Mapping[str, Json]", objects),
        )
        texts: list[str] = []
        if literal:
            self.uses.add("Literal")
            texts.append(f"Literal[{', '.join(map(repr, literal))}]")
        for kind, members in others:
            if members:
                self.uses.update((kind.partition("[")[0], *(("Json",) if kind != "float" else ())))
                texts.append(self._annotated(kind, [self.call("OneOf", *members)]))
        if None in plain:
            texts.append("None")
        return " | ".join(texts), []


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
