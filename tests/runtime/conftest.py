"""A scripted server, and each kind of client in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime.callers import MODES
from tests.runtime.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as scripted:
        yield scripted
    assert scripted.problems == []


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
