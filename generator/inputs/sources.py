"""One source of an input: an https address, a `file:` address or a path, fetched within bounds."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from generator.diagnostics import GeneratorError

from .documents import LARGEST, bytes_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from urllib.parse import SplitResult

    import httpx

TIMEOUT: Final = 60.0
"""Seconds that one input may take, redirects included. The limit is ours."""

LONGEST: Final = 600.0
"""Seconds that all pages of a site may take together. The limit is ours."""

MOST_REDIRECTS: Final = 5
AT_ONCE: Final = 8
"""How many pages are asked for at a time. The limit is ours."""

ETAG: Final = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,500}"')
_TRANSIENT = (408, 425, 429)
_ENCODINGS = ("", "identity", "gzip", "deflate")


class UnavailableError(GeneratorError):
    """A source may be there and cannot be had now, which is no reason to believe that it is gone."""

    def __init__(self, source: str, message: str) -> None:
        """Take what is wrong with a source."""
        super().__init__(f"{without_query(source)}: {message}; try again later")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source answers: its bytes (None where they have not changed), their ETag if any, and where they were."""

    data: bytes | None
    etag: str = ""
    address: str = ""

    @property
    def text(self) -> str:
        """Its bytes as a text."""
        return (self.data or b"").decode("utf-8", "replace")


@dataclass(slots=True)
class Room:
    """How many bytes may still come, of answers that are fetched together."""

    left: int


def get(source: str, etag: str = "") -> Fetched:
    """Get one input; what is known by its ETag is not fetched again.

    Raises:
        GeneratorError: it cannot be had.
    """
    path = path_of(source)
    if path is not None:
        return Fetched(bytes_of(path, without_query(source), LARGEST), address=source)
    [found] = asyncio.run(_download_all([source], etag))
    if isinstance(found, GeneratorError):
        raise found
    return found


def get_all(sources: Sequence[str]) -> list[Fetched | GeneratorError]:
    """Get several addresses, some at a time, with no more bytes than one input may have, or the error of each."""
    return asyncio.run(_download_all(sources))


def path_of(source: str) -> Path | None:
    """Give the path of a source that is a file of this machine, None for an address of the net."""
    parts = split(source)
    if parts.scheme in ("http", "https"):
        return None
    if parts.scheme != "file":
        return Path(source)
    if parts.netloc not in ("", "localhost"):
        raise failed(source, "names another machine; a file: address names a file of this one")
    return Path(url2pathname(parts.path))


async def _download_all(sources: Sequence[str], etag: str = "") -> list[Fetched | GeneratorError]:
    import httpx  # noqa: PLC0415  # files need no network

    headers = {"Accept": "application/json, application/yaml, text/markdown, */*;q=0.1", "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    turn, room = asyncio.Semaphore(AT_ONCE), Room(LARGEST)
    now = asyncio.get_running_loop().time
    end = now() + LONGEST
    async with httpx.AsyncClient(timeout=TIMEOUT, headers=headers, verify=_trust()) as client:

        async def one(source: str) -> Fetched | GeneratorError:
            try:
                async with turn, asyncio.timeout(min(TIMEOUT, end - now())):
                    return await _download(client, source, etag, room)
            except GeneratorError as error:
                return error
            except TimeoutError:
                return UnavailableError(source, f"did not arrive within {TIMEOUT:.0f} s")

        return await asyncio.gather(*map(one, sources))


@cache
def _trust() -> ssl.SSLContext:
    """Read once which certificates are trusted, which takes longer than most pages do."""
    import httpx  # noqa: PLC0415  # as above

    return httpx.create_ssl_context()


async def _download(client: httpx.AsyncClient, source: str, etag: str, room: Room) -> Fetched:
    import httpx  # noqa: PLC0415  # as above

    try:
        address = source
        for _ in range(MOST_REDIRECTS + 1):
            _require_safe(address, source)
            async with client.stream("GET", address) as response:
                if not response.has_redirect_location:
                    return await _read(response, source, etag, room)
                address = urljoin(address, response.headers["Location"])
        raise failed(source, f"leads on more than {MOST_REDIRECTS} times; correct the address")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise UnavailableError(source, f"cannot be fetched: {str(error) or type(error).__name__}") from error


async def _read(response: httpx.Response, source: str, etag: str, room: Room) -> Fetched:
    """Read an answer, and take its bytes off the room that there is for all of them."""
    address = str(response.url)
    if response.status_code == 304 and etag:
        return Fetched(None, etag, address)
    said = f"answers {response.status_code}, not 200; correct the address"
    if response.status_code >= 500 or response.status_code in _TRANSIENT:
        raise UnavailableError(source, said)
    if response.status_code != 200:
        raise failed(source, said)
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise failed(source, "is packed in a way that was not asked for")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        room.left -= len(chunk)
        if room.left < 0:
            raise failed(source, f"is larger than {LARGEST} bytes, the most that is read")
    found = response.headers.get("ETag", "")
    if not ETAG.fullmatch(found):
        found = ""
    return Fetched(bytes(data), found, address)


def _require_safe(address: str, source: str) -> None:
    """Let pass https, and http on this machine for what began there.

    Raises:
        GeneratorError: anything else.
    """
    parts = split(address)
    if parts.username is not None:
        raise failed(source, "holds a name or a password; an address without is needed")
    at_home = _is_loopback(parts.hostname) and _is_loopback(split(source).hostname)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and at_home)):
        return
    where = "is"
    if address != source:
        where = f"leads on to {without_query(address)},"
    raise failed(source, f"{where} no https address; only https is fetched")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def split(source: str) -> SplitResult:
    """Take an address apart; a path has no scheme, a letter of a drive is none."""
    try:
        parts = urlsplit(source)
        _ = parts.port
    except ValueError as error:
        raise failed(source, f"is no address ({error}); correct it") from error
    if len(parts.scheme) <= 1:
        return urlsplit("")
    if parts.scheme not in ("http", "https", "file"):
        raise failed(source, "is no https or file: address, and no path; only these are fetched")
    return parts


def failed(source: str, message: str) -> GeneratorError:
    """Give the error that a source has."""
    return GeneratorError(f"{without_query(source)}: {message}")


def without_query(source: str) -> str:
    """Give an address without what may be secret in it."""
    return re.sub(r"://(?:[^/?#]*@)?([^?#]*).*", r"://\1", source, count=1, flags=re.DOTALL)
