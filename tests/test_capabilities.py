"""A description that offers more than models: a package is made of it, and runs against a sandbox that serves it."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from generator.__main__ import main
from skills_video_runtime import AsyncClient, Client, File, GenerationFailed, NotFound, NotOffered, PermissionDenied
from skills_video_runtime.catalog import PACKAGES
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time, forget_generations
from tests.support.children import finished
from tests.support.processes import call, environment
from tests.support.project import navigation, pages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = Path(__file__).parents[1] / "specs" / "openapi.json"
MODEL = "kling-ai/kling-v2.6"
KEY = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string", "format": "uuid"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
LAST = {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}}
EVENTS = {"200": {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}
CANCEL = {"parameters": [ID], "responses": {"200": {"description": "Canceled"}}}
CREATE = f"POST /api/v1/generation/{MODEL}"
STREAM = f"POST /api/v1/generation/sse/{MODEL}"
RESULT = "GET /api/v1/generation/{id}"
RUNNING = "GET /api/v1/generations/running"
SUBSCRIBE = "GET /api/v1/predictions/{id}/subscribe"


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A package of one model, of a description that offers all that the runtime knows how to use."""
    folder = tmp_path_factory.mktemp("offering")
    document = json.loads(SPECS.read_text("utf-8"))
    paths = [path for path in document["paths"] if MODEL in path or not path.startswith("/generation/")]
    document["paths"] = {path: document["paths"][path] for path in [*paths, "/generation/{id}"]}
    for path in paths:
        if MODEL in path:
            document["paths"][path]["post"]["parameters"] = [KEY]
    document["paths"]["/generation/{id}"]["delete"] = CANCEL
    document["paths"]["/predictions/{id}/subscribe"] = {"get": {"parameters": [ID, LAST], "responses": EVENTS}}
    openapi, docs = folder / "openapi.json", folder / "docs.json"
    openapi.write_text(json.dumps(document), "utf-8")
    docs.write_text(json.dumps(navigation(*pages_of([MODEL]))), "utf-8")
    options = ["--openapi", str(openapi), "--docs", str(docs), "--out", str(folder / "offering")]
    assert main(["generate", *options, "--strict"]) == 0
    before = [*PACKAGES]
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    model = importlib.import_module("offering.kling_v2_6")
    PACKAGES[:] = ["offering"]
    yield SimpleNamespace(
        folder=folder, openapi=openapi, payload=model.TextImageToVideo(prompt="neon rain"), model=model
    )
    PACKAGES[:] = before
    sys.path.remove(str(folder))


@pytest.fixture
def sandbox(offering: Any) -> Iterator[Sandbox]:
    with Sandbox(openapi=offering.openapi, speed=1000) as server:
        yield server


@contextmanager
def client_of(sandbox: Sandbox, **more: Any) -> Iterator[Client]:
    with Client(sandbox.api_key, sandbox.url, stream_idle_timeout=0.3, **more) as client:
        fast_time(client)
        yield client


def values(sandbox: Sandbox) -> list[str]:
    return [request.headers["idempotency-key"] for request in sandbox.seen if request.method == "POST"]


