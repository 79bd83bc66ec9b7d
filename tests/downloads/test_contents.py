"""The contents of a file by its own methods: saved, opened, as bytes, by the client that told of it or another."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.client import Client, ModelClient
from skills_video_runtime.errors import ConnectionFailed, DownloadFailed
from skills_video_runtime.generations.states import Generation, MediaFile
from skills_video_runtime.testing import forget_generations
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, RESULT, RUNNING, STREAM, Scripted, answer, events, state

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 400
FILE = "GET /api/v.mp4"


def finished(server: Scripted) -> dict[str, Any]:
    return {**state("COMPLETED"), "data": {"videos": [{"url": f"{server.base}/v.mp4"}]}}


@pytest.fixture
def served(server: Scripted) -> Scripted:
    done = finished(server)
    server.on(FILE, answer(200, DATA, kind="video/mp4")).on(STREAM, events(done)).on(RESULT, answer(200, done))
    return server.on(RUNNING, answer(200, [done])).on(CREATE, answer(200, done))


async def contents(media: MediaFile, folder: Path, **options: Any) -> list[Any]:
    path = await media.asave(folder / "a.mp4", **options)
    with await media.aopen(**options) as file:
        return [path.read_bytes(), file.read(), await media.abytes(**options)]


def contents_now(media: MediaFile, folder: Path, **options: Any) -> list[Any]:
    path = media.save(folder / "a.mp4", **options)
    with media.open(**options) as file:
        return [path.read_bytes(), file.read(), media.bytes(**options)]


def generated(mode: str, server: Scripted, work: Any) -> Any:
    def now(client: Any) -> Any:
        return work(client.generate(Payload()).videos[0])

    async def later(client: Any) -> Any:
        return await work((await client.generate(Payload())).videos[0])

    return use(mode, server.base, now if mode == "sync" else later)


def test_a_file_is_saved_opened_and_read(mode: str, served: Scripted, tmp_path: Path) -> None:
    work = contents_now if mode == "sync" else contents
    assert generated(mode, served, lambda media: work(media, tmp_path / "new")) == [DATA] * 3
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.mp4"]
    asked = [request for request in served.requests if request.path == "/api/v.mp4"]
    assert (len(asked), [request.headers.get("authorization") for request in asked]) == (3, [None] * 3)


@pytest.mark.parametrize(
    "verb",
    [
        lambda client: client.generate(Payload()),
        lambda client: list(client.stream(Payload()))[-1],
        lambda client: next(client.generate_many([Payload()])).generation,
        lambda client: client.submit(Payload()),
        lambda client: client.wait("gen_1"),
        lambda client: client.get("gen_1"),
        lambda client: client.running()[0],
    ],
    ids=["generate", "stream", "generate_many", "submit", "wait", "get", "running"],
)
def test_whatever_verb_has_told_of_a_file_it_can_be_read(verb: Any, served: Scripted) -> None:
    with Client(KEY, served.base) as client:
        assert verb(client).videos[0].bytes() == DATA


@pytest.mark.parametrize(
    ("path", "overwrite", "saved"),
    [("x.mp4", "never", "x-1.mp4"), ("x.mp4", "skip", "x.mp4"), ("x.mp4", "replace", "x.mp4"), ("", "never", "v.mp4"),
     ("no suffix", "never", "no suffix"), ("new/", "never", "new/v.mp4"), ("a:b?.MP4", "never", "a:b?.MP4")],
)  # fmt: skip
def test_a_path_is_taken_as_it_is_and_a_directory_as_one(
    path: str, overwrite: Any, saved: str, served: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "x.mp4").write_text("mine")
    with Client(KEY, served.base) as client:
        media = client.generate(Payload()).videos[0]
        assert media.save(f"{tmp_path}/{path}", overwrite=overwrite) == tmp_path / saved
    kept = b"mine" if overwrite == "skip" else DATA
    assert (tmp_path / saved).read_bytes() == kept
    assert list(tmp_path.rglob(".*")) == []


def test_a_file_without_a_client_says_so_and_takes_one(mode: str, served: Scripted, tmp_path: Path) -> None:
    done = Generation.from_dict(finished(served))
    media = done.videos[0]
    with pytest.raises(ValueError, match="client="):
        media.bytes()
    with pytest.raises(TypeError, match="client is a Client"):
        media.save(tmp_path, client=KEY)
    work = contents_now if mode == "sync" else contents
    assert use(mode, served.base, lambda client: work(media, tmp_path, client=client)) == [DATA] * 3


def test_each_kind_of_client_has_methods_of_its_own(served: Scripted) -> None:
    def sync(client: Any) -> None:
        forget_generations(client)
        media = client.generate(Payload()).videos[0]
        with pytest.raises(TypeError, match=r"of a Client: bytes\(\)"):
            media.abytes().send(None)

    async def later(client: Any) -> None:
        forget_generations(client)
        media = (await client.generate(Payload())).videos[0]
        with pytest.raises(TypeError, match=r"of an AsyncClient: await abytes\(\)"):
            media.bytes()

    use("sync", served.base, sync)
    use("asyncio", served.base, later)


def test_it_compares_shows_and_pickles_as_one_that_knows_no_client(served: Scripted) -> None:
    with Client(KEY, served.base) as client:
        done = client.generate(Payload())
        media, plain = done.videos[0], MediaFile(f"{served.base}/v.mp4")
        assert (media, repr(media), hash(media), asdict(media)) == (plain, repr(plain), hash(plain), asdict(plain))
        assert [field.name for field in fields(media)] == ["url", "file_name", "content_type", "width", "height"]
        assert pickle.dumps(media) == pickle.dumps(plain)
        for twin in (pickle.loads(pickle.dumps(media)), copy.copy(media), copy.deepcopy(media), replace(media)):
            assert twin == media
            with pytest.raises(ValueError, match="client="):
                twin.bytes()
        again = pickle.loads(pickle.dumps(done))
        assert (again, again.videos, again.to_dict()) == (done, done.videos, done.to_dict())
        with pytest.raises(ValueError, match="client="):
            again.videos[0].bytes()


def test_the_limits_of_downloads_hold(served: Scripted, tmp_path: Path) -> None:
    with Client(KEY, served.base) as client:
        media = client.generate(Payload()).videos[0]
        for method in (media.bytes, media.open, lambda **options: media.save(tmp_path / "a", **options)):
            with pytest.raises(DownloadFailed, match="max_bytes"):
                method(max_bytes=9)
            for wrong in ({"max_bytes": 0}, {"max_bytes": True}, {"timeout": 0}, {"timeout": "1"}):
                with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
                    method(**wrong)
        with pytest.raises(ValueError, match="overwrite"):
            media.save(tmp_path / "a", overwrite="yes")  # type: ignore[arg-type]
        with pytest.raises(DownloadFailed, match="neither https nor this machine"):
            MediaFile("http://cdn.example/v.mp4").bytes(client=client)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises((ConnectionFailed, DownloadFailed), match="closed"):
        media.bytes()


def test_a_client_of_one_model_is_one_too(served: Scripted) -> None:
    with Client(KEY, served.base) as client:
        assert MediaFile(f"{served.base}/v.mp4").bytes(client=ModelClient(client)) == DATA
