"""YAML 1.2 by its core schema (YAML 1.2.2, section 10.3): what JSON can say, and nothing else.

The library reads YAML 1.1, in which `16:9` is the number 969 and `off` is false. Here it only takes the text apart;
what a plain scalar means is decided below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from generator.json_values import NoDocumentError, array_of, finite, is_array, is_object

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
        NoDocumentError: it is no YAML, more than one document, or has what JSON has not: tags, anchors that hold
            themselves, names that are no text or stand twice, numbers without an end.
    """
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.YAMLError as error:
        raise NoDocumentError(f"is neither JSON nor YAML: {' '.join(str(error).split())[:300]}") from error
    except ValueError as error:
        place = ""
        if reader.line:
            place = f" (line {reader.line})"
        raise NoDocumentError(f"is no YAML that is read here: {error}{place}") from error
    return reader.document


@dataclass(slots=True)
class _Open:
    """An object or array that is being read."""

    value: Any
    anchor: str | None
    size: int = 1
    name: str | None = None
    """The name whose value comes next."""
    merged: dict[str, Any] = field(default_factory=dict[str, Any])
    """What `<<` brings in."""


@dataclass(slots=True)
class _Reader:
    """Builds the value of a document from its events."""

    document: Any = None
    documents: int = 0
    line: int = 0
    values: int = 0
    above: list[_Open] = field(default_factory=list["_Open"])
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict[str, tuple[Any, int]])

    def take(self, event: Any) -> None:
        """Take the next event."""
        self.line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise ValueError("it holds several documents")
            case yaml.AliasEvent():
                value, size = self._aliased(str(event.anchor))
                self._count(size)
                self._put(value, size)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open({}, event)
            case yaml.SequenceStartEvent():
                self._open([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case _:
                pass

    def _aliased(self, anchor: str) -> tuple[Any, int]:
        if anchor not in self.anchors:
            raise ValueError(f"the alias *{anchor} names nothing that has been read")
        return self.anchors[anchor]

    def _check_tag(self, tag: str | None) -> None:
        if tag is not None and tag not in _TAGS:
            raise ValueError(f"the tag {tag!r} is not known")

    def _open(self, value: Any, event: Any) -> None:
        self._check_tag(event.tag)
        if self.above and isinstance(self.above[-1].value, dict) and self.above[-1].name is None:
            raise ValueError("a name is an object or an array")
        self._count(1)
        self.above.append(_Open(value, event.anchor))

    def _close(self) -> None:
        done = self.above.pop()
        if done.merged:
            done.value = {**done.merged, **done.value}
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.size)
        self._put(done.value, done.size)

    def _scalar(self, event: Any) -> None:
        self._check_tag(event.tag)
        self._count(1)
        value: Any = event.value
        is_name = bool(self.above) and isinstance(self.above[-1].value, dict) and self.above[-1].name is None
        if event.tag is None and event.implicit[0] and not is_name:
            value = _meant(value)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self._put(value, 1)

    def _count(self, size: int) -> None:
        self.values += size
        if self.values > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} values")

    def _put(self, value: Any, size: int) -> None:
        """Put a value where it belongs."""
        if not self.above:
            self.document = value
            return
        parent = self.above[-1]
        parent.size += size
        if is_array(parent.value):
            parent.value.append(value)
        elif parent.name is None:
            self._name(parent, value)
        elif parent.name == "<<" and isinstance(value, (dict, list)):
            self._merge(parent, value)
            parent.name = None
        else:
            parent.value[parent.name] = value
            parent.name = None

    def _name(self, parent: _Open, value: Any) -> None:
        """Take a name; it is its text whatever it would mean as a value, as response codes are written."""
        if not isinstance(value, str):
            raise ValueError("a name is no text")  # noqa: TRY004  # as all that the text does wrong
        if value in parent.value:
            raise ValueError(f"{value!r} stands twice in one object")
        parent.name = value

    def _merge(self, parent: _Open, value: Any) -> None:
        """Bring in the members of objects, as nearly every reader of YAML does; those of the object itself win."""
        items: list[Any] = array_of(value) or [value]
        for item in reversed(items):
            if not is_object(item):
                raise ValueError("'<<' brings in what is no object")
            parent.merged.update(item)


def _meant(value: str) -> Any:
    """Give what a plain scalar means by the core schema."""
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
