"""Two shapes of one place, compared field by field, from the side of a caller.

A request may ask for less and take more; an answer may hold more and promise more. What goes the other way breaks.
"""

from __future__ import annotations

from ast import literal_eval
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.schema.file_fields import constants
from generator.schema.subset import Subset, depends
from generator.schema.types import (
    ABSENT,
    Array,
    Choice,
    Never,
    Null,
    Number,
    Object,
    Property,
    Reference,
    Shape,
    Text,
    Union,
    followed,
    json_key,
    options_of,
)

from .limits import Limits
from .prose import describe, plain
from .static_types import plain_types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.output.classes import Argument, Constructor

    from .change import Kind

_SHOWN = 160
"""Characters that a line shows of a text."""


@dataclass(frozen=True, slots=True)
class Age:
    """One of two ages: what references lead to, and the classes that its requests have, by the pointers of objects."""

    known: Mapping[str, Shape]
    classes: Mapping[str, Constructor] | None = None
    """None for answers, which have no classes."""

    def name_of(self, shape: Object) -> str:
        """Give what an object is called: of a request its class, if it has one, else its title or component."""
        if self.classes is None:
            return shape.title or shape.hint
        found = self.classes.get(shape.pointer)
        return found.name if found else ""

    def names(self) -> list[str]:
        """Give the names of all classes."""
        return [found.name for found in (self.classes or {}).values()]

    def argument(self, shape: Object, name: str) -> Argument | None:
        """Give the argument that the class of an object has for a member, if it has one."""
        found = (self.classes or {}).get(shape.pointer)
        return found.arguments.get(name) if found else None

    def describe(self, shape: Shape) -> str:
        """Say what a shape takes."""
        return describe(shape, self.name_of)


def _key(value: Any) -> object:
    return ABSENT if value is ABSENT else json_key(value)


