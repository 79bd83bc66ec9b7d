"""Wrong uses: each marked line must be reported by each type checker, and no other line. Never run."""

from __future__ import annotations

from pathlib import Path

from skills_video import (
    AsyncClient,
    Client,
    File,
    call,
    catalog,
    google_veo_3_1,
    kling_o3_video,
    kling_v2_5_turbo,
    kling_v2_6,
    tools,
)


def fields() -> None:
    google_veo_3_1.Payload()  # wrong
    google_veo_3_1.Payload("cat")  # wrong
    google_veo_3_1.Payload(prompt="cat", promt="dog")  # wrong
    kling_v2_6.MotionControl(image_url="https://a.example/a")  # wrong
    kling_v2_6.Nothing(prompt="cat")  # wrong
    kling_v2_6.Payload(prompt="cat")  # wrong


def values() -> None:
    google_veo_3_1.Payload(prompt="cat", duration=5)  # wrong
    google_veo_3_1.Payload(prompt="cat", duration="8")  # wrong
    google_veo_3_1.Payload(prompt="cat", resolution="4k")  # wrong
    google_veo_3_1.Payload(prompt=7)  # wrong
    google_veo_3_1.Payload(prompt=b"cat")  # wrong
    google_veo_3_1.Payload(prompt=None)  # wrong
    google_veo_3_1.Payload(prompt="cat", mode=None)  # wrong
    google_veo_3_1.Payload(prompt="cat", n=1.5)  # wrong
    google_veo_3_1.Payload(prompt="cat", n="1")  # wrong
    google_veo_3_1.Payload(prompt="cat", generate_audio="yes")  # wrong
    google_veo_3_1.Payload(prompt="cat", seed="7")  # wrong
    kling_v2_6.TextImageToVideo(prompt="cat", feature="motion-control")  # wrong
    kling_v2_6.TextImageToVideo(prompt="cat", feature=None)  # wrong


def arrays() -> None:
    google_veo_3_1.Payload(prompt="cat", reference_image_urls="https://a.example/a")  # wrong
    google_veo_3_1.Payload(prompt="cat", reference_image_urls=[1])  # wrong
    google_veo_3_1.Payload(prompt="cat", reference_image_urls=[None])  # wrong
    google_veo_3_1.Payload(prompt="cat", reference_image_urls={"https://a.example/a"})  # wrong
    kling_o3_video.TextImageToVideo(prompt="cat", image_urls="https://a.example/a")  # wrong
    kling_o3_video.TextImageToVideo(prompt="cat", image_urls=File(Path("a.png")))  # wrong


def files() -> None:
    google_veo_3_1.Payload(prompt="cat", first_frame_url=File(Path("a.png")))  # wrong
    kling_v2_6.TextImageToVideo(prompt="cat", image_url=Path("a.png"))  # wrong
    kling_v2_6.TextImageToVideo(prompt="cat", image_url=b"meow")  # wrong
    File("a.png")  # wrong


def open_objects() -> None:
    kling_v2_6.TextImageToVideo(prompt="cat", extra={"a": {1, 2}})  # wrong
    kling_v2_6.TextImageToVideo(prompt="cat", extra=[("a", 1)])  # wrong


def frozen() -> None:
    payload = google_veo_3_1.Payload(prompt="cat")
    payload.prompt = "dog"  # wrong
    payload.nothing = 1  # wrong
    kling_v2_6.ENDPOINT.model = "other"  # wrong
    catalog.MODELS[0].module = "other"  # wrong


def seconds(payload: google_veo_3_1.Payload) -> int:
    return payload.duration  # wrong


def length(payload: google_veo_3_1.Payload) -> int:
    return payload.prompt  # wrong


def parsed() -> None:
    google_veo_3_1.parse("cat")  # wrong
    kling_v2_6.parse({"prompt": "cat"}).no_field()  # wrong


def clients(client: Client) -> None:
    kling_v2_6.KlingV26(client).generate(kling_v2_5_turbo.TextToVideo(prompt="cat"))  # wrong
    kling_v2_6.KlingV26(client).generate(google_veo_3_1.Payload(prompt="cat"))  # wrong
    google_veo_3_1.GoogleVeo31(client).submit(kling_v2_6.TextImageToVideo(prompt="cat"))  # wrong
    google_veo_3_1.GoogleVeo31(client).stream(kling_v2_6.TextImageToVideo(prompt="cat"))  # wrong
    kling_v2_6.KlingV26(client).generate({"prompt": "cat"})  # wrong
    client.generate({"prompt": "cat"})  # wrong
    client.generate("kling-ai/kling-v2.6")  # wrong
    client.submit("kling-ai/kling-v2.6", "cat")  # wrong
    client.stream("kling-ai/kling-v2.6", {"prompt": "cat"}, time_out=5)  # wrong
    client.generate(google_veo_3_1.Payload(prompt="cat"), {"prompt": "cat"})  # wrong
    kling_v2_6.KlingV26(client).generate("kling-ai/kling-v2.6", {"prompt": "cat"})  # wrong
    kling_v2_6.KlingV26("key")  # wrong


def functions() -> None:
    tools(dialect="grok")  # wrong
    call("kling_v2_6-TextImageToVideo", 5)  # wrong


async def asynchronous(client: AsyncClient) -> None:
    await client.submit("kling-ai/kling-v2.6")  # wrong
    await kling_v2_6.AsyncKlingV26(client).submit("kling-ai/kling-v2.6", {"prompt": "cat"})  # wrong
    await kling_v2_6.AsyncKlingV26(client).generate(google_veo_3_1.Payload(prompt="cat"))  # wrong
    kling_v2_6.KlingV26(client)  # wrong
