"""Wrong modules: one text edit in an annotation of a generated module, imported under another name."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Edit = tuple[str, str | int]
"""What is looked for in a line, and what stands there instead; or by how much the bound that is found is off."""

STRICTER: dict[str, Edit] = {
    "minimum one higher": (r"(\bGe\()(-?\d+)\)", 1),
    "maximum one lower": (r"(\bLe\()(-?\d+)\)", -1),
    "text one shorter": (r"(\[str, .*\bMaxLen\()(\d+)\)", -1),
    "text not so short": (r"(\bMinLen\()(\d+)\)", 1),
    "array one shorter": (r"(\bArray\[.*\bMaxLen\()(\d+)\)", -1),
    "first text gone": (r'Literal\["[^"]*", ', "Literal["),
    "last text gone": (r', "[^"]*"\](?=.*= UNSET$)', "]"),
    "number gone": (r"Literal\[\d+, ", "Literal["),
    "null gone": (r" \| None\b", ""),
    "member required": (r"(?<!Json\]) \| Unset = UNSET$", ""),  # `extra` is no member
    "text only as URI": (r": str\b", ": Uri"),
    "surplus refused": (r"^    extra: .*", ""),
}
LOOSER: dict[str, Edit] = {
    "minimum one lower": (r"(\bGe\()(-?\d+)\)", -1),
    "maximum one higher": (r"(\bLe\()(-?\d+)\)", 1),
    "minimum gone": (r"\bGe\(-?\d+\)", "Default(0)"),
    "maximum gone": (r"\bLe\(-?\d+\)", "Default(0)"),
    "text one longer": (r"(\[str, .*\bMaxLen\()(\d+)\)", 1),
    "text shorter than allowed": (r"(\bMinLen\()(\d+)\)", -1),
    "array one longer": (r"(\bArray\[.*\bMaxLen\()(\d+)\)", 1),
    "any length of array": (r"(\bArray\[.*)\bMaxLen\(\d+\)", r"\1Default(0)"),
    "text more": (r'(Literal\["[^"]*")', r'\1, "more"'),
    "any text": (r'Literal\["[^\]]*\]', "str"),
    "number more": (r"(Literal\[\d+)", r"\g<1>, 1000"),
    "null allowed": (r"(?<!None)(?<!Json\]) \| Unset = UNSET$", " | None | Unset = UNSET"),
    "member not required": (r"^(    (?!feature)\w+: [^=]*)$", r"\1 | Unset = UNSET"),
    "any text for a URI": (r"\bUri\b", "str"),
    "fractions allowed": (r"(: (?:Annotated\[)?)int\b", r"\1float"),
    "numbers for booleans": (r"(: (?:Annotated\[)?)bool\b", r"\1bool | int"),
    "other items allowed": (r"\bArray\[[^\]]*\]", "Array[Json]"),
}


@dataclass(frozen=True)
class Fault:
    """A line of a module, and what stands there instead."""

    kind: str
    module: str
    line: int
    text: str


def faults(sources: Mapping[str, str]) -> dict[str, list[Fault]]:
    """Give, by kind, every fault that can be planted in modules, in the order of their names and lines."""
    return {kind: list(_places(kind, edit, sources)) for kind, edit in {**STRICTER, **LOOSER}.items()}


def _places(kind: str, edit: Edit, sources: Mapping[str, str]) -> Iterator[Fault]:
    pattern, instead = edit
    replacement = partial(_moved, instead) if isinstance(instead, int) else instead
    for module, source in sorted(sources.items()):
        for number, line in enumerate(source.splitlines()):
            if re.match(r"    \w+: (?!ClassVar)", line):
                text, count = re.subn(pattern, replacement, line, count=1)
                if count:
                    yield Fault(kind, module, number, text)


def _moved(step: int, found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2]) + step})"


def chosen(sources: Mapping[str, str]) -> list[Fault]:
    """Give one fault of each kind, such that they are spread over the modules."""
    kinds = faults(sources)
    return [places[len(places) * turn // len(kinds)] for turn, places in enumerate(kinds.values())]


def planted(fault: Fault, source: str) -> ModuleType:
    """Import a module with a fault."""
    lines = source.splitlines()
    lines[fault.line] = fault.text
    text = "\n".join(lines).replace("    UNSET,\n", "    UNSET,\n    Array,\n    Json,\n    Uri,\n", 1)
    module = ModuleType(f"planted_in_{fault.module}_{fault.line}_{fault.kind.replace(' ', '_')}")
    sys.modules[module.__name__] = module  # where a class looks up its annotations
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    return module
