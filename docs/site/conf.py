"""How Sphinx shows the pages. It reads no text of the platform but what `pages` and `models` have escaped."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from skills_video import __version__

project = "skills-video"
author = copyright = "The skills-video authors"  # noqa: A001  # the name that Sphinx reads
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
source_suffix = {".md": "markdown"}
language = "en"
smartquotes = False
default_role = "code"
nitpicky = False

# Texts of a description are escaped where they are written. These are the second wall: no HTML, no directive or role
# that reads a file, no formula, which would be shown by a script from elsewhere.
myst_disable_syntax = ["html_block", "html_inline"]
myst_heading_anchors = 4
myst_linkify_fuzzy_links = False
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "skills-video"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
templates_path = ["layout"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": False}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

looks = sha256(
    b"".join(path.read_bytes() for path in (Path(__file__), *sorted(Path(__file__).parent.glob("layout/*"))))
)
layout_digest = looks.hexdigest()
"""Where it changes, all pages are written anew."""

plain: dict[str, list[str]] = {}
"""Texts of attributes as they were, by the name of each."""


def keep(_: object, kind: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Keep the text of an attribute from napoleon, which takes a colon in it for the end of a type."""
    if kind in {"attribute", "property"}:
        plain[name] = lines[:]


def restore(_: object, kind: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Give it back."""
    if kind in {"attribute", "property"}:
        lines[:] = plain[name]


def level(_app: object, _page: object, _template: object, context: dict[str, Any], _tree: object) -> None:
    """Give the captions of the menu, which are headings, the level that they lack."""
    for name, value in context.items():
        if isinstance(value, str) and 'role="heading">' in value and name != "body":
            context[name] = value.replace('role="heading">', 'role="heading" aria-level="2">')


def setup(app: Any) -> None:
    """Stand before and behind napoleon and furo, which have the priority 500."""
    app.add_config_value("layout_digest", "", "html")
    app.add_config_value("menu", "", "html")
    app.connect("html-page-context", level, priority=600)
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)
