"""Many videos from a file or a program: checked first, each paid once, and gone on with after whatever broke it off."""

from .rows import Mistake, Row, Rows, read_rows
from .run import AsyncBatch, Batch, Outcome, Report, RowsRefused
from .shared import SharedBatch

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
    "read_rows",
]
