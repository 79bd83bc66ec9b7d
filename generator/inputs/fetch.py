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
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from generator.diagnostics import Diagnostics, GeneratorError, visible
from generator.json_values import object_of, text_of
from generator.writing import replace_files

from .description import LARGEST

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
    """One input: where it came from, its bytes (None where it has not changed) and its ETag, if it has one."""

    source: str
    data: bytes | None
    etag: str


def fetch(sources: tuple[str, str], folder: Path, select: Select, diagnostics: Diagnostics) -> list[str]:
    """Fetch both inputs into a folder and give the names of the files that changed.

    A source is an https address, or a `file:` address or path. Addresses of this machine may be http. `select` reads
    the descriptions and the navigation as a run would.

    Raises:
        GeneratorError: one cannot be had, or together they select no model; the folder is as it was.
    """
    kept = _etags(folder)
    fetched = [_get(source, name, kept.get(name), folder) for source, name in zip(sources, NAMES, strict=True)]
    texts: dict[str, bytes] = {}
    for name, item in zip(NAMES, fetched, strict=True):
        data = item.data
        if data is None:
            data = (folder / name).read_bytes()
        texts[name] = data
    _check(texts, sources, folder, select, diagnostics)
    etags = {
        name: {"etag": item.etag, "sha256": hashlib.sha256(texts[name]).hexdigest(), "url": _without_query(item.source)}
        for name, item in zip(NAMES, fetched, strict=True)
        if item.etag
    }
    contents: dict[str, bytes | None] = dict(sorted(texts.items()))
    if etags or (folder / ETAGS).is_file():
        contents[ETAGS] = (json.dumps(etags, indent=2, sort_keys=True) + "\n").encode()
    return [name for name in replace_files(folder, contents) if name != ETAGS]


def _check(
    texts: dict[str, bytes], sources: tuple[str, str], folder: Path, select: Select, diagnostics: Diagnostics
) -> None:
    """Read what was fetched as a run would, beside the model-scoped descriptions that are there."""
    shown: dict[str, str] = {name: _without_query(source) for name, source in zip(NAMES, sources, strict=True)}
    with TemporaryDirectory() as temporary:
        copy = Path(temporary)
        for name, data in texts.items():
            (copy / name).write_bytes(data)
        scoped = sorted(folder.glob("models/*.json"))
        own = Diagnostics()
        try:
            selection = select((copy / NAMES[0], *scoped), copy / NAMES[1], own)
        except GeneratorError as error:
            raise GeneratorError(_named(str(error), copy, shown) + "; the old files are kept") from error
        finally:
            for item in own.warnings:
                diagnostics.warn(_named(item.file, copy, shown), item.pointer, item.message)
        if not selection.models:
            message = f"{shown[NAMES[1]]}: selects no model of {shown[NAMES[0]]}; the old files are kept"
            raise GeneratorError(visible(message))


def _named(text: str, copy: Path, shown: dict[str, str]) -> str:
    for name, source in shown.items():
        text = text.replace((copy / name).as_posix(), visible(source))
    return text


def _get(source: str, name: str, kept: dict[str, str] | None, folder: Path) -> Fetched:
    """Get one input; `kept` is what is known of the file that is there."""
    parts = _split(source)
    if parts.scheme in ("http", "https"):
        etag = ""
        if kept and kept["url"] == _without_query(source) and _digest(folder / name) == kept["sha256"]:
            etag = kept["etag"]
        try:
            return asyncio.run(_download(source, etag))
        except TimeoutError as error:
            raise _failed(source, f"did not arrive within {TIMEOUT:.0f} s; try again later") from error
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        raise _failed(source, "names another machine; a file: address names a file of this one")
    path = Path(source)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _failed(source, f"cannot be read: {reason}; name another file") from error
    if len(data) > LARGEST:
        raise _failed(source, f"is larger than {LARGEST} bytes, the most that is read")
    return Fetched(source, data, "")


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
        return Fetched(source, None, etag)
    if response.status_code != 200:
        raise _failed(source, f"answers {response.status_code}, not 200; correct the address, or try again later")
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise _failed(source, "is packed in a way that was not asked for")
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > LARGEST:
            raise _failed(source, f"is larger than {LARGEST} bytes, the most that is read")
    match = _ETAG.fullmatch(response.headers.get("ETag", ""))
    return Fetched(source, bytes(data), match[0] if match else "")


def _require_safe(address: str, source: str) -> None:
    """Let pass https, and http on this machine for what began there.

    Raises:
        GeneratorError: anything else.
    """
    parts = _split(address)
    at_home = parts.scheme == "http" and _is_loopback(parts.hostname)
    began_at_home = _is_loopback(_split(source).hostname)
    if parts.username is not None or parts.password is not None:
        raise _failed(source, "holds a name or a password; an address without is needed")
    if not parts.hostname or not (parts.scheme == "https" or (at_home and began_at_home)):
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
    return GeneratorError(visible(f"{_without_query(source)}: {message}; the old files are kept"))


def _without_query(source: str) -> str:
    """Give an address without what may be secret in it."""
    if "://" not in source:
        return source
    scheme, _, rest = source.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _etags(folder: Path) -> dict[str, dict[str, str]]:
    """Give what is kept of the last fetch; nothing where it cannot be read."""
    try:
        content = object_of(json.loads((folder / ETAGS).read_text("utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: content[name] for name in NAMES if _is_etag(content.get(name))}


def _is_etag(entry: Any) -> bool:
    texts = [text_of(object_of(entry).get(key)) for key in ("sha256", "url")]
    return all(texts) and bool(_ETAG.fullmatch(text_of(entry.get("etag"))))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
