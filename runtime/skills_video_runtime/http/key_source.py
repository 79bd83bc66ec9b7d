"""A key that a function gives, such as one that rotates. The function is asked once for each request."""

from __future__ import annotations

import os
from inspect import isawaitable, iscoroutine
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from skills_video_runtime.errors import MissingAPIKey

from .causes import cause_of
from .key import Key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    KeyGiver: TypeAlias = Callable[[], str | Awaitable[str]]

REMEMBERED = 100  # keys that are looked for in what comes from the platform: our choice
FUNCTION = "The function that was given as api_key"


def key_of(given: str | KeyGiver | None, *, asynchronous: bool) -> Key:
    """Give the key of a client, of the environment where none was given; `check` tells whether it is one."""
    if given is None:
        return Key(os.environ.get("SKILLS_VIDEO_API_KEY"))
    if callable(given):
        return KeySource(given, asynchronous=asynchronous)
    return Key(given)


class KeySource(Key):
    """The keys that a function gives, all of one workspace. All that it gave lately are taken out of what is shown."""

    __slots__ = ("_ask", "_asynchronous", "_given", "_lock")

    def __init__(self, ask: KeyGiver, *, asynchronous: bool) -> None:
        super().__init__("")
        self._ask, self._asynchronous, self._lock = ask, asynchronous, Lock()
        self._given: dict[Key, None] = {}

    def check(self) -> None:
        """Ask nothing yet."""

    async def fresh(self) -> Key:
        """Ask for the key of one request; MissingAPIKey where there is none."""
        try:
            key = Key(await self._told())
        except Exception as error:  # noqa: BLE001  # which may hold keys
            raise MissingAPIKey(f"{FUNCTION} raised {type(error).__name__}.") from cause_of(error, self)
        try:
            key.check()
        except MissingAPIKey:
            raise MissingAPIKey(f"{FUNCTION} gave no text that can be a key.") from None
        with self._lock:
            self._given.pop(key, None)
            self._given[key] = None
            while len(self._given) > REMEMBERED:
                del self._given[next(iter(self._given))]
            self.stand_for(self._given)
        return key

    async def _told(self) -> object:
        told = self._ask()
        if not isawaitable(told):
            return told
        if self._asynchronous:
            return await told
        if iscoroutine(told):
            told.close()
        raise TypeError("only an AsyncClient awaits")

    def digest(self, salt: str) -> str:
        """Give the mark of all keys of a function, in place of that of a single one."""
        return Key("a key that a function gives").digest(salt)
