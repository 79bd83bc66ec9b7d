"""Proxies and certificates that the environment names, read before anything is sent.

What has a plain meaning is taken; what has none is refused by the name of its variable. An HTTP client of a user's own
reads them itself.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from .addresses import is_loopback

if TYPE_CHECKING:
    import ssl

SCHEMES = ("http", "https", "all")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


class UnusableSetting(Exception):  # noqa: N818  # an error is named by what happened
    """A variable has a value that cannot be used."""


def proxies(base_url: str) -> dict[str, httpx.Proxy | None]:
    """Give the proxy for each kind of address, as `mounts` of httpx; None where none is to be used.

    There are none for a platform on this very machine. UnusableSetting tells of a variable that names no proxy.
    """
    told = getproxies()
    exempt = re.split(r"[,\s]+", told.get("no", ""))
    if "*" in exempt or is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    found: dict[str, httpx.Proxy | None] = {}
    for scheme in SCHEMES:
        if told.get(scheme):
            found[f"{scheme}://"] = _proxy(_variable(f"{scheme}_proxy"), told[scheme].strip())
    if found:
        found.update(dict.fromkeys(_patterns(exempt)))
    return found


def proxy_of(base_url: str) -> str | None:
    """Give the proxy that leads to a platform, without its credentials; httpx itself chooses it."""
    mounts = {pattern: _answering(proxy) for pattern, proxy in proxies(base_url).items()}
    with httpx.Client(transport=_answering(None), mounts=mounts, trust_env=False) as http:
        return http.get(base_url).text or None


def _answering(proxy: httpx.Proxy | None) -> httpx.MockTransport:
    """Give what sends nothing, and answers with the address of a proxy."""
    text = str(proxy.url) if proxy else ""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text)

    return httpx.MockTransport(answer)


def trusted() -> str:
    """Say whose certificates are trusted."""
    for variable in CERTIFICATES[:2]:
        if os.environ.get(variable):
            return f"{variable}={os.environ[variable]}"
    return "the list that httpx brings (SSL_CERT_FILE names another)"


def tls() -> ssl.SSLContext:
    """Give the certificates that are trusted, read once; UnusableSetting where those of a variable cannot be."""
    return _tls(*(os.environ.get(variable) or None for variable in CERTIFICATES))


@lru_cache(maxsize=4)
def _tls(file: str | None, directory: str | None, log: str | None) -> ssl.SSLContext:
    told = zip(CERTIFICATES, (file, directory, log), strict=True)
    names = ", ".join(f"{variable}={value}" for variable, value in told if value)
    if directory and not file and not os.path.isdir(directory):  # of which ssl would say nothing  # noqa: PTH112
        raise UnusableSetting(f"{names} cannot be used: there is no such folder")
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError, TypeError) as error:
        raise UnusableSetting(f"{names} cannot be used: {error}") from error


def _proxy(variable: str, value: str) -> httpx.Proxy:
    """Read the address of a proxy. Of what is no address nothing is told that may be a password."""
    scheme, separator, rest = value.rpartition("://")
    place = re.split("[?#]", re.sub("(?s).*@", "***@", rest))[0]  # behind ? or # may be a key
    shown = f"{variable}={scheme}{separator}{place}"
    scheme = {"": "http", "socks": "socks5"}.get(scheme.lower(), scheme)
    proxy = None
    if not re.search(r"\s", value):
        with suppress(httpx.InvalidURL, ValueError):
            proxy = httpx.Proxy(f"{scheme}://{rest}")
    if proxy is None or not proxy.url.host:
        raise UnusableSetting(f"{shown} is no proxy: one is http://host:port, https:// or socks5://")
    if scheme.lower().startswith("socks") and find_spec("socksio") is None:
        raise UnusableSetting(f"{shown} needs a package that is not installed: pip install 'httpx[socks]'")
    return proxy


def _variable(name: str) -> str:
    """Give the spelling that counts; the settings of some systems have proxies too."""
    spellings = [key for key in os.environ if key.lower() == name]
    if name in spellings:
        return name
    return next(iter(spellings), f"the system's {name}")


def _patterns(exempt: list[str]) -> list[str]:
    """Give the entries of NO_PROXY as patterns of httpx, without those that are no names, such as ranges of IPv6."""
    found: list[str] = []
    for name in filter(None, exempt):
        pattern = f"all://*{name.lstrip('*')}"
        with suppress(ValueError):
            address = str(ip_address(name.strip("[]")))
            pattern = str(httpx.URL(scheme="all", host=address))
        if "://" in name:
            pattern = name
        with suppress(httpx.InvalidURL, ValueError):
            if httpx.URL(pattern).host:
                found.append(pattern)
    return found
