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
from tests.support.project import navigation, pages_of

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
MAKE, PROPOSE = ".github/scripts/make_update.sh", ".github/scripts/propose_update.sh"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
BRANCH = "refs/heads/update/descriptions"
COPIED = (".ci", ".github", ".gitignore", "CHANGELOG.md", "Makefile", "README.md", "generated", "generator",
          "pyproject.toml", "specs", "templates")  # fmt: skip
MODELS = ["vidu/q3", "ltx-2.3"]
MISSING = [tool for tool in ("bash", "git", "make") if shutil.which(tool) is None]
if os.name == "nt" or MISSING:
    pytest.skip(f"the scripts run on Linux, with bash, git and make; missing: {MISSING}", allow_module_level=True)

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

PYTHON = """#!/bin/sh
case "$*" in "-m pip"*) ;; "-m pytest"*) exec "{python}" tests.py;; *) exec "{python}" "$@";; esac
"""

TESTS = """
import sys
if "2001" in open("specs/openapi.json", encoding="utf-8").read():
    print("``` \\x1b[31m @someone\\r# failed")
    sys.exit("1 failed")
"""


def environment(**more: str) -> dict[str, str]:
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "MAKE", "PYTHON", "PYTEST", "GH_"))
    }
    kept["MYPY_CACHE_DIR"] = str(ROOT / ".mypy_cache" / "updates")
    return {**kept, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **more}


