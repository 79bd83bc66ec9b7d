"""What README.md shows is what happens."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[1]
PROGRAMS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def run(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "cat.png").write_bytes(b"\x89PNG")
    path = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    return finished([sys.executable, "-c", program], cwd=folder, env={**path, **environment})


def test_first_program_makes_and_downloads_a_video(tmp_path):
    with Sandbox(speed=200) as sandbox:
        done = run(PROGRAMS[0], tmp_path, SKILLS_VIDEO_API_KEY=sandbox.api_key, SKILLS_VIDEO_BASE_URL=sandbox.url)
        assert done.returncode == 0, done.stderr
        *states, saved = done.stdout.split()
        assert states[-1] == "COMPLETED"
        assert (tmp_path / saved).read_bytes()[4:8] == b"ftyp"
        assert sandbox.made() == 1


def test_first_program_without_a_key_says_where_to_make_one(tmp_path):
    done = run(PROGRAMS[0], tmp_path)
    assert done.returncode == 1
    assert "https://skills.video/dashboard/developer" in done.stderr.splitlines()[-1]


def test_payload_program_shows_every_violation(tmp_path):
    done = run(PROGRAMS[1], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "duration enum 7 6\nresolutoin additionalProperties 720p resolution\n"


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text("utf-8")))
def test_links_lead_to_files(link):
    assert (ROOT / link).is_file()
