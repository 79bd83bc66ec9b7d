"""Every payload class accepts what its schema accepts, and nothing else."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from skills_video.catalog import MODELS
from skills_video_runtime import PayloadError
from tests.support.judge import judge, values

SPECS = Path(__file__).parents[2] / "specs"
DESCRIPTION = json.loads((SPECS / "openapi.json").read_text("utf-8"))


@pytest.mark.parametrize("info", MODELS, ids=lambda info: info.module)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_class_and_jsonschema_agree(info, data):
    module = importlib.import_module(f"skills_video.{info.module}")
    operation = DESCRIPTION["paths"][info.endpoint.stream]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    value = data.draw(values(schema))
    allowed = judge(schema).is_valid(value)
    event(f"allowed: {allowed}")
    try:
        payload = module.parse(value)
    except PayloadError:
        payload = None
    assert (payload is not None) == allowed, (value, payload)
    assert payload is None or payload.to_dict() == value
