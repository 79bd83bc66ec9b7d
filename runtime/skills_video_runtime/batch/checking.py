"""What a file of rows would do: nothing is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skills_video_runtime.json_values import as_object
from skills_video_runtime.payloads.base import BasePayload

from .rows import Mistake, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass
class Count:
    """What was counted of rows that `counted` has passed on."""

    rows: int = 0
    mistakes: int = 0
    models: Counter[str] = field(default_factory=Counter[str])
    extras: Counter[str] = field(default_factory=Counter[str])
    """Names that no schema has, and that are sent as they are."""

    def counted(self, rows: Iterable[object]) -> Iterator[Row | Mistake]:
        """Pass rows and mistakes on, and count them.

        Raises:
            TypeError: something is neither.
        """
        for item in rows:
            if isinstance(item, Mistake):
                self.mistakes += 1
            else:
                payload: object = getattr(item, "payload", None)
                if not isinstance(item, Row) or not isinstance(payload, BasePayload):
                    what = "a row is Row(key, payload), where payload is one of a model, as google_veo_3_1.Payload(…)"
                    raise TypeError(f"{what}; not {item!r:.200}")
                self.rows += 1
                self.models[item.payload.endpoint.model] += 1
                self.extras.update(as_object(getattr(item.payload, "extra", None)).keys())
            yield item

    def credits(self, medians: Mapping[str, float]) -> float | None:
        """Give what the rows are expected to take, None where there are none, or that is not known of each model."""
        if not self.models or not self.models.keys() <= medians.keys():
            return None
        return sum(medians[model] * count for model, count in self.models.items())
