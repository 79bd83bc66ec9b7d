"""openapi.json and docs.json, fetched anew: both are written, or neither is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from generator.diagnostics import Diagnostics, GeneratorError, visible
from generator.json_values import object_of, text_of
from generator.writing import replace_files

from .documents import LARGEST, bytes_of, document_of, normal_form, scoped_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    import httpx

    from .selection import Selection

    Select = Callable[[tuple[Path, ...], Path, Diagnostics], Selection]

NAMES: Final = ("openapi.json", "docs.json")
ETAGS: Final = ".etags.json"
"""Beside the inputs, and kept in git with them, so that a fresh checkout too asks only for what has changed."""

TIMEOUT: Final = 60.0
"""Seconds that one input may take, redirects included. The limit is ours."""

MOST_REDIRECTS: Final = 5
_ETAG = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,500}"')
_ENCODINGS = ("", "identity", "gzip", "deflate")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source answers: its bytes (None where they have not changed) and their ETag, if they have one."""

    data: bytes | None
    etag: str = ""


def fetch(sources: tuple[str, str], folder: Path, select: Select, diagnostics: Diagnostics) -> list[str]:
    """Fetch both inputs into a folder and give the names of the files that changed.

    A source is an https address, or a `file:` address or path. Addresses of this machine may be http. `select` reads
    the descriptions and the navigation as a run would.

    Raises:
        GeneratorError: one cannot be had, or together they select no model; the folder is as it was.
    """
    texts: dict[str, bytes] = {}
    etags: dict[str, dict[str, str]] = {}
    shown: dict[str, str] = dict(zip(NAMES, map(_without_query, sources), strict=True))
    try:
        for name, source in zip(NAMES, sources, strict=True):
            found = _get(source, name, folder)
            if found.data is None:
                texts[name] = (folder / name).read_bytes()
            else:
                texts[name] = normal_form(document_of(found.data, shown[name], diagnostics))
            if found.etag:
                digest = hashlib.sha256(texts[name]).hexdigest()
                etags[name] = {"etag": found.etag, "sha256": digest, "url": shown[name]}
        _check(texts, shown, folder, select, diagnostics)
    except GeneratorError as error:
        raise GeneratorError(f"{error}; the old files are kept") from error
    contents: dict[Path, bytes | None] = {folder / name: text for name, text in sorted(texts.items())}
    if etags or (folder / ETAGS).is_file():
        contents[folder / ETAGS] = (json.dumps(etags, indent=2, sort_keys=True) + "\n").encode()
    return [path.name for path in replace_files(contents) if path.name != ETAGS]


def _check(
    texts: dict[str, bytes], shown: dict[str, str], folder: Path, select: Select, diagnostics: Diagnostics
) -> None:
    """Read what was fetched as a run would, beside the model-scoped descriptions that are there."""
    with TemporaryDirectory() as temporary:
        copy = Path(temporary)

        def named(text: str) -> str:
            for name, source in shown.items():
                text = text.replace((copy / name).as_posix(), visible(source))
            return text

        for name, data in texts.items():
            (copy / name).write_bytes(data)
        scoped, _ = scoped_in(folder)
        own = Diagnostics()
        try:
            selection = select((copy / NAMES[0], *scoped), copy / NAMES[1], own)
        except GeneratorError as error:
            raise GeneratorError(named(str(error))) from error
        finally:
            for item in own.warnings:
                diagnostics.warn(named(item.file), item.pointer, item.message)
    if not selection.models:
        raise GeneratorError(f"{shown[NAMES[1]]}: selects no model of {shown[NAMES[0]]}")


def _get(source: str, name: str, folder: Path) -> Fetched:
    """Get one input; what is known of the file that is there is not fetched again."""
    parts = _split(source)
    if parts.scheme in ("http", "https"):
        try:
            return asyncio.run(_download(source, _kept(folder, name, source)))
        except TimeoutError as error:
            raise _failed(source, f"did not arrive within {TIMEOUT:.0f} s; try again later") from error
    path = Path(source)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
        if parts.netloc not in ("", "localhost"):
            raise _failed(source, "names another machine; a file: address names a file of this one")
    return Fetched(bytes_of(path, _without_query(source), LARGEST))


def _kept(folder: Path, name: str, source: str) -> str:
    """Give the ETag of the file that is there; empty where it is of another source, or not as it was fetched."""
    try:
        entry = object_of(object_of(json.loads((folder / ETAGS).read_text("utf-8"))).get(name))
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except (OSError, ValueError, RecursionError):
        return ""
    etag = text_of(entry.get("etag"))
    if not _ETAG.fullmatch(etag) or (entry.get("url"), entry.get("sha256")) != (_without_query(source), digest):
        return ""
    return etag


async def _download(source: str, etag: str) -> Fetched:
    import httpx  # noqa: PLC0415  # files need no network

    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    try:
        async with asyncio.timeout(TIMEOUT), httpx.AsyncClient(timeout=TIMEOUT, headers=headers) as client:
            address = source
            for _ in range(MOST_REDIRECTS + 1):
                _require_safe(address, source)
                async with client.stream("GET", address) as response:
                    if not response.has_redirect_location:
                        return await _read(response, source, etag)
                    address = urljoin(address, response.headers["Location"])
            raise _failed(source, f"leads on more than {MOST_REDIRECTS} times; correct the address")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise _failed(source, f"cannot be fetched: {str(error) or type(error).__name__}; try again later") from error


async def _read(response: httpx.Response, source: str, etag: str) -> Fetched:
    if response.status_code == 304 and etag:
        return Fetched(None, etag)
    if response.status_code != 200:
        raise _failed(source, f"answers {response.status_code}, not 200; correct the address, or try again later")
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise _failed(source, "is packed in a way that was not asked for")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > LARGEST:
            raise _failed(source, f"is larger than {LARGEST} bytes, the most that is read")
    found = response.headers.get("ETag", "")
    if not _ETAG.fullmatch(found):
        found = ""
    return Fetched(bytes(data), found)


def _require_safe(address: str, source: str) -> None:
    """Let pass https, and http on this machine for what began there.

    Raises:
        GeneratorError: anything else.
    """
    parts = _split(address)
    if parts.username is not None:
        raise _failed(source, "holds a name or a password; an address without is needed")
    at_home = _is_loopback(parts.hostname) and _is_loopback(_split(source).hostname)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and at_home)):
        return
    where = "is"
    if address != source:
        where = f"leads on to {_without_query(address)},"
    raise _failed(source, f"{where} no https address; only https is fetched")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _split(source: str) -> SplitResult:
    """Take an address apart; a path has no scheme, a letter of a drive is none."""
    try:
        parts = urlsplit(source)
        _ = parts.port
    except ValueError as error:
        raise _failed(source, f"is no address ({error}); correct it") from error
    if len(parts.scheme) <= 1:
        return urlsplit("")
    if parts.scheme not in ("http", "https", "file"):
        raise _failed(source, "is no https or file: address, and no path; only these are fetched")
    return parts


def _failed(source: str, message: str) -> GeneratorError:
    return GeneratorError(f"{_without_query(source)}: {message}")


def _without_query(source: str) -> str:
    """Give an address without what may be secret in it."""
    return re.sub(r"://(?:[^/?#]*@)?([^?#]*).*", r"://\1", source, count=1, flags=re.DOTALL)
