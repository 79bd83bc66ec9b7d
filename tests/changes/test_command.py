"""`python -m generator changes` as a user runs it: forms, exit codes, revisions, and text that must not act."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.__main__ import main
from tests.support.children import finished
from tests.support.project import description, navigation, pages_of
from tests.support.revisions import write_revision

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
SPECS = Path(__file__).parent / "specs"
SCHEMA = "/paths/~1generation~1acme~1one/post/requestBody/content/application~1json/schema"
BODY = {"type": "object", "properties": {"prompt": {"type": "string"}, "mode": {"enum": ["a", "b"]}}}
NARROWER = {"type": "object", "properties": {"prompt": {"type": "string"}, "mode": {"enum": ["a"]}}}
WIDER = {"type": "object", "properties": {"prompt": {"type": "string"}, "mode": {"enum": ["a", "b", "c"]}}}


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Compare two bodies, and give the exit code and what was printed."""
    monkeypatch.setattr("generator.changes.version.VERSION", "0.1.0")

    def compare(old: Any, new: Any, *options: str) -> tuple[int, str]:
        revisions = [
            write_revision(tmp_path / name, description({"acme/one": body}))
            for name, body in (("old", old), ("new", new))
        ]
        code = main(["changes", *map(str, revisions), *options])
        return code, capsys.readouterr().out

    return compare


def test_json_is_a_list_of_rows_with_a_rule_and_a_place(run):
    code, out = run(BODY, NARROWER, "--json")
    assert code == 0
    assert json.loads(out) == [
        {
            "model": "acme/one",
            "kind": "tightened",
            "rule": "request-value-tightened",
            "path": "mode",
            "old": ["a", "b"],
            "new": ["a"],
            "breaking": True,
            "verdict": "breaks",
            "accepted": "",
            "file": "openapi.json",
            "pointer": f"{SCHEMA}/properties/mode",
            "text": 'mode: no longer takes "b"',
            "witness": {"form": "payload", "value": {"mode": "b"}},
        }
    ]


@pytest.mark.parametrize(
    ("old", "new", "options", "code"),
    [
        (BODY, NARROWER, ("--fail-on-breaking",), 1),
        (BODY, NARROWER, ("--fail-on-breaking", "--json"), 1),
        (BODY, NARROWER, ("--fail-on-breaking", "--markdown"), 1),
        (BODY, NARROWER, (), 0),
        (BODY, WIDER, ("--fail-on-breaking",), 0),
        (BODY, BODY, ("--fail-on-breaking",), 0),
    ],
)
def test_exit_code_is_one_only_if_something_breaks_and_that_was_asked(old, new, options, code, run):
    assert run(old, new, *options)[0] == code


@pytest.mark.parametrize(
    ("new", "proposal"),
    [
        (NARROWER, "version: minor, 0.1.0 → 0.2.0; 1 breaking change would be major"),
        (WIDER, "version: minor, 0.1.0 → 0.2.0; nothing breaks"),
        (BODY | {"description": "x"}, "version: patch, 0.1.0 → 0.1.1; order and wording alone"),
        (BODY, "version: none; nothing changed"),
    ],
)
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_version_is_proposed(new, proposal, form, run):
    _, out = run(BODY, new, *(["--markdown"] if form == "markdown" else []))
    assert proposal in out


def test_a_breaking_change_is_major_from_version_1_on(run, monkeypatch):
    monkeypatch.setattr("generator.changes.version.VERSION", "1.4.2")
    assert "version: major, 1.4.2 → 2.0.0" in run(BODY, NARROWER)[1]
    assert "version: minor, 1.4.2 → 1.5.0" in run(BODY, WIDER)[1]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "Nothing changed.\nversion: none; nothing changed\n"),
        (("--markdown",), "**Nothing changed.** Proposed version: none; nothing changed.\n"),
        (("--json",), "[]\n"),
        (("--changelog",), ""),
    ],
)
def test_no_change_is_said(options, text, run):
    assert run(BODY, BODY, *options) == (0, text)


def test_what_breaks_stands_first(capsys):
    assert main(["changes", str(SPECS / "previous"), str(SPECS / "current")]) == 0
    blocks = capsys.readouterr().out.split("\n\n")[:-1]
    breaks = ["BREAKS" in block for block in blocks]
    assert breaks == sorted(breaks, reverse=True)
    for block in blocks:
        lines = ["BREAKS" in line for line in block.splitlines()[1:] if not line.startswith(" " * 21)]
        assert lines == sorted(lines, reverse=True)


