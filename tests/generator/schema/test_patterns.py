"""Patterns are ECMA-262's: judged by an engine that is, and none of them takes long."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress
from typing import get_args, get_type_hints

import pytest
import regress

from generator.schema.patterns import judged, matches
from skills_video_runtime import Pattern, PayloadError
from tests.support.project import Project, description

SAME = [
    r"^\d+$", r"^.+$", r"^\w+$", r"^\S$", r"^\s*$", r"^\D\W$", r"[^\s]", r"\bx\b", r"^\Bx?", r"^\p{L}+$", r"^\P{Lu}$",
    r"^[\p{Lu}\d_]+$", r"^[^\p{Letter}]$", r"^\p{gc=Nd}$", r"[\w-]", r"[\w- ]", r"^[+--]$", r"^\u{1F600}$",
    r"^\ud83d\ude00$", r"^(?<a>x)\k<a>$", r"^(?<a>x)?\k<a>y$", r"^(a)?\1b$", r"^[^]$", r"[]", r"^[[A-Z]{1,3}$",
    r"^[a||b]$", r"^[a&&b]$", r"^[\b]$", r"^\/a\/$", r"(?<=a)b", r"(?<!a)b$", r"^\x41\u0042\cJ\0?$", r"^a{2,}?$",
    r"^(?:a|b)+?$", r"^(?=.*[A-Z])(?=.*\d).{3,}$", r"^\$\.\^\*\{\}$", r"^[\^\]\\\-]$", r"^$|^a$", r"\t|\v|\f",
]  # fmt: skip
ENDS = ("", "\n", "\r", "\u2028", "a", "-", " ", "é", "٣", "1", "\x85", "\ufeff")
TEXTS = [
    "", "1", "12", "a", "b", "ab", "xx", "y", "x", "x y", "B", "AB", "Ä", "ä", "_", "-", "+", ",", "[", "|", "&", "😀",
    "😀😀", "\x08", "\x00", "\t", "\v", "\x1c", "\u2003", "/a/", "$.^*{}", "]", "\\", "^", "aA1", "AB\n", "AB\n\0",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SAME)
def test_pattern_matches_what_it_matches_in_ecma_262(pattern):
    try:
        engine = regress.Regex(pattern, "u")
    except regress.RegressError:
        engine = regress.Regex(pattern)
    assert judged(pattern).reason == ""
    for text in (text + end for text in TEXTS for end in ENDS):
        assert matches(pattern, text) is (engine.find(text) is not None), repr(text)


LINEAR = [
    r"^[a-z]+(-[a-z]+)*$", r"^[A-Za-z0-9+/]+={0,2}$", r"^https://[^/]+/.*$", r"^\d{1,3}(\.\d{1,3}){3}$", r"^(a|ab)*c$",
    r"^#[0-9a-f]{6}$", r"^[A-Z][a-z]*( [A-Z][a-z]*)*$", r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    r"^(?!-)[a-z-]+$",
]  # fmt: skip
SLOWER = [r"\s*$", r"[a-z]+@", r"^[^@\s]+@[^@\s]+\.[^@\s]+$", r".*a.*b.*c", r"^\s+|\s+$", r"^(.+)\.(.+)\.(.+)!$"]
ENDLESS = [
    r"^(a+)+$", r"^(a|aa)+$", r"^([a-z]+\s?)+$", r"^(a*)*$", r"^(?:a?b?)*c$", r"^(.*?,){11}P$", r"^(x+x+)+y$",
    r"^https://([.\-_a-zA-Z0-9]+/?){3,1016}$", r"^(a?){30}a{30}$", r"^(\w+\.?)*@", r"^" + "a?" * 24 + "a" * 24 + "$",
    r"^(https?:\/\/)?([\da-z\.-]+)\.([a-z\.]{2,6})([\/\w \.-]*)*\/?$", r"^(?=(a+)+$)b",
]  # fmt: skip
FOREIGN = [r"\p{Script=Han}", r"(?i)a", r"(?P<a>b)", r"\A[a-z]\Z", r"a++", r"\k<b>", r"(?<=a+)b", "(", "[a", "a{2}{3}"]


@pytest.mark.parametrize("pattern", LINEAR)
def test_ordinary_pattern_is_checked_however_long_the_text_is(pattern):
    assert judged(pattern).longest is None
    assert judged(pattern).python


@pytest.mark.parametrize("pattern", [*ENDLESS, *FOREIGN])
def test_pattern_that_cannot_be_checked_is_shown_and_reported(pattern, project, capsys):
    text = {"type": "string", "pattern": pattern, "default": "a" * 60 + "!"}
    project.write(description({"acme/one": {"type": "object", "properties": {"a": text}}}))
    assert project.run() == 0
    told = capsys.readouterr().err
    assert "/properties/a/pattern: " in told
    assert "is shown, and checked by the platform alone" in told
    module = project.load("acme_one")
    annotation, _ = get_args(get_type_hints(module.Payload, include_extras=True)["a"])
    assert Pattern(pattern, None) in annotation.__metadata__
    assert module.parse({"a": "a" * 1000 + "!"})


def hostile():
    """Give texts of a megabyte that a pattern nearly matches."""
    for unit in ("a", " ", "a-", "-", "a ", "a.", "x", "https://a/", "a@a.", "1", "A"):
        for start in ("", "https://"):
            yield start + unit * (1_000_000 // len(unit)) + "!"


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Give a module whose payload has a member for each pattern."""
    project = Project(tmp_path_factory.mktemp("patterns"))
    patterns = [*LINEAR, *SLOWER]
    members = {f"p{index}": {"type": "string", "pattern": pattern} for index, pattern in enumerate(patterns)}
    project.write(description({"acme/one": {"type": "object", "properties": members}}))
    assert project.run() == 0
    return project.load("acme_one")


@pytest.mark.parametrize(("index", "pattern"), list(enumerate([*LINEAR, *SLOWER])))
def test_check_of_a_megabyte_ends_within_a_second(index, pattern, checked):
    longest = judged(pattern).longest or 1_000_000
    for text in hostile():
        for value in (text, text[: longest - 1] + "!"):
            start = time.process_time()
            with suppress(PayloadError):
                checked.parse({f"p{index}": value})
            assert time.process_time() - start < 1


def test_text_that_is_too_long_is_put_to_no_pattern(project):
    text = {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3}
    project.write(description({"acme/one": {"type": "object", "properties": {"a": text}}}))
    assert project.run() == 0
    with pytest.raises(PayloadError) as info:
        project.load("acme_one").parse({"a": "ABCD"})
    assert [violation.rule for violation in info.value.violations] == ["maxLength"]


def test_set_that_python_warns_of_is_checked_where_warnings_are_errors(project):
    text = {"type": "string", "pattern": "^[[a||b&&c]+$"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        project.write(description({"acme/one": {"type": "object", "properties": {"a": text}}}))
        assert project.run() == 0
        module = project.load("acme_one")
        assert module.parse({"a": "[|"}).a == "[|"
        with pytest.raises(PayloadError, match="does not match"):
            module.parse({"a": "x"})
