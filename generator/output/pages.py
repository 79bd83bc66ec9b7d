"""A model as its readers see it: the one source of references, resources and pages, in plain values.

`page_of` gives it, `dataclasses.asdict` makes JSON of it, `templates/skill/reference.md.jinja` Markdown. All texts
are as the description has them. They are untrusted: whoever writes them somewhere makes them harmless there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.schema import types
from generator.schema.algebra import fits
from generator.schema.types import ABSENT, Choice, Object, Union, followed, is_constant, is_exclusive, options_of

from .example_payload import example_of
from .prose import without_html
from .words import describe, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.schema.types import Shape

    from .capabilities import Capabilities
    from .classes import Module, PayloadClass, PayloadField


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload, or of an object inside."""

    name: str
    """What its argument is called in Python."""
    wire: str
    """What it is called in JSON."""
    takes: str
    """What it takes, limits at any depth included, in words; objects inside by the names of their classes."""
    annotation: str
    """What it takes, as Python has it."""
    required: bool
    null: bool
    """Whether it may be null."""
    file: bool
    """Whether it takes a file of the caller's as well as an address."""
    constant: str
    """The only value that it takes, as JSON; empty where there are others."""
    default: str
    """What the platform takes where nothing is sent, as JSON; empty where that is not told."""
    deprecated: bool
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """What can be posted, or an object inside: a class of the module."""

    name: str
    text: str
    fields: tuple[Field, ...]
    others: str
    """What members of other names may be, in words; empty where there may be none."""
    rules: tuple[str, ...]
    """What its fields must keep among each other, in words."""
    example: dict[str, Any] | None
    """A small payload that it takes; None for an object inside, and where none was found."""


@dataclass(frozen=True, slots=True)
class Page:
    """All that is told of one model. Endpoints are paths below the base URL; they answer alike for all models."""

    model: str
    module: str
    client: str
    title: str
    text: str
    stream: str | None
    create: str
    result: str
    remarks: tuple[str, ...]
    """What is told of endpoints that are not described."""
    deprecated: bool
    capabilities: Capabilities
    inferred: str | None
    """What of it was inferred and not read, empty where all was read; None where nobody told."""
    variants: tuple[Form, ...]
    objects: tuple[Form, ...]
    """The objects inside."""


def page_of(module: Module, inferred: str | None = None) -> Page:
    """Give the page of a model; `inferred` tells what of it was not read."""
    model = module.model
    forms = {item.name: _form(item, module) for item in module.classes}
    return Page(
        model=model.model,
        module=model.module,
        client=model.client,
        title=module.title,
        text=without_html(model.text).strip(),
        stream=model.stream,
        create=model.create,
        result=model.result,
        remarks=tuple(model.remark.split("\n\n")[1:]),
        deprecated=model.deprecated,
        capabilities=module.capabilities,
        inferred=inferred,
        variants=tuple(forms[name] for name in module.variants),
        objects=tuple(form for name, form in forms.items() if name not in module.variants),
    )


def _form(item: PayloadClass, module: Module) -> Form:
    fields, others = item.fields, ""
    if not isinstance(item.shape.members, types.Never):
        fields, others = fields[:-1], _takes(item.shape.members, module)  # the last one is `extra`
    example = None
    if item.name in module.variants:
        constants = [field.wire for field in fields if field.default not in ("", "UNSET")]
        example = example_of(module.model, item.shape, constants)
    told = tuple(_field(field, item.shape, module) for field in fields)
    rules = list(_rules(item))
    files = [field.wire for field in told if field.file and field.required]
    if item.name in module.variants and example is None and files:
        rules.append(f"It needs a file of the caller's own in {' and '.join(files)}.")
    return Form(item.name, without_html(item.text).strip(), told, others, tuple(rules), example)


def _field(field: PayloadField, holder: Object, module: Module) -> Field:
    prop, known = field.prop, module.model.known
    is_null, shape = _without_null(followed(prop.shape, known))
    text = without_html(prop.text).strip()
    default = constant = ""
    if prop.default is not ABSENT and fits(prop.shape, prop.default, known):
        default = plain(prop.default)
    elif prop.default is not ABSENT:
        text = f"{text}\n\nThe default {plain(prop.default)} contradicts the schema and is not used.".strip()
    if prop.deprecated_values:
        text = f"{text}\n\nDeprecated values: {', '.join(map(plain, prop.deprecated_values))}.".strip()
    if prop.read_only:
        text = f"{text}\n\nThe platform sets it, and asks nobody for it.".strip()
    if is_constant(shape) and not is_null:
        constant = plain(shape.values[0])
    return Field(
        name=field.name,
        wire=field.wire,
        takes=_takes(shape, module),
        annotation=field.annotation,
        required=prop.name in holder.required,
        null=is_null,
        file=_takes_file(shape, known),
        constant=constant,
        default=default,
        deprecated=prop.deprecated,
        text=text,
    )


def _takes(shape: Shape, module: Module) -> str:
    def name_of(part: Object) -> str:
        return module.names.get(part.pointer, "")

    return describe(shape, name_of, module.model.known)


def _takes_file(shape: Shape, known: Mapping[str, Shape]) -> bool:
    match followed(shape, known):
        case types.Binary():
            return True
        case types.Array(items):
            return _takes_file(items, known)
        case Union(options):
            return any(_takes_file(option, known) for option in options)
        case _:
            return False


def _without_null(shape: Shape) -> tuple[bool, Shape]:
    options = options_of(shape)
    kept = tuple(option for option in options if not isinstance(option, types.Null))
    if isinstance(shape, Choice) and None in shape.values and len(shape.values) > 1:
        return True, Choice(tuple(value for value in shape.values if value is not None))
    if not kept or len(kept) == len(options):
        return isinstance(shape, types.Null), shape
    if len(kept) == 1:
        return True, kept[0]
    return True, Union(kept, is_exclusive(shape))


def _rules(item: PayloadClass) -> Iterator[str]:
    shape = item.shape
    if shape.min_properties:
        yield f"At least {shape.min_properties} of its fields must be given."
    if shape.max_properties is not None:
        yield f"At most {shape.max_properties} of its fields may be given."
    for name, names in shape.dependent:
        yield f"Where {name} is given, {' and '.join(names)} must be given too."
    if item.one_of:
        yield f"What fits {' or '.join(item.one_of)} as well is refused."
