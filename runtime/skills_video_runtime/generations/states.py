"""What the platform tells of a generation: its status, its files, its price."""

# ruff: noqa: ASYNC109  # as of the synchronous methods
from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeGuard, TypeVar, cast
from urllib.parse import quote

from skills_video_runtime.json_values import JsonObject, as_array, as_object, is_number

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

    from skills_video_runtime.downloads.names import Overwrite


class Status(StrEnum):
    """The words of the platform's newer vocabulary; the older ones are read as the one they mean."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


STATUSES = frozenset(Status)
FINISHED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED})
WORDS: dict[str, Status] = {status.value: status for status in Status} | {
    "STARTING": Status.IN_QUEUE,
    "QUEUED": Status.IN_QUEUE,
    "PROCESSING": Status.IN_PROGRESS,
    "RUNNING": Status.IN_PROGRESS,
    "SUCCEEDED": Status.COMPLETED,
    "CANCELLED": Status.CANCELED,
}
RESULT = "/generation/{id}"
ID_NAMES = ("generation_id", "generationId", "id", "prediction_id", "task_id", "taskId")
STATE_NAMES = ("status", "state", "queue_state", "queueState", "prediction_status", "predictionStatus")
QUEUE_NAMES = ("queue_position", "queuePosition", "queue_place", "position")
ENVELOPES = ("data", "prediction", "generation", "task")
LONGEST_ID = 512  # characters: our choice
REDACTED = "<key>"  # stands where the API key stood
Told = TypeVar("Told", "Generation", "MediaFile")
MOST = 2**53  # which every JSON and every database can hold
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


@dataclass(frozen=True)
class Usage:
    """Credits, by the pot they are in: what a generation took, or what a workspace has. None where it is not told."""

    total: float | None = None
    subscription: float | None = None
    permanent: float | None = None
    raw: JsonObject = field(default_factory=dict[str, Any], repr=False, compare=False)
    """The whole answer."""

    @classmethod
    def parse(cls, body: object) -> Usage:
        """Read what can be read; an amount that is no number is None."""
        raw = as_object(body)
        total, subscription, permanent = (_number(raw.get(pot)) for pot in ("total", "subscription", "permanent"))
        return cls(total, subscription, permanent, raw)


@dataclass(frozen=True)
class Generation:
    """One state of a generation, as the platform told it."""

    id: str
    """Its id, empty where the platform gave none."""
    status: str
    """A `Status`; a word that is no known status stays as it came, and is not finished."""
    raw: JsonObject = field(repr=False, compare=False)
    """The whole answer, or what lay in its envelope."""

    _files: ClassVar[Any] = None
    """See `MediaFile`."""

    @classmethod
    def parse(cls, body: object) -> Generation | None:
        """Read an answer or an event, or give None if it is neither an object nor an array of one.

        What tells no id or no known status may be an envelope: then one look into it is taken.
        """
        items = as_array(body)
        if items is not None and len(items) == 1:
            body = items[0]
        if not isinstance(body, dict):
            return None
        outer = cls._read(cast("JsonObject", body))
        if outer.id and outer.status in STATUSES:
            return outer
        for name in ENVELOPES:
            inner = cls._read(as_object(outer.raw.get(name)))
            is_known = inner.status in STATUSES
            if outer.is_finished and (not inner.id or inner.is_finished or not is_known):
                continue  # a success of the request is none of a generation that goes on
            if is_known and (inner.id or not (outer.id or outer.status in STATUSES)):
                return inner
            if inner.id and not outer.id:
                return cls(inner.id, outer.status or inner.status, outer.raw)
        return outer

    def to_dict(self) -> JsonObject:
        """Give the whole answer as JSON that can be stored; `from_dict` reads it."""
        return {**self.raw, "id": self.id, "status": self.status}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Generation:
        """Read what `to_dict` gave; ValueError in place of anything else."""
        told = cls._read(as_object(data))
        if "id" not in told.raw or not isinstance(told.raw.get("status"), str):
            raise ValueError(f"data is no generation, which has an id and a status: {data!r:.80}")
        return told

    @classmethod
    def _read(cls, raw: JsonObject) -> Generation:
        return cls(_told_name(raw), _told_status(raw), raw)

    def __repr__(self) -> str:
        """Tell id and status; of a finished one also the address of its first file, and what it cost.

        The query of the address, which may be what opens it, is left out, as a log may be anybody's.
        """
        facts: dict[str, object] = {"id": self.id, "status": str(self.status)}
        if self.is_finished:
            facts["url"] = next((re.split("[?#]", media.url)[0] for media in _files(self.raw.get("data"))), None)
            facts["credits"] = self.usage.total
        told = ", ".join(f"{name}={value!r}" for name, value in facts.items() if value is not None)
        return f"Generation({told})"

    def _repr_html_(self) -> str:
        """Show it in a notebook, with its files."""
        from .notebook import as_html  # noqa: PLC0415  # only a notebook needs it

        return as_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the answer as JSON: it may be nested more deeply than pickle goes."""
        return _of_json, (self.id, self.status, json.dumps(self.raw))

    @property
    def is_finished(self) -> bool:
        """Whether this is the last state."""
        return self.status in FINISHED

    @property
    def code(self) -> str | None:
        """The platform's code of a failure."""
        return _text(self.raw.get("code"))

    @property
    def message(self) -> str | None:
        """The platform's text about a failure."""
        error = self.raw.get("error")
        return _text(self.raw.get("message")) or _text(error) or _text(as_object(error).get("message"))

    @property
    def input(self) -> JsonObject | None:
        """The request as the platform understood it, if it tells."""
        given: object = self.raw.get("input")
        return cast("JsonObject", given) if isinstance(given, dict) else None

    @property
    def usage(self) -> Usage:
        """What it cost, in credits; zeros before the end, by the platform's API reference."""
        return Usage.parse(self.raw.get("usage"))

    @property
    def queue_place(self) -> int | None:
        """Its place in the queue, if that is told, under a name that such platforms use: none is published here."""
        told = {**as_object(self.raw.get("queue")), **self.raw}
        places = (told.get(name) for name in QUEUE_NAMES)
        return next((place for place in places if type(place) is int and place >= 0), None)

    @property
    def videos(self) -> tuple[MediaFile, ...]:
        """The files made, each once: under `videos`, `video`, `images`, `image`, `audio`, then any `{url}` in `data`.

        The platform publishes the shape for images alone, so the search is tolerant, and finds images and sounds too.
        """
        found: dict[str, MediaFile] = {}
        for media in _files(self.raw.get("data")):
            found.setdefault(media.url, belonging_to(self._files, media))
        return tuple(found.values())

    @property
    def has_files(self) -> bool:
        """Whether `videos` holds any, which is told by the first."""
        return next(_files(self.raw.get("data")), None) is not None


