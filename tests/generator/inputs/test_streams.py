"""Models whose streams no description has: made all the same, streamed or polled, against a platform that has none."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generator.__main__ import main
from skills_video_runtime import Client
from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished
from tests.support.project import description, navigation, operation, pages_of

SPECS = Path(__file__).parents[3] / "specs"
BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
STATUSES = [400, 404, 405, 501]


def without_streams(openapi):
    paths = {path: item for path, item in openapi["paths"].items() if "/generation/sse/" not in path}
    return {**openapi, "paths": paths}


def set_up(project, **choices):
    config = project.folder / "pyproject.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in choices.items()]
    config.write_text("\n".join(["[tool.generator]", *lines, ""]), "utf-8")
    return ["--config", str(config)]


def test_the_whole_platform_without_its_streams_is_made_with_one_note(project, capsys):
    openapi = json.loads((SPECS / "openapi.json").read_text("utf-8"))
    project.write(without_streams(openapi), json.loads((SPECS / "docs.json").read_text("utf-8")))
    assert project.run("generate", "--strict", *set_up(project)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("31 models; ")
    notes = [line for line in err.splitlines() if "stream" in line]
    assert len(notes) == 1
    assert notes[0].startswith(f"note: {project.docs.as_posix()}: no stream is described of 31 of 31 models")
    module = project.load("kling_v2_6")
    assert module.ENDPOINT.stream == "/generation/sse/kling-ai/kling-v2.6"
    assert not module.ENDPOINT.stream_is_described
    assert "No stream of it is described" in module.__doc__


def test_streams_that_are_described_say_nothing_of_it(project):
    project.write(description({"acme/one": BODY}))
    assert project.run() == 0
    assert "stream_is_described" not in project.text("acme_one.py") + project.text("catalog.py")
    assert project.load("acme_one").ENDPOINT.stream_is_described


def test_a_model_is_polled_without_trying_where_the_settings_say_so(project, capsys):
    project.write(without_streams(description({"acme/one": BODY})))
    assert project.run("generate", *set_up(project, streams="described")) == 0
    assert "note: " in capsys.readouterr().err
    module = project.load("acme_one")
    assert module.ENDPOINT.stream is None
    assert "No stream of it is described, so it is polled." in module.__doc__
    assert project.load("catalog").MODELS[0].endpoint == module.ENDPOINT


def test_a_stream_without_a_create_endpoint_is_made_if_its_generation_can_be_asked_for(project):
    openapi = description({"acme/one": BODY, "acme/two": BODY})
    del openapi["paths"]["/generation/acme/two"]
    openapi["paths"]["/v1/generation/{generation_id}"] = {"get": {"responses": {}}}
    project.write(openapi, navigation(*pages_of(["acme/one", "acme/two"])))
    assert project.run() == 0
    endpoint = project.load("acme_two").ENDPOINT
    assert (endpoint.stream, endpoint.create) == ("/generation/sse/acme/two", "/generation/acme/two")
    assert "Only its stream is described" in project.load("acme_two").__doc__


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"streams": "always"}, 'streams is \'always\'; "by-rule" or "described" is expected'),
        ({"streams": True}, "streams is True"),
        ({"stream": "by-rule"}, "says stream, which means nothing"),
        ({"group": 5}, "group is 5; a name is expected, or a list of names"),
        ({"group": []}, "group is []"),
        ({"group": ["Videos", " "]}, "group is ['Videos', ' ']"),
    ],
)
def test_a_choice_that_means_nothing_is_an_error(choices, words, project, capsys):
    project.write(description({"acme/one": BODY}))
    assert project.run("list", *set_up(project, **choices)) == 2
    assert words in capsys.readouterr().err


class Platform:
    """A platform that has no streams: its stream endpoints refuse all with one status."""

    def __init__(self, status, create_status=200):
        self.asked, self.made = [], 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                platform.asked.append(self.path)
                if "/sse/" in self.path:
                    self.answer(status, {"message": "no such route"})
                else:
                    platform.made += 1
                    self.answer(create_status, {"id": f"gen_{platform.made}", "status": "IN_QUEUE"})

            def do_GET(self):
                self.answer(
                    200,
                    {
                        "id": self.path.rpartition("/")[2],
                        "status": "COMPLETED",
                        "data": {"video": {"url": "https://a.b/c.mp4"}},
                    },
                )

            def answer(self, code, body):
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextlib.contextmanager
def client_of_sandbox(openapi):
    with (
        Sandbox(openapi=openapi, speed=1000) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url, poll_interval=0.01) as client,
    ):
        yield client


def streamless(project):
    project.write(without_streams(description({"acme/one": BODY, "acme/two": BODY})))
    assert project.run() == 0
    return project.load("acme_one"), project.load("acme_two")


@pytest.mark.parametrize("status", STATUSES)
def test_a_stream_that_is_not_there_is_left_for_the_create_endpoint_and_remembered(status, project):
    one, two = streamless(project)
    with Platform(status) as platform, Client("key", base_url=platform.url, poll_interval=0.01) as client:
        for module in (one, one, two):
            assert client.generate(module.Payload(prompt="x")).id == f"gen_{platform.made}"
    stems = [path.removeprefix("/api/v1/generation/") for path in platform.asked]
    assert stems == ["sse/acme/one", "acme/one", "acme/one", "sse/acme/two", "acme/two"]


def test_a_request_that_both_endpoints_refuse_is_no_sign_of_a_missing_stream(project):
    one, _ = streamless(project)
    with Platform(400, 400) as platform, Client("key", base_url=platform.url) as client:
        for _ in range(2):
            with pytest.raises(Exception, match="400"):
                client.generate(one.Payload(prompt="x"))
    assert len([path for path in platform.asked if "/sse/" in path]) == 2


def test_the_sandbox_serves_a_model_without_a_stream(project):
    one, _ = streamless(project)
    with client_of_sandbox(project.openapi) as client:
        result = client.generate(one.Payload(prompt="x"))
        assert [state.status for state in client.stream(one.Payload(prompt="x"))][-1] == "COMPLETED"
    assert result.status == "COMPLETED"
    assert result.videos


def test_a_model_without_a_stream_is_shown_and_generated_by_the_command_line(project):
    project.write(without_streams(description({"acme/one": BODY})))
    assert project.run("generate", *set_up(project, streams="described")) == 0
    with Sandbox(openapi=project.openapi, speed=1000) as sandbox:
        environment = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url, "COLUMNS": "120"}
        for arguments in (["show", "acme/one"], ["run", "acme/one", "--set", "prompt=x", "--poll-interval", "0.01"]):
            command = [sys.executable, "-m", project.name, *arguments]
            done = finished(command, cwd=project.folder, env={**os.environ, **environment})
            assert done.returncode == 0, done.stderr
            assert "sse" not in done.stdout
    assert "COMPLETED" in done.stdout


GROUPS = {"Images": 5, "images ": 5, "Videos": 31}


@pytest.mark.parametrize("group", GROUPS)
def test_another_group_makes_its_modules(group, project, capsys):
    docs = json.loads((SPECS / "docs.json").read_text("utf-8"))
    project.write(json.loads((SPECS / "openapi.json").read_text("utf-8")), copy.deepcopy(docs))
    assert main(["list", "--json", "--openapi", str(project.openapi), *set_up(project, group=group)]) == 0
    assert len(json.loads(capsys.readouterr().out)["models"]) == GROUPS[group]


def test_images_are_made_beside_videos_and_can_be_called(project):
    docs = json.loads((SPECS / "docs.json").read_text("utf-8"))
    project.write(json.loads((SPECS / "openapi.json").read_text("utf-8")), docs)
    assert project.run("generate", "--strict", *set_up(project, group=["Images", "Videos"])) == 0
    assert len(project.load("catalog").MODELS) == 36
    image = project.load("z_image")
    with client_of_sandbox(project.openapi) as client:
        assert client.generate(image.Payload(prompt="a cat")).status == "COMPLETED"


def test_a_group_that_is_not_there_names_those_that_are(project, capsys):
    docs = {"navigation": {"tabs": [
        {"tab": "Guides", "groups": [{"group": "Start", "pages": ["quickstart"]}]},
        {"tab": "API", "groups": [{"group": "Video Models", "pages": ["POST /generation/acme/one"]},
                                  {"group": "Vidoes", "pages": []}]},
    ]}}  # fmt: skip
    project.write(description({"acme/one": operation(BODY)}), docs)
    assert project.run("list") == 2
    err = capsys.readouterr().err
    assert (
        "has no group named 'Videos', so no model is selected; the groups there are: 'Guides', 'Start', 'API'," in err
    )
    assert "may be meant: 'Video Models' (#/navigation/tabs/1/groups/0), 'Vidoes' (#/navigation/tabs/1/groups/1)" in err
    assert "set group in [tool.generator] of pyproject.toml" in err