def test_each_post_has_a_value_of_its_own(offering: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    with client_of(sandbox, journal=tmp_path / "jobs.db") as client:
        for key in (None, "row-17"):
            client.submit(offering.payload, key=key)
            client.generate(offering.payload)
    assert len(set(values(sandbox))) == sandbox.made() == 4
    assert "row-17" not in values(sandbox)


LOST = ("drop-after", "drop-after:reset", "500-after", "502-after", "504-after", "silence-after", "cut:3,json", "cut:9")


def test_a_lost_answer_is_paid_for_once_though_no_list_tells_of_it(offering: Any, sandbox: Sandbox) -> None:
    sandbox.arm("running-403:999")
    with client_of(sandbox) as client:
        for number, fault in enumerate(LOST, 1):
            sandbox.plan(fault, fault)
            assert client.generate(offering.payload).videos, fault
            assert sandbox.made() == number, fault
            assert len(values(sandbox)) == 3 * number, fault
            assert len(set(values(sandbox))) == number, fault


def test_what_the_list_tells_is_taken_and_not_posted_again(offering: Any, sandbox: Sandbox) -> None:
    sandbox.plan("drop-after,slow:1e6,ignore-key".replace("1e6", "1000000"))
    with client_of(sandbox, timeout=30) as client:
        assert client.submit(offering.payload).id == sandbox.generations()[0].id
    assert (sandbox.made(), len(values(sandbox))) == (1, 1)


def test_a_form_is_the_same_to_the_byte_when_it_is_posted_again(offering: Any, sandbox: Sandbox) -> None:
    sandbox.plan("drop-after")
    sandbox.arm("running-403:99")
    cat = File(b"\x89PNG", name="cat.png", content_type="image/png")
    with client_of(sandbox) as client:
        payload = offering.model.TextImageToVideo(prompt="the cat turns its head", image_url=cat)
        assert client.generate(payload).videos
    assert (sandbox.made(), sandbox.requests[CREATE]) == (1, 2)


def test_a_platform_that_is_described_to_know_posts_and_does_not_may_be_paid_twice(
    offering: Any, sandbox: Sandbox
) -> None:
    sandbox.plan("drop-after,ignore-key")
    sandbox.arm("running-403:99")
    with client_of(sandbox) as client:
        assert client.generate(offering.payload).videos
    assert sandbox.made() == 2


DIES = """
import os, signal, sys
from offering import Client, kling_v2_6
from skills_video_runtime.testing import IOProxy, replace_io

class Dies(IOProxy):
    async def post(self, post, patience, silence):
        await self.io.post(post, patience, silence)
        os.kill(os.getpid(), signal.SIGKILL)

with Client(journal=sys.argv[1]) as client:
    replace_io(client, Dies)
    client.generate(kling_v2_6.TextImageToVideo(prompt="neon rain"), key="row-17")
"""


@pytest.mark.parametrize("way", ["recover", "key"])
def test_what_was_killed_after_its_post_is_had_by_the_next_process(
    way: str, offering: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    journal = tmp_path / "jobs.db"
    environ = environment(sandbox, PYTHONPATH=str(offering.folder))
    assert finished([sys.executable, "-c", DIES, journal], env=environ).returncode == -9
    assert sandbox.made() == 1
    sandbox.arm("running-403:99")
    with client_of(sandbox, journal=journal) as client:
        forget_generations(client)
        if way == "key":
            found = client.generate(offering.payload, key="row-17")
        else:
            [recovered] = client.recover()
            found = recovered.generation
        assert found is not None
        assert found.videos
        assert client.recover() == []
    assert (sandbox.made(), len(set(values(sandbox)))) == (1, 1)
    assert sandbox.requests[STREAM] == 2


@pytest.fixture
def still(offering: Any) -> Iterator[Sandbox]:
    """A sandbox whose clock only a test moves."""
    with Sandbox(openapi=offering.openapi, speed=0) as server:
        yield server


def test_what_is_under_way_is_canceled(offering: Any, still: Sandbox, tmp_path: Path) -> None:
    with client_of(still, journal=tmp_path / "jobs.db") as client:
        for fault in ("", "cancel-drop", "cancel-503:2", "cancel-429"):
            still.plan(fault)
            name = client.submit(offering.payload).id
            assert client.cancel(name).status == "CANCELED", fault
            assert client.recover() == [], fault
            assert client.cancel(name).status == still.status(name) == "CANCELED", fault
            with pytest.raises(GenerationFailed):
                client.wait(name)


def test_one_that_waits_for_it_is_told(offering: Any, still: Sandbox) -> None:
    async def both() -> tuple[Any, str]:
        async with AsyncClient(still.api_key, still.url) as client:
            states = client.stream(offering.payload)
            first = await anext(states)
            canceled = await client.cancel(first.id)
            with pytest.raises(GenerationFailed) as caught:
                async for _ in states:
                    pass
            return caught.value.generation, canceled.status

    generation, status = asyncio.run(both())
    assert (generation.status, status) == ("CANCELED", "CANCELED")
    assert still.requests[RESULT] == 0


def test_one_that_is_over_is_given_as_it_is_and_stays_in_the_journal_until_it_is_had(
    offering: Any, still: Sandbox, tmp_path: Path
) -> None:
    with client_of(still, journal=tmp_path / "jobs.db") as client:
        name = client.submit(offering.payload).id
        still.advance(1000)
        assert client.cancel(name).videos
        [recovered] = client.recover()
        assert recovered.generation is not None
        with pytest.raises(NotFound):
            client.cancel("gen_999999")


def test_what_is_refused_goes_on(offering: Any, still: Sandbox) -> None:
    still.plan("cancel-403:9,result-403:9")
    with client_of(still) as client, pytest.raises(PermissionDenied):
        client.cancel(client.submit(offering.payload).id)


@pytest.mark.parametrize("name", ["", ".", "a\nb"])
def test_what_is_no_id_is_not_asked_for(name: str, still: Sandbox) -> None:
    with client_of(still) as client, pytest.raises(ValueError, match="no id"):
        client.cancel(name)
    assert still.seen == ()


def test_without_such_an_endpoint_nothing_is_sent(still: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skills_video_runtime.catalog.PACKAGES", ["skills_video"])
    with client_of(still) as client, pytest.raises(NotOffered, match="describes no endpoint"):
        client.cancel("gen_1")
    assert still.seen == ()


def test_the_command_line_cancels(offering: Any, still: Sandbox) -> None:
    with client_of(still) as client:
        name = client.submit(offering.payload).id
    path = {"PYTHONPATH": str(offering.folder)}
    done = call("cancel", name, "--json", sandbox=still, package="offering", **path)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "CANCELED")
    refused = call("cancel", name, sandbox=still)
    assert refused.returncode == 1
    assert "describes no endpoint" in refused.stderr
    assert still.requests["DELETE /api/v1/generation/{id}"] == 1


BREAKS = {"drop-after-id": 1, "drop-after-id:reset": 1, "end-early:1": 1, "end-early:2": 2}


def test_a_stream_that_breaks_is_taken_up_again_after_the_event_that_was_told(offering: Any, sandbox: Sandbox) -> None:
    with client_of(sandbox) as client:
        for fault, told in BREAKS.items():
            before = len(sandbox.seen)
            sandbox.plan(fault)
            states = [state.status for state in client.stream(offering.payload)]
            assert states == list(dict.fromkeys(states)), fault
            assert states[-1] == "COMPLETED", fault
            _, taken_up = sandbox.seen[before:]
            assert (taken_up.method, taken_up.path.rpartition("/")[2]) == ("GET", "subscribe"), fault
            assert taken_up.headers["last-event-id"] == str(told), fault


def test_one_that_says_nothing_is_polled(offering: Any, sandbox: Sandbox) -> None:
    sandbox.plan("silence:1")
    with client_of(sandbox) as client:
        assert client.generate(offering.payload).videos
    assert (sandbox.requests[SUBSCRIBE], sandbox.requests[RESULT]) == (0, 1)


def test_one_that_cannot_be_taken_up_is_polled(offering: Any, sandbox: Sandbox) -> None:
    with client_of(sandbox) as client:
        for number, trouble in enumerate(("404", "503", "drop", "429"), 1):
            sandbox.plan(f"end-early:1,subscribe-{trouble}")
            assert client.generate(offering.payload).videos
            assert (sandbox.requests[SUBSCRIBE], sandbox.made()) == (number, number)
    assert sandbox.requests[RESULT] >= 4


def test_a_post_without_the_required_header_is_refused_and_one_of_another_payload_as_well(
    offering: Any, sandbox: Sandbox
) -> None:
    import httpx  # noqa: PLC0415  # for this alone

    url = f"{sandbox.url}/generation/{MODEL}"
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    assert httpx.post(url, json={"prompt": "a"}, headers=headers).status_code == 400
    headers["Idempotency-Key"] = "k"
    codes = [httpx.post(url, json={"prompt": prompt}, headers=headers).status_code for prompt in ("a", "a", "b")]
    assert codes == [200, 200, 422]
    assert sandbox.made() == 1
