"""jsonschema as the judge of payload classes, and values that a schema may or may not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from rfc3986_validator import validate_rfc3986

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKER = FormatChecker(formats=())


@CHECKER.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(validate_rfc3986(value, rule="URI"))


def closed(schema: Any, *, whole: bool = True) -> Any:
    """Exclude what an object does not name where its schema is silent: the one rule that is ours.

    `whole` tells a schema that stands for itself from one that is a part of another.
    """
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            result[keyword] = [closed(part, whole=False) for part in schema[keyword]]
    if isinstance(schema.get("properties"), dict):
        result["properties"] = {name: closed(item) for name, item in schema["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            result[keyword] = closed(schema[keyword])
    names = any(keyword in schema for keyword in ("properties", "allOf", "anyOf", "oneOf", "$ref"))
    if whole and names and not _is_outspoken(schema):
        result["unevaluatedProperties"] = False
    return result


def _is_outspoken(schema: Any) -> bool:
    """Tell whether a schema leaves no member without a rule, so that the judge, who is slow at it, need not look."""
    if not isinstance(schema, dict):
        return False
    if "unevaluatedProperties" in schema or "additionalProperties" in schema:
        return True
    return any(all(map(_is_outspoken, schema[keyword])) for keyword in ("anyOf", "oneOf") if keyword in schema)


def _any_of(validator: Any, parts: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """Tell whether a part fits, and not why the others do not, which takes most of the time of a union."""
    if not any(validator.evolve(schema=part).is_valid(instance) for part in parts):
        yield ValidationError("fits no part")


Judge = validators.extend(Draft202012Validator, {"anyOf": _any_of})


def judge(schema: Any, *, components: Any = None) -> Any:
    """Make the judge of a schema, which is asked only whether a value `is_valid`."""
    rules = closed(schema)
    rules["components"] = {"schemas": {name: closed(item, whole=False) for name, item in (components or {}).items()}}
    return Judge(rules, format_checker=CHECKER)


SCALARS = [None, True, False, 0, 1, -1, 2, 5, 5.0, 2.5, 0.1, 1e300, 10**30, "", "a", "5", "true", "http://a.example/b"]
ANYTHING = st.sampled_from([*SCALARS, [], {}, ["a"], [1, 1.0], {"a": 1}])


def values(schema: Any, root: Any = None) -> st.SearchStrategy[Any]:
    """Give values that are allowed, almost allowed, or of another kind altogether."""
    return st.one_of(_near(schema, root if root is not None else schema), ANYTHING)


def _near(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    if not isinstance(schema, dict):
        return ANYTHING
    choices: list[st.SearchStrategy[Any]] = []
    if "$ref" in schema:
        target = root
        for token in schema["$ref"].split("/")[1:]:
            target = target[token]
        choices.append(st.deferred(lambda: _near(target, root)))
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices += [_near(option, root) for option in schema.get(keyword, ())]
    if "allOf" in schema:
        rest = {name: item for name, item in schema.items() if name != "allOf"}
        parts = [_near(part, root) for part in (*schema["allOf"], *([rest] if "properties" in rest else []))]
        choices.append(st.tuples(*parts).map(_merged))
    if "enum" in schema or "const" in schema:
        allowed = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
        choices.append(st.sampled_from([*allowed, *(f"{value}x" for value in allowed)]))
    limits = [schema[name] for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if name in schema]
    if limits or schema.get("type") in ("integer", "number"):
        around = [limit + step for limit in limits for step in (-1, -0.5, 0, 0.5, 1)] or [0, 1.5, 7]
        choices.append(st.sampled_from(around))
    if "properties" in schema:
        choices.append(_objects(schema, root))
    if "items" in schema:
        size = schema.get("maxItems", 3) + 1
        choices.append(st.lists(_near(schema["items"], root), max_size=size))
    if schema.get("type") == "string":
        sizes = {schema.get("minLength", 2), schema.get("maxLength", 3)}
        texts = ["a", "", *("x" * (size + step) for size in sorted(sizes) for step in (0, -1, 1) if size + step >= 0)]
        uris = ["https://a.example/cat.png", "cat.png", "https://a b", "data:image/png;base64,AA==", "/tmp/cat.png"]
        choices.append(st.sampled_from(uris if schema.get("format") == "uri" else texts))
    if isinstance(schema.get("additionalProperties"), dict):
        choices.append(st.dictionaries(st.sampled_from("ab"), _near(schema["additionalProperties"], root)))
    return st.one_of(choices) if choices else ANYTHING


def _objects(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    required = schema.get("required", [])
    surplus = [name for name in (*required, "surplus") if name not in schema["properties"]]
    members = {name: st.one_of(_near(item, root), _near(item, root), ANYTHING)
               for name, item in schema["properties"].items()}  # fmt: skip
    whole = st.fixed_dictionaries(
        {name: _near(item, root) for name, item in schema["properties"].items() if name in required},
        optional={name: _near(item, root) for name, item in schema["properties"].items() if name not in required},
    )
    broken = st.fixed_dictionaries({}, optional={**members, **dict.fromkeys(surplus, ANYTHING)})
    one_off = st.tuples(whole, st.sampled_from(sorted(members)), ANYTHING).map(lambda t: {**t[0], t[1]: t[2]})
    return st.one_of(whole, whole, one_off, broken)


def _merged(parts: tuple[Any, ...]) -> Any:
    """Put objects together, and of other values take the last."""
    result: Any = None
    for part in parts:
        result = {**result, **part} if isinstance(result, dict) and isinstance(part, dict) else part
    return result
