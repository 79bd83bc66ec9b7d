"""`doctor`, `get`, `running`, `credits`, `explain-error`."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.support.processes import call, made, strict

BY_CODE = '{"code": "VIDEO_GENERATION_FAILED"}'


@pytest.fixture
def answering():
    """Begin a server that gives one answer to everything; its address."""
    servers = []

    def begin(body):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return {
            "SKILLS_VIDEO_BASE_URL": f"http://127.0.0.1:{server.server_port}",
            "SKILLS_VIDEO_API_KEY": "some-secret-key",
        }

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def test_doctor_is_well_and_never_shows_the_key(sandbox):
    done = call("doctor", sandbox=sandbox)
    assert done.returncode == 0
    for text in ("skills-video ", "httpx ", "present", sandbox.url, "(reachable)", "total 100000"):
        assert text in done.stdout
    assert sandbox.api_key not in done.stdout + done.stderr


def test_doctor_without_a_key_says_how_to_get_one():
    done = call("doctor")
    assert done.returncode == 1
    for text in ("https://skills.video/dashboard/developer", '"Create API Key"', "export SKILLS_VIDEO_API_KEY="):
        assert text in done.stdout


def test_doctor_tells_a_key_that_is_refused(sandbox):
    done = call("doctor", sandbox=sandbox, SKILLS_VIDEO_API_KEY="wrong-secret-key")
    assert done.returncode == 21
    assert "wrong-secret-key" not in done.stdout + done.stderr
    assert "(reachable)" in done.stdout


def test_doctor_tells_an_address_that_cannot_be_reached():
    done = call("doctor", "--json", SKILLS_VIDEO_API_KEY="some-key", SKILLS_VIDEO_BASE_URL="http://127.0.0.1:9/api/v1")
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["key"], facts["reachable"], facts["exit_code"]) == (24, True, False, 24)


def test_doctor_tells_an_address_that_is_not_trusted():
    done = call("doctor", SKILLS_VIDEO_API_KEY="some-key", SKILLS_VIDEO_BASE_URL="http://example.com/api/v1")
    assert (done.returncode, done.stderr) == (1, "")
    assert "http://example.com/api/v1 (not tried)" in done.stdout


def test_an_address_that_is_not_trusted_is_bad_usage():
    done = call("credits", SKILLS_VIDEO_API_KEY="some-key", SKILLS_VIDEO_BASE_URL="http://example.com/api/v1")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1:4912/api/v1", ", not '127.0.0.1:4912/api/v1'"),
        ("http://example.com/", ", not 'http://example.com'"),
        ("user:password@example.com", ""),
        ("ftp://example.com?token=secret", ""),
        ("a-key-in-the-wrong-place", ""),
    ],
)
def test_an_address_that_cannot_be_used_is_told_by_its_variable(address, shown):
    done = call("credits", SKILLS_VIDEO_API_KEY="some-key", SKILLS_VIDEO_BASE_URL=address)
    must = "must be https://, or http:// to this machine, without user name, query and spaces"
    assert done.stderr == f"error: SKILLS_VIDEO_BASE_URL {must}{shown}\n"


def test_get_running_and_credits_answer_for_readers_and_programs(still):
    assert made(still) == "gen_000001"
    assert "IN_QUEUE" in call("get", "gen_000001", sandbox=still).stdout
    assert json.loads(call("get", "gen_000001", "--json", sandbox=still).stdout)["id"] == "gen_000001"
    assert "neon rain" in call("running", sandbox=still).stdout
    assert [item["id"] for item in json.loads(call("running", "--json", sandbox=still).stdout)] == ["gen_000001"]
    assert "total " in call("credits", sandbox=still).stdout
    assert json.loads(call("credits", "--json", sandbox=still).stdout)["total"] > 0


def test_get_of_what_is_not_there_is_not_found(sandbox):
    done = call("get", "gen_9", sandbox=sandbox)
    assert (done.returncode, done.stdout) == (23, "")


@pytest.mark.parametrize("limit", ["0", "101"])
def test_running_refuses_limits_that_the_platform_does_not_have(limit, sandbox):
    done = call("running", "--limit", limit, sandbox=sandbox)
    assert (done.returncode, "from 1 to 100" in done.stderr) == (1, True)
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("status", "body", "category", "code", "again"),
    [
        (400, '{"message": "no"}', "invalid_request", 22, False),
        (401, "", "authentication", 21, False),
        (402, "", "insufficient_credits", 20, False),
        (403, '{"error": {"message": "not yours"}}', "permission", 21, False),
        (400, "You have insufficient credits", "insufficient_credits", 20, False),
        (404, "{}", "not_found", 23, False),
        (422, '{"code": "VIDEO_GENERATION_CONTENT_REJECTED", "message": "m"}', "content_rejected", 22, False),
        (422, '{"message": "bad"}', "validation", 22, False),
        (429, "", "rate_limited", 24, True),
        (503, "<html><body>Bad gateway</body></html>", "server", 24, True),
        (502, '{"code": "VIDEO_GENERATION_FAILED"}', "server", 24, True),
    ],
)
def test_an_error_is_explained_by_its_code_its_status_its_text(status, body, category, code, again):
    done = call("explain-error", "--status", str(status), "--body", body, "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == code
    assert (facts["category"], facts["try_again"], facts["exit_code"]) == (category, again, code)
    assert facts["meaning"]
    assert facts["what_to_do"]


def test_an_error_is_explained_to_a_reader():
    done = call("explain-error", "--status", "402")
    for text in ("insufficient_credits", "https://skills.video/dashboard", "try again  no"):
        assert text in done.stdout


@pytest.mark.parametrize("status", ["200", "0", "-1", "700"])
def test_what_is_no_error_is_not_explained(status):
    done = call("explain-error", "--status", status)
    assert (done.returncode, done.stdout) == (1, "")


def test_what_a_code_means_is_told_by_the_code():
    facts = json.loads(call("explain-error", "--status", "502", "--body", BY_CODE, "--json").stdout)
    assert facts["meaning"] == "The generation failed at the provider of the model."
    assert "retries" not in call("explain-error", "--status", "503").stdout


@pytest.mark.parametrize(
    "arguments",
    [("get", "gen_9"), ("get",), ("running", "--limit", "0"), ("show", "nonsense"), ("explain-error", "--status", "1")],
    ids=" ".join,
)
def test_an_error_is_json_where_json_is_asked_for(arguments, sandbox):
    done = call(*arguments, "--json", sandbox=sandbox)
    event = json.loads(done.stdout)
    assert done.returncode == event["exit_code"] != 0
    assert event["message"] in done.stderr


def test_after_two_dashes_nothing_is_an_option(sandbox):
    done = call("get", "--", "--json", sandbox=sandbox)
    assert (done.returncode, done.stdout) == (23, "")


@pytest.mark.parametrize("total", ["1" + "0" * 400, "NaN", "1e999", "-Infinity", '"some-secret-key"'])
def test_a_balance_of_any_kind_is_told(total, answering):
    server = answering(f'{{"id": "some-secret-key", "total": {total}, "permanent": 1}}'.encode())
    told = [call("credits", **server), call("doctor", **server)]
    answers = [call("credits", "--json", **server), call("doctor", "--json", **server)]
    assert [done.returncode for done in (*told, *answers)] == [0] * 4
    assert all("some-secret-key" not in done.stdout for done in (*told, *answers))
    assert strict(answers[0].stdout)["permanent"] == strict(answers[1].stdout)["credits"]["permanent"] == 1


def test_an_answer_is_told_however_deep_it_is(answering):
    done = call("credits", "--json", **answering(b'{"total": ' + b"[" * 900 + b"]" * 900 + b"}"))
    assert (done.returncode, done.stdout.count("[")) == (0, 900)


def test_an_answer_that_cannot_be_read_is_told_in_a_whole_sentence(answering):
    done = call("credits", **answering(b"<html>"))
    assert done.returncode == 24
    assert "answered 200, which is not what its API reference describes: an HTML page" in done.stderr
