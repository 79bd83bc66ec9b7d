"""Processes that tests start: each ends in time, and hears the signals that it is sent."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 30  # seconds after which a process that has not ended is killed


KEPT = ("PATH", "SYSTEMROOT", "PYTHONPATH", "TEMP", "TMP")


def environment(**more: str) -> dict[str, str]:
    """What a process sees: nothing of the user's."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8", **more}


def _nothing(_number: int, _frame: object) -> None:
    """Do what ignoring a signal does; unlike that, it is not handed on to a child."""


@contextmanager
def hearing() -> Iterator[None]:
    """Let a child that is started here hear every signal.

    A child ignores what its parent ignores, and a shell has what it runs in the background ignore Ctrl-C.
    """
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, _nothing)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def finished(
    arguments: Sequence[object], *, seconds: float = PATIENCE, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Run a process to its end, and give what it wrote. One that takes too long is killed, and the test fails."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    with hearing():
        return subprocess.run(list(map(str, arguments)), timeout=seconds, check=check, **given)


@contextmanager
def started(
    arguments: Sequence[object], *, seconds: float = PATIENCE, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """Give a process while it runs. It is killed at the end, and before that if it takes too long: the test fails."""
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    with hearing():
        process = subprocess.Popen(list(map(str, arguments)), **given)
    killed: list[int] = []

    def give_up() -> None:
        killed.append(process.pid)
        process.kill()

    patience = threading.Timer(seconds, give_up)
    patience.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        patience.cancel()
    assert not killed, f"it had not ended after {seconds} s: {arguments}"
