"""What an editor, a notebook and a prompt of Python show: names that are of use, and values without what is not set."""

from __future__ import annotations

from html.parser import HTMLParser
from operator import methodcaller

import pytest

import skills_video
from skills_video import Generation, PayloadError, catalog, kling_v2_6
from skills_video.catalog import MODELS

ADDRESS = "https://a.example/gen_1/0.mp4"
DONE = {"id": "gen_1", "status": "COMPLETED", "data": {"videos": [{"url": ADDRESS}]}, "usage": {"total": 20}}


def test_a_module_shows_what_it_is_for():
    assert kling_v2_6.__all__ == [
        "ENDPOINT", "AsyncKlingV26", "KlingV26", "MotionControl", "Payload", "TextImageToVideo", "parse",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [info.module for info in MODELS])
def test_all_names_of_a_module_are_there(name):
    module = getattr(skills_video, name)
    assert set(dir(module)) == set(module.__all__)
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


def test_the_package_shows_clients_errors_and_models_and_nothing_that_builds_them():
    shown = dir(skills_video)
    assert {"Client", "AsyncClient", "PayloadError", "File", "kling_v2_6", "catalog", "UNSET"} <= set(shown)
    assert not {"Ge", "AnyOf", "MultipleOf", "TYPE_CHECKING", "import_module"} & set(shown)
    assert skills_video.Ge is not None


def test_a_payload_shows_what_is_set_and_can_be_written_again():
    payload = kling_v2_6.TextImageToVideo(prompt="neon rain", duration=10)
    told = repr(payload)
    assert told == "TextImageToVideo(prompt='neon rain', feature='text-image-to-video', duration=10)"
    assert eval(told, vars(kling_v2_6)) == payload


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (DONE, f"Generation(id='gen_1', status='COMPLETED', url='{ADDRESS}', credits=20)"),
        (
            {**DONE, "data": {"videos": [f"{ADDRESS}?signature=s#f"]}},
            f"Generation(id='gen_1', status='COMPLETED', url='{ADDRESS}', credits=20)",
        ),
        ({"id": "gen_1", "status": "FAILED"}, "Generation(id='gen_1', status='FAILED')"),
        ({**DONE, "status": "IN_PROGRESS", "usage": {"total": 0}}, "Generation(id='gen_1', status='IN_PROGRESS')"),
    ],
)
def test_a_generation_shows_what_matters_of_its_state(raw, told):
    assert repr(Generation.parse(raw)) == told


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def page(**changes):
    show = methodcaller("_repr_html_")  # the name by which notebooks ask
    return Page(show(Generation.parse({**DONE, **changes})))


def test_a_notebook_shows_the_video_and_its_address():
    shown = page()
    assert ("a", ADDRESS) in [(tag, facts.get("href")) for tag, facts in shown.tags]
    assert ("video", ADDRESS) in [(tag, facts.get("src")) for tag, facts in shown.tags]
    assert {"COMPLETED", "gen_1", ", 20 credits", ADDRESS} <= set(shown.texts)


@pytest.mark.parametrize(
    ("media", "tag"),
    [
        ({"url": "https://a.example/1.PNG?x=1"}, "img"),
        ({"url": "https://a.example/1", "content_type": "image/webp"}, "img"),
        ({"url": "https://a.example/1.mp3"}, "audio"),
        ({"url": "https://a.example/1"}, "video"),
    ],
)
def test_a_notebook_shows_a_file_as_what_it_is(media, tag):
    assert [name for name, facts in page(data={"videos": [media]}).tags if "src" in facts] == [tag]


@pytest.mark.parametrize(
    "hostile",
    ['https://a.example/"><script>alert(1)</script>', "javascript:alert(1)", "data:text/html,<script>", "//x'\"<b>"],
)
def test_what_comes_from_elsewhere_is_shown_and_does_nothing(hostile):
    shown = page(id=f"gen{hostile}"[:40], code=hostile, message=hostile, data={"videos": [{"url": hostile}]})
    assert {tag for tag, _ in shown.tags} <= {"div", "strong", "code", "br", "p", "a", "video"}
    assert all(
        facts.get(name, "https://").startswith("https://") for _, facts in shown.tags for name in ("src", "href")
    )
    assert hostile in shown.texts


def test_violations_read_well_where_a_list_of_them_is_shown():
    with pytest.raises(PayloadError) as caught:
        kling_v2_6.parse({"prompt": "x", "duration": 7})
    assert repr(caught.value.violations) == "(<Violation duration: 7 is not one of 5, 10; nearest allowed: 5>,)"


@pytest.mark.parametrize("name", ["kling-ai/kling-v2.6", "kling_v2_6"])
def test_plain_data_become_the_payload_of_a_model_by_its_name(name):
    payload = catalog.parse(name, {"prompt": "x", "duration": 10})
    assert payload == kling_v2_6.parse({"prompt": "x", "duration": 10})


def test_a_model_that_is_not_there_has_no_payload():
    with pytest.raises(KeyError, match="klink"):
        catalog.parse("klink", {"prompt": "x"})


@pytest.mark.parametrize("given", [{"prompt": "x"}, "kling_v2_6"])
def test_what_is_no_payload_is_answered_with_how_to_build_one(given):
    with pytest.raises(TypeError, match=r"kling_v2_6\.parse\("), skills_video.Client("some-key") as client:
        client.generate(given)
