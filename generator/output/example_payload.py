"""An example of a payload: what must be given, with values that a reader knows at sight."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from generator.schema import types
from generator.schema.algebra import fits
from generator.schema.examples import DEEPEST, MOST, filled, smallest
from generator.schema.types import ABSENT, followed

from .capabilities import is_address, media_of, words_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.inputs.video_model import VideoModel
    from generator.schema.types import Object, Shape

PROMPT: Final = "A red fox runs through fresh snow at dawn, slow tracking shot"
PROMPTS: Final = frozenset({"prompt", "text", "script", "caption", "description", "lyrics"})
"""Words in the names of fields that take a sentence."""

WORD: Final = "example"
ADDRESSES: Final = {
    "image": "https://example.com/image.png",
    "video": "https://example.com/video.mp4",
    "audio": "https://example.com/audio.mp3",
    "": "https://example.com/file",
}
NUMBERS: Final = (5, 1)
LEAVES: Final = (types.Boolean, types.Choice, types.Null, types.Number, types.Text)
MOST_TRIES: Final = 500
MOST_VALUES: Final = 5_000
"""How many payloads, and how many values of members, are tried at most for an example."""


def example_of(model: VideoModel, shape: Object, constants: Iterable[str]) -> dict[str, Any] | None:
    """Give a small payload of one variant, None where none is found.

    It has what is required, the constants that tell variants apart, and no more than makes it fit beside them: no
    other variant that a `oneOf` keeps apart from this one, and as JSON, where JSON and a form ask for different things.
    """
    writer = _Writer(model.known)
    wanted = (shape, model.request, *shape.bodies[:1])
    for tries, value in enumerate(writer.objects(shape, constants)):
        if all(fits(other, value, model.known) for other in wanted):
            return value
        if tries == MOST_TRIES:
            break
    return None


@dataclass(slots=True)
class _Writer:
    known: Mapping[str, Shape]
    left: int = MOST_VALUES

    def objects(self, shape: Object, constants: Iterable[str] = (), depth: int = 0) -> Iterator[dict[str, Any]]:
        """Give objects, those first that have as few members as may do, but for constants not none at all."""
        least = dict.fromkeys((*constants, *shape.required))
        others = [prop.name for prop in shape.properties if prop.name not in least and not prop.read_only]
        others.sort(key=_takes_no_sentence)
        if self._object(shape, least, depth) is None:
            return
        counts = (0, 1, 2)
        if not set(shape.required).difference(constants):
            counts = (1, 0, 2)
        for count in counts:
            for more in combinations(others, count):
                value = self._object(shape, [*least, *more], depth)
                if value is not None:
                    yield value

    def _object(self, shape: Object, names: Iterable[str], depth: int) -> dict[str, Any] | None:
        """Give an object with these members, those that depend on them, and as many as it must have."""
        wanted = dict.fromkeys(names)
        for name in list(wanted):
            wanted.update(dict.fromkeys(other for key, others in shape.dependent if key == name for other in others))
        for prop in shape.properties:
            if len(wanted) < shape.min_properties:
                wanted.setdefault(prop.name)
        ordered = [prop.name for prop in shape.properties if prop.name in wanted]
        value = {name: self._member(shape, name, depth) for name in dict.fromkeys((*ordered, *wanted))}
        if ABSENT in value.values():
            return None
        return value

    def _member(self, shape: Object, name: str, depth: int) -> Any:
        prop = shape.get(name)
        if prop is None or prop.default in (None, ABSENT) or not fits(prop.shape, prop.default, self.known):
            return self._value(shape.allowed(name), name, depth + 1)
        return prop.default

    def _value(self, shape: Shape, name: str, depth: int) -> Any:
        """Give a value for a member of this name that fits, `ABSENT` where none is found."""
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            return ABSENT
        shape = followed(shape, self.known)
        for value in self._candidates(shape, name, depth):
            if fits(shape, value, self.known):
                return value
        if isinstance(shape, LEAVES):
            return smallest(shape, self.known)
        return ABSENT

    def _candidates(self, shape: Shape, name: str, depth: int) -> Iterator[Any]:
        match shape:
            case types.Anything():
                yield _text(types.Text(), name)
            case types.Choice(values):
                yield from (value for value in values if value is not None)
            case types.Text(max_length=most):
                yield _text(shape, name)[:most].rstrip()
            case types.Number():
                yield from NUMBERS
            case types.Array():
                yield self._items(shape, name, depth + 1)
                yield []
            case types.Object():
                yield from self.objects(shape, (), depth)
            case types.Union(options):
                for option in sorted(options, key=lambda option: not isinstance(option, types.Text)):
                    yield self._value(option, name, depth + 1)
            case _:
                return

    def _items(self, shape: types.Array, name: str, depth: int) -> list[Any]:
        item, count = self._value(shape.items, name, depth), max(1, shape.min_items)
        if item is ABSENT:
            return []
        if isinstance(shape.items, LEAVES):
            return filled(shape, [item], count, self.known)
        return [item] * min(count, MOST)


def _text(shape: types.Text, name: str) -> str:
    if is_address(shape, words_in(name)):
        return ADDRESSES[media_of(name)]
    if _takes_no_sentence(name):
        return WORD
    return PROMPT


def _takes_no_sentence(name: str) -> bool:
    return PROMPTS.isdisjoint(words_in(name))
