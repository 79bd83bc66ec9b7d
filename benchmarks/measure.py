"""Runs programs in turn (ours, peer, ours, peer, …), each in a process of its own, and keeps what each run took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOOK = 0.04  # seconds between two looks at the memory of a run
LONGEST = 900.0
"""Seconds after which a run is ended; the longest honest one takes about half of it."""


class RunError(Exception):
    """A program failed, or took longer than `LONGEST`."""


@dataclass(frozen=True)
class Contender:
    """One of those that are compared: its name in the table, and how it is started."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    tells: bool = False
    """It measures itself, and prints the figures as one line of JSON; else the process as a whole is measured."""
    before: Callable[[], object] = bool
    """What is done before each run, and not measured."""


@dataclass(frozen=True)
class Samples:
    """What one figure of a contender came to, run by run."""

    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile; with fewer than four runs the least and the most."""
        if len(self.values) < 4:
            return min(self.values), max(self.values)
        first, _, third = quantiles(self.values, n=4, method="inclusive")
        return first, third


def alternate(contenders: Sequence[Contender], rounds: int, *, warm: bool = True) -> dict[str, dict[str, Samples]]:
    """Run the contenders in turn and give the samples, by contender and figure.

    Figures of a process as a whole, what it starts included: `wall` and `cpu` in seconds; in MiB the most `memory` that
    all together had, and the most that the `largest` alone had. With `warm` a round goes before, so that caches are
    filled, and does not count.

    Raises:
        RunError: a run failed or took too long.
    """
    found: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in contenders}
    for number in range(-1 if warm else 0, rounds):
        for contender in contenders:
            figures = run(contender)
            for name, value in figures.items() if number >= 0 else ():
                found[contender.name].setdefault(name, []).append(value)
    return {
        name: {figure: Samples(name, tuple(values)) for figure, values in figures.items()}
        for name, figures in found.items()
    }


def run(contender: Contender) -> dict[str, float]:
    """Run a contender once, and give its figures."""
    contender.before()
    environment = {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1", **contender.environment}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, contender.command)),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complaints,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        watch = Watch(process.pid, 1.0 if contender.tells else LOOK)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
        finally:
            watch.end()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            text = complaints.read().decode(errors="replace").strip()[-1500:]
            raise RunError(f"{contender.name} ended with {process.returncode} after {wall:.1f} s: {text}")
        if contender.tells:
            said.seek(0)
            figures: dict[str, float] = json.loads(said.read().decode().splitlines()[-1])
            return figures
        largest = usage.ru_maxrss / 1024
        memory = max(largest, watch.peak / 2**20)
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "largest": largest, "memory": memory}


class Watch(Thread):
    """Looks at a process and all that it starts, its session: their memory, and whether they take too long."""

    def __init__(self, pid: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.pause = pause
        self.peak = 0
        """The most bytes that the resident sets came to, as often as was looked (Linux)."""
        self.over = Event()

    def run(self) -> None:
        """Look until it is over."""
        last = time.monotonic() + LONGEST
        while not self.over.wait(self.pause):
            if time.monotonic() > last:
                self._kill()
                return
            pages = sum(int(stat[21]) for stat in self._processes())
            self.peak = max(self.peak, pages * os.sysconf("SC_PAGE_SIZE"))

    def end(self) -> None:
        """Stop looking, and end what is still there of the session."""
        self.over.set()
        self.join()
        self._kill()

    def _kill(self) -> None:
        for stat in self._processes():
            with suppress(ProcessLookupError):
                os.kill(int(stat[-1]), signal.SIGKILL)

    def _processes(self) -> Iterator[list[str]]:
        """Give what `/proc/PID/stat` says from the third field on (proc(5)), and the id, of each that is alive."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                stat = path.read_text("latin-1").rpartition(")")[2].split()
                if int(stat[3]) == self.pid and stat[0] != "Z":
                    yield [*stat, path.parent.name]
