"""One of two revisions of a body: what its references lead to, and what its objects are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.output.words import describe
from generator.schema.reader import shape_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.inputs.description import Description
    from generator.output.classes import Constructor
    from generator.schema.types import Object, Shape


@dataclass(frozen=True, slots=True)
class Revision:
    """One of two revisions: what references lead to, and the classes of its requests, by the pointers of objects."""

    known: Mapping[str, Shape]
    classes: Mapping[str, Constructor] = field(default_factory=dict[str, "Constructor"])
    """Those of a request; answers have none."""
    description: Description | None = None
    start: str = ""
    """The pointer of what is compared as a whole."""

    def name_of(self, shape: Object) -> str:
        """Give what an object is called: of a request its class, if it has one, else its title or component."""
        if not self.classes:
            return shape.title or shape.hint
        if shape.pointer not in self.classes:
            return ""
        return self.classes[shape.pointer].name

    def describe(self, shape: Shape) -> str:
        """Say what a shape takes."""
        return describe(shape, self.name_of, {})


def read_alone(
    description: Description, schema: Any, pointer: str, *, is_answer: bool = False
) -> tuple[Revision, Shape]:
    """Read a schema that no class is made of; one that cannot be read, or is not there, is that of any value."""
    shape, known = shape_alone(description, schema, pointer, is_answer=is_answer)
    return Revision(known, description=description, start=pointer), shape
