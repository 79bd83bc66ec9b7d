"""Where the runtime sends anything: https, or this very machine."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from ipaddress import ip_address
from posixpath import normpath
from socket import inet_aton, inet_ntoa
from urllib.parse import urlsplit

POSTGRES = ("postgresql://", "postgres://")
DEFAULT_PORTS = {"https": 443, "http": 80}


def platform_address(given: str | None, default: str) -> str:
    """Give the address of the platform: the given one, else that of the environment, else the default.

    A ValueError shows one that cannot be trusted only if it is of the environment, and neither holds a password nor is
    the key, which was put in its place.
    """
    name, address = "base_url", given
    if not address:
        name, address = "SKILLS_VIDEO_BASE_URL", os.environ.get("SKILLS_VIDEO_BASE_URL") or default
    address = address.strip().rstrip("/")
    if is_trusted(address) and address.isprintable() and not set("?# ").intersection(address):
        return address
    shown = ""
    if not given and ":" in address and not set("@?#").intersection(address):
        shown = f", not {address!r:.200}"
    raise ValueError(f"{name} must be https://, or http:// to this machine, without user name, query and spaces{shown}")


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
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
    if is_loopback(host):
        host = "localhost"
    return f"{host.rstrip('.')}:{port}{normpath('/' + parts.path)}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine, however that is spelt."""
    name = host
    if not host.isascii():
        with suppress(UnicodeError):  # then it is no name at all
            name = host.encode("idna").decode()  # which knows other digits and dots
    name = name.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(inet_ntoa(inet_aton(name)))  # 127.1 and 0x7f000001 are read as a connection reads them
    except (OSError, UnicodeError):
        try:
            address = ip_address(name.partition("%")[0])
        except ValueError:
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def is_postgres(place: str) -> bool:
    """Tell whether the place of a journal is a Postgres database, and no file; ValueError of any other address."""
    if place.startswith(POSTGRES):
        return True
    if re.match(r"[A-Za-z][\w+.-]+:/", place):  # which may hold a password
        raise ValueError("a journal is a file, or postgresql://user@host/name, and no other address")
    return False


def without_password(place: str) -> str:
    """Give the place of a journal as it may be shown."""
    if not place.startswith(POSTGRES):
        return place
    place = re.sub(r"//([^:/@]*).*@", r"//\1@", place)
    return re.sub(r"password=[^&]*&?", "", place)
