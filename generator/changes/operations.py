"""What a call of one operation is asked beside its body, and what else its description says: two revisions compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.inputs.asked import BEARER
from generator.inputs.capabilities import REPEATED, capability
from generator.inputs.offered import takes_a_key
from generator.inputs.paths import route
from generator.json_values import object_of, text_of
from generator.output.words import plain
from generator.schema.types import ABSENT

from .body import read_alone
from .change import COSMETIC, Change
from .limits import differing
from .objects import Comparison
from .prose import REQUEST
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.inputs.asked import Asked, Parameter

SENT: Final = ("path id", "query limit", "query workspace")
"""The parameters that the runtime sends, beside the header by which a post can be repeated."""

JSON: Final = "application/json"


def compare_operation(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    """Give what changed in how an operation is called, its bodies apart."""
    compared = _parameters, _servers, _keys, _media_types, _headers, _words
    for change in (change for changes in compared for change in changes(old, new)):
        pointer = change.pointer or new.operation.pointer
        yield replace(change, scope=scope, file=new.description.file, pointer=pointer)


def _call(asked: Asked, words: str) -> Witness:
    return Witness("request", f"{asked.operation.method.upper()} {asked.operation.path} {words}")


def _parameters(old: Asked, new: Asked) -> Iterator[Change]:
    before, after = old.parameters, new.parameters
    for name, now in after.items():
        was, unmet = before.get(name), None
        is_sent = name in SENT or (capability(name) is REPEATED and takes_a_key(new, now))
        if now.is_required and not is_sent:
            unmet = _call(new, f"without the {name}")
        found = list(_demand(name, was, now, unmet))
        if was:
            found += _values(name, (old, was), (new, now), is_sent=is_sent)
        yield from (replace(change, pointer=now.pointer) for change in found)
    for name, parameter in before.items():
        if name not in after:
            witness = _call(new, f"with the {name}")
            yield Change("removed", "parameter", "is gone", (), name, parameter.value, None, name in SENT, witness)


def _demand(name: str, was: Parameter | None, now: Parameter, unmet: Witness | None) -> Iterator[Change]:
    """Say whether calls must have a parameter; `unmet` shows that they have not."""
    sentence = "is required now, and no call sends it"
    if was is None and not now.is_required:
        yield Change("added", "parameter", "may be sent now", (), name, None, now.value)
    elif was is None and unmet is None:
        yield Change("added", "parameter", "must be sent now", (), name, None, now.value)
    elif was is None:
        yield Change("added", "parameter", sentence, (), name, None, now.value, breaking=True, witness=unmet)
    elif now.is_required and not was.is_required:
        if unmet is None:
            sentence = "is required now"
        yield Change("tightened", "parameter-required", sentence, (), name, old=False, new=True,
                     breaking=unmet is not None, witness=unmet)  # fmt: skip
    elif was.is_required and not now.is_required:
        yield Change("loosened", "parameter-required", "may be left out now", (), name, old=True, new=False)


def _values(
    name: str, old: tuple[Asked, Parameter], new: tuple[Asked, Parameter], *, is_sent: bool
) -> Iterator[Change]:
    places = [(call, f"{item.pointer}/schema", item.value.get("schema", True)) for call, item in (old, new)]
    comparison = _compared("", *places)
    was, now = (object_of(schema).get("default", ABSENT) for _, _, schema in places)
    comparison.default(was, now, "")
    for change in comparison.changes:
        place = f"{name}.{change.place}".rstrip(".")
        about = change.about.replace("request", "parameter", 1)
        breaking, witness = change.breaking and is_sent, None
        if breaking and change.witness:
            witness = _call(new[0], f"with the {name} {plain(change.witness.value)}")
        if change.kind != "reworded":
            yield replace(change, about=about, place=place, breaking=breaking, witness=witness)


def compare_bodies(scope: str, old: Asked, new: Asked) -> list[Change]:
    """Give what changed in what an operation itself takes, where that is not what payloads are made of."""
    if None in (old.body[1], new.body[1]):
        return []
    return [
        replace(change, file=new.description.file)
        for change in _compared(scope, (old, *old.body), (new, *new.body)).changes
        if change.kind not in COSMETIC and change.about != "request-class"
    ]


def _compared(scope: str, old: tuple[Asked, str, Any], new: tuple[Asked, str, Any]) -> Comparison:
    (before, was), (after, now) = (
        read_alone(call.description, schema, pointer) for call, pointer, schema in (old, new)
    )
    comparison = Comparison(REQUEST, scope, before, after)
    comparison.compare(was, now)
    return comparison


def _servers(old: Asked, new: Asked) -> Iterator[Change]:
    added, removed = differing(old.bases, new.bases)
    now, was = ", ".join(new.bases), ", ".join(old.bases)
    if removed:
        address = f"{removed[0].rstrip('/')}{route(old.operation.path)}"
        witness = Witness("request", f"{old.operation.method.upper()} {address}")
        yield Change("changed", "server", "is below {} now, not {}", (now, was), "", was, now, breaking=True,
                     witness=witness)  # fmt: skip
    elif added:
        yield Change("loosened", "server", "is below {} too", (", ".join(added),), "", was, now)


def _keys(old: Asked, new: Asked) -> Iterator[Change]:
    if set(old.keys) == set(new.keys):
        return
    was, now = (" or ".join(keys) or "no key" for keys in (old.keys, new.keys))
    was_let_in, is_let_in = (not keys or not {BEARER, "no key"}.isdisjoint(keys) for keys in (old.keys, new.keys))
    witness = _call(new, "with a bearer token alone")
    breaking = was_let_in and not is_let_in
    yield Change("changed", "security", "asks for {} now, not {}", (now, was), "", was, now, breaking, witness)


def _media_types(old: Asked, new: Asked) -> Iterator[Change]:
    added, removed = differing(old.media_types, new.media_types)
    lists = old.media_types, new.media_types
    if added:
        yield Change("added", "request-media", "takes {} too", (", ".join(added),), "", *lists)
    if removed:
        sentence, witness = "no longer takes {}", _call(new, f"with {removed[0]}")
        yield Change("removed", "request-media", sentence, (", ".join(removed),), "", *lists, JSON in removed, witness)


def _headers(old: Asked, new: Asked) -> Iterator[Change]:
    before, after = old.headers, new.headers
    for name, statuses in after.items():
        if name not in before:
            sentence = "comes with the answers {} now"
            yield Change("added", "answer-header", sentence, (", ".join(statuses),), name, None, statuses)
    for name, statuses in before.items():
        if name not in after:
            yield Change("removed", "answer-header", "comes with no answer any more", (), name, statuses)


def _words(old: Asked, new: Asked) -> Iterator[Change]:
    was, now = old.operation, new.operation
    sunset = new.own("x-sunset")
    if now.deprecated and not was.deprecated and sunset is None:
        yield Change("deprecated", "operation", "is deprecated", old=False, new=True)
    elif now.deprecated and not was.deprecated:
        yield Change("deprecated", "operation", "is deprecated, until {}", (str(sunset),), old=False, new=True)
    if was.deprecated and not now.deprecated:
        yield Change("changed", "deprecation", "is no longer deprecated", old=True, new=False)
    if was.listed and not now.listed:
        yield Change("changed", "listing", "is hidden from lists now", old=True, new=False)
    if now.listed and not was.listed:
        yield Change("changed", "listing", "is no longer hidden from lists", old=False, new=True)
    names = text_of(old.own("operationId")), text_of(new.own("operationId"))
    if names[0] != names[1]:
        yield Change("reworded", "operation-id", "has the operationId {} now, not {}", names[::-1], "", *names)
