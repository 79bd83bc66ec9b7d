"""A client spends no more than it may, as far as the answers tell what they cost."""

from __future__ import annotations

import pytest

from skills_video import BudgetExceeded, Client, SkillsVideoError, google_veo_3_1
from skills_video_runtime.budget import Budget
from skills_video_runtime.sandbox import Sandbox
from skills_video_runtime.testing import fast_time
from tests.support.scripted import answer, state

EIGHT_SECONDS = google_veo_3_1.Payload(prompt="neon rain", duration=8)
PRICE = 16  # credits of the sandbox
CREATE, RESULT = f"POST /api{EIGHT_SECONDS.endpoint.create}", "GET /api/generation/gen_1"


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


def client_of(sandbox, max_credits):
    return Client(sandbox.api_key, sandbox.url, poll_interval=0.05, max_credits=max_credits)


@pytest.mark.parametrize(("most", "made"), [(1, 1), (16, 1), (17, 2), (32, 2), (33, 3)])
def test_the_post_after_the_budget_is_refused(most, made, sandbox):
    with client_of(sandbox, most) as client:
        for _ in range(made):
            client.generate(EIGHT_SECONDS)
        for verb in (client.generate, client.submit, lambda payload: list(client.stream(payload))):
            with pytest.raises(BudgetExceeded, match=f"{made * PRICE} of {most} credits are spent") as caught:
                verb(EIGHT_SECONDS)
            assert isinstance(caught.value, SkillsVideoError)
    assert sandbox.made() == made
    assert sandbox.credits_charged == made * PRICE


def test_a_post_that_was_refused_is_not_made_again_once_the_budget_is_spent(server):
    with Client("some-secret-key", server.base, max_credits=PRICE) as client:
        fast_time(client)

        def refuse(_):
            client.wait("gen_1")  # which ends while the other post waits
            return answer(429, {})

        server.on(CREATE, answer(200, state("IN_QUEUE")), refuse, answer(200, state("IN_QUEUE", "gen_2")))
        server.on(RESULT, answer(200, state("COMPLETED", usage={"total": PRICE})))
        client.submit(EIGHT_SECONDS)
        with pytest.raises(BudgetExceeded, match=f"{PRICE} of {PRICE} credits are spent"):
            client.submit(EIGHT_SECONDS)
    assert [request.method for request in server.requests] == ["POST", "POST", "GET"]


def test_each_generation_counts_once_however_often_it_is_seen(sandbox):
    with client_of(sandbox, 40) as client:
        first = client.submit(EIGHT_SECONDS)
        for _ in range(3):
            client.wait(first.id)
        client.generate(EIGHT_SECONDS)
        client.generate(EIGHT_SECONDS)
        with pytest.raises(BudgetExceeded):
            client.generate(EIGHT_SECONDS)
    assert sandbox.made() == 3


@pytest.mark.parametrize("verb", [lambda client: client.get("gen_1"), lambda client: client.running()])
def test_what_a_question_tells_of_a_generation_counts(verb, server):
    told = state("IN_PROGRESS", usage={"total": PRICE})
    server.on(CREATE, answer(200, state("IN_QUEUE"))).on(RESULT, answer(200, told))
    server.on("GET /api/generations/running", answer(200, [told, state("IN_QUEUE", "gen_2", usage={"total": 1})]))
    with Client("some-secret-key", server.base, max_credits=PRICE) as client:
        client.submit(EIGHT_SECONDS)
        verb(client)
        with pytest.raises(BudgetExceeded, match=f"{PRICE} of {PRICE} credits are spent"):
            client.submit(EIGHT_SECONDS)


def test_many_stop_at_the_budget(sandbox):
    with client_of(sandbox, 3 * PRICE) as client:
        results = list(client.generate_many([EIGHT_SECONDS] * 20, limit=2))
    refused = [result for result in results if isinstance(result.error, BudgetExceeded)]
    assert 3 <= sandbox.made() <= 4
    assert len(refused) == 20 - sandbox.made()


@pytest.mark.parametrize("most", [0, -1, float("nan"), float("inf"), True, "20"])
def test_a_budget_that_is_none(most, sandbox):
    with pytest.raises(ValueError, match="max_credits"):
        client_of(sandbox, most)


def test_what_is_told_at_the_end_alone_counts_once_and_for_its_generation():
    budget = Budget(40)
    assert not budget.knows("gen_1")
    for told in (None, 0, 16, 16, 12):
        budget.count("gen_1", told)
    assert (budget.knows("gen_1"), budget.spent) == (True, 16)
    budget.count("gen_2", 24)
    with pytest.raises(BudgetExceeded, match="40 of 40"):
        budget.check()
