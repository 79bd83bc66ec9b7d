"""Run the sandbox: in a thread for tests, or in the foreground for the command line."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import threading
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, get_args

from skills_video_runtime.http.own_headers import own_headers
from skills_video_runtime.http.session import claims_of
from skills_video_runtime.sandbox import faults
from skills_video_runtime.sandbox.application import application
from skills_video_runtime.sandbox.clock import Clock
from skills_video_runtime.sandbox.deliveries import SECRET, Delivery, Webhooks
from skills_video_runtime.sandbox.description import Description, DescriptionError, load
from skills_video_runtime.sandbox.ledger import Generation, Ledger
from skills_video_runtime.sandbox.service import BASE, RecordedRequest, Service
from skills_video_runtime.sandbox.uvicorn_server import HTTPServer, listen
from skills_video_runtime.sandbox.validation import Judge

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

WhenFull: TypeAlias = Literal["queue", "429"]

API_KEY: Final = "sandbox-key"
"""The key that a sandbox takes unless it is given another."""
CREDITS: Final = 100_000
"""Credits that a sandbox begins with unless it is told otherwise."""
_PATIENCE: Final = 5.0


class Sandbox:
    """A stand-in for the platform in this process, for tests: `with Sandbox() as sandbox: …`.

    It runs in a thread on a free port of 127.0.0.1 and ends with the block. All methods are safe in any thread.

    Args:
        speed: Sandbox seconds in one real second. At 0 nothing moves but by `advance`.
        credits: Subscription credits to begin with.
        permanent: Bought credits to begin with, spent last.
        api_key: The one key that is accepted.
        openapi: An OpenAPI description in JSON; None for the package's own.
        plan: Faults of the create requests to come, as in `plan`.
        queue_seconds: Sandbox seconds that a generation is queued; our choice.
        work_seconds: Sandbox seconds that it is in progress; our choice.
        media_host: Host name in the URLs of files, such as `localhost` for another origin than the API's; None for
            the one that the client used.
        at_once: How many generations are worked on at once; None for all.
        when_full: What becomes of more than these: they `queue`, and are told their places, or are refused by `429`.
        headers: Headers of each answer, beside its own and `X-Request-Id`.
        webhook: Where webhooks go, https or loopback.
        webhook_secret: What they are signed with.

    Raises:
        DescriptionError: The description cannot be used.
        FaultError: The plan names an unknown fault.
        ValueError: An argument is outside its range, or no header can carry the key or a header.
    """

    def __init__(  # noqa: PLR0913 - each is a knob of its own, all by name
        self,
        *,
        speed: float = 50.0,
        credits: float = CREDITS,  # noqa: A002 - the platform's word
        permanent: float = 0,
        api_key: str = API_KEY,
        openapi: Path | None = None,
        plan: Iterable[str] = (),
        queue_seconds: float = 1.0,
        work_seconds: float = 20.0,
        media_host: str | None = None,
        at_once: int | None = None,
        when_full: WhenFull = "queue",
        headers: Mapping[str, str] | None = None,
        webhook: str | None = None,
        webhook_secret: str = SECRET,
    ) -> None:
        ledger = Ledger(
            subscription=credits,
            permanent=permanent,
            queue_seconds=queue_seconds,
            work_seconds=work_seconds,
            at_once=at_once,
        )
        own = tuple((name.encode(), value.encode()) for name, value in own_headers(headers).items())
        if when_full not in get_args(WhenFull):
            raise ValueError(f"when_full is 'queue' or '429', not {when_full!r}")
        if not re.fullmatch("[!-~]+", api_key):
            raise ValueError("api_key must be printable ASCII without spaces, as no header could carry another")
        description, judge = _description(openapi)
        clock, webhooks = Clock(speed), None
        if webhook is not None:
            webhooks = Webhooks(webhook, webhook_secret, clock, ledger)
        self._service = Service(
            api_key,
            description,
            judge,
            ledger,
            clock,
            media_host=media_host,
            is_refusing=when_full == "429",
            headers=own,
            webhooks=webhooks,
        )
        self._service.plan.add(plan)
        self.application = application(self._service)
        """What serves it, by ASGI."""
        self._thread: threading.Thread | None = None
        self._server: HTTPServer | None = None
        self._port = 0

    def __enter__(self) -> Self:
        """Start; returns when connections are accepted."""
        if self._server is not None:
            raise RuntimeError("this sandbox was started before; make another")
        listener = listen("127.0.0.1", 0)
        self._port = listener.getsockname()[1]
        claims_of(self.url).forget()  # of an earlier sandbox on this port, which gave the same ids
        started = threading.Event()
        server = self._server = HTTPServer(self.application, started.set)
        self._thread = threading.Thread(
            target=asyncio.run, args=[server.serve(sockets=[listener])], name="skills-video-sandbox", daemon=True
        )
        self._thread.start()
        if not started.wait(_PATIENCE):
            raise RuntimeError("the sandbox did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop at once; open connections are closed."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(_PATIENCE)

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a final slash."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Base URL for a client, ending in `/api/v1`."""
        return self.origin + BASE

    @property
    def api_key(self) -> str:
        """The key that is accepted."""
        return self._service.api_key

    @property
    def models(self) -> list[str]:
        """Ids of the models that generations can be created of, sorted."""
        return sorted({operation.model for operation in self._service.description.operations.values()})

    def plan(self, *steps: str) -> None:
        """Plan faults of the create requests to come.

        Args:
            steps: One per create request, in order: `drop-after`, `delay:0.2,cut:10`, or an empty text for none. A
                step `every 10 drop-after-id` is a rule for every tenth create request from now on.

        Raises:
            FaultError: A fault is not known; nothing was planned.
        """
        self._service.plan.add(steps)

    def arm(self, text: str) -> None:
        """Let running lists and balances go wrong from now on: `running-500:2,credits-drop`.

        Raises:
            FaultError: A fault is not known.
        """
        self._service.armed.add(faults.parse(text))

    def clear_faults(self) -> None:
        """Forget what was planned; faults of generations already made stay theirs."""
        self._service.plan.clear()

    def advance(self, seconds: float) -> None:
        """Move the clock ahead by sandbox seconds, at once."""
        self._service.clock.advance(seconds)

    def now(self) -> float:
        """Sandbox seconds since the start."""
        return self._service.clock.now()

    def made(self, model: str | None = None, body: Mapping[str, Any] | None = None) -> int:
        """How many generations were made: of all, of a model, of a body as it was sent."""
        return self._service.ledger.made(model, body)

    def generations(self) -> tuple[Generation, ...]:
        """All generations made, in the order of making."""
        return self._service.ledger.generations()

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All attempts to deliver a webhook, in order."""
        if self._service.webhooks is None:
            return ()
        return tuple(self._service.webhooks.sent)

    def status(self, generation_id: str) -> str:
        """The true state of a generation now, in the newer words.

        Raises:
            KeyError: There is no such generation.
        """
        generation = self._service.ledger.get(generation_id)
        if generation is None:
            raise KeyError(generation_id)
        return generation.status(self.now())

    @property
    def credits_left(self) -> float:
        """Credits left, of both kinds."""
        left = self._service.ledger.credits
        return left.subscription + left.permanent

    @property
    def credits_charged(self) -> float:
        """Credits charged since the start."""
        return self._service.ledger.charged

    @property
    def requests(self) -> Counter[str]:
        """How many requests came, by method and path (`POST /api/v1/generation/ltx-2.3`, `GET /media/{id}/{file}`).

        Beyond a thousand names, and where one is longer than 200 characters, they are counted as `others`.
        """
        return self._service.ledger.requests()

    @property
    def seen(self) -> tuple[RecordedRequest, ...]:
        """The latest requests with their headers, the key included: at most 20,000, and 16 MiB of them."""
        return self._service.seen.latest()


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 4912,
    webhook: str | None = None,
    webhook_secret: str | None = None,
    announce: Callable[[str], None] = print,
    **options: Any,
) -> None:
    """Run the sandbox in the foreground until SIGINT or SIGTERM; call it from the main thread.

    Args:
        host: Address to listen on; anything but loopback lets others in.
        port: Port to listen on; 0 for a free one.
        webhook: As of `Sandbox`.
        webhook_secret: As above.
        announce: Told the address once connections are accepted.
        options: All else that `Sandbox` takes.

    Raises:
        DescriptionError: The description cannot be used.
        FaultError: The plan names an unknown fault.
        OSError: The address cannot be listened on.
        ValueError: A number is negative or not finite, or no header can carry the key.
    """
    secret = webhook_secret or SECRET
    sandbox = Sandbox(webhook=webhook, webhook_secret=secret, **options)
    listener = listen(host, port)
    bound, taken = listener.getsockname()[:2]
    address = ipaddress.ip_address(bound)
    if address.version == 6:
        bound = f"[{bound}]"
    text = f"skills.video sandbox: http://{bound}:{taken}{BASE} (key: {sandbox.api_key})"
    if not address.is_loopback:
        text += "\nIt is open to other machines."
    if webhook is not None:
        text += f"\nWebhooks go to {webhook} (secret: {secret})"
    server = HTTPServer(sandbox.application, partial(announce, text))
    asyncio.run(server.serve(sockets=[listener]))


def _description(file: Path | None) -> tuple[Description, Judge]:
    if file is None:
        return _packaged_description()
    description = load(file)
    judge = Judge(description)
    try:
        judge.check(pointer for operation in description.operations.values() for pointer in operation.bodies.values())
    except DescriptionError as error:
        raise DescriptionError(f"{file}: {error}") from error
    return description, judge


@cache
def _packaged_description() -> tuple[Description, Judge]:
    """The package's own description, read once for all sandboxes of a process."""
    description = load()
    return description, Judge(description)
