"""Constraints: how they are written and compared, what they are to annotated-types."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import annotated_types
import pytest

import skills_video_runtime
from skills_video_runtime import (
    DependentRequired,
    Format,
    Ge,
    Gt,
    Le,
    Lt,
    MaxLen,
    MaxProperties,
    MinLen,
    MinProperties,
    MultipleOf,
    OneOf,
    UniqueItems,
)

LIMITS = ["Ge", "Gt", "Le", "Lt", "MinLen", "MaxLen", "MultipleOf"]


@pytest.mark.parametrize("name", LIMITS)
def test_limit_is_read_as_that_of_annotated_types(name):
    limit, known = getattr(skills_video_runtime, name)(3), getattr(annotated_types, name)(3)
    assert list(limit) == [known]
    for attribute in known.__dataclass_fields__:
        assert getattr(limit, attribute) == 3
    assert isinstance(limit, annotated_types.GroupedMetadata)


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_equal_by_kind_and_operand_and_shown_as_written(name):
    kind = getattr(skills_video_runtime, name)
    assert kind(3) == kind(3.0)
    assert hash(kind(3)) == hash(kind(3.0))
    assert kind(3) != kind(4)
    assert len({getattr(skills_video_runtime, other)(3) for other in LIMITS}) == len(LIMITS)
    assert repr(kind(3)) == f"{name}(3)"
    for again in (copy.deepcopy(kind(3)), pickle.loads(pickle.dumps(kind(3)))):
        assert again == kind(3)


def test_counts_of_members_are_lengths():
    assert MinProperties(1) == MinLen(1)
    assert MaxProperties(1) == MaxLen(1)


@pytest.mark.parametrize("value", [1e300, 1e23, 2.0**80, 0.0])
@pytest.mark.parametrize("step", [3, 10, 0.5])
def test_a_whole_number_is_a_multiple_of_the_same_as_the_integer_that_it_is(value, step):
    is_multiple = MultipleOf(step).test()
    assert is_multiple(value) == is_multiple(int(value))


@pytest.mark.parametrize(
    ("constraint", "kept", "broken"),
    [
        (Ge(3), 3, 2.5), (Gt(3), 4, 3), (Le(3), 3, 4), (Lt(3), 2.5, 3), (MultipleOf(0.1), 0.3, 0.35),
        (MinLen(2), "ab", "a"), (MaxLen(2), [1, 2], (1, 2, 3)), (OneOf(1, [2]), (2,), True), (UniqueItems(), [1, True],
        [1, 1.0]), (Format("uri"), "https://a.example", "a"), (DependentRequired("a", ("b",)), {"b": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_constraint_tells_what_keeps_it_and_says_what_does_not(constraint, kept, broken):
    test = constraint.test()
    assert test(kept)
    assert not test(broken)
    assert constraint.says(broken)
    assert constraint.keyword_for(type(broken))


def test_payload_is_made_without_annotated_types():
    code = (
        "import sys; from skills_video import google_veo_3_1; google_veo_3_1.Payload(prompt='cat', n=2);"
        "assert 'annotated_types' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_hypothesis_reads_limits_where_nothing_else_has_loaded_annotated_types():
    code = (
        "from typing import Annotated\n"
        "from hypothesis import given, settings, strategies as st\n"
        "from skills_video_runtime import Ge, Le\n"
        "@settings(database=None, derandomize=True)\n"
        "@given(st.from_type(Annotated[int, Ge(3), Le(4)]))\n"
        "def check(value): assert value in (3, 4)\n"
        "check()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
