"""One request for other models: the nearest payload that each takes, and what is lost on the way.

Fields that mean the same under several names are one role. A value goes to the field of its own name, else to the first
of its role that takes it. Where none does, the nearest value that one takes is used, or the value is left out; each is
told. The class of the payload proves what comes out. The same request gives the same payloads, in the same order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from math import log
from typing import TYPE_CHECKING, Any, get_args

from .json_values import is_array, is_number, shown
from .payloads.checks import PLANS, attempt
from .payloads.constraints import UNSET
from .payloads.violations import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from .catalog import ModelInfo
    from .payloads.base import BasePayload
    from .payloads.shapes import Shape

ROLES = {
    "prompt": ("prompt",),
    "seconds": ("duration", "seconds"),
    "ratio": ("aspect_ratio", "ratio"),
    "resolution": ("resolution",),
    "sound": ("generate_audio", "audio"),
    "image": ("image_url", "first_frame_url", "start_image_url", "image_urls", "reference_image_urls",
              "reference_image_url"),
    "last_image": ("end_image_url", "end_frame_url", "last_frame_url"),
    "video": ("video_url", "reference_video_url", "video_urls", "reference_video_urls"),
    "audio": ("audio_url", "audio_urls"),
}  # fmt: skip
NUMBER = r"\d{1,9}(?:\.\d+)?"
FARTHEST = 1e9  # beyond which numbers are equally far from what a model takes: our choice
ESSENTIAL = frozenset({"prompt", "image", "last_image", "video", "audio"})


@dataclass(frozen=True, slots=True)
class Loss:
    """What was asked for and is not sent as it was; `kept` is sent instead, None where nothing is."""

    name: str
    given: object
    kept: object = None

    def __str__(self) -> str:
        """Say it on one line."""
        if self.kept is None:
            return f"{self.name}: {shown(self.given)} is left out"
        return f"{self.name}: {shown(self.given)} becomes {shown(self.kept)}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A payload that a model takes, and what is lost of what was asked for, in the order in which it was asked."""

    payload: BasePayload
    lost: tuple[Loss, ...] = ()

    @property
    def left_out(self) -> list[str]:
        """The names of what is not sent at all."""
        return [loss.name for loss in self.lost if loss.kept is None]


def convert(payload: BasePayload, module: ModuleType) -> Planned:
    """Give the nearest payload of another model, such as `convert(payload, kling_v3_video)`.

    Raises:
        TypeError: there is no payload, or no module of a model.
        PayloadError: the other model asks for something that the payload has not.
    """
    if not hasattr(payload, "endpoint") or not hasattr(module, "Payload"):
        raise TypeError(f"convert takes a payload and the module of a model, not {payload!r:.80} and {module!r:.80}")
    plan = PLANS[type(payload)]
    given = payload.to_dict()
    wanted = {name: given[name] for name in given if name not in plan.by_wire or plan.by_wire[name].constant is UNSET}
    found = _nearest_payload(module, wanted)
    if found is None:
        return Planned(module.parse(_filled(_variants(module)[0], wanted)[0]))  # which says what is missing
    return found


def planned(models: Iterable[ModelInfo], package: str, wish: Mapping[str, Any]) -> list[Planned]:
    """Give for each model that can the nearest payload to a wish, whose names are those of `ROLES`.

    A model can where it has a place for the prompt and for each file that is given, and asks for nothing else.

    Raises:
        ValueError: nothing is wished.
    """
    wanted = {name: value for name, value in wish.items() if value is not None}
    if not wanted:
        raise ValueError("nothing is wished: plan(prompt=…) at least")
    found = (_nearest_payload(import_module(f"{package}.{info.module}"), wanted) for info in models)
    return [item for item in found if item is not None and not ESSENTIAL.intersection(item.left_out)]


def _variants(module: ModuleType) -> tuple[type[BasePayload], ...]:
    return get_args(module.Payload) or (module.Payload,)


def _nearest_payload(module: ModuleType, wanted: Mapping[str, Any]) -> Planned | None:
    """Give that of the variant with the least lost, the first of several such; None where no variant can."""
    found: list[Planned] = []
    for cls in _variants(module):
        data, lost = _filled(cls, wanted)
        payload, problems = attempt(data, [cls])
        if not problems:
            found.append(Planned(payload, tuple(lost)))
    return min(found, key=lambda item: (len(item.left_out), len(item.lost)), default=None)


def _filled(cls: type[BasePayload], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], list[Loss]]:
    members = PLANS[cls].by_wire
    data = {wire: member.constant for wire, member in members.items() if member.constant is not UNSET}
    lost: list[Loss] = []
    for name, value in wanted.items():
        places = [place for place in _places(name) if place in members and place not in data]
        place, kept = _placed(cls, places, value)
        if place:
            data[place] = kept
        if kept not in list(_forms(value)):
            lost.append(Loss(name, value, kept))
    return data, lost


def _placed(cls: type[BasePayload], places: list[str], value: Any) -> tuple[str, Any]:
    """Give the first field that takes a value, else the first that takes something near, with what it takes."""
    for place in places:
        for form in _forms(value):
            if PLANS[cls].by_wire[place].check.fits(form):
                return place, form
    for place in places:
        for near in _near(cls, place, value):
            return place, near
    return "", None


def _places(name: str) -> Iterator[str]:
    """Give the fields that may mean the same, that of the same name first."""
    places = ROLES.get(name) or next((role for role in ROLES.values() if name in role), (name,))
    yield from sorted(places, key=lambda place: place != name)


def _forms(value: Any) -> Iterator[Any]:
    """Give what says the same: the value, a list of it, the only item of a list."""
    yield value
    if not is_array(value):
        yield [value]
    elif len(value) == 1:
        yield value[0]


def _near(cls: type[BasePayload], place: str, value: Any) -> Iterator[Any]:
    """Give allowed values in the order of their distance: of those that are listed, else what the check proposes."""
    size, member = _size(value), PLANS[cls].by_wire[place]
    listed = [item for item in _listed(member.shape) if _size(item) is not None]
    if size is not None and listed:
        yield from sorted(listed, key=lambda item: abs((_size(item) or 0.0) - size))
        return
    if is_array(value):
        yield from filter(member.check.fits, value)
    elif is_number(value):
        problems = Problems({})
        member.check(value, (), problems)
        yield from (near for problem in problems if (near := problem.nearest()) is not None)


def _size(value: Any) -> float | None:
    """Measure what can be compared: a number, `8s`, `1080p`, the shape `16:9`."""
    if is_number(value):
        return float(max(min(value, FARTHEST), -FARTHEST))
    found = re.fullmatch(rf"({NUMBER})(?::({NUMBER})|[a-z]*)", str(value).casefold().replace("4k", "2160p"))
    if found is None or not float(found[1]) or not float(found[2] or 1):
        return None
    if found[2]:
        return log(float(found[1])) - log(float(found[2]))
    return float(found[1])


def _listed(shape: Shape) -> Iterator[Any]:
    if shape.choice is not None:
        yield from shape.choice.values
    for part in shape.parts:
        yield from _listed(part)
