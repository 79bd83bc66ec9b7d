"""Fixtures for all tests: a project of its own, a scripted server, and each kind of client in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.callers import MODES
from tests.support.project import Project
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as scripted:
        yield scripted
    assert scripted.problems == []


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
