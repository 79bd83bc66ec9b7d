"""The pictures in docs/ show what the commands say today; if they do not, run `make docs`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.children import finished

DOCS = Path(__file__).parents[1] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
PICTURES = ("command-line.svg", "first-minute.svg")
if os.name == "nt":
    pytest.skip("they show a POSIX shell", allow_module_level=True)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    finished([sys.executable, DOCS / "record.py", folder], check=True)
    return folder


def rows(picture):
    """Give the rows that it shows, but those of the models: an update of the descriptions makes no picture wrong."""
    found = ("".join(row.itertext()) for row in ET.fromstring(picture.read_text("utf-8")).iter(f"{SVG}g"))
    return [row for row in found if not re.match(r"[\w.-]+/[\w.-]+", row)]


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_what_is_recorded_now(name, recorded):
    assert len(rows(DOCS / name)) > 8
    assert rows(DOCS / name) == rows(recorded / name)


def test_the_same_run_gives_the_same_bytes(recorded, tmp_path):
    finished([sys.executable, DOCS / "record.py", tmp_path], check=True)
    for name in PICTURES:
        assert (recorded / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_loads_nothing_and_runs_nothing(name):
    text = (DOCS / name).read_text("utf-8")
    kinds = {element.tag.partition("}")[2] for element in ET.fromstring(text).iter()}
    assert kinds == {"svg", "style", "rect", "circle", "g", "text"}
    assert not re.search(r"url\(|@import|@font-face|href|\bon\w+=", text)


def test_first_minute_ends_with_a_video_and_stands_still_where_motion_is_not_wanted():
    text = (DOCS / "first-minute.svg").read_text("utf-8")
    for shown in ("skills-video sandbox", "nearest allowed: 5", "IN_PROGRESS", "COMPLETED gen_000001"):
        assert shown in text
    assert "prefers-reduced-motion" in text
    names = re.findall(r'<g class="(\S+)"', text)
    assert set(names) == set(re.findall(r"@keyframes (\S+)", text))
    assert {name for name in names if f".{name} {{ opacity: 1" in text} < set(names)
