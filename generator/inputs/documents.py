"""The files that a run reads: JSON or YAML, read alike and digested in one form, so that spelling changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from generator.diagnostics import Diagnostics, GeneratorError
from generator.json_values import NoDocumentError, array_of, escape, finite, is_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of the largest input that is read. The platform's description has about one million; the limit is ours."""

DEEPEST: Final = 200
"""How deep an input may be nested. The platform's description has about 20 levels; the limit is ours."""

SUFFIXES: Final = (".json", ".yaml", ".yml")
"""How the names of files end that hold a document, in any letter case."""

_TOO_DEEP: Final = "is not JSON: it is nested too deeply"


def real(path: Path) -> Path:
    """Follow the links of a path; one that leads back to itself stays, of which `Path.resolve` may make an error."""
    return Path(os.path.realpath(path))


def found_in(folder: Path, stem: str) -> Path | None:
    """Give the file of a folder that holds `openapi` or `docs`, whatever its form; JSON where there are several."""
    return next((folder / f"{stem}{suffix}" for suffix in SUFFIXES if (folder / f"{stem}{suffix}").is_file()), None)


def scoped_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Give the model-scoped descriptions below a folder, by name, and what else lies there and is not read.

    Pages of a documentation may lie there as well, and a text that tells what is there.
    """
    try:
        paths = sorted((folder / "models").iterdir())
    except OSError:
        return [], []
    shown = [path for path in paths if not path.name.startswith(".") and path.suffix.lower() not in (".md", ".mdx")]
    read = [path for path in shown if path.suffix.lower() in SUFFIXES]
    return read, [path for path in shown if path not in read]


def bytes_of(path: Path, name: str, most: int = LARGEST) -> bytes:
    """Read a file of at most so many bytes; messages call it by a name.

    Raises:
        GeneratorError: the file cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GeneratorError(f"{name}: cannot be read: {reason}; name another file") from error
    if len(data) > most:
        raise GeneratorError(f"{name}: is larger than {most} bytes, the most that is read")
    return data


def document_of(data: bytes, file: str, diagnostics: Diagnostics) -> dict[str, Any]:
    """Read an object from the bytes of a file, of which messages speak.

    Raises:
        GeneratorError: it is neither JSON nor YAML, or holds no object.
    """
    try:
        document, twice = parsed(data, file)
    except NoDocumentError as error:
        raise GeneratorError(f"{file}: {error}; correct the file") from error
    for pointer, names in twice:
        diagnostics.warn(file, pointer, f"{', '.join(names)} stands twice in one object; the last one counts")
    if not is_object(document):
        raise GeneratorError(f"{file}: holds no JSON object, as it should; correct the file")
    return document


def parsed(data: bytes, file: str = "") -> tuple[Any, list[tuple[str, list[str]]]]:
    """Read a value, and give the pointers of JSON objects in which names stand twice, with these names.

    Text that begins as a JSON document is JSON, unless it is none and the file is named as YAML; all other text is
    YAML.

    Raises:
        NoDocumentError: it is neither.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoDocumentError(
            f"is not JSON: it is not written in UTF-8 ({error.reason} at byte {error.start})"
        ) from error
    begin = text.lstrip()[:1]
    if not begin:
        raise NoDocumentError("is empty, and so is not JSON")
    if begin == "<":
        raise NoDocumentError("is not JSON: it is an HTML or XML page")
    if begin in '{["':
        try:
            return _read_json(text)
        except NoDocumentError:
            if not file.lower().endswith((".yaml", ".yml")):
                raise
    from .yaml_reader import read_yaml  # noqa: PLC0415  # few runs meet YAML

    document = read_yaml(text)
    _check_depth(document)
    return document, []


def normal_form(document: Any) -> bytes:
    """Write a document in the one form that is kept: JSON, two spaces, LF, UTF-8; names in their order."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # a half of a surrogate pair as JSON's own escape


def digest_of(document: Any) -> str:
    """Give the SHA-256 of a document without blanks between its parts, which is quickly written."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _read_json(text: str) -> tuple[Any, list[tuple[str, list[str]]]]:
    twice: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _ in pairs]
            twice[id(result)] = result, sorted({name for name in names if names.count(name) > 1})
        return result

    try:
        document = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant, parse_float=finite)
    except RecursionError as error:
        raise NoDocumentError(_TOO_DEEP) from error
    except ValueError as error:
        raise NoDocumentError(f"is not JSON: {error}") from error
    _check_depth(document)
    if not twice:
        return document, []
    places = {id(value): pointer for pointer, value in _places(document, "")}
    return document, [(places.get(id(item), ""), names) for item, names in twice.values()]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _check_depth(document: Any) -> None:
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [child for value in map(_children, level) for child in value if isinstance(child, (dict, list))]
        if not level:
            return
    raise NoDocumentError(_TOO_DEEP)


def _children(value: Any) -> Iterable[Any]:
    if is_object(value):
        return value.values()
    return array_of(value)


def _places(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if is_object(value):
        yield pointer, value
        for name, child in value.items():
            yield from _places(child, f"{pointer}/{escape(name)}")
    for index, child in enumerate(array_of(value)):
        yield from _places(child, f"{pointer}/{index}")
