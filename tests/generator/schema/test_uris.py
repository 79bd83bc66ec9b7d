"""The generator and the checks of payloads have one idea of an absolute URI."""

from __future__ import annotations

import pytest

from generator.schema.algebra import fits
from generator.schema.types import Text
from skills_video_runtime import Format

TEXTS = [
    "", "x", "x:", "xy:", "x:y", "xy:z", "C:/x", "C:\\x", "c:cat.png", "cat.png", "./cat.png", "/tmp/cat.png",
    "//a.example/b", "www.a.example/b", "https:", "https:/", "https:/a", "https:a", "https://", "https:///a",
    "https://?q", "https://:80/", "https://a", "https://a/", "HTTPS://A/%20?q=1#f", "http://localhost:8080/",
    "http://[::1]:80/a", "http://[::1", "http://a]/", "http://me@a/", "http://me:pw@a:/", "https://a:port/",
    "https://a b/", "https://a/ü", "https://ü/", "https://a/%zz", "https://a/%", " https://a", "https://a ",
    "https://a\n", "https://a/[1]", "https://a/{1}", "https://a/a\\b", "https://a#b#c", "https://a?b?c",
    'https://a/"', "https://a/|", "s3://bucket/key", "s3:///key", "file:///tmp/a", "file:/tmp/a",
    "data:image/png;base64,AA==", "data:,", "mailto:a@b", "urn:isbn:1", "1a:b", "a+b-c.d:e", "a_b:c", "ftp://a",
    "http+unix://a/b", "https+x:a", "x-y://", "tel:+1", ":", "://a", "a://b c",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_generator_and_checks_agree_on_what_an_absolute_uri_is(text):
    assert fits(Text(formats=("uri",)), text, {}) == bool(Format("uri").test()(text))


def test_texts_are_of_both_kinds():
    assert {fits(Text(formats=("uri",)), text, {}) for text in TEXTS} == {True, False}
