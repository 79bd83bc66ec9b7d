"""A description is hostile until proven otherwise: none of it becomes code, leaves the folder, or gets lost."""

from __future__ import annotations

import ast
import builtins
import copy
import keyword
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import pytest

from generator.output.render import cell
from skills_video_runtime import UNSET, Default, PayloadError
from tests.support.project import description, navigation, operation, pages_of

TEXTS = {
    "closes-docstring": '"""\nimport os\nos.system("touch pwned")\n"""',
    "closes-single": "'''\nraise SystemExit\n'''",
    "ends-in-quote": 'say "hi"',
    "many-quotes": '""""" """" """ "" "',
    "backslash-before-quotes": '\\""" + __import__("os").name + """\\',
    "ends-in-backslash": "path\\",
    "escapes": "\\x22\\x22\\x22 \\N{QUOTATION MARK} \\u0022 \\",
    "template": "{{ 7*7 }} {% include '/etc/passwd' %} {# gone #} {{ module.__class__ }} ${x} %(x)s {x}",
    "template-end": "{% endraw %}{% endfor %}}}",
    "line-ends": "a\r\nb\rc\u2028d\u2029e\x0bf\x0cg\x85h",
    "comment": "# type: ignore\n# fmt: off\n# noqa\n# -*- coding: utf-7 -*-",
    "nul": "a\0b",
    "control": "\x1b[2J\x07\x7f\x9b",
    "bidi": "\u202e\u2066nimda\u2069 \u200f\u200b\ufeff",
    "surrogate": "\ud800 and \udc41 alone",
    "astral": "\U0001f3a5 \U0010ffff \U000e0041",
    "long-word": "x" * 500,
    "long": "word " * 500,
    "letters": "\u01c5 \ufb01 \u210c \uff45\uff56\uff41\uff4c \uff3f\uff3fimport\uff3f\uff3f \u65e5\u672c",
    "blank": " \t\n ",
}


def pristine(value):
    """Give a syntax tree without what texts decide: strings, numbers of lines, and whether a field has a docstring."""
    tree = ast.parse(value)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = [
                item for item in node.body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
            ]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def collapsed(text):
    """Give a text with single blanks; a lone surrogate, which no docstring can hold, may be shown by its number."""
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")


def described(text, *, title="Harmless"):
    """Write a description with a text wherever one may stand."""
    form = {
        "type": "object", "title": title, "description": text,
        "properties": {
            "kind": {"const": "a", "description": text},
            "inner": {"type": "object", "description": text, "properties": {"x": {"type": "string",
            "description": text}}},
        },
        "required": ["kind"],
    }  # fmt: skip
    other = {**copy.deepcopy(form), "title": "Other"}
    other["properties"]["kind"] = {"const": "b"}
    return description({"acme/one": operation({"anyOf": [form, other]}, summary=text, description=text)})


@pytest.mark.parametrize("case", TEXTS)
def test_texts_change_nothing_but_strings(case, project):
    modules = ("acme_one.py", "catalog.py", "__init__.py", "__main__.py")
    project.write(described("Harmless"))
    assert project.run() == 0
    harmless = {name: pristine(project.text(name)) for name in modules}
    project.write(described(TEXTS[case]))
    assert project.run() == 0
    assert {name: pristine(project.text(name)) for name in modules} == harmless


@pytest.mark.parametrize("case", TEXTS)
def test_texts_are_kept_in_docstrings(case, project):
    project.write(described(TEXTS[case]))
    assert project.run() == 0
    tree = ast.parse(project.text("acme_one.py"))
    [harmless] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Harmless"]
    expected = collapsed(TEXTS[case])
    assert expected in collapsed(ast.get_docstring(tree, clean=False))
    if expected:
        whole, *fields = [node.value.value for node in harmless.body if isinstance(node, ast.Expr)]
        texts = [whole.partition("\n\n    Args:\n")[0], *fields]
        assert [collapsed(text) for text in texts] == [expected] * 3


@pytest.mark.parametrize("case", TEXTS)
def test_a_module_can_be_imported_whatever_its_texts_are(case, project):
    project.write(described(TEXTS[case]))
    assert project.run() == 0
    module = project.load("acme_one")
    assert module.parse({"kind": "a", "inner": {"x": "y"}}).to_dict() == {"kind": "a", "inner": {"x": "y"}}


@pytest.mark.parametrize("case", TEXTS)
def test_generated_files_show_every_character_they_hold(case, project):
    project.write(described(TEXTS[case]))
    assert project.run() == 0
    for path in project.out.iterdir():
        text = path.read_bytes().decode("utf-8")
        assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("case", TEXTS)
