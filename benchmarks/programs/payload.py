"""Build a payload, check it, write it as JSON: microseconds for the three together.

Of three models: Kling V2.6 with 5 of 12 fields given, Seedance 2.0 with arrays of addresses and bounds, Veo 3.1. The
dataclasses check the same as a person would write it by hand (types as JSON has them, choices, bounds, counts, absolute
URIs, all violations at once); pydantic gets what says the same in its own words. All must give the same JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

WHO, _ = sys.argv[1:]
TIMES, WARM = 4000, 400
encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
KLING = {
    "prompt": "neon rain, slow dolly",
    "image_url": "https://cdn.example.com/a/start.png?size=large",
    "aspect_ratio": "16:9",
    "duration": 10,
    "generate_audio": False,
}
SEEDANCE = {
    "prompt": "neon rain, slow dolly",
    "aspect_ratio": "21:9",
    "resolution": "1080p",
    "duration": 12,
    "seed": 4912,
    "image_urls": [f"https://cdn.example.com/a/{index}.png" for index in range(4)],
    "video_urls": ["https://cdn.example.com/a/dance.mp4"],
}
VEO = {
    "prompt": "neon rain, slow dolly",
    "duration": 8,
    "resolution": "1080p",
    "aspect_ratio": "9:16",
    "negative_prompt": None,
    "n": 2,
}
FEATURES = {"kling": "text-image-to-video", "seedance": "reference-to-video"}


def ours() -> Callable[[], list[str]]:
    """Use the generated classes."""
    from skills_video import bytedance_seedance_2_0, google_veo_3_1, kling_v2_6

    def work() -> list[str]:
        payloads = (
            kling_v2_6.TextImageToVideo(**KLING),
            bytedance_seedance_2_0.ReferenceToVideo(**SEEDANCE),
            google_veo_3_1.Payload(**VEO),
        )
        return [encode(payload.to_dict()) for payload in payloads]

    return work


def by_hand() -> Callable[[], list[str]]:
    """Use dataclasses whose checks were written by hand."""
    from skills_video_runtime.payloads.constraints import Format

    unset: Any = object()
    most = 9007199254740991
    is_uri: Any = Format("uri").test()

    class Problems(list[tuple[str, str]]):
        """What is wrong."""

        def text(self, name: str, value: Any) -> None:
            """Check a string."""
            if not isinstance(value, str):
                self.append((name, "is no string"))

        def uri(self, name: str, value: Any) -> None:
            """Check an absolute URI."""
            if not isinstance(value, str):
                self.append((name, "is no string"))
            elif not is_uri(value):
                self.append((name, "is no absolute URI"))

        def flag(self, name: str, value: Any) -> None:
            """Check a boolean."""
            if not isinstance(value, bool):
                self.append((name, "is no boolean"))

        def choice(self, name: str, value: Any, allowed: frozenset[Any]) -> None:
            """Check a choice; `True` is no 1."""
            if isinstance(value, (bool, list, dict)) or value not in allowed:
                self.append((name, f"is none of {allowed}"))

        def integer(self, name: str, value: Any, low: int, high: int) -> Any:
            """Check an integer as JSON has it, and its bounds."""
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if not isinstance(value, int) or isinstance(value, bool):
                self.append((name, "is no integer"))
            elif not low <= value <= high:
                self.append((name, f"is not from {low} to {high}"))
            return value

        def array(self, name: str, value: Any, count: int, each: Callable[[str, Any], None]) -> Any:
            """Check an array and its items."""
            if not isinstance(value, (list, tuple)):
                self.append((name, "is no array"))
                return value
            if len(value) > count:
                self.append((name, f"has more than {count} items"))
            for index, item in enumerate(value):
                each(f"{name}[{index}]", item)
            return tuple(value)

    kling_features = frozenset({"text-image-to-video"})
    kling_ratios = frozenset({"9:16", "16:9", "1:1"})
    kling_durations = frozenset({5, 10})
    orientations = frozenset({"image", "video"})
    qualities = frozenset({"standard", "pro"})
    seedance_features = frozenset({"reference-to-video"})
    seedance_ratios = frozenset({"21:9", "16:9", "4:3", "1:1", "3:4", "9:16"})
    seedance_resolutions = frozenset({"480p", "720p", "1080p"})
    veo_durations = frozenset({4, 6, 8})
    veo_resolutions = frozenset({"720p", "1080p"})
    veo_ratios = frozenset({"16:9", "9:16"})

    class Base:
        """JSON of the fields that are set."""

        __slots__ = ()

        def to_dict(self) -> dict[str, Any]:
            """Give the fields that are set as plain JSON values."""
            result: dict[str, Any] = {}
            for name in NAMES[type(self)]:
                value = getattr(self, name)
                if value is not unset:
                    result[name] = list(value) if isinstance(value, tuple) else value
            return result

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Kling(Base):
        """As kling_v2_6.TextImageToVideo."""

        prompt: str
        feature: str = "text-image-to-video"
        image_url: str = unset
        end_image_url: str = unset
        generate_audio: bool = unset
        aspect_ratio: str = unset
        negative_prompt: str | None = unset
        video_url: str = unset
        character_orientation: str = unset
        quality: str = unset
        keep_original_sound: bool = unset
        duration: int = unset

        def __post_init__(self) -> None:
            """Check."""
            problems = Problems()
            problems.text("prompt", self.prompt)
            problems.choice("feature", self.feature, kling_features)
            if self.image_url is not unset:
                problems.uri("image_url", self.image_url)
            if self.end_image_url is not unset:
                problems.uri("end_image_url", self.end_image_url)
            if self.generate_audio is not unset:
                problems.flag("generate_audio", self.generate_audio)
            if self.aspect_ratio is not unset:
                problems.choice("aspect_ratio", self.aspect_ratio, kling_ratios)
            if self.negative_prompt is not unset and self.negative_prompt is not None:
                problems.text("negative_prompt", self.negative_prompt)
            if self.video_url is not unset:
                problems.uri("video_url", self.video_url)
            if self.character_orientation is not unset:
                problems.choice("character_orientation", self.character_orientation, orientations)
            if self.quality is not unset:
                problems.choice("quality", self.quality, qualities)
            if self.keep_original_sound is not unset:
                problems.flag("keep_original_sound", self.keep_original_sound)
            if self.duration is not unset:
                problems.choice("duration", self.duration, kling_durations)
            if problems:
                raise ValueError(problems)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Seedance(Base):
        """As bytedance_seedance_2_0.ReferenceToVideo."""

        prompt: str
        feature: str = "reference-to-video"
        aspect_ratio: str = unset
        resolution: str = unset
        duration: int = unset
        generate_audio: bool = unset
        seed: int = unset
        end_user_id: str = unset
        audio_url: str = unset
        audio_urls: Any = unset
        image_url: str = unset
        image_urls: Any = unset
        reference_image_urls: Any = unset
        video_urls: Any = unset
        reference_video_urls: Any = unset
        first_frame_url: str = unset
        end_frame_url: str = unset

        def __post_init__(self) -> None:
            """Check."""
            problems = Problems()
            keep = object.__setattr__
            problems.text("prompt", self.prompt)
            problems.choice("feature", self.feature, seedance_features)
            if self.aspect_ratio is not unset:
                problems.choice("aspect_ratio", self.aspect_ratio, seedance_ratios)
            if self.resolution is not unset:
                problems.choice("resolution", self.resolution, seedance_resolutions)
            if self.duration is not unset:
                keep(self, "duration", problems.integer("duration", self.duration, 4, 15))
            if self.generate_audio is not unset:
                problems.flag("generate_audio", self.generate_audio)
            if self.seed is not unset:
                keep(self, "seed", problems.integer("seed", self.seed, -most, most))
            if self.end_user_id is not unset:
                problems.text("end_user_id", self.end_user_id)
            if self.audio_url is not unset:
                problems.uri("audio_url", self.audio_url)
            if self.audio_urls is not unset:
                keep(self, "audio_urls", problems.array("audio_urls", self.audio_urls, 3, problems.uri))
            if self.image_url is not unset:
                problems.uri("image_url", self.image_url)
            if self.image_urls is not unset:
                keep(self, "image_urls", problems.array("image_urls", self.image_urls, 9, problems.uri))
            if self.reference_image_urls is not unset:
                value = problems.array("reference_image_urls", self.reference_image_urls, 9, problems.uri)
                keep(self, "reference_image_urls", value)
            if self.video_urls is not unset:
                keep(self, "video_urls", problems.array("video_urls", self.video_urls, 3, problems.uri))
            if self.reference_video_urls is not unset:
                value = problems.array("reference_video_urls", self.reference_video_urls, 3, problems.uri)
                keep(self, "reference_video_urls", value)
            if self.first_frame_url is not unset:
                problems.uri("first_frame_url", self.first_frame_url)
            if self.end_frame_url is not unset:
                problems.uri("end_frame_url", self.end_frame_url)
            if problems:
                raise ValueError(problems)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Veo(Base):
        """As google_veo_3_1.Payload."""

        prompt: str
        mode: str = unset
        reference_image_urls: Any = unset
        first_frame_url: str = unset
        last_frame_url: str = unset
        duration: int = unset
        resolution: str = unset
        aspect_ratio: str = unset
        generate_audio: bool = unset
        negative_prompt: str | None = unset
        seed: int | None = unset
        n: int = unset

        def __post_init__(self) -> None:
            """Check."""
            problems = Problems()
            keep = object.__setattr__
            problems.text("prompt", self.prompt)
            for name in ("mode", "first_frame_url", "last_frame_url"):
                value = getattr(self, name)
                if value is not unset:
                    problems.text(name, value)
            if self.reference_image_urls is not unset:
                value = problems.array("reference_image_urls", self.reference_image_urls, most, problems.text)
                keep(self, "reference_image_urls", value)
            if self.duration is not unset:
                problems.choice("duration", self.duration, veo_durations)
            if self.resolution is not unset:
                problems.choice("resolution", self.resolution, veo_resolutions)
            if self.aspect_ratio is not unset:
                problems.choice("aspect_ratio", self.aspect_ratio, veo_ratios)
            if self.generate_audio is not unset:
                problems.flag("generate_audio", self.generate_audio)
            if self.negative_prompt is not unset and self.negative_prompt is not None:
                problems.text("negative_prompt", self.negative_prompt)
            if self.seed is not unset and self.seed is not None:
                keep(self, "seed", problems.integer("seed", self.seed, -most, most))
            if self.n is not unset:
                keep(self, "n", problems.integer("n", self.n, 1, 4))
            if problems:
                raise ValueError(problems)

    NAMES = {cls: tuple(field.name for field in fields(cls)) for cls in (Kling, Seedance, Veo)}

    def work() -> list[str]:
        payloads = (Kling(**KLING), Seedance(**SEEDANCE), Veo(**VEO))
        return [encode(payload.to_dict()) for payload in payloads]

    return work


def with_pydantic() -> Callable[[], list[str]]:
    """Use pydantic; `exclude_unset` is how it leaves out what was not given, so constants are given."""
    from typing import Annotated, Literal

    from pydantic import AnyUrl, BaseModel, ConfigDict, Field

    Seed = Annotated[int, Field(ge=-9007199254740991, le=9007199254740991)]

    class Base(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

    class Kling(Base):
        prompt: str
        feature: Literal["text-image-to-video"] = "text-image-to-video"
        image_url: AnyUrl | None = None
        end_image_url: AnyUrl | None = None
        generate_audio: bool | None = None
        aspect_ratio: Literal["9:16", "16:9", "1:1"] | None = None
        negative_prompt: str | None = None
        video_url: AnyUrl | None = None
        character_orientation: Literal["image", "video"] | None = None
        quality: Literal["standard", "pro"] | None = None
        keep_original_sound: bool | None = None
        duration: Literal[5, 10] | None = None

    class Seedance(Base):
        prompt: str
        feature: Literal["reference-to-video"] = "reference-to-video"
        aspect_ratio: Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"] | None = None
        resolution: Literal["480p", "720p", "1080p"] | None = None
        duration: Annotated[int, Field(ge=4, le=15)] | None = None
        generate_audio: bool | None = None
        seed: Seed | None = None
        end_user_id: str | None = None
        audio_url: AnyUrl | None = None
        audio_urls: Annotated[list[AnyUrl], Field(max_length=3)] | None = None
        image_url: AnyUrl | None = None
        image_urls: Annotated[list[AnyUrl], Field(max_length=9)] | None = None
        reference_image_urls: Annotated[list[AnyUrl], Field(max_length=9)] | None = None
        video_urls: Annotated[list[AnyUrl], Field(max_length=3)] | None = None
        reference_video_urls: Annotated[list[AnyUrl], Field(max_length=3)] | None = None
        first_frame_url: AnyUrl | None = None
        end_frame_url: AnyUrl | None = None

    class Veo(Base):
        prompt: str
        mode: str | None = None
        reference_image_urls: list[str] | None = None
        first_frame_url: str | None = None
        last_frame_url: str | None = None
        duration: Literal[4, 6, 8] | None = None
        resolution: Literal["720p", "1080p"] | None = None
        aspect_ratio: Literal["16:9", "9:16"] | None = None
        generate_audio: bool | None = None
        negative_prompt: str | None = None
        seed: Seed | None = None
        n: Annotated[int, Field(ge=1, le=4)] | None = None

    def work() -> list[str]:
        payloads = (
            Kling(feature="text-image-to-video", **KLING),
            Seedance(feature="reference-to-video", **SEEDANCE),
            Veo(**VEO),
        )
        return [payload.model_dump_json(exclude_unset=True) for payload in payloads]

    return work


work = {"ours": ours, "by-hand": by_hand, "pydantic": with_pydantic}[WHO]()
expected = [{"feature": FEATURES["kling"], **KLING}, {"feature": FEATURES["seedance"], **SEEDANCE}, VEO]
assert [json.loads(text) for text in work()] == expected
for _ in range(WARM):
    work()
began = time.perf_counter()
for _ in range(TIMES):
    work()
print(json.dumps({"all": (time.perf_counter() - began) / TIMES / 3 * 1e6}))
