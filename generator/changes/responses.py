"""What the endpoints answer, in two ages: the shapes of bodies, of success and of errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from generator.diagnostics import Diagnostics, GeneratorError
from generator.inputs.description import escape, is_object
from generator.schema.reader import SchemaReader
from generator.schema.types import Anything, Shape, union

from .change import Change
from .objects import Age, Comparison

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.inputs.description import Description, Operation

_JSON = re.compile(r".*[/+]json|text/event-stream")


@dataclass(frozen=True, slots=True)
class Answers:
    """The bodies of an operation's answers by status; None where an answer has no body that is described."""

    bodies: dict[str, Shape | None]
    age: Age

    def successes(self) -> list[str]:
        """Give the statuses of success: any 2xx is taken for one."""
        return [status for status in self.bodies if status.startswith("2")]

    def success(self) -> Shape:
        """Give what a body of success may be."""
        bodies = [body for status in self.successes() if (body := self.bodies[status]) is not None]
        return union(bodies) if bodies else Anything()

    def errors(self) -> list[str]:
        """Give the other statuses."""
        return [status for status in self.bodies if not status.startswith("2")]


def answers_of(description: Description, operation: Operation) -> Answers:
    """Read the answers of an operation. A body that cannot be read may be anything."""
    reader = SchemaReader(description, Diagnostics())
    responses = description.at(f"{operation.pointer}/responses")
    bodies: dict[str, Shape | None] = {}
    for status in responses if is_object(responses) else ():
        try:
            bodies[status] = _body(reader, f"{operation.pointer}/responses/{escape(status)}")
        except GeneratorError:
            bodies[status] = Anything()
    return Answers(bodies, Age(reader.known))


def compare_answers(endpoint: str, old: Answers, new: Answers) -> Iterator[Change]:
    """Give what changed in the answers of an endpoint."""
    yield from _statuses(f"{endpoint}.response", old.successes(), new.successes())
    comparison = Comparison("answer", f"{endpoint}.response", old.age, new.age)
    comparison.shapes(old.success(), new.success(), "")
    yield from comparison.changes
    scope = f"{endpoint}.error"
    yield from _statuses(scope, old.errors(), new.errors())
    common = [status for status in old.errors() if status in new.bodies]
    found: dict[str, list[str]] = {}
    changes: dict[str, Change] = {}
    for status in common:
        comparison = Comparison("answer", scope, old.age, new.age)
        comparison.shapes(old.bodies[status] or Anything(), new.bodies[status] or Anything(), "")
        for change in comparison.changes:
            changes[repr(change)] = change
            found.setdefault(repr(change), []).append(status)
    for key, statuses in found.items():
        some = statuses != common
        words = f"{changes[key].words} (in {{}})" if some else changes[key].words
        values = (*changes[key].values, ", ".join(statuses)) if some else changes[key].values
        yield replace(changes[key], words=words, values=values)


def _statuses(scope: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """Say which statuses came and went: a caller is told of any by its number, so that none of it breaks."""
    came, went = [item for item in new if item not in old], [item for item in old if item not in new]
    lists = sorted(old), sorted(new)
    if came:
        yield Change("added", scope, "", "answers {} too", (", ".join(sorted(came)),), *lists, breaking=False)
    if went:
        yield Change("removed", scope, "", "no longer answers {}", (", ".join(sorted(went)),), *lists, breaking=False)


def _body(reader: SchemaReader, pointer: str) -> Shape | None:
    """Read the schema of an answer's body."""
    description = reader.description
    pointer, response = description.follow(description.at(pointer), pointer)
    content: Any = response.get("content") if is_object(response) else None
    for media_type, value in content.items() if is_object(content) else ():
        name = media_type.partition(";")[0].strip().lower()
        if is_object(value) and "schema" in value and _JSON.fullmatch(name):
            return reader.body(value["schema"], f"{pointer}/content/{escape(media_type)}/schema")
    return None
