"""`--open`: what a browser is told to open, and that nothing about it changes how a run ends."""

from __future__ import annotations

import pytest

from tests.support.processes import call
from tests.support.scripted import KEY, answer, state

WEB = "https://cdn.example/v.mp4"


class Browser:
    """A program that notes what it is asked to open."""

    def __init__(self, folder):
        script, self.told = folder / "browser", folder / "told"
        self.told.touch()
        script.write_text(f'#!/bin/sh\necho "$1" >>{self.told}\n', "utf-8")
        script.chmod(0o755)
        self.named = {"BROWSER": f"{script} %s"}

    def opened(self):
        return self.told.read_text("utf-8").split()


@pytest.fixture
def browser(tmp_path):
    return Browser(tmp_path)


def waited(server, url, *more, **environment):
    """Wait for a finished generation whose video has this address."""
    data = {"type": "video", "videos": [{"url": url, "file_name": "v.mp4"}]}
    server.on("GET /api/generation/gen_1", answer(200, {**state("COMPLETED"), "data": data}))
    environment |= {"SKILLS_VIDEO_API_KEY": KEY, "SKILLS_VIDEO_BASE_URL": server.base}
    return call("wait", "gen_1", "--open", *more, **environment)


def test_a_downloaded_file_is_opened(sandbox, tmp_path, browser):
    options = ("--download", str(tmp_path), "--open")
    done = call("run", "kling_v2_6", "neon rain", *options, sandbox=sandbox, **browser.named)
    assert (done.returncode, done.stderr) == (0, "")
    [file] = tmp_path.glob("*.mp4")
    assert browser.opened() == [file.as_uri()]


def test_the_address_is_opened_where_nothing_is_downloaded(server, browser):
    assert waited(server, WEB, "--json-lines", **browser.named).returncode == 0
    assert browser.opened() == [WEB]


@pytest.mark.parametrize("url", ["http://cdn.example/v.mp4", "file:///etc/passwd", "http://[x/v.mp4"])
def test_no_other_address_is_opened(server, browser, url):
    done = waited(server, url, **browser.named)
    assert (done.returncode, browser.opened()) == (0, [])


@pytest.mark.parametrize("program", ["false %s", "no-such-program %s"])
def test_a_browser_that_fails_changes_nothing(server, program):
    done = waited(server, WEB, BROWSER=program, PATH="/nowhere:/bin")
    assert done.returncode == 0
    assert f"note: {WEB} was not opened" in done.stderr
