"""Verbs that are given a model's name and plain data instead of a payload."""

from __future__ import annotations

import asyncio
import sys

import pytest

from skills_video import AsyncClient, Client, PayloadError, catalog, kling_v2_6
from skills_video_runtime.sandbox import Sandbox
from tests.support.children import finished

MODEL = "kling-ai/kling-v2.6"
DATA = {"prompt": "neon rain", "duration": 10}
POSTED = kling_v2_6.parse(DATA).to_dict()
WRONG = {
    "of no model": (("kling-ai/kling-v2.5", DATA), KeyError, "nearest are .*kling-ai/kling-v2.5-turbo, "),
    "of a wrong value": ((MODEL, {"prompt": "neon rain", "duration": 7}), PayloadError, "nearest allowed: 5"),
    "without a field": ((MODEL, {}), PayloadError, "prompt"),
    "without data": ((MODEL,), TypeError, "is no payload"),
    "for a payload": ((kling_v2_6.parse(DATA), DATA), TypeError, "id or module of a model"),
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(queue_seconds=0, work_seconds=0) as running:
        yield running


@pytest.mark.parametrize("model", [MODEL, "kling_v2_6"])
def test_each_verb_posts_what_the_model_parses(sandbox, model):
    before = sandbox.made(MODEL, POSTED)
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.01) as client:
        assert client.generate(model, DATA).is_finished
        assert [state.is_finished for state in client.stream(model, DATA)][-1]
        assert client.wait(client.submit(model, DATA).id).is_finished
    assert sandbox.made(MODEL, POSTED) == before + 3


def test_each_verb_of_the_asynchronous_client_does_so_too(sandbox):
    async def work():
        async with AsyncClient(sandbox.api_key, sandbox.url, poll_interval=0.01) as client:
            await client.generate(MODEL, DATA)
            async for _ in client.stream(MODEL, DATA):
                pass
            await client.submit(MODEL, DATA)

    before = sandbox.made(MODEL, POSTED)
    asyncio.run(work())
    assert sandbox.made(MODEL, POSTED) == before + 3


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("verb", ["generate", "stream", "submit"])
def test_what_cannot_be_built_is_refused_and_nothing_is_sent(sandbox, name, verb):
    arguments, error, told = WRONG[name]
    before = sandbox.made()
    with Client(sandbox.api_key, sandbox.url) as client, pytest.raises(error, match=told):
        list(getattr(client, verb)(*arguments))
    assert sandbox.made() == before


def test_without_the_package_of_the_models_the_error_says_what_to_import():
    code = "from skills_video_runtime import Client; Client('a-key').generate('kling-ai/kling-v2.6', {})"
    done = finished([sys.executable, "-c", code])
    assert done.stderr.splitlines()[-1].startswith("LookupError: no models are known: import Client")


def test_a_catalog_asked_for_an_unknown_model_names_the_nearest():
    with pytest.raises(KeyError, match=r"'veo-3'; the nearest are google/veo-3\.1"):
        catalog.parse("veo-3", {})
    with pytest.raises(KeyError, match="nearest are"):
        catalog.MODELS[""]
