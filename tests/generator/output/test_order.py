"""Which class of a module stands before which."""

from __future__ import annotations

import re

from tests.support.project import description


def order(project, schema, components=None):
    """Generate the one model and give its classes, in the order in which they stand in its module."""
    project.write(description({"acme/one": schema}, components))
    assert project.run() == 0
    return re.findall(r"^class (\w+)\(Base", project.text("acme_one.py"), re.MULTILINE)


def holding(*names, **properties):
    references = {name.lower(): {"$ref": f"#/components/schemas/{name}"} for name in names}
    return {"type": "object", "properties": {"text": {"type": "string"}, **references, **properties}}


def test_a_class_stands_before_those_that_use_it(project):
    components = {"Camera": holding("Lens", "Path"), "Lens": holding("Size"), "Path": holding(), "Size": holding()}
    found = order(project, holding("Camera", "Size"), components)
    assert found == ["Size", "Path", "Lens", "Camera", "Payload"]


def test_classes_of_a_circle_come_last_and_always_in_one_order(project):
    components = {"One": holding("Two"), "Two": holding("One", "Leaf"), "Leaf": holding()}
    assert order(project, holding("One"), components) == ["Leaf", "Payload", "One", "Two"]


def test_a_class_that_is_added_moves_no_other(project):
    components = {"Camera": holding("Lens"), "Lens": holding(), "Zoom": holding()}
    before = order(project, holding("Camera"), components)
    components["Camera"] = holding("Lens", "Zoom")
    after = order(project, holding("Camera"), components)
    assert [name for name in after if name != "Zoom"] == before
