"""`models --costs`: what one's own journal tells of the credits that each model took."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from skills_video import Client, kling_v2_6, openai_sora_2
from skills_video_runtime.sandbox import Sandbox
from tests.support.processes import call

KLING, SORA = "kling-ai/kling-v2.6", "openai/sora-2"


def costs(journal, *more):
    done = call("models", "--costs", "--journal", str(journal), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def spent(tmp_path_factory):
    """Give a journal, and what each model took."""
    journal = tmp_path_factory.mktemp("spent") / "videos.db"
    payloads = [openai_sora_2.Payload(prompt="cat")]
    payloads += [kling_v2_6.TextImageToVideo(prompt="cat", duration=length) for length in (5, 10, 10)]
    with (
        Sandbox(queue_seconds=0, work_seconds=0) as sandbox,
        Client(sandbox.api_key, sandbox.url, journal=journal) as client,
    ):
        took = [client.generate(payload).usage.total for payload in payloads]
        assert [record.credits for record in client.history()] == took
    assert took[1] < took[2]
    return journal, {SORA: took[0], KLING: took[2]}


def test_the_median_of_each_model_is_told_the_cheapest_first(spent):
    journal, medians = spent
    told = json.loads(costs(journal, "--json"))
    assert [(item["id"], item["credits"]) for item in told] == sorted(medians.items(), key=lambda item: item[1])


def test_a_journal_of_a_release_that_recorded_no_credits_records_them_from_now_on(spent, tmp_path):
    journal = shutil.copy(spent[0], tmp_path / "older.db")
    with closing(sqlite3.connect(journal)) as file:
        file.execute("DROP TABLE cost")
    assert "tells no credits" in costs(journal)
    with (
        Sandbox(queue_seconds=0, work_seconds=0) as sandbox,
        Client(sandbox.api_key, sandbox.url, journal=journal) as client,
    ):
        assert {record.credits for record in client.history()} == {None}
        client.generate(openai_sora_2.Payload(prompt="cat"))
        assert [record.credits for record in client.history()][-1] == spent[1][SORA]


def test_only_the_models_that_are_asked_for_are_told_and_where_prices_are(spent):
    told = costs(spent[0], "--sound")
    assert KLING in told
    assert SORA not in told
    assert "https://skills.video/pricing" in told


def test_a_journal_that_tells_nothing_is_told(tmp_path):
    journal = tmp_path / "videos.db"
    journal.touch()
    assert "tells no credits" in costs(journal)
    assert json.loads(costs(journal, "--json")) == []


@pytest.mark.parametrize("given", [(), ("--journal", "nowhere.db")])
def test_without_a_journal_it_says_what_is_missing(given, tmp_path):
    done = call("models", "--costs", *given, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--journal" in done.stderr
    assert list(tmp_path.iterdir()) == []
