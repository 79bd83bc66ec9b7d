"""What an update of the descriptions means: every change between two ages, model by model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.inputs.selection import RESULT, find_operation
from generator.output.classes import constructors_of
from generator.schema.file_fields import constants
from generator.schema.subset import Subset
from generator.schema.types import Object, Variant, intersect

from .change import SHARED, Change
from .objects import Age, Comparison, moved
from .responses import answers_of, compare_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.inputs.selection import VideoModel
    from generator.run import Found

ENDPOINTS = (("result", RESULT), ("running", "/generations/running"), ("credits", "/credits"))
"""What the client asks beside the endpoints of a model: name and path."""

ALIKE = 0.5
"""The share of fields that two payload classes must have in common to be one that was renamed. The limit is ours."""


def compare(old: Found, new: Found) -> list[Change]:
    """Give every change between two ages: of each model in the order of the new one, then of what they share."""
    before = {model.model: model for model in old.selection.models}
    after = {model.model: model for model in new.selection.models}
    renamed = _renamed(before, after)
    changes: list[Change] = []
    for name, model in after.items():
        twin = before.get(renamed.get(name, name))
        found = _came(model) if twin is None else _model(_Pair(old, new, twin, model))
        changes += [replace(change, model=name) for change in found]
    for name, model in before.items():
        if name not in after and name not in renamed.values():
            changes += [replace(change, model=name) for change in _gone(model, new)]
    kept = [name for name in after if name in before]
    for name in moved([name for name in before if name in after], kept):
        place = kept.index(name)
        words = "stands after {} in the list of models now" if place else "stands first in the list of models now"
        values = (kept[place - 1],) if place else ()
        changes.append(Change("reordered", "", "", words, values, None, None, breaking=False, model=name))
    changes += [replace(change, model=SHARED) for change in _shared(old, new)]
    return changes


@dataclass(frozen=True, slots=True)
class _Pair:
    """A model in two ages."""

    old: Found
    new: Found
    before: VideoModel
    after: VideoModel


def _renamed(before: dict[str, VideoModel], after: dict[str, VideoModel]) -> dict[str, str]:
    """Tell which models of a new id are models of an old one: those that alone have its title."""
    gone = [model for model in before.values() if model.model not in after]
    came = [model for model in after.values() if model.model not in before]
    pairs: dict[str, str] = {}
    for model in came:
        old = [other.model for other in gone if other.title == model.title]
        if len(old) == 1 and sum(other.title == model.title for other in came) == 1:
            pairs[model.model] = old[0]
    return pairs


def _came(model: VideoModel) -> Iterator[Change]:
    words = "is a new model: {}, in the module {}"
    yield Change("added", "", "", words, (model.title, model.module), None, model.title, breaking=False)


def _gone(model: VideoModel, new: Found) -> Iterator[Change]:
    """Say that a model is gone, and why, if that is known."""
    pages = {f"post {path}" for path in (model.create, model.stream)}
    reason = [item.reason for item in new.selection.passed_over if " ".join(item.page.lower().split()) in pages]
    words = "is gone, and with it the module {}" + (": {}" if reason else "")
    values = (model.module, *reason[:1])
    yield Change("removed", "", "", words, values, model.title, None, breaking=True)


def _model(pair: _Pair) -> Iterator[Change]:
    old, new = pair.before, pair.after
    if (old.model, old.module) != (new.model, new.module):
        words = "has the module {} now, not {}" if old.model == new.model else "was {}; its module is {} now, not {}"
        values = (new.module, old.module) if old.model == new.model else (old.model, new.module, old.module)
        if old.module == new.module:
            words, values = "was {}; its module is still {}", (old.model, new.module)
        ids = (old.model, new.model) if old.model != new.model else (old.module, new.module)
        yield Change("moved", "", "", words, values, *ids, breaking=old.module != new.module)
    for label, was, now in (("title", old.title, new.title), ("description", old.text, new.text)):
        if " ".join(was.split()) != " ".join(now.split()):
            words = f"has the {label} “{{}}” now, not “{{}}”"
            yield Change("reworded", "", label, words, (now, was), was, now, breaking=False)
    ends = (("stream", old.stream, new.stream), ("create", old.create, new.create), ("result", old.result, new.result))
    for label, was, now in ends:
        if was != now and old.model == new.model:
            yield Change("changed", label, "", "is {} now, not {}", (now, was), was, now, breaking=False)
    yield from _request(old, new)
    for label, was, now in ends[:2]:
        before = find_operation(pair.old.descriptions, "post", was)
        after = find_operation(pair.new.descriptions, "post", now)
        if before and after:
            yield from compare_answers(label, answers_of(*before), answers_of(*after))


def _request(old: VideoModel, new: VideoModel) -> Iterator[Change]:
    """Compare what a model takes: its payload classes, and the classes inside of them."""
    ages = _age(old), _age(new)
    pairs, gone, came = _variants(old.variants, new.variants, *ages)
    said: set[str] = set()
    for before, after in pairs:
        was, now = ages[0].name_of(before.shape), ages[1].name_of(after.shape)
        scope = now if len(old.variants) + len(new.variants) > 2 or now != was else ""
        said.add(was)
        if was != now:
            yield Change("moved", now, "", "is the class that was {}", (was,), was, now, breaking=True)
        comparison = Comparison("request", scope, ages[0], ages[1])
        comparison.shapes(before.shape, after.shape, "")
        said |= {change.old for change in comparison.changes if change.kind == "moved"}
        yield from comparison.changes
        yield from _rivals((before, after), pairs, new.variants, ages, scope)
    for variant in gone:
        name = ages[0].name_of(variant.shape)
        said.add(name)
        yield Change("removed", name, "", "is gone: the class, and what it took", (), name, None, breaking=True)
    for variant in came:
        name = ages[1].name_of(variant.shape)
        yield Change("added", name, "", "is a new class of payloads", (), None, name, breaking=False)
    for name in ages[0].names():
        if name not in said and name not in ages[1].names():
            yield Change("removed", name, "", "is gone: no field takes such an object", (), name, None, breaking=True)


def _age(model: VideoModel) -> Age:
    return Age(model.known, constructors_of(model))


def _variants(
    old: Sequence[Variant], new: Sequence[Variant], before: Age, after: Age
) -> tuple[list[tuple[Variant, Variant]], list[Variant], list[Variant]]:
    """Pair payload classes by their names, then by what they have in common; give also what came and went."""
    pairs: list[tuple[Variant, Variant]] = []
    rest = list(new)
    for variant in old:
        twin = next((other for other in rest if after.name_of(other.shape) == before.name_of(variant.shape)), None)
        if twin is not None:
            pairs.append((variant, twin))
            rest.remove(twin)
    alone = [variant for variant in old if all(variant is not mine for mine, _ in pairs)]
    scored = [(_likeness(mine.shape, other.shape), mine, other) for mine in alone for other in rest]
    for score, mine, other in sorted(scored, key=lambda item: -item[0]):
        if score >= ALIKE and mine in alone and other in rest:
            pairs.append((mine, other))
            alone.remove(mine)
            rest.remove(other)
    return pairs, alone, rest


def _likeness(old: Object, new: Object) -> float:
    """Tell how alike two objects are, from 0 to 2: by the fields of the smaller one that both have, and a constant."""
    names = [{prop.name for prop in shape.properties} for shape in (old, new)]
    share = len(names[0] & names[1]) / max(min(map(len, names)), 1)
    return share + bool(constants(old) & constants(new))


def _rivals(
    pair: tuple[Variant, Variant],
    pairs: list[tuple[Variant, Variant]],
    variants: Sequence[Variant],
    ages: tuple[Age, Age],
    scope: str,
) -> Iterator[Change]:
    """Compare which other classes the same value must not fit as well, and what those take."""
    old, new = pair
    twins = {ages[1].name_of(other.shape): mine.shape for mine, other in pairs}
    shapes = {ages[1].name_of(variant.shape): variant.shape for variant in variants}
    before = {name for name, shape in twins.items() if shape.pointer in old.rivals}
    after = {name for name, shape in shapes.items() if shape.pointer in new.rivals}
    lists = sorted(before), sorted(after)
    for name in lists[1]:
        if name not in before:
            yield Change("tightened", scope, "", "must not fit {} as well", (name,), *lists, breaking=True)
        elif not _overlap(old.shape, twins[name], shapes[name], ages):
            words = "must not fit {} as well, which takes more now"
            yield Change("tightened", scope, "", words, (name,), *lists, breaking=True)
    for name in lists[0]:
        if name not in after:
            words = "may fit {} as well now"
            yield Change("loosened", scope, "", words, (name,), *lists, breaking=bool(after))


def _overlap(shape: Object, old: Object, new: Object, ages: tuple[Age, Age]) -> bool:
    """Tell whether it is certain that what fits `shape` and `new` has always fitted `old` as well."""
    known = {**ages[0].known, **ages[1].known}
    try:
        both = intersect(shape, new, known)
    except ValueError:
        return False
    return Subset(known, ages[0].known).holds(both, old)


def _shared(old: Found, new: Found) -> Iterator[Change]:
    """Compare what the client asks beside the endpoints of a model."""
    for label, path in ENDPOINTS:
        before = find_operation(old.descriptions, "get", path)
        after = find_operation(new.descriptions, "get", path)
        if before and after:
            yield from compare_answers(label, answers_of(*before), answers_of(*after))
        elif after:
            yield Change("added", label, "", "is described now: {}", (f"GET {path}",), None, path, breaking=False)
        elif before:
            words = "is no longer described: {}"
            yield Change("removed", label, "", words, (f"GET {path}",), path, None, breaking=True)
