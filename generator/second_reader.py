"""A second reader of request schemas: datamodel-code-generator reads them by itself, and must come to what we read.

Class by class are compared: the names of fields on the wire, which of them are required, the constants that they hold,
and whether they may be null. Passed over is what datamodel-code-generator has no words for, and nothing else:

- constants that are fractions, arrays or objects, those beside `type: boolean`, and those that an `allOf` narrows;
- properties and options that can have no value, and members that are required and not described;
- null where a type is `Any` to it, and where an `enum` names null beside a `type` that excludes it;
- files that the form of an operation alone takes, as it is given the JSON body.
"""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .diagnostics import Diagnostics
from .json_values import NOTHING, array_of, escape, object_of
from .schema.algebra import fits
from .schema.reader import SchemaReader
from .schema.types import Binary, Choice, Never, Object, holds, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datamodel_code_generator.model.base import DataModel
    from datamodel_code_generator.types import DataType

    from .inputs.description import Description
    from .inputs.video_model import VideoModel
    from .schema.types import Shape

_MARK: Final = re.compile(r"#-datamodel-code-generator-#-(\w+)-#-special-#")
"""How datamodel-code-generator says in a path which keyword it is below: `anyOf`, or `object` for none."""

_ELSEWHERE: Final = re.compile(r'"\$(?:ref|dynamicRef|recursiveRef)": "(?!#)')
"""A reference out of the document, which it would follow."""

Reading: TypeAlias = dict[str, tuple[str, str, str]]
"""What a reader says of each field of a class, by its name on the wire."""

_REQUIRED: Final = {True: "is required", False: "is not required"}
_NULL: Final = {True: "may be null", False: "may not be null", None: ""}


def _said(*, is_required: bool, values: frozenset[str] | None, takes_null: bool | None) -> tuple[str, str, str]:
    """Put into words what a reader says of a field; empty what it cannot say, which is None."""
    constants = "holds no constant"
    if values is None:
        constants = ""
    elif values:
        constants = f"holds {', '.join(sorted(values))}"
    return _REQUIRED[is_required], constants, _NULL[takes_null]


def compare(models: Sequence[VideoModel], descriptions: Sequence[Description], diagnostics: Diagnostics) -> int:
    """Warn of every place where the readers do not agree, and give the number of classes on which they do."""
    count = 0
    for description in descriptions:
        own = [model for model in models if model.file == description.file]
        for model, theirs in zip(own, _second_readings(own, description), strict=True):
            if theirs is None:
                message = "datamodel-code-generator cannot read it, so that only one reader has read it"
                diagnostics.note(model.file, model.pointer, message)
                continue
            shapes = [variant.shape for variant in model.variants]
            read_twice = [shape for shape in shapes if not shape.as_form] or shapes  # it is given the JSON body
            ours = [next(iter(shape.bodies), shape) for shape in read_twice]
            if len(theirs) != len(ours):
                message = f"our reader finds {len(ours)} classes in it, datamodel-code-generator {len(theirs)}"
                diagnostics.warn(model.file, model.pointer, message)
                continue
            for shape, reading in zip(ours, theirs, strict=True):
                found = list(_disagreements(shape, reading, model, description))
                count += not found
                for pointer, message in found:
                    diagnostics.warn(model.file, pointer, message)
    return count


def _disagreements(
    shape: Object, theirs: Reading, model: VideoModel, description: Description
) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys((*(prop.name for prop in shape.properties), *theirs)):
        pointer = f"{shape.pointer.partition('+')[0]}/properties/{escape(name)}"
        prop, second = shape.get(name), theirs.get(name)
        if prop is None:
            yield pointer, f"datamodel-code-generator finds the field {name!r}, our reader does not"
        elif isinstance(prop.shape, Never) or (second is None and holds(prop.shape, Binary)):
            continue
        elif second is None:
            yield pointer, f"our reader finds the field {name!r}, datamodel-code-generator does not"
        else:
            takes_null = None
            if not _excludes_its_null(description.at(pointer)):
                takes_null = fits(prop.shape, None, model.known)
            values = _values_of(prop.shape)
            first = _said(is_required=name in shape.required, values=values, takes_null=takes_null)
            for ours, others in zip(first, second, strict=True):
                if ours and others and ours != others:
                    yield pointer, f"our reader says that {name!r} {ours}, datamodel-code-generator that it {others}"


def _excludes_its_null(schema: Any) -> bool:
    """Tell whether an `enum` names null and the `type` beside it excludes that; our reader has warned of it."""
    if None not in array_of(object_of(schema).get("enum")):
        return False
    return "type" in schema and "null" not in schema["type"] and schema.get("nullable") is not True


