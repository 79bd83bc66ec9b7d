"""What a schema allows, in a form that has one spelling for one meaning.

Shapes are what is left of a schema once references are followed, `allOf` is merged and every way of saying the same is
brought to one. They are compared, intersected and asked whether a value fits, all without a thought of Python.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


ABSENT: Final[Any] = object()
"""What a schema does not say."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value."""


@dataclass(frozen=True, slots=True)
class Never:
    """No value at all. What is told of it tells no two of them apart."""

    pointer: str = field(default="", compare=False)
    """Where the schema stands that has no value."""
    reason: str = field(default="", compare=False)
    """Why, where it is not plainly said by `false`."""
    cause: str = field(default="", compare=False)
    """What many of them may have in common: the place that excludes them."""


@dataclass(frozen=True, slots=True)
class Null:
    """JSON null."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Binary:
    """The bytes of a file, as a part of a form."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number within limits; with `integer`, one without a fraction."""

    integer: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    multiples: tuple[float, ...] = ()

    @property
    def limits(self) -> tuple[tuple[float, bool], tuple[float, bool]]:
        """The lower limit and whether it is excluded, the upper one and whether it is included.

        The greater of two lower limits is tighter, and the less of two upper ones. Without a limit it is infinite.
        """
        least = (-math.inf, False), (self.minimum, False), (self.exclusive_minimum, True)
        most = (math.inf, True), (self.maximum, True), (self.exclusive_maximum, False)
        low, is_excluded = max((value, flag) for value, flag in least if value is not None)
        high, is_included = min((value, flag) for value, flag in most if value is not None)
        if self.integer and low > -math.inf:
            low, is_excluded = math.floor(low) + 1 if is_excluded else math.ceil(low), False
        if self.integer and high < math.inf:
            high, is_included = math.floor(high) if is_included else math.ceil(high) - 1, True
        return (low, is_excluded), (high, is_included)


