"""Descriptions of any number of video models, in the style of the platform's: the same number gives the same bytes."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FORM = "multipart/form-data"
TEXTS = (
    "What the video should show, in words",
    "Frame shape: portrait is 720x1280, landscape 1280x720",
    "Address of the image that the clip begins with; JPEG, PNG or WebP, at least 300 pixels wide",
    "How closely the clip keeps to the prompt",
    "Make sound along with the video",
)
ERRORS = ("400", "401", "402", "403", "404", "422", "429", "500", "502", "503", "504")
NESTED_EVERY = 8
"""One model in so many has objects inside its payload; none of the 31 of the platform has, at present."""


def write(folder: Path, models: int) -> None:
    """Write `openapi.json`, `docs.json` and `json-only.json`, the same without any multipart body."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"provider-{index % 23}/model-{index}" for index in range(models)]
    document = _document(names)
    pages = [f"POST /generation/{name}" for name in names]
    navigation = {"navigation": {"groups": [{"group": "Videos", "pages": pages}]}}
    (folder / "openapi.json").write_text(json.dumps(document, indent=2))
    (folder / "docs.json").write_text(json.dumps(navigation, indent=2))
    (folder / "json-only.json").write_text(json.dumps(without_forms(document), indent=2))


def without_forms(document: dict[str, Any]) -> dict[str, Any]:
    """Give a description without its multipart bodies."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for item in copy["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.get("requestBody", {}).get("content", {}).pop(FORM, None)
    return copy


def _document(names: list[str]) -> dict[str, Any]:
    random = Random(4912)  # noqa: S311  # no secret, but the same numbers every time
    paths: dict[str, Any] = {}
    for index, name in enumerate(names):
        request = _request(random, index)
        title = f"Model {index}"
        for kind, answer in (("", "application/json"), ("sse/", "text/event-stream")):
            content = {"application/json": {"schema": request}}
            if not kind:
                content[FORM] = {"schema": _form(request)}
            operation = f"create-{kind.replace('/', '-')}{name.replace('/', '-')}"
            paths[f"/generation/{kind}{name}"] = {"post": _operation(operation, title, content, answer)}
    paths["/generation/{id}"] = {
        "get": {
            "operationId": "get-generation",
            "summary": "Get a generation",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": _answers("application/json"),
        }
    }
    error = {"error": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}}
    generation = {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELED"]},
        "data": {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Synthetic", "version": "1.0.0"},
        "servers": [{"url": "https://example.com/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": {
                "ErrorResponse": {"type": "object", "properties": error},
                "Generation": {"type": "object", "properties": generation, "required": ["id", "status"]},
            }
        },
    }


def _operation(name: str, title: str, content: dict[str, Any], answer: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": title,
        "description": f"{title} makes clips from words, pictures and other clips",
        "requestBody": {"required": True, "content": content},
        "responses": _answers(answer),
    }


def _answers(kind: str) -> dict[str, Any]:
    def answer(text: str, media: str, schema: str) -> dict[str, Any]:
        return {"description": text, "content": {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}

    errors = {code: answer("An error", "application/json", "ErrorResponse") for code in ERRORS}
    return {"200": answer("The generation", kind, "Generation"), **errors}


def _request(random: Random, index: int) -> dict[str, Any]:
    fields = _fields(random)
    if index % NESTED_EVERY == NESTED_EVERY - 1:
        point = {"type": "object", "title": "Point", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}}
        camera = {
            "type": "object",
            "title": "Camera",
            "properties": {"kind": {"type": "string", "enum": ["pan", "tilt", "zoom"]}, "target": point},
            "required": ["kind"],
        }
        fields["camera"] = camera
        fields["path"] = {"type": "array", "items": point, "maxItems": random.choice((8, 16))}
    if index % 4 != 1:
        return {"type": "object", "properties": fields, "required": ["prompt"], "additionalProperties": index % 3 == 0}
    variants: list[dict[str, Any]] = []
    for constant in ("text-to-video", "image-to-video", "video-to-video")[: random.choice((2, 3))]:
        title = constant.replace("-", " ").title()
        feature = {"type": "string", "const": constant, "description": "Kind of job"}
        properties = {"feature": feature, **fields}
        required = ["feature", "prompt"]
        variants.append({"type": "object", "title": title, "properties": properties, "required": required})
    return {"anyOf": variants}


def _fields(random: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"prompt": {"type": "string", "maxLength": random.choice((500, 2000, 2500))}}
    low = random.randint(1, 5)
    numbers = {"anyOf": [{"type": "number", "const": value} for value in (low, low * 2)], "default": low}
    kinds: dict[str, Any] = {
        "duration": numbers,
        "aspect_ratio": {"type": "string", "enum": ["9:16", "16:9", "1:1"], "default": "16:9"},
        "image_url": {"type": "string", "format": "uri"},
        "end_image_url": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        "image_urls": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": low + 2},
        "guidance": {"type": "number", "minimum": 0, "maximum": low, "default": 0.5},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "negative_prompt": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "generate_audio": {"type": "boolean", "default": True},
        "resolution": {"type": "string", "enum": ["480p", "720p", "1080p", "4k"][: low % 4 + 1]},
        "style": {"type": "string", "pattern": "^[a-z-]+$", "minLength": 3},
        "n": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
    }
    for name in random.sample(sorted(kinds), random.randint(5, len(kinds))):
        fields[name] = {**kinds[name], "description": random.choice(TEXTS)}
    return fields


def _form(schema: Any) -> Any:
    """Give the form of a body: where it takes a URL, it takes a file too."""
    if isinstance(schema, list):
        return [_form(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "uri":
        text = {"description": schema["description"]} if "description" in schema else {}
        kinds = [{"type": "string", "format": "uri"}, {"type": "string", "format": "binary"}]
        return {"anyOf": kinds, **text}
    return {name: _form(value) for name, value in schema.items()}
