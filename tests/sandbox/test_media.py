"""Finished files: whole, in ranges, and broken."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import httpx
import pytest

from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.sandbox.media import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.sandbox_callers import Caller


def finished(caller: Caller, faults: str = "") -> str:
    """URL of the video of a finished generation."""
    made = caller.made(faults)
    caller.sandbox.advance(21)
    url: str = caller.http.get(f"/generation/{made}").json()["data"]["video"]["url"]
    return url


def fetch(url: str, **headers: str) -> httpx.Response:
    with httpx.Client(verify=False, timeout=5) as http:
        return http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_the_file_is_a_small_video(still: Caller) -> None:
    answer = fetch(finished(still))
    assert answer.content == SAMPLE
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(SAMPLE))
    assert answer.headers["accept-ranges"] == "bytes"
    assert SAMPLE[4:8] == b"ftyp"
    assert len(SAMPLE) < 4096


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_the_file_plays() -> None:
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "null", "-"]
    played = finished(command, input=SAMPLE, check=True, text=False)
    assert played.stderr == b""


def test_several_videos_are_several_files(still: Caller) -> None:
    still.create("", "/generation/z-image/z-image", {"prompt": "x", "n": 3})
    still.sandbox.advance(21)
    data = still.http.get("/generation/gen_000001").json()["data"]
    assert (data["n"], len({video["url"] for video in data["videos"]})) == (3, 3)
    assert [fetch(video["url"]).status_code for video in data["videos"]] == [200] * 3
    assert len({video["file_name"] for video in data["videos"]}) == 3
    assert fetch(data["video"]["url"].replace("/0.mp4", "/3.mp4")).status_code == 404


def test_there_is_no_file_before_the_end(still: Caller) -> None:
    made = still.made()
    url = f"{still.sandbox.origin}/media/{made}/0.mp4"
    assert fetch(url).status_code == 404
    still.sandbox.advance(21)
    assert fetch(url).status_code == 200


def test_there_is_no_file_of_a_failure(still: Caller) -> None:
    made = still.made("failed")
    still.sandbox.advance(21)
    assert fetch(f"{still.sandbox.origin}/media/{made}/0.mp4").status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, len(SAMPLE)),
        ("bytes=-7", len(SAMPLE) - 7, len(SAMPLE)),
        ("bytes=5-999999", 5, len(SAMPLE)),
        ("bytes=-999999", 0, len(SAMPLE)),
    ],
)
def test_a_range_is_served(still: Caller, asked: str, start: int, end: int) -> None:
    answer = fetch(finished(still), Range=asked)
    assert (answer.status_code, answer.content) == (206, SAMPLE[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(SAMPLE)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", [f"bytes={len(SAMPLE)}-", "bytes=-0", "bytes=9-3"])
def test_a_range_outside_the_file_is_refused(still: Caller, asked: str) -> None:
    answer = fetch(finished(still), Range=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(SAMPLE)}")


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "pages=1-2", "bytes=a-b", f"bytes={'9' * 5000}-"])
def test_what_is_no_single_range_gets_the_whole_file(still: Caller, asked: str) -> None:
    assert fetch(finished(still), Range=asked).status_code == 200


def test_a_range_holds_for_the_same_file_only(still: Caller) -> None:
    url = finished(still)
    etag = fetch(url).headers["etag"]
    assert fetch(url, Range="bytes=5-", If_Range=etag).status_code == 206
    assert fetch(url, Range="bytes=5-", If_Range='"another"').status_code == 200


def test_a_head_request_has_the_headers_alone(still: Caller) -> None:
    answer = httpx.head(finished(still))
    assert (answer.headers["content-length"], answer.content) == (str(len(SAMPLE)), b"")


def test_a_download_can_be_cut(still: Caller) -> None:
    url = finished(still, "download-cut:100:2")
    for _ in range(2):
        with httpx.stream("GET", url) as answer:
            assert answer.headers["content-length"] == str(len(SAMPLE))
            pieces = answer.iter_raw(100)
            assert next(pieces) == SAMPLE[:100]
            with pytest.raises(httpx.RemoteProtocolError):
                next(pieces)
    assert fetch(url, Range="bytes=100-").content == SAMPLE[100:]


def test_a_length_can_be_too_long(still: Caller) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(finished(still, "download-length:+5"))


def test_a_length_can_be_too_short(still: Caller) -> None:
    assert fetch(finished(still, "download-length:-5")).content == SAMPLE[:-5]


@pytest.mark.parametrize(("trouble", "status"), [("404", 404), ("429", 429), ("503", 503)])
def test_a_download_can_fail_for_a_while(still: Caller, trouble: str, status: int) -> None:
    url = finished(still, f"download-{trouble}:2")
    assert [fetch(url).status_code for _ in range(3)] == [status, status, 200]


def test_a_download_can_be_dropped(still: Caller) -> None:
    url = finished(still, "download-drop")
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(url)
    assert fetch(url).status_code == 200


def test_other_faults_of_files(still: Caller) -> None:
    assert fetch(finished(still, "download-type:text/html")).headers["content-type"] == "text/html"
    assert fetch(finished(still, "download-no-range"), Range="bytes=5-").status_code == 200
    changed = finished(still, "download-changed")
    assert fetch(changed).headers["etag"] != fetch(changed).headers["etag"]
    moved = fetch(finished(still, "download-redirect:https://elsewhere.example/v.mp4"))
    assert (moved.status_code, moved.headers["location"]) == (307, "https://elsewhere.example/v.mp4")
    made = still.made("download-name:../../a%2Cb")
    still.sandbox.advance(21)
    assert still.http.get(f"/generation/{made}").json()["data"]["video"]["file_name"] == "../../a,b"


def test_files_can_have_another_origin(call_with: Callable[..., Caller]) -> None:
    caller = call_with(Sandbox(speed=0, media_host="localhost"))
    url = finished(caller)
    assert url.startswith("http://localhost:")
    assert fetch(url).content == SAMPLE
