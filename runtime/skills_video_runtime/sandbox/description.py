"""The OpenAPI description that the sandbox judges by: find it, load it, list its create operations."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import unquote

from skills_video_runtime.json_values import as_object
from skills_video_runtime.sandbox import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKED: Final = Path(__file__).with_name("openapi.json.gz")
_CHECKOUT: Final = Path(__file__).parents[3] / "specs" / "openapi.json"
_CREATE_PATH: Final = re.compile(r"^(?:/[^/{}]+)*?/generation/(?P<stream>sse/)?(?P<model>[^{}]+)$")
_ONE: Final = r"/(generation|prediction|task)s?"
_ON_ONE: Final = {
    "cancel": rf"(POST|PUT|PATCH|DELETE) {_ONE}/\{{\w+\}}/cancel|(POST|PUT) {_ONE}/cancel/\{{\w+\}}"
    rf"|DELETE {_ONE}/\{{\w+\}}",
    "subscribe": rf"GET {_ONE}/\{{\w+\}}/(subscribe|stream|events|sse)"
    rf"|GET {_ONE}/(subscribe|stream|events|sse)/\{{\w+\}}",
}
_JSON: Final = "application/json"
_FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
_MOST_REFERENCES: Final = 16


class DescriptionError(Exception):
    """The OpenAPI description cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint that creates generations of one model."""

    model: str
    """The path after `/generation/` or `/generation/sse/`."""
    stream: bool
    """Whether the endpoint answers with an event stream."""
    bodies: dict[str, str]
    """JSON Pointer of the body's schema by media type: JSON and, unless it is a stream, forms."""
    key_header: str = ""
    """The header by which a post is known again, empty where none is described."""
    needs_key: bool = False
    """Whether a post without it is refused."""


class OnOne(NamedTuple):
    """An operation on one generation that a description offers."""

    what: str
    """`cancel` or `subscribe`."""
    method: str
    path: str
    """Below the base path, with `{id}`."""

    def is_asked(self, method: str, path: str) -> bool:
        """Whether a request is for it."""
        before, _, after = self.path.partition("{id}")
        found = re.fullmatch(f"{re.escape(before)}[^/]+{re.escape(after)}", path)
        return method == self.method and found is not None


@dataclass(frozen=True, slots=True)
class Description:
    """An OpenAPI document with its create operations."""

    document: dict[str, Any]
    """The whole document, in the words of JSON Schema 2020-12."""
    operations: dict[str, Operation]
    """Create operations by the path after `/generation/` (`sse/ltx-2.3`, `ltx-2.3`)."""
    on_one: tuple[OnOne, ...] = ()
    """What is offered beside them."""

    @property
    def numbers_events(self) -> bool:
        """Whether the events of a stream have ids, as it can be taken up again."""
        return any(offer.what == "subscribe" for offer in self.on_one)


def load(file: Path | None = None) -> Description:
    """Read a description.

    Args:
        file: An OpenAPI 3.0 or 3.1 document in JSON; None for the package's copy or, in a checkout,
            `specs/openapi.json`.

    Raises:
        DescriptionError: The file is absent, is not JSON, or describes no endpoint that creates generations.
    """
    try:
        if file is None and _PACKED.is_file():
            file, text = _PACKED, gzip.decompress(_PACKED.read_bytes())
        else:
            file = file or _CHECKOUT
            text = file.read_bytes()
        document = as_object(strict_json.loads(text))
    except OSError as error:
        raise DescriptionError(f"{file}: cannot be read ({error.strerror}); name an OpenAPI document") from error
    except ValueError as error:
        raise DescriptionError(f"{file}: is not JSON ({error})") from error
    if str(document.get("openapi", "")).startswith("3.0"):
        document = modernised(document)
    operations = dict(_operations(document))
    if not operations:
        raise DescriptionError(
            f"{file}: #/paths has no POST below /generation/ with a request body in JSON or as a form"
        )
    return Description(document, operations, tuple(_on_one(document)))


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
    if not isinstance(schema.get("nullable"), bool) or not schema.pop("nullable"):
        return schema
    union: dict[str, Any] = {"anyOf": [schema, {"type": "null"}]}
    if "default" in schema:
        union["default"] = schema["default"]
    return union


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path in as_object(document.get("paths")):
        match = _CREATE_PATH.match(path)
        if match is None:
            continue
        pointer = "/paths/" + escaped(path)
        for name in ("post", "requestBody", "content"):
            pointer = f"{followed(document, pointer)}/{name}"
        schemas = {
            kind.partition(";")[0].strip().lower(): f"{pointer}/{escaped(kind)}/schema"
            for kind, media in members_at(document, pointer).items()
            if "schema" in as_object(media)
        }
        is_stream = match["stream"] is not None
        bodies: dict[str, str] = {kind: schemas[kind] for kind in (_JSON, *_FORMS) if kind in schemas}
        if bodies:
            if is_stream:
                bodies = {kind: place for kind, place in bodies.items() if kind == _JSON}
            header, is_needed = _key_header(document, path)
            operation = Operation(match["model"], is_stream, bodies, header, is_needed)
            yield (match["stream"] or "") + match["model"], operation


def _on_one(document: dict[str, Any]) -> Iterator[OnOne]:
    for path in as_object(document.get("paths")):
        below = re.sub(r"^(?:/api)?/v1(?=/)", "", path).rstrip("/")
        for method in members_at(document, followed(document, f"/paths/{escaped(path)}")):
            for what, pattern in _ON_ONE.items():
                if re.fullmatch(pattern, f"{method.upper()} {below}"):
                    yield OnOne(what, method.upper(), re.sub(r"\{\w+\}", "{id}", below))


def _key_header(document: dict[str, Any], path: str) -> tuple[str, bool]:
    """The header by which a post to a path is known again, and whether it must be there."""
    item = followed(document, f"/paths/{escaped(path)}")
    for above in (item, followed(document, f"{item}/post")):
        for index in members_at(document, f"{above}/parameters"):
            parameter = members_at(document, followed(document, f"{above}/parameters/{index}"))
            name = str(parameter.get("name"))
            if parameter.get("in") == "header" and "idempoten" in name.lower():
                return name, parameter.get("required") is True
    return "", False


def members_at(document: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The members of the object at a JSON Pointer, or the items of the array by index; none where neither stands."""
    node: Any = document
    for token in pointer.split("/")[1:]:
        node = as_object(node).get(token.replace("~1", "/").replace("~0", "~"))
        if isinstance(node, list):
            node = {str(index): item for index, item in enumerate(cast("list[object]", node))}
    return as_object(node)


def followed(document: dict[str, Any], pointer: str) -> str:
    """Where a JSON Pointer leads to, over local references."""
    for _ in range(_MOST_REFERENCES):
        reference = members_at(document, pointer).get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        pointer = unquote(reference[1:])
    return pointer


def escaped(token: str) -> str:
    """A name as part of a JSON Pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")
