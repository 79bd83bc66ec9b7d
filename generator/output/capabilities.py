"""What a model takes and makes, read from the shapes and names of its fields by rules that know no model.

The description states none of this outright. What no rule knows is passed over, so that what is empty is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from generator.schema import types
from generator.schema.algebra import fits
from generator.schema.types import Shape, followed, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.inputs.video_model import VideoModel

Value: TypeAlias = int | float | str

Entered: TypeAlias = tuple[type[Shape], str, str]
"""An object or a reference, its pointer, and the name of the member that it was found in."""

MEDIA_WORDS = {
    "image": frozenset({"image", "images", "img", "picture", "photo"}),
    "video": frozenset({"video", "videos"}),
    "audio": frozenset({"audio", "audios", "sound", "music", "voice"}),
}
FRAME = frozenset({"frame", "frames", "keyframe", "keyframes"})
FIRST = frozenset({"first", "start"})
LAST = frozenset({"last", "end", "tail"})
REFERENCE = frozenset({"reference", "references", "ref", "refs"})
SOUND = frozenset({"audio", "sound"})
ASKED = frozenset({"generate", "make", "add", "create", "enable", "include", "with", "has", "native", "synced"})
RATIO = frozenset({"ratio"})
ADDRESS = frozenset({"url", "urls", "uri", "uris"})
OUTPUT = frozenset({"video", "output", "target", "in", "aspect"})
TIMES = frozenset({"duration", "seconds"})
SIZES = frozenset({"resolution", "size", "quality"})
PIXELS = re.compile(r"\d+[pP]|\d+[kK]|\d+\s*[xX*]\s*\d+|auto")
OFF = frozenset({"off", "none", "no", "false", "disabled", "silent", "mute"})
TAKEN = ("image", "video", "audio", "frames", "first_frame", "last_frame", "references")
LONGEST_SECONDS = 10**6  # seconds; a limit beyond is none that a video has
MOST_SPELT = 120  # seconds that are listed one by one; more are given as a range


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the catalog tells of a model beyond its names."""

    takes: tuple[str, ...]
    """What can be handed in, of `TAKEN`: the runtime's `ModelInfo` tells what the words mean."""
    durations: tuple[Value, ...]
    """Lengths of the video in seconds; `"1-15"` is a range, fractions included."""
    resolutions: tuple[Value, ...]
    """Sizes of the picture, in the platform's own words."""
    aspect_ratios: tuple[Value, ...]
    """Shapes of the picture, in the platform's own words."""
    makes_sound: bool | None
    """Whether a field asks for sound along with the video, and may be true; None where no field speaks of it."""


def capabilities_of(model: VideoModel) -> Capabilities:
    """Give the capabilities of a model, of all its variants together."""
    takes: set[str] = set()
    durations: list[Value] = []
    resolutions: list[Value] = []
    ratios: list[Value] = []
    sounds: list[bool] = []
    for variant in model.variants:
        for path, shape in _leaves(variant.shape, model.known):
            words = words_in(*path)
            if _is_media(shape, words):
                takes.update(_media(words))
            elif len(path) == 1 and words <= TIMES | OUTPUT and words & TIMES:
                durations += _amounts(shape)
            elif len(path) == 1 and words <= SIZES | OUTPUT and words & SIZES:
                is_quality = "quality" in words
                resolutions += [size for size in _plain(shape) if not is_quality or PIXELS.fullmatch(str(size))]
            elif len(path) == 1 and words <= RATIO | OUTPUT and words & RATIO:
                ratios += _plain(shape)
            elif len(path) == 1 and words <= SOUND | ASKED | OUTPUT and words & SOUND:
                sounds += _switch(shape)
    ordered = tuple(name for name in TAKEN if name in takes)
    makes_sound = None
    if sounds:
        makes_sound = any(sounds)
    return Capabilities(ordered, _unique(durations), _unique(resolutions), _unique(ratios), makes_sound)


