"""What an update of the descriptions means: every change between two revisions, model by model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from generator.inputs.paths import RESULT
from generator.output.classes import constructors_of
from generator.schema.algebra import fits, union
from generator.schema.bodies import is_file
from generator.schema.file_fields import constants
from generator.schema.intersection import Intersection
from generator.schema.subset import Subset
from generator.schema.types import Array, Binary, holds, is_exclusive, options_of, with_shape

from .age import Age, names_of
from .body import Revision
from .change import SHARED, Change
from .objects import Comparison
from .operations import compare_bodies, compare_operation
from .pairing import moved
from .platform import compare_platform, with_capabilities
from .prose import OLD, REQUEST, one_line
from .responses import compare_answers
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from generator.inputs.asked import Asked
    from generator.inputs.description import Description
    from generator.inputs.video_model import VideoModel
    from generator.run import Found
    from generator.schema.types import Object, Shape, Variant

ENDPOINTS: Final = (("result", RESULT), ("running", "/generations/running"), ("credits", "/credits"))
"""What the client asks beside the endpoints of a model: name and path."""

NO_PATH: Final = "none"
"""What is said of the stream of a model that has none."""

ALIKE: Final = 0.5
"""The share of fields that two payload classes must have in common to be one that was renamed. The limit is ours."""


def compare(old: Found, new: Found) -> list[Change]:
    """Give every change between two revisions: of each model in the order of the new one, then of what they share."""
    return _Update(Age(old), Age(new)).changes()


def compare_warnings(old: Found, new: Found) -> Iterator[Change]:
    """Give a change for each text of a warning of `generate` that is new, more frequent, or gone.

    That is a sign that a description says what is not understood.
    """
    before, after = (Counter(item.message for item in found.warnings) for found in (old, new))
    names = names_of(new.descriptions)
    for message, times in after.items():
        if times <= before[message]:
            continue
        first = next(item for item in new.warnings if item.message == message)
        change = Change("warning", "generator", "`generate` warns: {}", (message,), "", before[message], times)
        if times > 1:
            change = replace(change, sentence="`generate` warns in {} places: {}", values=(str(times), message))
        yield replace(change, model=SHARED, file=names.get(first.file, first.file), pointer=first.pointer)
    for message, times in before.items():
        if message not in after:
            sentence = "`generate` warns no longer: {}"
            yield Change("warning", "generator", sentence, (message,), "", times, 0, model=SHARED)


@dataclass(frozen=True)
class _Update:
    """Two revisions, compared."""

    old: Age
    new: Age
    answers: dict[tuple[str, ...], tuple[str, list[Change]]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, list[Change]]]
    )
    """What was found in the answers of an operation, with its pointer, by what they are: many models share one."""

    def changes(self) -> list[Change]:
        """Give every change, with its model, its input and its place."""
        before, after = self.old.models, self.new.models
        renamed = _renamed(before, after)
        changes: list[Change] = []
        for name, model in after.items():
            twin = before.get(renamed.get(name, name))
            if twin is None:
                values = model.title, model.module
                found = [Change("added", "model", "is a new model: {}, in the module {}", values, new=model.title)]
            else:
                found = list(self._model(twin, model))
            changes += [_placed(change, model) for change in found]
        for name, model in before.items():
            if name not in after and name not in renamed.values():
                changes += [replace(change, model=name) for change in _removed(model, self.new.found)]
        changes += _order([name for name in before if name in after], [name for name in after if name in before])
        shared = [change for label, path in ENDPOINTS for change in self._endpoint(label, "get", path, path)]
        changes += [replace(change, model=SHARED) for change in (*shared, *self._beside())]
        names = names_of(self.new.found.descriptions)
        main = self.new.found.descriptions[0].file
        stayed = sum(renamed.get(name, name) in before for name in after)
        return [
            replace(
                change,
                file=names.get(change.file or main, change.file),
                pointer=change.pointer or "/paths",
                models=stayed,
            )
            for change in with_capabilities(_once(changes), self.old.found.offered, self.new.found.offered)
        ]

    def _model(self, before: VideoModel, after: VideoModel) -> Iterator[Change]:
        yield from _moved(before, after)
        for label, was, now in (("title", before.title, after.title), ("description", before.text, after.text)):
            if one_line(was) != one_line(now):
                sentence = f"has the {label} “{{}}” now, not “{{}}”"
                yield Change("reworded", label, sentence, (now, was), label, was, now)
        ends = ("stream", before.stream or NO_PATH, after.stream or NO_PATH), ("create", before.create, after.create)
        for label, was, now in ends:
            if was != now and before.model == after.model:
                yield Change("changed", "path", "is {} now, not {}", (now, was), "", was, now, scope=label)
        told: list[Change] = []
        is_alike = self.old.takes(before) == self.new.takes(after)
        if not is_alike:
            told = _found("request-type", _request, before, after, self.new.description_of(after))
        yield from told
        said = {change.said for change in told}
        for label, was, now in ends:
            own: list[Change] = []
            old, new = self.old.asked("post", was), self.new.asked("post", now)
            if old and new and not is_alike and not (self.old.posts(before, old) and self.new.posts(after, new)):
                own = _found("request-type", compare_bodies, f"{label}.request", old, new)
            own = [change for change in own if change.said not in said]
            yield from self._endpoint(label, "post", was, now, own)

    def _endpoint(self, label: str, method: str, old: str, new: str, own: Iterable[Change] = ()) -> Iterator[Change]:
        """Compare how an endpoint that the client asks is called and what it answers; `own` is of what it takes."""
        before, after = self.old.asked(method, old), self.new.asked(method, new)
        was, now = (f"{method.upper()} {path}" for path in (old, new))
        if before and after:
            yield from compare_operation(label, before, after)
            yield from own
            yield from self._answers(label, before, after)
        elif after:
            yield Change("added", "operation", "is described now: {}", (now,), new=new, scope=label)
        elif before:
            change = Change("removed", "operation", "is no longer described: {}", (was,), old=old, scope=label)
            if method == "get":  # a model that is still made has another end to post to
                change = replace(change, breaking=True, witness=Witness("request", was))
            yield change

    def _answers(self, label: str, old: Asked, new: Asked) -> Iterator[Change]:
        """Compare answers, those that are alike once."""
        was, now = self.old.digest(old, "responses"), self.new.digest(new, "responses")
        if was == now:
            return
        key = label, was, now, old.description.file, new.description.file
        if key not in self.answers:
            self.answers[key] = new.operation.pointer, _found("answer-type", compare_answers, label, old, new)
        pointer, changes = self.answers[key]
        for change in changes:
            yield replace(change, pointer=change.pointer.replace(pointer, new.operation.pointer, 1))

    def _beside(self) -> Iterator[Change]:
        called = [("get", path) for _, path in ENDPOINTS]
        for model in (*self.old.models.values(), *self.new.models.values()):
            called += [("post", model.stream or ""), ("post", model.create)]
        return compare_platform(self.old.found.descriptions, self.new.found.descriptions, called)


def _found(about: str, compared: Callable[..., Iterable[Change]], *sides: Any) -> list[Change]:
    """Give changes of a body, or one that may break where its objects lead too deeply into one another for that."""
    try:
        return list(compared(*sides))
    except RecursionError:
        sentence = "leads through too many objects, one inside the other, to be compared"
        return [Change("changed", about, sentence, breaking=True)]


def _once(changes: Iterable[Change]) -> Iterable[Change]:
    """Tell once what is the same of several alternatives of a field, shown by a case if that is found for one."""
    told: dict[tuple[str, ...], Change] = {}
    for change in changes:
        key = change.model, change.scope, *change.said
        if key not in told or (change.witness and not told[key].witness):
            told[key] = change
    return told.values()


def _placed(change: Change, model: VideoModel) -> Change:
    """Say what model a change is of; where nothing else is said, it stands where that is described."""
    place = change.pointer or model.pointer.partition("/requestBody")[0]
    return replace(change, model=model.model, file=change.file or model.file, pointer=place)


def _order(before: list[str], after: list[str]) -> Iterator[Change]:
    for name, _, now in moved(before, after):
        if now:
            yield Change("reordered", "model", "stands after {} in the list of models now", (now,), model=name)
        else:
            yield Change("reordered", "model", "stands first in the list of models now", model=name)


def _renamed(before: dict[str, VideoModel], after: dict[str, VideoModel]) -> dict[str, str]:
    """Tell which models of a new id are models of an old one: those that alone have its title."""
    removed = [model for model in before.values() if model.model not in after]
    added = [model for model in after.values() if model.model not in before]
    titles = [model.title for model in (*removed, *added)]
    pairs = [(new, old) for new in added for old in removed if new.title == old.title]
    return {new.model: old.model for new, old in pairs if titles.count(new.title) == 2}


def _removed(model: VideoModel, new: Found) -> Iterator[Change]:
    pages = {f"post {path}" for path in (model.create, model.stream)}
    reasons = [item.reason for item in new.selection.passed_over if one_line(item.page.lower()) in pages]
    sentence = "is gone, and with it the module {}"
    if reasons:
        sentence = f"{sentence}: {{}}"
    witness = Witness("call", f"from skills_video import {model.module}")
    yield Change("removed", "model", sentence, (model.module, *reasons[:1]), "", model.title, None, breaking=True,
                 witness=witness)  # fmt: skip


def _moved(old: VideoModel, new: VideoModel) -> Iterator[Change]:
    ids, modules = (old.model, new.model), (old.module, new.module)
    witness = Witness("call", f"from skills_video import {old.module}")
    if old.model == new.model and old.module != new.module:
        yield Change("moved", "module", "has the module {} now, not {}", modules[::-1], "", *modules, breaking=True,
                     witness=witness)  # fmt: skip
    elif old.module != new.module:
        sentence, values = "was {}; its module is {} now, not {}", (old.model, new.module, old.module)
        yield Change("moved", "model", sentence, values, "", *ids, breaking=True, witness=witness)
    elif old.model != new.model:
        yield Change("moved", "model", "was {}; its module is still {}", (old.model, new.module), "", *ids)


def _request(old: VideoModel, new: VideoModel, description: Description) -> Iterator[Change]:
    """Compare what a model takes: its payload classes, and the classes inside of them."""
    before = Revision(old.known, constructors_of(old))
    after = Revision(new.known, constructors_of(new), description, new.pointer)
    mine = {before.name_of(variant.shape): variant for variant in old.variants}
    others = {after.name_of(variant.shape): variant for variant in new.variants}
    twins = _twins(mine, others)
    told = set(mine) | {found.name for found in after.classes.values()}
    for now, was in twins.items():
        scope = now if len(mine) + len(others) > 2 or now != was else ""
        comparison = Comparison(REQUEST, scope, before, after)
        if was != now:
            witness = comparison.calling(mine[was].shape)
            sentence = "is the class that was {}"
            yield Change("moved", "class", sentence, (was,), "", was, now, scope=now, breaking=True,
                         witness=witness)  # fmt: skip
        comparison.compare(mine[was].shape, others[now].shape)
        _bodies(comparison, mine[was].shape, others[now].shape)
        told.update(change.old for change in comparison.changes if change.kind == "moved")
        comparison.proof.whole = comparison.proof.here = old.request, new.request
        _rivals(comparison, now, {name: mine[twin] for name, twin in twins.items()}, others)
        for change in comparison.changes:
            yield _shown_of_all(change, comparison, mine[was].shape)
    order = Comparison(REQUEST, "", before, after)
    kept = {name: variant.shape for name, variant in mine.items() if name in twins.values()}
    order.order("", kept, {twins[name]: variant.shape for name, variant in others.items() if name in twins})
    yield from order.changes
    for name, variant in mine.items():
        if name not in twins.values():
            sentence, witness = "is gone: the class, and what it took", order.calling(variant.shape)
            yield Change("removed", "class", sentence, (), "", name, scope=name, breaking=True, witness=witness)
    for name in others:
        if name not in twins:
            yield Change("added", "class", "is a new class of payloads", new=name, scope=name)
    for found in before.classes.values():
        if found.name not in told:
            sentence = "is gone: no field takes such an object"
            witness = Witness("call", f"from skills_video.{old.module} import {found.name}")
            yield Change("removed", "class", sentence, (), "", found.name, scope=found.name, breaking=True,
                         witness=witness)  # fmt: skip


def _shown_of_all(change: Change, comparison: Comparison, shape: Object) -> Change:
    """Show by a call of its class what other classes take as well, and by nothing what they kept from being taken."""
    witness, (old, new) = change.witness, comparison.proof.whole
    if witness is None or witness.form != "payload":
        return change
    if not fits(old, witness.value, comparison.old.known):
        return replace(change, witness=None)
    if fits(new, witness.value, comparison.new.known):
        return replace(change, witness=comparison.calling(shape, witness.value))
    return change


def _bodies(comparison: Comparison, old: Object, new: Object) -> None:
    """Add what changed in what must be sent as JSON, or as a form, where these differ.

    Of an object that says both, a field with a file inside of an object tells nothing of JSON.
    """
    if not (old.bodies or new.bodies):
        return
    before, after = old.bodies or (_as_json(old), old), new.bodies or (_as_json(new), new)
    files = [prop.name for shape, (json, _) in ((old, before), (new, after)) for prop in json.properties
             if not shape.bodies and holds(prop.shape, Binary)]  # fmt: skip
    as_json = _without(before[0], files), _without(after[0], files)
    for word, (was, now) in (("JSON", as_json), ("a form", (before[1], after[1]))):
        said = {change.said for change in comparison.changes}
        own = Comparison(REQUEST, comparison.scope, comparison.old, comparison.new)
        own.compare(was, now)
        for change in own.changes:
            if change.said not in said:
                sentence, values = f"{change.sentence} (as {{}})", (*change.values, word)
                comparison.changes.append(replace(change, sentence=sentence, values=values))


def _as_json(shape: Object) -> Object:
    """Give what an object that says both says of JSON: files may stand in a form alone."""
    bare = _without(shape, [prop.name for prop in shape.properties if is_file(prop.shape)])
    return replace(bare, properties=tuple(with_shape(prop, _bare(prop.shape)) for prop in bare.properties))


def _bare(shape: Shape) -> Shape:
    if isinstance(shape, Array):
        return replace(shape, items=_bare(shape.items))
    options = [option for option in options_of(shape) if not isinstance(option, Binary)]
    if len(options) in (0, len(options_of(shape))):
        return shape
    return union(options, exclusive=is_exclusive(shape))


def _without(shape: Object, names: Collection[str]) -> Object:
    return replace(
        shape,
        properties=tuple(prop for prop in shape.properties if prop.name not in names),
        required=tuple(name for name in shape.required if name not in names),
    )


def _twins(old: dict[str, Variant], new: dict[str, Variant]) -> dict[str, str]:
    """Pair payload classes by their names, then by what they have in common: give each new name its old one."""
    twins = {name: name for name in old if name in new}
    pairs = [(was, now) for was in old if was not in new for now in new if now not in old]
    scored = [(_likeness(old[was].shape, new[now].shape), was, now) for was, now in pairs]
    for score, was, now in sorted(scored, key=lambda item: -item[0]):
        if score >= ALIKE and now not in twins and was not in twins.values():
            twins[now] = was
    return twins


def _likeness(old: Object, new: Object) -> float:
    """Tell how alike two objects are, from 0 to 2: by the fields of the smaller one that both have, and a constant."""
    names = [{prop.name for prop in shape.properties} for shape in (old, new)]
    share = len(names[0] & names[1]) / max(min(map(len, names)), 1)
    return share + bool(constants(old) & constants(new))


def _rivals(comparison: Comparison, own: str, old: dict[str, Variant], new: dict[str, Variant]) -> None:
    """Compare which other classes the same value must not fit as well, and what those take.

    Both revisions stand by the names that the new one gives to classes.
    """
    before = sorted(name for name, variant in old.items() if variant.shape.pointer in old[own].rivals)
    after = sorted(name for name, variant in new.items() if variant.shape.pointer in new[own].rivals)
    for name in after:
        if name not in before:
            sentence = "must not fit {} as well"
            comparison.add("tightened", "rival", "", (before, after), sentence, name, among=old[own].shape)
        elif not _overlap(comparison, old[own].shape, old[name].shape, new[name].shape):
            sentence = "must not fit {} as well, which takes more now"
            comparison.add("tightened", "rival", "", (before, after), sentence, name, among=old[own].shape)
    for name in before:
        if name not in after:
            sentence, witness = "may fit {} as well now", comparison.proof.parted(OLD, among=old[own].shape)
            comparison.add("loosened", "rival", "", (before, after), sentence, name, witness=witness,
                           breaking=bool(after))  # fmt: skip


def _overlap(comparison: Comparison, shape: Object, old: Object, new: Object) -> bool:
    """Tell whether it is certain that what fits `shape` and `new` has always fitted `old` as well."""
    known = {**comparison.old.known, **comparison.new.known}
    try:
        return Subset(known, comparison.old.known).holds(Intersection(known).of(shape, new), old)
    except ValueError:
        return False