@pytest.mark.parametrize("form", [(), ("--markdown",)])
def test_a_parameter_that_no_call_sends_is_said_first(form, tmp_path, capsys):
    old = description({"acme/one": BODY, "acme/two": BODY})
    new = description({"acme/one": NARROWER, "acme/two": BODY})
    for item in new["paths"].values():
        item["post"]["parameters"] = [{"name": "X-Tenant", "in": "header", "required": True, "schema": {}}]
    folders = [write_revision(tmp_path / name, item) for name, item in (("old", old), ("new", new))]
    assert main(["changes", *map(str, folders), *form]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "BREAKS" in line or "**breaks" in line]
    assert "x-tenant" in told[0]
    assert "in all 2 models" in told[0]
    assert "mode" in told[1]


HOSTILE = (
    "\x1b[2J](http://evil.example) <img src=x> @torvalds #1 ``` `` `x` \n# head\n|a|\u202eabc https://evil.example GH-1"
)


def hostile(text: str) -> tuple[Any, Any]:
    old = {"type": "object", "properties": {text: {"enum": [text, "b"], "default": text, "description": text}}}
    new = {"type": "object", "properties": {text: {"enum": ["b"], "default": "b", "description": "b" + text}}}
    return old, new | {"title": text}


@pytest.mark.parametrize("form", ["--markdown", "--changelog"])
def test_text_of_a_description_stands_in_code_in_markdown(form, run):
    _, out = run(*hostile(HOSTILE), form)
    assert "evil.example" in out
    bare = re.sub(r"(?s)(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", out)
    bare = re.sub(r"(?m)^\|[-a-z0-9A-Z ,|]*\|$", "", bare)
    for mark in ("evil", "img", "@", "#1", "head", "GH-", "|", "\x1b", "\u202e"):
        assert mark not in bare
    starts = "- ", "### ", "**", "<details>", "</details>", "| ", "|---"
    assert all(line.startswith(starts) for line in out.splitlines() if line)


@pytest.mark.parametrize("text", ["`", "``", " a ", "`a", "a`", "", "\n", "a`b``c"])
def test_code_in_markdown_ends_where_the_text_ends(text):
    from generator.changes.report import code  # noqa: PLC0415  # one test of a function

    shown = code(text)
    fence = re.match("`+", shown)[0]
    assert shown.endswith(fence)
    assert fence not in re.findall("`+", shown[len(fence) : -len(fence)])


def test_text_of_a_description_shows_its_control_characters_in_a_terminal(run):
    _, out = run(*hostile(HOSTILE))
    assert all(character.isprintable() or character == "\n" for character in out)
    assert "\n# head" not in out