def git(folder: Path, *arguments: str) -> str:
    done = finished(["git", "-C", str(folder), *arguments], env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Give a repository of this project with two models, and tests that take no time."""
    source = tmp_path_factory.mktemp("begun")
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name)
        else:
            shutil.copy(path, source / name)
    (source / "specs" / "SOURCES.md").unlink()  # which tells of no description but the one that it lies beside
    docs = json.dumps(navigation(*pages_of(MODELS)), indent=2)
    (source / "specs" / "docs.json").write_text(f"{docs}\n", "utf-8")
    (source / "tests.py").write_text(TESTS, "utf-8")
    finished([sys.executable, "-m", "generator", "generate"], cwd=source, check=True)
    git(source, "init", "--quiet", "--initial-branch=main")
    commit(source, "Begin")
    return source


class Night:
    """An origin, checkouts of it, and what the platform describes."""

    def __init__(self, folder: Path, begun: Path) -> None:
        self.folder = folder
        self.origin = folder / "origin.git"
        self.described = folder / "described"
        self.proposal = folder / "proposal"
        self.source = folder / "source"
        self.open = ""
        self.impact = ""
        shutil.copytree(begun / "specs", self.described)
        shutil.copytree(begun, self.source)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(self.source, "push", "--quiet", str(self.origin), "main")
        tools = folder / "tools"
        tools.mkdir()
        (tools / "gh").write_text(GH.format(python=sys.executable), "utf-8")
        (tools / "gh").chmod(0o755)
        self.making = self.clone("making")
        shutil.copytree(begun / "generator", self.making / "generator", dirs_exist_ok=True)  # as it has been compiled
        programs = self.making / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "python").write_text(PYTHON.format(python=sys.executable), "utf-8")
        (programs / "python").chmod(0o755)

    def clone(self, name: str) -> Path:
        checkout = self.folder / name
        shutil.rmtree(checkout, ignore_errors=True)
        git(self.folder, "clone", "--quiet", self.origin.as_uri(), str(checkout))
        return checkout

    def describe(self, change: Any) -> None:
        """Change what the platform describes."""
        path = self.described / "openapi.json"
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document, indent=1), "utf-8")

    def make(self) -> subprocess.CompletedProcess[str]:
        """Run the first job: without gh, on what is at main."""
        git(self.making, "fetch", "--quiet", "origin", "main")
        git(self.making, "reset", "--quiet", "--hard", "origin/main")
        address = {"OPENAPI_URL": self.described / "openapi.json", "DOCS_URL": self.described / "docs.json"}
        given = environment(**{name: str(path) for name, path in address.items()}, IMPACT=self.impact)
        return finished(["bash", MAKE, self.proposal], cwd=self.making, env=given, seconds=120)

    def propose(self) -> subprocess.CompletedProcess[str]:
        """Run the second job: in another checkout, which has nothing installed."""
        checkout = self.clone("proposing")
        path = f"{self.folder / 'tools'}{os.pathsep}{os.environ['PATH']}"
        given = environment(PATH=path, GH_LOG=str(self.folder / "gh.log"), GH_OPEN=self.open)
        return finished(["bash", PROPOSE, self.proposal], cwd=checkout, env=given)

    def run(self) -> str:
        """Run both jobs, and give what they said."""
        made = self.make()
        assert made.returncode == 0, made.stdout + made.stderr
        proposed = self.propose()
        assert proposed.returncode == 0, proposed.stderr
        return made.stdout + proposed.stdout

    def hand_over(self, name: str) -> None:
        """Leave a proposal that changes one file, whatever that is."""
        (self.source / name).write_text("x\n", "utf-8")
        git(self.source, "add", "--all")
        self.proposal.mkdir()
        (self.proposal / "update.patch").write_text(git(self.source, "diff", "--cached") + "\n", "utf-8")
        (self.proposal / "text.md").write_text("text", "utf-8")
        git(self.source, "reset", "--quiet")

    def gh(self) -> list[dict[str, Any]]:
        """Give what was asked of GitHub, but for the look at open pull requests."""
        log = self.folder / "gh.log"
        calls = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.is_file() else []
        log.unlink(missing_ok=True)
        return [call for call in calls if call["words"][:2] != ["pr", "list"]]

    def head(self, ref: str = BRANCH) -> str:
        return git(self.folder, "ls-remote", str(self.origin), ref).partition("\t")[0]


@pytest.fixture
def night(tmp_path, begun):
    return Night(tmp_path, begun)


def posts(document):
    return [document["paths"][path]["post"] for path in ("/generation/vidu/q3", "/generation/sse/vidu/q3")]


def narrowed(document, most=2000):
    for post in posts(document):
        for media in post["requestBody"]["content"].values():
            media["schema"]["properties"]["prompt"]["maxLength"] = most


def failing(document):
    narrowed(document, 2001)


def answered_otherwise(document):
    """Rename what every answer has, which no generated file shows."""
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        if "id" in properties and "status" in properties:
            properties["generation_id"] = properties.pop("id")
            schema["required"] = [{"id": "generation_id"}.get(name, name) for name in schema.get("required", [])]


def hostile(document):
    """Give a default that its schema does not take, which would like to be run."""
    for post in posts(document):
        for media in post["requestBody"]["content"].values():
            media["schema"]["properties"]["duration"]["default"] = "$(touch pwned) `touch pwned` @someone"


def without_duration(document):
    for post in posts(document):
        for media in post["requestBody"]["content"].values():
            del media["schema"]["properties"]["duration"]


def test_an_update_becomes_one_commit_on_main_and_a_pull_request_that_tells_what_it_means(night):
    night.describe(narrowed)
    night.run()
    assert git(night.origin, "rev-parse", f"{BRANCH}^") == night.head("refs/heads/main")
    files = git(night.origin, "show", "--format=", "--name-only", BRANCH).split()
    assert files == [
        "CHANGELOG.md", "generated/skills_video/API.md", "generated/skills_video/MANIFEST.json",
        "generated/skills_video/vidu_q3.py", "skills/skills-video/references/vidu_q3.md", "specs/openapi.json",
    ]  # fmt: skip
    [call] = night.gh()
    assert call["words"][:6] == ["pr", "create", "--head", "update/descriptions", "--base", "main"]
    assert "--draft" not in call["words"]
    assert "`prompt`: must have at most `2000` characters now, not `3000`" in call["body"]
    assert "fails" not in call["body"]


def test_what_breaks_is_proposed_though_no_generated_file_differs(night):
    night.describe(answered_otherwise)
    night.run()
    files = git(night.origin, "show", "--format=", "--name-only", BRANCH).split()
    assert files == ["CHANGELOG.md", "generated/skills_video/MANIFEST.json", "specs/openapi.json"]
    [call] = night.gh()
    assert call["words"][:2] == ["pr", "create"]
    assert "breaks" in call["body"]
    assert "id` is gone" in call["body"] or "id`: is gone" in call["body"]


def test_nothing_is_proposed_if_nothing_differs_but_the_bytes_of_an_input(night):
    night.open = "7"
    night.describe(lambda document: None)
    assert "nothing to propose: no change, and no generated file differs\n" in night.run()
    assert night.head() == ""
    [call] = night.gh()
    assert call["words"][:3] == ["pr", "close", "7"]


def test_new_warnings_are_in_the_text_and_nothing_of_a_description_is_run(night):
    night.describe(hostile)
    night.run()
    [call] = night.gh()
    assert "- warning · `generate` warns in `2` places: ``the default " in call["body"]
    assert "$(touch pwned)" in call["body"]
    assert not any("pwned" in word for word in call["words"])
    assert not list(night.folder.rglob("pwned"))


def test_tests_that_fail_are_told_in_a_draft_and_those_that_pass_again_make_it_ready(night):
    night.describe(failing)
    night.run()
    [call] = night.gh()
    assert "--draft" in call["words"]
    head, code, changes = call["body"].split("\n\n", 2)
    assert head == "**`make test` fails on this branch**, so that this is a draft. What it says ends with"
    assert "    ``` [31m @someone# failed" in code.splitlines()
    assert all(line.startswith("    ") for line in code.splitlines())
    assert "`2001`" in changes
    night.open = "7"
    assert night.propose().returncode == 0
    assert [call["words"] for call in night.gh()][1:] == [["pr", "ready", "7", "--undo"]]
    night.describe(narrowed)
    night.run()
    edited, ready = night.gh()
    assert "fails" not in edited["body"]
    assert ready["words"] == ["pr", "ready", "7"]


def test_lines_of_the_code_that_is_named_are_told_where_they_break(night):
    (night.source / "examples").mkdir()
    code = 'from skills_video import vidu_q3\nvidu_q3.Payload(prompt="x", duration=4)\n'
    (night.source / "examples" / "one.py").write_text(code, "utf-8")
    (night.source / "runtime").symlink_to(ROOT / "runtime")
    commit(night.source, "Show how")
    git(night.source, "push", "--quiet", str(night.origin), "main")
    night.impact = "examples"
    night.describe(without_duration)
    night.run()
    [call] = night.gh()
    assert "What breaks in `examples`:\n\n    examples/one.py:2:" in call["body"]
    assert "    Broken by this update: 1 line in 1 file.\n" in call["body"]


def test_the_next_night_builds_the_branch_anew_from_main(night):
    night.describe(narrowed)
    night.run()
    first = night.head()
    (night.source / "README.md").write_text((night.source / "README.md").read_text("utf-8") + "\nMore.\n", "utf-8")
    commit(night.source, "Go on")
    git(night.source, "push", "--quiet", str(night.origin), "main")
    night.gh()
    night.open = "7"
    night.run()
    assert night.head() != first
    assert git(night.origin, "rev-parse", f"{BRANCH}^") == night.head("refs/heads/main")
    edited, ready = night.gh()
    assert edited["words"][:3] == ["pr", "edit", "7"]
    assert "`prompt`" in edited["body"]
    assert ready["words"] == ["pr", "ready", "7"]
    second = night.head()
    assert "nothing to push" in night.propose().stdout
    assert night.head() == second


def test_a_branch_that_somebody_moved_in_between_is_left_alone(night):
    night.hand_over("specs/openapi.json")
    git_itself = shutil.which("git")
    push = f"'{git_itself}' -C '{night.source}' push --quiet '{night.origin}' HEAD:{BRANCH}"
    program = night.folder / "tools" / "git"
    program.write_text(f'#!/bin/sh\ncase "$*" in *commit*) {push};; esac\nexec "{git_itself}" "$@"\n', "utf-8")
    program.chmod(0o755)
    done = night.propose()
    assert done.returncode != 0
    assert "stale info" in done.stderr
    assert night.head() == night.head("refs/heads/main")
    assert night.gh() == []


def test_a_description_that_is_of_no_use_stops_the_run_before_anything_is_proposed(night):
    (night.described / "openapi.json").write_text("{", "utf-8")
    done = night.make()
    assert done.returncode != 0
    assert "is not JSON" in done.stderr


def test_a_checkout_with_changes_of_its_own_is_not_touched(night):
    (night.source / "README.md").write_text("mine", "utf-8")
    done = finished(["bash", MAKE, night.proposal], cwd=night.source, env=environment())
    assert (done.returncode, done.stderr) == (
        2, "error: this checkout has changes of its own; commit them or take another one\n",
    )  # fmt: skip
    assert (night.source / "README.md").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", [".github/workflows/ci.yml", "generator/__init__.py", "specs.py", "README.md.sh"])
def test_what_no_update_changes_is_never_pushed(name, night):
    night.hand_over(name)
    done = night.propose()
    assert (done.returncode, done.stderr) == (2, f"error: this is no file that an update changes: {name}\n")
    assert night.head() == ""
    assert night.gh() == []


def test_no_job_that_installs_anything_has_a_token_that_writes():
    text = (ROOT / ".github" / "workflows" / "update.yml").read_text("utf-8")
    make, propose = re.split(r"^  (?:make|propose):\n", text, flags=re.MULTILINE)[1:]
    assert re.findall(r"^ +- run: (.*)$", make, re.MULTILINE) == [f"bash {MAKE} proposal"]
    assert re.findall(r"^ +- run: (.*)$", propose, re.MULTILINE) == [f"bash {PROPOSE} proposal"]
    assert "token" not in make.replace("without a token", "")
    assert re.findall(r"^ +([a-z-]+): write\b", make, re.MULTILINE) == []
    assert re.findall(r"^ +([a-z-]+): write\b", propose, re.MULTILINE) == ["contents", "pull-requests"]
    assert re.findall(r"\$\{\{(.*?)\}\}", text) == [" vars.UPDATE_IMPACT ", " github.token "]
    assert "\npermissions: {}\n" in text
    assert "vars.UPDATE_EVERY_NIGHT == 'true'" in make


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_one_commit_and_no_checkout_keeps_its_token(path):
    text = path.read_text("utf-8")
    actions = re.findall(r"uses: (\S+)(.*)", text)
    assert actions
    for action, rest in actions:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest)
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")
