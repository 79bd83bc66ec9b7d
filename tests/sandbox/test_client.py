"""The client's downloads, with every fault that the sandbox has for files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.errors import DownloadFailed
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.sandbox.media import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sandbox_callers import Caller


@pytest.fixture
def client(still: Caller) -> Iterator[Client]:
    with Client(still.sandbox.api_key, still.sandbox.url, retry=RetryPolicy(initial=0.01, maximum=0.02)) as client:
        yield client


def finished(caller: Caller, faults: str) -> str:
    name = caller.made(faults)
    caller.sandbox.advance(100)
    return name


@pytest.mark.parametrize(
    ("faults", "name"),
    [
        ("", "gen_000001-0.mp4"),
        ("download-cut:100:2", "gen_000001-0.mp4"),
        ("download-cut:0", "gen_000001-0.mp4"),
        ("download-cut:100,download-no-range", "gen_000001-0.mp4"),
        ("download-cut:100,download-changed", "gen_000001-0.mp4"),
        ("download-drop:2,download-503:2,download-429", "gen_000001-0.mp4"),
        ("download-type:application/octet-stream", "gen_000001-0.mp4"),
        ("download-name:..%2F..%2Fclip.mp4", "clip.mp4"),
        ("download-name:con", "_con.mp4"),
    ],
)
def test_a_file_comes_whole_in_spite_of_trouble(
    still: Caller, client: Client, faults: str, name: str, tmp_path: Path
) -> None:
    (path,) = client.download(client.get(finished(still, faults)), tmp_path / "out")
    assert (path, path.read_bytes()) == (tmp_path / "out" / name, SAMPLE)
    assert all("authorization" not in seen.headers for seen in still.sandbox.seen if "/media/" in seen.path)


@pytest.mark.parametrize(
    ("faults", "told", "requests"),
    [
        ("download-type:text/html", "the answer is text/html", 1),
        ("download-type:image/png", "where video was announced", 1),
        ("download-404", "the answer was 404", 1),
        ("download-redirect:http://example.com/", "neither https nor this machine", 1),
        ("download-length:+5", "could not be downloaded: ", 6),
        ("download-500:9", "the answer was 500", 6),
    ],
)
def test_what_is_no_whole_file_is_not_left(
    still: Caller, client: Client, faults: str, told: str, requests: int, tmp_path: Path
) -> None:
    generation = client.get(finished(still, faults))
    with pytest.raises(DownloadFailed, match=told) as caught:
        client.download(generation, tmp_path)
    assert caught.value.generation_id == generation.id
    assert still.sandbox.requests["GET /media/{id}/{file}"] == requests
    assert list(tmp_path.iterdir()) == []
