"""What the platform tells of a generation: its status, its files, its price."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeGuard, cast
from urllib.parse import quote

from skills_video_runtime.json_values import JsonObject, as_array, as_object, is_number

from .media import MediaFile, belonging_to, files_in, text_of


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
MOST = 2**53  # which every JSON and every database can hold


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
            facts["url"] = next((re.split("[?#]", media.url)[0] for media in files_in(self.raw.get("data"))), None)
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
        return text_of(self.raw.get("code"))

    @property
    def message(self) -> str | None:
        """The platform's text about a failure."""
        error = self.raw.get("error")
        return text_of(self.raw.get("message")) or text_of(error) or text_of(as_object(error).get("message"))

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
        for media in files_in(self.raw.get("data")):
            found.setdefault(media.url, belonging_to(self._files, media))
        return tuple(found.values())

    @property
    def has_files(self) -> bool:
        """Whether `videos` holds any, which is told by the first."""
        return next(files_in(self.raw.get("data")), None) is not None


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


def _number(value: object) -> float | None:
    return value if is_number(value) and abs(value) < MOST else None
