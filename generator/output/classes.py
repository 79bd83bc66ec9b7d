"""Request schema → payload classes: what they are called, what their fields say, in which order they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from generator.inputs.asked import URLENCODED
from generator.names import distinct, field_names
from generator.schema.algebra import fits
from generator.schema.bodies import is_file
from generator.schema.types import ABSENT, Choice, Never, Null, Object, Property, Union, followed, parts_of

from .annotations import Annotator
from .capabilities import capabilities_of
from .class_names import ClassNames, is_tag, labels_of, place_of
from .facts import facts_of, with_facts
from .prose import first_paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.inputs.video_model import VideoModel
    from generator.schema.types import Shape

    from .capabilities import Capabilities
    from .class_names import Label

BODIES: Final = {"Json": "JSON", "Form": "a form"}
"""What ends the names of the classes that tell JSON and forms apart, and how each is called."""


@dataclass(frozen=True, slots=True)
class PayloadField:
    """One field of a class: its name in Python, its name on the wire, its annotation and the text of its default."""

    name: str
    wire: str
    annotation: str
    default: str
    text: str
    """What an editor shows of it; it ends with limits and default, which editors drop."""
    brief: str
    """The same, with the first paragraph alone of what the description tells."""
    prop: Property
    """What the description says of it; of `extra`, what it says of members that it does not name."""


@dataclass(frozen=True, slots=True)
class PayloadClass:
    """One class of a module."""

    name: str
    base: str
    text: str
    fields: tuple[PayloadField, ...]
    rules: tuple[str, ...]
    one_of: tuple[str, ...]
    bodies: tuple[str, ...]
    urlencoded: bool
    shape: Object

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """What its constructor takes, each with a short text."""
        return tuple((item.name, item.brief) for item in self.fields)


@dataclass(frozen=True, slots=True)
class Module:
    """A model with the classes of its module, those of them that can be posted, and the names that their text uses."""

    model: VideoModel
    classes: tuple[PayloadClass, ...]
    variants: tuple[str, ...]
    enumerations: Mapping[str, tuple[str | int, ...]]
    """The values of long enumerations, which have a name."""
    uses: frozenset[str]
    names: Mapping[str, str]
    """What each object is called, by its pointer."""
    capabilities: Capabilities

    @property
    def title(self) -> str:
        """The title of the model, as it stands in a sentence."""
        return self.model.title.rstrip(".")

    @property
    def has_alias(self) -> bool:
        """Whether `Payload` is another name for the variants, and no class."""
        return self.variants != ("Payload",)

    @property
    def has_union(self) -> bool:
        """Whether `Payload` is several classes."""
        return len(self.variants) > 1

    @property
    def public_names(self) -> set[str]:
        """What a module offers."""
        names = {"ENDPOINT", "Payload", "parse", self.model.client, f"Async{self.model.client}"}
        return names.union(self.enumerations, (item.name for item in self.classes))


def module_of(model: VideoModel) -> Module:
    """Give the module of a model."""
    return _Builder(model).build()


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
    builder = _Builder(model)
    found: dict[str, Constructor] = {}
    for pointer, name in builder.names.items():
        members = builder.members(builder.objects[pointer])
        found[pointer] = Constructor(name, {prop.name: argument for prop, argument in members})
    return found


class _Builder:
    def __init__(self, model: VideoModel) -> None:
        self.model = model
        self.variants = [variant.shape for variant in model.variants]
        self.objects: dict[str, Object] = {}
        self.uses: dict[str, set[str]] = {}
        """The objects that each object uses, by their pointers."""
        self.holders: dict[str, str] = {}
        """The object in which each object was found first, by their pointers."""
        self.tags: dict[str, set[str]] = {}
        self.labels: dict[str, Label] = {}
        self.told_apart: dict[tuple[str, ...], dict[str, Label]] = {}
        """The labels of the objects of each union, by their pointers: many members may take the same union."""
        if self.model.is_union:
            self._tell_apart(self.variants)
        for variant in self.variants:
            self._collect(variant)
        self.bodies = {
            body.pointer: (variant.pointer, kind)
            for variant in self.variants
            for body, kind in zip(variant.bodies, BODIES, strict=False)
        }
        """The bodies of each object that can be posted, by their pointers: its own pointer, and what the body is."""
        self.names = self._names()

    def _names(self) -> dict[str, str]:
        posted = [variant.pointer for variant in self.variants]
        taken = {self.model.client, f"Async{self.model.client}"}
        names = ClassNames(self.model.pointer, posted, self.labels, self.tags)
        objects = [shape for shape in self.objects.values() if shape.pointer not in self.bodies]
        if self.model.is_union:
            found = names.give(objects, self.holders, taken)
        else:
            found = {posted[0]: "Payload", **names.give(objects[1:], self.holders, taken)}
        for pointer, (whole, kind) in self.bodies.items():
            found[pointer] = distinct(f"{found[whole]}{kind}", {*taken, *found.values()})
        return found

    def build(self) -> Module:
        """Write the classes of the objects that were found and named."""
        client = self.model.client
        members = {prop.name for shape in self.objects.values() for prop in shape.properties}
        taken = {*self.names.values(), client, f"Async{client}", *members}
        annotator = Annotator(self.names, self.model.known, taken)
        posted = {variant.shape.pointer: variant.rivals for variant in self.model.variants}
        classes: list[PayloadClass] = []
        for pointer in self._classes():
            shape, base = self.objects[pointer], "BaseObject"
            if pointer in posted:
                base = "BasePayload"
            text = shape.text.strip() or self._text(shape, is_posted=pointer in posted)
            if pointer in self.bodies:
                whole, kind = self.bodies[pointer]
                text = f"What a `{self.names[whole]}` must fit where it goes as {BODIES[kind]}."
            if shape.bodies:
                text = f"{text}\n\n{self._text_of_bodies(*shape.bodies)}"
            if shape.deprecated:
                text = f"{text}\n\nDeprecated."
            fields = tuple(self._fields(shape, annotator))
            rivals = tuple(self.names[rival] for rival in posted.get(pointer, ()))
            rules = tuple(annotator.rules(shape))
            bodies = tuple(self.names[body.pointer] for body in shape.bodies)
            urlencoded = self.model.form == URLENCODED and pointer in posted
            name = self.names[pointer]
            classes.append(PayloadClass(name, base, text, fields, rules, rivals, bodies, urlencoded, shape))
        annotator.uses.update(item.base for item in classes)
        variants = tuple(self.names[pointer] for pointer in posted)
        enumerations = dict(annotator.enumerations.values())
        uses, capabilities = frozenset(annotator.uses), capabilities_of(self.model)
        return Module(self.model, tuple(classes), variants, enumerations, uses, self.names, capabilities)

    def _text(self, shape: Object, *, is_posted: bool) -> str:
        title = self.model.title.rstrip(".")
        if is_posted and shape.title:
            return f"{shape.title.rstrip('.')}, with {title}."
        if is_posted:
            return f"What {title} takes."
        if shape.title:
            return f"An object of the schema, {shape.title.rstrip('.')}."
        place = place_of(shape.pointer, self.model.pointer).member or "the request"
        if shape.pointer in self.labels:
            return f"One form of `{place}`."
        return f"An object of the schema, `{place}`."

    def _text_of_bodies(self, json: Object, form: Object) -> str:
        own = [prop for prop in form.properties if prop.name not in json.names and not is_file(prop.shape)]
        reasons = " or ".join(["a file", *(f"`{prop.name}`" for prop in own)])
        names = self.names[form.pointer], self.names[json.pointer]
        return f"With {reasons} it goes as a form, and must fit `{names[0]}`; else it must fit `{names[1]}`."

    def _classes(self) -> list[str]:
        """Give the pointer of one object of each class, in the order in which classes are written."""
        first: dict[str, str] = {}
        for pointer, name in self.names.items():
            first.setdefault(name, pointer)
        uses = {name: {self.names[other] for other in self.uses[pointer]} for name, pointer in first.items()}
        return [first[name] for name in ordered(uses)]

    def _tell_apart(self, options: list[Object]) -> None:
        """Find what tells the objects of a union apart, and which constants do so by themselves."""
        union = tuple(shape.pointer for shape in options)
        if union in self.told_apart:
            self.labels |= self.told_apart[union]
            return
        self.told_apart[union] = labels_of(options)
        self.labels |= self.told_apart[union]
        for shape in options:
            rivals = [other for other in options if other is not shape]
            self.tags.setdefault(shape.pointer, set()).update(
                prop.name for prop in shape.properties if is_tag(prop, rivals)
            )

    def _collect(self, shape: Object) -> None:
        """Find every object that needs a class, the one that holds before the one that is held."""
        if shape.pointer in self.objects:
            return
        self.objects[shape.pointer] = shape
        used = [found for part in parts_of(shape) for found in self._objects_in(part)]
        used += [body for body in shape.bodies if body.is_map]
        self.uses[shape.pointer] = {other.pointer for other in used}
        for other in used:
            self.holders.setdefault(other.pointer, shape.pointer)
            self._collect(other)

    def _objects_in(self, shape: Shape) -> Iterator[Object]:
        """Give the objects with a class of their own that a shape holds without another one in between."""
        shape = followed(shape, self.model.known)
        if isinstance(shape, Object) and not shape.is_map:
            yield shape
            return
        if isinstance(shape, Union) and sum(not isinstance(option, Null) for option in shape.options) > 1:
            self._tell_apart([option for option in shape.options if isinstance(option, Object) and not option.is_map])
        for part in parts_of(shape):
            yield from self._objects_in(part)

    def members(self, shape: Object) -> Iterator[tuple[Property, Argument]]:
        """Give the members that an object has fields for, those included that it requires and does not describe."""
        properties = list(shape.properties)
        if isinstance(shape.members, Never):  # no field is needed to refuse a member where no others are taken
            properties = [prop for prop in properties if not isinstance(prop.shape, Never)]
        properties += [Property(name, shape.asked_of(name)) for name in shape.required if shape.get(name) is None]
        names = field_names([prop.name for prop in properties], self.names.values())
        tags = self.tags.get(shape.pointer, ())
        for prop in properties:
            is_required = prop.name in shape.required
            default = ""
            if is_required or prop.name in tags:
                default = _constant(prop.shape)
            if not (is_required or default):
                default = "UNSET"
            yield prop, Argument(names[prop.name], default)

    def _fields(self, shape: Object, annotator: Annotator) -> Iterator[PayloadField]:
        for prop, argument in self.members(shape):
            annotation = annotator.member(prop, self.names[shape.pointer], required=prop.name in shape.required)
            is_right = prop.default is ABSENT or fits(prop.shape, prop.default, self.model.known)
            facts = tuple(facts_of(prop, is_default_right=is_right))
            text = with_facts(prop.text, facts)
            brief = with_facts(first_paragraph(prop.text), facts)
            if prop.read_only:
                text = f"{text}\n\nRead-only: the platform sets it, and asks nobody for it.".strip()
                brief = f"{brief} Read-only: the platform sets it.".strip()
            if not is_right:
                text = f"{text}\n\nThe default {prop.default!r} contradicts the schema and is not used.".strip()
            brief = brief or "Not described."
            yield PayloadField(argument.name, prop.name, annotation, argument.default, text, brief, prop)
        if not isinstance(shape.members, Never):
            text = "Members that the schema allows and does not name."
            prop = Property("extra", shape.members)
            yield PayloadField("extra", "extra", annotator.others(shape.members), "UNSET", text, text, prop)


def _constant(shape: Shape) -> str:
    """Give the text of a constant that Python can write as it stands; empty where there is none."""
    match shape:
        case Choice((str() | int() | None as value,)):
            return repr(value)
        case _:
            return ""


def ordered(uses: dict[str, set[str]]) -> list[str]:
    """Put classes before those that use them, else as they stand; in a circle the first one comes last.

    What a class uses stands right before it, so that one more moves no other.
    """
    place = {name: index for index, name in enumerate(uses)}
    order: dict[str, None] = {}
    begun: set[str] = set()
    waiting = [*reversed(uses)]
    while waiting:
        name = waiting[-1]
        if name in begun:
            order[waiting.pop()] = None
        else:
            begun.add(name)
            waiting += sorted(uses[name] - begun, key=place.__getitem__, reverse=True)
    return [*order]
