"""Payloads: what they hold, what they refuse and how they say so, and the forms in which they are sent."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import io
import json
import math
import os
import pickle
import re
import socket
import sys
import tempfile
import threading
import time
import tracemalloc
import types
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import pytest

from skills_video_runtime import (
    UNSET,
    Array,
    BaseObject,
    BasePayload,
    Default,
    Endpoint,
    ExactlyOne,
    File,
    Format,
    Ge,
    Gt,
    Json,
    Le,
    Lt,
    MaxLen,
    MinLen,
    MinProperties,
    MultipleOf,
    OneOf,
    Pattern,
    PayloadError,
    SkillsVideoError,
    UniqueItems,
    Unset,
    Uri,
    parse_payload,
)

ENDPOINT = Endpoint(model="acme/one", stream="/s", create="/c", result="/generation/{id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(BaseObject):
    x: Annotated[float, Ge(0), Le(1)]
    y: Annotated[float, Ge(0), Le(1), Default(0.5)] | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    prompt: Annotated[str, MinLen(2), MaxLen(8)]
    feature: Literal["video"] | Unset = "video"
    duration: Annotated[Literal[5, 10], Default(5)] | Unset = UNSET
    ratio: Annotated[Literal["16:9", "9:16"], Default("16:9")] | Unset = UNSET
    size: Annotated[int, Ge(8), Le(64), MultipleOf(8)] | Unset = UNSET
    share: Annotated[float, Gt(0), Lt(1)] | Unset = UNSET
    step: Annotated[float, MultipleOf(0.1)] | Unset = UNSET
    seed: int | Unset | None = UNSET
    loud: bool | Unset = UNSET
    image: Uri | File | Unset = UNSET
    link: Uri | Unset = UNSET
    tags: Annotated[Array[Annotated[str, MinLen(1)]], MinLen(1), MaxLen(2), UniqueItems()] | Unset = UNSET
    path: Array[Point] | Unset = UNSET
    start: Point | Unset = UNSET
    code: Annotated[str, Pattern("^[a-z]+$")] | Unset = UNSET
    mail: Annotated[str, Format("email")] | Unset = UNSET
    speed: Annotated[float, OneOf(0.5, 1.5)] | Unset = UNSET
    wrong: Annotated[int, Le(4), Default(9)] | Unset = UNSET
    ninth: str | Unset = field(default=UNSET, metadata={"wire": "9:16"})
    extra: Mapping[str, Json] | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT
    rules: ClassVar = (MinProperties(1),)

    kind: Literal["closed"] | Unset = UNSET
    camera: str | Unset = UNSET


def refused(**fields):
    """Give the violations of a payload that has no other fault."""
    with pytest.raises(PayloadError) as caught:
        Video(**{"prompt": "cat", **fields})
    return caught.value.violations


def only(**fields):
    [violation] = refused(**fields)
    return violation


def test_unset_is_false_and_shows_its_name():
    assert not UNSET
    assert repr(UNSET) == "UNSET"


def test_unset_stays_the_same_object_when_copied_and_pickled():
    assert copy.deepcopy(UNSET) is UNSET
    assert copy.copy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET


def test_unset_fields_are_not_sent_and_null_is():
    assert Video(prompt="cat").to_dict() == {"prompt": "cat", "feature": "video"}
    assert Video(prompt="cat", seed=None).to_dict() == {"prompt": "cat", "feature": "video", "seed": None}


@pytest.mark.parametrize("name", ["prompt", "duration", "image", "tags", "start", "loud"])
def test_null_is_refused_where_the_schema_has_none(name):
    violation = only(**{name: None})
    assert violation.path == name


def test_unset_is_refused_for_a_required_field():
    assert only(prompt=UNSET).path == "prompt"


def test_missing_required_field_is_refused():
    with pytest.raises(TypeError, match="prompt"):
        Video()


def test_unknown_field_is_refused():
    with pytest.raises(TypeError, match="promt"):
        Video(prompt="cat", promt="dog")


def test_positional_values_are_refused():
    with pytest.raises(TypeError):
        Video("cat")


RULES = [
    ({"prompt": "c"}, "minLength", None),
    ({"prompt": "neon rain"}, "maxLength", "neon rai"),
    ({"duration": 6}, "enum", 5),
    ({"duration": 9}, "enum", 10),
    ({"duration": "10"}, "enum", 10),
    ({"ratio": "16x9"}, "enum", "16:9"),
    ({"size": 0}, "minimum", 8),
    ({"size": 72}, "maximum", 64),
    ({"size": 20}, "multipleOf", 16),
    ({"size": 23}, "multipleOf", 24),
    ({"share": 0}, "exclusiveMinimum", None),
    ({"step": 0.25}, "multipleOf", 0.2),
    ({"seed": 1.5}, "type", None),
    ({"seed": "7"}, "type", 7),
    ({"loud": "true"}, "type", True),
    ({"loud": 1}, "type", None),
    ({"link": "cat.png"}, "format", None),
    ({"tags": []}, "minItems", None),
    ({"tags": ["a", "b", "c"]}, "maxItems", ["a", "b"]),
    ({"tags": ["a", "a"]}, "uniqueItems", ["a"]),
    ({"tags": "a"}, "type", ["a"]),
    ({"code": "A1"}, "pattern", None),
    ({"speed": 1}, "enum", 0.5),
    ({"feature": "vidoe"}, "const", "video"),
]


@pytest.mark.parametrize(("fields", "rule", "nearest"), RULES)
def test_violation_names_path_rule_value_and_nearest(fields, rule, nearest):
    [(name, value)] = fields.items()
    violation = only(**fields)
    assert (violation.path, violation.rule, violation.value) == (name, rule, value)
    if nearest is not None:
        assert violation.nearest == nearest
        assert type(violation.nearest) is type(nearest)


@pytest.mark.parametrize(("fields", "rule", "nearest"), [case for case in RULES if case[2] is not None])
def test_nearest_value_is_an_allowed_one(fields, rule, nearest):
    [name] = fields
    Video(**{"prompt": "cat", name: only(**fields).nearest})


def test_message_tells_field_value_and_nearest_and_that_nothing_was_sent():
    with pytest.raises(PayloadError) as caught:
        Video(prompt="cat", duration=6)
    assert str(caught.value) == (
        "test_payload.Video: 1 value not allowed; nothing was sent\n"
        "  duration: 6 is not one of 5, 10; nearest allowed: 5"
    )


def test_all_violations_are_reported_at_once_in_the_order_of_the_fields():
    violations = refused(size=0, prompt="c", path=[{"x": 2}, {"y": 0}], duration=6, extra={"prompt": 1})
    assert [violation.path for violation in violations] == [
        "prompt", "duration", "size", "path[0].x", "path[1].x", "extra",
    ]  # fmt: skip


def test_one_value_can_break_several_rules():
    assert [violation.rule for violation in refused(size=3)] == ["minimum", "multipleOf"]


def test_paths_lead_through_arrays_objects_and_odd_names():
    data = {"prompt": "cat", "path": [{"x": 0}, {"x": 0, "y": "0"}], "9:16": 3, "extra.name": {"a b": [math.inf]}}
    with pytest.raises(PayloadError) as caught:
        parse_payload(data, Video)
    paths = [violation.path for violation in caught.value.violations]
    assert paths == ["path[1].y", "['9:16']", "['extra.name']['a b'][0]"]


def test_error_is_one_of_the_tree_and_pickles_whole():
    with pytest.raises(SkillsVideoError) as caught:
        Video(prompt="c", size=7)
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is PayloadError
    assert (str(error), error.violations, error.name) == (
        str(caught.value),
        caught.value.violations,
        "test_payload.Video",
    )
    assert error.category == "validation"
    assert not error.retryable


def test_long_values_are_cut_in_messages_and_whole_in_the_violation():
    with pytest.raises(PayloadError) as caught:
        Video(prompt="x" * 10_000)
    assert len(str(caught.value)) < 400
    assert len(caught.value.violations[0].value) == 10_000


def test_length_counts_characters_and_not_bytes():
    assert Video(prompt="🎥" * 8)
    assert only(prompt="🎥" * 9).rule == "maxLength"


JSON_SENSE = [
    ("seed", True, False), ("seed", 5.0, True), ("seed", 5.5, False), ("seed", "5", False), ("seed", 10**30, True),
    ("seed", math.nan, False), ("seed", math.inf, False), ("share", True, False), ("step", 5, True), ("step", 0.3,
    True),
    ("step", math.nan, False), ("step", -math.inf, False), ("loud", 0, False), ("loud", "false", False),
    ("duration", 5.0, True),
    ("duration", True, False), ("duration", "5", False), ("prompt", b"cat", False), ("prompt", 55, False), ("tags",
    "ab", False),
    ("tags", b"ab", False), ("tags", {"a": 1}, False), ("tags", ("a", "b"), True), ("tags", {"a"}, False), ("tags",
    iter("ab"), False),
    ("start", {"x": 1}, True), ("start", [("x", 1)], False), ("extra", [("a", 1)], False), ("extra", {1: 2}, False),
    ("extra", {"a": object()}, False), ("extra", {"a": [None, True, {"b": 0.5}]}, True),
    ("extra", {"a": math.nan}, False), ("speed", 1.5, True), ("link", Path("a"), False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "allowed"), JSON_SENSE)
def test_types_are_those_of_json(name, value, allowed):
    if allowed:
        Video(**{"prompt": "cat", name: value})
    else:
        refused(**{name: value})


def test_a_whole_number_is_kept_as_an_integer_where_one_is_asked():
    assert repr(Video(prompt="cat", seed=5.0).seed) == "5"
    assert repr(Video(prompt="cat", duration=5.0).duration) == "5"


URIS = [
    "https://a.example/cat.png",
    "http://localhost:8080/",
    "data:image/png;base64,AA==",
    "s3://bucket/key",
    "HTTPS://A.EXAMPLE/%20?q=1#f",
]
NO_URIS = ["", "cat.png", "/tmp/cat.png", "./cat.png", "C:\\cat.png", "C:/cat.png", "www.a.example/b", "https://",
           "https://a b/", "https:/a",
           " https://a.example", "https://a.example\n", "//a.example/b", "https://a.example/ü"]  # fmt: skip


@pytest.mark.parametrize("uri", URIS)
def test_absolute_uri_is_taken(uri):
    assert Video(prompt="cat", link=uri).link == uri


@pytest.mark.parametrize("text", NO_URIS)
def test_what_is_no_absolute_uri_is_refused(text):
    assert only(link=text).rule == "format"


def test_local_path_is_told_how_to_be_sent_where_a_file_is_taken():
    assert "pass File(pathlib.Path('cat.png'))" in only(image="cat.png").message


def test_local_path_is_not_told_to_be_a_file_where_none_is_taken():
    message = only(link="cat.png").message
    assert "takes no file" in message
    assert "File(" not in message


def test_path_object_is_told_how_to_be_sent():
    assert "File(pathlib.Path(" in only(image=Path("cat.png")).message


def test_any_other_format_is_shown_and_not_checked():
    assert Video(prompt="cat", mail="nobody").mail == "nobody"


def test_payload_is_frozen():
    payload = Video(prompt="cat")
    with pytest.raises(dataclasses.FrozenInstanceError):
        payload.prompt = "dog"
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        payload.other = "dog"


def test_payload_keeps_a_snapshot_of_lists_and_mappings():
    tags, extra, path = ["a"], {"deep": [1]}, [{"x": 0.5}]
    payload = Video(prompt="cat", tags=tags, extra=extra, path=path)
    before = payload.to_dict()
    tags.append("b")
    extra["deep"].append(2)
    extra["more"] = 1
    path[0]["x"] = 7
    assert payload.to_dict() == before


def test_plain_data_that_is_handed_out_is_not_the_payloads_own():
    payload = Video(prompt="cat", tags=["a"], extra={"deep": [1]})
    payload.to_dict()["tags"].append("b")
    payload.to_dict()["deep"].append(2)
    assert payload.to_dict() == {"prompt": "cat", "feature": "video", "tags": ["a"], "deep": [1]}


def test_equal_payloads_are_equal_and_have_one_hash():
    first, second = Video(prompt="cat", tags=["a"]), Video(prompt="cat", tags=("a",))
    assert first == second
    assert hash(first) == hash(second)
    assert first != Video(prompt="cat", tags=["b"])


def test_repr_leads_back_to_the_payload():
    payload = Video(prompt="cat", path=[Point(x=0.5)], seed=None)
    assert eval(repr(payload)) == payload


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda payload: pickle.loads(pickle.dumps(payload)), dataclasses.replace]
)
def test_payload_survives_copying_and_pickling(again):
    payload = Video(prompt="cat", tags=["a"], start={"x": 1}, seed=3, extra={"a": [1]}, image=File(b"x", name="a.png"))
    result = again(payload)
    assert result == payload
    assert type(result) is Video
    assert result.to_dict() == payload.to_dict()


def test_replacing_a_field_checks_again():
    with pytest.raises(PayloadError, match="duration"):
        dataclasses.replace(Video(prompt="cat"), duration=6)


def test_objects_may_be_given_as_instances_or_plain_data():
    first = Video(prompt="cat", start=Point(x=1), path=[Point(x=0), {"x": 1}])
    second = Video(prompt="cat", start={"x": 1}, path=({"x": 0}, Point(x=1)))
    assert first == second
    assert isinstance(second.start, Point)


def test_extra_members_are_sent_beside_the_fields():
    assert Video(prompt="cat", extra={"new": [1]}).to_dict() == {"prompt": "cat", "feature": "video", "new": [1]}


@pytest.mark.parametrize("name", ["prompt", "9:16", "seed"])
def test_extra_member_of_the_name_of_a_field_is_refused(name):
    violation = only(extra={name: "x"})
    assert violation.rule == "additionalProperties"
    assert ("ninth" if name == "9:16" else name) in violation.message


def test_extra_member_may_be_called_extra():
    data = {"prompt": "cat", "extra": {"a": 1}}
    assert parse_payload(data, Video).to_dict() == data


def test_with_defaults_pins_what_is_not_set():
    pinned = Video(prompt="cat", start={"x": 1}, path=[{"x": 0}], duration=10).with_defaults()
    assert pinned.to_dict() == {
        "prompt": "cat", "feature": "video", "duration": 10, "ratio": "16:9",
        "path": [{"x": 0, "y": 0.5}], "start": {"x": 1, "y": 0.5},
    }  # fmt: skip


def test_with_defaults_leaves_the_payload_and_a_wrong_default_alone():
    payload = Video(prompt="cat")
    assert payload.with_defaults().wrong is UNSET
    assert payload.duration is UNSET
    assert payload.with_defaults().with_defaults() == payload.with_defaults()


def test_with_defaults_does_not_replace_null():
    assert Video(prompt="cat", seed=None).with_defaults().seed is None


def test_template_holds_required_and_defaulted_fields_and_constants():
    assert Video.template() == {"prompt": None, "feature": "video", "duration": 5, "ratio": "16:9"}


def test_template_sent_as_it_is_is_refused():
    with pytest.raises(PayloadError) as caught:
        parse_payload(Video.template(), Video)
    assert [violation.path for violation in caught.value.violations] == ["prompt"]


def test_template_can_be_changed_without_changing_the_next():
    Video.template()["duration"] = 99
    assert Video.template()["duration"] == 5


def test_parse_gives_back_what_it_was_given():
    data = {"prompt": "cat", "9:16": "x", "path": [{"x": 0, "y": 1}], "seed": None, "new": {"a": [1]}, "tags": ["a"]}
    assert parse_payload(data, Video).to_dict() == data


def test_parse_takes_wire_names_and_not_field_names():
    assert parse_payload({"prompt": "cat", "9:16": "x"}, Video).ninth == "x"
    assert parse_payload({"prompt": "cat", "ninth": "x"}, Video).ninth is UNSET


def test_parse_reports_required_and_unknown_names_with_the_nearest():
    with pytest.raises(PayloadError) as caught:
        parse_payload({"camra": "x", "kind": "closed"}, Closed)
    [violation] = caught.value.violations
    assert (violation.path, violation.rule, violation.nearest) == ("camra", "additionalProperties", "camera")
    with pytest.raises(PayloadError, match="prompt: is required"):
        parse_payload({}, Video)


@pytest.mark.parametrize("data", [None, [], "x", 3, [("prompt", "cat")]])
def test_parse_refuses_what_is_no_object(data):
    with pytest.raises(PayloadError) as caught:
        parse_payload(data, Video)
    assert caught.value.violations[0].path == ""


def test_parse_takes_any_mapping_and_leaves_it_as_it_was():
    data = {"prompt": "cat", "start": MappingProxyType({"x": 1})}
    assert parse_payload(MappingProxyType(data), Video).to_dict() == {"prompt": "cat", "start": {"x": 1}}
    assert data["start"] == {"x": 1}


def test_parse_takes_the_variant_that_fits():
    assert type(parse_payload({"prompt": "cat", "feature": "video"}, Closed, Video)) is Video
    assert type(parse_payload({"camera": "x"}, Closed, Video)) is Closed


def test_parse_tells_what_the_variant_that_was_meant_finds_wrong():
    with pytest.raises(PayloadError) as caught:
        parse_payload({"feature": "video", "prompt": "cat", "duration": 7}, Closed, Video)
    assert caught.value.name == "test_payload.Closed or test_payload.Video"
    assert [violation.path for violation in caught.value.violations] == ["duration"]


def test_parse_names_the_constants_of_all_variants_where_none_was_meant():
    with pytest.raises(PayloadError) as caught:
        parse_payload({"feature": "vidoe", "prompt": "cat"}, Video)
    assert caught.value.violations[0].nearest == "video"


def test_parse_checks_what_an_object_as_a_whole_must_be():
    with pytest.raises(PayloadError) as caught:
        parse_payload({}, Closed)
    assert caught.value.violations[0].rule == "minProperties"


def test_plain_data_is_json():
    payload = Video(prompt="cat", path=[Point(x=0.5)], tags=("a",), extra={"deep": (1, {"a": (2,)})})
    assert json.loads(json.dumps(payload.to_dict())) == payload.to_dict()


def test_file_of_a_path_is_named_by_it_and_opens_anew(tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(b"meow")
    file = File(path)
    assert (file.name, file.content_type) == ("cat.png", "image/png")
    for _ in range(2):
        with file.open() as opened:
            assert opened.read() == b"meow"


def test_file_of_bytes_has_the_name_that_is_given():
    file = File(b"meow", name="cat.mp4")
    assert (file.name, file.content_type) == ("cat.mp4", "video/mp4")
    assert file.open().read() == file.open().read() == b"meow"


def test_file_of_an_open_file_starts_at_its_start_and_is_not_closed(tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(b"meow")
    with path.open("rb") as source:
        source.read(2)
        file = File(source)
        assert file.name == "cat.png"
        with file.open() as opened:
            assert opened.read() == b"meow"
        assert not source.closed
        with file.open() as opened:
            assert opened.read() == b"meow"


class Place:
    def __fspath__(self):
        return b"cat.png"


@pytest.mark.parametrize("place", [Path("cat.png"), Path("../here/cat.png"), Place(), "entry"], ids=range(4))
def test_file_of_a_path_is_the_same_wherever_the_program_goes(place, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    (here / "cat.png").write_bytes(b"meow")
    (tmp_path / "cat.png").write_bytes(b"another")
    monkeypatch.chdir(here)
    [entry] = os.scandir()
    given = entry if place == "entry" else place
    file = File(given)
    shown = repr(file)
    again = [file, copy.deepcopy(file), pickle.loads(pickle.dumps(file)), dataclasses.replace(file, name="dog.png")]
    assert file == File(given)
    monkeypatch.chdir(tmp_path)
    assert [item.open().read() for item in again] == [b"meow"] * 4
    assert (file.name, repr(file)) == ("cat.png", shown)
    assert str(tmp_path) not in shown


def test_file_of_a_buffer_needs_no_name():
    file = File(io.BytesIO(b"meow"))
    assert file.name
    assert file.content_type == "application/octet-stream"
    with file.open() as opened:
        assert opened.read() == b"meow"


def test_file_keeps_a_name_and_a_content_type_that_are_given(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"")
    file = File(path, name="cat.png", content_type="image/webp")
    assert (file.name, file.content_type) == ("cat.png", "image/webp")


def test_file_keeps_a_snapshot_of_bytes_that_can_change():
    data = bytearray(b"meow")
    file = File(data, name="cat.png")
    data[:] = b"woof"
    assert file.open().read() == b"meow"


def test_file_does_not_show_its_bytes():
    assert "meow" not in repr(File(b"meow", name="cat.png"))


class Awaited:
    """As frameworks hand over what was uploaded: its reading is awaited."""

    closed = False

    async def read(self, size: int = -1) -> bytes:
        return b"x" * size


OPENED = []


def opened(source):
    OPENED.append(source)
    return source


def fifo(folder):
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


FILE_ERRORS = [
    (lambda folder: File(folder / "none.png"), FileNotFoundError, "none.png"),
    (File, FileNotFoundError, "no file"),
    (lambda folder: File(b"x"), ValueError, "name='cat.png'"),
    (lambda folder: File("cat.png"), TypeError, "a local file is File(pathlib.Path('cat.png')), and an address"),
    (lambda folder: File(None), TypeError, "None"),
    (lambda folder: File(io.StringIO("x")), TypeError, "mode 'rb'"),
    (lambda folder: File(opened(tempfile.NamedTemporaryFile("w+"))), TypeError, "mode 'rb'"),  # noqa: SIM115
    (lambda folder: File(opened(tempfile.SpooledTemporaryFile(mode="w+"))), TypeError, "mode 'rb'"),  # noqa: SIM115
    (lambda folder: File(part for part in [b"x"]), TypeError, "reading bytes"),
    (lambda folder: File(opened(socket.socket())), TypeError, "reading bytes"),
    (lambda folder: File(opened(os.fdopen(os.pipe()[0], "rb"))), TypeError, "File(pipe.read(), name="),
    (lambda folder: File(fifo(folder)), FileNotFoundError, "fifo"),
    (lambda folder: File(Awaited()), TypeError, "File(await upload.read(), name="),
    (lambda folder: File(b"x", name="a", content_type="a\r\nX: y"), ValueError, "content type"),
    (lambda folder: File(b"x", name="a", content_type="ü"), ValueError, "content type"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), FILE_ERRORS)
def test_file_that_cannot_be_sent_is_refused(make, error, message, tmp_path):
    with pytest.raises(error, match=re.escape(message)):
        make(tmp_path)
    while OPENED:
        OPENED.pop().close()


def zipped(folder):
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("cat.png", b"meow")
    return zipfile.ZipFile(folder / "a.zip").open("cat.png")


def written(handle):
    handle.write(b"meow")
    return handle


SOURCES = {
    "bytearray": lambda folder: bytearray(b"meow"),
    "memoryview": lambda folder: memoryview(b"meow"),
    "buffer": lambda folder: io.BytesIO(b"meow"),
    "gzip": lambda folder: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"meow"))),
    "member of a zip": zipped,
    "named temporary file": lambda folder: written(tempfile.NamedTemporaryFile()),  # noqa: SIM115
    "temporary file": lambda folder: written(tempfile.TemporaryFile()),  # noqa: SIM115
    "spooled temporary file": lambda folder: written(tempfile.SpooledTemporaryFile()),  # noqa: SIM115
    "path of bytes": lambda folder: sorted(os.scandir(os.fsencode(folder)), key=repr).pop(),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_file_takes_whatever_can_be_read_again(kind, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"meow")
    source = SOURCES[kind](tmp_path)
    file = File(source, name="dog.png" if isinstance(source, (bytearray, memoryview)) else "")
    for _ in range(2):
        with file.open() as opened:
            assert opened.read() == b"meow"
    if hasattr(source, "close"):
        source.close()


def test_file_open_for_writing_alone_is_refused(tmp_path):
    with (tmp_path / "a.png").open("wb") as source, pytest.raises((TypeError, ValueError)):
        File(source)


def test_payload_knows_whether_it_holds_a_file():
    assert Video(prompt="cat", image=File(b"x", name="a.png")).goes_as_form()
    assert not Video(prompt="cat", image="https://a.example/b").goes_as_form()


def test_form_has_texts_as_they_are_and_other_values_as_json():
    payload = Video(prompt="cat", seed=None, loud=True, share=0.5, start={"x": 1}, extra={"deep": {"a": [1]}})
    texts, files = payload.to_multipart()
    assert files == []
    assert texts == [
        ("prompt", "cat"), ("feature", "video"), ("share", "0.5"), ("seed", "null"), ("loud", "true"),
        ("start", '{"x": 1}'), ("deep", '{"a": [1]}'),
    ]  # fmt: skip


def test_form_repeats_the_name_of_an_array():
    payload = Video(prompt="cat", tags=["a", "b"], path=[{"x": 0}, {"x": 1}])
    texts = payload.to_multipart()[0]
    assert [text for name, text in texts if name == "tags"] == ["a", "b"]
    assert [json.loads(text) for name, text in texts if name == "path"] == [{"x": 0}, {"x": 1}]


def test_form_holds_files_apart_and_uses_wire_names():
    file = File(b"x", name="a.png")
    texts, files = Video(prompt="cat", image=file, ninth="x").to_multipart()
    assert files == [("image", file)]
    assert ("9:16", "x") in texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame(BaseObject):
    image: Uri | File


@dataclass(frozen=True, slots=True, kw_only=True)
class Album(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    frames: Array[Frame] | Unset = UNSET
    images: Array[Uri | File] | Unset = UNSET


def test_form_mixes_files_and_addresses_of_one_array_in_order():
    first, last = File(b"1", name="1.png"), File(b"2", name="2.png")
    texts, files = Album(images=[first, "https://a.example/b", last]).to_multipart()
    assert texts == [("images", "https://a.example/b")]
    assert files == [("images", first), ("images", last)]


def test_a_file_inside_an_object_is_refused_where_the_form_is_made():
    payload = Album(frames=[{"image": File(b"1", name="1.png")}])
    assert payload.goes_as_form()
    with pytest.raises(PayloadError, match="frames: a form has no place for a file inside an object"):
        payload.to_multipart()


def test_null_beside_a_file_is_refused_where_the_form_is_made():
    payload = Video(prompt="cat", seed=None, image=File(b"x", name="a.png"))
    with pytest.raises(PayloadError, match="seed: the payload goes as a form, and a form has no null"):
        payload.to_multipart()


@pytest.mark.parametrize("value", [10**5000 + 1, -(10**5000), math.nan, math.inf], ids=["large", "small", "nan", "inf"])
@pytest.mark.parametrize("name", ["size", "share", "speed", "duration", "tags", "prompt", "loud", "path"])
def test_number_without_a_text_is_refused_with_a_message_of_one_line(name, value):
    assert all(len(violation.message) < 250 for violation in refused(**{name: value}))


def test_number_that_json_does_not_have_is_told_apart_from_one_of_the_wrong_type():
    assert only(step=math.nan).message == "nan is no number in JSON, not number"


def test_number_that_no_float_can_hold_is_compared_with_fractions():
    assert only(speed=10**400).nearest == 1.5


def test_nearest_of_a_number_of_thousands_of_digits_is_cut_in_the_message():
    with pytest.raises(PayloadError) as caught:
        Steps(by=10**4000 + 1)
    assert caught.value.violations[0].nearest == 10**4000
    assert len(str(caught.value)) < 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    by: Annotated[int, MultipleOf(5)]


def test_value_that_cannot_show_itself_is_refused_like_any_other():
    class Mute:
        def __repr__(self):
            raise KeyError("mute")

    assert only(loud=Mute()).rule == "type"


@pytest.mark.parametrize("name", ["extra", "tags", "duration", "speed"])
def test_what_holds_itself_is_refused(name):
    endless = []
    endless.append({"a": endless})
    with pytest.raises(PayloadError, match="nested too deeply, or holds itself"):
        Video(**{"prompt": "cat", name: {"a": endless} if name == "extra" else endless})


def test_long_data_uri_takes_little_memory():
    uri = "data:image/png;base64," + "A" * 1_000_000
    Video(prompt="cat", link="https://a.example/b")
    tracemalloc.start()
    try:
        Video(prompt="cat", link=uri)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_members_of_a_kept_mapping_cannot_be_changed():
    payload = Video(prompt="cat", extra={"deep": [{"a": 1}]})
    with pytest.raises(TypeError, match="does not change"):
        payload.extra["prompt"] = "dog"
    with pytest.raises(TypeError, match="does not change"):
        payload.extra["deep"][0].update(a=2)
    with pytest.raises(TypeError, match="does not change"):
        payload.extra.clear()
    assert payload.extra == {"deep": ({"a": 1},)}


def test_payload_with_a_mapping_has_a_hash():
    first, second = (Video(prompt="cat", extra={"a": [1, {"b": 2}]}) for _ in range(2))
    assert {first: 1}[second] == 1


@pytest.mark.parametrize("value", ["\ud800", 10**5000, {"b": 10**5000}], ids=["surrogate", "integer", "object"])
def test_value_without_a_text_is_refused_where_the_form_is_made(value):
    payload = Video(prompt="cat", image=File(b"x", name="a.png"), extra={"a": value})
    with pytest.raises(PayloadError, match="a: a form has no text for half a surrogate pair or a number of thousands"):
        payload.to_multipart()


def test_class_may_be_derived_from_in_a_module_that_imports_nothing(monkeypatch):
    elsewhere = types.ModuleType("elsewhere")
    monkeypatch.setitem(sys.modules, "elsewhere", elsewhere)
    derived = type("Derived", (Video,), {"__module__": "elsewhere"})
    assert derived(prompt="cat").to_dict() == {"prompt": "cat", "feature": "video"}
    with pytest.raises(PayloadError, match=r"elsewhere\.Derived"):
        derived(prompt="c")


@dataclass(frozen=True, slots=True, kw_only=True)
class ByImage(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT
    one_of: ClassVar[tuple[str, ...]] = ("ByImage", "ByVideo")

    image: str
    video: str | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class ByVideo(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT
    one_of: ClassVar[tuple[str, ...]] = ("ByImage", "ByVideo")

    video: str
    image: str | Unset = UNSET


def test_rivals_of_a_derived_class_are_those_of_its_base(monkeypatch):
    monkeypatch.setitem(sys.modules, "elsewhere", types.ModuleType("elsewhere"))
    derived = type("Derived", (ByImage,), {"__module__": "elsewhere"})
    assert derived(image="a").to_dict() == {"image": "a"}
    with pytest.raises(PayloadError, match="fit ByVideo as well"):
        derived(image="a", video="b")


def test_plain_data_may_say_that_a_field_is_unset():
    assert parse_payload({"prompt": "cat", "seed": UNSET}, Video).to_dict() == {"prompt": "cat"}
    with pytest.raises(PayloadError, match="prompt: is required"):
        parse_payload({"prompt": UNSET}, Video)


@pytest.mark.parametrize("name", [None, 1, ("a",)])
def test_name_that_is_no_string_is_refused(name):
    with pytest.raises(PayloadError, match="string, as a name is"):
        parse_payload({"prompt": "cat", name: 1}, Video)
    with pytest.raises(PayloadError, match="is no field of Closed"):
        parse_payload({"camera": "x", name: 1}, Closed)


class Counted(Mapping):
    """An object that counts how often it is shown."""

    def __init__(self, **members):
        self.members, self.shown = members, 0

    def __getitem__(self, name):
        return self.members[name]

    def __iter__(self):
        return iter(self.members)

    def __len__(self):
        return len(self.members)

    def __repr__(self):
        self.shown += 1
        return repr(self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosy(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    place: str | Array[str] | Point


def test_form_that_was_not_meant_is_not_put_into_words():
    given = Counted(x=0.5)
    assert Choosy(place=given).place == Point(x=0.5)
    assert parse_payload({"place": given}, Video, Choosy).place == Point(x=0.5)
    assert given.shown == 0


def test_value_that_no_form_takes_is_shown():
    given = Counted(x=0.5)
    assert only(loud=given).message == "{'x': 0.5} is object, not boolean"
    assert given.shown == 1


def test_threads_that_use_a_class_first_agree():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class New(BasePayload):
        endpoint: ClassVar[Endpoint] = ENDPOINT

        size: Annotated[int, Le(4)]

    start, seen = threading.Barrier(8), []

    def build():
        start.wait()
        try:
            New(size=5)
        except PayloadError as error:
            seen.append(error.violations[0].nearest)

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [4] * 8


@pytest.mark.parametrize("text", ["7", "7.0"])
def test_text_that_says_an_allowed_value_is_answered_with_it(text):
    assert only(seed=text).nearest == 7


def test_object_where_an_array_of_such_is_asked_is_answered_with_the_array():
    assert only(path={"x": 1}).nearest == [{"x": 1}]


def test_nearest_mends_several_faults_at_once():
    assert [violation.nearest for violation in refused(tags=["a", "a", "b", "c"])] == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize(("value", "nearest"), [(1.5, None), (-2, 0), (0.5, 0), ("-3", 0)])
def test_what_a_second_form_takes_as_well_is_not_the_nearest(value, nearest):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Sized(BasePayload):
        endpoint: ClassVar[Endpoint] = ENDPOINT

        size: Annotated[Annotated[int, MultipleOf(2), Ge(0)] | Annotated[int, Ge(1)], ExactlyOne()]

    with pytest.raises(PayloadError) as caught:
        Sized(size=value)
    assert caught.value.violations[0].nearest == nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(BaseObject):
    next: Annotated[Link | Literal["end"], ExactlyOne()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(BasePayload):
    endpoint: ClassVar[Endpoint] = ENDPOINT

    first: Link


def test_each_form_of_a_nested_union_is_tried_once():
    looks = []

    class Looked(dict):
        def keys(self):
            looks.append(1)
            return super().keys()

    value = "edn"
    for _ in range(12):
        value = Looked(next=value)
    with pytest.raises(PayloadError, match="'edn' is not 'end'"):
        Chain(first=value)
    assert len(looks) == 12


@pytest.mark.parametrize("space", ["\u202f", "\u00a0", "\u2009", "\u3000", "\u200d"])
def test_names_that_people_and_systems_give_to_files_are_taken(tmp_path, space):
    path = tmp_path / f"Screenshot 9.41.00{space}AM.png"
    path.write_bytes(b"x")
    assert File(path).name == path.name
    assert File(b"x", name=path.name).content_type == "image/png"


@pytest.mark.parametrize("mark", ["\r\n", "\n", "\x00", "\x7f", "\x85", "\u2028", "\ud800", os.fsdecode(b"\xff")])
def test_what_no_form_can_carry_of_a_name_is_replaced(mark):
    assert File(b"x", name=f"a{mark}b.png").name.strip("_") == f"a{'_' * len(mark)}b.png"


@pytest.mark.parametrize(
    "name", ['a"b.png', "a\\b.png", "..", "../a", "a" * 300, "猫.png", "🐈\u200d⬛.png", "a;b=c.png"]
)
def test_any_other_name_is_kept(name):
    assert File(b"x", name=name).name == name


class Bare:
    def read(self, size: int = -1) -> bytes:
        return b"x" * size


@pytest.mark.parametrize("source", [Awaited(), Bare(), 5, "cat.png"])
def test_what_cannot_be_read_as_it_is_sent_is_refused_at_once(source):
    with pytest.raises(TypeError, match="a file open for reading bytes"):
        File(source)


@pytest.mark.parametrize("start", ["https://", "https://a.example/", "a:", ""])
@pytest.mark.parametrize("unit", ["a", "a.", "/", "%41", "@", ":"])
def test_an_address_of_a_megabyte_is_judged_within_a_second(start, unit):
    text = start + unit * (1_000_000 // len(unit))
    began = time.process_time()
    with suppress(PayloadError):
        Video(prompt="cat", link=f"{text}#%")
    assert time.process_time() - began < 1
