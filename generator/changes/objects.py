"""Two shapes of one place, compared field by field, from the side of a caller.

A request may ask for less and take more; an answer may hold more and promise more. What goes the other way breaks.
"""

from __future__ import annotations

from ast import literal_eval
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from generator.json_values import NOTHING, json_key
from generator.output.words import listed, plain
from generator.schema import types
from generator.schema.examples import OTHER, completed
from generator.schema.file_fields import constants
from generator.schema.subset import Subset, depends
from generator.schema.types import ABSENT, followed, is_exclusive, parts_of

from .limits import Limits
from .pairing import alternatives_of, kind_of, moved, take_pairs
from .prose import NEW, OLD, one_line
from .static_types import plain_types
from .witness import Proof, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.schema.types import Object, Property, Shape

    from .body import Revision
    from .witness import Holder

SHOWN: Final = 160
"""Characters that a line shows of a text."""

MOST_PLACES: Final = 100
"""In how many places of a body what changed of an object is told. The limit is ours."""

WHOLE: Final = types.Property("", types.Anything())
"""No member: an object as a whole."""


@dataclass(slots=True)
class Comparison(Limits):
    """Gathers the changes between two revisions of one request, or of one answer."""

    old: Revision
    new: Revision
    active: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The pairs of objects that are being compared, which may hold themselves."""
    met: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """In how many places each pair was found."""
    member: Property = WHOLE
    """The member of the innermost of them that is being compared, as it is now."""

    def __post_init__(self) -> None:
        """Look for witnesses in both revisions."""
        self.proof = Proof((self.old.known, self.new.known), self.side)

    def pointer(self) -> str:
        """Give the place in the new description of what is being compared."""
        if self.member.pointer:
            return self.member.pointer
        pointer = self.new.start
        if self.active:
            _, pointer = self.active[-1]
        while pointer and self.new.description and self.new.description.at(pointer) is NOTHING:
            pointer = pointer[: max(pointer.rfind("+"), pointer.rfind("/"), 0)]  # of a merged object, its first place
        return pointer

    def compare(self, old: Shape, new: Shape, place: str = "") -> None:
        """Compare what two revisions take, or hold, in one place."""
        old, new = followed(old, self.old.known), followed(new, self.new.known)
        outside = self.proof.here
        self.proof.here = old, new
        if not self.proof.steps:
            self.proof.whole = old, new
        self._compare(old, new, place)
        self.proof.here = outside

    def _compare(self, old: Shape, new: Shape, place: str) -> None:
        start = len(self.changes)
        if type(old) is type(new) and not isinstance(old, types.Union):
            self._alike(old, new, place)
        else:
            self._unions(old, new, place)
        if not (_names_fields(old) or _names_fields(new)):
            self._agree(start, old, new, place)
        elif self.is_request and is_exclusive(new) and not self._breaks(start):
            # A value may fit a second alternative now, where one is allowed.
            self._replaced(old, new, place, removed=self._loses(old, new), added=False)
        lost = plain_types(old) - plain_types(new)
        if self.is_request and place and lost and not self._breaks(start):
            texts = self.old.describe(old), self.new.describe(new)
            sentence = "takes {} now; a type checker takes no longer any {}"
            kinds = ", ".join(sorted(lost))
            witness = Witness("call", f"{self.member.name}={kinds}")
            self.add("changed", "type", place, texts, sentence, texts[1], kinds, breaking=True, witness=witness)

    def _breaks(self, start: int) -> bool:
        return any(change.breaking for change in self.changes[start:])

    def _agree(self, start: int, old: Shape, new: Shape, place: str) -> None:
        """Hold what was found against what all values together say."""
        removed, added = self._loses(old, new), self._gains(old, new)
        untrue = {kind for kind, is_true in (("tightened", removed), ("loosened", added)) if not is_true}
        self.changes[start:] = [change for change in self.changes[start:] if change.kind not in untrue]
        kinds = {change.kind for change in self.changes[start:]}
        expected = {"loosened"}
        if removed:
            expected = {"tightened", "changed"}
        if not kinds & expected:
            self._replaced(old, new, place, removed=removed, added=added)

    def _replaced(self, old: Shape, new: Shape, place: str, *, removed: bool, added: bool) -> None:
        if not (removed or added):
            return
        was, now = self.old.describe(old), self.new.describe(new)
        sentence = self.side.replaced
        if was == now:
            sentence = f"{sentence} as it was"
        if removed and added and not self.is_request:
            witness = self.proof.parted(NEW)
            self.add("changed", "type", place, (was, now), sentence, now, was, breaking=True, witness=witness)
        elif removed:
            self.add("tightened", "type", place, (was, now), sentence, now, was)
        else:
            self.add("wider", "type", place, (was, now), sentence, now, was)

    def _loses(self, old: Shape, new: Shape) -> bool:
        """Tell whether something that fits the old shape may not fit the new one."""
        return not Subset(self.old.known, self.new.known).holds(old, new)

    def _gains(self, old: Shape, new: Shape) -> bool:
        """Tell whether something that fits the new shape may not fit the old one."""
        return not Subset(self.new.known, self.old.known).holds(new, old)

    def _means_the_same(self, old: Shape, new: Shape) -> bool:
        return not (self._loses(old, new) or self._gains(old, new))

    def _unions(self, old: Shape, new: Shape, place: str) -> None:
        """Pair the alternatives of one kind, and say of the others that they were added or removed."""
        before, after = alternatives_of(old, self.old), alternatives_of(new, self.new)
        if self.is_request:
            self.order(place, self._classes(before, self.old), self._classes(after, self.new))
        take_pairs(before, after, self._has_no_change)
        lost, gained = list(before), list(after)
        pairs = self._pairs(lost, gained)
        for mine, other in pairs:
            self._alike(mine, other, place)
        if isinstance(old, types.Union) and isinstance(new, types.Union):
            if new.exclusive and not old.exclusive:
                self.add("tightened", "alternatives", place, (False, True), "must fit one alternative alone now")
            if old.exclusive and not new.exclusive:
                self.add("loosened", "alternatives", place, (True, False), "may fit several alternatives now")
        removed = [shape for shape in lost if self._loses(shape, new)]
        added = [shape for shape in gained if self._gains(old, shape)]
        is_any = isinstance(old, types.Anything) or isinstance(new, types.Anything)
        if is_any or (not pairs and (len(before) == len(after) == 1 or (removed and added))):
            self._replaced(old, new, place, removed=bool(removed), added=bool(added))
            return
        texts = self.old.describe(old), self.new.describe(new)
        for shape in removed:
            witness = None
            if self.is_request and isinstance(shape, types.Binary):
                witness = Witness("call", f'{self.member.name}=File("a.png")')
            shown = self.old.describe(shape)
            self.add("tightened", "type", place, texts, self.side.removed, shown, among=shape, witness=witness)
        for shape in added:
            self.add("wider", "type", place, texts, self.side.added, self.new.describe(shape), among=shape)

    def _classes(self, shapes: list[Shape], revision: Revision) -> dict[str, Object]:
        """Give the alternatives that have classes, by their names."""
        objects = [shape for shape in shapes if isinstance(shape, types.Object) and not shape.is_map]
        return {revision.name_of(shape): shape for shape in objects}

    def order(self, place: str, old: Mapping[str, Object], new: Mapping[str, Object]) -> None:
        """Say which classes stand elsewhere among alternatives: of a value the first is made that fits it."""
        before, after = [name for name in old if name in new], [name for name in new if name in old]
        if before == after:
            return
        made = self.proof.made_otherwise([(name, old[name]) for name in before], [(name, new[name]) for name in after])
        for name, stood, stands in moved(before, after):
            sentence, values = "the class {} stands first now", [name]
            if stands:
                sentence, values = "the class {} stands after {} now", [name, stands]
            if made:
                sentence = f"{sentence}; parse() makes {{}} of {{}}, not {{}}"
                values += [made[1], plain(made[0]), made[2]]
            self.add("reordered", "classes", place, (stood, stands), sentence, *values)

    def _pairs(self, before: list[Shape], after: list[Shape]) -> list[tuple[Shape, Shape]]:
        """Take out alternatives of a kind: objects by name, meaning, or constant, then what is alone of its kind."""

        def is_named_alike(old: Shape, new: Shape) -> bool:
            if isinstance(old, types.Object) and isinstance(new, types.Object):
                return old.is_map == new.is_map and self.old.name_of(old) == self.new.name_of(new)
            return False

        def means_the_same(old: Shape, new: Shape) -> bool:
            return kind_of(old) == kind_of(new) and self._means_the_same(old, new)

        def shares_a_constant(old: Shape, new: Shape) -> bool:
            return bool(constants(old) & constants(new))

        def is_alone(old: Shape, new: Shape) -> bool:
            kinds = [list(map(kind_of, shapes)) for shapes in (before, after)]
            return kind_of(old) == kind_of(new) and [own.count(kind_of(old)) for own in kinds] == [1, 1]

        rules = is_named_alike, means_the_same, shares_a_constant, is_alone
        return [pair for same in rules for pair in take_pairs(before, after, same)]

    def _has_no_change(self, old: Shape, new: Shape) -> bool:
        """Tell whether there is nothing to say of two alternatives, not even of their words."""
        if _names_fields(old) or _names_fields(new) or isinstance(old, types.Choice):
            return False
        return self._means_the_same(old, new)

    def _alike(self, old: Shape, new: Shape, place: str) -> None:
        match old, new:
            case types.Text(), types.Text():
                self.texts(old, new, place)
            case types.Number(), types.Number() if old != new:
                self.numbers(old, new, place)
            case types.Choice(), types.Choice():
                self.choices(old, new, place)
            case types.Array(), types.Array():
                self._inside(old, new, "", (old.items, new.items), f"{place}[]")
                onlys = types.Array(min_items=new.min_items), types.Array(max_items=new.max_items)
                self.counts(place, "item", (old.min_items, old.max_items), (new.min_items, new.max_items), onlys)
                if new.unique and not old.unique:
                    sentence = "items must all be different now"
                    self.add("tightened", "unique", place, (False, True), sentence, only=types.Array(unique=True))
                if old.unique and not new.unique:
                    self.add("loosened", "unique", place, (True, False), "items may be equal now")
            case types.Object(), types.Object() if old.is_map and new.is_map:
                self._inside(old, new, OTHER, (old.members, new.members), _below(place, "*"))
                self._rules(old, new, place)
            case types.Object(), types.Object():
                self._pair(old, new, place)
            case _:
                pass

    def _pair(self, old: Object, new: Object, place: str) -> None:
        """Compare two objects, but not within themselves, nor in more places than anybody reads."""
        pair = old.pointer, new.pointer
        self.met[pair] += 1
        if pair in self.active or self.met[pair] > MOST_PLACES:
            return
        outside, self.member = self.member, WHOLE
        self.active.append(pair)
        self._objects(old, new, place)
        self.active.pop()
        self.member = outside

    def _objects(self, old: Object, new: Object, place: str) -> None:
        was, now = self.old.name_of(old), self.new.name_of(new)
        if self.is_request and place and was not in ("", now):
            sentence, values = "is no object of a class now, not {}", [was]
            if now:
                sentence, values = "is an object of the class {} now, not {}", [now, was]
            witness = self.calling(old)
            self.add("moved", "class", place, (was, now), sentence, *values, breaking=True, witness=witness)
        if self.is_request and new.deprecated and not old.deprecated:
            self.add("deprecated", "class", place, (False, True), "is deprecated")
        before, after = _fields(old), _fields(new)
        for name, prop in before.items():
            if name not in after:
                self._removed(prop, old, new, _below(place, name))
        for name, prop in after.items():
            self.member = prop
            if name in before:
                self._field(old, new, before[name], prop, _below(place, name))
            else:
                self._added(prop, old, new, _below(place, name))
        self.member = WHOLE
        if self.is_request:
            for name, stood, stands in moved(list(before), list(after)):
                self.member = after[name]
                if stands:
                    self.add("reordered", "fields", _below(place, name), (stood, stands), "stands after {} now", stands)
                else:
                    self.add("reordered", "fields", _below(place, name), (stood, stands), "stands first now")
            self.member = WHOLE
            self._members(old, new, place)
        self._rules(old, new, place)
        self._reworded(place, old.text, new.text)

    def _removed(self, prop: Property, old: Object, new: Object, place: str) -> None:
        was = shown = self.old.describe(prop.shape)
        if prop.name in old.required:
            shown = f"{was}, required"
        sentence = "is gone (it was {})"
        if self.is_request and not isinstance(new.members, types.Never):
            sentence = "is gone as a field; `extra` still takes it (it was {})"
        value = self.proof.holding(old, prop.name)
        witness = self.proof.shown(OLD, [value])
        if witness is None and self.is_request:
            witness = self.calling(old, value)
        self.add("removed", "field", place, (was, None), sentence, shown, breaking=True, witness=witness)

    def _added(self, prop: Property, old: Object, new: Object, place: str) -> None:
        breaking = self.is_request and prop.name in new.required
        witness = None
        sentence, values = "is new: {}", [self.new.describe(prop.shape)]
        if breaking:
            sentence = "is new and required: {}"
            witness = self.proof.shown(OLD, [self.proof.holding(old)])
        if self.is_request and prop.default is not ABSENT:
            sentence, values = f"{sentence}; left out, it is {{}}", [*values, plain(prop.default)]
        self.add("added", "field", place, (None, values[0]), sentence, *values, breaking=breaking, witness=witness)

    def _field(self, old: Object, new: Object, before: Property, after: Property, place: str) -> None:
        was, now = before.name in old.required, after.name in new.required
        if now and not was:
            shows = self.proof.holding(old)
            self.add("tightened", "required", place, (was, now), self.side.required, shows=shows)
        if was and not now:
            shows = completed(new, {}, self.new.known)
            self.add("wider", "required", place, (was, now), self.side.optional, shows=shows)
        self._inside(old, new, before.name, (before.shape, after.shape), place)
        if self.is_request:
            self._argument(old, new, before.name, place)
            self._marks(before, after, place)
            self.default(before.default, after.default, place)
        self._reworded(place, before.text, after.text)

    def _inside(self, old: Holder, new: Holder, name: str, sides: tuple[Shape, Shape], place: str) -> None:
        """Compare what stands inside of two lists or objects; `name` is that of the member."""
        self.proof.steps.append((old, new, name))
        self.compare(*sides, place)
        self.proof.steps.pop()

    def calling(self, shape: Object, value: Any = ABSENT, left_out: str = "") -> Witness | None:
        """Show how the class of an object was made, of as little as it takes if no value is given."""
        if value is ABSENT:
            value = self.proof.holding(shape)
        found = self.old.classes.get(shape.pointer)
        if found is None or value is ABSENT:
            return None
        arguments = [
            f"{found.arguments[name].name}={item!r}"
            for name, item in value.items()
            if name in found.arguments and name != left_out
        ]
        return Witness("call", f"{found.name}({', '.join(arguments)})")

    def _argument(self, old: Object, new: Object, name: str, place: str) -> None:
        """Compare what constructors call a member, and whether they still fill in a constant."""
        sides = (self.old.classes, old.pointer), (self.new.classes, new.pointer)
        arguments = [classes[pointer].arguments for classes, pointer in sides if pointer in classes]
        if len(arguments) < 2 or any(name not in own for own in arguments):
            return
        was, now = (own[name] for own in arguments)
        if was.name != now.name:
            sentence = "is the argument {} now, not {}"
            self.add("moved", "argument", place, (was.name, now.name), sentence, now.name, was.name, breaking=True,
                     witness=self.calling(old, self.proof.holding(old, name)))  # fmt: skip
        if was.default not in ("", "UNSET") and now.default in ("", "UNSET"):
            sentence = "must be given now; the class filled in {}"
            if now.default:
                sentence = "is sent only if given now; the class filled in {}"
            filled = literal_eval(was.default)
            self.add("changed", "constant", place, (filled, None), sentence, plain(filled), breaking=True,
                     witness=self.calling(old, left_out=name))  # fmt: skip

    def _marks(self, old: Property, new: Property, place: str) -> None:
        """Compare what a field is said to be, whatever it takes."""
        if new.read_only and not old.read_only:
            self.add("changed", "read-only", place, (False, True), "is read-only now: the platform sets it")
        if old.read_only and not new.read_only:
            self.add("changed", "read-only", place, (True, False), "is no longer read-only: it may be given")
        values = [value for value in new.deprecated_values if value not in old.deprecated_values]
        if new.deprecated and not old.deprecated:
            self.add("deprecated", "field", place, (False, True), "is deprecated")
        elif values:
            self.add("deprecated", "value", place, (None, values), "is deprecated with {}", listed(values))
        if old.deprecated and not new.deprecated:
            self.add("changed", "deprecation", place, (True, False), "is no longer deprecated")

    def default(self, old: Any, new: Any, place: str) -> None:
        """Compare what is taken where nothing is given."""
        if old is ABSENT and new is not ABSENT:
            self.add("changed", "default", place, (None, new), "has a default now: {}", plain(new))
        elif new is ABSENT and old is not ABSENT:
            self.add("changed", "default", place, (old, None), "has no default any more (it was {})", plain(old))
        elif old is not ABSENT and json_key(old) != json_key(new):
            self.add("changed", "default", place, (old, new), "left out, it is {} now, not {}", plain(new), plain(old))

    def _members(self, old: Object, new: Object, place: str) -> None:
        """Compare what may be given beside the fields that are named."""
        was_closed, is_closed = isinstance(old.members, types.Never), isinstance(new.members, types.Never)
        if is_closed and not was_closed:
            shows = self.proof.holding(old, OTHER)
            self.add("tightened", "others", place, (True, False), "takes no other fields any more", shows=shows)
        elif was_closed and not is_closed:
            sentence, taken = "takes other fields too, with {}", self.new.describe(new.members)
            self.add("loosened", "others", place, (False, True), sentence, taken)
        elif not is_closed:
            for name in _barred(old):
                if new.get(name) is None:
                    self.add("loosened", "barred", _below(place, name), (False, True), "may be given now")
            for name in _barred(new):
                if old.get(name) is None:
                    sentence, shows = "may not be given any more", self.proof.holding(old, name)
                    self.add("tightened", "barred", _below(place, name), (True, False), sentence, shows=shows)
            self._inside(old, new, OTHER, (old.members, new.members), _below(place, "*"))

    def _rules(self, old: Object, new: Object, place: str) -> None:
        least = new.min_properties
        if old.min_properties < least <= len(old.required):
            least = old.min_properties
        onlys = types.Object("", min_properties=least), types.Object("", max_properties=new.max_properties)
        self.counts(place, "field", (old.min_properties, old.max_properties), (least, new.max_properties), onlys)
        for name, others in old.dependent:
            if not depends(new, name, others):
                sentence = "with {}, {} need not be given any more"
                self.add("loosened", "together", place, (list(others), None), sentence, name, ", ".join(others))
        for name, others in new.dependent:
            if not depends(old, name, others):
                sentence, shows = "with {}, {} must be given now", self.proof.holding(old, name)
                values = name, ", ".join(others)
                self.add("tightened", "together", place, (None, list(others)), sentence, *values, shows=shows)

    def _reworded(self, place: str, old: str, new: str) -> None:
        was, now = one_line(old), one_line(new)
        sentence, texts = "is described as “{}” now, not “{}”", [now, was]
        if not now:
            sentence, texts = "is no longer described as “{}”", [was]
        elif not was:
            sentence, texts = "is described as “{}” now", [now]
        if was != now:
            self.add("reworded", "text", place, (old, new), sentence, *map(_shortened, texts))


def _names_fields(shape: Shape) -> bool:
    if isinstance(shape, types.Object) and not shape.is_map:
        return True
    return isinstance(shape, types.Reference) or any(map(_names_fields, parts_of(shape)))


def _fields(shape: Object) -> dict[str, Property]:
    """Give the fields that an object has, those included that it requires and does not describe."""
    described = {prop.name: prop for prop in shape.properties if not isinstance(prop.shape, types.Never)}
    bare = {name: types.Property(name, shape.allowed(name)) for name in shape.required if shape.get(name) is None}
    return {**described, **bare}


def _barred(shape: Object) -> list[str]:
    return [prop.name for prop in shape.properties if isinstance(prop.shape, types.Never)]


def _below(place: str, name: str) -> str:
    if place:
        return f"{place}.{name}"
    return name


def _shortened(text: str) -> str:
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN].rstrip()}…"
