"""Commands and programs without the start of Python: each is a process forked from one that has imported the library.

Such a process is a real one: its arguments, environment, folder, standard streams and signals are its own, and it ends
as any other does. Only its modules were imported before. Whatever may rest on how Python starts is run by a new Python:
another package, another search path, and each name of the environment that is not known to be read later than that.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from skills_video_runtime.http import environment
from tests.support import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "skills_video"]
PROGRAM = [sys.executable, "-c"]
READ_LATE = ("SKILLS_VIDEO_", "COMP_", "NO_COLOR", "COLUMNS", "HOME", "XDG_")
OPTIONS = {"env", "cwd", "encoding", "input", "stdin"}
PACKAGES = {"": (), "mcp": ("skills_video_runtime.agents",)}
"""What a command needs that takes long to import and that others do without."""
NEEDED = (
    "skills_video.capabilities",
    "skills_video.catalog",
    "skills_video_runtime.http.exchange",
    "skills_video_runtime.http.session",
    "certifi",
    "encodings.idna",
    "httpcore",
    "rich.progress",
)
"""What a command imports on its way. httpcore imports trio, which takes longer than a whole command does then."""
NUMBER = struct.Struct("i")


def finished(
    arguments: Sequence[object], *, seconds: float = children.PATIENCE, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Do what `children.finished` does, by a fork where that makes no difference."""
    if not _can_be_forked(arguments, options):
        return children.finished(arguments, seconds=seconds, **options)
    given = options.pop("input", None)
    with started(arguments, seconds=seconds, **{**options, "stdin": subprocess.PIPE}) as process:
        out, err = process.communicate(given)
    if process.is_late:
        raise subprocess.TimeoutExpired(process.args, seconds, out, err)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextlib.contextmanager
def started(arguments: Sequence[object], *, seconds: float = children.PATIENCE, **options: Any) -> Iterator[Any]:
    """Do what `children.started` does, by a fork where that makes no difference."""
    if not _can_be_forked(arguments, options):
        with children.started(arguments, seconds=seconds, **options) as process:
            yield process
        return
    forked = Forked([str(word) for word in arguments], **options)
    patience = threading.Timer(seconds, forked.run_out)
    patience.start()
    try:
        yield forked
    finally:
        patience.cancel()
        forked.close()


def _can_be_forked(arguments: Sequence[object], options: dict[str, Any]) -> bool:
    usual, given = children.environment(), options.get("env", {})
    differing = {name for name in {*usual, *given} if usual.get(name) != given.get(name)}
    return (
        sys.platform != "win32"
        and (list(arguments[:3]) == COMMAND or list(arguments[:2]) == PROGRAM)
        and options.keys() <= OPTIONS
        and all(name.startswith(READ_LATE) for name in differing)
    )


class Forked:
    """What tests use of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: list[str],
        *,
        env: dict[str, str],
        cwd: Path | None = None,
        stdin: int | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.args, self.returncode, self.is_late = arguments, None, False
        job = {"arguments": arguments[1:], "environment": env, "folder": str(Path(cwd or "").absolute())}
        with contextlib.ExitStack() as handed:
            given, self.stdin = 0, None
            if stdin == subprocess.PIPE:
                given, ours = os.pipe()
                handed.callback(os.close, given)
                self.stdin = os.fdopen(ours, "w", encoding=encoding)
            ours, out = os.pipe()
            handed.callback(os.close, out)
            self.stdout = os.fdopen(ours, encoding=encoding)
            ours, err = os.pipe()
            handed.callback(os.close, err)
            self.stderr = os.fdopen(ours, encoding=encoding)
            self._told, other = socket.socketpair()
            handed.enter_context(other)
            forker = _forker("mcp" if "mcp" in arguments[3:4] else "")
            socket.send_fds(forker.requests, [b"."], [given, out, err, other.fileno()])
        self._told.sendall(f"{json.dumps(job)}\n".encode())
        self.pid = self._number()

    def _number(self) -> int:
        (number,) = NUMBER.unpack(self._told.recv(NUMBER.size, socket.MSG_WAITALL))
        return int(number)

    def poll(self) -> int | None:
        """Give the exit code, once it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float = children.PATIENCE) -> int:
        """Give the exit code when it has ended."""
        if self.returncode is None:
            if not wait([self._told], timeout):
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = os.waitstatus_to_exitcode(self._number())
        return self.returncode

    def communicate(self, text: str | None = None) -> tuple[str, str]:
        """Send a text, and give all that is still written."""
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.append(self.stderr.read()))
        reader.start()
        if self.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.stdin:
                self.stdin.write(text or "")
        out = self.stdout.read()
        reader.join()
        self.wait()
        return out, said[0]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def run_out(self) -> None:
        """Kill it, as its time is over."""
        self.is_late = True
        self.kill()

    def close(self) -> None:
        """Kill it if it still runs."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr, self._told):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


class Forker:
    """The process that forks the others. It ends, and so do they, when this one has."""

    def __init__(self, extra: str) -> None:
        self.requests, other = socket.socketpair()
        command = [sys.executable, "-c", f"from tests.support import warm; warm.fork_for_others({extra!r})"]
        with other, children.hearing():  # out of the reach of Ctrl-C in a terminal
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=children.environment(),
                stdin=other,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        atexit.register(self.end)

    def end(self) -> None:
        self.requests.close()
        self.process.wait()


_forker = cache(Forker)


def fork_for_others(extra: str) -> None:
    """Fork a process for each request on the socket that is standard input, and tell how each ends."""
    for package in ("skills_video_runtime.cli", "skills_video_runtime.batch", *PACKAGES[extra]):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    for name in NEEDED:
        importlib.import_module(name)
    environment.tls()  # which those keep that are forked
    gc.collect()
    gc.freeze()
    with contextlib.ExitStack() as opened:
        job = _job(*(opened.enter_context(each) for each in (socket.socket(fileno=os.dup(0)), *socket.socketpair())))
    if job is None:
        return
    kind, what, *given = job["arguments"]
    sys.argv = [kind, *given]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), vars(main))


def _job(requests: socket.socket, woken: socket.socket, waking: socket.socket) -> dict[str, Any] | None:
    """Give, in a process that was forked, what it is to do; in this one None, when no more is asked."""
    waking.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno())
    asking: dict[int, socket.socket] = {}
    while True:
        ready = wait([requests, woken])
        if woken in ready:
            woken.recv(4096)
            _tell_ends(asking)
        if requests not in ready:
            continue
        _, handles, _, _ = socket.recv_fds(requests, 1, 4)
        if not handles:
            for pid in asking:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return None
        *streams, handle = handles
        asked = socket.socket(fileno=handle)
        with asked.makefile() as file:
            job = json.loads(file.readline())
        pid = os.fork()
        if pid == 0:
            for each in (requests, woken, waking, asked, *asking.values()):
                each.detach()
            _become(job, streams)
            return dict(job)
        asked.sendall(NUMBER.pack(pid))
        asking[pid] = asked
        for stream in streams:
            os.close(stream)


def _tell_ends(asking: dict[int, socket.socket]) -> None:
    while asking:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with asking.pop(pid) as asked, contextlib.suppress(OSError):
            asked.sendall(NUMBER.pack(status))


def _become(job: dict[str, Any], streams: list[int]) -> None:
    """Be as a new Python is that has imported the library."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 2**16)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.path[0] = job["folder"]
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
