"""Texts of a description as docstrings: their lines, their HTML, and the limits and defaults that end them."""

from __future__ import annotations

import ast
import inspect
import pydoc
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.output.prose import docstring
from skills_video_runtime import PayloadError
from tests.support.project import description

LONG = "word " * 60
TEXTS = {
    "a sentence\nthat goes on\n\nanother": "a sentence that goes on\n\nanother",
    "Mode. One of:\n- fast: quick\n  and dirty\n- slow: good": "Mode. One of:\n- fast: quick and dirty\n- slow: good",
    "• one\n• two\n1. three\n2) four": "• one\n• two\n1. three\n2) four",
    "* a\n  * b\n    * c\n\nend": "* a\n  * b\n    * c\n\nend",
    "5 - 10\n-5 is low\n**bold**\nend": "5 - 10 -5 is low **bold** end",
    '```json\n{"a":  1,\n   "b": 2}\n```\nafter\nit': '```json\n{"a":  1,\n   "b": 2}\n```\nafter it',
    "# Head\ntext\nmore\n| a | b |\n|---|---|\n| 1 | 2 |": "# Head\ntext more\n| a | b |\n|---|---|\n| 1 | 2 |",
    "a | b\n--- | ---\n1 | 2": "a | b\n--- | ---\n1 | 2",
    "one  \ntwo\\\nthree": "one\ntwo\\\nthree",
    "\r\n  one\r\n  two\r\n\r\n\r\n  three\r\n": "one two\n\nthree",
    "<p>A <b>clip</b>, <code>mp4</code>.</p><p>Or&nbsp;so &lt;b&gt;</p>": "A clip, `mp4`.\n\nOr so <b>",
    "Of:<ul> <li> <p>one</p> </li><li>two</li></ul>then": "Of:\n\n- one\n\n- two\n\nthen",
    "one<br>two<br/>three": "one two three",
    'See <a class="x" href="https://a.example/?a=1&b=2">this</a>.': "See this (https://a.example/?a=1&b=2).",
    "<a href='https://a.example'>https://a.example</a>": "https://a.example",
    "Put <prompt> where `<br>` and a < b stand, <3": "Put <prompt> where `<br>` and a < b stand, <3",
    "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>": "| a | b |\n| 1 | 2 |",
    "<pre>x = 1\n  y</pre>": "```\nx = 1\n  y\n```",
}


def shown(text, **more):
    """Give a docstring as Python reads it."""
    source = f"class C:\n    {docstring(text, **more)}\n"
    node = ast.parse(source).body[0]
    return ast.get_docstring(node), source


@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=repr)
def test_lines_that_mean_something_are_kept_and_html_becomes_text(text, expected):
    assert shown(text)[0] == expected


def test_long_lines_are_broken_where_they_may_be():
    text, source = shown(f"{LONG}\n\n- {LONG}\n- b", arguments=(("duration", LONG), ("x", "Not described.")))
    assert max(map(len, source.splitlines())) <= 120
    body = text.split("\n")
    assert sum(line.startswith("  word") for line in body) >= 2
    assert body[-1] == "    x: Not described."
    assert "        word" in text[text.index("Args:") :]


@given(st.text(alphabet=st.sampled_from("ab \n\\\"'`<>-*|#&;{}%\x00\u202e\ud800"), max_size=60))
def test_no_text_becomes_code(text):
    node = ast.parse(f"class C:\n    {docstring(text)}\n    x = 1\n").body[0]
    assert [type(item) for item in node.body] == [ast.Expr, ast.Assign]


@given(st.text(alphabet=st.sampled_from("abc \n-*"), max_size=80))
def test_no_word_is_lost(text):
    assert shown(text)[0].split() == text.split()


FIELDS = {
    "duration": ({"type": "integer", "minimum": 4, "maximum": 15, "default": 5}, "Clip length.", "4 to 15; default 5."),
    "prompt": ({"type": "string", "minLength": 1, "maxLength": 2500}, "Words", "1 to 2500 characters."),
    "ratio": ({"enum": ["16:9", "9:16"], "default": "16:9"}, "", 'Default "16:9".'),
    "scale": ({"type": "number", "exclusiveMinimum": 0, "maximum": 1.5}, "", "More than 0; at most 1.5."),
    "steps": ({"type": "integer", "multipleOf": 8}, "", "A multiple of 8."),
    "urls": ({"type": "array", "maxItems": 1, "items": {"type": "string", "maxLength": 9}}, "",
             "At most 1 item; each at most 9 characters."),
    "either": ({"anyOf": [{"type": "integer", "maximum": 9}, {"const": "auto"}, {"type": "null"}]}, "", "At most 9."),
    "code": ({"type": "string", "pattern": "^[a-z]+$"}, "", "Matches `^[a-z]+$`."),
    "half": ({"enum": [0.5, 1]}, "", "One of 0.5, 1."),
    "old": ({"type": "boolean", "deprecated": True, "default": False}, "Was once used", "Deprecated; default False."),
    "said": ({"type": "integer", "minimum": 1, "maximum": 9, "default": 2}, "From 1 to 9, default 2.", ""),
    "listed": ({"type": "string", "default": "a"}, "One of:\n- a\n- b", 'Default "a".'),
}  # fmt: skip


