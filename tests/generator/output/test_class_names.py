"""Classes are named by what they are, and an addition elsewhere renames none of them."""

from __future__ import annotations

import copy
import itertools
import random
from collections import Counter
from typing import get_args

import pytest

from generator.diagnostics import Diagnostics
from generator.inputs.description import description_of
from generator.inputs.navigation import tagged_operations
from generator.inputs.selection import select
from generator.json_values import value_at
from generator.output.classes import constructors_of
from generator.settings import Choices
from tests.support.project import description, operation

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def obj(*required, **properties):
    return {"type": "object", "properties": {**dict.fromkeys(required, TEXT), **properties}, "required": [*required]}


def const(value):
    return {"const": value}


def models_of(document, listed=tagged_operations):
    """Give the models of a description."""
    read, choices = description_of(document, "openapi.json"), Choices()
    return select(listed([read], choices), [read], {}, choices, Diagnostics()).models


def classes_of(body, components=None):
    """Give what each class of a model is called, with the names of its fields."""
    (model,) = models_of(description({"acme/one": operation(body, tags=["Videos"])}, components))
    return {made.name: list(made.arguments) for made in constructors_of(model).values()}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([obj("w", "h"), obj("ratio")], {"SizeW", "SizeRatio"}),
        ([obj(w=NUMBER), obj("ratio"), obj(x=NUMBER)], {"Size", "SizeRatio", "Size2"}),
        ([obj("kind", kind=const("any")), obj("kind", kind=const("one")), TEXT], {"SizeAny", "SizeOne"}),
        ([obj("a", "k", k=const("x")), obj("b", "k", k=const("x")), obj("k", k=const("y"))],
         {"SizeX", "SizeB", "SizeY"}),
        ([obj("w"), obj("w", "h"), obj("ratio")], {"SizeW", "SizeH", "SizeRatio"}),
        ([obj("w"), {"type": "null"}], {"Size"}),
        ([obj("w"), TEXT], {"SizeW"}),
        ([{**obj("w"), "title": "By pixels"}, obj("ratio")], {"ByPixels", "SizeRatio"}),
        ([{"$ref": "#/components/schemas/Exact"}, obj("ratio")], {"Exact", "SizeRatio"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_alternatives_are_named_by_what_tells_them_apart(options, names, keyword):
    body = obj("prompt", size={keyword: options})
    assert set(classes_of(body, {"Exact": obj("w")})) == names | {"Payload"}


def test_items_members_and_values_are_named_by_where_they_stand():
    body = obj(
        "prompt",
        images={"type": "array", "items": {"anyOf": [obj("url"), obj("file_id")]}},
        marks={"type": "array", "items": {"type": "array", "items": obj("x")}},
        tracks={"type": "object", "additionalProperties": obj("y")},
        **{"camera/lens": obj("z")},
    )
    expected = {"Payload", "ImagesItemUrl", "ImagesItemFileId", "MarksItemItem", "TracksValue", "CameraLens"}
    assert set(classes_of(body)) == expected


def test_a_component_names_its_class_before_its_constants_do_and_names_what_stands_in_it():
    components = {
        "FunctionTool": obj("type", "function", type=const("function"), function=obj("name")),
        "Size": {"anyOf": [obj("w"), obj("ratio")]},
        "Titled": {**obj("type", type=const("other")), "title": "Other tool"},
    }
    tools = {"oneOf": [{"$ref": "#/components/schemas/FunctionTool"}, {"$ref": "#/components/schemas/Titled"}]}
    body = obj("prompt", tools={"type": "array", "items": tools}, frame={"$ref": "#/components/schemas/Size"})
    expected = {"Payload", "FunctionTool", "Function", "OtherTool", "SizeW", "SizeRatio"}
    assert set(classes_of(body, components)) == expected


def test_what_differs_under_one_name_has_its_parent_before_it_and_no_number():
    methods = {name: {**obj(name), "title": "payment options"} for name in ("alipay", "boleto", "card")}
    body = obj("prompt", a=obj(config=obj("x")), b=obj(config=obj("y")), c=obj(config=obj("z")), **methods)
    made = classes_of(body)
    assert {"Config", "BConfig", "CConfig", "PaymentOptions", "BoletoPaymentOptions", "CardPaymentOptions"} <= set(made)
    assert (made["Config"], made["BConfig"]) == (["x"], ["y"])


def test_equal_objects_of_one_name_are_one_class(project):
    caches = [{**obj("type", ttl=NUMBER), "description": f"Cache {index}."} for index in range(4)]
    body = obj("prompt", a=obj(cache=caches[0]), b=obj(cache=caches[1]), c=obj("x", cache=caches[2]), cache=caches[3])
    project.write(description({"acme/one": body}))
    assert project.run() == 0
    module = project.load("acme_one")
    cache = module.Cache(type="t")
    assert module.Payload(prompt="p", a=module.A(cache=cache), cache=cache).to_dict()["a"] == {"cache": {"type": "t"}}
    assert set(classes_of(body)) == {"Payload", "A", "B", "C", "Cache"}


def test_the_odd_one_out_of_equal_objects_is_renamed_and_no_other():
    caches = [obj("type", ttl=NUMBER) for _ in range(3)]
    caches[0]["properties"]["fresh"] = {"type": "boolean"}
    body = obj("prompt", a=obj(cache=caches[0]), b=obj(cache=caches[1]), c=obj("x", cache=caches[2]))
    made = classes_of(body)
    assert (made["Cache"], made["ACache"]) == (["type", "ttl"], ["type", "ttl", "fresh"])


@pytest.mark.parametrize("differing", [{"default": "x"}, {"maxLength": 3}, {"deprecated": True}])
def test_what_differs_in_more_than_texts_is_no_one_class(differing):
    body = obj("prompt", a=obj(cache=obj(mode=TEXT)), b=obj(cache=obj(mode={**TEXT, **differing})))
    assert set(classes_of(body)) == {"Payload", "A", "B", "Cache", "BCache"}


def test_request_forms_without_names_are_told_apart_as_well(project):
    variants = [obj("kind", kind=const("edit")), obj("q"), obj(r=TEXT), obj(s=TEXT)]
    project.write(description({"acme/one": {"anyOf": variants}}))
    assert project.run() == 0
    names = [variant.__name__ for variant in get_args(project.load("acme_one").Payload)]
    assert names == ["Edit", "VariantQ", "Variant1", "Variant2"]


def test_what_can_be_posted_has_the_first_right_to_a_name(project):
    variants = [
        {**obj("a", b={**obj("x"), "title": "Beta"}), "title": "Alpha"},
        {**obj("b", a=obj("y")), "title": "Beta"},
    ]
    project.write(description({"acme/one": {"anyOf": variants}}))
    assert project.run() == 0
    module = project.load("acme_one")
    assert [variant.__name__ for variant in get_args(module.Payload)] == ["Alpha", "Beta"]
    assert list(module.BBeta.__dataclass_fields__) == ["x"]


# Additions, by chance. Every schema is marked, so that it is found again wherever an addition moves it.

MARK = "x-mark"
COMBINED = ("anyOf", "oneOf", "allOf")
COMPONENTS = {
    "Tool": obj("type", type=const("tool"), config=obj("depth", step=obj("by"))),
    "Frame": {"anyOf": [obj("w"), obj("ratio"), obj(auto=TEXT)]},
    "Camera": {**obj("lens", config=obj("zoom")), "title": "Camera"},
}
BODY = obj(
    "prompt",
    tools={"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Tool"}, obj("code"), obj("name")]}},
    frame={"$ref": "#/components/schemas/Frame"},
    camera={"allOf": [{"$ref": "#/components/schemas/Camera"}, obj(tilt=NUMBER)]},
    cache=obj("ttl"),
    style={"oneOf": [obj("kind", kind=const("film")), obj("kind", kind=const("toon")), TEXT]},
    tracks={"type": "array", "items": obj("src", cache=obj("ttl"), effects={"type": "array", "items": obj("name")})},
)
VARIANTS = {"anyOf": [obj("a", cache=obj("ttl")), obj("kind", kind=const("edit")), {**BODY, "title": "Full"}]}


