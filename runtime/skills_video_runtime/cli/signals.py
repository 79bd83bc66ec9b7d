"""Signals that end a command: what it leaves is told before it goes."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
PATIENCE = 0.5  # seconds for which a second signal does not cut short what is said about the first: our choice


class Stopped(BaseException):
    """A signal has asked the command to end. Unlike KeyboardInterrupt, no library takes it for its own.

    The exit code is 128 and the number of the signal, as shells have it.
    """

    category = "interrupted"

    def __init__(self, number: int) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + number


def heard() -> list[signal.Signals]:
    """Give the signals that end a command, but for those that the process was told to ignore, as by nohup."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def heeded() -> Generator[None]:
    """Raise `Stopped` at the first signal; one that comes long after it ends the process at once.

    Once a signal was heeded, the end of the process is left in peace.
    """
    first: list[float] = []

    def stop(number: int, _frame: object) -> None:
        if not first:
            first.append(monotonic())
            raise Stopped(number)
        if monotonic() - first[0] > PATIENCE:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in heard()}
    try:
        with _waits_interrupted():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if first else handler)


@contextmanager
def _waits_interrupted() -> Generator[None]:
    """Interrupt each wait once a second; it then goes on.

    Python handles a signal between two of its instructions. One that comes just as a wait begins would be heard when
    that ends, which may be minutes later.
    """
    if not hasattr(signal, "SIGALRM"):  # Windows interrupts no wait
        yield
        return
    before = signal.signal(signal.SIGALRM, _go_on)
    timer = signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)  # of a program that calls the command line


def _go_on(_number: int, _frame: object) -> None:
    """Do nothing."""
