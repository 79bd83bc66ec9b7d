"""What the form of an operation adds to its JSON body: the files that may stand in the same places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from generator.json_values import json_key

from . import types
from .algebra import disjoint, union
from .types import Binary, Object, Shape, holds, is_constant, is_exclusive, options_of, with_shape

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Overlay:
    """Adds to shapes the files that their form takes in the same places, to the same two objects once."""

    told: dict[tuple[str, str], Object] = field(default_factory=dict[tuple[str, str], "Object"])

    def of(self, shape: Shape, form: Shape) -> Shape:
        """Give a shape with these files."""
        if isinstance(shape, (types.Reference, types.Anything)) or not holds(form, Binary):
            return shape
        match shape, form:
            case Object(), Object():
                pair = shape.pointer, form.pointer
                if pair not in self.told:
                    self.told[pair] = self._object(shape, form)
                return self.told[pair]
            case types.Array(), types.Array():
                return replace(shape, items=self.of(shape.items, form.items))
            case _:
                pass
        others: list[Shape] = [option for option in options_of(form) if not isinstance(option, Binary)]
        options = [self._option(option, options_of(shape), others) for option in options_of(shape)]
        if len(others) < len(options_of(form)):
            options.append(Binary())
        if is_exclusive(shape):
            return types.Union(tuple(options), exclusive=True)
        return union(options)

    def _object(self, shape: Object, form: Object) -> Object:
        properties = [with_shape(prop, self.of(prop.shape, form.asked_of(prop.name))) for prop in shape.properties]
        properties += [prop for prop in form.properties if shape.get(prop.name) is None and holds(prop.shape, Binary)]
        extra = shape.extra
        if shape.extra is not None and form.extra is not None:
            extra = self.of(shape.extra, form.extra)
        return replace(shape, pointer=f"{shape.pointer}+{form.pointer}", properties=tuple(properties), extra=extra)

    def _option(self, option: Shape, options: Sequence[Shape], others: Sequence[Shape]) -> Shape:
        """Overlay an alternative of a JSON body with that of the form that stands for it: of its kind, in its place."""
        alike = [other for other in options if type(other) is type(option)]
        peers = [other for other in others if type(other) is type(option)]
        place = alike.index(option)
        if place >= len(peers):
            return option
        return self.of(option, peers[place])


def twins_of(option: Object, alike: Sequence[Shape], peers: list[Object]) -> list[Object]:
    """Find the objects of a form for one of its JSON twin: by title, constant, place, else all that may be meant."""
    titled = [peer for peer in peers if option.title and peer.title == option.title]
    if len(titled) == 1:
        return titled
    shared = [len(constants(peer) & constants(option)) for peer in peers]
    if any(shared):
        return [peer for peer, count in zip(peers, shared, strict=True) if count == max(shared)]
    if len(peers) == len(alike):
        return [peers[alike.index(option)]]
    return [peer for peer in peers if not disjoint(peer, option)]


def constants(shape: Shape) -> set[object]:
    """Give the constants of an object, each with its name."""
    if not isinstance(shape, Object):
        return set()
    return {(prop.name, json_key(prop.shape.values[0])) for prop in shape.properties if is_constant(prop.shape)}