def test_what_an_editor_drops_ends_the_text_of_a_field(project):
    body = {
        "type": "object",
        "properties": {
            name: {**schema, "description": text} if text else schema for name, (schema, text, _) in FIELDS.items()
        },
        "required": ["prompt"],
    }
    project.write(description({"acme/one": body}))
    assert project.run() == 0
    tree = ast.parse(project.text("acme_one.py"))
    made = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Payload")
    texts = {
        item.target.id: inspect.cleandoc(text.value.value)
        for item, text in zip(made.body, made.body[1:], strict=False)
        if isinstance(item, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    for name, (_, text, facts) in FIELDS.items():
        assert texts[name].startswith(text)
        assert texts[name].endswith(facts or text), name
    assert texts["duration"] == "Clip length. 4 to 15; default 5."
    assert texts["prompt"] == "Words. 1 to 2500 characters."
    assert texts["listed"] == 'One of:\n- a\n- b\n\nDefault "a".'
    assert texts["said"] == "From 1 to 9, default 2."


def test_help_and_signatures_show_every_field(project):
    body = {
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "description": "What to show:\n- people\n- places"},
            "bare": {"type": "string"},
            "blank": {"type": "string", "description": "  \n "},
            "seed": {"type": "integer", "minimum": 0, "description": f"{LONG}\n\nMore."},
        },
        "required": ["prompt"],
        "description": "Makes a clip.",
    }
    project.write(description({"acme/one": body}))
    assert project.run() == 0
    cls = project.load("acme_one").Payload
    text = pydoc.plain(pydoc.render_doc(cls))
    assert "prompt: What to show\n" in text
    assert "bare: Not described." in text
    assert "blank: Not described." in text
    assert textwrap.dedent(inspect.getdoc(cls)).startswith("Makes a clip.\n\nArgs:\n    prompt: ")
    assert "More." not in text
    assert "At least 0." in text
    assert '"""\n    """' not in project.text("acme_one.py")


def test_a_long_enumeration_is_named_once(project):
    zones = [f"Region/Town of {index}" for index in range(300)]
    sizes = [f"{index}:{index}" for index in range(4)]
    place = {"enum": zones}
    body = {
        "type": "object",
        "properties": {"zone": {**place, "default": zones[0]}, "other": place, "size": {"enum": sizes},
                       "voice": {"enum": zones[:99]}, "Voice": {"type": "string"}},
    }  # fmt: skip
    project.write(description({"acme/one": body}))
    assert project.run() == 0
    text = project.text("acme_one.py")
    assert text.count(zones[150]) == 1
    assert max(map(len, text.splitlines())) <= 120
    module = project.load("acme_one")
    assert module.Zone.__args__ == tuple(zones)
    assert module.VoiceValue.__args__ == tuple(zones[:99])
    payload = module.Payload(zone=zones[7], other=zones[8], voice=zones[9], Voice="x")
    assert module.parse(payload.to_dict()) == payload
    with pytest.raises(PayloadError, match="zone"):
        module.Payload(zone="Nowhere")


def test_long_enumerations_that_python_holds_to_be_equal_are_two(project):
    texts = [f"Region/Town of {index}" for index in range(20)]
    project.write(description({"acme/one": {"type": "object", "properties": {
        "number": {"enum": [1, *texts]}, "flag": {"enum": [True, *texts]},
    }}}))  # fmt: skip
    assert project.run() == 0
    cls = project.load("acme_one").Payload
    assert cls(number=1, flag=True).to_dict() == {"number": 1, "flag": True}
    for wrong in ({"number": True}, {"flag": 1}):
        with pytest.raises(PayloadError):
            cls(**wrong)


def test_numbers_too_great_for_a_literal_are_values_all_the_same(project):
    great = {"const": 2**64}, {"enum": [1, -(2**63), "x", 2**63 - 1]}
    project.write(description({"acme/one": {"type": "object", "properties": dict(zip("xy", great, strict=True))}}))
    assert project.run() == 0
    cls = project.load("acme_one").Payload
    assert cls(x=2**64, y=-(2**63)).to_dict() == {"x": 2**64, "y": -(2**63)}
    assert cls(y=2**63 - 1).y == 2**63 - 1
    with pytest.raises(PayloadError):
        cls(y=2**63)


VALUES = {
    "beside": {"enum": [1, 2], "x-enum-varnames": ["FAST", "SLOW"], "x-enum-descriptions": ["Quick.", "Good."]},
    "by_value": {"enum": ["a", "b"], "x-enumDescriptions": {"a": "First.", "c": "None."}, "description": "Mode."},
    "among": {"oneOf": [{"const": "x", "title": "Ex", "description": "It\nis."}, {"enum": ["y"], "title": "y"}]},
    "listed": {"type": "array", "items": {"anyOf": [{"const": True, "description": "On."}, {"type": "integer"}]}},
    "said": {"enum": ["a"], "x-enum-descriptions": ["First."], "description": "a: First."},
    "odd": {"enum": ["a", "b"], "x-enum-descriptions": [5], "x-enum-varnames": "no"},
}


def test_names_and_texts_of_values_are_told_with_the_field(project):
    project.write(description({"acme/one": {"type": "object", "properties": VALUES}}))
    assert project.run() == 0
    text = project.text("acme_one.py")
    for lines in (
        "- `1`: FAST, Quick.\n    - `2`: SLOW, Good.\n",
        'Mode.\n    - `"a"`: First.\n',
        '- `"x"`: Ex, It is.',
        "- `true`: On.",
    ):
        assert lines in text
    assert text.count("First.") == 3
    assert '`"y"`' not in text
    assert "None." not in text
