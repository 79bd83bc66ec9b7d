"""A payload that holds the API key is refused before it is recorded or sent."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from skills_video_runtime import errors
from skills_video_runtime.client import Client
from skills_video_runtime.payloads.file import File
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, RUNNING, STREAM, Drop, Scripted, answer, events, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOLDERS: dict[str, Callable[[], Any]] = {
    "a prompt": lambda: Payload(prompt=f"neon {KEY} rain"),
    "an address": lambda: Payload(image=f"https://cdn.example/a.png?token={quote(KEY)}"),
    "in base64": lambda: Payload(prompt=base64.b64encode(f"Bearer {KEY}".encode()).decode()),
    "an array": lambda: Payload(images=["https://cdn.example/a.png", KEY]),
    "beside a file": lambda: Payload(prompt=KEY, image=File(b"png", name="a.png")),
    "the name of a file": lambda: Payload(image=File(b"png", name=f"{KEY}.png")),
}
VERBS: dict[str, Callable[[Any, Any], Any]] = {
    "generate": lambda client, payload: client.generate(payload, key="row-1"),
    "submit": lambda client, payload: client.submit(payload),
    "stream": lambda client, payload: client.stream(payload),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_payload_with_the_key_is_neither_recorded_nor_sent(
    mode: str, verb: str, holder: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(STREAM, events(state("COMPLETED"))).on(CREATE, answer(200, state("COMPLETED")))
    with pytest.raises(errors.PayloadError, match="holds the API key") as caught:
        use(mode, server.base, lambda client: VERBS[verb](client, HOLDERS[holder]()), journal=tmp_path / "jobs.db")
    told = f"{caught.value} {caught.value!r} {vars(caught.value)} {caught.value.to_dict()}"
    assert KEY not in told
    assert server.requests == []
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_payload_with_a_key_that_a_function_gives_is_not_sent(
    mode: str, holder: str, server: Scripted, tmp_path: Path
) -> None:
    server.on(STREAM, events(state("COMPLETED"))).on(CREATE, answer(200, state("COMPLETED")))
    options: dict[str, Any] = {"api_key": lambda: KEY, "journal": tmp_path / "jobs.db"}
    for _ in range(2):
        with pytest.raises(errors.PayloadError, match="holds the API key"):
            use(mode, server.base, lambda client: client.generate(HOLDERS[holder]()), **options)
    assert server.requests == []
    assert use(mode, server.base, lambda client: client.recover(), **options) == []


def test_one_of_many_with_the_key_is_refused_alone(mode: str, server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    given = [Payload(prompt=KEY), Payload(prompt="neon rain")]
    results = use(mode, server.base, lambda client: client.generate_many(given, limit=1))
    assert [type(result.error) for result in results] == [errors.PayloadError, type(None)]
    assert server.count(STREAM) == 1


def test_a_record_that_holds_the_key_is_not_posted_again(server: Scripted, tmp_path: Path) -> None:
    server.on(STREAM, [Drop]).on(RUNNING, answer(200, []))
    journal = tmp_path / "jobs.db"
    with pytest.raises(errors.SubmissionUncertain):
        use("sync", server.base, lambda client: client.generate(Payload()), journal=journal)
    with closing(sqlite3.connect(journal)) as file, file:  # as an earlier release wrote it
        file.execute("UPDATE submission SET payload = ?", (json.dumps({"prompt": f"see {KEY}"}),))
    sent = len(server.requests)
    [entry] = use("sync", server.base, lambda client: client.recover(), journal=journal, on_lost_submission="resubmit")
    assert isinstance(entry.error, errors.PayloadError)
    assert {request.method for request in server.requests[sent:]} == {"GET"}


def test_a_short_key_may_be_part_of_any_payload(server: Scripted) -> None:
    server.on(STREAM, events(state("COMPLETED")))
    with Client("rain", server.base) as client:
        assert client.generate(Payload(prompt="neon rain")).status == "COMPLETED"
