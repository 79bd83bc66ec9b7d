"""A generation as a notebook shows it. All that is told of it is untrusted, and escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .media import MediaFile
    from .states import Generation

IMAGES, SOUNDS = (".png", ".jpg", ".jpeg", ".webp", ".gif"), (".mp3", ".wav", ".m4a", ".ogg")


def as_html(generation: Generation) -> str:
    """Write state, id, credits, and each file with its address; a page loads only what is at an address of the web."""
    told = f"<strong>{escape(generation.status)}</strong> <code>{escape(generation.id)}</code>"
    if generation.is_finished and generation.usage.total is not None:
        told += f", {generation.usage.total:g} credits"
    for text in (generation.code, generation.message):
        if text:
            told += f"<br>{escape(text)}"
    return f"<div>{told}{''.join(map(_file, generation.videos))}</div>"


def _file(media: MediaFile) -> str:
    url = escape(media.url)
    if not media.url.lower().startswith(("https://", "http://")):
        return f"<p>{url}</p>"
    path, kind = media.url.lower().partition("?")[0], (media.content_type or "").partition("/")[0]
    shown = f'<video controls preload="metadata" width="480" src="{url}"></video>'
    if kind == "image" or path.endswith(IMAGES):
        shown = f'<img width="480" src="{url}">'
    elif kind == "audio" or path.endswith(SOUNDS):
        shown = f'<audio controls preload="none" src="{url}"></audio>'
    return f'<p><a href="{url}" rel="noopener noreferrer">{url}</a></p>{shown}'
