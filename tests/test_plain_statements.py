"""The house rules that can be counted: plain statements, imports one way, sizes, tables that are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import plain

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "runtime" / "skills_video_runtime"
FOLDERS = {"generator": ROOT / "generator", "runtime": RUNTIME, "site": ROOT / "docs" / "site"}
CONDITIONAL_EXPRESSIONS = 10  # in 1,000 lines

FLOORS = [
    ["agents"],
    ["cli"],
    ["batch"],
    ["sandbox"],
    ["testing"],
    ["webhooks"],
    ["client"],
    ["options"],
    ["many"],
    ["downloads"],
    ["http"],
    ["generations"],
    ["planning"],
    ["payloads"],
    ["budget", "classify"],
    ["errors"],
    ["catalog", "deprecation", "json_values", "tasks", "threads", "version"],
    ["capabilities", "choosing"],
    ["skills_video_runtime"],
]
"""The rooms of the runtime from top to bottom: each imports what is below it. The last one only has names to offer."""

CORE = """
client options errors classify catalog generations/states generations/call generations/posting generations/following
generations/meaning generations/outcomes generations/retry generations/pace generations/recovery http/session
http/exchange http/environment http/events http/key http/addresses
"""
GUARD = """
generations/uncertain generations/claims generations/matching generations/journal generations/records
generations/sqlite generations/tables http/deadlines http/connections
"""
CALLS = "budget generations/keyed many tasks threads webhooks"
CHOOSING = "choosing generations/notebook planning"
FILES = "downloads/files downloads/partial downloads/save generations/media"
TOLD = "generations/progress http/causes http/key_source http/library http/own_headers http/telemetry"
OFFERED = "capabilities generations/cancel"
SHARED = "generations/postgres"
FEATURES = f"{CALLS} {CHOOSING} {FILES} {TOLD} {OFFERED} {SHARED}"
TEXTS = "inputs/inferred output/example_payload output/pages output/skill schema/examples"
FETCHED = "inputs/fetch inputs/site inputs/sources"
SPELT = "inputs/beside inputs/yaml_reader"
PATTERNS = "schema/backtracking schema/patterns"
OFFERS = "inputs/capabilities inputs/offered output/capabilities"
BESIDE = f"{TEXTS} {FETCHED} {SPELT} {PATTERNS} {OFFERS}"


def named(folder, names):
    return [folder / f"{name}.py" for name in names.split()]


def others(folder, rooms, names):
    """Give the modules of rooms without those that are named."""
    return [path for room in rooms for path in (folder / room).glob("*.py") if path not in named(folder, names)]


SIZES = {
    "core": (3_967, named(RUNTIME, CORE)),
    "payloads": (2_183, [RUNTIME / "payloads", RUNTIME / "json_values.py"]),
    "guard against double payment": (1_368, named(RUNTIME, GUARD)),
    "downloads": (423, named(RUNTIME, "downloads/fetch downloads/names")),
    "runtime without extras": (
        8_178,
        others(RUNTIME, (".", "downloads", "generations", "http", "payloads"), FEATURES),
    ),
    "keys of one's own, many, budget, webhooks": (663, named(RUNTIME, CALLS)),
    "choosing, planning, notebooks": (327, named(RUNTIME, CHOOSING)),
    "files of one's own, and what is left of one": (556, named(RUNTIME, FILES)),
    "events, causes, headers, keys, httpx2, telemetry": (383, named(RUNTIME, TOLD)),
    "what a description offers": (115, named(RUNTIME, OFFERED)),
    "agents": (1_473, [RUNTIME / "agents"]),
    "batch": (3_033, [RUNTIME / "batch", *named(RUNTIME, SHARED)]),
    "generator, what makes the modules": (
        6_535,
        others(ROOT / "generator", (".", "inputs", "output", "schema"), BESIDE),
    ),
    "generator, what fetches descriptions": (798, named(ROOT / "generator", FETCHED)),
    "generator, YAML and references to other files": (294, named(ROOT / "generator", SPELT)),
    "generator, patterns of ECMA-262, and none that takes for ever": (609, named(ROOT / "generator", PATTERNS)),
    "generator, what a platform offers beside models": (504, named(ROOT / "generator", OFFERS)),
    "generator, what tells of models in words": (628, named(ROOT / "generator", TEXTS)),
    "generator, what tells changes": (3_183, [ROOT / "generator" / "changes"]),
}
"""The most lines that parts of the code may have, blank ones and docstrings included: what they have now.

