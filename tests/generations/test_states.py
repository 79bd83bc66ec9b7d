"""What the platform tells of a generation is read as it comes."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import Generation, MediaFile, Status, Usage

WORDS = {
    "IN_QUEUE": "IN_QUEUE", "starting": "IN_QUEUE", "queued": "IN_QUEUE", "In_Progress": "IN_PROGRESS",
    "processing": "IN_PROGRESS", "running": "IN_PROGRESS", "completed": "COMPLETED", "SUCCEEDED": "COMPLETED",
    "failed": "FAILED", "canceled": "CANCELED", "CANCELLED": "CANCELED",
}  # fmt: skip


def parsed(**raw: Any) -> Generation:
    generation = Generation.parse(raw)
    assert generation is not None
    return generation


@pytest.mark.parametrize("word", WORDS)
def test_every_vocabulary_is_understood_in_any_case(word: str) -> None:
    for spelled in (word, word.upper(), word.lower()):
        assert parsed(id="g", status=spelled).status == WORDS[word]
    assert parsed(id="g", status=word).is_finished == (WORDS[word] in {"COMPLETED", "FAILED", "CANCELED"})


@pytest.mark.parametrize("word", ["Paused", "", None, 5, ["COMPLETED"], {"COMPLETED": 1}, True, " COMPLETED"])
def test_an_unknown_word_is_kept_and_is_not_finished(word: Any) -> None:
    generation = parsed(id="g", status=word)
    assert not generation.is_finished
    assert generation.status == (word if isinstance(word, str) else "")
    assert generation.raw["status"] == word


def test_files_are_found_wherever_they_are() -> None:
    data = {
        "note": "https://not.a/file",
        "deep": [{"more": {"url": "https://x/deep", "width": "wide"}}],
        "audio": "https://x/audio",
        "image": {"url": "https://x/image", "content_type": "image/png"},
        "video": {"url": "https://x/1"},
        "videos": [{"url": "https://x/1", "file_name": "one.mp4", "width": 640, "height": True}, "https://x/2", 5],
    }
    found = parsed(id="g", status="COMPLETED", data=data).videos
    assert [file.url for file in found] == [
        "https://x/1",
        "https://x/2",
        "https://x/image",
        "https://x/audio",
        "https://x/deep",
    ]
    assert found[0] == MediaFile("https://x/1", "one.mp4", None, 640, None)


@pytest.mark.parametrize(
    "url", ["HTTPS://x/1", "data:video/mp4;base64,AA", "ftp://x/1", "v.mp4", "https://x/a b\u00e9"]
)
def test_an_address_of_any_kind_is_kept_as_it_came(url: str) -> None:
    data = {"type": "video", "video": {"url": url}, "videos": [url] if url.startswith("HTTPS") else []}
    assert [file.url for file in parsed(id="g", data=data).videos] == [url]


@pytest.mark.parametrize("value", [MediaFile("u"), Usage(1), parsed(id="g", status="queued"), RetryPolicy()])
def test_values_are_fixed_compared_and_copied(value: Any) -> None:
    assert value == copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value))
    assert hash(value) == hash(copy.deepcopy(value))
    assert value != tuple(getattr(value, name) for name in value.__dataclass_fields__)
    with pytest.raises(AttributeError):
        setattr(value, next(iter(value.__dataclass_fields__)), "other")
    with pytest.raises(AttributeError):
        value.more = 1


def test_the_files_of_a_list_come_in_its_order() -> None:
    files = [{"url": f"https://x/{number}"} for number in range(4)]
    assert [file.url[-1] for file in parsed(id="g", data={"videos": files}).videos] == ["0", "1", "2", "3"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["id", "status", "data", "url", "videos", "usage", "error", "input", "message"])
                | st.text(),
                inner,
            )
        ),
        max_leaves=40,
    )
)
def test_nothing_that_json_can_hold_is_an_accident(body: Any) -> None:
    generation = Generation.parse(body)
    if generation is not None:
        assert isinstance(generation.id, str)
        assert isinstance(generation.videos, tuple)
        assert isinstance(generation.usage, Usage)
        assert isinstance(generation.code, str | None)
        assert isinstance(generation.message, str | None)
        assert isinstance(generation.input, dict | None)
        assert hash(generation) == hash(copy.deepcopy(generation))


def test_a_generation_pickles_and_shows_no_signature() -> None:
    generation = parsed(id="g", status="COMPLETED", data={"videos": ["https://x/?signature=s"]})
    again = pickle.loads(pickle.dumps(generation))
    assert (again, again.raw) == (generation, generation.raw)
    assert "signature" not in repr(generation)
    assert again.status is Status.COMPLETED


def test_an_address_beside_a_url_is_no_file_of_its_own() -> None:
    videos = [{"url": "https://x/1", "thumbnail": "https://x/2", "page": ["https://x/3"]}]
    assert [file.url for file in parsed(id="g", data={"videos": videos}).videos] == ["https://x/1", "https://x/3"]


def test_waits_double_up_to_a_maximum_and_vary_on_both_sides() -> None:
    policy = RetryPolicy()
    assert [policy.delay(n, None, lambda: 0.5) for n in (1, 2, 3, 4, 5, 6, 9999)] == [1, 2, 4, 8, 16, 16, 16]
    assert (policy.delay(5, None, lambda: 0.0), policy.delay(5, None, lambda: 1.0)) == (12, 20)
    assert policy.delay(1, 7.5, lambda: 0.0) == 7.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": float("nan")},
        {"initial": -1},
        {"initial": 20},
        {"jitter": 1.1},
        {"maximum": float("nan")},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="are required"):
        RetryPolicy(**wrong)


def test_no_amount_is_what_no_number_is() -> None:
    told = json.loads('{"total": NaN, "subscription": Infinity, "permanent": -Infinity}')
    assert Usage.parse(told) == Usage(None, None, None)
    assert Usage.parse({"total": True, "subscription": "5", "permanent": 5}) == Usage(None, None, 5)


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "g", "status": "COMPLETED", "data": {"video": {"url": "https://example.org/v.mp4"}}},
        {"id": "g", "status": "WARMING_UP", "data": {"id": "other"}},
        {"generationId": 7},
    ],
)
def test_a_generation_can_be_stored_and_read_again(raw: dict[str, Any]) -> None:
    state = parsed(**raw)
    stored = json.loads(json.dumps(state.to_dict()))
    assert Generation.from_dict(stored) == state
    assert Generation.from_dict(stored).videos == state.videos


@pytest.mark.parametrize("data", [None, [], "gen_1", {}, {"id": "gen_1"}, {"id": "gen_1", "status": 7}])
def test_what_is_no_stored_generation(data: Any) -> None:
    with pytest.raises(ValueError, match="no generation"):
        Generation.from_dict(data)


@pytest.mark.parametrize("word", ["succeeded", "completed", "COMPLETED"])
@pytest.mark.parametrize("envelope", ["data", "task", "generation"])
def test_the_success_of_a_request_is_none_of_a_generation_that_goes_on(word, envelope):
    told = Generation.parse({"status": word, envelope: {"id": "gen_1", "status": "IN_PROGRESS"}})
    assert (told.id, told.status) == ("gen_1", "IN_PROGRESS")
    over = Generation.parse({"status": word, "data": {"video": {"url": "https://cdn.example.com/v.mp4"}}})
    assert (over.status, over.has_files) == ("COMPLETED", True)


@pytest.mark.parametrize("amount", [10**30, 10**400, -(10**30), 1e300])
def test_an_amount_that_nothing_can_hold_is_none(amount):
    assert Usage.parse({"total": amount, "permanent": 3}).total is None
