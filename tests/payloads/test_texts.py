"""Names that no schema has: nearly that of a field, or another one."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # payloads read their annotations
from dataclasses import dataclass
from typing import ClassVar

import pytest

from skills_video_runtime.agents.tools import checked
from skills_video_runtime.catalog import Endpoint  # noqa: TC001  # as above
from skills_video_runtime.cli.values import build
from skills_video_runtime.errors import PayloadError
from skills_video_runtime.payloads.base import BasePayload
from skills_video_runtime.payloads.constraints import UNSET, Json, Unset
from tests.support.scripted import ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    prompt: str
    extra: Mapping[str, Json] | Unset = UNSET


@pytest.mark.parametrize("variants", [[Open], [Open, Closed], [Closed, Open]])
def test_a_name_that_is_nearly_a_field_is_refused_where_any_schema_would_take_it(variants):
    [told] = checked(variants, {"prompt": "rain", "promt": "snow"}).violations
    assert (told.path, told.nearest) == ("promt", "prompt")
    with pytest.raises(PayloadError, match="promt: is no field"):
        build(variants, {"prompt": "rain"}, ["promt=snow"])


def test_any_other_name_goes_as_it_is():
    made = build([Open, Closed], {"prompt": "rain"}, ["frames=24"])
    assert made.to_dict() == {"prompt": "rain", "frames": 24}
    assert checked([Open, Closed], {"prompt": "rain", "frames": 24}).payload == made
