"""What can be posted where an operation takes JSON and a form: one object where they agree, both where they differ.

A form agrees with its JSON body where it takes the same, and files beside it. A field of the form alone agrees where
nothing but files may stand in it: any payload with a file goes as a form.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import types
from .algebra import fits, union
from .file_fields import Overlay, twins_of
from .subset import Subset
from .types import holds, is_constant, is_exclusive, options_of, with_shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .types import Property, Shape


@dataclass(slots=True)
class Bodies:
    """Brings the bodies of operations together. It lasts as long as their readers: what is equal is compared once."""

    known: Mapping[str, Shape]
    subset: Subset = field(init=False)
    overlay: Overlay = field(default_factory=Overlay)
    alike: dict[tuple[int, int], tuple[bool, Shape, Shape]] = field(
        default_factory=dict[tuple[int, int], "tuple[bool, Shape, Shape]"]
    )
    """Whether two shapes are alike, by their ids, with the shapes, since an id lives no longer than what has it."""

    def __post_init__(self) -> None:
        """Begin with nothing told."""
        self.subset = Subset(self.known, self.known)

    def together(self, body: Shape, form: Shape) -> Shape:
        """Give what can be posted: the objects of a JSON body with what a form says of each, and what that alone is."""
        objects = [option for option in options_of(body) if isinstance(option, types.Object)]
        forms = [option for option in options_of(form) if isinstance(option, types.Object)]
        options: list[Shape] = []
        paired: set[str] = set()
        for option in options_of(body):
            twins: list[types.Object] = []
            if isinstance(option, types.Object):
                twins = twins_of(option, objects, forms)
            paired.update(twin.pointer for twin in twins)
            if isinstance(option, types.Object) and twins:
                option = self._both(option, _form_of(option, twins, objects))  # noqa: PLW2901  # as the form has it
            options.append(option)
        options += [replace(twin, as_form=True) for twin in forms if twin.pointer not in paired]
        if is_exclusive(body):
            return types.Union(tuple(options), exclusive=True)
        return union(options)

    def agree(self, ours: types.Object, theirs: types.Object) -> bool:
        """Tell whether one class says both, as all that differs is files."""
        own = [prop for prop in theirs.properties if ours.get(prop.name) is None]
        return (
            all(is_file(prop.shape) for prop in own)
            and all(self._alike(prop.shape, theirs.allowed(prop.name)) for prop in ours.properties)
            and set(ours.required) == set(theirs.required)
            and _rules(ours) == _rules(theirs)
            and self._alike(ours.members, theirs.members)
        )

    def member(self, ours: Shape, theirs: Shape) -> Shape:
        """Give what a field takes in JSON or in a form."""
        both = self.overlay.of(ours, theirs)
        if self._alike(ours, theirs) or self.subset.holds(theirs, both):
            return both
        if self.subset.holds(ours, theirs):
            return theirs
        return union([ours, theirs])

    def _alike(self, ours: Shape, theirs: Shape) -> bool:
        key = (id(ours), id(theirs))
        if key not in self.alike:
            self.alike[key] = self._are_alike(ours, theirs), ours, theirs
        return self.alike[key][0]

    def _are_alike(self, ours: Shape, theirs: Shape) -> bool:
        """Tell whether a form takes the same in a place, or nothing but files beside it."""
        if not holds(theirs, types.Binary):
            return self.subset.holds(ours, theirs) and self.subset.holds(theirs, ours)
        match ours, theirs:
            case types.Object(), types.Object():
                return self.agree(ours, theirs)
            case types.Array(), types.Array():
                bare = replace(ours, items=types.Never()) == replace(theirs, items=types.Never())
                return bare and self._alike(ours.items, theirs.items)
            case _, types.Binary():
                return True
            case _, types.Union():
                others = [option for option in options_of(theirs) if not isinstance(option, types.Binary)]
                pairs = zip(options_of(ours), others, strict=False)
                if any(holds(other, types.Binary) for other in others):
                    return len(options_of(ours)) == len(others) and all(self._alike(*pair) for pair in pairs)
                return not others or self._alike(ours, union(others))
            case _:
                return False

    def _both(self, option: types.Object, form: types.Object) -> types.Object:
        """Give an object that takes what JSON or the form take, and each of them where they differ."""
        properties = [with_shape(prop, self.member(prop.shape, form.allowed(prop.name))) for prop in option.properties]
        properties += [prop for prop in form.properties if option.get(prop.name) is None]
        both = replace(option, pointer=f"{option.pointer}+{form.pointer}", properties=tuple(properties))
        if option.extra is not None and form.extra is not None:
            both = replace(both, extra=self.overlay.of(option.extra, form.extra))
        if self.agree(option, form):
            return both
        extra: Shape | None = types.Anything()
        if isinstance(option.members, types.Never) and isinstance(form.members, types.Never):
            extra = option.extra
        return replace(
            both,
            required=tuple(name for name in option.required if name in form.required or _is_shared(option, form, name)),
            extra=extra,
            min_properties=0,
            max_properties=None,
            dependent=(),
            bodies=(option, replace(form, pointer=f"{form.pointer}+{option.pointer}", as_form=True)),
        )


def _form_of(option: types.Object, twins: Sequence[types.Object], objects: Sequence[types.Object]) -> types.Object:
    """Give the form of one of the objects of a JSON body. Where several are meant, it takes what any of them takes.

    A field that the object lacks and another one has is not added to it.
    """
    shapes: dict[str, tuple[Property, list[Shape]]] = {}
    for twin in twins:
        for prop in twin.properties:
            shapes.setdefault(prop.name, (prop, []))[1].append(prop.shape)
    foreign = {name for other in objects for name in other.names} - option.names
    properties: list[Property] = []
    for name, (prop, found) in shapes.items():
        shape = union(found)
        ours = option.get(name)
        if ours and len(objects) > 1 and is_constant(ours.shape) and fits(shape, ours.shape.values[0], {}):
            shape = ours.shape  # which tells the object from others, where one form stands for all of them
        if name not in foreign:
            properties.append(with_shape(prop, shape))
    first, *others = twins
    required = [name for name in first.required if all(name in other.required for other in others)]
    if others:
        first = replace(first, min_properties=0, max_properties=None, dependent=())
    return replace(
        first,
        properties=tuple(properties),
        required=tuple(name for name in required if name not in foreign),
    )


def _rules(shape: types.Object) -> object:
    return shape.min_properties, shape.max_properties, shape.dependent


def is_file(shape: Shape) -> bool:
    """Tell whether nothing but files can stand somewhere."""
    if isinstance(shape, types.Array):
        return is_file(shape.items) and shape.min_items > 0
    return isinstance(shape, types.Binary)


def _is_shared(option: types.Object, form: types.Object, name: str) -> bool:
    return is_constant(option.asked_of(name)) and form.allowed(name) == option.asked_of(name)
