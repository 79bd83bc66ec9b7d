"""What a machine asks for and what it is told: the words between `lifecycle` and the clients that drive it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from skills_video_runtime.errors import APIError, ConnectionFailed, SkillsVideoError, api_error

from .retry import RetryPolicy
from .states import Generation, Json

if TYPE_CHECKING:
    from skills_video_runtime.catalog import Endpoint
    from skills_video_runtime.payloads.file import File

T = TypeVar("T")
TRANSIENT = frozenset({408, 425, 429})
LONGEST = 1e9  # seconds; what is longer overflows the clocks of some systems


class Submittable(Protocol):
    """What of a payload is needed to post it; every `BasePayload` is one."""

    endpoint: ClassVar[Endpoint]

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102
    def has_files(self) -> bool: ...  # noqa: D102
    def to_multipart(self) -> tuple[list[tuple[str, str]], list[tuple[str, File]]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; all times in seconds."""

    timeout: float = 900.0
    poll_interval: float = 3.0
    stream_idle_timeout: float = 120.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    on_lost_submission: Literal["raise", "resubmit"] = "raise"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in ("timeout", "poll_interval", "stream_idle_timeout"):
            check_seconds(name, getattr(self, name))
        if self.on_lost_submission not in {"raise", "resubmit"}:
            raise ValueError(f"on_lost_submission is 'raise' or 'resubmit', not {self.on_lost_submission!r}")


def check_seconds(name: str, given: object) -> float:
    """Give a length of time that a system can wait for, or raise ValueError."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= LONGEST:
        raise ValueError(f"{name} must be a positive number of seconds, at most {LONGEST:g}, not {given!r:.80}")
    return given


class Post(NamedTuple):
    """Post a payload. The outcome is an `Answer`, or `Opened`: a stream for `Next`, until another request or the end.

    In each request `patience` is the seconds until the whole answer, or the head of what is opened, must be there, and
    `silence` the seconds for which what is opened may then say nothing.
    """

    path: str
    fields: dict[str, Any]
    form: Submittable | None
    """The payload, where it has files and goes as `multipart/form-data`."""
    again: bool
    """Whether the files of the payload may have been read before."""
    patience: float
    silence: float


class Get(NamedTuple):
    """Ask for a path; the outcome is an `Answer`."""

    path: str
    query: tuple[tuple[str, str], ...]
    patience: float


class Fetch(NamedTuple):
    """Ask any origin for a file, without the key; the outcome is `Opened`, for `Next`."""

    url: str
    headers: dict[str, str]
    patience: float
    silence: float


class Next(NamedTuple):
    """Wait for the next event of the open stream, or the next bytes of the open file, for `patience` seconds at most.

    The outcome is a JSON object, or bytes, or `Ended`. Events whose status is the word `known` are passed over.
    """

    patience: float
    known: object = None


class Sleep(NamedTuple):
    """Let time pass."""

    seconds: float


class Emit(NamedTuple):
    """Show a new state to the caller."""

    generation: Generation


class Record(NamedTuple):
    """Call something that blocks on the disk; what it returns is the outcome."""

    call: Callable[[], Any]


class Answer(NamedTuple):
    """An answer of the platform, read whole; `body` is None where it is no JSON."""

    status: int
    body: object = None
    text: str = ""
    retry_after: float | None = None
    location: str = ""

    @property
    def ok(self) -> bool:
        """Any 2xx is success, by the platform's API reference."""
        return 200 <= self.status < 300

    @property
    def is_transient(self) -> bool:
        """Whether asking again may give another answer; a success is asked about only where it could not be used."""
        return self.ok or self.status >= 500 or self.status in TRANSIENT

    def error(self, generation_id: str | None = None) -> APIError:
        """Give the error that this answer means."""
        return api_error(self.status, self.body, self.text, generation_id=generation_id, where=self.location)


class Lost(NamedTuple):
    """No answer. `sent` is False only if the connection was never made; `is_transient`, unless the client is closed."""

    sent: bool
    reason: str
    is_transient: bool = True
    status: int = 0
    body: None = None
    retry_after: None = None
    ok: bool = False
    text: str = ""
    """What of a stream was said before it broke."""

    def error(self, generation_id: str | None = None) -> ConnectionFailed:
        """Give the error that this means."""
        return ConnectionFailed(f"No answer from the platform: {self.reason}.", generation_id=generation_id)


CLOSED = Lost(sent=False, reason="the client is closed", is_transient=False)


class Opened(NamedTuple):
    """A stream of events or a file is open; names of headers are in lower case."""

    status: int
    headers: dict[str, str]


class Ended(NamedTuple):
    """What was open is over: whole, where nothing broke, else broken or silent for too long."""

    reason: str
    broken: bool = True
    text: str = ""
    """What was said, where that was no event yet."""


Step: TypeAlias = Post | Get | Fetch | Next | Sleep | Emit | Record
Outcome: TypeAlias = Answer | Lost | Opened | Ended | Json | bytes | None
Steps: TypeAlias = Generator[Step, tuple[float, Any], T]


@dataclass(frozen=True, slots=True)
class Entry:
    """A submission that a journal knows to be begun and not finished; `id` is None where it was not recorded."""

    key: int
    id: str | None
    payload: Submittable


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a submission of a journal: its `generation` if that is COMPLETED, else the `error` it ended in."""

    model: str
    input: Json = field(repr=False)
    generation: Generation | None
    error: SkillsVideoError | None
