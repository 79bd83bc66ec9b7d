"""What is logged: one line a request, for a reader, and no address that is a secret."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import httpx

from skills_video_runtime.client import Client
from skills_video_runtime.generations.states import MediaFile
from tests.support.callers import Payload, use
from tests.support.scripted import CREATE, KEY, RESULT, STREAM, Drop, Scripted, answer, events, state

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LINE = re.compile(r"(GET|POST) /[a-z0-9_/]+ → (\d{3}|[A-Z]\w+: .+) after \d+\.\d s")


def test_each_request_is_one_line_that_a_reader_understands(
    mode: str, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "skills_video")
    server.on(STREAM, answer(429, {}), answer(404, {})).on(CREATE, answer(200, state("IN_QUEUE")))
    server.on(RESULT, [Drop], answer(500, {}), answer(200, state("COMPLETED")))
    use(mode, server.base, lambda client: client.generate(Payload()))
    lines = [record.getMessage() for record in caplog.records if record.name == "skills_video"]
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert len(lines) == len(server.requests) == 6
    assert lines[0].startswith("POST /generation/sse/acme/one → 429 after ")


def test_signatures_of_addresses_are_kept_out_of_the_log_of_httpx(
    mode: str, server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "httpx")
    server.on("GET /api/old.mp4", answer(302, {}, Location="/api/v.mp4?signature=secret-2"))
    server.on("GET /api/v.mp4", answer(200, b"video", kind="video/mp4"))
    video = MediaFile(f"{server.base}/old.mp4?signature=secret-1")
    use(mode, server.base, lambda client: client.download(video, tmp_path))
    assert [request.target[-8:] for request in server.requests] == ["secret-1", "secret-2"]
    assert "secret" not in caplog.text
    assert f"{server.base}/v.mp4 " in caplog.text


def test_what_others_log_by_httpx_stays_as_it_is(
    server: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "httpx")
    server.on("GET /api/v.mp4", answer(200, b"video", kind="video/mp4"))
    server.on(STREAM, events(state("COMPLETED")))
    with httpx.Client() as mine, Client(KEY, server.base, http_client=mine) as client:
        client.download(MediaFile(f"{server.base}/v.mp4?signature=secret"), tmp_path)
        mine.get(f"{server.base}/v.mp4?page=2")
    assert "secret" not in caplog.text
    assert "v.mp4?page=2" in caplog.text