def _values_of(shape: Shape) -> frozenset[str]:
    """Give the constants that a field is or holds, without those of its objects."""
    if isinstance(shape, Choice):
        return _plain(shape.values)
    if isinstance(shape, Object) and not shape.is_map:
        return frozenset()
    return frozenset(value for part in parts_of(shape) for value in _values_of(part))


def _plain(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(json.dumps(value) for value in values if isinstance(value, (str, int)))


def _second_readings(models: Sequence[VideoModel], description: Description) -> list[list[Reading] | None]:
    """Have all models read at once, which is the quickest; where that fails, each by itself."""
    try:
        return list(_SecondReader(models, description).readings())
    except ImportError:
        raise
    except Exception:  # noqa: BLE001  # a library of which no more is wanted than its opinion
        if len(models) == 1:
            return [None]
    return [reading for model in models for reading in _second_readings([model], description)]


class _SecondReader:
    """What datamodel-code-generator makes of the bodies of some models, before it writes any code."""

    def __init__(self, models: Sequence[VideoModel], description: Description) -> None:
        from datamodel_code_generator.parser import LiteralType  # noqa: PLC0415  # its import takes 0.3 s
        from datamodel_code_generator.parser.jsonschema import JsonSchemaParser  # noqa: PLC0415  # as above

        self.models = models
        self.description = description
        document = {"$defs": {f"model_{index}": description.at(model.pointer) for index, model in enumerate(models)}}
        document["components"] = description.document.get("components", {})
        if '"#/paths/' in json.dumps(document):
            document["paths"] = description.document["paths"]
        text = json.dumps(document)
        if _ELSEWHERE.search(text):
            raise ValueError("a reference leads out of the document")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser = JsonSchemaParser(text, enum_field_as_literal=LiteralType.All, strict_nullable=True)
            parser.parse_raw()
        self.classes = {item.path: item for item in parser.results}

    def readings(self) -> Iterator[list[Reading]]:
        """Give the classes of each model: those of its options that can have a value."""
        for index, model in enumerate(self.models):
            path = f"#/$defs/model_{index}"
            found = [item for item in self._objects(path) if not self._is_impossible(item.path, path, model)]
            yield [self._reading(item) for item in found]

    def _objects(self, path: str) -> Iterator[DataModel]:
        item = self.classes[path]
        if not item.IS_ROOT_MODEL:
            yield item
            return
        for part in item.fields[0].data_type.all_data_types:
            if part.reference:
                yield from self._objects(part.reference.path)

    def _is_impossible(self, path: str, root: str, model: VideoModel) -> bool:
        """Tell whether our reader says of the schema of a class that nothing fits it."""
        pointer = model.pointer + _MARK.sub(r"/\1", path.removeprefix(root)).replace("#", "").replace("/object", "")
        schema = self.description.at(pointer)
        return schema is not NOTHING and SchemaReader(self.description, Diagnostics()).read(schema, pointer) == Never()

    def _reading(self, item: DataModel) -> Reading:
        found: Reading = {}
        for base in item.base_classes:
            if base.reference:
                found |= self._reading(self.classes[base.reference.path])
        for field in item.fields:
            if field.name != "__pydantic_extra__":
                kinds = set(self._kinds(field.data_type))
                takes_null = None
                if "Any" not in kinds:
                    takes_null = bool(field.nullable or field.type_has_null or "None" in kinds)
                values = self._values(field.data_type)
                said = _said(is_required=field.required, values=values, takes_null=takes_null)
                found[str(field.original_name)] = said
        return found

    def _kinds(self, data_type: DataType) -> Iterator[str]:
        """Give what a value may be, without what it may hold."""
        if data_type.is_optional:
            yield "None"
        if data_type.type:
            yield data_type.type
        inner = self._behind(data_type)
        if not (data_type.is_list or data_type.is_dict):
            inner += data_type.data_types
        for part in inner:
            yield from self._kinds(part)

    def _values(self, data_type: DataType) -> frozenset[str] | None:
        """Give the constants that a value is or holds; None where not all of them can be told."""
        if data_type.type == "bool" or (data_type.reference and "-allOf-" in data_type.reference.path):
            return None
        found = _plain(data_type.literals)
        for part in (*self._behind(data_type), *data_type.data_types):
            values = self._values(part)
            if values is None:
                return None
            found |= values
        return found

    def _behind(self, data_type: DataType) -> list[DataType]:
        """Give the type that a name stands for, unless that is a class of its own."""
        if not data_type.reference or not self.classes[data_type.reference.path].IS_ROOT_MODEL:
            return []
        return [self.classes[data_type.reference.path].fields[0].data_type]
