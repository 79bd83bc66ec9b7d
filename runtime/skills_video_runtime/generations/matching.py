"""Is it ours: the input that the platform echoes, compared with what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from skills_video_runtime.json_values import as_array, as_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MEDIA_PREFIXES = ("http:", "https:", "data:")  # the platform may have replaced such a text by an address of its own


def matches(ours: object, theirs: object) -> bool | None:
    """Tell whether the platform's normalized input is what we sent, or None where that cannot be told.

    Fields that the platform added, such as defaults, do not count; 5 is 5.0 and "5"; case and spaces do not count. A
    field that is missing, a file, and an address that differs (the platform may have copied the media) tell nothing.
    """
    if isinstance(ours, dict):
        fields, given = cast("dict[str, object]", ours), as_object(theirs)
        if not given and theirs != {}:
            return None
        return _all((value, given.get(name)) for name, value in fields.items())
    if isinstance(ours, (list, tuple)):
        items, given_items = list(cast("Sequence[object]", ours)), as_array(theirs)
        if given_items is None:
            return None
        return len(items) == len(given_items) and _all(zip(items, given_items, strict=True))
    if ours is None or theirs is None:
        return True if ours is theirs else None
    one, other = _text(ours), _text(theirs)
    if one is None or other is None:
        return None
    if one == other:
        return True
    if isinstance(ours, bool) != isinstance(theirs, bool) or one.startswith(MEDIA_PREFIXES):
        return None
    return False


def _all(pairs: Iterable[tuple[object, object]]) -> bool | None:
    verdicts = [matches(*pair) for pair in pairs]
    if False in verdicts:
        return False
    if None in verdicts:
        return None
    return True


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).casefold()
    if not isinstance(value, (str, int, float)):
        return None
    text = " ".join(str(value).split()).casefold()
    try:
        return repr(float(text))
    except ValueError:
        return text
