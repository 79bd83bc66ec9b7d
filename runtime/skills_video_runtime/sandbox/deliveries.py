"""Webhooks of the sandbox: signed as Standard Webhooks have it, in order, and again until they are taken.

The platform publishes the events and `prediction.state`, and names them for tasks of the create endpoint alone; so it
is here. How often it tries again is unknown: here it is our choice.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from skills_video_runtime.http.addresses import is_trusted

if TYPE_CHECKING:
    from collections.abc import Callable

    from skills_video_runtime.sandbox.clock import Clock
    from skills_video_runtime.sandbox.ledger import Ledger

SECRET: Final = "whsec_c2FuZGJveC1zZWNyZXQtc2FuZGJveC1zZWNyZXQ="  # noqa: S105  # which is told to everybody
"""What messages are signed with unless another secret is given."""
_WAITS: Final = (5, 30, 120)
"""Sandbox seconds before a message is sent again."""
_PATIENCE: Final = 5.0
_TOLD: Final = {
    "IN_QUEUE": ("task.created", "queued"),
    "IN_PROGRESS": ("task.started", "running"),
    "COMPLETED": ("task.completed", "succeeded"),
    "FAILED": ("task.failed", "failed"),
    "CANCELED": ("task.canceled", "canceled"),
}


class Delivery(NamedTuple):
    """One attempt to deliver a message."""

    id: str
    """The message's own, the same for each attempt."""
    type: str
    generation: str
    status: int | None
    """What the receiver answered; None where it did not."""


class Webhooks:
    """Where messages go.

    Args:
        url: Address of the receiver, https or loopback.
        secret: What they are signed with.
        clock: Of the sandbox.
        ledger: Whose generations they tell of.

    Raises:
        ValueError: The address is neither https nor loopback, or the secret is none.
    """

    def __init__(self, url: str, secret: str, clock: Clock, ledger: Ledger) -> None:
        if not is_trusted(url) or not url.isascii() or re.search(r"[\s#]", url):
            raise ValueError("webhook must be https, or http to this machine, without user name and fragment")
        try:
            self._signer = Webhook(secret)
        except Exception as error:
            raise ValueError("webhook_secret must be Base64, with or without whsec_ before it") from error
        self._url, self._clock, self._ledger = urlsplit(url), clock, ledger
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent: list[Delivery] = []
        """All attempts, in order."""

    def follow(self, generation_id: str) -> None:
        """Tell of each state of a generation from now on."""
        task = asyncio.create_task(self._follow(generation_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, generation_id: str) -> None:
        told, number = "", 0
        while number < len(self._ledger.phases(generation_id)):
            await self._wait(partial(self._ledger.since, generation_id, number))
            phase = self._ledger.phases(generation_id)[number]
            number += 1
            if phase.status in _TOLD and phase.status != told:
                told = phase.status
                await self._deliver(f"msg_{generation_id}_{number}", told, generation_id)

    async def _deliver(self, name: str, status: str, generation_id: str) -> None:
        kind, state = _TOLD[status]
        body = json.dumps({"type": kind, "prediction": {"id": generation_id, "state": state}})
        for wait in (*_WAITS, None):
            answered = await self._post(name, body)
            self.sent.append(Delivery(name, kind, generation_id, answered))
            if wait is None or (answered is not None and 200 <= answered < 300):
                return
            again = self._clock.now() + wait
            await self._wait(partial(float, again))

    async def _wait(self, moment: Callable[[], float]) -> None:
        await self._clock.until(moment, asyncio.get_running_loop().create_future())

    async def _post(self, name: str, body: str) -> int | None:
        """Send a message once, and give the status of the answer, if one comes. No redirect is followed."""
        now, writer = datetime.now(UTC), None
        port, secure = self._url.port or {"https": 443}.get(self._url.scheme, 80), self._url.scheme == "https"
        target = self._url.path or "/"
        if self._url.query:
            target += f"?{self._url.query}"
        lines = (
            f"POST {target} HTTP/1.1",
            f"Host: {self._url.netloc}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"webhook-id: {name}",
            f"webhook-timestamp: {int(now.timestamp())}",
            f"webhook-signature: {self._signer.sign(name, now, body)}",
        )
        with suppress(OSError, ValueError, IndexError):  # which is no answer
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_connection(self._url.hostname, port, ssl=secure or None)
                try:
                    writer.write("\r\n".join((*lines, "", body)).encode())
                    return int((await reader.readline()).split()[1])
                finally:
                    writer.close()
        return None
