"""Exit codes, by the category of the error.

0    finished well
1    bad usage, no key, or what the platform describes no endpoint for
3    no id could be had: a generation may have been made, and it is not known which
10   the generation failed or was canceled
11   out of time; the generation goes on
12   polling was refused: the generation was made, and the platform would not tell its state
20   not enough credits
21   the key is not valid, or may not do this
22   the platform or the schema does not allow the request
23   no such model or generation
24   transient: too many requests, trouble of the platform, no connection
25   anything else, such as a download that failed
130  interrupted (Ctrl-C), as shells have it; 143 by SIGTERM, 129 by SIGHUP
141  the reader of the output left, as shells have it
"""

from __future__ import annotations

from skills_video_runtime.errors import APIError, SkillsVideoError

BAD_USAGE = 1
TIMED_OUT = 11
POLLING_REFUSED = 12
OTHER = 25
LEFT = 141
BY_CATEGORY = {
    "missing_key": BAD_USAGE,
    "not_offered": BAD_USAGE,
    "uncertain": 3,
    "failed": 10,
    "timeout": TIMED_OUT,
    "insufficient_credits": 20,
    "authentication": 21,
    "permission": 21,
    "validation": 22,
    "content_rejected": 22,
    "invalid_request": 22,
    "not_found": 23,
    "rate_limited": 24,
    "server": 24,
    "connection": 24,
}


def exit_code(error: SkillsVideoError, *, following: bool = False) -> int:
    """Give the exit code of an error; `following` tells whether a state of the generation had been seen before."""
    if following and isinstance(error, APIError):
        return POLLING_REFUSED
    return BY_CATEGORY.get(error.category, OTHER)
