"""What a schema says beside what it allows, and what it allows where words of it are read as OpenAPI means them."""

from __future__ import annotations

from generator.diagnostics import Diagnostics
from generator.inputs.description import description_of
from generator.schema.reader import SchemaReader
from tests.support.project import description

TEXT = {"type": "string"}
OLD = {"type": "string", "deprecated": True}


def read(schema, components=None, version="3.1.0"):
    """Read a schema as the body of a model."""
    found = description_of(description({"acme/one": schema}, components, version), "openapi.json")
    return SchemaReader(found, Diagnostics()).body(schema, "/paths/~1generation~1acme~1one/post")


def shaped(**properties):
    return {"type": "object", "properties": properties}


def test_what_is_deprecated_is_carried_by_fields_objects_and_values():
    option = {"oneOf": [{"const": "a"}, {"const": "b", "deprecated": True}]}
    shape = read(
        {
            **shaped(plain=TEXT, old=OLD, behind={"$ref": "#/components/schemas/Old"}, among=option,
                     several={"type": "array", "items": {"$ref": "#/components/schemas/Option"}}),
            "allOf": [shaped(plain=OLD), {"deprecated": True, **shaped(more=TEXT)}],
        },
        {"Old": OLD, "Option": option},
    )  # fmt: skip
    assert {prop.name for prop in shape.properties if prop.deprecated} == {"old", "behind", "plain"}
    assert {prop.name: prop.deprecated_values for prop in shape.properties if prop.deprecated_values} == {
        "among": ("b",),
        "several": ("b",),
    }
    assert shape.deprecated
