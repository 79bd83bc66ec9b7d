"""One `VideoModel` per model: its endpoints, its request schema, its title and text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.diagnostics import GeneratorError
from generator.json_values import array_of, escape, object_of
from generator.names import client_name, module_name
from generator.schema.file_fields import overlay
from generator.schema.reader import SchemaReader
from generator.schema.subset import Subset
from generator.schema.types import variants_of

from .navigation import PassedOver
from .paths import below_base, route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.diagnostics import Diagnostics
    from generator.schema.types import Shape, Variant

    from .description import Description, Operation
    from .navigation import Listed

RESULT = "/generation/{id}"
"""Where the platform gives the state of a generation, whatever its model."""

_PASSED_OVER = ("accept", "authorization", "content-type")
_MODEL = re.compile(r"/generation/(?:sse/)?(?P<model>[A-Za-z0-9._~@:+-]+(?:/[A-Za-z0-9._~@:+-]+)*)")


@dataclass(frozen=True, slots=True)
class VideoModel:
    """A model with its pair of endpoints, whose paths start below the base URL."""

    model: str
    module: str
    title: str
    text: str
    stream: str
    create: str
    result: str
    file: str
    """The description that the model's request schema came from."""
    pointer: str
    """Where its request body stands in that file."""
    request: Shape
    """What its endpoints take, with the files that the form of the create endpoint takes."""
    variants: tuple[Variant, ...]
    """The objects that the request may be."""
    is_union: bool
    """Whether the request is written as one of several, be they one."""
    known: Mapping[str, Shape]
    """What references within the request lead to."""
    deprecated: bool = False
    """Whether one of its operations is deprecated."""

    @property
    def client(self) -> str:
        """The name of its client class."""
        return client_name(self.module)


@dataclass(frozen=True, slots=True)
class Selection:
    """The models in the order of the navigation, and what was passed over."""

    models: tuple[VideoModel, ...]
    passed_over: tuple[PassedOver, ...]


def select(
    listed: Sequence[Listed | PassedOver],
    listing: str,
    descriptions: Sequence[Description],
    overrides: Mapping[str, str],
    diagnostics: Diagnostics,
) -> Selection:
    """Find the pair of endpoints and the request schema of each operation that is listed.

    `listing` is the file that lists them; of the descriptions, a later one wins over an earlier one.

    Raises:
        GeneratorError: a schema cannot be read, or two models have one module name.
    """
    selector = _Selector(descriptions, listing, overrides, diagnostics)
    models: dict[str, VideoModel] = {}
    for entry in listed:
        if isinstance(entry, PassedOver):
            selector.passed_over.append(entry)
        elif found := selector.model(entry):
            models.setdefault(found.model, found)
    modules: dict[str, str] = {}
    for model in models.values():
        other = modules.setdefault(model.module, model.model)
        if other != model.model:
            raise GeneratorError(
                f"the models {other!r} and {model.model!r} have one module name, {model.module!r}; give one of them "
                f'another in pyproject.toml: [tool.generator.modules], {model.model!r} = "module_name"'
            )
    for unused in sorted(overrides.keys() - models.keys()):
        diagnostics.warn("pyproject.toml", "/tool/generator/modules", f"{unused!r} names no model that is listed")
    return Selection(tuple(models.values()), tuple(selector.passed_over))


def find_operation(descriptions: Sequence[Description], method: str, path: str) -> tuple[Description, Operation] | None:
    """Look an operation up: in the model-scoped descriptions, the last one first, then in the platform's."""
    for description in (*reversed(descriptions[1:]), descriptions[0]):
        operation = description.operation(method, path)
        if operation is not None:
            return description, operation
    return None


