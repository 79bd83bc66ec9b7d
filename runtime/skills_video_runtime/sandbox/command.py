"""The sandbox on the command line."""

from __future__ import annotations

import argparse
import math
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from skills_video_runtime.sandbox.description import DescriptionError
from skills_video_runtime.sandbox.faults import table

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None, program: str = "python -m skills_video sandbox") -> int:
    """Run the sandbox until it is told to end.

    Args:
        argv: Arguments without the program's name; None for those of the process.
        program: What it is called in its help.

    Returns:
        Exit status: 0 after SIGINT or SIGTERM, 1 when it cannot run.

    Raises:
        SystemExit: The arguments are wrong (1), or help was asked for (0).
    """
    options = vars(_parser(program).parse_args(argv))
    options["headers"] = dict(options["headers"])
    options["plan"] = [step.strip() for plan in options["plan"] for step in plan.split(";")]
    try:
        from skills_video_runtime.sandbox.server import serve  # noqa: PLC0415  # needs the extra
    except ModuleNotFoundError as error:
        return _failed(missing(error))
    try:
        serve(**options, announce=_announce)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        return _failed(f"cannot listen on {options['host']} port {options['port']}: {reason}")
    except (DescriptionError, ValueError) as error:
        return _failed(str(error))
    return 0


def _announce(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201  # what the command is for
    except OSError as error:
        raise ValueError(f"standard output cannot be written: {error.strerror}") from error


def missing(error: ModuleNotFoundError) -> str:
    """What is said where a package of the extra is missing."""
    return (
        "The sandbox needs packages that are not installed: pip install 'skills-video[sandbox]' "
        f"({error.name} is missing)"
    )


def _failed(reason: str) -> int:
    sys.stderr.write(f"sandbox: {reason}\n")
    return 1


class _Parser(argparse.ArgumentParser):
    """argparse's, which tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(1, f"sandbox: {message}; --help tells the options\n")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program,
        description="A local stand-in for the skills.video platform. It makes nothing and costs nothing.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"faults:\n{table()}",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=4912, help="port to listen on, 0 for a free one (4912)")
    parser.add_argument("--speed", type=_amount, default=50.0, help="sandbox seconds in one second (50)")
    parser.add_argument("--openapi", type=Path, metavar="FILE", help="OpenAPI description (the package's own)")
    parser.add_argument("--credits", type=_amount, default=100_000.0, help="credits to begin with (100000)")
    parser.add_argument("--api-key", default="sandbox-key", metavar="KEY", help="the key to accept (sandbox-key)")
    parser.add_argument("--at-once", type=int, metavar="N", help="generations that are worked on at once (all)")
    parser.add_argument(
        "--when-full", choices=("queue", "429"), default="queue", help="what more than these get: a place, or 429"
    )
    parser.add_argument(
        "--header",
        dest="headers",
        action="append",
        type=_header,
        default=[],
        metavar="NAME:VALUE",
        help="of each answer",
    )
    parser.add_argument("--webhook", metavar="URL", help="where webhooks go, https or loopback")
    parser.add_argument("--webhook-secret", metavar="SECRET", help="what they are signed with (it is told)")
    parser.add_argument(
        "--fault",
        dest="plan",
        action="append",
        default=[],
        metavar="PLAN",
        help="faults of the create requests to come, one step per request, divided by ';': 'drop-after;;429:1', or "
        "'every 10 drop-after-id'; may be repeated",
    )
    return parser


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 0 to 65535")
    return int(text)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:VALUE")
    return name.strip(), value.strip()


def _amount(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not 0 or more and finite")
