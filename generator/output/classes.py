"""Request schema → payload classes; the only file that imports datamodel_code_generator.

datamodel-code-generator is given the objects of a request in their simplest form and says which classes they make,
what those and their fields are called, and in which order they can be read. What it has no words for in a dataclass is
joined by the pointers of its model metadata: docs/datamodel-code-generator.md tells what was measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from generator.diagnostics import Diagnostics
from generator.names import class_name, field_names
from generator.schema.algebra import disjoint, fits
from generator.schema.types import (
    ABSENT,
    Anything,
    Array,
    Choice,
    Never,
    Object,
    Property,
    Reference,
    Shape,
    Union,
    followed,
)

from .annotations import Annotator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.inputs.selection import VideoModel


@dataclass(frozen=True, slots=True)
class PayloadField:
    """One field of a class: its name in Python, its name on the wire, its annotation and the text of its default."""

    name: str
    wire: str
    annotation: str
    default: str
    text: str


@dataclass(frozen=True, slots=True)
class PayloadClass:
    """One class of a module."""

    name: str
    base: str
    text: str
    fields: tuple[PayloadField, ...]
    rules: tuple[str, ...]
    one_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payloads:
    """The classes of a module, those of them that can be posted, and the names that their text uses."""

    classes: tuple[PayloadClass, ...]
    variants: tuple[str, ...]
    uses: frozenset[str]


def payloads_of(model: VideoModel, diagnostics: Diagnostics) -> Payloads:
    """Give the payload classes of a model."""
    return _Builder(model, diagnostics).build()


@dataclass(frozen=True, slots=True)
class Argument:
    """What a constructor calls a member, and the text of what it fills in: empty where the member must be given."""

    name: str
    default: str


@dataclass(frozen=True, slots=True)
class Constructor:
    """The name of a class of a module, and its arguments by their names on the wire."""

    name: str
    arguments: dict[str, Argument]


def constructors_of(model: VideoModel) -> dict[str, Constructor]:
    """Give the constructor of each class of a model's module, by the pointer of its object."""
    builder = _Builder(model, Diagnostics())
    builder.find()
    return {
        pointer: Constructor(
            name, {prop.name: argument for prop, argument in builder.members(builder.objects[pointer])}
        )
        for pointer, name in builder.names.items()
    }


class _Builder:
    """Builds the classes of one module."""

    def __init__(self, model: VideoModel, diagnostics: Diagnostics) -> None:
        self.model = model
        self.diagnostics = diagnostics
        self.variants = [variant.shape for variant in model.variants]
        self.objects: dict[str, Object] = {}
        self.tags: dict[str, set[str]] = {}
        self.names: dict[str, str] = {}

    def find(self) -> None:
        """Find the objects and name them."""
        if self.model.is_union:
            self._mark_tags(self.variants)
        for variant in self.variants:
            self._collect(variant)
        self._name()

    def build(self) -> Payloads:
        """Find the objects, name them, and write their fields."""
        self.find()
        order = _classes(self.objects, self.names, self.model.known)
        annotator = Annotator(lambda shape: self.names[shape.pointer], self.model.known)
        rivals = {variant.shape.pointer: variant.rivals for variant in self.model.variants}
        classes = [
            PayloadClass(
                name=self.names[pointer],
                base="BasePayload" if pointer in rivals else "BaseObject",
                text=self._text(self.objects[pointer], is_posted=pointer in rivals),
                fields=tuple(self._fields(self.objects[pointer], annotator)),
                rules=tuple(_rules(self.objects[pointer], annotator)),
                one_of=tuple(self.names[rival] for rival in rivals.get(pointer, ())),
            )
            for pointer in order
        ]
        annotator.uses.update(item.base for item in classes)
        return Payloads(tuple(classes), tuple(self.names[pointer] for pointer in rivals), frozenset(annotator.uses))

    def _mark_tags(self, objects: list[Object]) -> None:
        """Find the constants that tell the objects of a union apart."""
        for shape in objects:
            for prop in shape.properties:
                if isinstance(prop.shape, Choice) and len(prop.shape.values) == 1:
                    others = [other.get(prop.name) for other in objects if other is not shape]
                    if all(other is None or disjoint(other.shape, prop.shape) for other in others):
                        self.tags.setdefault(shape.pointer, set()).add(prop.name)

    def _collect(self, shape: Shape) -> None:
        """Find every object that needs a class, the one that holds before the one that is held."""
        match shape:
            case Object() if not shape.is_map or any(shape is variant for variant in self.variants):
                if shape.pointer not in self.objects:
                    self.objects[shape.pointer] = shape
                    for child in (*(prop.shape for prop in shape.properties), shape.extra or Anything()):
                        self._collect(child)
            case Object(extra=extra):
                self._collect(extra or Anything())
            case Array(items):
                self._collect(items)
            case Union(options):
                self._mark_tags([option for option in options if isinstance(option, Object) and not option.is_map])
                for option in options:
                    self._collect(option)
            case Reference():
                self._collect(followed(shape, self.model.known))
            case _:
                pass

    def _name(self) -> None:
        taken = {self.model.client, f"Async{self.model.client}"}
        for index, (pointer, shape) in enumerate(self.objects.items(), 1):
            if shape is self.variants[0] and not self.model.is_union:
                self.names[pointer] = "Payload"
                continue
            constants = sorted(self.tags.get(pointer, ()))
            values = [prop.shape.values[0] for name in constants
                      if (prop := shape.get(name)) and isinstance(prop.shape, Choice)]  # fmt: skip
            candidates = [shape.title, *(value for value in values if isinstance(value, str)), shape.hint]
            self.names[pointer] = class_name([*candidates, f"Variant{index}"], {*taken, *self.names.values()})

    def _text(self, shape: Object, *, is_posted: bool) -> str:
        if shape.text:
            return shape.text
        if not is_posted:
            return f"An object of the schema, {shape.title or shape.hint or 'without a name'}."
        return f"{shape.title}, with {self.model.title}." if shape.title else f"What {self.model.title} takes."

    def members(self, shape: Object) -> list[tuple[Property, Argument]]:
        """Give the members that an object has fields for, those included that it requires and does not describe."""
        properties = [prop for prop in shape.properties if not self._is_barred(prop, shape)]
        rest = Anything() if shape.extra is None else shape.extra
        properties += [Property(name, rest) for name in shape.required if shape.get(name) is None]
        names = field_names([prop.name for prop in properties], self.names.values())
        tags = self.tags.get(shape.pointer, set())
        return [
            (
                prop,
                Argument(
                    names[prop.name],
                    _default_of(prop, required=prop.name in shape.required, is_tag=prop.name in tags),
                ),
            )
            for prop in properties
        ]

    def _fields(self, shape: Object, annotator: Annotator) -> Iterator[PayloadField]:
        for prop, argument in self.members(shape):
            extras = [] if prop.default is ABSENT else [annotator.call("Default", prop.default)]
            annotation = "" if isinstance(prop.shape, Never) else annotator.write(prop.shape, *extras)
            text = prop.text
            if prop.default is not ABSENT and not fits(prop.shape, prop.default, self.model.known):
                text = f"{text}\n\nThe default {prop.default!r} contradicts the schema and is not used.".strip()
            if prop.name not in shape.required:
                annotator.uses.update(("Unset", "UNSET"))
                annotation = f"{annotation} | Unset" if annotation else "Unset"
            yield PayloadField(argument.name, prop.name, annotation, argument.default, text)
        if not isinstance(shape.members, Never):
            annotator.uses.update(("Mapping", "Unset", "UNSET"))
            annotation = f"Mapping[str, {annotator.write(shape.members)}] | Unset"
            text = "Members that the schema allows and does not name."
            yield PayloadField("extra", "extra", annotation, "UNSET", text)

    def _is_barred(self, prop: Property, shape: Object) -> bool:
        if not isinstance(prop.shape, Never):
            return False
        message = f"{prop.name!r} of {self.names[shape.pointer]} can have no value"
        self.diagnostics.warn(self.model.file, self.model.pointer, message)
        return isinstance(shape.members, Never)


