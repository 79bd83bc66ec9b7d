"""What the endpoints answer, in two revisions: the shapes of bodies, of success and of errors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import escape, is_object
from generator.schema.algebra import union
from generator.schema.reader import SchemaReader
from generator.schema.types import Anything, Shape

from .change import Change
from .limits import differing
from .objects import Comparison, Revision
from .prose import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.inputs.description import Description, Operation

_JSON = re.compile(r".*[/+]json|text/event-stream")


class _Answers(NamedTuple):
    """The bodies of an operation's answers by status; None where an answer has no body that is described."""

    revision: Revision
    successes: dict[str, Shape | None]
    """Any 2xx is taken for one."""
    errors: dict[str, Shape | None]


def compare_answers(
    endpoint: str, old: tuple[Description, Operation], new: tuple[Description, Operation]
) -> Iterator[Change]:
    """Give what changed in the answers of an endpoint."""
    before, after = _answers(*old), _answers(*new)
    scope = f"{endpoint}.response"
    yield from _statuses(scope, before.successes, after.successes)
    comparison = Comparison(ANSWER, scope, before.revision, after.revision)
    comparison.compare(_either(before.successes), _either(after.successes))
    yield from comparison.changes
    scope = f"{endpoint}.error"
    yield from _statuses(scope, before.errors, after.errors)
    common = [status for status in before.errors if status in after.errors]
    found: dict[str, tuple[Change, list[str]]] = {}
    for status in common:
        comparison = Comparison(ANSWER, scope, before.revision, after.revision)
        comparison.compare(before.errors[status] or Anything(), after.errors[status] or Anything())
        for change in comparison.changes:
            found.setdefault(repr(change), (change, []))[1].append(status)
    for change, statuses in found.values():
        if statuses == common:
            yield change
        else:
            values = *change.values, ", ".join(statuses)
            yield replace(change, sentence=f"{change.sentence} (in {{}})", values=values)


def _statuses(scope: str, old: Iterable[str], new: Iterable[str]) -> Iterator[Change]:
    """Say which statuses were added and removed: a caller is told of any by its number, so that none of it breaks."""
    before, after = sorted(old), sorted(new)
    added, removed = differing(before, after)
    if added:
        yield Change("added", "answers {} too", (", ".join(added),), scope, "", before, after)
    if removed:
        yield Change("removed", "no longer answers {}", (", ".join(removed),), scope, "", before, after)


def _either(bodies: dict[str, Shape | None]) -> Shape:
    return union([body for body in bodies.values() if body is not None] or [Anything()])


def _answers(description: Description, operation: Operation) -> _Answers:
    """Read the answers of an operation. A body that cannot be read may be anything."""
    reader = SchemaReader(description, Diagnostics())
    answers = _Answers(Revision(reader.known), {}, {})
    responses = description.at(f"{operation.pointer}/responses")
    if not is_object(responses):
        return answers
    for status in responses:
        bodies = answers.errors
        if status.startswith("2"):
            bodies = answers.successes
        try:
            bodies[status] = _body(reader, f"{operation.pointer}/responses/{escape(status)}")
        except GeneratorError:
            bodies[status] = Anything()
    return answers


def _body(reader: SchemaReader, pointer: str) -> Shape | None:
    description = reader.description
    pointer, response = description.follow(description.at(pointer), pointer)
    if not is_object(response) or not is_object(content := response.get("content")):
        return None
    for media_type, value in content.items():
        name = media_type.partition(";")[0].strip().lower()
        if is_object(value) and "schema" in value and _JSON.fullmatch(name):
            return reader.body(value["schema"], f"{pointer}/content/{escape(media_type)}/schema")
    return None
