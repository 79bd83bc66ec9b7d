"""What an answer to a post tells is believed, be it an error; what it leaves open is never paid for twice."""

from __future__ import annotations

import pytest

from skills_video_runtime.classify import api_error
from skills_video_runtime.errors import APIError, ContentRejected, InsufficientCredits, SubmissionUncertain
from skills_video_runtime.generations.outcomes import Answer, Ended, Opened
from tests.support.simulation import Get, Next, Payload, Post, World, call_of, perform, work_of

DONE = {"id": "gen_1", "status": "COMPLETED", "data": {"video": {"url": "https://a.example/1.mp4"}}}


def drive(answers, **settings):
    """Drive `generate` on answers by kind of step, and give what it ended in and the paths of its posts and gets."""
    world, paths, outcome = World(), [], None
    work = work_of(call_of(world, **settings).generate(Payload()), world)
    try:
        while True:
            step, outcome = work.send(outcome), None
            if isinstance(step, Post):
                step.post.begun = True
            if isinstance(step, (Post, Get)):
                paths.append(step.path)
            if isinstance(step, (Post, Get, Next)):
                outcome = answers(step)
            else:
                perform(world, step, answers)
    except StopIteration as stop:
        return stop.value, paths
    finally:
        work.close()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_an_error_that_tells_a_generation_and_its_state_is_followed_and_not_posted_again(status):
    def answers(step):
        return Answer(status, {"id": "gen_1", "status": "IN_QUEUE"}) if isinstance(step, Post) else Answer(200, DONE)

    result, paths = drive(answers)
    assert result.id == "gen_1"
    assert len([path for path in paths if "sse" in path or path.endswith("one")]) == 1


def test_a_refusal_that_tells_an_id_carries_it():
    with pytest.raises(APIError) as caught:
        drive(lambda step: Answer(422, {"id": "gen_1", "message": "no"}))
    assert caught.value.generation_id == "gen_1"


def test_an_error_that_tells_an_id_alone_is_not_posted_again():
    def answers(step):
        return Answer(503, {"id": "what_1", "message": "busy"}) if isinstance(step, Post) else Answer(200, [])

    with pytest.raises(SubmissionUncertain, match="what_1"):
        drive(answers)


@pytest.mark.parametrize("item", ["gen_1", ["gen_1"], {"generation_id": "gen_1"}, {"id": None}, {"id": 1.5}], ids=str)
def test_a_running_list_that_cannot_be_read_allows_no_second_post(item):
    posts = []

    def answers(step):
        if isinstance(step, Post):
            posts.append(step.path)
            return Answer(503, {"message": "busy"})
        return Answer(200, [item])

    with pytest.raises(SubmissionUncertain):
        drive(answers)
    assert len(posts) == 1


@pytest.mark.parametrize("text", ["Stop uploading files larger than 5 MB", "desktop uploads are not supported"])
def test_words_that_hold_other_words_are_not_taken_for_missing_credits(text):
    assert not isinstance(api_error(400, {"message": text}, text), InsufficientCredits)


@pytest.mark.parametrize("text", ["INSUFFICIENT_CREDITS", "not enough  credits", "please top up", "top-up needed"])
def test_missing_credits_are_told_by_the_text_alone(text):
    assert isinstance(api_error(400, {"message": text}, text), InsufficientCredits)


def test_a_legacy_error_counts_where_the_code_is_unknown():
    body = {"error": "INSUFFICIENT_CREDITS", "code": "BILLING_ERROR", "message": "no"}
    assert isinstance(api_error(400, body, ""), InsufficientCredits)


@pytest.mark.parametrize(
    "text", ["enable_safety_checker: expected boolean", "value rejected: duration must be 5 or 10"]
)
def test_a_validation_message_is_not_taken_for_moderation(text):
    assert not isinstance(api_error(422, {"message": text}, text), ContentRejected)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_missing_stream_endpoint_that_tells_an_id_is_not_followed_by_a_second_post(status):
    posts = []

    def answers(step):
        if isinstance(step, Post):
            posts.append(step.path)
            return Answer(status, {"id": "gen_1", "message": "no"})
        return Answer(200, [])

    with pytest.raises((APIError, SubmissionUncertain)) as caught:
        drive(answers)
    assert caught.value.generation_id == "gen_1"
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, 'ReadError: reset: {"id": "gen_1", "status": "IN_QU'),
        ({"result": {"id": "gen_1"}}, '{"result": {"id": "gen_1"}}'),
        ({"made": [{"generationId": "gen_1"}]}, '{"made": [{"generationId": "gen_1"}]}'),
        (None, 'data: {"id":"gen_1","status":"IN_QUEUE"}'),
    ],
)
def test_a_success_that_tells_an_id_in_another_way_carries_it(body, text):
    with pytest.raises(SubmissionUncertain) as caught:
        drive(lambda step: Answer(200, body, text) if isinstance(step, Post) else Answer(200, []))
    assert caught.value.generation_id == "gen_1"


def test_a_stream_that_broke_within_the_event_that_tells_the_id_carries_it_and_is_not_posted_again():
    posts = []

    def reply(step):
        posts.extend([step] if isinstance(step, Post) else [])
        broken = Ended("cut", text='data: {"id": "gen_1", "sta')
        return {Post: Opened(200, {}), Next: broken, Get: Answer(200, [])}[type(step)]

    with pytest.raises(SubmissionUncertain) as caught:
        drive(reply, on_lost="resubmit")
    assert (caught.value.generation_id, len(posts)) == ("gen_1", 1)


def test_an_event_without_a_status_is_no_state():
    told = [{"id": "gen_1", "status": "IN_QUEUE"}, {"type": "heartbeat"}, {"id": "gen_1"}, DONE]
    result, paths = drive(lambda step: Opened(200, {}) if isinstance(step, Post) else told.pop(0))
    assert (result.status, told, len(paths)) == ("COMPLETED", [], 1)
