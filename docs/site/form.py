"""What the form of a model asks, in the browser: the library's own check, its texts, its other models.

A value is read as `--set` of the command line reads it. All answers are JSON, so that nothing of Python is handed over.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skills_video_runtime.cli.output import UsageProblem
from skills_video_runtime.cli.values import build
from skills_video_runtime.errors import PayloadError
from skills_video_runtime.json_values import is_mapping

from .neighbours import neighbours_of
from .shown import texts_of

if TYPE_CHECKING:
    from skills_video_runtime import BasePayload, Violation


def check(module: str, variant: str, typed: str) -> str:
    """Check what is typed, texts by the names of fields; give all mistakes, or the payload in each way.

    Members of other names stand at the empty name, as a JSON object.
    """
    try:
        payload = _payload(module, variant, json.loads(typed))
    except PayloadError as error:
        return json.dumps({"mistakes": list(map(_mistake, error.violations))})
    except UsageProblem as error:
        return json.dumps({"mistakes": [{"field": None, "text": str(error), "nearest": None}]})
    return json.dumps({"mistakes": [], "texts": texts_of(payload)})


def others(module: str, variant: str, typed: str) -> str:
    """Give the other models that can do what is typed, and what each loses of it."""
    return json.dumps([asdict(item) for item in neighbours_of(_payload(module, variant, json.loads(typed)))])


def _payload(module: str, variant: str, typed: dict[str, str]) -> BasePayload:
    cls: type[BasePayload] = getattr(import_module(f"skills_video.{module}"), variant)
    data: Any = {}
    if "" in typed:
        data = _object(typed[""])
    named = {name: text for name, text in typed.items() if name}
    for text in named.values():
        _put_file(text)
    return build([cls], data, [f"{name}={text}" for name, text in named.items()])


def _object(text: str) -> Any:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"other fields: this is no JSON: {error}") from error
    if not is_mapping(data):
        raise UsageProblem("other fields: a JSON object is needed, such as {}")
    return data


def _put_file(text: str) -> None:
    """Put an empty file where a text names one: the page knows none of the reader's, and sends none."""
    if sys.platform == "emscripten" and re.match("@[^@]", text):
        path = Path(text[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _mistake(violation: Violation) -> dict[str, Any]:
    nearest = violation.nearest
    if nearest is not None and not isinstance(nearest, str):
        nearest = json.dumps(nearest)
    field = re.split(r"[.\[]", violation.path)[0]
    if nearest is not None and field != violation.path:
        nearest = None
    text = re.sub(r"a local file is sent by --set .*", "a file of yours is @cat.png", str(violation))
    return {"field": field, "text": text, "nearest": nearest}
