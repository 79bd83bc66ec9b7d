"""What is built can be installed, built again, tested and generated from, and shows itself well on an index."""

from __future__ import annotations

import os
import re
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import skills_video
import skills_video_runtime
from tests.support.children import finished

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHON = [sys.executable, "-P"]
UNTRACKED = (".venv", "__pycache__", ".generate.stamp", "dist")


def build(target, source, folder):
    finished([*PYTHON, "-m", "hatchling", "build", "-t", target, "-d", folder], cwd=source, check=True)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, folder)) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(folder):
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if not any(part in name for part in UNTRACKED)}


def test_the_sdist_has_all_of_each_folder(source):
    for name in (
        "docs",
        "generator",
        "runtime",
        "specs",
        "templates",
        "tests",
        "generated",
        "benchmarks",
        "skills",
        ".ci",
    ):
        made_by_make_site = {path for path in files(ROOT / name) if name == "docs" and path.startswith("models/")}
        assert files(source / name) == files(ROOT / name) - made_by_make_site


def test_the_sdist_generates_and_its_tests_run(source):
    check = finished([sys.executable, "-m", "generator", "check"], cwd=source)
    assert check.returncode == 0, check.stderr
    tests = ["tests/webhooks", "tests/sandbox/test_description.py"]
    own = {"PYTHONPATH": os.pathsep.join([str(source / "generated"), str(source / "runtime")])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = finished(command, cwd=source, seconds=90, env={**os.environ, **own})
    assert done.returncode == 0, done.stdout


def test_a_wheel_is_the_same_from_the_sdist_and_the_checkout(wheel, tmp_path):
    again = build("wheel", ROOT, tmp_path)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_has_the_packages_and_nothing_of_the_generator(installed):
    tops = {path.name for path in installed.iterdir()}
    assert tops == {"skills_video", "skills_video_runtime", f"skills_video-{PROJECT['version']}.dist-info"}


def test_the_wheel_has_the_skill(installed):
    assert files(installed / "skills_video" / "skill") == files(ROOT / "skills" / "skills-video")
    program = (
        "from skills_video_runtime.agents import texts; print(texts.folder('skills_video'), texts.text('skills_video'))"
    )
    told = finished([*PYTHON, "-c", program], env={**os.environ, "PYTHONPATH": str(installed)}, check=True).stdout
    folder, _, text = told.partition(" ")
    assert Path(folder) == installed / "skills_video" / "skill"
    assert text.startswith("---\nname: skills-video\n")


def test_the_sandbox_of_the_wheel_knows_its_models_and_is_a_small_part_of_it(installed):
    program = (
        "from skills_video_runtime.sandbox import Sandbox; import skills_video_runtime as r; print(r.__file__)\n"
        "from skills_video.catalog import MODELS\n"
        "print({model.endpoint.model for model in MODELS} <= set(Sandbox().models))\n"
    )
    environment = {"PYTHONPATH": str(installed)}
    done = finished([sys.executable, "-P", "-c", program], cwd=installed, env=environment)
    assert done.stdout.split() == [str(installed / "skills_video_runtime" / "__init__.py"), "True"], done.stderr
    packed = (installed / "skills_video_runtime" / "sandbox" / "openapi.json.gz").stat().st_size
    assert packed < sum(path.stat().st_size for path in installed.rglob("*") if path.is_file()) / 20


def test_an_index_shows_links_and_pictures_that_lead_somewhere(installed):
    [metadata] = installed.glob("*.dist-info/METADATA")
    told = message_from_bytes(metadata.read_bytes())
    source = PROJECT["urls"]["Source"]
    assert told["Author"] == "The skills-video authors"
    assert f"Source, {source}" in told.get_all("Project-URL")
    links = re.findall(r"(!?)\[[^]]*\]\(([^)]+)\)", told.get_payload())
    assert len(links) > 5
    for picture, link in links:
        if not link.startswith((source, "https://", "#")):
            pytest.fail(f"{link} leads nowhere")
        if link.startswith(source):
            kind = "raw" if picture else "blob"
            assert (ROOT / link.removeprefix(f"{source}/{kind}/main/").partition("#")[0]).is_file(), link


def test_version_is_that_of_the_project():
    assert skills_video.__version__ == skills_video_runtime.__version__ == PROJECT["version"]


@pytest.mark.skipif(
    not Path(skills_video_runtime.__file__).is_relative_to(ROOT), reason="a wheel is installed, which has no generator"
)
def test_the_generator_runs_in_any_folder(tmp_path):
    done = finished([sys.executable, "-m", "generator", "list"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "kling_v2_6" in done.stdout


def test_readme_begins_with_how_to_install_from_the_address_of_the_project():
    text = (ROOT / "README.md").read_text("utf-8")
    assert PROJECT["urls"]["Source"] in text
    for address in re.findall(r"git\+(\S+?)\"", text):
        assert address == f"{PROJECT['urls']['Source']}.git"
