"""What the classes of a module are called, by what their objects are and not by what stands before them.

An object has the name that its schema gives it: its title, else its component. Without one it is called by where it
stands and, as one of several alternatives, by what tells it from the others. What is added elsewhere changes none of
these. Objects that want one name and are equal but for their texts are one class. Of those that differ, one keeps the
name: what can be posted, else what adds no member to another of them, else what stands in most places, else what comes
first. The others put their parents before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from generator.json_values import unescape
from generator.names import cap_words, class_name, distinct
from generator.schema.algebra import disjoint
from generator.schema.types import Anything, Array, Choice, Object, Union, is_constant

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

    from generator.schema.types import Property, Shape

_MEMBERS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_ALTERNATIVES = frozenset({"allOf", "anyOf", "oneOf"})
_INSIDE = {"items": "item", "prefixItems": "item", "additionalProperties": "value", "unevaluatedProperties": "value"}

_COMPONENTS = "/components/schemas/"


class Place(NamedTuple):
    """Where an object stands: its component, if it is one by itself, and what the member is called that holds it."""

    component: str
    member: str


def place_of(pointer: str, body: str) -> Place:
    """Read the place of an object from its pointer; `body` is the pointer of the request body."""
    pointer = pointer.partition("+")[0]
    words: list[str] = []
    is_defined = False
    if pointer.startswith(_COMPONENTS):
        name, _, path = pointer.removeprefix(_COMPONENTS).partition("/")
        words, is_defined = [name], not path
    elif f"{pointer}/".startswith(f"{body}/"):
        path = pointer[len(body) + 1 :]
    else:
        path = pointer.rpartition("/schema/")[2]
    tokens = iter(path.split("/"))
    for token in tokens:
        if token in _MEMBERS or token in _DEFINITIONS:
            words, is_defined = [next(tokens, "")], token in _DEFINITIONS
        elif token in _INSIDE:
            words, is_defined = [*words, _INSIDE[token]], False
        elif token in _ALTERNATIVES:
            is_defined = False
            next(tokens, "")
    name = unescape(" ".join(words))
    if is_defined:
        return Place(name, name)
    return Place("", name)


class Label(NamedTuple):
    """What tells an object from the others of its union."""

    text: str
    is_constant: bool


def labels_of(options: Sequence[Object]) -> dict[str, Label]:
    """Give each object of a union, by its pointer, what tells it from its rivals.

    That is a constant, else the first required member that no rival requires, else one that some rival does not. What
    has neither is numbered within the union, from the second on.
    """
    labels: dict[str, Label] = {}
    unlike = 0
    for shape in options:
        rivals = [other for other in options if other is not shape]
        found = [Label(cap_words(text), is_constant=True) for text in _constants(shape, rivals)]
        found += [Label(cap_words(name), is_constant=False) for name in _own_members(shape, rivals)]
        label = next((label for label in found if label.text and label not in labels.values()), None)
        if label is None:
            unlike += 1
            label = Label(str(unlike) if unlike > 1 else "", is_constant=False)
        labels[shape.pointer] = label
    return labels


def is_tag(prop: Property, rivals: Sequence[Object]) -> bool:
    """Tell whether a member of an object holds a constant that none of its rivals takes there."""
    if not is_constant(prop.shape):
        return False
    others = [other.get(prop.name) for other in rivals]
    return all(other is None or disjoint(other.shape, prop.shape) for other in others)


def _constants(shape: Object, rivals: Sequence[Object]) -> list[str]:
    """Give the texts that a member always is, those first that no rival takes.

    One that may be left out counts only where a rival has the member too: else it may have been added to one alone.
    """
    tags: list[str] = []
    others: list[str] = []
    for prop in sorted(shape.properties, key=lambda prop: prop.name):
        counts = prop.name in shape.required or any(rival.get(prop.name) for rival in rivals)
        match prop.shape:
            case Choice((str() as value,)) if counts and is_tag(prop, rivals):
                tags.append(value)
            case Choice((str() as value,)) if counts:
                others.append(value)
            case _:
                pass
    return [*tags, *others]


def _own_members(shape: Object, rivals: Sequence[Object]) -> Iterator[str]:
    required = [prop.name for prop in shape.properties if prop.name in shape.required]
    yield from (name for name in required if not any(name in rival.required for rival in rivals))
    yield from (name for name in required if not all(name in rival.required for rival in rivals))


@dataclass(slots=True)
class ClassNames:
    """Names the classes of one module."""

    body: str
    """The pointer of the request body."""
    posted: Collection[str]
    """The pointers of what can be posted: each of these has a class of its own, and the first right to a name."""
    labels: Mapping[str, Label]
    """What tells the alternatives of unions apart, by pointer."""
    tags: Mapping[str, set[str]]
    """The members of objects whose constants are filled in, by pointer."""
    forms: dict[str, int] = field(default_factory=dict[str, int])
    """The numbers of the forms of objects, by pointer: a form is as deep as its object, and would be hashed as such."""
    numbers: dict[Hashable, int] = field(default_factory=dict["Hashable", int])

    def give(self, objects: Sequence[Object], holders: Mapping[str, str], taken: Collection[str]) -> dict[str, str]:
        """Give the name of each object by its pointer.

        Objects come in the order in which they are found, after their holders, whose pointers `holders` tells.
        """
        names: dict[str, str] = {}
        left_over: list[tuple[str, list[Object]]] = []
        for name, alike in self._wanted(objects).items():
            alike.sort(key=lambda group: self._claim(group, alike), reverse=True)
            if name not in taken:
                names.update((shape.pointer, name) for shape in alike.pop(0))
            left_over += [(name, group) for group in alike]
        order = {shape.pointer: index for index, shape in enumerate(objects)}
        for name, group in sorted(left_over, key=lambda item: order[item[1][0].pointer]):
            used = {*taken, *names.values()}
            first = group[0].pointer
            member, holder = cap_words(place_of(first, self.body).member), names.get(holders.get(first, ""), "")
            fuller = [f"{holder}{name}"]
            if not re.match(rf"{member}(?![a-z])", name):
                fuller = [f"{member}{name}", f"{holder}{name}", f"{holder}{member}{name}"]
            found = next((other for other in fuller if other not in used), fuller[-1])
            names.update((shape.pointer, distinct(found, used)) for shape in group)
        return names

    def _claim(self, group: list[Object], rivals: list[list[Object]]) -> tuple[bool, bool, int]:
        """Give what decides who keeps a name; who extends another object came later, as far as one can tell."""
        members = group[0].names
        extends = any(other[0].names < members for other in rivals)
        return group[0].pointer in self.posted, not extends, len(group)

    def _wanted(self, objects: Sequence[Object]) -> dict[str, list[list[Object]]]:
        """Give the names that objects want, each with the objects that want it, those together that are equal."""
        wanting: dict[str, list[Object]] = {}
        for shape in objects:
            wanting.setdefault(self._wish(shape), []).append(shape)
        found: dict[str, list[list[Object]]] = {}
        for name, rivals in wanting.items():
            groups: dict[Hashable, list[Object]] = {}
            for shape in rivals:
                form: Hashable = shape.pointer
                if len(rivals) > 1 and shape.pointer not in self.posted:
                    form = self._form(shape)
                groups.setdefault(form, []).append(shape)
            found[name] = list(groups.values())
        return found

    def _wish(self, shape: Object) -> str:
        component, member = place_of(shape.pointer, self.body)
        label = self.labels.get(shape.pointer)
        if label is None:
            return class_name(shape.title, component, member)
        if not member and not label.is_constant:
            member, label = "Variant", Label(label.text or "1", is_constant=False)
        return class_name(shape.title, component, shape.hint, f"{cap_words(member)}{label.text}")

    def _form(self, shape: Shape) -> Hashable:
        """Give what is the same for shapes whose classes would differ in nothing but texts."""
        match shape:
            case Object(pointer=pointer) if pointer in self.forms:
                return self.forms[pointer]
            case Object(pointer=pointer, extra=extra, properties=props):
                members = tuple((prop.name, self._form(prop.shape)) for prop in props)
                said = repr([(prop.default, prop.deprecated, prop.deprecated_values) for prop in props])
                bare = replace(shape, pointer="", properties=(), extra=None, hint="", text="")
                tags = tuple(sorted(self.tags.get(pointer, ())))
                form = (repr(bare), members, said, extra and self._form(extra), tags)
                self.forms[pointer] = self.numbers.setdefault(form, len(self.numbers))
                return self.forms[pointer]
            case Array(items):
                return (repr(replace(shape, items=Anything())), self._form(items))
            case Union(options, exclusive):
                return (exclusive, tuple(map(self._form, options)))
            case _:
                return repr(shape)
