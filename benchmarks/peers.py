"""The environments under `.bench/`: one for ourselves and one for each peer, as pyproject.toml pins them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".bench"
OURS = "ours"
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


@cache
def bin_of(name: str) -> Path:
    """Give the folder of an environment's commands, made on first use and again when its pins change.

    `ours` has this project, editable, and the group `bench`; any other name has the group `bench-NAME`.
    """
    folder = FOLDER / name
    group = "bench" if name == OURS else f"bench-{name}"
    wanted = hashlib.sha256(repr((sys.version, _pins(group))).encode()).hexdigest()
    stamp = folder / "installed"
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print(f"installing {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([python, *PIP, "install", "pip>=25.1,<27"], check=True)
        editable = ("--editable", f"{ROOT}{_extras()}") if name == OURS else ()
        subprocess.run([python, *PIP, "install", *editable, "--group", group], check=True, cwd=ROOT)
        stamp.write_text(wanted)
    return folder / "bin"


def python_of(name: str) -> Path:
    """Give the Python of an environment."""
    return bin_of(name) / "python"


def version_of(name: str) -> str:
    """Give the exact version that is pinned for a peer."""
    return _pins(f"bench-{name}")[0].partition("==")[2]


def _pins(group: str) -> list[str]:
    """Give what a group asks for; that of ourselves includes what the distribution itself asks for."""
    project = _project()
    groups = project["dependency-groups"]
    found: list[str] = []
    for item in groups[group]:
        found += [item] if isinstance(item, str) else _pins(item["include-group"])
    if group == "bench":
        found += [*project["project"]["dependencies"], repr(project["project"].get("optional-dependencies"))]
        found.append(repr(project["project"].get("scripts")))
    return found


def _extras() -> str:
    """Give the extra of the command line, if the distribution has it."""
    return "[cli]" if "cli" in _project()["project"]["optional-dependencies"] else ""


@cache
def _project() -> dict[str, dict[str, Any]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
