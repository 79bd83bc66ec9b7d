"""One request for other models: what each takes of it, and what is lost."""

from __future__ import annotations

import sys

import pytest

import skills_video
from skills_video import File, PayloadError, catalog, convert, kling_v2_6, kling_v3_video, openai_sora_2
from skills_video.catalog import MODELS
from tests.support.children import finished
from tests.support.processes import environment

CAT = File(b"\x89PNG", name="cat.png")


def plans(**wish):
    return {item.payload.endpoint.model: item for item in catalog.plan(**wish)}


def test_a_plan_has_the_nearest_payload_of_each_model_that_can():
    found = plans(prompt="neon rain", seconds=7, ratio="9:16", image=CAT)
    exact, near = found["kling-ai/v3/video"], found["kling-ai/kling-v2.6"]
    assert exact.payload == kling_v3_video.Payload(prompt="neon rain", duration=7, aspect_ratio="9:16", image_url=CAT)
    assert exact.lost == ()
    assert (near.payload.duration, [str(loss) for loss in near.lost]) == (5, ["seconds: 7 becomes 5"])
    assert "kling-ai/kling-v2.5-turbo" not in found  # which takes no image
    assert "pixverse/lipsync" not in found  # which asks for a video
    assert list(found) == [info.endpoint.model for info in MODELS if info.endpoint.model in found]


def test_all_that_is_lost_is_named():
    lost = {loss.name: loss.kept for loss in plans(prompt="x", seconds=7, sound=True)["openai/sora-2"].lost}
    assert lost == {"seconds": 8, "sound": None}


@pytest.mark.parametrize(
    ("wish", "model", "field", "value"),
    [
        ({"seconds": 100}, "kling-ai/v3/video", "duration", 15),
        ({"seconds": 0.5}, "kling-ai/v3/video", "duration", 3),
        ({"ratio": "2:1"}, "google/veo-3.1", "aspect_ratio", "16:9"),
        ({"ratio": "3:4"}, "google/veo-3.1", "aspect_ratio", "9:16"),
        ({"resolution": "4k"}, "google/veo-3.1", "resolution", "1080p"),
        ({"resolution": "480p"}, "google/veo-3.1", "resolution", "720p"),
        ({"seconds": 10**5000}, "kling-ai/v3/video", "duration", 15),
        ({"seconds": -1e308}, "kling-ai/v3/video", "duration", 3),
        ({"seconds": 1e308}, "google/veo-3.1", "duration", 8),
    ],
)
def test_the_nearest_is_measured_by_what_a_value_means(wish, model, field, value):
    planned = plans(prompt="x", **wish)[model]
    assert getattr(planned.payload, field) == value
    assert str(planned.lost[0]).endswith(f" becomes {value!r}")


@pytest.mark.parametrize("ratio", ["1:" + "9" * 400, "9" * 5000 + ":1", "0:1", "1:0.0", "0." + "0" * 400 + "1:9"])
def test_a_ratio_that_is_none_is_left_out(ratio):
    assert [loss.kept for loss in plans(prompt="x", ratio=ratio)["google/veo-3.1"].lost] == [None]


def test_converting_keeps_fields_of_one_name_and_of_one_meaning():
    given = kling_v2_6.TextImageToVideo(prompt="x", duration=10, aspect_ratio="1:1", end_image_url="https://a.b/c.png")
    whole = convert(given, kling_v3_video)
    assert (whole.lost, whole.payload.last_frame_url, whole.payload.duration) == ((), "https://a.b/c.png", 10)
    less = convert(given, openai_sora_2)
    assert {loss.name: loss.kept for loss in less.lost} == {
        "end_image_url": None, "aspect_ratio": less.payload.aspect_ratio, "duration": 8,
    }  # fmt: skip


@pytest.mark.parametrize("name", [info.module for info in MODELS])
def test_what_is_converted_to_its_own_model_is_the_same(name):
    module = getattr(skills_video, name)
    for item in catalog.plan(prompt="x", seconds=8):
        if type(item.payload).__module__ == module.__name__:
            assert convert(item.payload, module).payload.to_dict().items() >= item.payload.to_dict().items()
            assert convert(item.payload, module).lost == ()


def test_a_model_that_asks_for_more_says_what():
    with pytest.raises(PayloadError, match="video_url: is required"):
        convert(kling_v2_6.TextImageToVideo(prompt="x"), skills_video.pixverse_lipsync)


@pytest.mark.parametrize(
    "given", [({"prompt": "cat"}, kling_v3_video), (kling_v2_6.parse({"prompt": "cat"}), "kling_v3_video")]
)
def test_what_cannot_be_converted_is_told_so(given):
    with pytest.raises(TypeError, match="a payload and the module of a model"):
        convert(*given)


@pytest.mark.parametrize(
    "wish",
    [
        {"seconds": "8"}, {"seconds": [8]}, {"sound": 1}, {"sound": []}, {"ratio": 16 / 9}, {"ratio": b"16:9"},
        {"search": None}, {"search": 8},
    ],
)  # fmt: skip
def test_a_wish_of_a_wrong_type_is_refused_by_its_name(wish):
    with pytest.raises(ValueError, match=f"^{next(iter(wish))}="):
        catalog.find(**wish)


@pytest.mark.parametrize("wish", [{"seconds": 10**400}, {"search": "9" * 400}, {"search": "9" * 5000 + "s"}])
def test_no_model_makes_a_video_without_end(wish):
    assert catalog.find(**wish) == ()


def test_a_length_is_found_to_the_last_digit():
    assert catalog.find(seconds=8.0) == catalog.find(seconds=8)
    assert all("-" in str(length) for info in catalog.find(seconds=7.9999999) for length in info.durations)


def test_nothing_to_plan_is_refused():
    with pytest.raises(ValueError, match="prompt"):
        catalog.plan()


def test_plans_are_the_same_under_every_hash_seed():
    program = (
        "from skills_video import catalog\n"
        "for item in catalog.plan(prompt='x', seconds=7, ratio='2:1', resolution='480p', sound=True):\n"
        "    print(item.payload, *item.lost)"
    )
    told = {
        finished([sys.executable, "-c", program], env=environment(PYTHONHASHSEED=seed)).stdout for seed in ("1", "2")
    }
    assert len(told) == 1
    assert next(iter(told)).count("becomes") > 5
