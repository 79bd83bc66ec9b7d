"""What the descriptions of a platform offer beside its models: each capability, and where it is described."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.json_values import escape, object_of
from generator.schema.algebra import fits
from generator.schema.reader import shape_alone
from generator.schema.types import Number

from .asked import Asked, find_operation
from .capabilities import CANCELED, REPEATED, RESUMED, RESUMED_AFTER, Capability, capability
from .paths import RESULT, model_in, route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.diagnostics import Diagnostics
    from generator.schema.types import Shape

    from .asked import Parameter
    from .description import Description
    from .video_model import VideoModel

RUNNING: Final = "/generations/running"
EVENTS: Final = "text/event-stream"
SAMPLE: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"
"""A value as the runtime sends it in the header by which a post is repeated."""


class Offer(NamedTuple):
    """Something that is offered, in the words that `CAPABILITIES` is asked with, and the place that says so."""

    said: str
    means: Capability
    place: str


@dataclass(frozen=True)
class IdempotencyHeader:
    """A header by which a post can be repeated safely."""

    name: str
    on: tuple[str, ...]
    """`create` and `stream` where all that are described have it, else the paths of those that have."""
    required: bool
    place: str


@dataclass(frozen=True)
class Endpoint:
    """An operation on one generation, whose path has `{id}` in it."""

    method: str
    path: str
    place: str
    takes_event_id: bool = False
    """Whether it is described to take `Last-Event-ID`."""


@dataclass(frozen=True)
class Offered:
    """What is offered. What the runtime knows how to use is apart, and is None where it is not described."""

    idempotency: IdempotencyHeader | None = None
    cancel: Endpoint | None = None
    resume: Endpoint | None = None
    running: tuple[int, str] | None = None
    """The most generations that the running list gives, and the place."""
    offers: tuple[Offer, ...] = ()
    """All, each once, in the order in which they are found."""

    @property
    def others(self) -> list[Offer]:
        """What is offered beside what is apart."""
        apart = (REPEATED, CANCELED, RESUMED, RESUMED_AFTER)
        return [offer for offer in self.offers if offer.means not in apart]


def offered(
    descriptions: Sequence[Description],
    models: Sequence[VideoModel],
    names: Mapping[str, str],
    diagnostics: Diagnostics,
) -> Offered:
    """Find what is offered. What cannot be used as it is described is warned of, and not offered."""
    search = _Search(descriptions, models, names, diagnostics)
    idempotency = search.idempotency()
    cancel, resume = search.endpoint(CANCELED), search.endpoint(RESUMED)
    search.others()
    return Offered(idempotency, cancel, resume, search.running(), tuple(search.offers.values()))


@dataclass
class _Search:
    descriptions: Sequence[Description]
    models: Sequence[VideoModel]
    names: Mapping[str, str]
    diagnostics: Diagnostics
    offers: dict[str, Offer] = field(default_factory=dict[str, Offer])

    def idempotency(self) -> IdempotencyHeader | None:
        """Find the header by which posts can be repeated: that of most of them, where there are several."""
        found: list[tuple[str, str, Asked, Parameter]] = []
        for kind, asked in self._posts():
            for name, parameter in asked.parameters.items():
                if capability(name) is REPEATED and takes_a_key(asked, parameter):
                    found.append((name, kind, asked, parameter))
                elif capability(name) is REPEATED:
                    self._warn(asked, parameter.pointer, f"is not sent: it takes no UUID, such as {SAMPLE}")
                elif name.startswith("header ") and "idempoten" in name:
                    self._warn(asked, parameter.pointer, f"the header {name[7:]!r} is none that can be sent")
        if not found:
            return None
        ((chosen, _),) = Counter(name for name, *_ in found).most_common(1)
        for name, _, asked, parameter in found:
            if name != chosen:
                self._warn(asked, parameter.pointer, f"is not sent: other posts have the {chosen}")
        found = [item for item in found if item[0] == chosen]
        on: list[str] = []
        for kind in ("create", "stream"):
            those = [route(asked.operation.path) for _, its_kind, asked, _ in found if its_kind == kind]
            if len(those) == sum(its_kind == kind for its_kind, _ in self._posts()):
                those = [kind] * bool(those)
            on += those
        _, _, asked, parameter = found[0]
        place = self._offer(chosen, REPEATED, asked.description, parameter.pointer)
        is_required = any(item.is_required for _, _, _, item in found)
        return IdempotencyHeader(str(parameter.value["name"]), tuple(on), is_required, place)

    def endpoint(self, wanted: Capability) -> Endpoint | None:
        """Find an operation on one generation. One whose path says what it is for goes before a bare DELETE."""
        found: list[Endpoint] = []
        for description in self.descriptions:
            for (method, path), operation in description.operations.items():
                said = f"{method.upper()} {route(path)}"
                if capability(said) is not wanted:
                    continue
                asked = Asked(description, operation)
                problem = _problem(asked, wanted)
                if problem:
                    self._warn(asked, operation.pointer, f"{wanted.words}, and no call can: {problem}")
                    continue
                place = self._offer(said, wanted, description, operation.pointer)
                path_of_one = re.sub(r"\{\w+\}", "{id}", route(path))
                last = asked.parameters.get("header last-event-id")
                if wanted is RESUMED and last is not None:
                    self._note("header last-event-id", description, last.pointer)
                found.append(Endpoint(method.upper(), path_of_one, place, last is not None))
        named = [item for item in found if item.path != RESULT]
        return next(iter(named or found), None)

    def running(self) -> tuple[int, str] | None:
        """Find how many generations the running list gives at most."""
        asked = find_operation(self.descriptions, "get", RUNNING)
        if asked is None:
            return None
        limit = asked.parameters.get("query limit")
        if limit is None:
            return None
        shape, _ = _shape(asked, limit)
        if not isinstance(shape, Number) or shape.maximum is None:
            return None
        if shape.maximum < 1:
            self._warn(asked, limit.pointer, "the running list cannot be asked for so few")
            return None
        return int(shape.maximum), self._place(asked.description, limit.pointer)

    def others(self) -> None:
        """Find what no call is made of yet, and what is honoured whether it is described or not."""
        for description in self.descriptions:
            for (method, path), operation in description.operations.items():
                if not model_in(method, path):
                    self._note(f"{method.upper()} {route(path)}", description, operation.pointer)
            for name in object_of(description.document.get("webhooks")):
                self._note(f"webhook {name}", description, f"/webhooks/{escape(name)}")
        gets = [find_operation(self.descriptions, "get", path) for path in (RESULT, RUNNING)]
        for asked in filter(None, (*(asked for _, asked in self._posts()), *gets)):
            for name, parameter in asked.parameters.items():
                if asked.operation.method == "get":
                    self._note(name, asked.description, parameter.pointer)
            for name in asked.headers:
                self._note(f"answer {name}", asked.description, f"{asked.operation.pointer}/responses")

    def _posts(self) -> Iterator[tuple[str, Asked]]:
        """Give what payloads are posted to, as far as it is described, and of which kind it is."""
        for model in self.models:
            for kind, path in (("create", model.create), ("stream", model.stream)):
                found = find_operation(self.descriptions, "post", path or "")
                if found is not None:
                    yield kind, found

    def _note(self, said: str, description: Description, pointer: str) -> None:
        found = capability(said)
        if found not in (None, REPEATED, CANCELED, RESUMED):
            self._offer(said, found, description, pointer)

    def _offer(self, said: str, means: Capability, description: Description, pointer: str) -> str:
        place = self._place(description, pointer)
        self.offers.setdefault(said, Offer(said, means, place))
        return place

    def _place(self, description: Description, pointer: str) -> str:
        return f"{self.names.get(description.file, description.file)}#{pointer}"

    def _warn(self, asked: Asked, pointer: str, message: str) -> None:
        self.diagnostics.warn(asked.description.file, pointer, message)


def takes_a_key(asked: Asked, parameter: Parameter) -> bool:
    """Tell whether a header takes what the runtime sends in it, which is a UUID."""
    shape, known = _shape(asked, parameter)
    return fits(shape, SAMPLE, known)


def _problem(asked: Asked, wanted: Capability) -> str:
    """Say why an operation on one generation cannot be called by its id alone; empty where it can."""
    for name, parameter in asked.parameters.items():
        if parameter.is_required and not name.startswith("path ") and name != "header last-event-id":
            return f"it asks for the {name}"
    if object_of(asked.own("requestBody")).get("required") is True:
        return "it asks for a body"
    if wanted is RESUMED and not _gives_events(asked):
        return "it answers no event stream"
    return ""


def _gives_events(asked: Asked) -> bool:
    """Tell whether a stream of events may be the answer; where no content is described, it may."""
    responses: dict[str, Any] = object_of(asked.own("responses"))
    content = object_of(object_of(responses.get("200") or responses.get("2XX")).get("content"))
    return not content or any(name.partition(";")[0].strip().lower() == EVENTS for name in content)


def _shape(asked: Asked, parameter: Parameter) -> tuple[Shape, Mapping[str, Shape]]:
    return shape_alone(asked.description, parameter.value.get("schema", True), f"{parameter.pointer}/schema")
