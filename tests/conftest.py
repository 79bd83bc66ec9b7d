"""Fixtures for all tests: a project of its own, a scripted server, and each kind of client in turn."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest

from skills_video_runtime.catalog import PACKAGES
from tests.support.callers import MODES
from tests.support.project import Project
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator


SLOW = (
    "tests/agents/test_processes.py",
    "tests/agents/test_server.py",
    "tests/agents/test_skill.py",
    "tests/batch/",
    "tests/benchmarks/",
    "tests/changes/test_callers.py",
    "tests/changes/test_changelog.py",
    "tests/changes/test_command.py",
    "tests/changes/test_judgement.py",
    "tests/changes/test_mutations.py",
    "tests/changes/test_pairs.py",
    "tests/changes/test_update.py",
    "tests/changes/test_witness.py",
    "tests/cli/",
    "tests/downloads/",
    "tests/generations/test_concurrent_calls.py::TestConcurrentCalls",
    "tests/generations/test_interruptions.py",
    "tests/generations/test_journal.py",
    "tests/generations/test_known_again.py::test_every_schedule_of_three_faults_pays_at_most_once",
    "tests/generations/test_never_pay_twice.py::test_every_schedule_of_four_faults",
    "tests/generations/test_never_pay_twice.py::test_long_random_schedules",
    "tests/generations/test_own_keys.py",
    "tests/generations/test_records.py",
    "tests/generations/test_states.py::test_nothing_that_json_can_hold",
    "tests/generator/inputs/test_bodies.py",
    "tests/generator/inputs/test_documents.py",
    "tests/generator/inputs/test_fetch.py",
    "tests/generator/inputs/test_site.py",
    "tests/generator/inputs/test_streams.py",
    "tests/generator/output/test_output.py",
    "tests/generator/schema/test_limits.py",
    "tests/generator/schema/test_patterns.py",
    "tests/generator/test_errors.py",
    "tests/generator/test_hostile.py",
    "tests/generator/test_impact.py",
    "tests/generator/test_rerun.py",
    "tests/generator/test_second_reader.py",
    "tests/generator/test_writing.py",
    "tests/http/",
    "tests/payloads/test_constraints.py::test_hypothesis_reads_limits",
    "tests/payloads/test_exactness.py",
    "tests/payloads/test_hypothesis.py",
    "tests/payloads/test_json_schema.py",
    "tests/sandbox/",
    "tests/site/",
    "tests/test_capabilities.py",
    "tests/test_children.py",
    "tests/test_guides.py",
    "tests/test_packages.py",
    "tests/test_pictures.py",
    "tests/test_plain_statements.py::test_no_test_reaches_for_a_private_name",
    "tests/test_planning.py::test_plans_are_the_same_under_every_hash_seed",
    "tests/test_readme.py",
    "tests/typing/",
    "tests/workflows/",
)
"""What `make quick` leaves out: sockets, processes, checkers of types, whole trees, all orders, loads."""


MEMORY: Final = Path("/dev/shm")  # what is made in it is private to this user
ROOM: Final = 2**31  # bytes; a run leaves a tenth of that


def is_fit(folder: Path) -> bool:
    """Tell whether a folder has room for all that tests write, and allows programs in it."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize > ROOM


def pytest_configure() -> None:
    """Let tests write into memory where they may, since most would wait for a disk that they are not about."""
    if is_fit(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(autouse=True)
def no_package_of_another_test() -> None:
    """Have models looked for in no package that a test has made: it is gone when the next one begins."""
    PACKAGES[:] = [package for package in PACKAGES if not package.startswith("acme_")]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage in what is imported and collected, all of which lives until the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing that `make quick` leaves out as a whole."""
    if config.option.markexpr != "not slow":
        return None
    return f"{collection_path.relative_to(config.rootpath).as_posix()}/".startswith(SLOW) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for many journals: one kept in memory, even where that has no room for what all tests write."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as scripted:
        yield scripted
    assert scripted.problems == []


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
