"""What the endpoints answer, in two revisions: the shapes of bodies, of success and of errors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import escape, is_object, object_of
from generator.schema.algebra import union
from generator.schema.reader import SchemaReader
from generator.schema.types import Anything, Shape

from .body import Revision
from .change import Change
from .limits import differing
from .objects import Comparison
from .prose import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.inputs.asked import Asked
    from generator.inputs.description import Description, Operation

_JSON = re.compile(r".*[/+]json|text/event-stream")

_Bodies: TypeAlias = dict[str, Shape | None]
"""The bodies of some answers by status; None where an answer has no body that is described."""


def compare_answers(endpoint: str, old: Asked, new: Asked) -> Iterator[Change]:
    """Give what changed in the answers of an endpoint."""
    for change in _answer_changes(endpoint, old, new):
        yield replace(change, file=new.description.file, pointer=change.pointer or new.operation.pointer)


def _answer_changes(endpoint: str, old: Asked, new: Asked) -> Iterator[Change]:
    before, successes, errors = _answers(old.description, old.operation)
    after, new_successes, new_errors = _answers(new.description, new.operation)
    scope = f"{endpoint}.response"
    yield from _statuses(scope, successes, new_successes)
    comparison = Comparison(ANSWER, scope, before, after)
    comparison.compare(_either(successes), _either(new_successes))
    yield from comparison.changes
    scope = f"{endpoint}.error"
    yield from _statuses(scope, errors, new_errors)
    common = [status for status in errors if status in new_errors]
    found: dict[str, tuple[Change, list[str]]] = {}
    for status in common:
        comparison = Comparison(ANSWER, scope, before, after)
        comparison.compare(errors[status] or Anything(), new_errors[status] or Anything())
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
        yield Change("added", "answer-status", "answers {} too", (", ".join(added),), "", before, after, scope=scope)
    if removed:
        gone = (", ".join(removed),)
        yield Change("removed", "answer-status", "no longer answers {}", gone, "", before, after, scope=scope)


def _either(bodies: _Bodies) -> Shape:
    """Give the shape of any success: no caller is told which of them it was."""
    return union([body for body in bodies.values() if body is not None] or [Anything()])


def _answers(description: Description, operation: Operation) -> tuple[Revision, _Bodies, _Bodies]:
    """Read what an operation answers where it succeeds and where it does not. What cannot be read may be anything."""
    reader = SchemaReader(description, Diagnostics(), is_answer=True)
    successes: _Bodies = {}
    errors: _Bodies = {}
    for status in object_of(description.at(f"{operation.pointer}/responses")):
        bodies = errors
        if status.startswith("2"):
            bodies = successes
        try:
            bodies[status] = _body(reader, f"{operation.pointer}/responses/{escape(status)}")
        except GeneratorError:
            bodies[status] = Anything()
    revision = Revision(reader.known, description=description, start=f"{operation.pointer}/responses")
    return revision, successes, errors


def _body(reader: SchemaReader, pointer: str) -> Shape | None:
    description = reader.description
    pointer, response = description.follow(description.at(pointer), pointer)
    for media_type, value in object_of(object_of(response).get("content")).items():
        name = media_type.partition(";")[0].strip().lower()
        for keyword in ("schema", "itemSchema"):
            if is_object(value) and keyword in value and _JSON.fullmatch(name):
                return reader.body(value[keyword], f"{pointer}/content/{escape(media_type)}/{keyword}")
    return None
