"""Which lines of a user's code break by an update: mypy reads the code with the package of both ages.

What is an error with the new package alone breaks by the update, and is joined to the change that its words and its
place name. What no type checker sees, such as a length or a pattern, is told by `changes` alone.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from generator.diagnostics import GeneratorError, counted, visible
from generator.inputs.documents import real
from generator.run import package_of

from .models import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.run import Found

    from .change import Change

PACKAGE: Final = "skills_video"
RUNTIME: Final = Path(__file__).resolve().parents[2] / "runtime"
MYPY: Final = (
    sys.executable, "-m", "mypy", "--config-file=", "--output=json", "--follow-imports=silent", "--check-untyped-defs",
    "--namespace-packages", "--explicit-package-bases",
)  # fmt: skip
"""No configuration of the code counts, so that the same errors are found everywhere."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of mypy."""

    file: str
    line: int
    column: int
    code: str
    message: str

    @property
    def essence(self) -> tuple[str, int, int, str, str]:
        """All but the type that was expected and what mypy proposes: an error that was there may show others now."""
        message = re.split("; (?:expected|did you mean|maybe)", self.message)[0]
        return (self.file, self.line, self.column, self.code, message)

    @property
    def words(self) -> frozenset[str]:
        """The names that the message quotes."""
        quoted = re.findall(r'"([^"]+)"', self.essence[-1])
        return frozenset(_plain(word) for text in quoted for word in re.split(r"[^\w-]+", text))


@dataclass(frozen=True, slots=True)
class Break:
    """A line that breaks."""

    problem: Problem
    change: Change | None
    """What causes it, where that can be told."""
    edit: str
    """What mends it, where something has another name now."""


def breaks(code: Path, old: Found, new: Found) -> list[Break]:
    """Give the lines that break, in the order of files and lines.

    Raises:
        GeneratorError: mypy is missing, or cannot read the code.
    """
    if find_spec("mypy") is None:
        raise GeneratorError(f"mypy is not installed for {sys.executable}; install it: `pip install mypy`")
    with TemporaryDirectory() as temporary:
        before, after = (_problems(code, found, Path(temporary), age) for age, found in (("old", old), ("new", new)))
    known = Counter(problem.essence for problem in before)
    causes = _Causes(old, new)
    found: list[Break] = []
    for problem in sorted(after, key=lambda problem: problem.essence):
        if known[problem.essence]:
            known[problem.essence] -= 1
        else:
            change = causes.of(problem)
            found.append(Break(problem, change, causes.edit(change)))
    return found


def as_text(found: Sequence[Break]) -> str:
    """Give the lines for a terminal, each with its cause and what mends it."""
    out: list[str] = []
    for item in found:
        problem = item.problem
        out.append(f"{problem.file}:{problem.line}:{problem.column + 1}: {problem.message}  [{problem.code}]")
        if item.change:
            place = ": ".join(filter(None, (item.change.model, item.change.path)))
            out.append(f"    {place}: {item.change.text()}  [{item.change.rule}]")
        if item.edit:
            out.append(f"    edit: {item.edit}")
    lines = {(item.problem.file, item.problem.line) for item in found}
    files = {file for file, _ in lines}
    out.append(f"Broken by this update: {counted(len(lines), 'line')} in {counted(len(files), 'file')}.")
    return "".join(f"{visible(line)}\n" for line in out)


def as_json(found: Sequence[Break]) -> str:
    """Give the lines as a JSON list."""
    rows: list[dict[str, Any]] = []
    for item in found:
        row = asdict(item.problem) | {"column": item.problem.column + 1, "edit": item.edit or None, "change": None}
        if item.change:
            row["change"] = {name: getattr(item.change, name) for name in ("model", "rule", "path")}
            row["change"]["text"] = item.change.text()
        rows.append(row)
    return json.dumps(rows, indent=2) + "\n"


def _problems(code: Path, found: Found, temporary: Path, age: str) -> list[Problem]:
    """Let mypy read the code with the package of one age."""
    package = temporary / age / PACKAGE
    package.mkdir(parents=True)
    texts, _ = package_of(found)
    for name, text in (texts | {"py.typed": ""}).items():
        (package / name).write_text(text, "utf-8")
    bases = os.pathsep.join(str(path) for path in (real(package.parent), RUNTIME, _above(code)))
    command = [*MYPY, "--", str(code)]
    given = {"MYPY_CACHE_DIR": str(temporary / "cache"), **os.environ, "MYPYPATH": bases}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=given)  # noqa: S603  # our own command
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode not in (0, 1):
        lines = [f"{row['file']}:{row['line']}: {row['message']}".replace(":-1:", ":") for row in rows]
        said = "; ".join(lines or done.stderr.strip().split("\n"))
        raise GeneratorError(f"mypy cannot read the code: {said[:500]}; correct it, or name another part of it")
    names = ("file", "line", "column", "code", "message")
    return [Problem(*(row[name] for name in names)) for row in rows if row["severity"] == "error"]


