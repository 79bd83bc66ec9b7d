"""Bodies that differ from an allowed one in one place: what tells a class that is a little wrong from a right one.

A body drawn at random is nearly always refused for several reasons at once, so that a bound that is one off goes
unnoticed. Here each body has one thing varied: a member, an item or a member of these, at whatever depth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from skills_video_runtime import PayloadError
from tests.support.judge import judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

UNCHECKED = {"title", "description", "default", "examples", "deprecated"}
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
CHECKED = {
    *BOUNDS, "type", "enum", "const", "multipleOf", "minLength", "maxLength", "format", "items", "minItems", "maxItems",
    "uniqueItems", "properties", "required", "additionalProperties", "anyOf", "oneOf",
}  # fmt: skip
URI = "https://a.example/cat.png"
URIS = (URI, "data:image/png;base64,AA==", "cat.png", "/tmp/cat.png", "https://a b", "")


@dataclass(frozen=True)
class Probe:
    """A body, the place that is varied in it, and the keyword at which the value aims there."""

    place: str
    keyword: str
    value: Any


@dataclass(frozen=True)
class Others:
    """What is given where something else belongs: values of any type, and for a choice what the class names at all."""

    types: Sequence[Any]
    words: Sequence[Any]


OTHERS = Others((None, True, 1, 5.0, 2.5, "", "5", "true", [], ["a"], {}, {"a": 1}), ())


@dataclass(frozen=True)
class Disagreement:
    """What the class and the schema say differently of a body."""

    probe: Probe
    allowed: bool
    told: str


def options(schema: Any) -> list[Any]:
    """Give the schemas of which a value fits one. What the probe does not know fails the test that asks."""
    unknown = schema.keys() - CHECKED - UNCHECKED
    assert not unknown, f"tests/support/probe.py does not know {sorted(unknown)}"
    union = schema.get("anyOf", schema.get("oneOf"))
    if union is None:
        return [schema]
    assert schema.keys() <= {"anyOf", "oneOf"} | UNCHECKED, "a union beside other keywords is unknown to the probe"
    return [option for part in union for option in options(part)]


def stated(schema: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Give each place of a schema with each keyword that excludes something there.

    A constant that tells a variant apart may be required: without it the body is another variant's, if it fits that.
    """
    for option in options(schema):
        for keyword in option.keys() & CHECKED - {"properties", "required", "items", "additionalProperties"}:
            yield place, keyword
        if "items" in option:
            yield from stated(option["items"], f"{place}[]")
        if "properties" in option:
            if option.get("additionalProperties", False) is False:
                yield place, "additionalProperties"
            for name in option.get("required", ()):
                if option is schema or "const" not in option["properties"][name]:
                    yield f"{place}.{name}", "required"
            for name, member in option["properties"].items():
                yield from stated(member, f"{place}.{name}")


def example(schema: Any, *, full: bool = False) -> Any:
    """Give a value that is allowed: with as little as can be, or with everything."""
    option = options(schema)[0]
    if "const" in option:
        return option["const"]
    if "enum" in option:
        return option["enum"][0]
    match option.get("type"):
        case "object":
            chosen = option.get("properties", {}) if full else option.get("required", ())
            return {name: example(option["properties"][name], full=full) for name in chosen}
        case "array":
            return items_of(option, max(option.get("minItems", 0), int(full)))
        case "string":
            return URI if option.get("format") == "uri" else "x" * max(option.get("minLength", 1), 1)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _number(option)


def _number(schema: Any) -> Any:
    step = schema.get("multipleOf", 1)
    if "exclusiveMinimum" in schema:
        middle = schema.get("maximum", schema.get("exclusiveMaximum", schema["exclusiveMinimum"] + 2 * step))
        return (schema["exclusiveMinimum"] + middle) / 2
    return schema.get("minimum", step)


def items_of(schema: Any, count: int) -> list[Any]:
    """Give so many items that are allowed, none equal to another if they are texts."""
    item = example(schema["items"])
    is_free = isinstance(item, str) and "enum" not in schema["items"]
    return [f"{item}{number}" if is_free and number else item for number in range(count)]


def varied(schema: Any, place: str = "", others: Others = OTHERS) -> Iterator[Probe]:
    """Give values of a schema, each with one thing varied in it or beneath it."""
    for value in others.types:
        yield Probe(place, "type", value)
    for option in options(schema):
        yield from _values(option, place, others)
        yield from _numbers(option, place)
        yield from _texts(option, place)
        if "items" in option:
            yield from _arrays(option, place, others)
        if "properties" in option:
            yield from _objects(option, place, others)


def _values(schema: Any, place: str, others: Others) -> Iterator[Probe]:
    keyword = "const" if "const" in schema else "enum"
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", [])
    for value in allowed:
        yield Probe(place, keyword, value)
        for rival in _rivals(value):
            yield Probe(place, keyword, rival)
    for word in others.words if allowed else ():
        yield Probe(place, keyword, word)


