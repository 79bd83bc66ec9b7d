"""The API key, and its absence from whatever is shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from skills_video_runtime.errors import MissingAPIKey
from skills_video_runtime.generations.states import WORDS
from skills_video_runtime.json_values import as_array, as_object

if TYPE_CHECKING:
    import httpx

Signed = TypeVar("Signed", "httpx.Request", "httpx.Client", "httpx.AsyncClient")
MIN_LENGTH = 4  # characters; what is shorter would be found in any text
VERBATIM = frozenset({"id", "input", "data"})


@dataclass(slots=True, init=False, repr=False, unsafe_hash=True)
class Key:
    """The API key: shown to the platform, and to nothing that prints, logs or pickles."""

    _value: str

    def __init__(self, value: object) -> None:
        self._value = ""
        if isinstance(value, str):
            self._value = value.strip()

    def check(self) -> None:
        """Refuse what no header can carry; apart from the constructor, so that no frame of a traceback shows it."""
        if not self._value:
            raise MissingAPIKey("The API key is missing.")
        if not re.fullmatch(r"[!-~]+", self._value):
            raise MissingAPIKey("The API key holds characters that no key has.")

    def __repr__(self) -> str:
        """Tell nothing."""
        return "<key>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to leave the process."""
        raise TypeError("an API key is not pickled")

    def __call__(self, request: Signed) -> Signed:
        """Sign a request, as httpx asks of what it is given as auth, or all that a client builds."""
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def redact(self, text: str) -> str:
        """Take the key out of a text that came from elsewhere."""
        if len(self._value) < MIN_LENGTH:
            return text
        return text.replace(self._value, "<key>")

    def parse(self, text: str) -> object:
        """Read JSON, and take the key out of all but the fields that must stay as they are; None if it is no JSON."""
        try:
            body: object = json.loads(text)
            if "\\" in text or self._value in text:
                return self._redacted(body)
        except (ValueError, RecursionError):
            return None
        return body

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            is_word = value.upper() in WORDS
            return value if is_word else self.redact(value)
        items = as_array(value)
        if items is not None:
            return [self._redacted(item) for item in items]
        fields = as_object(value)
        redacted: dict[str, object] = {}
        for name, item in fields.items():
            is_verbatim = name in VERBATIM
            redacted[self.redact(name)] = item if is_verbatim else self._redacted(item)
        return redacted if fields else value
