"""A file that a generation made: where the platform's answer tells of it, and its contents."""

# ruff: noqa: ASYNC109  # as of the synchronous methods
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeVar, cast

from skills_video_runtime.json_values import as_array, as_object

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

    from skills_video_runtime.downloads.names import Overwrite

Told = TypeVar("Told")
MEDIA_KEYS = ("videos", "video", "images", "image", "audios", "audio")


@dataclass(frozen=True)
class MediaFile:
    """A file that a generation made. What the platform does not tell is None; how long `url` is valid is unknown.

    Its contents are fetched by the client that told of it, with the rules and errors of `download`. One that was
    pickled, copied, or read by `from_dict` knows no client: it takes one as `client`.
    """

    url: str
    file_name: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None

    _files: ClassVar[Any] = None
    """What gives the files of the client that told of this one."""

    def save(  # each is a choice of its own
        self,
        path: str | PathLike[str],
        *,
        client: object = None,
        overwrite: Overwrite = "never",
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> Path:
        """Save it under a path, or, if that is a directory, under its own name there.

        Args:
            path: Where to. The directory is made if need be.
            client: The `Client` to use, instead of the one that told of the file.
            overwrite: What becomes of a file that exists: "never" keeps it, and the new one gets "-1", "-2", … to its
                name; "skip" takes it for the new one; "replace" puts the new one in its place.
            timeout: Seconds that this may take. By default it goes on as long as bytes come.
            max_bytes: The most bytes that it may have, 4 GiB unless told otherwise.

        Returns:
            The path that it got.

        Raises:
            DownloadFailed: It could not be fetched whole.
            OSError: The disk would not take it.
            TypeError: It is of an `AsyncClient`, for which there are `asave`, `aopen` and `abytes`.
            ValueError: It knows no client, and was given none; or an argument makes no sense.
        """
        files = self._with(client, "save", asynchronous=False)
        options = {"overwrite": overwrite, "timeout": timeout, "max_bytes": max_bytes}
        return cast("Path", files.run(files.save(self, path, options)))

    def open(self, *, client: object = None, timeout: float | None = None, max_bytes: int | None = None) -> BinaryIO:
        """Open it for reading, whole: the bytes are fetched into a file without a name, which is gone once closed."""
        files = self._with(client, "open", asynchronous=False)
        return cast("BinaryIO", files.run(files.open(self, {"timeout": timeout, "max_bytes": max_bytes})))

    def bytes(
        self, *, client: object = None, timeout: float | None = None, max_bytes: int | None = None
    ) -> builtins.bytes:
        """Give its bytes, all of them in memory."""
        files = self._with(client, "bytes", asynchronous=False)
        return cast("builtins.bytes", files.run(files.bytes(self, {"timeout": timeout, "max_bytes": max_bytes})))

    async def asave(  # as above
        self,
        path: str | PathLike[str],
        *,
        client: object = None,
        overwrite: Overwrite = "never",
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> Path:
        """As `save`, of an `AsyncClient`."""
        files = self._with(client, "asave", asynchronous=True)
        options = {"overwrite": overwrite, "timeout": timeout, "max_bytes": max_bytes}
        return cast("Path", await files.save(self, path, options))

    async def aopen(
        self, *, client: object = None, timeout: float | None = None, max_bytes: int | None = None
    ) -> BinaryIO:
        """As `open`, of an `AsyncClient`."""
        files = self._with(client, "aopen", asynchronous=True)
        return cast("BinaryIO", await files.open(self, {"timeout": timeout, "max_bytes": max_bytes}))

    async def abytes(
        self, *, client: object = None, timeout: float | None = None, max_bytes: int | None = None
    ) -> builtins.bytes:
        """As `bytes`, of an `AsyncClient`."""
        files = self._with(client, "abytes", asynchronous=True)
        return cast("builtins.bytes", await files.bytes(self, {"timeout": timeout, "max_bytes": max_bytes}))

    def _with(self, client: object, method: str, *, asynchronous: bool) -> Any:
        make = self._files
        if client is not None:
            make = getattr(getattr(client, "_session", None), "files", None)
            if make is None:
                raise TypeError(f"client is a Client or an AsyncClient, not {client!r:.80}")
        if make is None:
            raise ValueError("this file knows no client, as one that was pickled or read: pass client=…")
        files = make()
        files.check(method, asynchronous=asynchronous)
        return files

    def __getstate__(self) -> dict[str, Any]:
        """Leave the client behind where it is pickled or copied."""
        return {name: fact for name, fact in vars(self).items() if name != "_files"}


def belonging_to(files: object, told: Told) -> Told:
    """Give what a client told, with what fetches files for that client."""
    object.__setattr__(told, "_files", files)
    return told


def files_in(data: object) -> Iterator[MediaFile]:
    """Give the files that data tell of, the likeliest first; one may come again."""
    told = as_object(data)
    for root in (*(told[name] for name in MEDIA_KEYS if name in told), data):
        nodes: list[object] = [root]
        for node in nodes:
            media = _media(node, bare=root is not data)
            if media is not None:
                yield media
            children = (child for name, child in as_object(node).items() if name != "input")  # what was sent
            nodes.extend(child for child in children if as_object(child) or as_array(child))
            nodes.extend(as_array(node) or ())


def _media(node: object, *, bare: bool) -> MediaFile | None:
    """Read an object with a `url`, or a bare address where only media are."""
    if isinstance(node, str) and bare and node[:8].lower().startswith(("https://", "http://")):
        return MediaFile(node)
    told = as_object(node)
    url = text_of(told.get("url"))
    if url is None:
        return None
    name, kind = text_of(told.get("file_name")), text_of(told.get("content_type"))
    return MediaFile(url, name, kind, _pixels(told.get("width")), _pixels(told.get("height")))


def text_of(value: object) -> str | None:
    """Give a text, None in place of anything else, an empty one too."""
    return value if isinstance(value, str) and value else None


def _pixels(value: object) -> int | None:
    return value if type(value) is int else None
