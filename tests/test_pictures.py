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
PICTURES = ("command-line.svg", "first-minute.svg")
if os.name == "nt":
    pytest.skip("they show a POSIX shell", allow_module_level=True)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    finished([sys.executable, DOCS / "record.py", folder], check=True)
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_what_is_recorded_now(name, recorded):
    assert (recorded / name).read_text("utf-8") == (DOCS / name).read_text("utf-8")


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
