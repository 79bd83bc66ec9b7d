"""Names of files, what becomes of those that exist, time, and going on in a later process."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.downloads import partial
from skills_video_runtime.errors import DownloadFailed
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import Generation, MediaFile
from tests.support.callers import use
from tests.support.children import started
from tests.support.interruptions import interrupt_as_a_thread_starts
from tests.support.scripted import KEY, Drop, Hold, Reply, Scripted, answer, chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE = "GET /api/v.mp4"
DATA = bytes(range(256)) * 4000
TAG = {"ETag": '"abc"'}
ONCE = RetryPolicy(attempts=1)
OPEN = Path("/proc/self/fd")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def whole(data: bytes = DATA, **headers: str) -> Reply:
    return answer(200, data, kind="video/mp4", **headers)


def cut(at: int, **headers: str) -> Reply:
    head = whole(**headers)[0]
    assert isinstance(head, bytes)
    return [head[: len(head) - len(DATA) + at], Drop]


def rest(start: int, **headers: str) -> Reply:
    span = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    return answer(206, DATA[start:], kind="video/mp4", Content_Range=span, **headers)


def generation(server: Scripted, *files: dict[str, Any]) -> Generation:
    videos = [{"url": f"{server.base}/v.mp4", **file} for file in files or [{}]]
    return Generation("gen_1", "COMPLETED", {"id": "gen_1", "data": {"videos": videos}})


def save(mode: str, server: Scripted, folder: Path, what: Any = None, **options: Any) -> list[str]:
    client_options = {name: options.pop(name) for name in ("retry", "timeout_of_client") if name in options}
    what = what or generation(server)
    paths = use(mode, server.base, lambda client: client.download(what, folder, **options), **client_options)
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize(
    ("overwrite", "path", "mine", "asked"), [("never", "v-1.mp4", True, 1), ("skip", "v.mp4", True, 0),
                                             ("replace", "v.mp4", False, 1)],
)  # fmt: skip
def test_a_file_that_exists_is_kept_taken_or_replaced(
    overwrite: str, path: str, mine: bool, asked: int, mode: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, whole())
    (tmp_path / "v.mp4").write_text("mine")
    assert save(mode, server, tmp_path, generation(server, {"file_name": "v.mp4"}), overwrite=overwrite) == [path]
    assert ((tmp_path / "v.mp4").read_bytes() == b"mine") is mine
    assert (len(server.requests), sum(name.startswith(".") for name in names(tmp_path))) == (asked, 0)


def test_what_is_to_be_replaced_stays_where_the_new_one_fails(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, answer(404, {}))
    (tmp_path / "v.mp4").write_text("mine")
    with pytest.raises(DownloadFailed):
        save("sync", server, tmp_path, overwrite="replace")
    assert (tmp_path / "v.mp4").read_text() == "mine"


def test_two_files_of_one_name_do_not_replace_each_other(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole(b"first")).on("GET /api/w.mp4", whole(b"second"))
    files = [{"file_name": "v.mp4"}, {"file_name": "v.mp4", "url": f"{server.base}/w.mp4"}]
    for _ in range(2):
        for overwrite in ("replace", "skip"):
            paths = save(mode, server, tmp_path, generation(server, *files), overwrite=overwrite)
            assert paths == ["v.mp4", "v-1.mp4"]
    assert [(tmp_path / name).read_bytes() for name in paths] == [b"first", b"second"]


@pytest.mark.parametrize(("told", "pattern", "paths"), [
    ("same.mp4", None, ["same.mp4", "same-1.mp4", "same-2.mp4"]),
    ("", None, ["a.bin.webm", "b.bin.webm", "c.bin.webm"]),
    ("", "{id}{suffix}", ["gen_1.webm", "gen_1-1.webm", "gen_1-2.webm"]),
    ("", "{id}-{index}{suffix}", ["gen_1-0.webm", "gen_1-1.webm", "gen_1-2.webm"]),
])  # fmt: skip
@pytest.mark.parametrize("late", range(3))
def test_a_name_that_answers_tell_is_that_of_the_same_file_in_whatever_order_they_come(
    late: int, told: str, pattern: str | None, paths: list[str], mode: str, server: Scripted, tmp_path: Path
) -> None:
    held, files, asked = Hold(), [{"url": f"{server.base}/{name}.bin"} for name in "abc"], []
    kind = "video/mp4" if told else "video/webm"
    for index, name in enumerate("abc"):
        reply = answer(
            200, name.encode(), kind=kind, **{"Content-Disposition": f'x; filename="{told}"'} if told else {}
        )

        def answered(_: object, index: int = index, reply: Reply = reply) -> Reply:
            asked.append(index)
            if len(set(asked)) == 3:
                held.go.set()
            return [held, *reply] if index == late else reply

        server.on(f"GET /api/{name}.bin", answered)
    for overwrite in ("never", "skip"):
        assert save(mode, server, tmp_path, generation(server, *files), overwrite=overwrite, name=pattern) == paths
    assert [(tmp_path / path).read_bytes() for path in paths] == [b"a", b"b", b"c"]


def make_pipe(place: Path) -> None:
    os.mkfifo(place)


STANDING: dict[str, Callable[[Path], object]] = {
    "a directory": lambda place: place.mkdir(),
    "a link to a directory": lambda place: place.symlink_to(place.parent),
    "a link to nowhere": lambda place: place.symlink_to("nowhere"),
    "a pipe": make_pipe,
}
TAKES = {("replace", "a link to a directory"), ("replace", "a link to nowhere")}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and links for few")
@pytest.mark.parametrize("standing", STANDING)
@pytest.mark.parametrize("overwrite", ["never", "skip", "replace"])
@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_no_file_is_never_taken_for_one(
    is_told: bool, overwrite: str, standing: str, mode: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, whole())
    what, place = generation(server, {"file_name": "v.mp4"} if is_told else {}), tmp_path / "v.mp4"
    STANDING[standing](place)
    before = os.lstat(place)
    if overwrite == "never" or (overwrite, standing) in TAKES:
        [path] = save(mode, server, tmp_path, what, overwrite=overwrite)
        assert (tmp_path / path).read_bytes() == DATA
        assert (path == "v.mp4") is (overwrite == "replace")
        return
    with pytest.raises(FileExistsError, match=r"something else stands there.*v\.mp4"):
        save(mode, server, tmp_path, what, overwrite=overwrite)
    assert (names(tmp_path), os.lstat(place).st_ino, len(server.requests)) == (["v.mp4"], before.st_ino, not is_told)


@pytest.mark.parametrize(
    ("pattern", "key", "paths"),
    [
        ("{key}-{index}{suffix}", "row-17", ["row-17-0.mp4", "row-17-1.mp4"]),
        ("{id}{suffix}", None, ["gen_1.mp4", "gen_1-1.mp4"]),
        ("{stem} of {id}", None, ["v of gen_1.mp4", "v of gen_1-1.mp4"]),
        ("{{}}{index}.mp4", None, ["{}0.mp4", "{}1.mp4"]),
        ("{key}{suffix}", "../../etc/passwd", ["_.._etc_passwd~269ca3a9.mp4", "_.._etc_passwd~269ca3a9-1.mp4"]),
        ("{key}{suffix}", "..\\..\\x", ["_.._x~e47b1707.mp4", "_.._x~e47b1707-1.mp4"]),
        ("{key}", "/", ["_~8a5edab2.mp4", "_~8a5edab2-1.mp4"]),
        ("{id}: {key}?{suffix}", "a", ["gen_1_ a_.mp4", "gen_1_ a_-1.mp4"]),
        ("{key}", "a.exe", ["a.exe.mp4", "a.exe-1.mp4"]),
        ("{key}{suffix}", "{id}{key.__class__}", ["{id}{key.__class__}.mp4", "{id}{key.__class__}-1.mp4"]),
        ("{key}{suffix}", "a\x00b\nc\u202e", ["abc~79d37abf.mp4", "abc~79d37abf-1.mp4"]),
        ("{key}{suffix}", "", ["mp4~9a949e99.mp4", "mp4~9a949e99-1.mp4"]),
        ("{key}{suffix}", "con", ["_con~591aa6af.mp4", "_con~591aa6af-1.mp4"]),
    ],
)
def test_a_name_is_filled_in_and_leads_nowhere(
    pattern: str, key: str | None, paths: list[str], server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, whole())
    files = [{}, {"url": f"{server.base}/v.mp4?2"}]
    found = save("sync", server, tmp_path / "out", generation(server, *files), name=pattern, key=key)
    assert [(tmp_path / "out" / path).read_bytes() == DATA for path in found] == [True, True]
    assert names(tmp_path) == ["out"]
    assert found == paths


@pytest.mark.parametrize("path", ["v", "v.bin"])
def test_a_file_of_unknown_type_has_one_suffix(path: str, server: Scripted, tmp_path: Path) -> None:
    server.on(f"GET /api/{path}", answer(200, DATA, kind="application/octet-stream"))
    given = generation(server, {"url": f"{server.base}/{path}"})
    assert save("sync", server, tmp_path, given) == ["v.bin"]
    assert save("sync", server, tmp_path, given, name="{key}{suffix}", key="row-17") == ["row-17.bin"]


def test_names_that_are_cut_stay_apart(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    files = [{}, {"url": f"{server.base}/v.mp4?2"}]
    given = generation(server, *files)
    found = [
        path
        for key in ("a" * 155 + "1", "a" * 155 + "2", "\u9713\u8679" * 26 + "\u4e00", "\u9713\u8679" * 26 + "\u4e8c")
        for path in save("sync", server, tmp_path, given, name="{key}-{index}{suffix}", key=key, overwrite="skip")
    ]
    assert len(set(found)) == 8
    assert all(len(path.encode()) < 200 and path.endswith(".mp4") for path in found)


@pytest.mark.parametrize("overwrite", ["skip", "replace"])
def test_names_that_are_changed_stay_apart(overwrite: str, server: Scripted, tmp_path: Path) -> None:
    keys = [
        "a_b",
        "a/b",
        "a:b",
        "a?b",
        "con",
        "_con",
        " a_b",
        "-a_b",
        "a_b.",
        "\u00e9",
        "e\u0301",
        "video",
        "...",
        "\n",
    ]
    for key in keys:
        server.replace(FILE, whole(key.encode()))
        [path] = save("sync", server, tmp_path, name="{key}{suffix}", key=key, overwrite=overwrite)
        assert (tmp_path / path).read_bytes() == key.encode()
    assert len(names(tmp_path)) == len(keys)


@pytest.mark.parametrize("name", ["{key}{suffix}", f"of {KEY}"])
def test_no_name_that_is_filled_in_holds_the_api_key(name: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole())
    [path] = save("sync", server, tmp_path, name=name, key=KEY)
    assert path in {"_key_~8f6b2230.mp4", "of _key_.mp4"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"overwrite": "always"}, {"overwrite": None}, {"overwrite": True}, {"name": ""}, {"name": ".."}, {"name": 1},
        {"name": "a/{id}"}, {"name": "a\\{id}"}, {"name": "{kex}"}, {"name": "{}"}, {"name": "{0}"}, {"name": "{id"},
        {"name": "{id!r}"}, {"name": "{id:>1000000000}"}, {"name": "{id.__class__}"}, {"name": "{id[0]}"},
        {"name": "{key}"}, {"key": 17}, {"key": b"a"}, {"timeout": 0}, {"timeout": -1}, {"timeout": "1"},
        {"timeout": float("nan")}, {"timeout": float("inf")}, {"timeout": True},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(wrong: dict[str, Any], server: Scripted, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        save("sync", server, tmp_path / "out", **wrong)
    assert (server.requests, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a cat.mp4"', "a cat.mp4"),
        ("inline; FILENAME=cat.mp4", "cat.mp4"),
        ("attachment; filename*=UTF-8''na%C3%AFve.mp4; filename=\"plain.mp4\"", "naïve.mp4"),
        ("attachment; filename=\"plain.mp4\"; filename*=UTF-8''na%C3%AFve.mp4", "naïve.mp4"),
        ("attachment; filename*=iso-8859-1'en'%A3.mp4", "£.mp4"),
        ('attachment; filename="../../etc/passwd"', "passwd.mp4"),
        ('attachment; filename="..\\..\\boot.ini"', "....boot.ini.mp4"),
        ('attachment; filename="run.sh"', "run.sh.mp4"),
        ('attachment; filename=""', "v.mp4"),
        ("attachment", "v.mp4"),
        ("filename", "v.mp4"),
        ("attachment; filename*0;filename*", "v.mp4"),
        ("attachment; filename*=a%00b''x.mp4", "v.mp4"),
        ("attachment; filename*=UTF-8''%00%0A.mp4", "mp4.mp4"),
        (f'attachment; filename="{"x" * 5000}.mp4"', "v.mp4"),
    ],
)
def test_the_name_that_an_answer_tells_is_taken_where_the_platform_tells_none(
    disposition: str, name: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, whole(b"video", Content_Disposition=disposition))
    [path] = save("sync", server, tmp_path)
    assert path.lstrip(".") == name.lstrip(".")
    assert save("sync", server, tmp_path, generation(server, {"file_name": "told.mp4"})) == ["told.mp4"]


def test_what_an_answer_names_is_skipped_without_its_bytes(mode: str, server: Scripted, tmp_path: Path) -> None:
    hold = Hold()
    server.on(FILE, [cut(0, Content_Disposition="attachment; filename=cat.mp4")[0], hold])
    (tmp_path / "cat.mp4").write_text("mine")
    assert save(mode, server, tmp_path, overwrite="skip") == ["cat.mp4"]
    assert names(tmp_path) == ["cat.mp4"]


def test_the_name_of_an_answer_may_be_utf_8_against_all_rules(server: Scripted, tmp_path: Path) -> None:
    [head] = whole(b"video", Content_Disposition='attachment; filename="NAME.mp4"')
    assert isinstance(head, bytes)
    server.on(FILE, [head.replace(b"NAME", "naïve".encode())])
    assert save("sync", server, tmp_path) == ["naïve.mp4"]


def test_a_download_has_no_limit_while_bytes_come_and_one_of_its_own_if_asked(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.on(FILE, [head, *[chunk(bytes(1000))] * 50, b"0\r\n\r\n"])
    tiny = {"timeout": 0.0001}
    [path] = use(mode, server.base, lambda client: client.download(generation(server), tmp_path), **tiny)
    assert path.stat().st_size == 50_000
    with pytest.raises(DownloadFailed, match=r"(?i)time"):
        save(mode, server, tmp_path, **tiny)
    assert names(tmp_path) == ["v.mp4"]


def test_a_server_that_asks_for_an_hour_is_not_waited_for_longer_than_a_call_may_take(
    server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, answer(503, {}, Retry_After="3600"))
    with pytest.raises(DownloadFailed, match="503"):
        save("sync", server, tmp_path)
    assert len(server.requests) == 1


def test_the_error_tells_what_was_saved(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, whole()).on("GET /api/bad", answer(404, {}))
    files = [{}, {"url": f"{server.base}/bad"}, {"url": f"{server.base}/v.mp4?2"}]
    with pytest.raises(DownloadFailed) as caught:
        save(mode, server, tmp_path, generation(server, *files))
    assert caught.value.saved == (tmp_path / "v.mp4", tmp_path / "v-1.mp4")
    assert names(tmp_path) == ["v-1.mp4", "v.mp4"]


CHILD = """
import sys
from skills_video_runtime.client import Client
from skills_video_runtime.generations.states import MediaFile
with Client("key-0123456789", sys.argv[1]) as client:
    client.download(MediaFile(sys.argv[1] + "/v.mp4?signature=1"), sys.argv[2])
