"""What the catalog tells of a model beyond its names."""

from __future__ import annotations

import pytest

from tests.support.project import description

URI = {"type": "string", "format": "uri"}
TEXT = {"type": "string"}


def traits(project, schema):
    project.write(description({"acme/one": schema}))
    assert project.run() == 0
    [info] = project.load("catalog").MODELS
    return info.takes, info.durations, info.resolutions


def shaped(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("properties", "takes"),
    [
        ({"image_url": URI}, ("image",)),
        ({"sourceVideoURL": URI}, ("video",)),
        ({"audio_url": TEXT}, ("audio",)),
        ({"first_frame": URI}, ("image", "frames", "first_frame")),
        ({"image_url": URI, "end_image_url": URI}, ("image", "frames", "last_frame")),
        ({"startImageUrl": URI, "tail_image": URI}, ("image", "frames", "first_frame", "last_frame")),
        ({"keyframes": {"type": "array", "items": URI}}, ("image", "frames")),
        ({"reference_images": {"type": "array", "items": URI}}, ("image", "references")),
        ({"ref_video_url": URI, "audio_url": URI}, ("video", "audio", "references")),
        ({"first_name": TEXT, "reference": TEXT}, ()),
        ({"elements": {"type": "array", "items": shaped(video=shaped(url=URI))}}, ("video",)),
        ({"video_url": {"anyOf": [URI, {"type": "null"}]}}, ("video",)),
        ({"generate_audio": {"type": "boolean"}, "image_style": TEXT, "num_frames": {"type": "integer"}}, ()),
        ({"media_url": URI}, ()),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_addresses_and_files_are_taken_as_their_names_say(project, properties, takes):
    assert traits(project, shaped(prompt=TEXT, **properties))[0] == takes


@pytest.mark.parametrize(
    ("name", "schema", "durations"),
    [
        ("duration", {"type": "integer", "enum": [10, 5]}, (5, 10)),
        ("seconds", {"enum": ["4", "8"]}, ("4", "8")),
        ("video_duration", {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 3}, (3, 6, 9)),
        ("durationSeconds", {"type": "integer", "exclusiveMinimum": 3, "maximum": 5}, (4, 5)),
        ("duration", {"type": "number", "minimum": 0.5, "maximum": 15}, ("0.5-15",)),
        ("duration", {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2}, {"const": "auto"}]}, (1, 2, "auto")),
        ("duration", {"type": "integer", "minimum": 1}, ()),
        ("duration", {"type": "integer", "minimum": 1, "maximum": 10**400}, ()),
        ("start_seconds", {"enum": [1, 2]}, ()),
    ],
)
def test_durations_are_the_values_that_the_field_allows(project, name, schema, durations):
    assert traits(project, shaped(**{name: schema}))[1] == durations


@pytest.mark.parametrize(
    ("name", "schema", "resolutions"),
    [
        ("resolution", {"enum": ["1080p", "720p"]}, ("1080p", "720p")),
        ("size", {"enum": ["1280x720", "auto"]}, ("1280x720", "auto")),
        ("quality", {"enum": ["360p", "turbo"]}, ("360p",)),
        ("quality", {"enum": ["standard", "pro"]}, ()),
        ("resolution", TEXT, ()),
    ],
)
def test_resolutions_are_the_values_that_the_field_allows(project, name, schema, resolutions):
    assert traits(project, shaped(**{name: schema}))[2] == resolutions


def test_variants_count_together(project):
    def variant(title, **properties):
        return {**shaped(kind={"const": title}, **properties), "title": title, "required": ["kind"]}

    schema = {"oneOf": [variant("a", duration={"enum": [8]}), variant("b", duration={"enum": [4]}, video_url=URI)]}
    assert traits(project, schema) == (("video",), (4, 8), ())


@pytest.mark.parametrize(
    ("name", "schema", "makes_sound"),
    [
        ("generate_audio", {"type": "boolean"}, True),
        ("sound", {"enum": ["on", "off"]}, True),
        ("with_audio", {"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ("enableSound", {"const": False}, False),
        ("audio", {"enum": ["off"]}, False),
        ("keep_original_sound", {"type": "boolean"}, None),
        ("sound", {"enum": ["rain", "wind"]}, None),
        ("audio", URI, None),
        ("prompt", TEXT, None),
    ],
)
def test_sound_is_made_where_a_switch_asks_for_it(project, name, schema, makes_sound):
    project.write(description({"acme/one": shaped(**{name: schema})}))
    assert project.run() == 0
    assert project.load("catalog").MODELS[0].makes_sound is makes_sound


@pytest.mark.parametrize("name", ["aspect_ratio", "ratio", "videoAspectRatio"])
def test_aspect_ratios_are_the_values_that_the_field_allows(project, name):
    project.write(description({"acme/one": shaped(**{name: {"enum": ["16:9", "9:16", "auto"]}})}))
    assert project.run() == 0
    assert project.load("catalog").MODELS[0].aspect_ratios == ("16:9", "9:16", "auto")


def test_the_catalog_is_asked_by_id_module_and_place(project):
    project.write(description({"acme/one": shaped(prompt=TEXT), "acme/two": shaped(prompt=TEXT)}))
    assert project.run() == 0
    models = project.load("catalog").MODELS
    assert models["acme/two"] is models["acme_two"] is models[1] is models[-1] is models.get("acme_two")
    assert models[:1] == (models[0],)
    assert [info.module for info in models] == ["acme_one", "acme_two"]
    assert "acme/one" in models
    assert models[0] in models
    assert "acme/three" not in models
    assert models.get("acme/three") is None
    with pytest.raises(KeyError, match="acme/three"):
        models["acme/three"]
