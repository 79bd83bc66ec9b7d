from __future__ import annotations

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.batch.conftest import postgres, server  # noqa: F401  # a fixture, and what it needs


@pytest.fixture(scope="module")
def platform():
    with Sandbox(speed=100) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(platform, monkeypatch):
    """The platform, whose address and key are in the environment."""
    platform.clear_faults()
    platform.advance(200_000)  # what an earlier test has left under way
    monkeypatch.setenv("SKILLS_VIDEO_API_KEY", platform.api_key)
    monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", platform.url)
    return platform


@pytest.fixture
def made(sandbox):
    """Tells how many generations the platform has made since the test began."""
    before = sandbox.made()
    return lambda: sandbox.made() - before
