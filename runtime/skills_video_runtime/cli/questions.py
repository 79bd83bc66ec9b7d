"""`get`, `cancel`, `running`, `credits`: what the platform answers to one question."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from skills_video_runtime.client import Client
from skills_video_runtime.generations.retry import RetryPolicy

from .output import amount, existing, say, say_json, table, without_key

if TYPE_CHECKING:
    from skills_video_runtime.generations.states import Generation, Usage

ASKING = RetryPolicy(attempts=3)  # for a question that somebody waits in front of: our choice
LONGEST = 300  # characters of a request in a list


def get(generation_id: str, *, as_json: bool) -> None:
    """Ask once for the state of a generation."""
    with Client(retry=ASKING) as client:
        _show(client.get(generation_id), as_json=as_json)


def cancel(generation_id: str, journal: str | None, *, as_json: bool) -> None:
    """Cancel a generation, and show its state after that."""
    if journal is not None:
        journal = existing(journal)
    with Client(retry=ASKING, journal=journal) as client:
        _show(client.cancel(generation_id), as_json=as_json)


def _show(generation: Generation, *, as_json: bool) -> None:
    if as_json:
        say_json(generation.raw)
        return
    cost = "-"
    if generation.usage.total is not None:
        cost = amount(generation.usage.total)
    rows = [("id", generation.id), ("status", generation.status), ("credits", cost)]
    rows += [(name, told) for name, told in (("code", generation.code), ("message", generation.message)) if told]
    rows += [("file", media.url) for media in generation.videos]
    table(("generation", ""), rows)


def running(limit: int, workspace: str | None, *, as_json: bool) -> None:
    """Show what is queued or running."""
    with Client(retry=ASKING) as client:
        found = client.running(limit, workspace)
    if as_json:
        say_json([generation.raw for generation in found])
    elif found:
        table(("id", "status", "input"), [(item.id or "-", item.status, _brief(item.input)) for item in found])
    else:
        say("nothing is queued or running")


def credits_left(*, as_json: bool) -> None:
    """Show the balance."""
    with Client(retry=ASKING) as client:
        balance = client.credits()
    if as_json:
        say_json(balance.raw)
    else:
        say(in_pots(balance))


def in_pots(balance: Usage) -> str:
    """Write a balance on one line; where its shape is not the expected one, as it came."""
    pots = {"total": balance.total, "subscription": balance.subscription, "permanent": balance.permanent}
    known = [f"{name} {amount(left)}" for name, left in pots.items() if left is not None]
    return ", ".join(known) or json.dumps(balance.raw)


def _brief(value: object) -> str:
    if value is None:
        return "-"
    text = without_key(json.dumps(value, ensure_ascii=False))
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…"
