"""What is told of a model to people and machines, from one source: it is true, and nothing in it breaks out."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.support.models import is_taken, told_of

ROOT = Path(__file__).parents[3]


PAGES = told_of(ROOT / "specs")
VARIANTS = [(module, form.name) for module, page in PAGES.items() for form in page.variants]


def example_in(page, name):
    [form] = [form for form in page.variants if form.name == name]
    return form.example


@pytest.mark.parametrize(("module", "name"), VARIANTS)
def test_the_example_of_a_model_is_taken_by_its_class(module, name):
    assert is_taken(example_in(PAGES[module], name), import_module(f"skills_video.{module}"), name)


def test_an_example_has_what_is_required_with_values_that_mean_something():
    assert example_in(PAGES["kling_v2_6"], "MotionControl") == {
        "feature": "motion-control",
        "image_url": "https://example.com/image.png",
        "video_url": "https://example.com/video.mp4",
    }
    assert "fox" in example_in(PAGES["google_veo_3_1"], "Payload")["prompt"]
