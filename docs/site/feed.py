"""The Atom feed of what changes of the platform's models: an entry for each age, and for the first one what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from generator.changes.change import SHARED
from generator.diagnostics import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.output.pages import Page

    from .history import Age, Event, History

ATOM: Final = "http://www.w3.org/2005/Atom"
MOST: Final = 60
"""Changes that an entry tells; those that break come first."""

BEGINNING: Final = "1970-01-01T00:00:00+00:00"
"""When a feed was updated that tells of nothing."""

ADDRESS: Final = "https://skills.video/#skills-video-models"
"""What the ids of feed and entries are made of; nobody asks it."""


def atom(history: History, pages: Sequence[Page]) -> bytes:
    """Give the feed, the newest entry first; its links lead on from where it lies."""
    ET.register_namespace("", ATOM)
    feed = ET.Element(_tag("feed"))
    _add(feed, "title", "Changes of the models of skills.video")
    _add(feed, "id", _id("feed"))
    _add(feed, "updated", max([BEGINNING, *(age.date for age in history.ages)]))
    ET.SubElement(_add(feed, "author"), _tag("name")).text = "skills-video"
    ET.SubElement(feed, _tag("link"), rel="self", href="changes.xml")
    ET.SubElement(feed, _tag("link"), rel="alternate", href="index.html")
    modules = {page.model: page.module for page in pages}
    for age in reversed(history.ages):
        entry = _add(feed, "entry")
        _add(entry, "title", _title(age, len(pages)))
        _add(entry, "id", _id(age.commit))
        _add(entry, "updated", age.date)
        ET.SubElement(entry, _tag("link"), rel="alternate", href="models/index.html")
        _add(entry, "content", "\n".join(_lines(age, modules)) or "The first age that is known.").set("type", "text")
    text: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _title(age: Age, count: int) -> str:
    if not age.events:
        return f"first age: {counted(count, 'model')}"
    breaking = sum(bool(event.verdict) for event in age.events)
    title = counted(len(age.events), "change")
    if breaking:
        title += f", {breaking} of them breaking"
    return title


def _lines(age: Age, modules: dict[str, str]) -> Iterator[str]:
    events = sorted((event for event in age.events if not event.is_cosmetic), key=lambda event: not event.verdict)
    for event in events[:MOST]:
        yield f"{_subject(event, modules)}: {visible(event.text)}"
    if len(events) > MOST:
        yield f"and {len(events) - MOST} more, on the pages of the models"


def _subject(event: Event, modules: dict[str, str]) -> str:
    name = "all models" if event.model == SHARED else modules.get(event.model, event.model)
    return visible(" ".join(filter(None, (event.verdict.upper(), name, event.path))))


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _add(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    element = ET.SubElement(parent, _tag(name))
    element.text = text or None
    return element


def _id(name: str) -> str:
    return uuid5(NAMESPACE_URL, f"{ADDRESS}/{name}").urn
