"""One `VideoModel` per model: its endpoints, its request schema, its title and text."""

from __future__ import annotations

import re
from collections import ChainMap
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from generator.diagnostics import GeneratorError
from generator.json_values import array_of, escape, object_of
from generator.names import module_name
from generator.schema.bodies import Bodies
from generator.schema.reader import SchemaReader
from generator.schema.subset import Subset
from generator.schema.types import Never, variants_of

from .asked import ALWAYS_SENT, MULTIPART, find_operation
from .capabilities import REPEATED, capability
from .navigation import Listed, PassedOver, tagged
from .paths import RESULT, below_base, model_in, route
from .video_model import Selection, VideoModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.diagnostics import Diagnostics
    from generator.schema.types import Shape
    from generator.settings import Choices

    from .asked import Asked, Body
    from .description import Description, Operation
    from .navigation import Listing

_NO_MODEL = "it creates no generation: that is POST /generation/<model>, with its stream POST /generation/sse/<model>"


def select(
    listing: Listing,
    descriptions: Sequence[Description],
    overrides: Mapping[str, str],
    choices: Choices,
    diagnostics: Diagnostics,
) -> Selection:
    """Find the endpoints and the request schema of each operation that is listed.

    Of the descriptions, a later one wins over an earlier one. A model that cannot be made is passed over with a
    warning, and so is whatever is described and listed nowhere.
    """
    selector = _Selector(descriptions, listing, overrides, choices, diagnostics)
    models: dict[str, VideoModel] = {}
    modules: dict[str, dict[str, Listed]] = {}
    for entry in listing.entries:
        if isinstance(entry, PassedOver):
            selector.passed_over.append(entry)
        elif found := selector.model(entry):
            models.setdefault(found.model, found)
            modules.setdefault(found.module, {}).setdefault(found.model, entry)
    for module, pages in modules.items():
        if len(pages) > 1:
            for name, page in pages.items():
                selector.pass_over(page, _clash(name, pages, module))
                del models[name]
    selector.report_unlisted()
    listed = {model_in(entry.method, entry.path) for entry in listing.entries if isinstance(entry, Listed)}
    for unused in sorted(overrides.keys() - listed):
        diagnostics.warn("pyproject.toml", "/tool/generator/modules", f"{unused!r} names no model that is listed")
    _note_undescribed(listing, list(models.values()), choices, diagnostics)
    return Selection(tuple(models.values()), tuple(selector.passed_over))


def _clash(name: str, names: Iterable[str], module: str) -> str:
    others = " and ".join(repr(other) for other in names if other != name)
    return (
        f"{others} has the module name {module!r} too; give one of them another in pyproject.toml: "
        f'[tool.generator.modules], {name!r} = "module_name"'
    )


def _note_undescribed(
    listing: Listing, models: Sequence[VideoModel], choices: Choices, diagnostics: Diagnostics
) -> None:
    """Say once, of all models, which of their endpoints are not described and what is done about it."""
    taken = "they are polled, by streams in [tool.generator] of pyproject.toml"
    if choices.streams == "by-rule":
        taken = "by streams in [tool.generator] of pyproject.toml it is taken to be the create path with sse/ in it"
    for silent, kind, consequence in (
        ([model for model in models if not model.stream_is_described], "stream", taken),
        ([model for model in models if not model.create_is_described], "create endpoint", "payloads go to the stream"),
    ):
        if silent:
            names = ", ".join(model.model for model in silent[:3])
            if len(silent) > 3:
                names += ", …"
            message = f"no {kind} is described of {len(silent)} of {len(models)} models ({names}): {consequence}"
            diagnostics.note(listing.file, "", message)