@dataclass(slots=True)
class _Selector:
    descriptions: Sequence[Description]
    listing: str
    overrides: Mapping[str, str]
    diagnostics: Diagnostics
    readers: dict[tuple[str, bool], SchemaReader] = field(default_factory=dict[tuple[str, bool], SchemaReader])
    passed_over: list[PassedOver] = field(default_factory=list[PassedOver])

    def model(self, entry: Listed) -> VideoModel | None:
        """Give the model behind a listed operation, or say why there is none."""
        model = self._model_id(entry)
        if not model:
            return None
        create = find_operation(self.descriptions, "post", f"/generation/{model}")
        stream = find_operation(self.descriptions, "post", f"/generation/sse/{model}")
        if create is None:
            where = "only as a stream"
            if stream is None:
                where = "in no description"
            self._pass_over(entry, f"POST /generation/{model} is described {where}; add it, or unlist it")
            return None
        if stream is None:
            reason = f"its stream, POST /generation/sse/{model}, is described nowhere; add it, or unlist the page"
            self._pass_over(entry, reason)
            return None
        platform = self.descriptions[0]
        pair = sorted((create, stream), key=lambda found: found[0] is platform)
        bodies = [body for found in pair for body in _bodies(*found)]
        body = next((body for body in bodies if not body.is_form), None)
        form = next((body for body in bodies if body.is_form), None)
        chosen = body or form
        if chosen is None:
            self._pass_over(entry, "no JSON object or form is described that could be posted to it")
            return None
        shape = self._shape(chosen)
        if body and form:
            shape = overlay(shape, self._shape(form))
        self._report_others(chosen, bodies)
        known = self._reader(chosen).known
        variants = variants_of(shape, known)
        if not variants:
            self._pass_over(entry, "its body is no object that could be posted")
            return None
        for description, operation in (stream, create):
            self._report_parameters(description, operation)
        operations = [operation for _, operation in pair]
        _, schema = chosen.description.follow(chosen.description.at(chosen.pointer), chosen.pointer)
        return VideoModel(
            model=model,
            module=module_name(model, self.overrides),
            title=next((operation.summary for operation in operations if operation.summary), model),
            text=next((operation.text for operation in operations if operation.text), ""),
            stream=below_base(stream[1].path),
            create=below_base(create[1].path),
            result=RESULT,
            file=chosen.description.file,
            pointer=chosen.pointer,
            request=shape,
            variants=variants,
            is_union=len(variants) > 1 or not {"anyOf", "oneOf"}.isdisjoint(object_of(schema)),
            known=known,
            deprecated=any(operation.deprecated for operation in operations),
        )

    def _model_id(self, entry: Listed) -> str:
        """Give the model that an operation generates with, empty where it does not."""
        path = route(entry.path)
        match = _MODEL.fullmatch(path)
        if entry.method == "post" and match and not any(set(part) <= {"."} for part in path.split("/")[1:]):
            return match["model"]
        if entry.explicit and "/generation/" in path and entry.method == "post":
            self._pass_over(entry, "its path does not name a model: /generation/ and one or more names")
        elif entry.explicit:
            self._pass_over(entry, "it creates no generation", note=True)
        return ""

    def _shape(self, body: _Body) -> Shape:
        return self._reader(body).body(body.description.at(body.pointer), body.pointer)

    def _report_others(self, chosen: _Body, bodies: Sequence[_Body]) -> None:
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

    def _report_parameters(self, description: Description, operation: Operation) -> None:
        """Say of parameters, of the operation and of its path, that they are required and cannot be given.

        Headers that OpenAPI itself passes over ("Parameter Object", `name`) are no reason for a remark.
        """
        for above in (operation.pointer, operation.pointer.rpartition("/")[0]):
            for index, item in enumerate(array_of(description.at(f"{above}/parameters"))):
                pointer, parameter = description.follow(item, f"{above}/parameters/{index}")
                if object_of(parameter).get("required") is not True:
                    continue
                name = parameter.get("name")
                if parameter.get("in") == "header" and str(name).lower() in _PASSED_OVER:
                    continue
                message = f"the parameter {name!r} is required, and no payload can hold it"
                self.diagnostics.warn(description.file, pointer, message)

    def _reader(self, body: _Body) -> SchemaReader:
        key = (body.description.file, body.is_form)
        return self.readers.setdefault(key, SchemaReader(body.description, self.diagnostics, body.is_form))

    def _pass_over(self, entry: Listed, reason: str, *, note: bool = False) -> None:
        self.passed_over.append(PassedOver(entry.page, reason))
        report = self.diagnostics.warn
        if note:
            report = self.diagnostics.note
        report(self.listing, entry.pointer, f"{entry.page.strip()!r} is passed over: {reason}")


@dataclass(frozen=True, slots=True)
class _Body:
    description: Description
    pointer: str
    is_form: bool


def _bodies(description: Description, operation: Operation) -> Iterator[_Body]:
    """Find the schemas of a request body that are of use: JSON and forms with files."""
    pointer = f"{operation.pointer}/requestBody"
    pointer, body = description.follow(description.at(pointer), pointer)
    for media_type, value in object_of(object_of(body).get("content")).items():
        name = media_type.partition(";")[0].strip().lower()
        is_form = name == "multipart/form-data"
        if "schema" in object_of(value) and (is_form or re.fullmatch(r".*[/+]json", name)):
            yield _Body(description, f"{pointer}/content/{escape(media_type)}/schema", is_form)
