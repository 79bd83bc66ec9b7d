"""The contents of one file, for the methods of `MediaFile`: saved, opened, as bytes."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from .fetch import Fetch
from .save import Wishes, save_of, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from skills_video_runtime.generations.media import MediaFile
    from skills_video_runtime.http.session import Session, Where


class Files:
    """What a file is fetched with: the connections, rules and limits of the client that told of it."""

    def __init__(self, session: Session, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.session, self.run = session, run

    def check(self, method: str, *, asynchronous: bool) -> None:
        """Refuse, by TypeError, a method that is for the other kind of client."""
        if asynchronous == self.session.asynchronous:
            return
        if asynchronous:
            raise TypeError(f"this file is of a Client: {method.removeprefix('a')}() is the method for it")
        raise TypeError(f"this file is of an AsyncClient: await a{method}() is the method for it")

    async def save(self, file: MediaFile, path: Where, options: dict[str, Any]) -> Path:
        """Save a file under a path, or under a name of its own in a directory."""
        told = os.fspath(path)
        place, name = Path(told), None
        if not (os.path.isdir(told) or told.endswith(("/", os.sep))):  # noqa: ASYNC240, PTH112  # which takes no time
            place, name = place.parent, place.name
        return saved([await save_of(self.session, file, place, _wishes(options), exact=name).outcome()])[0]

    async def open(self, file: MediaFile, options: dict[str, Any]) -> BinaryIO:
        """Fetch a file into one without a name."""
        wishes, handle = _wishes(options), TemporaryFile()  # noqa: SIM115  # which the caller closes
        try:
            await self._read(file, handle, wishes)
            handle.seek(0)
        except BaseException:
            handle.close()
            raise
        return handle

    async def bytes(self, file: MediaFile, options: dict[str, Any]) -> bytes:
        """Fetch a file into memory."""
        handle = BytesIO()
        await self._read(file, handle, _wishes(options))
        return handle.getvalue()

    async def _read(self, file: MediaFile, handle: BinaryIO, wishes: Wishes) -> None:
        fetch = Fetch.of(self.session, file, timeout=wishes.timeout, most=wishes.max_bytes)
        async with fetch.exchange:
            await fetch.into(handle)


def _wishes(options: dict[str, Any]) -> Wishes:
    """Read the options of a method; one that is None was not told."""
    return Wishes(**{name: option for name, option in options.items() if option is not None})
