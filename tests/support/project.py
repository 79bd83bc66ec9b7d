"""What several tests need: descriptions written inline, generated and imported as a user would."""

from __future__ import annotations

import copy
import importlib
import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

from generator.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

_numbers = itertools.count(1)


def operation(schema: Any, *, form: Any = None, summary: str = "Acme One", **more: Any) -> dict[str, Any]:
    """Write an operation that posts a body of this schema."""
    content = {"application/json": {"schema": schema}}
    if form is not None:
        content["multipart/form-data"] = {"schema": form}
    return {"post": {"summary": summary, "requestBody": {"content": content}, "responses": {}, **more}}


def description(models: dict[str, Any], components: Any = None, version: str = "3.1.0") -> dict[str, Any]:
    """Write a description: model ids and the schemas, or operations, that belong to them."""
    paths: dict[str, Any] = {}
    for model, schema in models.items():
        item = schema if isinstance(schema, dict) and "post" in schema else operation(schema)
        paths[f"/generation/{model}"] = item
        paths[f"/generation/sse/{model}"] = copy.deepcopy(item)
    return {
        "openapi": version,
        "info": {"title": "Acme", "version": "1"},
        "paths": paths,
        "components": {"schemas": components or {}},
    }


def navigation(*pages: Any) -> dict[str, Any]:
    """Write a navigation with one Videos group."""
    return {"navigation": {"groups": [{"group": "Videos", "pages": list(pages)}]}}


def pages_of(models: Any) -> list[str]:
    """Write the pages of model ids."""
    return [f"POST /generation/{model}" for model in models]


class Project:
    """A folder with inputs and output of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"acme_{next(_numbers)}"
        self.out = folder / self.name
        self.openapi = folder / "openapi.json"
        self.docs = folder / "docs.json"

    def write(self, openapi: Any, docs: Any = None) -> None:
        """Write the inputs; without a navigation, one that lists every model."""
        self.openapi.write_text(json.dumps(openapi), "utf-8")
        if docs is None:
            models = [path.removeprefix("/generation/") for path in openapi["paths"] if "/sse/" not in path]
            docs = navigation(*pages_of(models))
        self.docs.write_text(json.dumps(docs), "utf-8")

    def run(self, command: str = "generate", *options: str) -> int:
        """Run the generator and give its exit code."""
        out = [] if command == "list" else ["--out", str(self.out)]
        return main([command, "--openapi", str(self.openapi), "--docs", str(self.docs), *out, *options])

    def load(self, module: str) -> ModuleType:
        """Import a generated module."""
        sys.path.insert(0, str(self.folder))
        try:
            importlib.invalidate_caches()
            return importlib.import_module(f"{self.name}.{module}")
        finally:
            sys.path.remove(str(self.folder))

    def text(self, file: str) -> str:
        """Read a generated file."""
        return (self.out / file).read_text("utf-8")
