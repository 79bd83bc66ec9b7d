"""What the guides in docs/ show is what happens, and links between the pages lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from skills_video_runtime.sandbox import Sandbox
from tests.support import children, warm
from tests.support.children import finished, started

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
RENDERED = ROOT / "docs" / "review-example.md"
GUIDES = (
    "agents",
    "batch",
    "choosing",
    "command-line",
    "errors",
    "events",
    "files",
    "first-video",
    "many",
    "many-machines",
    "network",
    "never-pay-twice",
    "payloads",
    "platform",
    "testing",
    "webhooks",
)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

DELIVERED = f"""
import json
from datetime import UTC, datetime
from fastapi.testclient import TestClient
from standardwebhooks import Webhook

body = json.dumps({{"type": "task.completed", "prediction": {{"id": "gen_1", "state": "succeeded"}}}})
now = datetime.now(UTC)
headers = {{
    "webhook-id": "msg_1",
    "webhook-timestamp": str(int(now.timestamp())),
    "webhook-signature": Webhook("{SECRET}").sign("msg_1", now, body),
}}
caller = TestClient(app)
for text in (body, body, body + " "):
    answer = caller.post("/skills-video", content=text, headers=headers)
    print(answer.status_code, answer.json().get("is_new"))
"""


def text_of(page):
    return (ROOT / "docs" / f"{page}.md").read_text("utf-8")


def programs(page):
    return re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL)


def run(folder, *arguments, **environment):
    done = warm.finished([sys.executable, *arguments], cwd=folder, env=children.environment(**environment))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("page", "number", "printed"),
    [
        ("agents", 0, r"\[.*'kling_v2_6-MotionControl'\]\nduration: 7 is not .* allowed: 5\nCOMPLETED\n"),
        ("batch", 2, r"\{'COMPLETED': 3\} 48.0\n"),
        ("choosing", 0, r"[\s\S]*\nkling_v2_6 \(5, 10\) \(\)\n[\s\S]*\nKling V2.6 Video\n"),
        ("choosing", 1, r"[\s\S]*\ngoogle/veo-3.1\n[\s\S]*\nCOMPLETED\n"),
        ("choosing", 2, r"Payload\(prompt='neon rain', duration=8\)\nduration: 10 becomes 8\n"),
        ("choosing", 3, r"5\nCOMPLETED\n"),
        ("payloads", 0, r"None motion-control\nduration enum 7 6\nresolutoin additionalProperties 720p resolution\n"),
        ("never-pay-twice", 0, r"row-17 kling-ai/kling-v2.6 COMPLETED\n1 removed\n"),
        ("first-video", 0, r"IN_QUEUE\nIN_PROGRESS\nCOMPLETED\nout\S+\.mp4\n"),
        ("files", 0, r"video/mp4 1\n"),
        ("many", 0, r"(ready: (neon rain|first snow|a paper boat)\n){3}"),
        ("many", 1, r"row-1 COMPLETED\nrow-2 COMPLETED\n"),
        ("files", 2, r"out.rain.mp4\nb'ftyp'\nTrue\nTrue\n"),
        ("events", 0, r"gen_000001 IN_QUEUE \n(gen_000001 \w+ \n)*gen_000001 COMPLETED \n"),
        ("events", 1, r"\{\n    \"name\": \"generate_content kling-ai/kling-v2.6\",\n(?!.*neon)[\s\S]*\}\n"),
        ("errors", 0, r"COMPLETED\n"),
        ("network", 0, r"(POST|GET) /api/v1/generation/\S+\n"),
        ("files", 1, r"(\[\w+\('out/row-17-0.mp4'\)\]\n){2}"),
        ("network", 1, r"100000\n"),
        ("network", 2, r"100000\n"),
        ("webhooks", 1, r"task.created \w+ IN_QUEUE\ntask.started \w+ IN_PROGRESS\ntask.completed \w+ COMPLETED\n"),
        ("testing", 1, r"True\n"),
    ],
)
def test_program_prints_what_is_said(page, number, printed, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    with Sandbox(speed=200) as sandbox:
        given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
        told = run(tmp_path, "-c", programs(page)[number], **given)
    assert re.fullmatch(printed, told), told


def test_the_server_takes_a_message_once_and_refuses_a_forged_one(tmp_path):
    told = run(tmp_path, "-W", "ignore", "-c", programs("webhooks")[0] + DELIVERED, SKILLS_VIDEO_WEBHOOK_SECRET=SECRET)
    assert told == "gen_1 is ready\n200 True\n200 False\n400 None\n"


def test_an_uncertain_row_is_settled_as_is_shown(tmp_path):
    batch = ("-m", "skills_video", "batch")
    rows = re.findall(r"```json\n(.*?)```", text_of("batch"), re.DOTALL)[0]
    (tmp_path / "jobs.jsonl").write_text(rows, "utf-8")
    with Sandbox(speed=200) as sandbox:
        sandbox.plan("drop-before", "drop-before")
        given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
        made = finished([sys.executable, *batch, "run", "jobs.jsonl", "--out", "videos"], cwd=tmp_path, env=given)
        assert (made.returncode, made.stderr.count("UNCERTAIN")) == (3, 2)
        run(tmp_path, "-c", programs("batch")[0], **given)
        told = finished([sys.executable, *batch, "audit", "videos"], cwd=tmp_path, env=given).stdout
    assert "row-17 gen_1: the platform knows no such generation" in told


def test_the_tests_that_are_shown_pass(tmp_path):
    (tmp_path / "test_shown.py").write_text(programs("testing")[0], "utf-8")
    told = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    assert "3 passed" in told


def test_every_program_is_run():
    assert {page: len(programs(page)) for page in GUIDES if programs(page)} == {
        "agents": 1, "batch": 3, "choosing": 4, "errors": 1, "events": 2, "files": 3, "first-video": 1, "many": 2,
        "many-machines": 3, "network": 3, "never-pay-twice": 1, "payloads": 1, "testing": 2, "webhooks": 2,
    }  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize(("page", "count", "videos"), [("command-line", 6, 3), ("files", 1, 1), ("first-video", 1, 1)])
def test_the_commands_that_are_shown_make_videos(page, count, videos, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    shown = "".join(re.findall(r"```sh\n(.*?)```", text_of(page), re.DOTALL)).replace("\\\n", "").splitlines()
    of_catalog = re.compile("skills-video (run|models|template) ")
    commands = [
        line.replace("skills-video", f"{sys.executable} -m skills_video") for line in shown if of_catalog.match(line)
    ]
    assert len(commands) == count
    with Sandbox(speed=200) as sandbox:
        given = {"SKILLS_VIDEO_API_KEY": sandbox.api_key, "SKILLS_VIDEO_BASE_URL": sandbox.url}
        for command in commands:
            done = finished(["sh", "-c", command], cwd=tmp_path, env={"PATH": os.environ["PATH"], **given})
            assert done.returncode == 0, done.stderr
        sent = [dict(generation.input) for generation in sandbox.generations()]
    assert len(sent) == videos
    assert all(body.get("prompt") or body["feature"] == "motion-control" for body in sent)


def test_the_sandbox_starts_as_is_shown(tmp_path):
    [shown] = re.findall(r"^skills-video (sandbox .*)$", text_of("testing"), re.MULTILINE)
    with started([sys.executable, "-m", "skills_video", *shlex.split(shown), "--port", "0"], cwd=tmp_path) as server:
        assert server.stdout.readline().startswith("skills.video sandbox: http://127.0.0.1:")


@pytest.mark.parametrize("page", sorted({*PAGES, ROOT / "CHANGELOG.md"} - {RENDERED}), ids=lambda page: page.stem)
def test_a_page_has_lines_of_at_most_100_characters(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE).splitlines()
    assert [line for line in prose if len(line) > 100 and not line.startswith("|") and " " in line] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles], link
