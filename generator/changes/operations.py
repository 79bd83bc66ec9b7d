"""What a call of one operation is asked beside its body, and what else its description says: two revisions compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.diagnostics import Diagnostics
from generator.inputs.asked import BEARER
from generator.inputs.capabilities import REPEATED, capability
from generator.inputs.offered import takes_a_key
from generator.inputs.paths import route
from generator.json_values import object_of, text_of
from generator.output.words import plain
from generator.schema.reader import SchemaReader
from generator.schema.types import ABSENT

from .change import COSMETIC, Change
from .limits import differing
from .objects import Comparison, read_alone
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
    for change in (
        *_parameters(scope, old, new),
        *_servers(scope, old, new),
        *_keys(scope, old, new),
        *_media_types(scope, old, new),
        *_headers(scope, old, new),
        *_words(scope, old, new),
    ):
        yield replace(change, file=new.description.file, pointer=change.pointer or new.operation.pointer)


def _call(asked: Asked, words: str) -> Witness:
    """Show a call of an operation, with words for what is in it."""
    return Witness("request", f"{asked.operation.method.upper()} {asked.operation.path} {words}")


def _parameters(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    before, after = old.parameters, new.parameters
    for name, parameter in after.items():
        was = before.get(name)
        is_unmet = parameter.is_required and not _is_sent(new, name, parameter)
        if was is None and is_unmet:
            sentence = "is required now, and no call sends it"
            yield Change("added", "parameter", sentence, (), scope, name, breaking=True, pointer=parameter.pointer,
                         new=parameter.value, witness=_call(new, f"without the {name}"))  # fmt: skip
        elif was is None:
            sentence = "may be sent now"
            if parameter.is_required:
                sentence = "must be sent now"
            yield Change("added", "parameter", sentence, (), scope, name, pointer=parameter.pointer,
                         new=parameter.value)  # fmt: skip
        else:
            yield from _parameter(scope, name, (old, was), (new, parameter))
    for name, parameter in before.items():
        if name not in after:
            witness = _call(new, f"with the {name}")
            yield Change("removed", "parameter", "is gone", (), scope, name, parameter.value, None, name in SENT,
                         witness=witness)  # fmt: skip


def _is_sent(asked: Asked, name: str, parameter: Parameter) -> bool:
    """Tell whether calls have a parameter, once the package is generated."""
    return name in SENT or (capability(name) is REPEATED and takes_a_key(asked, parameter))


def _parameter(scope: str, name: str, old: tuple[Asked, Parameter], new: tuple[Asked, Parameter]) -> Iterator[Change]:
    (_, was), (call, now) = old, new
    is_sent = _is_sent(call, name, now)
    if now.is_required and not was.is_required:
        sentence, witness = "is required now", None
        if not is_sent:
            sentence, witness = "is required now, and no call sends it", _call(call, f"without the {name}")
        yield Change("tightened", "parameter-required", sentence, (), scope, name, old=False, new=True,
                     breaking=not is_sent, pointer=now.pointer, witness=witness)  # fmt: skip
    if was.is_required and not now.is_required:
        sentence = "may be left out now"
        yield Change(
            "loosened", "parameter-required", sentence, (), scope, name, old=True, new=False, pointer=now.pointer
        )
    for change in _values(scope, old, new):
        place = f"{name}.{change.place}".rstrip(".")
        about = change.about.replace("request", "parameter", 1)
        breaking, witness = change.breaking and is_sent, None
        if breaking and change.witness:
            witness = _call(call, f"with the {name} {plain(change.witness.value)}")
        if change.kind != "reworded":
            yield replace(change, about=about, place=place, pointer=now.pointer, breaking=breaking, witness=witness)


def _values(scope: str, old: tuple[Asked, Parameter], new: tuple[Asked, Parameter]) -> list[Change]:
    """Compare what a parameter may be."""
    places = [
        (call, f"{parameter.pointer}/schema", parameter.value.get("schema", True)) for call, parameter in (old, new)
    ]
    comparison = _compared(scope, *places)
    defaults = [object_of(schema).get("default", ABSENT) for _, _, schema in places]
    comparison.default(defaults[0], defaults[1], "")
    return comparison.changes


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
    """Compare two schemas."""
    (before, was), (after, now) = (
        read_alone(SchemaReader(call.description, Diagnostics()), schema, pointer)
        for call, pointer, schema in (old, new)
    )
    comparison = Comparison(REQUEST, scope, before, after)
    comparison.compare(was, now)
    return comparison


def _servers(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    added, removed = differing(old.bases, new.bases)
    now, was = ", ".join(new.bases), ", ".join(old.bases)
    if removed:
        method, path = old.operation.method.upper(), route(old.operation.path)
        witness = Witness("request", f"{method} {removed[0].rstrip('/')}{path}")
        yield Change("changed", "server", "is below {} now, not {}", (now, was), scope, "", was, now, breaking=True,
                     witness=witness)  # fmt: skip
    elif added:
        yield Change("loosened", "server", "is below {} too", (", ".join(added),), scope, "", was, now)


def _keys(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    if set(old.keys) == set(new.keys):
        return
    was, now = (" or ".join(keys) or "no key" for keys in (old.keys, new.keys))
    is_refused = bool(new.keys) and not {BEARER, "no key"} & set(new.keys)
    was_let_in = not old.keys or bool({BEARER, "no key"} & set(old.keys))
    witness = _call(new, "with a bearer token alone")
    yield Change("changed", "security", "asks for {} now, not {}", (now, was), scope, "", was, now,
                 breaking=is_refused and was_let_in, witness=witness)  # fmt: skip


def _media_types(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    added, removed = differing(old.media_types, new.media_types)
    lists = old.media_types, new.media_types
    if added:
        yield Change("added", "request-media", "takes {} too", (", ".join(added),), scope, "", *lists)
    if removed:
        witness = _call(new, f"with {removed[0]}")
        yield Change("removed", "request-media", "no longer takes {}", (", ".join(removed),), scope, "", *lists,
                     breaking=JSON in removed, witness=witness)  # fmt: skip


def _headers(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    before, after = old.headers, new.headers
    for name, statuses in after.items():
        if name not in before:
            sentence = "comes with the answers {} now"
            yield Change("added", "answer-header", sentence, (", ".join(statuses),), scope, name, None, statuses)
    for name, statuses in before.items():
        if name not in after:
            yield Change("removed", "answer-header", "comes with no answer any more", (), scope, name, statuses)


def _words(scope: str, old: Asked, new: Asked) -> Iterator[Change]:
    was, now = old.operation, new.operation
    if now.deprecated and not was.deprecated:
        sentence, values = "is deprecated", tuple[str, ...]()
        sunset = new.own("x-sunset")
        if sunset is not None:
            sentence, values = "is deprecated, until {}", (str(sunset),)
        yield Change("deprecated", "operation", sentence, values, scope, old=False, new=True)
    if was.deprecated and not now.deprecated:
        yield Change("changed", "deprecation", "is no longer deprecated", (), scope, old=True, new=False)
    if was.listed != now.listed:
        sentence = "is hidden from lists now"
        if now.listed:
            sentence = "is no longer hidden from lists"
        yield Change("changed", "listing", sentence, (), scope, "", was.listed, now.listed)
    names = text_of(old.own("operationId")), text_of(new.own("operationId"))
    if names[0] != names[1]:
        sentence = "has the operationId {} now, not {}"
        yield Change("reworded", "operation-id", sentence, (names[1], names[0]), scope, "", *names)
