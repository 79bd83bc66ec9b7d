"""Request schema → shape: references followed, `allOf` merged, every spelling of one meaning brought to one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import array_of, escape, is_array, is_object, json_key, object_of, text_of

from . import types
from .algebra import TooManyOptionsError, choice, fits, union
from .inheritance import FAMILY, Inheritance
from .intersection import Intersection, UnfinishedReferenceError, asked_of_callers
from .keywords import Keywords, limited_types, shortened
from .lenient import UNCHECKED, conditional_properties, with_patterns, with_prefix
from .subset import Subset
from .types import Shape, key_of, parts_of, shapes_in
from .value_texts import deprecated_values, with_value_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.inputs.description import Description

_ANNOTATIONS = {"$comment", "default", "deprecated", "description", "example", "examples", "externalDocs", "readOnly",
                "title", "writeOnly", "xml"}  # fmt: skip
DEEPEST = 40
"""How deep schemas may stand in one another, references not counted: Python's own reader takes about twice that."""

MOST_COMPARED = 30
"""Alternatives of `oneOf` that are compared, each with each. The limit is ours."""

MOST_SHAPES = 20_000
"""How many shapes a request may be made of once references are followed. The limit is ours."""

_PLACED = (types.Object, types.Reference, types.Never)
"""Shapes that say where their schema stands."""

_INSIDE = ""
"""Among the references that are being followed: from here on, inside an object that is a class of its own."""