docs/design.md tells the goals. What raises a number is a feature that CHANGELOG tells.
"""


def shown(places):
    return "".join(f"\n  {place}" for place in places)


@pytest.mark.parametrize("name", FOLDERS)
def test_conditional_expressions_are_few(name):
    found = plain.conditional_expressions(FOLDERS[name])
    most = CONDITIONAL_EXPRESSIONS * plain.lines(FOLDERS[name]) // 1000
    assert len(found) <= most, f"{name} has {len(found)} conditional expressions, and may have {most}:{shown(found)}"


@pytest.mark.parametrize("name", FOLDERS)
def test_no_conditional_expression_is_inside_another(name):
    found = plain.nested_conditional_expressions(FOLDERS[name])
    assert found == [], shown(found)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_lambda_is_a_key_and_nothing_else(name):
    found = plain.clever_lambdas(FOLDERS[name])
    assert found == [], shown(found)


@pytest.mark.parametrize(
    "packages", [[ROOT / "generator"], [RUNTIME, ROOT / "generated" / "skills_video"]], ids=["generator", "runtime"]
)
def test_nothing_is_imported_in_a_circle(packages):
    modules = plain.graph(*packages)
    assert sum(map(len, modules.values())) > 80
    assert plain.circle(modules) == []


@pytest.mark.parametrize(
    ("name", "others"),
    [("generator", ("skills_video", "skills_video_runtime")), ("runtime", ("skills_video", "generator"))],
)
def test_imports_between_packages_go_one_way(name, others):
    found = plain.imports_of(FOLDERS[name], *others)
    assert found == [], shown(found)


def test_only_one_room_knows_the_http_client():
    found = plain.imports_at_run_time(RUNTIME, "httpx", "httpx_sse", but="skills_video_runtime/http/")
    assert found == [], shown(found)


def test_no_room_of_the_runtime_imports_from_a_room_above_it():
    found = plain.upward(RUNTIME, FLOORS)
    assert found == [], shown(found)


@pytest.mark.parametrize("part", SIZES)
def test_sizes_are_kept(part):
    most, files = SIZES[part]
    assert [file for file in files if not file.exists()] == []
    assert plain.lines(*files) <= most


def test_the_design_tells_the_sizes():
    _, _, table = (ROOT / "docs" / "design.md").read_text("utf-8").partition("| part | lines | goal |\n")
    rows = [line.split(" | ") for line in table.partition("\n\n")[0].splitlines()[1:]]
    assert [int(row[1].replace(",", "")) for row in rows] == [most for most, _ in SIZES.values()]


def test_the_tables_of_the_design_name_files_that_exist():
    paths = [path.as_posix() for name in ("generator", "runtime", "docs/site") for path in (ROOT / name).rglob("*.py")]
    named = plain.files_named((ROOT / "docs" / "design.md").read_text("utf-8"))
    assert len(named) > 30
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in paths)] == []


def test_no_test_reaches_for_a_private_name():
    found = plain.private_names(ROOT / "tests")
    assert found == [], shown(found)


# Each rule is seen to find what it is for, and to pass what it is not for.


def tree(folder, **files):
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def program(last_line):
    """Write a module that holds a program as a text."""
    return f"CHILD = '''\nimport a\n{last_line}\n'''"


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (plain.conditional_expressions, "a = 1 if b else 2", "if b:\n    a = 1"),
        (plain.nested_conditional_expressions, "a = 1 if b else 2 if c else 3", "a = 1 if b else 2\nc = 1 if d else 2"),
        (plain.nested_conditional_expressions, "a = f(1 if b else 2) if c else 3", "a = f(1 if b else 2)"),
        (plain.clever_lambdas, "a = sorted(b, key=len, reverse=lambda: 1)", "a = sorted(b, key=lambda c: c.d)"),
        (plain.clever_lambdas, "RULES = {'x': lambda v: v > 1}", "RULES = {'x': over}"),
        (plain.clever_lambdas, "def f(key=lambda: 1): pass", "a = field(default_factory=lambda: [1])"),
        (plain.private_names, "client._core.close()", "self._core.close()"),
        (plain.private_names, "from a.b import _c", "from a.b import c"),
        (plain.private_names, "monkeypatch.setattr(a, '_b', 1)", "monkeypatch.setattr(a, 'b', 1)"),
        (plain.private_names, "monkeypatch.setattr('a.b._c.d', 1)", "monkeypatch.setattr('a.b.c', 1)"),
        (plain.private_names, program("a._b()"), program("a.__class__")),
        (plain.private_names, "a._b.c", "os._exit(1)\nrow._replace(a=1)"),
    ],
)
def test_a_rule_finds_the_bad_and_passes_the_good(rule, bad, good, tmp_path):
    assert [(place.file, place.line > 0) for place in rule(tree(tmp_path / "bad", room__bad=bad))] == [
        ("bad/room/bad.py", True)
    ]
    assert rule(tree(tmp_path / "good", room__good=good)) == []


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a": "from p import b", "b": "def f():\n    import p.a"}, {"p.a", "p.b"}),
        ({"a": "from p.b import c", "b": "from p.c import d", "c": "from . import a"}, {"p.a", "p.b", "p.c"}),
        ({"q__x": "from ..a import y", "a": "from p.q import x"}, {"p.a", "p.q.x"}),
        ({"q____init__": "import p.a", "q__x": "", "a": "from p.q.x import y"}, {"p.a", "p.q"}),
        ({"q____init__": "import p.a", "q__x": "from p.q.z import b", "q__z": "", "a": ""}, set()),
        ({"a": "from p import b", "b": "if TYPE_CHECKING:\n    from p import a"}, set()),
        ({"a": "from p import b", "b": "if not TYPE_CHECKING:\n    from p import a"}, {"p.a", "p.b"}),
        ({"a": "from p import b, c", "b": "from p import c", "c": ""}, set()),
    ],
)
def test_circles_are_found_wherever_an_import_stands(files, circle, tmp_path):
    assert set(plain.circle(plain.graph(tree(tmp_path / "p", **files)))) == circle


def test_packages_are_found_also_where_only_a_type_checker_reads_them(tmp_path):
    package = tree(
        tmp_path / "p", a="import other.b", b="if TYPE_CHECKING:\n    from other import c", c="import others"
    )
    assert [place.file for place in plain.imports_of(package, "other")] == ["p/a.py", "p/b.py"]


def test_a_library_is_found_where_it_is_loaded_outside_its_room(tmp_path):
    package = tree(
        tmp_path / "p",
        http__a="import httpx",
        b="def f():\n    import httpx",
        c="if TYPE_CHECKING:\n    import httpx",
        d="from httpx import Client",
    )
    assert [place.file for place in plain.imports_at_run_time(package, "httpx", but="p/http/")] == ["p/b.py", "p/d.py"]


def test_an_import_goes_down(tmp_path):
    package = tree(tmp_path / "p", top__a="from p.low import b", low="from p.top import a", top__b="import p.top.a")
    assert list(map(str, plain.upward(package, [["top"], ["low"]]))) == ["p/low.py:1: from p.top import a"]
    assert plain.upward(tree(tmp_path / "p", low="import os"), [["top"], ["low"]]) == []


def test_rooms_on_one_floor_do_not_know_each_other(tmp_path):
    package = tree(tmp_path / "p", a="import p.b", b="if TYPE_CHECKING:\n    import p.a")
    assert list(map(str, plain.upward(package, [["a", "b"]]))) == ["p/a.py:1: import p.b"]


def test_a_room_on_no_floor_is_told(tmp_path):
    assert list(map(str, plain.upward(tree(tmp_path / "p", new=""), [["top"]]))) == ["p/new.py:1: new is on no floor"]


def test_lines_of_files_and_folders_are_counted(tmp_path):
    folder = tree(tmp_path, a="1\n2\n", b__c="1\n\n3", b__d="1")
    assert (plain.lines(folder), plain.lines(folder / "a.py", folder / "b")) == (6, 6)


def test_files_are_read_from_the_first_column_of_tables():
    table = "| file | job |\n|---|---|\n| `a.py`, `b/c.py` | not `d.py` |\nnor `e.py`\n"
    assert plain.files_named(table) == ["a.py", "b/c.py"]
