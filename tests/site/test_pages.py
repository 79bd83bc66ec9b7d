"""Every page of the site stands by itself: its links hold, and nothing is asked of anybody else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag
from xml.etree import ElementTree as ET

import pytest

import skills_video_runtime
from docs.site.pages import UNSHOWN

ROOT = Path(__file__).parents[2]


class Parsed(HTMLParser):
    """What a page links, loads and can be linked at."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places, self.scripts = [], [], {"", "top"}, []
        self.is_script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.is_script = tag == "script" and "src" not in given
        self.places.update(filter(None, (given.get("id"), given.get("name"))))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in {"index", "search", "next", "prev", "canonical", "author"}:
            self.loads.append(given["href"])
        self.loads += filter(None, (given.get("src"),))

    def handle_data(self, data):
        if self.is_script:
            self.scripts.append(data)


@pytest.fixture(scope="module")
def parsed(site):
    found = {path: Parsed(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(found) > 20
    return found


def test_every_link_leads_to_a_page_and_a_place_on_it(parsed):
    lost = []
    for path, page in parsed.items():
        for link in page.links:
            address, place = urldefrag(link)
            if re.match(r"[a-z]+:", link):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            if not target.is_file() or (target in parsed and unquote(place) not in parsed[target].places):
                lost.append((path.name, link))
    assert lost == []


def test_a_page_loads_only_what_lies_beside_it(parsed):
    for path, page in parsed.items():
        for load in page.loads:
            assert not re.match(r"[a-z]+:|//", load), f"{path.name} loads {load}"
            assert (path.parent / unquote(load).partition("?")[0]).resolve().is_file(), f"{path.name} loads {load}"
    sheets = "".join(path.read_text("utf-8") for path in parsed and next(iter(parsed)).parent.rglob("*.css"))
    assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheets)


def test_the_markdown_of_each_page_lies_beside_it(parsed):
    made_by_sphinx = {"genindex", "py-modindex", "search"}
    for path in parsed:
        if path.stem not in made_by_sphinx:
            assert path.with_suffix(".md").read_text("utf-8").startswith("# "), path


def test_no_page_shows_a_comment_of_its_source(parsed):
    for path in parsed:
        assert "&lt;!--" not in path.read_text("utf-8"), path


def test_the_reference_has_all_that_a_program_is_likely_to_name(parsed):
    [page] = (page for path, page in parsed.items() if path.name == "reference.html")
    missing = {name for name in dir(skills_video_runtime) if f"skills_video.{name}" not in page.places}
    assert missing <= set(UNSHOWN)


def test_the_picture_of_a_life_loads_nothing_and_runs_nothing():
    text = (ROOT / "docs" / "life.svg").read_text("utf-8")
    kinds = {element.tag.partition("}")[2] for element in ET.fromstring(text).iter()}
    assert kinds == {"svg", "title", "desc", "style", "rect", "text", "path"}
    assert not re.search(r"url\(|@import|@font-face|href|\bon\w+=", text)
