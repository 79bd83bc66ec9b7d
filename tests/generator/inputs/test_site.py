"""Fetching from a documentation site, of which nothing but the address is known: a server that imitates Mintlify's."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import pytest
import yaml

from generator.__main__ import main
from tests.support.project import description, navigation, operation, pages_of
from tests.support.site import Site, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = {
    "type": "object",
    "properties": {"prompt": {"type": "string"}, "ratio": {"enum": ["16:9", "9:16"]}, "mode": {"enum": ["off", "no"]}},
    "required": ["prompt"],
}
MODELS = {"acme/v2.6": "Acme V2.6", "acme/v1": "Acme V1", "zoo/cat": "Zoo Cat"}
RESULT = {"get": {"summary": "Get generation", "responses": {}}}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def specs(tmp_path):
    return tmp_path / "specs"


def whole(models=MODELS):
    openapi = description({model: operation(BODY, summary=title) for model, title in models.items()})
    openapi["paths"]["/generation/{id}"] = RESULT
    return openapi


def slug(title):
    return "api-reference/" + title.lower().replace(" ", "-").replace(".", "")


def index(site, pages, *more, heading="Docs"):
    """Serve an index as Mintlify writes it."""
    lines = ["# Acme", "", "> All about it.", "", f"## {heading}", ""]
    lines += [f"- [{name}]({site.url}/{name}.md): about it" for name in pages]
    site.serve("/llms.txt", "\n".join([*lines, *more, ""]).encode(), Content_Type="text/plain")


def page(site, name, document, *, info="yaml openapi.json POST /x", form=yaml.safe_dump, fence="````"):
    """Serve the page of an operation in Markdown, with its description in a fenced block."""
    example = '```json\n{"prompt": 1}\n```'
    block = f"{fence}{info}\n{form(document)}\n{fence}"
    text = f"# {name}\n\nAbout it.\n\n{example}\n\n## OpenAPI\n\n{block}\n"
    site.serve(f"/{name}.md", text.encode(), Content_Type="text/markdown")


def fetch(site, specs, *options):
    config = specs.parent / "pyproject.toml"
    config.touch()
    return main(["fetch", site.url, "--into", str(specs), "--config", str(config), *options])


def models_in(specs, capsys, *options):
    capsys.readouterr()
    config = specs.parent / "pyproject.toml"
    arguments = ["list", "--strict", "--json", "--openapi", str(specs / "openapi.json"), "--config", str(config)]
    assert main([*arguments, *options]) == 0, capsys.readouterr().err
    return [item["model"] for item in json.loads(capsys.readouterr().out)["models"]]


def held(specs):
    return {path.relative_to(specs).as_posix(): path.read_bytes() for path in specs.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_description_that_the_index_links_is_taken_in_the_order_of_its_pages(form, site, specs, capsys):
    link = f"- [openapi]({site.url}/api/openapi.{form})"
    text = json.dumps(whole()) if form == "json" else yaml.safe_dump(whole(), sort_keys=False)
    site.serve(f"/api/openapi.{form}", text.replace("\n", "\r\n").encode())
    index(site, ["quickstart", *map(slug, reversed(MODELS.values()))], "", "## OpenAPI Specs", "", link)
    assert fetch(site, specs) == 0
    err = capsys.readouterr().err
    assert f"{site.url}/llms.txt: 1 description, 4 pages, 0 links to elsewhere not followed" in err
    assert f"{site.url}/api/openapi.{form}: a description" in err
    assert "nothing tells which models are 'Videos'; all 3 are listed as such" in err
    assert held(specs)["openapi.json"] == (json.dumps(whole(), indent=2) + "\n").encode()
    assert models_in(specs, capsys) == list(reversed(MODELS))


@pytest.mark.parametrize("place", ["linked", "served"])
def test_a_navigation_of_the_site_wins_over_the_order_of_the_index(place, site, specs, capsys):
    docs = {"navigation": {"groups": {"$ref": "./config/groups.json"}}}
    groups = navigation(*pages_of(["zoo/cat", "acme/v1", "acme/v2.6"]))["navigation"]["groups"]
    folder = "/config" if place == "served" else "/deep/config"
    site.serve(f"{folder}/groups.json", json.dumps(groups).encode())
    site.serve("/docs.json" if place == "served" else "/deep/docs.json", json.dumps(docs).encode())
    site.serve("/openapi.json", json.dumps(whole()).encode())
    index(site, map(slug, MODELS.values()), *([f"- [docs]({site.url}/deep/docs.json)"] if place == "linked" else []))
    assert fetch(site, specs) == 0
    assert json.loads((specs / "docs.json").read_text("utf-8")) == {"navigation": {"groups": groups}}
    assert models_in(specs, capsys) == ["zoo/cat", "acme/v1", "acme/v2.6"]


@pytest.mark.parametrize(
    ("info", "form", "fence"),
    [
        ("yaml openapi.json POST /generation/x", yaml.safe_dump, "````"),
        ("yaml", yaml.safe_dump, "```"),
        ("json POST /generation/x", json.dumps, "~~~"),
        ("", json.dumps, "`````"),
    ],
)
def test_without_a_whole_description_each_page_gives_its_own(info, form, fence, site, specs, capsys, project):
    names = [slug(title) for title in reversed(MODELS.values())]
    for model, title in MODELS.items():
        page(site, slug(title), description({model: operation(BODY, summary=title)}), info=info, form=form, fence=fence)
    page(site, "api-reference/result", {**description({}), "paths": {"/generation/{id}": RESULT}}, form=form)
    site.serve("/quickstart.md", b"# Quickstart\n")
    index(site, ["quickstart", *names, "api-reference/result"])
    assert fetch(site, specs) == 0
    assert "no whole description is of use; reading 4 pages" in capsys.readouterr().err
    assert sorted(held(specs)) == [
        ".etags.json", "docs.json",
        "models/acme_v1.json", "models/acme_v2_6.json", "models/zoo_cat.json", "openapi.json",
    ]  # fmt: skip
    assert models_in(specs, capsys) == list(reversed(MODELS))
    assert main(["generate", "--openapi", str(specs / "openapi.json"), "--out", str(project.out)]) == 0
    module = project.load("acme_v2_6")
    assert module.parse({"prompt": "x", "ratio": "16:9", "mode": "off"}).to_dict()["ratio"] == "16:9"
    assert "GET /generation/{id}" in (specs / "docs.json").read_text("utf-8")


def test_a_page_that_is_gone_goes_with_its_file_unless_somebody_changed_it(site, specs, capsys):
    for model, title in MODELS.items():
        page(site, slug(title), description({model: BODY}))
    index(site, map(slug, MODELS.values()))
    assert fetch(site, specs) == 0
    edited = specs / "models" / "zoo_cat.json"
    edited.write_text(json.dumps(description({"zoo/cat": BODY})), "utf-8")
    index(site, [slug("Acme V1")])
    assert fetch(site, specs) == 0
    assert sorted(path.name for path in (specs / "models").iterdir()) == ["acme_v1.json", "zoo_cat.json"]
    before = held(specs)
    assert fetch(site, specs) == 0
    assert held(specs) == before


def test_a_file_that_somebody_put_there_is_not_overwritten(site, specs):
    (specs / "models").mkdir(parents=True)
    own = json.dumps(description({"acme/own": BODY}))
    (specs / "models" / "acme_v1.json").write_text(own, "utf-8")
    page(site, slug("Acme V1"), description({"acme/v1": BODY}))
    index(site, [slug("Acme V1")])
    assert fetch(site, specs) == 0
    assert (specs / "models" / "acme_v1.json").read_text("utf-8") == own
    assert (specs / "models" / "acme_v1_2.json").is_file()


@pytest.mark.parametrize("by", ["heading", "address", "tag"])
def test_only_the_models_of_the_group_are_taken_where_something_tells_them(by, site, specs, capsys):
    models = {"acme/v1": "Acme V1", "acme/picture": "Acme Picture"}
    openapi = whole(models)
    if by == "tag":
        openapi["paths"]["/generation/acme/v1"]["post"]["tags"] = ["Videos"]
    site.serve("/openapi.json", json.dumps(openapi).encode())
    first = "api-reference/videos/acme-v1" if by == "address" else slug("Acme V1")
    heading = "Videos" if by == "heading" else "Docs"
    index(site, [first], "", "## Images", f"- [p]({site.url}/{slug('Acme Picture')}.md)", heading=heading)
    assert fetch(site, specs) == 0
    assert models_in(specs, capsys) == ["acme/v1"]


def test_what_selects_nothing_is_said_and_the_next_is_tried(site, specs, capsys):
    shop = {"openapi": "3.1.0", "info": {}, "paths": {"/plants": {"get": {"summary": "Plants"}}}}
    site.serve("/openapi.json", json.dumps(shop).encode())
    page(site, slug("Acme V1"), description({"acme/v1": BODY}))
    index(site, [slug("Acme V1")], f"- [openapi]({site.url}/openapi.json)")
    assert fetch(site, specs) == 0
    err = capsys.readouterr().err
    assert "whole descriptions: " in err
    assert "reading 1 page" in err
    assert models_in(specs, capsys) == ["acme/v1"]


def test_nothing_is_written_where_nothing_selects_a_model(site, specs, capsys):
    specs.mkdir()
    (specs / "openapi.json").write_text("{}", "utf-8")
    index(site, ["quickstart", "api-reference/plants"])
    page(site, "api-reference/plants", {"openapi": "3.1.0", "info": {}, "paths": {"/plants": {"get": {}}}})
    assert fetch(site, specs) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("; the old files are kept")
    assert held(specs) == {"openapi.json": b"{}"}


def test_a_site_that_has_nothing_says_where_else_to_look(site, specs, capsys):
    assert fetch(site, specs) == 2
    err = capsys.readouterr().err
    assert "/llms.txt: answers 404, not 200" in err
    assert "give --openapi-url and --docs-url" in err.splitlines()[-1]
    assert held(specs) == {}


@pytest.mark.parametrize("more", [[], ["--openapi-url", "openapi.json"]])
@pytest.mark.parametrize("address", ["http://[", "https://[::1", "https://docs.example:port", "ftp://docs.example"])
def test_a_site_that_is_no_address_is_told(address, more, specs, capsys):
    assert main(["fetch", address, "--into", str(specs), *more]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {address}/llms.txt: is no ")


def test_links_to_other_sites_and_files_are_not_followed(site, specs, capsys):
    with serving() as other:
        other.serve("/openapi.json", json.dumps(whole()).encode())
        page(site, slug("Acme V1"), description({"acme/v1": BODY}))
        evil = [other.url, "http://169.254.169.254", "file:///etc", "ftp://a.example", "http://["]
        index(site, [slug("Acme V1")], *(f"- [openapi]({place}/openapi.json)" for place in evil))
        assert fetch(site, specs) == 0
        assert other.asked == []
    assert "5 links to elsewhere not followed" in capsys.readouterr().err
    assert models_in(specs, capsys) == ["acme/v1"]


@pytest.mark.parametrize("model", ["../../evil", "..%2f..%2fevil", "con", "a/b/../../../x", "acme/\u202ev1"])
def test_no_model_of_a_page_decides_a_path(model, site, specs, tmp_path):
    openapi = description({model: BODY, "acme/v1": BODY})
    page(site, slug("Acme V1"), openapi)
    index(site, [slug("Acme V1")])
    before = set(tmp_path.rglob("*"))
    assert fetch(site, specs) in (0, 2)
    made = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path not in before and path.is_file()
    }
    assert all(name.startswith("specs/") for name in made - {"pyproject.toml"})


def test_pages_that_disagree_on_what_they_share_keep_their_own(site, specs, project):
    for model, kind in (("acme/v1", "string"), ("acme/v2.6", "integer")):
        body = {"type": "object", "properties": {"size": {"$ref": "#/components/schemas/Size"}}}
        page(site, slug(MODELS[model]), description({model: body}, {"Size": {"type": kind}}))
    index(site, [slug(MODELS["acme/v1"]), slug(MODELS["acme/v2.6"])])
    assert fetch(site, specs) == 0
    assert main(["generate", "--openapi", str(specs / "openapi.json"), "--out", str(project.out)]) == 0
    assert project.load("acme_v1").Payload(size="x").to_dict() == {"size": "x"}
    assert project.load("acme_v2_6").Payload(size=1).to_dict() == {"size": 1}


@pytest.mark.parametrize("path", ["/llms.txt", "/", ""])
def test_the_site_may_be_named_with_its_index(path, site, specs):
    site.serve("/openapi.json", json.dumps(whole()).encode())
    index(site, map(slug, MODELS.values()))
    assert main(["fetch", site.url + path, "--into", str(specs), "--config", str(specs / "none.toml")]) == 0


def test_an_address_that_is_named_is_not_looked_for(site, specs, capsys):
    site.serve("/openapi.json", b"{}")
    site.serve("/other.yaml", yaml.safe_dump(whole()).encode())
    index(site, map(slug, MODELS.values()), f"- [openapi]({site.url}/openapi.json)")
    assert fetch(site, specs, "--openapi-url", f"{site.url}/other.yaml") == 0
    assert models_in(specs, capsys) == list(MODELS)
    assert "/openapi.json" not in [path for path, _ in site.asked]


def test_several_descriptions_are_taken_together(site, specs, capsys):
    rest = copy.deepcopy(whole({"zoo/cat": "Zoo Cat"}))
    site.serve("/v/openapi.json", json.dumps(whole({"acme/v1": "Acme V1"})).encode())
    site.serve("/z/openapi.json", json.dumps(rest).encode())
    links = [f"- [a]({site.url}/v/openapi.json)", "- [b](/z/openapi.json)"]
    index(site, [slug("Zoo Cat"), slug("Acme V1")], *links)
    assert fetch(site, specs) == 0
    assert models_in(specs, capsys) == ["zoo/cat", "acme/v1"]
    assert json.loads((specs / "models" / "openapi.json").read_text("utf-8")) == rest


@pytest.mark.parametrize("status", [500, 503, 429, 408])
@pytest.mark.parametrize("path", ["llms.txt", "openapi.json", "docs.json", "api-reference/acme-v1.md"])
def test_what_cannot_be_had_now_is_not_taken_to_be_gone(path, status, site, specs, capsys):
    for model, title in MODELS.items():
        page(site, slug(title), description({model: BODY}))
    index(site, map(slug, MODELS.values()))
    assert fetch(site, specs) == 0
    before = held(specs)
    if path == "docs.json":
        site.serve("/openapi.json", json.dumps(whole()).encode())
    site.serve(f"/{path}", b"", status)
    capsys.readouterr()
    assert fetch(site, specs) == 2
    assert f"/{path}: answers {status}, not 200" in capsys.readouterr().err.splitlines()[-1]
    assert held(specs) == before


@pytest.mark.parametrize("block", ["openapi: [3.1.0\n", "openapi: 3.1.0\nopenapi: 3.1.0\n", '{"openapi": "2.0"}'])
def test_a_block_that_cannot_be_read_is_named_and_the_others_are_taken(block, site, specs, capsys):
    page(site, slug("Acme V1"), description({"acme/v1": BODY}))
    page(site, slug("Zoo Cat"), block, form=str)
    index(site, [slug("Acme V1"), slug("Zoo Cat")])
    assert fetch(site, specs) == 0
    assert f"warning: {site.url}/{slug('Zoo Cat')}.md: is passed over: " in capsys.readouterr().err
    assert models_in(specs, capsys) == ["acme/v1"]


@pytest.mark.parametrize("label", ["[Beta] Acme V1", "Acme V1 [Beta]", "![logo] Acme `V1`", "", "A" * 600])
def test_a_link_is_found_whatever_its_label_is(label, site, specs, capsys):
    page(site, slug("Acme V1"), description({"acme/v1": BODY}))
    site.serve("/llms.txt", f"# Acme\n\n- [{label}]({site.url}/{slug('Acme V1')}.md): about it\n".encode())
    assert fetch(site, specs) == 0
    assert models_in(specs, capsys) == ["acme/v1"]
