"""An error that a caller's own function raises on the way says which generation goes on, and asks for no other."""

from __future__ import annotations

import pytest

from skills_video import Client, google_veo_3_1
from skills_video_runtime import RetryPolicy
from skills_video_runtime.errors import ConnectionFailed, NotFound, ServerError
from skills_video_runtime.sandbox import Sandbox

PAYLOAD = google_veo_3_1.Payload(prompt="rain")


@pytest.fixture
def sandbox():
    with Sandbox(speed=1000) as sandbox:
        yield sandbox


def failing(client):
    """Give functions that fail in ways of this library, with the class of the error."""

    def raises(_):
        raise ConnectionFailed("of something else")

    return {
        NotFound: lambda _: client.get("gen_of_nobody"),
        ServerError: lambda _: client.credits(),
        ConnectionFailed: raises,
    }


@pytest.mark.parametrize("kind", [NotFound, ServerError, ConnectionFailed])
@pytest.mark.parametrize("hook", ["on_state", "on_event"])
def test_the_error_of_a_hook_tells_the_generation_and_is_not_to_be_retried(kind, hook, sandbox):
    sandbox.arm("credits-503:9")
    with Client(sandbox.api_key, sandbox.url, poll_interval=0.1, retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(kind) as caught:
            client.generate(PAYLOAD, **{hook: failing(client)[kind]})
        (made,) = [item.id for item in sandbox.generations()]
        assert not caught.value.retryable
        assert made in f"{caught.value.generation_id} {caught.value.__notes__}"
        assert client.wait(made).status == "COMPLETED"


def test_many_are_taken_no_more_once_the_iterable_has_raised(sandbox):
    class Payloads:
        """An iterator that goes on after it has failed."""

        count = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.count += 1
            if self.count == 2:
                raise OSError("no more")
            if self.count > 5:
                raise StopIteration
            return google_veo_3_1.Payload(prompt=f"rain {self.count}")

    with Client(sandbox.api_key, sandbox.url) as client, pytest.raises(OSError, match="no more"):
        list(client.generate_many(Payloads(), limit=2))
    assert sandbox.made() == 1