def test_catalog_keeps_titles_and_texts_exactly(case, project):
    text = TEXTS[case]
    project.write(described(text))
    assert project.run() == 0
    [info] = project.load("catalog").MODELS
    assert (info.title, info.text) == (text, text)


def test_template_syntax_is_not_evaluated(project):
    project.write(described("{{ 7 * 7 }}{% if true %}yes{% endif %}"))
    assert project.run() == 0
    text = "".join(path.read_text("utf-8") for path in project.out.glob("*.py"))
    assert "49" not in text
    assert "{{ 7 * 7 }}{% if true %}yes{% endif %}" in text


@pytest.mark.parametrize("case", TEXTS)
def test_title_of_a_variant_makes_a_plain_class_name(case, project):
    project.write(described("Harmless", title=TEXTS[case]))
    assert project.run() == 0
    classes = [node.name for node in ast.walk(ast.parse(project.text("acme_one.py"))) if isinstance(node, ast.ClassDef)]
    assert len(classes) == len(set(classes)) == 5  # the two equal objects are one class
    assert all(name.isascii() and name.isidentifier() and not keyword.iskeyword(name) for name in classes)
    assert project.load("acme_one").parse({"kind": "a"}).to_dict() == {"kind": "a"}


VALUES = [
    *TEXTS.values(),
    "",
    "None",
    "True",
    "__import__('os')",
    "]",
    "'] | object",
    "a'b",
    'a"b',
    "a'b\"c",
    "UNSET",
    "{}",
    "\\",
]


def test_values_of_an_enum_survive_exactly(project):
    project.write(
        description({"acme/one": {"type": "object", "properties": {"a": {"type": "string", "enum": VALUES}}}})
    )
    assert project.run() == 0
    module = project.load("acme_one")
    [literal] = [option for option in get_args(get_type_hints(module.Payload)["a"]) if get_origin(option) is Literal]
    assert list(get_args(literal)) == VALUES
    for value in VALUES:
        assert module.parse({"a": value}).to_dict() == {"a": value}


@pytest.mark.parametrize("value", VALUES)
def test_a_constant_survives_exactly_and_is_sent(value, project):
    schema = {"type": "object", "properties": {"a": {"const": value}}, "required": ["a"]}
    project.write(description({"acme/one": schema}))
    assert project.run() == 0
    assert project.load("acme_one").Payload().to_dict() == {"a": value}


DEFAULTS = [
    *VALUES,
    0,
    -1,
    10**40,
    0.1,
    -0.0,
    1e308,
    5e-324,
    True,
    None,
    [],
    {},
    [[1, "'"], {"a'b": [None, True]}],
    {"": {"\\": '"""'}},
]


def test_defaults_survive_exactly(project):
    properties = {f"f{index}": {"default": value} for index, value in enumerate(DEFAULTS)}
    project.write(description({"acme/one": {"type": "object", "properties": properties}}))
    assert project.run() == 0
    module = project.load("acme_one")
    pinned = module.Payload().with_defaults().to_dict()
    assert [repr(pinned[name]) for name in properties] == [repr(value) for value in DEFAULTS]


