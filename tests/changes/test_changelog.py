"""CHANGELOG.md tells what has changed since the last release, however often and in however many steps it is updated."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from generator.__main__ import main
from tests.support.children import finished
from tests.support.project import description
from tests.support.revisions import write_revision

HAND = """# Changelog

Words.

## [Unreleased]

Of this release.

### Added

- By hand.

## [0.1.0]

### Added

- Everything.

[Unreleased]: https://example.org
"""
BEGIN = "<!-- Since"
END = "<!-- End of what `make update` writes -->"
PATHS = "/generation/acme/one", "/generation/sse/acme/one"
PROMPT = "post/requestBody/content/application~1json/schema/properties/prompt/maxLength"


class Repository:
    """A repository of descriptions and their CHANGELOG.md."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self.capsys = capsys
        self.path = folder / "CHANGELOG.md"
        self.config = folder / "pyproject.toml"
        self.path.write_text(HAND, "utf-8")
        self.config.write_text("", "utf-8")
        self.git("init", "--quiet", "--initial-branch=main")
        self.describe(None)
        self.first = self.commit()

    def git(self, *arguments):
        who = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        given = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = finished(["git", *arguments], cwd=self.folder, env=given, check=True)
        return done.stdout.strip()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "more")
        return self.git("rev-parse", "HEAD")[:12]

    def describe(self, most, **more):
        prompt = {"type": "string"}
        if most is not None:
            prompt["maxLength"] = most
        body = {"type": "object", "properties": {"prompt": prompt, **more}}
        write_revision(self.folder / "specs", description({"acme/one": body}))

    def update(self, *old):
        """Run what `make update` runs, twice, and give what stands there."""
        found = []
        for _ in range(2):
            command = ["changes", *(old or ["HEAD"]), str(self.folder / "specs"), "--config", str(self.config)]
            assert main([*command, "--write-changelog", str(self.path)]) == 0, self.capsys.readouterr().err
            found.append(self.path.read_text("utf-8"))
        assert found[0] == found[1]
        return found[0]

    def lines(self, *old):
        """Give the lines of the block; all else is as it was written by hand."""
        text = self.update(*old)
        if BEGIN not in text:
            assert text == HAND
            return None
        before, _, rest = text.partition(BEGIN)
        block, _, after = rest.partition(END)
        assert before.rstrip() + "\n\n" + after.lstrip() == HAND
        return [line for line in block.splitlines()[1:] if line and not line.startswith("###")]


@pytest.fixture
def repository(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("generator.changes.revisions.ROOT", tmp_path)
    return Repository(tmp_path, capsys)


def tightened(most):
    return f"- **Breaking:** `acme/one`: `prompt`: must have at most `{most}` characters now."


def test_each_update_before_a_commit_is_told_as_one(repository):
    repository.describe(100)
    assert repository.lines() == [tightened(100)]
    repository.describe(120)
    assert repository.lines() == [tightened(120)]
    repository.describe(None)
    assert repository.lines() == []


def test_what_is_committed_in_between_counts_from_the_same_beginning(repository):
    repository.describe(100)
    assert repository.lines() == [tightened(100)]
    repository.commit()
    repository.describe(100, seed={"type": "integer"})
    assert set(repository.lines()) == {tightened(100), "- `acme/one`: new: `seed`."}
    repository.commit()
    repository.describe(120)
    assert repository.lines() == [tightened(120)]
    repository.commit()
    repository.describe(None)
    assert repository.lines() == []
    assert f"{BEGIN} {repository.first}: " in repository.path.read_text("utf-8")


def test_an_override_after_an_update_leaves_no_false_line(repository):
    repository.describe(100)
    assert repository.lines() == [tightened(100)]
    pointers = [f"/paths/{path.replace('/', '~1')}/{PROMPT}" for path in PATHS]
    lines = [f'"{pointer}" = {{ remove = true, reason = "longer ones are taken" }}' for pointer in pointers]
    repository.config.write_text("\n".join(["[tool.generator.overrides]", *lines]), "utf-8")
    assert repository.lines() == []


def test_a_release_is_a_new_beginning(repository):
    repository.describe(100)
    repository.update()
    repository.commit()
    repository.git("tag", "v0.2.0")
    repository.git("tag", "other")
    repository.describe(50)
    assert repository.lines() == [
        "- **Breaking:** `acme/one`: `prompt`: must have at most `50` characters now, not `100`."
    ]
    assert f"{BEGIN} v0.2.0: " in repository.path.read_text("utf-8")


def test_the_block_of_a_released_section_stays_as_it_is(repository):
    repository.describe(100)
    text = repository.update()
    released = text.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0]\n", 1)
    repository.path.write_text(released, "utf-8")
    repository.commit()
    repository.git("tag", "v0.2.0")
    assert repository.update() == released
    repository.describe(None)
    now = repository.update()
    assert now.count(BEGIN) == 2
    assert now.endswith(released.partition("## [0.2.0]")[2])


