"""Files that are sent: whole, under the names that people give them, or not at all."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

import pytest

from skills_video_runtime.client import Client
from skills_video_runtime.payloads.file import File
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, Scripted, answer, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Touched(io.FileIO):
    """A file to which something happens after its first piece was read."""

    def __init__(self, path: Path, touch: Callable[[Touched, Path], object]) -> None:
        super().__init__(path)
        self.path, self.touch, self.pieces = path, touch, 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self.pieces += 1
        if self.pieces == 1:
            self.touch(self, self.path)
        return data


def grow(_: Touched, path: Path) -> None:
    with path.open("ab") as more:
        more.write(b"more")


def shrink(_: Touched, path: Path) -> None:
    os.truncate(path, 100_000)


def close(file: Touched, _: Path) -> None:
    file.close()


def fail(_: Touched, __: Path) -> None:
    raise OSError(errno.EIO, "Input/output error")


def break_it(file: Touched, _: Path) -> None:
    file.read = lambda *_: None  # type: ignore[assignment]


@pytest.mark.parametrize("touch", [grow, shrink, close, fail, break_it])
def test_a_file_that_changes_or_fails_while_it_is_sent_makes_the_request_void(
    mode: str, touch: Callable[[Touched, Path], object], server: Scripted, tmp_path: Path
) -> None:
    path, journal = tmp_path / "cat.png", tmp_path / "journal"
    path.write_bytes(b"CAT" * 500_000)
    server.on(CREATE, answer(200, state("COMPLETED")))
    with Touched(path, touch) as source:
        payload = Payload(image=File(source, name="cat.png"))
        with pytest.raises(OSError, match=r"the file 'cat\.png' .* while it was sent"):
            use(mode, server.base, lambda client: client.generate(payload), journal=journal)
    assert server.wait_closed(accepted=1)
    assert [request.complete for request in server.requests] == [False]
    with Client(KEY, server.base, journal=journal) as client:
        assert client.recover() == []


def test_a_file_that_fails_after_a_refusal_is_told_apart_from_one_that_was_never_sent(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"CAT")
    server.on(CREATE, lambda _: path.unlink() or answer(429, {}))
    with pytest.raises(FileNotFoundError, match=r"cat\.png") as caught:
        use(mode, server.base, lambda client: client.generate(Payload(image=File(path))))
    assert caught.value.__notes__ == ["Nothing was made."]
    assert server.count(CREATE) == 1


def test_a_file_that_is_removed_or_replaced_while_it_is_sent_goes_whole(
    mode: str, server: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"CAT" * 100_000)
    server.on(CREATE, answer(200, state("COMPLETED")))
    with Touched(path, lambda _, path: path.unlink()) as source:
        payload = Payload(image=File(source))
        assert use(mode, server.base, lambda client: client.generate(payload)).id == "gen_1"
    assert b"CAT" * 100_000 in server.requests[0].body


NAMES = {
    "Screenshot 9.41.00\u202fAM.png": "Screenshot 9.41.00\u202fAM.png",
    "🐈\u200d⬛.png": "🐈\u200d⬛.png",
    'a "cat".png': "a %22cat%22.png",
    "a\\b.png": "a\\\\b.png",
    "a\r\nX-Evil: 1.png": "a__X-Evil: 1.png",
    os.fsdecode(b"caf\xe9.png"): "caf_.png",
    "a" * 300: "a" * 300,
    "..": "..",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_files_arrive(name: str, mode: str, server: Scripted) -> None:
    server.on(CREATE, answer(200, state("COMPLETED")))
    use(mode, server.base, lambda client: client.generate(Payload(image=File(b"CAT", name=name))))
    assert f'name="image"; filename="{NAMES[name]}"\r\n'.encode() in server.requests[0].body