@dataclass(slots=True)
class Comparison(Limits):
    """Gathers the changes between two ages of one request, or of one answer."""

    old: Age
    new: Age
    active: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def shapes(self, old: Shape, new: Shape, place: str) -> None:
        """Compare what two ages take, or hold, in one place."""
        old, new = followed(old, self.old.known), followed(new, self.new.known)
        start = len(self.changes)
        if isinstance(old, Union) or isinstance(new, Union) or type(old) is not type(new):
            self._unions(old, new, place)
        else:
            self._alike(old, new, place)
        self._agree(start, old, new, place)
        said = any(change.breaking for change in self.changes[start:])
        lost = plain_types(old) - plain_types(new)
        if self.side == "request" and place and lost and not said:
            values = (self.new.describe(new), ", ".join(sorted(lost)))
            words = "takes {} now; a type checker takes no longer any {}"
            self.add("changed", place, words, values, self.old.describe(old), values[0], breaking=True)

    def _agree(self, start: int, old: Shape, new: Shape, place: str) -> None:
        """Hold what was found against what all values together say, where no fields are named.

        Where some are, the one thing to add is that a value may fit a second alternative now, where one is allowed.
        """
        if _names_fields(old) or _names_fields(new):
            quiet = not any(change.breaking for change in self.changes[start:])
            if self.side == "request" and isinstance(new, Union) and new.exclusive and quiet:
                self._generic(old, new, place, lost=not self._holds(old, new), gained=False)
            return
        lost, gained = not self._holds(old, new), not self._holds(new, old, back=True)
        idle = {kind for kind, matters in (("tightened", lost), ("loosened", gained)) if not matters}
        self.changes[start:] = [change for change in self.changes[start:] if change.kind not in idle]
        kinds = {change.kind for change in self.changes[start:]}
        said = {"tightened", "changed"} if lost else {"loosened"}
        if (lost or gained) and not kinds & said:
            self._generic(old, new, place, lost=lost, gained=gained)

    def _generic(self, old: Shape, new: Shape, place: str, *, lost: bool, gained: bool) -> None:
        """Say what is taken, or held, instead."""
        if not (lost or gained):
            return
        before, after = self.old.describe(old), self.new.describe(new)
        request = self.side == "request"
        kind: Kind = "tightened" if lost and (request or not gained) else "changed" if lost else "loosened"
        words = "takes {} now, not {}" if request else "is {} now, not {}"
        if before == after:
            words = f"{words} as it was"
        self.add(kind, place, words, (after, before), before, after, breaking=lost if request else gained)

    def _holds(self, left: Shape, right: Shape, *, back: bool = False) -> bool:
        ages = (self.new, self.old) if back else (self.old, self.new)
        return Subset(ages[0].known, ages[1].known).holds(left, right)

    def _unions(self, old: Shape, new: Shape, place: str) -> None:
        """Pair the alternatives of one kind, and say of the others that they came or went."""
        before, after = _alternatives(old, self.old), _alternatives(new, self.new)
        for mine in list(before):
            twin = next((other for other in after if self._same(mine, other)), None)
            if twin is not None:
                before.remove(mine)
                after.remove(twin)
        pairs = self._pairs(before, after)
        for mine, other in pairs:
            self._alike(mine, other, place)
        lost = [mine for mine in before if all(mine is not pair[0] for pair in pairs)]
        gained = [other for other in after if all(other is not pair[1] for pair in pairs)]
        if isinstance(old, Union) and isinstance(new, Union) and old.exclusive != new.exclusive:
            words = "must fit one alternative alone now" if new.exclusive else "may fit several alternatives now"
            self.narrowed(place, words, old.exclusive, new.exclusive, narrower=new.exclusive)
        went = [shape for shape in lost if not self._holds(shape, new)]
        came = [shape for shape in gained if not self._holds(shape, old, back=True)]
        if not pairs and (len(before) == len(after) == 1 or (went and came)):
            self._generic(old, new, place, lost=bool(went), gained=bool(came))
            return
        request = self.side == "request"
        texts = self.old.describe(old), self.new.describe(new)
        for shape in went:
            words = "no longer takes {}" if request else "is no longer {}"
            self.add("tightened", place, words, (self.old.describe(shape),), *texts, breaking=request)
        for shape in came:
            words = "takes {} too" if request else "may be {} too"
            self.add("loosened", place, words, (self.new.describe(shape),), *texts, breaking=not request)

    def _pairs(self, before: list[Shape], after: list[Shape]) -> list[tuple[Shape, Shape]]:
        """Pair alternatives of a kind: objects by name, meaning, or constant, then what is left alone of its kind."""
        pairs: list[tuple[Shape, Shape]] = []
        rest, others = list(before), list(after)
        rules: tuple[Callable[[Shape, Shape], bool], ...] = (
            lambda a, b: isinstance(a, Object) and isinstance(b, Object) and self.old.name_of(a) == self.new.name_of(b),
            lambda a, b: self._holds(a, b) and self._holds(b, a, back=True),
            lambda a, b: bool(constants(a) & constants(b)),
            lambda a, b: sum(_kind(c) == _kind(a) for c in rest) == sum(_kind(c) == _kind(b) for c in others) == 1,
        )
        for same in rules:
            for mine in list(rest):
                twin = next((other for other in others if _kind(mine) == _kind(other) and same(mine, other)), None)
                if twin is not None:
                    pairs.append((mine, twin))
                    rest.remove(mine)
                    others.remove(twin)
        return pairs

    def _same(self, old: Shape, new: Shape) -> bool:
        """Tell whether there is nothing to say of two alternatives, not even of their words."""
        if _names_fields(old) or _names_fields(new) or isinstance(old, Choice):
            return False
        return self._holds(old, new) and self._holds(new, old, back=True)

    def _alike(self, old: Shape, new: Shape, place: str) -> None:
        match old, new:
            case Text(), Text():
                self.texts(old, new, place)
            case Number(), Number():
                self.numbers(old, new, place)
            case Choice(), Choice():
                self.choices(old, new, place)
            case Array(), Array():
                self.shapes(old.items, new.items, f"{place}[]")
                self.limit(place, ("at least {} items", old.min_items or None, new.min_items or None), low=True)
                self.limit(place, ("at most {} items", old.max_items, new.max_items), low=False)
                if old.unique != new.unique:
                    words = "items must all be different now" if new.unique else "items may be equal now"
                    self.narrowed(place, words, old.unique, new.unique, narrower=new.unique)
            case Object(), Object() if old.is_map and new.is_map:
                self.shapes(old.members, new.members, _below(place, "*"))
                self._rules(old, new, place)
            case Object(), Object():
                pair = (old.pointer, new.pointer)
                if pair not in self.active:
                    self.active.append(pair)
                    self.objects(old, new, place)
                    self.active.pop()
            case _:
                pass

    def objects(self, old: Object, new: Object, place: str) -> None:
        """Compare two objects field by field."""
        names = (self.old.name_of(old), self.new.name_of(new))
        if self.side == "request" and names[0] != names[1] and place and names[0]:
            words = "is an object of the class {} now, not {}" if names[1] else "is no object of a class now, not {}"
            values = (names[1], names[0]) if names[1] else (names[0],)
            self.add("moved", place, words, values, names[0], names[1], breaking=True)
        before, after = _fields(old), _fields(new)
        for name, prop in before.items():
            if name not in after:
                self._gone(prop, old, new, _below(place, name))
        for name, prop in after.items():
            if name in before:
                self._field(old, new, before[name], prop, _below(place, name))
            else:
                self._came(prop, new, _below(place, name))
        self._order(list(before), list(after), place)
        self._members(old, new, place)
        self._rules(old, new, place)
        if " ".join(old.text.split()) != " ".join(new.text.split()):
            self._reworded(place, old.text, new.text)

    def _gone(self, prop: Property, old: Object, new: Object, place: str) -> None:
        was = self.old.describe(prop.shape)
        is_open = self.side == "request" and not isinstance(new.members, Never)
        words = "is gone as a field; `extra` still takes it (it was {})" if is_open else "is gone (it was {})"
        required = ", required" if prop.name in old.required else ""
        self.add("removed", place, words, (was + required,), was, None, breaking=True)

    def _came(self, prop: Property, new: Object, place: str) -> None:
        takes = self.new.describe(prop.shape)
        default = () if prop.default is ABSENT or self.side == "answer" else (plain(prop.default),)
        breaking = self.side == "request" and prop.name in new.required
        words = "is new and required: {}" if breaking else "is new: {}"
        words += "; left out, it is {}" if default else ""
        self.add("added", place, words, (takes, *default), None, takes, breaking=breaking)

    def _field(self, old: Object, new: Object, before: Property, after: Property, place: str) -> None:
        was, now = before.name in old.required, after.name in new.required
        if was != now:
            words = "is required now" if now else "may be left out now"
            if self.side == "answer":
                words = "is always there now" if now else "may be missing now"
            self.narrowed(place, words, was, now, narrower=now, matters=True)
        self.shapes(before.shape, after.shape, place)
        self._argument(self.old.argument(old, before.name), self.new.argument(new, before.name), place)
        defaults = (before.default, after.default)
        if self.side == "request" and _key(defaults[0]) != _key(defaults[1]):
            words = {
                (True, True): "left out, it is {} now, not {}",
                (True, False): "has a default now: {}",
                (False, True): "has no default any more (it was {})",
            }[defaults[1] is not ABSENT, defaults[0] is not ABSENT]
            values = tuple(plain(value) for value in reversed(defaults) if value is not ABSENT)
            self.add("changed", place, words, values, *(None if value is ABSENT else value for value in defaults))
        if " ".join(before.text.split()) != " ".join(after.text.split()):
            self._reworded(place, before.text, after.text)

    def _argument(self, old: Argument | None, new: Argument | None, place: str) -> None:
        """Compare what constructors call a member, and whether they still fill in a constant."""
        if old is None or new is None:
            return
        if old.name != new.name:
            words = "is the argument {} now, not {}"
            self.add("moved", place, words, (new.name, old.name), old.name, new.name, breaking=True)
        if old.default not in ("", "UNSET") and new.default in ("", "UNSET"):
            words = "is sent only if given now" if new.default else "must be given now"
            filled = literal_eval(old.default)
            words = f"{words}; the class filled in {{}}"
            self.add("changed", place, words, (plain(filled),), filled, None, breaking=True)

    def _order(self, before: list[str], after: list[str], place: str) -> None:
        """Name the fields of a request that stand elsewhere: as few as it takes to explain the new order."""
        if self.side == "answer":
            return
        kept = [name for name in after if name in before]
        for name in moved(before, kept):
            neighbours = [names[names.index(name) - 1] if names.index(name) else "" for names in (before, after)]
            words = "stands after {} now" if neighbours[1] else "stands first now"
            values = (neighbours[1],) if neighbours[1] else ()
            self.add("reordered", _below(place, name), words, values, *(other or None for other in neighbours))

    def _members(self, old: Object, new: Object, place: str) -> None:
        """Compare what may be given beside the fields that are named."""
        if self.side == "answer":
            return
        closed = isinstance(old.members, Never), isinstance(new.members, Never)
        if closed == (False, False):
            for shape, other, narrower in ((old, new, False), (new, old, True)):
                for prop in shape.properties:
                    if isinstance(prop.shape, Never) and other.get(prop.name) is None:
                        words = "may not be given any more" if narrower else "may be given now"
                        child = _below(place, prop.name)
                        self.narrowed(child, words, narrower, not narrower, narrower=narrower)
            self.shapes(old.members, new.members, _below(place, "*"))
        elif closed[0] != closed[1]:
            takes = self.new.describe(new.members)
            words = "takes no other fields any more" if closed[1] else "takes other fields too, with {}"
            values = () if closed[1] else (takes,)
            self.narrowed(place, words, not closed[0], not closed[1], narrower=closed[1], values=values)

    def _rules(self, old: Object, new: Object, place: str) -> None:
        least = old.min_properties, new.min_properties
        if least[1] < least[0] or least[1] > max(least[0], len(old.required)):
            self.limit(place, ("at least {} fields", least[0] or None, least[1] or None), low=True)
        self.limit(place, ("at most {} fields", old.max_properties, new.max_properties), low=False)
        for mine, other, narrower in ((old, new, False), (new, old, True)):
            for name, others in mine.dependent:
                if not depends(other, name, others):
                    words = "with {}, {} must be given now" if narrower else "with {}, {} need not be given any more"
                    values = (name, ", ".join(others))
                    sides = (list(others), None) if not narrower else (None, list(others))
                    self.narrowed(place, words, *sides, narrower=narrower, values=values)

    def _reworded(self, place: str, old: str, new: str) -> None:
        before, after = _shortened(old), _shortened(new)
        words = "is described as “{}” now" + (", not “{}”" if before else "")
        words = words if after else "is no longer described as “{}”"
        values = tuple(filter(None, (after, before)))
        self.add("reworded", place, words, values, old, new)


