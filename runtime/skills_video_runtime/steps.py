"""What a machine asks for and what it is told: the words between `lifecycle` and the clients that drive it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from .backoff import RetryPolicy
from .errors import APIError, ConnectionFailed, SkillsVideoError, api_error
from .generation import Generation, Json

if TYPE_CHECKING:
    from .endpoint import Endpoint
    from .file import File

T = TypeVar("T")


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
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be a positive number of seconds, not {getattr(self, name)!r}")
        if self.on_lost_submission not in {"raise", "resubmit"}:
            raise ValueError(f"on_lost_submission is 'raise' or 'resubmit', not {self.on_lost_submission!r}")


@dataclass(frozen=True, slots=True)
class Post:
    """Post a payload. An event stream stays open for `Next`, until the next `Post` or `Get` or the end."""

    path: str
    payload: Submittable = field(repr=False)
    patience: float
    """Seconds for the head of the answer."""
    silence: float
    """Seconds for which an event stream may then be silent."""
    again: bool
    """Whether the files of the payload may have been read before."""


@dataclass(frozen=True, slots=True)
class Get:
    """Ask for a path; `patience` in seconds for the whole answer."""

    path: str
    query: tuple[tuple[str, str], ...]
    patience: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask any origin for a file, without the key; it stays open for `Read`."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    patience: float
    silence: float


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for the next bytes of the file that is open; none are left where the outcome is empty."""


@dataclass(frozen=True, slots=True)
class Next:
    """Wait for the next event of the open stream, and begin no wait after the time `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Show a new state to the caller."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Record:
    """Call something that blocks on the disk; what it returns is the outcome."""

    call: Callable[[], Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the platform, read whole; `body` is None where it is no JSON."""

    status: int
    body: object = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    retry_after: float | None = None
    location: str = ""

    @property
    def ok(self) -> bool:
        """Any 2xx is success, by the platform's API reference."""
        return 200 <= self.status < 300

    def error(self, generation_id: str | None = None) -> APIError:
        """Give the error that this answer means."""
        return api_error(self.status, self.body, self.text, generation_id=generation_id, where=self.location)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `sent` is False only if the connection was never made."""

    sent: bool
    reason: str
    retry_after: None = None

    def error(self, generation_id: str | None = None) -> ConnectionFailed:
        """Give the error that this means."""
        return ConnectionFailed(f"No answer from the platform: {self.reason}.", generation_id=generation_id)


@dataclass(frozen=True, slots=True)
class Opened:
    """A 2xx answer that is an event stream."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the answer to a `Fetch`; names of headers are in lower case."""

    status: int
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream is over, broken, silent for too long, or was never open."""

    reason: str


Step: TypeAlias = Post | Get | Fetch | Next | Read | Sleep | Emit | Record
Outcome: TypeAlias = Answer | Lost | Opened | Head | Ended | Json | bytes | None
Steps: TypeAlias = Generator[Step, tuple[float, Any], T]


class Recorder(Protocol):
    """What a journal of submissions does; it never raises once a post may have been sent."""

    def intend(self, payload: Submittable) -> int: ...  # noqa: D102
    def submitted(self, key: int | None, name: str) -> None: ...  # noqa: D102
    def refused(self, key: int | None) -> None: ...  # noqa: D102
    def finished(self, name: str) -> None: ...  # noqa: D102
    def unfinished(self) -> list[Entry]: ...  # noqa: D102


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
