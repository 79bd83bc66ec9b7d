"""Sandboxes to test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.sandbox_callers import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def call(sandbox: Sandbox) -> Iterator[Caller]:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with (
        sandbox,
        httpx.Client(base_url=sandbox.url, headers=headers, timeout=5, verify=False) as http,
        httpx.Client(timeout=5, verify=False) as keyless,
    ):
        yield Caller(sandbox, http, keyless)


@pytest.fixture
def fast() -> Iterator[Caller]:
    """A sandbox in which a generation takes a fiftieth of a second."""
    yield from call(Sandbox(speed=1000))


@pytest.fixture
def still() -> Iterator[Caller]:
    """A sandbox whose clock only a test moves."""
    yield from call(Sandbox(speed=0))


@pytest.fixture
def call_with() -> Iterator[Callable[[Sandbox], Caller]]:
    """Start a sandbox of the test's own making."""
    with contextlib.ExitStack() as stack:
        yield lambda sandbox: stack.enter_context(contextlib.contextmanager(call)(sandbox))
