"""YAML 1.2 by its core schema (YAML 1.2.2, section 10.3): what JSON can say, and nothing else.

The library reads YAML 1.1, in which `16:9` is the number 969 and `off` is false. Here it only takes the text apart;
what a plain scalar means is decided below.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from generator.json_values import NoDocumentError, array_of, finite, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_VALUES: Final = 2_000_000
"""How many values a document may have, what aliases repeat counted each time. The limit is ours."""

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {name: name.lower() == "true" for name in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_WITH_BASE = re.compile(r"0o[0-7]+|0x[0-9A-Fa-f]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Read the one document of a text.

    Raises:
        NoDocumentError: it is no YAML, more than one document, nested too deeply, or has what JSON has not: tags,
            anchors that hold themselves, names that are no text or stand twice, numbers without an end.
    """
    reader = _Reader(yaml.parse(text, Loader=_LOADER))
    try:
        return reader.document()
    except yaml.YAMLError as error:
        raise NoDocumentError(f"is neither JSON nor YAML: {' '.join(str(error).split())[:300]}") from error
    except RecursionError as error:
        raise NoDocumentError("is no YAML that is read here: it is nested too deeply") from error
    except ValueError as error:
        raise NoDocumentError(f"is no YAML that is read here: {error} (line {reader.line})") from error


@dataclass(slots=True)
class _Reader:
    """Builds the value of a document from its events."""

    events: Iterator[Any]
    line: int = 0
    values: int = 0
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict[str, tuple[Any, int]])
    """What aliases stand for, and how many values that has."""

    def document(self) -> Any:
        self._next()
        if not isinstance(self._next(), yaml.DocumentStartEvent):
            return None
        value = self._value(self._next())
        self._next()
        if isinstance(self._next(), yaml.DocumentStartEvent):
            raise ValueError("it holds several documents")  # noqa: TRY004  # as all that the text does wrong
        return value

    def _next(self) -> Any:
        event = next(self.events)
        self.line = event.start_mark.line + 1
        return event

    def _value(self, event: Any, *, is_name: bool = False) -> Any:
        """Give what begins with an event. A name is its text whatever that would mean as a value: `200`, `no`."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise ValueError(f"the alias *{event.anchor} names nothing that has been read")
            value, size = self.anchors[event.anchor]
            self._count(size)
            return deepcopy(value)  # of which an override may correct one place alone
        if event.tag is not None and event.tag not in _TAGS:
            raise ValueError(f"the tag {event.tag!r} is not known")
        before = self.values
        self._count(1)
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent() if is_name:
                raise ValueError("a name is an object or an array")
            case yaml.MappingStartEvent():
                value = self._object()
            case yaml.SequenceStartEvent():
                value = self._array()
            case _:
                value = event.value
                if event.tag is None and event.implicit[0] and not is_name:
                    value = _meant(value)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.values - before)
        return value

    def _count(self, size: int) -> None:
        self.values += size
        if self.values > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} values")

    def _array(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _object(self) -> dict[str, Any]:
        """Read an object. `<<` brings in what others have, as nearly every reader of YAML does; its own members win."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            name = self._value(event, is_name=True)
            if not isinstance(name, str):
                raise ValueError("a name is no text")  # noqa: TRY004  # as above
            if name in own:
                raise ValueError(f"{name!r} stands twice in one object")
            value = self._value(self._next())
            if name != "<<" or not isinstance(value, (dict, list)):
                own[name] = value
                continue
            for item in reversed(array_of(value) or [value]):
                if not is_object(item):
                    raise ValueError("'<<' brings in what is no object")
                merged.update(item)
        return {**merged, **own}


def _meant(value: str) -> Any:
    if value in _NOTHING:
        return None
    if value in _BOOLEANS:
        return _BOOLEANS[value]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _WITH_BASE.fullmatch(value):
        return int(value, 0)
    if _NUMBER.fullmatch(value):
        return finite(value)
    if _NO_NUMBER.fullmatch(value):
        raise ValueError(f"{value} is no JSON value")
    return value
