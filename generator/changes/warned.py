"""What `generate` warns of now, or warns of no longer: a sign that a description says what is not understood."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from .age import names_of
from .change import SHARED, Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.run import Found


def compare_warnings(old: Found, new: Found) -> Iterator[Change]:
    """Give a change for each text of a warning that is new, more frequent, or gone."""
    before, after = (Counter(item.message for item in found.warnings) for found in (old, new))
    names = names_of(new.descriptions)
    for message, times in after.items():
        if times <= before[message]:
            continue
        first = next(item for item in new.warnings if item.message == message)
        change = Change("warning", "generator", "`generate` warns: {}", (message,), "", before[message], times)
        if times > 1:
            change = replace(change, sentence="`generate` warns in {} places: {}", values=(str(times), message))
        yield replace(change, model=SHARED, file=names.get(first.file, first.file), pointer=first.pointer)
    for message, times in before.items():
        if message not in after:
            sentence = "`generate` warns no longer: {}"
            yield Change("warning", "generator", sentence, (message,), "", times, 0, model=SHARED)
