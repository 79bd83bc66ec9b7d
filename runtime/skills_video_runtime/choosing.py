"""Which models can do what is wanted, by what the catalog tells of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .catalog import ModelInfo

Takes: TypeAlias = Literal["image", "video", "audio", "frames", "first_frame", "last_frame", "references"]
"""See `ModelInfo.takes`."""

NUMBER = r"\d+(?:\.\d+)?"
LENGTH = re.compile(rf"({NUMBER})(?:-({NUMBER}))?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a model is to do, which may be anything until it is checked; `Models.find` tells what each means."""

    takes: Sequence[str] = ()
    seconds: Any = None
    ratio: Any = None
    resolution: str | None = None
    sound: Any = None
    search: Any = ""

    def check(self) -> None:
        """Refuse, by ValueError, what no model could ever be asked."""
        for word in self.takes:
            if word not in get_args(Takes):
                raise ValueError(f"takes={word!r:.80} is none of {', '.join(get_args(Takes))}")
        if self.seconds is not None and not (isinstance(self.seconds, (int, float)) and 0 < self.seconds < inf):
            raise ValueError(f"seconds={self.seconds!r:.80} is no length of a video: a number above 0 is")
        if self.sound is not None and not isinstance(self.sound, bool):
            raise ValueError(f"sound={self.sound!r:.80} is neither True nor False")
        if self.ratio is not None and not re.fullmatch(rf"{NUMBER}:{NUMBER}|[^\W\d]+", str(self.ratio)):
            raise ValueError(f"ratio={self.ratio!r:.80} is no shape of a picture, such as 16:9")
        if self.resolution is not None and not re.fullmatch(r"[\w:.-]+", self.resolution):
            raise ValueError(f"resolution={self.resolution!r:.80} is no size of a picture, such as 1080p")
        if not isinstance(self.search, str):
            raise ValueError(f"search={self.search!r:.80} is no text")  # noqa: TRY004  # as all that is none here

    def is_met(self, info: ModelInfo) -> bool:
        """Tell whether the catalog says that a model does all of this; what it does not know is no yes."""
        return (
            set(self.takes) <= set(info.takes)
            and (self.seconds is None or any(_lasts(length, self.seconds) for length in info.durations))
            and (self.ratio is None or self.ratio.casefold() in _words(info.aspect_ratios))
            and (self.resolution is None or _has_size(info, self.resolution.casefold()))
            and (self.sound is None or info.makes_sound is self.sound)
            and all(_has_word(info, word) for word in self.search.casefold().split())
        )


def _lasts(length: float | str, seconds: float) -> bool:
    found = LENGTH.fullmatch(str(length))
    return found is not None and float(found[1]) <= seconds <= float(found[2] or found[1])


def _has_size(info: ModelInfo, wanted: str) -> bool:
    sizes = _words(info.resolutions)
    return wanted in sizes or (wanted.isdecimal() and f"{wanted}p" in sizes)


def _has_word(info: ModelInfo, word: str) -> bool:
    """Tell whether a word stands in what is told of a model; what begins with a digit must stand there as a whole."""
    texts = f"{info.endpoint.model} {info.module} {info.title} {info.text}".casefold()
    if not word[0].isdigit():
        traits = [*info.takes, *_words(info.resolutions), *_words(info.aspect_ratios)]
        if info.makes_sound:
            traits += ["sound", "audio"]
        return word in texts or any(word in trait for trait in traits)
    if _has_size(info, word) or word in {*_words(info.aspect_ratios), *re.findall(r"[\w.:-]+", texts)}:
        return True
    seconds = word.removesuffix("s")
    if seconds.isdecimal() and any(_lasts(length, float(seconds)) for length in info.durations):
        return True
    return word in re.findall(NUMBER, texts)


def _words(values: Iterable[float | str]) -> set[str]:
    return {str(value).casefold() for value in values}


def nearest(models: Iterable[ModelInfo], name: str) -> list[ModelInfo]:
    """Give the three models whose id or module is most like a name, the nearest first."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a wrong name needs it

    names = {known.casefold(): info for info in models for known in (info.endpoint.model, info.module)}
    near = get_close_matches(name[:200].casefold(), names, n=6, cutoff=0.0)
    return list({names[known].endpoint.model: names[known] for known in near}.values())[:3]
