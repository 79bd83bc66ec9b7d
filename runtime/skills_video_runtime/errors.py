"""What can go wrong, as one tree.

SkillsVideoError
├── MissingAPIKey           no key that could be sent
├── PayloadError            a payload that its schema does not allow; nothing was sent
├── APIError                the platform answered, and said no
│   ├── InvalidRequest      400 and whatever has no class of its own
│   ├── AuthenticationError 401
│   ├── InsufficientCredits 402, or by the text of the answer
│   ├── PermissionDenied    403
│   ├── NotFound            404
│   ├── ContentRejected     422, by moderation
│   ├── ValidationFailed    422, by its schema
│   ├── RateLimited         429
│   └── ServerError         408, 5xx, and answers that cannot be read
├── ConnectionFailed        no connection, or it broke
├── SubmissionUncertain     a generation may have been made, and its id is not known
├── GenerationFailed        the generation ended as FAILED or CANCELED
├── GenerationTimeout       out of time; the generation goes on
├── NotOffered              the platform describes no such endpoint; nothing was sent
├── DownloadFailed          a finished file could not be fetched whole
└── JournalUnavailable      the journal cannot be written; nothing was sent
    └── RecordUnusable      one of its records cannot be used, the others can

Of these RateLimited, ServerError, ConnectionFailed and DownloadFailed are transient: they are raised after the tries
of the client's RetryPolicy, and `retryable`. Where another try would end in the same, such as a certificate that is not
valid, they are raised at once and are not.
"""

# ruff: noqa: N818  # an error is named by what happened
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skills_video_runtime.generations.states import Generation

DASHBOARD = "https://skills.video/dashboard"
EXCERPT = 500  # characters of the platform's text that an error repeats


class SkillsVideoError(Exception):
    """Any error that this library raises on purpose. It pickles, and never holds the key.

    `category` is one word to branch on. `code` and `status` are the platform's, if it answered. `generation_id` is the
    generation that the error is about, if one is known. `retryable` tells whether the same call may be made again, as
    it is, with a chance to succeed and without paying twice. `what` is the text without what to do about it. Where an
    exception of a library led to it, that is the `__cause__`, without frames and requests, which may hold the key.
    """

    category: ClassVar[str] = "error"
    guidance: ClassVar[str] = ""
    retryable: bool = False

    def __init__(
        self, what: str, /, *, code: str | None = None, status: int | None = None, generation_id: str | None = None
    ) -> None:
        self.what = what
        self.code, self.status, self.generation_id = code, status, generation_id

    def __str__(self) -> str:
        """What happened, what it means, and what to do."""
        return f"{self.what} {self.guidance}".strip()

    def to_dict(self) -> dict[str, Any]:
        """What a program can go by, as JSON."""
        return {"category": self.category, "code": self.code, "status": self.status, "try_again": self.retryable}


@dataclass(frozen=True)
class Violation:
    """One rule of a schema that a value breaks.

    `path` leads from the payload to the value (`prompt`, `brushes[0].x`; empty for the payload itself), `rule` is the
    JSON Schema keyword (`maximum`, `enum`, `required`, …), `value` what was given, `nearest` the allowed value next to
    it, or None where there is none to name.
    """

    path: str
    rule: str
    value: object
    nearest: object
    message: str

    def __repr__(self) -> str:
        """Read well where a list of them is shown, as in a notebook."""
        return f"<Violation {self}>"

    def __str__(self) -> str:
        """Path and message on one line."""
        return f"{self.path}: {self.message}" if self.path else self.message

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON, without the value, which need not be any."""
        return {"path": self.path, "rule": self.rule, "nearest": self.nearest, "message": self.message}


class PayloadError(SkillsVideoError):
    """A payload that its schema does not allow; nothing was sent and nothing was charged.

    `violations` holds every broken rule, in the order of the fields.
    """

    category = "validation"

    def __init__(self, name: str, violations: Sequence[Violation], /) -> None:
        self.name, self.violations = name, tuple(violations)
        count = len(self.violations)
        head = f"{name}: {count} value{'' if count == 1 else 's'} not allowed; nothing was sent"
        super().__init__("\n".join([head, *(f"  {violation}" for violation in self.violations)]))

    def to_dict(self) -> dict[str, Any]:
        """As of any error, with the violations."""
        return {**super().to_dict(), "violations": [violation.to_dict() for violation in self.violations]}


class MissingAPIKey(SkillsVideoError):
    """There is no key, or what was given as one cannot be sent."""

    category = "missing_key"
    guidance = (
        f"Create a key at {DASHBOARD}/developer and pass it as api_key or in the environment variable "
        "SKILLS_VIDEO_API_KEY."
    )


class APIError(SkillsVideoError):
    """The platform answered with an error, told apart by its `code`, then its status, then its text."""

    category = "api"
    retry_after: float | None = None
    """Seconds after which the platform wants to be asked again, if it says so."""
    request_id: str | None = None
    """What the platform calls the request, if a header tells; its support may ask for it."""


class InvalidRequest(APIError):
    """The request was refused as it is: malformed, an unsupported model, or redirected."""

    category = "invalid_request"
    guidance = "Change the request before sending it again."


class AuthenticationError(APIError):
    """The key is missing or not valid."""

    category = "authentication"
    guidance = f"Check the key, or create one at {DASHBOARD}/developer."


class InsufficientCredits(APIError):
    """The workspace has not enough credits."""

    category = "insufficient_credits"
    guidance = f"Recharge at {DASHBOARD} (Billing/Credits), then send it again; prices: https://skills.video/pricing."


class PermissionDenied(APIError):
    """The key is valid, and may not do this."""

    category = "permission"
    guidance = f"See which workspace and rights the key has at {DASHBOARD}/developer."


class NotFound(APIError):
    """There is no such model or generation."""

    category = "not_found"
    guidance = "Check the id, the base URL, and that the key belongs to the workspace that made the generation."


class ContentRejected(APIError):
    """Moderation rejected prompt or media."""

    category = "content_rejected"
    guidance = "Change prompt or media; the same request will be rejected again."


class ValidationFailed(APIError):
    """The platform's own check of the payload failed."""

    category = "validation"
    guidance = "Correct the payload; a newer release of this library may know newer rules."


