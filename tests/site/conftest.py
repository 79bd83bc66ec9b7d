"""The site, built once for all workers, served, and looked at with a browser where there is one."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.children import finished

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "site"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def site():
    """Give the folder of the pages; a site that is up to date is built in some seconds."""
    for name in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(name, reason=f"{name} is not installed; `make site` does that")
    fcntl = pytest.importorskip("fcntl")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = finished([sys.executable, "-m", "docs.site", "--out", BUILD], cwd=ROOT, seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return BUILD / "html"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")  # while it is open, no test in this process can run an event loop of its own
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Page:
    """A page in the browser, with what went wrong on it."""

    def __init__(self, context, address):
        self.address, self.wrong = address, []
        self.page = context.new_page()
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("requestfailed", self.on_failure)
        self.page.on("request", self.on_request)

    def on_console(self, message):
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text}")

    def on_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page was left before its picture came
            self.wrong.append(f"failed: {request.url}")

    def on_request(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"elsewhere: {request.url}")

    def open(self, name):
        answer = self.page.goto(f"{self.address}/{name}")
        assert answer.ok, name
        return self.page


@pytest.fixture
def page(browser, address):
    """Give a page of the site; whatever went wrong on it fails the test."""
    with browser.new_context() as context:
        opened = Page(context, address)
        yield opened
        assert opened.wrong == []
