"""MANIFEST.json: what the files were made from, and what each of them was when it was made."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from generator import VERSION
from generator.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "MANIFEST.json"


def manifest(files: Mapping[str, str], inputs: Mapping[str, str], models: Mapping[str, Mapping[str, str]]) -> str:
    """Give the text of MANIFEST.json: digests of inputs and files, the generator's version, each module's source.

    `models` tells the model and the source of each module; a module's digest stands with them.
    """
    content = {
        "files": {name: digest(text) for name, text in files.items() if name.removesuffix(".py") not in models},
        "generator": VERSION,
        "inputs": inputs,
        "modules": {module: {**entry, "digest": digest(files[f"{module}.py"])} for module, entry in models.items()},
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def with_texts(manifest: str, texts: Mapping[str, str]) -> str:
    """Add to the text of MANIFEST.json the digests of what is made beside the package, by path."""
    content = _content(manifest) | {"texts": {name: digest(text) for name, text in texts.items()}}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def recorded(text: str | None) -> dict[str, str]:
    """Give the digest of each generated file by its name, as the text of MANIFEST.json records it.

    Empty where there is no manifest, or none that can be read: nothing is known then of who wrote what.
    """
    content = _content(text)
    modules = object_of(content.get("modules"))
    found = object_of(content.get("files")) | object_of(content.get("texts"))
    found |= {f"{name}.py": object_of(entry).get("digest") for name, entry in modules.items()}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def origin(text: str | None) -> Any:
    """Give what a manifest says that it was made from, and by what."""
    content = _content(text)
    return [content.get(key) for key in ("generator", "inputs")]


def digest(text: str) -> str:
    """Give the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _content(text: str | None) -> dict[str, Any]:
    try:
        return object_of(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return {}
