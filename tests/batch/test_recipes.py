"""The programs of docs/many-machines.md, each with a journal in Postgres, and started twice.

Airflow wants a virtual environment of its own: AIRFLOW_PYTHON names the Python of one that has it, and this package.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support.batches import row, written
from tests.support.children import finished

PAGE = Path(__file__).parents[2] / "docs" / "many-machines.md"
KUBERNETES, RAY, AIRFLOW = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
ROWS = 4
AIRFLOW_PYTHON = os.environ.get("AIRFLOW_PYTHON")


def run(program, sandbox, postgres, folder, **more):
    done = called([sys.executable, "-c", program], sandbox, postgres, folder, **more)
    return dict(line.split() for line in done.stdout.splitlines() if line.startswith("row-"))


def called(words, sandbox, postgres, folder, **more):
    written(folder / "jobs.jsonl", [row(number) for number in range(ROWS)])
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url, "JOURNAL": postgres.url}
    done = finished(words, cwd=folder, env={**kept, **given, **more}, seconds=300)
    assert done.returncode == 0, done.stderr
    return done


def test_pods_make_each_row_once(postgres, tmp_path):
    with Sandbox(speed=500) as sandbox:
        made = {}
        for index in (0, 1, 1):
            more = {"JOB_COMPLETION_INDEX": str(index), "JOB_COMPLETIONS": "2"}
            made |= run(KUBERNETES, sandbox, postgres, tmp_path, **more)
        assert made.keys() == {f"row-{number}" for number in range(ROWS)}
        assert sandbox.made() == ROWS


@pytest.mark.skipif(find_spec("ray") is None, reason="ray, of 285 MB, is not installed")
def test_tasks_of_ray_make_each_row_once(postgres, tmp_path):
    with Sandbox(speed=500) as sandbox:
        first, again = (run(RAY, sandbox, postgres, tmp_path) for _ in range(2))
        assert first == again
        assert len(first) == sandbox.made() == ROWS


@pytest.mark.skipif(AIRFLOW_PYTHON is None, reason="airflow, of 300 MB, is not named by AIRFLOW_PYTHON")
def test_a_dag_of_airflow_makes_each_row_once(postgres, tmp_path):
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "videos.py").write_text(AIRFLOW, "utf-8")
    settings = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
    }
    with Sandbox(speed=500) as sandbox:
        for words in ("db migrate", "dags test videos", "dags test videos"):
            called([AIRFLOW_PYTHON, "-m", "airflow", *words.split()], sandbox, postgres, tmp_path, **settings)
        assert sandbox.made() == ROWS
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == ROWS


def test_each_program_is_one():
    for program in (KUBERNETES, RAY, AIRFLOW):
        compile(program, "<page>", "exec")
