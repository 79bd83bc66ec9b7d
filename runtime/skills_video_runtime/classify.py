"""An answer that is no success, whatever shape its body has → the error that it means.

The shapes are those of the platform's API reference (`error`, `code`, `message`, nested or not), and the plain text or
HTML of a proxy. Code and status decide first; the text decides only where they leave it open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import errors
from .json_values import as_object

if TYPE_CHECKING:
    from collections.abc import Iterable

BY_CODE: dict[str, type[errors.APIError]] = {
    "FAILED": errors.ServerError,
    "TIMEOUT": errors.ServerError,
    "PROVIDER_UNAVAILABLE": errors.ServerError,
    "RATE_LIMITED": errors.RateLimited,
    "UNSUPPORTED_MODEL": errors.InvalidRequest,
    "INVALID_INPUT": errors.InvalidRequest,
    "INSUFFICIENT_CREDITS": errors.InsufficientCredits,
    "CONTENT_REJECTED": errors.ContentRejected,
}
BY_STATUS: dict[int, type[errors.APIError]] = {
    401: errors.AuthenticationError,
    402: errors.InsufficientCredits,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    408: errors.ServerError,
    422: errors.ValidationFailed,
    429: errors.RateLimited,
}
NO_CREDITS = re.compile(
    r"(insufficient|(\bnot|n.t)( have)? enough|\bout of)[\s_]+(credits?|balance|funds)\b"
    r"|\bcredit balance\b|\btop[ -]?up\b|\brecharge\b",
    re.IGNORECASE,
)
MODERATED = re.compile(
    r"\bmoderat(ion|ed|or)\b|\bcontent[ _](policy|reject)|\bcontent\b(?![ -]type).{0,40}\brejected|\bnsfw\b"
    r"|\bsafety (filter|system|polic)|\bviolat.{0,40}\bpolic|\b(sensitive|inappropriate|prohibited|unsafe) content",
    re.IGNORECASE,
)
QUOTED = re.compile(r"(?<!\w)(['\"`]).*?\1(?!\w)|[“„«].*?[”“»]|\u2018.*?\u2019(?!\w)")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,80}")


def api_error(
    status: int, body: object, text: str, *, generation_id: str | None = None, where: str = "", sent: Iterable[str] = ()
) -> errors.APIError:
    """Give the error that an answer means.

    `where` is the origin that a redirect leads to, `sent` the texts that an answer may repeat.
    """
    code, message = _code(body), _message(body)
    is_page = body is None and text.lstrip().startswith("<")
    kind = _kind(status, code, _own_words(body, message, text, sent, is_page=is_page))
    shown = message or text
    if 300 <= status < 400:
        shown = f"a redirect to {where}, which is not followed"
    elif is_page:
        shown = "an HTML page, as proxies send"
    what = f"The platform answered {status}"
    if code:
        what += f" {code}"
    if status < 300:
        what += ", which is not what its API reference describes"
    if shown.strip():
        what += f": {errors.visible(shown).rstrip(' .')}"
    return kind(f"{what}.", code=code, status=status, generation_id=generation_id)


def _kind(status: int, code: str | None, words: str) -> type[errors.APIError]:
    by_code = BY_CODE.get(_short(code or ""))
    if by_code is not None:
        return by_code
    if status < 300:
        return errors.ServerError
    if NO_CREDITS.search(words):
        return errors.InsufficientCredits
    if status == 422 and MODERATED.search(words):
        return errors.ContentRejected
    if status >= 500:
        return errors.ServerError
    return BY_STATUS.get(status, errors.InvalidRequest)


def _own_words(body: object, message: str | None, text: str, sent: Iterable[str], *, is_page: bool) -> str:
    """Give what the platform itself says: no page of a proxy, no quotation, and nothing of what was sent."""
    said = message
    if said is None and (body or is_page):
        return ""
    said = said or text
    for words in sent:
        said = said.replace(words, "")
    return QUOTED.sub("", said[: errors.EXCERPT])


def _short(code: str) -> str:
    """Give a code without what it is about: VIDEO_GENERATION_FAILED is FAILED."""
    return code.upper().rpartition("GENERATION_")[2]


def _code(body: object) -> str | None:
    """Give the code of an answer: one that is known goes before one that is not."""
    outer = as_object(body)
    error = outer.get("error")
    given = [outer.get("code"), as_object(error).get("code")]
    if isinstance(error, str) and error.isupper():
        given.append(error)
    codes = [code for code in given if isinstance(code, str) and CODE.fullmatch(code)]
    known = [code for code in codes if _short(code) in BY_CODE]
    return next(iter(known or codes), None)


def _message(body: object) -> str | None:
    outer = as_object(body)
    error = outer.get("error")
    given = (body, outer.get("message"), as_object(error).get("message"), error, outer.get("detail"))
    return next((text for text in given if isinstance(text, str) and text), None)
