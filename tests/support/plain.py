"""Counts what makes code slow to read, and follows its imports. Everything takes a folder, so that it can be tested."""

from __future__ import annotations

import ast
import graphlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEYS = {"key", "default_factory"}
"""Arguments for which a lambda may be given: what to sort by, and what to begin with."""

KNOWN = {"_asdict", "_exit", "_fields", "_getframe", "_make", "_replace"}
"""Names that begin as private ones do, and are public."""


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file, and what stands there."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Import:
    """An import of a module, or of a name in it; `at_run_time` leaves out what only type checkers read."""

    importer: str
    target: str
    at_run_time: bool
    place: Place


def parsed(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Give every module of a package, or below a folder, with its path from the folder's parent."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder.parent).as_posix(), _tree(path.read_text("utf-8"))


_tree = cache(ast.parse)  # of a text, which many tests read


def lines(*files: Path) -> int:
    """Count all lines of files, and of whatever modules are below folders."""
    modules = [path for file in files for path in ([file] if file.suffix else file.rglob("*.py"))]
    return sum(len(path.read_text("utf-8").splitlines()) for path in modules)


def conditional_expressions(folder: Path) -> list[Place]:
    """Find each `a if b else c`."""
    return [
        Place(file, node.lineno, ast.unparse(node))
        for file, tree in parsed(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp)
    ]


def nested_conditional_expressions(folder: Path) -> list[Place]:
    """Find each conditional expression that has another one within it."""
    return [
        Place(file, node.lineno, ast.unparse(node))
        for file, tree in parsed(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp) and sum(isinstance(part, ast.IfExp) for part in ast.walk(node)) > 1
    ]


def clever_lambdas(folder: Path) -> list[Place]:
    """Find each lambda that is not given as what to sort by, or to begin with."""
    found = []
    for file, tree in parsed(folder):
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in KEYS}
        lambdas = (node for node in ast.walk(tree) if isinstance(node, ast.Lambda))
        found += [Place(file, node.lineno, ast.unparse(node)) for node in lambdas if id(node) not in plain]
    return found


def imports(folder: Path) -> list[Import]:
    """Find each import of a package, in functions as well."""
    return [found for file, tree in parsed(folder) for found in _imports_of(file, tree)]


@cache
def _imports_of(file: str, tree: ast.Module) -> list[Import]:
    return list(_imports(file, tree, at_run_time=True))


def _imports(file: str, node: ast.AST, *, at_run_time: bool) -> Iterator[Import]:
    importer = _module(file)
    if isinstance(node, ast.Import | ast.ImportFrom):
        place = Place(file, node.lineno, ast.unparse(node))
        for target in _targets(importer, file.endswith("__init__.py"), node):
            yield Import(importer, target, at_run_time, place)
    if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        for part in node.body:
            yield from _imports(file, part, at_run_time=False)
        for part in node.orelse:
            yield from _imports(file, part, at_run_time=at_run_time)
        return
    for part in ast.iter_child_nodes(node):
        yield from _imports(file, part, at_run_time=at_run_time)


def _targets(importer: str, is_package: bool, node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    parents = importer.split(".")
    if node.level:
        parents = parents[: len(parents) - node.level + is_package]
        module = ".".join([*parents, *([node.module] if node.module else [])])
    else:
        module = node.module or ""
    return [f"{module}.{alias.name}" for alias in node.names]


def graph(*packages: Path) -> dict[str, set[str]]:
    """Give the modules of packages with those that each loads at run time, packages that hold these among them."""
    modules: dict[str, set[str]] = {_module(file): set() for package in packages for file, _ in parsed(package)}
    for item in (item for package in packages for item in imports(package) if item.at_run_time):
        parts = item.target.split(".")
        loaded = {".".join(parts[:count]) for count in range(1, len(parts) + 1)} & modules.keys()
        modules[item.importer] |= {name for name in loaded if not f"{item.importer}.".startswith(f"{name}.")}
        exact = item.target if item.target in modules else item.target.rpartition(".")[0]
        modules[item.importer] |= {exact} & modules.keys()
    return modules


def circle(modules: dict[str, set[str]]) -> list[str]:
    """Give modules that load each other in a circle, if there are such."""
    try:
        graphlib.TopologicalSorter(modules).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])[::-1]
    return []


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(folder: Path, *packages: str) -> list[Place]:
    """Find each import of packages, also those that only type checkers read."""
    return [item.place for item in imports(folder) if item.target.partition(".")[0] in packages]


def imports_at_run_time(folder: Path, *packages: str, but: str) -> list[Place]:
    """Find each import of packages at run time, but in files whose path begins in one way."""
    return [
        item.place
        for item in imports(folder)
        if item.at_run_time and item.target.partition(".")[0] in packages and not item.place.file.startswith(but)
    ]


def upward(package: Path, floors: Sequence[Sequence[str]]) -> list[Place]:
    """Find each import at run time from a room on a higher floor, and each room that stands on none.

    The floors go down: what stands on one may import its own room, and the floors below it.
    """
    floor_of = {room: number for number, rooms in enumerate(floors) for room in rooms}
    rooms = {file: _room(_module(file), package.name) for file, _ in parsed(package)}
    found = {Place(file, 1, f"{room} is on no floor") for file, room in rooms.items() if room and room not in floor_of}
    for item in imports(package):
        importer, target = rooms[item.place.file], _room(item.target, package.name)
        is_known = importer in floor_of and target in floor_of
        if item.at_run_time and is_known and importer != target and floor_of[target] <= floor_of[importer]:
            found.add(item.place)
    return sorted(found)


def _room(module: str, package: str) -> str:
    """Name the folder or file right below a package; the package's own file is called as it is."""
    first, _, rest = module.partition(".")
    if first != package:
        return ""
    return rest.partition(".")[0] or package


def files_named(text: str) -> list[str]:
    """Give the modules that the first column of a table names, written as code."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [name for row in rows for name in re.findall(r"`([\w/.]+\.py)`", row)]


def private_names(folder: Path) -> list[Place]:
    """Find each use of a name of something else that begins with `_`, also in programs that are written as texts."""
    return [place for file, tree in parsed(folder) for place in _private(file, tree, 0)]


def _private(file: str, tree: ast.AST, before: int) -> Iterator[Place]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0) + before
        if any(map(_is_private, _names(node))):
            yield Place(file, line, ast.unparse(node))
        elif isinstance(node, ast.Constant) and "\n" in str(node.value) and "import " in str(node.value):
            yield from _private(file, _program(str(node.value)), line - 1)


def _names(node: ast.AST) -> list[str]:
    """Give the names of something else that a node reads, imports, or has replaced."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return []
        case ast.Attribute():
            return [node.attr]
        case ast.ImportFrom():
            return [alias.name for alias in node.names]
        case ast.Call() if ast.unparse(node.func).endswith((".setattr", ".delattr", "getattr")):
            texts = [str(argument.value) for argument in node.args[:2] if isinstance(argument, ast.Constant)]
            return [name for text in texts for name in text.split(".")]
    return []


def _program(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in KNOWN and len(name) > 1
