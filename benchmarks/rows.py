"""What is measured, row by row, and the goals: ratios of medians, or by how much more ours is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from . import synthetic
from .measure import ROOT, Contender, Samples, alternate
from .peers import OURS, bin_of, python_of, version_of
from .results import Line, compared, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

HERE = Path(__file__).resolve().parent
OPC, DCG = "openapi-python-client", "datamodel-code-generator"
KLING = "from skills_video import kling_v2_6"


class Row(NamedTuple):
    """A row: how it is measured, in words and as a function."""

    about: str
    measure: Callable[[], Iterable[Line]]


@dataclass(frozen=True)
class Figure:
    """A figure that programs tell: what it is, its unit, and the goal."""

    key: str
    words: str
    unit: str
    goal: float
    difference: bool = False
    """The goal is about how much more ours is, not how many times."""


def _generators(work: Path, description: Path, bare: Path) -> list[Contender]:
    """Give the three generators, each of which writes a package that is not there yet."""
    scripts = {name: bin_of(name) for name in (OURS, OPC, DCG)}
    out = work / "out"

    def empty() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()

    models: tuple[str | Path, ...] = (
        "--output",
        out / "models.py",
        "--output-model-type",
        "pydantic_v2.BaseModel",
        "--disable-timestamp",
    )
    client = ("--generate-client", "httpx2", "--client-output", out / "client", "--client-package", "client")
    scope = ("--input-file-type", "openapi", "--openapi-scopes", "api", "--client-model-package", "models")
    return [
        Contender(
            OURS,
            [scripts[OURS] / "python", "-m", "generator", "generate", "--openapi", description, "--out", out],
            before=empty,
        ),
        Contender(
            OPC,
            [scripts[OPC] / OPC, "generate", "--path", description, "--output-path", out, "--overwrite"],
            {"PATH": f"{scripts[OPC]}:/usr/bin:/bin"},
            before=empty,
        ),
        Contender(
            DCG,
            [scripts[DCG] / "datamodel-codegen", "--input", bare, *scope, *models, *client, "--formatters", "builtin"],
            before=empty,
        ),
    ]


def _compare(samples: dict[str, dict[str, Samples]], figures: Sequence[Figure]) -> list[Line]:
    """Compare ours with the best of the others, figure by figure."""
    ours, *peers = samples.values()
    return [
        compared(
            figure.words,
            ours[figure.key],
            [peer[figure.key] for peer in peers],
            figure.goal,
            unit=figure.unit,
            difference=figure.difference,
        )
        for figure in figures
    ]


def generate() -> list[Line]:
    """The 31 models of `specs/`."""
    with TemporaryDirectory() as folder:
        work = Path(folder)
        bare = work / "json-only.json"
        description = ROOT / "specs" / "openapi.json"
        bare.write_text(json.dumps(synthetic.without_forms(json.loads(description.read_text("utf-8")))))
        samples = alternate(_generators(work, description, bare), 7)
    return _compare(samples, [Figure("wall", "time", "s", 0.7), *_memory()])


def _memory(prefix: str = "") -> list[Figure]:
    words = {"memory": "memory, all processes", "largest": "memory, largest process"}
    return [Figure(key, prefix + text, "MiB", 0.7) for key, text in words.items()]


def unchanged() -> list[Line]:
    """The same again, with nothing to do."""
    python = python_of(OURS)
    with TemporaryDirectory() as folder:
        command: list[str | Path] = [python, "-m", "generator", "generate", "--out", Path(folder) / "out"]
        samples = alternate([Contender(OURS, command), Contender("python -c pass", [python, "-c", "pass"])], 25)
    return _compare(samples, [Figure("wall", "time", "s", 4.0)])


def growth() -> Iterator[Line]:
    """40, 400 and 2,000 models."""
    ours: dict[int, float] = {}
    for models, rounds in ((40, 3), (400, 2), (2000, 2)):
        with TemporaryDirectory() as folder:
            work = Path(folder)
            synthetic.write(work, models)
            generators = _generators(work, work / "openapi.json", work / "json-only.json")
            samples = alternate(generators, rounds, warm=models < 100)
        ours[models] = samples[OURS]["wall"].median
        goal = 0.5 if models == 2000 else 0.7
        yield from _compare(
            samples, [Figure("wall", f"{models} models, time", "s", goal), *_memory(f"{models} models, ")]
        )
    later, sooner = (ours[2000] - ours[400]) / 1600, (ours[400] - ours[40]) / 360
    values = [Samples(name, (value * 1000,)) for name, value in (("from 400 on", later), ("from 40 on", sooner))]
    yield compared("time that one more model takes", values[0], values[1:], 1.1, unit="ms")


def imports() -> list[Line]:
    """`import skills_video` and one model."""
    python = python_of(OURS)
    peers = {"openai": "openai", "runwayml": "runwayml", "fal-client": "fal_client"}
    contenders = [
        Contender(OURS, [python, "-c", f"import skills_video; {KLING}"]),
        Contender("dataclasses, typing", [python, "-c", "import dataclasses, typing"]),
        *(Contender(name, [python_of(name), "-c", f"import {module}"]) for name, module in peers.items()),
    ]
    samples = alternate(contenders, 15)
    ours, bare, *others = [
        Samples(name, tuple(value * 1000 for value in found["wall"].values)) for name, found in samples.items()
    ]
    lines = [compared("more than bare Python", ours, [bare], 15.0, unit="ms", difference=True)]
    lines += [compared(f"beside {other.name}", ours, [_versioned(other)], None, unit="ms") for other in others]
    seek = f"import sys, skills_video; {KLING}; sys.exit('httpx' in sys.modules)"
    clean = subprocess.run([python, "-c", seek], check=False, cwd=ROOT).returncode == 0
    lines.append(told("httpx imported", "no" if clean else "yes", goal="no", met=clean))
    return lines


def _versioned(samples: Samples) -> Samples:
    return Samples(f"{samples.name} {version_of(samples.name)}", samples.values)


def journal() -> list[Line]:
    """Open a long journal."""
    program, python = HERE / "programs" / "journal.py", python_of(OURS)
    with TemporaryDirectory() as folder:
        contenders = [
            Contender(name, [python, program, Path(folder) / str(size), str(size)], tells=True)
            for name, size in ((OURS, 100_000), ("an empty journal", 0))
        ]
        samples = alternate(contenders, 9)
    return _compare(samples, [Figure("wall", "time", "ms", 50.0, difference=True)])


def batch() -> list[Line]:
    """Make the videos of a file of 10,000 rows, in the environment that has the sandbox."""
    program = HERE / "programs" / "batch.py"
    contenders = [
        Contender(name, [sys.executable, program, name, "10000"], tells=True) for name in (OURS, "plain threads")
    ]
    samples = alternate(contenders, 1, warm=False)
    figures = [
        Figure("wall", "10,000 rows", "s", 1.3),
        Figure("cpu", "10,000 rows, CPU", "s", 1.3),
        Figure("growth", "memory, second half", "MiB", 20.0, difference=True),
    ]
    return _compare(samples, figures)


def payload() -> list[Line]:
    """Build, check, JSON."""
    program = HERE / "programs" / "payload.py"
    pythons = {OURS: python_of(OURS), "by-hand": python_of(OURS), "pydantic": python_of("pydantic")}
    contenders = [Contender(who, [python, program, who, "-"], tells=True) for who, python in pythons.items()]
    samples = alternate(contenders, 9)
    ours, by_hand, pydantic = [found["all"] for found in samples.values()]
    return [
        compared("against a dataclass by hand", ours, [by_hand], 2.0, unit="µs"),
        compared("against pydantic", ours, [_versioned(pydantic)], 1.5, unit="µs"),
    ]


def _programs(name: str, figures: Sequence[Figure], *more: str, rounds: int = 9) -> Callable[[], list[Line]]:
    """Make a row of a program that is run by ours and by bare httpx, in turn, against a server of its own."""

    def measure() -> list[Line]:
        python, program = python_of(OURS), HERE / "programs" / f"{name}.py"
        with _server() as address:
            start: list[str | Path] = [python, program]
            contenders = [Contender(who, [*start, who, address, *more], tells=True) for who in (OURS, "bare httpx")]
            samples = alternate(contenders, rounds, warm=rounds > 4)
        return _compare(samples, figures)

    return measure


@contextmanager
def _server() -> Iterator[str]:
    """Run the loopback server, and give its address."""
    command = [python_of(OURS), HERE / "server.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{int(next(iter(server.stdout or ())))}"
        finally:
            server.kill()


def command_line() -> list[Line]:
    """`skills-video --help` and `models`."""
    ours = bin_of(OURS) / "skills-video"
    if not ours.is_file():
        return [told("skills-video --help, models", "there is no such command yet", goal="at most 1", met=None)]
    peers = [Contender(f"{name} --help", [bin_of(name) / name, "--help"]) for name in ("httpx", "fal")]
    lines: list[Line] = []
    for arguments in (["--help"], ["models"]):
        samples = alternate([Contender(OURS, [ours, *arguments]), *peers], 9)
        lines += _compare(samples, [Figure("wall", f"skills-video {arguments[0]}", "s", 1.0)])
    return lines


ROWS = {
    "generate": Row(
        "Whole process, 31 models of `specs/`, into an empty folder. openapi-python-client with its own settings, "
        "formatted by its ruff. datamodel-code-generator: `--generate-client httpx2` with pydantic models and its fast "
        "built-in formatter, on a copy without multipart bodies, as it refuses forms that are unions. The peers "
        "generate all operations of the file, images too, of which there are few. Memory: the most that the "
        "resident sets of all processes came to together, looked at every 40 ms, and the most of the largest one.",
        generate,
    ),
    "unchanged": Row("Whole process of `generate` when nothing has changed since the last one.", unchanged),
    "growth": Row(
        "As `generate`, with synthetic models like those of the platform, one in eight with nested objects. Growth is "
        "the time per further model from 400 to 2,000 over that from 40 to 400, which a linear run has at 1.",
        growth,
    ),
    "import": Row(
        "Whole process: `import skills_video` and one model's module, less a process that imports dataclasses and "
        "typing. The other libraries are imported, no more.",
        imports,
    ),
    "first-byte": Row(
        "From before a client is made until the server has the first byte: the first client of a process, with the "
        "import of httpx on both sides, and that of skills_video (a row of its own) too in the second line; and the "
        "second client.",
        _programs(
            "first_byte",
            [
                Figure("first", "first client", "ms", 1.1),
                Figure("all", "first client and imports", "ms", 1.1),
                Figure("second", "second client", "ms", 1.1),
            ],
            rounds=11,
        ),
    ),
    "payload": Row(
        "Keyword arguments to JSON text, mean of payloads of three models. The dataclass checks the same, written by "
        "hand; pydantic has models with the same fields, not strict, and leaves out what was not set.",
        payload,
    ),
    "stream": Row(
        "One generation with a payload made before: post, three states, each parsed, end. One client, whose connection "
        "is used again; the peer posts the same body and does no more than parse.",
        _programs("stream", [Figure("wall", "wall", "ms", 1.15), Figure("cpu", "CPU", "ms", 1.15)]),
    ),
    "reader": Row(
        "100,000 events of one stream from memory, through httpx and httpx-sse on both sides: `client.stream` beside "
        "`EventSource.iter_sse` with `json.loads`. CPU.",
        _programs(
            "reader",
            [Figure("event", "an event in a chunk", "s", 1.3), Figure("large", "chunks of 64 KiB", "s", 1.3)],
        ),
    ),
    "poll": Row(
        "`client.get(id)` beside `httpx.Client.get` and `json.loads`, on a connection that is there.",
        _programs("poll", [Figure("wall", "wall", "ms", 1.15), Figure("cpu", "CPU", "ms", 1.15)]),
    ),
    "last-event": Row(
        "From before the server writes the last event until the caller has the generation; states 5 ms apart. The peer "
        "leaves the stream with that event. The server ends the stream at once, or 100 ms later.",
        _programs(
            "last_event",
            [
                Figure("paced", "stream ended at once", "ms", 0.5, difference=True),
                Figure("late", "stream left open", "ms", 0.5, difference=True),
            ],
        ),
    ),
    "idle": Row(
        "1,000 streams of one client in one asyncio process, each with its first state and then silence for 2 s. "
        "Memory: growth of the resident set. CPU: from before the first is opened until all have ended.",
        _programs(
            "streams",
            [Figure("memory", "memory each", "KiB", 1.15), Figure("cpu", "CPU", "s", 1.15)],
            "1000",
            "2",
            rounds=4,
        ),
    ),
    "open": Row(
        "5,000 streams of one client in one asyncio process, from the first until all have their first state; beside "
        "one `httpx.AsyncClient` without a limit of connections.",
        _programs("streams", [Figure("opening", "wall", "s", 0.35)], "5000", "0", rounds=2),
    ),
    "journal": Row(
        "A new client opens a journal of 100,000 records that are over and looks for what is not; beside an empty one.",
        journal,
    ),
    "batch": Row(
        "`Batch.run` of 10,000 rows against a sandbox, 32 at once, each with its file; beside threads that generate "
        "and download the same, and record nothing. Memory: growth of the resident set over the second half.",
        batch,
    ),
    "cli": Row("Whole process, beside the faster of `httpx --help` and `fal --help`.", command_line),
}
