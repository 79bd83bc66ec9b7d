"""Messages that the platform posts to a server of yours: are they from it, and what do they tell? (extra: webhooks).

The platform signs them as Standard Webhooks have it. Of their bodies it publishes the names of the events and
`prediction.state`; the rest is unknown, so the reading is tolerant, and `Event.raw` has all of it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from .errors import SkillsVideoError
from .generations.outcomes import check_seconds
from .generations.states import ID_NAMES, STATUSES, Generation, Status
from .json_values import JsonObject, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLERANCE = 300.0  # seconds between the clock of the sender and ours, as Standard Webhooks have it
LARGEST = 16 * 2**20  # bytes of a body, as of an event of a stream
EVENTS: dict[str, Status] = {
    "task.created": Status.IN_QUEUE,
    "task.started": Status.IN_PROGRESS,
    "task.completed": Status.COMPLETED,
    "task.failed": Status.FAILED,
    "task.canceled": Status.CANCELED,
}


class WebhookRefused(SkillsVideoError):  # noqa: N818  # as the other errors
    """A message that is not signed with the secret, too old, or none that can be read. Answer it with 400."""

    category: ClassVar[str] = "webhook"
    guidance: ClassVar[str] = "Answer with 400, and do nothing that the message asks for."


@dataclass(frozen=True)
class Event:
    """A message of the platform, whose signature is right."""

    id: str
    """The message's own id. Messages come at least once: one that is delivered again has the same id."""
    type: str
    """`task.created`, `task.started`, `task.completed`, `task.failed`, `task.canceled`, or a word of later."""
    generation: Generation
    """The state that it tells of; a message that names no state has that of its type."""
    raw: JsonObject = field(repr=False, compare=False)
    """The whole body."""


def verify(body: bytes | str, headers: Mapping[str, str], secret: str, *, tolerance: float = TOLERANCE) -> Event:
    """Check the signature of a message, and read it.

    Args:
        body: The body as it came, before anything has parsed it.
        headers: The headers of the request, in any case: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
        secret: The secret that the dashboard shows for the webhook, with or without `whsec_`.
        tolerance: Seconds by which the message may be older or newer than the clock of this machine, at most 300.

    Raises:
        WebhookRefused: The message is not signed with the secret, too old or too new, or tells of no generation.
        ValueError: The secret cannot be one, or the tolerance is outside its range.
        ModuleNotFoundError: The extra `webhooks` is not installed.
    """
    try:
        from standardwebhooks import Webhook  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("webhooks need an extra: pip install 'skills-video[webhooks]'") from error

    if check_seconds("tolerance", tolerance) > TOLERANCE:
        raise ValueError(f"tolerance is at most {TOLERANCE:g} seconds, not {tolerance!r}")
    try:
        key = Webhook(secret)
    except Exception as error:
        raise ValueError("secret is not that of a webhook: it is Base64, mostly after whsec_") from error
    if len(body) > LARGEST:
        raise WebhookRefused(f"The body has more than {LARGEST} bytes.")
    told = {name.lower(): value for name, value in headers.items()}
    try:
        key.verify(body, told, json_parse=False)
    except Exception as error:  # the library raises what its parsers raise of a malformed header
        raise WebhookRefused(f"The signature is not right: {error}.") from error
    if abs(time.time() - float(told["webhook-timestamp"])) > tolerance:
        raise WebhookRefused(f"The message is more than {tolerance:g} s from the clock of this machine.")
    return _read(told["webhook-id"], body)


def _read(name: str, body: bytes | str) -> Event:
    try:
        raw = as_object(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise WebhookRefused("The body is no JSON.") from error
    kind = str(raw.get("type") or raw.get("event") or "")
    data = as_object(raw.get("data"))
    for place in filter(None, (as_object(raw.get("prediction")), as_object(data.get("prediction")), data, raw)):
        names = {name: place.get(name) for name in ID_NAMES}
        told = Generation.parse({**names, "status": place.get("state") or place.get("status")})
        if told is None or not told.id:
            continue
        status = told.status
        if status not in STATUSES:
            status = EVENTS.get(kind, status)
        if status in STATUSES:
            return Event(name, kind, Generation(told.id, status, place), raw)
    raise WebhookRefused("The body tells of no generation.")
