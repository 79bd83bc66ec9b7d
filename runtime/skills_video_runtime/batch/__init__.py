"""Many videos from a file or a program: checked first, each paid once, and gone on with after whatever broke it off."""

from .batch import AsyncBatch, Batch, SharedBatch
from .report import Outcome, Report, RowsRefused
from .rows import Mistake, Row, Rows

__all__ = [
    "AsyncBatch",
    "Batch",
    "Mistake",
    "Outcome",
    "Report",
    "Row",
    "Rows",
    "RowsRefused",
    "SharedBatch",
]
