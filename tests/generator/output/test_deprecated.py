"""What a description calls deprecated is said wherever one learns of a model."""

from __future__ import annotations

import inspect
import sys
import warnings

import pytest

from skills_video_runtime.cli import main
from tests.support.project import description, operation

TEXT = {"type": "string"}
BODY = {
    "type": "object",
    "properties": {
        "prompt": TEXT,
        "old": {"type": "string", "maxLength": 9, "deprecated": True, "description": "Was a name."},
        "told": {"type": "string", "deprecated": True, "description": "Deprecated, use prompt."},
        "mode": {"oneOf": [{"const": "fast"}, {"const": "slow", "deprecated": True}]},
        "size": {"oneOf": [{"type": "integer"}, {"type": "string", "deprecated": True}]},
        "pair": {"oneOf": [{"const": [1, 1]}, {"const": [2, 2], "deprecated": True}]},
        "inner": {"type": "object", "deprecated": True, "properties": {"x": TEXT}, "description": "Once a thing."},
    },
    "required": ["prompt"],
}


@pytest.fixture
def package(project):
    models = {"acme/one": operation(BODY, deprecated=True), "acme/two": operation({"type": "object"})}
    project.write(description(models))
    assert project.run() == 0
    return project


def test_texts_and_schemas_of_fields_say_it(package):
    cls = package.load("acme_one").Payload
    text = inspect.getdoc(cls)
    assert "old: Was a name. Deprecated; at most 9 characters.\n" in text
    assert "told: Deprecated, use prompt.\n" in text
    assert 'mode: Deprecated values: "slow".' in text
    assert "pair: Deprecated values: [2, 2]." in text
    assert "size: Not described." in text
    assert "Deprecated." in package.load("acme_one").Inner.__doc__
    assert "old: Annotated[str, MaxLen(9), Deprecated()] | Unset = UNSET" in package.text("API.md")
    assert 'Deprecated("slow")' in package.text("API.md").replace("'", '"')
    members = cls.json_schema()["$defs"]["Payload"]["properties"]
    assert [name for name, schema in members.items() if schema.get("deprecated")] == ["old", "told", "inner"]


def test_a_model_says_it_in_the_catalog_the_api_and_the_command_line(package, capsys):
    models = package.load("catalog").MODELS
    assert [info.deprecated for info in models] == [True, False]
    assert "acme_one is deprecated\n" in package.text("API.md")
    assert "acme_two is deprecated" not in package.text("API.md")
    sys.path.insert(0, str(package.folder))
    try:
        for arguments in (["models"], ["show", "acme/one"], ["show", "acme/one", "--json"]):
            sys.argv = ["skills-video", *arguments]
            assert main(models, package.name) == 0
    finally:
        sys.path.remove(str(package.folder))
    said = capsys.readouterr().out
    assert "(deprecated)" in said
    assert "Deprecated: the platform advises against this model." in said
    assert '"deprecated": true' in said


def test_clients_of_a_deprecated_model_are_marked_for_type_checkers(package):
    assert package.text("acme_one.py").count("@deprecated(") == 2
    assert "deprecated" not in package.text("acme_two.py")
    module = package.load("acme_one")
    assert "advises against" in module.AcmeOne.__deprecated__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert module.parse({"prompt": "x"}).prompt == "x"
