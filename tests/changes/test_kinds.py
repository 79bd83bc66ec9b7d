"""What each change of a request or an answer is called, where it is, and whether it breaks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.project import Project, description
from tests.support.revisions import changes

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}


def body(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"prompt": TEXT, **properties}, "required": ["prompt"]}


def listed(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def rows(found):
    return [(change.kind, change.path, change.breaking) for change in found]


def between(tmp_path, old, new, components=None):
    return changes(tmp_path, description({"acme/one": old}, components), description({"acme/one": new}, components))


POINT = {"type": "object", "properties": {"x": NUMBER, "y": NUMBER}, "required": ["x"]}
FIELDS = {
    "minimum raised": (WHOLE | {"minimum": 1}, WHOLE | {"minimum": 2}, "a", "must be at least 2 now, not 1"),
    "maximum lowered": (WHOLE | {"maximum": 5}, WHOLE | {"maximum": 4}, "a", "must be at most 4 now, not 5"),
    "maximum added": (WHOLE, WHOLE | {"maximum": 4}, "a", "must be at most 4 now"),
    "limit excluded": (
        NUMBER | {"minimum": 1}, NUMBER | {"exclusiveMinimum": 1}, "a", "must be above 1 now, not at least 1",
    ),
    "step added": (WHOLE, WHOLE | {"multipleOf": 5}, "a", "must be a multiple of 5 now"),
    "fraction excluded": (NUMBER, WHOLE, "a", "must be an integer now"),
    "minLength raised": (TEXT | {"minLength": 1}, TEXT | {"minLength": 2}, "a",
                         "must have at least 2 characters now, not 1"),
    "maxLength added": (TEXT, TEXT | {"maxLength": 1}, "a", "must have at most 1 character now"),
    "pattern added": (TEXT, TEXT | {"pattern": "^a"}, "a", "must have the pattern ^a now"),
    "format added": (TEXT, TEXT | {"format": "uri"}, "a", "must be an address now"),
    "value taken away": ({"enum": ["x", "y"]}, {"enum": ["x"]}, "a", 'no longer takes "y"'),
    "text listed": (TEXT, {"enum": ["x"]}, "a", 'takes "x" now, not a string'),
    "null taken away": ({"type": ["string", "null"]}, TEXT, "a", "no longer takes null"),
    "alternative taken away": ({"anyOf": [TEXT, WHOLE]}, TEXT, "a", "no longer takes an integer"),
    "boolean listed": ({"type": "boolean"}, {"const": True}, "a", "takes true now, not true or false"),
    "maxItems lowered": (listed(TEXT, maxItems=3), listed(TEXT, maxItems=2), "a",
                         "must have at most 2 items now, not 3"),
    "minItems added": (listed(TEXT), listed(TEXT, minItems=1), "a", "must have at least 1 item now"),
    "items made unique": (listed(TEXT), listed(TEXT, uniqueItems=True), "a", "items must all be different now"),
    "bound in an item": (listed(WHOLE | {"minimum": 1}), listed(WHOLE | {"minimum": 2}), "a[]",
                         "must be at least 2 now, not 1"),
    "field of an item required": (listed(POINT), listed(POINT | {"required": ["x", "y"]}), "a[].y", "is required now"),
    "object closed": (POINT | {"additionalProperties": True}, POINT, "a", "takes no other fields any more"),
    "members narrowed": (
        POINT | {"additionalProperties": NUMBER}, POINT | {"additionalProperties": WHOLE}, "a.*",
        "must be an integer now",
    ),
    "members of a map narrowed": (
        {"type": "object", "additionalProperties": NUMBER}, {"type": "object", "additionalProperties": WHOLE}, "a.*",
        "must be an integer now",
    ),
    "more fields wanted": (POINT, POINT | {"minProperties": 2}, "a", "must have at least 2 fields now"),
    "fields that go together": (
        POINT, POINT | {"dependentRequired": {"x": ["y"]}}, "a", "with x, y must be given now",
    ),
    "one alternative alone": (
        {"anyOf": [WHOLE, NUMBER | {"minimum": 3}]}, {"oneOf": [WHOLE, NUMBER | {"minimum": 3}]}, "a",
        "must fit one alternative alone now",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FIELDS)
def test_a_request_that_takes_less_is_tightened_and_breaks(case, tmp_path):
    old, new, path, words = FIELDS[case]
    found = between(tmp_path, body(a=old), body(a=new))
    assert [(*row, change.text()) for row, change in zip(rows(found), found, strict=True)] == [
        ("tightened", path, True, words)
    ]


@pytest.mark.parametrize("case", FIELDS)
def test_a_request_that_takes_more_is_loosened_and_breaks_nobody(case, tmp_path):
    new, old, path, _ = FIELDS[case]
    assert rows(between(tmp_path, body(a=old), body(a=new))) == [("loosened", path, False)]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        (TEXT | {"maxLength": 4}, TEXT | {"maxLength": 5}, "a", "may have at most 5 characters now, not 4"),
        (TEXT | {"minLength": 2}, TEXT | {"minLength": 1}, "a", "may have at least 1 character now, not 2"),
        (TEXT | {"maxLength": 4}, TEXT, "a", "need not have at most 4 characters any more"),
        (listed(TEXT, minItems=2), listed(TEXT), "a", "need not have at least 2 items any more"),
        (WHOLE | {"minimum": 2}, WHOLE | {"minimum": 1}, "a", "may be at least 1 now, not 2"),
        (WHOLE | {"maximum": 2}, WHOLE, "a", "need not be at most 2 any more"),
        (NUMBER | {"exclusiveMaximum": 2}, NUMBER | {"maximum": 2}, "a", "may be at most 2 now, not below 2"),
        (WHOLE | {"multipleOf": 10}, WHOLE | {"multipleOf": 5}, "a", "need not be a multiple of 10 any more"),
        (TEXT | {"pattern": "^a"}, TEXT, "a", "need not have the pattern ^a any more"),
        (TEXT, {"type": ["string", "null"]}, "a", "takes null too"),
        ({"enum": ["x"]}, {"enum": ["x", 5]}, "a", "takes 5 too"),
        ({"enum": ["x"]}, TEXT, "a", 'takes a string now, not "x"'),
        (POINT, POINT | {"additionalProperties": TEXT}, "a", "takes other fields too, with a string"),
        (POINT, POINT | {"required": []}, "a.x", "may be left out now"),
    ],
)
def test_more_is_said_in_words(old, new, path, words, tmp_path):
    found = between(tmp_path, body(a=old), body(a=new))
    assert [(change.kind, change.path, change.text()) for change in found] == [("loosened", path, words)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"anyOf": [TEXT, {"type": "null"}]}, {"type": ["string", "null"]}),
        ({"const": 5}, {"enum": [5.0]}),
        ({"anyOf": [{"const": 5}, {"const": 10}]}, {"type": "integer", "enum": [5, 10]}),
        (WHOLE | {"minimum": 1}, WHOLE | {"exclusiveMinimum": 0}),
        ({"type": "boolean"}, {"enum": [True, False]}),
        ({"allOf": [TEXT, {"maxLength": 5}]}, TEXT | {"maxLength": 5}),
        (TEXT | {"minLength": 0}, TEXT),
        ({"oneOf": [TEXT, WHOLE]}, {"anyOf": [WHOLE, TEXT]}),
        (listed(True), {"type": "array"}),
        (POINT, POINT | {"additionalProperties": False}),
        (POINT, {"$ref": "#/components/schemas/A"}),
    ],
)
def test_two_spellings_of_one_meaning_are_no_change(old, new, tmp_path):
    names = [(change.kind, change.text()) for change in between(tmp_path, body(a=old), body(a=new), {"A": POINT})]
    assert [row for row in names if row[0] != "moved"] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (WHOLE | {"minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}, ("one of 1, 2, 3", "int")),
        (NUMBER | {"multipleOf": 1}, WHOLE, ("an integer", "float")),
        ({"type": "object"}, POINT | {"required": [], "additionalProperties": True}, ("A", "mapping")),
    ],
)  # fmt: skip
def test_a_type_that_is_no_longer_taken_breaks_though_every_value_is(old, new, words, tmp_path):
    found = [change for change in between(tmp_path, body(a=old), body(a=new)) if change.breaking]
    text = f"takes {words[0]} now; a type checker takes no longer any {words[1]}"
    assert [(change.kind, change.path, change.text()) for change in found] == [("changed", "a", text)]


def test_an_alternative_within_another_is_taken_beside_it(tmp_path):
    old = {"oneOf": [POINT, NUMBER | {"minimum": 1}, NUMBER | {"maximum": 2}]}
    new = {"oneOf": [*old["oneOf"], {"enum": [0, "auto"]}]}
    assert rows(between(tmp_path, body(a=old), body(a=new))) == [("loosened", "a", False), ("tightened", "a", True)]
    same = {"oneOf": [*old["oneOf"], {"enum": [0]}]}
    assert rows(between(tmp_path, body(a=old), body(a=same))) == [("loosened", "a", False)]
    assert rows(between(tmp_path, body(a=old), body(a=old))) == []


OPTIONAL, REQUIRED = body(a=TEXT), body(a=TEXT) | {"required": ["prompt", "a"]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (body(), OPTIONAL, [("added", "a", False)]),
        (body(), REQUIRED, [("added", "a", True)]),
        (OPTIONAL, body(), [("removed", "a", True)]),
        (OPTIONAL | {"additionalProperties": True}, body() | {"additionalProperties": True}, [("removed", "a", True)]),
        (OPTIONAL, REQUIRED, [("tightened", "a", True)]),
        (REQUIRED, OPTIONAL, [("loosened", "a", False)]),
        (body(a=TEXT | {"default": "x"}), body(a=TEXT | {"default": "y"}), [("changed", "a", False)]),
        (OPTIONAL, body(a=TEXT | {"default": None}), [("changed", "a", False)]),
        (body(a=TEXT | {"description": "x"}), body(a=TEXT | {"description": "y"}), [("reworded", "a", False)]),
        (body(a=TEXT | {"description": "x"}), body(a=TEXT | {"description": " x\n"}), []),
        (body(a={"enum": ["x", "y"]}), body(a={"enum": ["y", "x"]}), [("reordered", "a", False)]),
        (
            body(a={"enum": ["x", "y"]}), body(a={"enum": ["z", "y"]}),
            [("tightened", "a", True), ("loosened", "a", False)],
        ),
        (body(a=TEXT, b=TEXT, c=TEXT), body(b=TEXT, c=TEXT, a=TEXT), [("reordered", "a", False)]),
        (body(a=WHOLE), body(a=TEXT), [("tightened", "a", True)]),
        (body(a=POINT), body(a={}), [("loosened", "a", False), ("removed", "A", True)]),
        (body(a=POINT), body(a=POINT | {"title": "Spot"}), [("moved", "a", True)]),
    ],
)  # fmt: skip
def test_a_field_that_is_added_removed_or_elsewhere(old, new, expected, tmp_path):
    assert rows(between(tmp_path, old, new)) == expected


def variant(name, **properties):
    return body(feature={"const": name}, **properties) | {"title": name.title()}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"anyOf": [variant("text")]}, {"anyOf": [variant("text"), variant("image")]}, [("added", "Image", False)]),
        ({"anyOf": [variant("text"), variant("image")]}, {"anyOf": [variant("text")]}, [("removed", "Image", True)]),
        (
            {"anyOf": [variant("text"), variant("image")]},
            {"anyOf": [variant("text"), variant("image") | {"title": "Picture"}]},
            [("moved", "Picture", True)],
        ),
        (
            body(a=TEXT),
            {"anyOf": [variant("text", a=TEXT), variant("image")]},
            [("moved", "Text", True), ("added", "Text.feature", False), ("reordered", "Text.a", False),
             ("added", "Image", False)],
        ),
        (
            {"anyOf": [variant("text"), variant("image")]},
            {"anyOf": [variant("text"), variant("image", a=TEXT)]},
            [("added", "Image.a", False)],
        ),
        (
            {"oneOf": [body(a=TEXT) | {"title": "A"}]},
            {"oneOf": [body(a=TEXT) | {"title": "A"}, body(b=TEXT) | {"title": "B"}]},
            [("tightened", "A", True), ("added", "B", False)],
        ),
    ],
)  # fmt: skip
def test_a_payload_class_that_is_added_removed_or_renamed(old, new, expected, tmp_path):
    assert [row for row in rows(between(tmp_path, old, new)) if row[1] != "Text.a"] == [
        row for row in expected if row[1] != "Text.a"
    ]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        (body(**{"a-b": TEXT}), body(**{"a-b": TEXT, "a_b": TEXT}), "a-b", "is the argument a_b_2 now, not a_b"),
        (
            body(a={"const": "x"}) | {"required": ["a"]}, body(a={"enum": ["x", "y"]}) | {"required": ["a"]}, "a",
            'must be given now; the class filled in "x"',
        ),
        (
            {"anyOf": [variant("text"), variant("image")]},
            {"anyOf": [variant("text") | {"properties": {"prompt": TEXT, "feature": {"enum": ["text", "words"]}}},
                       variant("image")]},
            "Text.feature", 'is sent only if given now; the class filled in "text"',
        ),
    ],
)  # fmt: skip
def test_a_constructor_that_is_called_otherwise_breaks(old, new, path, words, tmp_path):
    found = [change for change in between(tmp_path, old, new) if change.breaking]
    assert [(change.path, change.text()) for change in found] == [(path, words)]


ALPHA, BETA = body(n=WHOLE) | {"title": "Alpha"}, body(n=NUMBER) | {"title": "Beta"}
ONLY_A, ONLY_B = (
    {"type": "object", "properties": {name: TEXT}, "required": [name], "title": name.upper()} for name in "ab"
)
MADE = 'the class Alpha stands after Beta now; parse() makes Beta of {"prompt": "a"}, not Alpha'


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ({"anyOf": [ALPHA, BETA]}, {"anyOf": [BETA, ALPHA]}, "", MADE),
        (body(a={"anyOf": [ALPHA, BETA]}), body(a={"anyOf": [BETA, ALPHA]}), "a", MADE),
        (body(a=listed({"anyOf": [ALPHA, BETA]})), body(a=listed({"anyOf": [BETA, ALPHA]})), "a[]", MADE),
        ({"anyOf": [ONLY_A, ONLY_B]}, {"anyOf": [ONLY_B, ONLY_A]}, "", "the class A stands after B now"),
    ],
)  # fmt: skip
def test_classes_in_another_order_are_told_with_a_payload_that_becomes_another_one(old, new, path, words, tmp_path):
    found = between(tmp_path, old, new)
    assert rows(found) == [("reordered", path, False)]
    assert found[0].text() == words


def test_what_the_order_is_said_to_make_is_made(tmp_path):
    for number, order in enumerate(([ALPHA, BETA], [BETA, ALPHA])):
        project = Project(tmp_path)
        project.write(description({"acme/one": {"anyOf": order}}))
        assert project.run() == 0
        assert type(project.load("acme_one").parse({"prompt": "a"})).__name__ == ("Alpha", "Beta")[number]


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ({}, {"type": ["string", "null"]}, "tightened", "takes a string or null now, not any value"),
        ({"type": ["string", "null"]}, {}, "loosened", "takes any value now, not a string or null"),
        ({"enum": ["x", "y"]}, {"enum": ["z"]}, "changed", 'takes "z" now, not "x", "y"'),
        (TEXT, TEXT | {"deprecated": True}, "deprecated", "is deprecated"),
        (TEXT | {"deprecated": True}, TEXT, "changed", "is no longer deprecated"),
        (TEXT, TEXT | {"readOnly": True}, "changed", "is read-only now: the platform sets it"),
        (TEXT | {"readOnly": True}, TEXT, "changed", "is no longer read-only: it may be given"),
        (
            {"oneOf": [{"const": "x"}, {"const": "y"}]},
            {"oneOf": [{"const": "x", "deprecated": True}, {"const": "y"}]}, "deprecated", 'is deprecated with "x"',
        ),
    ],
)  # fmt: skip
def test_words_say_what_happened_to_a_field(old, new, kind, words, tmp_path):
    [change] = between(tmp_path, body(a=old), body(a=new))
    assert (change.kind, change.text()) == (kind, words)


def test_what_takes_any_value_and_gets_a_limit_does_not_say_that_no_value_is_taken(tmp_path):
    [change] = between(tmp_path, body(a={}), body(a={"maximum": 1}))
    assert change.text().startswith("takes ")
    assert change.text().endswith(" now, not any value")
    assert change.witness.value == {"prompt": "a", "a": 2}


@pytest.mark.parametrize("states", [["IN_QUEUE", "completed"], ["a", "b", "running"]])
@pytest.mark.parametrize("name", ["state", "status", "queue_state"])
def test_a_state_that_the_runtime_knows_breaks_nobody(name, states, tmp_path):
    sides = [{"type": "object", "properties": {name: {"enum": values}}} for values in (["a", "b"], states)]
    found = changes(tmp_path, *map(answering, sides))
    assert not any(change.breaking for change in found)
    assert {change.path for change in found} == {f"create.response.{name}"}


def test_a_file_that_is_taken_too_is_loosened(tmp_path):
    old, new = description({"acme/one": body(a=TEXT)}), description({"acme/one": body(a=TEXT)})
    for path in new["paths"].values():
        content = path["post"]["requestBody"]["content"]
        content["multipart/form-data"] = {"schema": body(a={"anyOf": [TEXT, TEXT | {"format": "binary"}]})}
    [change] = changes(tmp_path, old, new)
    assert (change.kind, change.path, change.text(), change.breaking) == ("loosened", "a", "takes a file too", False)


def answering(schema: Any, status: str = "200", **others: Any) -> dict[str, Any]:
    document = description({"acme/one": body()}, {"Answer": schema})
    media = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    document["paths"]["/generation/acme/one"]["post"]["responses"] = {status: {"content": media}, **others}
    return document


ANSWER = {"type": "object", "properties": {"id": TEXT, "state": {"enum": ["a", "b"]}, "size": WHOLE | {"maximum": 5}}}
ANSWER["required"] = ["id", "state"]


def answer(**properties: Any) -> dict[str, Any]:
    return {**ANSWER, "properties": {**ANSWER["properties"], **properties}}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (answer(extra=TEXT), [("added", "extra", False)]),
        (answer(extra=TEXT) | {"required": ["id", "state", "extra"]}, [("added", "extra", False)]),
        ({**ANSWER, "properties": {"id": TEXT, "state": {"enum": ["a", "b"]}}}, [("removed", "size", True)]),
        (ANSWER | {"required": ["id"]}, [("loosened", "state", True)]),
        (ANSWER | {"required": ["id", "state", "size"]}, [("tightened", "size", False)]),
        (answer(id={"type": ["string", "null"]}), [("loosened", "id", True)]),
        (answer(id=WHOLE), [("changed", "id", True)]),
        (answer(size=NUMBER | {"maximum": 5}), [("loosened", "size", True)]),
        (answer(size=WHOLE | {"maximum": 9}), [("loosened", "size", False)]),
        (answer(size=WHOLE | {"maximum": 4}), [("tightened", "size", False)]),
        (answer(state={"enum": ["a", "b", "c"]}), [("loosened", "state", True)]),
        (answer(state={"enum": ["a"]}), [("tightened", "state", False)]),
        (answer(id=TEXT | {"description": "The id"}), [("reworded", "id", False)]),
        (ANSWER | {"additionalProperties": True}, []),
    ],
)
@pytest.mark.parametrize(("status", "part"), [("200", "response"), ("422", "error")])
def test_an_answer_may_hold_more_and_promise_more(new, expected, status, part, tmp_path):
    found = changes(tmp_path, answering(ANSWER, status), answering(new, status))
    assert rows(found) == [(kind, f"create.{part}.{path}", breaking) for kind, path, breaking in expected]


def test_statuses_that_come_and_go_break_nobody(tmp_path):
    old = answering(ANSWER, "200", **{"402": {}, "422": {}})
    found = changes(tmp_path, old, answering(ANSWER, "202", **{"422": {}, "500": {}}))
    assert [(*row, change.text()) for row, change in zip(rows(found), found, strict=True)] == [
        ("added", "create.response", False, "answers 202 too"),
        ("removed", "create.response", False, "no longer answers 200"),
        ("added", "create.error", False, "answers 500 too"),
        ("removed", "create.error", False, "no longer answers 402"),
    ]


def test_an_answer_that_cannot_be_read_is_any_value(tmp_path):
    document = answering({"$ref": "elsewhere.json"})
    assert changes(tmp_path, document, copy.deepcopy(document)) == []


@pytest.mark.parametrize(
    ("path", "label"), [("/generation/{id}", "result"), ("/generations/running", "running"), ("/credits", "credits")]
)
def test_what_the_client_asks_is_compared_for_all_models(path, label, tmp_path):
    old, new = answering(ANSWER), answering(ANSWER)
    old["paths"][path] = {"get": old["paths"]["/generation/acme/one"]["post"]}
    new["paths"][path] = copy.deepcopy(old["paths"][path])
    del new["paths"][path]["get"]["requestBody"]
    new["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = answer(id=WHOLE)
    found = [change for change in changes(tmp_path, old, new) if change.model == "*"]
    assert rows(found) == [("changed", f"{label}.response.id", True)]
    del new["paths"][path]
    assert [row[:1] + row[2:] for row in rows(changes(tmp_path, old, new))] == [("removed", True)]
    assert [row[:1] + row[2:] for row in rows(changes(tmp_path, new, old))] == [("added", False)]


def test_objects_that_double_with_each_reference_are_told_in_so_many_places(tmp_path):
    names = [f"S{level}" for level in range(40)]
    below = [{"$ref": f"#/components/schemas/{name}"} for name in (*names[1:], "End")]
    objects = {
        name: {"type": "object", "properties": {"a": ref, "b": ref}} for name, ref in zip(names, below, strict=True)
    }
    old, new = (
        description({"acme/one": body(top=below[0])}, objects | {"End": end}) for end in (TEXT, TEXT | {"maxLength": 5})
    )
    assert changes(tmp_path, old, old) == []
    places = {change.path for change in changes(tmp_path, old, new) if change.about == "request-length"}
    assert 50 < len(places) <= 200


def test_what_is_the_same_of_several_alternatives_of_a_field_is_told_once(tmp_path):
    old, new = (
        body(a=body(t=TEXT | {"maxLength": most}) | {"anyOf": [{"required": ["t"]}, body(q=TEXT)]}) for most in (1, 2)
    )
    assert rows(between(tmp_path, old, new)) == [("loosened", "a.t", False)]
    [change] = between(tmp_path, new, old)
    assert (change.verdict, change.path) == ("breaks", "a.t")


@pytest.mark.parametrize(("part", "values"), [("request", (["a", "b"], ["a"])), ("answer", (["a"], ["a", "b"]))])
def test_objects_that_lead_too_deeply_into_one_another_may_break(part, values, tmp_path):
    base = {"$ref": "#/components/schemas/Base"}
    heirs = {f"H{index}": {"allOf": [base, {"properties": {f"p{index}": base}}]} for index in range(55)}
    sides = []
    for enum in values:
        named = {"k": TEXT, "v": {"enum": enum}, "y": base}
        tagged = {"type": "object", "properties": named, "required": ["k"], "discriminator": {"propertyName": "k"}}
        document = answering(base)
        if part == "request":
            document = description({"acme/one": body(a=base)})
        document["components"]["schemas"] |= {**heirs, "Base": tagged}
        sides.append(document)
    found = changes(tmp_path, *sides)
    assert {(change.rule, change.verdict) for change in found} == {(f"{part}-type-changed", "may break")}
