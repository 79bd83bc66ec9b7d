"""How names of a description become names of Python."""

from __future__ import annotations

import ast
import inspect
import json
import keyword
import random
from pathlib import Path
from typing import get_args

import pytest

from generator.diagnostics import GeneratorError
from generator.names import RESERVED_CLASSES, RESERVED_FIELDS, cap_words, field_names, module_name
from generator.output import annotations
from skills_video_runtime import BasePayload, PayloadError
from tests.support.project import description

PACKAGE = Path(__file__).parents[2] / "generated" / "skills_video"
MODULES = {
    "kling-ai/kling-v2.6": "kling_v2_6",
    "kling-ai/kling-v2.5-turbo": "kling_v2_5_turbo",
    "kling-ai/o3/video": "kling_o3_video",
    "kling-ai/v3/video": "kling_v3_video",
    "openai/sora-2-pro": "openai_sora_2_pro",
    "google/veo-3.1": "google_veo_3_1",
    "happyhorse/happyhorse-1.0": "happyhorse_1_0",
    "xai/grok-imagine-video/extend-video": "xai_grok_imagine_video_extend_video",
    "ltx-2.3": "ltx_2_3",
    "wan/wan-v2.7/edit-video": "wan_v2_7_edit_video",
    "runwayml/gen4-aleph": "runwayml_gen4_aleph",
    "luma/luma": "luma",
    "luma/lumatic-1": "luma_lumatic_1",
    "open-ai-labs/one": "open_ai_labs_one",
    "acme/One--Two__3": "acme_one_two_3",
    "42/one": None,
    "acme-ai/import": "acme_import",
    "import": None,
    "catalog": None,
    "con": None,
    "skills-video": None,
}


@pytest.mark.parametrize(("model", "module"), MODULES.items())
def test_module_is_named_by_provider_and_rest(model, module):
    if module is None:
        with pytest.raises(GeneratorError, match=r"\[tool\.generator\.modules\]"):
            module_name(model, {})
    else:
        assert module_name(model, {}) == module


def test_every_module_of_the_repository_is_named_by_its_id_alone():
    models = json.loads((PACKAGE / "MANIFEST.json").read_text("utf-8"))["modules"]
    assert len(models) > 30
    assert {module_name(entry["model"], {}) for entry in models.values()} == set(models)


@pytest.mark.parametrize(
    ("module", "client"),
    [
        ("kling_v2_6", "KlingV26"),
        ("ltx_2_3", "Ltx23"),
        ("openai_sora_2_pro", "OpenaiSora2Pro"),
        ("google_veo_3_1", "GoogleVeo31"),
    ],
)
def test_client_is_the_module_in_cap_words(module, client):
    assert cap_words(module) == client


def config(project, text):
    path = project.folder / "pyproject.toml"
    path.write_text(text, "utf-8")
    return "--config", str(path)


def test_override_names_a_module(project):
    project.write(description({"acme/one": {"type": "object"}}))
    assert project.run("generate", *config(project, '[tool.generator.modules]\n"acme/one" = "first"\n')) == 0
    assert hasattr(project.load("first"), "AsyncFirst")
    assert not (project.out / "acme_one.py").exists()


def test_two_models_of_one_name_are_passed_over_and_the_override_is_named(project, capsys):
    names = ("acme/one.2", "acme/one-2", "acme/other")
    project.write(description({name: {"type": "object"} for name in names}))
    assert project.run() == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "acme_one_2" in line]
    assert len(lines) == 2
    for line, name in zip(lines, names, strict=False):
        assert line.endswith(f'[tool.generator.modules], {name!r} = "module_name"')
    assert not (project.out / "acme_one_2.py").exists()
    assert (project.out / "acme_other.py").is_file()


def test_override_parts_two_models_of_one_name(project):
    project.write(description({"acme/one.2": {"type": "object"}, "acme/one-2": {"type": "object"}}))
    assert project.run("generate", *config(project, '[tool.generator.modules]\n"acme/one-2" = "acme_one_dash"\n')) == 0
    assert (project.out / "acme_one_2.py").is_file()
    assert (project.out / "acme_one_dash.py").is_file()


@pytest.mark.parametrize(
    "name",
    ["../evil", "a.b", "class", "Upper", "_private", "__init__", "__main__", "catalog", "con", "", "a b", "ünï", "1st"],
)
def test_override_that_cannot_be_a_module_is_refused(name, project, capsys):
    project.write(description({"acme/one": {"type": "object"}}))
    assert (
        project.run("generate", *config(project, f'[tool.generator.modules]\n"acme/one" = {json.dumps(name)}\n')) == 2
    )
    remark, _ = capsys.readouterr().err.splitlines()
    assert repr(name) in remark
    assert sorted(path.name for path in project.folder.iterdir()) == ["docs.json", "openapi.json", "pyproject.toml"]


def test_override_of_no_listed_model_is_reported(project, capsys):
    project.write(description({"acme/one": {"type": "object"}}))
    assert project.run("generate", "--strict", *config(project, '[tool.generator.modules]\n"acme/two" = "two"\n')) == 1
    assert "pyproject.toml#/tool/generator/modules: 'acme/two' names no model that is listed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[tool.generator]\nmodules = 3", '[tool.generator.modules]\n"a/b" = 3', "[tool", "tool = 1"]
)
def test_overrides_that_are_no_table_of_names_stop_the_run(text, project, capsys):
    project.write(description({"acme/one": {"type": "object"}}))
    assert project.run("generate", *config(project, text)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "pyproject.toml" in line


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("tool = 1", "tool"),
        ("[[tool.generator]]", "tool.generator"),
        ("tool.generator.modules = 3", "tool.generator.modules"),
    ],
)
def test_what_is_no_table_is_named_by_its_own_name(text, table, project, capsys):
    project.write(description({"acme/one": {"type": "object"}}))
    assert project.run("list", *config(project, text)) == 2
    assert capsys.readouterr().err.endswith(f"pyproject.toml: [{table}] is no table\n")


