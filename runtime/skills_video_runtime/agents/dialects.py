"""JSON Schema → the subset of it that a dialect of function calling has. What it has no keyword for is said in words.

Sources: OpenAI's guide to structured outputs (supported schemas), the Schema of Gemini's FunctionDeclaration, and
Anthropic's reference of `input_schema`. A schema of objects, numbers and texts is nearly the same in all of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from skills_video_runtime.cli.annotations import WORDS
from skills_video_runtime.payloads.json_schema import NOTHING
from skills_video_runtime.payloads.violations import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Dialect: TypeAlias = Literal["anthropic", "openai", "openai-strict", "gemini"]
Schema: TypeAlias = dict[str, Any]

MOST_VALUES = 250  # of an enumeration that is shown: OpenAI lets 1,000 stand in a whole strict schema
DEEPEST = 5  # objects and arrays inside each other: what OpenAI's strict schemas had at first; today 10
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # of a field, in every dialect
COMMON = "type description enum properties required items anyOf minimum maximum minItems maxItems"
LIMITS = "multipleOf exclusiveMinimum exclusiveMaximum"
WHOLE = f"{COMMON} {LIMITS} additionalProperties default format pattern minLength maxLength uniqueItems"
KEYWORDS = {
    "anthropic": WHOLE,
    "openai": WHOLE,
    "openai-strict": f"{COMMON} {LIMITS} additionalProperties",
    "gemini": f"{COMMON} nullable default minLength maxLength",
}
NULL = {"type": "null"}
ANY_SINGLE = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
"""What stands for any value, where each needs a type: a text that is JSON would be taken for a text."""


@dataclass
class Writer:
    """Writes the schema of a payload class, inlined, as neither references nor unions at the top are taken by all."""

    dialect: Dialect
    definitions: dict[str, Schema]
    remarks: list[str] = field(default_factory=list[str])
    """What the schema cannot say about the payload as a whole."""

    def object(self, schema: Schema, chain: tuple[str, ...]) -> Schema:
        """Write an object with the members that it names, as any other is a mistake of the model more often than not.

        A strict one has all its members required, and null for what may be left out.
        """
        required: list[str] = []
        members: Schema = {}
        for name, value in schema["properties"].items():
            if not NAME.fullmatch(name) or NOTHING.items() <= value.get("items", value).items():
                self.remarks.append(f"{name!r:.80} cannot be given here")
                continue
            members[name] = self.value(value, chain)
            if name in schema["required"]:
                required.append(name)
            elif self.dialect == "openai-strict":
                members[name] = _or_null(members[name])
        if self.dialect == "openai-strict":
            required = list(members)
        for name, needed in schema.get("dependentRequired", {}).items():
            self.remarks.append(f"{name} needs {', '.join(needed)} too")
        kept = {"type": "object", "properties": members, "required": required, "additionalProperties": False}
        return self._kept({**schema, **kept})

    def value(self, schema: Schema, chain: tuple[str, ...], said: str = "") -> Schema:
        """Write the schema of a value; `chain` leads to it, and `said` is the text above it."""
        name = schema.get("$ref", "").rpartition("/")[2]
        if name == "Uri":
            schema = {"type": "string", "format": "uri", **schema}
        elif name:
            schema = {**self.definitions[name], **schema}
        kind, said = schema.get("type"), f"{said} {schema.get('description', '')}"
        options = schema.get("anyOf", schema.get("oneOf"))
        if options:
            return self._union(schema, [self.value(option, chain, said) for option in options], said)
        if "enum" in schema:
            return self._choice(schema, said)
        if kind is None and self._is_subset:
            return self._kept({**schema, "anyOf": ANY_SINGLE}, said)
        is_map = kind == "object" and not schema.get("properties")
        is_too_deep = kind in {"array", "object"} and len(chain) >= DEEPEST
        if name in chain or (self._is_subset and (is_map or is_too_deep)):
            return self._as_text(schema)
        if kind == "object" and not is_map:
            return self.object(schema, (*chain, name))
        if kind == "object" and schema["additionalProperties"] is not False:
            schema = {
                **schema,
                "additionalProperties": self.value(schema["additionalProperties"], (*chain, "{}"), said),
            }
        elif kind == "array":
            schema = {**schema, "items": self.value(schema["items"], (*chain, "[]"), said)}
        return self._kept(schema, said)

    @property
    def _is_subset(self) -> bool:
        """Whether an object has named members alone, and every value a type."""
        return self.dialect in {"openai-strict", "gemini"}

    def _as_text(self, schema: Schema) -> Schema:
        """Write what the dialect has no schema for as a text, which `call` reads."""
        return {"type": "string", "description": _joined(schema.get("description"), "As JSON in a text.")}

    def _union(self, schema: Schema, options: list[Schema], said: str) -> Schema:
        """Write a union; Gemini has `nullable` in place of null."""
        if self.dialect == "gemini" and NULL in options:
            options = [option for option in options if option != NULL]
            schema = {**schema, "nullable": True}
        text: Schema = {name: schema[name] for name in ("description", "default", "nullable") if name in schema}
        if len(options) == 1:
            return self._kept({**options[0], **text}, said)
        return self._kept({**text, "anyOf": options}, said)

    def _choice(self, schema: Schema, said: str) -> Schema:
        """Write an enumeration, with the type of its values; Gemini has only enumerations of texts."""
        kinds = dict.fromkeys(kind_of(value) for value in schema["enum"])
        if len(kinds) > 1:
            parts = [{"enum": [value for value in schema["enum"] if kind_of(value) == kind]} for kind in kinds]
            return self._union(schema, [self._choice(part, said) for part in parts], said)
        schema = {**schema, "type": next(iter(kinds))}
        if schema["type"] == "null":
            return dict(NULL)
        is_shown = self.dialect != "gemini" or schema["type"] == "string"
        if not is_shown or len(schema["enum"]) > MOST_VALUES:
            values = ", ".join(json.dumps(value) for value in schema.pop("enum")[:MOST_VALUES])
            schema["description"] = _joined(schema.get("description"), f"One of {values}.")
        return self._kept(schema, said)

    def _kept(self, schema: Schema, said: str = "") -> Schema:
        """Leave out what the dialect does not have, and say in words what nobody has said."""
        words = [text for text in _words(schema) if not re.search(rf"(?<![\w.-]){re.escape(text[1])}(?![\w-])", said)]
        kept = {name: value for name, value in schema.items() if name in KEYWORDS[self.dialect].split()}
        if words:
            sentence = "; ".join(text for text, _ in words)
            kept["description"] = _joined(schema.get("description"), f"{sentence[0].upper()}{sentence[1:]}.")
        return kept


def _words(schema: Schema) -> Iterator[tuple[str, str]]:
    """Give what a schema asks, in words, each with the value by which a text tells of it."""
    for name, value in schema.items():
        if name == "format" and value == "uri":
            yield "an absolute URL", "URL"
        elif name in WORDS:
            yield WORDS[name].format(value), str(value)
        elif name == "allOf":
            yield from (text for part in value for text in _words(part))
        elif name == "default":
            yield f"default {json.dumps(value, ensure_ascii=False)}", str(value)


def _or_null(schema: Schema) -> Schema:
    """Let null stand for what is left out."""
    own = dict(schema)
    text = {"description": own.pop("description", "")}
    options = own.get("anyOf", [own])
    if NULL in options:
        return schema
    return {**text, "anyOf": [*options, NULL]}


def _joined(text: str | None, sentence: str) -> str:
    if not text:
        return sentence
    if text[-1] not in ".!?:;":
        text += "."
    return f"{text} {sentence}"