def belonging_to(files: object, told: Told) -> Told:
    """Give what a client told, with what fetches files for that client."""
    object.__setattr__(told, "_files", files)
    return told


def _of_json(name: str, status: str, raw: str) -> Generation:
    return Generation(name, status, json.loads(raw))


def _told_name(raw: JsonObject) -> str:
    for key in ID_NAMES:
        name = raw.get(key)
        if type(name) is int:
            name = str(name)
        if is_id(name):
            return name
    return ""


def _told_status(raw: JsonObject) -> str:
    """Give the first status that is known, else the first word that stands in place of one."""
    unknown = ""
    for key in STATE_NAMES:
        word = raw.get(key)
        if isinstance(word, str):
            status = WORDS.get(word.upper())
            if status is not None:
                return status
            unknown = unknown or word
    return unknown


def is_id(name: object) -> TypeGuard[str]:
    """Tell whether a name can be an id in a URL; the platform publishes no form of it. Where the key stood is none."""
    if not isinstance(name, str) or REDACTED in name:
        return False
    return 0 < len(name) <= LONGEST_ID and name.strip(". ") != "" and name.isprintable()


def path_of(result: str, name: str) -> str:
    """Give the path of a generation; no id is empty, too long, made of dots, or holds control characters."""
    if not is_id(name):
        raise ValueError(f"{name!r:.80} is no id of a generation")
    return result.replace("{id}", quote(name, safe=""))


def _files(data: object) -> Iterator[MediaFile]:
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
    url = _text(told.get("url"))
    if url is None:
        return None
    name, kind = _text(told.get("file_name")), _text(told.get("content_type"))
    return MediaFile(url, name, kind, _pixels(told.get("width")), _pixels(told.get("height")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return value if is_number(value) and abs(value) < MOST else None


def _pixels(value: object) -> int | None:
    return value if type(value) is int else None