def _default_of(prop: Property, *, required: bool, is_tag: bool) -> str:
    if isinstance(prop.shape, Choice) and len(prop.shape.values) == 1 and (required or is_tag):
        [value] = prop.shape.values
        if isinstance(value, (str, int)) or value is None:
            return repr(value)
    return "" if required else "UNSET"


def _rules(shape: Object, annotator: Annotator) -> Iterator[str]:
    if shape.min_properties:
        yield annotator.call("MinProperties", shape.min_properties)
    if shape.max_properties is not None:
        yield annotator.call("MaxProperties", shape.max_properties)
    for name, names in shape.dependent:
        yield annotator.call("DependentRequired", name, names)


def _classes(objects: dict[str, Object], names: dict[str, str], known: Any) -> list[str]:
    """Order the objects as classes: what is used stands before what uses it."""
    uses = {pointer: list(_uses(shape, known)) for pointer, shape in objects.items()}
    if not any(used for fields in uses.values() for used in fields):
        return list(objects)
    definitions = {
        names[pointer]: {
            "type": "object",
            "title": names[pointer],
            "properties": {
                f"field_{index}": {"anyOf": [{"$ref": f"#/$defs/{names[used]}"} for used in field]}
                for index, field in enumerate(fields)
                if field
            },
        }
        for pointer, fields in uses.items()
    }
    pointers = {name: pointer for pointer, name in names.items()}
    return [pointers[name] for name in _ordered(definitions)]


def _ordered(definitions: dict[str, Any]) -> list[str]:
    """Have datamodel-code-generator find and order the classes of these definitions.

    Its import takes 0.3 s and a call some milliseconds, most of a run once, so it is for those who have something to
    order. Classes that do not use each other it leaves in the order in which they stand.
    """
    from datamodel_code_generator import InputFileType, generate  # noqa: PLC0415  # see above
    from datamodel_code_generator.enums import DataModelType  # noqa: PLC0415

    schema = {"$defs": definitions, "anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions]}
    with TemporaryDirectory() as folder:
        metadata = Path(folder) / "metadata.json"
        generate(
            json.dumps(schema),
            input_file_type=InputFileType.JsonSchema,
            output_model_type=DataModelType.DataclassesDataclass,
            emit_model_metadata=metadata,
            formatters=[],
            disable_timestamp=True,
        )
        models = json.loads(metadata.read_text("utf-8"))["models"]
    names = [item["source_ref"].removeprefix("#/$defs/") for item in models]
    return [name for name in names if name in definitions]


def _uses(shape: Object, known: Any) -> Iterator[list[str]]:
    for child in (*(prop.shape for prop in shape.properties), shape.extra or Anything()):
        yield list(_objects_in(child, known))


def _objects_in(shape: Shape, known: Any) -> Iterator[str]:
    match shape:
        case Object() if not shape.is_map:
            yield shape.pointer
        case Object(extra=extra):
            yield from _objects_in(extra or Anything(), known)
        case Array(items):
            yield from _objects_in(items, known)
        case Union(options):
            for option in options:
                yield from _objects_in(option, known)
        case Reference():
            target = followed(shape, known)
            yield from _objects_in(target, known)
        case _:
            pass