def marked(document):
    """Give a copy in which each schema has a number of its own."""
    numbers = itertools.count()

    def mark(value):
        if isinstance(value, list):
            return [mark(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {key: mark(item) for key, item in value.items()}
        if isinstance(made.get("type"), str) or any(isinstance(made.get(word), list) for word in COMBINED):
            made[MARK] = next(numbers)
        return made

    return {**document, "paths": mark(document["paths"]), "components": mark(document.get("components", {}))}


def names_of(document, listed):
    """Give what the class of each marked schema is called, by model and mark."""
    found = {}
    for model in models_of(document, listed):
        for pointer, constructor in constructors_of(model).items():
            mark = value_at(document, pointer.partition("+")[0]).get(MARK)
            if mark is not None:
                found.setdefault((model.model, mark), set()).add(constructor.name)
    return found


def places(value, keyword):
    """Give every schema that has a keyword."""
    if isinstance(value, list):
        return [place for item in value for place in places(item, keyword)]
    if not isinstance(value, dict):
        return []
    own = [value] if isinstance(value.get(keyword), (dict, list)) and MARK in value else []
    return [*own, *(place for item in value.values() for place in places(item, keyword))]


def add(document, chance, number):
    """Make one addition that takes nothing away: a member, an object, an alternative or a titled component."""
    holders = [place for place in places(document, "properties") if isinstance(place["properties"], dict)]
    unions = places(document, "anyOf") + places(document, "oneOf")
    kind = chance.choice(["member", "object", "alternative", "titled"])
    name = f"added_{number}"
    if kind == "alternative" and unions:
        union = chance.choice(unions)
        options = union.get("anyOf") or union["oneOf"]
        shape = obj(name, **{f"{name}_more": TEXT})
        if chance.random() < 0.5:
            shape = obj("type", name, type=const(name))
        options.insert(chance.choice([0, len(options)]), shape)
        return kind
    schema = dict(NUMBER)
    if kind == "object":
        schema = obj("added", more=obj("deeper"))
    if kind == "titled":
        document["components"].setdefault("schemas", {})[f"Added{number}"] = {
            **obj("added"),
            "title": f"Added {number}",
        }
        schema = {"$ref": f"#/components/schemas/Added{number}"}
    holder = chance.choice(holders)
    members = list(holder["properties"].items())
    members.insert(chance.choice([0, len(members)]), (name, schema))
    holder["properties"] = dict(members)
    return kind


def renamed_by_additions(document, rounds, seed, listed=tagged_operations):
    """Give the additions, each made to a fresh copy, after which a class is called otherwise.

    An object that was one class with others, and is not equal to them any more, may leave that class to them.
    """
    chance = random.Random(seed)
    document = marked(document)
    before = names_of(document, listed)
    sharing = Counter((model, *names) for (model, _), names in before.items())
    found = []
    for number in range(rounds):
        changed = copy.deepcopy(document)
        kind = add(changed, chance, number)
        after = names_of(changed, listed)
        kept = Counter((model, *names) for (model, _), names in after.items())
        for key, names in before.items():
            own = (key[0], *names)
            left = sharing[own] > 1 and kept[own] >= sharing[own] / 2
            if after.get(key) != names and not left:
                found.append((kind, number, key, names, after.get(key)))
    return len(before), found


@pytest.mark.parametrize("body", [BODY, VARIANTS])
def test_an_addition_renames_nothing(body):
    document = description({"acme/one": operation(body, tags=["Videos"])}, COMPONENTS)
    count, found = renamed_by_additions(document, 25, seed=7)
    assert count > 10
    assert found == []