def _rivals(allowed: Any) -> list[Any]:
    """Give values that are nearly the one that is allowed: in another case, of another type, one more."""
    if isinstance(allowed, str):
        return [f"{allowed}x", f" {allowed}", allowed[:-1], allowed.upper(), allowed.capitalize(), [allowed]]
    return [allowed + 1, allowed - 1, float(allowed), allowed + 0.5, str(allowed), [allowed]]


def _numbers(schema: Any, place: str) -> Iterator[Probe]:
    for keyword in BOUNDS:
        if keyword in schema:
            bound = schema[keyword]
            for step in (0, -1, 1, -0.5, 0.5):
                yield Probe(place, keyword, bound + step)
            yield Probe(place, keyword, float(bound))
    if "multipleOf" in schema:
        step = schema["multipleOf"]
        start = schema.get("minimum", 0) // step * step
        for value in (start + step, start + 2 * step, start + step + 1, start + step / 2):
            yield Probe(place, "multipleOf", value)


def _texts(schema: Any, place: str) -> Iterator[Probe]:
    for keyword in ("minLength", "maxLength"):
        for step in (-1, 0, 1) if keyword in schema else ():
            yield Probe(place, keyword, "x" * max(schema[keyword] + step, 0))
    if schema.get("format") == "uri":
        for value in URIS:
            yield Probe(place, "format", value)


def _arrays(schema: Any, place: str, others: Others) -> Iterator[Probe]:
    for keyword in ("minItems", "maxItems"):
        for step in (-1, 0, 1) if keyword in schema else ():
            yield Probe(place, keyword, items_of(schema, max(schema[keyword] + step, 0)))
    if "uniqueItems" in schema:
        count = max(schema.get("minItems", 0), 2)
        yield Probe(place, "uniqueItems", items_of(schema, count))
        yield Probe(place, "uniqueItems", [example(schema["items"])] * count)
    beside = items_of(schema, max(schema.get("minItems", 0), 1))[1:]
    for probe in varied(schema["items"], f"{place}[]", others):
        yield Probe(probe.place, probe.keyword, [probe.value, *beside])


def _objects(schema: Any, place: str, others: Others) -> Iterator[Probe]:
    """Vary a body of what must be there, with the constants by which no other variant takes it, and a full one."""
    least, most = example(schema), example(schema, full=True)
    told_apart = {name: most[name] for name, member in schema["properties"].items() if "const" in member}
    for base, around in (({**told_apart, **least}, others), (most, Others((None,), others.words))):
        yield Probe(place, "properties", base)
        yield Probe(place, "additionalProperties", {**base, "surplus": 1})
        for name, member in schema["properties"].items():
            yield Probe(f"{place}.{name}", "required", {key: item for key, item in base.items() if key != name})
            for probe in varied(member, f"{place}.{name}", around):
                yield Probe(probe.place, probe.keyword, {**base, name: probe.value})


@cache
def judged(text: str, words: tuple[Any, ...] = ()) -> list[tuple[Probe, bool]]:
    """Give each body once, with what the schema says of it, which is given as JSON."""
    schema = json.loads(text)
    rules = judge(schema)
    probes = varied(schema, others=Others(OTHERS.types, words))
    bodies = {json.dumps([probe.place, probe.keyword, probe.value], sort_keys=True): probe for probe in probes}
    verdicts: dict[str, bool] = {}
    result = []
    for probe in bodies.values():
        body = json.dumps(probe.value, sort_keys=True)
        if body not in verdicts:
            verdicts[body] = rules.is_valid(probe.value)
        result.append((probe, verdicts[body]))
    return result


def named(module: ModuleType) -> tuple[Any, ...]:
    """Give the values that the annotations of a module name, so that one too many is found as well."""
    classes = [kind for kind in vars(module).values() if isinstance(kind, type) and is_dataclass(kind)]
    hints = [hint for kind in classes for hint in get_type_hints(kind).values()]
    return tuple(dict.fromkeys(word for hint in hints for word in _literals(hint)))


def _literals(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for part in get_args(hint):
            yield from _literals(part)


def disagreements(module: ModuleType, schema: Any) -> Iterator[Disagreement]:
    """Give each body of which a module says something else than its schema, or which it does not give back."""
    for probe, allowed in judged(json.dumps(schema), named(module)):
        try:
            payload = module.parse(probe.value)
        except PayloadError as error:
            if allowed:
                yield Disagreement(probe, allowed, str(error))
        else:
            if not allowed:
                yield Disagreement(probe, allowed, repr(payload))
            elif _canonical(payload.to_dict()) != _canonical(probe.value):
                yield Disagreement(probe, allowed, repr(payload.to_dict()))


def _canonical(value: Any) -> str:
    """Write a value so that equal ones have one text: 5 as 5.0, and true not as 1."""
    return json.dumps(json.loads(json.dumps(value), parse_int=float), sort_keys=True)
