"""Every rule by which a name of the description becomes an identifier of Python."""

from __future__ import annotations

import keyword
import re
import unicodedata
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Final

from .diagnostics import GeneratorError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

RESERVED_FIELDS: Final = frozenset({
    # what a payload has of its own
    "as_form", "bodies", "endpoint", "extra", "goes_as_form", "json_schema", "known_fields", "one_of", "rules",
    "template", "to_dict", "to_multipart", "urlencoded", "with_defaults",
    # what the annotations of a module are made of
    "bool", "dataclass", "field", "float", "int", "object", "str",
})  # fmt: skip
"""Names that a field cannot have."""

RESERVED_CLASSES: Final = frozenset({
    "Annotated", "AnyOf", "Array", "AsyncModelClient", "BaseObject", "BasePayload", "ClassVar", "Default",
    "DependentRequired", "Deprecated", "ENDPOINT", "Endpoint", "ExactlyOne", "File", "Final", "Finite", "Format", "Ge",
    "Gt", "Json", "Le", "Literal", "Lt", "Mapping", "MaxLen", "MaxProperties", "MinLen", "MinProperties",
    "ModelClient", "MultipleOf", "Never", "OneOf", "Pattern", "Payload", "TYPE_CHECKING", "TypeAlias", "UNSET",
    "UniqueItems", "Unset", "Uri",
})  # fmt: skip
"""Names that a class of a module cannot have, save `Payload` where it is the only request schema."""

RESERVED_MODULES: Final = frozenset({
    "call", "capabilities", "catalog", "models", "platform", "skills_video", "skills_video_runtime", "tools",
    "webhooks",
    # what the package itself says in its index
    "annotations", "bool", "frozenset", "getattr", "globals", "import_module", "object", "parse_payload", "sorted",
    "str",
    # names that no file can have on Windows
    "aux", "con", "nul", "prn", *(f"com{digit}" for digit in range(1, 10)), *(f"lpt{digit}" for digit in range(1, 10)),
})  # fmt: skip
"""Names that the module of a model cannot have."""

LONGEST_NAME: Final = 100
"""Characters of the longest module name. The limit is ours: not every file system takes names of 255."""


def module_name(model: str, overrides: Mapping[str, str]) -> str:
    """Give the module of a model id: provider, less a final `-ai`, and the rest, without saying the provider twice.

    Raises:
        GeneratorError: the name cannot be a module; it says how to override it.
    """
    name = overrides.get(model)
    if name is None:
        *providers, rest = model.split("/", 1)
        first, name = snake_case("".join(providers).removesuffix("-ai")), snake_case(rest)
        if first and not f"{name}_".startswith(f"{first}_"):
            name = f"{first}_{name}"
    plain = is_identifier(name) and name == name.lower() and not name.startswith("_") and len(name) <= LONGEST_NAME
    if plain and name not in RESERVED_MODULES:
        return name
    shown = model[:LONGEST_NAME]
    raise GeneratorError(
        f"the model {shown!r} has the module name {name[:LONGEST_NAME]!r}, which cannot be a module; give it another "
        f'in pyproject.toml: [tool.generator.modules], {shown!r} = "module_name"'
    )


def snake_case(text: str) -> str:
    """Give words in lower case with one underscore between them."""
    return "_".join(re.findall(r"[a-z0-9]+", _ascii(text).lower()))


def cap_words(text: str) -> str:
    """Give words written together, each with a capital: `kling_v2_6` is `KlingV26`."""
    words = re.findall(r"[A-Za-z0-9]+", _ascii(text))
    return "".join(word[0].upper() + word[1:] for word in words)


def class_name(*candidates: str) -> str:
    """Give the first candidate that makes the name of a class, changed where Python or a module has it already."""
    name = next((name for name in map(cap_words, candidates) if name), "Object")
    spellings = (name, f"{name}Object", f"Object{name}")
    name = next(spelling for spelling in spellings if is_identifier(spelling))
    if name in RESERVED_CLASSES:
        name = f"{name}Object"
    return name


@cache
def client_name(module: str) -> str:
    """Give the class of a model's client: `kling_v2_6` has `KlingV26` and `AsyncKlingV26`."""
    name = cap_words(module)
    if {name, f"Async{name}"} & RESERVED_CLASSES:
        return f"{name}Model"
    return name


def field_names(wire_names: Sequence[str], classes: Collection[str] = ()) -> dict[str, str]:
    """Give each name of an object's members the name of its field: its own where Python can say it.

    `classes` are the classes of the module, whose names annotations use.
    """
    taken = {*RESERVED_FIELDS, *RESERVED_CLASSES, *classes}
    names = {
        wire: wire for wire in wire_names if is_identifier(wire) and not wire.startswith("_") and wire not in taken
    }
    for wire in wire_names:
        if wire not in names:
            name = _as_identifier(wire)
            if name in taken:
                name = f"{name}_"
            names[wire] = distinct(name, names.values())
    return names


def _as_identifier(wire: str) -> str:
    name = "_".join(re.findall(r"[A-Za-z0-9]+", _ascii(wire)))
    if not name or name[0].isdigit():
        name = f"field_{name}".rstrip("_")
    if not is_identifier(name):
        name = f"{name}_"
    return name


def is_identifier(name: str) -> bool:
    """Tell whether a name is plain: ASCII, no keyword, and an identifier."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def distinct(name: str, taken: Iterable[str]) -> str:
    """Give the name, or the name with the first number from 2 on that makes it a new one."""
    others, result = set(taken), name
    stem = f"{name}_" if name.islower() else name
    for number in count(2):
        if result not in others:
            break
        result = f"{stem}{number}"
    return result


def _ascii(text: str) -> str:
    """Give a text with its letters brought down to ASCII; what has no such letter becomes a blank."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    letters = (character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"[^\x00-\x7f]", " ", "".join(letters))
