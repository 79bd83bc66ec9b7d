"""Right uses, which type checkers must accept. Never run."""

from __future__ import annotations

import io
import tempfile
from gzip import GzipFile
from pathlib import Path
from typing import Any, Literal, assert_type
from zipfile import ZipFile

from skills_video import (
    UNSET,
    AsyncClient,
    Client,
    File,
    Generation,
    ModelInfo,
    PayloadError,
    call,
    google_veo_3_1,
    happyhorse_1_0,
    kling_o3_video,
    kling_v2_6,
    tools,
)
from skills_video.catalog import MODELS


def values() -> None:
    kling_v2_6.TextImageToVideo(prompt="neon rain, slow dolly", duration=10)
    kling_v2_6.TextImageToVideo(prompt="cat", duration=UNSET, negative_prompt=None)
    kling_v2_6.TextImageToVideo(prompt="cat", feature="text-image-to-video", aspect_ratio="9:16")
    kling_v2_6.MotionControl(image_url=File(Path("cat.png")), video_url="https://a.example/dance.mp4")
    google_veo_3_1.Payload(prompt="cat", seed=7, n=2, generate_audio=False)
    google_veo_3_1.Payload(prompt="cat", seed=None, negative_prompt=None)


def arrays() -> None:
    texts: list[str] = ["https://a.example/a"]
    files: list[File] = [File(b"", name="a.png")]
    kling_o3_video.TextImageToVideo(prompt="cat", image_urls=texts)
    kling_o3_video.TextImageToVideo(prompt="cat", image_urls=files)
    kling_o3_video.TextImageToVideo(prompt="cat", image_urls=("https://a.example/a", File(Path("a.png"))))
    google_veo_3_1.Payload(prompt="cat", reference_image_urls=texts)


def files() -> None:
    File(bytearray(b"x"), name="a.png")
    File(memoryview(b"x"), name="a.png")
    File(io.BytesIO(b"x"))
    with Path("a.png").open("rb") as a, GzipFile("a.gz") as b, ZipFile("a.zip").open("a.png") as c:
        assert_type([File(a), File(b), File(c)], list[File])
    with tempfile.TemporaryFile() as d, tempfile.NamedTemporaryFile() as e, tempfile.SpooledTemporaryFile() as f:
        assert_type([File(d), File(e), File(f)], list[File])


def open_objects() -> None:
    named: dict[str, list[str]] = {"new": ["a"]}
    kling_v2_6.TextImageToVideo(prompt="cat", extra={"a": [1, {"b": None}], "c": 0.5})
    kling_v2_6.TextImageToVideo(prompt="cat", extra=named)


def forms(data: dict[str, object]) -> None:
    assert_type(kling_v2_6.parse(data), kling_v2_6.Payload)
    payload = google_veo_3_1.parse({"prompt": "cat"})
    assert_type(payload, google_veo_3_1.Payload)
    assert_type(payload.prompt, str)
    assert_type(payload.with_defaults(), google_veo_3_1.Payload)
    if payload.duration is not UNSET:
        assert_type(payload.duration, Literal[4, 6, 8])
    payload.to_dict()["prompt"] = "dog"
    assert_type(kling_v2_6.ENDPOINT.model, str)
    assert_type(MODELS[0].module, str)
    assert_type(MODELS["kling_v2_6"].makes_sound, bool | None)
    assert_type(MODELS[:2], tuple[ModelInfo, ...])
    assert_type(MODELS.get("kling-ai/kling-v2.6"), ModelInfo | None)


def variant(payload: happyhorse_1_0.Payload) -> str:
    match payload:
        case happyhorse_1_0.TextToVideo():
            return "text"
        case happyhorse_1_0.ImageToVideo():
            return "image"
        case happyhorse_1_0.ReferenceToVideo():
            return "reference"
        case happyhorse_1_0.EditVideo():
            return "edit"


def refused() -> None:
    try:
        google_veo_3_1.parse({})
    except PayloadError as error:
        for violation in error.violations:
            assert_type(violation.path, str)
            assert_type(violation.rule, str)


def one_client(client: Client) -> None:
    client.generate(kling_v2_6.TextImageToVideo(prompt="cat"))
    client.generate(google_veo_3_1.Payload(prompt="cat"))


def plain_data(client: Client, data: dict[str, object]) -> None:
    fields = {"prompt": "cat", "duration": 5}
    assert_type(client.generate("kling-ai/kling-v2.6", data, key="row-1", on_state=print), Generation)
    assert_type(client.submit("kling-ai/kling-v2.6", fields, journal="videos.db"), Generation)
    for state in client.stream("kling-ai/kling-v2.6", {"prompt": "cat", "image_url": File(Path("a.png"))}):
        assert_type(state, Generation)


def functions(client: Client) -> None:
    assert_type(tools(["kling_v2_6"], dialect="openai-strict"), list[dict[str, Any]])
    asked = call("kling_v2_6-TextImageToVideo", '{"prompt": "cat"}')
    if asked.payload is not None:
        client.generate(asked.payload)


def one_model(client: Client) -> None:
    kling_v2_6.KlingV26(client).generate(kling_v2_6.TextImageToVideo(prompt="cat"))
    kling_v2_6.KlingV26(client).generate(kling_v2_6.parse({"prompt": "cat"}))
    google_veo_3_1.GoogleVeo31(client).generate(google_veo_3_1.Payload(prompt="cat"))


async def awaited(client: AsyncClient) -> None:
    assert_type(await client.generate("kling-ai/kling-v2.6", {"prompt": "cat"}, timeout=60), Generation)
    async for state in client.stream("kling-ai/kling-v2.6", {"prompt": "cat"}):
        assert_type(state, Generation)
    await kling_v2_6.AsyncKlingV26(client).generate(kling_v2_6.TextImageToVideo(prompt="cat"))