def test_lines_by_hand_below_the_block_stay(repository):
    repository.describe(100)
    text = repository.update().replace(f"{END}\n", f"{END}\n\n### Fixed\n\n- By hand too.\n")
    repository.path.write_text(text, "utf-8")
    assert repository.update() == text
    repository.describe(120)
    assert repository.update() == text.replace("`100`", "`120`")


def test_text_of_a_description_is_no_mark(repository):
    repository.describe(None, mode={"enum": [END, f"\n{END}\n", f"\n{BEGIN} x: y\n"]})
    repository.update()
    repository.describe(100)
    assert repository.lines() == [tightened(100)]


@pytest.mark.parametrize(
    "mark", [f"{BEGIN} abc: words -->\n", f"{END}\n", f"{BEGIN} a: b\n{END}\n{BEGIN} a: b\n{END}\n"]
)
def test_a_block_without_a_mark_is_an_error_that_changes_nothing(mark, repository):
    text = HAND.replace("### Added\n\n- By", f"{mark}\n### Added\n\n- By")
    repository.path.write_text(text, "utf-8")
    repository.describe(100)
    specs = str(repository.folder / "specs")
    assert main(["changes", "HEAD", specs, "--write-changelog", str(repository.path)]) == 2
    assert "remove it" in repository.capsys.readouterr().err
    assert repository.path.read_text("utf-8") == text


def test_a_beginning_that_is_not_there_is_an_error_that_names_it(repository):
    text = HAND.replace("## [0.1.0]", f"{BEGIN} 0123456789ab: words -->\n{END}\n\n## [0.1.0]")
    repository.path.write_text(text, "utf-8")
    specs = str(repository.folder / "specs")
    assert main(["changes", "HEAD", specs, "--write-changelog", str(repository.path)]) == 2
    assert "CHANGELOG.md: tells what changed since 0123456789ab: " in repository.capsys.readouterr().err
    assert repository.path.read_text("utf-8") == text


def test_folders_are_compared_as_they_are_named(repository, tmp_path):
    old = write_revision(
        tmp_path / "old", json.loads((repository.folder / "specs" / "openapi.json").read_text("utf-8"))
    )
    repository.describe(100)
    assert repository.lines(str(old)) == [tightened(100)]
    assert str(tmp_path) not in repository.path.read_text("utf-8")


@pytest.mark.parametrize("name", [".", "..", "my old", "old\n-->"])
def test_a_folder_of_any_name_is_known_again_the_next_time(name, repository, tmp_path, monkeypatch):
    if os.name == "nt" and not name.isprintable():
        pytest.skip("no folder on Windows has such a name")
    document = json.loads((repository.folder / "specs" / "openapi.json").read_text("utf-8"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    write_revision(Path(name), document)
    repository.describe(100)
    assert repository.lines(name) == [tightened(100)]


def test_ends_of_lines_stay_as_they_are(repository):
    repository.path.write_bytes(HAND.replace("\n", "\r\n").encode())
    repository.describe(100)
    for _ in range(2):
        repository.update()
        data = repository.path.read_bytes()
        assert tightened(100).encode() in data
        assert data.count(b"\n") == data.count(b"\r\n")