def test_markdown_fits_a_pull_request(tmp_path, capsys):
    many = {f"field_{index}": {"type": "string"} for index in range(900)}
    body = {"type": "object", "properties": many}
    other = {"type": "object", "properties": {name: {"type": "string", "maxLength": 9} for name in many}}
    revisions = [
        write_revision(tmp_path / name, description({"acme/one": item}))
        for name, item in (("old", body), ("new", other))
    ]
    assert main(["changes", *map(str, revisions), "--markdown"]) == 0
    out = capsys.readouterr().out
    assert len(out) < 65_536
    assert "more lines do not fit here" in out
    assert out.count("<details>") == out.count("</details>") == 1


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ("missing", "is no folder, and no git revision"),
        ("empty", "is a folder without openapi.json or openapi.yaml, and no git revision"),
        ("", "is no folder, and no git revision"),
        ("--help-me", None),
        ("a\x1b[2J", "is no folder, and no git revision"),
        ("broken", "is not JSON"),
    ],
)
def test_what_is_neither_folder_nor_revision_is_one_clear_error(old, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new = write_revision(tmp_path / "new", description({"acme/one": BODY}))
    (tmp_path / "empty").mkdir()
    write_revision(tmp_path / "broken", description({"acme/one": BODY}))
    (tmp_path / "broken" / "openapi.json").write_text("{", "utf-8")
    if words is None:
        with pytest.raises(SystemExit) as stopped:
            main(["changes", old, str(new)])
        assert stopped.value.code == 2
        return
    assert main(["changes", old, str(new)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert "\x1b" not in line


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(folder), *arguments]
    return finished(command, env=environment, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A copy of the generator in a repository of its own, with two revisions of specs/ behind it."""
    root = tmp_path / "copy"
    for name in ("generator", "templates"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(root))
    (root / "models").mkdir()
    for tag, body, config in (("one", BODY, ""), ("two", NARROWER, '[tool.generator.modules]\n"acme/one" = "other"\n')):
        write_revision(root / "specs", description({"acme/one": body}), navigation(*pages_of(["acme/one", "acme/two"])))
        (root / "specs" / "models").mkdir(exist_ok=True)
        scoped = description({"acme/two": body})
        (root / "specs" / "models" / "two.json").write_text(json.dumps(scoped), "utf-8")
        (root / "pyproject.toml").write_text(config, "utf-8")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", tag)
    return root


def changes_in(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "generator", "changes", *arguments]
    return finished(command, cwd=repository, env={**os.environ, "PYTHONPATH": str(repository)})


def test_a_folder_with_specs_is_a_working_tree(repository):
    path = repository / "specs" / "openapi.json"
    document = json.loads(path.read_text("utf-8"))
    document["info"]["version"] = "9"
    path.write_text(json.dumps(document), "utf-8")
    for new in (".", str(repository), "specs"):
        done = changes_in(repository, "HEAD", new, "--json")
        assert done.stderr == ""
        assert [row["rule"] for row in json.loads(done.stdout)] == ["version-changed"]


@pytest.mark.parametrize("old", ["one", "HEAD~1", "main^", "refs/tags/one", "one^{commit}"])
@pytest.mark.parametrize("new", ["two", "HEAD", "specs"])
def test_revisions_of_specs_are_compared_with_the_settings_they_had(old, new, repository):
    done = changes_in(repository, old, new, "--json")
    assert done.stderr == ""
    rows = [(row["model"], row["kind"], row["path"]) for row in json.loads(done.stdout)]
    assert rows == [
        ("acme/one", "moved", ""), ("acme/one", "tightened", "mode"), ("acme/two", "tightened", "mode"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "revision", ["--output=pwned", "-h", "nothing", "two:specs", "two^{tree}", "HEAD~9", "one..two", "^one"]
)
def test_a_revision_is_never_an_option_and_is_a_commit(revision, repository):
    done = changes_in(repository, "--", revision, "two")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {revision!r} is no folder, and no git revision of this repository")
    assert not list(repository.rglob("pwned"))


def test_a_revision_without_descriptions_is_an_error(repository):
    git(repository, "rm", "--quiet", "specs/openapi.json")
    git(repository, "commit", "--quiet", "--message", "three")
    done = changes_in(repository, "one", "HEAD")
    assert (done.returncode, done.stderr) == (
        2, "error: HEAD: has no specs/openapi.json (or .yaml); name another revision, or a folder\n",
    )  # fmt: skip


def test_an_error_in_a_revision_names_the_revision(repository):
    (repository / "specs" / "openapi.json").write_text("{", "utf-8")
    git(repository, "commit", "--quiet", "--all", "--message", "three")
    done = changes_in(repository, "HEAD", "two")
    assert done.returncode == 2
    assert done.stderr.startswith("error: HEAD/specs/openapi.json: is not JSON")


@pytest.fixture
def warned(repository):
    """A repository whose newest revision has much to be warned of."""
    specs = repository / "specs"
    document = description({"acme/one": BODY, "acme/bad": {"$ref": "#/nothing"}})
    document["paths"]["/generation/acme/three"] = {"$ref": "#/nothing"}
    pages = pages_of(["acme/one", "acme/two", "acme/bad", "acme/four"])
    write_revision(specs, document, navigation(*pages, "api-reference/acme-five"))
    (specs / "models" / "cut.json").write_text("{", "utf-8")
    (specs / "models" / "notes.txt").write_text("words", "utf-8")
    (specs / "openapi.yaml").write_text("openapi: 3.1.0", "utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "three")
    return repository


@pytest.mark.parametrize("new", ["HEAD", "specs", ".", "copied", "{}/specs"])
def test_what_is_warned_of_in_both_revisions_is_no_change(new, warned):
    shutil.copytree(warned / "specs", warned / "copied")
    done = changes_in(warned, "HEAD", new.format(warned))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing changed.\n")


def test_no_change_tells_where_a_revision_was_looked_at(warned):
    for ages in (["two", "HEAD"], ["HEAD", "two"], ["two", str(warned / "specs")], [str(warned / "specs"), "two"]):
        done = changes_in(warned, *ages, "--json")
        assert str(warned) not in done.stdout
        assert tempfile.gettempdir() not in done.stdout
        rows = json.loads(done.stdout)
        assert sum(row["kind"] == "warning" for row in rows) > 4
        assert not any(Path(row["file"]).is_absolute() for row in rows)


@pytest.mark.parametrize("name", ["specs/openapi.json", "specs/models/two.json", "pyproject.toml", "specs"])
def test_what_git_cannot_read_is_told_in_its_words(name, repository):
    found = git(repository, "rev-parse", f"one:{name}")
    (repository / ".git" / "objects" / found[:2] / found[2:]).unlink()
    done = changes_in(repository, "one", "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: git cannot read this repository: ")
    assert found in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("is_there", [True, False])
def test_a_repository_that_git_refuses_is_told_in_its_words(is_there, repository, monkeypatch):
    words = "dubious ownership"
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    if not is_there:
        words = "not a git repository"
        shutil.rmtree(repository / ".git")
    done = changes_in(repository, "one", "two")
    assert done.returncode == 2
    assert done.stderr.startswith("error: 'one' is no folder, and git finds no revision here: fatal: ")
    assert words in done.stderr
    assert changes_in(repository, "specs", ".").returncode == 0


def test_annotations_of_a_project_within_a_repository_stand_on_its_lines(repository):
    whole = repository.parent
    (repository / ".git").rename(whole / ".git")
    openapi = repository / "specs" / "openapi.json"
    for body in (BODY, NARROWER):
        openapi.write_text(json.dumps(description({"acme/one": body}), indent=1), "utf-8")
        git(whole, "add", "--all")
        git(whole, "commit", "--quiet", "--message", "next")
    done = changes_in(repository, "HEAD~1", "HEAD", "--format", "github")
    [first, _] = [at for at, line in enumerate(openapi.read_text("utf-8").splitlines(), 1) if '"mode"' in line]
    assert done.stdout.startswith(f"::error file=copy/specs/openapi.json,line={first},")


@pytest.mark.parametrize("text", [None, "# Changelog\n"])
def test_changelog_that_has_no_place_for_them_is_an_error(text, run, tmp_path, capsys):
    path = tmp_path / "CHANGELOG.md"
    if text is not None:
        path.write_text(text, "utf-8")
    assert run(BODY, NARROWER, "--write-changelog", str(path))[0] == 2
    assert text is None or path.read_text("utf-8") == text


def test_changelog_of_the_repository_has_a_place_for_them(tmp_path, run):
    path = Path(shutil.copy(ROOT / "CHANGELOG.md", tmp_path))
    assert run(BODY, BODY, "--write-changelog", str(path))[0] == 0
    assert path.read_text("utf-8") == (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert run(BODY, NARROWER, "--write-changelog", str(path))[0] == 0
    before, after = (ROOT / "CHANGELOG.md").read_text("utf-8"), path.read_text("utf-8")
    assert '- **Breaking:** `acme/one`: `mode`: no longer takes `"b"`.\n' in after
    assert not set(before.splitlines()) - set(after.splitlines())


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-on", "any"], 1),
        (["--fail-on", "tightened, removed"], 1),
        (["--fail-on", "removed", "--fail-on", "tightened"], 1),
        (["--fail-on", "removed,added"], 0),
        (["--fail-on", "breaking"], 1),
        (["--fail-on", "removed", "--fail-on-breaking"], 1),
    ],
)
def test_a_run_fails_on_the_kinds_that_it_is_told(options, code, run):
    assert run(BODY, NARROWER, *options)[0] == code
    assert run(BODY, BODY, *options)[0] == 0


@pytest.mark.parametrize("kinds", ["tighter", "", "removed,", "removed tightened"])
def test_a_kind_that_is_none_is_refused_with_those_that_are(kinds, run, capsys):
    with pytest.raises(SystemExit) as caught:
        run(BODY, NARROWER, "--fail-on", kinds)
    assert caught.value.code == 2
    assert "is none of any, breaking, breaks, may-break, removed, moved, tightened," in capsys.readouterr().err
