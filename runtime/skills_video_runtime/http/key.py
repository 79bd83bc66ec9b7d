"""The API key, and its absence from whatever is shown."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skills_video_runtime.errors import MissingAPIKey, PayloadError, Violation
from skills_video_runtime.generations.states import REDACTED, WORDS
from skills_video_runtime.json_values import any_text, as_array, as_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from skills_video_runtime.json_values import JsonObject

MIN_LENGTH = 4  # characters; what is shorter would be found in any text
CERTAIN_LENGTH = 8  # characters; a shorter key may be part of any id, address or prompt: our choice
SPARED = frozenset({"id", "input", "data"})  # what is left as it came, where the key is so short
HELD = "holds the API key: leave it out, and replace the key where others may have seen it"
LAYERS = 5  # of escapes, one inside the other, that are looked through: our choice
ESCAPE = re.compile(
    r"%(?P<percent>[2-7][0-9a-f])"
    r"|\\\\*(?:u00|x)(?P<json>[2-7][0-9a-f])"
    r"|\\\\*(?P<itself>[!-/:-@\[-`{-~])"
    r"|&#x0*(?P<hexadecimal>[2-7][0-9a-f])(?![0-9a-f]);?"
    r"|&#0*(?P<decimal>[0-9]{2,3})(?![0-9]);?"
    r"|&(?P<named>[a-z]{2,16};)",
    re.IGNORECASE,
)


@dataclass(slots=True, init=False, repr=False, unsafe_hash=True)
class Key:
    """The API key: shown to the platform, and to nothing that prints, logs or pickles."""

    _value: str
    _forms: tuple[str, ...]
    """How a text may hold it, in lower case: as it is, and in base64, at each of the three places in a group."""

    def __init__(self, value: object) -> None:
        self._value, self._forms = "", ()
        if isinstance(value, str):
            self._value = value.strip()
        if len(self._value) >= MIN_LENGTH:
            self._forms = (self._value.lower(),)
        if len(self._value) >= CERTAIN_LENGTH:
            for before, first in ((0, 0), (1, 2), (2, 3)):  # bytes before it; the first character that only it decides
                form = b64encode(b" " * before + self._value.encode("utf-8", "replace")).decode().lower()
                sure = form.rstrip("=")[first:-1]
                self._forms += (sure, sure.replace("+", "-").replace("/", "_"))

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

    async def fresh(self) -> Key:
        """Give the key of one request."""
        return self

    def stand_for(self, keys: Iterable[Key]) -> None:
        """Look for all of these keys from now on."""
        for key in keys:
            self._value = key._value  # noqa: SLF001  # a key as well
        self._forms = tuple(form for key in keys for form in key._forms)  # noqa: SLF001  # as above

    def sign(self, request: httpx.Request) -> None:
        """Show it to the platform, which a request is for."""
        request.headers["Authorization"] = f"Bearer {self._value}"

    def redact(self, text: str) -> str:
        """Take the key out of a text that came from elsewhere, in whatever case, also where it is escaped or base64.

        Escapes are those of addresses, JSON and HTML. A text that holds the key in one is shown without any.
        """
        shown = text
        for _ in range(LAYERS):
            plain = text.lower()
            if any(form in plain for form in self._forms):
                shown = text = re.sub("|".join(map(re.escape, self._forms)), REDACTED, text, flags=re.IGNORECASE)
            if not ("%" in text or "\\" in text or "&" in text):  # with which each escape begins
                break
            before, text = text, ESCAPE.sub(_without_escape, text)
            if text == before:
                break
        return shown

    def holds(self, text: str) -> bool:
        """Tell whether a text holds the key; never of a key so short that any may."""
        return len(self._value) >= CERTAIN_LENGTH and self.redact(text) != text

    def refuse(self, name: object) -> None:
        """Refuse, by ValueError, a name that holds the key, as it would be told of in errors and logs."""
        if isinstance(name, str) and self.holds(name):
            raise ValueError("the API key was given where the name of a generation or workspace belongs")

    def refuse_in(self, model: str, fields: JsonObject) -> None:
        """Refuse, by PayloadError, a payload that holds the key, which would be stored here and by the platform."""
        found = [name for name, value in fields.items() if any_text({name: value}, self.holds)]
        if found:
            raise PayloadError(model, [Violation(self.redact(name), "not", None, None, HELD) for name in found])

    def digest(self, salt: str) -> str:
        """Give what tells this key from others, and does not tell what it is."""
        from hashlib import blake2b  # noqa: PLC0415  # for who keeps a journal

        return blake2b(self._value.encode(), key=salt.encode()[:64], digest_size=16).hexdigest()

    def parse(self, text: str, shown: str) -> object:
        """Read JSON, without the key; None if it is no JSON, or nested too deeply. `redact` has given what is shown."""
        try:
            body: object = json.loads(text)
            if shown == text:
                return body
            return self._redacted(body, SPARED if len(self._value) < CERTAIN_LENGTH else frozenset())
        except (ValueError, RecursionError):
            return None

    def _redacted(self, value: object, spared: frozenset[str]) -> object:
        if isinstance(value, str):
            is_word = value.upper() in WORDS
            return value if is_word else self.redact(value)
        items = as_array(value)
        if items is not None:
            return [self._redacted(item, spared) for item in items]
        fields = as_object(value)
        redacted: dict[str, object] = {}
        for name, item in fields.items():
            redacted[self.redact(name)] = item if name in spared else self._redacted(item, spared)
        return redacted if fields else value


def _without_escape(found: re.Match[str]) -> str:
    kind = str(found.lastgroup)
    told = found[kind]
    if kind == "itself":
        return told
    if kind == "decimal":
        return chr(int(told))
    if kind != "named":
        return chr(int(told, 16))
    from html.entities import html5  # noqa: PLC0415  # a long list that few texts need

    return html5.get(told, found[0])
