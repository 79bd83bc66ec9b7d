"""The forms in which a description can say what a payload is, as a table."""

from __future__ import annotations

from typing import Any


def shaped(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT = {"type": "string"}
COMPONENTS = {
    "Point": {**shaped(x={"type": "number", "minimum": 0, "maximum": 1}, y={"type": "number"}), "required": ["x", "y"]},
    "Node": {
        **shaped(name=TEXT, children={"type": "array", "items": {"$ref": "#/components/schemas/Node"}, "maxItems": 2}),
        "required": ["name"],
    },
    "Leaf": {**shaped(kind={"const": "leaf"}, size={"type": "integer"}), "required": ["kind"]},
    "Branch": {
        **shaped(kind={"const": "branch"}, parts={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}),
        "required": ["kind", "parts"],
    },
    "Tree": {"anyOf": [{"$ref": "#/components/schemas/Leaf"}, {"$ref": "#/components/schemas/Branch"}]},
    "Base": {**shaped(prompt={"type": "string", "maxLength": 5}, seed={"type": "integer"}), "required": ["prompt"]},
    "Cat": {**shaped(pet={"const": "cat"}, lives={"type": "integer", "maximum": 9}), "required": ["pet"]},
    "Dog": {**shaped(pet={"const": "dog"}, tricks={"type": "array", "items": TEXT}), "required": ["pet"]},
    "Ratio": {"type": "string", "enum": ["16:9", "9:16"]},
}
PETS = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
FORMS: dict[str, dict[str, Any]] = {
    "limits": {
        **shaped(
            whole={"type": "integer", "minimum": 1, "maximum": 4},
            share={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            step={"type": "integer", "multipleOf": 5},
            name={"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
            tags={"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 2,
                  "uniqueItems": True},
        ),
        "required": ["whole"],
    },
    "reference": {"$ref": "#/components/schemas/Base"},
    "reference-with-siblings": shaped(a={"$ref": "#/components/schemas/Ratio", "description": "Shape", "default": "16:9"}),
    "reference-narrowed": shaped(a={"$ref": "#/components/schemas/Point", "required": ["x"], "maxProperties": 2}),
    "reference-to-a-limit": shaped(a={"$ref": "#/components/schemas/Base/properties/prompt", "minLength": 2}),
    "recursive": {"$ref": "#/components/schemas/Node"},
    "recursive-property": {**shaped(tree={"$ref": "#/components/schemas/Node"}), "required": ["tree"]},
    "recursive-union": shaped(tree={"$ref": "#/components/schemas/Tree"}),
    "all-of": {"allOf": [{"$ref": "#/components/schemas/Base"}, {**shaped(n={"type": "integer"}), "required": ["n"]}]},
    "all-of-with-properties": {
        **shaped(n={"type": "integer", "minimum": 2}),
        "allOf": [{"$ref": "#/components/schemas/Base"}, shaped(n={"maximum": 5, "type": "number"})],
    },
    "all-of-one": shaped(a={"allOf": [{"$ref": "#/components/schemas/Ratio"}], "description": "Shape"}),
    "all-of-narrows-values": shaped(a={"allOf": [{"type": "integer"}, {"enum": [1, 2.5, "a"]}, {"minimum": 0}]}),
    "any-of-variants": {"anyOf": [
        {**shaped(feature={"const": "text"}, prompt=TEXT), "required": ["prompt"], "title": "Text"},
        {**shaped(feature={"const": "image"}, image=TEXT), "required": ["image", "feature"], "title": "Image"},
    ]},
    "one-of-by-one-value-enum": {"oneOf": [
        {**shaped(mode={"type": "string", "enum": ["a"]}, x=TEXT), "required": ["mode"]},
        {**shaped(mode={"type": "string", "enum": ["b"]}, y=TEXT), "required": ["mode"]},
    ]},
    "one-of-by-required": {"oneOf": [
        {**shaped(image=TEXT), "required": ["image"]},
        {**shaped(video=TEXT), "required": ["video"]},
    ]},
    "one-of-required-over-properties": {
        **shaped(image=TEXT, video=TEXT, n={"type": "integer"}),
        "oneOf": [{"required": ["image"]}, {"required": ["video"]}],
    },
    "any-of-required-over-properties": {
        **shaped(image=TEXT, video=TEXT), "anyOf": [{"required": ["image"]}, {"required": ["video"]}],
    },
    "nothing-but-null": shaped(marks={"type": "array", "items": {"type": "null"}},
        flags={"type": "object", "additionalProperties": {"type": "null"}}),
    "one-of-by-count": {"oneOf": [
        {**shaped(a=TEXT, b=TEXT, c=TEXT), "minProperties": 2},
        {**shaped(a=TEXT, b=TEXT, c=TEXT), "required": ["a"]},
    ]},
    "one-of-that-overlap": {"oneOf": [
        {**shaped(a=TEXT, b=TEXT), "required": ["a"]}, {**shaped(a=TEXT, b=TEXT), "required": ["b"]},
    ]},
    "any-of-one": {"anyOf": [{**shaped(prompt=TEXT), "required": ["prompt"], "title": "Only"}]},
    "discriminator": shaped(pet={
        "oneOf": PETS,
        "discriminator": {"propertyName": "pet", "mapping": {"cat": "#/components/schemas/Cat", "dog": "Dog"}},
    }),
    "nested-one-of": shaped(value={"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]}),
    "nullable-any-of": shaped(a={"anyOf": [TEXT, {"type": "null"}]}, b={"oneOf": [{"type": "null"}, {"const": 3}]}),
    "nullable-type-array": shaped(a={"type": ["string", "null"]}, b={"type": ["integer", "boolean", "null"]}),
    "nullable-enum": shaped(a={"enum": ["x", None]}, b={"type": ["string", "null"], "enum": ["x", None]}),
    "null-excluded-by-type": shaped(a={"type": "string", "enum": ["x", None]}),
    "constants": shaped(
        s={"const": "x"}, i={"const": 5}, f={"const": 2.5}, b={"const": True}, n={"const": None},
        a={"const": [1, "a"]}, o={"const": {"k": [1]}}, whole={"type": "number", "const": 5.0},
    ),
    "required-constants": {
        **shaped(s={"const": "x"}, o={"const": {"k": 1}}, n={"const": None}, f={"const": 0.5}),
        "required": ["s", "o", "n", "f"],
    },
    "mixed-enum": shaped(a={"enum": ["auto", 1, 2.5, True, None, [1], {"k": 1}]}, b={"enum": [1, True, 0, False, "1"]}),
    "union-of-constants": shaped(
        a={"anyOf": [{"type": "number", "const": 5}, {"type": "number", "const": 10}], "default": 5},
        b={"anyOf": [{"type": "string", "enum": ["auto"]}, {"type": "integer", "minimum": 1}]},
    ),
    "nested": {
        **shaped(camera={
            **shaped(path={"type": "array", "items": {"$ref": "#/components/schemas/Point"}, "minItems": 1},
                     lens={**shaped(zoom={"type": "number", "minimum": 1}), "required": ["zoom"]}),
            "required": ["path"],
        }),
        "required": ["camera"],
    },
    "arrays-of-arrays": shaped(a={"type": "array", "items": {"type": "array", "items": {"type": "integer"}, "maxItems": 2}}),
    "array-of-unions": shaped(a={"type": "array", "items": {"anyOf": [TEXT, {"$ref": "#/components/schemas/Point"}]}}),
    "map": shaped(a={"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}, "maxProperties": 1}),
    "map-of-objects": shaped(a={"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Point"}}),
    "free-form": shaped(a={"type": "object"}, b={}, c=True, d={"type": "array"}),
    "closed": {**shaped(a=TEXT), "additionalProperties": False},
    "open": {**shaped(a=TEXT), "additionalProperties": True},
    "open-by-schema": {**shaped(a=TEXT), "additionalProperties": {"type": "integer", "minimum": 0}},
    "open-nested": shaped(a={**shaped(x=TEXT), "additionalProperties": {}, "required": ["x"]}),
    "forbidden": {**shaped(a=TEXT, b=False)},
    "required-but-not-described": {**shaped(a=TEXT), "required": ["a", "b"], "additionalProperties": True},
    "counted": {**shaped(a=TEXT, b=TEXT, c=TEXT), "minProperties": 1, "maxProperties": 2},
    "dependent": {**shaped(a=TEXT, b=TEXT, c=TEXT), "dependentRequired": {"a": ["b", "c"]}},
    "any-of-with-properties": {
        **shaped(prompt=TEXT), "required": ["prompt"],
        "anyOf": [{**shaped(image=TEXT), "required": ["image"]}, {**shaped(seed={"type": "integer"})}],
    },
    "all-of-any-of": {"allOf": [
        {"anyOf": [{**shaped(a=TEXT), "required": ["a"]}, {**shaped(b=TEXT), "required": ["b"]}]}, shaped(n={"const": 1}),
    ], "additionalProperties": True},
    "defaults-of-all-kinds": shaped(
        a={"type": "array", "items": TEXT, "default": []}, b={"type": "object", "default": {}},
        c={"enum": [0, False], "default": False}, d={"enum": [0, False], "default": 0},
    ),
    "one-of-over-any-of": shaped(a={"oneOf": [
        {"anyOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]}, {"type": "number", "maximum": 1},
    ]}),
    "one-of-and-any-of": shaped(a={"allOf": [
        {"oneOf": [{"type": "number", "minimum": 0}, {"type": "number", "maximum": 10}]},
        {"anyOf": [{"type": "integer"}, {"type": "number", "minimum": 20}]},
    ]}),
    "body-one-of-over-any-of": {"oneOf": [
        {"anyOf": [{**shaped(a=TEXT, b=TEXT, c=TEXT), "required": [name]} for name in "ab"]},
        {**shaped(a=TEXT, b=TEXT, c=TEXT), "required": ["c"]},
    ]},
    "body-any-of-over-one-of": {"anyOf": [
        {"oneOf": [{**shaped(a=TEXT, b=TEXT), "required": ["a"]}, {**shaped(a=TEXT, b=TEXT), "required": ["b"]}]},
        {**shaped(z=TEXT), "required": ["z"]},
    ]},
    "limits-without-a-type": shaped(
        a={"anyOf": [{"type": "integer"}, {"type": "null"}], "minimum": 1}, b={"minimum": 5},
        c={"anyOf": [{"type": "integer"}, TEXT], "maxLength": 3}, d={"allOf": [TEXT, {"minimum": 1}]},
    ),
    "impossible-required": {"anyOf": [
        {**shaped(a=False, b=TEXT), "required": ["a"]}, {**shaped(b=TEXT), "required": ["b"]},
    ]},
    "excluded-and-required": {**shaped(b=TEXT, a={"allOf": [
        {**shaped(x=TEXT), "required": ["x"]}, {**shaped(y=TEXT), "additionalProperties": False},
    ]}), "required": ["b"]},
    "excluded-and-required-inside-an-open-object": {"anyOf": [
        {**shaped(b=TEXT), "required": ["b"]},
        {**shaped(a={"allOf": [
            {**shaped(x={"const": 1}), "required": ["x"], "additionalProperties": True},
            {**shaped(x={"const": "1"}), "additionalProperties": True},
        ]}), "required": ["a"]},
    ]},
    "forbidden-in-an-open-object": {**shaped(a=False), "additionalProperties": True},
    "map-with-rules": shaped(a={"type": "object", "dependentRequired": {"a": ["b"]}}, b={"type": "object", "required": ["a"]}),
    "body-without-properties": {"type": "object"},
    "required-by-the-rest": {**shaped(a=TEXT), "required": ["b"], "additionalProperties": {"type": "integer"}},
    "unevaluated": {**shaped(a=TEXT), "unevaluatedProperties": {"type": "integer"}},
    "unevaluated-closed": shaped(a={"type": "object", "unevaluatedProperties": False}),
    "no-items": shaped(a={"type": "array", "items": False}),
    "odd-names": shaped(**{
        "class": TEXT, "9:16": TEXT, "": TEXT, "a-b": TEXT, "a_b": TEXT, "__init__": TEXT, "to_dict": TEXT, "extra": TEXT,
        "str": TEXT, "Ünï": TEXT, "日本": TEXT, "self": TEXT, "None": TEXT, "UNSET": TEXT, "field": TEXT, "_x": TEXT,
    }),
}  # fmt: skip
REPORTED = {"excluded-and-required", "forbidden", "forbidden-in-an-open-object", "null-excluded-by-type"}
"""Forms that make the generator warn."""