def test_adding_a_model_renames_no_other():
    ids = list(filter(MODULES.get, MODULES))
    random.Random(3).shuffle(ids)
    assert {model: module_name(model, {}) for model in ids} == {model: MODULES[model] for model in ids}


FIELDS = {
    "prompt": "prompt",
    "imageUrl": "imageUrl",
    "class": "class_",
    "9:16": "field_9_16",
    "": "field_",
    "a-b": "a_b",
    "__init__": "init",
    "_x": "x",
    "to_dict": "to_dict_",
    "extra": "extra_",
    "None": "None_",
    "日本": "field_",
    "Ünï": "Uni",
    "self": "self",
}


@pytest.mark.parametrize(("wire", "name"), FIELDS.items())
def test_field_is_named_as_on_the_wire_where_python_can_say_it(wire, name):
    assert field_names([wire]) == {wire: name}


def test_no_two_fields_of_an_object_have_one_name():
    wires = ["a-b", "a_b", "a b", "a.b", "A-b", "class", "class_", "", "日本", "本日", "field"]
    names = field_names(wires)
    assert len(set(names.values())) == len(wires)
    assert names["a_b"] == "a_b"
    assert names["class_"] == "class_"


@pytest.mark.parametrize("wires", [["a_b", "a-b"], ["a-b", "a_b"]])
def test_a_name_that_python_can_say_is_kept_whatever_stands_before_it(wires):
    assert field_names(wires) == {"a_b": "a_b", "a-b": "a_b_2"}


def trees():
    return {
        path.stem: ast.parse(path.read_text("utf-8")) for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")
    }


def module_names(tree):
    """Give every name that a module imports, defines or reads, less its payload classes."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return names - {node.name for node in tree.body if isinstance(node, ast.ClassDef)} - {"annotations", "__future__"}


def test_no_field_hides_a_public_attribute_of_a_payload():
    public = {name for name, _ in inspect.getmembers(BasePayload) if not name.startswith("_")} | {"endpoint"}
    assert public <= RESERVED_FIELDS


def test_no_field_hides_a_lower_case_name_that_a_class_body_reads():
    read = set()
    for tree in trees().values():
        for item in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            read |= {
                node.id for node in ast.walk(item) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
    assert {name for name in read if name.islower()} <= RESERVED_FIELDS


def test_no_class_hides_a_name_that_a_module_imports_or_defines():
    every = set().union(
        *(module_names(tree) for name, tree in trees().items() if name not in {"capabilities", "catalog"})
    )
    capital = {name for name in every if not name.islower()}
    fields = {node.target.id for tree in trees().values() for node in ast.walk(tree)
              if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}  # fmt: skip
    assert capital - fields | {"ENDPOINT", "Payload"} <= RESERVED_CLASSES


def test_no_class_hides_a_word_that_an_annotation_can_hold():
    words = {node.args[0].value for node in ast.walk(ast.parse(inspect.getsource(annotations)))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"call",
             "_name"}
             and node.args and isinstance(node.args[0], ast.Constant)}  # fmt: skip
    assert words >= {"Annotated", "Literal", "ExactlyOne", "Uri"}
    assert words | {"Annotated", "Literal", "Never", "Mapping"} <= RESERVED_CLASSES


TITLES = [*sorted(RESERVED_CLASSES), "Never", "Any", "Json", "AcmeOne", "AsyncAcmeOne", "None", "True", "False", "int"]


def test_titles_that_are_names_of_the_module_leave_it_as_it_was(project):
    variants = [
        {"title": title, "type": "object", "properties": {"kind": {"const": f"k{index}"}, "url": {"type": "string",
        "format": "uri"},
         "n": {"type": "number", "minimum": 0}, "no": {"type": "array", "items": False}, "any": {}},
         "required": ["kind"]}
        for index, title in enumerate(TITLES)
    ]  # fmt: skip
    project.write(description({"acme/one": {"anyOf": variants}}))
    assert project.run() == 0
    module = project.load("acme_one")
    for index in range(len(TITLES)):
        payload = module.parse({"kind": f"k{index}", "url": "https://a.example", "n": 1, "no": [], "any": {"a": [1]}})
        assert payload.to_dict()["kind"] == f"k{index}"
        with pytest.raises(PayloadError, match="no"):
            module.parse({"kind": f"k{index}", "no": [{"kind": f"k{TITLES.index('Never')}"}]})
    assert issubclass(module.AcmeOne, object)
    assert module.AcmeOne.__name__ == "AcmeOne"


def test_variants_are_named_by_title_else_by_what_tells_them_apart(project):
    text = {"type": "string"}
    variants = [
        {
            "title": "Text to video",
            "type": "object",
            "properties": {"kind": {"const": "a"}, "p": text},
            "required": ["kind"],
        },
        {"type": "object", "properties": {"kind": {"const": "image-to-video"}, "p": text}, "required": ["kind"]},
        {"type": "object", "properties": {"kind": {"type": "integer"}, "q": text}, "required": ["q", "kind"]},
    ]
    project.write(description({"acme/one": {"anyOf": variants}}))
    assert project.run() == 0
    names = [variant.__name__ for variant in get_args(project.load("acme_one").Payload)]
    assert names == ["TextToVideo", "ImageToVideo", "VariantQ"]


def test_a_keyword_is_never_a_name():
    names = field_names([*keyword.kwlist, *keyword.softkwlist, "__class__", "__slots__", "__dict__"])
    assert all(
        name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") for name in names.values()
    )
