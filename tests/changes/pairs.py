"""Draws pairs of schemas and has jsonschema judge what `changes` says of them: `make pairs`, `make pairs SEED=7`.

Whoever finds a value that the old schema allows and the new one does not must have been told of a break, and every
payload that is shown for a break must be such a value.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.changes.models import compare
from tests.support.judge import judge
from tests.support.project import description
from tests.support.revisions import revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import Draft202012Validator

    from generator.changes.change import Change

PAIRS: Final = 6_000
TOGETHER: Final = 50
"""Pairs that are compared in one description."""

TRIED: Final = 60
"""Values of a pair that are put to both judges."""

LENIENT: Final = "any of them is taken"
"""What the generator warns of where it takes more than jsonschema does."""

WORDS: Final = ("a", "b", "abc", "", "https://a.example/", "a" * 9)
NUMBERS: Final = (0, 1, -1, 2, 3, 5, 10, 0.5, 2.5, 100)


def schema_of(rng: random.Random, depth: int = 0, *, whole: bool = True) -> dict[str, Any]:
    """Draw a schema; one that is no `whole`, but an alternative, says something, for the judge would close it."""
    kinds = ["string", "number", "integer", "boolean", "enum", "const", "nullable", "anyOf", "oneOf"]
    if whole:
        kinds.append("any")
    if depth < 2:
        kinds += ["array", "object", "map"] * 2
    kind = rng.choice(kinds)
    match kind:
        case "object":
            return object_of(rng, depth + 1)
        case "map":
            return {"type": "object", "additionalProperties": schema_of(rng, depth + 1)}
        case "nullable":
            return {"anyOf": [schema_of(rng, 2, whole=False), {"type": "null"}]}
        case "anyOf" | "oneOf":
            return {kind: [schema_of(rng, depth + 1, whole=False) for _ in "ab"]}
        case "any":
            return {}
        case "enum":
            return {"enum": rng.sample([*WORDS[:3], 1, 2, None, True], rng.randint(1, 3))}
        case "const":
            return {"const": rng.choice(["a", 1, True])}
        case _:
            return limited(rng, kind, depth)


def limited(rng: random.Random, kind: str, depth: int) -> dict[str, Any]:
    """Draw a schema of a type that has limits."""
    limits: dict[str, Any] = {}
    match kind:
        case "string":
            limits = {"minLength": rng.randint(0, 2), "maxLength": rng.randint(2, 9), "pattern": "^a", "format": "uri"}
        case "number" | "integer":
            limits = {"minimum": rng.randint(-1, 2), "maximum": rng.randint(2, 10), "multipleOf": rng.choice((2, 5)),
                      "exclusiveMinimum": rng.randint(-2, 1)}  # fmt: skip
        case "array":
            limits = {"items": schema_of(rng, depth + 1), "minItems": 1, "maxItems": 2, "uniqueItems": True}
        case _:
            pass
    names = rng.sample(sorted(limits), rng.randint(0, min(2, len(limits))))
    return {"type": kind, **{name: limits[name] for name in names}}


def object_of(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """Draw an object that names members."""
    names = rng.sample("pqrst", rng.randint(1, 3))
    drawn = {"type": "object", "properties": {name: schema_of(rng, depth) for name in names}}
    drawn["required"] = rng.sample(names, rng.randint(0, len(names)))
    if rng.random() < 0.2:
        drawn["additionalProperties"] = rng.choice([False, True, {"type": "string"}])
    return drawn


def changed(rng: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    """Give an object with one of its members, or one of its rules, drawn anew."""
    new = copy.deepcopy(schema)
    name = rng.choice(sorted(new["properties"]))
    match rng.randint(0, 4):
        case 0:
            new["properties"][name] = schema_of(rng, 1)
        case 1:
            new["required"] = rng.sample(sorted(new["properties"]), rng.randint(0, len(new["properties"])))
        case 2 if len(new["properties"]) > 1:
            del new["properties"][name]
            new["required"] = [other for other in new["required"] if other != name]
        case 3:
            new["additionalProperties"] = rng.choice([False, True, {"type": "string"}])
        case _:
            part = new["properties"][name]
            limits = [key for key, value in part.items() if type(value) is int and key != "const"]
            for key in limits:
                part[key] = max(part[key] + rng.choice((-1, 1)), 1)
            if not limits:
                new["properties"][name] = {"anyOf": [part or {"type": "string"}, {"type": "null"}]}
    return new


def value_of(rng: random.Random, schema: Any, depth: int = 0) -> Any:
    """Draw a value with an eye on a schema; many are refused by it."""
    if depth > 3 or not isinstance(schema, dict) or rng.random() < 0.1:
        return rng.choice([*WORDS, *NUMBERS, None, True, [], {}])
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return value_of(rng, rng.choice(schema[keyword]), depth)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "string":
            return rng.choice(WORDS)
        case "number" | "integer":
            return rng.choice([*NUMBERS, *(value for value in schema.values() if type(value) is int)])
        case "array":
            return [value_of(rng, schema.get("items"), depth + 1) for _ in range(rng.randint(0, 3))]
        case "object":
            named = schema.get("properties", {"x": schema.get("additionalProperties")})
            names = [name for name in named if name in schema.get("required", ()) or rng.random() < 0.5]
            value = {name: value_of(rng, named[name], depth + 1) for name in names}
            if rng.random() < 0.1:
                value["other"] = "a"
            return value
        case _:
            return rng.choice([*WORDS, *NUMBERS, None, True, [], {}])


def pairs(rng: random.Random, number: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Draw pairs: mostly a schema and a change of it."""
    for _ in range(number):
        old = object_of(rng)
        new = object_of(rng) if rng.random() < 0.1 else changed(rng, old)
        if is_fair(old) and is_fair(new):
            yield old, new


