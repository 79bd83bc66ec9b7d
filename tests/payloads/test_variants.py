"""`Payload` of a model with several variants: a type wherever one is taken, no dead end where called."""

from __future__ import annotations

from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter

from skills_video import happyhorse_1_0, kling_o1_video, kling_v2_6

Payload: Any = kling_v2_6.Payload
TEXT = kling_v2_6.TextImageToVideo(prompt="cat")


class Job(BaseModel):
    first: Payload
    then: list[Payload] = []
    last: Payload | None = None


@pytest.mark.parametrize("module", [kling_v2_6, happyhorse_1_0])
@pytest.mark.parametrize("arguments", [{}, {"prompt": "cat"}])
def test_a_call_of_a_union_names_the_variants(module, arguments):
    with pytest.raises(TypeError) as caught:
        module.Payload(**arguments)
    for variant in get_args(module.Payload):
        assert variant.__name__ in str(caught.value)
    assert f"{module.__name__.rpartition('.')[2]}.parse(" in str(caught.value)


@pytest.mark.parametrize("name", ["template", "json_schema", "endpoint", "no_such_name"])
def test_what_only_a_variant_has_is_told_so(name):
    assert not hasattr(Payload, name)
    with pytest.raises(AttributeError, match=f"no {name}: .*TextImageToVideo, MotionControl"):
        getattr(Payload, name)


def test_the_payload_of_one_variant_is_that_class():
    assert kling_o1_video.Payload is kling_o1_video.FrameToVideo


def test_it_is_a_union_for_whatever_reads_types():
    assert get_origin(Payload) is Union
    assert get_args(Payload) == (kling_v2_6.TextImageToVideo, kling_v2_6.MotionControl)
    assert get_type_hints(kling_v2_6.parse)["return"] == Union[get_args(Payload)]  # noqa: UP007  # of as many as there are
    for wider in (Payload | None, None | Payload, Optional[Payload], Payload | int, Union[int, Payload]):  # noqa: UP007, UP045
        assert isinstance(TEXT, wider)
        assert not isinstance("cat", wider)
    assert isinstance(TEXT, Payload)
    assert isinstance(TEXT, (int, Payload))
    assert not isinstance(TEXT, happyhorse_1_0.Payload)  # type: ignore[misc,arg-type]
    assert issubclass(kling_v2_6.MotionControl, Payload)
    assert not issubclass(int, Payload)


def test_pydantic_takes_it_wherever_a_type_stands():
    job = Job.model_validate({"first": {"prompt": "cat"}, "then": [{"prompt": "dog"}], "last": None})
    assert (type(job.first), job.first.prompt, job.then[0].prompt) == (kling_v2_6.TextImageToVideo, "cat", "dog")
    assert len(TypeAdapter(Payload).json_schema()["anyOf"]) == 2
