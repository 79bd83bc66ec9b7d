"""Others read the annotations of payloads: hypothesis builds payloads from them, pydantic honours their limits."""

from __future__ import annotations

import dataclasses
import importlib
import json
import types
from functools import cache
from typing import Annotated, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skills_video import google_veo_3_1, kling_o3_video
from skills_video.catalog import MODELS
from skills_video_runtime import UNSET, File, Unset

st.register_type_strategy(File, st.builds(File, st.binary(max_size=3), name=st.just("a.bin")))
CLASSES = [(info.module, variant) for info in MODELS for variant in info.variants]


@cache
def payloads(cls):
    """Give payloads whose fields are drawn from the annotations alone."""
    hints = get_type_hints(cls, include_extras=True)
    strategies = {item.name: st.from_type(hints[item.name]) for item in dataclasses.fields(cls)}
    if "extra" in strategies:
        wires = {item.metadata.get("wire", item.name) for item in dataclasses.fields(cls)}
        strategies["extra"] = strategies["extra"].map(
            lambda extra: extra and {name: value for name, value in extra.items() if name not in wires}
        )
    return st.builds(cls, **strategies)


@pytest.mark.parametrize(("module", "variant"), CLASSES, ids=[f"{module}-{variant}" for module, variant in CLASSES])
@settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_hypothesis_builds_payloads_from_annotations(module, variant, data):
    module = importlib.import_module(f"skills_video.{module}")
    cls = getattr(module, variant)
    payload = data.draw(payloads(cls))
    plain = payload.to_dict()
    assert module.parse(plain).to_dict() == plain
    files = payload.goes_as_form()
    if not (files and None in plain.values()):
        texts, parts = payload.to_multipart()
        assert bool(parts) == files
        assert all(isinstance(name, str) and isinstance(text, str) for name, text in texts)
    if not files:
        json.dumps(plain, allow_nan=False)


def test_hypothesis_reaches_set_fields_and_unset_ones():
    seen = set()

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(payloads(google_veo_3_1.Payload))
    def look(payload):
        seen.update((item.name, getattr(payload, item.name) is UNSET) for item in dataclasses.fields(payload))

    look()
    optional = {item.name for item in dataclasses.fields(google_veo_3_1.Payload)} - {"prompt"}
    assert seen >= {(name, is_set) for name in optional for is_set in (True, False)}


def without_unset(hint):
    if get_origin(hint) not in {Union, types.UnionType}:
        return hint
    return Union[tuple(option for option in get_args(hint) if option is not Unset)]  # noqa: UP007  # made, not written


def limited(*names):
    """Find fields of the repository's payloads whose annotation has a limit of one of these kinds."""
    for info in MODELS:
        module = importlib.import_module(f"skills_video.{info.module}")
        for variant in info.variants:
            for name, hint in get_type_hints(getattr(module, variant), include_extras=True).items():
                for option in (hint, *get_args(hint)):
                    metadata = get_args(option)[1:] if get_origin(option) is Annotated else ()
                    found = {type(item).__name__: item for item in metadata}
                    if set(names) & set(found):
                        yield pytest.param(without_unset(hint), found, id=f"{info.module}-{variant}-{name}")


NUMBERS = list(limited("Ge", "Le"))
LENGTHS = list(limited("MaxLen"))


def test_there_are_fields_with_limits():
    assert len(NUMBERS) > 10
    assert len(LENGTHS) > 3


@pytest.mark.parametrize(("hint", "limits"), NUMBERS)
def test_pydantic_honours_limits_of_numbers(hint, limits):
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(hint)
    if "Ge" in limits:
        assert adapter.validate_python(limits["Ge"].ge) == limits["Ge"].ge
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python(limits["Ge"].ge - 1)
    if "Le" in limits:
        assert adapter.validate_python(limits["Le"].le) == limits["Le"].le
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python(limits["Le"].le + 1)


@pytest.mark.parametrize(("hint", "limits"), LENGTHS)
def test_pydantic_honours_lengths(hint, limits):
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(hint, config={"arbitrary_types_allowed": True})
    longest = limits["MaxLen"].max_length
    try:
        adapter.validate_python("x" * longest)
    except pydantic.ValidationError:
        element = "https://a.example/b"
        adapter.validate_python([element] * longest)
        too_long = [element] * (longest + 1)
    else:
        too_long = "x" * (longest + 1)
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(too_long)


def test_hypothesis_builds_objects_inside_payloads():
    seen = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(payloads(kling_o3_video.TextImageToVideo))
    def look(payload):
        seen.append(payload.to_dict())

    look()
    assert any(len(plain) > 3 for plain in seen)
