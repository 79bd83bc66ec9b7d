"""A sandbox in which a generation takes a few hundredths of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from skills_video_runtime.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(speed=500) as server:
        yield server


@pytest.fixture
def still() -> Iterator[Sandbox]:
    """A sandbox whose clock only a test moves."""
    with Sandbox(speed=0) as server:
        yield server
