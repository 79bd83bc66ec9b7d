"""The OpenAPI description that the sandbox judges by: find it, load it, list its create operations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

_SHIPPED: Final = Path(__file__).with_name("openapi.json")
_CHECKOUT: Final = Path(__file__).parents[3] / "specs" / "openapi.json"
_CREATE_PATH: Final = re.compile(r"^(?:/[^/{}]+)*?/generation/(?P<stream>sse/)?(?P<model>[^{}]+)$")
_FORM: Final = "multipart/form-data"


class DescriptionError(Exception):
    """The OpenAPI description cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint that creates generations of one model."""

    model: str
    """The path after `/generation/` or `/generation/sse/`."""
    stream: bool
    """Whether the endpoint answers with an event stream."""
    pointer: str
    """JSON Pointer of the JSON body's schema."""
    form_pointer: str | None
    """JSON Pointer of the multipart body's schema; None where the description has none."""


@dataclass(frozen=True, slots=True)
class Description:
    """An OpenAPI document with its create operations."""

    document: dict[str, Any]
    """The whole document, in the words of JSON Schema 2020-12."""
    operations: dict[str, Operation]
    """Create operations by the path after `/generation/` (`sse/ltx-2.3`, `ltx-2.3`)."""


def load(file: Path | None = None) -> Description:
    """Read a description.

    Args:
        file: An OpenAPI 3.0 or 3.1 document in JSON; None for the package's copy or, in a checkout,
            `specs/openapi.json`.

    Raises:
        DescriptionError: The file is absent, is not JSON, or describes no endpoint that creates generations.
    """
    path = file or (_SHIPPED if _SHIPPED.is_file() else _CHECKOUT)
    try:
        loaded: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise DescriptionError(f"{path}: cannot be read ({error.strerror}); name an OpenAPI document") from error
    except ValueError as error:
        raise DescriptionError(f"{path}: is not JSON ({error})") from error
    document = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    if str(document.get("openapi", "")).startswith("3.0"):
        document = modernised(document)
    operations = dict(_operations(document))
    if not operations:
        raise DescriptionError(f"{path}: #/paths has no POST below /generation/ with a JSON request body")
    return Description(document, operations)


def modernised(node: Any) -> Any:
    """Copy an OpenAPI 3.0 document with `nullable` and boolean exclusive limits rewritten for JSON Schema 2020-12."""
    if isinstance(node, list):
        return [modernised(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    schema = {key: modernised(value) for key, value in cast("dict[str, Any]", node).items()}
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool):
            strict = schema.pop(exclusive)
            if strict and limit in schema:
                schema[exclusive] = schema.pop(limit)
    if schema.pop("nullable", None) is True:
        return {"anyOf": [schema, {"type": "null"}], **({"default": schema["default"]} if "default" in schema else {})}
    return schema


def _operations(document: dict[str, Any]) -> list[tuple[str, Operation]]:
    found: list[tuple[str, Operation]] = []
    paths: Any = document.get("paths")
    for path, item in cast("dict[str, Any]", paths if isinstance(paths, dict) else {}).items():
        match = _CREATE_PATH.match(path)
        try:
            content = item["post"]["requestBody"]["content"]
            described = "schema" in content["application/json"]
        except (KeyError, TypeError):
            continue
        if match is None or not described:
            continue
        base = f"/paths/{_escaped(path)}/post/requestBody/content"
        form = f"{base}/{_escaped(_FORM)}/schema" if "schema" in content.get(_FORM, {}) else None
        stream = match["stream"] is not None
        operation = Operation(match["model"], stream, f"{base}/{_escaped('application/json')}/schema", form)
        found.append((("sse/" if stream else "") + match["model"], operation))
    return found


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
