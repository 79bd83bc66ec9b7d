"""One way to use the synchronous client, and the asynchronous one over asyncio and trio, with time that flies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from skills_video_runtime.catalog import Endpoint  # noqa: TC001  # payloads read their annotations
from skills_video_runtime.client import AsyncClient, Client
from skills_video_runtime.payloads.base import BasePayload
from skills_video_runtime.payloads.constraints import UNSET, Unset
from skills_video_runtime.payloads.file import File  # noqa: TC001  # as above
from skills_video_runtime.testing import FastTime, fast_time

from .scripted import ENDPOINT, KEY

if TYPE_CHECKING:
    from collections.abc import Callable


MODES = ("sync", "asyncio", "trio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    prompt: str = "neon rain"
    image: str | File = "https://cdn.example/a.png"
    images: list[str | File] | Unset = UNSET


def use(mode: str, base: str, work: Callable[[Any], Any], flights: list[FastTime] | None = None, **options: Any) -> Any:
    """Do work with a client of a kind; what an asynchronous one gives is awaited, a stream is read into a list."""
    key = options.pop("api_key", KEY)
    if mode == "sync":
        with Client(key, base, **options) as client:
            flight = fast_time(client)
            (flights if flights is not None else []).append(flight)
            result = work(client)
            return list(result) if hasattr(result, "send") else result

    async def main() -> Any:
        async with AsyncClient(key, base, **options) as client:
            flight = fast_time(client)
            (flights if flights is not None else []).append(flight)
            result = work(client)
            if hasattr(result, "asend"):
                return [state async for state in result]
            return await result if isawaitable(result) else result

    if mode == "asyncio":
        return asyncio.run(main())
    import trio  # noqa: PLC0415  # children of tests do without

    return trio.run(main)
