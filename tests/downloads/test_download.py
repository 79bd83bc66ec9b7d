"""Finished files to disk: whole or not at all, under a name that is safe, from an address that may be asked."""

from __future__ import annotations

import asyncio
import os
import sys
from io import BytesIO
from traceback import format_exception
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.downloads.fetch import Fetch
from skills_video_runtime.downloads.names import MAX_NAME_BYTES, safe_name
from skills_video_runtime.errors import DownloadFailed
from skills_video_runtime.generations.outcomes import Opened
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import Generation, MediaFile
from skills_video_runtime.testing import IOProxy, is_idle
from tests.support.callers import use
from tests.support.children import finished
from tests.support.scripted import KEY, Drop, Hold, Reply, Request, Scripted, answer, chunk

if TYPE_CHECKING:
    from pathlib import Path

    from skills_video_runtime.testing import FastTime

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


def fetch(mode: str, server: Scripted, folder: Path, flights: list[FastTime] | None = None, **file: Any) -> list[Path]:
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
    "another time": rest(300_000, ETag='"abc"', Last_Modified="Tue, 02 Jan 2024 00:00:00 GMT"),
    "a tag at last": rest(300_000, ETag='"new"'),
    "no tag": rest(300_000),
    "no tag, but the time": rest(300_000, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT"),
    "backwards": answer(206, b"", kind="video/mp4", ETag='"abc"', Content_Range=f"bytes 300000-299999/{len(DATA)}"),
    "no range": answer(206, DATA[300_000:], kind="video/mp4"),
    "not satisfiable": answer(416, b""),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_rest_that_may_be_of_another_file_is_not_appended(name: str, server: Scripted, tmp_path: Path) -> None:
    tag = {} if name == "a tag at last" else {"ETag": '"abc"'}
    server.on(FILE, cut(300_000, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT", **tag), CHANGED[name], whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert "range" not in server.requests[2].headers


def test_where_a_time_alone_proves_the_file_the_rest_has_to_tell_it(server: Scripted, tmp_path: Path) -> None:
    time = {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    server.on(FILE, cut(300_000, **time), rest(300_000), cut(9, **time), rest(9, **time))
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert [request.headers.get("range") for request in server.requests] == [None, "bytes=300000-", None, "bytes=9-"]


def test_a_server_that_ignores_ranges_sends_it_all_again(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000), whole())
    assert fetch(mode, server, tmp_path)[0].read_bytes() == DATA


def test_a_rest_may_come_in_parts(mode: str, server: Scripted, tmp_path: Path) -> None:
    def part(request: Request) -> Reply:
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        end = min(start + 400_000, len(DATA))
        span = f"bytes {start}-{end - 1}/{len(DATA)}"
        return answer(206, DATA[start:end], kind="video/mp4", Content_Range=span)

    server.on(FILE, cut(9), part)
    assert fetch(mode, server, tmp_path)[0].read_bytes() == DATA
    assert len(server.requests) == 4


def test_a_break_at_any_byte_is_resumed(server: Scripted, tmp_path: Path) -> None:
    def some(request: Request) -> Reply:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        status, where = ("206 P", f"Content-Range: bytes {start}-9/10\r\n") if start else ("200 OK", "")
        head = f"HTTP/1.1 {status}\r\nContent-Type: video/mp4\r\n{where}Content-Length: {10 - start}\r\n\r\n"
        return [head.encode() + DATA[start : start + 1], Drop] if start < 9 else [head.encode() + DATA[9:10]]

    server.on(FILE, some)
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA[:10]
    assert len(server.requests) == 10


@pytest.mark.parametrize(("tag", "resumed"), [({"ETag": '"abc"'}, True), ({"ETag": 'W/"abc"'}, False), ({}, False)])
def test_a_file_of_unknown_length_is_resumed_only_by_what_proves_it(
    tag: dict[str, str], resumed: bool, server: Scripted, tmp_path: Path
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in tag.items())
    first = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n{head}Transfer-Encoding: chunked\r\n\r\n"
    server.on(FILE, [first.encode() + chunk(DATA[:500]), Drop], rest(500, **tag), whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert len(server.requests) == (2 if resumed else 3)


def test_a_server_that_breaks_at_the_same_byte_again_and_again_is_given_up(server: Scripted, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.on(FILE, *[[head + chunk(DATA), Drop], answer(416, b"")] * 50)
    with pytest.raises(DownloadFailed):
        fetch("sync", server, tmp_path)
    assert len(server.requests) == 6


def test_a_tag_that_no_request_can_carry_is_left_out(server: Scripted, tmp_path: Path) -> None:
    lines = f'HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nETag: "\xfc"\r\nContent-Length: {len(DATA)}\r\n\r\n'
    server.on(FILE, [lines.encode("latin-1") + DATA[:9], Drop], whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert "if-range" not in server.requests[1].headers


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
    "no host": answer(302, b"", Location="https://"),
    "no address": answer(302, b""),
    "no URL": answer(302, b"", Location="http://["),
    "a user name": answer(302, b"", Location="https://a:b@example.com/v.mp4"),
    "captions": answer(200, b"x", kind="text/vtt"),
    "a circle": answer(302, b"", Location="/api/v.mp4"),
    "encoded": answer(200, b"x", kind="video/mp4", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_media_is_refused_at_once(mode: str, name: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, REFUSED[name])
    flights: list[FastTime] = []
    with pytest.raises(DownloadFailed) as caught:
        fetch(mode, server, tmp_path, flights, content_type="video/mp4")
    assert not caught.value.retryable
    assert len(server.requests) == (6 if name == "a circle" else 1)
    assert flights[0].slept == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reply", [answer(503, b"", Retry_After="2"), answer(200, b"", kind="video/mp4"), cut(0)])
def test_what_fails_again_and_again_is_given_up(mode: str, reply: Reply, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, reply)
    with pytest.raises(DownloadFailed) as caught:
        fetch(mode, server, tmp_path)
    assert caught.value.retryable
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


@pytest.mark.parametrize("path", [f"{KEY}/v.mp4", f"v.mp4?{KEY}", f"v.mp4#{KEY}"])
def test_an_address_with_the_key_in_it_does_not_tell_it(path: str, server: Scripted, tmp_path: Path) -> None:
    server.on(
        f"GET /api/{path.partition('?')[0].partition('#')[0]}", answer(302, b"", Location=f"https://a:{KEY}@b/{KEY}")
    )
    with pytest.raises(DownloadFailed) as caught:
        use("sync", server.base, lambda client: client.download(MediaFile(f"{server.base}/{path}"), tmp_path))
    assert KEY not in "".join(format_exception(caught.value))


def test_a_password_in_an_address_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as caught:
        use("sync", "https://example.com", lambda c: c.download(MediaFile("https://a:secret@example.com/v"), tmp_path))
    assert "secret" not in str(caught.value)


class Redirected(IOProxy):
    """Answers that lead from one address to the next."""

    def __init__(self, *where: str) -> None:
        super().__init__(None)
        self.where = list(where)

    def now(self) -> float:
        return 0.0

    async def open_file(self, *_: object) -> Opened:
        return Opened(302, {"location": self.where.pop(0)})


def test_no_other_machine_leads_to_this_one(tmp_path: Path) -> None:
    io = Redirected(
        "https://other.example/", "https://cdn.example/", "http://127.0.0.1:8080/", "https://never.example/"
    )
    fetch = Fetch(file=MediaFile("https://cdn.example/v.mp4"), io=io, retry=RetryPolicy(), is_local=True)
    with pytest.raises(DownloadFailed, match="from another machine to this one"):
        asyncio.run(fetch.into(BytesIO()))
    assert io.where == ["https://never.example/"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.0.0.1.", "127.9.9.9", "127.1", "2130706433", "0",
     "[::]", "0.0.0.0", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "[::1]", "[::ffff:127.0.0.1]",
     "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "127\u30020\u30020\u30021", "\uff11\uff12\uff17.0.0.1",
     "localhost\u3002", "127\uff611"],
)  # fmt: skip
def test_no_platform_elsewhere_leads_to_this_machine(host: str, tmp_path: Path) -> None:
    for url in (f"https://{host}/v.mp4", f"https://{host}:8443/v.mp4", f"http://{host}/v.mp4"):
        with pytest.raises(DownloadFailed, match="from another machine to this one") as caught:
            use("sync", "https://example.com", lambda client: client.download(MediaFile(url), tmp_path))  # noqa: B023
        assert not caught.value.retryable
        io = Redirected(url, "https://never.example/")
        fetch = Fetch(file=MediaFile("https://cdn.example/v.mp4"), io=io, retry=RetryPolicy())
        with pytest.raises(DownloadFailed, match="from another machine to this one"):
            asyncio.run(fetch.into(BytesIO()))
        assert io.where == ["https://never.example/"]


@pytest.mark.parametrize("most", [0, -1, 1.5, "5", None, True, float("inf")])
def test_a_largest_size_that_is_no_number_of_bytes_is_refused(
    most: Any, mode: str, server: Scripted, tmp_path: Path
) -> None:
    media = MediaFile(f"{server.base}/v.mp4")
    with pytest.raises((TypeError, ValueError), match="max_bytes"):
        use(mode, server.base, lambda client: client.download(media, tmp_path, max_bytes=most))
    assert server.requests == []


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
TOO_MUCH = {
    "told": whole(),
    "never told": [CHUNKED, *[chunk(DATA[:50_000])] * 20_000],
}


@pytest.mark.parametrize("name", ["told", "never told"])
def test_a_file_that_is_too_large_is_given_up(name: str, mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, TOO_MUCH[name])
    media = MediaFile(f"{server.base}/v.mp4")
    seen: list[int] = []
    with pytest.raises(DownloadFailed, match="max_bytes") as caught:
        use(
            mode,
            server.base,
            lambda client: client.download(media, tmp_path, lambda _, got, __: seen.append(got), max_bytes=100_000),
        )
    assert not caught.value.retryable
    assert max(seen, default=0) <= 100_000
    assert len(server.requests) == 1
    assert names(tmp_path) == []


@pytest.mark.parametrize("spare", [0, 5])
def test_a_file_as_large_as_it_may_be_comes_whole(spare: int, mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, [CHUNKED, chunk(DATA), b"0\r\n\r\n"])
    media = MediaFile(f"{server.base}/v.mp4")
    use(mode, server.base, lambda client: client.download(media, tmp_path, max_bytes=len(DATA) + spare))
    assert names(tmp_path) == ["v.mp4"]


@pytest.mark.parametrize("path", [f"{KEY}.mp4", f"{KEY.replace('s', '%73')}/v.mp4", f"v.mp4?key={KEY}"])
def test_no_download_carries_the_key(path: str, server: Scripted, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="holds the API key"):
        use("sync", server.base, lambda client: client.download(MediaFile(f"{server.base}/{path}"), tmp_path))
    assert server.requests == []


def test_no_name_of_a_file_holds_the_key(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    assert [path.name for path in fetch("sync", server, tmp_path, file_name=f"a{KEY}.mp4")] == ["a_key_.mp4"]


def test_this_machine_may_lead_to_itself(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, answer(302, b"", Location=f"http://localhost:{server.port}/other.mp4"))
    server.on("GET /other.mp4", whole())
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA


@pytest.mark.parametrize("kind", ["application/octet-stream", "VIDEO/MP4 ; codecs=avc1", "application/mp4", ";", ""])
def test_a_type_that_tells_little_is_good_enough(kind: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, answer(200, DATA, kind=kind))
    assert fetch("sync", server, tmp_path, content_type="video/mp4")[0].read_bytes() == DATA


@pytest.mark.parametrize(
    ("announced", "kind", "name"),
    [
        ("video/mp4", "application/octet-stream", "v.mp4"),
        ("Video/WebM; codecs=vp9", "", "v.webm"),
        ("image/png", "binary/octet-stream", "v.png"),
        ("video/mp4", "video/quicktime", "v.mov"),
        ("text/html", "application/octet-stream", "v.bin"),
        (None, "application/octet-stream", "v.bin"),
    ],
)
def test_a_file_whose_type_only_the_platform_tells_has_the_suffix_of_that(
    mode: str, announced: str | None, kind: str, name: str, server: Scripted, tmp_path: Path
) -> None:
    server.on("GET /api/v", answer(200, DATA, kind=kind))
    media = MediaFile(f"{server.base}/v", content_type=announced)
    assert use(mode, server.base, lambda client: client.download(media, tmp_path)) == [tmp_path / name]


FULL = """
import resource, signal, sys
from pathlib import Path
from skills_video_runtime.client import Client
from skills_video_runtime.generations.states import MediaFile
from skills_video_runtime.testing import is_idle

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with Client("key-0123456789", sys.argv[1]) as client:
    try:
        client.download(MediaFile(sys.argv[1] + "/v.mp4"), sys.argv[2])
    except OSError as error:
        assert is_idle(client)
        sys.exit(f"full: {error}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of a file")
@pytest.mark.parametrize("sizes", [[5000, 5000], [100_000], [500, 600]])
def test_a_full_disk_leaves_nothing(sizes: list[int], server: Scripted, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.on(FILE, [head, *(chunk(bytes(size)) for size in sizes), b"0\r\n\r\n"])
    arguments = [sys.executable, "-c", FULL, server.base, str(tmp_path)]
    done = finished(arguments)
    assert (done.returncode, done.stderr.startswith("full: ")) == (1, True), done.stderr
    assert str(tmp_path / "v.mp4") in done.stderr
    assert names(tmp_path) == []


def test_what_is_no_directory_is_told(server: Scripted, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError):
        fetch("sync", server, tmp_path / "file")
    assert server.requests == []


def test_a_callback_that_raises_ends_the_download(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use(mode, server.base, lambda client: client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path, fail))
    assert names(tmp_path) == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_download_of_many_files_that_is_cancelled_leaves_its_client_idle(
    backend: str, server: Scripted, tmp_path: Path
) -> None:
    hold = Hold()
    server.on(FILE, [hold])
    urls = [{"url": f"{server.base}/v.mp4?{number}"} for number in range(9)]  # more than are fetched at once
    made = Generation("gen_1", "COMPLETED", {"data": {"videos": urls}})

    async def main() -> None:
        async with AsyncClient(KEY, server.base) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.download, made, tmp_path)
                await anyio.to_thread.run_sync(hold.reached.wait)
                group.cancel_scope.cancel()
            assert is_idle(client)

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("wrong", ["the second file", "the directory"])
def test_a_download_that_cannot_begin_leaves_its_client_idle(wrong: str, server: Scripted, tmp_path: Path) -> None:
    place: Any = tmp_path
    videos: list[Any] = [MediaFile(f"{server.base}/v.mp4"), MediaFile(3)]  # type: ignore[arg-type]
    if wrong == "the directory":
        place, videos = 3, videos[:1]
    made = SimpleNamespace(videos=videos, id="gen_1")
    with Client(KEY, server.base) as client:
        with pytest.raises((TypeError, AttributeError)):
            client.download(made, place)  # type: ignore[arg-type]
        assert is_idle(client)


def test_a_cancelled_download_leaves_nothing(server: Scripted, tmp_path: Path) -> None:
    hold = Hold()
    server.on(FILE, [cut(300_000)[0], hold])

    async def main() -> None:
        async with AsyncClient(KEY, server.base) as client:
            task = asyncio.create_task(client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path))
            await asyncio.to_thread(hold.reached.wait, 5)
            assert len(names(tmp_path)) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert names(tmp_path) == []

    asyncio.run(main())
    assert server.wait_closed()


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
    (tmp_path / "v.mp4").write_text("mine")
    assert fetch("sync", server, tmp_path)[0].read_bytes() == DATA
    assert (tmp_path / "v.mp4").read_text() == "mine"
    assert names(tmp_path) == ["v-1.mp4", "v.mp4"]


def test_a_file_that_is_lost_as_it_gets_its_name_leaves_none_by_that(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(part: Path, _: Path) -> None:
        part.unlink(missing_ok=True)
        raise PermissionError

    monkeypatch.setattr(os, "link", lose)
    server.on(FILE, whole())
    with pytest.raises(FileNotFoundError):
        fetch("sync", server, tmp_path)
    assert names(tmp_path) == []


def test_a_name_that_is_taken_at_the_last_moment_is_kept(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Path, path: Path) -> None:
        if not list(tmp_path.glob("v*")):
            path.write_text("mine")
        raise PermissionError

    monkeypatch.setattr(os, "link", take)
    server.on(FILE, whole())
    assert fetch("sync", server, tmp_path) == [tmp_path / "v-1.mp4"]
    assert (tmp_path / "v.mp4").read_text() == "mine"


def test_all_files_of_a_generation_come_in_their_order(mode: str, server: Scripted, tmp_path: Path) -> None:
    for number in range(9):
        server.on(f"GET /api/{number}", answer(200, b"%d" % number, kind="video/mp4"))
    files = [{"url": f"{server.base}/{number}", "file_name": "same.mp4"} for number in range(9)]
    generation = Generation("g", "COMPLETED", {"data": {"videos": files}})
    paths = use(mode, server.base, lambda client: client.download(generation, tmp_path))
    assert [path.read_bytes() for path in paths] == [b"%d" % number for number in range(9)]
    assert len(names(tmp_path)) == 9


@pytest.mark.parametrize(
    "path", ["..%2f..%2fetc%2fv.mp4", "a/..%5c..%5cv.mp4", "%2e%2e/v.mp4", "v.mp4%00", "a/../v.mp4"]
)
def test_the_path_of_an_address_leads_nowhere(path: str, server: Scripted, tmp_path: Path) -> None:
    for route in (path, "../v.mp4", "v.mp4"):
        server.on(f"GET /api/{route}", whole()).on(f"GET /{route.removeprefix('../')}", whole())
    (found,) = use("sync", server.base, lambda c: c.download(MediaFile(f"{server.base}/{path}"), tmp_path / "out"))
    assert found == tmp_path / "out" / "v.mp4"


def test_one_file_that_fails_does_not_keep_the_others(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on("GET /api/a", answer(404, b"")).on("GET /api/b", answer(200, b"b", kind="video/mp4"))
    generation = Generation("g", "COMPLETED", {"data": {"videos": [f"{server.base}/a", f"{server.base}/b"]}})
    with pytest.raises(DownloadFailed):
        use(mode, server.base, lambda client: client.download(generation, tmp_path))
    assert names(tmp_path) == ["b.mp4"]


@pytest.mark.parametrize("url", ["https://[x/a.mp4", "https://[::1", "https://exa\u2100mple.com/a.mp4"])
def test_one_address_that_is_none_does_not_keep_the_others(url: str, server: Scripted, tmp_path: Path) -> None:
    server.on("GET /api/b", answer(200, b"b", kind="video/mp4"))
    generation = Generation("g", "COMPLETED", {"data": {"videos": [url, f"{server.base}/b"]}})
    with pytest.raises(DownloadFailed) as caught:
        use("sync", server.base, lambda client: client.download(generation, tmp_path))
    assert caught.value.saved == (tmp_path / "b.mp4",)


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
    "-rf.mp4": "rf.mp4",
    " - .-x.mp4": "x.mp4",
    "a\u2028b\u00a0c\u3000.mp4": "a b c.mp4",
    "name.mp4. . ": "name.mp4",
    "dir/": "dir.mp4",
    "%2e%2e%2fa.mp4": "%2e%2e%2fa.mp4",
    "\u00e4" * 75 + "b.webm": "\u00e4" * 75 + ".webm",
    "x" * 149 + "\u00e4.mp4": "x" * 149 + ".mp4",
    "a" + "\u0301" * 300 + ".mp4": "\u00e1" + "\u0301" * 74 + ".mp4",
    "\u0316\u0301" * 500_000 + ".mp4": "\u0316" * 75 + ".mp4",
}


@pytest.mark.parametrize("given", NAMES)
def test_a_name_is_made_safe(given: str) -> None:
    assert safe_name(given, "video/mp4") == NAMES[given]


@given(st.text(max_size=400), st.sampled_from(["video/mp4", "", "image/png", "text/x"]))
def test_any_name_is_one_that_any_system_takes(given: str, kind: str) -> None:
    name = safe_name(given, kind)
    assert name == name.strip(" .")
    assert name.isprintable()
    assert not name.startswith(("-", "."))
    assert not set(name) & set('<>:"/\\|?*\0')
    assert 3 < len(name.encode()) <= MAX_NAME_BYTES + 8
    assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