@dataclass(slots=True)
class SchemaReader(Keywords):
    """Reads the schemas of one description. `is_form` tells that they are those of forms, in which files may stand."""

    known: dict[str, Shape] = field(default_factory=dict[str, Shape])
    """The shapes of what has been referred to, by pointer."""
    active: list[str] = field(default_factory=list[str])
    depth: int = 0
    is_answer: bool = False
    """Whether what is read is sent by the platform, which then sends what it sets (`readOnly`)."""
    sizes: dict[int, tuple[int, Shape]] = field(default_factory=dict[int, tuple[int, Shape]])
    said: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The annotations of what has been referred to, by pointer."""
    failed: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """Why what has been referred to cannot be read, by pointer."""
    members: dict[tuple[int, str], types.Property] = field(default_factory=dict[tuple[int, str], types.Property])
    """Members that hold no object and were read without a remark, by depth and text: many are written the same."""
    causes: set[str] = field(default_factory=set[str])
    """What was told to leave something without a value."""
    intersection: Intersection = field(init=False)
    inheritance: Inheritance = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no shape known."""
        self.intersection = Intersection(self.known)
        self.inheritance = Inheritance(self.description)

    def body(self, schema: Any, pointer: str) -> Shape:
        """Give the shape of a request body, and warn of what in it can have no value.

        Raises:
            GeneratorError: a reference leads nowhere, a schema is none, or the body is too large or too deep.
        """
        self.intersection.begin()
        known, told = len(self.known), len(self.intersection.told)
        try:
            return self._body(schema, pointer)
        except GeneratorError:
            self._forget(known, told)
            raise

    def _body(self, schema: Any, pointer: str) -> Shape:
        try:
            shape = self.read(schema, pointer)
            shapes = list(shapes_in(shape, self.known))
        except TooManyOptionsError:
            message = "has more than 1,000 alternatives, or too many members, once they are multiplied out"
            self.description.fail(pointer, message)
        except RecursionError:
            self.description.fail(pointer, "is nested too deeply to be read")
        if sum(self._size(part) for part in shapes if isinstance(part, types.Object)) > MOST_SHAPES:
            self.description.fail(pointer, f"is made of more than {MOST_SHAPES:,} schemas")
        self._report_impossible(part for part in shapes if isinstance(part, types.Never) and part is not shape)
        return shape

    def _forget(self, known: int, told: int) -> None:
        """Forget what was begun for a body that cannot be read, and all that may refer to what was not read to its end.

        The numbers are how much was known, and told of intersections, before.
        """
        begun = [self.intersection.told.pop(pair) for pair in list(self.intersection.told)[told:]]
        unfinished = [target for target in self.active if target != _INSIDE]
        if unfinished or any(isinstance(shape, types.Reference) for shape in begun):
            for pointer in list(self.known)[known:]:
                del self.known[pointer]
        self.active.clear()
        self.depth = 0
        self.said.clear()

    def _report_impossible(self, found: Iterable[types.Never]) -> None:
        """Warn of what can have no value, once for each cause."""
        causes: dict[str, list[types.Never]] = {}
        for never in found:
            if never.reason:
                causes.setdefault(never.cause or never.pointer, []).append(never)
        for first, *others in causes.values():
            if first.cause in self.causes:
                continue
            self.causes.add(first.cause)
            message = f"can have no value: {first.reason}"
            if others:
                names = dict.fromkeys(repr(never.pointer.rpartition("/")[2]) for never in others[:9])
                message += f"; as {', '.join(names)} for the same cause"
            self._warn(first.pointer, message)

    def read(self, schema: Any, pointer: str, hint: str = "") -> Shape:
        """Give the shape of a schema; `hint` is what an object may be called."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.description.fail(pointer, f"is nested more than {DEEPEST} schemas deep")
        shape = self._read(schema, pointer, hint)
        if isinstance(shape, types.Object):
            shape = shape.obstacle or shape
        if isinstance(shape, types.Never):
            shape = replace(shape, pointer=pointer)
        self.depth -= 1
        if self._size(shape) > MOST_SHAPES:
            self.description.fail(pointer, f"is made of more than {MOST_SHAPES:,} schemas")
        return shape

    def _read(self, schema: Any, pointer: str, hint: str) -> Shape:
        if schema is True:
            return types.Anything()
        if schema is False:
            return types.Never()
        if not is_object(schema):
            self.description.fail(pointer, "is no schema: an object, true or false is expected")
        if "$ref" in schema:
            return self._reference(schema, pointer, hint)
        shape = self._own(schema, pointer, hint)
        parts = int(not isinstance(shape, types.Anything))
        for index, part in enumerate(self._list(schema, "allOf", pointer)):
            read = self.read(part, f"{pointer}/allOf/{index}", hint)
            parts += not isinstance(read, types.Anything)
            shape = self._intersect(shape, read, f"{pointer}/allOf/{index}")
            if isinstance(shape, types.Never) and not shape.reason:
                shape = replace(shape, reason=f"nothing fits #{pointer}/allOf/{index} and what stands before it")
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                parts += 1
                shape = self._alternatives(schema, keyword, pointer, hint, shape)
        if parts > 1 and "allOf" in schema:
            shape = self._identify(shape, schema, pointer, hint)
        if "unevaluatedProperties" in schema:
            rest = self.read(schema["unevaluatedProperties"], f"{pointer}/unevaluatedProperties", f"{hint} value")
            shape = _with_rest(shape, rest, f"{pointer}/unevaluatedProperties")
        if schema.get("nullable") is True:
            shape = union([shape, types.Null()])
        return shape

    def _intersect(self, left: Shape, right: Shape, pointer: str) -> Shape:
        if isinstance(right, types.Reference) and isinstance(left, types.Object) and _says_nothing(left):
            return right
        try:
            return self.intersection.of(left, right)
        except UnfinishedReferenceError as error:
            self._warn(pointer, "narrows a reference to what it stands in itself; only the reference is checked")
            return error.reference

    def _size(self, shape: Shape) -> int:
        """Count the shapes that a shape is made of, as often as they stand in it: an object is written once."""
        if id(shape) in self.sizes:
            return self.sizes[id(shape)][0]
        parts = [part for part in parts_of(shape) if not isinstance(part, types.Object) or part.is_map]
        size = 1 + sum(map(self._size, parts))
        if parts:
            self.sizes[id(shape)] = size, shape
        return size

    def annotations(self, schema: Any, pointer: str) -> dict[str, Any]:
        """Give annotations such as `default`: the schema's own, else those of what it refers to or is made of."""
        if not is_object(schema):
            return {}
        found: dict[str, Any] = {}
        if isinstance(schema.get("$ref"), str):
            target, value = self.description.resolve(schema["$ref"], f"{pointer}/$ref")
            if target not in self.said:
                self.said[target] = {}  # what leads back to itself says nothing
                self.said[target] = self.annotations(value, target)
            found = self.said[target]
        for index, part in enumerate(array_of(schema.get("allOf"))):
            found = self.annotations(part, f"{pointer}/allOf/{index}") | found
        return found | schema

    def _reference(self, schema: dict[str, Any], pointer: str, hint: str) -> Shape:
        reference = schema["$ref"]
        if not isinstance(reference, str):
            self.description.fail(f"{pointer}/$ref", f"{reference!r} is no reference")
        target, value = self.description.resolve(reference, f"{pointer}/$ref")
        passed_over = {"$ref", *_ANNOTATIONS, *(name for name in schema if name.startswith("x-"))}
        siblings = {name: item for name, item in schema.items() if name not in passed_over}
        nullable = siblings.pop("nullable", False) is True
        shape = self._referred(target, value, pointer, hint)
        if siblings and self.description.is_3_0:
            message = f"OpenAPI 3.0 ignores {', '.join(map(repr, siblings))} next to '$ref'; put both into an 'allOf'"
            self._warn(pointer, message)
        elif siblings:
            merged = self._intersect(shape, self.read(siblings, pointer, hint), pointer)
            if key_of(merged) != key_of(shape):
                shape = self._identify(merged, schema, pointer, hint)
        if not nullable:
            return shape
        if self.description.is_3_0:
            message = "'nullable' next to '$ref' is taken as it is meant, though OpenAPI 3.0 ignores it there"
            self.diagnostics.note(self.description.file, pointer, message)
        return union([shape, types.Null()])

    def _referred(self, target: str, value: Any, pointer: str, hint: str) -> Shape:
        if self.inheritance.is_base(target, pointer):
            own = {name: item for name, item in value.items() if name not in FAMILY}
            return self.read(own, target, target.rpartition("/")[2])
        if target in self.active:
            if _INSIDE in self.active[self.active.index(target) :]:
                return types.Reference(target)
            message = "leads back to itself without an object in between; any JSON value is taken here"
            self._warn(f"{pointer}/$ref", message)
            return types.Anything()
        if target in self.failed:
            raise self.failed[target].with_traceback(None)
        if target not in self.known:
            self.active.append(target)
            depth, self.depth = self.depth, 0
            name = hint
            if target.startswith("/components/schemas/"):
                name = target.rpartition("/")[2]
            try:
                self.known[target] = self._children(value, target) or self.read(value, target, name)
            except (GeneratorError, TooManyOptionsError) as error:
                self.failed[target] = error
                raise
            self.depth = depth
            self.active.pop()
        return self.known[target]

    def _children(self, schema: Any, pointer: str) -> Shape | None:
        """Give the union of the components that extend one with a discriminator by `allOf`, None if there are none."""
        options: list[Shape] = []
        for index, (child, values) in enumerate(self.inheritance.children(schema, pointer)):
            place = f"{pointer}/discriminator/{index}"
            shape = self._referred(child, self.description.at(child), place, "")
            options.append(self._tagged(shape, values, schema, place))
        if not options:
            return None
        return union(options)

    def _own(self, schema: dict[str, Any], pointer: str, hint: str) -> Shape:
        for keyword in filter(schema.__contains__, UNCHECKED):
            message = f"{keyword!r} is not checked: what it forbids is refused by the platform alone"
            self._warn(f"{pointer}/{keyword}", message)
        shape: Shape = types.Anything()
        if names := self._types(schema, pointer):
            shape = union(self._typed(name, schema, pointer, hint) for name in names)
        if "enum" in schema:
            if not is_array(schema["enum"]):
                self.description.fail(f"{pointer}/enum", "is no array")
            shape = self._one_of(schema["enum"], shape, schema, f"{pointer}/enum")
        if "const" in schema:
            shape = self._one_of([schema["const"]], shape, schema, f"{pointer}/const")
        return shape

    def _one_of(self, values: list[Any], shape: Shape, schema: dict[str, Any], pointer: str) -> Shape:
        """Keep those values that the rest of the schema takes as well."""
        if schema.get("nullable") is True and None not in values:
            values = [*values, None]
        taken = self._intersect(choice(values), shape, pointer)
        if not isinstance(taken, types.Choice):
            return types.Never(pointer, f"none of the values of #{pointer} fits the rest of the schema", pointer)
        keys = set(map(json_key, taken.values))
        left_out = [shortened(value) for value in values if json_key(value) not in keys]
        if left_out:
            self._warn(pointer, f"{', '.join(left_out[:20])} cannot be given: the rest of the schema excludes it")
        return taken

    def _typed(self, name: str, schema: dict[str, Any], pointer: str, hint: str) -> Shape:
        match name:
            case "null":
                return types.Null()
            case "boolean":
                return types.Boolean()
            case "object":
                return self._object(schema, pointer, hint)
            case "array":
                return self._array(schema, pointer, hint)
            case "string":
                return self._string(schema, pointer)
            case _:
                return self._number(schema, pointer, integer=name == "integer")

    def _array(self, schema: dict[str, Any], pointer: str, hint: str) -> types.Array:
        array = types.Array(
            self.read(schema.get("items", True), f"{pointer}/items", f"{hint} item" if hint else ""),
            self._count(schema, "minItems", pointer) or 0,
            self._count(schema, "maxItems", pointer),
            schema.get("uniqueItems") is True,
        )
        return with_prefix(schema, array, pointer, self.read)

    def _object(self, schema: dict[str, Any], pointer: str, hint: str) -> Shape:
        self.active.append(_INSIDE)
        properties = tuple(self._properties(schema, pointer))
        under_conditions = tuple(conditional_properties(schema, pointer, self.read))
        self.active.pop()
        firm = types.Object(
            pointer=pointer,
            properties=properties,
            extra=self._extra(schema, pointer, hint),
            required=self._names(schema.get("required"), f"{pointer}/required"),
            min_properties=self._count(schema, "minProperties", pointer) or 0,
            max_properties=self._count(schema, "maxProperties", pointer),
            dependent=tuple(self._dependent(schema, f"{pointer}/dependentRequired")),
            title=text_of(schema.get("title")),
            hint=hint,
            text=text_of(schema.get("description")),
            deprecated=schema.get("deprecated") is True,
            conditional="type" not in schema and not limited_types(schema),
        )
        if firm.conditional and not under_conditions:
            return types.Anything()
        if not under_conditions:
            return asked_of_callers(firm)
        named = types.Object(f"{pointer}?", under_conditions, conditional=True)
        both = self._intersect(firm, named, pointer)
        if isinstance(both, types.Object):
            both = replace(both, pointer=pointer)
        return both

    def _properties(self, schema: dict[str, Any], pointer: str) -> Iterator[types.Property]:
        described = schema.get("properties", {})
        if not is_object(described):
            self.description.fail(f"{pointer}/properties", "is no object of schemas")
        for name, value in described.items():
            place = f"{pointer}/properties/{escape(name)}"
            key = (self.depth, repr(value))
            if key in self.members:
                yield replace(self.members[key], name=name, pointer=place)
                continue
            before = self.diagnostics.count
            found = self._property(name, value, place)
            if self.diagnostics.count == before and not types.holds(found.shape, *_PLACED):
                self.members[key] = found
            yield found

    def _property(self, name: str, value: Any, place: str) -> types.Property:
        shape = self.read(value, place, name)
        said = self.annotations(value, place)
        default = said.get("default", types.ABSENT)
        own_and_items = self._with_items(value, place)
        if default is not types.ABSENT and not fits(shape, default, self.known):
            message = f"the default {shortened(default)} contradicts its schema; it is shown and not used"
            self._warn(f"{place}/default", message)
        if value is False:
            shape = types.Never(place, "its schema is 'false'", place)
        return types.Property(
            name=name,
            shape=shape,
            default=default,
            text=with_value_texts(text_of(said.get("description")), *own_and_items),
            pointer=place,
            read_only=not self.is_answer and said.get("readOnly") is True,
            deprecated=said.get("deprecated") is True,
            deprecated_values=tuple(deprecated_values(*own_and_items)),
        )

    def _with_items(self, schema: Any, pointer: str) -> tuple[dict[str, Any], dict[str, Any]]:
        pointer, schema = self.description.follow(schema, pointer)
        _, items = self.description.follow(object_of(schema).get("items"), f"{pointer}/items")
        return object_of(schema), object_of(items)

    def _extra(self, schema: dict[str, Any], pointer: str, hint: str) -> Shape | None:
        keyword = "additionalProperties"
        if keyword not in schema and "patternProperties" in schema:
            keyword = "unevaluatedProperties"
        extra = None
        if schema.get(keyword) is not None:
            extra = self.read(schema[keyword], f"{pointer}/{keyword}", f"{hint} value")
        return with_patterns(schema, extra, pointer, self.read)

    def _dependent(self, schema: dict[str, Any], pointer: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        dependent = schema.get("dependentRequired")
        if dependent is not None and not is_object(dependent):
            self.description.fail(pointer, "is no object of arrays of names")
        for name, names in object_of(dependent).items():
            yield name, self._names(names, pointer)

    def _alternatives(self, schema: dict[str, Any], keyword: str, pointer: str, hint: str, base: Shape) -> Shape:
        options: list[Shape] = []
        for index, option in enumerate(self._list(schema, keyword, pointer)):
            place = f"{pointer}/{keyword}/{index}"
            if len(schema[keyword]) > 1:
                hint = ""
            read = self.read(option, place, hint)
            if "discriminator" in schema and "$ref" in object_of(option):
                target = self.description.resolve(option["$ref"], place)[0]
                read = self._tagged(read, self.inheritance.values(target, schema), schema, place)
            shape = self._intersect(base, read, place)
            if (
                isinstance(shape, types.Object)
                and isinstance(read, types.Object)
                and not isinstance(base, types.Anything)
            ):
                text = read.text or shape.text
                shape = replace(shape, pointer=place, title=read.title, hint=read.hint, text=text)
            options.append(shape)
        exclusive = keyword == "oneOf"
        impossible = [option for option in options if isinstance(option, types.Never) and option.reason]
        options = [option for option in options if not isinstance(option, types.Never)] or options[:1]
        if impossible and options[0] is not impossible[0]:
            message = f"{len(impossible)} of its alternatives can have no value; of one, {impossible[0].reason}"
            self.diagnostics.note(self.description.file, f"{pointer}/{keyword}", message)
        if exclusive:
            unique = list({key_of(option): option for option in options}.values())
            if len(unique) < len(options):
                message = "has two alternatives that are equal, so that no value fits just one of them"
                self._warn(f"{pointer}/{keyword}", f"{message}; they are taken as one")
            options = unique
        if "discriminator" in schema and any(isinstance(option, types.Reference) for option in options):
            exclusive = False
        if any(isinstance(option, types.Object) and option.unasked for option in options):
            exclusive = False  # what tells them apart is set by the platform
        shape = union(options, exclusive=exclusive)
        if isinstance(shape, types.Union) and shape.exclusive and self._is_covered(shape.options):
            message = (
                "has an alternative of which every value fits another one too, so that it can never be the only one"
            )
            self._warn(f"{pointer}/{keyword}", f"{message}; any of them is taken")
            return union(options)
        return shape

    def _is_covered(self, options: tuple[Shape, ...]) -> bool:
        """Tell whether another option takes all that one without objects does, as far as values are checked."""
        if len(options) > MOST_COMPARED:
            return False
        unfinished = (types.Object, types.Reference)
        checked = [_as_checked(option) for option in options if not types.holds(option, *unfinished)]
        subset = Subset(self.known, self.known)
        return any(subset.holds(a, b) for a in checked for b in checked if a is not b)

    def _tagged(self, shape: Shape, values: list[str], schema: dict[str, Any], pointer: str) -> Shape:
        """Narrow an option to the values of the discriminator that lead to it (OpenAPI, "Discriminator Object")."""
        name = object_of(schema["discriminator"]).get("propertyName")
        if not isinstance(name, str):
            self.description.fail(f"{pointer.rsplit('/', 2)[0]}/discriminator", "has no 'propertyName'")
        if not isinstance(shape, types.Object):
            return shape
        tag = types.Object(pointer, (types.Property(name, choice(values), pointer=f"{pointer}/discriminator"),))
        narrowed = self.intersection.of(shape, tag)
        if not isinstance(narrowed, types.Object) or isinstance(narrowed.asked_of(name), types.Never):
            if "mapping" in schema["discriminator"]:
                message = f"the mapping of {name!r} contradicts the values that the variant allows; it is ignored"
                self._warn(pointer, message)
            return shape
        own = shape.get(name)
        if own and key_of(narrowed.asked_of(name)) == key_of(own.shape):
            return shape
        return narrowed

    def _identify(self, shape: Shape, schema: dict[str, Any], pointer: str, hint: str) -> Shape:
        """Say of merged objects that they belong to the place where they were merged, not to one of their parts."""
        if isinstance(shape, types.Object):
            text = text_of(schema.get("description")) or shape.text
            return replace(shape, pointer=pointer, title=text_of(schema.get("title")), hint=hint, text=text)
        if not isinstance(shape, types.Union):
            return shape
        options = list(shape.options)
        for index, option in enumerate(options):
            if isinstance(option, types.Object):
                options[index] = replace(option, pointer=f"{pointer}+{index}")
        return replace(shape, options=tuple(options))


def shape_alone(
    description: Description, schema: Any, pointer: str, *, is_answer: bool = False
) -> tuple[Shape, Mapping[str, Shape]]:
    """Give the shape of a schema that no class is made of, and what its references lead to.

    One that cannot be read, of which another place may warn, is that of any value.
    """
    reader = SchemaReader(description, Diagnostics(), is_answer=is_answer)
    try:
        return reader.body(schema, pointer), reader.known
    except GeneratorError:
        return types.Anything(), reader.known


def _as_checked(shape: Shape) -> Shape:
    """Give a shape without the formats that are shown and not checked."""
    match shape:
        case types.Text(formats=formats):
            return replace(shape, formats=tuple(name for name in formats if name == "uri"))
        case types.Array(items):
            return replace(shape, items=_as_checked(items))
        case _:
            return shape


def _says_nothing(shape: types.Object) -> bool:
    """Tell whether an object narrows no other one."""
    bare = replace(shape, title="", hint="", text="", deprecated=False)
    return shape.conditional or bare == types.Object(shape.pointer)


def _with_rest(shape: Shape, rest: Shape, pointer: str) -> Shape:
    """Say what members are that nothing has named, where nothing has said it (`unevaluatedProperties`)."""
    if isinstance(shape, types.Union):
        return union((_with_rest(option, rest, pointer) for option in shape.options), exclusive=shape.exclusive)
    if isinstance(shape, types.Object) and shape.extra is None:
        return replace(shape, extra=rest, pointer=f"{shape.pointer}+{pointer}")
    return shape
