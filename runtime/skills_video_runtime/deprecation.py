"""`deprecated`, which marks what the platform advises against: Python's own from 3.13 on, for type checkers always."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

__all__ = ["deprecated"]

if TYPE_CHECKING:
    from typing_extensions import deprecated
elif sys.version_info >= (3, 13):
    from warnings import deprecated
else:

    def deprecated(message: str) -> Any:
        """Keep the message with what it marks, as Python itself does later; nothing is warned of."""

        def marked(cls: type) -> type:
            cls.__deprecated__ = message
            return cls

        return marked
