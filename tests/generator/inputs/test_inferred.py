"""What was inferred of a model is told of the description that it was inferred for, and of no other."""

from __future__ import annotations

import pytest

from generator.diagnostics import Diagnostics
from generator.inputs import inferred
from generator.run import Inputs, read
from tests.support.project import description

BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}}


@pytest.fixture
def told(project):
    """Give a function that tells what was inferred, where SOURCES.md is about a digest."""
    project.write(description({"acme/one": BODY, "acme/two": BODY}))
    inputs = Inputs.beside(project.openapi, project.docs, None)
    found = read(inputs, Diagnostics())
    sources = project.folder / inferred.SOURCES

    def tell(digest=found.digests["openapi.json"], row="| `acme/one` | its fields |"):
        sources.write_text(f"# Sources\n\nAbout openapi.json with the digest `{digest}`.\n\n{row}\n", "utf-8")
        diagnostics = Diagnostics()
        return inferred.read(sources, found, inputs.names, diagnostics), list(map(str, diagnostics.found))

    return tell


def test_a_model_without_a_row_is_read_and_not_inferred(told):
    assert told() == ({"acme/one": "its fields", "acme/two": ""}, [])


def test_of_another_description_nothing_is_said_and_a_note_tells_it(told):
    found, [note] = told("0" * 64)
    assert found == {}
    assert note.startswith("note: ")
    assert "tells of another description" in note


@pytest.mark.parametrize("content", [None, b"\xff", b"nothing of the kind"])
def test_without_what_can_be_read_nothing_is_said(content, told, project):
    told()
    sources = project.folder / inferred.SOURCES
    sources.unlink()
    if content is not None:
        sources.write_bytes(content)
    inputs = Inputs.beside(project.openapi, project.docs, None)
    assert inferred.read(sources, read(inputs, Diagnostics()), inputs.names, Diagnostics()) == {}