def is_fair(schema: Any) -> bool:
    """Tell whether jsonschema can judge.

    Of `oneOf` the generator takes equal alternatives as one, with a warning, and closes those that require nothing.
    """
    if isinstance(schema, list):
        return all(map(is_fair, schema))
    if not isinstance(schema, dict):
        return True
    options = schema.get("oneOf", ())
    spelt = [{"enum": [option["const"]]} if "const" in option else option for option in options]
    texts = {json.dumps(option, sort_keys=True) for option in spelt}
    are_named = all(option.get("required") or "properties" not in option for option in options)
    return len(texts) == len(options) and are_named and all(map(is_fair, schema.values()))


def faults(seed: int, number: int) -> list[str]:
    """Give what is wrong with what is said of so many pairs."""
    rng = random.Random(seed)
    found: list[str] = []
    for start in range(0, number, TOGETHER):
        drawn = list(pairs(rng, min(TOGETHER, number - start)))
        with tempfile.TemporaryDirectory() as folder:
            sides = [
                revision(Path(folder) / name, description({f"acme/m{i}": pair[side] for i, pair in enumerate(drawn)}))
                for side, name in enumerate(("old", "new"))
            ]
        said: dict[str, list[Change]] = {}
        for change in compare(*sides):
            said.setdefault(change.model, []).append(change)
        kept = {model.model for side in sides for model in side.selection.models}
        lenient = [remark.pointer for side in sides for remark in side.warnings if LENIENT in remark.message]
        for index, (old, new) in enumerate(drawn):
            name = f"acme/m{index}"
            if name in kept and not any(f"~1m{index}/" in pointer for pointer in lenient):
                found += _judged(rng, old, new, said.get(name, []))
    return found


def _judged(rng: random.Random, old: Any, new: Any, said: list[Change]) -> Iterator[str]:
    before, after = judge(old, components={}), judge(new, components={})
    broken = [change for change in said if change.breaking]
    if not broken:
        for _ in range(TRIED):
            value = value_of(rng, rng.choice((old, new)))
            if before.is_valid(value) and not after.is_valid(value):
                yield f"{value} is refused, and nothing is said to break: {old} → {new}"
                break
    for change in broken:
        if change.witness and change.witness.form == "payload" and not _shows(change.witness.value, before, after):
            yield f"{change.witness.value} does not show that {change.path} {change.text()}: {old} → {new}"


def _shows(value: Any, before: Draft202012Validator, after: Draft202012Validator) -> bool:
    return before.is_valid(value) and not after.is_valid(value)


if __name__ == "__main__":
    start = int((*sys.argv[1:], "0")[0])
    wrong = faults(start, PAIRS)
    sys.stdout.write("\n".join([f"{PAIRS} pairs, seed {start}: {len(wrong)} faults", *wrong[:20], ""]))
    sys.exit(bool(wrong))
