"""Whom the runtime trusts: the API key, its absence from whatever is shown, and where it may go."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from skills_video_runtime.errors import MissingAPIKey
from skills_video_runtime.generations.states import WORDS, as_object, listed

if TYPE_CHECKING:
    import httpx

Signed = TypeVar("Signed", "httpx.Request", "httpx.Client", "httpx.AsyncClient")
SHORTEST = 4  # characters of a key; what is shorter would be found in any text
VERBATIM = frozenset({"id", "input", "data"})


@dataclass(slots=True, init=False, repr=False, unsafe_hash=True)
class Key:
    """The API key: shown to the transport, and to nothing that prints, logs or pickles."""

    _value: str

    def __init__(self, value: str | None) -> None:
        self._value = value.strip() if isinstance(value, str) else ""

    def check(self) -> None:
        """Refuse what no header can carry; apart from the constructor, so that no frame of a traceback shows it."""
        if not re.fullmatch(r"[!-~]+", self._value):
            what = "holds characters that no key has" if self._value else "is missing"
            raise MissingAPIKey(f"The API key {what}.")

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
        return text.replace(self._value, "<key>") if len(self._value) >= SHORTEST else text

    def parse(self, text: str) -> object:
        """Read JSON, and take the key out of all but the fields that must stay as they are; None if it is no JSON."""
        try:
            body: object = json.loads(text)
            return self._redacted(body) if "\\" in text or self._value in text else body
        except (ValueError, RecursionError):
            return None

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            return value if value.upper() in WORDS else self.redact(value)
        items = listed(value)
        if items is not None:
            return [self._redacted(item) for item in items]
        fields = as_object(value)
        fields = {name: item if name in VERBATIM else self._redacted(item) for name, item in fields.items()}
        return {self.redact(name): item for name, item in fields.items()} or value


def is_trusted(url: str) -> bool:
    """Tell whether a URL is https, or goes to this very machine, and carries no user name."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
