"""What a program chooses for a batch, and what it is told of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from skills_video_runtime.errors import SkillsVideoError
from skills_video_runtime.json_values import as_object
from skills_video_runtime.payloads.base import BasePayload

from .rows import Mistake, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    OnOutcome: TypeAlias = Callable[["Outcome", "Report"], object]


class RowsRefused(SkillsVideoError):  # noqa: N818  # as the other errors
    """Rows of a batch cannot be made as they are. Nothing was sent."""

    category = "validation"
    guidance = "Nothing was sent."

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join([f"{len(mistakes)} mistakes in the rows:", *map(str, mistakes)]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row."""

    key: str
    model: str
    status: str
    """COMPLETED, FAILED or CANCELED, as of its generation; REFUSED, where none was made, as the platform refused it;
    UNCERTAIN, where one may have been made; OPEN, where the next run goes on with it."""
    id: str | None = None
    credits: float | None = None
    files: tuple[Path, ...] = ()
    error: Exception | None = None

    @classmethod
    def left_open(cls, row: Row, error: Exception | None, name: str | None = None) -> Outcome:
        """Give that of a row with which the next run goes on, with the id of what was made of it."""
        return cls(row.key, row.payload.endpoint.model, "OPEN", name, error=error)


@dataclass
class Report:
    """What a run has come to; `statuses` counts all rows, those that earlier runs have ended included."""

    rows: int
    statuses: Counter[str] = field(default_factory=Counter[str])
    credits: float = 0.0
    """What all rows have taken so far, as far as the platform told."""
    problems: list[Outcome] = field(default_factory=list[Outcome])
    """Rows that are not COMPLETED; those without an error ended so in an earlier run, and are left alone."""
    stopped: Exception | None = None
    """Why no more rows were posted, if any are left for that."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How a batch is run.

    Args:
        limit: How many are under way at once, from 1 to 99, as the platform shows at most 100 of a workspace.
        max_credits: Credits that all rows together may take, those of earlier runs included, as far as the platform
            tells. What is under way when they are spent may go beyond.
        rate: How many are posted in a minute, at most.
        timeout: Seconds that each may take, instead of the client's.
        retry_failed: Make rows again that failed or were refused, also where they were corrected since.
        fresh: Make all rows anew, under the same keys.
        reuse: Give a row the files of another one with the same payload, and post nothing for it.
    """

    limit: int = 16
    max_credits: float | None = None
    rate: float | None = None
    timeout: float | None = None
    retry_failed: bool = False
    fresh: bool = False
    reuse: bool = False


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


def as_data(problem: Exception | None) -> dict[str, Any] | None:
    """Give an error as JSON."""
    if problem is None:
        return None
    if not isinstance(problem, SkillsVideoError):
        return {"category": "error", "message": str(problem)}
    return {**problem.to_dict(), "message": problem.what}