NUMBERS = [
    '"default": 1e999',
    '"minimum": -1e999',
    '"maximum": 1e999',
    '"enum": [1, 1e999]',
    '"const": -1e999',
    '"multipleOf": 1e999',
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_no_float_holds_does_not_become_a_name(number, project, capsys):
    project.write(description({"acme/one": {"type": "object", "properties": {"a": {"type": "number", "here": 0}}}}))
    project.openapi.write_text(project.openapi.read_text("utf-8").replace('"here": 0', number), "utf-8")
    code = project.run()
    assert code in {0, 2}
    if code == 0:
        assert "inf" not in {
            node.id for node in ast.walk(ast.parse(project.text("acme_one.py"))) if isinstance(node, ast.Name)
        }
        assert project.load("acme_one").Payload().to_dict() == {}
    else:
        assert capsys.readouterr().err.startswith("error: ")


PYTHON = [
    *keyword.kwlist, *keyword.softkwlist, *dir(object), *dir(dict), *(name for name in dir(builtins)),
    "__slots__", "__annotations__", "__dataclass_fields__", "__post_init__", "__match_args__", "__init_subclass__",
    "_check_extra", "to_dict", "with_defaults", "template", "convert", "check_whole", "endpoint", "extra", "rules",
    "one_of",
    "goes_as_form", "to_multipart", "self", "cls", "metadata", "wire", "field", "dataclass", "annotations", "UNSET",
    "ENDPOINT",
    "Payload", "parse", "Annotated", "Literal", "ClassVar", "Mapping", "Default", "Unset", "Uri", "File", "Ge",
    "AcmeOne",
]  # fmt: skip
NAMES = list(
    dict.fromkeys(
        [*PYTHON, *TEXTS.values(), *VALUES, "../../etc/passwd", "a.b", "a/b", "a~1b", "$ref", "1", "-", "a b"]
    )
)


def test_properties_of_any_name_are_fields_that_hold_their_own_value(project):
    properties = {name: {"type": "integer"} for name in NAMES}
    project.write(
        description({"acme/one": {"type": "object", "properties": properties, "additionalProperties": False}})
    )
    assert project.run() == 0
    data = {name: index for index, name in enumerate(NAMES)}
    payload = project.load("acme_one").parse(data)
    assert payload.to_dict() == data


@pytest.mark.parametrize(
    "name", ["UNSET", "ENDPOINT", "Endpoint", "str", "int", "field", "Default", "Literal", "Payload", "None"]
)
def test_a_constant_of_any_name_leaves_the_other_fields_as_they_are(name, project):
    properties = {name: {"const": "a"}, "b": {"type": "string"}, "c-d": {"type": "integer", "default": 3}}
    project.write(description({"acme/one": {"type": "object", "properties": properties, "required": [name]}}))
    assert project.run() == 0
    payload = project.load("acme_one").Payload()
    assert payload.to_dict() == {name: "a"}
    assert payload.b is UNSET


def test_objects_below_properties_of_any_name_are_classes(project):
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    properties = {name: copy.deepcopy(inner) for name in NAMES}
    project.write(description({"acme/one": {"type": "object", "properties": properties}}))
    assert project.run() == 0
    data = {name: {"x": index} for index, name in enumerate(NAMES)}
    assert project.load("acme_one").parse(data).to_dict() == data


def test_components_of_any_name_are_classes(project):
    components = {f"{name}{index}": {"type": "object", "properties": {"x": {"const": index}}, "required": ["x"]}
                  for index, name in enumerate(["Payload", "a b", "é", '"""', "..", "{{ x }}", "%41",
                  "日本"])}  # fmt: skip
    properties = {
        f"p{index}": {"$ref": "#/components/schemas/" + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")}
        for index, name in enumerate(components)
    }
    project.write(description({"acme/one": {"type": "object", "properties": properties}}, components))
    assert project.run() == 0
    data = {name: {"x": index} for index, name in enumerate(properties)}
    assert project.load("acme_one").parse(data).to_dict() == data


def test_a_pattern_is_text_and_keeps_its_meaning(project):
    patterns = {"a": "^[\"'\\\\]+$", "b": '^(?:\\d{2}|""")$', "c": "^\\u2022$"}
    properties = {name: {"type": "string", "pattern": pattern} for name, pattern in patterns.items()}
    project.write(description({"acme/one": {"type": "object", "properties": properties}}))
    assert project.run() == 0
    parse = project.load("acme_one").parse
    assert parse({"a": "\"'\\", "b": '"""', "c": "•"})
    with pytest.raises(PayloadError, match="3 values"):
        parse({"a": "x", "b": "''", "c": "N"})


def test_a_format_of_any_name_is_shown(project):
    schema = {"type": "object", "properties": {"a": {"type": "string", "format": "'), __import__('os'), ('"}}}
    project.write(description({"acme/one": schema}))
    assert project.run() == 0
    assert project.load("acme_one").Payload(a="x").to_dict() == {"a": "x"}
    assert "__import__" not in {
        node.id for node in ast.walk(ast.parse(project.text("acme_one.py"))) if isinstance(node, ast.Name)
    }


STATEMENTS = (ast.Expr, ast.ImportFrom, ast.AnnAssign, ast.ClassDef, ast.FunctionDef)
CALLS = {"Endpoint", "dataclass", "field", "parse_payload", "Default", "Ge", "Le", "Gt", "Lt", "MultipleOf",
         "MinLen", "MaxLen",
         "Pattern", "Format", "UniqueItems", "OneOf", "ExactlyOne", "MinProperties", "MaxProperties",
         "DependentRequired"}  # fmt: skip


def is_list_of_names(node):
    """Whether a statement is `__all__ = ["…", …]`."""
    listed = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    return listed and all(isinstance(item, ast.Constant) and item.value.isidentifier() for item in node.value.elts)


def test_module_of_all_that_is_hostile_holds_the_expected_statements_alone(project):
    properties = {
        name: {"description": TEXTS["closes-docstring"], "default": name, "enum": [name, *VALUES], "type": "string"}
        for name in NAMES
    }
    properties |= {
        "n1": {"type": "number", "minimum": 1, "exclusiveMaximum": 2.5, "multipleOf": 0.1},
        "n2": {"type": "string", "pattern": '"""', "minLength": 1, "maxLength": 9, "format": TEXTS["closes-single"]},
        "n3": {
            "type": "array",
            "uniqueItems": True,
            "minItems": 1,
            "items": {"enum": [0.5, [TEXTS["nul"]], {'"': "'"}]},
        },
        "n4": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "maxProperties": 900,
        "dependentRequired": {'"""': ["'''", "n1"]},
    }
    project.write(description({"acme/one": operation(schema, summary='"""', description="\\")}))
    assert project.run() == 0
    tree = ast.parse(project.text("acme_one.py"))
    enumerations = [node for node in tree.body if isinstance(node, ast.AnnAssign)][1:]
    assert {ast.unparse(node.annotation) for node in enumerations} == {"TypeAlias"}
    assert {node.value.value.id for node in enumerations} == {"Literal"}
    assert [type(node).__name__ for node in tree.body if node not in enumerations] == [
        "Expr", *["ImportFrom"] * 5, "Assign", "AnnAssign", "ClassDef", "FunctionDef", "ClassDef", "ClassDef",
        "FunctionDef",
    ]  # fmt: skip
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["Payload", "AcmeOne", "AsyncAcmeOne"]
    known = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    known |= {node.target.id for node in enumerations}
    known |= {"ENDPOINT", "Payload", "__all__", "list", "str", "int", "float", "bool", "object", "data", "payload"}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            assert isinstance(node, (*STATEMENTS, ast.Return)) or is_list_of_names(node)
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Call):
            assert node.func.id in CALLS
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            assert node.id in known
        assert not isinstance(node, (ast.Attribute, ast.Lambda, ast.JoinedStr, ast.Await, ast.NamedExpr, ast.Starred))


PATHS = ["acme/..", "../../evil", "..", ".", "acme/./one", "acme//one", "acme/one%2e%2e", "acme/..%2fone",
         "acme\\..\\one", "acme/{id}",
         "acme/one?x=1", "acme/one#x", "acme/'+__import__('os').name+'", "acme/日本", "acme/one\u202e", "acme/one\0",
         "~/.ssh/id", "acme/...",
         "/etc/passwd", "C:/one", "acme/__init__", "acme/__main__", "__init__", "catalog", "py.typed",
         "acme/one.py", "acme/MANIFEST.json",
         "acme/" + "x" * 300]  # fmt: skip


@pytest.mark.parametrize("model", PATHS)
def test_no_path_leads_out_of_the_folder(model, project, capsys):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    project.write(description({"acme/good": schema, model: schema}), navigation(*pages_of(["acme/good", model])))
    before = sorted(project.folder.parent.iterdir())
    code = project.run()
    assert code in {0, 2}
    assert sorted(project.folder.parent.iterdir()) == before
    assert {path.name for path in project.folder.iterdir()} <= {"docs.json", "openapi.json", project.name}
    if code == 0:
        made = {path.name for path in project.out.iterdir()}
        own = made - {
            "__init__.py",
            "__main__.py",
            "capabilities.py",
            "catalog.py",
            "py.typed",
            "API.md",
            "MANIFEST.json",
            "acme_good.py",
        }
        assert len(own) <= 1
        assert all(name.removesuffix(".py").isidentifier() and name.isascii() for name in own)
        assert own or "passed over" in capsys.readouterr().err
        assert project.load("acme_good").Payload(a="x").endpoint.model == "acme/good"
    else:
        assert not project.out.exists()
        assert "[tool.generator.modules]" in capsys.readouterr().err


@pytest.mark.parametrize("text", TEXTS.values())
def test_a_cell_of_the_readme_stays_in_its_cell(text):
    shown = cell(text)
    assert "\n" not in shown
    assert all(character.isprintable() for character in shown)
    assert "|" not in shown.replace("\\|", "")
    assert "<" not in shown.replace("\\<", "")


def test_default_is_shown_in_the_annotation(project):
    project.write(
        description({"acme/one": {"type": "object", "properties": {"a": {"type": "string", "default": "'\"\\"}}}})
    )
    assert project.run() == 0
    hint = get_type_hints(project.load("acme_one").Payload, include_extras=True)["a"]
    [annotated] = [option for option in get_args(hint) if get_origin(option) is Annotated]
    [default] = get_args(annotated)[1:]
    assert isinstance(default, Default)
    assert default.value == "'\"\\"
