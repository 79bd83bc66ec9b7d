"""What tests start ends in time, and hears Ctrl-C even where the tests themselves do not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.support.children import finished, started

FOREVER = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(1)"


@pytest.fixture
def deaf():
    """Ignore Ctrl-C, as what runs in the background does."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("deaf")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_a_child_hears_what_its_parent_ignores():
    with started([sys.executable, "-c", FOREVER]) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate()[1]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_child_that_does_not_end_is_killed_so_that_what_reads_it_ends():
    begun = time.monotonic()
    with started([sys.executable, "-c", FOREVER], seconds=1) as child:
        assert list(child.stdout) in (["begun\n"], [])
        assert child.wait() != 0
    assert time.monotonic() - begun < 20


def test_a_child_that_does_not_end_fails_who_waits_for_it():
    with pytest.raises(subprocess.TimeoutExpired):
        finished([sys.executable, "-c", FOREVER], seconds=1)


def test_a_child_does_not_outlive_the_test_that_started_it():
    with started([sys.executable, "-c", FOREVER]) as child:
        pass
    assert child.returncode is not None
