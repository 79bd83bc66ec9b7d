"""What type checkers say of right and wrong uses, and of a module whose names are all chosen to confuse them."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.support.children import finished
from tests.support.project import description

MINUTES = 300  # a checker that has no cache yet reads all of the library
FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
WRONG = FOLDER / "wrong_uses.py"
MARKED = {number for number, line in enumerate(WRONG.read_text("utf-8").splitlines(), 1) if line.endswith("# wrong")}


def mypy(files, cache=None):
    """Give the errors of mypy --strict, by file; those that are cached have the path of the run that found them."""
    settings = Path(files[0]).parent / "mypy.ini"
    if not settings.is_relative_to(ROOT):
        cache = cache or settings.parent / ".mypy_cache"
        settings.write_text(f"[mypy]\nstrict = true\npython_version = 3.11\ncache_dir = {cache}\n", "utf-8")
        options = ["--config-file", settings]
    else:
        options = ["--config-file", ROOT / "pyproject.toml"]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", "--hide-error-context",
               "--show-absolute-path", "--explicit-package-bases", *options, *files]  # fmt: skip
    done = finished(command, cwd=ROOT, seconds=MINUTES)
    assert done.returncode in {0, 1}, done.stderr
    found = re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    return {(Path(path).resolve(), int(line)): message for path, line, message in found}


def pyright(files, folder):
    """Give the errors of pyright in strict mode, by file."""
    settings = {
        "include": [os.path.relpath(file, folder) for file in files],
        "extraPaths": [str(ROOT / "generated"), str(ROOT / "runtime"), str(folder)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "reportUnusedExpression": False,
        "reportUnusedVariable": False,
    }
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", config, "--pythonpath", sys.executable]
    done = finished(command, cwd=ROOT, seconds=MINUTES)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] >= len(files)
    return {
        (Path(item["file"]).resolve(), item["range"]["start"]["line"] + 1): item["message"]
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    }


@pytest.fixture(params=["mypy", "pyright"])
def errors_of(request, tmp_path):
    """Give a function that runs one of the two checkers."""
    if request.param == "mypy":
        return partial(mypy, cache=ROOT / ".mypy_cache" / "tests")
    return partial(pyright, folder=tmp_path)


def test_each_marked_line_and_no_other_is_reported(errors_of):
    found = {line: message for (path, line), message in errors_of([WRONG]).items() if path == WRONG}
    assert len(MARKED) > 40
    assert {line: found[line] for line in found.keys() - MARKED} == {}
    assert sorted(MARKED - found.keys()) == []


def test_right_uses_are_not_reported(errors_of):
    assert errors_of([FOLDER / "right_uses.py"]) == {}


NAMES = [
    "UNSET", "ENDPOINT", "Payload", "Annotated", "Literal", "ClassVar", "Final", "TypeAlias", "Mapping", "Default",
    "Unset", "Uri",
    "File", "Array", "Json", "Ge", "Le", "Endpoint", "BasePayload", "BaseObject", "ModelClient", "AcmeOne",
    "parse", "dataclass", "field",
    "str", "int", "float", "bool", "object", "list", "dict", "tuple", "type", "property", "classmethod", "self",
    "cls", "extra", "endpoint",
    "to_dict", "template", "convert", "rules", "one_of", "None", "class", "__init__", "__slots__", "__eq__", "a-b",
    "a_b", "",
]  # fmt: skip


def test_module_of_confusing_names_or_great_numbers_is_not_reported(errors_of, project):
    properties = {
        name: [
            {"type": "string", "default": "x"}, {"type": "integer", "minimum": 1}, {"enum": ["a", 1]},
            {"type": "string", "format": "uri"}, {"type": "array", "items": {"type": "number", "maximum": 1}},
            {"type": "object", "additionalProperties": {"type": "boolean"}}, {},
        ][index % 7]
        for index, name in enumerate([*NAMES, *(f"last{number}" for number in range(7))])
    }  # fmt: skip
    objects = {f"o{index}": {"title": name, "type": "object", "properties": {"x": {"const": name}}, "required": ["x"]}
               for index, name in enumerate(NAMES)}  # fmt: skip
    project.write(description({
        "acme/one": {"type": "object", "properties": properties, "additionalProperties": True},
        "acme/two": {"type": "object", "properties": objects},
        "acme/three": {"anyOf": [{**item, "required": ["x"]} for item in list(objects.values())[:12]]},
        "acme/four": {"type": "object", "properties": {"x": {"const": 2**64}, "y": {"enum": [1, -(2**63), 2**63 - 1]}}},
    }))  # fmt: skip
    assert project.run() == 0
    assert errors_of([project.out / f"acme_{number}.py" for number in ("one", "two", "three", "four")]) == {}
