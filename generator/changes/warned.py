"""What `generate` warns of now, or warns of no longer: a sign that a description says what is not understood."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .change import SHARED, Change
from .places import names_of

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
        sentence, values = "`generate` warns: {}", [message]
        if times > 1:
            sentence, values = "`generate` warns in {} places: {}", [str(times), message]
        yield Change("warning", "generator", sentence, tuple(values), old=before[message], new=times, model=SHARED,
                     file=names.get(first.file, first.file), pointer=first.pointer)  # fmt: skip
    for message, times in before.items():
        if message not in after:
            yield Change("warning", "generator", "`generate` warns no longer: {}", (message,), old=times, new=0,
                         model=SHARED)  # fmt: skip