def _switch(shape: Shape) -> list[bool]:
    if isinstance(shape, types.Boolean):
        return [True, False]
    if not isinstance(shape, types.Choice):
        return []
    if all(isinstance(value, bool) for value in shape.values):
        return list(shape.values)
    words = [str(value).lower() for value in shape.values]
    if OFF.isdisjoint(words):
        return []
    return [word not in OFF for word in words]


def _leaves(shape: types.Object, known: Mapping[str, Shape]) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """Give each part that holds no others, with the names that lead to it; an object is entered once under a name.

    The shortest ways come first: others may lead through all objects of a description.
    """
    waiting: list[tuple[tuple[str, ...], types.Object]] = [((), shape)]
    seen: set[Entered] = set()
    for path, holder in waiting:  # grows by the objects that are found
        for prop in holder.properties:
            for part in _members(prop.shape, prop.name, known, seen):
                if isinstance(part, types.Object):
                    waiting.append(((*path, prop.name), part))
                else:
                    yield (*path, prop.name), part


def _members(shape: Shape, name: str, known: Mapping[str, Shape], seen: set[Entered]) -> Iterator[Shape]:
    """Give what a member of a name may be, without what was `seen` under it: an object, or what holds no others."""
    if isinstance(shape, (types.Reference, types.Object)):
        key = type(shape), shape.pointer, name
        if key in seen:
            return
        seen.add(key)
    if isinstance(shape, types.Reference):
        yield from _members(followed(shape, known), name, known, seen)
    elif isinstance(shape, (types.Array, types.Union)):
        for part in parts_of(shape):
            yield from _members(part, name, known, seen)
    else:
        yield shape


@cache
def words_in(*names: str) -> frozenset[str]:
    """Split names at their underscores, hyphens and capitals."""
    return frozenset(word.lower() for name in names for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def media_of(name: str) -> str:
    """Give the kind of file that a field of this name takes, of `MEDIA_WORDS`; empty where that is not known."""
    return next(_media(words_in(name)), "")


def is_address(shape: types.Text, words: Iterable[str]) -> bool:
    """Tell whether a text in a field with these words in its name is an address."""
    return "uri" in shape.formats or not ADDRESS.isdisjoint(words)


def _is_media(shape: Shape, words: frozenset[str]) -> bool:
    """Tell whether a part is the address or the bytes of a file."""
    return isinstance(shape, types.Binary) or (isinstance(shape, types.Text) and is_address(shape, words))


def _media(words: frozenset[str]) -> Iterator[str]:
    found = [kind for kind, names in MEDIA_WORDS.items() if words & names]
    is_frame = bool(words & FRAME) or (found == ["image"] and bool(words & (FIRST | LAST)))
    yield from found
    if is_frame and not found:
        yield "image"
    if is_frame:
        yield "frames"
    if is_frame and words & FIRST:
        yield "first_frame"
    if is_frame and words & LAST:
        yield "last_frame"
    if found and words & REFERENCE:
        yield "references"


def _amounts(shape: Shape) -> list[Value]:
    if not isinstance(shape, types.Number):
        return _plain(shape)
    (low, _), (high, _) = shape.limits
    if not -LONGEST_SECONDS < low <= high < LONGEST_SECONDS:
        return []
    if not shape.integer or high - low >= MOST_SPELT:
        return [f"{low:g}-{high:g}"]
    return [number for number in range(int(low), int(high) + 1) if fits(shape, number, {})]


def _plain(shape: Shape) -> list[Value]:
    if not isinstance(shape, types.Choice):
        return []
    return [value for value in shape.values if isinstance(value, (int, float, str)) and not isinstance(value, bool)]


def _unique(values: list[Value]) -> tuple[Value, ...]:
    """Give each value once, numbers in their order and before words, words in the order of the description."""
    numbers = sorted({value for value in values if not isinstance(value, str)})
    return (*numbers, *dict.fromkeys(value for value in values if isinstance(value, str)))
