"""The forms in which descriptions and navigations stand: JSON, YAML, split files, pages that name their operation."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import yaml

from generator.__main__ import main
from tests.support.project import description, navigation, operation, pages_of

BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}}
ONE, TWO = "POST /generation/acme/one", "POST /generation/acme/two"


def shown(project, capsys, *options, code=0):
    """Run `list` on the folder and give the models, what was passed over, and what stands on stderr."""
    capsys.readouterr()
    config = project.folder / "pyproject.toml"
    openapi = next(project.folder / name for name in ("openapi.json", "openapi.yaml", "openapi.yml")
                   if (project.folder / name).is_file())  # fmt: skip
    assert main(["list", "--json", "--openapi", str(openapi), "--config", str(config), *options]) == code
    out, err = capsys.readouterr()
    found = json.loads(out or '{"models": [], "passed_over": []}')
    return [item["model"] for item in found["models"]], found["passed_over"], err


FORMS = {
    "one line": (json.dumps, "\n"),
    "CRLF": (lambda value: json.dumps(value, indent=4), "\r\n"),
    "escapes": (lambda value: json.dumps(value, ensure_ascii=True), "\n"),
    "YAML": (lambda value: yaml.safe_dump(value, sort_keys=False), "\n"),
    "YAML with CRLF": (lambda value: yaml.safe_dump(value, sort_keys=False, allow_unicode=True), "\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_how_a_description_is_written_changes_no_byte_of_what_is_made(form, project):
    write, line_end = FORMS[form]
    ratio = {"enum": ["16:9", "off", "no", "true", "5", 10, 1.5, 1e-7, 2**60], "description": "Größe 📐, at 60 fps"}
    openapi = description({"acme/one": {"type": "object", "properties": {"ratio": ratio}}})
    project.openapi.write_text(json.dumps(openapi, indent=2, ensure_ascii=False) + "\n", "utf-8")
    project.docs.write_text(json.dumps(navigation(ONE)), "utf-8")
    assert project.run() == 0
    before = {path.name: path.read_bytes() for path in project.out.iterdir()}
    for file, document in ((project.openapi, openapi), (project.docs, navigation(ONE))):
        file.write_bytes(b"\xef\xbb\xbf" + write(document).replace("\n", line_end).encode())
    assert project.run() == 0
    assert {path.name: path.read_bytes() for path in project.out.iterdir()} == before


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_a_folder_of_yaml_is_read_as_one_of_json(suffix, project, capsys):
    openapi = description({"acme/one": BODY, "acme/two": BODY})
    (project.folder / f"openapi.{suffix}").write_text(yaml.safe_dump(openapi), "utf-8")
    (project.folder / f"docs.{suffix}").write_text(yaml.safe_dump(navigation(TWO, ONE)), "utf-8")
    assert shown(project, capsys, "--strict") == (["acme/two", "acme/one"], [], "")
    assert main(["changes", str(project.folder), str(project.folder)]) == 0
    assert capsys.readouterr().out.startswith("Nothing changed")


@pytest.mark.parametrize("name", ["two.json", "two.JSON", "two.yaml", "Two.YML"])
def test_model_scoped_files_are_read_in_every_form(name, project, capsys):
    project.write(description({"acme/one": BODY}), navigation(ONE, TWO))
    (project.folder / "models").mkdir()
    write = yaml.safe_dump if "y" in name.lower() else json.dumps
    (project.folder / "models" / name).write_text(write(description({"acme/two": BODY})), "utf-8")
    assert shown(project, capsys, "--strict") == (["acme/one", "acme/two"], [], "")


NOT_READ = {
    "a name that stands twice": ("openapi: 3.1.0\nopenapi: 3.1.0\n", "'openapi' stands twice in one object (line 2)"),
    "a tag": ("openapi: !!python/object/apply:os.getcwd []\n", "the tag 'tag:yaml.org,2002:python/object/"),
    "an anchor that holds itself": ("a: &a [*a]\n", "the alias *a names nothing that has been read"),
    "a bomb": ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise("abcdefghi")
    ), "it has more than 2,000,000 values"),
    "depth": ("a: " + "[" * 300 + "]" * 300, "is nested too deeply"),
    "two documents": ("a: 1\n---\nb: 1\n", "it holds several documents"),
    "no number": ("a: .inf\n", ".inf is no JSON value"),
    "a name that is no text": ("x: {[a]: b}\n", "a name is an object or an array"),
    "an object as a name": ("? {a: b}\n: c\n", "a name is an object or an array"),
    "broken": ("a: [1\n", "is neither JSON nor YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_READ)
def test_yaml_that_says_what_json_cannot_is_an_error_that_says_where(case, project, capsys):
    text, words = NOT_READ[case]
    (project.folder / "openapi.yaml").write_text(text, "utf-8")
    _, _, err = shown(project, capsys, code=2)
    [line] = err.splitlines()
    assert line.startswith(f"error: {(project.folder / 'openapi.yaml').as_posix()}: ")
    assert words in line


def test_anchors_and_merges_of_yaml_are_followed(project, capsys):
    text = yaml.safe_dump(description({"acme/one": BODY})) + "x-a: &a {one: 1, two: 2}\nx-b: {<<: *a, two: 3}\n"
    (project.folder / "openapi.yaml").write_text(text, "utf-8")
    (project.folder / "docs.json").write_text(json.dumps(navigation(ONE)), "utf-8")
    assert shown(project, capsys, "--strict")[0] == ["acme/one"]


def split(project, files):
    """Write a description of two models, and a navigation in several files."""
    project.write(description({"acme/one": BODY, "acme/two": BODY}), {})
    for name, value in files.items():
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / name).write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")


SPLIT = {
    "the whole": {"docs.json": {"navigation": {"$ref": "./config/navigation.json"}},
                  "config/navigation.json": navigation(ONE, TWO)["navigation"]},
    "pages": {"docs.json": {"navigation": {"groups": [{"group": "Videos", "pages": {"$ref": "videos.json"}}]}},
              "videos.json": [ONE, TWO]},
    "within another": {"docs.json": {"navigation": {"$ref": "a/b/x.json"}}, "a/b/x.json": {"$ref": "../y.json"},
                       "a/y.json": {"groups": {"$ref": "./z.yaml"}},
                       "a/z.yaml": f"- group: Videos\n  pages: ['{ONE}', '{TWO}']\n"},
    "members beside it": {"docs.json": {"navigation": {"groups": [{"$ref": "g.json", "group": "Videos"}]}},
                          "g.json": {"group": "Old", "pages": [ONE, TWO]}},
    "twice": {"docs.json": {"navigation": {"groups": [{"$ref": "g.json"}, {"$ref": "g.json"}]}},
              "g.json": {"group": "Videos", "pages": [ONE, TWO]}},
}  # fmt: skip


@pytest.mark.parametrize("case", SPLIT)
def test_a_navigation_in_several_files_is_read_as_one(case, project, capsys):
    split(project, SPLIT[case])
    assert shown(project, capsys, "--strict") == (["acme/one", "acme/two"], [], "")


BAD_REFERENCES = {
    "above the folder": ({"docs.json": {"navigation": {"$ref": "../outside.json"}}}, "leads out of the folder"),
    "around": ({"docs.json": {"navigation": {"$ref": "a/../../outside.json"}}}, "leads out of the folder"),
    "absolute": ({"docs.json": {"navigation": {"$ref": "/etc/hosts"}}}, "leads out of the folder"),
    "address": ({"docs.json": {"navigation": {"$ref": "https://a.example/n.json"}}}, "is not followed"),
    "file address": ({"docs.json": {"navigation": {"$ref": "file:///etc/hosts"}}}, "is not followed"),
    "backslash": ({"docs.json": {"navigation": {"$ref": "..\\outside.json"}}}, "is not followed"),
    "link": ({"docs.json": {"navigation": {"$ref": "link.json"}}}, "leads out of the folder"),
    "number": ({"docs.json": {"navigation": {"$ref": 3}}}, "is not followed"),
    "missing": ({"docs.json": {"navigation": {"$ref": "none.json"}}}, "cannot be followed"),
    "no JSON": ({"docs.json": {"navigation": {"$ref": "x.json"}}, "x.json": "{"}, "cannot be followed"),
    "itself": ({"docs.json": {"navigation": {"$ref": "x.json"}}, "x.json": {"groups": [{"$ref": "x.json"}]}},
               "leads back to itself"),
    "a circle": ({"docs.json": {"navigation": {"$ref": "x.json"}}, "x.json": {"$ref": "y.json"},
                  "y.json": {"$ref": "x.json"}}, "leads back to itself"),
    "too many": ({"docs.json": {"navigation": {"$ref": "0.json"}},
                  **{f"{n}.json": [{"$ref": f"{n + 1}.json"}] * 4 for n in range(6)}, "6.json": []},
                 "more than 1,000 references"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_REFERENCES)
def test_a_reference_of_a_navigation_that_leads_elsewhere_is_an_error(case, project, capsys):
    files, words = BAD_REFERENCES[case]
    outside = project.folder / "outside.json"
    outside.write_text(json.dumps(navigation(ONE)["navigation"]), "utf-8")
    project.folder = project.folder / "docs"
    project.folder.mkdir()
    project.openapi, project.docs = project.folder / "openapi.json", project.folder / "docs.json"
    split(project, files)
    (project.folder / "link.json").symlink_to(outside)
    _, _, err = shown(project, capsys, code=2)
    [line] = err.splitlines()
    assert line.startswith("error: ")
    assert "/$ref: " in line
    assert words in line


def page_of(project, slug, front):
    path = project.folder / f"{slug}.mdx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: Acme\n{front}\n---\n\n# Acme\n", "utf-8")


@pytest.mark.parametrize(
    "front",
    [
        f'openapi: "{ONE}"',
        f"openapi: {ONE}",
        f"openapi: 'openapi.json {ONE}'",
        f"openapi: {ONE.replace('POST', 'post')}  ",
    ],
)
def test_the_front_matter_of_a_page_names_its_operation(front, project, capsys):
    page_of(project, "models/first", front)
    page_of(project, "models/prose", "description: About it")
    project.write(description({"acme/one": BODY}), navigation("models/first", "models/prose", "models/none"))
    models, passed_over, err = shown(project, capsys, "--strict")
    assert models == ["acme/one"]
    assert [item["reason"] for item in passed_over] == [
        "it is prose: its front matter names no operation", "it is taken for prose",
    ]  # fmt: skip
    assert "warning" not in err


def test_a_page_outside_the_folder_is_not_looked_into(project, capsys):
    outside = project.folder / "outside.mdx"
    page_of(project, "outside", f"openapi: {ONE}")
    folder = project.folder / "docs"
    folder.mkdir()
    (folder / "openapi.json").write_text(json.dumps(description({"acme/one": BODY})), "utf-8")
    (folder / "docs.json").write_text(json.dumps(navigation("../outside", "link")), "utf-8")
    (folder / "link.mdx").symlink_to(outside)
    project.folder = folder
    models, _, _ = shown(project, capsys, code=2)
    assert models == []


@pytest.mark.parametrize("docs", [None, {"navigation": {"tabs": [{"tab": "APIs", "openapi": "openapi.json"}]}}])
def test_the_group_of_a_tag_is_what_its_x_group_says(docs, project, capsys):
    openapi = description({
        "acme/one": operation(BODY, tags=["video-gen"]), "acme/two": operation(BODY, tags=["Videos"]),
    })  # fmt: skip
    openapi["tags"] = [{"name": "video-gen", "x-group": "Videos"}, {"name": "Videos", "x-group": "Pictures"}, 3]
    project.openapi.write_text(json.dumps(openapi), "utf-8")
    if docs:
        project.docs.write_text(json.dumps(docs), "utf-8")
    assert shown(project, capsys)[0] == ["acme/one"]


UNLISTED = {
    "a model": ("/generation/acme/new", {}, "docs.json lists it nowhere"),
    "a stream": ("/generation/sse/acme/new", {}, "docs.json lists it nowhere"),
    "another version": ("/v2/generation/acme/new", {"tags": ["Videos"]}, "it creates no generation: that is POST"),
    "a template": ("/generation/acme/{version}", {"tags": ["Videos"]}, "it creates no generation: that is POST"),
    "another path": ("/videos/create", {"tags": [" videos "]}, "it creates no generation: that is POST"),
}


@pytest.mark.parametrize("case", UNLISTED)
def test_what_is_described_and_listed_nowhere_is_named(case, project, capsys):
    path, more, reason = UNLISTED[case]
    openapi = description({"acme/one": BODY})
    openapi["paths"][path] = operation(BODY, **more)
    project.write(openapi, navigation(ONE))
    models, [passed], err = shown(project, capsys, "--strict", code=1)
    assert models == ["acme/one"]
    assert passed["page"] == f"POST {path}"
    assert reason in passed["reason"]
    assert f"warning: {project.openapi.as_posix()}#/paths/" in err


@pytest.mark.parametrize("more", [{"x-hidden": True}, {"x-excluded": True}])
def test_what_is_hidden_is_named_without_a_warning(more, project, capsys):
    project.write(description({"acme/one": BODY, "acme/new": operation(BODY, **more)}), navigation(ONE))
    _, [passed], err = shown(project, capsys, "--strict")
    assert passed["reason"].startswith("it is hidden")
    assert "warning" not in err


def test_what_another_group_lists_is_not_named(project, capsys):
    docs = navigation(ONE)
    docs["navigation"]["groups"].append({"group": "Images", "pages": [TWO]})
    project.write(description({"acme/one": BODY, "acme/two": BODY}), docs)
    assert shown(project, capsys, "--strict") == (["acme/one"], [], "")


@pytest.mark.parametrize("name", ["models/notes.txt", "models/old.json.bak", "models/deeper", "openapi.yml"])
def test_a_file_that_is_not_read_is_named(name, project, capsys):
    project.write(description({"acme/one": BODY}))
    (project.folder / "models").mkdir()
    path = project.folder / name
    if path.suffix:
        path.write_text("openapi: 3.1.0", "utf-8")
    else:
        path.mkdir()
    (project.folder / "models" / ".keep").touch()
    _, [passed], err = shown(project, capsys, "--strict", code=1)
    assert passed["page"] == path.as_posix()
    assert f"warning: {path.as_posix()}: is passed over: it is not read" in err


@pytest.mark.parametrize("text", ["{", "", "[]", "{}", '{"openapi": "2.0"}', "openapi: 3.1.0\n", "a: [\n"])
def test_a_model_scoped_file_that_cannot_be_read_is_named_and_the_others_are_made(text, project, capsys):
    project.write(description({"acme/one": BODY}))
    (project.folder / "models").mkdir()
    scoped = project.folder / "models" / "bad.yaml"
    scoped.write_text(text, "utf-8")
    models, [passed], err = shown(project, capsys, "--strict", code=1)
    assert models == ["acme/one"]
    assert passed["page"] == scoped.as_posix()
    assert f"warning: {scoped.as_posix()}: is passed over: " in err
    capsys.readouterr()
    assert main(["list", "--openapi", str(project.openapi), "--openapi", str(scoped)]) == 2


def test_a_model_scoped_file_that_nothing_lists_is_named(project, capsys):
    project.write(description({"acme/one": BODY}))
    (project.folder / "models").mkdir()
    scoped = project.folder / "models" / "new.json"
    scoped.write_text(json.dumps(description({"acme/new": BODY})), "utf-8")
    _, [passed], err = shown(project, capsys, "--strict", code=1)
    assert passed["page"] == "POST /generation/acme/new"
    assert f"warning: {scoped.as_posix()}#/paths/" in err


def test_list_says_what_would_be_a_model_where_there_is_none(project, capsys):
    project.write(description({"acme/one": BODY}), navigation("POST /v1/videos", "quickstart"))
    models, passed_over, err = shown(project, capsys, code=2)
    assert (models, len(passed_over)) == ([], 3)
    assert err.splitlines()[-1].endswith("A model is what POST /generation/<model> generates with")


def test_pages_of_a_navigation_in_several_languages_are_each_named_once(project, capsys):
    languages = [{"language": name, **navigation(ONE, "POST /v1/videos")["navigation"]} for name in ("en", "de", "fr")]
    project.write(description({"acme/one": BODY}), {"navigation": {"languages": languages}})
    _, passed_over, err = shown(project, capsys)
    assert len(passed_over) == 1
    assert len(err.splitlines()) == 1


def test_a_run_sees_a_change_in_a_file_that_the_navigation_refers_to(project):
    split(project, SPLIT["pages"])
    assert main(["generate", "--openapi", str(project.openapi), "--out", str(project.out)]) == 0
    (project.folder / "videos.json").write_text(json.dumps(pages_of(["acme/one"])), "utf-8")
    assert main(["generate", "--openapi", str(project.openapi), "--out", str(project.out)]) == 0
    assert not (project.out / "acme_two.py").exists()
