"""Where the runtime sends anything: https, or this very machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


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


def platform_of(base_url: str) -> str:
    """Give one spelling for all those of an address."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or parts.scheme
    if is_loopback(host):
        host = "localhost"
    return f"{host.rstrip('.')}:{port}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
