"""`VideoModel` → the text of its module, and the texts of the package around them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.diagnostics import visible

from .annotations import packed
from .prose import docstring
from .words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from .classes import Module

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

LONGEST: Final = 600
"""Characters of a text, or of what a field takes, in a reference."""

_TYPING = {"Annotated", "Literal", "Never"}
_BUILTIN = {"None", "bool"}
_MARKS: Final = re.compile(r"""
    [\\`|*\[\]<>&~$]
    | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])
    | :(?=//) | (?<=www)\. | @
""", re.VERBOSE)  # fmt: skip
"""What means something in Markdown, wherever it stands in a line."""


def render_module(module: Module) -> str:
    """Give the text of a model's module, not yet formatted."""
    typing = {"ClassVar", "Final"} | module.uses & _TYPING
    if module.has_alias or module.enumerations:
        typing.add("TypeAlias")
    if module.has_union:
        typing.add("TYPE_CHECKING")
    runtime = {"AsyncModelClient", "Endpoint", "ModelClient", "parse_payload", "BasePayload"}
    runtime |= module.uses - _TYPING - _BUILTIN - {"Mapping"}
    return render(
        "module.py",
        module=module,
        public_names=sorted(module.public_names, key=_import_order),
        typing=sorted(typing, key=_import_order),
        runtime=sorted(runtime, key=_import_order),
        has_renamed=any(field.wire != field.name for item in module.classes for field in item.fields),
    )


def render(name: str, **about: Any) -> str:
    """Give the text of the template of this name."""
    return _template(name).render(about)


@cache
def _template(name: str) -> jinja2.Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # only a run that renders needs it

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # the text is Python, and what is untrusted in it goes through `literal` and `docstring`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Any] = {
        "literal": repr, "json": plain, "docstring": docstring, "packed": packed, "spans": spans,
        "cell": cell, "code": code, "paragraph": paragraph, "shortened": shortened,
    }  # fmt: skip
    environment.filters.update(filters)
    return environment.get_template(f"{name}.jinja")


def cell(text: str) -> str:
    """Write a text on one line of Markdown, be it in a cell of a table: it says what it says, and is nothing else.

    Neither does an address in it become a link. Underscores within words are none of Markdown's.
    """
    return _MARKS.sub(r"\\\g<0>", visible(" ".join(text.split())))


def shortened(text: str) -> str:
    """Cut a text that would fill a page of its own."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 2]} …"


def paragraph(text: str) -> str:
    """Write a text as a line of its own, which is neither a heading nor an item nor a rule."""
    return re.sub(r"^(\d*)([#+=.)-])", r"\1\\\2", cell(text))


def code(text: str) -> str:
    """Write a name as code, and one that could end that as plain text."""
    if re.fullmatch(r"[\w.:/{} -]+", text, re.ASCII):
        return f"`{text}`"
    return cell(text)


def spans(values: Sequence[int | float | str]) -> str:
    """Write values as a list in which whole numbers that follow one another stand as `4-15`."""
    runs: list[list[int | float | str]] = []
    for value in values:
        if runs and isinstance(value, int) and value - 1 in runs[-1]:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _import_order(name: str) -> tuple[bool, bool, str]:
    """Order names as ruff's import rules do: constants, classes, then functions. One capital is a class."""
    return not name.isupper() or len(name) == 1, not name[0].isupper(), name
