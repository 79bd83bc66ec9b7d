"""Which operations are videos: every form in which docs.json, or its absence, can say so."""

from __future__ import annotations

import json
import shutil

import pytest

from generator.__main__ import main
from tests.support.project import description, navigation, operation, pages_of

BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
ONE, TWO = "POST /generation/acme/one", "POST /generation/acme/two"


def two_models():
    return description(
        {"acme/one": operation(BODY, summary="Acme One"), "acme/two": operation(BODY, summary="Acme Two")}
    )


def videos(*pages):
    return {"group": "Videos", "pages": list(pages)}


def only(*pages):
    """Write a navigation with a Videos group of these pages, and a group for the models of the others."""
    docs = navigation(*pages)
    docs["navigation"]["groups"].append({"group": "More", "pages": [ONE, TWO]})
    return docs


def listing(project, capsys, *options):
    """Run `list` and give the models and what was passed over, with what stands on stderr."""
    capsys.readouterr()
    assert project.run("list", "--json", *options) == 0
    out, err = capsys.readouterr()
    shown = json.loads(out)
    return [item["model"] for item in shown["models"]], shown["passed_over"], err


def models_of(project, capsys, docs, openapi=None):
    project.write(openapi or two_models(), docs)
    return listing(project, capsys)[0]


FORMS = {
    "groups": {"groups": [videos(ONE)]},
    "pages-that-hold-a-group": {"pages": ["index", videos(ONE)]},
    "tabs": {"tabs": [{"tab": "APIs", "groups": [{"group": "Images", "pages": [TWO]}, videos(ONE)]}]},
    "products": {"products": [{"product": "Platform", "tabs": [{"tab": "APIs", "groups": [videos(ONE)]}]}]},
    "languages": {"languages": [{"language": "en", "groups": [videos(ONE)]}]},
    "versions": {"versions": [{"version": "1", "groups": [videos(ONE)]}]},
    "dropdowns": {"dropdowns": [{"dropdown": "API", "groups": [videos(ONE)]}]},
    "anchors": {"anchors": [{"anchor": "API", "groups": [videos(ONE)]}]},
    "menu": {"tabs": [{"tab": "API", "menu": [{"item": "Reference", "groups": [videos(ONE)]}]}]},
    "legacy": [videos(ONE)],
    "all-levels": {"products": [{"product": "P", "languages": [{"language": "en", "versions": [{"version": "1",
    "tabs": [
        {"tab": "T", "dropdowns": [{"dropdown": "D", "anchors": [{"anchor": "A", "groups": [videos(ONE)]}]}]},
    ]}]}]}]},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_videos_group_is_found_in_every_form_of_navigation(form, project, capsys):
    assert models_of(project, capsys, {"navigation": FORMS[form]}) == ["acme/one"]


NAMED = {
    "product": {"products": [{"product": "Videos", "pages": [ONE]}]},
    "language": {"languages": [{"language": "Videos", "pages": [ONE]}]},
    "version": {"versions": [{"version": "Videos", "pages": [ONE]}]},
    "tab": {"tabs": [{"tab": "Videos", "groups": [{"group": "Acme", "pages": [ONE]}]}]},
    "dropdown": {"dropdowns": [{"dropdown": "Videos", "pages": [ONE]}]},
    "anchor": {"anchors": [{"anchor": "Videos", "pages": [ONE]}]},
    "item": {"tabs": [{"tab": "API", "menu": [{"item": "Videos", "pages": [ONE]}]}]},
}


@pytest.mark.parametrize("kind", NAMED)
def test_an_entry_of_any_kind_may_be_named_videos(kind, project, capsys):
    assert models_of(project, capsys, {"navigation": NAMED[kind]}) == ["acme/one"]


def test_nested_groups_belong_to_videos_at_any_depth(project, capsys):
    nested = {"group": "Acme", "pages": [{"group": "New", "pages": [{"group": "Beta", "pages": [TWO]}]}]}
    assert models_of(project, capsys, navigation(nested, ONE)) == ["acme/two", "acme/one"]


def test_root_of_a_group_holds_one_more_page(project, capsys):
    docs = {"navigation": {"groups": [{"group": "Videos", "root": TWO, "pages": [ONE]}]}}
    assert models_of(project, capsys, docs) == ["acme/two", "acme/one"]


def test_groups_of_other_names_are_not_read(project, capsys):
    docs = {
        "navigation": {"groups": [{"group": "Images", "pages": [TWO]}, videos(ONE), {"group": "Video", "pages": [TWO]}]}
    }
    assert models_of(project, capsys, docs) == ["acme/one"]


def test_several_videos_groups_are_merged_in_their_first_order(project, capsys):
    languages = [{"language": "en", "groups": [videos(TWO)]}, {"language": "de", "groups": [videos(ONE, TWO)]}]
    assert models_of(project, capsys, {"navigation": {"languages": languages}}) == ["acme/two", "acme/one"]


@pytest.mark.parametrize(
    "again",
    [ONE, "post /generation/acme/one/", "POST /v1/generation/acme/one", "acme-one", "POST /generation/sse/acme/one"],
)
def test_a_model_that_is_listed_twice_is_made_once(again, project, capsys):
    assert models_of(project, capsys, navigation(ONE, TWO, again)) == ["acme/one", "acme/two"]


PAGES = {
    "plain": ONE,
    "letter-case-and-blanks": "  post   /generation/acme/one ",
    "tab-between": "Post\t/generation/acme/one",
    "spec-file": "openapi.json POST /generation/acme/one",
    "spec-file-in-folder": "/api reference/openapi.json post /generation/acme/one",
    "spec-address": "https://skills.example/openapi.json POST /generation/acme/one",
    "trailing-slash": "POST /generation/acme/one/",
    "v1": "POST /v1/generation/acme/one",
    "api-v1": "POST /api/v1/generation/acme/one",
    "slug": "api-reference/acme-one",
    "slug-alone": "acme-one",
    "slug-with-slash": "/api-reference/videos/acme-one",
}


@pytest.mark.parametrize("form", PAGES)
def test_a_page_names_an_operation_in_every_form(form, project, capsys):
    assert models_of(project, capsys, navigation(PAGES[form])) == ["acme/one"]


DESCRIBED = ["/generation/{}/", "/v1/generation/{}", "/api/v1/generation/{}"]


@pytest.mark.parametrize("path", DESCRIBED)
def test_a_described_path_is_found_without_its_slash_and_prefix(path, project, capsys):
    openapi = description({})
    openapi["paths"] = {path.format(name): operation(BODY) for name in ("acme/one", "sse/acme/one")}
    project.write(openapi, navigation(ONE))
    assert listing(project, capsys)[0] == ["acme/one"]


def test_an_exact_path_is_taken_before_one_that_differs_by_a_slash(project, capsys):
    openapi = two_models()
    openapi["paths"] = {"/generation/acme/one/": operation(BODY, summary="Slash"), **openapi["paths"]}
    openapi["paths"]["/generation/sse/acme/one/"] = operation(BODY, summary="Slash")
    project.write(openapi, navigation(ONE))
    project.run("list", "--json")
    [model] = json.loads(capsys.readouterr().out)["models"]
    assert (model["title"], model["create"]) == ("Acme One", "/generation/acme/one")


SLUGS = {
    "Kling V2.6 Video": "kling-v26-video",
    "Acme's (new) {one}, v2/fast": "acmes-new-one-v2fast",
    "Acme - One": "acme-one",
    "ACME  One": "acme-one",
}


@pytest.mark.parametrize("summary", SLUGS)
def test_a_slug_is_the_summary_as_the_site_spells_it(summary, project, capsys):
    openapi = description({"acme/one": operation(BODY, summary=summary), "acme/two": operation(BODY, summary="Other")})
    assert models_of(project, capsys, navigation(f"api-reference/{SLUGS[summary]}"), openapi) == ["acme/one"]


def test_a_slug_means_the_path_that_is_no_stream(project, capsys):
    openapi = two_models()
    openapi["paths"] = dict(reversed(openapi["paths"].items()))
    project.write(openapi, only("api-reference/acme-one"))
    models, passed_over, err = listing(project, capsys)
    assert (models, passed_over, err) == (["acme/one"], [], "")


def test_href_of_an_operation_overrides_its_summary(project, capsys):
    openapi = description({
        "acme/one": operation(BODY, **{"x-mint": {"href": "/models/first"}}),
        "acme/two": operation(BODY, summary="First"),
    })  # fmt: skip
    assert models_of(project, capsys, navigation("models/first"), openapi) == ["acme/one"]
    project.write(openapi, navigation("api-reference/acme-one"))
    assert project.run("list") == 2


def test_a_slug_of_two_operations_is_reported_and_not_guessed(project, capsys):
    openapi = description({"acme/one": BODY, "acme/two": BODY})
    project.write(openapi, navigation(TWO, "api-reference/acme-one"))
    models, _, err = listing(project, capsys)
    assert models == ["acme/two"]
    assert "docs.json#/navigation/groups/0/pages/1: 'api-reference/acme-one' is passed over: it may be any of" in err
    assert "/generation/acme/one" in err


def test_a_slug_of_no_operation_is_reported(project, capsys):
    project.write(two_models(), navigation(ONE, "api-reference/acme-three"))
    models, _, err = listing(project, capsys)
    assert models == ["acme/one"]
    assert err.startswith("warning: ")
    assert "docs.json#/navigation/groups/0/pages/1: 'api-reference/acme-three' is passed over" in err


def test_prose_and_webhooks_are_passed_over_without_a_warning(project):
    project.write(two_models(), only("quickstart", "guides/first-video", ONE, "webhook done", "api.json WEBHOOK done"))
    assert project.run("generate", "--strict") == 0


@pytest.mark.parametrize("page", ["webhook done", "openapi.json WEBHOOK done"])
def test_a_webhook_is_passed_over_in_silence(page, project, capsys):
    project.write(two_models(), only(page, ONE))
    assert listing(project, capsys) == (["acme/one"], [], "")


def test_a_link_that_is_named_videos_is_no_group(project, capsys):
    link = {"anchors": [{"anchor": "Videos", "href": "https://videos.example", "icon": "youtube"}]}
    groups = only(ONE)["navigation"]["groups"]
    project.write(two_models(), {"navigation": {"global": link, "groups": groups}})
    assert listing(project, capsys, "--strict") == (["acme/one"], [], "")
    project.write(two_models(), {"navigation": link})
    assert project.run() == 2
    assert "has no group named 'Videos'" in capsys.readouterr().err


@pytest.mark.parametrize("page", [None, 5, True])
def test_a_page_that_is_no_text_is_reported(page, project, capsys):
    project.write(two_models(), navigation(page, ONE))
    models, _, err = listing(project, capsys)
    assert models == ["acme/one"]
    assert f"docs.json#/navigation/groups/0/pages/0: {page!r} is no page" in err


@pytest.mark.parametrize("page", ["GET /generation/{id}", "GET /credits", "POST /uploads"])
def test_operations_that_create_no_generation_are_passed_over_without_a_warning(page, project, capsys):
    project.write(two_models(), only(page, ONE))
    models, passed_over, _ = listing(project, capsys, "--strict")
    assert models == ["acme/one"]
    assert [item["page"] for item in passed_over] == [page]


@pytest.mark.parametrize("source", ["openapi.json", ["openapi.json"], {"source": "openapi.json", "directory": "api"}])
def test_an_entry_with_a_description_and_no_pages_lists_all_of_it(source, project, capsys):
    docs = {"navigation": {"tabs": [{"tab": "Videos", "openapi": source}]}}
    assert models_of(project, capsys, docs) == ["acme/one", "acme/two"]


@pytest.mark.parametrize("mark", ["x-hidden", "x-excluded"])
def test_a_whole_description_is_listed_less_what_is_hidden(mark, project, capsys):
    openapi = description({"acme/one": operation(BODY, **{mark: True}), "acme/two": operation(BODY)})
    assert models_of(
        project, capsys, {"navigation": {"groups": [{"group": "Videos", "openapi": "o.json"}]}}, openapi
    ) == ["acme/two"]


@pytest.mark.parametrize("mark", ["x-hidden", "x-excluded"])
def test_a_hidden_operation_is_taken_where_a_page_names_it(mark, project, capsys):
    openapi = description({"acme/one": operation(BODY, **{mark: True})})
    assert models_of(project, capsys, navigation(ONE), openapi) == ["acme/one"]


def test_what_a_whole_description_holds_besides_models_is_no_warning(project):
    openapi = two_models()
    openapi["paths"]["/credits"] = {"get": {"summary": "Credits", "responses": {}}}
    project.write(openapi, {"navigation": {"groups": [{"group": "Videos", "openapi": "openapi.json"}]}})
    assert project.run("generate", "--strict") == 0


def test_an_entry_with_pages_lists_those_alone(project, capsys):
    docs = {"navigation": {"groups": [{"group": "Videos", "openapi": "openapi.json", "pages": [TWO]}]}}
    assert models_of(project, capsys, docs) == ["acme/two"]


@pytest.mark.parametrize("tag", ["Videos", "videos", " VIDEOS "])
def test_tagged_operations_are_a_videos_group_of_a_listed_description(tag, project, capsys):
    openapi = description(
        {"acme/one": operation(BODY, tags=["Images"]), "acme/two": operation(BODY, tags=["New", tag])}
    )
    assert models_of(
        project, capsys, {"navigation": {"tabs": [{"tab": "API", "openapi": "openapi.json"}]}}, openapi
    ) == ["acme/two"]


def test_without_navigation_the_tag_selects(project, capsys):
    openapi = description({
        "acme/one": operation(BODY, tags=["Videos"]),
        "acme/two": operation(BODY, tags=["Images"]),
        "acme/three": operation(BODY, tags=["Videos"], **{"x-hidden": True}),
    })  # fmt: skip
    project.write(openapi)
    project.docs.unlink()
    assert main(["list", "--json", "--openapi", str(project.openapi)]) == 0
    assert [item["model"] for item in json.loads(capsys.readouterr().out)["models"]] == ["acme/one"]


MISSING = {
    "not described": ("POST /generation/acme/three", "POST /generation/acme/three is described in no description"),
    "stream only": ("POST /generation/acme/loud", "only its stream is described, and GET /generation/{id} is not"),
    "no body": ("POST /generation/acme/empty", "no JSON object or form is described"),
    "items": ("POST /generation/acme/items", "its body is described by 'itemSchema', as a sequence of items (a/jsonl)"),
    "items of JSON": ("POST /generation/acme/json-items", "its body is described by 'itemSchema', as a sequence"),
    "XML": ("POST /generation/acme/xml", "no JSON object or form is described that could be posted to it, but a/xml;"),
    "no schema": ("POST /generation/acme/bare", "no JSON object or form is described that could be posted to it, but"),
    "no name": ("POST /generation/{model}", "its path does not name a model"),
}


def taking(media_type, **said):
    return {"post": {"summary": "Else", "requestBody": {"content": {media_type: said}}, "responses": {}}}


def incomplete():
    openapi = description({
        "acme/one": BODY,
        "acme/empty": {"post": {"summary": "Empty", "responses": {}}},
        "acme/items": taking("a/jsonl", itemSchema=BODY),
        "acme/json-items": taking("application/json", itemSchema=BODY),
        "acme/xml": taking("a/xml", schema=BODY),
        "acme/bare": taking("application/json"),
    })  # fmt: skip
    openapi["paths"] |= {
        "/generation/acme/quiet": operation(BODY),
        "/generation/sse/acme/loud": operation(BODY),
        "/generation/{model}": operation(BODY),
    }
    return openapi


@pytest.mark.parametrize("case", MISSING)
def test_what_is_listed_and_cannot_be_made_is_reported_by_name(case, project, capsys):
    page, reason = MISSING[case]
    project.write(incomplete(), navigation(page, ONE))
    models, passed_over, err = listing(project, capsys)
    assert models == ["acme/one"]
    assert passed_over[0]["page"] == page
    assert reason in passed_over[0]["reason"]
    assert [item["page"] for item in passed_over].count(page) == 1
    assert f"docs.json#/navigation/groups/0/pages/0: {page!r} is passed over: {reason}" in err


@pytest.mark.parametrize("case", MISSING)
def test_strict_fails_where_something_listed_cannot_be_made(case, project, capsys):
    docs = navigation(MISSING[case][0], ONE)
    others = [page for page, _ in MISSING.values()] + ["POST /generation/acme/quiet"]
    docs["navigation"]["groups"].append({"group": "Others", "pages": others})
    project.write(incomplete(), docs)
    assert project.run("generate", "--strict") == 1
    assert not project.out.exists()
    assert "error: 1 warning, and --strict allows none" in capsys.readouterr().err


def test_without_strict_the_other_models_are_made(project):
    project.write(incomplete(), navigation(*(page for page, _ in MISSING.values()), ONE))
    assert project.run() == 0
    assert (project.out / "acme_one.py").is_file()


def test_list_names_endpoints_and_source_of_a_model(project, capsys):
    project.write(two_models(), navigation(ONE))
    project.run("list", "--json")
    assert json.loads(capsys.readouterr().out)["models"] == [{
        "model": "acme/one",
        "module": "acme_one",
        "title": "Acme One",
        "stream": "/generation/sse/acme/one",
        "create": "/generation/acme/one",
        "result": "/generation/{id}",
        "source": "openapi.json",
    }]  # fmt: skip


def test_list_as_text_names_each_model_and_what_was_passed_over(project, capsys):
    project.write(two_models(), navigation(ONE, "GET /credits"))
    assert project.run("list") == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["acme/one", "acme_one", "(Acme", "One;", "openapi.json)"]
    assert second.startswith("passed over: GET /credits: it creates no generation: that is POST /generation/<model>")
    assert third.startswith("passed over: POST /generation/acme/two: ")


def scoped():
    return description({"acme/one": {"type": "object", "properties": {"seed": {"type": "integer"}}}})


def test_a_second_description_wins_for_what_it_describes(project):
    project.write(two_models())
    second = project.folder / "acme-one.json"
    second.write_text(json.dumps(scoped()), "utf-8")
    assert project.run("generate", "--openapi", str(second)) == 0
    assert "seed: int" in project.text("acme_one.py")
    assert "prompt" not in project.text("acme_one.py")
    assert "prompt: str" in project.text("acme_two.py")


def test_a_last_description_wins_over_a_second(project):
    project.write(two_models())
    for name, file in (("seed", "a.json"), ("size", "b.json")):
        openapi = description({"acme/one": {"type": "object", "properties": {name: {"type": "integer"}}}})
        (project.folder / file).write_text(json.dumps(openapi), "utf-8")
    options = [option for file in ("a.json", "b.json") for option in ("--openapi", str(project.folder / file))]
    assert project.run("generate", *options) == 0
    assert "size: int" in project.text("acme_one.py")


def test_a_file_in_the_folder_of_models_wins_for_what_it_describes(project, capsys):
    project.write(two_models())
    (project.folder / "models").mkdir()
    (project.folder / "models" / "one.json").write_text(json.dumps(scoped()), "utf-8")
    assert project.run() == 0
    assert "seed: int" in project.text("acme_one.py")
    capsys.readouterr()
    project.run("list", "--json")
    sources = {item["model"]: item["source"] for item in json.loads(capsys.readouterr().out)["models"]}
    assert sources == {"acme/one": "models/one.json", "acme/two": "openapi.json"}


def test_the_folder_of_models_is_not_read_where_descriptions_are_named(project):
    project.write(two_models())
    (project.folder / "models").mkdir()
    (project.folder / "models" / "one.json").write_text(json.dumps(scoped()), "utf-8")
    second = project.folder / "second.json"
    second.write_text(json.dumps(description({"acme/two": BODY})), "utf-8")
    assert project.run("generate", "--openapi", str(second)) == 0
    assert "prompt: str" in project.text("acme_one.py")


def test_a_model_scoped_description_of_one_endpoint_brings_its_schema(project):
    openapi = scoped()
    del openapi["paths"]["/generation/sse/acme/one"]
    project.write(two_models())
    (project.folder / "models").mkdir()
    (project.folder / "models" / "one.json").write_text(json.dumps(openapi), "utf-8")
    assert project.run() == 0
    assert "seed: int" in project.text("acme_one.py")


def test_a_model_that_only_a_model_scoped_description_has_can_be_listed(project, capsys):
    project.write(two_models(), navigation(ONE, "POST /generation/acme/three"))
    second = project.folder / "three.json"
    second.write_text(json.dumps(description({"acme/three": BODY})), "utf-8")
    assert listing(project, capsys, "--openapi", str(second))[0] == ["acme/one", "acme/three"]


def test_a_whole_description_is_found_by_its_name_among_several(project, capsys):
    project.write(
        description({"acme/one": BODY}), {"navigation": {"groups": [{"group": "Videos", "openapi": "api/two.json"}]}}
    )
    second = project.folder / "two.json"
    second.write_text(json.dumps(description({"acme/two": BODY})), "utf-8")
    assert listing(project, capsys, "--openapi", str(second))[0] == ["acme/two"]


def test_a_whole_description_that_was_not_given_is_reported(project, capsys):
    project.write(two_models(), {"navigation": {"groups": [videos(ONE), {"group": "Videos", "openapi": "other.json"}]}})
    second = project.folder / "two.json"
    second.write_text(json.dumps(description({"acme/two": BODY})), "utf-8")
    models, _, err = listing(project, capsys, "--openapi", str(second))
    assert models == ["acme/one"]
    assert "docs.json#/navigation/groups/1/openapi: lists all of 'other.json'" in err


def test_a_navigation_beside_the_description_is_found(project, capsys):
    elsewhere = project.folder / "elsewhere"
    elsewhere.mkdir()
    project.write(two_models(), navigation(*pages_of(["acme/two"])))
    shutil.copy(project.openapi, elsewhere)
    shutil.copy(project.docs, elsewhere)
    assert main(["list", "--json", "--openapi", str(elsewhere / "openapi.json")]) == 0
    assert [item["model"] for item in json.loads(capsys.readouterr().out)["models"]] == ["acme/two"]
