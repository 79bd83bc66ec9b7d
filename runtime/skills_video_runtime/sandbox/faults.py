"""The faults that can be asked for: their names, how they are written, and the plan that deals them out.

A fault is written `name` or `name:argument`, several are joined by commas: `delay:0.2,drop-after`. Commas inside an
argument are written %2C. Seconds of faults are real seconds, as the time-outs of a client are. A count is how many
times the fault happens before things are well again. `table()` lists them all.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADER: Final = "X-Sandbox-Fault"
"""The request header that asks for faults of one create request."""

_SECONDS: Final = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_COUNT: Final = r"[0-9]{1,9}"
_CLOSE: Final = r"(close|reset)?"
_BODY: Final = r"(html|json)?"
_ANY: Final = r"[^\x00-\x1f\x7f]*"
_URL: Final = r"https?://[!-~]+"
_WAY: Final = "(crlf|bom|comments|fields|multiline|garbage)"
_WAYS: Final = rf"{_WAY}(\+{_WAY})*"
_SIZE: Final = "[1-9][0-9]{0,8}"
_CANCELED: Final = "(?i:cancell?ed)?"
_WORDS: Final = {
    _WAYS: "WAY+WAY…", _SECONDS: "SECONDS", _COUNT: "N", _SIZE: "N", _URL: "URL", _ANY: "TEXT", ".*": "[TEXT]",
    "[-+]?": "[-]", _CANCELED: "[canceled|cancelled]",
}  # fmt: skip
"""How the help writes what an argument is made of."""

_CREATE: Final[dict[str, tuple[str, str]]] = {
    "delay": (_SECONDS, "wait before anything is done; the work is done even if the client leaves"),
    "drop-before": (_CLOSE, "close (or `reset`) the connection; nothing is made"),
    "silence-before": ("", "never answer; nothing is made"),
    "redirect": (_URL, "answer 307 to a URL; nothing is made"),
    "429": (rf"({_SECONDS}|date:{_SECONDS})?", "too many requests, with Retry-After in seconds or as an HTTP date"),
    **{f"{status}-before": (_BODY, f"answer {status}; nothing is made") for status in (500, 502, 503, 504)},
    "no-stream": (r"(404|405|501)?", "the stream endpoint answers 404, 405 or 501; no effect on the other endpoint"),
    "errors": (r"older|oldest|nested|plain", "the shape of every error answer to this create request"),
    "delay-after": (_SECONDS, "wait after the work, before the answer"),
    "drop-after": (_CLOSE, "do the work, then close (or `reset`) without an answer"),
    "silence-after": ("", "do the work, then never answer"),
    **{f"{status}-after": (_BODY, f"do the work, then answer {status}") for status in (500, 502, 503, 504)},
    "json": ("", "answer the stream endpoint in JSON, as the create endpoint does"),
    "drop-after-id": (_CLOSE, "close (or `reset`) as soon as the id was sent"),
    "cut": (_COUNT, "close after so many bytes of the answer's body"),
    "end-early": (rf"({_COUNT})?", "end the stream in good order after so many frames (1), before the final state"),
    "silence": (rf"({_COUNT})?", "say nothing more after so many frames (1), and keep the stream open"),
    "pieces": (rf"({_SIZE})?", "send the stream in pieces of so many bytes (1)"),
    "framing": (
        _WAYS,
        "write the stream in other ways: crlf, bom, comments, fields (id, retry), multiline, garbage (broken JSON)",
    ),
    "huge": (_COUNT, "make the first frame longer by so many bytes"),
    "slow": (_SECONDS, "work for so many sandbox seconds"),
    "unknown-status": (r".*", "show a status of no known vocabulary (WARMING_UP) in the first half of the work"),
    "failed": (r".*", "end in failure, with a code and a message: `failed:CODE:message`"),
    "canceled": (_CANCELED, "end as canceled, in the given spelling"),
    "ignore-key": ("", "make a generation anew, whatever idempotency key comes"),
    "older": (r"(mixed)?", "older words, no echo, {message} errors; `mixed`: the create answer alone"),
    "running-hidden": (rf"({_COUNT})?", "leave the generation out of so many running lists (1)"),
    "download-cut": (rf"{_COUNT}(:{_COUNT})?", "close after so many bytes of a file, in so many downloads (1)"),
    "download-length": (rf"[-+]?{_COUNT}", "state a length that is wrong by so many bytes"),
    "download-type": (_ANY, "state another content type"),
    "download-name": (_ANY, "give the file another `file_name`"),
    "download-no-range": ("", "answer every range with the whole file"),
    "download-changed": ("", "give another ETag at every request"),
    "download-redirect": (_URL, "answer 307 to a URL"),
}
_TARGETS: Final = {
    "result": "questions for the result",
    "running": "running lists, of whatever generation",
    "credits": "questions for the balance",
    "cancel": "requests to cancel, which are done even so",
    "subscribe": "requests to take up a stream again",
    "download": "downloads",
}
_TROUBLES: Final = {
    **{status: f"answer {status}" for status in ("403", "404", "429", "500", "502", "503", "504")},
    "drop": "close the connection",
    "silence": "never answer",
}
_LATER: Final[dict[str, tuple[str, str]]] = {
    f"{target}-{trouble}": (rf"({_COUNT})?", f"{what} for so many (1) {where}")
    for target, where in _TARGETS.items()
    for trouble, what in _TROUBLES.items()
}
KNOWN: Final = {**_CREATE, **_LATER}
"""Every fault: the pattern of its argument and what it does."""

_EVERY: Final = re.compile(r"\s*every\s+([1-9]\d*)\s+(.+)")


class FaultError(ValueError):
    """A fault that is not known, or whose argument it does not take."""


class Faults:
    """The faults of one request, with what is left of those that count. Safe in any thread."""

    def __init__(self, faults: Mapping[str, str] | None = None) -> None:
        self._faults = dict(faults or {})
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        """Whether the fault was asked for, used up or not."""
        return name in self._faults

    def __str__(self) -> str:
        """Write the faults as they would be asked for."""
        return ",".join(f"{name}:{argument}" if argument else name for name, argument in self._faults.items())

    def text(self, name: str, default: str = "") -> str:
        """The argument of a fault, or `default` where none was given."""
        return self._faults.get(name) or default

    def number(self, name: str, default: float = 0.0) -> float:
        """The argument of a fault as a number, or `default` where none was given."""
        return float(self._faults.get(name) or default)

    def take(self, name: str, times: int | None = None) -> bool:
        """Use a counting fault once; False when it was not asked for or is used up.

        Args:
            name: Of the fault.
            times: How often it happens; None for its argument, or once where it has none.
        """
        with self._lock:
            if name not in self._faults:
                return False
            if times is None:
                times = int(self._faults[name] or 1)
            self._used[name] += 1
            return self._used[name] <= times

    def add(self, other: Faults, prefix: str = "") -> None:
        """Take over those faults of `other` whose name begins with `prefix`; they count from the beginning."""
        with self._lock:
            for name, argument in other._faults.items():
                if name.startswith(prefix):
                    self._faults[name] = argument
                    self._used[name] = 0


def parse(text: str) -> Faults:
    """Read faults as they are written: `name[:argument]`, joined by commas.

    Raises:
        FaultError: A name is not known, or its argument is not of the kind it takes.
    """
    faults: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, encoded = part.partition(":")
        argument = unquote(encoded)
        if name not in KNOWN:
            for near in difflib.get_close_matches(name, KNOWN, 1):
                raise FaultError(f"unknown fault {name!r}; did you mean {near!r}?")
            raise FaultError(f"unknown fault {name!r}; --help lists them all")
        pattern, meaning = KNOWN[name]
        if not re.fullmatch(pattern, argument, re.DOTALL):
            raise FaultError(f"fault {name!r} is written {_written(name)}, not {part!r} ({meaning})")
        faults[name] = argument
    return Faults(faults)


def _written(name: str) -> str:
    """Give how a fault is written, in words: `cut:N`, `drop-after[:close|reset]`."""
    shape, _ = KNOWN[name]
    for pattern, word in _WORDS.items():
        shape = shape.replace(pattern, word)
    shape = re.sub(r"\((.*)\)\?", r"[\1]", shape)
    if not shape:
        return name
    if shape.startswith("[") and not shape.startswith("[-]"):
        return f"{name}[:{shape[1:]}"
    return f"{name}:{shape}"


class Plan:
    """Which create request gets which faults. Safe in any thread.

    Steps are dealt out one per create request, in order; rules hold for every n-th create request from when they were
    set; both add up. Create requests count once their key is accepted and their path known, valid or not.
    """

    def __init__(self) -> None:
        self._steps: deque[str] = deque()
        self._rules: list[tuple[int, str, int]] = []
        self._seen = 0
        self._lock = threading.Lock()

    def add(self, steps: Iterable[str]) -> None:
        """Append steps: faults as in `parse`, an empty text for a request without, `every 10 drop-after` for a rule.

        Raises:
            FaultError: As in `parse`; nothing was appended then.
        """
        once: list[str] = []
        rules: list[tuple[int, str]] = []
        for step in steps:
            match = _EVERY.fullmatch(step)
            if match is None:
                parse(step)
                once.append(step)
            else:
                parse(match[2])
                rules.append((int(match[1]), match[2]))
        with self._lock:
            self._steps.extend(once)
            self._rules.extend((every, faults, self._seen) for every, faults in rules)

    def clear(self) -> None:
        """Forget all steps and rules."""
        with self._lock:
            self._steps.clear()
            self._rules.clear()

    def deal(self) -> Faults:
        """The faults of the next create request."""
        with self._lock:
            self._seen += 1
            due = [faults for every, faults, since in self._rules if (self._seen - since) % every == 0]
            if self._steps:
                due.append(self._steps.popleft())
        return parse(",".join(due))


def table() -> str:
    """Every fault with its meaning, one per line."""
    written = {_written(name): meaning for name, (_, meaning) in _CREATE.items()}
    width = max(map(len, written))
    lines = [f"{name:<{width}}  {meaning}" for name, meaning in written.items()]
    lines += [
        "",
        f"{'|'.join(_TARGETS)} with -{'|-'.join(_TROUBLES)}, as in `result-404:3`:",
        "the next so many (1) answers of that kind go wrong",
    ]
    return "\n".join(lines)
