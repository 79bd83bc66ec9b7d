"""What `changes` says to a continuous integration: annotations, JUnit, and what somebody has accepted."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from generator.__main__ import main
from tests.support.project import description
from tests.support.revisions import write_revision

BODY = {"type": "object", "properties": {"prompt": {"type": "string"}, "mode": {"enum": ["a", "b"]}}}
NARROWER = {"type": "object", "properties": {"mode": {"enum": ["a"]}}}
HOSTILE = "x\n::error::y\r%0A,file=z:1 ]]></failure>&<b>\x00\u202e"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def compare(old, new, *options, config="", indent=2):
        for name, body in (("old", old), ("new", new)):
            folder = write_revision(tmp_path / name, description({"acme/one": body}))
            document = json.loads((folder / "openapi.json").read_text("utf-8"))
            (folder / "openapi.json").write_text(json.dumps(document, indent=indent), "utf-8")
        (tmp_path / "pyproject.toml").write_text(config, "utf-8")
        code = main(["changes", "old", "new", "--config", str(tmp_path / "pyproject.toml"), *options])
        return code, *capsys.readouterr()

    return compare


def annotations(out):
    pattern = r"::(error|notice) file=new/openapi\.json,line=(\d+),title=([a-z-]+)::(.*)"
    return [re.fullmatch(pattern, line).groups() for line in out.splitlines()]


def test_annotations_stand_on_the_lines_of_the_description(run, tmp_path):
    code, out, _ = run(BODY, {**NARROWER, "description": "other"}, "--format", "github", "--fail-on-breaking")
    assert code == 1
    lines = (tmp_path / "new" / "openapi.json").read_text("utf-8").splitlines()
    found = {rule: (level, lines[int(line) - 1].strip(), text) for level, line, rule, text in annotations(out)}
    assert found["request-value-tightened"] == ("error", '"mode": {', 'acme/one: mode: no longer takes "b"')
    level, line, text = found["request-field-removed"]
    assert (level, line) == ("error", '"schema": {')
    assert text.startswith("acme/one: prompt: is gone")
    levels = [level for level, *_ in annotations(out)]
    assert levels == sorted(levels)


@pytest.mark.parametrize(("indent", "expected"), [(None, 1), (0, None)])
def test_a_description_on_one_line_is_line_one(indent, expected, run, tmp_path):
    _, out, _ = run(BODY, NARROWER, "--format=github", indent=indent)
    found = {rule: int(line) for _, line, rule, _ in annotations(out)}
    text = (tmp_path / "new" / "openapi.json").read_text("utf-8")
    assert found["request-value-tightened"] == (expected or text.splitlines().index('"mode": {') + 1)


@pytest.mark.parametrize("value", [HOSTILE, "::warning::", "%0A", "\ud800"])
def test_no_text_of_a_description_is_a_command_or_a_tag(value, run):
    new = {"type": "object", "properties": {"mode": {"enum": ["a", value]}, value: {"type": "string"}}}
    code, out, _ = run(BODY, new, "--format", "github")
    assert code == 0
    assert all(line.startswith(("::error file=", "::notice file=")) for line in out.split("\n")[:-1])
    assert "\r" not in out
    assert "%" not in re.sub("%25", "", out)
    _, out, _ = run(BODY, new, "--format", "junit")
    suites = ET.fromstring(out.encode("utf-8"))
    assert {element.tag for element in suites.iter()} == {"testsuites", "testsuite", "testcase", "failure"}


def test_junit_has_a_case_for_each_change_and_a_failure_for_each_that_breaks(run):
    _, out, _ = run(BODY, {**NARROWER, "description": "other"}, "--format", "junit")
    [suite] = ET.fromstring(out.encode("utf-8"))
    _, rows, _ = run(BODY, {**NARROWER, "description": "other"}, "--json")
    rows = json.loads(rows)
    broken = [row["rule"] for row in rows if row["breaking"]]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(rows)), str(len(broken)))
    assert [failure.get("type") for failure in suite.iter("failure")] == broken
    assert {case.get("classname") for case in suite} == {row["model"] for row in rows}


def test_nothing_changed_is_no_annotation_and_an_empty_suite(run):
    assert run(BODY, BODY, "--format", "github")[1] == ""
    [suite] = ET.fromstring(run(BODY, BODY, "--format", "junit")[1].encode("utf-8"))
    assert list(suite) == []


LIST = "[[tool.generator.accepted]]\n"
ACCEPTED = """
[[tool.generator.accepted]]
rule = "request-value-tightened"
model = "acme/one"
path = "mode"
reason = "nobody sends <b>"
"""


def test_what_is_accepted_is_told_with_its_reason_and_fails_no_run(run):
    narrower = {"type": "object", "properties": {"prompt": {"type": "string"}, "mode": {"enum": ["a"]}}}
    code, out, err = run(BODY, narrower, "--fail-on", "any", config=ACCEPTED)
    assert (code, err) == (0, "")
    assert "accepted: nobody sends <b>" in out
    assert run(BODY, NARROWER, "--fail-on", "breaking", config=ACCEPTED)[0] == 1
    everywhere = ACCEPTED.replace('path = "mode"\n', "").replace('model = "acme/one"\n', "")
    assert run(BODY, narrower, "--fail-on", "any", config=everywhere)[0] == 0
    assert run(BODY, narrower, "--fail-on-breaking", config=everywhere)[0] == 0
    assert run(BODY, narrower, "--fail-on-breaking")[0] == 1
    _, out, _ = run(BODY, narrower, "--markdown", config=everywhere)
    assert "; accepted: `nobody sends <b>`" in out
    assert json.loads(run(BODY, narrower, "--json", config=everywhere)[1])[0]["accepted"] == "nobody sends <b>"
    assert "::notice file=new" in run(BODY, narrower, "--format", "github", config=everywhere)[1]
    _, out, _ = run(BODY, narrower, "--format", "junit", config=everywhere)
    assert '<skipped message="nobody sends &lt;b&gt;"/>' in out


@pytest.mark.parametrize(
    ("old", "new"), [('"mode"', '"other"'), ("acme/one", "acme/two"), ("request-value-tightened", "request-value")]
)
def test_an_entry_that_is_about_no_change_is_told(old, new, run):
    config = ACCEPTED.replace(old, new)
    code, _, err = run(BODY, NARROWER, "--fail-on-breaking", config=config)
    assert code == 1
    assert err.startswith("warning: pyproject.toml#/tool/generator/accepted/0: accepts no change: rule 'request-value")
    assert err.endswith("; remove it\n")


@pytest.mark.parametrize(
    "config",
    [
        LIST + 'rule = "x"', LIST + 'reason = "x"', LIST + 'rule = "x"\nreason = " "', LIST + 'rule = 1\nreason = "x"',
        LIST + 'rule = "x"\nreason = "x"\nwhere = "y"', "[tool.generator]\naccepted = [1]", "[tool.generator.accepted]",
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_understood_is_an_error(config, run):
    code, out, err = run(BODY, NARROWER, config=config)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "[[tool.generator.accepted]]" in err
