"""The nightly update, with real repositories; `gh` alone is stood in for, since it would talk to GitHub."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.children import finished

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
SCRIPT = ".github/scripts/propose_update.sh"
BRANCH = "refs/heads/update/descriptions"
COPIED = (".github", ".gitignore", "CHANGELOG.md", "Makefile", "README.md", "generated", "generator", "pyproject.toml",
          "specs", "templates")  # fmt: skip
MISSING = [tool for tool in ("bash", "git", "make") if shutil.which(tool) is None]
if os.name == "nt" or MISSING:
    pytest.skip(f"the script runs on Linux, with bash, git and make; missing: {MISSING}", allow_module_level=True)

GH = """#!{python}
import json, os, sys
from pathlib import Path
log = Path(os.environ["GH_LOG"])
words = sys.argv[1:]
body = Path(words[words.index("--body-file") + 1]).read_text("utf-8") if "--body-file" in words else ""
with log.open("a", encoding="utf-8") as file:
    file.write(json.dumps({{"words": words, "body": body}}) + "\\n")
if words[:2] == ["pr", "list"]:
    print(os.environ["GH_OPEN"])
"""


class Night:
    """An origin, a checkout of it, and what the platform describes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = folder / "origin.git"
        self.checkout = folder / "checkout"
        self.described = folder / "described"
        self.open = ""
        shutil.copytree(ROOT / "specs", self.described)
        source = folder / "source"
        for name in COPIED:
            ignore = shutil.ignore_patterns("__pycache__")
            path = ROOT / name
            (shutil.copytree(path, source / name, ignore=ignore) if path.is_dir() else shutil.copy(path, source / name))
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.git(source, "init", "--quiet", "--initial-branch=main")
        self.commit(source, "Begin")
        self.git(source, "push", "--quiet", str(self.origin), "main")
        self.source = source
        tools = folder / "tools"
        tools.mkdir()
        (tools / "gh").write_text(GH.format(python=sys.executable), "utf-8")
        (tools / "gh").chmod(0o755)
        self.clone()

    def clone(self) -> None:
        """Check out anew, as every run of the workflow does."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        self.git(self.folder, "clone", "--quiet", "--depth=1", self.origin.as_uri(), str(self.checkout))
        tools = self.checkout / ".venv" / "bin"
        tools.mkdir(parents=True)
        (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        (tools / "python").chmod(0o755)
        (self.checkout / ".venv" / ".installed").touch()

    def environment(self) -> dict[str, str]:
        identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE", "PYTHON"))}
        return {
            **kept, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
            "PATH": f"{self.folder / 'tools'}{os.pathsep}{os.environ['PATH']}",
            "GH_LOG": str(self.folder / "gh.log"), "GH_OPEN": self.open,
            "OPENAPI_URL": (self.described / "openapi.json").as_uri(), "DOCS_URL": str(self.described / "docs.json"),
        }  # fmt: skip

    def git(self, folder: Path, *arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = finished(command, env=self.environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, folder: Path, message: str) -> None:
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "--message", message)

    def describe(self, change: Any) -> None:
        """Change what the platform describes."""
        path = self.described / "openapi.json"
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document), "utf-8")

    def run(self) -> subprocess.CompletedProcess[str]:
        return finished(["bash", SCRIPT], cwd=self.checkout, env=self.environment(), seconds=120)

    def gh(self) -> list[dict[str, Any]]:
        """Give what was asked of GitHub, but for the look at open pull requests."""
        log = self.folder / "gh.log"
        calls = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.is_file() else []
        log.unlink(missing_ok=True)
        return [call for call in calls if call["words"][:2] != ["pr", "list"]]

    def head(self, ref: str = BRANCH) -> str:
        return self.git(self.folder, "ls-remote", str(self.origin), ref).partition("\t")[0]


@pytest.fixture
def night(tmp_path):
    return Night(tmp_path)


def narrowed(document):
    for path in ("/generation/vidu/q3", "/generation/sse/vidu/q3"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        for media in content.values():
            media["schema"]["properties"]["prompt"]["maxLength"] = 2000


def retitled(document):
    narrowed(document)
    for path in ("/generation/vidu/q3", "/generation/sse/vidu/q3"):
        document["paths"][path]["post"]["summary"] = "$(touch pwned) `touch pwned` @someone"


def test_an_update_becomes_one_commit_on_main_and_a_pull_request_that_tells_what_it_means(night):
    night.describe(narrowed)
    done = night.run()
    assert done.returncode == 0, done.stderr
    assert night.git(night.origin, "rev-parse", f"{BRANCH}^") == night.head("refs/heads/main")
    files = night.git(night.origin, "show", "--format=", "--name-only", BRANCH).split()
    assert files == [
        "CHANGELOG.md", "generated/skills_video/API.md", "generated/skills_video/MANIFEST.json",
        "generated/skills_video/vidu_q3.py", "specs/openapi.json",
    ]  # fmt: skip
    [call] = night.gh()
    assert call["words"][:6] == ["pr", "create", "--head", "update/descriptions", "--base", "main"]
    assert "- **breaks** · tightened · `prompt`: must have at most `2000` characters now, not `3000`" in call["body"]


def test_nothing_is_proposed_if_nothing_differs(night):
    done = night.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("nothing to propose: no generated file differs\n")
    assert night.head() == ""
    assert night.gh() == []


def test_nothing_is_proposed_if_the_bytes_of_an_input_alone_differ(night):
    night.describe(lambda document: None)
    assert night.run().stdout.endswith("nothing to propose: no generated file differs\n")
    assert night.head() == ""


def test_the_next_night_builds_the_branch_anew_from_main(night):
    night.describe(narrowed)
    assert night.run().returncode == 0
    first = night.head()
    (night.source / "README.md").write_text((night.source / "README.md").read_text("utf-8") + "\nMore.\n", "utf-8")
    night.commit(night.source, "Go on")
    night.git(night.source, "push", "--quiet", str(night.origin), "main")
    night.gh()
    night.open = "7"
    night.clone()
    done = night.run()
    assert done.returncode == 0, done.stderr
    assert night.head() != first
    assert night.git(night.origin, "rev-parse", f"{BRANCH}^") == night.head("refs/heads/main")
    [call] = night.gh()
    assert call["words"][:3] == ["pr", "edit", "7"]
    assert "`prompt`" in call["body"]


def test_a_branch_that_is_as_it_should_be_is_not_pushed_again(night):
    night.describe(narrowed)
    assert night.run().returncode == 0
    first = night.head()
    night.clone()
    assert "nothing to push" in night.run().stdout
    assert night.head() == first


def test_a_branch_that_somebody_moved_in_between_is_left_alone(night):
    night.describe(narrowed)
    hook = night.checkout / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ngit push --quiet '{night.origin}' HEAD^:{BRANCH}\n", "utf-8")
    hook.chmod(0o755)
    done = night.run()
    assert done.returncode != 0
    assert "stale info" in done.stderr
    assert night.head() == night.head("refs/heads/main")
    assert night.gh() == []


def test_a_pull_request_with_nothing_left_in_it_is_closed(night):
    night.open = "7"
    assert night.run().returncode == 0
    [call] = night.gh()
    assert call["words"][:3] == ["pr", "close", "7"]


def test_text_of_a_description_is_not_run(night):
    night.describe(retitled)
    done = night.run()
    assert done.returncode == 0, done.stderr
    assert not list(night.checkout.rglob("pwned"))
    [call] = night.gh()
    assert "pwned" in call["body"]
    assert not any("pwned" in word for word in call["words"])


def test_a_description_that_is_of_no_use_stops_the_run_before_anything_is_pushed(night):
    (night.described / "openapi.json").write_text("{", "utf-8")
    done = night.run()
    assert done.returncode != 0
    assert "is not JSON" in done.stderr
    assert night.head() == ""
    assert night.gh() == []


def test_a_checkout_with_changes_of_its_own_is_not_touched(night):
    (night.checkout / "README.md").write_text("mine", "utf-8")
    done = night.run()
    assert (done.returncode, done.stderr) == (
        2, "error: this checkout has changes of its own; commit them or take another one\n",
    )  # fmt: skip
    assert (night.checkout / "README.md").read_text("utf-8") == "mine"


def test_workflow_runs_the_script_with_no_more_rights_than_it_needs():
    text = (ROOT / ".github" / "workflows" / "update.yml").read_text("utf-8")
    assert re.findall(r"^ +- run: (.*)$", text, re.MULTILINE) == [f"bash {SCRIPT}"]
    assert re.findall(r"\$\{\{(.*?)\}\}", text) == [" github.token "]
    assert "\npermissions: {}\n" in text
    assert re.findall(r"^ +([a-z-]+): write\b", text, re.MULTILINE) == ["contents", "pull-requests"]