@dataclass(frozen=True, slots=True)
class Text:
    """A string; lengths are in characters."""

    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values (`enum`, `const`)."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A list of items of one shape."""

    items: Shape = field(default_factory=Anything)
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A named member of an object. `default` is what the schema says, right or wrong, or `ABSENT`."""

    name: str
    shape: Shape
    default: Any = ABSENT
    text: str = ""
    pointer: str = ""
    conditional: bool = False
    """Whether it is named under a condition alone: what is said of it elsewhere counts, and this does not."""
    read_only: bool = False
    """Whether the platform sets it, so that nobody is asked for it."""
    deprecated: bool = False
    deprecated_values: tuple[Any, ...] = ()
    """Those of its values that are deprecated: of `oneOf` or `anyOf`, constants that say so."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object. Its pointer tells it from others that look the same; `title` and `hint` are what it may be called."""

    pointer: str
    properties: tuple[Property, ...] = ()
    required: tuple[str, ...] = ()
    extra: Shape | None = None
    """What members of other names are: a shape; `Never` where they are excluded, None where the schema is silent."""
    min_properties: int = 0
    max_properties: int | None = None
    dependent: tuple[tuple[str, tuple[str, ...]], ...] = ()
    title: str = ""
    hint: str = ""
    text: str = ""
    deprecated: bool = False
    conditional: bool = False
    """Whether it only names members under a condition, and lets pass what is no object."""
    unasked: tuple[str, ...] = ()
    """What it requires and nobody is asked for, as the platform sets it (`readOnly`)."""
    as_form: bool = False
    """Whether it can be posted as a form alone."""
    bodies: tuple[Object, ...] = ()
    """Where JSON and form ask for different things: what it must be as JSON, and what as a form."""
    _by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look properties up by name once: an object may have thousands."""
        object.__setattr__(self, "_by_name", {prop.name: prop for prop in self.properties})

    def get(self, name: str) -> Property | None:
        """Give the property of a name."""
        return self._by_name.get(name)

    @property
    def names(self) -> frozenset[str]:
        """The names of its properties."""
        return frozenset(prop.name for prop in self.properties)

    def asked_of(self, name: str) -> Shape:
        """Give what it asks of a member that it requires: where it is silent, nothing."""
        prop = self.get(name)
        if prop is None:
            return self.extra or Anything()
        return prop.shape

    def allowed(self, name: str) -> Shape:
        """Give what it takes as the member of a name."""
        if self.get(name) is None and name not in self.required:
            return self.members
        return self.asked_of(name)

    @property
    def members(self) -> Shape:
        """What members of other names are, silence judged: an object that names properties excludes the others."""
        if self.extra is None and self.properties:
            return Never()
        return self.extra or Anything()

    @property
    def is_map(self) -> bool:
        """Whether all that it says of its members holds for all of them alike."""
        return not (self.properties or self.required or self.dependent or isinstance(self.extra, Never))

    @property
    def obstacle(self) -> Never | None:
        """A member that it requires and that can have no value: itself as a shape without a value, and why."""
        for name in self.required:
            shape = self.asked_of(name)
            if isinstance(shape, Never):
                why = shape.reason or f"#{shape.pointer} excludes it"
                return Never(self.pointer, f"it requires {name!r}: {why}", shape.cause or shape.pointer)
        return None


@dataclass(frozen=True, slots=True)
class Union:
    """A value that fits one of the options; with `exclusive`, one alone (`oneOf`)."""

    options: tuple[Shape, ...]
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """The shape that stands at a pointer, from within itself."""

    pointer: str


Shape: TypeAlias = (
    Anything | Never | Null | Boolean | Binary | Number | Text | Choice | Array | Object | Union | Reference
)


@dataclass(frozen=True, slots=True)
class Variant:
    """An object that can be posted, and those that the same value must not fit as well (`oneOf`)."""

    shape: Object
    rivals: tuple[str, ...] = ()
    """Their pointers."""


def with_shape(prop: Property, shape: Shape) -> Property:
    """Give a member with another shape; itself where it has that one."""
    if prop.shape is shape:
        return prop
    return replace(prop, shape=shape)


def followed(shape: Shape, known: Mapping[str, Shape]) -> Shape:
    """Give a shape, or what it refers to."""
    if isinstance(shape, Reference):
        return known.get(shape.pointer, Anything())
    return shape


def options_of(shape: Shape) -> tuple[Shape, ...]:
    """Give the options of a union, or the shape as the only one."""
    if isinstance(shape, Union):
        return shape.options
    return (shape,)


def shapes_in(shape: Shape, known: Mapping[str, Shape] | None = None) -> Iterator[Shape]:
    """Give a shape and all that it is made of, each object once; references are followed to what is `known`."""
    waiting, seen = [shape], set[str]()
    while waiting:
        found = waiting.pop()
        if known is not None:
            found = followed(found, known)
        if isinstance(found, Object):
            if found.pointer in seen:
                continue
            seen.add(found.pointer)
        yield found
        waiting += reversed(parts_of(found))


def key_of(shape: Shape) -> str:
    """Give what two shapes have in common if they say the same, which is no more than objects that have one pointer."""
    match shape:
        case Object(pointer):
            return pointer
        case Never():
            return "Never"
        case Array(items):
            return f"{replace(shape, items=Anything())!r} of {key_of(items)}"
        case Union(options, exclusive):
            return f"{exclusive} of ({', '.join(map(key_of, options))})"
        case _:
            return repr(shape)


def is_exclusive(shape: Shape) -> bool:
    """Tell whether a value must fit one option alone."""
    return isinstance(shape, Union) and shape.exclusive


def parts_of(shape: Shape) -> tuple[Shape, ...]:
    """Give the shapes that stand in a shape, its references not followed."""
    if isinstance(shape, Object):
        return (*(prop.shape for prop in shape.properties), shape.extra or Anything(), *shape.bodies)
    if isinstance(shape, Array):
        return (shape.items,)
    if isinstance(shape, Union):
        return shape.options
    return ()


def holds(shape: Shape, *kinds: type) -> bool:
    """Tell whether a shape is of one of these kinds or has such a one in it, references not followed."""
    return any(isinstance(part, kinds) for part in shapes_in(shape))


def is_constant(shape: Shape) -> TypeGuard[Choice]:
    """Tell whether a shape is one value alone."""
    return isinstance(shape, Choice) and len(shape.values) == 1


def variants_of(shape: Shape, known: Mapping[str, Shape]) -> tuple[Variant, ...]:
    """Give the objects that a body may be, each once, in their order."""
    shape = followed(shape, known)
    if isinstance(shape, Object) and shape.obstacle is None:
        return (Variant(shape),)
    if not isinstance(shape, Union):
        return ()
    found: dict[str, Variant] = {}
    options = [variants_of(option, known) for option in shape.options]
    for index, variants in enumerate(options):
        rivals: list[str] = []
        if shape.exclusive:
            rivals = [variant.shape.pointer for other in options[:index] + options[index + 1 :] for variant in other]
        for variant in variants:
            both = tuple(dict.fromkeys((*variant.rivals, *rivals)))
            found.setdefault(variant.shape.pointer, Variant(variant.shape, both))
    return tuple(found.values())
