"""A key of the caller's own names a submission: it is posted once, whatever happens and in whatever process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skills_video import AsyncClient, Client, google_veo_3_1
from skills_video_runtime import errors
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time

ROOT = Path(__file__).parents[2]
PAYLOAD = google_veo_3_1.Payload(prompt="neon rain")
OTHER = google_veo_3_1.Payload(prompt="neon snow")


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


@pytest.fixture
def opened(sandbox, tmp_path):
    """Give a client with a journal that outlives it."""

    def opened(**options):
        client = Client(sandbox.api_key, sandbox.url, journal=tmp_path / "jobs.db", poll_interval=0.05, **options)
        fast_time(client)
        return client

    return opened


def test_the_same_key_gives_the_same_generation_in_any_process(sandbox, opened):
    with opened() as client:
        first = client.generate(PAYLOAD, key="row-17")
        again = client.generate(PAYLOAD, key="row-17")
    with opened() as client:
        states = list(client.stream(PAYLOAD, key="row-17"))
        submitted = client.submit(PAYLOAD, key="row-17")
        assert [record.key for record in client.history()] == ["row-17"]
    assert {first.id, again.id, states[-1].id, submitted.id} == {first.id}
    assert submitted.is_finished
    assert again.videos == first.videos
    assert sandbox.made() == 1


def test_what_was_begun_under_a_key_is_told_whether_it_is_over_or_not(sandbox, opened):
    with opened() as client:
        assert client.known("row-17") is None
        begun = client.submit(PAYLOAD, key="row-17")
        under_way = client.known("row-17")
        client.wait(begun.id)
        over = client.known("row-17")
    assert (under_way.key, under_way.id, under_way.status, under_way.ended) == ("row-17", begun.id, None, None)
    assert (over.id, over.status, over.begun) == (begun.id, "COMPLETED", under_way.begun)


def test_a_journal_is_that_of_the_folder_in_which_its_client_was_made(sandbox, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Client(sandbox.api_key, sandbox.url, journal="jobs.db", poll_interval=0.05) as client:
        fast_time(client)
        first = client.generate(PAYLOAD, key="row-17")
        monkeypatch.chdir("elsewhere")
        assert client.generate(PAYLOAD, key="row-17").id == first.id
    assert list(tmp_path.glob("**/*.db")) == [tmp_path / "jobs.db"]


def test_other_keys_and_none_are_generations_of_their_own(sandbox, opened):
    with opened() as client:
        ids = {client.generate(PAYLOAD, key=key).id for key in ("a", "b", None, None)}
    assert len(ids) == sandbox.made() == 4


@pytest.mark.parametrize("fault", ["drop-after", "silence-after", "500-after", "cut:10", "drop-after-id", "end-early"])
def test_a_lost_answer_is_found_under_its_key(fault, sandbox, opened):
    sandbox.plan(f"{fault},slow:100000")
    sandbox.arm("running-500:99")
    with opened(stream_idle_timeout=0.3, timeout=5) as client, pytest.raises(errors.SkillsVideoError):
        client.generate(PAYLOAD, key="row-17")
    assert sandbox.made() == 1
    sandbox.advance(100_000)
    with opened(stream_idle_timeout=0.3, timeout=5) as client:
        try:
            assert client.generate(PAYLOAD, key="row-17").is_finished
        except errors.SubmissionUncertain:
            [entry] = client.recover()
            assert entry.key == "row-17"
    assert sandbox.made() == 1


def test_what_was_refused_may_be_posted_under_its_key(sandbox, opened):
    sandbox.plan("redirect:https://example.org/", "")
    with opened() as client:
        with pytest.raises(errors.InvalidRequest):
            client.generate(PAYLOAD, key="row-17")
        assert client.generate(PAYLOAD, key="row-17").is_finished
        assert client.generate(PAYLOAD, key="row-17").is_finished
    assert sandbox.made() == 1


def test_what_failed_is_not_made_again(sandbox, opened):
    sandbox.plan("failed:VIDEO_GENERATION_FAILED:no")
    with opened() as client:
        for _ in range(2):
            with pytest.raises(errors.GenerationFailed):
                client.generate(PAYLOAD, key="row-17")
    assert sandbox.made() == 1


@pytest.mark.parametrize("other", [OTHER, google_veo_3_1.Payload(prompt="neon rain", duration=4)])
def test_a_key_of_another_payload_is_refused(other, sandbox, opened):
    with opened() as client:
        client.generate(PAYLOAD, key="row-17")
        with pytest.raises(ValueError, match="key: 'row-17' is that of another payload: give this one a key"):
            client.generate(other, key="row-17")
    assert sandbox.made() == 1


@pytest.mark.parametrize("key", ["", " \n", "a\nb", "x" * 201, "\0"])
def test_a_text_that_is_no_key(key, sandbox, opened):
    with opened() as client, pytest.raises(ValueError, match="key is a printable text"):
        client.generate(PAYLOAD, key=key)
    assert sandbox.made() == 0


@pytest.mark.parametrize("key", [17, b"row", ("row",), True])
def test_what_is_no_text(key, sandbox, opened):
    with opened() as client, pytest.raises(TypeError, match="key is a text"):
        client.generate(PAYLOAD, key=key)
    assert sandbox.made() == 0


def test_the_api_key_is_no_key_of_ones_own(sandbox, opened):
    with opened() as client, pytest.raises(ValueError, match="API key") as caught:
        client.generate(PAYLOAD, key=f"my {sandbox.api_key}")
    assert sandbox.api_key not in str(caught.value)


def test_a_key_needs_a_journal(sandbox):
    with Client(sandbox.api_key, sandbox.url) as client, pytest.raises(ValueError, match="needs a journal"):
        client.generate(PAYLOAD, key="row-17")
    assert sandbox.made() == 0


def test_threads_with_one_key_make_one(sandbox, tmp_path):
    journal = tmp_path / "jobs.db"
    with Client(sandbox.api_key, sandbox.url, journal=journal) as client, ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: client.generate(PAYLOAD, key="row-17"), range(8)))
    assert len({generation.id for generation in made}) == sandbox.made() == 1


def test_tasks_with_one_key_make_one(sandbox, tmp_path):
    async def main():
        journal = tmp_path / "jobs.db"
        async with AsyncClient(sandbox.api_key, sandbox.url, journal=journal, poll_interval=0.05) as client:
            return await asyncio.gather(*(client.generate(PAYLOAD, key="row-17") for _ in range(8)))

    assert len({generation.id for generation in asyncio.run(main())}) == sandbox.made() == 1


def test_the_owner_settles_by_the_key(sandbox, opened):
    sandbox.plan("drop-before")
    with opened(timeout=3) as client:
        with pytest.raises(errors.SubmissionUncertain):
            client.generate(PAYLOAD, key="row-17")
        client.settle("row-17")
        assert client.recover() == []
        assert client.generate(PAYLOAD, key="row-17").is_finished
    assert sandbox.made() == 1


CHILD = """
import sys
from skills_video import Client, google_veo_3_1
with Client(*sys.argv[1:3], journal=sys.argv[3]) as client:
    for state in client.stream(google_veo_3_1.Payload(prompt="neon rain"), key="row-17"):
        print(state.id, flush=True)
"""


def test_a_process_that_is_killed_is_followed_by_the_next(sandbox, opened, tmp_path):
    sandbox.plan("slow:100000")
    arguments = [sys.executable, "-c", CHILD, sandbox.api_key, sandbox.url, str(tmp_path / "jobs.db")]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        name = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
    sandbox.advance(100_000)
    with opened() as client:
        assert client.generate(PAYLOAD, key="row-17").id == name
    assert sandbox.made() == 1