def _above(code: Path) -> Path:
    """Give the folder that code is imported from: the first one, from it on upwards, that is no package."""
    folder = code.parent
    if code.is_dir():
        folder = code
    folder = real(folder)
    return next((path for path in (folder, *folder.parents) if not (path / "__init__.py").is_file()), folder)


class _Causes:
    """The changes of an update, as errors of a type checker name them."""

    def __init__(self, old: Found, new: Found) -> None:
        models = (*new.selection.models, *old.selection.models)
        self.modules = {model.model: model.module for model in reversed(models)}
        self.changes = compare(old, new)
        self.trees: dict[str, ast.Module] = {}

    def of(self, problem: Problem) -> Change | None:
        """Give the change that a problem names best: its module, its class, its field."""
        used = self._used(problem)
        best, most = None, 0
        for change in self.changes:
            modules = self._modules(change)
            score = 0
            if modules & (used | problem.words):
                score = _closeness(change, modules, problem.words)
            if score > most:
                best, most = change, score
        return best

    def edit(self, change: Change | None) -> str:
        """Say what has another name now: for certain, or as it alone came where the other went."""
        if change is None:
            return ""
        if change.rule == "model-moved":
            return f"rename {self.modules[change.old]} to {self.modules[change.model]}"
        if change.kind == "moved":
            return f"rename {change.old} to {change.new}"
        if change.rule != "request-field-removed":
            return ""
        gone = self._fields(change, "request-field-removed")
        new = self._fields(change, "request-field-added")
        if len(gone) != 1 or len(new) != 1:
            return ""
        return f"perhaps rename {_last(change)} to {_last(new[0])}, which is new and takes the same"

    def _used(self, problem: Problem) -> set[str]:
        """Give the modules that are used where a problem is; of a file that only mypy can read, all that it names."""
        data = Path(problem.file).read_bytes()
        try:
            if problem.file not in self.trees:
                self.trees[problem.file] = ast.parse(data)
            return _modules_at(problem, self.trees[problem.file])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set(re.findall(r"\w+", data.decode("utf-8", "replace"))).intersection(self.modules.values())

    def _modules(self, change: Change) -> set[str]:
        if change.rule == "module-moved":
            return {change.old, change.new}
        ids = [change.model]
        if change.rule == "model-moved":
            ids.append(change.old)
        return {self.modules[name] for name in ids if name in self.modules}

    def _fields(self, change: Change, rule: str) -> list[Change]:
        """Give the fields that came or went in the same object, and take the same."""
        return [
            other
            for other in self.changes
            if (other.model, other.scope, other.rule) == (change.model, change.scope, rule)
            and other.place.rpartition(".")[0] == change.place.rpartition(".")[0]
            and change.old in (other.old, other.new)
        ]


def _closeness(change: Change, modules: set[str], words: frozenset[str]) -> int:
    """Tell how well the words of an error fit a change of these modules; 0 is not at all."""
    if change.rule in ("model-removed", "model-moved", "module-moved"):
        if change.breaking and modules & words:
            return 8
        return 0
    if change.about in ("class", "request-class"):
        if {change.old, change.new} & words:
            return 4
        return 0
    fields = [_plain(part) for part in re.split(r"[.\[\]*]+", change.place) if part]
    if not words & set(fields):
        return 0
    return 4 * change.breaking + 2 * (fields[-1] in words) + (change.scope in words)


def _modules_at(problem: Problem, tree: ast.Module) -> set[str]:
    """Give the modules of the package that are called where a problem is, else those that the file imports."""
    stands_for: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            stands_for |= {item.asname: item.name for item in node.names if item.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            stands_for |= {item.asname or item.name: f"{node.module}.{item.name}" for item in node.names}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _holds(node, problem)]
    for call in reversed(calls):
        first, dot, rest = ast.unparse(call.func).partition(".")
        if module := _module(stands_for.get(first, first) + dot + rest):
            return {module}
    return {module for name in stands_for.values() if (module := _module(name))}


def _module(dotted: str) -> str:
    """Give the module of the package that a dotted name is in; nothing for what is none."""
    top, _, rest = dotted.partition(".")
    if top != PACKAGE:
        return ""
    return rest.partition(".")[0]


def _holds(node: ast.Call, problem: Problem) -> bool:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset) <= (problem.line, problem.column) <= end


def _last(change: Change) -> str:
    return change.place.rpartition(".")[2]


def _plain(name: str) -> str:
    """Give a name as it is both on the wire and in Python."""
    return re.sub(r"\W", "_", name).strip("_")
