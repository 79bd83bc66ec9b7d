"""Which text is an absolute URI: the expression of `skills_video_runtime.payloads.constraints`, as a test compares.

It stands here again because the generator imports nothing of the runtime. A default that one of them took for a URI and
the other did not would be written down, and then never used.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;="


def _run_of(characters: str, times: str = "*") -> str:
    return rf"(?:[{characters}]++|%[0-9A-Fa-f]{{2}}){times}+"


_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_run_of(_PLAIN, '+')})"
_USER = rf"(?:{_run_of(f'{_PLAIN}:')}@)?"
_PATH = rf"(?:/{_run_of(f'{_PLAIN}:@')})*+"
_TAIL = rf"(?:\?{_run_of(f'{_PLAIN}:@/?')})?(?:#{_run_of(f'{_PLAIN}:@/?')})?"
_WEB = rf"[Hh][Tt][Tt][Pp][Ss]?://{_USER}{_HOST}(?::[0-9]*)?{_PATH}{_TAIL}"
_OTHER = (
    r"(?![Hh][Tt][Tt][Pp][Ss]?:)[A-Za-z][A-Za-z0-9+.\-]+:"
    rf"(?://{_USER}{_HOST}?(?::[0-9]*)?{_PATH}|/?(?:{_run_of(f'{_PLAIN}:@', '+')}{_PATH})?){_TAIL}"
)
ABSOLUTE_URI: Final = re.compile(rf"(?:{_WEB}|{_OTHER})", re.ASCII)
