"""What a description says beside what is called: versions, operations, webhooks, and what is on offer now."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.inputs.capabilities import CANCELED, REPEATED, RUNTIME, capability
from generator.inputs.description import METHODS
from generator.inputs.paths import route
from generator.json_values import escape, object_of, text_of

from .age import names_of
from .body import read_alone
from .change import SHARED, Change
from .limits import differing
from .objects import Comparison
from .prose import ANSWER
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.inputs.description import Description, Operation
    from generator.inputs.offered import Offer, Offered
    from generator.schema.types import Shape

    from .body import Revision
    from .change import Kind

MOST_NAMED: Final = 6
"""How many of some operations are named one by one."""


def with_capabilities(changes: Iterable[Change], old: Offered, new: Offered) -> Iterator[Change]:
    """Call what is new, and is offered, by what it can be used for; tell what is offered, or no longer, beside that."""
    before, after = ({offer.said: offer for offer in offered.offers} for offered in (old, new))
    told: set[str] = set()
    for change in changes:
        said = change.place
        if change.about == "answer-header":
            said = f"answer {change.place}"
        offer = None
        if change.about in ("parameter", "answer-header", "operation", "webhook"):
            offer = {"added": after, "removed": before}.get(change.kind, {}).get(said)
        if offer is None:
            yield change
            continue
        told.add(said)
        if change.kind == "removed":
            yield _lost(change, offer, new)
            continue
        if change.breaking:
            yield change
        sentence, values = f"{change.sentence}: {_use(offer)}", (*change.values, f"{RUNTIME}/{offer.means.file}")
        yield replace(change, kind="capability", sentence=sentence, values=values, breaking=False, witness=None)
    for said in (said for said in after if said not in before and said not in told):
        file, _, pointer = after[said].place.partition("#")
        sentence, values = f"can be used now: {_use(after[said])}", (f"{RUNTIME}/{after[said].means.file}",)
        yield Change("capability", "offer", sentence, values, said, model=SHARED, file=file, pointer=pointer)
    for said in (said for said in before if said not in after and said not in told):
        change = Change("removed", "offer", "cannot be used any more", (), said, model=SHARED)
        yield _lost(change, before[said], new)


def _lost(change: Change, offer: Offer, new: Offered) -> Change:
    """Say what it means that something is not offered any more."""
    if offer.means is CANCELED and new.cancel is None:
        sentence = f"{change.sentence}: client.cancel raises NotOffered"
        return replace(change, sentence=sentence, breaking=True, witness=Witness("call", "client.cancel(id)"))
    if offer.means is REPEATED and new.idempotency is None:
        return replace(change, sentence=f"{change.sentence}: a post whose answer is lost is not repeated any more")
    return change


def _use(offer: Offer) -> str:
    """Say what is offered, with room for the file of the runtime that it is for."""
    if offer.means.is_used:
        return f"{offer.means.words}; {{}} uses it"
    return f"{offer.means.words}; {{}} can use it"


def compare_platform(
    old: Sequence[Description], new: Sequence[Description], called: Iterable[tuple[str, str]]
) -> Iterator[Change]:
    """Give what changed beside the operations that are `called`, given as methods and routes."""
    passed_over = set(called)
    names, twins = names_of(new), {name: item for item, name in zip(old, names_of(old).values(), strict=True)}
    for description in new:
        twin = twins.get(names[description.file])
        if twin is None:
            continue
        for change in (
            *_versions(twin, description),
            *_operations(twin, description, passed_over),
            *_webhooks(twin, description),
            *_components(twin, description),
        ):
            yield replace(change, file=description.file)


def _versions(old: Description, new: Description) -> Iterator[Change]:
    documents = old.document, new.document
    infos = [object_of(document.get("info")) for document in documents]
    for about, place, sides in (("version", "info.version", infos), ("openapi", "openapi", documents)):
        was, now = (text_of(side.get(about)) for side in sides)
        if was != now:
            pointer = f"/{place.partition('.')[0]}"
            yield Change("changed", about, "is {} now, not {}", (now, was), place, was, now, pointer=pointer)


def _operations(old: Description, new: Description, called: set[tuple[str, str]]) -> Iterator[Change]:
    """Compare what is described beside what is called: each by a line where it is of use, else all in one."""
    before, after = _routes(old, called), _routes(new, called)
    come: list[str] = []
    for (method, path), operation in after.items():
        name, was = f"{method.upper()} {path}", before.get((method, path))
        if was is None and _makes_something(method, path) and not capability(name):
            come.append(path)
        elif was is None:
            yield Change("added", "operation", "is described now", (), name, None, name, pointer=operation.pointer)
        elif operation.deprecated and not was.deprecated:
            change = Change("deprecated", "operation", "is deprecated", (), name, old=False, new=True)
            yield replace(change, pointer=operation.pointer)
    yield from _of_other_models("added", "models of other kinds are new: {}", come)
    missing = [key for key in before if key not in after]
    gone = [path for method, path in missing if _makes_something(method, path)]
    for method, path in missing:
        if path not in gone:
            name = f"{method.upper()} {path}"
            yield Change("removed", "operation", "is described no longer", (), name, name, pointer="/paths")
    yield from _of_other_models("removed", "models of other kinds are gone: {}", gone)


def _makes_something(method: str, path: str) -> bool:
    """Tell whether an operation is that of a model, of any kind."""
    return method == "post" and path.startswith("/generation/") and "{" not in path


def _of_other_models(kind: Kind, sentence: str, paths: list[str]) -> Iterator[Change]:
    models = sorted({path.removeprefix("/generation/").removeprefix("sse/") for path in paths})
    named = ", ".join(models[:MOST_NAMED])
    if len(models) > MOST_NAMED:
        named = f"{named} and {len(models) - MOST_NAMED} more"
    if models:
        yield Change(kind, "other-models", sentence, (named,), new=models, pointer="/paths")


def _routes(description: Description, called: set[tuple[str, str]]) -> dict[tuple[str, str], Operation]:
    """Give the operations that are not called, by method and path, without what may stand in front of a path."""
    found = {(method, route(path)): operation for (method, path), operation in description.operations.items()}
    return {key: operation for key, operation in found.items() if key not in called}


def _webhooks(old: Description, new: Description) -> Iterator[Change]:
    before, after = (object_of(item.document.get("webhooks")) for item in (old, new))
    added, removed = differing(before, after)
    for name in removed:
        place = f"webhook {name}"
        witness = Witness("request", f"a listener for {name}")
        yield Change("removed", "webhook", "is described no longer", (), place, name, breaking=True, witness=witness)
    for name in after:
        place, pointer = f"webhook {name}", f"/webhooks/{escape(name)}"
        if name in added:
            yield Change("added", "webhook", "is described now", (), place, None, name, pointer=pointer)
            continue
        sides = [_webhook(item, pointer) for item in (old, new)]
        comparison = Comparison(ANSWER, place, sides[0][0], sides[1][0])
        comparison.compare(sides[0][1], sides[1][1])
        yield from comparison.changes


def _webhook(description: Description, pointer: str) -> tuple[Revision, Shape]:
    """Read what the platform posts."""
    place, schema = pointer, True
    for content in [f"{pointer}/{method}/requestBody/content" for method in METHODS]:
        for media_type in object_of(description.at(content)):
            place = f"{content}/{escape(media_type)}/schema"
            schema = description.at(place)
    revision, shape = read_alone(description, schema, place, is_answer=True)
    return replace(revision, start=pointer), shape


def _components(old: Description, new: Description) -> Iterator[Change]:
    """Say which schemas are new or gone for good, and are no other spelling of what stands elsewhere."""
    before, after = _schemas(old), _schemas(new)
    for kind, own, others, document in (("removed", before, after, new), ("added", after, before, old)):
        missing = [name for name in own if name not in others]
        whole = ""
        if missing:
            whole = json.dumps(document.document)
        names = [name for name in missing if json.dumps(own[name]) not in whole]
        if names and kind == "removed":
            yield Change("removed", "component", "are gone: {}", (", ".join(names),), "components", names)
        elif names:
            yield Change("added", "component", "are new: {}", (", ".join(names),), "components", None, names)


def _schemas(description: Description) -> dict[str, Any]:
    """Give the schemas that are referred to, by their names."""
    schemas = object_of(object_of(description.document.get("components")).get("schemas"))
    text = json.dumps(description.document)
    return {name: schema for name, schema in schemas.items() if f'"#/components/schemas/{escape(name)}"' in text}
