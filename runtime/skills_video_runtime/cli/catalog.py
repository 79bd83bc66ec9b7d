"""The models that the command line was handed: which one is meant, and what is told of them all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from skills_video_runtime.catalog import Models
from skills_video_runtime.choosing import nearest

from .output import UsageProblem, amount, is_terminal, lines, say, say_json, table, yes_or_no

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skills_video_runtime.catalog import ModelInfo
    from skills_video_runtime.payloads.base import BasePayload

MOST_NAMED = 8
HEADER = ("model", "module", "title", "takes", "seconds", "resolutions", "ratios", "sound")
SHORT_HEADER = ("model", "seconds", "ratios", "up to", "sound", "takes")
SHORT_WIDTHS = (27, 7, 12, 5, 5)  # by which 31 models fit on 80 columns; what is longer moves the rest
FIRST_RATIOS = ("16:9", "9:16")
MEDIA = ("image", "video", "audio")
PRICES = "https://skills.video/pricing"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models, and the package that their modules are in."""

    models: Sequence[ModelInfo]
    package: str

    def find(self, text: str) -> ModelInfo:
        """Give the model of an id, of a module, of the last part of an id, of a title, or of a part of these.

        What is spelt exactly goes before what is spelt with other signs or none between its words (`kling 2.6`), and a
        whole name before a part of one.

        Raises:
            UsageProblem: No model is meant, or several; the nearest ones are named.
        """
        wanted = text.strip().casefold()
        if not wanted:
            raise UsageProblem("MODEL is empty; `skills-video models` lists them")
        spelt = _spelling(wanted)
        exact = [(info, short_names(info)) for info in self.models]
        loose = [(info, list(map(_spelling, names))) for info, names in exact]
        for found in (
            [info for info, names in exact if wanted in names],
            [info for info, names in loose if spelt in names],
            [info for info, names in exact if any(wanted in name for name in names)],
            [info for info, names in loose if spelt and any(spelt in name for name in names)],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise UsageProblem(f"{text!r:.80} can be {len(found)} models: {_listed(found)}")
        raise UsageProblem(f"there is no model {text!r:.80}; the nearest are {_listed(nearest(self.models, wanted))}")

    def variants(self, info: ModelInfo, wanted: str | None = None) -> list[type[BasePayload]]:
        """Give the payload classes of a model, or the one that is wanted, however its name is spelt.

        Raises:
            UsageProblem: There is no such variant; those that there are are named.
        """
        found = [name for name in info.variants if wanted is None or _plain(name) == _plain(wanted)]
        if not found:
            known = ", ".join(info.variants)
            raise UsageProblem(f"{info.endpoint.model} has no variant {wanted!r:.80}; it has {known}")
        module = import_module(f"{self.package}.{info.module}")
        return [getattr(module, name) for name in found]


def show_models(catalog: Catalog, *, as_json: bool, endpoints: bool, **wish: Any) -> None:
    """Show the models that `Models.find` gives for a wish.

    Raises:
        UsageProblem: The wish is nothing that could be asked of a model.
    """
    models = _found(catalog, wish)
    if as_json:
        say_json([model_facts(info) for info in models])
    elif not models:
        say(f"no model of {len(catalog.models)} is said to have all of this")
        say(f"Ratios: {_all(catalog, 'aspect_ratios')}. Resolutions: {_all(catalog, 'resolutions')}.")
    elif endpoints:
        table(("model", "endpoints"), [(info.endpoint.model, _paths(info)) for info in models])
    elif is_terminal():
        lines(SHORT_HEADER, list(map(_short_row, models)), SHORT_WIDTHS)
        if wish["search"]:
            say("")
            table(("title", "text"), [(info.title, info.text or "-") for info in models])
        say(f"Prices: {PRICES}. All of a model: skills-video show MODEL")
    else:
        table(HEADER, [[cell or "-" for cell in _row(info)] for info in models])


def show_costs(catalog: Catalog, journal: str, *, as_json: bool, **wish: Any) -> None:
    """Show the median credits that one generation of each model took, by a journal, the cheapest model first.

    Raises:
        UsageProblem: There is no such file, or the wish is nothing that could be asked of a model.
    """
    from .costs import usual_credits  # noqa: PLC0415  # for who has a journal

    known = usual_credits(journal)
    models = [info.endpoint.model for info in _found(catalog, wish) if info.endpoint.model in known]
    models.sort(key=known.__getitem__)
    if as_json:
        say_json([{"id": model, "credits": known[model]} for model in models])
        return
    if models:
        table(("model", "credits, median"), [(model, amount(known[model])) for model in models])
    else:
        say("the journal tells no credits of these models, or a run has it")
    say(f"Prices: {PRICES}")


def _found(catalog: Catalog, wish: dict[str, Any]) -> Models:
    try:
        return Models(catalog.models).find(**wish)
    except ValueError as error:
        raise UsageProblem(f"--{error}") from error


def model_facts(info: ModelInfo) -> dict[str, Any]:
    """Give what the catalog knows of a model, as JSON."""
    place = info.endpoint
    return {
        "id": place.model,
        "module": info.module,
        "title": info.title,
        "text": info.text,
        "variants": list(info.variants),
        "endpoints": {"stream": place.stream, "create": place.create, "result": place.result},
        "takes": list(info.takes),
        "durations": list(info.durations),
        "resolutions": list(info.resolutions),
        "aspect_ratios": list(info.aspect_ratios),
        "makes_sound": info.makes_sound,
        "deprecated": info.deprecated,
    }


def spans(values: Sequence[int | float | str], between: str = ", ") -> str:
    """Write values on one line, with numbers that follow on each other as a span: `3-5, 8`."""
    runs: list[list[Any]] = []
    for value in values:
        if runs and isinstance(value, int) and isinstance(runs[-1][-1], int) and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    texts: list[str] = []
    for run in runs:
        if len(run) > 2:
            texts.append(f"{run[0]}-{run[-1]}")
        else:
            texts += map(str, run)
    return between.join(texts)


def _all(catalog: Catalog, trait: str) -> str:
    return ", ".join(dict.fromkeys(str(value) for info in catalog.models for value in getattr(info, trait)))


def _paths(info: ModelInfo) -> str:
    return "\n".join(f"POST {path}" for path in (info.endpoint.stream, info.endpoint.create) if path)


def _short_row(info: ModelInfo) -> tuple[str, ...]:
    """Give what a model is chosen by, in cells of a few characters."""
    ratios = [ratio for ratio in FIRST_RATIOS if ratio in info.aspect_ratios] or list(map(str, info.aspect_ratios[:2]))
    if len(info.aspect_ratios) > len(ratios):
        ratios.append(f"+{len(info.aspect_ratios) - len(ratios)}")
    sizes = sorted(info.resolutions, key=_lines_of)[-1:]
    sound, model = "-", info.endpoint.model
    if info.makes_sound is not None:
        sound = yes_or_no(info.makes_sound)
    takes = [word for word in MEDIA if word in info.takes]
    if info.deprecated:
        takes.append("(deprecated)")
    cells = (model, spans(info.durations, " "), " ".join(ratios), "".join(map(str, sizes)), sound, " ".join(takes))
    return tuple(cell or "-" for cell in cells)


def _lines_of(size: float | str) -> int:
    return int(re.sub(r"\D", "", str(size).casefold().replace("4k", "2160")) or 0)


def _row(info: ModelInfo) -> tuple[str, ...]:
    lists = (", ".join(map(str, values)) for values in (info.resolutions, info.aspect_ratios))
    title, sound = info.title, ""
    if info.deprecated:
        title += " (deprecated)"
    if info.makes_sound is not None:
        sound = yes_or_no(info.makes_sound)
    return info.endpoint.model, info.module, title, ", ".join(info.takes), spans(info.durations), *lists, sound


def short_names(info: ModelInfo) -> list[str]:
    """Give all names that a model is found by, in small letters: id, module, what ends the id, title."""
    model = info.endpoint.model
    return [name.casefold() for name in (model, info.module, model.partition("/")[2], info.title) if name]


def _spelling(name: str) -> str:
    """Give letters and digits alone, without the `v` before a number."""
    return _plain(re.sub(r"v(?=\d)", "", name))


def _listed(models: Iterable[ModelInfo]) -> str:
    names = [info.endpoint.model for info in models]
    text = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        text += f" and {len(names) - MOST_NAMED} more"
    return text


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