def moved(before: list[str], after: list[str]) -> list[str]:
    """Give the names that moved: those outside a longest run that both orders share. Both hold the same names."""
    place = {name: index for index, name in enumerate(before)}
    runs: list[list[str]] = []
    for name in after:
        run: list[str] = []
        for other in runs:
            if place[other[-1]] < place[name] and len(other) > len(run):
                run = other
        runs.append([*run, name])
    longest: list[str] = []
    for run in runs:
        longest = run if len(run) > len(longest) else longest
    return [name for name in after if name not in longest]


def _names_fields(shape: Shape) -> bool:
    match shape:
        case Object():
            return not shape.is_map or _names_fields(shape.members)
        case Array(items):
            return _names_fields(items)
        case Union(options):
            return any(map(_names_fields, options))
        case Reference():
            return True
        case _:
            return False


def _alternatives(shape: Shape, age: Age) -> list[Shape]:
    """Give the alternatives of a shape, null among them as one of its own."""
    found: list[Shape] = []
    for option in options_of(shape):
        part = followed(option, age.known)
        if isinstance(part, Union):
            found += _alternatives(part, age)
        elif isinstance(part, Choice) and None in part.values and len(part.values) > 1:
            found += [Choice(tuple(value for value in part.values if value is not None)), Null()]
        else:
            found.append(Null() if part == Choice((None,)) else part)
    return found


def _kind(shape: Shape) -> object:
    return (type(shape), shape.is_map if isinstance(shape, Object) else None)


def _fields(shape: Object) -> dict[str, Property]:
    """Give the fields that an object has, those included that it requires and does not describe."""
    described = {prop.name: prop for prop in shape.properties if not isinstance(prop.shape, Never)}
    bare = {name: Property(name, shape.members) for name in shape.required if shape.get(name) is None}
    return {**described, **bare}


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}…"