"""


@contextmanager
def ended(server: Scripted, folder: Path, by: int, **headers: str) -> Iterator[None]:
    """Have a process that has got 300,000 bytes end by a signal."""
    hold = Hold()
    server.on(FILE, [cut(300_000, **headers)[0], hold])
    with started([sys.executable, "-c", CHILD, server.base, str(folder)]) as process:
        assert hold.reached.wait(20)
        while sum(path.stat().st_size for path in folder.iterdir()) < 250_000:
            assert process.poll() is None
        yield
        process.send_signal(by)
        process.wait(20)


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither these signals nor locks of this kind")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_a_later_process_goes_on_where_one_was_ended(by: int, server: Scripted, tmp_path: Path) -> None:
    media = MediaFile(f"{server.base}/v.mp4?signature=2")
    with ended(server, tmp_path, by, **TAG):
        server.on(FILE, whole(**TAG))
        assert save("sync", server, tmp_path, media) == ["v.mp4"]  # beside it, and by itself
        assert "range" not in server.requests[1].headers
    [note, part] = [path for path in sorted(tmp_path.iterdir()) if path.name.startswith(".")]
    start = part.stat().st_size
    assert (json.loads(note.read_text())["etag"], "signature" in note.read_text()) == ('"abc"', False)
    server.replace(FILE, rest(start, **TAG))
    assert save("sync", server, tmp_path, media) == ["v-1.mp4"]
    assert (tmp_path / "v-1.mp4").read_bytes() == DATA
    asked = server.requests[-1].headers
    assert (asked["range"], asked["if-range"]) == (f"bytes={start}-", '"abc"')
    assert names(tmp_path) == ["v-1.mp4", "v.mp4"]


def test_interrupted_as_a_thread_starts_downloads_end_at_once(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold()
    server.on(FILE, [cut(300_000)[0], hold, Hold()])
    interrupt_as_a_thread_starts(monkeypatch, hold)
    with Client(KEY, server.base) as client, pytest.raises(KeyboardInterrupt):
        client.download(generation(server), tmp_path)
    assert names(tmp_path) == []


def test_what_broke_off_is_gone_on_with_by_the_same_call(mode: str, server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000, **TAG), cut(0, **TAG))
    with pytest.raises(DownloadFailed):
        save(mode, server, tmp_path, retry=ONCE)
    server.replace(FILE, rest(300_000, **TAG))
    assert save(mode, server, tmp_path) == ["v.mp4"]
    assert ((tmp_path / "v.mp4").read_bytes(), names(tmp_path)) == (DATA, ["v.mp4"])


@pytest.mark.parametrize(
    "then", [whole(ETag='"new"'), rest(300_000, ETag='"new"'), rest(300_000), answer(416, {}), rest(299_999, **TAG)]
)
def test_a_rest_that_may_be_of_another_file_is_not_appended_later(
    then: Reply, server: Scripted, tmp_path: Path
) -> None:
    server.on(FILE, cut(300_000, **TAG))
    with pytest.raises(DownloadFailed):
        save("sync", server, tmp_path, retry=ONCE)
    server.replace(FILE, then, whole(ETag='"new"'))
    assert save("sync", server, tmp_path) == ["v.mp4"]
    assert ((tmp_path / "v.mp4").read_bytes(), names(tmp_path)) == (DATA, ["v.mp4"])


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"a"'}, {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
def test_what_no_strong_tag_proves_is_not_kept(headers: dict[str, str], server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000, **headers))
    with pytest.raises(DownloadFailed):
        save("sync", server, tmp_path, retry=ONCE)
    assert names(tmp_path) == []


def left(server: Scripted, folder: Path) -> tuple[Path, Path]:
    server.on(FILE, cut(300_000, **TAG))
    with pytest.raises(DownloadFailed):
        save("sync", server, folder, retry=ONCE)
    server.replace(FILE, whole(**TAG))
    note, part = sorted(folder.iterdir())
    return note, part


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"etag": 1, "modified": "", "total": 9}', '{"etag": "\\"abc\\"", "modified": ""}' * 2,
             '{"etag": "\\"abc\\"", "modified": "", "total": 300000}', "[" * 100_000],
)  # fmt: skip
def test_a_note_that_cannot_be_used_begins_anew(text: str, server: Scripted, tmp_path: Path) -> None:
    note, _ = left(server, tmp_path)
    note.write_text(text)
    assert save("sync", server, tmp_path) == ["v.mp4"]
    assert "range" not in server.requests[-1].headers
    assert ((tmp_path / "v.mp4").read_bytes(), names(tmp_path)) == (DATA, ["v.mp4"])


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no bytes for a later process")
def test_nothing_is_written_through_a_link_that_lies_in_wait(server: Scripted, tmp_path: Path) -> None:
    _, part = left(server, tmp_path)
    (tmp_path / "other").write_text("precious")
    for make in (os.symlink, os.link):
        part.unlink(missing_ok=True)
        make(tmp_path / "other", part)
        save("sync", server, tmp_path, overwrite="replace")
        assert ((tmp_path / "v.mp4").read_bytes(), (tmp_path / "other").read_text()) == (DATA, "precious")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_disk_without_locks_is_good_enough(server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    server.on(FILE, whole(**TAG))
    assert save("sync", server, tmp_path) == ["v.mp4"]
    assert names(tmp_path) == ["v.mp4"]


@pytest.mark.skipif(not OPEN.is_dir(), reason="only Linux tells what is open")
@pytest.mark.parametrize(("reply", "left"), [(whole(), ["v.mp4"]), (cut(1000), [])])
def test_a_system_that_neither_locks_nor_removes_what_is_open_is_good_enough(
    reply: Reply, left: list[str], server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, **options: bool) -> None:
        if path.resolve() in [opened.resolve() for opened in OPEN.iterdir()]:
            raise PermissionError(path)
        unlink(path, **options)

    monkeypatch.setattr(partial, "fcntl", None)
    monkeypatch.setattr(Path, "unlink", refuse)
    server.on(FILE, reply)
    with nullcontext() if left else pytest.raises(DownloadFailed):
        save("sync", server, tmp_path, retry=ONCE)
    assert names(tmp_path) == left


def test_two_that_fetch_one_file_at_once_do_not_meet(server: Scripted, tmp_path: Path) -> None:
    server.on(FILE, cut(300_000, **TAG), whole(**TAG), rest(300_000, **TAG))
    with Client(KEY, server.base, retry=RetryPolicy(initial=0.01)) as client:
        media = MediaFile(f"{server.base}/v.mp4")

        def meanwhile(_: MediaFile, received: int, __: int | None) -> None:
            if received and not (tmp_path / "v.mp4").exists():
                client.download(media, tmp_path)

        client.download(media, tmp_path, meanwhile)
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == [DATA, DATA]
