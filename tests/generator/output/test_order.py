"""Which class of a module stands before which."""

from __future__ import annotations

from itertools import permutations

from generator.output.classes import _ordered


def test_classes_that_do_not_use_each_other_stand_as_they_stand_for_datamodel_code_generator():
    names = ("Zoom", "Payload", "Variant2", "a", "Camera")
    for count in range(1, len(names) + 1):
        for order in list(permutations(names, count))[::7]:
            definitions = {name: {"type": "object", "title": name, "properties": {}} for name in order}
            assert _ordered(definitions) == list(order)
