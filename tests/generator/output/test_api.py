"""API.md: one line for each public name, which changes when the name does."""

from __future__ import annotations

import ast
import difflib
import re
from pathlib import Path

import pytest

from tests.support.project import description

PACKAGE = Path(__file__).parents[3] / "generated" / "skills_video"
ITEM = {"type": "object", "properties": {"scores": {"type": "array", "items": {"type": "integer", "minimum": 1}}}}


def body(**properties):
    return {"type": "object", "properties": {"prompt": {"type": "string"}, **properties}, "required": ["prompt"]}


def lines_of(text, module):
    return [line for line in text.splitlines() if line.startswith(f"{module}.")]


def names_in(module):
    """Give what a module defines, as a reader of its source would list it."""
    for node in ast.parse((PACKAGE / f"{module}.py").read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and not ast.unparse(item.annotation).startswith("ClassVar"):
                    yield f"{node.name}.{ast.unparse(item.target)}"
        elif isinstance(node, ast.FunctionDef) and node.name != "__dir__":
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target)


MODULES = sorted(path.stem for path in PACKAGE.glob("*_*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_of_a_module_has_one_line(module):
    lines = lines_of((PACKAGE / "API.md").read_text("utf-8"), module)
    listed = [re.match(r"[\w.]+", line)[0].removeprefix(f"{module}.") for line in lines]
    assert sorted(name for name in listed if not name.endswith((".rules", ".one_of"))) == sorted(names_in(module))


def test_a_line_tells_type_limits_default_and_name_on_the_wire(project):
    fields = {"class": {"type": "integer", "minimum": 1, "maximum": 4, "default": 2}, "a": {"const": "x"}}
    project.write(description({"acme/one": {**body(**fields), "required": ["prompt", "a"], "minProperties": 2}}))
    assert project.run() == 0
    create = "/generation/acme/one"
    assert lines_of(project.text("API.md"), "acme_one") == [
        f"acme_one.ENDPOINT = Endpoint('acme/one', '/generation/sse/acme/one', {create!r}, '/generation/{{id}}')",
        "acme_one.Payload(BasePayload)",
        "acme_one.Payload.rules = MinProperties(2)",
        "acme_one.Payload.prompt: str",
        "acme_one.Payload.class_: Annotated[int, Ge(1), Le(4), Default(2)] | Unset = UNSET (on the wire: 'class')",
        "acme_one.Payload.a: Literal['x'] = 'x'",
        "acme_one.parse(data: Mapping[str, object]) -> Payload",
        "acme_one.AcmeOne(ModelClient[Payload])",
        "acme_one.AsyncAcmeOne(AsyncModelClient[Payload])",
    ]


def test_a_bound_deep_inside_is_one_line(project):
    project.write(description({"acme/one": body(items={"type": "array", "items": ITEM})}))
    assert project.run() == 0
    before = project.text("API.md")
    changed = {**ITEM, "properties": {"scores": {"type": "array", "items": {"type": "integer", "minimum": 2}}}}
    project.write(description({"acme/one": body(items={"type": "array", "items": changed})}))
    assert project.run() == 0
    differing = [line for line in difflib.ndiff(before.splitlines(), project.text("API.md").splitlines())
                 if line[0] in "-+"]  # fmt: skip
    assert differing == [
        "- acme_one.ItemsItem.scores: Array[Annotated[int, Ge(1)]] | Unset = UNSET",
        "+ acme_one.ItemsItem.scores: Array[Annotated[int, Ge(2)]] | Unset = UNSET",
    ]


def test_no_value_of_a_description_ends_a_line_or_the_block(project):
    hostile = "\n```\n<img src=x>\u202e"
    project.write(description({"acme/one": body(mode={"enum": [hostile], "default": hostile}, **{hostile: {}})}))
    assert project.run() == 0
    text = project.text("API.md")
    assert text.count("\n```") == 2
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if line.startswith("<")]
