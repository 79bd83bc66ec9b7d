"""`make` tells its targets, and `make setup` makes an environment once, of a Python that is recent enough."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.children import finished

ROOT = Path(__file__).parents[1]
MISSING = [tool for tool in ("sh", "make", "awk") if shutil.which(tool) is None]
if os.name == "nt" or MISSING:
    pytest.skip(f"make runs in a POSIX shell; missing: {MISSING}", allow_module_level=True)

RECENT = """#!/bin/sh
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
    "-m pip"*) echo "$*" >>pip.log;;
    *) exec "{python}" "$@";;
esac
"""
OLD = """#!/bin/sh
case "$1" in --version) echo "Python 3.10.13";; *) exit 1;; esac
"""


@pytest.fixture
def folder(tmp_path):
    for name in (".ci", "Makefile", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for name, text in (("recent", RECENT), ("old", OLD)):
        (tmp_path / name).write_text(text.format(python=sys.executable), "utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(folder, *arguments):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return finished(["make", *arguments], cwd=folder, env=kept)


def installs(folder):
    log = folder / "pip.log"
    if not log.exists():
        return 0
    return log.read_text("utf-8").count("--editable")


def test_make_alone_tells_each_target(folder):
    told = {line.split()[1] for line in make(folder).stdout.splitlines()}
    phony = (folder / "Makefile").read_text("utf-8").partition(".PHONY:")[2].splitlines()[0]
    assert told == set(phony.split())
    assert not (folder / ".venv").exists()


def test_an_old_python_is_refused_before_anything_is_made(folder):
    done = make(folder, "setup", "PYTHON=./old")
    assert done.returncode != 0
    assert "Python 3.10.13, and Python 3.11 or later is needed; name one: make PYTHON=" in done.stderr
    assert not (folder / ".venv").exists()


def test_a_python_that_is_not_there_is_told(folder):
    assert "./absent is no Python" in make(folder, "setup", "PYTHON=./absent").stderr


@pytest.mark.parametrize("found", ["old", "gone"])
def test_an_environment_of_a_wrong_python_is_made_anew(folder, found):
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    if found == "old":
        shutil.copy(folder / "old", programs / "python")
    else:
        (programs / "python").symlink_to(folder / "gone")
    (folder / ".venv" / "of-before").touch()
    done = make(folder, "setup", "PYTHON=./recent")
    assert done.returncode == 0, done.stderr
    assert "anew" in done.stdout
    assert not (folder / ".venv" / "of-before").exists()
    assert installs(folder) == 1


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("", "", 1),
        ('group = "Videos"', 'group = "Images"', 1),
        ("[tool.generator.modules]", '[tool.generator.modules]\n"a/b" = "c"', 1),
        ("line-length = 120", "line-length = 110", 1),
        ('"httpx>=0.28,<1"', '"httpx>=0.28.1,<1"', 2),
        ("anyio==4", "anyio==5", 2),
    ],
)
def test_only_what_is_installed_installs_again(folder, before, after, count):
    assert "Installing" in make(folder, "setup", "PYTHON=./recent").stdout
    project = folder / "pyproject.toml"
    text = project.read_text("utf-8")
    assert before in text
    project.write_text(text.replace(before, after, 1), "utf-8")
    again = make(folder, "setup", "PYTHON=./recent")
    assert again.returncode == 0, again.stderr
    assert ("Installing" in again.stdout) == (count == 2)
    assert installs(folder) == count


def test_what_was_interrupted_is_done_again(folder):
    make(folder, "setup", "PYTHON=./recent")
    (folder / ".venv" / ".installed").unlink()
    make(folder, "setup", "PYTHON=./recent")
    assert installs(folder) == 2
