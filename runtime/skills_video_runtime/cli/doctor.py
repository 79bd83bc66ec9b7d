"""`doctor`: whether everything is there that a generation needs."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from importlib import metadata
from typing import Any

from skills_video_runtime.client import BASE_URL, Client
from skills_video_runtime.errors import DASHBOARD, APIError, MissingAPIKey, SkillsVideoError
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.http.addresses import is_trusted
from skills_video_runtime.http.environment import UnusableSetting, proxy_of, trusted

from .exits import BAD_USAGE, exit_code
from .output import say, say_json
from .questions import in_pots

PATIENCE = 15.0  # seconds
PACKAGES = ("skills-video", "httpx", "httpx-sse", "typer", "rich")
NO_KEY = (
    f"make a key at {DASHBOARD}/developer",
    'press "Create API Key"',
    "export SKILLS_VIDEO_API_KEY=your-key",
)


def examine(*, as_json: bool) -> int:
    """Show what a generation needs, and whether the key is there; the exit code is 0 only if all is well."""
    facts: dict[str, Any] = {
        "versions": {"python": ".".join(map(str, sys.version_info[:3])), **{name: version(name) for name in PACKAGES}},
        "key": False,
        "address": _without_secrets(os.environ.get("SKILLS_VIDEO_BASE_URL") or BASE_URL),
        "proxy": None,
        "certificates": trusted(),
        "reachable": None,
        "credits": None,
        "error": None,
    }
    if is_trusted(facts["address"]):
        with suppress(UnusableSetting):  # which the attempt below tells
            facts["proxy"] = proxy_of(facts["address"])
    code, key, balance = 0, "not tried", None
    advice: tuple[str, ...] = ()
    try:
        with Client(timeout=PATIENCE, retry=RetryPolicy(attempts=2)) as client:
            facts["key"], key = True, "present"
            balance = client.credits()
        facts.update(reachable=True, credits=balance.raw)
    except MissingAPIKey as error:
        code, advice = BAD_USAGE, NO_KEY
        facts["error"] = key = error.what
    except ValueError as error:
        code, facts["error"] = BAD_USAGE, str(error)
    except SkillsVideoError as error:
        code = exit_code(error)
        facts.update(reachable=isinstance(error, APIError), error=str(error))
    if as_json:
        say_json({**facts, "advice": list(advice), "exit_code": code})
        return code
    say("versions  " + ", ".join(f"{name} {number or 'missing'}" for name, number in facts["versions"].items()))
    say(f"key       {key}")
    reached = {None: "not tried", True: "reachable", False: "not reachable"}[facts["reachable"]]
    say(f"address   {facts['address']} ({reached})")
    say(f"proxy     {facts['proxy'] or 'none'}")
    say(f"trusted   {facts['certificates']}")
    if balance is not None:
        say(f"credits   {in_pots(balance)}")
    elif not advice:
        say(f"error     {facts['error']}")
    for line in advice:
        say(line)
    return code


def _without_secrets(address: str) -> str:
    """Give an address without user name and query, where keys are kept by mistake."""
    return re.sub(r"//[^/?#]*@", "//", re.split("[?#]", address)[0])


def version(name: str) -> str | None:
    """Give the version of an installed package, None if it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
