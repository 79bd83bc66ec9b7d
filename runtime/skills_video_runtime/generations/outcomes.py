"""The words between a call and what carries it: what is posted, what came of it, and the protocol of the two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

from skills_video_runtime import errors
from skills_video_runtime.classify import api_error
from skills_video_runtime.json_values import JsonObject, is_number

from .retry import RetryPolicy
from .states import STATUSES, Generation

if TYPE_CHECKING:
    from collections.abc import Callable

    from skills_video_runtime.catalog import Endpoint
    from skills_video_runtime.payloads.file import File

T = TypeVar("T")
TRANSIENT = frozenset({408, 425, 429})
REFUSALS = (errors.InvalidRequest, errors.InsufficientCredits, errors.ContentRejected)
MAX_SECONDS = 1e9  # what is longer overflows the clocks of some systems


class Submittable(Protocol):
    """What of a payload is needed to post it; every `BasePayload` is one."""

    endpoint: ClassVar[Endpoint]
    urlencoded: ClassVar[bool]

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102
    def known_fields(self) -> dict[str, Any]: ...  # noqa: D102
    def goes_as_form(self) -> bool: ...  # noqa: D102
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
    if not is_number(given) or not 0 < given <= MAX_SECONDS:
        raise ValueError(f"{name} must be a positive number of seconds, at most {MAX_SECONDS:g}, not {given!r:.80}")
    return given


@dataclass(eq=False, slots=True)
class Post:
    """A request that may make a generation."""

    path: str
    fields: JsonObject
    payload: Submittable
    idempotency: tuple[str, str] | None = None
    """The header by which the platform knows it again, and its value, where the endpoint is described to take one."""
    begun: bool = False
    """Whether its head was begun, which is when a generation may have been made. Set by what sends it."""

    @property
    def is_stream(self) -> bool:
        """Whether it goes to the stream endpoint, for which the create endpoint can stand in."""
        return self.path != self.payload.endpoint.create


class Answer(NamedTuple):
    """An answer of the platform, read whole; `body` is None where it is no JSON."""

    status: int
    body: object = None
    text: str = ""
    retry_after: float | None = None
    location: str = ""
    """The origin that a redirect leads to."""
    place: str | None = None
    """The id of a generation that `Location` names."""
    sent: tuple[str, ...] = ()
    """The texts of the payload that it answers; where it repeats them, they tell nothing of the platform."""
    request_id: str | None = None
    cause: Exception | None = None
    """The fault that broke it off."""

    @property
    def ok(self) -> bool:
        """Any 2xx is success, by the platform's API reference."""
        return 200 <= self.status < 300

    @property
    def is_transient(self) -> bool:
        """Whether asking again may give another answer; a success is asked about only where it could not be used."""
        return self.ok or self.status >= 500 or self.status in TRANSIENT

    @property
    def problem(self) -> str:
        """What is wrong with it, in words."""
        if self.ok:
            return "the answer cannot be read"
        return self.error().what.rstrip(".")

    def error(self, generation_id: str | None = None) -> errors.APIError:
        """Give the error that this answer means."""
        error = api_error(
            self.status, self.body, self.text, generation_id=generation_id, where=self.location, sent=self.sent
        )
        error.retry_after, error.request_id, error.__cause__ = self.retry_after, self.request_id, self.cause
        return error

    @property
    def refuses(self) -> bool:
        """Whether its code says that nothing was made, although it is a success."""
        state = Generation.parse(self.body)
        is_bare = state is not None and not state.id and state.status not in STATUSES
        return self.ok and is_bare and isinstance(self.error(), REFUSALS)


class ClientClosed(errors.ConnectionFailed):
    """It was closed before the call, or in the middle of it."""

    guidance = "Make a new client."


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. It is transient unless the client is closed, or the request cannot be sent as it is."""

    problem: str
    is_transient: bool = True
    text: str = ""
    """What of a stream was said before it broke."""
    cause: Exception | None = field(default=None, compare=False, repr=False)
    """The fault that led to it, without what it may show of a request."""
    kind: type[errors.ConnectionFailed] = errors.ConnectionFailed
    status: ClassVar[None] = None
    retry_after: ClassVar[None] = None

    def error(self, generation_id: str | None = None) -> errors.SkillsVideoError:
        """Give the error that this means."""
        error: errors.SkillsVideoError
        if isinstance(self.cause, errors.PayloadError):
            return self.cause
        if isinstance(self.cause, errors.MissingAPIKey):
            error = errors.MissingAPIKey(self.problem, generation_id=generation_id)
            error.__cause__ = self.cause.__cause__
            return error
        error = self.kind(f"No answer from the platform: {self.problem.rstrip('.')}.", generation_id=generation_id)
        error.retryable, error.__cause__ = self.is_transient, self.cause
        return error


CLOSED = Lost("the client is closed", is_transient=False, kind=ClientClosed)


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
    cause: Exception | None = None
    """The fault that broke it."""


class IO(Protocol):
    """What a call needs of the world: a clock that never goes back, a network, a thread for what waits for the disk.

    `http.exchange.Exchange` is that of both clients. It may be synchronous, if none of its methods suspends. Nothing
    that a network does is raised: it is `Lost` or `Ended`. `patience` is how many seconds one thing may take.
    """

    def now(self) -> float: ...  # noqa: D102
    async def sleep(self, seconds: float) -> None: ...  # noqa: D102
    async def on_disk(self, work: Callable[[], T]) -> T: ...  # noqa: D102

    async def post(self, post: Post, patience: float, silence: float) -> Answer | Lost | Opened:
        """Post a payload; what is opened is for `next_event`, may be silent for `silence`, and ends with the call.

        `post.begun` is set before the first byte of its head is sent. It is not where OSError tells that a file of the
        payload cannot be read to its end, as nothing is made then.
        """
        ...

    async def get(self, path: str, query: tuple[tuple[str, str], ...], patience: float) -> Answer | Lost:
        """Ask for a path; what was open is closed."""
        ...

    async def send(
        self, method: str, path: str, patience: float, silence: float, *, after_last: bool = False
    ) -> Answer | Lost | Opened:
        """Send a request without a body, which may open a stream: `after_last` names the last event that was told."""
        ...

    async def next_event(self, patience: float, known: object = None) -> JsonObject | list[object] | Ended:
        """Wait for the next event of the open stream; events whose status is the word `known` are passed over."""
        ...
