"""What `changes` says of random pairs of schemas, judged by jsonschema; `make pairs` draws 6,000."""

from __future__ import annotations

import pytest

from .pairs import faults


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_is_said_of_random_pairs_is_what_jsonschema_says(seed):
    assert faults(seed, 100) == []
