"""`skills-video mcp`: serves the tools on standard input and output, or by HTTP to this machine alone."""

from __future__ import annotations

import argparse
import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from socket import create_server, socket
from typing import TYPE_CHECKING, NoReturn

import anyio

from skills_video_runtime.catalog import ModelInfo, Models
from skills_video_runtime.cli.catalog import Catalog
from skills_video_runtime.cli.output import UsageProblem, complain
from skills_video_runtime.cli.signals import heard
from skills_video_runtime.client import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = "The MCP server needs packages that are not installed: pip install 'skills-video[mcp]'"
LONGEST_WAIT = 50.0  # seconds: hosts give a call up after 60


class _Parser(argparse.ArgumentParser):
    """argparse's, which tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageProblem(f"{message}. See: skills-video mcp --help")


def main(models: Sequence[ModelInfo], package: str, arguments: Sequence[str]) -> int:
    """Serve until the client leaves or a signal comes, and give the exit code.

    Raises:
        UsageProblem: The arguments are wrong, a package is missing, or standard input or output is.
        SkillsVideoError: There is no key, or the journal cannot be used.
    """
    options = vars(_parser().parse_args(arguments))
    catalog, named, port = Catalog(models, package), options.pop("models"), options.pop("http")
    if named:
        catalog = Catalog(Models(catalog.find(name) for name in named.split(",")), package)
    options["journal"] = _journal(options["journal"])
    if options["directory"] is not None:
        options["directory"] = _folder(options["directory"])
    if port is None and (sys.stdin is None or sys.stdout is None):
        raise UsageProblem("a client speaks by standard input and output, and one is closed; --http PORT needs neither")
    try:
        from . import server  # noqa: PLC0415  # needs the extra `mcp`
        from .desk import Choices, Desk  # noqa: PLC0415  # as above
    except ModuleNotFoundError as error:
        raise UsageProblem(f"{MISSING} ({error.name} is missing)") from error
    choices, listener = Choices(**options), None
    if port is not None:
        listener = _listening(port)

    async def serve() -> None:
        client = AsyncClient(poll_interval=choices.poll_interval)
        async with anyio.create_task_group() as until:
            until.start_soon(_end_at_a_signal)
            async with client, anyio.create_task_group() as group:
                made = server.server_of(Desk(catalog, choices, client, group))
                if listener is None:
                    await made.run_stdio_async()
                else:
                    await server.serve_http(made, listener)
            until.cancel_scope.cancel()

    anyio.run(serve)
    return 0


def _listening(port: int) -> socket:
    try:
        return create_server(("127.0.0.1", port))
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageProblem(f"cannot listen on 127.0.0.1 port {port}: {reason}") from error


async def _end_at_a_signal() -> None:
    """End the process, as a thread that reads standard input ends in no other way. The journal has what was begun."""
    with suppress(NotImplementedError), anyio.open_signal_receiver(*heard()) as signals:  # which Windows has not
        async for number in signals:
            complain("interrupted")
            sys.stderr.flush()
            os._exit(128 + number)


def default_journal() -> Path:
    """Give the place of the journal, where none is named: where the system keeps what programs remember."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "skills-video" / "agents.db"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "skills-video" / "agents.db"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="skills-video mcp", description="Serve the models to agents, by the Model Context Protocol.")
    parser.add_argument(
        "--journal",
        metavar="FILE",
        default=default_journal(),
        help="records what is made (%(default)s); a file, or postgresql://… for many machines",
    )
    parser.add_argument(
        "--directory", type=Path, metavar="DIR", help="files are saved here, and taken from here; without it, neither"
    )
    parser.add_argument(
        "--max-credits", type=_amount, metavar="N", help="what this server may spend while it runs; a hard stop"
    )
    parser.add_argument(
        "--confirm", type=_confirm, metavar="WHEN", default="never",
        help="ask a person before a video is made: always, never (the default), or over:N credits and where unknown",
    )  # fmt: skip
    parser.add_argument("--models", metavar="MODEL,…", help="serve these alone")
    parser.add_argument("--http", type=_port, metavar="PORT", help="serve http://127.0.0.1:PORT/mcp, 0 for a free port")
    parser.add_argument(
        "--wait", type=_wait, metavar="SECONDS", default=45.0, help="how long generate waits for the end (45)"
    )
    parser.add_argument(
        "--poll-interval", type=_amount, metavar="SECONDS", default=3.0, help="time between two looks (3)"
    )
    return parser


def _journal(given: str | Path) -> str | Path:
    if "://" in str(given):
        return given
    path = Path(given)
    return _folder(path.parent) / path.name


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def _amount(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def _wait(text: str) -> float:
    return min(_amount(text), LONGEST_WAIT)


def _port(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (number := int(text)) < 2**16:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not from 0 to 65535")


def _confirm(text: str) -> str:
    if text not in {"always", "never"}:
        name, _, amount = text.partition(":")
        if name != "over":
            raise argparse.ArgumentTypeError(f"{text!r} is not always, never or over:N")
        _amount(amount)
    return text