class RateLimited(APIError):
    """Too many requests; the platform publishes no limits."""

    category = "rate_limited"
    guidance = "Nothing was made; send fewer requests at once, or again later."
    retryable = True


class ServerError(APIError):
    """The platform could not serve the request, or its answer cannot be read."""

    category = "server"
    guidance = "It may be sent again later."
    retryable = True


class ConnectionFailed(SkillsVideoError):
    """No connection to the platform, or it broke."""

    category = "connection"
    guidance = "Check network, proxy and base URL, then try again."
    retryable = True


class SubmissionUncertain(SkillsVideoError):
    """A generation may have been made and charged, and it is not known which one is ours.

    `candidates` are the ids of the generations that it may be; `generation_id` is one that the platform itself told of.
    """

    category = "uncertain"
    guidance = (
        f"Posting again may pay twice: first look at {DASHBOARD} or client.running(), and pass the id of a "
        "generation that is yours to client.wait(id)."
    )

    def __init__(
        self,
        what: str,
        /,
        *,
        candidates: Sequence[str] = (),
        code: str | None = None,
        status: int | None = None,
        generation_id: str | None = None,
    ) -> None:
        self.candidates = tuple(candidates)
        if self.candidates:
            what += f" It may be one of: {', '.join(visible(item) for item in self.candidates)}."
        super().__init__(what, code=code, status=status, generation_id=generation_id)

    def to_dict(self) -> dict[str, Any]:
        """As of any error, with the candidates."""
        return {**super().to_dict(), "candidates": list(self.candidates)}


class GenerationFailed(SkillsVideoError):
    """The generation ended without a result. `generation` is its last state."""

    category = "failed"
    guidance = f"Making it again is a new generation; what was charged is shown at {DASHBOARD}."

    def __init__(self, generation: Generation, /) -> None:
        self.generation = generation
        reason = ": ".join(visible(text) for text in (generation.code, generation.message) if text)
        what = f"Generation {visible(generation.id)} ended as {generation.status}"
        if reason:
            what += f" ({reason.rstrip('.')})"
        super().__init__(f"{what}.", code=generation.code, generation_id=generation.id or None)


class GenerationTimeout(SkillsVideoError):
    """Time ran out before the generation was finished. It goes on, and is paid for."""

    category = "timeout"
    guidance = "Do not post it again: client.wait(id) goes on waiting, in this or any other process."


class NotOffered(SkillsVideoError):
    """The platform's description has no endpoint for it. Nothing was sent."""

    category = "not_offered"
    guidance = "A newer release knows of one, if the platform has described it since; what is under way goes on."


class DownloadFailed(SkillsVideoError):
    """A file could not be fetched whole. Nothing is left under its final name.

    `saved` are the paths of the others that were fetched by the same call.
    """

    saved: tuple[Path, ...] = ()

    category = "download"
    guidance = "client.get(id) gives fresh addresses; how long one is valid is not published."
    retryable = True


class JournalUnavailable(SkillsVideoError):
    """The journal of submissions cannot be opened or written. Nothing was sent."""

    category = "journal"
    guidance = "Nothing was sent; try again once it can be used."


class RecordUnusable(JournalUnavailable):
    """A record of a journal cannot be read, or belongs to another platform or key. It is left as it is."""

    guidance = "Recover it with the client that it belongs to; client.settle(key) drops it."


def visible(text: str) -> str:
    """Give a text from the network on one line, cut to a length, with control characters shown instead of obeyed."""
    text = text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
