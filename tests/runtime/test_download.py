"""Finished files to disk: whole or not at all, under a name that is safe, from an address that may be asked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_video_runtime.download import LONGEST, safe_name
from skills_video_runtime.errors import DownloadFailed
from skills_video_runtime.generation import Generation, MediaFile
from tests.runtime.callers import Flight, use
from tests.runtime.scripted import Drop, Reply, Request, Scripted, answer

if TYPE_CHECKING:
    from pathlib import Path

FILE = "GET /api/v.mp4"
DATA = bytes(range(256)) * 4000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def whole(_: Request | None = None, **headers: str) -> Reply:
    return answer(200, DATA, kind="video/mp4", **headers)


def cut(at: int, **headers: str) -> Reply:
    head = answer(200, DATA, kind="video/mp4", **headers)[0]
    assert isinstance(head, bytes)
    return [head[: len(head) - len(DATA) + at], Drop]


def rest(start: int, total: int = len(DATA), **headers: str) -> Reply:
    return answer(
        206, DATA[start:], kind="video/mp4", Content_Range=f"bytes {start}-{len(DATA) - 1}/{total}", **headers
    )


def fetch(mode: str, server: Scripted, folder: Path, flights: list[Flight] | None = None, **file: Any) -> list[Path]:
    media = MediaFile(f"{server.base}/v.mp4", **file)
    paths: list[Path] = use(mode, server.base, lambda client: client.download(media, folder), flights)
    return paths


def test_a_file_comes_whole_and_nothing_else_is_left(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    assert fetch(mode, server, tmp_path / "new" / "out") == [tmp_path / "new" / "out" / "v.mp4"]
    assert (tmp_path / "new/out/v.mp4").read_bytes() == DATA
    assert names(tmp_path / "new/out") == ["v.mp4"]


def test_a_break_is_resumed_where_it_was(mode: str, server: Scripted, tmp_path: Path) -> None:
    tag = '"abc"'
    server.on(FILE, cut(300_000, ETag=tag), rest(300_000, ETag=tag))
    assert fetch(mode, server, tmp_path)[0].read_bytes() == DATA
    assert server.requests[1].headers["range"] == "bytes=300000-"
    assert server.requests[1].headers["if-range"] == tag


CHANGED = {
    "another tag": rest(300_000, ETag='"other"'),
    "another place": rest(299_999),
    "another length": rest(300_000, 5_000_000),
    "no range": answer(206, DATA[300_000:], kind="video/mp4"),
    "not satisfiable": answer(416, b""),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_rest_that_may_be_of_another_file_is_not_appended(name: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000, ETag='"abc"'), CHANGED[name], whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert "range" not in server.requests[2].headers


def test_a_server_that_ignores_ranges_sends_it_all_again(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000), whole())
    assert fetch(mode, server, tmp_path)[0].read_bytes() == DATA


def test_a_weak_tag_is_no_proof(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(9, ETag='W/"abc"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT"), rest(9, ETag='W/"abc"'))
    fetch("sync", server, tmp_path)
    assert server.requests[1].headers["if-range"] == "Mon, 01 Jan 2024 00:00:00 GMT"


def test_progress_is_told(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    seen: list[tuple[int, int | None]] = []
    media = MediaFile(f"{server.base}/v.mp4")
    use(mode, server.base, lambda client: client.download(media, tmp_path, lambda _, *told: seen.append(told)))
    assert seen[-1] == (len(DATA), len(DATA))
    assert seen == sorted(seen)


REFUSED = {
    "a page": answer(200, b"<html>", kind="text/html"),
    "json": answer(200, b"{}", kind="application/json"),
    "an image": answer(200, b"x", kind="image/png"),
    "gone": answer(404, b""),
    "forbidden": answer(403, b""),
    "plain http": answer(302, b"", Location="http://example.com/v.mp4"),
    "a local file": answer(302, b"", Location="file:///etc/passwd"),
    "no address": answer(302, b"", Location="https://"),
    "a circle": answer(302, b"", Location="/api/v.mp4"),
    "encoded": answer(200, b"x", kind="video/mp4", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_media_is_refused_at_once(mode: str, name: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, REFUSED[name])
    flights: list[Flight] = []
    with pytest.raises(DownloadFailed):
        fetch(mode, server, tmp_path, flights, content_type="video/mp4")
    assert flights[0].slept == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reply", [answer(503, b"", Retry_After="2"), answer(200, b"", kind="video/mp4"), cut(0)])
def test_what_fails_again_and_again_is_given_up(mode: str, reply: Reply, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, reply)
    with pytest.raises(DownloadFailed):
        fetch(mode, server, tmp_path)
    assert len(server.requests) == 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://example.com/v.mp4", "ftp://127.0.0.1/v", "/v.mp4", "", "https://a:b@example.com/"]
)
def test_an_address_that_may_not_be_asked_is_not_asked(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="neither https nor this machine"):
        use("sync", "https://example.com", lambda client: client.download(MediaFile(url), tmp_path))


def test_the_signature_of_an_address_is_not_told(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, answer(404, b""))
    with pytest.raises(DownloadFailed) as caught:
        use("sync", server.base, lambda c: c.download(MediaFile(f"{server.base}/v.mp4?X-Signature=abcdef"), tmp_path))
    assert "abcdef" not in str(caught.value)
    assert caught.value.status == 404


def test_a_file_that_exists_is_kept(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    (tmp_path / "v.mp4").write_text("mine")
    (tmp_path / "v-1.mp4").symlink_to("nowhere")
    assert fetch(mode, server, tmp_path) == [tmp_path / "v-2.mp4"]
    assert (tmp_path / "v.mp4").read_text() == "mine"


def test_a_disk_without_links_is_good_enough(server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    server.on(FILE, whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert names(tmp_path) == ["v.mp4"]


def test_all_files_of_a_generation_come_in_their_order(mode: str, server: Scripted, tmp_path: Path) -> None:
    for number in range(9):
        server.on(f"GET /api/{number}", answer(200, b"%d" % number, kind="video/mp4"))
    files = [{"url": f"{server.base}/{number}", "file_name": "same.mp4"} for number in range(9)]
    generation = Generation("g", "COMPLETED", {"data": {"videos": files}})
    paths = use(mode, server.base, lambda client: client.download(generation, tmp_path))
    assert [path.read_bytes() for path in paths] == [b"%d" % number for number in range(9)]
    assert len(names(tmp_path)) == 9


def test_one_file_that_fails_does_not_keep_the_others(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on("GET /api/a", answer(404, b"")).on("GET /api/b", answer(200, b"b", kind="video/mp4"))
    generation = Generation("g", "COMPLETED", {"data": {"videos": [f"{server.base}/a", f"{server.base}/b"]}})
    with pytest.raises(DownloadFailed):
        use(mode, server.base, lambda client: client.download(generation, tmp_path))
    assert names(tmp_path) == ["b.mp4"]


def test_a_generation_without_files_has_nothing_to_download(mode: str, server: Scripted, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to download"):
        use(mode, server.base, lambda client: client.download(Generation("g", "IN_QUEUE", {}), tmp_path))


NAMES = {
    "clip.mp4": "clip.mp4",
    "../../etc/passwd": "passwd.mp4",
    "..\\..\\boot.ini": "boot.ini.mp4",
    "C:\\a\\b.webm": "b.webm",
    "con.mp4": "_con.mp4",
    "COM1": "_COM1.mp4",
    "nul.tar.mp4": "_nul.tar.mp4",
    ".bashrc": "bashrc.mp4",
    "...": "video.mp4",
    "": "video.mp4",
    "a\x00b\n\u202ec.mp4": "abc.mp4",
    "what?.mp4": "what_.mp4",
    "a:b|c.mp4": "a_b_c.mp4",
    "run.exe": "run.exe.mp4",
    "name .mp4": "name.mp4",
    "e\u0301t\u00e9.MP4": "\u00e9t\u00e9.MP4",
}


@pytest.mark.parametrize("given", NAMES)
def test_a_name_is_made_safe(given: str) -> None:
    assert safe_name(given, "video/mp4") == NAMES[given]


@given(st.text(max_size=400), st.sampled_from(["video/mp4", "", "image/png", "text/x"]))
def test_any_name_is_one_that_any_system_takes(given: str, kind: str) -> None:
    name = safe_name(given, kind)
    assert name == name.strip(" .")
    assert name.isprintable() or not any(ord(character) < 32 for character in name)
    assert not set(name) & set('<>:"/\\|?*\0')
    assert 3 < len(name.encode()) <= LONGEST + 8
    assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
