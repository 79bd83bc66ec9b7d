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
    assert found == ["Size", "Lens", "Path", "Camera", "Payload"]


def test_classes_of_a_circle_stand_always_in_one_order(project):
    components = {"One": holding("Two"), "Two": holding("One", "Leaf"), "Leaf": holding()}
    assert order(project, holding("One"), components) == ["Leaf", "Two", "One", "Payload"]


def test_a_class_that_is_added_moves_no_other(project):
    components = {"Camera": holding("Lens"), "Lens": holding(), "Zoom": holding()}
    before = order(project, holding("Camera"), components)
    components["Camera"] = holding("Lens", "Zoom")
    after = order(project, holding("Camera"), components)
    assert [name for name in after if name != "Zoom"] == before


def test_a_class_that_comes_to_use_another_stays_where_it_was(project):
    components = {"Camera": holding(), "Lens": holding(), "Zoom": holding()}
    assert order(project, holding("Camera", "Lens"), components) == ["Camera", "Lens", "Payload"]
    components["Camera"] = holding("Zoom")
    assert order(project, holding("Camera", "Lens"), components) == ["Zoom", "Camera", "Lens", "Payload"]