@dataclass
class _Selector:
    descriptions: Sequence[Description]
    listing: Listing
    overrides: Mapping[str, str]
    choices: Choices
    diagnostics: Diagnostics
    readers: dict[tuple[str, bool], SchemaReader] = field(default_factory=dict[tuple[str, bool], SchemaReader])
    bodies: dict[tuple[str, str], Bodies] = field(default_factory=dict[tuple[str, str], Bodies])
    passed_over: list[PassedOver] = field(default_factory=list[PassedOver])

    def model(self, entry: Listed) -> VideoModel | None:
        """Give the model behind a listed operation, or say why there is none."""
        model = self._model_id(entry)
        if not model:
            return None
        try:
            return self._model(model)
        except GeneratorError as error:
            self.pass_over(entry, str(error))
            return None

    def _model(self, model: str) -> VideoModel:
        create = find_operation(self.descriptions, "post", f"/generation/{model}")
        stream = find_operation(self.descriptions, "post", f"/generation/sse/{model}")
        described = create or stream
        if described is None:
            raise GeneratorError(f"POST /generation/{model} is described in no description; add it, or unlist it")
        if create is None and not self._has_result:
            raise GeneratorError(
                f"only its stream is described, and GET {RESULT} is not; add POST /generation/{model}, or unlist it"
            )
        platform = self.descriptions[0]
        pair = sorted(filter(None, (create, stream)), key=lambda found: found.description is platform)
        bodies = [body for found in pair for body in found.bodies if body.is_of_use]
        body = next((body for body in bodies if not body.is_form), None)
        forms = [body for body in bodies if body.is_form]
        form = next((body for body in forms if body.media_type == MULTIPART), next(iter(forms), None))
        chosen = body or form
        if chosen is None:
            raise GeneratorError(_missing(pair))
        shape = self._shape(chosen)
        known: Mapping[str, Shape] = self._reader(chosen).known
        if body and form:
            shared = self._shared_by(body, form)
            shape = shared.together(shape, self._shape(form))
            known = shared.known
        self._report_others(chosen, bodies)
        if form:
            self._report_encoding(form)
        variants = variants_of(shape, known)
        if body is None:
            variants = tuple(replace(variant, shape=replace(variant.shape, as_form=True)) for variant in variants)
        if not variants:
            reason = "its body is no object that could be posted"
            if isinstance(shape, Never) and shape.reason:
                reason += f": {shape.reason}"
            raise GeneratorError(reason)
        for asked in filter(None, (stream, create)):
            self._report_parameters(asked)
        operations = [found.operation for found in pair]
        _, schema = chosen.description.follow(chosen.description.at(chosen.pointer), chosen.pointer)
        return VideoModel(
            model=model,
            module=module_name(model, self.overrides),
            title=next((operation.summary for operation in operations if operation.summary), model),
            text=next((operation.text for operation in operations if operation.text), ""),
            stream=self._stream(create, stream),
            create=below_base(described.operation.path).replace("/generation/sse/", "/generation/", 1),
            file=chosen.description.file,
            pointer=chosen.pointer,
            request=shape,
            variants=variants,
            is_union=len(variants) > 1 or not {"anyOf", "oneOf"}.isdisjoint(object_of(schema)),
            known=known,
            form=form.media_type if form else "",
            deprecated=any(operation.deprecated for operation in operations),
            stream_is_described=stream is not None,
            create_is_described=create is not None,
        )

    def _stream(self, create: Asked | None, stream: Asked | None) -> str | None:
        if stream is not None:
            return below_base(stream.operation.path)
        if create is None or self.choices.streams == "described":
            return None
        return below_base(create.operation.path).replace("/generation/", "/generation/sse/", 1)

    @cached_property
    def _has_result(self) -> bool:
        """Whether the state of a generation can be asked for, whatever its id is called."""
        return any(
            method == "get" and re.fullmatch(r"/generation/\{[^/{}]+\}", route(path))
            for description in self.descriptions
            for method, path in description.operations
        )

    def report_unlisted(self) -> None:
        """Name what is described and nothing lists: models, and what has the tag of a group or nearly creates one."""
        known = set(self.listing.elsewhere or ())
        known.update((entry.method, route(entry.path)) for entry in self.listing.entries if isinstance(entry, Listed))
        for description in self.descriptions:
            operations = description.operations.values()
            for pointer, message in description.broken.items():
                self.diagnostics.warn(description.file, pointer, f"the path is passed over: {message}")
            in_group = {id(operation) for operation in tagged(description, self.choices)}
            for operation in operations:
                model = model_in(operation.method, operation.path)
                is_meant = id(operation) in in_group or (
                    operation.method == "post" and "/generation/" in operation.path
                )
                if capability(f"{operation.method.upper()} {route(operation.path)}") is not None:
                    continue
                keys = {(operation.method, route(operation.path))}
                if model:
                    keys = {("post", f"/generation/{model}"), ("post", f"/generation/sse/{model}")}
                if keys.isdisjoint(known) and is_meant:
                    known |= keys
                    self._report_unlisted(description, operation, model)

    def _report_unlisted(self, description: Description, operation: Operation, model: str) -> None:
        name = PurePosixPath(self.listing.file).name
        report, reason = self.diagnostics.warn, f"{name} lists it nowhere; list it, or hide it (x-hidden)"
        if not model:
            reason = _NO_MODEL
        elif not operation.listed:
            report, reason = self.diagnostics.note, "it is hidden, and no page lists it"
        elif self.listing.elsewhere is None and operation.tags:
            return
        elif self.listing.elsewhere is None:
            report, reason = self.diagnostics.note, f"it has not the tag {self.choices.said}"
        page = f"{operation.method.upper()} {operation.path}"
        self.passed_over.append(PassedOver(page, reason))
        report(description.file, operation.pointer, f"{page!r} is passed over: {reason}")

    def _model_id(self, entry: Listed) -> str:
        model = model_in(entry.method, entry.path)
        if model or not entry.explicit:
            return model
        if "/generation/" in entry.path and entry.method == "post":
            self.pass_over(entry, "its path does not name a model: /generation/ and one or more names")
        else:
            self.pass_over(entry, _NO_MODEL)
        return ""

    def _shape(self, body: Body) -> Shape:
        return self._reader(body).body(body.description.at(body.pointer), body.pointer)

    def _report_others(self, chosen: Body, bodies: Sequence[Body]) -> None:
        """Say of other JSON bodies of the same description that they take something else."""
        for other in bodies:
            if other.is_form or other.description is not chosen.description:
                continue
            if other.description.at(other.pointer) == chosen.description.at(chosen.pointer):
                continue
            ours, theirs = self._shape(chosen), self._shape(other)
            subset = Subset(self._reader(chosen).known, self._reader(chosen).known)
            if not (subset.holds(ours, theirs) and subset.holds(theirs, ours)):
                message = f"takes something else than #{chosen.pointer}, which is what payloads are made of"
                self.diagnostics.note(other.description.file, other.pointer, f"{message}; make them alike")

    def _report_encoding(self, form: Body) -> None:
        """Say of fields of a form that they are to be written in a way that no form here has."""
        for name, said in object_of(form.said.get("encoding")).items():
            own = object_of(said)
            if own.get("explode") is False or own.get("style", "form") != "form":
                pointer = f"{form.pointer.removesuffix('/schema')}/encoding/{escape(name)}"
                message = "is not followed: a list is sent by repeating its name, and an object as JSON in a text"
                self.diagnostics.warn(form.description.file, pointer, message)

    def _report_parameters(self, asked: Asked) -> None:
        """Say of parameters, of the operation and of its path, that they are required and cannot be given."""
        description = asked.description
        for above in (asked.operation.pointer, asked.path_item):
            for index, item in enumerate(array_of(description.at(f"{above}/parameters"))):
                pointer, parameter = description.follow(item, f"{above}/parameters/{index}")
                if object_of(parameter).get("required") is not True:
                    continue
                said = f"{parameter.get('in')} {parameter.get('name')}".lower()
                if said in ALWAYS_SENT or capability(said) is REPEATED:
                    continue
                message = f"the parameter {parameter.get('name')!r} is required, and no payload can hold it"
                self.diagnostics.warn(description.file, pointer, message)

    def _shared_by(self, body: Body, form: Body) -> Bodies:
        key = (body.description.file, form.description.file)
        if key not in self.bodies:
            self.bodies[key] = Bodies(ChainMap(self._reader(body).known, self._reader(form).known))
        return self.bodies[key]

    def _reader(self, body: Body) -> SchemaReader:
        key = (body.description.file, body.is_form)
        return self.readers.setdefault(key, SchemaReader(body.description, self.diagnostics, body.is_form))

    def pass_over(self, entry: Listed, reason: str) -> None:
        self.passed_over.append(PassedOver(entry.page, reason))
        report = self.diagnostics.warn
        if reason == _NO_MODEL:
            report = self.diagnostics.note
        report(self.listing.file, entry.pointer, f"{entry.page.strip()!r} is passed over: {reason}")


def _missing(operations: Iterable[Asked]) -> str:
    found = [body for operation in operations for body in operation.bodies]
    for body in found:
        if "itemSchema" in body.said:
            return (
                f"its body is described by 'itemSchema', as a sequence of items ({body.media_type}), and a payload is "
                "one object, posted whole; add its 'schema' under application/json, or unlist it"
            )
    reason = "no JSON object or form is described that could be posted to it"
    if found:
        names = ", ".join(dict.fromkeys(body.media_type for body in found))
        reason += f", but {names}; add the 'schema' of application/json, or unlist it"
    return reason
