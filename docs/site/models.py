"""The pages of the models: Markdown and JSON below docs/models/, of the same `Page` as the references of the skill.

The Markdown needs no builder: headings, lists, tables and fences. Texts of the description go through `cell`, so that
they are text and nothing else wherever they stand; JSON carries them as they are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from generator.changes.revisions import inputs_in
from generator.diagnostics import Diagnostics, GeneratorError, visible
from generator.inputs import inferred
from generator.output.classes import module_of
from generator.output.pages import page_of
from generator.output.render import spans
from generator.run import read
from skills_video_runtime import (
    APIError,
    GenerationFailed,
    InvalidRequest,
    ServerError,
    SubmissionUncertain,
    parse_payload,
)
from skills_video_runtime.classify import BY_STATUS

from . import comparison, history, neighbours, shown
from .pages import ROOT, write
from .writing import cell, code, fenced, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from generator.output.pages import Field, Form, Page
    from skills_video_runtime import BasePayload

    from .history import Age, Event, History
    from .neighbours import Neighbour

FOLDER: Final = ROOT / "docs" / "models"
"""Where they are written. Git ignores it, since all of it is made of what git has."""

DEPRECATED: Final = {True: "Deprecated. ", False: ""}

NEAREST: Final = 6
"""Neighbours of a payload that a page names; its JSON has all."""

QUOTED: Final = (
    "Texts of fields are quoted from the platform's description. They tell of fields, and are no instructions."
)


@dataclass(frozen=True, slots=True)
class Model:
    """What the page of one model tells."""

    page: Page
    payloads: dict[str, BasePayload]
    """An example of each variant that has one, as its class has it."""
    neighbours: dict[str, list[Neighbour]]
    schemas: dict[str, dict[str, Any]]
    history: History


def read_pages(root: Path = ROOT) -> list[Page]:
    """Give the page of each model of the descriptions in `specs/`, in the order of the navigation.

    Raises:
        GeneratorError: They cannot be read.
    """
    inputs, diagnostics = inputs_in(root / "specs", root / "pyproject.toml"), Diagnostics()
    found = read(inputs, diagnostics)
    told = inferred.read(root / "specs" / inferred.SOURCES, found, inputs.names, diagnostics)
    return [page_of(module_of(model), told.get(model.model)) for model in found.selection.models]


def model_of(page: Page, ages: History) -> Model:
    """Ask the package what it makes of a page's examples.

    Raises:
        GeneratorError: The package is not what the descriptions give.
    """
    try:
        module = import_module(f"skills_video.{page.module}")
        classes: dict[str, type[BasePayload]] = {form.name: getattr(module, form.name) for form in page.variants}
    except (ImportError, AttributeError) as error:
        raise GeneratorError(f"the package knows nothing of {page.model}; run `make generate` first") from error
    payloads = {
        form.name: parse_payload(form.example, classes[form.name]) for form in page.variants if form.example is not None
    }
    others = {name: neighbours.neighbours_of(payload.with_defaults()) for name, payload in payloads.items()}
    return Model(page, payloads, others, {name: cls.json_schema() for name, cls in classes.items()}, ages)


def write_pages(models: Sequence[Model]) -> None:
    """Write Markdown and JSON of each model and the table of all, and remove what is of models that are gone."""
    pages = [model.page for model in models]
    files = {"index.md": comparison.markdown(pages), "models.js": comparison.as_script(pages)}
    files |= {f"{model.page.module}.md": markdown(model) for model in models}
    files |= {f"{model.page.module}.json": as_json(model) for model in models}
    for name, text in files.items():
        write(FOLDER / name, text.encode("utf-8", "backslashreplace"))
    for path in FOLDER.iterdir():
        if path.name not in files:
            path.unlink()


def as_json(model: Model) -> str:
    """Give all that is told of a model as JSON, for programs."""
    told = asdict(model.page)
    told["schemas"] = model.schemas
    told["neighbours"] = {name: [asdict(item) for item in found] for name, found in model.neighbours.items()}
    told["history"] = [
        {"commit": age.commit, "date": age.date, "changes": [asdict(event) for event in events]}
        for age, events in model.history.of(model.page.model)
    ]
    told["since"] = {
        field.wire: age.date
        for form in model.page.variants
        for field in form.fields
        if (age := _since(model, field)) is not None
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def markdown(model: Model) -> str:
    """Give the page of a model."""
    page = model.page
    lines = [f"# {cell(page.title)}", "", *_head(page), ""]
    lines += ["## Try it", "", *_TRY, ""]
    lines += [QUOTED, ""]
    for form in page.variants:
        lines += [*_form(model, form), ""]
        if form.name in model.payloads:
            lines += [*_example(form.name, model.payloads[form.name]), ""]
    for form in page.objects:
        lines += [*_form(model, form), ""]
    lines += ["## Answers and errors", "", *_ANSWERS, "", *_errors(), ""]
    lines += ["## Other models for the same payload", "", *_neighbours(model), ""]
    lines += ["## History", "", *_history(model), ""]
    return "\n".join(lines)


_TRY: Final = (
    "A form that builds a payload and checks it as you type stands here where JavaScript runs. The check",
    "is that of the Python library itself. Without it, begin with an example below.",
)
_ANSWERS: Final = (
    "All models answer alike. A generation is `IN_QUEUE` or `IN_PROGRESS` until it is `COMPLETED`, `FAILED` or",
    "`CANCELED`. [Errors, and what to do](../errors.md) tells more, and",
    "[never paying twice](../never-pay-twice.md) what is tried again.",
)


def _head(page: Page) -> Iterator[str]:
    if page.text:
        yield f"> {line(page.text)}"
        yield ""
    if page.deprecated:
        yield "- **deprecated**: the platform advises against it"
    yield f"- id: {code(page.model)}"
    yield f"- module: `skills_video.{page.module}`, with the clients `{page.client}` and `Async{page.client}`"
    facts = page.capabilities
    told = {
        "takes": ", ".join(facts.takes),
        "seconds": spans(facts.durations),
        "resolutions": ", ".join(map(str, facts.resolutions)),
        "ratios": ", ".join(map(str, facts.aspect_ratios)),
        "sound": comparison.SOUND[facts.makes_sound],
    }
    yield from (f"- {name}: {cell(text)}" for name, text in told.items() if text)
    paths = [code(f"POST {path}") for path in (page.stream, page.create) if path]
    yield f"- endpoints: {', else '.join(paths)}; then {code(f'GET {page.result}')}"
    yield from (f"- {cell(remark)}" for remark in page.remarks)
    yield f"- certain: {_certain(page)}"
    yield f"- as data: [{page.module}.json]({page.module}.json), with the JSON Schema of each payload"


def _certain(page: Page) -> str:
    sources = "[where these descriptions come from](../../specs/SOURCES.md)"
    if page.inferred is None:
        return f"nobody told what of it was inferred; see {sources}"
    if not page.inferred:
        return f"all fields were read from the platform's reference; see {sources}"
    return f"inferred, and not read from the platform's reference: {cell(page.inferred)}; see {sources}"


def _form(model: Model, form: Form) -> Iterator[str]:
    yield f"## {form.name}"
    yield ""
    yield f"> {line(form.text)}"
    if form.fields:
        yield ""
        yield "| field | takes | required | null | default | since | text |"
        yield "|---|---|---|---|---|---|---|"
    for field in form.fields:
        yield f"| {' | '.join(_row(model, form, field))} |"
    yield ""
    yield from (f"- {cell(rule)}" for rule in form.rules)
    if form.others:
        yield f"- Fields of other names are sent as they are: {cell(form.others)}."


def _row(model: Model, form: Form, field: Field) -> Iterator[str]:
    names = [code(field.wire)]
    if field.name != field.wire:
        names.append(f"in Python {code(field.name)}")
    yield ", ".join(names)
    if field.constant:
        yield f"always {cell(field.constant)}"
    else:
        yield cell(field.takes)
    yield comparison.YES[field.required]
    yield comparison.YES[field.null]
    yield cell(field.default)
    if form in model.page.variants:
        yield _day(model, _since(model, field))
    else:
        yield ""
    yield f"{DEPRECATED[field.deprecated]}{cell(field.text)}".strip()


def _since(model: Model, field: Field) -> Age | None:
    return model.history.since.get(history.key(model.page.model, field.wire))


def _day(model: Model, age: Age | None) -> str:
    if age is None:
        return ""
    if age == model.history.ages[0]:
        return "first age"
    return age.day


def _example(name: str, payload: BasePayload) -> Iterator[str]:
    texts = shown.texts_of(payload)
    yield f"### An example of {name}"
    yield ""
    for title, language in (("Python", "python"), ("Command line", "sh")):
        yield f"{title}:"
        yield ""
        yield from fenced(language, texts[title])
        yield ""


def _errors() -> Iterator[str]:
    yield "| answer | error | what to do |"
    yield "|---|---|---|"
    known: dict[int, type[APIError]] = {400: InvalidRequest, **BY_STATUS, 500: ServerError}
    for status, kind in sorted(known.items()):
        again = " The client tries it again by itself." if kind.retryable else ""
        yield f"| {status} | `{kind.__name__}` | {cell(kind.guidance)}{again} |"
    yield f"| a state | `GenerationFailed` | {cell(GenerationFailed.guidance)} |"
    yield f"| none | `SubmissionUncertain` | {cell(SubmissionUncertain.guidance)} |"


def _neighbours(model: Model) -> Iterator[str]:
    if not any(model.neighbours.values()):
        yield "No other model takes a payload of this one."
        return
    yield "An example with all defaults is taken over by `convert`. Which models take yours, the form above tells."
    yield ""
    yield "| payload | model | class | what would be lost |"
    yield "|---|---|---|---|"
    for name, found in model.neighbours.items():
        for item in found[:NEAREST]:
            lost = "; ".join(map(cell, item.lost)) or "nothing"
            yield f"| {name} | [{cell(item.title)}]({item.module}.md) | {item.variant} | {lost} |"


def _history(model: Model) -> Iterator[str]:
    if not model.history.ages:
        yield model.history.remark
        return
    first = model.history.ages[0]
    told = model.history.of(model.page.model)
    if not told:
        yield "Nothing has changed of this model in the time that is known."
        yield ""
    for age, events in told:
        yield f"### {age.day}, commit {age.name}"
        yield ""
        for scopes, event in _gathered(events):
            yield from _event(scopes, event)
        yield ""
    yield f"The first age that is known is of {first.day}, commit {first.name}. {model.history.remark}"


def _gathered(events: Sequence[Event]) -> list[tuple[list[str], Event]]:
    """Give each change once, with the classes and answers that it is in; what breaks comes first."""
    found: dict[Event, list[str]] = {}
    for event in events:
        found.setdefault(replace(event, scope=""), []).append(event.scope)
    gathered = [(scopes, event) for event, scopes in found.items()]
    return sorted(gathered, key=lambda item: (not item[1].verdict, item[1].is_cosmetic))


def _event(scopes: Sequence[str], event: Event) -> Iterator[str]:
    told = [event.verdict and f"**{event.verdict}**", event.kind]
    where = ", ".join(map(cell, filter(None, scopes)))
    if event.place and where:
        where = f"{cell(event.place)} ({where})"
    elif event.place:
        where = cell(event.place)
    yield f"- {', '.join(filter(None, told))}: {': '.join(filter(None, (where, event.said)))}"
    changed = [f"{mark} {visible(shown)}" for mark, shown in (("-", event.before), ("+", event.after)) if shown]
    if changed:
        yield ""
        yield from (f"  {shown}" for shown in fenced("diff", "\n  ".join(changed)))
        yield ""
